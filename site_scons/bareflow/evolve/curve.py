"""The curve of an image's life as one SVG: three charts, one above the other, with a bar for each boot."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from bareflow.evolve.generation import Generation
from bareflow.evolve.subject import Subject

WIDTH, LEFT, RIGHT = 760, 20, 20
TITLE, CHART, GAP, LEGEND = 56, 118, 44, 40
BAR = 0.62
"""Of the room for a boot."""
SHORTEST = 3.0
COLOURS = {"full": "#3b6ea8", "trimmed": "#c98a2b", "native": "#3f8f5b"}
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#333}"
    ".title{font-size:17px;font-weight:600}.chart{font-weight:600}.axis{fill:#777}.number{text-anchor:middle}"
)


@dataclass(frozen=True)
class Chart:
    """One of them: what its bars stand for."""

    title: str
    value: Callable[[Generation], float]
    label: Callable[[float], str]
    is_logarithmic: bool


def size_text(size: float) -> str:
    """Bytes as people read them: 69 KB, 10.6 MB."""
    return f"{size / 1e6:.3g} MB" if size >= 1e6 else f"{size / 1e3:.0f} KB"


def _seconds(value: float) -> str:
    return f"{value:.2f}"


def charts(subject: Subject) -> tuple[Chart, ...]:
    """Those of a subject's life."""
    first = f"power-on to the {subject.first}, seconds of QEMU's processor time (logarithmic)"
    is_rate = subject.pace.is_rate
    pace_text: Callable[[float], str] = (lambda rate: f"{rate:.0f}") if is_rate else _seconds
    return (
        Chart("kernel on the disk (logarithmic)", lambda boot: boot.kernel.bytes, size_text, True),
        Chart("memory in use at its peak (logarithmic)", lambda boot: boot.memory, size_text, True),
        Chart(first, lambda boot: boot.first_output, _seconds, True),
        Chart(subject.pace.chart, lambda boot: boot.pace, pace_text, not is_rate),
    )


def heights(values: Sequence[float], is_logarithmic: bool) -> list[float]:
    """The bars' share of the chart's height. Logarithmic ones begin a little below the least value."""
    top = max(values)
    if not is_logarithmic:
        return [value / top for value in values]
    floor = math.log(min(values) / 2)
    return [(math.log(value) - floor) / (math.log(top) - floor) for value in values]


def _bars(chart: Chart, boots: Sequence[Generation], top: float) -> list[str]:
    room = (WIDTH - LEFT - RIGHT) / len(boots)
    base = top + CHART
    lines = [
        f'<text class="chart" x="{LEFT}" y="{top - 22:.1f}">{escape(chart.title)}</text>',
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}" stroke="#999"/>',
    ]
    values = [chart.value(boot) for boot in boots]
    shares = heights(values, chart.is_logarithmic)
    for number, (boot, value, share) in enumerate(zip(boots, values, shares, strict=True)):
        height = max(share * CHART, SHORTEST)
        left = LEFT + room * (number + (1 - BAR) / 2)
        lines += [
            f'<rect x="{left:.1f}" y="{base - height:.1f}" width="{room * BAR:.1f}" height="{height:.1f}" '
            f'fill="{COLOURS[boot.kernel.kind]}"/>',
            f'<text class="number" x="{left + room * BAR / 2:.1f}" y="{base - height - 5:.1f}">'
            f"{escape(chart.label(value))}</text>",
        ]
    return lines


def svg(title: str, subject: Subject, boots: Sequence[Generation]) -> str:
    """The drawing, which needs no other file."""
    shown = charts(subject)
    height = TITLE + len(shown) * (CHART + GAP) + LEGEND
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text class="title" x="{LEFT}" y="26">{escape(title)}</text>',
    ]
    top = float(TITLE + 26)
    for chart in shown:
        lines += _bars(chart, boots, top)
        top += CHART + GAP
    room = (WIDTH - LEFT - RIGHT) / len(boots)
    axis = top - GAP + 16
    for number in range(1, len(boots) + 1):
        x = LEFT + room * (number - 0.5)
        lines.append(f'<text class="number axis" x="{x:.1f}" y="{axis:.1f}">boot {number}</text>')
    for index, (kind, colour) in enumerate(COLOURS.items()):
        x, y = LEFT + index * 110, axis + 16
        lines.append(f'<rect x="{x}" y="{y:.1f}" width="12" height="12" fill="{colour}"/>')
        lines.append(f'<text x="{x + 18}" y="{y + 11:.1f}">{kind}</text>')
    return "\n".join([*lines, "</svg>", ""])
