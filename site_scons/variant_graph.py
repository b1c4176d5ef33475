"""The part of the graph that is there once for each variant: from the sources to the disk image."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bareflow.disk.boot_slots import FALLBACK, NEWEST
from bareflow.model_program import MODEL_PROGRAM
from bareflow.variant import Variant, VariantError, load_variant
from build_options import Options, is_file, user_path
from scons_paths import user_file

REAL_MODEL = "gemma3-270m"
"""The published model that tests/real is about."""
UNTRIMMED = "full"
"""The value of fallback= for the kernel that a trimmed one was made from."""


def options(opts: Options) -> None:
    opts.add_choice("variant", "which image", ("full", "trimmed", "native"), "native")
    opts.add_choice("arch", "processor architecture", ("x86_64", "i386"), "x86_64")
    opts.add_choice("platform", "the bare machine, or a Linux program", ("bare", "linux"), "bare")
    text = "a second kernel for the image: a .krn file, or, of trimmed, full"
    opts.add_file("fallback", text, convert=_fallback, validator=_is_kernel)


def _fallback(value: str, folder: str) -> str:
    return value if value == UNTRIMMED else user_path(value, folder)


def _is_kernel(key: str, value: str, env: Any) -> None:
    if not value or value == UNTRIMMED:
        return
    from bareflow.kernel.kernel_file import KernelFileError, parse_header

    is_file(key, value)
    try:
        parse_header(Path(value).read_bytes())
    except OSError as error:
        raise SystemExit(f"bareflow: {key}={value} cannot be read: {error.strerror}") from None
    except KernelFileError as error:
        raise SystemExit(f"bareflow: {key}={value} is no kernel file: {error}") from None


@dataclass(frozen=True)
class Parts:
    """What a variant's program is linked from."""

    program: list[Any]
    """Bitcode, and assembled files."""
    libraries: list[Any]
    """Archives of which is linked what the program reaches."""
    engine: dict[str, list[Any]]
    """Native objects of the JIT engine: part to nodes. Empty when the application is in `program`."""


@dataclass(frozen=True)
class Image:
    """A variant's disk image and what it was made of."""

    env: Any
    made: Parts
    elf: Any
    kernel: Any
    image: Any
    sizes: list[Any]
    """size.json; of a trimmed variant, the untrimmed one's before it."""
    coverage: list[Any]
    """The coverage file of the untrimmed kernel, its summary, and the list of its runs if there were any; of
    a trimmed variant, the coverage that it is made from, and its summary."""
    untrimmed: Any = None
    """Of a trimmed variant: the untrimmed one's disk image, and one with both kernels."""
    linux: list[Any] = field(default_factory=list)
    """Of a variant with a JIT engine: linux_programs_beside(); of a trimmed one, the untrimmed one's."""


def load(env: Any, name: str) -> Variant:
    """Reads variants/NAME.py; raises VariantError."""
    return load_variant(env.Dir("#variants").abspath, name, env["arch"])


def check(env: Any, targets: Iterable[str]) -> None:
    """Ends the build with a sentence if there is no such variant, or it has not one of the targets."""
    try:
        variant = load(env, env["variant"])
    except VariantError as error:
        sys.exit(f"bareflow: {error}")
    if env["profile"] and not variant.takes_profile:
        sys.exit(
            f"bareflow: profile= is not for variant={env['variant']}, which makes its own; native takes it"
        )
    if env["platform"] == "linux" and env["arch"] != "x86_64":
        sys.exit(f"bareflow: platform=linux is not for arch={env['arch']}")
    for name in targets:
        if env["platform"] == "linux" and name not in (
            "bench",
            "conformance",
            "perplexity",
            "compile_commands",
        ):
            sys.exit(f"bareflow: the target '{name}' is not for platform=linux; `bench` is")
        if name in ("test", "soak") and env["arch"] != "x86_64":
            sys.exit(
                f"bareflow: the target '{name}' is not for arch={env['arch']}; `test` without it tests both"
            )
        if name == "held_out" and not variant.trimmed_from:
            sys.exit("bareflow: the target 'held_out' is for variant=trimmed")
        if name == "real" and env["model"] != REAL_MODEL:
            sys.exit(f"bareflow: the target 'real' is for model={REAL_MODEL}")


def _folder(env: Any, program: str, name: str) -> str:
    profiled = "-profiled" if env["profile"] and load(env, name).takes_profile else ""
    return f"$BUILD_ROOT/$arch/{program}{name}{profiled}{'-debug' if env['debug'] else ''}"


def build_folder(env: Any, name: str) -> str:
    """Where a variant is built. With debug=1, with profile= where the variant takes one, or of another
    program, that is another folder: no build undoes another."""
    return _folder(env, f"apps/{env['HOSTED'].name}/" if env.get("HOSTED") else "", name)


def shared_folder(env: Any, name: str) -> str:
    """Where what a variant is made of is built, but for the application: other programs share it."""
    return _folder(env, "hosted/" if env["HOSTED"] else "", name)


def engine_folder(env: Any, name: str) -> str:
    """Where is built what is the same for tinyllama and other programs: a variant's JIT engine, and most of
    LLVM-libc."""
    return _folder(env, "", name)


def _variant(base: Any, name: str) -> Variant:
    """The variant, as the application wants it."""
    variant = load(base, name)
    if base["HOSTED"]:
        # Tinyllama prints no floats.
        return replace(variant, stack_size=base["HOSTED"].stack, libc_defines={})
    return variant


def environment(base: Any, name: str) -> Any:
    """A copy of base for a variant, with its own folder."""
    env = base.Clone(VARIANT=_variant(base, name), BUILD=build_folder(base, name))
    env["BASE"] = base
    env["DECLARED"] = load(base, name)  # as it is for tinyllama
    env["SHARED"] = shared_folder(base, name)
    env["ENGINE"] = engine_folder(base, name)
    if any("-march=native" in options for options in env["VARIANT"].optimisation.values()):
        env["TOOL_VERSION"] = env["TOOL_VERSION"] | {"CC": env.CompilerForThisCpu()}
    return env


_compiled: dict[str, Any] = {}
"""By the build folder, the environments for which compiled() has been called."""


def compiled(base: Any, name: str) -> Any:
    """The variant's environment, with all that is compiled for it but the engine: ENTRY, KERNEL_LIB, LIBC,
    LIBC_OBJECTS, APP. Each variant's is declared once."""
    env = environment(base, name)
    folder = f"{env.subst('$BUILD')} {env['platform']}"
    if folder not in _compiled:
        for part in ("llvm-libc", "boot", "kernel_lib"):
            env.SConscript(f"#{part}/SConscript", exports={"env": env})
        env.Application()
        _compiled[folder] = env
    return _compiled[folder]


def takes_profile(base: Any) -> bool:
    """Whether the variant that is asked for is compiled with a profile."""
    return bool(base["profile"]) and load(base, base["variant"]).takes_profile


def application(env: Any) -> list[Any]:
    """The bitcode of an application that is compiled ahead of time: with profile=, with what that says."""
    if not (env["profile"] and env["VARIANT"].takes_profile):
        return list(env["APP"])
    return list(env.ProfiledApplication(compiled(env["BASE"].Clone(platform="bare"), "full")))


def parts(env: Any) -> Parts:
    """What the variant of an environment of compiled() is linked from."""
    if not env["VARIANT"].engine:
        if env["platform"] == "linux":
            return Parts(application(env) + env["KERNEL_LIB"], env["LIBC"], {})
        bitcode = [node for node in env["KERNEL_LIB"] if node.path.endswith(".bc")]
        assembly = [node for node in env["KERNEL_LIB"] if node not in bitcode]
        archive = env.BitcodeArchive("$SHARED/kernel_lib.a", bitcode)
        return Parts(application(env) + assembly, [archive, *env["LIBC"]], {})
    native = compiled(env["BASE"].Clone(platform="bare"), "native")
    bitcode = env.EmbeddedBitcode(env["APP"], env["LIBC_OBJECTS"], native)
    return Parts(env["KERNEL_LIB"], env["LIBC"], {"engine": env.EngineObjects(), "bitcode": bitcode})


def linux_program(base: Any, name: str) -> Any:
    """The variant as a Linux program; base is for platform=linux."""
    env = compiled(base, name)
    made = parts(env)
    return env.LinuxProgram("linux/bareflow", made.program, made.libraries, made.engine)[0]


def guest_program(base: Any) -> Any:
    """Native as a Linux program, with the application's code as a guest's export makes it of profile=."""
    env = compiled(base, "native")
    code = env.GuestsApplication(compiled(base.Clone(platform="bare"), "full"))
    return env.LinuxProgram("linux/guest", [*code, *env["KERNEL_LIB"]], env["LIBC"], {})[0]


_linux_programs: dict[str, list[Any]] = {}
"""What linux_programs_beside() has made, by the build folder."""


def linux_programs_beside(env: Any, made: Parts) -> list[Any]:
    """The same variant as a Linux program: of the same objects, but for kernel_lib's; with a JIT engine, also
    in other layouts (lto.py). env: of compiled()."""
    folder = env.subst("$BUILD")
    if folder not in _linux_programs:
        linux = env.Clone(platform="linux")
        linux.SConscript("#kernel_lib/SConscript", exports={"env": linux})
        objects = ([] if made.engine else application(linux)) + linux["KERNEL_LIB"]
        _linux_programs[folder] = linux.LinuxProgram("linux/bareflow", objects, linux["LIBC"], made.engine)
    return _linux_programs[folder]


def image(base: Any, name: str, model_files: dict[str, Any]) -> Image:
    """Everything up to the disk image. Of a trimmed variant this includes the untrimmed one's."""
    if untrimmed := load(base, name).trimmed_from:
        return trimmed_image(image(base, untrimmed, model_files), name, model_files)
    env = compiled(base, name)
    made = parts(env)
    elf = env.Kernel("bareflow", env["ENTRY"] + made.program, made.libraries, made.engine)
    kernel = env.KernelFile(elf)
    given = env["fallback"]
    fallback = user_file(env, given) if given and given != UNTRIMMED else None
    learns = bool(made.engine)
    trims = (NEWEST,) if learns else ()
    disk = env.DiskImage("$BUILD/bareflow.img", kernel, model_files, fallback, learns, trims)
    sizes = env.SizeReport("$BUILD/size.json", elf, kernel, made.engine)
    linux = linux_programs_beside(env, made) if made.engine else []
    coverage = env.CoverageFile("$BUILD/coverage.txt", disk, elf, kernel, linux, sorted(model_files))
    return Image(env, made, elf, kernel, disk, [sizes], coverage, linux=linux)


def trimmed_image(full: Image, name: str, model_files: dict[str, Any]) -> Image:
    """The same less the functions that its coverage file says are dead."""
    env = full.env.Clone(VARIANT=_variant(full.env, name), BUILD=build_folder(full.env, name))
    misses = [user_file(env, path) for path in env["misses"].split(",")] if env["misses"] else []
    coverage = env.CoverageToTrimBy("$BUILD/coverage.txt", full.elf, full.coverage)
    elf = env.TrimmedKernel("bareflow", full.elf, coverage[0], misses)
    kernel = env.KernelFile(elf)
    given = env["fallback"]
    fallback = full.kernel if given == UNTRIMMED else given and user_file(env, given)
    trims = (FALLBACK,) if given == UNTRIMMED else ()
    disk = env.DiskImage("$BUILD/bareflow.img", kernel, model_files, fallback, True, trims)
    sizes = env.SizeReport("$BUILD/size.json", elf, kernel, full.made.engine)
    both = env.DiskImage("$BUILD/with_full.img", kernel, model_files, full.kernel, True, (FALLBACK,))
    untrimmed = [full.image, both]
    sizes = [*full.sizes, sizes]
    return Image(env, full.made, elf, kernel, disk, sizes, coverage, untrimmed, full.linux)


def full_image(base: Any, main: Image, model_files: dict[str, Any]) -> Any:
    """The disk image of full, beside another one or as part of it."""
    if main.untrimmed:
        return main.untrimmed[0]
    return main.image if main.made.engine else image(base, UNTRIMMED, model_files).image


def image_bench(base: Any, main: Image, model_files: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """What BenchTarget measures of an image: its boot, or with a JIT engine that, next to native's image.
    With profile=, the kernel of that next to the one that its guest has made. Of an ordinary program, its
    workload."""
    if base["HOSTED"]:
        files = {"image": main.image, "workload": main.env.WorkloadFile()}
        native = {"native": image(base, "native", model_files).image} if main.made.engine else {}
        return "program", files | native
    if takes_profile(base):
        native = image(base.Clone(profile=""), "native", model_files).image
        disk = user_file(base, base["profile"])
        return "successor", {"image": main.image, "native": native, "disk": disk}
    if not main.made.engine:
        return "boot", {"image": main.image}
    native = image(base, "native", model_files).image
    return "jit", {"image": main.image, "native": native, "sizes": main.sizes[-1]}


def linux_bench(base: Any, program: Any, model_files: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The same of a Linux program: every vector width, or with a JIT engine that, next to native's program;
    and what -march=native makes of it. With references=, how far its logits are from exact ones; with
    llama_bench=, its speed next to llama.cpp's, with the model if that is a GGUF file. With profile=, next to
    native, and to what a guest makes of the profile. Of an ordinary program, its workload."""
    if base["HOSTED"]:
        native = {"native": linux_program(base, "native")} if load(base, base["variant"]).engine else {}
        workload = {"workload": base.WorkloadFile()}
        return "linux_program", {"program": program, **native, **workload, **model_files}
    if base["references"]:
        return "gguf_errors", {"program": program}
    paths = MODEL_PROGRAM.disk
    model = {key: model_files[paths[key]] for key in ("model", "tokenizer") if paths[key] in model_files}
    if base["llama_bench"]:
        return "gguf_speed", {"program": program} | ({} if "tokenizer" in model else model)
    files = {"program": program, "host": linux_program(base.Clone(profile=""), "host"), **model}
    if takes_profile(base):
        made = {"guest": guest_program(base), "native": linux_program(base.Clone(profile=""), "native")}
        return "linux_successor", files | made
    if not load(base, base["variant"]).engine:
        return "linux", files
    return "linux_jit", files | {"native": linux_program(base, "native")}
