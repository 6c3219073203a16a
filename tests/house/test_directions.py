"""Styles name start and end, so that a page turns around with its language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = sorted((Path(__file__).resolve().parents[2] / "static" / "css").glob("*.css"))
# left and right as properties or values, and four-valued shorthands whose sides differ
PHYSICAL = re.compile(
    r"(?<![\w-])(?:(?:margin|padding|border|inset|scroll-\w+)-)?(?:left|right)\s*:|(?:text-align|float|clear)\s*:\s*(?:left|right)\b"
)
FOUR = re.compile(r"(?<![\w-])(?:margin|padding)\s*:\s*([^;{}]+)")
PARTS = re.compile(r"(?:calc\([^()]*(?:\([^()]*\)[^()]*)*\)|max\([^()]*(?:\([^()]*\)[^()]*)*\)|var\([^()]*\)|[^\s()]+)")


@pytest.mark.parametrize("path", CSS, ids=lambda path: path.stem)
def test_no_style_names_left_or_right(path: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    named = [found[0] for found in PHYSICAL.finditer(text)]
    sides = [
        parts for found in FOUR.finditer(text) if len(parts := PARTS.findall(found[1].removesuffix("!important"))) == 4
    ]
    assert named == []
    assert [" ".join(parts) for parts in sides if parts[1] != parts[3]] == []
