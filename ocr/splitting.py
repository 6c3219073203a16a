"""One PDF that holds several documents: where to cut it, and its pages as documents of their own.

The parts are documents like any other. What Textract said of their pages is in the answer that is stored already, so nothing is asked and
nothing is billed: `pipeline` cuts it. Where that answer is not kept any more, a part is read anew.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from ocr import artifacts, contract, document_types, intake, lifecycle, readings, sandbox
from ocr.extraction import several
from ocr.extraction.several import Stretch
from ocr.models import Artifact, Document, Source
from tenants import scope

PDF = "application/pdf"
MOST_PARTS = 50
_RANGE = re.compile(r"(\d{1,4})(?:\s*[-–]\s*(\d{1,4}))?")


class InvalidRanges(ValueError):
    """The pages cannot be cut so; the sentence says what to write."""

    code = "invalid_ranges"


def suggested(document: Document) -> list[Stretch]:
    """Where the document seems to fall apart; one stretch where it does not. Storage is asked. Raises artifacts.Lost."""
    with scope.scope([document.tenant_id]):
        raw = readings.raw_artifacts(document, readings.run_of(document))
        types = [document_types.parsed(row) for row in document_types.newest()]
    prints = several.Prints()
    for _part in prints.watching(readings.parts_of(raw)):
        pass
    return several.stretches(prints.lines, types, pages=document.page_count)


def parsed(text: str) -> list[Stretch]:
    """The ranges that a person writes: "1-2, 3, 4-6". Raises InvalidRanges."""
    found = [_RANGE.fullmatch(each.strip()) for each in text.split(",")]
    if not all(found):
        raise InvalidRanges(_("Write the pages of each document, for example 1-2, 3, 4-6."))
    return [Stretch(int(each[1]), int(each[2] or each[1]), "") for each in found if each]


def check(document: Document, stretches: Sequence[Stretch]) -> None:
    """Raise InvalidRanges unless every page of the document is in one of the stretches, in order; NotPossible for what is no PDF."""
    if document.content_type != PDF:
        raise lifecycle.NotPossible(_("Only PDF files can be split. Send the pages as files of their own."))
    if not 2 <= len(stretches) <= MOST_PARTS:
        raise InvalidRanges(
            _("Name at least two and at most %(most)s documents, for example 1-2, 3.") % {"most": MOST_PARTS}
        )
    following = 1
    for each in stretches:
        if each.first != following or each.last < each.first:
            raise InvalidRanges(
                _("The pages have to go on without a gap: page %(page)s comes next.") % {"page": following}
            )
        following = each.last + 1
    if following != document.page_count + 1:
        raise InvalidRanges(
            _("The document has %(count)s pages; every one belongs to one of the parts.")
            % {"count": document.page_count}
        )


@contextmanager
def pieces(document: Document, stretches: Sequence[Stretch]) -> Iterator[list[intake.Upload]]:
    """The parts as uploads, whose files are there as long as this lasts. Outside a transaction: storage and the sandbox are asked."""
    with scope.scope([document.tenant_id]):
        original = document.artifacts.get(kind=Artifact.Kind.ORIGINAL)
    with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR, prefix="split-") as folder:
        whole = Path(folder) / "original"
        artifacts.copy_to(original, whole)
        yield [_piece(document, each, whole) for each in stretches]


def _piece(document: Document, stretch: Stretch, whole: Path) -> intake.Upload:
    path = whole.with_name(f"{stretch.first}.pdf")
    path.write_bytes(sandbox.cut(whole, first=stretch.first, last=stretch.last))
    stem = document.filename.removesuffix(".pdf")
    return intake.Upload(
        content=path,
        filename=f"{stem} p{stretch.pages}.pdf" if stem else "",
        document_type=stretch.document_type,
        priority=contract.priority_name(document),
        external_id=document.external_id,
        metadata=document.metadata,
        source=Source(document.source),
        split_of=document.pk,
        split_first=stretch.first,
    )


def parts_of(document: Document) -> list[Document]:
    """The documents that it was split into, in the order of their pages; inside a scope."""
    return list(Document.objects.filter(split_of=document.pk, tenant=document.tenant_id).order_by("split_first"))
