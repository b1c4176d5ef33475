"""The tables of the benches, made of what was measured."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median

from bareflow.bench.guest_session import Boot, Session, Time

MEBIBYTE = 1 << 20
NAME_WIDTH, WIDTH = 38, 14
PHASES = ((0, 1000), (1000, 2000))
"""Numbers of tokens between which the JIT's share of the time is given."""

Row = tuple[str, Sequence[str]]


def render(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Row],
    name_width: int = NAME_WIDTH,
    widths: Sequence[int] | None = None,
) -> str:
    """A table of text. The columns are WIDTH characters wide, if not as widths says."""
    widths = widths or [WIDTH] * len(columns)

    def line(name: str, values: Sequence[str]) -> str:
        cells = (f"{value:>{width}}" for value, width in zip(values, widths, strict=False))
        return f"{name:{name_width}}" + "".join(cells)

    return "\n".join([line(title, columns), *(line(name, row) for name, row in rows)])


def boot_table(boots: Sequence[Boot], memory: int) -> str:
    """From power-on to the first token, the least and the median of the boots; memory is in MiB."""
    cycles = {
        "stage1 to kernel, cycles": [boot.cycles("boot", "loader_cycles") for boot in boots],
        "kernel to main, cycles": [boot.cycles("boot", "kernel_cycles") for boot in boots],
        "main to first token, cycles": [boot.cycles("generate", "first_token_cycles") for boot in boots],
    }
    rows: list[Row] = [(name, [f"{min(all)}", f"{median(all):.0f}"]) for name, all in cycles.items()]
    seconds = [boot.seconds for boot in boots]
    rows.append(("QEMU start to first token, s", [f"{min(seconds):.3f}", f"{median(seconds):.3f}"]))
    rows.append(("least memory, MiB", [str(memory)]))
    return render("start", ["min", "median"], rows, name_width=30, widths=(12, 12))


def _moment(
    name: str, boots: Sequence[Sequence[Session]], when: Callable[[Session], Time | None]
) -> list[Row]:
    """A row of seconds on the wall, of processor time and of millions of cycles of the clock on the wall; "-"
    where the moment never comes."""
    rows: list[list[str]] = [[], [], []]
    for group in boots:
        moments = [moment for boot in group if (moment := when(boot))]
        if moments:
            wall = min(moment.wall for moment in moments)
            processor = min(moment.processor for moment in moments)
            values = [f"{wall:.2f}", f"{processor:.2f}", f"{wall * group[0].cycles_per_s / 1e6:.0f}"]
        else:
            values = ["-"] * len(rows)
        for row, value in zip(rows, values, strict=True):
            row.append(value)
    names = (f"power-on to {name}, s", "   processor time, s", "   million cycles")
    return list(zip(names, rows, strict=True))


def start_rows(boots: Mapping[str, Sequence[Session]]) -> list[Row]:
    """From power-on to the final speed: columns are groups of boots."""
    groups = list(boots.values())
    return [
        *_moment("LLVM ready", groups, lambda boot: boot.llvm),
        *_moment("first token", groups, lambda boot: boot.first_token),
        *_moment("steady state", groups, lambda boot: boot.steady),
    ]


def speed_rows(boots: Mapping[str, Sequence[Session]], native: str) -> list[Row]:
    """Tokens per second, and the share of what `native` reaches."""

    def best(name: str, rate: Callable[[Session], float]) -> list[Row]:
        rates = {group: max(map(rate, sessions)) for group, sessions in boots.items()}
        return [
            (name, [f"{value:.1f}" for value in rates.values()]),
            (f"   of {native}", [f"{value / rates[native]:.1%}" for value in rates.values()]),
        ]

    return [
        *best("tokens/s, first text", lambda boot: boot.generations[0].rate),
        *best("tokens/s, steady state", lambda boot: boot.final_rate),
        *best("   per s of processor time", lambda boot: boot.final_processor_rate),
    ]


LENGTHS = (64, 256, 500)
"""Tokens of a text for which the speed is compared with native's: short, the default, long."""


def length_columns() -> list[str]:
    return [f"{length} tokens" for length in LENGTHS]


PROCESSOR_TIME = "tokens/s of processor time"


def length_tables(
    pairs: Mapping[int, Sequence[tuple[float, float]]], unit: str = PROCESSOR_TIME
) -> list[str]:
    """The table of length_rows()."""
    return [render("by length", length_columns(), length_rows(pairs, unit))]


def length_rows(pairs: Mapping[int, Sequence[tuple[float, float]]], unit: str = PROCESSOR_TIME) -> list[Row]:
    """Speeds in this unit by the length of the texts; pairs are full's and native's, measured one after the
    other. Of the speeds and of the ratios the medians."""
    found = [pairs[length] for length in LENGTHS]
    return [
        (f"native, {unit}", [f"{median(b for _, b in group):.0f}" for group in found]),
        ("full, on what an earlier one left", [f"{median(a for a, _ in group):.0f}" for group in found]),
        ("   of native", [f"{median(a / b for a, b in group):.2f}" for group in found]),
    ]


def _costs(boot: Session) -> dict[str, float]:
    """The last event "jit" of a boot, and what follows from it."""
    costs = boot.generations[-1].costs
    return {
        "compiled": costs["compiled"],
        "from_cache": costs["from_cache"],
        **{
            f"{what}_{begin}": boot.share(what, begin, end)
            for what in ("compile", "profiling")
            for begin, end in PHASES
        },
        "code": costs["code_bytes"] / MEBIBYTE,
        "ready": boot.events_named("llvm")[0]["heap_bytes"] / MEBIBYTE,
        "rest": costs["heap_used"] / MEBIBYTE,
        "peak": costs["heap_peak"] / MEBIBYTE,
    }


def cost_rows(boots: Mapping[str, Sequence[Session]]) -> list[Row]:
    """What the JIT did and took. Of all boots in a group the most, except of shares: there the one that other
    work has disturbed least, by its speed."""
    rows = {
        "compiled": ("functions compiled", "{:.0f}"),
        "from_cache": ("functions loaded from the cache", "{:.0f}"),
        **{
            f"{what}_{begin}": (f"{name}, share of tokens {begin + 1} to {end}", "{:.2%}")
            for begin, end in PHASES
            for what, name in (("compile", "compiling"), ("profiling", "profiling"))
        },
        "code": ("compiled code, MiB", "{:.2f}"),
        "ready": ("heap when LLVM is ready, MiB", "{:.1f}"),
        "rest": ("heap between texts, MiB", "{:.1f}"),
        "peak": ("heap at its peak, MiB", "{:.1f}"),
    }
    quietest = [max(group, key=lambda boot: boot.final_processor_rate) for group in boots.values()]
    found: list[Row] = [("tokens generated", [str(boot.tokens) for boot in quietest])]
    for key, (name, form) in rows.items():
        if form.endswith("%}"):
            values = [_costs(boot)[key] for boot in quietest]
        else:
            values = [max(_costs(boot)[key] for boot in group) for group in boots.values()]
        found.append((name, [form.format(value) for value in values]))
    return found


def matmul_rows(cycles: Mapping[str, float], native: str) -> list[Row]:
    """Cycles of one product on each level, how many of the native code's that is, and how many fit into the
    slowest one's."""
    slowest = max(cycles.values())
    return [
        (name, [f"{value:.0f}", f"{cycles[native] / value:.2f}", f"{slowest / value:.1f}"])
        for name, value in cycles.items()
    ]


def size_rows(sizes: Mapping[str, object], image_bytes: int, least: int = MEBIBYTE // 4) -> list[Row]:
    """The image's parts, the largest first; those below least bytes together."""
    parts = sizes["parts"]
    assert isinstance(parts, Mapping)
    totals = {name: sum(sections.values()) for name, sections in parts.items()}
    large = sorted((name for name in totals if totals[name] >= least), key=lambda name: -totals[name])
    rest = sum(totals[name] for name in totals if totals[name] < least)

    def mebibytes(size: object) -> list[str]:
        return [f"{int(str(size)) / MEBIBYTE:.2f}"]

    return [
        ("disk image", mebibytes(image_bytes)),
        ("kernel file", mebibytes(sizes["kernel_file_bytes"])),
        ("in memory", mebibytes(sizes["resident_bytes"])),
        *((f"   {name}", mebibytes(totals[name])) for name in large),
        (f"   {len(totals) - len(large)} smaller parts", mebibytes(rest)),
    ]
