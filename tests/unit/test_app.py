"""Descriptions of programs, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from bareflow import app_source
from bareflow.app import App, AppError, Use, load_app
from bareflow.app_source import AppSource
from bareflow.app_workload import workload_text
from bareflow.source_package import Source


def folder(path: Path, toml: str | None = None) -> Path:
    made = path / "game"
    (made / "deep" / "er").mkdir(parents=True)
    for name in ("main.c", "deep/er/more.cpp", "deep/a.h", "notes.txt"):
        (made / name).write_text("")
    if toml is not None:
        (made / "app.toml").write_text(toml)
    return made


def test_without_description(tmp_path: Path) -> None:
    made = folder(tmp_path)
    assert load_app(made) == App(made, "game")
    assert load_app(made).sources() == [made / "deep/er/more.cpp", made / "main.c"]


def test_description(tmp_path: Path) -> None:
    made = folder(
        tmp_path,
        'name = "Game-2"\ninclude = ["deep"]\ndefines = ["A=1"]\nflags = ["-w"]\noptimisation = "-Os"\n'
        'stack = "2M"\nmemory = 300\nargs = "a b"\n[files]\n"/DATA/NOTES.TXT" = "notes.txt"\n',
    )
    files = {"/DATA/NOTES.TXT": made / "notes.txt"}
    wanted = App(made, "Game-2", ["deep"], ["A=1"], ["-w"], "-Os", "2M", "a b", files, memory=300)
    assert load_app(made) == wanted
    assert "\nmemory = 300\n" in workload_text(wanted)


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("title = 'x'", "there is no key 'title'; there are args, defines, files, flags, include, memory, "),
        ("name = 'a b'", "name: 'a b' must be letters, digits, "),
        ("name = ''", "name: '' must be letters"),
        ("name = '../x'", "name: '../x' must be letters"),
        ("include = 'deep'", "include must be a list of texts"),
        ("include = ['none']", "include: there is no folder "),
        ("defines = [1]", "defines must be a list of texts"),
        ("args = 1", "args must be a text"),
        ("memory = '1G'", "memory must be a number of MiB"),
        ("memory = 0", "memory must be a number of MiB"),
        ("memory = true", "memory must be a number of MiB"),
        ("files = 1", "files must be a table of texts"),
        ("[files]\n'/A.TXT' = 'none.txt'", "files: there is no file "),
        ("[files]\n'A.TXT' = 'notes.txt'", "files: 'A.TXT' must be a path of 8.3 names that begins with '/'"),
        ("[files]\n'/long-name.text' = 'notes.txt'", "files: '/long-name.text' must be"),
        ("[files]\n'/boot/A.TXT' = 'notes.txt'", "files: '/boot/A.TXT' must be"),
        (
            "workload = 1",
            "workload must be tables [[workload]] with texts args, input and levels, and a number status",
        ),
        ("[[workload]]\nargs = 1", "workload must be tables"),
        ("[[workload]]\nstdin = 'x'", "workload must be tables"),
        ("x = ", "app.toml: Invalid value"),
        ("\udcff", "app.toml: 'utf-8' codec can't decode"),
    ],
)
def test_wrong_description(tmp_path: Path, toml: str, message: str) -> None:
    made = folder(tmp_path)
    (made / "app.toml").write_bytes(toml.encode("utf-8", "surrogateescape"))
    with pytest.raises(AppError) as error:
        load_app(made)
    assert message in str(error.value) and str(made / "app.toml") in str(error.value)


def test_wrong_folder(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="there is no folder"):
        load_app(tmp_path / "none")
    with pytest.raises(AppError, match="has no C or C\\+\\+ file"):
        load_app(tmp_path)


PACKAGE = f'[source]\npath = "pool/x.tar.gz"\nsha256 = "{"a" * 64}"\nparts = ["src", "m"]\n'


def test_source_package(tmp_path: Path) -> None:
    (tmp_path / "app.toml").write_text(
        PACKAGE + 'compile = ["src/a.c"]\nmake = "make x"\n[source.tools]\nmake = "make"\n'
    )
    source = load_app(tmp_path).source
    package = Source("pool/x.tar.gz", "a" * 64, ("src", "m"))
    assert source == AppSource(package, ["src/a.c"], "make x", {"make": "make"})
    assert load_app(tmp_path).sources() == []


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("source = 1", "source must be a table"),
        (PACKAGE, "source: compile is missing"),
        (PACKAGE + "compile = []", "source: compile must be a list of paths in the package"),
        (PACKAGE + "compile = ['../a.c']", "source: compile must be a list of paths"),
        (PACKAGE + "compile = ['/a.c']", "source: compile must be a list of paths"),
        (
            PACKAGE + "compile = ['a.c']\nfolder = 'x'",
            "source: there is no key 'folder'; there are compile, ",
        ),
        (PACKAGE + "compile = ['a.c']\ntools = {a = 1}", "source: tools must be a table of texts"),
        (
            PACKAGE.replace("aaaa", "AAAA") + "compile = ['a.c']",
            "source: sha256 must be 64 hexadecimal digits",
        ),
    ],
)
def test_wrong_source_package(tmp_path: Path, toml: str, message: str) -> None:
    (tmp_path / "app.toml").write_text(toml)
    with pytest.raises(AppError) as error:
        load_app(tmp_path)
    assert message in str(error.value)


def test_what_is_laid_out_and_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = tmp_path / "given"
    (given / "src").mkdir(parents=True)
    (given / "src/a.c").write_text("a")
    (tmp_path / "to").mkdir()
    (tmp_path / "to/old.c").write_text("old")
    monkeypatch.setattr(app_source, "folder_of", lambda *_: given)
    package = Source("pool/x.tar.gz", "a" * 64, ("src",))
    made = AppSource(package, ["src/a.c", "b.c"], 'echo "$CC" >b.c')
    app_source.lay_out("x", made, tmp_path, tmp_path / "to", "clang", print)
    found = {str(path.relative_to(tmp_path / "to")) for path in (tmp_path / "to").rglob("*.c")}
    assert found == {"src/a.c", "b.c"}
    assert (tmp_path / "to/b.c").read_text() == "clang\n"
    assert not (given / "b.c").exists()
    for source, message in (
        (AppSource(package, ["b.c"]), "there is no b.c to compile"),
        (AppSource(package, ["b.c"], "echo why >&2; exit 3"), "exit 3: status 3\nwhy\n"),
    ):
        with pytest.raises(app_source.AppSourceError) as error:
            app_source.lay_out("x", source, tmp_path, tmp_path / "to", "clang", print)
        assert message in str(error.value)


def test_workload(tmp_path: Path) -> None:
    made = folder(
        tmp_path,
        'args = "a"\n[[workload]]\n[[workload]]\nargs = "b"\ninput = "c"\nstatus = 2\nlevels = "d"\n',
    )
    assert load_app(made).uses() == [Use("a"), Use("b", "c", 2, "d")]
    (made / "app.toml").write_text('args = "a"\n')
    assert load_app(made).uses() == [Use("a")], "one run as `run` makes it"
