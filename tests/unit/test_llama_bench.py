"""The speed next to llama.cpp's: what both programs are asked for, and the table of what they say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from bareflow.bench.linux_session import LinuxRunError
from bareflow.bench.llama_cases import TURNS, llama_bench

RATES = {"generate": 50.0, "prompt": 400.0}
MEMORY = {"event": "bench", "name": "memory", "weight_bytes_per_token": 1_000_000, "bytes_per_s": 200_000_000}
GENERATED = {
    "event": "generate",
    "tokens": 48,
    "tokens_per_s": RATES["generate"],
    "prompt_tokens_per_s": RATES["prompt"],
}
CACHE = {"event": "kv_cache", "type": "f16", "positions": 48, "bytes": 48_000}


def script(path: Path, lines: list[str]) -> Path:
    """A program that notes its arguments and executes these lines."""
    path.write_text("\n".join(["#!/bin/sh", f'echo "$*" >> {path}.calls', *lines]) + "\n")
    path.chmod(0o755)
    return path


def calls(path: Path) -> list[str]:
    return Path(f"{path}.calls").read_text().splitlines()


def test_bench(tmp_path: Path) -> None:
    events = "\n".join(f"@bareflow {json.dumps(event)}" for event in (CACHE, MEMORY, GENERATED))
    ours = script(tmp_path / "ours", [f"cat >&2 <<'EOF'\n{events}\nEOF"])
    theirs = script(tmp_path / "theirs", [f"echo '{json.dumps([{'avg_ts': 25.0}])}'"])
    model = tmp_path / "m.gguf"
    (case,) = llama_bench({"program": str(ours), "llama_bench": str(theirs), "model": str(model)})
    (table,), complaints = case.run()
    title, *rows, memory = table.splitlines()
    assert title.split() == ["m.gguf,", "tokens/s", "BareFlow", "llama.cpp", "ratio", "GB/s", "of", "memory"]
    cells = {" ".join(row.split()[:-5]): row.split()[-5:] for row in rows if row.startswith("generation")}
    # A token reads the weights and, on average, 16 + 32 / 2 positions of 1000 bytes.
    assert cells["generation at depth 16, f16"] == ["50.0", "25.0", "2.00", "0.1", "26%"]
    assert set(cells) == {f"generation at depth {d}, {kv}" for d in (16, 480, 900) for kv in ("f16", "f32")}
    prompts = [re.split(r"\s{2,}", row) for row in rows if row.startswith("prompt")]
    assert prompts == [[f"prompt of {n}, f16", "400.0", "25.0", "16.00"] for n in (192, 896)]
    assert memory == "weights are read at 0.2 GB/s by a loop that does nothing else"
    assert not complaints

    run = f"root=/ model={model} mode=generate temperature=0 prompt_ids="
    assert calls(ours).count(f"{run}{','.join(map(str, range(3, 19)))} steps=48 kv=f32") == TURNS
    assert calls(ours).count(f"{run}{','.join(map(str, range(3, 195)))} steps=193 kv=f16") == TURNS
    run = f"-t 1 -r 1 -o json -m {model}"
    assert calls(theirs).count(f"{run} -p 0 -n 32 -d 480") == 2 * TURNS
    assert calls(theirs).count(f"{run} -p 896 -n 0") == TURNS


def test_llama_bench_fails(tmp_path: Path) -> None:
    events = "\n".join(f"@bareflow {json.dumps(event)}" for event in (CACHE, MEMORY, GENERATED))
    ours = script(tmp_path / "ours", [f"cat >&2 <<'EOF'\n{events}\nEOF"])
    theirs = script(tmp_path / "theirs", ["echo 'no such model' >&2", "exit 1"])
    (case,) = llama_bench({"program": str(ours), "llama_bench": str(theirs), "model": "m.gguf"})
    with pytest.raises(LinuxRunError, match="theirs ended with status 1: no such model"):
        case.run()
