"""GDB on the full image: code that is compiled while the guest runs has names (GDB's JIT interface)."""

from __future__ import annotations

import re
from pathlib import Path

from fixture_types import Boot, ModelImage
from gdb_tools import free_port, gdb

FUNCTION = "tokenizer_read"


def test_stops_in_a_compiled_function(
    boot: Boot, build_dir: Path, model_image: ModelImage, tmp_path: Path
) -> None:
    """The function is compiled at its first call: long after the breakpoint was asked for."""
    port = free_port()
    config = {"mode": "generate", "jit.tier0": "O0", "jit.max_level": "O0"}
    boot(model_image("default"), config=config, memory=256, gdb=port)
    output = gdb(
        tmp_path,
        port,
        build_dir / "bareflow.elf",
        "set breakpoint pending on",
        f"break {FUNCTION}.O0.entry",
        "continue",
        "backtrace",
        f"info symbol {FUNCTION}",
        "kill",
    )
    assert "Breakpoint 2, 0x" in output, output
    first, *frames = re.findall(r"^#\d+ .* in (\S+) \(\)$", output, re.MULTILINE)
    *compiled, start, entry = frames
    assert (first, start, entry) == ("kernel_entry", "kernel_start", "kernel_entry"), output
    # The last is the engine's own; which other functions are inlined is not this test's business.
    assert (compiled[0], compiled[-2:]) == (f"{FUNCTION}.O0.entry", ["app_main.O0.entry", "app_main"]), output
    assert all(name.endswith(".O0.entry") for name in compiled[:-1]), output
    assert f"{FUNCTION} in section .text" in output  # the function's own address, whatever code runs
