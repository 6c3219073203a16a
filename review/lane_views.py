"""The doors to lanes: the list of them, the page of one, and the calls of that page."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit import log
from ocr import contract, serving
from ocr.api import problems
from review import lanes, worklist
from tenants import access

problems.STATUSES.update({lanes.NoLane: 404, lanes.Answered: 409})


@login_required
@require_GET
def lane_list(request: HttpRequest) -> HttpResponse:
    _check_may_review(request)
    found = [(lanes.waiting(request.user, each), each) for each in lanes.every()]
    found.sort(key=lambda one: one[0] == 0)  # those in which something waits come first
    context = {
        "active": "queue",
        "waiting": any(count for count, _lane in found),
        "rows": [
            {
                "lane": each,
                "count": f"{count:,}{'+' if count == lanes.COUNTED else ''}" if count else "",
                "url": reverse("lane", args=[each.document_type, each.field]),
            }
            for count, each in found
        ],
    }
    return render(request, "review/lanes.html", context)


@login_required
@require_GET
def lane_page(request: HttpRequest, document_type: str, field: str) -> HttpResponse:
    """The page asks for its documents itself: looking at it claims nothing."""
    _check_may_review(request)
    try:
        found = lanes.lane(document_type, field)
    except lanes.NoLane:
        raise Http404 from None
    names = ("rows", "answers", "take-back")
    data = {
        "person": str(request.user.pk),
        "lane": {
            "document_type": found.document_type,
            "field": found.field,
            "label": found.label,
            "choices": list(found.choices),
        },
        "urls": {
            **{name: reverse(f"lane-{name}", args=[document_type, field]) for name in names},
            "heartbeat": reverse("lanes-heartbeat"),
            "release": reverse("lanes-release"),
        },
    }
    return render(request, "review/lane.html", {"active": "queue", "lane": found, "data": data})


def _check_may_review(request: HttpRequest) -> None:
    if not access.can(request.user, "review"):
        raise PermissionDenied


def _told(handed: lanes.Handed) -> dict[str, Any]:
    """One document as the page shows it; inside a scope."""
    document, claim = handed.document, handed.claim
    page = handed.page
    field = contract.field(handed.field, {}, {page.number: page.turn} if page else {})
    return {
        "document_id": str(document.pk),
        "version": document.version,
        "token": str(claim.token),
        "claimed_at": claim.claimed_at.isoformat(),
        "filename": document.filename,
        "tenant": document.tenant.name,
        "url": f"{reverse('review', args=[document.pk])}?field={handed.field.path}",
        "field": field,
        "crop": serving.crop_shown(page, field["box"]) if page and field["box"] else None,
    }


class RowsSerializer(serializers.Serializer[object]):
    """How many more documents the page wants, beside those that it has."""

    wanted = serializers.IntegerField(min_value=1, max_value=lanes.MOST)
    without = serializers.ListField(child=serializers.UUIDField(), required=False, default=list, max_length=500)
    counted = serializers.BooleanField(default=True, help_text="Whether to say how many wait, which takes a while.")


@extend_schema(exclude=True)
class Rows(APIView):
    def post(self, request: Request, document_type: str, field: str) -> Response:
        form = RowsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        asked, of = form.validated_data, lanes.lane(document_type, field)
        with access.scope_of(request.user):
            handed = lanes.hand_out(request.user, of, wanted=asked["wanted"], without=asked["without"])
            rows = [_told(each) for each in handed]
        return Response({"rows": rows, "waiting": lanes.waiting(request.user, of) if asked["counted"] else None})


class AnswerSerializer(serializers.Serializer[object]):
    document_id = serializers.UUIDField()
    version = serializers.IntegerField(min_value=1)
    act = serializers.ChoiceField(choices=[str(act) for act in lanes.ACTS])
    value = serializers.CharField(required=False, allow_blank=True, default="", max_length=4000)


class AnswersSerializer(serializers.Serializer[object]):
    answers = serializers.ListField(child=AnswerSerializer(), allow_empty=False, max_length=lanes.MOST)


@extend_schema(exclude=True)
class Answers(APIView):
    """What was said of the field in some documents; each is answered for itself, and the same again changes nothing."""

    def post(self, request: Request, document_type: str, field: str) -> Response:
        form = AnswersSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = [lanes.Answer(**each) for each in form.validated_data["answers"]]
        outcomes = lanes.answer(request.user, lanes.lane(document_type, field), given)
        told = [
            {"document_id": str(each.document_id), "code": each.code, "message": each.message, "value": each.value}
            for each in outcomes
        ]
        return Response({"answers": told})


class TakeBackSerializer(serializers.Serializer[object]):
    document_id = serializers.UUIDField()
    version = serializers.IntegerField(min_value=1)


@extend_schema(exclude=True)
class TakeBack(APIView):
    """Takes an answer back; the document is handed out again to the same person."""

    def post(self, request: Request, document_type: str, field: str) -> Response:
        form = TakeBackSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        of = lanes.lane(document_type, field)
        with access.scope_of(request.user):
            return Response({"row": _told(lanes.take_back(request.user, of, **form.validated_data))})


class TokensSerializer(serializers.Serializer[object]):
    tokens = serializers.ListField(child=serializers.UUIDField(), max_length=500)


@extend_schema(exclude=True)
class Heartbeat(APIView):
    def post(self, request: Request) -> Response:
        form = TokensSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        until, kept = lanes.keep(request.user, form.validated_data["tokens"])
        return Response({"expires_at": until, "tokens": kept})


class ClaimSerializer(serializers.Serializer[object]):
    document_id = serializers.UUIDField()
    token = serializers.UUIDField()
    claimed_at = serializers.DateTimeField()


class ClaimsSerializer(serializers.Serializer[object]):
    claims = serializers.ListField(child=ClaimSerializer(), max_length=500)


@extend_schema(exclude=True)
class Release(APIView):
    """Called while the page goes away, when no header can be set: the claims' tokens are the proof."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    def post(self, request: Request) -> Response:
        form = ClaimsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        count = sum(worklist.release(**each) for each in form.validated_data["claims"])
        log.event("lane_left", count=count)
        return Response(status=204)
