"""The charts of the docs: whole, readable without seeing them, and drawn from what is stored beside them."""

from __future__ import annotations

import importlib
import json
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import __main__ as bench
from benchmarks._charts import Chart, draw

SVG = "{http://www.w3.org/2000/svg}"
STORED = sorted((bench.FOLDER / "results").glob("*.json"))


def texts(svg: str, kind: str = "text") -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(SVG + kind)]


@pytest.mark.parametrize("kind", ["lines", "bars"])
def test_every_figure_is_told_in_words(kind: Any) -> None:
    chart = Chart(
        title="Cats & dogs <today>",
        unit="a minute",
        labels=["few", "many"],
        series={"cats": [10, 1234.5], "dogs": [None, 7.25]},
        kind=kind,
        bounds={"most": 2000},
    )
    svg = draw(chart)
    assert texts(svg, "title") == ["Cats & dogs <today>"]
    assert texts(svg, "desc") == ["a minute. cats: few 10, many 1,234; dogs: many 7.2; most: 2,000."]
    assert {"few", "many", "most", "2,000", "0"} <= set(texts(svg))


def test_a_value_that_is_missing_is_not_drawn_as_nothing() -> None:
    gap: list[float | None] = [1, None, 3]
    root = ElementTree.fromstring(draw(Chart(title="", unit="", labels=["a", "b", "c"], series={"s": gap})))
    assert len(list(root.iter(SVG + "circle"))) == 2


def test_names_of_lines_that_end_together_do_not_overlap() -> None:
    svg = draw(Chart(title="", unit="", labels=["a"], series={"one": [5], "two": [5], "three": [5.1]}))
    heights = sorted(
        float(each.attrib["y"])
        for each in ElementTree.fromstring(svg).iter(SVG + "text")
        if "name" in each.attrib.get("class", "")
    )
    assert all(after - before >= 15 for before, after in zip(heights, heights[1:], strict=False))


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_the_stored_chart_is_drawn_from_the_stored_result(path: Any) -> None:
    chart = getattr(importlib.import_module(f"benchmarks.{path.stem}"), "chart", None)
    result = json.loads(path.read_text(encoding="utf-8"))
    if chart is None or result.get("quick"):
        pytest.skip("nothing was drawn of it")
    stored = bench.IMAGES / f"bench-{path.stem}.svg"
    again = "draw the charts again: make bench BENCH=charts"
    assert stored.exists(), again
    assert stored.read_text(encoding="utf-8") == draw(chart(result)), again
