"""The curve of an image's life: the table, the CSV and the drawing."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from bareflow.app import App, Use
from bareflow.app_workload import workload_text
from bareflow.errors import BareFlowError
from bareflow.evolve.curve import COLOURS, charts, heights, size_text, svg
from bareflow.evolve.evolve import csv_text, summary, table
from bareflow.evolve.generation import Generation, Kernel
from bareflow.evolve.subject import Story, first_text, first_use
from project_files import ROOT

STORY = Story({})
NAMESPACE = "{http://www.w3.org/2000/svg}"
FULL = Kernel("BAREFLOW.KRN", "full", 10_600_000)
TRIMMED, NATIVE = Kernel("0001.KRN", "trimmed", 5_000_000), Kernel("0002.KRN", "native", 180_000)
FIRST = Generation(FULL, 54_300_000, 2.47, 36.2, {"O1": 5, "O3": 2}, 6.47, 0, "abc", 26.518, (TRIMMED,))
BOOTS = [
    FIRST,
    replace(FIRST, kernel=TRIMMED, levels={}, compiling=0.0, misses=1, written=(NATIVE,)),
    replace(FIRST, kernel=NATIVE, memory=9_050_000, first_output=0.1235, pace=181.0, writing=0.0),
]


@pytest.mark.parametrize(
    ("size", "text"), [(69_181, "69 KB"), (999_499, "999 KB"), (1_000_000, "1 MB"), (10_605_740, "10.6 MB")]
)
def test_size(size: int, text: str) -> None:
    assert size_text(size) == text


def test_heights() -> None:
    assert heights([1.0, 4.0, 2.0], False) == [0.25, 1.0, 0.5]
    # From half of the least value on: 1, 2 and 3 halvings above it.
    assert heights([2.0, 4.0, 8.0], True) == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert heights([5.0, 5.0], True) == [1.0, 1.0]


def test_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(csv_text(STORY, BOOTS))))
    assert [row["kind"] for row in rows] == ["full", "trimmed", "native"]
    assert rows[0] == {
        "boot": "1",
        "kernel": "BAREFLOW.KRN",
        "kind": "full",
        "kernel_bytes": "10600000",
        "memory_bytes": "54300000",
        "first_token_s": "2.47",
        "tokens_per_s": "36.2",
        "O0": "0",
        "O1": "5",
        "O2": "0",
        "O3": "2",
        "compiling_s": "6.47",
        "misses": "0",
        "writing_s": "26.52",
        "written": "0001.KRN",
    }


def test_table() -> None:
    head, *rows = table(STORY, BOOTS).splitlines()
    assert [row.split()[2] for row in rows] == ["full", "trimmed", "native"]
    assert {len(line) for line in [head, *rows]} == {len(head)}
    assert [row.split()[-1] for row in rows] == ["26.5", "26.5", "-"]
    text = summary(STORY, BOOTS)
    for part in ("tokens/s 5.0 times better,", " 20.0 times sooner", " 59 times smaller", " 6.0 times less"):
        assert part in text


def test_drawing() -> None:
    drawing = ET.fromstring(svg("<Life> & growth", STORY, BOOTS))
    assert [text.text for text in drawing.iter(f"{NAMESPACE}title")] == ["<Life> & growth"]
    bars = [rect for rect in drawing.iter(f"{NAMESPACE}rect") if rect.get("fill") in COLOURS.values()]
    of_kinds = [COLOURS[kernel.kind] for kernel in (FULL, TRIMMED, NATIVE)]
    assert [bar.get("fill") for bar in bars] == of_kinds * len(charts(STORY)) + list(COLOURS.values())
    width, height = map(float, drawing.attrib["viewBox"].split()[2:])
    for rect in drawing.iter(f"{NAMESPACE}rect"):
        right = float(rect.get("x", 0)) + float(rect.attrib["width"])
        bottom = float(rect.get("y", 0)) + float(rect.attrib["height"])
        assert right <= width and bottom <= height
    assert "href" not in svg("", STORY, BOOTS), "it needs no other file"


def test_first_text(tmp_path: Path) -> None:
    assert first_text(ROOT / "variants" / "workload.toml").settings["prompt"] == "Once upon a time"
    workload = tmp_path / "workload.toml"
    dialogue = '[[run]]\nname = "a"\nconfig = { mode = "interactive" }\n'
    linux = '[[run]]\nname = "b"\nplatform = "linux"\nconfig = { mode = "generate", seed = 1 }\n'
    text = '[[run]]\nname = "c"\nconfig = { mode = "generate", seed = 2 }\n'
    workload.write_text(f"timeout = 9\nmemory = 256\n{dialogue}{linux}{text}")
    assert first_text(workload) == Story({"mode": "generate", "seed": 2})
    workload.write_text(f"timeout = 9\nmemory = 256\n{dialogue}{linux}")
    with pytest.raises(BareFlowError, match=r"workload\.toml: no run of it generates a text"):
        first_text(workload)


def test_program(tmp_path: Path) -> None:
    """Of a program, a boot's pace is a time: less is better."""
    workload = tmp_path / "workload.toml"
    uses = [Use('a "b c"', "two\nlines"), Use("x", status=3)]
    workload.write_text(workload_text(App(tmp_path, "game", workload=uses)))
    subject = first_use(workload)
    assert (subject.config, subject.input) == ({"args": 'a "b c"'}, "two\nlines\x04")
    boots = [replace(boot, pace=pace) for boot, pace in zip(BOOTS, (6.0, 3.0, 1.5), strict=True)]
    assert "seconds 4.0 times better" in summary(subject, boots)
    rows = list(csv.DictReader(io.StringIO(csv_text(subject, boots))))
    assert [row["seconds"] for row in rows] == ["6.00", "3.00", "1.50"]
    assert "power-on to the first output" in svg("", subject, boots)
    workload.write_text(workload_text(App(tmp_path, "game", workload=uses[1:])))
    with pytest.raises(BareFlowError, match="use 1 ends with status 3"):
        first_use(workload)
