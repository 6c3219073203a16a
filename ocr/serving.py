"""What the page door and the REST door share: finding what a user may see, and handing out stored objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from audit import prepared
from ocr import artifacts, contract, lifecycle, pages, pipeline, sandbox
from ocr.intake import Unacceptable
from ocr.models import Artifact, Batch, Document, Page
from tenants import access
from tenants.models import Tenant

if TYPE_CHECKING:
    from tenants.models import AnyUser


class NotABox(Exception):
    """What was asked for is no piece of a page."""

    code = "not_a_box"


def document_for(user: AnyUser, document_id: UUID) -> Document:
    """The document, for somebody who may see it; raises Document.DoesNotExist for everybody else, inside a scope."""
    return lifecycle.seen(document_id, user)


def tenant_of(user: AnyUser, document_id: UUID) -> UUID:
    """Whose the document is, for somebody who may see it; raises Document.DoesNotExist. The only tenant of somebody who has one is
    told unseen: of a document that is not in it, whatever is done next says that there is none."""
    tenants = access.visible_tenants(user)
    if tenants is not None and len(tenants) == 1:
        return tenants[0]
    with access.scope_of(user):
        return document_for(user, document_id).tenant_id


def batch_for(user: AnyUser, batch_id: UUID) -> Batch:
    """The batch, for somebody who may see it; raises Batch.DoesNotExist for everybody else, inside a scope."""
    batch: Batch = Batch.objects.visible_to(user).select_related("tenant").get(pk=batch_id)
    return batch


def tenants_for_upload(user: AnyUser) -> QuerySet[Tenant]:
    """Where the user may upload to; inside a scope."""
    if access.is_platform_admin(user):
        return Tenant.objects.all()
    return Tenant.objects.filter(pk__in=access.tenants_with(user, "upload"))


def names_for_upload(user: AnyUser) -> list[dict[str, str]]:
    """The same with what a form says of each: slug and name."""
    allowed = None if access.is_platform_admin(user) else prepared.array(access.tenants_with(user, "upload"))
    return [{"slug": slug, "name": name} for slug, name in prepared.fetch(_NAMES, allowed)]


_NAMES = "SELECT slug, name FROM tenants_tenant WHERE $1::uuid[] IS NULL OR id = ANY ($1::uuid[]) ORDER BY name"


def tenant_for_upload(user: AnyUser, slug: str = "") -> UUID:
    """Where the user's upload belongs. Raises NotAllowed, or Unacceptable when several tenants are possible and none is named."""
    access.check(user, "upload")
    if not slug and len(only := access.tenants_with(user, "upload")) == 1 and not access.is_platform_admin(user):
        return only[0]
    with access.scope_of(user):
        allowed = tenants_for_upload(user)
        named = allowed.filter(slug=slug) if slug else allowed
        found = list(named.values_list("pk", flat=True)[:2])
    if len(found) == 1:
        return found[0]
    if slug:
        raise Unacceptable("unknown_tenant", _("There is no tenant of that name for you to upload to."))
    raise Unacceptable("tenant_missing", _("You belong to several tenants. Say which one the document is for."))


@contextmanager
def content_of(upload: UploadedFile[Any]) -> Iterator[Path | bytes]:
    """The upload's bytes when it is small (ocr.disk), or a file on our disk, which is gone afterwards."""
    try:
        yield Path(upload.temporary_file_path()) if isinstance(upload, TemporaryUploadedFile) else upload.read()
    finally:
        upload.close()


@contextmanager
def file_of(upload: UploadedFile[Any]) -> Iterator[Path]:
    """The upload as a file on our disk; it is gone afterwards."""
    with content_of(upload) as content:
        if isinstance(content, Path):
            yield content
            return
        with NamedTemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR, prefix="small-") as file:
            file.write(content)
            file.flush()
            yield Path(file.name)


def result(user: AnyUser, document_id: UUID) -> Artifact | None:
    """The normalised result of the present version, or None while there is none.

    A worker that died between the decision and the storing left it out; then it is stored now.
    """
    with access.scope_of(user):
        document = document_for(user, document_id)
    return pipeline.publish(document) if document.straight_through is not None else None


def raw_parts(user: AnyUser, document_id: UUID) -> list[Artifact]:
    """The newest extraction's answer, page by page. Raises lifecycle.NotPossible while the document is keyed blind."""
    with access.scope_of(user):
        document = document_for(user, document_id)
        if contract.keyed_blind(document):
            raise lifecycle.NotPossible(
                _(
                    "The document is keyed without anybody seeing what the machine read. Its answer can be had after that."
                )
            )
        raw = document.artifacts.filter(kind=Artifact.Kind.RAW)
        newest = raw.order_by("-number").first()
        return list(raw.filter(number=newest.number).order_by("part")) if newest else []


def original(user: AnyUser, document_id: UUID) -> FileResponse:
    """The upload as an attachment: a browser never opens what a stranger sent."""
    with access.scope_of(user):
        document = document_for(user, document_id)
        artifact = document.artifacts.get(kind=Artifact.Kind.ORIGINAL)
    response = FileResponse(
        artifacts.open_(artifact),
        as_attachment=True,
        filename=document.filename or "document",
        content_type="application/octet-stream",
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def page_image(
    request: HttpRequest | Any, user: AnyUser, document_id: UUID, number: int, *, thumbnail: bool
) -> HttpResponseBase:
    """One page as JPEG. Under an address that names its content (`image_url`) the person's browser may keep it, else nobody."""
    with access.scope_of(user):
        document = document_for(user, document_id)
        page = Page.objects.get(document=document, number=number)
    artifact = pages.image(document, number, thumbnail=thumbnail)
    tag = f'"{artifact.sha256}"'
    if request.headers.get("If-None-Match") == tag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(artifacts.read(artifact), content_type=artifact.content_type)
    response["ETag"] = tag
    response["Cache-Control"] = _keeping(request, document, page)
    return response


def page_crop(request: HttpRequest | Any, user: AnyUser, document_id: UUID, number: int, box: str) -> HttpResponse:
    """A piece of one page as JPEG, to be kept as a page's image is. `box` is left, top, width and height with commas between them, in
    fractions of the page, as boxes are told. Raises NotABox."""
    corners = _corners(box)
    with access.scope_of(user):
        document = document_for(user, document_id)
        page = Page.objects.get(document=document, number=number)
    drawn = pages.crop(document, number, corners)
    response = HttpResponse(drawn.content, content_type=drawn.content_type)
    response["Cache-Control"] = _keeping(request, document, page)
    return response


def _corners(box: str) -> sandbox.Box:
    try:
        left, top, width, height = map(float, box.split(","))
    except ValueError:
        left = top = width = height = 0.0
    corners = (left, top, min(1.0, left + width), min(1.0, top + height))
    if not sandbox.is_box(corners):
        raise NotABox(_("The box must be four numbers from 0 to 1."))
    return corners


def _keeping(request: HttpRequest | Any, document: Document, page: Page) -> str:
    named = request.GET.get("v") == _content(document, page.turn)
    return "private, max-age=31536000, immutable" if named else "private, no-store"


def image_url(document: Document, number: int, *, turn: int = 0, thumbnail: bool = False) -> str:
    """The page image's address with its content in it: other bytes, or a page turned since, have another address."""
    size = "&size=thumb" if thumbnail else ""
    return f"{contract.url_of('page-image', document.pk, number)}?v={_content(document, turn)}{size}"


def page_shown(page: Page) -> dict[str, Any]:
    """What a screen needs to draw the page; inside a scope."""
    return {
        "number": page.number,
        "turn": page.turn,
        "width": page.width,
        "height": page.height,
        "image_url": image_url(page.document, page.number, turn=page.turn),
        "thumbnail_url": image_url(page.document, page.number, turn=page.turn, thumbnail=True),
    }


# How much of a page's height is cut out around a box, as wide as the page: so many times the box's height, so much of its width (a
# long value is shown smaller, with more around it), and what a screen has room for at the largest scale that is still sharp.
_AROUND, _FOR_WIDTH, _LEAST = 2.4, 0.35, 0.06


def crop_shown(page: Page, box: Sequence[float]) -> dict[str, Any]:
    """What a screen needs to draw the surroundings of a box (told on the page as it is shown) without the page; inside a scope."""
    _left, top, width, height = box
    start, high = _within(top + height / 2, max(height * _AROUND, width * _FOR_WIDTH, _LEAST))
    shown = [0, round(start, 4), 1, round(high, 4)]
    url = contract.url_of("page-crop", page.document.pk, page.number)
    told = ",".join(map(str, shown))
    return {"box": shown, "image_url": f"{url}?v={_content(page.document, page.turn)}&box={told}"}


def _within(middle: float, length: float) -> tuple[float, float]:
    """Where a stretch around `middle` begins so that it stays within 0 and 1, and how long it is."""
    length = min(1.0, length)
    return min(max(0.0, middle - length / 2), 1 - length), length


def _content(document: Document, turn: int) -> str:
    return f"{document.sha256[:16]}-{document.version}" + (f"-{turn}" if turn else "")
