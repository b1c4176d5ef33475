"""A made-up byte-level tokenizer, and its encoding in plain Python by the regular expressions of the models
that such tokenizers come from."""

from __future__ import annotations

import itertools
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

from gguf_file import Value

ALPHABET = (
    "abcdefghijklmnopqrstuvwxyzAEIOSTRVLMD" * 2
    + "0123456789" * 2
    + "'''''   \t\n\r\n.,!?$+<=>^~|()-_#"
    + "éüñßΩжשـ中日ｱ가ſ"
    + "٣½Ⅷ²"
    + "\u00a0\u3000\u2028\u0301«»„“😀€"
)
CONTRACTIONS = r"'s|'t|'re|'ve|'m|'ll|'d"
GPT2 = CONTRACTIONS + r"| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA = (
    rf"(?ai:{CONTRACTIONS})|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
RULES = {
    "default": (r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", r"[0-9][0-9][0-9]"),
    "gpt-2": (GPT2,),
    "llama-bpe": (LLAMA,),
    "smollm": (r"\p{N}", GPT2),
    "qwen2": (LLAMA.replace("{1,3}", ""),),
}
USER_DEFINED, CONTROL = "<tool>", "<|im_end|>"


def _with_classes(rule: str, text: str) -> str:
    """\\p{L}, \\p{N} and \\p{P} as the characters of the alphabet and of the text that are such."""
    for letter in "LNP":
        characters = sorted({*ALPHABET, *text})
        found = "".join(re.escape(c) for c in characters if unicodedata.category(c)[0] == letter)
        rule = rule.replace(rf"[^\s\p{{{letter}}}", rf"[^\s{found}").replace(rf"\p{{{letter}}}]", f"{found}]")
        rule = rule.replace(rf"[\p{{{letter}}}", f"[{found}")
        rule = re.sub(rf"(\[[^\]]*)\\p{{{letter}}}", lambda match: match[1] + found, rule)  # noqa: B023
        rule = rule.replace(rf"\p{{{letter}}}", f"[{found}]")
    return rule


def words_of(text: str, rules: str) -> list[str]:
    """What matches, and what is between the matches; each rule divides what the one before has left."""
    words = [text]
    for rule in RULES[rules]:
        pattern = re.compile(f"({_with_classes(rule, text)})")
        words = [part for word in words for part in pattern.split(word) if part]
    return words


def _characters_of_bytes() -> list[str]:
    """GPT-2's: printable characters of Latin-1 stand for themselves, those from U+0100 on for the others."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = itertools.count(256)
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


CHARACTERS = _characters_of_bytes()
BYTES = {character: bytes([byte]) for byte, character in enumerate(CHARACTERS)}


def _mapped(data: bytes) -> str:
    return "".join(CHARACTERS[byte] for byte in data)


def _unmapped(text: str) -> bytes:
    return b"".join(BYTES.get(character, character.encode()) for character in text)


class ByteTokenizer:
    """256 bytes and some merges, a user-defined piece and a control piece."""

    def __init__(self, merges: int = 400) -> None:
        self.pieces = [bytes([byte]) for byte in range(256)]
        self.ranks: dict[tuple[bytes, bytes], int] = {}
        chance = random.Random("merges")
        text = [bytes([byte]) for byte in random_text(chance, 4000).encode()]
        while len(self.ranks) < merges:
            (pair, _), *_ = Counter(itertools.pairwise(text)).most_common(1)
            self.ranks[pair] = len(self.ranks)
            self.pieces.append(pair[0] + pair[1])
            text = self._merged(text, pair)
        self.numbers = {piece: number for number, piece in enumerate(self.pieces)}

    @classmethod
    def of(cls, metadata: Mapping[str, Value]) -> ByteTokenizer:
        """The tokenizer of a file."""
        made = cls(merges=0)
        tokens, merges = (metadata[f"tokenizer.ggml.{key}"] for key in ("tokens", "merges"))
        assert isinstance(tokens, list) and isinstance(merges, list)
        made.numbers = {_unmapped(str(token)): number for number, token in enumerate(tokens)}
        pairs = [str(merge).split(" ") for merge in merges]
        made.ranks = {(_unmapped(a), _unmapped(b)): rank for rank, (a, b) in enumerate(pairs)}
        return made

    @staticmethod
    def _merged(parts: list[bytes], pair: tuple[bytes, bytes]) -> list[bytes]:
        out: list[bytes] = []
        left = iter([*parts, b""])
        part = next(left)
        for following in left:
            if (part, following) == pair:
                out.append(part + following)
                part = next(left, b"")
            else:
                out.append(part)
                part = following
        return out

    @property
    def user_defined(self) -> int:
        return len(self.pieces)

    @property
    def vocabulary(self) -> int:
        return len(self.pieces) + 2

    def metadata(self, rules: str) -> dict[str, Value]:
        """The entries of a GGUF file."""
        pieces = [_mapped(piece) for piece in self.pieces]
        return {
            "tokenizer.ggml.model": "gpt2",
            "tokenizer.ggml.pre": rules,
            "tokenizer.ggml.tokens": [*pieces, USER_DEFINED, CONTROL],
            "tokenizer.ggml.token_type": [1] * len(pieces) + [4, 3],
            "tokenizer.ggml.merges": [f"{_mapped(a)} {_mapped(b)}" for a, b in self.ranks],
            "tokenizer.ggml.eos_token_id": self.vocabulary - 1,
            "tokenizer.ggml.add_bos_token": False,
        }

    def _encode_word(self, word: bytes) -> list[int]:
        parts = [bytes([byte]) for byte in word]
        while len(parts) > 1:
            pairs = list(itertools.pairwise(parts))
            best = min(range(len(pairs)), key=lambda i: self.ranks.get(pairs[i], len(self.ranks)))
            if pairs[best] not in self.ranks:
                break
            parts[best : best + 2] = [parts[best] + parts[best + 1]]
        return [self.numbers[part] for part in parts]

    def encode(self, text: str, rules: str) -> list[int]:
        out: list[int] = []
        for i, part in enumerate(text.split(USER_DEFINED)):
            out += [self.user_defined] if i else []
            for word in words_of(part, rules) if part else []:
                whole = self.numbers.get(word.encode()) if rules == "llama-bpe" else None
                out += [whole] if whole is not None else self._encode_word(word.encode())
        return out


def random_text(chance: random.Random, length: int) -> str:
    """Of the alphabet's characters."""
    return "".join(chance.choice(ALPHABET) for _ in range(length))
