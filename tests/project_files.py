"""Where the project's own files are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_MODEL = ROOT / "tinyllama" / "model" / "default.bin"
DEFAULT_TOKENIZER = ROOT / "tinyllama" / "model" / "tokenizer.bin"
