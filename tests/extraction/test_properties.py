"""What holds for every input: reading never fails, canonical values stay as they are."""

from __future__ import annotations

import copy
import json
from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocr.extraction import InvalidValue, as_json, parse_value, read
from ocr.extraction.document_types import Kind
from tests.extraction.make import Answer, shipped, spec

FEW = settings(max_examples=100, derandomize=True, deadline=None, database=None)
KINDS: tuple[Kind, ...] = get_args(Kind)
SOUND = (
    Answer()
    .lines("Green Leaf Sdn Bhd", "Invoice no: A-12", "Date 27/03/2026", "Tel 03-1234567")
    .pair("Total", "RM 12.00").pair("Agreed", "", checked=True)
    .table(["Description", "Qty", "Amount"], ["Paint", "2", "12.00"])
    .query("total", "12.00")
    .blocks
)  # fmt: skip
JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**9) | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
MEMBERS = sorted({member for block in SOUND for member in block})


@FEW
@given(st.lists(JUNK, max_size=5))
def test_reading_survives_what_are_no_blocks(foreign: list[Any]) -> None:
    json.dumps(as_json(read(foreign, shipped("invoice"), warnings=foreign, expense_documents=foreign)))


@FEW
@given(st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.sampled_from(MEMBERS), JUNK), min_size=1, max_size=6))
def test_reading_survives_blocks_with_any_member_spoilt(spoilt: list[tuple[int, str, Any]]) -> None:
    blocks = copy.deepcopy(SOUND)
    for at, member, junk in spoilt:
        blocks[at][member] = junk
    for name in ("invoice", "receipt", "generic_form"):
        json.dumps(as_json(read(blocks, shipped(name))))


@FEW
@given(st.text(max_size=60))
def test_reading_survives_any_print(text: str) -> None:
    answer = Answer().line(text).pair(text, text).table([text, "Amount"], [text, text]).line(f"Total {text}")
    for name in ("invoice", "receipt", "generic_form"):
        answer.read(name)


@pytest.mark.parametrize("kind", KINDS)
@FEW
@given(
    text=st.text(max_size=30)
    | st.from_regex(r"[-(]?(RM|\$|€)? ?[0-9]{1,4}([.,' ][0-9]{1,4}){0,3}[-)%]?", fullmatch=True)
)
def test_a_canonical_value_stays_as_it_is(kind: Kind, text: str) -> None:
    try:
        value = parse_value(text, spec(kind))
    except InvalidValue as refusal:
        assert str(refusal).endswith(".")
        return
    assert parse_value(value, spec(kind)) == value


@FEW
@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2199, 12, 31)))
def test_every_day_is_read_back_from_every_form(day: Any) -> None:
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d %B %Y", "%B %d, %Y", "%d-%b-%Y", "%Y%m%d"):
        assert parse_value(day.strftime(form), spec("date")) == day.isoformat(), form


@FEW
@given(st.decimals(min_value=-(10**9), max_value=10**9, places=2, allow_nan=False))
def test_every_amount_is_read_back_from_both_notations(amount: Any) -> None:
    english = f"{amount:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    for form in (english, german, f"RM {english}", f"{german} €", english.replace(",", " "), english.replace(",", "'")):
        assert parse_value(form, spec("amount")) == f"{amount:.2f}", form
