"""The lending analysis' own answers: fields, check boxes and signatures page by page, other documents among them."""

from __future__ import annotations

from typing import Any

import pytest

from ocr.extraction import Reading, read
from tests.extraction import test_expense, test_identity
from tests.extraction.make import Answer, a_type, field, geometry, problems, shipped


def detection(text: str | None = None, *, confidence: Any = 97.0, left: float = 0.1, **more: Any) -> dict[str, Any]:
    told = {} if text is None else {"Text": text}
    return {**told, "Confidence": confidence, "Geometry": geometry(left, 0.08, 0.3, 0.02), **more}


def lent(kind: str, *values: Any, **more: Any) -> dict[str, Any]:
    return {"Type": kind, "ValueDetections": list(values), **more}


def result(
    *fields: Any, page: Any = 1, page_class: str = "PAYSLIPS", signatures: Any = (), **more: Any
) -> dict[str, Any]:
    lending = {"LendingFields": list(fields), "SignatureDetections": list(signatures)}
    classes = [{"Value": "UNCLASSIFIED", "Confidence": 3.0}, {"Value": page_class, "Confidence": 96.0}]
    return {
        "Page": page, "PageClassification": {"PageType": classes}, "Extractions": [{"LendingDocument": lending}], **more,
    }  # fmt: skip


def loan(*results: Any, name: str = "pay_stub") -> Reading:
    return read([], shipped(name), lending_results=list(results))


SLIP = result(
    lent("COMPANY_NAME", detection("ANY COMPANY CORP.")),
    lent("BORROWER_NAME", detection("JOHN STILES")),
    lent("PAY_PERIOD_START_DATE"),
    lent("PAY_DATE", detection("7/25/2008")),
    lent("CURRENT_GROSS_PAY", detection("$ 452.43", confidence=91.0)),
    lent("CURRENT_NET_PAY", detection("$ 291.90")),
    page=2,
)


def test_the_fields_of_a_page_become_fields() -> None:
    reading = loan(SLIP)
    assert {each.name: each.value for each in reading.fields if each.value} == {
        "employer": "ANY COMPANY CORP.",
        "employee": "JOHN STILES",
        "pay_date": "2008-07-25",
        "gross_pay": "452.43",
        "net_pay": "291.90",
    }
    gross = field(reading, "gross_pay")
    assert (gross.source, gross.why, gross.page, gross.box) == ("textract", "lending", 2, (0.1, 0.08, 0.3, 0.02))
    assert (gross.confidence, gross.word_confidence, gross.mean_word_confidence) == (91.0, 91.0, 91.0)
    assert [page.number for page in reading.pages] == [2]
    assert reading.problems == ()


def test_a_field_may_be_taken_from_pages_of_one_class_only() -> None:
    check = result(lent("BORROWER_NAME", detection("MARTHA RIVERA")), page=1, page_class="CHECKS")
    assert field(loan(check, SLIP), "employee").value == "JOHN STILES"
    same = result(lent("BORROWER_NAME", detection("MARTHA RIVERA")), page=1)
    assert ("ambiguous", "employee", "close_candidates") in problems(loan(same, SLIP))


def test_keys_and_values_are_pairs_and_the_less_sure_of_the_two_counts() -> None:
    key = detection("Employee name:", confidence=60.0)
    (name,) = loan(
        result(lent("BORROWER_NAME", detection("JOHN STILES"), KeyDetection=key)), name="generic_form"
    ).fields
    assert (name.name, name.label, name.value, name.confidence, name.word_confidence) == (
        "employee_name", "Employee name", "JOHN STILES", 60.0, 97.0,
    )  # fmt: skip


def test_check_boxes_have_a_state_however_it_is_told_and_without_one_no_value() -> None:
    boxes = result(
        lent("RETIREMENT_PLAN", detection(SelectionStatus="SELECTED")),
        lent("VOID", detection(SelectionStatus="NOT_SELECTED")),
        lent("STATUTORY_EMPLOYEE", detection("SELECTED")),
        lent("CORRECTED", detection()),
    )
    assert [(each.name, each.kind, each.value) for each in loan(boxes, name="generic_form").fields] == [
        ("retirement_plan", "checkbox", "selected"),
        ("void", "checkbox", "not_selected"),
        ("statutory_employee", "checkbox", "selected"),
        ("corrected", "text", None),
    ]
    type_ = a_type({"name": "void", "kind": "checkbox", "lending": ["VOID"]})
    assert field(read([], type_, lending_results=[boxes]), "void").value == "not_selected"


def test_signatures_become_fields_and_one_that_is_hardly_one_is_told() -> None:
    signed = result(signatures=[detection(confidence=90.0), detection(confidence=11.2, left=0.6)], page=3)
    found = loan(signed, name="generic_form")
    assert [(each.name, each.label, each.kind, each.value, each.confidence, each.page) for each in found.fields] == [
        ("signature", "Signature", "checkbox", "selected", 90.0, 3),
        ("signature_2", "Signature", "checkbox", "selected", 11.2, 3),
    ]
    assert {("low_confidence", "signature_2", "pair_confidence")} == problems(found)
    type_ = a_type({"name": "signed", "kind": "checkbox", "lending": ["SIGNATURE"], "required": True})
    assert field(read([], type_, lending_results=[signed]), "signed").value == "selected"
    assert ("missing", "signed", "required") in problems(read([], type_, lending_results=[SLIP]))


def test_several_values_of_a_field_are_all_told() -> None:
    both = result(lent("OTHER", detection("one"), detection("two")))
    assert [each.value for each in loan(both, name="generic_form").fields] == ["one", "two"]


def test_expense_and_identity_documents_among_the_pages_are_read_on_their_page() -> None:
    paper = {"Page": 4, "Extractions": [{"ExpenseDocument": test_expense.WHOLE}]}
    card = {"Page": 5, "Extractions": [{"IdentityDocument": test_identity.document(*test_identity.WHOLE)}]}
    invoice = read([], shipped("invoice"), lending_results=[paper, card])
    assert (field(invoice, "total").value, field(invoice, "total").page) == ("13.50", 4)
    assert [(item.page, item.cells[1].value) for item in invoice.line_items] == [(4, "Red paint"), (4, "Brush")]
    surname = field(read([], shipped("identity_document"), lending_results=[paper, card]), "surname")
    assert (surname.value, surname.page) == ("ALBRECHT", 5)
    assert [page.number for page in invoice.pages] == [4, 5]


def test_the_words_of_blocks_are_those_of_the_value() -> None:
    blocks = [{**block, "Page": 2} for block in Answer().line("452.43", left=0.1, top=0.08, confidence=70.0).blocks]
    gross = field(read(blocks, shipped("pay_stub"), lending_results=[SLIP]), "gross_pay")
    assert (gross.word_confidence, len(gross.word_ids)) == (70.0, 1)


@pytest.mark.parametrize(
    "foreign",
    [None, "text", [], {}, {"Page": None, "Extractions": None}, {"Extractions": [None, {}, {"LendingDocument": []}]},
     {"PageClassification": {"PageType": [None, {"Value": 1}]}, "Extractions": [{"LendingDocument": {"LendingFields": [None, {}]}}]},
     result(lent("PAY_DATE", None, "x", {}), {"Type": None, "ValueDetections": None}, signatures=[None, {}]),
     result(page=-1), result(page=10**400), result(lent("PAY_DATE", {"Text": 12}), PageClassification=None)],
)  # fmt: skip
def test_foreign_shapes_do_no_harm(foreign: Any) -> None:
    assert field(loan(foreign, SLIP), "net_pay").value == "291.90"
