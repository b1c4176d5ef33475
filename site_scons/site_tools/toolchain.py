"""SCons tool: the programs of the toolchain, checked, and their versions as nodes that outputs depend on."""

import os
import shlex
import shutil
import subprocess
import sys
from typing import Any

from bareflow.llvm import llvm_tool
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


_RUNTIME = ["-target", "x86_64-pc-linux-gnu", "--rtlib=compiler-rt", "-print-libgcc-file-name"]


def _answers() -> dict[str, str]:
    """The first line of each program's --version, and where the compiler has its runtime library: asked for
    side by side."""
    questions = {name: [PROGRAMS[name], "--version"] for name in _VERSIONED}
    questions["RUNTIME"] = [PROGRAMS["CC"], *_RUNTIME]
    running = {
        name: subprocess.Popen(question, stdout=subprocess.PIPE, text=True)
        for name, question in questions.items()
    }
    return {name: process.communicate()[0].partition("\n")[0] for name, process in running.items()}


def _compiler_for_this_cpu(env: Any) -> Any:
    """A node that also changes with what -march=native means."""
    command = [env["CC"], "-march=native", "-dM", "-E", "-x", "c", "/dev/null"]
    macros = subprocess.run(command, env=env["ENV"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return env.Value(env["TOOL_VERSION"]["CC"].read() + "\n" + macros)


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
    # A version names a tool better than the hash of its front-end, which is all that SCons would look at.
    env["IMPLICIT_COMMAND_DEPENDENCIES"] = 0
    answers = _answers()
    runtime = answers.pop("RUNTIME")
    if not os.path.isfile(runtime):
        sys.exit(f"bareflow: {runtime} not found. ./bareflow installs what is missing.")
    # The functions that the compiler calls where the processor has no instruction, such as 128-bit division.
    env["COMPILER_RUNTIME"] = env.File(runtime)
    env["TOOL_VERSION"] = {name: env.Value(version) for name, version in answers.items()}
    env.AddMethod(_compiler_for_this_cpu, "CompilerForThisCpu")
