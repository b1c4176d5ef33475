"""The bench of an ordinary program: each run of its workload in QEMU, native and while full learns.

Times are QEMU's processor time, of which the least counts, because everything else on the machine only ever
slows a boot down. Instructions are those of the whole machine from power-on to the program's end.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from bareflow.app_workload import END_OF_INPUT
from bareflow.bench.case import Case, progress, take_turns
from bareflow.bench.guest_cases import COUNTING, LIMIT
from bareflow.bench.guest_session import Session, follow, typing
from bareflow.bench.tables import Row, render
from bareflow.coverage.workload import Run, load_workload
from bareflow.disk.image_copy import copy_image
from bareflow.evolve.generation import compiling
from bareflow.qemu.machine import Machine
from bareflow.run.run import default_memory

BOOTS = 3
"""Of full on one disk, one after the other."""
REPETITIONS = 3
NATIVE = "native"
MEBIBYTE = 1 << 20
LEVEL_LIMIT = 1800.0
"""Seconds after which a boot that is held on a level, and counts instructions, counts as hung."""
LEVELS = {
    "interpreter": {"jit.max_level": "interpreter", "jit.interpret_loops": "1000"},
    **{level: {"jit.tier0": level, "jit.max_level": level} for level in ("O0", "O1", "O2", "O3")},
}
"""Settings that hold `full` on a level: what is not interpreted is compiled for it at its first call."""
HELD = """Each is booted once. A level that is not interpreted compiles every function at its first call,
which no policy would do; nothing is kept from one boot to the next."""
FEWER = "The arguments are those in app.toml for levels."


def program_bench(arguments: Mapping[str, str]) -> list[Case[dict[str, list[Session]]]]:
    """The runs of workload=, or one with args=, by the image image=, which has a JIT engine if there is
    native= as well. With levels=1 they are of native, and of full held on each level."""
    image, native = Path(arguments["image"]), arguments.get("native")
    runs = uses(arguments)
    if native and "levels" in arguments:
        runs = [replace(run, config=run.levels or run.config) for run in runs]
        by_level = partial(_measure_levels, image=image, native=Path(native))
        return [Case(partial(by_level, run), partial(_level_tables, run), _complaints) for run in runs]
    measure = partial(_measure, image=image, native=Path(native) if native else None)
    return [Case(partial(measure, run), partial(_tables, run), _complaints) for run in runs]


def uses(arguments: Mapping[str, str]) -> list[Run]:
    """What the program is used for by the file workload=: a recording makes each use twice, and further runs
    on Linux. With args= it is one use with these arguments."""
    if "args" in arguments:
        return [Run("args", {"args": arguments["args"]}, END_OF_INPUT)]
    found: dict[tuple[str, str], Run] = {}
    for run in load_workload(Path(arguments["workload"])).runs:
        if run.platform == "bare":
            found.setdefault((str(run.config), run.input), run)
    return list(found.values())


def _boot(machine: Machine, run: Run, limit: float = LIMIT) -> Session:
    return follow(machine, limit, partial(typing, run.input), run.code)


def _machine(image: Path, run: Run, extra: Sequence[str]) -> Machine:
    # The machine writes no kernel of its own in the middle of this.
    config = {**run.config, "life.settle": 0}
    return Machine(image, config=config, memory=run.memory or default_memory(image), extra=extra)


def _learning(image: Path, run: Run, extra: Sequence[str]) -> list[Session]:
    with tempfile.TemporaryDirectory() as folder:
        disk = copy_image(image, Path(folder) / "disk.img")
        machine = replace(_machine(disk, run, extra), snapshot=False)
        return [_boot(machine, run) for _ in range(BOOTS)]


def _measure(run: Run, image: Path, native: Path | None) -> dict[str, list[Session]]:
    """Boots by what is booted; the last one of each counts instructions."""
    plain = native or image

    def measure(extra: Sequence[str]) -> dict[str, Session]:
        made = {NATIVE: _boot(_machine(plain, run, extra), run)}
        if native:
            names = [f"full, boot {number + 1}" for number in range(BOOTS)]
            made |= zip(names, _learning(image, run, extra), strict=True)
        return made

    columns: dict[str, Callable[[], dict[str, Session]]] = {"": partial(measure, ())}
    turns = take_turns(columns, REPETITIONS, f"{run.name}, turn {{turn}} of {{turns}}")[""]
    turns.append(measure(COUNTING))
    return {name: [turn[name] for turn in turns] for name in turns[0]}


def _measure_levels(run: Run, image: Path, native: Path) -> dict[str, list[Session]]:
    """Boots by what is booted, each once: they count instructions, which are about the same every time."""
    progress(f"{run.name}, {NATIVE}")
    made = {NATIVE: [_boot(_machine(native, run, COUNTING), run)]}
    machine = _machine(image, run, COUNTING)
    for level, settings in LEVELS.items():
        progress(f"{run.name}, {level}")
        config = {**machine.config, **settings, "jit.cache": "off", "jit.profile": "off"}
        made[level] = [_boot(replace(machine, config=config), run, LEVEL_LIMIT)]
    return made


def own_cycles(boot: Session) -> int:
    """What the program itself took, without what came before it, and without reading and compiling it."""
    if not boot.llvm:
        (started,), ended = boot.events_named("boot"), boot.events_named("exit")[-1]
        return int(ended["cycles"] - started["loader_cycles"] - started["kernel_cycles"])
    (read,), ended = boot.events_named("llvm"), boot.events_named("jit")[-1]
    return int(ended["cycles"] - read["program_cycles"] - ended["compile_cycles"])


def _costs(boot: Session) -> Mapping[str, int]:
    return boot.events_named("jit")[-1] if boot.llvm else {"compile_cycles": 0, "compiled": 0}


def _level_tables(run: Run, found: Mapping[str, Sequence[Session]]) -> list[str]:
    boots = [boots[-1] for boots in found.values()]
    ends = [boot.events_named("exit")[-1]["cycles"] for boot in boots]
    rows: list[Row] = [
        ("million instructions, power-on to end", [f"{cycles / 1e6:.0f}" for cycles in ends]),
        ("   of that, compiling", [f"{_costs(boot)['compile_cycles'] / 1e6:.0f}" for boot in boots]),
        ("   of that, the program itself", [f"{own_cycles(boot) / 1e6:.1f}" for boot in boots]),
        ("functions compiled", [str(_costs(boot)["compiled"]) for boot in boots]),
    ]
    how = [HELD, FEWER] if run.levels else [HELD]
    return ["\n".join([render(_title(run), list(found), rows), *how])]


def _title(run: Run) -> str:
    return ": ".join(filter(None, (run.name, str(run.config.get("args", "")))))


def _tables(run: Run, found: Mapping[str, Sequence[Session]]) -> list[str]:
    def least(value: Callable[[Session], float], form: str) -> list[str]:
        return [form.format(min(map(value, boots[:-1]))) for boots in found.values()]

    def last(value: Callable[[Session], float], form: str) -> list[str]:
        return [form.format(value(boots[-1])) for boots in found.values()]

    def ended(boot: Session) -> Mapping[str, int]:
        return boot.events_named("exit")[-1]

    rows: list[Row] = [
        ("power-on to the first output, s", least(lambda boot: boot.first_output.processor, "{:.3f}")),
        ("power-on to the program's end, s", least(lambda boot: boot.program_end.processor, "{:.3f}")),
        ("   of that, compiling, s", least(compiling, "{:.3f}")),
        ("million instructions", last(lambda boot: ended(boot)["cycles"] / 1e6, "{:.1f}")),
        ("heap at its peak, MiB", least(lambda boot: ended(boot)["heap_peak"] / MEBIBYTE, "{:.2f}")),
    ]
    return [render(_title(run), list(found), rows)]


def _complaints(found: Mapping[str, Sequence[Session]]) -> list[str]:
    outputs = {b"".join(text.text for text in boot.generations) for boots in found.values() for boot in boots}
    return ["the outputs differ"] if len(outputs) != 1 else []
