"""Charts as inline SVG: no script, readable by screen readers through a table that says the same.

A chart is a grid of small SVGs. Only the plot stretches with the page; axis labels keep their size because they live in
SVGs of their own, so that the words on a phone are as large as on a desk.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

from django import template
from django.utils import formats
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

register = template.Library()

HEIGHT = 180  # CSS pixels of the plot, as in charts.css
WIDTH = 1000  # units; the plot stretches them to the width there is
KINDS = ("reviewed", "straight")
MOST_LABELS = 6  # on the time axis
ROUND_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Scale:
    """A value axis from zero to a round number with three to six guides."""

    step: float
    top: float

    def y(self, value: float) -> float:
        """Pixels from the top of the plot."""
        return round(HEIGHT - value / self.top * HEIGHT, 2)

    def guides(self, unit: str = "") -> list[dict[str, Any]]:
        values = [self.step * n for n in range(round(self.top / self.step) + 1)]
        return [{"y": self.y(value), "text": f"{_short(value)}{unit}"} for value in values]


def scale_for(values: Sequence[float], *, whole: bool = False) -> Scale:
    """The smallest round scale that holds the values; nothing but zeros gets a scale up to one.

    `whole` is for counts: there is no half document, so the guides stand at whole numbers.
    """
    highest = max(values, default=0) or 1
    rough = highest / 4
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(nice * magnitude for nice in ROUND_STEPS if nice * magnitude >= rough * (1 - 1e-9))
    if whole:
        step = float(math.ceil(step))
    return Scale(step=step, top=step * math.ceil(highest / step - 1e-9))


def _short(value: float) -> str:
    return _written(value, get_language())


@lru_cache(maxsize=5000)  # a chart's table has a hundred numbers, most of them small
def _written(value: float, language: str | None) -> str:
    if value == round(value):
        return formats.number_format(round(value), force_grouping=True)
    return formats.number_format(round(value, 2), 2, force_grouping=True).rstrip("0")


def _time_axis(labels: Sequence[str], centred: float = 0.0) -> list[dict[str, str]]:
    """At most six labels, spread evenly; `centred` shifts each by half a bar."""
    if not labels:
        return []
    every = max(1, math.ceil(len(labels) / MOST_LABELS))
    span = len(labels) if centred else max(1, len(labels) - 1)
    return [{"x": f"{(n + centred) / span * 100:.2f}%", "text": labels[n]} for n in range(0, len(labels), every)]


@register.inclusion_tag("charts/_bars.html")
def bar_chart(points: Sequence[Mapping[str, Any]], title: str) -> dict[str, Any]:
    """Stacked bars of what went straight through and what a person reviewed.

    `points` are `{label, straight, reviewed}` in order of time.
    """
    totals = [point["straight"] + point["reviewed"] for point in points]
    scale = scale_for(totals, whole=True)
    pitch = WIDTH / max(1, len(points))
    bars = [_stack(point, scale, left=n * pitch + pitch * 0.12, width=pitch * 0.76) for n, point in enumerate(points)]
    parts = [part for stack in bars for part in stack]
    return {
        "title": title,
        "empty": not any(totals),
        "table": _table((point["label"], (point[kind] for kind in reversed(KINDS))) for point in points),
        "bars": parts,
        "shapes": [{"kind": kind, "d": _shape(part for part in parts if part["kind"] == kind)} for kind in KINDS],
        "guides": scale.guides(),
        "times": _time_axis([point["label"] for point in points], centred=0.5),
    }


def _shape(bars: Iterable[Mapping[str, Any]]) -> str:
    """All bars of one kind as one path: a page with a hundred elements less."""
    return "".join(f"M{bar['x']} {bar['y']}h{bar['width']}v{bar['height']}h-{bar['width']}z" for bar in bars)


def _stack(point: Mapping[str, Any], scale: Scale, *, left: float, width: float) -> list[dict[str, Any]]:
    """The person's part stands on the axis, the straight part on top of it."""
    total = point["straight"] + point["reviewed"]
    parts = [("reviewed", point["reviewed"], 0.0), ("straight", total, point["reviewed"])]
    return [
        {
            "kind": kind,
            "x": round(left, 2),
            "width": round(width, 2),
            "y": scale.y(high),
            "height": round(scale.y(low) - scale.y(high), 2),
        }
        for kind, high, low in parts
        if high > low
    ]


@register.inclusion_tag("charts/_lines.html")
def time_chart(data: Mapping[str, Any], title: str) -> dict[str, Any]:
    """The 95th percentile and the average of the time to a result, against the target.

    `data` is `{points: [{label, p95, average}], target}` in seconds; a point without documents has None.
    """
    series = [("first", _("p95"), "p95"), ("second", _("average"), "average")]
    return _lines(data.get("points", []), series, title=title, unit=" s", target=data.get("target"))


@register.inclusion_tag("charts/_lines.html")
def waiting_chart(points: Sequence[Mapping[str, Any]], title: str) -> dict[str, Any]:
    """How many documents waited for a person, over time. `points` are `{label, value}`."""
    latest = next((point["value"] for point in reversed(points) if point["value"] is not None), None)
    chart = _lines(points, [("first", _("now %(n)s") % {"n": latest}, "value")], title=title)
    return {**chart, "headings": [_("waiting")]}


def _lines(
    points: Sequence[Mapping[str, Any]],
    series: Sequence[tuple[str, str, str]],
    *,
    title: str,
    unit: str = "",
    target: float | None = None,
) -> dict[str, Any]:
    known = [point[key] for point in points for _style, _label, key in series if point.get(key) is not None]
    scale = scale_for([*known, *([target] if target else [])], whole=not unit)
    lines = [{"style": style, "runs": _runs(points, key, scale)} for style, _label, key in series]
    return {
        "title": title,
        "empty": not known,
        "lines": lines,
        "target_y": scale.y(target) if target else None,
        "ends": _ends(points, series, scale, target),
        "guides": scale.guides(unit),
        "times": _time_axis([point["label"] for point in points]),
        "headings": [label for _style, label, _key in series],
        "table": _table((point["label"], (point.get(key) for _s, _l, key in series)) for point in points),
    }


def _table(rows: Iterable[tuple[str, Iterable[float | None]]]) -> SafeString:
    """The rows of the table that says what a chart shows. As loops of a template they took half of the dashboard's time."""
    language = get_language()
    texts = []
    for label, values in rows:
        cells = "".join(f"<td>{escape(_cell(value, language))}</td>" for value in values)
        texts.append(f'<tr><th scope="row">{escape(label)}</th>{cells}</tr>')
    return SafeString("".join(texts))


def _cell(value: float | None, language: str | None) -> str:
    return "–" if value is None else _written(value, language)


def _runs(points: Sequence[Mapping[str, Any]], key: str, scale: Scale) -> list[str]:
    """Polylines of the stretches that have values: a gap in the data stays a gap in the line."""
    span = max(1, len(points) - 1)
    runs: list[list[str]] = [[]]
    for n, point in enumerate(points):
        value = point.get(key)
        if value is None:
            runs.append([])
        else:
            runs[-1].append(f"{n / span * WIDTH:.1f},{scale.y(value)}")
    # A lone value would be an invisible line of no length.
    return [" ".join(run if len(run) > 1 else _dash(run[0])) for run in runs if run]


def _dash(position: str) -> list[str]:
    """A short stroke around one point, inside the plot."""
    x, y = position.split(",")
    left = min(max(float(x) - 7, 0), WIDTH - 14)
    return [f"{left:.1f},{y}", f"{left + 14:.1f},{y}"]


def _ends(
    points: Sequence[Mapping[str, Any]], series: Sequence[tuple[str, str, str]], scale: Scale, target: float | None
) -> list[dict[str, Any]]:
    """Labels beside the ends of the lines, pushed apart where two would overlap."""
    marks = [(scale.y(target), _("target"))] if target else []
    for _style, label, key in series:
        last = next((point[key] for point in reversed(points) if point.get(key) is not None), None)
        if last is not None:
            marks.append((scale.y(last), label))
    placed: list[dict[str, Any]] = []
    for y, text in sorted(marks):
        lowest = placed[-1]["y"] + 14 if placed else -math.inf
        placed.append({"y": round(max(y, lowest), 1), "text": text})
    return placed


@register.simple_tag
def share_line(share: float) -> SafeString:
    """A bar as long as the share, for lists of shares."""
    width = round(min(max(share, 0.0), 1.0) * 100, 2)
    svg = (
        '<svg class="share-line" viewBox="0 0 100 7" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{width}" height="7"></rect></svg>'
    )
    return SafeString(svg)


@register.filter
def as_percent(share: float) -> str:
    """0.457 as 46%; a share that is small but not nothing is never shown as 0%."""
    number = "<1" if 0 < share < 0.01 else f"{share * 100:.0f}"
    return _("%(n)s%%") % {"n": number}


@register.filter
def unlocalized(value: float) -> str:
    """A number as SVG wants it: a point in every language."""
    return f"{value:g}" if abs(value) < 1e5 else f"{value:.0f}"
