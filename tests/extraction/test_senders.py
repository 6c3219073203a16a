"""Who sent a document on which a receiver is named as well."""

import pytest

from ocr.extraction import InvalidType, document_type
from tests.extraction.make import Answer, a_type, field

SENDER = a_type({"name": "sender", "finder": "sender", "threshold": 80, "labels": ["sold by"]})
ADDRESS = ("12 High Street", "AB1 2CD Ely")


def sender(*lines: str) -> str | None:
    return field(Answer().lines(*lines).read(SENDER), "sender").value


def below(*lines: str) -> tuple[str, ...]:
    """A page whose last rows these are."""
    return (*(f"Item {number}: {number}.00" for number in range(14)), *lines)


def test_a_name_that_stands_again_in_the_footer_is_the_sender_s() -> None:
    page = ("Mara Leaf", *ADDRESS, "Great Customer Ltd", *ADDRESS)
    assert sender(*page, *below("Mara Leaf, IBAN DE02 1203 0000 0000 2020 51")) == "Mara Leaf"
    assert sender(*page, *below("office@maraleaf.example")) == "Mara Leaf"


def test_a_firm_with_its_numbers_in_the_footer_is_the_sender() -> None:
    page = ("leafy", "Great Customer Ltd", *ADDRESS)
    assert sender(*page, *below("Green Leaf Interiors Limited", "Registered in England no. 0555512")) == (
        "Green Leaf Interiors Limited"
    )


@pytest.mark.parametrize(
    "row",
    [
        "Sparkasse Bank AG IBAN DE02 1203",
        "Please pay by transfer to us or by cheque made payable to Green Leaf Interiors Ltd",
        "Write to a@leaf.example of Leaf Ltd",
        "CALGARY AB",
    ],
)
def test_banks_sentences_and_places_in_the_footer_are_no_senders(row: str) -> None:
    assert sender("Mara Leaf", *ADDRESS, *below(row)) == "Mara Leaf"


def test_a_firm_is_called_by_its_whole_name_where_that_stands_anywhere() -> None:
    reading = Answer().lines("leafcraft", *ADDRESS, *below("Leafcraft Studio GmbH, HRB 1234")).read(SENDER)
    found = field(reading, "sender")
    assert (found.value, [each.value for each in found.suggestions]) == ("Leafcraft Studio GmbH", [])
    assert sender("leafcraft.example", *ADDRESS, *below("Leafcraft Studio GmbH")) == "Leafcraft Studio GmbH"


@pytest.mark.parametrize(
    "label",
    [
        "Bill to",
        "Klant",
        "Cliente",
        "Spett.le",
        "Facturé à",
        "Firma",
        "Booked by",
        "Invoice for",
        "Destinatario",
        "Buyer",
        "Acquirente",
        "Köpare",
        "Odběratel",
        "Vevő",
        "Cumpărător",
        "Kupac",
        "Alıcı",
    ],
)
def test_what_stands_under_or_behind_the_name_of_a_receiver_is_not_the_sender(label: str) -> None:
    assert sender("Mara Leaf", label, "Great Customer Ltd") == "Mara Leaf"
    assert sender("Mara Leaf", f"{label}: Great Customer Ltd") == "Mara Leaf"


def test_a_firm_under_an_address_with_its_own_number_may_be_the_sender() -> None:
    page = ("Flowers and plants", "12 High Street", "Green Leaf B.V.", "KvK 99118820")
    assert sender(*page) == "Green Leaf B.V."
    assert sender(*page[:3], "Att. Mrs Doe") == "Flowers and plants"


def test_a_page_without_names_has_no_sender_and_one_with_very_many_is_read() -> None:
    assert sender("12", "34") is None
    many = Answer()
    for row in "abcdefghijkl":
        many.row(*(f"Lea{row}{letter} Ltd" for letter in "abcdef"), lefts=[0.02 + 0.16 * place for place in range(6)])
    assert field(many.read(SENDER), "sender").value == "Leaaa Ltd"


def test_a_finder_has_one_of_the_known_names() -> None:
    with pytest.raises(InvalidType, match="company, sender, title"):
        document_type({"name": "a", "version": 1, "label": "A", "fields": [{"name": "b", "finder": "receiver"}]})
