"""SCons tool: kernel files, boot sectors and bootable disk images."""

from pathlib import Path
from typing import Any

from bareflow.disk.boot_slots import FALLBACK, KERNELS, NEWEST
from bareflow.disk.generations import sibling, unwritten
from bareflow.model_program import MODEL_PROGRAM
from SCons.Subst import Literal

ROOM = {
    "/profile/JIT.PRF": 1 << 17,
    "/profile/JIT.OBJ": 1 << 19,
    "/profile/JIT.RUN": 32,
    "/profile/EXPORT.PRF": 1 << 17,
    "/profile/COVERAGE.BIN": 1 << 18,
    "/profile/MISSES.TXT": 1 << 15,
    "/profile/SETTLED.TXT": 1 << 9,
}
"""What the guest of an image with a JIT writes, and how many bytes it is expected to: these files are there
from the beginning, so that writing them changes their contents only."""
TRIMMED_SHARE = 0.75
"""Of a kernel's file: what the trimmed copy that it writes of itself may take (docs/life.md: 0.69)."""
TRIMMED_COPIES = 2
"""At once: the newest one that works stays while another one is written."""


def _content(node: Any) -> bytes:
    return Path(node.abspath).read_bytes()


def _make_kernel(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow.kernel.kernel_file import kernel_from_elf

    kernel = kernel_from_elf(_content(source[0]), compression=env["VARIANT"].compression)
    Path(target[0].abspath).write_bytes(kernel)


def _make_image(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow.disk.fat_image import build_image

    stage1, stage2, *files = source
    tree = {path: _content(node) for path, node in zip(env["IMAGE_PATHS"], files, strict=True)}
    tree |= {"/profile/": b"", "/boot/snapshots/": b""} | (
        {} if env["HOSTED"] else {MODEL_PROGRAM.folder_on_disk: b""}
    )
    for path, room in env["IMAGE_ROOM"].items():
        tree |= {path: unwritten(room), sibling(path): unwritten(room)}
    copies = sum(len(tree[path]) for path in env["IMAGE_TRIMS"]) * TRIMMED_SHARE * TRIMMED_COPIES
    image, least = Path(target[0].abspath), int(env["disk_size"]) << 20
    build_image(image, _content(stage1), _content(stage2), tree, round(copies), least=least)


def _boot_sectors(env: Any, target: str, source: Any) -> Any:
    """A flat binary from assembly."""
    node = env.Command(
        target,
        source,
        env.Step("$AS -f bin $INCLUDES -I $FOLDER -Werror $SOURCE -o $TARGET", "NASM", "$SOURCE"),
        INCLUDES="-I ./ -I $GENERATED -I boot/$arch/",
        FOLDER=Literal(f"{env.File(target).dir.path}/"),
    )
    env.Depends(node, env["TOOL_VERSION"]["AS"])
    return node[0]


def _kernel_file(env: Any, elf: Any) -> Any:
    """The file that the loader reads, beside the ELF."""
    node = env.Command(elf.target_from_source("", ".krn"), elf, env.Step(_make_kernel, "KERNEL"))
    env.Depends(node, env.Value(env["VARIANT"].compression))
    return node[0]


def _disk_image(
    env: Any,
    target: str,
    kernel: Any,
    files: dict[str, Any],
    fallback: Any = None,
    learns: bool = False,
    trims: tuple[int, ...] = (),
) -> Any:
    """An image with this kernel and files: path in the image to node; `fallback` is a second kernel file. A
    guest that learns writes files of its own; the kernels in the slots `trims` write trimmed copies."""
    if fallback:
        files = {KERNELS[FALLBACK]: fallback, **files}
    paths = [KERNELS[NEWEST], *files]
    sources = [*env["BOOT_SECTORS"], kernel, *files.values()]
    room = ROOM if learns else {}
    step = env.Step(_make_image, "IMAGE")
    kernels = [KERNELS[slot] for slot in trims]
    node = env.Command(target, sources, step, IMAGE_PATHS=paths, IMAGE_ROOM=room, IMAGE_TRIMS=kernels)
    settings = map(env.Value, (paths, room, kernels, env["disk_size"], bool(env["HOSTED"])))
    env.Depends(node, [*settings, env["TOOL_VERSION"]["MTOOLS"]])
    env.NoCache(node)  # large, and quickly made
    return node[0]


def options(opts: Any) -> None:
    opts.add_number("disk_size", "MiB that the image's partition has at least; FAT32 from 4096 on", 0)


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_boot_sectors, "BootSectors")
    env.AddMethod(_kernel_file, "KernelFile")
    env.AddMethod(_disk_image, "DiskImage")
