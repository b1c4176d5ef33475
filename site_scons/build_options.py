"""The command line's key=value options: declared, typed, and refused by name when unknown."""

import difflib
import functools
import os
import reprlib
import sys
import traceback
import types
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from bareflow.models.model_catalogue import DEFAULT, load_catalogue, unknown_model
from bareflow.qemu.machine import DRIVES
from SCons.Errors import UserError
from SCons.Variables import BoolVariable, EnumVariable, Variables
from scons_paths import collapses

TOP = Path(__file__).resolve().parents[1]
CATALOGUE = TOP / "models.toml"
CUSTOM = TOP / "custom.py"
BUILD = "#build"
WORKLOAD = "#variants/workload.toml"
UNTRIMMED = "full"
"""The value of fallback= for the kernel that a trimmed one was made from."""

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


def user_path(value: str, folder: str = "") -> str:
    """A path as the user meant it, absolute: relative to `folder`, else to where ./bareflow was
    called, which may be a folder by a link: `..` is then the parent of what the link leads to."""
    if not value:
        return ""
    path = os.path.join(folder or os.environ.get("BAREFLOW_CWD", ""), os.path.expanduser(value))
    parent, name = os.path.split(path)
    # A link that is the file itself stays: the tokenizer is looked for beside it.
    return os.path.realpath(path) if name in ("", ".", "..") else os.path.join(os.path.realpath(parent), name)


def _workload(value: str, folder: str) -> str:
    return WORKLOAD if value in ("", WORKLOAD) else user_path(value, folder)


def _is_workload(key: str, value: str, env: Any) -> None:
    if value != WORKLOAD:
        _is_file(key, value, env)


def _user_paths(value: str, folder: str) -> str:
    return ",".join(user_path(path, folder) for path in value.split(","))


def _are_files(key: str, value: str, env: Any) -> None:
    for path in value.split(","):
        _is_file(key, path, env)


def _is_file(key: str, value: str, _env: Any) -> None:
    if value and not os.path.isfile(value):
        raise SystemExit(f"bareflow: {key}=: there is no file {value}")


def _is_kernel(key: str, value: str, env: Any) -> None:
    if not value or value == UNTRIMMED:
        return
    from bareflow.kernel.kernel_file import KernelFileError, parse_header

    _is_file(key, value, env)
    try:
        parse_header(Path(value).read_bytes())
    except OSError as error:
        raise SystemExit(f"bareflow: {key}={value} cannot be read: {error.strerror}") from None
    except KernelFileError as error:
        raise SystemExit(f"bareflow: {key}={value} is no kernel file: {error}") from None


def _fallback(value: str, folder: str) -> str:
    return value if value == UNTRIMMED else user_path(value, folder)


def _model(value: str, folder: str) -> str:
    """A name, or the path of a file that exists."""
    path = user_path(value, folder)
    if value in ("", DEFAULT) or os.path.isfile(path):
        return path if value not in ("", DEFAULT) else DEFAULT
    names = list(load_catalogue(CATALOGUE))
    if value not in names:
        raise SystemExit(f"bareflow: {unknown_model(value, Path(path), [DEFAULT, *names])}")
    return value


def _is_number(key: str, value: str, _env: Any) -> None:
    if not (value.isascii() and value.isdecimal()):
        raise SystemExit(f"bareflow: {key}={value} is not a whole number")


def declare(arguments: dict[str, str]) -> Variables:
    """The options with their defaults, taken from custom.py and then from `arguments`."""
    custom = custom_defaults(CUSTOM)
    options = Variables([], {**custom, **arguments})

    def add(key: str, text: str, default: str | None, validator: Any = None, converter: Any = None) -> None:
        options.Add(key, text, default, validator, converter, subst=False)  # `$` in a value is no variable

    def add_path(
        key: str, text: str, default: str, convert: Any = user_path, validator: Any = _is_file
    ) -> None:
        # What custom.py says is the same wherever ./bareflow is called.
        folder = str(CUSTOM.parent) if key in custom and key not in arguments else ""
        add(key, text, default, validator, functools.partial(convert, folder=folder))

    add(*EnumVariable("variant", "which image", "native", ("full", "trimmed", "native")))
    add(*EnumVariable("arch", "processor architecture", "x86_64", ("x86_64", "i386")))
    add(*EnumVariable("platform", "the bare machine, or a Linux program", "bare", ("bare", "linux")))
    add_path("model", "llama2.c checkpoint, or a name from models.toml", DEFAULT, _model, None)
    add_path("tokenizer", "its tokenizer (tokenizer.bin beside the model)", "")
    text = "a second kernel for the image: a .krn file, or, of trimmed, full"
    add_path("fallback", text, "", _fallback, _is_kernel)
    add_path("llvm_libc_tarball", "LLVM-libc's source instead of Debian's", "")
    add_path("build", "folder for all that is built", BUILD, _build_folder, None)
    text = "what coverage is recorded on, and trimmed therefore made for"
    add_path("workload", text, WORKLOAD, _workload, _is_workload)
    text = "coverage files, separated by commas, instead of running the workload"
    add_path("coverage", text, "", _user_paths, _are_files)
    text = "images whose guests called functions that a trim had removed (or lists of names): it keeps them"
    add_path("misses", text, "", _user_paths, _are_files)
    add_path("serial_log", "report: a guest's serial log, for its tiers", "")
    add(*BoolVariable("verbose", "show whole commands", False))
    add("only", "test: just the Python tests that this pytest -k expression selects", "")
    add("boots", "soak: how many boots in a row, and how many power cuts", "100", _is_number)
    add("fuzz_seconds", "fuzz: how long each target runs", "60", _is_number)
    for name, text in RUN_OPTIONS.items():
        add(name, f"run: {text}", None)
    return options


def custom_defaults(file: Path) -> dict[str, str]:
    """The assignments of custom.py as options of a command line; nothing where there is no such file."""
    values: dict[str, Any] = {"__name__": file.stem, "__file__": str(file)}
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        sys.exit(f"bareflow: {file} cannot be read: {error.strerror}")
    try:
        exec(compile(text, file, "exec"), values)
    except SyntaxError as error:
        sys.exit(f"bareflow: {file}, line {error.lineno}: {error.msg}")
    except Exception as error:  # whatever the user's Python raises
        lines = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)
        ]
        place = f"{file}, line {lines[-1]}" if lines else str(file)
        sys.exit(f"bareflow: {place}: {type(error).__name__}: {error}")
    options = {
        name: value
        for name, value in values.items()
        if not (name.startswith("_") or isinstance(value, types.ModuleType) or callable(value))
    }
    for name, value in options.items():
        if not isinstance(value, str | int | float | os.PathLike):
            wrong = f"{name} = {reprlib.repr(value)}"
            sys.exit(f"bareflow: {file}: {wrong}: a value is a string, a number, True or False")
    return {
        name: str(int(value)) if isinstance(value, bool) else str(value) for name, value in options.items()
    }


def set_options(options: Variables, environment: Callable[[], Any]) -> Any:
    """What environment() returns, which sets the options; a wrong value ends the build with a sentence."""
    try:
        return environment()
    except UserError as error:
        sys.exit(f"bareflow: {': '.join(str(error).splitlines())}")


def _build_folder(value: str, folder: str) -> str:
    """The folder in SCons's notation: below the top folder "#...", which every SConscript understands."""
    if value in ("", BUILD):
        return BUILD
    path = Path(user_path(value, folder))
    if collapses(str(path.relative_to(TOP)) if path.is_relative_to(TOP) else str(path)):
        sys.exit(f"bareflow: build={path}: SCons takes no several spaces in a row and no tabs")
    return f"#{path.relative_to(TOP)}" if path.is_relative_to(TOP) else str(path)


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


def print_help(options: Variables, env: Any, targets: Mapping[str, str]) -> int:
    """The target `help`; returns the exit status."""
    lines = ["./bareflow [TARGET...] [OPTION=VALUE...]", "", "Targets"]
    lines += [f"  {name:18}{text}" for name, text in targets.items()]
    lines += ["", "Options (defaults may be set in custom.py as Python assignments)"]
    for option in options.options:
        values = f": {', '.join(option.allowed)}" if hasattr(option, "allowed") else ""
        default = str(option.default or "").removeprefix("#")
        default = f" [{default}]" if default else ""
        lines.append(f"  {option.key + '=':18}{option.help}{values}{default}")
    print("\n".join(lines))
    return 0
