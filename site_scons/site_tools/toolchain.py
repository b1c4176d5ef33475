"""SCons tool: the programs of the toolchain, checked; outputs depend on their versions and hashes."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from bareflow.llvm import llvm_tool
from bareflow.tool_identity import ToolError, Tools
from SCons.Subst import Literal

PROGRAMS = {
    "CC": llvm_tool("clang"),
    "CXX": llvm_tool("clang++"),
    "LD": llvm_tool("ld.lld"),
    "LLVM_AR": llvm_tool("llvm-ar"),
    "LLVM_NM": llvm_tool("llvm-nm"),
    "LLVM_CXXFILT": llvm_tool("llvm-cxxfilt"),
    "LLVM_DWARFDUMP": llvm_tool("llvm-dwarfdump"),
    "LLVM_CONFIG": llvm_tool("llvm-config"),
    "LLVM_LINK": llvm_tool("llvm-link"),
    "LLVM_OBJCOPY": llvm_tool("llvm-objcopy"),
    "LLVM_OPT": llvm_tool("opt"),
    "AS": "nasm",
    "MTOOLS": "mtools",
}
_VERSIONED = ("CC", "LD", "AS", "LLVM_CONFIG", "MTOOLS")
_PASSED_ON = ("PATH", "HOME", "TMPDIR", "TERM", "XDG_CACHE_HOME", "BAREFLOW_MODELS")

ARCHITECTURES: dict[str, dict[str, Any]] = {
    "x86_64": {
        "TARGET_FLAGS": ["-target", "x86_64-unknown-none-elf", "-mcmodel=small"],
        "NASM_FORMAT": "elf64",
    },
    "i386": {
        # The first CPU with SSE2, which some builds of clang leave out all the same. Without it floats would
        # be rounded as the x87 has them.
        "TARGET_FLAGS": ["-target", "i386-unknown-none-elf", "-march=pentium4", "-msse2", "-mfpmath=sse"],
        "NASM_FORMAT": "elf32",
    },
}
"""What the tools are told of each value of arch=."""

_RUNTIME = ["--rtlib=compiler-rt", "-print-libgcc-file-name"]


def _version(tools: Tools, program: str) -> str:
    """The first line of its --version, and the hash of its bytes."""
    return f"{tools.answer(program, '--version').splitlines()[0]} {tools.digest(program)}"


def _compiler_for_this_cpu(env: Any) -> Any:
    """A node that also changes with what -march=native means."""
    command = [env["CC"], "-march=native", "-dM", "-E", "-x", "c", "/dev/null"]
    macros = subprocess.run(command, env=env["ENV"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return env.Value(env["TOOL_VERSION"]["CC"].read() + "\n" + macros)


def _for_architecture(env: Any, name: str) -> Any:
    """A copy of env that compiles for another architecture."""
    return env.Clone(arch=name, COMPILER_RUNTIME=env["COMPILER_RUNTIMES"][name], **ARCHITECTURES[name])


def exists(env: Any) -> bool:
    return all(map(shutil.which, PROGRAMS.values()))


def generate(env: Any) -> None:
    missing = [program for program in PROGRAMS.values() if not shutil.which(program)]
    if missing:
        sys.exit(f"bareflow: {', '.join(missing)} not found. ./bareflow installs what is missing.")
    env["ENV"] = {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | {"LC_ALL": "C.UTF-8"}
    for tool in ("cc", "cxx", "nasm"):
        env.Tool(tool)
    env.Replace(
        PYTHON=Literal(sys.executable),
        LD_PATH=Literal(f"--ld-path={shutil.which(PROGRAMS['LD'])}"),
        **PROGRAMS,
    )
    env["ESCAPE"] = shlex.quote  # SCons's own leaves a backquote to the shell
    # SCons would look at the date of a compiler's front-end, and not at its libraries: TOOL_VERSION does.
    env["IMPLICIT_COMMAND_DEPENDENCIES"] = 0
    tools = Tools(Path(env.Dir("$BUILD_ROOT").abspath) / ".tools.json")
    try:
        runtimes = {
            name: tools.answer(PROGRAMS["CC"], "-target", f"{name}-pc-linux-gnu", *_RUNTIME)
            for name in ARCHITECTURES
        }
        versions = {name: _version(tools, PROGRAMS[name]) for name in _VERSIONED}
    except ToolError as error:
        sys.exit(f"bareflow: {error}")
    for runtime in runtimes.values():
        if not os.path.isfile(runtime):
            sys.exit(f"bareflow: {runtime} not found. ./bareflow installs what is missing.")
    # The functions that the compiler calls where the processor has no instruction, such as 128-bit division.
    env["COMPILER_RUNTIMES"] = {name: env.File(runtime) for name, runtime in runtimes.items()}
    env.Replace(COMPILER_RUNTIME=env["COMPILER_RUNTIMES"][env["arch"]], **ARCHITECTURES[env["arch"]])
    env.AddMethod(_for_architecture, "ForArchitecture")
    env["TOOL_VERSION"] = {name: env.Value(version) for name, version in versions.items()}
    env.AddMethod(_compiler_for_this_cpu, "CompilerForThisCpu")
