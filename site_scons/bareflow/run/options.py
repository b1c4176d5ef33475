"""The options of `run`: what each is called, and what it is for. Whoever reads one checks its value: the
guest those of GUEST and `config`, bareflow.run.run those of MACHINE, RESULTS and INPUTS."""

import shlex
from collections.abc import Iterable

from bareflow.model_program import MODEL_PROGRAM
from bareflow.qemu.machine import DRIVES

GUEST = {
    **MODEL_PROGRAM.settings,
    "args": 'of app=: the program\'s arguments; within "..." spaces are part of one',
    "disk": "how the guest reads its disk: auto, ata, pio or bios",
}
"""Settings of the guest that have an option of their own: the model's program's and the kernel's."""

MACHINE = {
    "memory": "the machine's memory in MiB (by default enough for the model)",
    "cpu": "QEMU's CPU model",
    "machine": "QEMU's machine: pc or q35",
    "drive": f"how the disk is attached: {', '.join(DRIVES[:-1])} or {DRIVES[-1]}",
    "accel": "tcg or kvm",
    "gdb": "1 = wait for GDB on port 1234, or name another port; implies debug=1",
    "timeout": "end the run after this many seconds; 0 = no limit",
    "write": "1 = what the guest writes is kept, in a copy of the image",
}

RESULTS = {key: file.use for key, file in MODEL_PROGRAM.results.items()}
INPUTS = {key: file.use for key, file in MODEL_PROGRAM.inputs.items()}
"""Files of the host that the guest writes, and those that it reads."""

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
