"""Page images for the reviewer: rendered once, upright, kept by content hash."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection

from ocr import artifacts, queue, sandbox, witness
from ocr.models import Artifact, Document, Page
from tenants import scope

THUMBNAIL_SIDE = 320  # pixels
FULL, THUMBNAIL = 1, 2  # the `part` of a page's image
REDUCED = 1  # in the key of a thumbnail made of the page's image: it has other bytes than one drawn by itself


def image(document: Document, number: int, *, thumbnail: bool = False) -> Artifact:
    """The page's image, rendered now if this is the first time.

    Raises Page.DoesNotExist, artifacts.Lost and the sandbox's errors. A page turned since then is rendered again.
    """
    part = THUMBNAIL if thumbnail else FULL
    page, kept, original = _found(document, number, part)
    return kept or _render(document, page, original, part=part)


def _found(document: Document, number: int, part: int) -> tuple[Page, Artifact | None, Artifact]:
    """The page, what there is of its image, and the original. Raises Page.DoesNotExist."""
    with scope.scope([document.tenant_id]):
        page = Page.objects.get(document=document, number=number)
        return page, _kept(document.pk, page, part), document.artifacts.get(kind=Artifact.Kind.ORIGINAL)


def crop(document: Document, number: int, box: sandbox.Box) -> sandbox.Rendering:
    """A piece of the page as it is shown, at the scale of its image; `box` in fractions of it. Not kept: the browser does that.

    Cut from the page's image where there is one, else from the original. Raises as `image` does.
    """
    page, kept, original = _found(document, number, FULL)
    if kept and kept.content_type == "image/jpeg":  # older ones are WebP, which the sandbox does not read
        return _drawn(kept, page=1, content_type=kept.content_type, box=box)
    return _drawn(original, **_whole(document, page), box=box)


def warm(document: Document) -> None:
    """Render what the reviewer will see first, so that opening the document does not wait for it."""
    page, kept, original = _found(document, 1, FULL)
    if kept:
        image(document, 1, thumbnail=True)
        return
    drawn = _drawn(original, **_whole(document, page), thumbnail_side=THUMBNAIL_SIDE, patient=True)
    _keep(document, page, drawn, part=FULL)
    _page, thumbnail, _original = _found(document, 1, THUMBNAIL)
    if drawn.thumbnail and not thumbnail:
        _keep(document, page, drawn.thumbnail, part=THUMBNAIL, fence=REDUCED)


AHEAD = 12  # documents at the head of each tenant's review queue whose first page is rendered before anybody asks

_UNSEEN = """
    WITH RECURSIVE busy AS (
        (SELECT tenant_id FROM ocr_document WHERE status = 'needs_review' ORDER BY tenant_id LIMIT 1)
        UNION ALL
        SELECT next.tenant_id FROM busy CROSS JOIN LATERAL (
            SELECT tenant_id FROM ocr_document WHERE status = 'needs_review' AND tenant_id > busy.tenant_id
             ORDER BY tenant_id LIMIT 1) AS next
    )
    SELECT head.tenant_id, head.id FROM busy CROSS JOIN LATERAL (
        SELECT tenant_id, id FROM ocr_document WHERE status = 'needs_review' AND tenant_id = busy.tenant_id
         ORDER BY turn_at, id LIMIT %s) AS head
      JOIN ocr_page AS page ON page.document_id = head.id AND page.number = 1 AND page.width = 0
     LIMIT %s
"""


def unseen(limit: int) -> list[tuple[UUID, UUID]]:
    """Tenant and id of documents that a reviewer will soon be given and whose first page is not rendered yet.

    Only the heads of the queues: rendering costs more than reading, and what lies deep in a queue can wait.
    """
    with scope.everything(), connection.cursor() as cursor:
        cursor.execute(_UNSEEN, [AHEAD, limit])
        return [(tenant_id, document_id) for tenant_id, document_id in cursor.fetchall()]


def ring_ahead(limit: int = 4) -> int:
    """Have a few of those pages rendered, each asked for once; how many. For the pulse, each second."""
    new = [(tenant_id, document_id) for tenant_id, document_id in unseen(limit) if document_id not in _rung]
    for tenant_id, document_id in new:
        _rung[document_id] = None
        queue.ring_to_warm(tenant_id, document_id)
        if witness.is_set_up():
            queue.ring_to_testify(tenant_id, document_id)
    while len(_rung) > 1000:
        del _rung[next(iter(_rung))]
    return len(new)


_rung: dict[
    UUID, None
] = {}  # asked for by this process: a page that cannot be rendered is not asked for again and again


def _kept(document_id: UUID, page: Page, part: int) -> Artifact | None:
    found = Artifact.objects.filter(document_id=document_id, kind=Artifact.Kind.IMAGE, number=_number(page), part=part)
    return found.first()


def _number(page: Page) -> int:
    """Page and turn in one number, so that each turn of a page is an image of its own."""
    return page.number * 4 + _angle(page) // 90


def _angle(page: Page) -> int:
    """From the page as it was delivered to the page as it is shown."""
    return (page.rotation + page.turn) % 360


def _drawn(source: Artifact, **asked: Any) -> sandbox.Rendering:
    """What `sandbox.render` makes of it. Outside a transaction: storage is asked."""
    Path(settings.FILE_UPLOAD_TEMP_DIR).mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR, prefix="render-") as folder:
        path = Path(folder) / "original"
        artifacts.copy_to(source, path)
        return sandbox.render(path, **asked)


def _whole(document: Document, page: Page) -> dict[str, Any]:
    return {"page": page.number, "content_type": document.content_type, "rotation": _angle(page)}


def _render(document: Document, page: Page, original: Artifact, *, part: int) -> Artifact:
    side = THUMBNAIL_SIDE if part == THUMBNAIL else None
    return _keep(document, page, _drawn(original, **_whole(document, page), max_side=side), part=part)


def _keep(document: Document, page: Page, rendering: sandbox.Rendering, *, part: int, fence: int = 0) -> Artifact:
    stored = artifacts.store(
        document,
        Artifact.Kind.IMAGE,
        rendering.content,
        content_type=rendering.content_type,
        number=_number(page),
        part=part,
        fence=fence,
    )
    try:
        with scope.scope([document.tenant_id]):
            stored.save(force_insert=True)
            if part == FULL:
                Page.objects.filter(pk=page.pk, rotation=page.rotation, turn=page.turn).update(
                    width=rendering.width, height=rendering.height, image_sha256=stored.sha256
                )
    except IntegrityError:  # somebody else opened the same page first; both images show the same
        with scope.scope([document.tenant_id]):
            kept = _kept(document.pk, page, part)
        if kept is None:
            raise
        return kept
    return stored
