"""Drawn pages as the documents of the operations that name values themselves: expenses, identity documents, loan papers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from deploy.local.textract.simulator.papers import PAGE, Block, Fact, Paper

Json = dict[str, Any]
_EXPENSE = {
    "Invoice number": "INVOICE_RECEIPT_ID", "Receipt no": "INVOICE_RECEIPT_ID", "Invoice date": "INVOICE_RECEIPT_DATE",
    "Date": "INVOICE_RECEIPT_DATE", "Due date": "DUE_DATE", "Net": "SUBTOTAL", "Subtotal": "SUBTOTAL", "VAT": "TAX", "Tax": "TAX",
    "Total": "TOTAL",
}  # fmt: skip
_IDENTITY = {
    "Full name": "FIRST_NAME",
    "Date of birth": "DATE_OF_BIRTH",
    "Permit": "DOCUMENT_NUMBER",
    "Street": "ADDRESS",
}


def holds(operation: str) -> str:
    """The member of this operation's answers that lists what was read."""
    found = {"Expense": "ExpenseDocuments", "ID": "IdentityDocuments", "Lending": "Results"}
    return next((member for part, member in found.items() if part in operation), "Blocks")


def _expense(paper: Paper, blocks: Sequence[Block]) -> Json:
    fields = [_of_expense(*each) for each in _read(paper, _EXPENSE, vendor=True)]
    return {"ExpenseIndex": PAGE, "SummaryFields": fields, "LineItemGroups": [], "Blocks": list(blocks)}


def _of_expense(label: str, kind: str, words: Sequence[Block]) -> Json:
    named = {"LabelDetection": {"Text": label, "Confidence": _least(words)}} if label else {}
    return {
        "Type": {"Text": kind, "Confidence": _least(words)},
        **named,
        "ValueDetection": _value(words),
        "PageNumber": PAGE,
    }


def _identity(paper: Paper, blocks: Sequence[Block]) -> Json:
    fields = [
        {"Type": {"Text": kind}, "ValueDetection": {"Text": _text(words), "Confidence": _least(words)}}
        for _label, kind, words in _read(paper, _IDENTITY)
        if kind != "OTHER"
    ]
    return {"DocumentIndex": PAGE, "IdentityDocumentFields": fields, "Blocks": list(blocks)}


def _lending(paper: Paper, _blocks: Sequence[Block]) -> Json:
    fields = [
        {
            "Type": label.upper().replace(" ", "_"),
            "KeyDetection": {"Text": label, "Confidence": _least(words)},
            "ValueDetections": [_value(words)],
        }
        for label, _kind, words in _read(paper, {})
    ]
    classes = {
        "PageType": [{"Value": "UNCLASSIFIED", "Confidence": 99.0}],
        "PageNumber": [{"Value": "UNDETECTED", "Confidence": 99.0}],
    }
    return {
        "Page": PAGE,
        "PageClassification": classes,
        "Extractions": [{"LendingDocument": {"LendingFields": fields, "SignatureDetections": []}}],
    }


DRAW: Mapping[str, Callable[[Paper, Sequence[Block]], Json]] = {
    "ExpenseDocuments": _expense,
    "IdentityDocuments": _identity,
    "Results": _lending,
}


def _read(
    paper: Paper, types: Mapping[str, str], *, vendor: bool = False
) -> Iterator[tuple[str, str, Sequence[Block]]]:
    """Label, type and words of what the page says."""
    if vendor and (name := paper.heading()):
        yield "", "VENDOR_NAME", name
    for fact in paper.facts:
        label = _label(fact)
        yield label, types.get(label, "OTHER"), fact.words


def _label(fact: Fact) -> str:
    return fact.label.rstrip(":")


def _value(words: Sequence[Block]) -> Json:
    return {"Text": _text(words), "Geometry": words[0]["Geometry"], "Confidence": _least(words)}


def _text(words: Sequence[Block]) -> str:
    return " ".join(word["Text"] for word in words)


def _least(words: Sequence[Block]) -> float:
    return float(min(word["Confidence"] for word in words))
