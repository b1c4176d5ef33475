"""Bitcode that another compiler has made (app=FILE.bc), as the build's own: checked, and with what the kernel
wants of functions."""

import re
import subprocess
from pathlib import Path

from bareflow.errors import BareFlowError
from bareflow.llvm import VERSION, llvm_tool

_MAGIC = (b"BC\xc0\xde", b"\xde\xc0\x17\x0b")
_PRODUCER = re.compile(r"record string = 'LLVM(\d+)[^']*'")
_TARGET = re.compile(r'^target (datalayout|triple) = "(.*)"$', re.MULTILINE)
_NO_SYSTEM = {"none", "unknown"}
# How addresses are made is the link's affair, and no two modules may differ in it. No table of addresses is
# filled by a dynamic linker.
_FLAG = re.compile(
    r'^(!\d+) = !\{i32 \d+, !"(?:Code Model|PIC Level|PIE Level|RtLibUseGOT)", i32 \d+\}$', re.MULTILINE
)
_BY_TABLE = re.compile(r"(?<= )nonlazybind ")
_FLAGS = re.compile(r"^!llvm\.module\.flags = !\{(.*)\}$", re.MULTILINE)
# An interrupt may use the stack below RSP, and backtraces walk the frame pointers.
_ATTRIBUTES = ("noredzone", "frame-pointer=all")


def _run(*command: str, given: str | None = None) -> str:
    """Standard output; raises BareFlowError with the first line of what the program says."""
    result = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        said = result.stderr.strip().splitlines() or ["no reason"]
        raise BareFlowError(f"LLVM {VERSION} cannot read it: {said[0]}")
    return result.stdout


def _check_version(file: Path) -> None:
    """Refuses what a newer LLVM has made: the reader may take it for something else."""
    begin = _run(llvm_tool("llvm-bcanalyzer"), "--dump", str(file))
    made_by = _PRODUCER.search(begin)
    if made_by and int(made_by[1]) > int(VERSION):
        raise BareFlowError(f"LLVM {made_by[1]} has made it, and this build has LLVM {VERSION}")


def _target_of(text: str) -> dict[str, str]:
    return {"datalayout": "", "triple": ""} | dict(_TARGET.findall(text))


def _check_target(text: str, own: str, triple: str) -> None:
    """text and own: bitcode as text, of which the second is the build's compiler's."""
    found, wanted = _target_of(text), _target_of(own)
    # ARCH-VENDOR-SYSTEM-ENVIRONMENT; without a vendor, ARCH-SYSTEM.
    arch, *rest = found["triple"].split("-")
    if arch != wanted["triple"].split("-")[0] or not set(rest[-2:]) & _NO_SYSTEM:
        raise BareFlowError(f"it is for the target '{found['triple']}'; compile it for {triple}")
    if found["datalayout"] != wanted["datalayout"]:
        raise BareFlowError(
            f"its data layout is '{found['datalayout']}', and that of {triple} '{wanted['datalayout']}'"
        )


def _without_flags(text: str) -> str:
    """Leaves those of _FLAG out of the module's."""
    dropped = set(_FLAG.findall(text))

    def kept(flags: re.Match[str]) -> str:
        names = [name for name in flags[1].split(", ") if name not in dropped]
        return f"!llvm.module.flags = !{{{', '.join(names)}}}"

    return _BY_TABLE.sub("", _FLAGS.sub(kept, text))


def take(clang: str, opt: str, plugin: Path, triple: str, source: Path, target: Path) -> None:
    """Writes to target what is linked of the bitcode in source, for this triple; raises BareFlowError.
    plugin: of opt, with the pass library-functions."""
    try:
        with source.open("rb") as file:
            if file.read(4) not in _MAGIC:
                raise BareFlowError("it is no LLVM bitcode")
        _check_version(source)
        text = _run(llvm_tool("llvm-dis"), str(source), "-o", "-")
        own = _run(clang, "-target", triple, "-S", "-emit-llvm", "-x", "c", "/dev/null", "-o", "-")
        _check_target(text, own, triple)
        attributes = [f"-force-attribute={name}" for name in _ATTRIBUTES]
        options = [
            f"-mtriple={triple}",
            f"-load-pass-plugin={plugin}",
            "-passes=library-functions,forceattrs",
        ]
        options += attributes
        _run(opt, *options, "-", "-o", str(target), given=_without_flags(text))
    except BareFlowError as error:
        raise BareFlowError(f"{source.name}: {error}") from None
