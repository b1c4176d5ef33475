"""SCons tool: the application's bitcode with what a profile says (profile=), which a kernel with a JIT has
recorded. The same code as in the guest puts it in (kernel_lib/jit/export).

disk image --> profile; app.bc, libc.bc of full, profile --apply_profile--> bitcode --opt--> bitcode to link
                                                         --apply_profile--> the object that a guest makes
"""

from pathlib import Path
from typing import Any

from build_options import Options
from SCons.Action import Action
from scons_paths import escaped, user_file

PASSES = "-passes=lto-pre-link<O3>"


def _read_profile(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow.disk.profile import read_profile

    Path(target[0].abspath).write_bytes(read_profile(Path(source[0].abspath)))


def _inputs(env: Any, full: Any) -> list[Any]:
    """The program, and its first arguments. Declared once."""
    if "PROFILE_INPUTS" not in env:
        given = env["profile"]
        profile = env.Command(
            "$BUILD/profile.prf", user_file(env, given), env.Step(_read_profile, "PROFILE", escaped(given))
        )
        application, libc = full.ApplicationBitcode(full["APP"], full["LIBC_OBJECTS"])
        env["PROFILE_INPUTS"] = [full.EngineProgram("apply_profile"), application, libc, *profile]
    return list(env["PROFILE_INPUTS"])


def _guests_application(env: Any, full: Any) -> list[Any]:
    """The object that a guest's export makes of the application and the profile, with the build's code for
    the rest; full: as below. As in the guest, only the application knows its names."""
    inputs = _inputs(env, full)
    hot = env.Command("$BUILD/app.hot.o", inputs, env.Step("$SOURCES $TARGET", "PROFILE"))
    rest = full.PrecompiledApplication(inputs[1:3], env)
    link = env.Step("$LD -m elf_x86_64 -r $SOURCES -o $TARGET", "LD")
    hide = Action("$LLVM_OBJCOPY --localize-hidden $TARGET", None)
    made = env.Command("$BUILD/app.guest.o", [*hot, rest], [link, hide])
    env.Depends(made, env["TOOL_VERSION"]["LD"])
    return list(made)


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
