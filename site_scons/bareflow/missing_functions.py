"""What a program's sources call that neither they nor the C library define, and why it is not there."""

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from bareflow.engine.host_symbols import symbols_of
from bareflow.errors import BareFlowError

_LINKERS = {"_GLOBAL_OFFSET_TABLE_"}
"""What the tools list as undefined in every bitcode for 32 bits; no code of ours uses it."""

_REASONS = {
    "there are no other programs to start or to wait for": (
        "fork vfork execl execle execlp execv execve execvp wait waitpid popen pclose posix_spawn "
        "posix_spawnp kill getpid getppid pipe"
    ),
    "the program is the only thread": "pthread_ thrd_ mtx_ cnd_ tss_ call_once sem_ sched_yield clone",
    "there is no network": (
        "socket bind listen accept connect send sendto recv recvfrom shutdown getsockopt setsockopt "
        "getaddrinfo freeaddrinfo gethostbyname inet_ select poll epoll_"
    ),
    "all code is linked before the program runs": "dlopen dlsym dlclose dlerror",
    "files are opened by fopen": (
        "open openat creat close read write lseek stat fstat lstat fstatat access unlink mkdir rmdir opendir "
        "readdir closedir fdopen fileno ftruncate fsync dup dup2 fcntl ioctl isatty chdir getcwd"
    ),
    "memory comes from malloc": "mmap munmap mprotect mremap msync brk sbrk",
    "exceptions are off": (
        "__cxa_throw __cxa_allocate_exception __cxa_begin_catch __cxa_end_catch __cxa_rethrow _Unwind_Resume "
        "__gxx_personality_v0"
    ),
}
"""Why functions are not there: names, or how names begin that end in "_"."""


def reason(name: str) -> str | None:
    """Why there is no such function; None if nothing is known of it."""
    for why, names in _REASONS.items():
        for known in names.split():
            if name == known or (known.endswith("_") and name.startswith(known)):
                return why
    return None


def _readable(filt: str, names: Iterable[str]) -> list[str]:
    """C++'s names as they stand in sources."""
    given = "\n".join(names)
    return subprocess.run([filt], input=given, capture_output=True, text=True, check=True).stdout.splitlines()


def _sentence(source: str, names: Sequence[str], filt: str) -> str:
    known = [why for why in _REASONS if any(reason(name) == why for name in names)]
    because = f": {'; '.join(known)}" if known else ""
    listed = ", ".join(_readable(filt, names))
    return f"{source} needs {listed}, which neither the program nor the C library has{because}"


def check(
    nm: str, filt: str, sources: Sequence[str], objects: Sequence[Path], library: Sequence[Path]
) -> None:
    """sources: the names of those that the program's objects, bitcode, were made of. Raises BareFlowError."""
    found = symbols_of(nm, objects)
    own = frozenset[str]().union(*(each.defined for each in found))
    if not own & {"main", "app_main"}:
        raise BareFlowError("the program has no function main")
    command = [nm, "--extern-only", "--defined-only", "--format=just-symbols", *map(str, library)]
    there = own.union(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    for source, each in zip(sources, found, strict=True):
        if missing := sorted(each.undefined - each.weak - there - _LINKERS):
            raise BareFlowError(_sentence(source, missing, filt))
