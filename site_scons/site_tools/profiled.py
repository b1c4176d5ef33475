"""SCons tool: the application's bitcode with what a profile says (profile=), which a kernel with a JIT has
recorded. The same code as in the guest puts it in (kernel_lib/jit/export).

disk image --> profile; app.bc, libc.bc of full, profile --apply_profile--> bitcode --opt--> bitcode to link
                                                         --apply_profile--> the object that a guest makes
"""

from pathlib import Path
from typing import Any

from build_options import Options
from engine import TARGET, shared_libraries
from scons_paths import escaped, user_file

TOOL = "#site_scons/apply_profile/apply_profile.cpp"
KERNEL_LIB = (
    "kernel_lib/jit/store/profile_parse.c",
    "kernel_lib/jit/store/function_names.c",
    "kernel_lib/jit/values.c",
    "kernel_lib/cpu/instruction_sets.c",
    "kernel_lib/cpu/features.c",
    "kernel_lib/crc32.c",
    "kernel_lib/error.c",
    "kernel_lib/io/format.c",
)
"""What the exporter calls of it."""
PASSES = "-passes=lto-pre-link<O3>"


def _read_profile(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow.disk.profile import read_profile

    Path(target[0].abspath).write_bytes(read_profile(Path(source[0].abspath)))


def _tool(env: Any, full: Any) -> Any:
    """The program that puts a profile into bitcode."""
    engine = [node for node in full.EngineObjects() if node.path.endswith(".o")]
    objects = list(full.ObjectsLikeEngine("$BUILD/apply_profile", [env.File(TOOL)]))
    compile_it = env.Step("$CC -O2 -std=gnu17 -I. -Wall -Wextra -c $SOURCE -o $TARGET", "CC")
    for source in KERNEL_LIB:
        node = env.Command(f"$BUILD/apply_profile/{Path(source).with_suffix('.o')}", f"#{source}", compile_it)
        env.Depends(node, env["TOOL_VERSION"]["CC"])
        objects += node
    command = (
        f"$CXX {' '.join(TARGET[:2])} -no-pie $LD_PATH $OBJECTS "
        f"-Wl,--start-lib $ENGINE -Wl,--end-lib {' '.join(shared_libraries(env))} -o $TARGET"
    )
    tool = env.Command(
        "$BUILD/apply_profile/apply_profile",
        [*objects, *engine],
        env.Step(command, "LINK"),
        OBJECTS=objects,
        ENGINE=engine,
    )
    env.Depends(tool, [env["TOOL_VERSION"]["LD"], env["TOOL_VERSION"]["LLVM_CONFIG"]])
    return tool[0]


def _inputs(env: Any, full: Any) -> list[Any]:
    """The program, and its first arguments. Declared once."""
    if "PROFILE_INPUTS" not in env:
        given = env["profile"]
        profile = env.Command(
            "$BUILD/profile.prf", user_file(env, given), env.Step(_read_profile, "PROFILE", escaped(given))
        )
        application, libc = full.ApplicationBitcode(full["APP"], full["LIBC_OBJECTS"])
        env["PROFILE_INPUTS"] = [_tool(env, full), application, libc, *profile]
    return list(env["PROFILE_INPUTS"])


def _guests_application(env: Any, full: Any) -> list[Any]:
    """The object that a guest's export makes of the application and the profile; full: as below."""
    step = env.Step("$SOURCES $TARGET", "PROFILE")
    return list(env.Command("$BUILD/app.guest.o", _inputs(env, full), step))


def _profiled_application(env: Any, full: Any) -> list[Any]:
    """The bitcode that takes the place of APP. full: that variant's environment, whose embedded bitcode the
    profile's functions are."""
    step = env.Step("$SOURCES $TARGET", "PROFILE")
    learnt = env.Command("$BUILD/app.learnt.bc", _inputs(env, full), step)
    optimised = env.Command(
        "$BUILD/app.profiled.bc", learnt, env.Step(f"$LLVM_OPT '{PASSES}' $SOURCE -o $TARGET", "OPT")
    )
    env.Depends(optimised, env["TOOL_VERSION"]["CC"])
    return list(optimised)


def options(opts: Options) -> None:
    text = "of native: a disk image whose JIT's profile the application is compiled with, or such a profile"
    opts.add_file("profile", text)


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_profiled_application, "ProfiledApplication")
    env.AddMethod(_guests_application, "GuestsApplication")
