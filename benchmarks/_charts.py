"""Draws a benchmark's result for the docs: a benchmark module says with `chart(result)` what is in it, `draw` makes the SVG.

No library: the pictures are small, and text in them stays text. Colours are those of the product's pages, in light and in dark.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 56, 150, 64, 44
LABEL_GAP = 15  # between the names at the lines' ends
STYLE = """
    text { font: 12px Inter, system-ui, sans-serif; fill: #575b63 }
    .title { font-size: 15px; font-weight: 600; fill: #1b1d21 } .value { fill: #1b1d21 }
    .paper { fill: #ffffff } .guide { stroke: #e3e3df } .limit { stroke: #a8380a; stroke-dasharray: 5 4 } .bound { fill: #a8380a }
    .s0 { --c: #1f5fc4 } .s1 { --c: #0b6b53 } .s2 { --c: #c98500 } .s3 { --c: #94609f } .s4 { --c: #d55e00 } .s5 { --c: #60646c }
    path { fill: none; stroke: var(--c); stroke-width: 2.5 } circle, rect.bar { fill: var(--c) } .name { fill: var(--c) }
    @media (prefers-color-scheme: dark) {
      text { fill: #a9aeb7 } .title, .value { fill: #e9eaed } .paper { fill: #1a1c20 } .guide { stroke: #2a2d33 }
      .limit { stroke: #ff9d70 } .bound { fill: #ff9d70 }
      .s0 { --c: #7fb0ff } .s1 { --c: #6fcfb0 } .s2 { --c: #f2c15a } .s3 { --c: #d7a8e4 } .s4 { --c: #f07a3c } .s5 { --c: #a9aeb7 }
    }
"""


@dataclass(frozen=True, slots=True)
class Chart:
    """What to draw: for each label on the x axis one value of every series (None leaves it out), and bounds across it all."""

    title: str
    unit: str
    labels: Sequence[str]
    series: Mapping[str, Sequence[float | None]]
    kind: Literal["lines", "bars"] = "lines"
    bounds: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


def draw(chart: Chart) -> str:
    """The whole SVG file. Its description says every figure, for those who do not see it."""
    plot = _Plot.of(chart)
    parts = [*_frame(chart, plot), *_bounds(chart, plot)]
    parts += _lines(chart, plot) if chart.kind == "lines" else _bars(chart, plot)
    inner = "\n  ".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t d">\n'
        f'  <title id="t">{escape(chart.title)}</title>\n  <desc id="d">{escape(_in_words(chart))}</desc>\n'
        f"  <style>{STYLE}  </style>\n  {inner}\n</svg>\n"
    )


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where values and labels lie."""

    top: float
    step: float
    count: int

    @classmethod
    def of(cls, chart: Chart) -> _Plot:
        values = [value for row in chart.series.values() for value in row if value is not None]
        highest = max([*values, *chart.bounds.values()], default=1) or 1
        magnitude = 10.0 ** math.floor(math.log10(highest / 4))
        step = next(nice * magnitude for nice in (1, 2, 2.5, 5, 10) if nice * magnitude >= highest / 4 * (1 - 1e-9))
        return cls(top=step * math.ceil(highest / step), step=step, count=max(1, len(chart.labels)))

    def y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM), 1)

    def x(self, place: float) -> float:
        """The middle of a label's share of the width; halves lie between two."""
        return round(LEFT + (place + 0.5) / self.count * (WIDTH - LEFT - RIGHT), 1)


def _frame(chart: Chart, plot: _Plot) -> Iterator[str]:
    yield f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}" rx="8"/>'
    yield f'<text class="title" x="16" y="26">{escape(chart.title)}</text>'
    yield f'<text x="16" y="46">{escape(" · ".join(filter(None, (chart.unit, chart.note))))}</text>'
    for n in range(round(plot.top / plot.step) + 1):
        y = plot.y(n * plot.step)
        yield f'<line class="guide" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{_short(n * plot.step)}</text>'
    for n, label in enumerate(chart.labels):
        yield f'<text x="{plot.x(n)}" y="{HEIGHT - BOTTOM + 22}" text-anchor="middle">{escape(label)}</text>'


def _bounds(chart: Chart, plot: _Plot) -> Iterator[str]:
    for label, value in chart.bounds.items():
        y = plot.y(value)
        yield f'<line class="limit" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text class="bound" x="{LEFT + 4}" y="{y - 5}">{escape(label)}</text>'


def _lines(chart: Chart, plot: _Plot) -> Iterator[str]:
    ends = []
    for n, (name, values) in enumerate(chart.series.items()):
        points = [(plot.x(place), plot.y(value)) for place, value in enumerate(values) if value is not None]
        if not points:
            continue
        way = " ".join(f"{'L' if place else 'M'}{x} {y}" for place, (x, y) in enumerate(points))
        dots = "".join(f'<circle cx="{x}" cy="{y}" r="3.5"/>' for x, y in points)
        yield f'<g class="s{n % 6}"><path d="{way}"/>{dots}</g>'
        last = next(value for value in reversed(values) if value is not None)
        ends.append((points[-1][1], f"s{n % 6}", f"{name} {_short(last)}"))
    lowest = -math.inf
    for y, colour, text in sorted(ends):
        lowest = max(y, lowest + LABEL_GAP)  # names never lie over each other
        yield f'<text class="name {colour}" x="{WIDTH - RIGHT + 6}" y="{lowest + 4}">{escape(text)}</text>'


def _bars(chart: Chart, plot: _Plot) -> Iterator[str]:
    share = (WIDTH - LEFT - RIGHT) / plot.count
    width = share * 0.8 / max(1, len(chart.series))
    for n, (name, values) in enumerate(chart.series.items()):
        for place, value in enumerate(values):
            if value is None:
                continue
            x, y = plot.x(place) - share * 0.4 + n * width, plot.y(value)
            yield (
                f'<rect class="bar s{n % 6}" x="{x + 1:.1f}" y="{y}" width="{max(width - 2, 1):.1f}" '
                f'height="{plot.y(0) - y:.1f}" rx="2"/>'
                f'<text class="value" x="{x + width / 2:.1f}" y="{y - 5}" text-anchor="middle">{_short(value)}</text>'
            )
        if len(chart.series) > 1:
            y = TOP + 4 + n * 18
            yield f'<text class="name s{n % 6}" x="{WIDTH - RIGHT + 6}" y="{y}">■ {escape(name)}</text>'


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:,.1f}"


def _in_words(chart: Chart) -> str:
    told = [
        f"{name}: " + ", ".join(f"{label} {_short(value)}" for label, value in zip(chart.labels, values, strict=True)
                                if value is not None)
        for name, values in chart.series.items()
    ]  # fmt: skip
    bounds = [f"{label}: {_short(value)}" for label, value in chart.bounds.items()]
    return f"{chart.unit}. " + "; ".join([*told, *bounds]) + "."
