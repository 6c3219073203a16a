"""What holds for every input: reading never fails, canonical values stay as they are."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from types import MappingProxyType
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocr.extraction import InvalidValue, as_json, decoded, parse_value, read, tolerant
from ocr.extraction.blocks import resolve
from ocr.extraction.document_types import Kind
from tests.extraction.make import Answer, geometry, shipped, spec

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
    for name in ("invoice", "identity_document", "generic_form"):
        reading = read(
            foreign, shipped(name), warnings=foreign, expense_documents=foreign, identity_documents=foreign,
            lending_results=foreign,
        )  # fmt: skip
        json.dumps(as_json(reading))


@FEW
@given(st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.sampled_from(MEMBERS), JUNK), min_size=1, max_size=6))
def test_reading_survives_blocks_with_any_member_spoilt(spoilt: list[tuple[int, str, Any]]) -> None:
    blocks = copy.deepcopy(SOUND)
    for at, member, junk in spoilt:
        blocks[at][member] = junk
    for name in ("invoice", "receipt", "generic_form"):
        json.dumps(as_json(read(blocks, shipped(name))))


HUGE: st.SearchStrategy[Any] = st.sampled_from(
    [
        float("nan"), float("inf"), float("-inf"), 10**400, -(10**400), 2**31, 2**63, 1e308, 5e-324, True, "", "\x00", "\ud800",
        "9" * 400, "1," * 500, [[]], [None], {}, "KEY", "WORD",
    ]
)  # fmt: skip
EXPENSE = {
    "SummaryFields": [
        {
            "Type": {"Text": "TOTAL", "Confidence": 99.0},
            "ValueDetection": {"Text": "12.00", "Confidence": 98.0},
            "PageNumber": 1,
        }
    ],
    "LineItemGroups": [
        {"LineItems": [{"LineItemExpenseFields": [{"Type": {"Text": "ITEM"}, "ValueDetection": {"Text": "Paint"}}]}]}
    ],
}
IDENTITY = {
    "DocumentIndex": 1,
    "IdentityDocumentFields": [
        {
            "Type": {"Text": "DATE_OF_BIRTH"},
            "ValueDetection": {
                "Text": "03/18/2001", "Confidence": 94.7,
                "NormalizedValue": {"Value": "2001-03-18T00:00:00", "ValueType": "Date"},
            },
        },
        {"Type": {"Text": "LAST_NAME"}, "ValueDetection": {"Text": "Paint", "Confidence": 98.0}},
    ],
    "Blocks": SOUND[:6],
}  # fmt: skip
DETECTED = {"Text": "$ 452.43", "Confidence": 97.0, "Geometry": geometry(0.1, 0.08, 0.3, 0.02)}
LENDING = {
    "Page": 2,
    "PageClassification": {"PageType": [{"Value": "PAYSLIPS", "Confidence": 99.8}], "PageNumber": []},
    "Extractions": [
        {
            "LendingDocument": {
                "LendingFields": [
                    {"Type": "CURRENT_GROSS_PAY", "KeyDetection": DETECTED, "ValueDetections": [DETECTED]},
                    {"Type": "VOID", "ValueDetections": [{"SelectionStatus": "SELECTED", "Confidence": 90.0}]},
                ],
                "SignatureDetections": [{"Confidence": 54.8, "Geometry": geometry(0.1, 0.8, 0.3, 0.02)}],
            }
        },
        {"ExpenseDocument": EXPENSE, "IdentityDocument": IDENTITY},
    ],
}
WHOLE = {"Blocks": SOUND, "ExpenseDocuments": [EXPENSE], "Warnings": [{"ErrorCode": "PAGE_LIMIT", "Pages": [1, 2]}]}
SHEETS = {"IdentityDocuments": [IDENTITY], "Results": [LENDING]}


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every member and item of a JSON tree: what holds it, and its key."""
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        yield tree, key
        yield from places(tree[key])


def mangled(sound: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    """Members dropped, of another type, null, huge, or what stands elsewhere in the answer (so that relationships go in circles)."""
    whole = copy.deepcopy(sound)
    for _ in range(data.draw(st.integers(1, 8))):
        found = list(places(whole))
        if not found:
            break  # all of it is gone
        holder, key = data.draw(st.sampled_from(found))
        change = data.draw(st.sampled_from(["drop", "junk", "huge", "other", "twice"]))
        other, at = data.draw(st.sampled_from(found))
        if change == "drop":
            del holder[key]
        elif change == "twice" and isinstance(holder, list):
            holder.append(holder[key])
        else:
            drawn = other[at] if change == "other" else data.draw(HUGE if change == "huge" else JUNK)
            holder[key] = copy.deepcopy(drawn)  # a list that was drawn is drawn again: what is mangled in it would stay
    return whole


@settings(FEW, max_examples=60)
@given(st.data())
def test_reading_survives_an_answer_that_is_mangled_anywhere(data: st.DataObject) -> None:
    whole = mangled(WHOLE, data)
    for name in ("invoice", "receipt", "generic_form"):
        reading = read(
            whole.get("Blocks") or (), shipped(name), warnings=whole.get("Warnings") or (),
            expense_documents=whole.get("ExpenseDocuments") or (),
        )  # fmt: skip
        json.dumps(as_json(reading))
        assert all(page.number < 2**31 for page in reading.pages)


@given(st.data())
@settings(FEW, max_examples=150)
def test_reading_survives_identity_and_lending_answers_that_are_mangled_anywhere(data: st.DataObject) -> None:
    whole = mangled(SHEETS, data)
    for name in ("identity_document", "pay_stub", "invoice", "generic_form"):
        reading = read(
            (), shipped(name), identity_documents=whole.get("IdentityDocuments") or (),
            lending_results=whole.get("Results") or (),
        )  # fmt: skip
        json.dumps(as_json(reading))
        assert all(page.number < 2**31 for page in reading.pages)
        assert all(field.page is None or 1 <= field.page < 2**31 for field in reading.fields)
        assert "\x00" not in "".join(f"{field.text}{field.value}{field.label}" for field in reading.fields)


TEXTS = st.lists(st.none() | st.text(max_size=8) | st.integers(), max_size=6)


@FEW
@given(TEXTS, TEXTS)
def test_no_value_of_an_identity_or_lending_answer_is_lost(cards: list[Any], loans: list[Any]) -> None:
    """Whatever has a text becomes a field, what is no object is counted, and a detection without a text keeps its place."""
    stated = [{"Type": {"Text": "ADDRESS"}, "ValueDetection": {"Text": text}} for text in cards]
    detected = [{"Text": text, "Confidence": 90.0} for text in loans]
    lending = {
        "LendingFields": [{"Type": "OTHER", "ValueDetections": detected}, "x", None],
        "SignatureDetections": ["x"],
    }
    reading = read(
        (), shipped("generic_form"), identity_documents=[{"IdentityDocumentFields": [*stated, 1]}, "x"],
        lending_results=[{"Extractions": [{"LendingDocument": lending}]}],
    )  # fmt: skip
    printed = [text for text in map(tolerant.text, cards) if text.split()]
    assert len(reading.fields) == len(printed) + len(loans)
    assert reading.unknown == {"not_a_document": 1, "not_a_field": 3}


@FEW
@given(st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, len(SOUND) - 1)), min_size=1, max_size=12))
def test_relationships_that_go_in_circles_come_to_an_end(pairs: list[tuple[int, int]]) -> None:
    blocks = copy.deepcopy(SOUND)
    for at, to in pairs:
        for kind in ("CHILD", "VALUE", "MERGED_CELL", "ANSWER"):
            blocks[at].setdefault("Relationships", []).append(
                {"Type": kind, "Ids": [blocks[to]["Id"], blocks[at]["Id"]]}
            )
    for name in ("invoice", "generic_form"):
        read(blocks, shipped(name))


@FEW
@given(st.sets(st.integers(0, len(SOUND) - 1), min_size=1, max_size=10))
def test_no_part_is_lost_without_being_counted(gone: set[int]) -> None:
    """Whatever blocks are taken away: what only they held is counted, and every word that is left is told."""
    blocks = [block for at, block in enumerate(SOUND) if at not in gone]
    layout = resolve(blocks)
    told = {word.id for page in layout.pages for word in page.words}
    assert told == {block["Id"] for block in blocks if block["BlockType"] == "WORD"}
    held = {
        each
        for block in blocks if block["BlockType"] != "PAGE"
        for relationship in block.get("Relationships") or [] for each in relationship["Ids"]
    }  # fmt: skip
    parts = {"CELL", "SELECTION_ELEMENT", "QUERY_RESULT"}
    lost = [
        block for block in blocks if block["Id"] not in held
        and (block["BlockType"] in parts or (block.get("EntityTypes") or [""])[0] == "VALUE")
    ]  # fmt: skip
    assert layout.unknown.get("part_of_nothing", 0) == len(lost)


@FEW
@given(st.lists(st.text("abc", min_size=1, max_size=4), min_size=2, max_size=6))
def test_words_without_an_id_or_with_the_same_one_are_all_told_or_counted(texts: list[str]) -> None:
    blocks = [{"BlockType": "WORD", "Text": each} for each in texts]
    assert [word.text for word in resolve(blocks).pages[0].words] == texts
    same = resolve([{**block, "Id": "one"} for block in blocks])
    assert len(same.pages[0].words) + same.unknown["repeated_id"] == len(texts)


def test_an_answer_nested_deeply_is_refused_or_read() -> None:
    for depth in (100, 900, 100_000):
        body = b'{"Blocks":' + b"[" * depth + b"]" * depth + b"}"
        try:
            found = decoded(body)
        except ValueError:
            continue
        except RecursionError:
            pytest.fail("a deep answer is no crash")
        read(found["Blocks"], shipped("invoice"))


def _calls(text: str, name: str) -> int:
    """How many calls reading a line of this text takes: counted, since a busy machine's clock proves nothing."""
    blocks, count = Answer().line(text).blocks, 0

    def counting(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(counting)
    try:
        read(blocks, shipped(name))
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("text", ["Total ", "$", "1,", "x"])
def test_a_line_of_any_length_takes_calls_by_its_length_at_most(text: str) -> None:
    few, many = (_calls(text * (letters // len(text)), "receipt") for letters in (4_000, 16_000))
    assert many < 5 * few


GUARDED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from typing import get_args
from ocr.extraction import InvalidValue, parse_value, read
from ocr.extraction.document_types import Kind
from tests.extraction.make import Answer, shipped, spec
PIECES = "1|1,|1.|1 |1'|a|a |-|--|( |12/|1/1/|2026-|RM|Jan |Jan 1 |.|@|a@|a.|+1 |%|$"
for piece in PIECES.split("|"):
    text = (piece * 4000)[:4000]
    for kind in get_args(Kind):
        for end in ("", "!"):
            try:
                parse_value(text + end, spec(kind))
            except InvalidValue:
                pass
    Answer().line(text + "!").pair("Total", text + "!").read("receipt")
"""


def test_no_pattern_takes_time_by_the_power_of_a_text() -> None:
    """An expression that goes back and forth would need hours: the child has a minute of processor time, and needs seconds."""
    ran = subprocess.run([sys.executable, "-c", GUARDED], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-1000:]


@FEW
@given(st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.sampled_from(MEMBERS), JUNK), max_size=2))
def test_blocks_indexed_at_once_read_like_those_indexed_one_by_one(spoilt: list[tuple[int, str, Any]]) -> None:
    blocks = copy.deepcopy(SOUND)
    for at, member, junk in spoilt:
        blocks[at][member] = junk
    one_by_one = [MappingProxyType(block) for block in blocks]  # only plain dictionaries are indexed at once
    for name in ("invoice", "generic_form"):
        told, again = (json.dumps(as_json(read(each, shipped(name)))) for each in (blocks, one_by_one))
        assert told == again


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
