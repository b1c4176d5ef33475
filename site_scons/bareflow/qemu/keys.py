"""US keyboard: which of QEMU's key codes (qcodes) make a character."""

from __future__ import annotations

_PLAIN = {
    " ": "spc", "\n": "ret", "\b": "backspace", "\t": "tab", "\x1b": "esc",
    "-": "minus", "=": "equal", "[": "bracket_left", "]": "bracket_right", "\\": "backslash",
    ";": "semicolon", "'": "apostrophe", "`": "grave_accent", ",": "comma", ".": "dot", "/": "slash",
}  # fmt: skip
_SHIFTED = dict(zip('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./", strict=True))


def keys_of(character: str) -> tuple[str, ...]:
    """The keys to press together; ValueError for a character that no US key makes."""
    if character.isascii() and character.isupper():
        return "shift", character.lower()
    if character in _SHIFTED:
        return "shift", *keys_of(_SHIFTED[character])
    if character.isascii() and character.isalnum():
        return (character,)
    if character in _PLAIN:
        return (_PLAIN[character],)
    raise ValueError(f"no key of a US keyboard makes {character!r}")
