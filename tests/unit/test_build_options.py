"""The values of options: paths as the user meant them, characters that mean something to SCons, custom.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import build_folder
import build_options
import pytest
import variant_graph
from bareflow.qemu.machine import DRIVES
from bareflow.run.options import CONFIG, config_settings
from project_files import ROOT
from SCons.Environment import Base
from SCons.Tool import Tool
from scons_paths import user_file


@pytest.fixture
def called_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that ./bareflow is called in, by a link that is somewhere else."""
    folder = tmp_path / "real" / "folder"
    folder.mkdir(parents=True)
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "link").symlink_to(folder)
    monkeypatch.setenv("BAREFLOW_CWD", str(tmp_path / "links" / "link"))
    monkeypatch.setattr(build_options, "CUSTOM", tmp_path / "custom.py")
    return folder


TOOLS_FOLDER = ROOT / "site_scons" / "site_tools"
TOOLS = {file.stem: Tool(file.stem, [str(TOOLS_FOLDER)]) for file in TOOLS_FOLDER.glob("*.py")}


MODULES = [variant_graph, build_folder, *TOOLS.values()]


def declare(arguments: dict[str, str]) -> build_options.Options:
    """All options, as SConstruct declares them."""
    return build_options.declare(arguments.items(), MODULES)


def environment(**arguments: str) -> Any:
    options = declare(arguments)
    return build_options.set_options(options, lambda: Base(variables=options, tools=[]))


@pytest.mark.parametrize(
    "name", ["$M.bin", "${M}.bin", "$$.bin", "a  b.bin", "it's.bin", '"ü`:#.bin', "#.bin"]
)
@pytest.mark.parametrize("option", ["model", "tokenizer", "llvm_libc_tarball", "serial_log"])
def test_any_file_name(called_in: Path, option: str, name: str) -> None:
    (called_in / name).touch()
    env = environment(**{option: name})
    assert env[option] == str(called_in / name)
    assert user_file(env, env[option]).abspath == str(called_in / name)


def test_a_parent_is_that_of_the_folder_itself(called_in: Path) -> None:
    (called_in.parent / "m.bin").touch()
    assert environment(model="../m.bin")["model"] == str(called_in.parent / "m.bin")


def test_a_link_to_a_file_stays(called_in: Path, tmp_path: Path) -> None:
    """The tokenizer is looked for beside it."""
    (tmp_path / "stored").touch()
    (called_in / "m.bin").symlink_to(tmp_path / "stored")
    assert environment(model="m.bin")["model"] == str(called_in / "m.bin")


def test_lists_of_files(called_in: Path) -> None:
    (called_in / "$a").touch()
    (called_in / "b").touch()
    assert environment(coverage="$a,b")["coverage"] == f"{called_in / '$a'},{called_in / 'b'}"


def test_build_folder(called_in: Path) -> None:
    top = build_options.TOP
    assert environment()["build"] == "#build"
    assert environment(build="$out")["build"] == str(called_in / "$out")
    assert environment(build="build")["build"] == str(called_in / "build")
    assert environment(build=f"{top}/other")["build"] == "#other"


def test_a_build_folder_that_scons_would_change(called_in: Path) -> None:
    with pytest.raises(SystemExit, match="several spaces"):
        environment(build="a  b")


def test_a_missing_file_is_named_where_it_was_looked_for(called_in: Path) -> None:
    for option, message in {
        "model": f"model=../no.bin: there is no file {called_in.parent}/no.bin, and no",
        "tokenizer": f"tokenizer=: there is no file {called_in.parent}/no.bin",
    }.items():
        with pytest.raises(SystemExit, match=message):
            environment(**{option: "../no.bin"})


@pytest.mark.parametrize("variable", ["variant", "verbose"])
def test_wrong_values_are_a_sentence(called_in: Path, variable: str) -> None:
    with pytest.raises(SystemExit, match=f"bareflow: .*{variable}.*Full"):
        environment(**{variable: "Full"})


def test_custom_numbers_and_paths(called_in: Path, tmp_path: Path) -> None:
    """Values are what they would be on the command line; paths are relative to custom.py."""
    (tmp_path / "m.bin").touch()
    (called_in / "m.bin").touch()
    (tmp_path / "custom.py").write_text(
        "import os\nmodel = 'm.bin'\nsteps = 64\ntemperature = 0.5\nboots = 7\nverbose = True\n"
    )
    env = environment(steps="32")
    assert env["model"] == str(tmp_path / "m.bin")
    assert (env["steps"], env["temperature"], env["boots"], env["verbose"]) == ("32", "0.5", "7", True)
    assert environment(model="m.bin")["model"] == str(called_in / "m.bin")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model = 5", "model=5: there is no file {folder}/5, and no model of this name"),
        ("variant = 5", "Invalid value for enum variable 'variant': '5'"),
        ("x = 1\nmodel = 'a", "{folder}/custom.py, line 2: unterminated string literal"),
        ("x = 1\n\nboots = len(5)", "{folder}/custom.py, line 3: TypeError: object of type 'int' has no len"),
    ],
)
def test_custom_mistakes(called_in: Path, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "custom.py").write_text(text)
    with pytest.raises(SystemExit) as end:
        environment()
    assert str(end.value).startswith("bareflow: ")
    assert message.format(folder=tmp_path) in str(end.value)


@pytest.mark.parametrize("value", ["[1, 2]", "None", "b'x'", "{'a': 1}"])
def test_custom_values_of_other_types(called_in: Path, tmp_path: Path, value: str) -> None:
    (tmp_path / "custom.py").write_text(f"_own = [1]\nsteps = {value}\n")
    with pytest.raises(SystemExit) as end:
        environment()
    assert str(end.value) == (
        f"bareflow: {tmp_path}/custom.py: steps = {value}: a value is a string, a number, True or False"
    )


def test_custom_is_a_folder(called_in: Path, tmp_path: Path) -> None:
    (tmp_path / "custom.py").mkdir()
    with pytest.raises(SystemExit) as end:
        environment()
    assert str(end.value) == f"bareflow: {tmp_path}/custom.py cannot be read: Is a directory"


@pytest.mark.parametrize("value", ["²", "٣", "-1", ""])
def test_numbers_have_ascii_digits(called_in: Path, value: str) -> None:
    with pytest.raises(SystemExit, match=f"boots={value} is not a whole number"):
        environment(boots=value)


def test_drives_of_the_help_are_those_of_run() -> None:
    drive = next(option for option in declare({}).options if option.key == "drive")
    named = drive.help.rpartition(": ")[2].replace(" or ", ", ").split(", ")
    assert tuple(named) == DRIVES


@pytest.mark.parametrize(
    ("arguments", "debug"),
    [({}, False), ({"gdb": ""}, False), ({"gdb": "0"}, False), ({"gdb": "1"}, True), ({"debug": "1"}, True)],
)
def test_a_debugger_implies_debug(called_in: Path, arguments: dict[str, str], debug: bool) -> None:
    env = environment(**arguments)
    TOOLS["guest"].generate(env)
    assert env["debug"] == debug
    folder = "native-debug" if debug else "native"
    assert variant_graph.build_folder(env, "native") == f"$BUILD_ROOT/$arch/{folder}"


@pytest.mark.parametrize("value", ["-1", "yes", "65536"])
def test_a_debugger_has_a_port(called_in: Path, value: str) -> None:
    with pytest.raises(SystemExit, match=f"gdb={value} is neither 0 nor 1 nor a port's number"):
        environment(gdb=value)


def test_config_may_be_repeated(called_in: Path, tmp_path: Path) -> None:
    """A dictionary would keep only the last one; what custom.py says comes first."""
    (tmp_path / "custom.py").write_text("config = 'jit.budget=7 jit.idle=off'\n")
    pairs = [("steps", "8"), (CONFIG, "jit.budget=100"), (CONFIG, "$a='x  y' jit.cache=off")]
    options = build_options.declare(pairs, MODULES)
    env = build_options.set_options(options, lambda: Base(variables=options, tools=[]))
    assert config_settings([env[CONFIG]]) == {
        "jit.budget": "100",
        "jit.idle": "off",
        "$a": "x  y",
        "jit.cache": "off",
    }
    assert environment()[CONFIG] == "jit.budget=7 jit.idle=off"


def test_wrong_config(called_in: Path) -> None:
    with pytest.raises(SystemExit, match=r"bareflow: config=: 'jit\.budget' is not KEY=VALUE"):
        environment(config="jit.budget")


def test_custom_unknown_names(called_in: Path, tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text("import os\nstep = 64\n_folder = 'x'\ndef f(): pass\n")
    with pytest.raises(SystemExit, match="there is no option 'step'"):
        options = declare({})
        Base(variables=options, tools=[])
        build_options.check(options, {}, [])
