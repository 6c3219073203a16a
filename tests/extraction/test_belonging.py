"""Values that belong to a firm stand with it: a supplier's tax number in its block or in the footer, its customer's elsewhere."""

import pytest

from ocr.extraction.reading import Field
from tests.extraction.make import Answer, a_type, field

SUPPLIER = {"name": "supplier", "labels": ["sold by"]}
TAX_ID = {"name": "tax_id", "kind": "identifier", "labels": ["vat"]}
BESIDE = a_type(SUPPLIER, {**TAX_ID, "belongs_to": "supplier"})


def page(*, footer: str = "") -> Answer:
    """A supplier with its address on the right, a customer with a number on the left, further up."""
    answer = Answer().line("Great Customer Ltd").line("VAT GB111111111")
    answer.line("Sold by: Green Leaf", left=0.6, top=0.2)
    if footer:
        answer.line(footer, top=0.95)
    return answer


def tax_id(answer: Answer, type_: object = BESIDE) -> Field:
    return field(answer.read(type_), "tax_id")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "answer",
    [page().line("VAT GB222222222", left=0.6, top=0.24), page(footer="VAT GB222222222")],
    ids=["below its name", "in the footer"],
)
def test_the_value_that_stands_with_its_owner_is_chosen_and_sure(answer: Answer) -> None:
    found = tax_id(answer)
    assert (found.value, found.state) == ("GB222222222", "certain")
    assert [each.value for each in found.suggestions] == ["GB111111111"]


def test_without_an_owner_two_values_are_ambiguous() -> None:
    for type_ in (
        a_type(SUPPLIER, TAX_ID),
        a_type({**SUPPLIER, "labels": ["from"]}, {**TAX_ID, "belongs_to": "supplier"}),
    ):
        found = tax_id(page().line("VAT GB222222222", left=0.6, top=0.24), type_)
        assert [problem.code for problem in found.problems] == ["ambiguous"]


def test_a_value_further_down_or_on_another_page_gains_nothing() -> None:
    for top, on in ((0.5, 1), (0.24, 2)):
        answer = page().line("VAT GB222222222", left=0.6, top=top, page=on)
        assert [problem.code for problem in tax_id(answer).problems] == ["ambiguous"]


def test_the_only_value_is_taken_wherever_it_stands() -> None:
    assert tax_id(page()).value == "GB111111111"


def test_what_the_engine_itself_names_does_not_give_way_to_the_footer() -> None:
    asked = a_type(
        SUPPLIER, {**TAX_ID, "belongs_to": "supplier", "query": "tax_id"}, features=["QUERIES"],
        queries=[{"alias": "tax_id", "text": "What is the tax number of the supplier?"}],
    )  # fmt: skip
    answer = page(footer="VAT GB222222222").query("tax_id", "GB333333333")
    assert tax_id(answer, asked).value == "GB333333333"
