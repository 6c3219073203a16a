"""The page door to batches: the list with its form, one batch while it runs, its rows as a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ocr import batches, intake, lifecycle, manifests, serving
from ocr.api.batches import download
from ocr.forms import PRIORITIES
from ocr.models import Batch, BatchItem
from ocr.views import ago, pager
from tenants import access

PER_PAGE = 25
SHOWN_FAILURES = 50
TONES = {
    Batch.Status.RUNNING: ("you", "clock"),
    Batch.Status.PAUSED: ("warn", "pause"),
    Batch.Status.STOPPED: ("bad", "bad"),
    Batch.Status.CANCELLED: ("plain", "close"),
    Batch.Status.COMPLETED: ("ok", "check"),
}
# The states as the page names them, in the order in which a row goes through them.
STATES = (
    ("pending", gettext_lazy("Waiting")),
    ("feeding", gettext_lazy("Being fetched")),
    ("submitted", gettext_lazy("Being read")),
    ("done", gettext_lazy("Read")),
    ("failed", gettext_lazy("Failed")),
    ("cancelled", gettext_lazy("Cancelled")),
)


class ManifestForm(forms.Form):
    manifest = forms.FileField(label=gettext_lazy("Manifest"), allow_empty_file=True)
    max_concurrency = forms.IntegerField(
        label=gettext_lazy("Documents at once"), min_value=1, max_value=batches.MOST_CONCURRENCY, initial=100
    )
    tolerated_failure_percentage = forms.FloatField(
        label=gettext_lazy("Tolerated failures, %"), min_value=0, max_value=100, initial=10
    )
    priority = forms.ChoiceField(label=gettext_lazy("Priority"), choices=PRIORITIES, initial="low")
    tenant = forms.SlugField(required=False)


@login_required
@require_http_methods(["GET", "POST"])
def batch_list(request: HttpRequest) -> HttpResponse:
    """All batches, newest first. A POST submits a manifest."""
    if request.method == "POST":
        return _submitted(request)
    return _listed(request, ManifestForm())


def _listed(request: HttpRequest, form: ManifestForm, *, refused: batches.Refused | None = None) -> HttpResponse:
    with access.scope_of(request.user):
        pages = Paginator(Batch.objects.visible_to(request.user).select_related("tenant"), PER_PAGE)
        page = pages.get_page(request.GET.get("page"))
        counted = batches.counts(list(page))
        tenants = serving.names_for_upload(request.user)
        context = {
            "active": "batches",
            "form": form,
            "faults": refused.faults if refused else (),
            "refusal": str(refused) if refused else "",
            "rows": [_line(batch, counted[batch.pk]) for batch in page],
            "page": pager(request, page, pages),
            "upload_tenants": tenants if len(tenants) > 1 else [],
        }
        return render(request, "ocr/batches.html", context, status=422 if refused or form.errors else 200)


def _line(batch: Batch, counted: dict[str, int]) -> dict[str, Any]:
    tone, icon = TONES[Batch.Status(batch.status)]
    return {
        **batches.summary(batch, counted),
        "url": reverse("batch", args=[batch.pk]),
        "title": batch.name or str(batch.pk)[:8],
        "tenant": batch.tenant.name,
        "tone": tone,
        "icon": icon,
        "started": ago(batch.created_at),
    }


def _submitted(request: HttpRequest) -> HttpResponse:
    if not access.can(request.user, "upload"):
        raise PermissionDenied
    form = ManifestForm(request.POST, request.FILES)
    if not form.is_valid():
        return _listed(request, form)
    given = form.cleaned_data
    file = given["manifest"]
    wishes = batches.Wishes(given["max_concurrency"], given["tolerated_failure_percentage"], given["priority"])
    try:
        format_ = manifests.format_of(file.name or "")
        if not format_:
            form.add_error("manifest", _("Choose a file that ends in .json, .jsonl or .csv."))
            return _listed(request, form)
        tenant_id = serving.tenant_for_upload(request.user, given["tenant"])
        with serving.file_of(file) as path:
            manifest = batches.Manifest(path, format_, file.name or "")
            made = batches.accept(manifest, wishes, tenant_id=tenant_id, actor=access.actor_of(request.user))
    except batches.Refused as refused:
        return _listed(request, form, refused=refused)
    except intake.Unacceptable as refusal:
        form.add_error("tenant", refusal.sentence)
        return _listed(request, form)
    return redirect("batch", batch_id=made.pk)


@login_required
@require_GET
def batch(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """One batch while it runs and after."""
    with access.scope_of(request.user):
        found = _found(request, batch_id)
        told = batches.progress(found)
        may = access.can(request.user, "upload", found.tenant_id)
        status, ended = found.status, found.finished_at is not None
        context = {
            "active": "batches",
            "batch": _line(found, told["counts"]) | told,
            "states": [(name, label, told["counts"][name]) for name, label in STATES],
            "failures": _failures(found),
            "shown_failures": SHOWN_FAILURES,
            "ended": ended,
            "may": {
                "pause": may and status == Batch.Status.RUNNING and not ended,
                "resume": may and status in {Batch.Status.PAUSED, Batch.Status.STOPPED} and not ended,
                "cancel": may and status not in {Batch.Status.CANCELLED, Batch.Status.COMPLETED} and not ended,
            },
        }
        return render(request, "ocr/batch.html", context)


@login_required
@require_GET
def batch_progress(request: HttpRequest, batch_id: UUID) -> JsonResponse:
    """What the page of a running batch asks for every two seconds."""
    with access.scope_of(request.user):
        found = _found(request, batch_id)
        return JsonResponse({**batches.progress(found), "failures": _failures(found)})


def _failures(found: Batch) -> list[dict[str, Any]]:
    """The first rows that failed, with why."""
    rows = batches.rows(found, limit=SHOWN_FAILURES, state=BatchItem.State.FAILED)
    return [
        {
            "row": row["row"],
            "file": f"{row['bucket']}/{row['key']}" if row["key"] else str(row["source_document_id"]),
            "external_id": row["external_id"],
            "message": row["error"]["message"] if row["error"] else "",
            "url": reverse("document", args=[row["document_id"]]) if row["document_id"] else "",
        }
        for row in rows
    ]


def _found(request: HttpRequest, batch_id: UUID) -> Batch:
    try:
        return serving.batch_for(request.user, batch_id)
    except Batch.DoesNotExist:
        raise Http404 from None


@login_required
@require_GET
def batch_results(request: HttpRequest, batch_id: UUID) -> HttpResponseBase:
    """The rows as a file: `format` is csv or jsonl."""
    format_ = request.GET.get("format", "csv")
    if format_ not in batches.RESULTS:
        raise Http404
    with access.scope_of(request.user):
        found = _found(request, batch_id)
    return download(found, format_)


def _act(request: HttpRequest, batch_id: UUID, act: Callable[[Batch, str], Batch], done: str) -> HttpResponse:
    with access.scope_of(request.user):
        found = _found(request, batch_id)
    try:
        access.check(request.user, "upload", found.tenant_id)
        act(found, access.actor_of(request.user))
        messages.success(request, done)
    except batches.Refused as refused:
        messages.error(request, refused.faults[0].sentence)
    except (access.NotAllowed, lifecycle.NotPossible) as refusal:
        messages.error(request, str(refusal))
    return redirect("batch", batch_id=batch_id)


@login_required
@require_POST
def batch_pause(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    done = _("The batch is paused. Documents that are being read are finished.")
    return _act(request, batch_id, lambda found, actor: batches.pause(found, actor=actor), done)


@login_required
@require_POST
def batch_resume(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    wishes = batches.Wishes(tolerated_failure_percentage=_number(request.POST.get("tolerated_failure_percentage", "")))
    done = _("The batch goes on.")
    return _act(request, batch_id, lambda found, actor: batches.resume(found, wishes, actor=actor), done)


def _number(text: str) -> float | None:
    """What was typed; what is no number is refused where every number is checked."""
    try:
        return float(text) if text else None
    except ValueError:
        return -1.0


@login_required
@require_POST
def batch_cancel(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    done = _("The batch is cancelled. Documents that it made stay.")
    return _act(request, batch_id, lambda found, actor: batches.cancel(found, actor=actor), done)
