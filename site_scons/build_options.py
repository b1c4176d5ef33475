"""The command line's key=value options: declared, typed, and refused by name when unknown."""

import difflib
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bareflow.model_catalogue import DEFAULT, load_catalogue, unknown_model
from SCons.Variables import BoolVariable, EnumVariable, Variables

CATALOGUE = Path(__file__).resolve().parents[1] / "models.toml"
WORKLOAD = "#variants/workload.toml"
UNTRIMMED = "full"
"""The value of fallback= for the kernel that a trimmed one was made from."""

RUN_OPTIONS = {
    "prompt": "text that the story begins with",
    "steps": "most tokens to generate",
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
    "drive": "how the disk is attached: ide, ahci, virtio-blk, usb-storage, nvme or floppy",
    "accel": "tcg or kvm",
    "timeout": "end the run after this many seconds",
    "write": "1 = the guest may change the image",
}
"""What `run` hands to bareflow.run, which checks the values."""


def _user_path(value: str) -> str:
    """A path as the user meant it: relative to where ./bareflow was called, not to the top folder."""
    path = os.path.expanduser(value)
    return os.path.relpath(os.path.join(os.environ.get("BAREFLOW_CWD", ""), path)) if value else ""


def _workload(value: str) -> str:
    return WORKLOAD if value in ("", WORKLOAD) else _user_path(value)


def _is_workload(key: str, value: str, env: Any) -> None:
    if value != WORKLOAD:
        _is_file(key, value, env)


def _user_paths(value: str) -> str:
    return ",".join(map(_user_path, value.split(",")))


def _are_files(key: str, value: str, env: Any) -> None:
    for path in value.split(","):
        _is_file(key, path, env)


def _is_file(key: str, value: str, _env: Any) -> None:
    if value and not os.path.isfile(value):
        raise SystemExit(f"bareflow: {key}=: there is no file {os.path.abspath(value)}")


def _is_kernel(key: str, value: str, env: Any) -> None:
    if not value or value == UNTRIMMED:
        return
    from bareflow.kernel_file import KernelFileError, parse_header

    _is_file(key, value, env)
    try:
        parse_header(Path(value).read_bytes())
    except KernelFileError as error:
        raise SystemExit(f"bareflow: {key}={value} is no kernel file: {error}") from None


def _fallback(value: str) -> str:
    return value if value == UNTRIMMED else _user_path(value)


def _model(value: str) -> str:
    """A file as the user meant it; else a name."""
    path = _user_path(value)
    return path if value != DEFAULT and os.path.isfile(path) else value or DEFAULT


def _is_model(_key: str, value: str, _env: Any) -> None:
    if value == DEFAULT or os.path.isfile(value):
        return
    names = list(load_catalogue(CATALOGUE))
    if value not in names:
        path = Path(os.path.abspath(_user_path(value)))
        raise SystemExit(f"bareflow: {unknown_model(value, path, [DEFAULT, *names])}")


def _is_number(key: str, value: str, _env: Any) -> None:
    if not value.isdigit():
        raise SystemExit(f"bareflow: {key}={value} is not a whole number")


def declare(arguments: dict[str, str]) -> Variables:
    """The options with their defaults, taken from custom.py and then from `arguments`."""
    options = Variables(["custom.py"], arguments)
    options.AddVariables(
        EnumVariable("variant", "which image", "native", ("full", "trimmed", "native")),
        EnumVariable("arch", "processor architecture", "x86_64", ("x86_64", "i386")),
        EnumVariable("platform", "the bare machine, or a Linux program", "bare", ("bare", "linux")),
        ("model", "llama2.c checkpoint, or a name from models.toml", DEFAULT, _is_model, _model),
        ("tokenizer", "its tokenizer (tokenizer.bin beside the model)", "", _is_file, _user_path),
        (
            "fallback",
            "a second kernel for the image: a .krn file, or, of trimmed, full",
            "",
            _is_kernel,
            _fallback,
        ),
        ("llvm_libc_tarball", "LLVM-libc's source instead of Debian's", "", _is_file, _user_path),
        ("build", "folder for all that is built", "build", None, _build_folder),
        (
            "workload",
            "what coverage is recorded on, and trimmed therefore made for",
            WORKLOAD,
            _is_workload,
            _workload,
        ),
        (
            "coverage",
            "coverage files, separated by commas, instead of running the workload",
            "",
            _are_files,
            _user_paths,
        ),
        (
            "misses",
            "images whose guests called functions that a trim had removed (or lists of names): it keeps them",
            "",
            _are_files,
            _user_paths,
        ),
        ("serial_log", "report: a guest's serial log, for its tiers", "", _is_file, _user_path),
        BoolVariable("verbose", "show whole commands", False),
        ("only", "test: just the Python tests that this pytest -k expression selects", ""),
        ("boots", "soak: how many boots in a row, and how many power cuts", "100", _is_number),
        ("fuzz_seconds", "fuzz: how long each target runs", "60", _is_number),
    )
    for name, text in RUN_OPTIONS.items():
        options.Add(name, f"run: {text}", None)
    return options


def _build_folder(value: str) -> str:
    """The folder in SCons's notation: below the top folder "#...", which every SConscript understands."""
    path = value if value == "build" else _user_path(value)
    return os.path.abspath(path) if path.startswith("..") else f"#{path}"


def _suggestion(wrong: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(wrong, list(known), 1)
    return f" Did you mean '{near[0]}'?" if near else ""


def check(options: Variables, targets: Mapping[str, str], asked: Iterable[str]) -> None:
    """Ends the build with a sentence for every unknown option and target; a path may be any built file."""
    complaints = [
        f"there is no option '{name}'.{_suggestion(name, options.keys())}"
        for name in options.UnknownVariables()
    ] + [
        f"there is no target '{name}'.{_suggestion(name, targets)}"
        for name in asked
        if name not in targets and "/" not in name and not os.path.exists(name)
    ]
    if complaints:
        lines = [*complaints, "`./bareflow help` lists targets and options."]
        sys.exit("\n".join(f"bareflow: {line}" for line in lines))


def help_text(options: Variables, env: Any, targets: Mapping[str, str]) -> str:
    """What `help` prints."""
    lines = ["./bareflow [TARGET...] [OPTION=VALUE...]", "", "Targets"]
    lines += [f"  {name:18}{text}" for name, text in targets.items()]
    lines += ["", "Options (defaults may be set in custom.py as Python assignments)"]
    for option in options.options:
        values = f": {', '.join(option.allowed)}" if hasattr(option, "allowed") else ""
        default = f" [{option.default}]" if option.default not in (None, "") else ""
        lines.append(f"  {option.key + '=':18}{option.help}{values}{default}")
    return "\n".join(lines)
