"""Kernel files in streams: where each byte of an instruction goes, and that there is room to unpack them."""

from __future__ import annotations

import lzma
import re
import subprocess
from pathlib import Path

import pytest
from bareflow.kernel.kernel_file import (
    I386,
    STREAMS,
    KernelFileError,
    kernel_from_elf,
    pack_streams,
    parse_header,
    seal,
)
from bareflow.kernel.streams import (
    CALLS,
    DATA,
    DISPLACEMENTS8,
    DISPLACEMENTS32,
    IMMEDIATES,
    IMMEDIATES8,
    IMMEDIATES32,
    JUMPS8,
    JUMPS32,
    MODRM,
    OPCODES,
    RELATIVE,
    SIB,
    split,
)
from bareflow.llvm import llvm_tool
from elf_tools import link
from kernel_streams import (
    instruction_starts,
    merged,
    stored_streams,
)
from machine_code import every_opcode, noise
from test_kernel_compression import HEADER_SIZE, MARGIN, flat_kernel
from test_kernel_file import KERNEL
from unpacked_kernel import unpacked

STREAMS_MARGIN = 32


def assembled(tmp_path: Path, bits: int, source: str) -> bytes:
    (tmp_path / "code.asm").write_text(f"bits {bits}\ndefault rel\nstart:\n{source}\n")
    subprocess.run(["nasm", "-f", "bin", "-o", "code.bin", "code.asm"], cwd=tmp_path, check=True)
    return (tmp_path / "code.bin").read_bytes()


# Instructions behind 0x10 bytes, and what goes to which stream besides the opcodes'. Addresses are those
# where the code begins at 0.
INSTRUCTIONS = {
    "mov eax, ebx": {},
    "add ecx, [esp + 8]": {SIB: "24", DISPLACEMENTS8: "08"},
    "mov eax, [ebp + 0x12345678]": {DISPLACEMENTS32: "12345678"},
    "mov ecx, [ebx * 4 + 0x12345678]": {SIB: "9d", DISPLACEMENTS32: "12345678"},
    "add ecx, 0x11": {IMMEDIATES8: "11"},
    "add ecx, 0x11223344": {IMMEDIATES32: "11223344"},
    "imul ecx, [edx + 7], 0x11223344": {DISPLACEMENTS8: "07", IMMEDIATES32: "11223344"},
    "mov word [ecx], 0x1122": {IMMEDIATES: "2211"},
    "test ch, 5": {IMMEDIATES8: "05"},
    "test ecx, 0x11223344": {IMMEDIATES32: "11223344"},
    "not ecx": {},
    "neg byte [ecx]": {},
    "movups xmm1, [ecx]": {MODRM: "09"},
    "pshufd xmm1, xmm2, 0x1b": {MODRM: "ca", IMMEDIATES8: "1b"},
    "pshufb xmm1, xmm2": {MODRM: "ca"},
    "palignr xmm1, [ecx + 3], 4": {MODRM: "49", DISPLACEMENTS8: "03", IMMEDIATES8: "04"},
    "call 0x123456": {CALLS: "00123456"},
    "jmp near 0x123456": {JUMPS32: "00123456"},
    "jz near 0": {JUMPS32: "00000000"},
    "jz short 0x20": {JUMPS8: None},
    "loop $": {JUMPS8: "fe"},
    "cpuid": {},
    "out 0xF4, al": {IMMEDIATES8: "f4"},
    "push 0x11223344": {IMMEDIATES32: "11223344"},
    "mov ecx, 0x11223344": {IMMEDIATES32: "11223344"},
    "fld qword [ecx + 0x10]": {DISPLACEMENTS8: "10"},
}
ONLY_32 = {
    "mov eax, [0x12345678]": {DISPLACEMENTS32: "12345678"},
    "mov ecx, [0x12345678]": {DISPLACEMENTS32: "12345678"},
    "inc ecx": {},
}
ONLY_64 = {
    "mov rax, [start + 0x12345678]": {RELATIVE: "12345678"},
    "cmp dword [start + 0x12345678], 5": {RELATIVE: "12345678", IMMEDIATES8: "05"},
    "movups xmm9, [start + 0x12345678]": {MODRM: "0d", RELATIVE: "12345678"},
    "mov rcx, 0x1122334455667788": {IMMEDIATES: "8877665544332211"},
    "mov r9, [r13]": {DISPLACEMENTS8: "00"},
    "add rcx, 0x11223344": {IMMEDIATES32: "11223344"},
    "vzeroupper": {},
    "vaddps ymm1, ymm2, [rcx]": {MODRM: "09"},
    "vpshufb ymm9, ymm2, [r12 + 5]": {MODRM: "4c", SIB: "24", DISPLACEMENTS8: "05"},
    "vpalignr ymm1, ymm2, ymm3, 4": {MODRM: "cb", IMMEDIATES8: "04"},
    "vaddps zmm1, zmm2, [rcx + 64]": {MODRM: "49", DISPLACEMENTS8: "01"},
    "vpternlogd zmm1, zmm2, zmm3, 7": {MODRM: "cb", IMMEDIATES8: "07"},
}
CASES = (
    [(32, *case) for case in (INSTRUCTIONS | ONLY_32).items()]
    + [(64, *case) for case in (INSTRUCTIONS | ONLY_64).items() if "inc" not in case[0]]
)  # fmt: skip


@pytest.mark.parametrize(
    ("bits", "source", "expected"), CASES, ids=[f"{bits} {source}" for bits, source, _ in CASES]
)
def test_where_the_bytes_go(tmp_path: Path, bits: int, source: str, expected: dict[int, str | None]) -> None:
    code = assembled(tmp_path, bits, f"times 16 nop\n{source}\nret\n")
    streams = split(code, b"data", is_64_bit=bits == 64)
    for stream, content in enumerate(streams):
        if stream not in (OPCODES, DATA) and expected.get(stream, "") is not None:
            assert content.hex() == expected.get(stream, ""), f"stream {stream}"
    records = streams[OPCODES]
    nop, ret = (b"\0\x90\0\0", b"\0\xc3\0\0") if bits == 64 else (b"\x90\0", b"\xc3\0")
    assert records.startswith(16 * nop)
    assert records.endswith(ret)
    opcodes = len(code) - sum(map(len, streams[1:DATA])) - 17
    assert 0 <= len(records) - len(17 * nop) - opcodes <= len(nop)
    assert len(records) % len(nop) == 0
    assert streams[DATA] == b"data"
    assert merged(streams, is_64_bit=bits == 64) == code + b"data"


PAYLOADS = {
    "nothing": b"",
    "one byte": b"\xe8",
    "half an instruction": b"\x90\x48\x81\xc1\x01\x02",
    "a prefix": b"\x90\x66",
    "prefixes": b"\x66" * 300,
    "zeros": bytes(50_000),
    "noise": noise(60_000),
    "every opcode": every_opcode(),
    "text": Path(__file__).read_bytes(),
}


def laid_out(packed: bytes, image_size: int, memory_size: int) -> None:
    """The loader unpacks in place: what is unpacked comes to lie in front of what is not yet read."""
    file_start = memory_size - MARGIN - len(packed)
    content, at, written = packed[HEADER_SIZE:], 0, image_size + STREAMS_MARGIN
    for stream in stored_streams(content):
        size, properties = int.from_bytes(content[at : at + 3], "little"), content[at + 3]
        at += 4
        assert size == len(stream)
        if not size:
            continue
        filters = [{
            "id": lzma.FILTER_LZMA1, "dict_size": max(4096, size),
            "lc": properties % 9, "lp": properties // 9 % 5, "pb": properties // 45,
        }]  # fmt: skip
        decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
        done = len(decoder.decompress(b"\0"))
        while done < size:
            done += len(decoder.decompress(content[at : at + 1]))
            at += 1
            assert written + done <= file_start + HEADER_SIZE + at
        written += size


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_unpacks_in_place_to_the_same(payload: bytes, bits: int) -> None:
    flags = I386 if bits == 32 else 0
    flat = bytearray(flat_kernel(payload + b"data"))
    flat[8:12] = flags.to_bytes(4, "little")
    packed = pack_streams(bytes(flat), len(payload))
    header = parse_header(packed)
    assert (header.flags, header.file_size) == (STREAMS | flags, len(packed))
    assert unpacked(packed)[HEADER_SIZE:] == payload + b"data"
    laid_out(packed, header.image_size, header.memory_size)


def test_the_same_again() -> None:
    kernel = flat_kernel(PAYLOADS["text"] + noise(1000))
    assert pack_streams(kernel, 5000) == pack_streams(kernel, 5000)


def test_memory_grows_only_if_it_must() -> None:
    assert (
        parse_header(pack_streams(flat_kernel(bytes(5000), bss=9000), 1000)).memory_size
        == HEADER_SIZE + 14_000
    )
    assert parse_header(pack_streams(flat_kernel(bytes(5000)), 1000)).memory_size > HEADER_SIZE + 10_000


def test_kernel_of_an_elf(tmp_path: Path) -> None:
    elf = link(tmp_path, KERNEL.format(signature="0x464C5544")).read_bytes()
    plain, packed = kernel_from_elf(elf), kernel_from_elf(elf, compression="streams")
    assert unpacked(packed)[HEADER_SIZE:] == plain[HEADER_SIZE:]
    assert seal(packed) == packed
    assert parse_header(packed).build_id != parse_header(plain).build_id


def test_packed_twice() -> None:
    with pytest.raises(KernelFileError, match="compressed already"):
        pack_streams(pack_streams(flat_kernel(bytes(5000)), 100), 100)


COMPILED = """
#define EACH for (long i = 0; i < n; i++)
struct pair { double a; int b; };
int sum(const int *x, long n) { int s = 0; EACH s += x[i] * 3; return s; }
float dot(const float *x, const float *y, long n) { float s = 0; EACH s += x[i] * y[i]; return s; }
void add(float *x, const float *y, long n) { EACH x[i] += y[i] * 0.5f; }
void to_bytes(signed char *x, const float *y, long n) { EACH x[i] = (signed char)(int)y[i]; }
double pairs(const struct pair *p, long n) { double s = 0; EACH s += p[i].a / p[i].b; return s; }
unsigned long long mix(unsigned long long x) { x ^= x >> 31; return x * 0x9E3779B97F4A7C15; }
int choose(int i) {
    switch (i) {
    case 0: return 7;
    case 1: return -900000;
    case 2: return 12;
    case 3: return 5;
    case 4: return 77;
    case 5: return sum(&i, 1);
    default: return 0;
    }
}
"""


@pytest.mark.parametrize("options", [
    ["-target", "x86_64-unknown-none-elf", "-O3"],
    ["-target", "x86_64-unknown-none-elf", "-O3", "-mavx2", "-mfma"],
    ["-target", "x86_64-unknown-none-elf", "-O3", "-march=skylake-avx512", "-mprefer-vector-width=512"],
    ["-target", "i386-unknown-none-elf", "-O3", "-march=pentium4", "-msse2", "-mfpmath=sse"],
])  # fmt: skip
def test_instructions_are_the_disassemblers(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "code.c").write_text(COMPILED)

    def run(program: str, *arguments: str) -> str:
        command = [llvm_tool(program), *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    run("clang", *options, "-ffreestanding", "-fno-pic", "-c", "-o", "code.o", "code.c")
    listing = run("llvm-objdump", "-d", "-j", ".text", "--no-show-raw-insn", "code.o")
    starts = [int(address, 16) for address in re.findall(r"^ *([0-9a-f]+):", listing, re.MULTILINE)]
    run("llvm-objcopy", "-O", "binary", "-j", ".text", "code.o", "code.bin")
    streams = split((tmp_path / "code.bin").read_bytes(), b"", is_64_bit="x86_64" in options[1])
    assert len(starts) > 200
    assert instruction_starts(streams, is_64_bit="x86_64" in options[1]) == starts
