"""SCons tool: booting what was built - `run` and `bench` - with the options of the command line."""

import os
from typing import Any

import run_status
from bareflow.qemu.machine import DRIVES
from build_options import Options
from python_module import run_module
from SCons.Script import COMMAND_LINE_TARGETS

RUN_OPTIONS = {
    "prompt": "text that the story begins with",
    "steps": "most tokens of the text, the prompt's included; 0 = as many as the model's context has",
    "temperature": "0 = always the likeliest token",
    "topk": "sample from so many of the likeliest tokens; 0 = from all",
    "topp": "sample from the likeliest tokens that together have this probability",
    "minp": "sample from tokens at least this part as likely as the likeliest; 0 = from all",
    "repeat": "penalty on tokens that the text has already; 1 = none",
    "seed": "of the random numbers; 0 = from the clock",
    "mode": "interactive, generate or bench",
    "vector": "auto, sse2, avx2 or avx512",
    "disk": "how the guest reads its disk: auto, ata, pio or bios",
    "memory": "the machine's memory in MiB (by default enough for the model)",
    "cpu": "QEMU's CPU model",
    "machine": "QEMU's machine: pc or q35",
    "drive": f"how the disk is attached: {', '.join(DRIVES[:-1])} or {DRIVES[-1]}",
    "accel": "tcg or kvm",
    "timeout": "end the run after this many seconds; 0 = no limit",
    "write": "1 = the guest may change the image",
}
"""What `run` hands to bareflow.run.run, which checks the values."""


def _given_options(env: Any) -> dict[str, str]:
    return {name: env[name] for name in RUN_OPTIONS if env.get(name) is not None}


def _call(env: Any, module: str, values: dict[str, Any], *arguments: str) -> int:
    return run_module(module, *arguments, standard_output=env.get("MODEL_OUTPUT"), **values)


def _boot(target: list[Any], source: list[Any], env: Any) -> int:
    path = source[0].abspath
    with open(path, "rb") as image:
        if COMMAND_LINE_TARGETS == ["run"]:  # all is built
            env["BUILD_LOCK"].release()
            # The path may name the image of another model by the time that it is booted.
            path = f"/proc/{os.getpid()}/fd/{image.fileno()}"
        return _call(env, "bareflow.run.run", {"image": path, **env["BOOT_OPTIONS"], **_given_options(env)})


def _boot_as_asked(target: list[Any], source: list[Any], env: Any) -> int:
    status = _boot(target, source, env)
    if COMMAND_LINE_TARGETS != ["run"] or not run_status.passed_on:
        return status
    run_status.status = status if status >= 0 else 128 - status  # negative: a signal has ended it
    return 0


def _run(env: Any, name: str, image: Any, **options: str) -> None:
    """The target `name`, which boots the image with these options and the user's; never up to date."""
    step = env.Step(_boot_as_asked, "RUN", "$SOURCE")
    env.AlwaysBuild(env.Alias(name, image, step, BOOT_OPTIONS=options))


def _measure(target: list[Any], source: list[Any], env: Any) -> int:
    files = {name: node.abspath for name, node in zip(env["BENCH_FILES"], source, strict=True)}
    arguments = files if "image" in files else files | _given_options(env)
    status = _boot(target, source, env) if env["BENCH"] == "boot" else 0
    return status or _call(env, "bareflow.bench.driver", arguments, env["BENCH"])


def _bench(env: Any, name: str, bench: str, files: dict[str, Any]) -> None:
    """The target `name`, which runs a bench of bareflow.bench.driver on files; never up to date. Of "boot",
    which measures the way to the first token, the guest's own measurements come first."""
    step = env.Step(_measure, "BENCH", "$SOURCE")
    boot = {"mode": "bench"}
    nodes = list(files.values())
    alias = env.Alias(name, nodes, step, BENCH=bench, BENCH_FILES=list(files), BOOT_OPTIONS=boot)
    env.AlwaysBuild(alias)


def options(opts: Options) -> None:
    for name, text in RUN_OPTIONS.items():
        opts.add_text(name, f"run: {text}")


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    if {"run", "bench"} & set(COMMAND_LINE_TARGETS):
        # Standard output is for the result (of run: the model's text); what the build prints goes to standard
        # error.
        env["MODEL_OUTPUT"] = os.dup(1)
        os.dup2(2, 1)
    env.AddMethod(_run, "RunTarget")
    env.AddMethod(_bench, "BenchTarget")
