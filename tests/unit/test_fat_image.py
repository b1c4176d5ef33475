"""The disk image, which mtools writes: looked at by fsck.fat, by blkid and byte for byte."""

from __future__ import annotations

import contextlib
import random
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from bareflow.disk import fat_image
from bareflow.disk.fat import FatError, list_folder, read_file
from bareflow.disk.fat_image import _choose_volume, _Volume, build_image
from disk_tools import DiskImage
from loader_disk import ROOT, assemble

STAGE1 = b"\xeb\xfe".ljust(510, b"\x00") + b"\x55\xaa"
STAGE2 = bytes(range(256)) * 16
TREE = {
    "/boot/BAREFLOW.KRN": b"kernel" * 10_000,
    "/boot/BAREFLOW.CFG": b"mode = bench\n",
    "/model/model.bin": bytes(1_000_003),
    "/model/tokenizer.bin": b"",
    "/model/A file with a long, Mixed Name.text": b"x" * 2048,
    "/model/zweite Datei mit ünïcöde.text": b"y" * 2049,
    "/profile/": b"",
}
PARTITION = 1 << 20
BLKID = shutil.which("blkid", path="/usr/sbin:/sbin:/usr/bin")
FSCK = shutil.which("fsck.fat", path="/usr/sbin:/sbin:/usr/bin")


@pytest.fixture(scope="module")
def image_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("image") / "disk.img"
    build_image(path, STAGE1, STAGE2, TREE)
    return path


@pytest.fixture(scope="module")
def image(image_file: Path) -> bytes:
    return image_file.read_bytes()


@pytest.mark.parametrize("path", [path for path in TREE if not path.endswith("/")])
def test_mtools_reads_every_file(image_file: Path, path: str) -> None:
    command = ["mtype", "-i", f"{image_file}@@1M", f"::{path}"]
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    assert subprocess.run(command, check=True, capture_output=True, env=environment).stdout == TREE[path]


def test_changes_by_mtools_are_read(image_file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.img"
    shutil.copy(image_file, copy)
    new = tmp_path / "new"
    new.write_bytes(b"n" * 5000)
    subprocess.run(
        ["mcopy", "-i", f"{copy}@@1M", new, "::/profile/a long name written by mtools"], check=True
    )
    subprocess.run(["mdel", "-i", f"{copy}@@1M", "::/boot/BAREFLOW.CFG"], check=True)
    assert read_file(copy, "/profile/a long name written by mtools") == b"n" * 5000
    with pytest.raises(FatError, match=r'"::/boot/BAREFLOW\.CFG" not found'):
        read_file(copy, "/boot/BAREFLOW.CFG")


@pytest.mark.skipif(FSCK is None, reason="fsck.fat (dosfstools) is not installed")
def test_fsck_finds_nothing(image: bytes, tmp_path: Path) -> None:
    partition = tmp_path / "partition"
    partition.write_bytes(image[PARTITION:])
    result = subprocess.run([str(FSCK), "-n", "-v", partition], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "2 FATs, 16 bit entries" in result.stdout


def test_partition_table(image: bytes) -> None:
    disk_sectors = struct.pack("<I", len(image) // 512)  # in stage1's BIOS parameter block
    assert image[:440] == STAGE1[:32] + disk_sectors + STAGE1[36:440]
    assert image[510:512] == b"\x55\xaa"
    status, kind, start, sectors = struct.unpack_from("<B3xB3xII", image, 446)
    assert (status, kind, start) == (0x80, 0x0E, 2048)
    assert len(image) == (start + sectors) * 512
    assert not any(image[462:510])
    assert image[512 : 512 + len(STAGE2)] == STAGE2


@pytest.mark.skipif(BLKID is None, reason="blkid (util-linux) is not installed")
def test_the_partition_table_is_found_in_spite_of_the_parameter_block(tmp_path: Path) -> None:
    """blkid, like udev, would take an MBR that looks like a FAT boot sector for a file system."""
    path = tmp_path / "disk.img"
    build_image(path, assemble(ROOT / "boot" / "stage1.asm"), STAGE2, TREE)
    found = subprocess.run([str(BLKID), "-p", path], check=True, capture_output=True, text=True).stdout
    assert 'PTTYPE="dos"' in found
    assert "vfat" not in found


def test_the_first_file_starts_the_data_area_in_one_piece(image: bytes) -> None:
    reserved, fats, root_entries, fat_sectors = struct.unpack_from("<HBH3xH", image, PARTITION + 14)
    data = PARTITION + (reserved + fats * fat_sectors) * 512 + root_entries * 32
    kernel = TREE["/boot/BAREFLOW.KRN"]
    assert image[data : data + len(kernel)] == kernel


def test_only_two_kernels_get_a_record_about_the_boot_slots(image: bytes, tmp_path: Path) -> None:
    record = 40 * 512
    assert not any(image[record : 1 << 20])
    path = tmp_path / "two.img"
    build_image(path, STAGE1, STAGE2, {**TREE, "/boot/FALLBACK.KRN": b"another"})
    two = path.read_bytes()
    # boot/boot_slots.h: version 2, slot 0, 3 attempts, no request, the kernels' names
    checked = b"\x02\x00\x03\xffBAREFLOWKRN\x00FALLBACKKRN\x00"
    total = sum(struct.unpack("<7I", checked)) & 0xFFFFFFFF
    expected = b"SLOT" + checked + struct.pack("<I", total ^ 0xFFFFFFFF)
    assert two[record : 1 << 20] == expected.ljust((1 << 20) - record, b"\0")
    assert read_file(path, "/boot/FALLBACK.KRN") == b"another"


def test_the_same_tree_gives_the_same_bytes(
    image: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever and wherever it is written: FAT counts local time in steps of two seconds."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    monkeypatch.setenv("LC_ALL", "C")
    path = tmp_path / "disk.img"
    path.write_bytes(b"what was there before")
    build_image(path, STAGE1, STAGE2, dict(TREE))
    assert path.read_bytes() == image


def test_every_file_lies_in_one_piece(image_file: Path) -> None:
    disk = DiskImage(image_file)
    for path, content in TREE.items():
        if content:
            assert disk.fragments(path) == 1, path


def test_listing(image_file: Path) -> None:
    assert list_folder(image_file, "/") == ["/boot/", "/model/", "/profile/"]
    assert list_folder(image_file, "/MODEL") == [
        "/MODEL/model.bin",
        "/MODEL/tokenizer.bin",
        "/MODEL/A file with a long, Mixed Name.text",
        "/MODEL/zweite Datei mit ünïcöde.text",
    ]
    assert list_folder(image_file, "/profile") == []


def test_big_files_get_bigger_clusters(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    build_image(image, STAGE1, STAGE2, {"/big": bytes(200 << 20)})
    with image.open("rb") as file:
        file.seek(PARTITION + 13)
        assert file.read(1)[0] * 512 == 4096
    assert len(read_file(image, "/big")) == 200 << 20


@pytest.mark.skipif(FSCK is None, reason="fsck.fat (dosfstools) is not installed")
def test_fat32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a partition that FAT16 is too small for; but a small one, with the least number of clusters."""
    monkeypatch.setattr(fat_image, "MAX_CLUSTER", 0)
    monkeypatch.setattr(fat_image, "FAT32_CLUSTER", 512)
    path, partition = tmp_path / "disk.img", tmp_path / "partition"
    build_image(path, STAGE1, STAGE2, TREE, least=36 << 20)
    image = path.read_bytes()
    assert image[450] == 0x0C
    assert struct.unpack_from("<I", image, PARTITION + 28) == (2048,)  # hidden sectors
    partition.write_bytes(image[PARTITION:])
    result = subprocess.run([str(FSCK), "-n", "-v", partition], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "2 FATs, 32 bit entries" in result.stdout
    disk = DiskImage(path)
    for name, content in TREE.items():
        if content:
            assert read_file(path, name) == content
            assert disk.fragments(name) == 1, name
    assert disk.first_cluster("/boot/BAREFLOW.KRN") == 3  # behind the root directory


@pytest.mark.parametrize(
    ("stage1", "stage2", "tree", "message"),
    [
        (STAGE1[:-1], STAGE2, {}, "stage1 must be one sector"),
        (b"\x90" * 510 + b"\x55\xaa", STAGE2, {}, "stage1 must leave bytes 440 to 509 zero"),
        (STAGE1, bytes(19969), {}, "stage2 is 19969 bytes; stage1 loads 19968"),
        (STAGE1, STAGE2, {"/a:b": b""}, "'a:b' is no valid file name"),
        (STAGE1, STAGE2, {"/A.TXT": b"", "/a.txt": b""}, "'a.txt' is in the same folder twice"),
        (STAGE1, STAGE2, {"/folder/": b"x"}, "'/folder/' is a folder"),
        (STAGE1, STAGE2, {"/a": b"", "/A/b": b""}, "'a' is in the same folder twice"),
        (STAGE1, STAGE2, {"/" + "n" * 256: b""}, "longer than FAT's 255 characters"),
    ],
)
def test_what_does_not_fit_is_refused(
    stage1: bytes, stage2: bytes, tree: dict[str, bytes], message: str, tmp_path: Path
) -> None:
    with pytest.raises(FatError, match=message):
        build_image(tmp_path / "disk.img", stage1, stage2, tree)


def test_a_foreign_disk_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "disk.img"
    path.write_bytes(bytes(4 << 20))
    with pytest.raises(FatError, match="no BareFlow disk image"):
        list_folder(path, "/")


def test_an_endless_chain(image: bytes, tmp_path: Path) -> None:
    broken = tmp_path / "disk.img"
    broken.write_bytes(image)
    cluster = DiskImage(broken).first_cluster("/boot/BAREFLOW.KRN")
    DiskImage(broken).patch(PARTITION + 512 + 2 * cluster, struct.pack("<H", cluster))
    with pytest.raises(FatError, match="loop detected"):
        read_file(broken, "/boot/BAREFLOW.KRN")


@pytest.mark.parametrize(
    "size", [0, 100, 450, 700, PARTITION, PARTITION + 20, PARTITION + 600, PARTITION + 90_000]
)
def test_a_cut_image_is_refused(image: bytes, size: int, tmp_path: Path) -> None:
    path = tmp_path / "disk.img"
    path.write_bytes(image[:size])
    with pytest.raises(FatError):
        read_file(path, "/boot/BAREFLOW.KRN")


def test_damage(image: bytes, tmp_path: Path) -> None:
    """Some bytes of the structures are others: the file, or an error that says so."""
    path = tmp_path / "disk.img"
    path.write_bytes(image)
    damaged = DiskImage(path)
    generator = random.Random(1)
    folders = PARTITION + 512 + 2 * 512 * struct.unpack_from("<H", image, PARTITION + 22)[0]
    regions = [(0, 512), (PARTITION, 64), (PARTITION + 512, 64), (folders, 256), (folders + 512 * 32, 8192)]
    for _ in range(400):
        start, length = generator.choice(regions)
        places = [start + generator.randrange(length) for _ in range(generator.randint(1, 4))]
        for place in places:
            damaged.patch(place, bytes([generator.choice((0, 255, generator.randrange(256)))]))
        for name in ("/boot/BAREFLOW.KRN", "/model/A file with a long, Mixed Name.text"):
            with contextlib.suppress(FatError):
                read_file(path, name)
        for place in places:
            damaged.patch(place, image[place : place + 1])


def test_room_is_left(tmp_path: Path) -> None:
    for room in (0, 9 << 20, 100 << 20):
        image = tmp_path / f"{room}.img"
        build_image(image, STAGE1, STAGE2, TREE, room)
        assert 0 <= DiskImage(image).free_bytes() - room - (8 << 20) < 16 << 20


def test_large_partitions() -> None:
    """What is too much for clusters of 32 KiB gets larger ones; what is too much for these gets FAT32."""
    assert _choose_volume([3 << 30]) == _Volume(16, 128, 3081 << 11)
    assert _choose_volume([5000], least=100 << 20) == _Volume(16, 4, 100 << 11)
    assert _choose_volume([5000], least=4095 << 20) == _Volume(16, 128, 4095 << 11)
    assert _choose_volume([5000], least=4096 << 20) == _Volume(32, 64, 4096 << 11)
    assert _choose_volume([(4 << 30) - 1]) == _Volume(32, 64, 4107 << 11)
    with pytest.raises(FatError, match=r"more than a partition \(2 TiB\) holds"):
        _choose_volume([], least=2 << 40)
