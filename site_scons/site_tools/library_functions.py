"""SCons tool: programs call the C library's mathematics, whatever the compiler knows of the arguments. It
would calculate with this machine's library, or write pow(2, x) as exp2(x), and not so on every level.

The engine's own function for that (kernel_lib/jit/engine/library_functions.h) is a plugin of clang and opt.
"""

from typing import Any

from engine import LANGUAGE, TARGET, WARNINGS, include_folder

PLUGIN = "$BUILD_ROOT/tools/library_functions.so"
PASS = "library-functions"
"""For opt; it comes before all others."""
SOURCES = (
    "kernel_lib/jit/engine/library_functions.cpp",
    "site_scons/engine_programs/library_functions_plugin.cpp",
)


def _plugin(env: Any) -> Any:
    """The node of the plugin. Declared once."""
    node = env.File(PLUGIN)
    if node.has_builder():
        return node
    # It is loaded into a program that has LLVM itself.
    flags = [*TARGET[:2], "-fPIC", "-O1", "-fno-rtti", *LANGUAGE, *WARNINGS]
    flags += ["-isystem", include_folder(env["LLVM_CONFIG"])]
    objects = []
    for source in map(env.File, [f"#{path}" for path in SOURCES]):
        name = source.name.removesuffix(".cpp")
        objects += env.Object(f"$BUILD_ROOT/tools/{name}.o", source, CXXFLAGS=[], CCFLAGS=flags)
    versions = [env["TOOL_VERSION"][name] for name in ("CC", "LD", "LLVM_CONFIG")]
    link = f"$CXX {' '.join(TARGET[:2])} -shared $LD_PATH $SOURCES -o $TARGET"
    env.Command(node, objects, env.Step(link, "LINK"))
    env.Depends([*objects, node], versions)
    return node


def _compiler_options(env: Any) -> list[str]:
    """Where the plugin is makes no difference to objects."""
    return ["$(", f"-fpass-plugin={_plugin(env).path}", "$)"]


def _objects(env: Any, sources: list[Any]) -> list[Any]:
    """Bitcode of the kernel's sources that is made so."""
    if not sources:
        return []
    nodes = env.Clone(CCFLAGS=[*env["CCFLAGS"], *_compiler_options(env)]).BitcodeObjects(sources)
    env.Depends(nodes, _plugin(env))
    return list(nodes)


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_plugin, "LibraryFunctionsPlugin")
    env.AddMethod(_compiler_options, "LibraryFunctionsOptions")
    env.AddMethod(_objects, "LibraryFunctionsObjects")
