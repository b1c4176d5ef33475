"""SCons tool: `dist`, a folder with the image, its checksums and the list of what it was made of; `install`,
which copies the files to DESTDIR."""

import re
import shutil
import sys
from pathlib import Path
from typing import Any

from bareflow.errors import BareFlowError
from build_options import Options, user_path
from SCons.Script import COMMAND_LINE_TARGETS
from scons_paths import escaped

CHECKSUMS = "SHA256SUMS"
LIST = ".cdx.json"


def _version(env: Any) -> str:
    """BareFlow's own."""
    header = env.File("#kernel_lib/version.h").get_text_contents()
    found = re.search(r'^#define BAREFLOW_VERSION "(.+)"$', header, re.MULTILINE)
    if not found:
        raise BareFlowError("kernel_lib/version.h defines no BAREFLOW_VERSION")
    return found[1]


def _components(env: Any) -> list[dict[str, Any]]:
    """All that the image was made of, but for this project's sources."""
    from bareflow.libc.patches import digest, read_patches
    from bareflow.libc.source import load_pin
    from bareflow.llvm import VERSION
    from bareflow.release import bill_of_materials as bill

    libc = Path(env.Dir("#llvm-libc").abspath)
    pin = load_pin(libc)
    parts = [
        bill.component(
            "library", "llvm-libc", pin.version, files=pin.key, patches=digest(read_patches(libc / "patches"))
        ),
        *bill.build_tools({env[name]: node.read() for name, node in env["TOOL_VERSION"].items()}),
        *bill.python_packages(Path(env.File("#requirements.txt").abspath).read_text()),
    ]
    kinds = {"model.bin": "machine-learning-model"}
    for path, node in env["DIST_MODEL"].items():
        name = path.rpartition("/")[2]
        parts.append(bill.file_component(kinds.get(name, "data"), Path(node.abspath), name=name))
    for node in env["DIST_ARCHIVES"]:
        version = VERSION if node.name.startswith(("libLLVM", "libclang_rt")) else ""
        parts.append(bill.file_component("library", Path(node.abspath), version))
    return parts


def _make_dist(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow.release import bill_of_materials as bill

    image, listing, sums = (Path(node.abspath) for node in target)
    shutil.copyfile(source[0].abspath, image)
    about = bill.file_component("operating-system", image, _version(env))
    listing.write_text(bill.document(about, _components(env)))
    sums.write_text(bill.checksums([image, listing]))


def _install(target: list[Any], source: list[Any], env: Any) -> None:
    folder = Path(env["DESTDIR"])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for node in source:
            shutil.copyfile(node.abspath, folder / node.name)
    except OSError as error:
        raise BareFlowError(f"DESTDIR={folder}: {error.filename}: {error.strerror}") from None


def _dist(env: Any, image: Any, model_files: dict[str, Any]) -> None:
    """The targets `dist` and `install` for an image with these model files."""
    if "install" in COMMAND_LINE_TARGETS and not env["DESTDIR"]:
        sys.exit("bareflow: install needs DESTDIR=FOLDER, the folder to copy the image to")
    archives = env.EngineLibraries() or [env["COMPILER_RUNTIME"]]
    stem = f"$BUILD/dist/bareflow-{_version(env)}-{env['arch']}-{env.Dir('$BUILD').name}"
    made = env.Command(
        [f"{stem}.img", f"{stem}{LIST}", f"$BUILD/dist/{CHECKSUMS}"],
        [image, *model_files.values(), *archives, "#requirements.txt"],
        env.Step(_make_dist, "DIST", "$TARGET.dir"),
        DIST_MODEL=model_files,
        DIST_ARCHIVES=archives,
    )
    env.Depends(made, [*env["TOOL_VERSION"].values(), env["LIBC_STAMP"], env.Value(_version(env))])
    env.NoCache(made)
    env.Alias("dist", made)
    step = env.Step(_install, "INSTALL", escaped(env["DESTDIR"]))
    env.AlwaysBuild(env.Alias("install", made, step))


def options(opts: Options) -> None:
    text = "install: the folder that the image, its checksums and the list of its inputs go to"
    opts.add_file("DESTDIR", text, convert=user_path, validator=None)


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_dist, "DistTargets")
