"""Real Textract answers: every one is read without an error, and a few are checked by hand."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ocr.extraction import Reading, as_json, read, words
from ocr.extraction.blocks import ids_of, resolve
from tests.extraction.make import field, shipped

SHARED = Path(os.environ.get("DTAT_SHARED", Path(__file__).parents[3] / "shared"))
FOLDER = SHARED / "data" / "textract"
NAMES = sorted(path.name for path in FOLDER.glob("*.json"))

pytestmark = pytest.mark.skipif(not NAMES, reason="the real answers are not here (DTAT_SHARED)")


def answer(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return found


def reading(name: str, document_type: str) -> Reading:
    found = answer(name)
    return read(
        found.get("Blocks") or [], shipped(document_type), warnings=found.get("Warnings") or [],
        expense_documents=found.get("ExpenseDocuments") or [],
        identity_documents=found.get("IdentityDocuments") or [], lending_results=found.get("Results") or [],
    )  # fmt: skip


@pytest.mark.parametrize("document_type", ["invoice", "receipt", "identity_document", "pay_stub", "generic_form"])
@pytest.mark.parametrize("name", NAMES or ["none"])
def test_every_real_answer_is_read(name: str, document_type: str) -> None:
    json.dumps(as_json(reading(name, document_type)))


@pytest.mark.parametrize("name", NAMES or ["none"])
def test_every_word_of_a_real_answer_is_told(name: str) -> None:
    blocks = answer(name).get("Blocks") or []
    printed = sum(block["BlockType"] == "WORD" for block in blocks)
    assert len(words(blocks)) == printed


@pytest.mark.parametrize("name", NAMES or ["none"])
def test_every_form_pair_becomes_a_field(name: str) -> None:
    blocks = answer(name).get("Blocks") or []
    keys = [block for block in blocks if "KEY" in (block.get("EntityTypes") or [])]
    found = [each for each in read(blocks, shipped("generic_form")).fields if each.why != "table"]
    assert len(found) == len(keys)


@pytest.mark.parametrize("name", NAMES or ["none"])
def test_every_cell_under_a_name_becomes_a_field_unless_it_is_a_pair(name: str) -> None:
    blocks = answer(name).get("Blocks") or []
    printed = {word for span in values_under_names(blocks) for word in span}
    found = read(blocks, shipped("generic_form")).fields
    told = {word for each in found for word in each.word_ids}
    labels = {word for pair in resolve(blocks).pairs for word in ids_of(pair.key.words)}
    assert printed <= told | labels


def values_under_names(blocks: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """The ids of the words in each cell that stands in a column with a header, and is none itself nor a title."""
    for table in resolve(blocks).tables:
        named = {
            column
            for cell in table.cells
            if "COLUMN_HEADER" in cell.roles and cell.content.text
            for column in range(cell.column, cell.column + max(1, cell.column_span))
        }
        for cell in table.cells:
            if cell.column in named and not cell.roles:
                yield ids_of(cell.content.words)


def test_a_page_scanned_upside_down_is_told() -> None:
    (page,) = reading("rotated-180.json", "generic_form").pages
    first = words(answer("rotated-180.json")["Blocks"])[0]
    assert (page.rotation, first.text) == (180, "Date:")
    box = first.box
    assert box is not None and box.top < 0.1 and box.left < 0.8


def test_the_shop_receipt_is_read_from_its_blocks() -> None:
    found = reading("receipt-forms-tables-layout.json", "receipt")
    values = {each.name: each.value for each in found.fields}
    assert (values["merchant"], values["total"], values["subtotal"], values["tax"], values["change"], values["currency"]) == (
        "MEGA BIGBOX", "1810.46", "1699.96", "110.50", "0.00", "USD",
    )  # fmt: skip
    assert "MEGA MARKET PLUS" in [each.value for each in field(found, "merchant").suggestions]
    assert field(found, "date").value == "2019-07-12"
    assert [each.value for each in field(found, "date").suggestions] == ["2019-12-07"]


def test_the_invoice_is_read_from_its_expense_answer() -> None:
    found = reading("invoice-expense.json", "invoice")
    values = {each.name: each.value for each in found.fields}
    assert (values["invoice_number"], values["invoice_date"], values["due_date"], values["po_number"]) == (
        "123PQR456", "2021-01-01", "2021-01-31", "098ZYX7654",
    )  # fmt: skip
    assert (values["subtotal"], values["tax"], values["total"], values["tax_id"]) == (
        "6169.40", "61.69", "6231.09", "12-3456789",
    )  # fmt: skip
    assert len(found.line_items) == 4
    assert found.problems == ()


def test_the_licence_is_read_from_its_identity_answer() -> None:
    found = reading("id-driver-licence.json", "identity_document")
    values = {each.name: each.value for each in found.fields if each.value}
    assert values == {
        "document_number": "736HDV7874JSB", "surname": "MARIA", "given_names": "GARCIA", "date_of_birth": "2001-03-18",
        "issued_on": "2018-03-18", "expires_on": "2028-01-20",
    }  # fmt: skip
    surname, born = field(found, "surname"), field(found, "date_of_birth")
    assert round(surname.confidence or 0, 1) == 98.3  # that this is the surname
    assert round(surname.word_confidence or 0, 1) == 83.0  # of the word MARÍA on the card
    assert surname.box is not None and born.box is None  # the day of birth is printed twice
    assert found.problems == ()


def test_a_page_of_the_loan_is_read_from_its_lending_answer() -> None:
    found = reading("lending-no-signature.json", "pay_stub")
    values = {each.name: (each.value, each.page) for each in found.fields if each.value}
    assert values == {
        "employer": ("ANY COMPANY CORP.", 1), "employee": ("JOHN STILES", 1), "pay_date": ("2008-07-25", 1),
        "period_to": ("2008-07-18", 1), "gross_pay": ("452.43", 1), "net_pay": ("291.90", 1),
    }  # fmt: skip
    assert field(reading("lending-no-signature.json", "w2"), "wages").value == "100.00"
    assert field(reading("lending-no-signature.json", "bank_statement"), "closing_balance").value == "123084.85"
    assert [page.number for page in found.pages] == [1, 2, 3, 4, 5, 6, 7]


def test_handwriting_on_the_form_is_read_and_the_doubtful_word_is_told() -> None:
    found = reading("async-handwriting-2p.json", "generic_form")
    values = {each.name: each.value for each in found.fields}
    assert (values["date_of_birth"], values["city"]) == ("10/10/1982", "ANYTOWN")
    doubtful = reading("paystub-all-features.json", "generic_form")
    assert any(each.rule == "word_confidence" for each in doubtful.problems)
