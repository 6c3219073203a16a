"""Page images for the reviewer: rendered once, upright, kept by content hash."""

from __future__ import annotations

import tempfile
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError

from ocr import artifacts, sandbox
from ocr.models import Artifact, Document, Page
from tenants import scope

THUMBNAIL_SIDE = 320  # pixels
FULL, THUMBNAIL = 1, 2  # the `part` of a page's image


def image(document: Document, number: int, *, thumbnail: bool = False) -> Artifact:
    """The page's image, rendered now if this is the first time.

    Raises Page.DoesNotExist, artifacts.Lost and the sandbox's errors. A page turned since then is rendered again.
    """
    part = THUMBNAIL if thumbnail else FULL
    with scope.scope([document.tenant_id]):
        page = Page.objects.get(document=document, number=number)
        kept = _kept(document.pk, page, part)
        original = document.artifacts.get(kind=Artifact.Kind.ORIGINAL)
    return kept or _render(document, page, original, part=part)


def warm(document: Document) -> None:
    """Render what the reviewer will see first, so that opening the document does not wait for it."""
    image(document, 1)
    image(document, 1, thumbnail=True)


def _kept(document_id: UUID, page: Page, part: int) -> Artifact | None:
    found = Artifact.objects.filter(document_id=document_id, kind=Artifact.Kind.IMAGE, number=_number(page), part=part)
    return found.first()


def _number(page: Page) -> int:
    """Page and turn in one number, so that each turn of a page is an image of its own."""
    return page.number * 4 + page.rotation // 90


def _render(document: Document, page: Page, original: Artifact, *, part: int) -> Artifact:
    Path(settings.FILE_UPLOAD_TEMP_DIR).mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR, prefix="render-") as folder:
        path = Path(folder) / "original"
        artifacts.copy_to(original, path)
        rendering = sandbox.render(
            path,
            page=page.number,
            content_type=document.content_type,
            rotation=page.rotation,
            max_side=THUMBNAIL_SIDE if part == THUMBNAIL else None,
        )
    stored = artifacts.store(
        document,
        Artifact.Kind.IMAGE,
        rendering.content,
        content_type=rendering.content_type,
        number=_number(page),
        part=part,
    )
    try:
        with scope.scope([document.tenant_id]):
            stored.save(force_insert=True)
            if part == FULL:
                Page.objects.filter(pk=page.pk).update(
                    width=rendering.width, height=rendering.height, image_sha256=stored.sha256
                )
    except IntegrityError:  # somebody else opened the same page first; both images are the same bytes
        with scope.scope([document.tenant_id]):
            kept = _kept(document.pk, page, part)
        if kept is None:
            raise
        return kept
    return stored
