"""SHA256SUMS made anew: the named sources and what they include."""

from __future__ import annotations

import hashlib

import pytest
from bareflow.libc.source import SourceError
from bareflow.libc.update import closure, parts_of_header, sums

FILES = {
    "libc/src/math/sin.cpp": b'#include "sin.h"\n#include <math.h>\n  #  include "hdr/errno.h"\n',
    "libc/src/math/sin.h": b'#include "../support/bits.h"\n',
    "libc/src/support/bits.h": b'#include "src/support/aarch64/bits.h"\n#include "src/math/sin.h"\n',
    "libc/src/support/aarch64/bits.h": b"",
    "libc/hdr/errno.h": b'// #include "src/unused.h"\n',
    "libc/src/unused.h": b"",
}


def test_closure() -> None:
    reached = closure(["libc/src/math/sin.cpp"], FILES)
    assert reached == {
        "libc/src/math/sin.cpp",
        "libc/src/math/sin.h",
        "libc/src/support/bits.h",
        "libc/hdr/errno.h",
    }


def test_what_a_header_is_made_of() -> None:
    description = b"header: time.h\ntypes:\n  - type_name: struct_tm\n  - type_name: time_t\n"
    types = "libc/include/llvm-libc-types"
    files = {
        "libc/include/time.yaml": description,
        "libc/include/time.h.def": b"",
        f"{types}/struct_tm.h": b"",
        f"{types}/locale_t.h": b"",
    }
    found = parts_of_header("time", files)
    assert found == ["libc/include/time.yaml", "libc/include/time.h.def", f"{types}/struct_tm.h"]


def test_a_source_that_is_not_there() -> None:
    with pytest.raises(SourceError, match=r"cos\.cpp"):
        closure(["libc/src/math/cos.cpp"], FILES)


def test_lines_are_sorted() -> None:
    digest = hashlib.sha256(b"").hexdigest()
    wanted = {"libc/src/unused.h", "libc/src/support/aarch64/bits.h"}
    assert sums(wanted, FILES) == f"{digest}  libc/src/support/aarch64/bits.h\n{digest}  libc/src/unused.h\n"
