"""A damaged disk: each kind of damage ends in a sentence that says what is wrong and what to do."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from bareflow.models.synthetic_model import ModelConfig, checkpoint_v0, checkpoint_v2, tokenizer
from bareflow.qemu.guest import Guest
from disk_tools import PARTITION_OFFSET, DiskImage
from fixture_types import Boot, Disk

MODEL = "/model/model.bin"
TOKENIZER = "/model/tokenizer.bin"
KERNEL = "/boot/BAREFLOW.KRN"
SHAPE = ModelConfig()
GENERATE: dict[str, object] = {"mode": "generate", "temperature": 0, "steps": 8}
# Fields of a version 0 checkpoint's header by offset.
HIDDEN_DIM, KV_HEADS, VOCABULARY = 4, 16, 20


@pytest.fixture
def damaged(image: Path, disk: Disk) -> DiskImage:
    """A disk with a small model, to be damaged."""
    copy = disk(image)
    copy.write(MODEL, checkpoint_v0(SHAPE))
    copy.write(TOKENIZER, tokenizer(SHAPE.vocabulary))
    return copy


def changed(data: bytes, offset: int, value: int) -> bytes:
    """data with a little-endian int32 replaced."""
    return data[:offset] + struct.pack("<i", value) + data[offset + 4 :]


def error_of(guest: Guest) -> str:
    """The sentence of a guest that gives up: exactly one, then exit code 1."""
    assert guest.wait_exit() == 1
    sentences = re.findall(r"^error: (.*)$", guest.console, re.MULTILINE)
    assert len(sentences) == 1, guest.console
    assert guest.text == ""
    return str(sentences[0])


# ---- Model and tokenizer ----


@pytest.mark.parametrize(("path", "key"), [(MODEL, "model"), (TOKENIZER, "tokenizer")])
def test_missing_file(boot: Boot, damaged: DiskImage, path: str, key: str) -> None:
    damaged.delete(path)
    sentence = error_of(boot(damaged, config=GENERATE))
    assert sentence.startswith(f"{path} does not exist")
    assert f"{key} = FILE" in sentence


MODEL_DAMAGE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda data: b"", "too short to be a model"),
    "header only in part": (lambda data: data[:20], "too short to be a model"),
    "cut short": (
        lambda data: data[:-1],
        r"it has 1056539 bytes where its header asks for 1056540: damaged or cut short",
    ),
    "too long": (
        lambda data: data + b"\0",
        r"it has 1056541 bytes where its header asks for 1056540: damaged or cut short",
    ),
    "no model": (
        lambda data: b"GGML" * 1000,
        r"its \w+ is 1280132935, which is not between 1 and \d+: not a llama2.c model, or damaged",
    ),
    "zero hidden_dim": (
        lambda data: changed(data, HIDDEN_DIM, 0),
        r"its hidden_dim is 0, which is not between 1 and \d+: not a llama2.c model, or damaged",
    ),
    "negative heads": (
        lambda data: changed(data, KV_HEADS, -4),
        r"its \w+ is -4, which is not between 1 and \d+: not a llama2.c model, or damaged",
    ),
    "uneven groups": (
        lambda data: changed(data, KV_HEADS, 3),
        r"its 8 heads cannot share 3 heads of keys and values evenly",
    ),
    "another vocabulary": (lambda data: changed(data, VOCABULARY, 511), "damaged or cut short"),
    "unknown version": (
        lambda data: struct.pack("<Ii", 0x616B3432, 9) + bytes(256),
        "llama2.c model of version 9; versions 0, 1 and 2 can be read",
    ),
}


@pytest.mark.parametrize("kind", MODEL_DAMAGE)
def test_damaged_model(boot: Boot, damaged: DiskImage, kind: str) -> None:
    damage, expected = MODEL_DAMAGE[kind]
    damaged.write(MODEL, damage(checkpoint_v0(SHAPE)))
    sentence = error_of(boot(damaged, config=GENERATE))
    assert re.match(f"{MODEL}: .*{expected}", sentence), sentence


def test_group_size_that_does_not_divide_is_named(boot: Boot, damaged: DiskImage) -> None:
    """Version 2: after magic, version, seven fields and a flag byte comes the group size."""
    data = checkpoint_v2(SHAPE, group=4)
    damaged.write(MODEL, changed(data, 4 + 4 + 28 + 1, 8))
    sentence = error_of(boot(damaged, config=GENERATE))
    assert re.match(f"{MODEL}: its int8 group size is 8, which does not divide both dim .64.", sentence)
    assert "hidden_dim (172)" in sentence


TOKENIZER_DAMAGE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda data: b"", "0 bytes cannot be a tokenizer"),
    "cut short": (
        lambda data: data[: len(data) // 2],
        r"it ends after \d+ pieces, the model has 512; is it this model's tokenizer\?"
        r"|damaged: piece \d+ has a length of \d+ bytes, \d+ are left",
    ),
    "too long": (lambda data: data + bytes(9), "it goes on after the model's 512 pieces; is it this model's"),
    # int32 max_token_length, then float32 score and int32 length of the first piece.
    "wild length": (
        lambda data: changed(data, 8, 1 << 30),
        r"damaged: piece 0 has a length of 1073741824 bytes, \d+ are left",
    ),
}


@pytest.mark.parametrize("kind", TOKENIZER_DAMAGE)
def test_damaged_tokenizer(boot: Boot, damaged: DiskImage, kind: str) -> None:
    damage, expected = TOKENIZER_DAMAGE[kind]
    damaged.write(TOKENIZER, damage(tokenizer(SHAPE.vocabulary)))
    sentence = error_of(boot(damaged, config=GENERATE))
    assert re.match(f"{TOKENIZER}: (?:{expected})", sentence), sentence


# ---- Kernel and file system ----


def test_damaged_kernel_stops_the_loader(boot: Boot, damaged: DiskImage) -> None:
    offset = damaged.file_offset(KERNEL) + 2000
    byte = damaged.path.read_bytes()[offset]
    damaged.patch(offset, bytes([byte ^ 1]))
    guest = boot(damaged, config=GENERATE)
    guest.expect(r"^error: /boot/BAREFLOW\.KRN is corrupt \(wrong CRC-32\); copy a good kernel there")
    guest.expect_screen(r"^error: /boot/BAREFLOW\.KRN is corrupt \(wrong CRC-32\)")


def test_damaged_boot_sector_of_the_partition(boot: Boot, damaged: DiskImage) -> None:
    damaged.patch(PARTITION_OFFSET, bytes(512))
    guest = boot(damaged, config=GENERATE)
    guest.expect("^error: the FAT partition's boot sector is damaged; write the image again")


def fat_entry(disk: DiskImage, cluster: int) -> list[int]:
    """Offsets in the image of a cluster's entry in every FAT."""
    boot = disk.path.read_bytes()[PARTITION_OFFSET : PARTITION_OFFSET + 512]
    reserved, fats, sectors = struct.unpack("<H", boot[14:16])[0], boot[16], boot[22] | boot[23] << 8
    return [PARTITION_OFFSET + (reserved + i * sectors) * 512 + 2 * cluster for i in range(fats)]


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (0xFFFF, "its size of 1056540 bytes needs [0-9]+ clusters, but its chain has fewer"),
        (0, "in the FAT, cluster [0-9]+ leads to 0, which is no cluster"),
        (0xFFF0, "in the FAT, cluster [0-9]+ leads to 65520, which is no cluster"),
        # Back to itself: a loop.
        (None, "its size of 1056540 bytes needs [0-9]+ clusters, but its chain has more"),
    ],
    ids=["ends early", "free", "outside", "loop"],
)
def test_damaged_cluster_chain_of_the_model(
    boot: Boot, damaged: DiskImage, link: int | None, expected: str
) -> None:
    cluster = damaged.first_cluster(MODEL) + 5
    for offset in fat_entry(damaged, cluster):
        damaged.patch(offset, struct.pack("<H", cluster if link is None else link))
    sentence = error_of(boot(damaged, config=GENERATE))
    assert re.search(expected, sentence), sentence
    assert "write the image again" in sentence


# ---- Configuration ----


def test_line_that_is_no_setting_is_reported_and_left_out(boot: Boot, damaged: DiskImage) -> None:
    damaged.write(
        "/boot/BAREFLOW.CFG", b'mode = generate\nsteps 9\ntemperature = 0\nprompt = "open\nsteps = 8\n'
    )
    guest = boot(damaged)
    assert guest.wait_exit() == 0
    assert re.search(
        r'^warning: /boot/BAREFLOW\.CFG, line 2 is ignored: "=" must follow the key', guest.console, re.M
    )
    assert re.search(
        r"^warning: /boot/BAREFLOW\.CFG, line 4 is ignored: the value has no closing quote",
        guest.console,
        re.M,
    )
    assert guest.event("generate")["tokens"] == 8


def test_unknown_key_is_reported(boot: Boot, damaged: DiskImage) -> None:
    guest = boot(damaged, config={**GENERATE, "stepps": 9})
    assert guest.wait_exit() == 0
    assert re.search(
        r'^warning: unknown setting "stepps"; there are .*\bdisk\b.*\bsteps\b', guest.console, re.M
    )


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("mode", "dance", "mode = dance: there are auto, interactive, chat, generate, bench and perplexity"),
        ("steps", "many", "steps = many: not a whole number from 0 to 4294967295"),
        ("steps", "-1", "steps = -1: not a whole number from 0 to 4294967295"),
        ("seed", "0x1", "seed = 0x1: not a whole number from 0 to 18446744073709551615"),
        ("temperature", "hot", "temperature = hot: not a number like 0.9, from 0 to 100"),
        ("temperature", "nan", "temperature = nan: not a number like 0.9, from 0 to 100"),
        ("top_p", "1.5", "top_p = 1.5: not a number like 0.9, from 0 to 1"),
        ("top_k", "1.5", "top_k = 1.5: not a whole number from 0 to 4294967295"),
        ("min_p", "2", "min_p = 2: not a number like 0.9, from 0 to 1"),
        ("repeat_penalty", "0.9", "repeat_penalty = 0.9: not a number like 1.1, from 1 to 10"),
        ("model", "/model/none.bin", "/model/none.bin does not exist"),
        # BOS, the space that is put in front, and each character: no piece is "x " or " x".
        ("prompt", "x " * 600, "the prompt has 1202 tokens, the model's context 512; shorten it"),
        # Refused before it is encoded: no piece has more than 7 bytes.
        ("prompt", "x" * 60000, "the prompt has at least 8573 tokens, the model's context 512; shorten it"),
        ("prompt", "x" * 7, "the prompt has 9 tokens, a text only 8; set steps higher"),
    ],
)
def test_wrong_value_is_refused(boot: Boot, damaged: DiskImage, key: str, value: str, expected: str) -> None:
    assert error_of(boot(damaged, config={**GENERATE, key: value})).startswith(expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("mmx", {"x86_64": "there are auto, sse2, avx2 and avx512", "i386": "there are auto and sse2"}),
        (
            "avx512",
            {
                "x86_64": "this CPU does not have it (F, BW, DQ, VL and VNNI)",
                "i386": "there are auto and sse2",
            },
        ),
    ],
)
def test_vectors_that_are_not_there(
    boot: Boot, damaged: DiskImage, architecture: str, value: str, expected: dict[str, str]
) -> None:
    error = error_of(boot(damaged, config={**GENERATE, "vector": value}))
    assert error.startswith(f"vector = {value}: {expected[architecture]}")


def test_ids_file_that_cannot_be_written(boot: Boot, damaged: DiskImage) -> None:
    guest = boot(damaged, config={**GENERATE, "ids": "/nowhere/IDS.TXT"})
    assert guest.wait_exit() == 1
    assert re.search(r"^error: The directory of /nowhere/IDS\.TXT does not exist", guest.console, re.M)


def test_model_full_of_nan(boot: Boot, damaged: DiskImage) -> None:
    weights = len(checkpoint_v0(SHAPE)) // 4 - 7
    nan = struct.pack("<f", float("nan"))
    damaged.write(MODEL, checkpoint_v0(SHAPE)[:28] + nan * weights)
    sentence = error_of(boot(damaged, config=GENERATE))
    assert sentence.startswith("the model's logits are NaN: its file is damaged")


def test_too_little_memory_for_the_model(boot: Boot, damaged: DiskImage) -> None:
    """A checkpoint of honest size, 12 MB, on a machine of 8 MiB."""
    dim, hidden, layers, heads, vocabulary, context = 512, 1024, 1, 8, 512, 8
    weights = vocabulary * dim + layers * (2 * dim + 4 * dim * dim + 3 * dim * hidden) + dim
    weights += context * dim // heads  # version 0 holds tables for RoPE
    header = struct.pack("<7i", dim, hidden, layers, heads, heads, vocabulary, context)
    damaged.write(MODEL, header + bytes(4 * weights))
    sentence = error_of(boot(damaged, config=GENERATE, memory=8))
    match = re.fullmatch(
        r"the model needs (\d+) bytes of memory, (\d+) of (\d+) are free; give the machine more", sentence
    )
    assert match is not None, sentence
    needed, free, total = map(int, match.groups())
    assert free <= total <= 8 << 20 < needed
