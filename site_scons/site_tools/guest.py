"""SCons tool: booting what was built - `run` and `bench` - with the options of the command line."""

import subprocess
import sys
from typing import Any

from build_options import RUN_OPTIONS


def _given_options(env: Any) -> dict[str, str]:
    return {name: env[name] for name in RUN_OPTIONS if env.get(name) is not None}


def _call(env: Any, module: str, arguments: dict[str, Any]) -> int:
    """A program of its own, not a call: it owns the terminal, and signals belong to a main thread."""
    python_path = {"PYTHONPATH": env.Dir("#site_scons").abspath}
    command = [sys.executable, "-m", module, *(f"{key}={value}" for key, value in arguments.items())]
    output = env.get("MODEL_OUTPUT")
    return subprocess.run(command, env=env["ENV"] | python_path, stdout=output, check=False).returncode


def _boot(target: list[Any], source: list[Any], env: Any) -> int:
    return _call(
        env, "bareflow.run", {"image": source[0].abspath, **env["BOOT_OPTIONS"], **_given_options(env)}
    )


def _boot_and_time(target: list[Any], source: list[Any], env: Any) -> int:
    image = {"image": source[0].abspath}
    return _boot(target, source, env) or _call(env, "bareflow.start_bench", image)


def _measure(target: list[Any], source: list[Any], env: Any) -> int:
    program, model, tokenizer = (node.abspath for node in source)
    files = {"program": program, "model": model, "tokenizer": tokenizer}
    return _call(env, "bareflow.bench", files | _given_options(env))


def _run(env: Any, name: str, image: Any, **options: str) -> None:
    """The target `name`, which boots the image with these options and the user's; never up to date."""
    step = env.Step(_boot, "RUN", "$SOURCE")
    env.AlwaysBuild(env.Alias(name, image, step, BOOT_OPTIONS=options))


def _start_bench(env: Any, name: str, image: Any) -> None:
    """The target `name`, which prints the guest's own measurements and times its start; never up to date."""
    step = env.Step(_boot_and_time, "BENCH", "$SOURCE")
    env.AlwaysBuild(env.Alias(name, image, step, BOOT_OPTIONS={"mode": "bench"}))


def _measure_jit(target: list[Any], source: list[Any], env: Any) -> int:
    image, native, sizes = (node.abspath for node in source)
    return _call(env, "bareflow.jit_bench", {"image": image, "native": native, "sizes": sizes})


def _jit_bench(env: Any, name: str, image: Any, native: Any, sizes: Any) -> None:
    """The target `name`, which compares an image that compiles for itself with native's; never up to date."""
    step = env.Step(_measure_jit, "BENCH", "$SOURCE")
    env.AlwaysBuild(env.Alias(name, [image, native, sizes], step))


def _bench(env: Any, name: str, program: Any, model_files: dict[str, Any]) -> None:
    """The target `name`, which measures the Linux program at every vector width; never up to date."""
    sources = [program, *model_files.values()]
    env.AlwaysBuild(env.Alias(name, sources, env.Step(_measure, "BENCH", "$SOURCE")))


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_run, "RunTarget")
    env.AddMethod(_start_bench, "StartBenchTarget")
    env.AddMethod(_jit_bench, "JitBenchTarget")
    env.AddMethod(_bench, "BenchTarget")
