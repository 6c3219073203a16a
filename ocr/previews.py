"""What an edited document type would change on recent documents: read from their stored answers, asked of nobody, kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.urls import reverse

from ocr import artifacts, document_types, extraction, listing, readings, told
from ocr.models import Artifact, Document, Extraction
from tenants import access

if TYPE_CHECKING:
    from tenants.models import AnyUser

DOCUMENTS = 5
MOST_PAGES = 30  # longer documents are passed over: somebody waits for the preview


@dataclass(frozen=True, slots=True)
class Change:
    """One field or cell that would read otherwise; None where it is not looked for."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What would change on one document."""

    document: Document
    changes: tuple[Change, ...]
    new_problems: tuple[str, ...]
    gone_problems: tuple[str, ...]
    lost: bool = False  # its stored answer is not there any more

    @property
    def url(self) -> str:
        return reverse("document", args=[self.document.pk])

    def told(self) -> dict[str, Any]:
        return {
            "name": self.document.filename or str(self.document.pk)[:8],
            "url": self.url,
            "changes": [{"field": each.field, "before": each.before, "after": each.after} for each in self.changes],
            "new_problems": list(self.new_problems),
            "gone_problems": list(self.gone_problems),
            "lost": self.lost,
        }


def of(user: AnyUser, edited: extraction.DocumentType) -> list[Preview]:
    """The five most recent documents of the type, or of any where there is none yet, among those that `user` may see.

    Outside a transaction: storage is asked.
    """
    with access.scope_of(user):
        found = [(document, *_answer(document)) for document in _recent(user, edited.name)]
    return [_previewed(document, run, raw, edited) for document, run, raw in found]


def _recent(user: AnyUser, name: str) -> list[Document]:
    read = Document.objects.visible_to(user).filter(
        ~Q(document_type=None), page_count__lte=MOST_PAGES, status__in=("needs_review", "approved", "rejected")
    )
    tenants = listing.tenants_of(user)
    for any_of in (listing.of_type(name), [Q()]):
        rows = listing.page(read, tenants, size=DOCUMENTS, any_of=any_of).rows if any_of else []
        if rows:
            return rows
    return []


def _answer(document: Document) -> tuple[Extraction, list[Artifact]]:
    run = readings.run_of(document)
    return run, readings.raw_artifacts(document, run)


def _previewed(document: Document, run: Extraction, raw: list[Artifact], edited: extraction.DocumentType) -> Preview:
    assert document.document_type, "a document that was read has a type"
    try:
        parts = list(readings.parts_of(raw))
    except artifacts.Lost:
        return Preview(document, (), (), (), lost=True)
    now = document_types.parsed(document.document_type)
    before = readings.read(parts, now, warnings=run.warnings)
    after = readings.read(parts, replace(edited, version=now.version), warnings=run.warnings)
    old, new = _values(before), _values(after)
    names = dict.fromkeys([*new, *old])
    problems_before, problems_after = _sentences(before), _sentences(after)
    return Preview(
        document,
        tuple(Change(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)),
        tuple(each for each in problems_after if each not in problems_before),
        tuple(each for each in problems_before if each not in problems_after),
    )


def _values(reading: extraction.Reading) -> Mapping[str, str]:
    """What each field and cell says; '' where it is looked for and not there."""
    found = {field.name: field.value or field.text for field in reading.fields}
    for item in reading.line_items:
        found |= {f"line_items.{item.row}.{cell.name}": cell.value or cell.text for cell in item.cells}
    return found


def _sentences(reading: extraction.Reading) -> list[str]:
    return [
        f"{each.field}: {told.sentence(each.message)}" if each.field else told.sentence(each.message)
        for each in reading.problems
    ]
