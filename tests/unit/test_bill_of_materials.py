"""The list of what an image was made of, and its checksums."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from bareflow.release import bill_of_materials as bill

REQUIREMENTS = """lief==1.0.0 \\
    --hash=sha256:0011
    # via -r requirements.in
lz4==4.4.5 ; sys_platform == 'linux' \\
    --hash=sha256:2233
"""


def test_a_file_is_known_by_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "libx.a"
    file.write_bytes(b"archive")
    made = bill.file_component("library", file, "22")
    assert made == {
        "type": "library",
        "name": "libx.a",
        "version": "22",
        "bom-ref": "library:libx.a",
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(b"archive").hexdigest()}],
    }
    assert bill.file_component("data", file, name="tokenizer.bin")["name"] == "tokenizer.bin"


def test_packages_and_tools_are_no_part_of_the_image() -> None:
    packages = bill.python_packages(REQUIREMENTS)
    assert [(part["name"], part["version"], part["purl"]) for part in packages] == [
        ("lief", "1.0.0", "pkg:pypi/lief@1.0.0"),
        ("lz4", "4.4.5", "pkg:pypi/lz4@4.4.5"),
    ]
    (tool,) = bill.build_tools({"clang": "clang version 22.1 (x) 00ff"})
    assert (tool["name"], tool["version"]) == ("clang", "clang version 22.1 (x)")
    assert tool["properties"] == [{"name": "bareflow:identity", "value": "00ff"}]
    assert {part["scope"] for part in [*packages, tool]} == {"excluded"}


def test_the_same_inputs_give_the_same_text() -> None:
    """Whatever their order."""
    image = bill.component("operating-system", "bareflow.img", "1")
    parts = [
        bill.component("library", "b", "1"),
        bill.component("library", "a", "2"),
        bill.component("application", "c") | {"scope": "excluded"},
    ]
    text = bill.document(image, parts)
    assert text == bill.document(image, reversed(parts))
    contents = json.loads(text)
    assert (contents["bomFormat"], contents["specVersion"]) == ("CycloneDX", "1.6")
    assert [part["name"] for part in contents["components"]] == ["c", "a", "b"]
    assert contents["dependencies"] == [
        {"ref": "operating-system:bareflow.img", "dependsOn": ["library:a", "library:b"]}
    ]
    references = [part["bom-ref"] for part in contents["components"]]
    assert len(set(references)) == len(references)


def test_checksums(tmp_path: Path) -> None:
    for name in ("b.img", "a.json"):
        (tmp_path / name).write_text(name)
    lines = bill.checksums([tmp_path / "b.img", tmp_path / "a.json"]).splitlines()
    assert lines == [f"{hashlib.sha256(name.encode()).hexdigest()}  {name}" for name in ("a.json", "b.img")]
