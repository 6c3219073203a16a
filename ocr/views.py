"""The page door to documents: list, upload, one document."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from audit import trail
from audit.models import Kind
from ocr import (
    artifacts,
    backlog,
    contract,
    costs,
    disk,
    document_types,
    idempotency,
    intake,
    lifecycle,
    listing,
    sandbox,
    serving,
    tallies,
    turns,
)
from ocr.forms import DocumentFilters, UploadForm
from ocr.models import Artifact, Document, DocumentType, Page, Priority, Source, Status
from ocr.told import label as told_label
from tenants import access

PER_PAGE = 50


@login_required
@require_GET
def documents(request: HttpRequest) -> HttpResponse:
    with access.scope_of(request.user):
        form = DocumentFilters(request.GET or None)
        given = form.cleaned_data if form.is_bound and form.is_valid() else {}
        context = {"active": "documents", "form": form, **_listed(request, given), **upload_context(request)}
        return render(request, "ocr/documents.html", context)


def _listed(request: HttpRequest, given: dict[str, Any]) -> dict[str, Any]:
    """The rows of one page, its pager, and since when names were searched where not all were."""
    tenants = listing.tenants_of(request.user)
    place, since = request.GET.get("page", ""), None
    if given.get("q"):
        page, since = _searched(request, given, tenants, place)
    else:
        page = _list_of(given, tenants).page(size=PER_PAGE, place=place)
    total, more = _total(request, given)
    return {
        "rows": [row(document) for document in page.rows],
        "page": listing.links(request, page, total=total, more=more),
        "searched_since": since,
    }


def _list_of(given: dict[str, Any], tenants: Sequence[UUID]) -> listing.Received:
    return listing.Received(
        tenants,
        status=given.get("status") or "",
        priority=Priority[given["priority"].upper()] if given.get("priority") else None,
        types=document_types.versions(given["document_type"]) if given.get("document_type") else None,
        since=_received_since(given),
    )


def _searched(
    request: HttpRequest, given: dict[str, Any], tenants: Sequence[UUID], place: str
) -> tuple[listing.Pages, datetime | None]:
    found: QuerySet[Document] = Document.objects.visible_to(request.user).filter(_lookups(given))
    named, since = listing.search(found, tenants, given["q"])
    return listing.page(named, tenants, size=PER_PAGE, place=place, any_of=_any_of(given)), since


def _any_of(given: dict[str, Any]) -> list[Q]:
    return listing.of_type(given["document_type"]) if given.get("document_type") else [Q()]


def _received_since(given: dict[str, Any]) -> datetime | None:
    day = given.get("received_after")
    return datetime.combine(day, time(), UTC) if day else None


def _total(request: HttpRequest, given: dict[str, Any]) -> tuple[int | None, bool]:
    """How many the list has: told where it is known without counting, counted up to a bound elsewhere, left out for names."""
    if given.get("q"):
        return None, False
    if given.get("document_type") or given.get("received_after"):
        found = Document.objects.visible_to(request.user).filter(_lookups(given))
        return listing.total(found, _any_of(given))
    standing = tallies.now(request.user)
    priority = Priority[given["priority"].upper()] if given.get("priority") else None
    return sum(
        count
        for (status, urgency), count in standing.items()
        if given.get("status") in {"", None, status} and priority in {None, urgency}
    ), False


def _lookups(given: dict[str, Any]) -> Q:
    lookups = Q()
    if given.get("status"):
        lookups &= Q(status=given["status"])
    if given.get("priority"):
        lookups &= Q(priority=Priority[given["priority"].upper()])
    if since := _received_since(given):
        lookups &= Q(received_at__gte=since)
    return lookups


def row(document: Document) -> dict[str, Any]:
    """One document as a list shows it."""
    return {
        "id": str(document.pk),
        "url": contract.url_of("document", document.pk),
        "filename": document.filename or str(document.pk)[:8],
        "tenant": document.tenant.name,
        "type_label": told_label(document.document_type.label) if document.document_type else _("Not known yet"),
        "status": str(document.status),
        "status_label": _status_label(document.status, get_language()),
        "priority": contract.priority_name(document),
        "received": ago(document.received_at),
        "received_iso": document.received_at.isoformat(),
        "pages": document.page_count,
        "thumbnail_url": serving.image_url(document, 1, thumbnail=True),
        "duplicate_of": contract.url_of("document", document.duplicate_of) if document.duplicate_of else "",
    }


@lru_cache(maxsize=100)
def _status_label(status: str, language: str | None) -> str:
    return str(Status(status).label)


def ago(moment: datetime) -> str:
    """How long ago, short: 42 s, 12 min, 3 h, then the day."""
    span = since(moment)
    return _ago(span, get_language()) if span else _day(moment.date(), get_language())


# The lists say the same few hundred of these again and again.
@lru_cache(maxsize=1000)
def _ago(span: str, language: str | None) -> str:
    return _("%(span)s ago") % {"span": span}


@lru_cache(maxsize=1000)
def _day(day: date, language: str | None) -> str:
    return str(formats.date_format(day, "DATE_FORMAT"))


def since(moment: datetime) -> str:
    """The time since then while it is less than a day, short; '' afterwards."""
    seconds = max(0, int((timezone.now() - moment).total_seconds()))
    if seconds < 60:
        return _since(gettext_noop("%(n)s s"), seconds, get_language())
    if seconds < 3600:
        return _since(gettext_noop("%(n)s min"), seconds // 60, get_language())
    return _since(gettext_noop("%(n)s h"), seconds // 3600, get_language()) if seconds < 86400 else ""


@lru_cache(maxsize=1000)
def _since(words: str, n: int, language: str | None) -> str:
    return _(words) % {"n": n}


def pager(request: HttpRequest, page: Any, pages: Paginator[Any]) -> dict[str, Any]:
    """What the pager under a short list shows; those that may grow for ever have `listing.links`."""

    def url(number: int) -> str:
        query = request.GET.copy()
        query["page"] = str(number)
        return f"?{query.urlencode()}"

    return {
        "first": page.start_index(),
        "last": page.end_index(),
        "total": pages.count,
        "next_url": url(page.next_page_number()) if page.has_next() else "",
        "previous_url": url(page.previous_page_number()) if page.has_previous() else "",
    }


def upload_context(request: HttpRequest) -> dict[str, Any]:
    """What the upload form offers; inside a scope."""
    tenants = serving.names_for_upload(request.user)
    return {
        "document_types": [
            {"name": row.name, "label": told_label(row.label), "page_usd": _page_usd(row)}
            for row in document_types.newest()
        ],
        "untyped_page_usd": _page_usd(None),
        "budget_notices": costs.notices_of(costs.budgets(request.user)),
        "upload_tenants": tenants if len(tenants) > 1 else [],
    }


def _page_usd(document_type: DocumentType | None) -> str:
    return costs.dollars(costs.estimate(document_type, pages=1).micro_dollars)


@login_required
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """One file a request. The page's script gets JSON; a plain form gets a redirect with a message."""
    if request.method == "POST":
        wants_json = "application/json" in request.headers.get("Accept", "")
        return _upload(request) if wants_json else _upload_form(request)
    with access.scope_of(request.user):
        if not access.can(request.user, "upload"):
            raise PermissionDenied
        return render(request, "ocr/upload.html", {"active": "documents", **upload_context(request)})


def _upload(request: HttpRequest) -> JsonResponse:
    try:
        told = _received(request, request.FILES.get("file"))
    except REFUSALS as refusal:
        return _refusal(refusal)
    return JsonResponse(told, status=202)


def _upload_form(request: HttpRequest) -> HttpResponse:
    files: list[UploadedFile[Any] | None] = [*request.FILES.getlist("file")]
    for file in files or [None]:
        try:
            told = _received(request, file)
            messages.success(request, _("%(name)s was received.") % {"name": told["filename"]})
        except REFUSALS as refusal:
            name = intake.clean_name(file.name or "") if file else ""
            sentence = _why(refusal)[2]
            messages.error(request, f"{name}: {sentence}" if name else sentence)
    return redirect("documents")


# What the sender may repeat after a while, with the status of the answer.
LATER_STATUSES: dict[type[Exception], int] = {disk.Full: 507, backlog.Full: 503, backlog.TenantFull: 429}
LATER = (disk.Full, backlog.Full, backlog.TenantFull)
REFUSALS = (
    intake.Unacceptable,
    access.NotAllowed,
    idempotency.KeyReused,
    idempotency.BadKey,
    sandbox.SandboxFailed,
    *LATER,
    OSError,
)


def _received(request: HttpRequest, file: Any) -> dict[str, Any]:
    if file is None:
        disk.check(disk.length(request))  # for want of room its file was left out
        raise intake.Unacceptable("file_missing", _("Choose a file to upload."))
    form = UploadForm(request.POST, MultiValueDict({"file": [file]}))
    if not form.is_valid():
        raise intake.Unacceptable("invalid", " ".join(str(e) for errors in form.errors.values() for e in errors))
    given = form.cleaned_data
    tenant_id = serving.tenant_for_upload(request.user, given["tenant"])
    backlog.check(tenant_id)
    with serving.content_of(file) as content:
        receipt = intake.receive(
            intake.Upload(
                content=content,
                filename=file.name or "",
                document_type=given["document_type"],
                priority=given["priority"] or "normal",
                source=Source.PAGE,
                idempotency_key=request.headers.get("Idempotency-Key"),
            ),
            tenant_id=tenant_id,
            actor=access.actor_of(request.user),
        )
    return _told(request, receipt.document)


def _told(request: HttpRequest, document: Document) -> dict[str, Any]:
    told = {
        **contract.accepted(document),
        "filename": document.filename,
        "url": reverse("document", args=[document.pk]),
    }
    with access.scope_of(request.user):
        told["cost"] = _cost(document)
        first = serving.document_for(request.user, document.duplicate_of) if document.duplicate_of else None
    if first:
        told["duplicate"] = {
            "url": reverse("document", args=[first.pk]),
            "received": formats.date_format(first.received_at, "DATETIME_FORMAT"),
        }
    return told


def _cost(document: Document) -> dict[str, Any]:
    """What reading the received document will cost: nothing where an earlier answer serves. Inside a scope."""
    estimate = costs.estimate(document.document_type, pages=document.page_count)
    free = costs.earlier_answer(document, estimate.operation, estimate.features) is not None
    expected = estimate.micro_dollars
    left = costs.allowance([document.tenant_id])[document.tenant_id]
    return {
        "pages": document.page_count,
        "usd": costs.dollars(0 if free else expected),
        "read_before": free,
        "over_budget": not free and left is not None and left < expected,
    }


def _refusal(refusal: Exception) -> JsonResponse:
    status, code, detail = _why(refusal)
    body = {"type": f"/api/docs/#{code}", "title": _("Not accepted"), "status": status, "code": code, "detail": detail}
    later = {"Retry-After": str(refusal.retry_after)} if isinstance(refusal, LATER) else None
    return JsonResponse(body, status=status, content_type="application/problem+json", headers=later)


def _why(refusal: Exception) -> tuple[int, str, str]:
    """Status, code and sentence. What only a library's error would tell is kept from the sender."""
    if isinstance(refusal, LATER):
        return LATER_STATUSES[type(refusal)], refusal.code, str(refusal)
    if isinstance(refusal, sandbox.SandboxFailed | OSError):
        return 503, "try_again", _("The file could not be stored just now. Send it again in a moment.")
    status = 403 if isinstance(refusal, access.NotAllowed) else 422
    return status, getattr(refusal, "code", "invalid"), str(refusal)


@login_required
@require_GET
def page_image(request: HttpRequest, document_id: UUID, number: int) -> HttpResponseBase:
    try:
        return serving.page_image(
            request, request.user, document_id, number, thumbnail=request.GET.get("size") == "thumb"
        )
    except (Document.DoesNotExist, Page.DoesNotExist):
        raise Http404 from None


@login_required
@require_GET
def page_crop(request: HttpRequest, document_id: UUID, number: int) -> HttpResponseBase:
    """The piece of a page that `box` names: left, top, width and height in fractions of the page, with commas between them."""
    try:
        return serving.page_crop(request, request.user, document_id, number, request.GET.get("box", ""))
    except serving.NotABox as refusal:
        return HttpResponse(str(refusal), status=400, content_type="text/plain")
    except (Document.DoesNotExist, Page.DoesNotExist):
        raise Http404 from None


@login_required
@require_GET
def original(request: HttpRequest, document_id: UUID) -> HttpResponseBase:
    try:
        return serving.original(request.user, document_id)
    except Document.DoesNotExist:
        raise Http404 from None


@login_required
@require_GET
def result(request: HttpRequest, document_id: UUID) -> HttpResponse:
    try:
        found = serving.result(request.user, document_id)
    except Document.DoesNotExist:
        raise Http404 from None
    return _download(found, document_id)


@login_required
@require_GET
def raw(request: HttpRequest, document_id: UUID) -> HttpResponse:
    try:
        parts = serving.raw_parts(request.user, document_id)
    except Document.DoesNotExist:
        raise Http404 from None
    except lifecycle.NotPossible as refusal:
        messages.error(request, str(refusal))
        return redirect("document", document_id)
    wanted = request.GET.get("part", "1")
    return _download({str(part.part): part for part in parts}.get(wanted), document_id)


def _download(artifact: Artifact | None, document_id: UUID) -> HttpResponse:
    if artifact is None:
        raise Http404(_("It is not there yet."))
    name = f"{document_id}-{artifact.kind}-{artifact.part}.json"
    return HttpResponse(
        artifacts.read(artifact),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def facts(document: Document) -> dict[str, Any]:
    """One document as its own page shows it; inside a scope."""
    told = contract.detail(document)
    turned = turns.of(document)
    return {
        **row(document),
        "finished": ago(document.finished_at) if document.finished_at else "",
        "external_id": document.external_id,
        "version": document.version,
        "engine": told["engine"],
        "cost": told["cost"],
        "read_before": _read_before(told["engine"]),
        "text_layer": document.text_layer,
        "text_layer_told": contract.TEXT_LAYERS.get(document.text_layer, ""),
        "over_cap": document.error_code == costs.OVER_CAP,
        "attempts": document.attempts,
        "error": contract.ERRORS.get(
            document.error_code, document.error_code and _("The work stopped with the code %s.") % document.error_code
        ),
        "pages": [
            {
                "number": number,
                "image_url": serving.image_url(document, number, turn=turned.get(number, 0)),
                "thumbnail_url": serving.image_url(document, number, turn=turned.get(number, 0), thumbnail=True),
            }
            for number in range(1, document.page_count + 1)
        ],
    }


def _read_before(engine: dict[str, Any] | None) -> str:
    """The page of the document whose answer served this one."""
    return reverse("document", args=[engine["reused_from"]]) if engine and engine["reused_from"] else ""


def timeline(document: Document) -> list[dict[str, Any]]:
    """The audit trail of one document in words, oldest first; inside a scope."""
    return [
        {
            "seq": event.seq,
            "kind": event.kind,
            "label": Kind(event.kind).label,
            "at": f"{formats.date_format(timezone.localtime(event.at), 'DATE_FORMAT')}, {timezone.localtime(event.at):%H:%M:%S}",
            "at_iso": event.at.isoformat(),
            "actor": event.actor,
            "step": event.step,
            "codes": _codes(event.codes),
            "hash_short": event.hash[:12],
        }
        for event in trail.timeline(document.pk)
    ]


def _codes(codes: dict[str, Any]) -> list[str]:
    """Codes as short texts; hashes and empty ones add nothing for a reader."""
    hidden = {"sha256", "token", "from", "to"}
    return [
        f"{name}: {_plain(value)}"
        for name, value in codes.items()
        if name not in hidden and value not in (None, "", [], {})
    ]


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
