"""The page door to reviewing: sign-in's chrome, the queue, the review page, the document page and the dashboard."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.urls.converters import UUIDConverter
from django.utils import formats, timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit import prepared, trail
from ocr import (
    artifacts,
    contract,
    costs,
    document_types,
    intake,
    lifecycle,
    listing,
    metrics,
    readings,
    serving,
    splitting,
    tallies,
)
from ocr.forms import PRIORITIES, type_choices
from ocr.models import Artifact, Document, Page, Priority
from ocr.told import label as told_label
from ocr.views import ago, facts, row, since, timeline
from review import assigning, checks, comments, decisions, declarations, keyboards, queued, reasons, worklist
from review.models import Act, Claim, Draft, Escalation, LaneAnswer, TakeoverReason
from tenants import access
from tenants.models import Tenant

PER_PAGE = 25
LATE = timedelta(seconds=settings.REVIEW_SECONDS)  # a document that waits longer is shown as late
COUNTED = 1000  # documents of a tab; a longer list's length is told as "1,000+"
DOUBTED = 200  # of the documents that come next, so many are ordered by how likely something in them is wrong
REASON_LABELS = {
    "low_confidence": _lazy("Below the threshold"),
    "ambiguous": _lazy("Two readings possible"),
    "missing": _lazy("Required, not found"),
    "invalid": _lazy("Fails a check"),
    "unclear_type": _lazy("Unclear document type"),
    "several_documents": _lazy("Several documents in one file"),
    "partial_result": _lazy("Read only in part"),
}


def chrome(request: HttpRequest) -> dict[str, Any]:
    """What every page shows of the person: a context processor."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"me": None}
    name = user.get_full_name() or user.get_username()
    return {
        "me": {
            "name": name,
            "initials": _initials(name),
            "tenants": access.tenant_names(user, most=20),
            "can": {ability: access.can(user, ability) for ability in ("upload", "review", "supervise", "audit")}
            | {"admin": access.may_use_admin(user), "administer": access.can(user, "administer")},
        }
    }


def _initials(name: str) -> str:
    parts = name.replace(".", " ").replace("_", " ").replace("-", " ").split()
    return ("".join(part[0] for part in parts[:2]) if len(parts) > 1 else name[:2]).upper()


@login_required
def home(request: HttpRequest) -> HttpResponse:
    return redirect("queue" if access.can(request.user, "review") else "documents")


# --- Queue --------------------------------------------------------------------------------------------------------


TABS = {
    "waiting": _lazy("For me"),
    "mine": _lazy("Held by me"),
    "soon": _lazy("Deadline soon"),
    "assigned": _lazy("Assigned"),
    "checks": _lazy("Further checks"),
    "answers": _lazy("Waiting for an answer"),
    "escalated": _lazy("Escalated"),
    "aside": _lazy("Set aside by me"),
    "done": _lazy("Done today"),
}


class QueueFilters(forms.Form):
    document_type = forms.ChoiceField(label=_lazy("Document type"), required=False)
    priority = forms.ChoiceField(
        label=_lazy("Priority"), choices=[("", _lazy("Any priority")), *PRIORITIES], required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["document_type"].choices = type_choices()  # type: ignore[attr-defined]


@login_required
@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    with access.scope_of(request.user):
        tab = request.GET.get("tab", "waiting")
        if tab not in TABS:
            raise Http404
        form = QueueFilters(request.GET or None)
        active = bool(request.GET.get("document_type") or request.GET.get("priority"))
        given = form.cleaned_data if active and form.is_valid() else {}
        waiting = _waiting(request.user)
        oldest = metrics.oldest_waiting(request.user, tenants=worklist.reviewed_tenants(request.user))
        counts = _counts(request, waiting)
        supervised = worklist.supervised_tenants(request.user)
        people = _people(supervised) if tab != "done" and supervised else []
        context = {
            "active": "queue",
            "waiting": waiting,
            "oldest": _span((timezone.now() - oldest).total_seconds()) if oldest else "",
            "tab": tab,
            "doubt_first": _doubt_first(request),
            "orders": _orders(request),
            "asked": comments.asked_of(request.user) if counts["answers"] else 0,
            "tabs": [
                {"name": name, "label": label, "count": _at_most(counts, name), "url": _address(request, tab=name)}
                for name, label in TABS.items()
            ],
            **_queued(request, tab, _found(request, tab, given), counts, filtered=bool(given)),
            "filters": {"form": form, "active": active},
            "people": people,
            "pick": bool(people),
        }
        return render(request, "review/queue.html", context)


def _counts(request: HttpRequest, waiting: int) -> dict[str, int]:
    """How many documents each tab has; the longest, what waits for me, is what waits at all less what is somebody else's."""
    counts = worklist.lengths(request.user, since=_today(), most=COUNTED + 1, most_apart=listing.MOST_COUNTED)
    return {**counts, "waiting": max(0, waiting - counts["apart"])}


def _at_most(counts: dict[str, int], name: str) -> str:
    return str(counts[name]) if name == "waiting" or counts[name] <= COUNTED else f"{COUNTED:,}+"


def _address(request: HttpRequest, **changed: str) -> str:
    """The queue's address with this changed, from its first page: what somebody filters and orders by stays in it."""
    query = request.GET.copy()
    query.pop("page", None)
    for name, value in changed.items():
        query.pop(name, None)
        if value:
            query[name] = value
    return f"?{query.urlencode()}"


def _doubt_first(request: HttpRequest) -> bool:
    return request.GET.get("order") == "doubt"


def _orders(request: HttpRequest) -> list[dict[str, Any]]:
    doubt = _doubt_first(request)
    return [
        {"label": _("Priority and age"), "url": _address(request, order=""), "current": not doubt},
        {"label": _("Most likely wrong"), "url": _address(request, order="doubt"), "current": doubt},
    ]


def _people(tenants: list[UUID]) -> list[dict[str, Any]]:
    """Who documents can be given to, by name."""
    found = {person.pk: person for people in assigning.reviewers(tenants).values() for person in people}
    told = [{"id": pk, "name": _person(person)["name"]} for pk, person in found.items()]
    return sorted(told, key=lambda each: str(each["name"]).casefold())


def _waiting(user: Any) -> int:
    return metrics.waiting(user, tenants=worklist.reviewed_tenants(user))


def _found(request: HttpRequest, tab: str, given: dict[str, Any]) -> worklist.List:
    named = given.get("document_type")
    priority = given.get("priority")
    return worklist.List(
        tab,
        request.user,
        since=_today(),
        priority=Priority[priority.upper()] if priority else None,
        types=document_types.versions(named) if named else None,
    )


def _queued(
    request: HttpRequest, tab: str, found: worklist.List, counts: dict[str, int], *, filtered: bool
) -> dict[str, Any]:
    """The rows of one page of one tab, and its pager."""
    doubt = _doubt_first(request) and tab != "done"
    page = listing.walk(
        found.first,
        size=DOUBTED if doubt else PER_PAGE,
        key=found.key,
        place="" if doubt else request.GET.get("page", ""),
    )
    total, more = counts[tab], False
    if filtered or (tab != "waiting" and counts[tab] > COUNTED):
        total, more = listing.at_most(found.length)
    glances = queued.glances(document.pk for document in page.rows)
    if doubt:
        rows = sorted(page.rows, key=lambda document: glances[document.pk].doubt(), reverse=True)[:PER_PAGE]
        page = replace(page, rows=rows, next=None)
    return {
        "rows": [_queue_row(document, glances[document.pk], request, tab) for document in page.rows],
        "page": listing.links(request, page, total=total, more=more),
    }


def _today() -> Any:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def _queue_row(document: Document, glance: queued.Glance, request: HttpRequest, tab: str) -> dict[str, Any]:
    waited = timezone.now() - document.received_at
    return {
        **row(document),
        "url": contract.url_of("document" if tab == "done" else "review", document.pk),
        "reasons": queued.reasons(document, glance, request.user.pk),
        "assigned": glance.assigned,
        "waiting": _age(document),
        "waiting_share": round(min(waited / LATE, 1.0), 2),
        "late": waited > LATE,
        "holder": {
            "name": glance.holder,
            "initials": _initials(glance.holder),
            "mine": glance.holder_id == request.user.pk,
        }
        if glance.holder_id
        else None,
    }


def _person(user: Any) -> dict[str, str]:
    name = user.get_full_name() or user.get_username()
    return {"name": name, "initials": _initials(name)}


def _age(document: Document) -> str:
    return since(document.received_at) or ago(document.received_at)


# --- Review -------------------------------------------------------------------------------------------------------


@login_required
@require_POST
def review_next(request: HttpRequest) -> HttpResponse:
    """Claim the most urgent free document and open it."""
    url = onward(request)["next_url"]
    if url is None:
        messages.info(request, _("Nothing is waiting for you right now."))
        return redirect("queue")
    return redirect(url)


def onward(request: Any, *, opened: UUID | None = None, have: Iterable[UUID] | None = None) -> dict[str, Any]:
    """Where this person goes on: what they have open now, and what is reserved for them after it.

    `opened` is what their page shows already. With `have`, the documents that the page holds ready, the reserved one is told with
    its part unless it is among them.
    """
    handed = worklist.hand_out(request.user, opened=opened)
    current, reserved = handed.current, handed.reserved
    told: dict[str, Any] = {"next_url": reverse("review", args=[current.document_id]) if current else None}
    if have is not None:
        told["current"] = _claim_told(current) if current else None
        told["reserved"] = _ready(request, reserved, have) if reserved else None
    return told


def ahead(request: Any, document_id: UUID, *, have: Iterable[UUID]) -> dict[str, Any]:
    """What is reserved after the document that a page shows. Raises Document.DoesNotExist and access.NotAllowed."""
    with access.scope_of(request.user):
        access.check(request.user, "review", serving.document_for(request.user, document_id).tenant_id)
    return onward(request, opened=document_id, have=have)


def _ready(request: Any, claim: Claim, have: Iterable[UUID]) -> dict[str, Any]:
    known = claim.document_id in set(have)
    return {**_claim_told(claim), **({} if known else {"part": _part(request, claim)})}


def _claim_told(claim: Claim) -> dict[str, Any]:
    return {
        "document_id": str(claim.document_id),
        "url": reverse("review", args=[claim.document_id]),
        "token": str(claim.token),
        "claimed_at": claim.claimed_at.isoformat(),
        "expires_at": claim.expires_at.isoformat(),
    }


def _part(request: Any, claim: Claim) -> str:
    """What the review page shows of a claimed document, without what is the same around every document."""
    with access.scope_of(request.user):
        document = serving.document_for(request.user, claim.document_id)
        context = {
            "document": document,
            "data": _review_data(request, document, claim, ""),
            "frame": "review/_part.html",
        }
        return render_to_string("review/review.html", context)


@login_required
@require_GET
def review(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """The workstation. Opening claims the document; when that cannot be, the page is read-only and says why."""
    claim, refusal = None, ""
    try:
        claim = claimed(request.user, document_id)
    except Document.DoesNotExist:
        raise Http404 from None
    except (worklist.Held, access.NotAllowed, decisions.AlreadyDecided, lifecycle.NotPossible) as error:
        refusal = str(error)
    with access.scope_of(request.user):
        document = serving.document_for(request.user, document_id)
        data = _review_data(request, document, claim, refusal)
    context = {"active": "queue", "document": document, "data": data}
    return render(request, "review/review.html", context)


def claimed(user: Any, document_id: UUID) -> Claim:
    """The person's claim of a document that they may decide. Raises what `claim` and `check_decide` raise."""
    return worklist.claim(document_id, user, check=decisions.check_decide)


def opened(request: Any, document_id: UUID) -> dict[str, Any]:
    """A document that the page goes back to: its claim and its part. Raises what `claimed` raises."""
    claim = claimed(request.user, document_id)
    return {**_claim_told(claim), "part": _part(request, claim)}


def _ids(texts: list[str]) -> list[UUID]:
    """Those of the texts that are ids."""
    converter = UUIDConverter()
    return [converter.to_python(text) for text in texts if re.fullmatch(converter.regex, text)]


@login_required
@require_POST
def assign(request: HttpRequest) -> HttpResponse:
    """Give the chosen documents to one person, to all evenly, or to nobody in particular."""
    chosen = _ids(request.POST.getlist("document"))
    to = request.POST.get("to", "")
    try:
        if to == "free":
            told = _("%(n)s documents are free again.") % {"n": assigning.free(chosen, request.user)}
        elif to == "spread":
            told = _("%(n)s documents are spread evenly.") % {"n": assigning.spread(chosen, request.user)}
        else:
            person = int(to) if to.isdecimal() else 0
            told = _("%(n)s documents are assigned.") % {"n": assigning.assign(chosen, request.user, person_id=person)}
        messages.success(request, told)
    except (access.NotAllowed, assigning.Unfit) as refusal:
        messages.error(request, str(refusal))
    back = request.POST.get("back", "")
    return redirect(f"{reverse('queue')}{back if back.startswith('?') else ''}")


@login_required
@require_POST
def take_over(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Take a document from somebody, with a reason, and go on with it."""
    try:
        worklist.take_over(document_id, request.user, reason=request.POST.get("reason", ""))
    except Document.DoesNotExist:
        raise Http404 from None
    except (access.NotAllowed, lifecycle.NotPossible) as refusal:
        messages.error(request, str(refusal))
    except ValueError:
        messages.error(request, _("Say why you take the document over."))
    return redirect("review", document_id)


@login_required
@require_GET
def page_words(request: HttpRequest, document_id: UUID, number: int) -> HttpResponse:
    """The words of one page with their boxes, for the workstation: a long document's are asked for page by page."""
    try:
        with access.scope_of(request.user):
            document = serving.document_for(request.user, document_id)
            turn = document.pages.get(number=number).turn
    except (Document.DoesNotExist, Page.DoesNotExist):
        raise Http404 from None
    blind = contract.keyed_blind(document)  # then the page's words would be what the machine read
    return JsonResponse({"words": [] if blind else readings.words(document, number, turn=turn)})


@login_required
@require_GET
def keys(request: HttpRequest) -> HttpResponse:
    """Where a person changes the keys of the review screen."""
    return render(request, "review/keys.html", {"keys": keyboards.of(request.user)})


def _review_data(request: HttpRequest, document: Document, claim: Any, refusal: str) -> dict[str, Any]:
    told = contract.detail(document)
    told |= checks.shown(document, told)
    check = checks.about(document)
    is_keyed_again = bool(check and check["keyed"] and check["number"] > 1)
    holder = None if claim else worklist.holder_of(document)
    mine = "WHERE document_id = $1::uuid AND holder_id = $2::int"
    draft = next(iter(prepared.objects(Draft, mine, document.pk, request.user.pk)), None)
    in_lanes = decisions.lane_answers(document)
    urls = {
        name: reverse(f"review-{name}", args=[document.pk])
        for name in (
            "ahead",
            "answer",
            "aside",
            "comment",
            "decision",
            "draft",
            "escalate",
            "heartbeat",
            "opened",
            "release",
            "take-over",
        )
    }
    return {
        "document": {
            **{name: told[name] for name in ("id", "filename", "received_at", "version", "status", "priority")},
            "document_type": told["document_type"],
            "type_label": told_label(document.document_type.label) if document.document_type else "",
            "tenant": document.tenant.name,
            "page_count": document.page_count,
        },
        "person": str(request.user.pk),
        "claim": {**_claim_told(claim), "mine": True} if claim else None,
        "holder": _person(holder.holder) if holder and holder.holder_id != request.user.pk else None,
        "escalation": _escalation(document),
        **_talk(request, document, told, is_keyed=bool(check and check["keyed"])),
        "takeover_reasons": [{"code": code, "label": str(label)} for code, label in TakeoverReason.choices]
        if holder and holder.holder_id != request.user.pk and access.can(request.user, "supervise", document.tenant_id)
        else [],
        "check": check,
        "read_only": claim is None,
        "read_only_reason": refusal,
        "pages": [
            {
                **serving.page_shown(page),
                "turn_url": reverse("review-turn", args=[document.pk, page.number]),
                "words_url": reverse("page-words", args=[document.pk, page.number]),
            }
            for page in _pages(document)
        ],
        "fields": [
            {**each, "lane": _said_in_lane(in_lanes.get(each["name"]))} for each in _fields(document, told["fields"])
        ],
        # Who keys after somebody else is shown what is to be keyed, and nothing can be added to it.
        "line_items": _line_items(document, told["line_items"]) if told["line_items"] or not is_keyed_again else None,
        "problems": told["problems"],
        "draft": _draft(draft if draft and draft.document_version == document.version else None, in_lanes),
        "progress": {
            "done_today": worklist.List("done", request.user, since=_today()).length(listing.MOST_COUNTED),
            "waiting": _waiting(request.user),
        },
        "rules": declarations.of(document.document_type),
        "keys": keyboards.of(request.user),
        "may_add_fields": check is None and declarations.may_add_fields(document.document_type),
        "reject_reasons": [{"code": code, "label": label} for code, label in reasons.of(document.tenant_id)],
        "urls": {
            **urls,
            "review": reverse("review", args=[document.pk]),
            "next": reverse("review-next"),
            "queue": reverse("queue"),
            "document": reverse("document", args=[document.pk]),
        },
    }


def _draft(mine: Draft | None, in_lanes: dict[str, LaneAnswer]) -> dict[str, Any] | None:
    """What the page begins with: what was said in lanes, and over it what this person has said so far."""
    if not (mine or in_lanes):
        return None
    states = {Act.CONFIRMED: "checked"}
    begun = {
        path: {"value": each.value, "state": states.get(Act(each.act), each.act)} for path, each in in_lanes.items()
    }
    return {"revision": mine.revision if mine else 0, "fields": {**begun, **(mine.fields if mine else {})}}


def _said_in_lane(answer: LaneAnswer | None) -> dict[str, str | None] | None:
    if answer is None:
        return None
    return {"by": access.called(answer.answered_by), "act": answer.act, "value": answer.value}


def _talk(request: HttpRequest, document: Document, told: dict[str, Any], *, is_keyed: bool) -> dict[str, Any]:
    """What was said about the document, the question that it waits for, and who can be asked.

    Whoever keys without seeing what others made of the document is shown no more than what they said or were asked themselves.
    """
    labels = {field["name"]: field["label"] for field in told["fields"]}
    said = [each for each in comments.of(document) if not is_keyed or comments.concerns(each, request.user)]
    question = next((each for each in said if each.is_open), None)
    can_write = access.can(request.user, "review", document.tenant_id)
    return {
        "comments": [
            {
                "id": each.pk,
                "field": each.field,
                "label": labels.get(each.field, each.field),
                "text": each.text,
                "erased": each.erased_at is not None,
                "author": _person(each.author),
                "at": each.written_at.isoformat(),
                "written_at": each.written_at,
                "is_open": each.is_open,
            }
            for each in said
        ],
        "question": {
            "asked": _person(question.asked)["name"],
            "can_answer": comments.may_answer(question, request.user),
        }
        if question
        else None,
        "people": [
            {"username": each.get_username(), "name": _person(each)["name"]} for each in comments.people(document)
        ]
        if can_write
        else [],
        "can_comment": can_write,
    }


def _escalation(document: Document) -> dict[str, str] | None:
    for found in prepared.objects(Escalation, "WHERE document_id = $1::uuid", document.pk):
        return {
            "by": access.called(found.escalated_by),
            "note": found.note,
            "at": found.escalated_at.isoformat(),
        }
    return None


def _pages(document: Document) -> list[Page]:
    found = prepared.objects(Page, "WHERE document_id = $1::uuid ORDER BY number", document.pk)
    for page in found:
        page.document = document
    return found


def _fields(document: Document, fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With the only values that each may have, where its type says which."""
    specs = document_types.parsed(document.document_type).fields if document.document_type else ()
    choices = {spec.name: list(spec.choices) for spec in specs if spec.choices}
    return [{**field, "choices": choices.get(field["name"], [])} for field in fields]


def _line_items(document: Document, items: list[dict[str, Any]]) -> dict[str, Any] | None:
    if not document.document_type:
        return None
    columns = document_types.parsed(document.document_type).line_items
    if not columns:
        return None
    return {
        "columns": [
            {"name": spec.name, "label": told_label(spec.label), "kind": spec.kind, "choices": list(spec.choices)}
            for spec in columns
        ],
        "rows": [{"row": item["row"], "cells": {cell["name"]: cell for cell in item["cells"]}} for item in items],
        # Rows that were taken out keep their numbers.
        "next_row": max([document.fields.aggregate(last=Max("row"))["last"] or 0, *(item["row"] for item in items)])
        + 1,
    }


# --- One document -------------------------------------------------------------------------------------------------


@login_required
@require_GET
def document(request: HttpRequest, document_id: UUID) -> HttpResponse:
    with access.scope_of(request.user):
        try:
            found = serving.document_for(request.user, document_id)
        except Document.DoesNotExist:
            raise Http404 from None
        told = checks.shown(found, contract.reading(found))
        user = request.user
        context = {
            "active": "documents",
            "document": facts(found),
            "fields": told["fields"],
            "line_items": _line_items(found, told["line_items"]),
            "timeline": timeline(found),
            "chain_ok": not trail.verify([f"document:{found.pk}"]),
            "actions": {
                "review_url": reverse("review", args=[found.pk])
                if decisions.can(decisions.check_decide, found, user)
                else "",
                "reopen": decisions.can(decisions.check_reopen, found, user),
                "retry": decisions.can(decisions.check_retry, found, user),
                "replay": decisions.can(decisions.check_replay, found, user),
                "split_url": reverse("document-split", args=[found.pk]) if _may_split(found, user) else "",
            },
            "has_result": found.artifacts.filter(kind=Artifact.Kind.RESULT).exists(),
            "has_raw": found.artifacts.filter(kind=Artifact.Kind.RAW).exists(),
        }
        return render(request, "ocr/document.html", context)


def _may_split(document: Document, user: Any) -> bool:
    several = document.page_count > 1 and document.content_type == splitting.PDF
    return several and decisions.can(decisions.check_decide, document, user)


def _act(request: HttpRequest, document_id: UUID, act: Callable[[UUID, Any], Document], done: str) -> HttpResponse:
    try:
        act(document_id, request.user)
        messages.success(request, done)
    except Document.DoesNotExist:
        raise Http404 from None
    except (access.NotAllowed, lifecycle.NotPossible, lifecycle.Overtaken) as refusal:
        messages.error(request, str(refusal))
    return redirect("document", document_id=document_id)


@login_required
@require_POST
def reopen(request: HttpRequest, document_id: UUID) -> HttpResponse:
    return _act(request, document_id, decisions.reopen, _("The document is back in the queue."))


@login_required
@require_POST
def retry(request: HttpRequest, document_id: UUID) -> HttpResponse:
    return _act(request, document_id, decisions.retry, _("The document is being worked on again."))


@login_required
@require_POST
def replay(request: HttpRequest, document_id: UUID) -> HttpResponse:
    return _act(request, document_id, decisions.replay, _("The fields were found again in the stored answer."))


@login_required
@require_http_methods(["GET", "POST"])
def split(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Cut a PDF that holds several documents: where it seems to fall apart, and a line in which a person says where it does."""
    try:
        if request.method == "POST":
            return _split(request, document_id, request.POST.get("ranges", ""))
        return render(request, "ocr/split.html", _split_context(request, document_id))
    except Document.DoesNotExist:
        raise Http404 from None
    except _NO_SPLIT as refusal:
        messages.error(request, str(refusal))
    return redirect("document", document_id=document_id)


_NO_SPLIT = (
    access.NotAllowed, lifecycle.NotPossible, lifecycle.Overtaken, decisions.AlreadyDecided, worklist.Held, artifacts.Lost,
)  # fmt: skip


def _split(request: HttpRequest, document_id: UUID, written: str) -> HttpResponse:
    with access.scope_of(request.user):
        version = serving.document_for(request.user, document_id).version
    seen = int(request.POST["version"]) if request.POST.get("version", "").isdecimal() else version
    try:
        made = decisions.split(document_id, request.user, version=seen, stretches=splitting.parsed(written))
    except (splitting.InvalidRanges, intake.Unacceptable) as refusal:
        context = {**_split_context(request, document_id), "error": str(refusal), "ranges": written}
        return render(request, "ocr/split.html", context, status=422)
    messages.success(request, _("%(n)s documents were made of it. Reading them costs nothing.") % {"n": len(made)})
    return redirect("documents")


def _split_context(request: HttpRequest, document_id: UUID) -> dict[str, Any]:
    found = decisions.suggested_split(document_id, request.user)
    labels = {row.name: told_label(row.label) for row in document_types.newest()}
    with access.scope_of(request.user):
        document = serving.document_for(request.user, document_id)
    return {
        "active": "documents",
        "document": document,
        "stretches": [{**each._asdict(), "label": labels.get(each.document_type, "")} for each in found],
        "ranges": ", ".join(each.pages for each in found) if len(found) > 1 else "",
    }


# --- Dashboard ----------------------------------------------------------------------------------------------------


@login_required
@require_GET
def dashboard(request: HttpRequest) -> HttpResponse:
    period = request.GET.get("period", "today")
    if period not in metrics.PERIODS:
        raise Http404
    with access.scope_of(request.user):
        found = metrics.figures(request.user, period=period)
        budgets = costs.budgets(request.user)
        spent = {"costs": _costs(request.user, budgets), "budget_notices": costs.notices_of(budgets)}
    labels = {"today": _("24 hours"), "7d": _("7 days"), "30d": _("30 days")}
    buckets = [(_clock(bucket.at, period), bucket) for bucket in found.buckets]
    context = {
        "active": "dashboard",
        "kpis": _kpis(found),
        "per_minute": {
            "points": [
                {"label": label, "straight": bucket.straight, "reviewed": bucket.reviewed} for label, bucket in buckets
            ],
            "until": _clock(found.until, period),
        },
        "time_to_result": {
            "points": [
                {"label": label, "p95": bucket.results.percentile(95), "average": bucket.results.average}
                for label, bucket in buckets
            ],
            "target": None,
        },
        "waiting_series": [{"label": label, "value": bucket.waiting} for label, bucket in buckets],
        "reasons": _reason_shares(found),
        **spent,
        "since": formats.date_format(timezone.localtime(found.since), _("j F, H:i")),
        "updated": formats.date_format(timezone.localtime(found.until), _("l j F, H:i")),
        "period": {
            "name": period,
            "links": [
                {"name": n, "label": label, "url": f"?period={n}", "current": n == period}
                for n, label in labels.items()
            ],
        },
    }
    return render(request, "dashboard.html", context)


def _costs(user: Any, budgets: list[tuple[Tenant, costs.Standing]]) -> dict[str, Any]:
    """This month's money (UTC), whatever period the page shows."""
    month = costs.month(user)
    return {
        "month": formats.date_format(month.month, "YEAR_MONTH_FORMAT"),
        "usd": costs.dollars(month.micro_dollars),
        "uncertain_usd": costs.dollars(month.uncertain_micro_dollars) if month.uncertain_micro_dollars else "",
        "pages": month.pages,
        "reused_pages": month.reused_pages,
        "units": [
            {
                "label": unit["unit"].replace("+", " + ").capitalize(),
                "pages": unit["pages"],
                "usd": costs.dollars(unit["micro_dollars"]),
                "share": unit["micro_dollars"] / month.micro_dollars if month.micro_dollars else 0.0,
            }
            for unit in month.units
            if unit["pages"]
        ],
        "budgets": [
            {
                "tenant": tenant.name,
                "used_usd": costs.dollars(standing.spent + standing.in_flight),
                "cap_usd": costs.dollars(standing.cap),
                "share": standing.share,
                "tone": "warn" if standing.share >= costs.NEARLY or standing.documents_wait else "plain",
            }
            for tenant, standing in budgets
        ],
    }


def _clock(moment: datetime, period: str) -> str:
    return _read_off(moment, period, get_language())


@lru_cache(maxsize=1000)  # a chart has 48 of them
def _read_off(moment: datetime, period: str, language: str | None) -> str:
    return formats.date_format(timezone.localtime(moment), "TIME_FORMAT" if period == "today" else "MONTH_DAY_FORMAT")


def _kpis(found: metrics.Figures) -> list[dict[str, str]]:
    share = found.straight_through_share
    p95 = found.results.percentile(95)
    oldest = found.oldest_seconds
    late = oldest is not None and oldest > LATE.total_seconds()
    waiting = _("oldest %s") % _span(oldest) if oldest is not None else _("nothing waits")
    until_result = _("upload to answer, ± %s %%") % formats.number_format(tallies.RESOLUTION * 100)
    return [
        _kpi(_("Documents"), formats.number_format(found.received, force_grouping=True), "", _("%(n)s finished") % {"n": found.finished}),
        _kpi(_("Waiting for review"), formats.number_format(found.waiting, force_grouping=True), "", waiting, "warn" if late else "plain"),
        _kpi(_("Per minute"), _decimal(found.per_minute), "", _("since the first of the period")),
        _kpi(_("Time to result, p95"), "–" if p95 is None else _decimal(p95), "" if p95 is None else "s", until_result),
        _kpi(_("Straight through"), "–" if share is None else _decimal(share * 100), "" if share is None else "%",
             _("%(n)s needed nobody") % {"n": found.straight_through}),
        _kpi(_("Failed"), formats.number_format(found.failed, force_grouping=True), "",
             _("need a supervisor") if found.failed else _("none"), "warn" if found.failed else "ok"),
    ]  # fmt: skip


def _decimal(value: float) -> str:
    return formats.number_format(round(value, 1), 1, force_grouping=True)


def _kpi(label: str, value: str, unit: str, note: str, tone: str = "plain") -> dict[str, str]:
    return {"label": label, "value": value, "unit": unit, "note": note, "tone": tone}


def _span(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 90:
        return _("%(n)s s") % {"n": f"{seconds:.0f}"}
    if seconds < 5400:
        return _("%(n)s min") % {"n": f"{seconds / 60:.0f}"}
    return _("%(n)s h") % {"n": _decimal(seconds / 3600)}


def _reason_shares(found: metrics.Figures) -> list[dict[str, Any]]:
    total = sum(count for _code, count in found.reasons) or 1
    return [
        {
            "tone": queued.TONES.get(code, "plain"),
            "label": REASON_LABELS.get(code, code),
            "share": count / total,
            "count": count,
        }
        for code, count in found.reasons
    ]
