"""What the lending analysis found on a page: its fields as named values, check boxes and signatures among them.

Source: AWS Textract API reference, LendingDocument: a field has a type, maybe a key, and any number of values, each with a
text or a selection status and one confidence. A signature has a place and a confidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ocr.extraction.blocks import Layout, Span, turned_box
from ocr.extraction.named import Named, span_of
from ocr.extraction.tolerant import listed, members, number, text

SIGNATURE = "SIGNATURE"
_STATES = ("SELECTED", "NOT_SELECTED")


def named(document: Any, layout: Layout, page: int, page_class: str) -> Iterator[Named]:
    """The values and signatures of one lending document, which is the page `page`; a field without values was not found."""
    for each in listed(members(document).get("LendingFields")):
        field = members(each)
        key = members(field.get("KeyDetection"))
        label = span_of(key, layout, page, None)
        for detection in filter(None, map(members, listed(field.get("ValueDetections")))):
            content = _content(detection, layout, page, number(key.get("Confidence")))
            kind = text(field.get("Type"))
            yield Named("lending", kind, content, label if label.text else None, page_class=page_class)
    for signature in filter(None, map(members, listed(members(document).get("SignatureDetections")))):
        yield Named("lending", SIGNATURE, _box(signature, layout, page, (True,)), page_class=page_class)


def page_class(result: Mapping[str, Any]) -> str:
    """What the page most likely is, such as PAYSLIPS or W_2; empty when nothing is said."""
    told = [members(each) for each in listed(members(result.get("PageClassification")).get("PageType"))]
    best = max(told, key=lambda each: number(each.get("Confidence")) or 0.0, default={})
    return text(best.get("Value"))


def _content(detection: Mapping[str, Any], layout: Layout, page: int, key_confidence: float | None) -> Span:
    """The text or the check box. The engine may write a box's state as its text."""
    state = text(detection.get("SelectionStatus")) or text(detection.get("Text"))
    if state in _STATES:
        return _box(detection, layout, page, (state == "SELECTED",))
    scores = [each for each in (key_confidence, number(detection.get("Confidence"))) if each is not None]
    return span_of(detection, layout, page, min(scores, default=None))


def _box(detection: Mapping[str, Any], layout: Layout, page: int, checks: tuple[bool, ...]) -> Span:
    box = turned_box(detection.get("Geometry"), layout.rotations.get(page, 0))
    return Span("", (), page, box, number(detection.get("Confidence")), checks)
