"""./bareflow: fast and silent on a prepared machine, and clear on one that is not."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import needed_python
import pytest
from bareflow.llvm import llvm_tool

ROOT = Path(__file__).resolve().parents[2]
PYTHON = """#!/bin/sh
[ "$1 $2" = "-I -c" ] && exit
[ "$1" = site_scons/start_scons.py ] && shift
echo "cwd $PWD, from $BAREFLOW_CWD"
for argument; do echo "<$argument>"; done
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the launcher and a prepared .venv whose Python only prints the arguments of SCons."""
    folder = tmp_path / "a project"
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / "site_scons").mkdir()
    for name in ("bareflow", "requirements.txt", "site_scons/llvm_version"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copy(ROOT / "requirements.txt", folder / ".venv" / "requirements.txt")
    python = folder / ".venv" / "bin" / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    return folder


def launch(project: Path, *arguments: str, cwd: Path, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [project / "bareflow", *arguments],
        cwd=cwd,
        env={"PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_hands_its_arguments_to_scons(project: Path, tmp_path: Path) -> None:
    result = launch(project, "run", "prompt=two words", cwd=tmp_path, path=os.environ["PATH"])
    assert result.stdout.splitlines() == [
        f"cwd {project}, from {tmp_path}",
        "<-Q>",
        "<run>",
        "<prompt=two words>",
    ]
    assert (result.returncode, result.stderr) == (0, "")


def test_is_found_through_a_link(project: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(project / "bareflow")
    result = subprocess.run([tmp_path / "link", "x"], capture_output=True, text=True, check=True)
    assert f"cwd {project}" in result.stdout


def test_without_packages_and_without_apt_it_names_them(project: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "dirname", "readlink", "cmp", "flock", "id", "python3"):
        (tools / name).symlink_to(shutil.which(name) or name)
    result = launch(project, cwd=tmp_path, path=str(tools))
    assert result.returncode == 1
    assert result.stdout == ""
    wanted = f"please install, by the names that Debian gives them: {llvm_tool('clang')}"
    assert wanted in result.stderr and "nasm" in result.stderr and "mtools" in result.stderr


@pytest.mark.parametrize(
    ("argument", "wanted"),
    [("run", False), ("gdb=0", False), ("gdb=", False), ("gdb=1", True), ("gdb=4321", True), ("test", True)],
)
def test_a_debugger_is_installed_for_whom_it_serves(
    project: Path, tmp_path: Path, argument: str, wanted: bool
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "dirname", "readlink", "cmp", "flock", "id", "python3"):
        (tools / name).symlink_to(shutil.which(name) or name)
    result = launch(project, argument, cwd=tmp_path, path=str(tools))
    assert result.returncode == 1
    assert (" gdb" in result.stderr) == wanted


def test_what_a_program_s_sources_are_made_with_is_installed(project: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "dirname", "readlink", "cmp", "flock", "id", "python3"):
        (tools / name).symlink_to(shutil.which(name) or name)
    made = tmp_path / "a program"
    made.mkdir()
    (made / "app.toml").write_text(
        '[source]\nno = "x"\n[source.tools]\nsh = "x"\nm4-7 = "m4" # 7\n[files]\nf = "x"\n'
    )
    for argument in ("app=a program", f"app={made}"):
        result = launch(project, argument, cwd=tmp_path, path=str(tools))
        assert result.returncode == 1
        assert result.stderr.splitlines()[-1].endswith(" m4")
    assert " m4" not in launch(project, "app=", cwd=tmp_path, path=str(tools)).stderr


def test_without_root_it_prints_the_command(project: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "dirname", "readlink", "cmp", "python3"):
        (tools / name).symlink_to(shutil.which(name) or name)
    for name, script in {"apt-get": "exit 9", "id": "echo 1000"}.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    result = launch(project, cwd=tmp_path, path=str(tools))
    assert result.returncode == 1
    wanted = f"Please run:  sudo apt-get install --no-install-recommends {llvm_tool('clang')}"
    assert wanted in result.stderr


def test_an_upgraded_python_gets_its_packages(project: Path, tmp_path: Path) -> None:
    """.venv is the old one's: what its Python leads to has no packages any more."""
    tools = tmp_path / "tools"
    tools.mkdir()
    python = tools / "python3"
    python.write_text(
        '#!/bin/sh\n[ "$1 $2" != "-m venv" ] || { mkdir -p "$3/bin" && cp "$0.made" "$3/bin/python"; }\n'
    )
    (tools / "python3.made").write_text(PYTHON)
    for path in (python, tools / "python3.made"):
        path.chmod(0o755)
    old = project / ".venv" / "bin" / "python"
    for breaks in (lambda: old.write_text("#!/bin/sh\nexit 1\n"), old.unlink):
        breaks()
        result = launch(project, "run", cwd=tmp_path, path=f"{tools}:{os.environ['PATH']}")
        assert result.returncode == 0
        assert result.stderr.startswith("bareflow: installing Python packages into .venv\n")
        assert result.stdout.splitlines()[-2:] == ["<-Q>", "<run>"]
        assert "installing" not in launch(project, cwd=tmp_path, path=os.environ["PATH"]).stderr


@pytest.fixture
def old_venv(project: Path) -> Path:
    """A project whose .venv is to be made again."""
    (project / ".venv" / "requirements.txt").write_text("others\n")
    return project


def test_a_venv_that_may_not_be_written(old_venv: Path, tmp_path: Path) -> None:
    """Another user's; this user may be root, so `find` is told what it would find."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "find").write_text('#!/bin/sh\n[ "$2" = -maxdepth ] || echo "$1/lib"\n')
    for name in ("mktemp", "rm", "mv"):
        (tools / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/called\n")
    for tool in tools.iterdir():
        tool.chmod(0o755)
    result = launch(old_venv, cwd=tmp_path, path=f"{tools}:{os.environ['PATH']}")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        f"bareflow: cannot write .venv here: no permission to write {old_venv}/.venv/lib; "
        "its Python cannot be used by you\n"
    )
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize("failing", ["python3", "rm", "mv"])
def test_a_failure_leaves_no_temporary_folder(old_venv: Path, tmp_path: Path, failing: str) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    made = tmp_path / "made"
    scripts = {
        "mktemp": f"mkdir {made} && echo {made}",
        "python3": '[ "$1 $2" != "-m venv" ] || mkdir -p "$3/bin"',
    }
    broken = '[ "$1" = -c ]' if failing == "python3" else f'[ "$2" = {made} ] && exec /bin/{failing} "$@"'
    for name, script in {**scripts, failing: broken}.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    result = launch(old_venv, cwd=tmp_path, path=f"{tools}:{os.environ['PATH']}")
    assert result.returncode == 1
    assert not made.exists()


def test_standard_input_that_is_a_folder(project: Path) -> None:
    descriptor = os.open("/", os.O_RDONLY)
    result = subprocess.run([project / "bareflow", "run"], stdin=descriptor, capture_output=True, timeout=60)
    os.close(descriptor)
    assert (result.returncode, result.stdout) == (1, b"")
    assert result.stderr == b"bareflow: standard input is a folder\n"


SCONS_MAIN = """import os, sys
sys.path.append(os.environ["SITE"])
import run_status
def main():
    run_status.status = 141
    sys.exit(int(os.environ["SCONS_STATUS"]))
"""


@pytest.mark.parametrize(("scons_status", "status"), [("0", 141), ("2", 2)])
def test_status_of_run(tmp_path: Path, scons_status: str, status: int) -> None:
    """What SCons itself ends with only counts when it has failed."""
    script = tmp_path / "SCons" / "Script" / "Main.py"
    script.parent.mkdir(parents=True)
    for package in (script.parent, script.parents[1]):
        (package / "__init__.py").touch()
    script.write_text(SCONS_MAIN)
    site = ROOT / "site_scons"
    environment = {"PYTHONPATH": str(tmp_path), "SITE": str(site), "SCONS_STATUS": scons_status}
    result = subprocess.run([sys.executable, site / "start_scons.py"], env=environment, timeout=60)
    assert result.returncode == status


def test_scons_of_another_python_says_what_to_use() -> None:
    assert needed_python.complaint("4.4.0", (3, 11), ()) == "SCons 4.8 or later is needed, this is 4.4.0"
    assert needed_python.complaint("4.10.1", (3, 9), ()) == "Python 3.11 or later is needed, this is 3.9"
    assert needed_python.complaint("4.10.1", (3, 12), ()) == ""
    code = "import needed_python\nneeded_python.PACKAGES += ('no_such_module',)\nneeded_python.check()"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "site_scons", capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 1
    assert result.stderr == (
        f"bareflow: {sys.executable} has no module no_such_module. "
        "Please use ./bareflow: it has what is needed, and takes the same arguments.\n"
    )


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_a_clone_has_the_same_bytes_everywhere(tmp_path: Path) -> None:
    """Also with the setting with which git makes every line end in CR LF."""

    def git(*arguments: object) -> None:
        settings = ("-c", "user.name=x", "-c", "user.email=x", "-c", "core.autocrlf=true")
        subprocess.run(["git", *settings, *map(str, arguments)], cwd=tmp_path, check=True, timeout=60)

    original = tmp_path / "original"
    git("init", "--quiet", original)
    for name in (".gitattributes", "bareflow"):
        shutil.copy(ROOT / name, original)
    git("-C", original, "add", ".")
    git("-C", original, "commit", "--quiet", "-m", "x")
    git("clone", "--quiet", original, tmp_path / "clone")
    assert (tmp_path / "clone" / "bareflow").read_bytes() == (ROOT / "bareflow").read_bytes()


def test_early_ctrl_c(tmp_path: Path) -> None:
    """SCons is still being loaded: this one sends the signal itself."""
    script = tmp_path / "SCons" / "Script" / "Main.py"
    script.parent.mkdir(parents=True)
    for package in (script.parent, script.parents[1]):
        (package / "__init__.py").touch()
    script.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    result = subprocess.run(
        [sys.executable, ROOT / "site_scons" / "start_scons.py"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        timeout=60,
    )
    assert (result.returncode, result.stdout, result.stderr) == (-signal.SIGINT, b"", b"")


def test_new_is_no_build(project: Path) -> None:
    result = launch(project, "new", "a folder", cwd=project, path=os.environ["PATH"])
    assert result.stdout.splitlines()[1:] == ["<-m>", "<bareflow.new_program>", "<a folder>"]
