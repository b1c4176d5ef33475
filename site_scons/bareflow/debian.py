"""Files of Debian's archive, from the mirrors that apt is configured with, by path and hash."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from bareflow.errors import BareFlowError

_APT_HELPER = Path("/usr/lib/apt/apt-helper")


class DebianError(BareFlowError):
    """The file could not be had; the message says why."""


def mirrors() -> list[str]:
    """The archives with the component `main`, each once."""
    command = ["apt-get", "indextargets", "--format", "$(COMPONENT) $(REPO_URI)", "Created-By: Packages"]
    try:
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    lines = (line.partition(" ") for line in output.splitlines())
    return list(dict.fromkeys(uri.rstrip("/") for component, _, uri in lines if component == "main"))


def fetch(path: str, sha256: str, folder: Path, progress: Callable[[str], None]) -> Path:
    """Downloads a file of the archive into the folder; apt's downloader checks its hash."""
    target = folder / Path(path).name
    found = mirrors() if _APT_HELPER.exists() else []
    if not found:
        raise DebianError(f"this machine has no apt to fetch {target.name} with")
    complaints = []
    for mirror in found:
        progress(f"fetching {target.name} from {mirror}")
        options = ["-o", "APT::Sandbox::User=root"] if os.geteuid() == 0 else []
        command = [str(_APT_HELPER), *options, "download-file", f"{mirror}/{path}", str(target)]
        result = subprocess.run([*command, f"SHA256:{sha256}"], capture_output=True, text=True, check=False)
        if result.returncode == 0:
            return target
        complaints += (result.stderr.strip() or result.stdout.strip()).splitlines()[-1:]
    raise DebianError(f"{target.name} could not be fetched ({'; '.join(complaints)})")
