"""Which Python a step depends on: found by following imports and names, in a small made-up project."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from python_imports import OURS, PythonSources

FILES = {
    "site/pack/__init__.py": "",
    "site/pack/errors.py": "",
    "site/pack/disk/__init__.py": "from pack.errors import Wrong",
    "site/pack/disk/image.py": (
        "import struct\nfrom pack.disk import (\n    layout,\n    names as n,  # and why\n)"
    ),
    "site/pack/disk/layout.py": "def size():\n    from pack.heavy import weigh\n    return weigh()",
    "site/pack/disk/names.py": "VALUE = 1",
    "site/pack/heavy.py": "import lz4.block\nimport pack.loop, os",
    "site/pack/loop.py": "from pack import heavy  # a cycle",
    "site/pack/unused.py": "from pack.disk import image",
    "site/start.py": (
        "START = 'a'\ndef run(module):\n    return START + module\n\ndef other():\n    return 'not run'"
    ),
    "site/site_tools/tool.py": """
from pack.disk.names import VALUE
from start import run

SIZE = 4
LIMITS = (SIZE, 5)
TEXT = "no.such.module"


def _helper():
    return LIMITS


def make(target, source, env):
    from pack import errors

    return _helper(), errors


def start(target, source, env):
    return run("pack.disk.layout"), TEXT


def value(target, source, env):
    return VALUE


def unrelated(target, source, env):
    return 0
""",
    "requirements.txt": "lief==1.2.3 \\\n    --hash=sha256:0\nlz4==4.4.5 \\\n    --hash=sha256:1\n",
}


class Project:
    """The made-up project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))

    @property
    def sources(self) -> PythonSources:
        """As a new build sees them."""
        return PythonSources(self.folder / "site", "pack")

    def closure(self, *modules: str, **options: Any) -> list[str]:
        package = self.folder / "site" / "pack"
        return [
            str(file.relative_to(package).with_suffix(""))
            for file in self.sources.closure(*modules, **options)
        ]

    def digest(self, name: str, **options: Any) -> str:
        return self.sources.digest(self.function(name), **options)

    def function(self, name: str) -> Callable[..., Any]:
        """A function of tool.py."""
        text = (self.folder / "site" / "site_tools" / "tool.py").read_text()
        imports = ("from pack.disk.names import VALUE", "from start import run")
        for line in imports:
            text = text.replace(line, "")  # it is not called
        space: dict[str, Any] = {}
        exec(compile(text, self.folder / "site" / "site_tools" / "tool.py", "exec"), space)
        found: Callable[..., Any] = space[name]
        return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_closure_of_imports(project: Project) -> None:
    """Of modules, of names in them, of packages; inside functions; over several lines; in a circle."""
    assert project.closure("pack.disk.image") == sorted(
        ["__init__", "disk/__init__", "disk/image", "disk/layout", "disk/names", "errors", "heavy", "loop"]
    )
    assert project.closure("pack.errors") == ["__init__", "errors"]
    assert project.closure("pack.loop") == ["__init__", "heavy", "loop"]


def test_closure_of_a_package(project: Project) -> None:
    """Its __init__.py, and what that imports; not all modules in it."""
    assert project.closure("pack.disk") == ["__init__", "disk/__init__", "errors"]


def test_closure_of_several_modules(project: Project) -> None:
    assert project.closure("pack.errors", "pack.loop") == ["__init__", "errors", "heavy", "loop"]


def test_unknown_module(project: Project) -> None:
    with pytest.raises(ValueError, match=r"there is no module pack\.disk\.no"):
        project.closure("pack.errors", "pack.disk.no")


def test_closure_without(project: Project) -> None:
    """Neither a module that is left out nor what only that imports; names that begin alike stay."""
    without = project.closure("pack.disk.image", without=("pack.heavy",))
    assert without == ["__init__", "disk/__init__", "disk/image", "disk/layout", "disk/names", "errors"]
    assert project.closure("pack.unused", without=("pack.disk",)) == ["__init__", "unused"]
    assert project.closure("pack.loop", without=("pack.he",)) == ["__init__", "heavy", "loop"]


def test_function_names_constants_and_helpers(project: Project) -> None:
    source, files = project.sources.code_of(project.function("make"))
    assert [name.partition(":")[2] for name in source] == ["make", "_helper", "LIMITS", "SIZE"]
    assert [file.stem for file in files] == ["__init__", "errors"]


def test_function_that_starts_a_program(project: Project) -> None:
    """A module that is named in a string, and the function of another script that starts it."""
    source, files = project.sources.code_of(project.function("start"))
    assert sorted(source) == [
        "site_tools/tool.py:TEXT",
        "site_tools/tool.py:start",
        "start.py:START",
        "start.py:run",
    ]
    assert [file.stem for file in files if file.stem != "__init__"] == ["layout", "errors", "heavy", "loop"]
    source, _ = project.sources.code_of(project.function("start"), without=("start",))
    assert sorted(source) == ["site_tools/tool.py:TEXT", "site_tools/tool.py:start"]


def test_global_import_of_a_tool(project: Project) -> None:
    _, files = project.sources.code_of(project.function("value"))
    assert [file.stem for file in files if file.stem != "__init__"] == ["names", "errors"]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("site/site_tools/tool.py", "SIZE = 4", "SIZE = 5"),
        ("site/site_tools/tool.py", "return LIMITS", "return LIMITS[0]"),
        ("site/site_tools/tool.py", "_helper(), errors", "errors"),
        ("site/pack/errors.py", "", "text = 1"),
    ],
)
def test_digest_changes(project: Project, name: str, old: str, new: str) -> None:
    before = project.digest("make")
    assert project.digest("make") == before
    project.replace(name, old, new)
    assert project.digest("make") != before


def test_digest_does_not_change_with_other_functions(project: Project) -> None:
    before = project.digest("make")
    project.replace("site/site_tools/tool.py", "return 0", "return 1")
    project.replace("site/pack/heavy.py", "os", "re")
    assert project.digest("make") == before


def test_digest_changes_with_packages_of_others(project: Project) -> None:
    """With the versions of those that are imported, and of no others."""
    before = project.digest("start")
    project.replace("requirements.txt", "lief==1.2.3", "lief==1.2.4")
    assert project.digest("start") == before
    project.replace("requirements.txt", "lz4==4.4.5", "lz4==4.5.0")
    assert project.digest("start") != before
    assert project.digest("start", without=("pack.heavy",)) != project.digest("start")


def test_digest_is_the_same_in_another_folder(project: Project, tmp_path: Path) -> None:
    """The shared cache finds what another checkout has made."""
    assert Project(tmp_path / "other").digest("start") == project.digest("start")


def test_the_project_s_own_steps() -> None:
    """The recording of coverage is not done again for an edit of what boots the guest."""
    place = Path(__file__).resolve().parents[2] / "site_scons" / "site_tools" / "coverage.py"
    spec = importlib.util.spec_from_file_location("coverage_tool", place)
    assert spec and spec.loader
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    _, files = OURS.code_of(tool._record)
    _, less = OURS.code_of(tool._record, tool.HARNESS)
    names = {"/".join(file.parts[-2:]) for file in set(files) - set(less)}
    assert {"qemu/machine.py", "qemu/guest.py", "run/run.py", "bareflow/program.py"} <= names
    assert {"record.py", "guest_coverage.py", "workload.py"} <= {file.name for file in less}


def test_headers_that_a_module_reads() -> None:
    files = {"/".join(file.parts[-2:]) for file in OURS.closure("bareflow.kernel.kernel_file")}
    assert {"kernel/kernel_file.py", "bareflow/layouts.py", "boot/kernel_header.h"} <= files
