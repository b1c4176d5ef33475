"""SCons tool: what a build step prints. One quiet line a step, or whole commands with verbose=1."""

import sys
from typing import Any

from bareflow.errors import BareFlowError
from build_options import Options
from python_imports import OURS
from SCons.Action import Action

_BLUE, _PLAIN = "\033[34m", "\033[0m"


def _line(env: Any, label: str, what: str = "$TARGET") -> str:
    """The quiet line of a step, `[      CC] file`, with colour on a terminal only."""
    colour, plain = (_BLUE, _PLAIN) if sys.stdout.isatty() else ("", "")
    return f"{colour}[{label:>8}]{plain} {what}"


def _step(
    env: Any, action: Any, label: str = "", what: str = "$TARGET", *, without: tuple[str, ...] = ()
) -> Any:
    """An action that prints its quiet line, or nothing without a label; a command prints itself instead with
    verbose=1.

    What a Python function makes depends on all Python of ours that it runs (python_imports), less what is in
    the modules or packages `without`.
    """
    line = _line(env, label, what) if label else None
    # SCons's own class: env.Action() would expand $TARGET before there is one.
    if callable(action):
        return Action(_with_plain_errors(action, OURS.digest(action, without)), line)
    return Action(action) if env["verbose"] else Action(action, line)


def _with_plain_errors(function: Any, code: str) -> Any:
    """The function as an action whose failures with a sentence for the user are just that sentence.

    SCons takes the default values of its arguments for a part of what it does: `code`, a hash.
    """

    def act(target: list[Any], source: list[Any], env: Any, code: str = code) -> int:
        try:
            return function(target, source, env) or 0
        except BareFlowError as error:
            print(f"bareflow: {error}", file=sys.stderr)
            return 1

    return act


def _quiet(env: Any, label: str, what: str = "$TARGET") -> str:
    """The value for one of SCons's own *COMSTR variables: empty, which shows the command, if verbose."""
    return "" if env["verbose"] else _line(env, label, what)


def _progress(env: Any, message: str) -> None:
    """Reports progress of a long step."""
    print(f"           {message}", file=sys.stderr, flush=True)


def options(opts: Options) -> None:
    opts.add_switch("verbose", "show whole commands")


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_step, "Step")
    env.AddMethod(_quiet, "Quiet")
    env.AddMethod(_progress, "Progress")
