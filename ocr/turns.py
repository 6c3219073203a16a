"""Pages that a person turned: boxes are stored on the page as the engine sees it, and told on the page as it is shown."""

from __future__ import annotations

from collections.abc import Sequence

from audit import prepared
from ocr.models import Document


def of(document: Document) -> dict[int, int]:
    """How far pages were turned on from upright, clockwise, by number; only those that were turned. Inside a scope."""
    turned = "SELECT number, turn FROM ocr_page WHERE document_id = $1::uuid AND turn <> 0"
    return dict(prepared.fetch(turned, document.pk))


def turned(box: Sequence[float] | None, turn: int) -> list[float] | None:
    """The box on the page after a turn of so many degrees, clockwise (a multiple of 90; less than 0 turns back)."""
    if not box:
        return None
    left, top, width, height = box
    for _quarter in range(turn % 360 // 90):
        left, top, width, height = 1 - top - height, left, height, width
    return [left, top, width, height]
