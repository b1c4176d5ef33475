"""SCons tool: the target `evolve`, the life of full's disk image as a table, CSV and a drawing."""

import sys
from typing import Any

from bareflow.bench.page import command_line
from python_module import run_module
from scons_paths import user_file

BOOTS = 8
ANOTHER_CPU = "Haswell"
PAGE = "#docs/measurements/evolve.md"


def _evolve(target: list[Any], source: list[Any], env: Any) -> int:
    values = {
        "image": source[0].abspath,
        "folder": env.Dir("$BUILD/evolve").abspath,
        "boots": env.get("boots") or BOOTS,
        "workload": source[1].abspath,
        "cpu": ANOTHER_CPU,
    }
    if env["save"]:
        values |= {"page": env.File(PAGE).abspath, "command": command_line(sys.argv[1:])}
    return run_module("bareflow.evolve.evolve", standard_output=env.get("MODEL_OUTPUT"), **values)


def _evolve_target(env: Any, name: str, image: Any) -> None:
    """The target `name`, which boots a copy of the image again and again; never up to date."""
    sources = [image, user_file(env, env["workload"])]
    env.AlwaysBuild(env.Alias(name, sources, env.Step(_evolve, "EVOLVE", "$SOURCE")))


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_evolve_target, "EvolveTarget")
