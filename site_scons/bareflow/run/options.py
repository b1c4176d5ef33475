"""The options of `run`: what each is called, and what it is for. Whoever reads one checks its value: the
guest those of GUEST and `config`, bareflow.run.run those of MACHINE, RESULTS and INPUTS."""

import shlex
from collections.abc import Iterable

from bareflow.qemu.machine import DRIVES

OLDER = {"topk": "top_k", "topp": "top_p", "minp": "min_p", "repeat": "repeat_penalty"}
"""Names that some options had at first; the guest knows them, too."""

GUEST = {
    "prompt": "the beginning of the text",
    "prompt_ids": "token ids in place of a prompt: 1,403,407",
    "steps": "most tokens of the text, the prompt's included; 0 = as many as the model's context has",
    "temperature": "0 = always the likeliest token",
    "top_k": "sample from so many of the likeliest tokens; 0 = from all",
    "top_p": "sample from the likeliest tokens that together have this probability",
    "min_p": "sample from tokens at least this part as likely as the likeliest; 0 = from all",
    "repeat_penalty": "on tokens that the text has had lately; 1 = none",
    "repeat_last_n": "how many tokens of the text that looks at",
    **{key: f"the same as {newer}=" for key, newer in OLDER.items()},
    "seed": "of the random numbers; 0 = from the clock",
    "mode": "auto, interactive, chat, generate, bench or perplexity",
    "chat": "1 = prompt= is said to the model, by its chat template, and its answer is the text",
    "system": "of a chat: what the model is told to be",
    "template": "of a chat: auto, or the family of the chat template",
    "context": "of a chat whose context is full: slide or stop",
    "args": 'of app=: the program\'s arguments; within "..." spaces are part of one',
    "kv": "the numbers of the KV cache: auto, f32, f16 or q8",
    "vector": "auto, sse2, avx2 or avx512",
    "disk": "how the guest reads its disk: auto, ata, pio or bios",
}
"""Settings of the guest that have an option of their own."""

MACHINE = {
    "memory": "the machine's memory in MiB (by default enough for the model)",
    "cpu": "QEMU's CPU model",
    "machine": "QEMU's machine: pc or q35",
    "drive": f"how the disk is attached: {', '.join(DRIVES[:-1])} or {DRIVES[-1]}",
    "accel": "tcg or kvm",
    "gdb": "1 = wait for GDB on port 1234, or name another port; implies debug=1",
    "timeout": "end the run after this many seconds; 0 = no limit",
    "write": "1 = the guest may change the image",
}

RESULTS = {
    "ids": "write the ids of the text's tokens to this file",
    "logits": "write the logits of every position to this file, as float32",
}
"""Files of the host."""

INPUTS = {"text": "of mode=perplexity: the text"}
"""Files of the host that the guest reads."""

CONFIG = "config"
CONFIG_HELP = "any settings of the guest, KEY=VALUE with blanks between them; may be repeated"


def config_settings(texts: Iterable[str]) -> dict[str, str]:
    """The settings in values of config=: KEY=VALUE pairs, separated and quoted as a shell's words are. The
    last one of a key counts. Raises ValueError when a word is no pair or a quotation is not closed."""
    settings = {}
    for text in texts:
        for word in shlex.split(text):
            key, equals, value = word.partition("=")
            if not key or not equals:
                raise ValueError(f"'{word}' is not KEY=VALUE")
            settings[key] = value
    return settings
