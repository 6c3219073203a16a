"""Which Textract operation reads a document, decided from what is known before any call."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from ocr import document_types
from ocr.models import Document, DocumentType, Priority, Source

ALL_FEATURES = ("FORMS", "TABLES")  # for a document without a type: everything that the shipped types need
AT_ONCE_BYTES = 10 * 1024 * 1024  # Source: Textract quotas, synchronous operations: 10 MB, one page
SOMEBODY_WAITS = {Source.PAGE, Source.API}


@dataclass(frozen=True, slots=True)
class _Family:
    """What reads the same and costs the same, at once or as a job; '' where there is no such operation."""

    at_once: str
    start: str
    get: str


_TEXT = _Family("DetectDocumentText", "StartDocumentTextDetection", "GetDocumentTextDetection")
_ANALYSIS = _Family("AnalyzeDocument", "StartDocumentAnalysis", "GetDocumentAnalysis")
_EXPENSE = _Family("AnalyzeExpense", "StartExpenseAnalysis", "GetExpenseAnalysis")
_IDENTITY = _Family("AnalyzeID", "", "")
_LENDING = _Family("", "StartLendingAnalysis", "GetLendingAnalysis")
_FAMILIES = (_TEXT, _ANALYSIS, _EXPENSE, _IDENTITY, _LENDING)
_GET = {family.start: family.get for family in _FAMILIES if family.start}
# What a document type may ask for by the name of its operation; all others are asked for features.
_NAMED = {"AnalyzeExpense": _EXPENSE, "AnalyzeID": _IDENTITY, "StartLendingAnalysis": _LENDING}


class NeedsBucket(Exception):
    """Several pages are read asynchronously, and for that Textract has to reach the file."""

    code = "needs_bucket"


@dataclass(frozen=True, slots=True)
class Plan:
    """What Textract is asked: the operation, and the features that go with it."""

    operation: str
    features: tuple[str, ...]


def plan(document: Document, *, number: int = 1) -> Plan:
    """How the document's extraction of this number is asked for. Raises NeedsBucket.

    Synchronous for one page up to 10 MB that somebody waits for: it answers in seconds, but knows no token. Everything else is
    asynchronous, and so is a second try: its token guards against paying twice. Identity documents are read at once whoever waits,
    since no job reads them, and a loan's papers by a job.
    """
    family, features = _asked(document.document_type, one_page=_is_one_page(document))
    if _is_answered_at_once(document, family, number):
        return Plan(family.at_once, features)
    if not can_be_reached():
        raise NeedsBucket
    return Plan(family.start, features)


def asked_for(type_: DocumentType | None, *, pages: int = 1) -> Plan:
    """What reading a document of this type and length is priced by."""
    family, features = _asked(type_, one_page=pages == 1)
    return Plan(family.at_once or family.start, features)


def alike(operation: str) -> tuple[str, ...]:
    """The operations whose answers say the same, whether at once or as a job."""
    return next(((each.at_once, each.start) for each in _FAMILIES if operation in {each.at_once, each.start}), ())


def first_quota(document: Document) -> str:
    """The operation whose quota a new document's first step needs: '' while an earlier document's answer or the file's own text may
    serve it, or where the step will be refused anyway."""
    if document.duplicate_of is not None or document.split_of is not None or document.text_layer:
        return ""
    try:
        return plan(document).operation
    except NeedsBucket:
        return ""


def _asked(type_: DocumentType | None, *, one_page: bool) -> tuple[_Family, tuple[str, ...]]:
    """What the type asks for. AnalyzeID reads one page only: longer documents are analysed for what else the type names."""
    if type_ is None:
        return _ANALYSIS, ALL_FEATURES
    parsed = document_types.parsed(type_)
    named = _NAMED.get(parsed.operation)
    if named is _IDENTITY and not one_page:
        return _ANALYSIS, parsed.features or ("FORMS",)
    if named:
        return named, ()
    return (_ANALYSIS if parsed.features else _TEXT), parsed.features


def _is_answered_at_once(document: Document, family: _Family, number: int) -> bool:
    if not family.at_once or not _is_one_page(document):
        return False
    if not family.start or not can_be_reached():
        return True
    return number == 1 and settings.SYNCHRONOUS and _somebody_waits(document)


def _is_one_page(document: Document) -> bool:
    return document.page_count == 1 and document.size_bytes <= AT_ONCE_BYTES


def _somebody_waits(document: Document) -> bool:
    return document.source in SOMEBODY_WAITS and document.priority <= Priority.NORMAL


def can_be_reached() -> bool:
    """Whether Textract can fetch a stored document itself: from S3, or from the folder that the local endpoint shares with us."""
    return settings.STORAGE == "s3" or bool(settings.TEXTRACT_ENDPOINT)


def at_once(operation: str) -> bool:
    """Whether the operation answers at once."""
    return not operation.startswith("Start")


def asking_for(operation: str) -> str:
    """The operation that fetches what this one started."""
    return _GET[operation]
