"""The command line's key=value options: read, typed, checked, and refused by name when unknown.

Which ones there are is declared where they are used, by options(opts) of that module.
"""

import difflib
import os
import reprlib
import sys
import traceback
import types
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from SCons.Errors import UserError
from SCons.Variables import BoolVariable, EnumVariable, Variables

TOP = Path(__file__).resolve().parents[1]
CUSTOM = TOP / "custom.py"


def user_path(value: str, folder: str = "") -> str:
    """A path as the user meant it, absolute: relative to `folder`, else to where ./bareflow was
    called, which may be a folder by a link: `..` is then the parent of what the link leads to."""
    if not value:
        return ""
    path = os.path.join(folder or os.environ.get("BAREFLOW_CWD", ""), os.path.expanduser(value))
    parent, name = os.path.split(path)
    # A link that is the file itself stays: the tokenizer is looked for beside it.
    return os.path.realpath(path) if name in ("", ".", "..") else os.path.join(os.path.realpath(parent), name)


def is_file(key: str, value: str, _env: Any = None) -> None:
    """A validator: ends the build with a sentence unless the value is empty or names a file."""
    if value and not os.path.isfile(value):
        raise SystemExit(f"bareflow: {key}=: there is no file {value}")


def _are_files(key: str, value: str, _env: Any) -> None:
    for path in value.split(","):
        is_file(key, path)


def _user_paths(value: str, folder: str) -> str:
    return ",".join(user_path(path, folder) for path in value.split(","))


def is_number(key: str, value: str, _env: Any) -> None:
    """A validator: ends the build when the value is not a whole number."""
    if not (value.isascii() and value.isdecimal()):
        raise SystemExit(f"bareflow: {key}={value} is not a whole number")


class Options(Variables):  # type: ignore[misc]
    """The options, to which modules add theirs; their values are `arguments`, and then custom.py's."""

    def __init__(self, arguments: Iterable[tuple[str, str]]) -> None:
        custom = custom_defaults(CUSTOM)
        self._given = [*custom.items(), *arguments]
        super().__init__([], dict(self._given))
        self._of_custom = custom.keys() - dict(self._given[len(custom) :]).keys()

    def add_text(self, key: str, text: str, default: str | None = None, validator: Any = None) -> None:
        """Any text. validator(key, value, env) may end the build; so for the other kinds of options."""
        self._add(key, text, default, validator)

    def add_repeatable(self, key: str, text: str, validator: Any) -> None:
        """Any text, which may be given several times: the value is all of it, in lines, custom.py's first."""
        lines = "\n".join(value for name, value in self._given if name == key)
        self._add(key, text, "", validator, lambda _: lines)

    def add_number(self, key: str, text: str, default: int) -> None:
        """A whole number that is not negative."""
        self._add(key, text, str(default), is_number)

    def add_choice(self, key: str, text: str, allowed: tuple[str, ...], default: str) -> None:
        """One of several words."""
        self.Add(*EnumVariable(key, text, default, allowed))

    def add_switch(self, key: str, text: str) -> None:
        """Yes or no, which is the default."""
        self.Add(*BoolVariable(key, text, False))

    def add_file(
        self,
        key: str,
        text: str,
        default: str = "",
        *,
        convert: Callable[[str, str], str] = user_path,
        validator: Any = is_file,
    ) -> None:
        """A path. convert(value, folder) makes of what the user has written what the graph uses; a path is
        relative to the folder, or as in user_path() when that is empty."""
        # What custom.py says is the same wherever ./bareflow is called.
        folder = str(CUSTOM.parent) if key in self._of_custom else ""
        self._add(key, text, default, validator, lambda value: convert(value, folder))

    def add_files(self, key: str, text: str) -> None:
        """Paths of files, separated by commas."""
        self.add_file(key, text, convert=_user_paths, validator=_are_files)

    def _add(
        self, key: str, text: str, default: str | None, validator: Any = None, converter: Any = None
    ) -> None:
        self.Add(key, text, default, validator, converter, subst=False)  # `$` in a value is no variable


def declare(arguments: Iterable[tuple[str, str]], modules: Iterable[Any]) -> Options:
    """The options that modules and tools declare; those without a function options(opts) have none.
    arguments: the command line's, with repetitions."""
    options = Options(arguments)
    for module in modules:
        if hasattr(module, "options"):
            module.options(options)
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
    lines = ["./bareflow [TARGET...] [OPTION=VALUE...]"]
    lines += ["./bareflow new DIR   makes a minimal program for app=DIR", "", "Targets"]
    lines += [f"  {name:19}{text}" for name, text in targets.items()]
    lines += ["", "Options (defaults may be set in custom.py as Python assignments)"]
    for option in options.options:
        values = f": {', '.join(option.allowed)}" if hasattr(option, "allowed") else ""
        default = str(option.default or "").removeprefix("#")
        default = f" [{default}]" if default else ""
        lines.append(f"  {option.key + '=':19}{option.help}{values}{default}")
    print("\n".join(lines))
    return 0
