"""Labels in print: any case and punctuation, small reading errors, the longest one wins."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocr.extraction import FieldSpec
from ocr.extraction.labels import Lexicon, Mention, lexicon_of, squash, within_one_error
from tests.extraction.make import a_type, shipped

FIELDS = a_type(
    {"name": "total", "kind": "amount", "labels": ["grand total", "total"], "negative_labels": ["total quantity"]},
    {"name": "subtotal", "kind": "amount", "labels": ["sub total"]},
    {"name": "number", "kind": "identifier", "labels": ["invoice no", "bill no", "numéro de facture", "Rechnungs-Nr."]},
    {"name": "number_too", "kind": "identifier", "labels": ["invoice no"]},
).fields
LEXICON = Lexicon(FIELDS)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Total", ["total"]),
        ("TOTAL:", ["total"]),
        ("G R A N D  total", ["total"]),
        ("GrandTotal", ["total"]),
        ("T0TAL", ["total"]),
        ("TOTA1", ["total"]),
        ("Sub-Total", ["subtotal"]),
        ("SUBTOTAL 12.00 TOTAL 13.00", ["subtotal", "total"]),
        ("Total quantity 3", []),
        ("Invoice # 12", ["number", "number_too"]),
        ("lnvoice N0: 12", ["number", "number_too"]),
        ("Invoise no", ["number", "number_too"]),
        ("Invoicee no", ["number", "number_too"]),
        ("Numero de facture", ["number"]),
        ("NUMÉRO DE FACTURE", ["number"]),
        ("Rechnungs Nr", ["number"]),
        ("Rechnungsnr.", ["number"]),
        ("Bill No", ["number"]),
        ("Bill To", []),
        ("Invoice to", []),
        ("Tot", []),
        ("Totals", []),
        ("", []),
        ("123", []),
    ],
)
def test_labels_are_found_in_a_text(text: str, names: list[str]) -> None:
    assert [each.name for each in LEXICON.mentions(text)] == names


def test_among_other_words_of_a_label_a_short_one_may_be_misread() -> None:
    names = (
        {"name": "wages", "kind": "amount", "labels": ["wages tips other comp"]},
        {"name": "due", "kind": "date", "labels": ["due date"]},
    )
    lexicon = Lexicon(a_type(*names).fields)
    assert [each.name for each in lexicon.mentions("1 Wages, tips, othar comp.")] == ["wages"]
    assert not lexicon.mentions("Wages, tips, othar comq."), "two are too many"
    assert not lexicon.mentions("Wagas, tips, other comp."), "the first word says where to look"
    assert not lexicon.mentions("Due rate"), "one other word says too little"


def test_letters_with_a_stroke_are_those_without() -> None:
    lexicon = lexicon_of((FieldSpec("total", "Total", kind="amount", labels=("do zaplaty", "belob i alt")),))
    assert [each.name for each in lexicon.mentions("Do zapłaty: 9,00 / Beløb i alt")] == ["total", "total"]


def test_letters_within_a_code_are_no_label() -> None:
    assert LEXICON.mentions("SK-TOTAL/7741920") == () == LEXICON.mentions("AB/Total-12")
    for text in ("Total/12", "Net/Total: 12", "-Total-12", "Sub-Total 12"):
        assert LEXICON.mentions(text), text


def test_a_mention_knows_its_place() -> None:
    (found,) = LEXICON.mentions("please pay the total of 5")
    assert ("please pay the total of 5"[found.start : found.end], found.before) == ("total", 3)


def test_digits_and_other_labels_end_the_words_before() -> None:
    first, second = LEXICON.mentions("no 12 due sub total grand total")
    assert (first.before, second.before) == (1, 0)


def test_the_first_label_is_the_strongest_and_an_error_weakens() -> None:
    strong, weak = LEXICON.mentions("grand total")[0], LEXICON.mentions("total")[0]
    misread = LEXICON.mentions("grond total")
    assert strong.strength == 1 > weak.strength == pytest.approx(0.6)
    assert [each.name for each in misread] == ["total"]
    assert LEXICON.mentions("Invoise no")[0].strength == pytest.approx(0.9)


def test_names_are_labels_at_the_beginning() -> None:
    assert [each.name for each in LEXICON.names("(Total) RM")] == ["total"]
    assert LEXICON.names("the total") == []


def test_one_lexicon_serves_all_documents_of_a_type() -> None:
    assert lexicon_of(FIELDS) is lexicon_of(FIELDS)


def test_no_labels_find_nothing() -> None:
    assert not Lexicon(()).mentions("Total 12.00")


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [("total", "total", True), ("total", "tota", True), ("tota", "total", True), ("total", "tatal", True),
     ("total", "ttl", False), ("total", "tatel", False), ("", "a", True)],
)  # fmt: skip
def test_one_error(one: str, other: str, *, apart: bool) -> None:
    assert within_one_error(one, other) is apart


def test_squashing_folds_case_accents_blanks_and_confusable_letters() -> None:
    assert squash("Sub Total") == squash("SUB-T0TAL") == squash("sübtotal")
    assert squash("№") == squash("No") == squash("#")


class _Thorough(Lexicon):
    """Looks at every word, whether or not a label may begin with it, and remembers nothing."""

    def mentions(self, text: str) -> Sequence[Mention]:
        return self._found(text)

    def _may_begin(self, word: str) -> bool:
        return True


SHIPPED = [*shipped("invoice").fields, *shipped("receipt").fields]
QUICK, THOROUGH = Lexicon(SHIPPED), _Thorough(SHIPPED)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Labels, some misread or torn apart, among other words."""
    labels = st.sampled_from(sorted({label for each in SHIPPED for label in (*each.labels, *each.negative_labels)}))
    parts = []
    for part in draw(
        st.lists(labels | st.text(max_size=8) | st.from_regex(r"[0-9.,#№]{1,5}", fullmatch=True), max_size=4)
    ):
        at = draw(st.integers(0, len(part)))
        parts.append(
            part[:at] + draw(st.sampled_from(["", "", "", " ", "x", "1", "É"])) + part[at + draw(st.integers(0, 1)) :]
        )
    return draw(st.sampled_from([" ", "", ": "])).join(parts)


@settings(max_examples=500, derandomize=True, deadline=None, database=None)
@given(texts())
def test_passing_over_words_that_begin_no_label_loses_none(text: str) -> None:
    assert QUICK.mentions(text) == THOROUGH.mentions(text)


@pytest.mark.parametrize("spec", SHIPPED, ids=lambda spec: spec.name)
def test_every_label_is_found_with_any_letter_lost_or_misread_as_thoroughly(spec: FieldSpec) -> None:
    for label in (*spec.labels, *spec.negative_labels):
        for at in range(len(label)):
            for text in (label[:at] + label[at + 1 :], f"{label[:at]}x{label[at + 1 :]}", f"{label[:at]}x{label[at:]}"):
                assert QUICK.mentions(text) == THOROUGH.mentions(text), text


def test_a_long_text_is_read_like_a_short_one() -> None:
    (found,) = QUICK.mentions("word " * 100 + "grand total 12.00")
    assert (found.name, found.start) == ("total", 500)
