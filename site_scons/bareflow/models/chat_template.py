"""The file CHAT.TPL of an image: the texts that a model's chat template puts around those of a conversation,
as the guest reads them (tinyllama/chat/template.c).

    BareFlow chat template 2
    netstrings: CRC-32 of the program in hexadecimal, the reason why it cannot be used or nothing, begin,
    system_begin, system_end, answer, past_answer, turn, "last" if the system text is in front of the last
    text of the user, "thoughts" if past answers lose theirs, and the characters that go with those

It is empty if the model has no chat template.
"""

import json
import resource
import subprocess
import sys
import zlib
from pathlib import Path

from bareflow.models.gguf_metadata import ChatProgram, GgufError, read_chat_program

_HEAD = b"BareFlow chat template 2\n"
_SECONDS = 10
_MEMORY = 1 << 30
"""What a template may take."""
_FIELDS = ("begin", "system_begin", "system_end", "answer", "past_answer", "turn")
_SITE_SCONS = Path(__file__).resolve().parents[2]


def _netstring(text: bytes) -> bytes:
    return b"%d:%s," % (len(text), text)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))


def probe(program: ChatProgram) -> dict[str, str | bool]:
    """The fields of chat_probe.Texts, or only "reason": why the template cannot be used."""
    request = {"program": program.text.decode(errors="replace"), "bos": program.bos, "eos": program.eos}
    try:
        result = subprocess.run(
            [sys.executable, "-m", "bareflow.models.chat_probe"],
            input=json.dumps(request).encode(),
            capture_output=True,
            cwd=_SITE_SCONS,
            timeout=3 * _SECONDS,
            preexec_fn=_limit,
            check=True,
        )
        answer: dict[str, str | bool] = json.loads(result.stdout)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError, ValueError):
        return {"reason": f"it does not end within {_SECONDS} seconds and {_MEMORY >> 20} MB"}
    if any("\0" in str(value) for value in answer.values()):
        return {"reason": "there is a zero byte in what it makes"}
    return answer


def encode(program: ChatProgram, found: dict[str, str | bool]) -> bytes:
    """The file."""
    texts = [f"{zlib.crc32(program.text):08x}", found.get("reason", "")]
    texts += [found.get(field, "") for field in _FIELDS]
    texts.append("last" if found.get("system_last") else "")
    texts.append("thoughts" if found.get("drops_thoughts") else "")
    texts.append(found.get("thoughts_space", ""))
    return _HEAD + b"".join(_netstring(str(text).encode(errors="replace")) for text in texts)


def make_chat_template(model: Path) -> tuple[bytes, str]:
    """The file for a GGUF model, and why its template cannot be used ("": it can, or there is none). What is
    wrong with the model's file is not said here: the guest does."""
    try:
        program = read_chat_program(model)
    except (GgufError, OSError, ValueError):
        program = None
    if program is None:
        return b"", ""
    found = probe(program)
    return encode(program, found), str(found.get("reason", ""))
