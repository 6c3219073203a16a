"""The number and the date in a document's title."""

from __future__ import annotations

import pytest

from tests.extraction.make import Answer, field, shipped


@pytest.mark.parametrize(
    ("title", "number", "day"),
    [
        ("Invoice No. 4711 of 3 March 2026", "4711", "2026-03-03"),
        ("Tax Invoice #A-4711 dated 03/03/2026", "A-4711", "2026-03-03"),
        ("INVOICE NUMBER: 4711", "4711", None),
        ("Credit note no. CN-12 of 03.03.2026", "CN-12", "2026-03-03"),
        ("Rechnung Nr. 2026/4711 vom 03.03.2026", "2026/4711", "2026-03-03"),
        ("Handelsrechnung (380) Nr. 471102 vom 05.06.2018", "471102", "2018-06-05"),
        ("Schlussrechnung des Handwerkers (875) Nr. 00.123.4-2018-1 vom 05.06.2018", "00.123.4-2018-1", "2018-06-05"),
        ("Gutschrift Nr. 12 zur Rechnung Nr. 9", "12", None),
        ("Facture n°562044387 du 02 juillet 2015", "562044387", "2015-07-02"),
        ("Votre facture N° FA-12 du 2 juillet 2015", "FA-12", "2015-07-02"),
        ("Avoir n° 88", "88", None),
        ("Factuur nr. 2026-15 van 03-03-2026", "2026-15", "2026-03-03"),
        ("Fattura n. 15 del 03/03/2026", "15", "2026-03-03"),
        ("Declaratie D-0093 d.d. 3 maart 2026", "D-0093", "2026-03-03"),
    ],
)
def test_a_title_says_the_number_and_the_day(title: str, number: str, day: str | None) -> None:
    read = Answer().lines(title, "Green Leaf Ltd", "Delivered 28/02/2026", "Number: 900100").read(shipped("invoice"))
    assert field(read, "invoice_number").value == number
    assert field(read, "invoice_date").value == (day or "2026-02-28")


@pytest.mark.parametrize(
    "title",
    [
        "Invoice for order no. 4711",
        "Rechnung gemäß Bestellung Nr. 2018-4711",
        "Reminder of invoice no. 4711",
        "Please name our bank when you pay the invoice no. 4711",
        "Facture du client n° 4711",
        "Invoice s/n DP2-66120",
        "Billing No. 4711",
        "Invoice No. of the year before",
    ],
)
def test_these_are_no_titles(title: str) -> None:
    read = Answer().lines(title, "Document number: 900100").read(shipped("invoice"))
    assert field(read, "invoice_number").value == "900100"


def test_pieces_of_a_title_in_one_row_are_read_as_one() -> None:
    title = Answer().row("Handelsrechnung (380)", "Nr. 471102", "vom", "05.06.2018", lefts=(0.1, 0.35, 0.5, 0.56))
    read = title.line("Nummer: 900100").line("Datum der Lieferung 01.06.2018").read(shipped("invoice"))
    number = field(read, "invoice_number")
    assert (number.value, number.text, number.why, number.source) == ("471102", "471102", "title", "rule")
    assert len(number.word_ids) == 1
    assert field(read, "invoice_date").value == "2018-06-05"


def test_the_first_title_counts_and_only_on_the_first_page() -> None:
    two = Answer().lines("Invoice No. 1", "Invoice No. 2").line("Invoice No. 3", page=2)
    found = field(two.read(shipped("invoice")), "invoice_number")
    assert found.value == "1"
    assert "3" not in {each.value for each in found.suggestions if each.why == "title"}
