"""SCons tool: the target `evolve`, the life of full's disk image as a table, CSV and a drawing."""

import sys
from pathlib import Path
from typing import Any

from bareflow.bench.page import command_line
from bareflow.models.model_catalogue import DEFAULT
from build_options import TOP
from python_module import run_module

BOOTS = 8
ANOTHER_CPU = "Haswell"
PAGES = "#docs/measurements"


def _evolve(target: list[Any], source: list[Any], env: Any) -> int:
    values = {
        "image": source[0].abspath,
        "folder": env.Dir("$BUILD/evolve").abspath,
        "boots": env.get("boots") or BOOTS,
        "workload": source[1].abspath,
        "cpu": ANOTHER_CPU,
    }
    model = "" if env["model"] == DEFAULT else Path(env["model"]).stem
    if env["HOSTED"]:
        values["program"] = "1"
        model = env["HOSTED"].name
    if model:
        values |= {"model": model}
    if env["save"]:
        page = f"evolve-{model}" if model else "evolve"
        path = Path(env.Dir(PAGES).abspath) / f"{page}.md"
        values |= {"page": str(path), "command": command_line(sys.argv[1:], TOP)}
    return run_module("bareflow.evolve.evolve", standard_output=env.get("MODEL_OUTPUT"), **values)


def _evolve_target(env: Any, name: str, image: Any) -> None:
    """The target `name`, which boots a copy of the image again and again; never up to date."""
    sources = [image, env.WorkloadFile()]
    env.AlwaysBuild(env.Alias(name, sources, env.Step(_evolve, "EVOLVE", "$SOURCE")))


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_evolve_target, "EvolveTarget")
