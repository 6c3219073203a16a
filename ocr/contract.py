"""Documents in the shape that the REST contract promises: also what is stored as the normalised result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.urls import get_script_prefix, reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit import prepared
from ocr import document_types, told, turns
from ocr.models import Document, Extraction, Field, Priority, Status, TextLayer, Witness

MICRO = 1_000_000
_ANY = str(UUID(int=0))
# Why a document failed or waits, in words that say what to do.
ERRORS: Mapping[str, Any] = {
    "unsupported_document": gettext_lazy(
        "Textract does not take this kind of document. Save it as a plain PDF or image and upload it again."
    ),
    "bad_document": gettext_lazy(
        "Textract could not open the document. Save it again, or scan it again, and upload the new file."
    ),
    "document_too_large": gettext_lazy("Textract found the document too large. Split it and upload the parts."),
    "needs_bucket": gettext_lazy(
        "Documents of several pages need an S3 bucket when AWS reads them. Ask the administrator to set DTAT_STORAGE=s3."
    ),
    "charge_uncertain": gettext_lazy(
        "The answer of a synchronous call was lost, so nobody knows whether it was billed. Retry sends it again."
    ),
    "engine_failed": gettext_lazy(
        "Textract gave up on this document. Retry asks once more; a better scan often helps."
    ),
    "engine_timeout": gettext_lazy("Textract did not finish within two hours. Retry starts it again."),
    "job_expired": gettext_lazy(
        "The answer was not fetched within seven days and is gone. Retry reads the document again, which costs again."
    ),
    "bad_response": gettext_lazy("Textract's answers were incomplete every time. Retry later."),
    "storage_or_database": gettext_lazy("The document storage did not work for a while. Retry when it does."),
    "monthly_cap": gettext_lazy(
        "The budget of this month is used up. The document waits, and is read by itself once an administrator raises the "
        "budget or the next month begins."
    ),
}
# What became of a PDF's own text, where it was looked at.
TEXT_LAYERS: Mapping[str, Any] = {
    TextLayer.TAKEN: gettext_lazy(
        "The file's own text was read. A second witness compared a sample of its words with the pages and found the same."
    ),
    TextLayer.DIFFERS: gettext_lazy(
        "The file's own text does not say what its pages show, so Textract read the pages. Trust what you see, and "
        "no text that is copied out of the file."
    ),
    TextLayer.UNSOUND: gettext_lazy(
        "Not every page of the file has text of its own that can be used, so Textract read the pages."
    ),
    TextLayer.UNCHECKED: gettext_lazy(
        "The second witness could not compare the file's own text with its pages, so Textract read them."
    ),
    TextLayer.UNFIT: gettext_lazy("Documents of this type need more than their words, so Textract read the pages."),
}
# How the jobs of /ocr call what a document's status says.
JOB_STATUSES = {
    Status.RECEIVED: "queued",
    Status.READING: "processing",
    Status.NEEDS_REVIEW: "needs_review",
    Status.APPROVED: "completed",
    Status.REJECTED: "completed",  # the work on it is complete, and the result says how it was decided
    Status.FAILED: "failed",
}


class FieldLike(Protocol):
    """What a field says, be it stored or about to be."""

    row: int | None
    name: str
    label: str
    value: str | None
    text: str
    confidence: float | None
    word_confidence: float | None
    page: int | None
    box: Any
    source: str
    state: str
    required: bool
    threshold: float
    problems: Any
    group: str
    kind: str
    why: str
    suggestions: Any
    word_ids: Any
    machine_value: str | None

    @property
    def path(self) -> str: ...


def priority_name(document: Document) -> str:
    return Priority(document.priority).name.lower()


_LINKS = {
    "self": "api-document",
    "result": "api-result",
    "raw": "api-raw",
    "original": "api-original",
    "audit": "api-audit",
    "page": "document",
}


def links(document: Document) -> dict[str, str]:
    """Relative links to everything a caller may fetch about the document."""
    return {name: url_of(view, document.pk) for name, view in _LINKS.items()}


def url_of(view: str, document_id: UUID, *more: int) -> str:
    """The address of this view of the document: `reverse`, looked up once a process, since a list has a hundred of them."""
    return _address(view, len(more), get_script_prefix()).format(document_id, *more)


@cache
def _address(view: str, more: int, prefix: str) -> str:
    """With {} in place of the document's id and of the numbers that follow, where the site is mounted at `prefix`."""
    numbers = [10**9 + place for place in range(more)]
    address = reverse(view, args=[_ANY, *numbers])
    for each in (_ANY, *numbers):
        address = address.replace(str(each), "{}")
    return address


def accepted(document: Document) -> dict[str, Any]:
    """The 202 answer to an upload."""
    answer: dict[str, Any] = {"id": str(document.pk), "status": document.status, "links": links(document)}
    if document.duplicate_of:
        answer["duplicate_of"] = str(document.duplicate_of)
    return answer


def summary(document: Document) -> dict[str, Any]:
    """One row of a list."""
    return {
        "id": str(document.pk),
        "external_id": document.external_id,
        "filename": document.filename,
        "status": document.status,
        "document_type": document.document_type.name if document.document_type else None,
        "priority": priority_name(document),
        "pages": document.page_count,
        "received_at": _time(document.received_at),
        "finished_at": _time(document.finished_at),
        "version": document.version,
        "duplicate_of": str(document.duplicate_of) if document.duplicate_of else None,
        "split_of": str(document.split_of) if document.split_of else None,
        "links": links(document),
    }


def detail(
    document: Document,
    *,
    extractions: Sequence[Extraction] | None = None,
    fields: Sequence[FieldLike] | None = None,
    witness: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Everything about one document but its bytes. Who has its extractions and fields at hand gives them, and nothing is asked for."""
    if extractions is None:
        extractions = prepared.objects(Extraction, "WHERE document_id = $1::uuid ORDER BY number", document.pk)
    return {
        **summary(document),
        **reading(document, fields, witness),
        "metadata": document.metadata,
        "engine": _engine(document, extractions),
        "review": {
            "required": document.straight_through is False,
            "reasons": reasons(document),
            "decision": document.decision or ("straight_through" if document.straight_through else None),
            "reviewer": document.reviewer or None,
            "decided_at": _time(document.decided_at),
            "reason": document.decision_reason or None,
        },
        "cost": {
            "pages": sum(run.pages for run in extractions if not run.is_free),
            "usd": f"{sum(run.micro_dollars for run in extractions) / MICRO:.6f}",
        },
        "attempts": document.attempts,
        "error": document.error_code or None,
        "error_message": _error_message(document),
    }


def job(document: Document) -> dict[str, Any]:
    """The document as a job of /ocr, with its result as soon as there is one."""
    told: dict[str, Any] = {
        "job_id": str(document.pk),
        "status": JOB_STATUSES[Status(document.status)],
        "status_url": reverse("ocr-job", args=[document.pk]),
    }
    if told["status"] in {"needs_review", "completed"}:
        told["result"] = detail(document)
    if told["status"] == "failed":
        told["error"] = {"code": document.error_code, "detail": failure(document)}
    return told


def _error_message(document: Document) -> str | None:
    """The error as a sentence; none for a hindrance that passes by itself in a moment."""
    if document.status == Status.FAILED:
        return failure(document)
    known = ERRORS.get(document.error_code)
    return None if known is None else str(known)


def failure(document: Document) -> str:
    """Why the document failed, as a sentence that says what to do."""
    unknown = _("The work stopped with the code %(code)s. Retry, or ask the administrator.")
    return str(ERRORS.get(document.error_code, unknown % {"code": document.error_code}))


def reading(
    document: Document, fields: Sequence[FieldLike] | None = None, witness: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Fields, line items and problems as they now are, each field with what the second witness said of it."""
    rows: list[FieldLike] = _present(document) if fields is None else list(fields)
    said = _witness(document) if witness is None else witness
    # A page that is only now read has not been turned by anybody.
    turned = turns.of(document) if fields is None else {}
    blind = keyed_blind(document)
    header = [_told(field(row, said, turned), blind) for row in rows if row.row is None]
    cells: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        if row.row is not None:
            cells.setdefault(row.row, []).append(_told(field(row, said, turned), blind, is_cell=True))
    items = [{"row": number, "cells": of_row} for number, of_row in cells.items()]
    found = [each for each in problems(document, rows) if not _tells(each, blind)]
    return {"fields": header, "line_items": items, "problems": _worded(found)}


def keyed_blind(document: Document) -> frozenset[str]:
    """The fields that people key without seeing what anybody made of them, as long as the document waits for these people."""
    if document.status != Status.NEEDS_REVIEW or document.document_type is None:
        return frozenset()
    eyes = document_types.parsed(document.document_type).four_eyes
    return frozenset(eyes.fields) if eyes and eyes.mode == "blind" else frozenset()


_UNTOLD: Mapping[str, Any] = MappingProxyType(
    {
        "value": None, "text": "", "confidence": None, "word_confidence": None, "state": "open", "problems": [], "why": "",
        "suggestions": [], "word_ids": [], "machine_value": None, "witness": None,
    }
)  # fmt: skip


def _told(field: dict[str, Any], blind: frozenset[str], *, is_cell: bool = False) -> dict[str, Any]:
    """The field without what would tell somebody who keys blind; its place on the page is no secret."""
    if not blind:
        return field
    if field["name"] in blind and not is_cell:
        return {**field, **_UNTOLD}
    return {**field, "problems": [each for each in field["problems"] if not _tells(each, blind)]}


def _tells(problem: Mapping[str, Any], blind: frozenset[str]) -> bool:
    """Whether a problem says something of a field that is keyed blind: the sentence of a rule names the values that break it."""
    return bool(blind) and (problem["field"] in blind or problem["code"] == "invalid")


def _present(document: Document) -> list[FieldLike]:
    """The document's fields in their order, without the rows that a person took out."""
    return [*prepared.objects(Field, _FIELDS, document.pk)]


_FIELDS = "WHERE document_id = $1::uuid AND state <> 'removed' ORDER BY position"


def problems(document: Document, rows: Sequence[FieldLike] | None = None) -> list[dict[str, Any]]:
    """The document's own problems, then the fields' in their order."""
    found = list(document.problems)
    for row in rows if rows is not None else document.fields.all():
        found.extend(row.problems)
    return found


def reasons(document: Document) -> list[str]:
    """The distinct codes of why a person was needed, in the order of their first appearance."""
    return list(dict.fromkeys(document.review_reasons))


def _witness(document: Document) -> Mapping[str, Any]:
    """What the second witness said of this version's fields, by their paths."""
    asked = (document.pk, document.version)
    found = prepared.objects(Witness, "WHERE document_id = $1::uuid AND version = $2::int ORDER BY id LIMIT 1", *asked)
    return found[0].said if found else {}


def field(
    row: FieldLike, witness: Mapping[str, Any], turned: Mapping[int, int] = MappingProxyType({})
) -> dict[str, Any]:
    """One field as it is told; `turned` tells of the pages that a person turned: boxes are told on the page as it is shown."""
    return {
        "name": row.name,
        "label": told.label(row.label),
        "value": row.value,
        "text": row.text,
        "confidence": row.confidence,
        "word_confidence": row.word_confidence,
        "page": row.page,
        "box": _shown(row.page, row.box, turned),
        "source": row.source,
        "state": row.state,
        "required": row.required,
        "threshold": row.threshold,
        "problems": _worded(row.problems),
        "group": told.label(row.group),
        "kind": row.kind,
        "why": row.why,
        "suggestions": [{**each, "box": _shown(each.get("page"), each.get("box"), turned)} for each in row.suggestions]
        if turned
        else row.suggestions,
        "word_ids": row.word_ids,
        "machine_value": row.machine_value,
        "witness": witness.get(row.path) if witness else None,
    }


def _worded(found: Any) -> Any:
    """Problems as they are shown: their sentences are stored in English."""
    return found if told.is_plain() else [told.problem(each) for each in found]


def _shown(page: int | None, box: Any, turned: Mapping[int, int]) -> Any:
    return turns.turned(box, turned.get(page or 0, 0)) if turned else box


def result(
    document: Document, *, extractions: Sequence[Extraction] | None = None, fields: Sequence[FieldLike] | None = None
) -> dict[str, Any]:
    """The normalised result: what the reading and the decisions together say, and nothing that changes later.

    In English, whoever decided: it is stored.
    """
    with translation.override(settings.LANGUAGE_CODE):
        found = detail(document, extractions=extractions, fields=fields, witness={})
    left_out = {"links", "attempts", "error", "error_message", "finished_at"}
    return {name: value for name, value in found.items() if name not in left_out}


def _engine(document: Document, extractions: Sequence[Extraction]) -> dict[str, Any] | None:
    if not extractions:
        return None
    run = extractions[-1]
    return {
        "operation": run.operation,
        "features": run.features,
        "model_version": run.model_version or None,
        "job_id": run.job_id or None,
        "reused_from": str(run.reused_from) if run.reused_from else None,
        "charge_uncertain": run.charge_uncertain,
        "text_layer": document.text_layer or None,
    }


def _time(moment: Any) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
