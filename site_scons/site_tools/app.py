"""SCons tool: the application, which is tinyllama or, with app=DIR, a program of the user's.

Such a program is built in a folder of its own, build/ARCH/apps/NAME/VARIANT, so that neither undoes the
other. What is the same for all of them is in build/ARCH/hosted/VARIANT.
"""

import os
import sys
from pathlib import Path
from typing import Any

from bareflow.app import App, AppError, load_app
from bareflow.app_workload import workload_text
from bitcode import WARNINGS
from build_options import Options
from SCons.Script import COMMAND_LINE_TARGETS
from SCons.Subst import Literal
from scons_paths import escaped, user_file

ENTRY = "kernel_lib/hosted/entry/main.c"
TARGETS = set("image run bench evolve coverage report dist install compile_commands help".split())
"""Those that there are for other programs."""
_MODELS = {"perplexity", "held_out", "large", "real", "soak"}
"""Those that measure the model's program, or what it was recorded to run."""
_INLINE = "'-Dinline="
"""What variants/full.py makes of C's keyword; C++ has others that begin with it."""


def _sources(env: Any, app: App, packaged: list[tuple[str, Any]]) -> list[tuple[str, str, Any]]:
    """All that is compiled: its name in messages, its object's name, and its node."""
    own = [(str(path.relative_to(app.folder)), user_file(env, str(path))) for path in app.sources()]
    return [(name, f"app/{name}", node) for name, node in own] + [
        (name, f"source/{name}", node) for name, node in packaged
    ]


def _objects(env: Any) -> list[Any]:
    """Bitcode of all the program's sources, and of what calls its main."""
    app: App = env["HOSTED"]
    level = env["VARIANT"].app_optimisation or app.optimisation
    own = [flag for flag in env["CCFLAGS"] if str(flag) not in WARNINGS]
    own += env.LibraryFunctionsOptions()
    extracted, packaged = env.AppSource()
    includes = [app.folder, *(app.folder / name for name in app.include), *extracted[:1]]
    places = [part for folder in includes for part in ("-I", Literal(str(folder)))]
    given = map(Literal, [*app.flags, *(f"-D{name}" for name in app.defines)])
    before, after = [*own], [*given, *places]
    levels = {"c": level.split(), "c++": [flag for flag in level.split() if not flag.startswith(_INLINE)]}
    sources = _sources(env, app, packaged)
    made = []
    for name, target, source in sources:
        target = f"$BUILD/obj/{escaped(target)}.bc"
        if app.bitcode:
            node = env.Command(env.subst(target), source, env.Step(_take, "BITCODE"))
            env.Depends(node, [env["TOOL_VERSION"]["CC"], env.LibraryFunctionsPlugin()])
            made += node
            continue
        # Other warnings than the compiler's own are the program's affair.
        flags = [*before, *levels["c" if name.endswith(".c") else "c++"], *after]
        cxx = [*env["CXXFLAGS"], *env.CxxLibraryOptions()]
        node = env.Object(env.subst(target), source, CCFLAGS=flags, CXXFLAGS=cxx)
        env.DependOnCxxLibrary(node)
        env.Depends(node, [env["TOOL_VERSION"]["CC"], *env["LIBC_HEADERS"], *extracted[1:]])
        env.Depends(node, [user_file(env, str(path)) for path in _headers(app)])
        env.Depends(node, env.LibraryFunctionsPlugin())
        made += node
    checked = _checked(env, [name for name, _, _ in sources], made)
    texts = [f'-DPROGRAM_NAME="{app.name}"', f'-DPROGRAM_ARGUMENTS="{_quoted(app.args)}"']
    options = [*env["CCFLAGS"], *level.split(), *map(Literal, texts)]
    node = env.Object("$BUILD/obj/app.main.bc", f"#{ENTRY}", CCFLAGS=options)
    env.Depends(node, [env["TOOL_VERSION"]["CC"], *env["LIBC_HEADERS"], checked])
    return [*made, *node]


def _take(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow.engine import foreign_bitcode

    triple = env["TARGET_FLAGS"][env["TARGET_FLAGS"].index("-target") + 1]
    paths = [Path(node.abspath) for node in (*source, *target)]
    plugin = Path(env.LibraryFunctionsPlugin().abspath)
    foreign_bitcode.take(env["CC"], env["LLVM_OPT"], plugin, triple, *paths)


def _check_functions(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow import missing_functions

    objects, library = source[: len(env["APP_SOURCES"])], source[len(env["APP_SOURCES"]) :]
    paths = [[Path(node.abspath) for node in nodes] for nodes in (objects, library)]
    missing_functions.check(env["LLVM_NM"], env["LLVM_CXXFILT"], env["APP_SOURCES"], *paths)
    Path(target[0].abspath).write_text("")


def _checked(env: Any, names: list[str], objects: list[Any]) -> Any:
    """A node that is up to date when all that the program's objects call is there; names: of their sources.
    With an engine, what native has is asked: what LLVM needs besides is not for programs."""
    import variant_graph

    if env["VARIANT"].engine:
        env = variant_graph.compiled(env["BASE"].Clone(platform="bare"), "native").Override(
            {"BUILD": env["BUILD"]}
        )
    library = [*env["KERNEL_LIB"], *env["LIBC_OBJECTS"], env["COMPILER_RUNTIME"]]
    node = env.File("$BUILD/obj/app.checked")
    if not node.has_builder():
        step = env.Step(_check_functions)
        env.Command(node, [*objects, *library], step, APP_SOURCES=names)
    return node


def _quoted(text: str) -> str:
    """As it stands between the quotes of a C string."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _headers(app: App) -> list[Path]:
    if app.bitcode:
        return []
    return sorted(path for path in app.folder.rglob("*") if path.suffix in (".h", ".hpp", ".inc", ".def"))


def _application(env: Any) -> None:
    """Declares env["APP"]."""
    if env["HOSTED"]:
        env["APP"] = _objects(env)
    else:
        env.SConscript("#tinyllama/SConscript", exports={"env": env})


def _app_files(env: Any) -> dict[str, Any]:
    """The program's files for the disk: path there to node."""
    return {path: user_file(env, str(file)) for path, file in env["HOSTED"].files.items()}


def _write_workload(target: list[Any], source: list[Any], env: Any) -> None:
    Path(target[0].abspath).write_text(workload_text(env["HOSTED"]))


def _app_workload(env: Any) -> Any:
    """The program's workload file. All variants share it."""
    node = env.File(f"$BUILD_ROOT/$arch/apps/{env['HOSTED'].name}/workload.toml")
    if not node.has_builder():
        env.Command(node, [], env.Step(_write_workload, "WORKLOAD"))
        env.Depends(node, env.Value(workload_text(env["HOSTED"])))
    return node


def _refusal(targets: list[str]) -> str:
    """Why the first of these targets is not there for a program."""
    if targets[0] in _MODELS:
        return f"the target '{targets[0]}' is for the model's program"
    return f"the target '{targets[0]}' is about BareFlow itself"


def options(opts: Options) -> None:
    opts.add_file("app", "a program in place of tinyllama: a folder, or bitcode FILE.bc", validator=None)


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env["HOSTED"] = None
    if env["app"]:
        others = [target for target in COMMAND_LINE_TARGETS if target not in TARGETS]
        if others:
            sys.exit(f"bareflow: {_refusal(others)}; with app= there are {', '.join(sorted(TARGETS))}")
        try:
            env["HOSTED"] = load_app(Path(env["app"]))
        except AppError as error:
            sys.exit(f"bareflow: app={os.path.basename(env['app'])}: {error}")
    env.AddMethod(_application, "Application")
    env.AddMethod(_app_files, "AppFiles")
    env.AddMethod(_app_workload, "AppWorkload")
