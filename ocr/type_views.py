"""The page door to document types: the list, one type with its text and what an edit would change."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from ocr import document_types, extraction, listing, previews, told
from ocr.document_types import written
from ocr.models import Document, DocumentType
from ocr.views import ago
from tenants import access

STARTER = """\
name: my_type
label: My type
operation: AnalyzeDocument
features: [FORMS]
date_order: day_first
# More than one person: {mode: second, amount: total, above: '10000'}, or {mode: blind, fields: [number]}
four_eyes: {mode: none}

# Labels are printed names, the strongest first: lower case, without accents.
fields:
  - name: number
    label: Number
    kind: identifier
    required: true
    labels: [number, nummer, numero]
  - name: date
    label: Date
    kind: date
    labels: [date, datum]
"""


@login_required
@require_GET
def type_list(request: HttpRequest) -> HttpResponse:
    _check_may_look(request)
    rows = document_types.newest()
    with access.scope_of(request.user):
        found = Document.objects.visible_to(request.user)
        used = {row.name: listing.total(found, listing.of_type(row.name)) for row in rows}
    context = {
        "active": "document-types",
        "may_save": access.is_platform_admin(request.user),
        "rows": [_line(row, *used[row.name]) for row in rows],
    }
    return render(request, "ocr/document_types.html", context)


def _line(row: DocumentType, used: int, more: bool) -> dict[str, Any]:  # noqa: FBT001 - as listing.total gives it
    parsed = document_types.parsed(row)
    return {
        "row": row,
        "label": told.label(row.label),
        "url": reverse("a-document-type", args=[row.name]),
        "fields": len(parsed.fields),
        "columns": len(parsed.line_items or ()),
        "asks": ", ".join(parsed.features) or parsed.operation,
        "used": formats.number_format(used, force_grouping=True) + ("+" if more else ""),
        "saved": ago(row.created_at),
    }


@login_required
@require_http_methods(["GET", "POST"])
def new_type(request: HttpRequest) -> HttpResponse:
    if not access.is_platform_admin(request.user):
        raise PermissionDenied
    return _answered(request, None) if request.method == "POST" else _page(request, None, STARTER)


@login_required
@require_http_methods(["GET", "POST"])
def one_type(request: HttpRequest, name: str) -> HttpResponse:
    _check_may_look(request)
    row = _named(name)
    return _answered(request, row) if request.method == "POST" else _page(request, row, written.as_yaml(row))


@login_required
@require_GET
def type_yaml(request: HttpRequest, name: str) -> HttpResponse:
    """One version as a file; the newest unless another is named."""
    _check_may_look(request)
    row = _named(name)
    version = request.GET.get("version", "")
    if version:
        found = DocumentType.objects.filter(name=name, version=int(version)) if version.isdecimal() else None
        row = (found.first() if found else None) or _nowhere()
    disposition = f'attachment; filename="{row.name}-{row.version}.yaml"'
    return HttpResponse(
        written.as_yaml(row),
        content_type="application/yaml; charset=utf-8",
        headers={"Content-Disposition": disposition},
    )


def _check_may_look(request: HttpRequest) -> None:
    if not access.can(request.user, "administer"):
        raise PermissionDenied


def _named(name: str) -> DocumentType:
    return document_types.named(name) or _nowhere()


def _nowhere() -> DocumentType:
    raise Http404(_("There is no such document type."))


def _answered(request: HttpRequest, row: DocumentType | None) -> HttpResponse:
    """What the form was sent for: `preview` (also by the page's script, which takes JSON), `upload` or `save`."""
    wants_json = "application/json" in request.headers.get("Accept", "")
    text = request.POST.get("yaml", "").replace("\r\n", "\n")
    try:
        if request.POST.get("action") == "save":
            return _saved(request, row, text)
        if request.POST.get("action") == "upload":
            text = _uploaded(request)
        edited = _edited(text)
    except (written.Unreadable, document_types.Overtaken, access.NotAllowed) as refusal:
        return _refusal(request, row, text, refusal, wants_json=wants_json)
    found = [each.told() for each in previews.of(request.user, edited)]
    if wants_json:
        return JsonResponse({"documents": found})
    return _page(request, row, text, previewed=found)


def _edited(text: str) -> extraction.DocumentType:
    return extraction.document_type({**written.definition(text), "version": 1})


def _uploaded(request: HttpRequest) -> str:
    file = request.FILES.get("file")
    if file is None:
        raise written.Unreadable(_("Choose a YAML file first."), 1)
    try:
        content: bytes = file.read(4 * written.LONGEST)
        return content.decode().replace("\r\n", "\n").removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise written.Unreadable(_("The file is no UTF-8 text."), 1) from None
    finally:
        file.close()


def _saved(request: HttpRequest, row: DocumentType | None, text: str) -> HttpResponse:
    if not access.is_platform_admin(request.user):
        raise access.NotAllowed(
            _(
                "Document types hold for every tenant: only the platform's administrator can save one. Send them your text."
            )
        )
    based_on = request.POST.get("based_on", "")
    with access.scope_of(request.user):
        made = document_types.save(
            text,
            name=row.name if row else "",
            based_on=int(based_on) if based_on.isdecimal() else 0,
            actor=access.actor_of(request.user),
        )
    if row and made.version == row.version:
        messages.info(request, _("Nothing differs from version %(n)s.") % {"n": made.version})
    else:
        messages.success(request, _("Version %(n)s is saved. The next document is read with it.") % {"n": made.version})
    return redirect("a-document-type", name=made.name)


def _refusal(
    request: HttpRequest, row: DocumentType | None, text: str, refusal: Exception, *, wants_json: bool
) -> HttpResponse:
    status = (
        403 if isinstance(refusal, access.NotAllowed) else 409 if isinstance(refusal, document_types.Overtaken) else 422
    )
    line = getattr(refusal, "line", 0)
    if wants_json:
        body = {
            "code": getattr(refusal, "code", ""),
            "detail": told.sentence(str(refusal)),
            "line": line,
            "status": status,
        }
        return JsonResponse(body, status=status, content_type="application/problem+json")
    return _page(request, row, text, refusal=told.sentence(str(refusal)), line=line, status=status)


def _page(
    request: HttpRequest, row: DocumentType | None, text: str, *, refusal: str = "", line: int = 0,
    previewed: list[dict[str, Any]] | None = None, status: int = 200,
) -> HttpResponse:  # fmt: skip
    posted = request.POST.get("based_on", "")
    versions = DocumentType.objects.filter(name=row.name).order_by("-version")[:20] if row else []
    context = {
        "active": "document-types",
        "row": row,
        "label": told.label(row.label) if row else "",
        "yaml": text,
        "based_on": posted if posted.isdecimal() else row.version if row else 0,
        "refusal": refusal,
        "line": line,
        "previewed": previewed,
        "may_save": access.is_platform_admin(request.user),
        "action": reverse("a-document-type", args=[row.name]) if row else reverse("new-document-type"),
        "versions": [
            {"version": each.version, "made_by": access.called(each.made_by), "saved": ago(each.created_at)}
            for each in versions
        ],
    }
    return render(request, "ocr/document_type.html", context, status=status)
