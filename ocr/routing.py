"""Which Textract operation reads a document, decided from what is known before any call."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from ocr import document_types
from ocr.models import Document, Priority, Source

ALL_FEATURES = ("FORMS", "TABLES")  # for a document without a type: everything that the shipped types need
AT_ONCE_BYTES = 10 * 1024 * 1024  # Source: Textract quotas, synchronous operations: 10 MB, one page
SOMEBODY_WAITS = {Source.PAGE, Source.API}

_GET = {
    "StartDocumentAnalysis": "GetDocumentAnalysis",
    "StartDocumentTextDetection": "GetDocumentTextDetection",
}


class NeedsBucket(Exception):
    """Several pages are read asynchronously, and for that Textract has to reach the file."""

    code = "needs_bucket"


def operation(document: Document, features: Sequence[str], *, number: int = 1) -> str:
    """The operation for the document's extraction of this number. Raises NeedsBucket.

    Synchronous for one page up to 10 MB that somebody waits for: it answers in seconds, but knows no token. Everything else is
    asynchronous, and so is a second try: its token guards against paying twice.
    """
    one_page = document.page_count == 1 and document.size_bytes <= AT_ONCE_BYTES
    if not can_be_reached():
        if not one_page:
            raise NeedsBucket
        return "AnalyzeDocument" if features else "DetectDocumentText"
    if one_page and number == 1 and settings.SYNCHRONOUS and _somebody_waits(document):
        return "AnalyzeDocument" if features else "DetectDocumentText"
    return "StartDocumentAnalysis" if features else "StartDocumentTextDetection"


def features(document: Document) -> Sequence[str]:
    """The cheapest set of Textract's features that serves the document's type."""
    return document_types.parsed(document.document_type).features if document.document_type else ALL_FEATURES


def first_quota(document: Document) -> str:
    """The operation whose quota a new document's first step needs: '' while an earlier document's answer or the file's own text may
    serve it, or where the step will be refused anyway."""
    if document.duplicate_of is not None or document.text_layer:
        return ""
    try:
        return operation(document, features(document))
    except NeedsBucket:
        return ""


def _somebody_waits(document: Document) -> bool:
    return document.source in SOMEBODY_WAITS and document.priority <= Priority.NORMAL


def can_be_reached() -> bool:
    """Whether Textract can fetch a stored document itself: from S3, or from the folder that the local endpoint shares with us."""
    return settings.STORAGE == "s3" or bool(settings.TEXTRACT_ENDPOINT)


def at_once(operation_: str) -> bool:
    """Whether the operation answers at once."""
    return not operation_.startswith("Start")


def asking_for(operation_: str) -> str:
    """The operation that fetches what this one started."""
    return _GET[operation_]
