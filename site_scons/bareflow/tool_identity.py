"""What a program of the toolchain is: a hash of its bytes, and what it says of itself.

A program may have the date and the size of the one that it replaces, and its version may not name a vendor's
patches. So its bytes are hashed, and those of LLVM's libraries that it is linked with, which are most of a
compiler. That takes a second. A file therefore keeps hashes and answers; they are valid while inode, size,
and the times of the last write and of the last change of the inode stay the same.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bareflow.errors import BareFlowError

_LIBRARY = re.compile(r"^\s*lib(?:LLVM|clang|lld)\S* => (\S+)", re.MULTILINE)
"""In what ldd prints: of the other libraries none decides what is compiled."""


class ToolError(BareFlowError):
    """A program is not there, or fails."""


def _identity(path: str) -> list[object]:
    """What changes when a file is replaced; raises OSError."""
    status = os.stat(path)
    return [path, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _libraries(program: str) -> list[str]:
    """The files of LLVM's libraries that a program is linked with; none of a script."""
    result = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return sorted(os.path.realpath(path) for path in _LIBRARY.findall(result.stdout))


class Tools:
    """Programs, found on the PATH, and what is known of them."""

    def __init__(self, memory: Path) -> None:
        """`memory` is the file that keeps what is known; one that cannot be read counts as empty."""
        self._memory = memory
        self._hashes: dict[str, str] = {}
        self._checked: dict[str, dict[str, Any]] = {}
        try:
            self._known: dict[str, dict[str, Any]] = json.loads(memory.read_text())
        except (OSError, ValueError):
            self._known = {}

    def digest(self, name: str) -> str:
        """A hash of the program and of its libraries. Raises ToolError."""
        return str(self._entry(name)["sha256"])

    def answer(self, name: str, *arguments: str) -> str:
        """What the program prints when it is called with arguments, which is to be the same as long as the
        program is. Raises ToolError."""
        answers: dict[str, str] = self._entry(name)["answers"]
        question = json.dumps(arguments)
        if question not in answers:
            answers[question] = run(name, *arguments)
            self._save()
        return answers[question]

    def _entry(self, name: str) -> dict[str, Any]:
        """What is known of a program that has not changed."""
        if name in self._checked:
            return self._checked[name]
        place = shutil.which(name)
        if not place:
            raise ToolError(f"there is no program {name}")
        program = os.path.realpath(place)
        known = self._known.get(name)
        if not known or not self._is_current(program, known["files"]):
            files = [program, *_libraries(program)]
            identities = [_identity(file) for file in files]
            text = "".join(f"{os.path.basename(file)} {self._hash(file)}\n" for file in files)
            known = {"files": identities, "sha256": hashlib.sha256(text.encode()).hexdigest(), "answers": {}}
            self._known[name] = known
            self._save()
        self._checked[name] = known
        return known

    def _is_current(self, program: str, files: Sequence[Sequence[object]]) -> bool:
        try:
            return files[0][0] == program and all(_identity(str(file[0])) == file for file in files)
        except OSError:
            return False

    def _hash(self, file: str) -> str:
        """Of a file's bytes; of one that several programs share, once."""
        if file not in self._hashes:
            with open(file, "rb") as stream:
                self._hashes[file] = hashlib.file_digest(stream, "sha256").hexdigest()
        return self._hashes[file]

    def _save(self) -> None:
        """Writes what is known. What cannot be written is found out again by the next build."""
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            new = self._memory.with_name(f"{self._memory.name}.new")
            new.write_text(json.dumps(self._known))
            new.replace(self._memory)
        except OSError:
            pass


def run(*command: str) -> str:
    """What a program prints, without the space around it. Raises ToolError with its complaint if it fails."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ToolError(f"{command[0]} cannot be run: {error.strerror}") from None
    if result.returncode:
        raise ToolError(f"{' '.join(command)} failed: {result.stderr.strip()}")
    return result.stdout.strip()
