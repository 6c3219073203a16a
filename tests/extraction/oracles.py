"""What two public libraries say of an answer, and what extraction says of it, in the same plain shapes.

`trp` is amazon-textract-response-parser with its older and its newer (trp2) reader, `textractor` amazon-textract-textractor.
Each function hides what is only form; what a library gets wrong stays in. Confidences are rounded to what both
libraries keep.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import trp
from textractor.entities.key_value import KeyValue
from textractor.entities.selection_element import SelectionElement
from textractor.entities.word import Word
from textractor.parsers import response_parser
from trp import trp2, trp2_analyzeid, trp2_expense, trp2_lending

from ocr.extraction.blocks import resolve

Answer = Mapping[str, Any]
Raw = Mapping[str, Any]


class Pair(NamedTuple):
    """A form field; `value` is None when the library knows none."""

    key: str
    value: str | None
    checks: tuple[bool, ...]
    key_confidence: float | None
    value_confidence: float | None


class Cell(NamedTuple):
    """A cell or merged cell by its place in the table; a library that knows no confidence of it has None."""

    row_span: int
    column_span: int
    text: str
    checks: tuple[bool, ...]
    confidence: float | None


class Question(NamedTuple):
    text: str
    alias: str
    answer: str


class Value(NamedTuple):
    """One value that an operation names itself: its type, the label printed beside it, its text, how sure the type is."""

    type: str
    label: str
    text: str
    confidence: float | None


Pairs = dict[str, Pair]  # by the key's id
Cells = dict[tuple[str, int, int], Cell]  # by the table's id, row and column


# --- the answer itself


def keys_of(answer: Answer) -> list[dict[str, Any]]:
    return [
        block
        for block in answer["Blocks"]
        if block["BlockType"] == "KEY_VALUE_SET" and "KEY" in (block.get("EntityTypes") or ())
    ]


def children(answer: Answer, block: Raw, kind: str = "CHILD") -> list[Raw]:
    by_id = {each["Id"]: each for each in answer["Blocks"]}
    related = [each for each in block.get("Relationships") or () if each["Type"] == kind]
    return [by_id[identity] for each in related for identity in each["Ids"]]


def rounded(confidence: float | None) -> float | None:
    return None if confidence is None else round(confidence, 3)


def folded(text: str | None) -> str:
    return " ".join((text or "").split())


# --- extraction


def our_pairs(answer: Answer) -> Pairs:
    pairs = resolve(answer["Blocks"]).pairs
    return {
        key["Id"]: Pair(
            pair.key.text,
            pair.value.text if pair.value else None,
            pair.value.checks if pair.value else (),
            rounded(pair.key.confidence),
            rounded(pair.value.confidence) if pair.value else None,
        )
        for key, pair in zip(keys_of(answer), pairs, strict=True)
    }


def our_cells(answer: Answer) -> Cells:
    tables = [block for block in answer["Blocks"] if block["BlockType"] == "TABLE"]
    return {
        (block["Id"], cell.row, cell.column): Cell(
            cell.row_span, cell.column_span, cell.content.text, cell.content.checks, rounded(cell.content.confidence)
        )
        for block, table in zip(tables, resolve(answer["Blocks"]).tables, strict=True)
        for cell in table.cells
    }


def our_questions(answer: Answer) -> list[Question]:
    return [Question(each.query, each.alias, each.content.text) for each in resolve(answer["Blocks"]).answers]


# --- trp


def trp_pairs(answer: Answer) -> Pairs:
    fields = [field for page in trp.Document(copy.deepcopy(answer)).pages for field in page.form.fields]
    return {
        field.key.id: Pair(
            field.key.text,
            _printed(field.value.content) if field.value else None,
            _checks(field.value.content) if field.value else (),
            rounded(field.key.confidence),
            rounded(field.value.confidence) if field.value else None,
        )
        for field in fields
    }


def trp_cells(answer: Answer) -> Cells:
    tables = [table for page in trp.Document(copy.deepcopy(answer)).pages for table in page.tables]
    found: Cells = {}
    for table in tables:
        plain = [cell for row in table.rows for cell in row.cells]
        for cell in (each for each in plain if not each._isChildOfMergedCell):
            found[table.id, cell.rowIndex, cell.columnIndex] = _trp_cell(cell, cell.content)
        for merged in table.merged_cells:
            inner = [each for each in plain if each._isChildOfMergedCell and each._mergedCellParent is merged]
            content = [each for cell in inner for each in cell.content]
            found[table.id, merged.rowIndex, merged.columnIndex] = _trp_cell(merged, content)
    return found


def trp_questions(answer: Answer) -> list[Question]:
    document = trp2.TDocumentSchema().load(copy.deepcopy(answer))
    return [
        Question(text, alias or "", found)
        for page in document.pages
        for text, alias, found in document.get_query_answers(page)
    ]


def trp_expenses(answer: Answer) -> list[Value]:
    return [_trp_value(each) for document in _trp_expense_documents(answer) for each in document.summaryfields]


def trp_rows(answer: Answer) -> list[list[Value]]:
    return [
        [_trp_value(each) for each in row.lineitem_expensefields]
        for document in _trp_expense_documents(answer)
        for group in document.lineitemgroups
        for row in group.lineitems
    ]


def trp_identities(answer: Answer) -> list[tuple[Value, str]]:
    """Each value with the day that it means, if it means one."""
    document = trp2_analyzeid.TAnalyzeIdDocumentSchema().load(copy.deepcopy(answer))
    return [
        (Value(kind, "", folded(text), rounded(float(confidence))), day[:10])
        for _number, kind, text, confidence, day, _day_type in document.get_values_as_list()
    ]


def trp_lending(answer: Answer) -> list[tuple[int, Value, str | None]]:
    """Each value with its page and, where it is a box, its state; what was found of identity documents among them."""
    document = trp2_lending.TFullLendingDocumentSchema().load(copy.deepcopy(answer))
    return [
        (result.page, *each)
        for result in document.lending_results
        for extraction in result.extractions or ()
        for each in _trp_extracted(extraction)
    ]


def _trp_extracted(extraction: Any) -> Iterator[tuple[Value, str | None]]:
    for field in extraction.lending_document.lending_fields if extraction.lending_document else ():
        label = field.key_detection.text if field.key_detection else ""
        for each in field.value_detections:
            told = Value(field.field_type, folded(label), folded(each.text), rounded(each.confidence))
            yield told, each.selection_status
    for field in extraction.identity_document.identity_document_fields if extraction.identity_document else ():
        found = field.value_detection
        if found.text:
            yield Value(field.type.text, "", folded(found.text), rounded(found.confidence)), None


def _trp_expense_documents(answer: Answer) -> Any:
    return trp2_expense.TAnalyzeExpenseDocumentSchema().load(copy.deepcopy(answer)).expenses_documents


def _trp_value(field: Any) -> Value:
    label = field.labeldetection.text if field.labeldetection else ""
    text = field.valuedetection.text if field.valuedetection else ""
    return Value(field.ftype.text, folded(label), folded(text), rounded(field.ftype.confidence))


def _trp_cell(cell: Any, content: Sequence[Any]) -> Cell:
    return Cell(cell.rowSpan, cell.columnSpan, _printed(content), _checks(content), rounded(cell.confidence))


def _printed(content: Iterable[Any]) -> str:
    return " ".join(each.text for each in content if isinstance(each, trp.Word))


def _checks(content: Iterable[Any]) -> tuple[bool, ...]:
    return tuple(each.selectionStatus == "SELECTED" for each in content if isinstance(each, trp.SelectionElement))


# --- textractor


def textractor_document(answer: Answer) -> Any:
    return response_parser.parse(copy.deepcopy(dict(answer)))


def textractor_pairs(document: Any) -> Pairs:
    return {each.id: _textractor_pair(each) for each in (*document.key_values, *document.checkboxes)}


def textractor_cells(document: Any) -> Cells:
    """Cells in the order of their blocks; merged ones are put together of what each cell says it belongs to."""
    found: Cells = {}
    for table in document.tables:
        for cell in table.table_cells:
            if cell.parent_cell_id is None:
                content = cell.children
                place, spans = (cell.row_index, cell.col_index), (cell.row_span, cell.col_span)
            else:
                content = [each for inner in cell.siblings for each in inner.children]
                rows, columns = ({inner[at] for inner in _places(cell.siblings)} for at in (0, 1))
                place, spans = (min(rows), min(columns)), (_length(rows), _length(columns))
            printed = " ".join(each.text for each in content if isinstance(each, Word))
            checks = tuple(each.is_selected() for each in content if isinstance(each, SelectionElement))
            confidence = None if cell.parent_cell_id else rounded(cell.confidence * 100)
            found[table.id, *place] = Cell(*spans, printed, checks, confidence)
    return found


def textractor_questions(document: Any) -> list[Question]:
    return [
        Question(each.query, each.alias or "", each.result.answer if each.result else "") for each in document.queries
    ]


def textractor_expenses(document: Any) -> list[Value]:
    return [_textractor_value(each) for found in _textractor_expenses(document) for each in found.summary_fields_list]


def textractor_rows(document: Any) -> list[list[Value]]:
    return [
        [_textractor_value(each) for each in row.expenses]
        for found in _textractor_expenses(document)
        for group in found.line_items_groups
        for row in group.rows
    ]


def textractor_identities(document: Any) -> list[Value]:
    return [
        Value(each.key, "", folded(each.value), rounded(each.confidence))
        for found in document.identity_documents
        for each in found.fields.values()
    ]


def _textractor_expenses(document: Any) -> list[Any]:
    return [found for page in document.pages for found in page.expense_documents]


def _textractor_pair(pair: KeyValue) -> Pair:
    key = " ".join(word.text for word in pair.key)
    if pair.value is None:
        return Pair(key, None, (), rounded(pair.confidence * 100), None)
    return Pair(
        key,
        " ".join(word.text for word in pair.value.words),
        tuple(each.is_selected() for each in pair.value.children if isinstance(each, SelectionElement)),
        rounded(pair.confidence * 100),
        rounded(pair.value.confidence * 100),
    )


def _textractor_value(field: Any) -> Value:
    label = field.key.text if field.key else ""
    return Value(field.type.text, folded(label), folded(field.value.text), rounded(field.type.confidence))


def _places(cells: Iterable[Any]) -> list[tuple[int, int]]:
    return [(cell.row_index, cell.col_index) for cell in cells]


def _length(indexes: set[int]) -> int:
    return max(indexes) - min(indexes) + 1
