"""SCons tool: booting what was built - `run` and `bench` - with the options of the command line."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import run_status
from bareflow.bench.page import command_line
from bareflow.model_program import MODEL_PROGRAM
from bareflow.run.options import CONFIG, CONFIG_HELP, GUEST, INPUTS, MACHINE, RESULTS, config_settings
from bareflow.run.written_disk import disk_to_boot
from build_options import TOP, Options
from python_module import run_module
from SCons.Script import COMMAND_LINE_TARGETS

MOST_PORT = 65535
BENCH_OPTIONS = {"gguf_errors": "references", "gguf_speed": "llama_bench"}
"""Options that choose a bench, which gets their values."""


def _given_options(env: Any) -> dict[str, str]:
    named = GUEST | MACHINE | RESULTS | INPUTS
    return {name: env[name] for name in named if env.get(name) is not None}


def _call(env: Any, module: str, values: dict[str, Any], *arguments: str) -> int:
    return run_module(module, *arguments, standard_output=env.get("MODEL_OUTPUT"), **values)


def _prepare_debugger(env: Any, image: Path) -> None:
    """Writes the script for GDB and says how it is called. GDB waits some seconds for QEMU."""
    from bareflow.run.debugger import debugger_script, port_of

    port = port_of(int(env["gdb"]))
    if port is None:
        return
    script = image.with_suffix(".gdb")
    script.write_text(debugger_script(image.with_suffix(".debug"), f"localhost:{port}"))
    command = f"gdb -x {shlex.quote(str(script))}"
    print(f"bareflow: the guest waits for GDB; in another terminal:  {command}", file=sys.stderr, flush=True)


def _boot(env: Any, image: Path, disk: Path) -> int:
    """Boots an image from a file that is it, or a copy that may be written."""
    if env.get("gdb"):
        _prepare_debugger(env, image)
    with open(disk, "rb") as opened:
        path = str(disk)
        if COMMAND_LINE_TARGETS == ["run"]:  # all is built
            env["BUILD_LOCK"].release()
            # The path may name the image of another model by the time that it is booted.
            path = f"/proc/{os.getpid()}/fd/{opened.fileno()}"
        options = {
            "image": path,
            "qemu": f"qemu-system-{env['arch']}",
            **env["BOOT_OPTIONS"],
            **_given_options(env),
            CONFIG: env[CONFIG],
        }
        if disk == image and options.get("write") == "1":
            options["write"] = "0"  # what the build has made stays as it is
        if env["HOSTED"]:
            options |= {"program": "1", "least_memory": env["HOSTED"].memory}
        return _call(env, "bareflow.run.run", options)


def _say(text: str) -> None:
    print(f"bareflow: {text}", file=sys.stderr, flush=True)


def _boot_as_asked(target: list[Any], source: list[Any], env: Any) -> int:
    image = disk = Path(source[0].abspath)
    if target[0].name == "run":
        disk = disk_to_boot(image, env.get("write") == "1", _say)
    status = _boot(env, image, disk)
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
    settings = _given_options(env) | config_settings([env[CONFIG]])
    arguments = files if "image" in files else files | settings
    page = env["BENCH"]
    if page == "disks" and "disk" in settings:
        arguments |= {"disk": settings["disk"]}
        page = f"disks-{settings['disk']}"
    if env["BENCH"] in BENCH_OPTIONS:
        option = BENCH_OPTIONS[env["BENCH"]]
        arguments |= {option: env[option]}
    if env["levels"]:
        arguments |= {"levels": "1"}
    if env["HOSTED"]:
        arguments |= {"args": env["args"]} if env.get("args") is not None else {}
        page = f"{env['BENCH'].replace('_', '-')}-{env['HOSTED'].name}"
    if env["save"]:
        path = env.File(f"#docs/measurements/{page}.md").abspath
        arguments |= {"page": path, "command": command_line(sys.argv[1:], TOP)}
    image = Path(source[0].abspath)
    status = _boot(env, image, image) if env["BENCH"] == "boot" else 0
    return status or _call(env, "bareflow.bench.driver", arguments, env["BENCH"])


def _bench(env: Any, name: str, bench: str, files: dict[str, Any]) -> None:
    """The target `name`, which runs a bench of bareflow.bench.driver on files; never up to date. Of "boot",
    which measures the way to the first token, the guest's own measurements come first."""
    step = env.Step(_measure, "BENCH", "$SOURCE")
    boot = {"mode": MODEL_PROGRAM.tables_mode}
    nodes = list(files.values())
    alias = env.Alias(name, nodes, step, BENCH=bench, BENCH_FILES=list(files), BOOT_OPTIONS=boot)
    env.AlwaysBuild(alias)


def _call_program(target: list[Any], source: list[Any], env: Any) -> int:
    program, model, *tokenizer = (node.abspath for node in source)
    settings: dict[str, Any] = _given_options(env) | config_settings([env[CONFIG]])
    settings |= {"model": model, **env["BOOT_OPTIONS"]}
    if tokenizer:
        settings["tokenizer"] = tokenizer[0]
    pairs = (f"{key}={value}" for key, value in settings.items() if value != "")
    return subprocess.call([program, *pairs], stdin=subprocess.DEVNULL, stdout=env["MODEL_OUTPUT"])


def _run_program(env: Any, name: str, files: list[Any], **options: str) -> None:
    """The target `name`, which runs a Linux program with the model's files, these options and the user's;
    never up to date."""
    step = env.Step(_call_program, "RUN", "$SOURCE")
    env.AlwaysBuild(env.Alias(name, files, step, BOOT_OPTIONS=options))


def _are_settings(key: str, value: str, _env: Any) -> None:
    try:
        config_settings([value])
    except ValueError as error:
        raise SystemExit(f"bareflow: {key}=: {error}") from None


def _is_folder(key: str, value: str, _env: Any) -> None:
    if value and not os.path.isdir(value):
        raise SystemExit(f"bareflow: {key}=: there is no folder {value}")


def _is_port(key: str, value: str, env: Any) -> None:
    if value and not (value.isascii() and value.isdecimal() and int(value) <= MOST_PORT):
        raise SystemExit(f"bareflow: {key}={value} is neither 0 nor 1 nor a port's number")


def options(opts: Options) -> None:
    for name, text in (GUEST | MACHINE).items():
        opts.add_text(name, f"run: {text}", validator=_is_port if name == "gdb" else None)
    for name, text in RESULTS.items():
        opts.add_file(name, f"run: {text}", validator=None)
    for name, text in INPUTS.items():
        opts.add_file(name, f"run: {text}")
    opts.add_repeatable(CONFIG, f"run: {CONFIG_HELP}", _are_settings)
    opts.add_file("references", "bench: GGUF files with exact logits, a folder", validator=_is_folder)
    opts.add_file("llama_bench", "bench: llama.cpp's program llama-bench, to be compared with")
    opts.add_switch("levels", "bench: of app= with variant=full, full held on each level")
    opts.add_switch("save", "bench: write the tables to docs/measurements as well")


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    if env.get("gdb", "") not in ("", "0"):
        env["debug"] = True
    if {"run", "bench", "perplexity", "evolve"} & set(COMMAND_LINE_TARGETS):
        # Standard output is for the result (of run: the model's text); what the build prints goes to standard
        # error.
        env["MODEL_OUTPUT"] = os.dup(1)
        os.dup2(2, 1)
    env.AddMethod(_run, "RunTarget")
    env.AddMethod(_run_program, "RunProgramTarget")
    env.AddMethod(_bench, "BenchTarget")
