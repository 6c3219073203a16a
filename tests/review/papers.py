"""Documents with line items, and a short way to say what a reviewer says."""

from __future__ import annotations

import uuid
from typing import Any

from audit import trail
from audit.models import AuditEvent
from ocr import document_types
from ocr.models import Document, Field, OutboxEvent
from review import decisions, worklist
from review.models import Claim
from tenants import scope
from tenants.models import Tenant
from tests import engine as stub
from tests import make
from tests.engine import Json, Line, Page

COLUMNS = ("Description", "Quantity", "Unit price", "Amount")
ITEMS = (("Hinges", "2", "5.00", "10.00"), ("Screws", "10", "1.00", "10.00"), ("Brackets", "4", "5.00", "20.00"))


def invoice(where: Tenant, *, total: str = "48.00", **received: Any) -> Document:
    """An invoice of three items that waits for review, since its total (40.00 plus 8.00 tax, unless told otherwise) is doubtful."""
    service = stub.running()
    service.fail_always(stub.GET, stub.changed(_with_items))
    page = Page.of(
        "Alder Ironworks Ltd",
        "Invoice",
        "Invoice number: INV-2044",
        "Invoice date: 12/03/2026",
        "Due date: 12/04/2026",
        "Subtotal: 40.00",
        "Tax: 8.00",
        Line(f"Total: {total}", doubtful={total: 41.0}),
    )
    made = make.document(where, "needs_review", pages=[page], document_type="invoice", **received)
    service.mend()
    return made


def _with_items(told: Json) -> None:
    if told.get("JobStatus") == "SUCCEEDED":
        told["Blocks"].extend(_table())


def _table() -> list[Json]:
    cells: list[Json] = []
    for row, texts in enumerate((COLUMNS, *ITEMS)):
        for column, text in enumerate(texts):
            cells.extend(_cell(row, column, text))
    ids = [cell["Id"] for cell in cells if cell["BlockType"] == "CELL"]
    return [_block("TABLE", "table", (0.1, 0.5, 0.8, 0.2), ids), *cells]


def _cell(row: int, column: int, text: str) -> list[Json]:
    box = (0.1 + 0.2 * column, 0.5 + 0.04 * row, 0.18, 0.03)
    words = [
        _block("WORD", f"word {row} {column} {place}", box, []) | {"Text": part, "TextType": "PRINTED"}
        for place, part in enumerate(text.split())
    ]
    cell = _block("CELL", f"cell {row} {column}", box, [word["Id"] for word in words])
    heading = {"EntityTypes": ["COLUMN_HEADER"]} if row == 0 else {}
    return [cell | {"RowIndex": row + 1, "ColumnIndex": column + 1, "RowSpan": 1, "ColumnSpan": 1} | heading, *words]


def _block(kind: str, place: str, box: tuple[float, float, float, float], children: list[str]) -> Json:
    left, top, width, height = box
    block: Json = {
        "BlockType": kind,
        "Id": str(uuid.uuid5(uuid.NAMESPACE_OID, place)),
        "Page": 1,
        "Confidence": 99.0,
        "Geometry": {
            "BoundingBox": {"Left": left, "Top": top, "Width": width, "Height": height},
            "Polygon": [
                {"X": left, "Y": top},
                {"X": left + width, "Y": top},
                {"X": left + width, "Y": top + height},
                {"X": left, "Y": top + height},
            ],
        },
    }
    return block | ({"Relationships": [{"Type": "CHILD", "Ids": children}]} if children else {})


def seen_by_two(four_eyes: dict[str, Any], name: str = "receipt") -> None:
    """From now on documents of the type need more than one person."""
    newest = document_types.named(name)
    assert newest
    document_types.add_version({**newest.definition, "four_eyes": four_eyes})


def approve(of: Document, **said: Any) -> decisions.Verdict:
    """An approval of the document's version as given."""
    return decisions.Verdict(version=of.version, decision=decisions.APPROVE, **said)


def reject(of: Document, reason: str, **said: Any) -> decisions.Verdict:
    return decisions.Verdict(version=of.version, decision=decisions.REJECT, reason=reason, **said)


def fields(of: Document) -> dict[str, Field]:
    """The document's fields by path, as they now are."""
    with scope.everything():
        return {row.path: row for row in Field.objects.filter(document=of)}


def events(of: Document, *kinds: str) -> list[AuditEvent]:
    """The document's audit events, all or of these kinds, oldest first."""
    with scope.everything():
        return [event for event in trail.timeline(of.pk) if not kinds or event.kind in kinds]


def announced(of: Document) -> list[OutboxEvent]:
    """The document's events in the outbox, oldest first."""
    with scope.everything():
        return list(OutboxEvent.objects.filter(document_id=of.pk).order_by("created_at", "version"))


def claim_ended(of: Document) -> None:
    """Nobody reported for too long."""
    with scope.everything():
        Claim.objects.filter(document=of).update(expires_at="2020-01-01T00:00:00Z")


def holder(of: Document) -> str:
    """Who holds the document now; empty for nobody."""
    with scope.everything():
        held = worklist.holder_of(of)
    return held.holder.get_username() if held else ""
