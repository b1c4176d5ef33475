"""The list of what an image was made of, in the terms of CycloneDX 1.6 (JSON).

It is the same for the same inputs: components are sorted, files have hashes and no paths, and there is
neither a date nor a serial number. What only helped to build the image has the scope "excluded".
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Component = dict[str, Any]


def component(kind: str, name: str, version: str = "", *, purl: str = "", **properties: str) -> Component:
    """A component of one of CycloneDX's types: "library", "file", "data", "application" ... Properties are
    further facts of this project's own."""
    made: Component = {"type": kind, "name": name, "bom-ref": purl or f"{kind}:{name}"}
    if version:
        made["version"] = version
    if purl:
        made["purl"] = purl
    if properties:
        made["properties"] = [
            {"name": f"bareflow:{key}", "value": value} for key, value in sorted(properties.items())
        ]
    return made


def with_hash(made: Component, sha256: str) -> Component:
    """The component with the hash of its bytes."""
    return made | {"hashes": [{"alg": "SHA-256", "content": sha256}]}


def file_component(kind: str, file: Path, version: str = "", name: str = "") -> Component:
    """The component that a file is."""
    return with_hash(component(kind, name or file.name, version), sha256(file))


def build_tools(versions: Mapping[str, str]) -> list[Component]:
    """The programs that have built the image: name to version and hash, as in "clang version 22 1a2b..."."""
    made = []
    for name, text in versions.items():
        version, _, digest = text.rpartition(" ")
        made.append(component("application", name, version, identity=digest) | {"scope": "excluded"})
    return made


def python_packages(requirements: str) -> list[Component]:
    """The packages that a locked requirements.txt names."""
    return [
        component("library", name, version, purl=f"pkg:pypi/{name}@{version}") | {"scope": "excluded"}
        for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", requirements, re.MULTILINE)
    ]


def document(image: Component, components: Iterable[Component]) -> str:
    """The list for an image, as text."""
    parts = sorted(components, key=lambda part: (part["type"], part["name"], part.get("version", "")))
    contents = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": image},
        "components": parts,
        "dependencies": [
            {
                "ref": image["bom-ref"],
                "dependsOn": [part["bom-ref"] for part in parts if part.get("scope") != "excluded"],
            }
        ],
    }
    return json.dumps(contents, indent=2, ensure_ascii=False) + "\n"


def sha256(file: Path) -> str:
    """In hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def checksums(files: Iterable[Path]) -> str:
    """What `sha256sum --check` reads, in the folder that the files are in."""
    return "".join(f"{sha256(file)}  {file.name}\n" for file in sorted(files))
