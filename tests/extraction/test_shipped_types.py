"""The shipped types beside invoice and receipt: what each finds on a page of its own, and that it is known by it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ocr import extraction
from ocr.extraction.classification import classify
from tests.extraction.make import Answer, problems, shipped

FOLDER = Path(__file__).resolve().parent.parent.parent / "ocr" / "document_types"
TYPES = [
    extraction.document_type(yaml.safe_load(path.read_text(encoding="utf-8"))) for path in sorted(FOLDER.glob("*.yaml"))
]
IDENTITY = ("identity_document", "w2", "claim_form", "pay_stub")

# What each page prints, label and value, and what is read of it.
PAGES: dict[str, tuple[list[tuple[str, str]], dict[str, str]]] = {
    "purchase_order": (
        [("Bestell-Nr.", "PO-4711"), ("Bestelldatum", "07.03.2026"), ("Liefertermin", "21.03.2026"), ("Bestellwert", "1.234,50 EUR")],
        {"order_number": "PO-4711", "order_date": "2026-03-07", "delivery_date": "2026-03-21", "total": "1234.50", "currency": "EUR"},
    ),
    "delivery_note": (
        [("Bon de livraison n°", "BL-220"), ("Date de livraison", "07/03/2026"), ("Transporteur", "Corrie Freight"), ("Colis", "4")],
        {"delivery_number": "BL-220", "delivery_date": "2026-03-07", "carrier": "Corrie Freight", "packages": "4"},
    ),
    "bank_statement": (
        [("IBAN", "DE89 3704 0044 0532 0130 00"), ("Alter Kontostand", "1.000,00"), ("Summe Gutschriften", "250,00"),
         ("Summe Lastschriften", "-150,00"), ("Neuer Kontostand", "1.100,00")],
        {"iban": "DE89370400440532013000", "opening_balance": "1000.00", "closing_balance": "1100.00"},
    ),
    "pay_stub": (
        [("Pay date", "07/03/2026"), ("Gross pay", "3,000.00"), ("Total deductions", "812.40"), ("Net pay", "2,187.60")],
        {"pay_date": "2026-03-07", "gross_pay": "3000.00", "deductions": "812.40", "net_pay": "2187.60"},
    ),
    "remittance": (
        [("Remittance no", "R-88"), ("Payment date", "07/03/2026"), ("Payment amount", "912.00"), ("Payee", "Northfield Paper")],
        {"remittance_number": "R-88", "payment_date": "2026-03-07", "total": "912.00", "payee": "Northfield Paper"},
    ),
    "claim_form": (
        [("Numéro de police", "P-5512"), ("Date du sinistre", "07/03/2026"), ("Montant réclamé", "450,00"), ("Assuré", "Ines Albrecht")],
        {"policy_number": "P-5512", "incident_date": "2026-03-07", "amount": "450.00", "claimant": "Ines Albrecht"},
    ),
    "w2": (
        [("Employee's social security number", "123-45-6789"), ("Employer identification number (EIN)", "12-3456789"),
         ("Wages, tips, other compensation", "48,500.00"), ("Federal income tax withheld", "6,835.00")],
        {"employee_ssn": "123-45-6789", "employer_ein": "12-3456789", "wages": "48500.00", "federal_tax": "6835.00"},
    ),
    "identity_document": (
        [("Passport No", "X1234567"), ("Surname", "Okafor"), ("Date of birth", "14/09/1991"), ("Date of expiry", "01/02/2031")],
        {"document_number": "X1234567", "surname": "Okafor", "date_of_birth": "1991-09-14", "expires_on": "2031-02-01"},
    ),
}  # fmt: skip


def page(name: str) -> Answer:
    answer = Answer()
    for label, value in PAGES[name][0]:
        answer.line(f"{label}: {value}")
    return answer


def test_the_types_of_the_product_are_all_there() -> None:
    assert {each.name for each in TYPES} == {*PAGES, "invoice", "receipt", "generic_form"}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_type_is_known_and_read(name: str) -> None:
    answer = page(name)
    told = classify(answer.blocks, TYPES)
    assert (told.name, told.unclear) == (name, ())
    reading = answer.read(name)
    values = {field.name: field.value for field in reading.fields}
    assert {field: values[field] for field in PAGES[name][1]} == PAGES[name][1]
    assert [each for each in problems(reading) if each[0] in ("missing", "invalid")] == []


@pytest.mark.parametrize("name", PAGES)
def test_labels_are_written_once_and_nothing_restricted_is_public(name: str) -> None:
    made = shipped(name)
    for each in (*made.fields, *(made.line_items or ())):
        assert not set(each.labels) & set(each.negative_labels), each.name
        assert len(set(each.labels)) == len(each.labels), each.name
    restricted = {each.name for each in made.fields if each.sensitivity == "restricted"}
    assert bool(restricted) >= (name in IDENTITY)
    assert {each.name for each in made.fields if each.kind == "iban"} <= restricted


def test_balances_that_do_not_come_out_are_told() -> None:
    answer = Answer()
    for label, value in (*PAGES["bank_statement"][0][:-1], ("Neuer Kontostand", "1.101,00")):
        answer.line(f"{label}: {value}")
    assert ("invalid", "closing_balance", "balances") in problems(answer.read("bank_statement"))


def test_net_pay_that_is_not_gross_less_deductions_is_told() -> None:
    answer = Answer()
    for label, value in (*PAGES["pay_stub"][0][:-1], ("Net pay", "2,200.00")):
        answer.line(f"{label}: {value}")
    assert ("invalid", "net_pay", "gross_less_deductions") in problems(answer.read("pay_stub"))
