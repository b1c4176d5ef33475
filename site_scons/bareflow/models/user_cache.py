"""Where downloads are kept, for all checkouts of a user."""

import os
from pathlib import Path


def user_cache() -> Path:
    """Where this user's programs keep what can be fetched again (XDG base directory specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bareflow"
