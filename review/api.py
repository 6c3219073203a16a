"""The JSON door to reviewing: what integrations call, and what the review page calls. Same functions, same answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit import log
from ocr import comparing, contract, document_types, idempotency, intake, lifecycle, pipeline, serving, splitting
from ocr.api import problems
from ocr.api.serializers import AcceptedSerializer, DetailSerializer, ProblemJsonSerializer
from ocr.api.views import KEY
from ocr.extraction.several import Stretch
from ocr.models import Document, Status
from ocr.serving import document_for, tenant_of
from review import acts, comments, decisions, keyboards, turning, worklist
from review.models import Source
from tenants import access

problems.STATUSES.update(
    {
        worklist.Held: 409, worklist.ClaimLost: 409, decisions.AlreadyDecided: 409, decisions.NotAcceptable: 422,
        document_types.Unknown: 422, keyboards.Unusable: 422, splitting.InvalidRanges: 422, intake.Unacceptable: 422,
        comments.Unsaid: 422,
    }
)  # fmt: skip
PROBLEM = ProblemJsonSerializer
Post = TypeVar("Post", bound=Callable[..., Response])
Act = Callable[[], tuple[int, dict[str, Any]]]
MATCH = OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, description="The ETag of the version that was seen.")


class Stale(Exception):
    """The caller's If-Match names another version than the present one."""

    code = "stale_version"


problems.STATUSES[Stale] = 412


class EvidenceSerializer(serializers.Serializer[object]):
    """How a value came to be."""

    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=[Source.CAPTURED, Source.SUGGESTED, Source.TYPED], required=False, allow_blank=True, default="",
        help_text="Left out: `captured` with word_ids, else `typed`.",
    )  # fmt: skip
    word_ids = serializers.ListField(
        child=serializers.RegexField(r"^[A-Za-z0-9-]{1,64}$"), required=False, default=list, max_length=500,
        help_text="The engine's words that the value was taken from.",
    )  # fmt: skip
    page = serializers.IntegerField(min_value=1, required=False, allow_null=True, default=None)
    box = serializers.ListField(
        child=serializers.FloatField(min_value=0, max_value=1), min_length=4, max_length=4, required=False,
        allow_null=True, default=None, help_text="[left, top, width, height], 0-1, on the page as its image shows it.",
    )  # fmt: skip


class AddedRowSerializer(serializers.Serializer[object]):
    """A line item that the engine did not see."""

    cells = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=4000), help_text="By column: {amount: 12.50}."
    )
    after = serializers.IntegerField(
        min_value=0, required=False, allow_null=True, default=None, help_text="The row above it; 0 for the top."
    )
    row = serializers.IntegerField(
        min_value=1,
        max_value=100_000,
        required=False,
        allow_null=True,
        default=None,
        help_text="Its number; else the next.",
    )


class DecisionSerializer(serializers.Serializer[object]):
    """Body of POST /api/v1/documents/{id}/review/."""

    version = serializers.IntegerField(min_value=1)
    decision = serializers.ChoiceField(choices=["approve", "reject"])
    corrected_fields = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=4000), required=False, default=dict
    )
    confirmed_fields = serializers.ListField(child=serializers.CharField(max_length=120), required=False, default=list)
    absent_fields = serializers.ListField(child=serializers.CharField(max_length=120), required=False, default=list)
    unreadable_fields = serializers.ListField(child=serializers.CharField(max_length=120), required=False, default=list)
    missed_fields = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=4000), required=False, default=dict,
        help_text="Values that the engine did not see; `evidence` says where each stands.",
    )  # fmt: skip
    labels = serializers.DictField(
        child=serializers.CharField(max_length=200), required=False, default=dict,
        help_text="Of missed fields that the document does not have yet; only forms without fixed fields may get some.",
    )  # fmt: skip
    evidence = serializers.DictField(child=EvidenceSerializer(), required=False, default=dict)
    added_rows = AddedRowSerializer(many=True, required=False, default=list)
    removed_rows = serializers.ListField(child=serializers.IntegerField(min_value=1), required=False, default=list)
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=1000,
        help_text="Reject: one of the reason codes. Approve: why failing rules are overruled.",
    )  # fmt: skip
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)
    check = serializers.IntegerField(
        required=False, default=1, min_value=1, max_value=3,
        help_text="Which look at the document this is, where several people check it: the `check.number` of `current` in a 409.",
    )  # fmt: skip
    token = serializers.UUIDField(required=False, help_text="The claim's token; the review page sends it.")


class DraftSerializer(serializers.Serializer[object]):
    token = serializers.UUIDField()
    version = serializers.IntegerField(min_value=1)
    revision = serializers.IntegerField(min_value=0)
    fields_ = serializers.DictField(child=serializers.DictField())

    def get_fields(self) -> dict[str, Any]:
        found = super().get_fields()
        found["fields"] = found.pop("fields_")
        return found


class TokenSerializer(serializers.Serializer[object]):
    token = serializers.UUIDField()


class HeartbeatSerializer(TokenSerializer):
    ahead = serializers.ListField(child=serializers.UUIDField(), required=False, default=list, max_length=20)


class ReleaseSerializer(TokenSerializer):
    claimed_at = serializers.DateTimeField(required=False, default=None, allow_null=True)


class _Door(APIView):
    def handle_exception(self, exc: Exception) -> Response:
        """A refused writer also gets the values that count now, to compare with their own."""
        if isinstance(exc, decisions.NotAcceptable):
            errors = [
                {"field": e.field, "code": e.code, "message": e.message, "overridable": e.overridable}
                for e in exc.errors
            ]
            return problems.problem(422, exc.code, str(exc), errors=errors, overridable=exc.overridable)
        response = super().handle_exception(exc)
        if response.status_code in {409, 412} and isinstance(response.data, dict):
            try:
                with access.scope_of(self.request.user):
                    document = document_for(self.request.user, self.kwargs["document_id"])
                    response.data["current"] = decisions.current(document)
            except (
                Document.DoesNotExist,
                DatabaseError,
                InterfaceError,
            ) as failed:  # out of sight meanwhile, or the database away
                return super().handle_exception(failed)
        return response

    def published(self, request: Request, document_id: UUID, answer: Response) -> Response:
        """Store the result after the commit; a repeated request mends what a first one that died left out."""
        decided = Document(pk=document_id, tenant_id=tenant_of(request.user, document_id))
        pipeline.publish(decided)  # stored already where the document goes on waiting for another person
        return answer


def _verdict(given: dict[str, Any]) -> decisions.Verdict:
    return decisions.Verdict(
        version=given["version"],
        decision=given["decision"],
        corrected=given["corrected_fields"],
        confirmed=given["confirmed_fields"],
        absent=given["absent_fields"],
        unreadable=given["unreadable_fields"],
        missed=given["missed_fields"],
        labels=given["labels"],
        evidence={path: acts.Evidence(**seen) for path, seen in given["evidence"].items()},
        added_rows=[acts.AddedRow(**row) for row in given["added_rows"]],
        removed_rows=given["removed_rows"],
        reason=given["reason"],
        note=given["note"],
        check=given["check"],
        claim_token=given.get("token"),
    )


def _once(request: Request, document_id: UUID, route: str, act: Act, *parts: str) -> Response:
    """The act under its Idempotency-Key and If-Match: the same request is done once and answered the same."""
    tenant_id = tenant_of(request.user, document_id)
    wanted = idempotency.Request.of(request.headers.get("Idempotency-Key"), route, str(document_id), *parts)

    def matched() -> tuple[int, dict[str, Any]]:
        _check_match(request, document_id)
        return act()

    status, told = idempotency.once(tenant_id, wanted, matched, document_id=document_id)
    return Response(told, status=status)


def _check_match(request: Request, document_id: UUID) -> None:
    """Raise Stale unless the header allows the present version, which stays the present one until commit."""
    allowed = {tag.strip() for tag in request.headers.get("If-Match", "*").split(",")}
    if "*" in allowed:
        return
    mine = Document.objects.visible_to(request.user).select_for_update()
    version = mine.values_list("version", flat=True).get(pk=document_id)
    if f'"{version}"' not in allowed:
        raise Stale(_("The document was changed after you read it. Read it again and compare."))


class Review(_Door):
    @extend_schema(
        operation_id="reviewDocument",
        parameters=[KEY, MATCH],
        request=DecisionSerializer,
        responses={200: DetailSerializer, 404: PROBLEM, 409: PROBLEM, 412: PROBLEM, 422: PROBLEM},
    )
    def post(self, request: Request, document_id: UUID) -> Response:
        """Approve or reject the version that was seen."""
        form = DecisionSerializer(data=request.data)
        form.is_valid(raise_exception=True)

        def act() -> tuple[int, dict[str, Any]]:
            decided = decisions.settle(document_id, request.user, _verdict(form.validated_data))
            return 200, contract.detail(lifecycle.of(decided.pk))

        answer = _once(request, document_id, "review", act, repr(sorted(form.validated_data.items(), key=str)))
        return self.published(request, document_id, answer)


def _again(name: str) -> Callable[[Post], Post]:
    """The schema of an act that is answered with where the document now stands."""
    answers = {202: AcceptedSerializer, 404: PROBLEM, 409: PROBLEM, 412: PROBLEM}
    schema: Callable[[Post], Post] = extend_schema(
        operation_id=f"{name}Document", parameters=[KEY, MATCH], request=None, responses=answers
    )
    return schema


class StretchSerializer(serializers.Serializer[object]):
    first = serializers.IntegerField(min_value=1, max_value=3000)
    last = serializers.IntegerField(min_value=1, max_value=3000)
    document_type = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=60, help_text="Empty: found from the content."
    )


class SplitSerializer(serializers.Serializer[object]):
    """Body of POST /api/v1/documents/{id}/split/: every page belongs to one range, in order."""

    version = serializers.IntegerField(min_value=1)
    ranges = StretchSerializer(many=True, allow_empty=False)


class SuggestionSerializer(serializers.Serializer[object]):
    ranges = StretchSerializer(many=True, help_text="One range where nothing tells of several documents.")


class PartsSerializer(serializers.Serializer[object]):
    documents = AcceptedSerializer(many=True, help_text="In the order of their pages.")


class Split(_Door):
    @extend_schema(operation_id="suggestSplit", responses={200: SuggestionSerializer, 404: PROBLEM, 409: PROBLEM})
    def get(self, request: Request, document_id: UUID) -> Response:
        """Where the document seems to fall apart into several; asked of the stored answer, nothing is billed."""
        found = decisions.suggested_split(document_id, request.user)
        told = [{"first": each.first, "last": each.last, "document_type": each.document_type} for each in found]
        return Response({"ranges": told})

    @extend_schema(
        operation_id="splitDocument",
        parameters=[KEY, MATCH],
        request=SplitSerializer,
        responses={202: PartsSerializer, 404: PROBLEM, 409: PROBLEM, 412: PROBLEM, 422: PROBLEM},
    )
    def post(self, request: Request, document_id: UUID) -> Response:
        """Make documents of their own of these pages, without paying for them again; the document itself is rejected as split."""
        form = SplitSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given: dict[str, Any] = form.validated_data
        stretches = [Stretch(**each) for each in given["ranges"]]
        with access.scope_of(request.user):
            _check_match(request, document_id)
        made = decisions.split(document_id, request.user, version=given["version"], stretches=stretches)
        return Response({"documents": [contract.accepted(each) for each in made]}, status=202)


class Reopen(_Door):
    @_again("reopen")
    def post(self, request: Request, document_id: UUID) -> Response:
        """Put a decided document back into review."""
        return _accepted(request, document_id, decisions.reopen)


class Retry(_Door):
    @_again("retry")
    def post(self, request: Request, document_id: UUID) -> Response:
        """Put a failed document back to work; what is already read is not read again."""
        return _accepted(request, document_id, decisions.retry)


class ReplaySerializer(serializers.Serializer[object]):
    """Body of POST /api/v1/documents/{id}/replay/; everything may be left out."""

    document_type = serializers.SlugField(
        required=False, max_length=60, help_text="Read as this type; otherwise as the document's own."
    )
    type_version = serializers.IntegerField(
        required=False, min_value=1, help_text="This version of `document_type`; otherwise the newest."
    )
    dry_run = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Only tell what would change (200); decided documents can be asked about.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "type_version" in attrs and "document_type" not in attrs:
            raise serializers.ValidationError(
                {"type_version": _("A type_version needs the document_type that it is of.")}
            )
        return attrs


class ReplayedFieldSerializer(serializers.Serializer[object]):
    name = serializers.CharField(help_text="`total`, or `line_items.3.amount`.")
    before = serializers.CharField(allow_null=True, help_text="The engine's value, whatever a person made of it.")
    after = serializers.CharField(allow_null=True)
    problems_before = serializers.ListField(child=serializers.CharField(), help_text="Codes, of undecided documents.")
    problems_after = serializers.ListField(child=serializers.CharField())


class ReplayedSerializer(serializers.Serializer[object]):
    """What a dry run tells."""

    id = serializers.UUIDField()
    status = serializers.CharField()
    type_before = serializers.CharField(help_text="NAME@VERSION")
    type_after = serializers.CharField()
    needs_person = serializers.BooleanField(help_text="Whether a person would be needed by this reading.")
    fields_ = ReplayedFieldSerializer(many=True)
    truth = serializers.DictField(
        allow_null=True, help_text="Of a document that a person approved: how many fields are right before and after."
    )

    def get_fields(self) -> dict[str, Any]:
        found = super().get_fields()
        found["fields"] = found.pop("fields_")
        return found


class Replay(_Door):
    @extend_schema(
        operation_id="replayDocument",
        parameters=[KEY, MATCH],
        request=ReplaySerializer,
        responses={
            200: ReplayedSerializer, 202: AcceptedSerializer, 400: PROBLEM, 404: PROBLEM, 409: PROBLEM, 412: PROBLEM,
            422: PROBLEM,
        },
    )  # fmt: skip
    def post(self, request: Request, document_id: UUID) -> Response:
        """Find the fields again in the stored answer, with the newest version of the document's type or with the one asked for."""
        form = ReplaySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given: dict[str, Any] = form.validated_data
        name, version = given.get("document_type", ""), given.get("type_version")
        type_ = document_types.stored(f"{name}@{version}" if version else name) if name else None
        if given["dry_run"]:
            return Response(_compared(decisions.compared(document_id, request.user, type_=type_)))
        prepared: pipeline.Reread | Exception
        try:
            prepared = decisions.reread(document_id, request.user, type_=type_)
        except (access.NotAllowed, lifecycle.NotPossible) as refusal:
            prepared = refusal  # a repeated request gets its first answer all the same

        def act() -> tuple[int, dict[str, Any]]:
            if isinstance(prepared, Exception):
                raise prepared
            return 202, contract.accepted(decisions.apply(prepared, request.user))

        answer = _once(request, document_id, "replay", act, *([f"{name}@{version or ''}"] if name else []))
        return self.published(request, document_id, answer)


def _compared(found: comparing.Comparison) -> dict[str, Any]:
    right = {
        "fields": len(found.judged),
        "right_before": sum(each.before for each in found.judged),
        "right_after": sum(each.after for each in found.judged),
    }
    return {
        "id": str(found.document.pk),
        "status": found.document.status,
        "type_before": found.type_before,
        "type_after": found.type_after,
        "needs_person": found.needs_person,
        "fields": [
            {
                "name": each.field,
                "before": each.before,
                "after": each.after,
                "problems_before": list(each.problems_before),
                "problems_after": list(each.problems_after),
            }
            for each in found.changed
        ],
        "truth": right if found.judged else None,
    }


def _accepted(request: Request, document_id: UUID, again: Callable[[UUID, Any], Document]) -> Response:
    return _once(
        request, document_id, again.__name__, lambda: (202, contract.accepted(again(document_id, request.user)))
    )


# --- The review page's own calls ----------------------------------------------------------------------------------


class OnwardSerializer(serializers.Serializer[object]):
    """What a page that holds the next document ready says of it."""

    next = serializers.UUIDField(required=False, allow_null=True, default=None, help_text="It shows this one now.")
    have = serializers.ListField(
        child=serializers.UUIDField(), required=False, allow_null=True, default=None, max_length=20,
        help_text="It holds these ready.",
    )  # fmt: skip


def _onward(request: Request, **said: Any) -> Response:
    """After a document was decided or given back: what was said of it, and where to go on."""
    from review.views import onward

    form = OnwardSerializer(data=request.data)
    form.is_valid(raise_exception=True)
    given = form.validated_data
    return Response({**onward(request, opened=given["next"], have=given["have"]), **said})


@extend_schema(exclude=True)
class PageDecision(_Door):
    """The same decision, answered with where to go next. Sent again with its key, since no answer came, it is the same one."""

    def post(self, request: Request, document_id: UUID) -> Response:
        form = DecisionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        verdict = replace(_verdict(form.validated_data), undoable=True)

        def act() -> tuple[int, dict[str, Any]]:
            return 200, _decided(decisions.settle(document_id, request.user, verdict))

        told = _once(request, document_id, "review-decision", act, repr(sorted(form.validated_data.items(), key=str)))
        self.published(request, document_id, told)
        return _onward(request, **told.data)


_SAID: dict[str, Any] = {
    Status.APPROVED: gettext_lazy("%(name)s approved."),
    Status.REJECTED: gettext_lazy("%(name)s rejected."),
}


def _decided(document: Document) -> dict[str, Any]:
    words = _SAID.get(document.status, _("%(name)s is checked. Another person looks at it next."))
    return {
        "message": words % {"name": document.filename},
        "undo": {
            "url": reverse("review-undo", args=[document.pk]),
            "version": document.version,
            "seconds": settings.UNDO_SECONDS,
        },
    }


@extend_schema(exclude=True)
class PageOpened(_Door):
    """A document for a page that goes back to it: claimed, with what the page shows of it."""

    def post(self, request: Request, document_id: UUID) -> Response:
        from review.views import opened

        return Response(opened(request, document_id))


@extend_schema(exclude=True)
class PageAhead(_Door):
    """Reserves the next document for a page that shows this one."""

    def post(self, request: Request, document_id: UUID) -> Response:
        from review.views import ahead

        form = OnwardSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(ahead(request, document_id, have=form.validated_data["have"] or []))


class EscalationSerializer(TokenSerializer):
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=500)


@extend_schema(exclude=True)
class PageAside(_Door):
    def post(self, request: Request, document_id: UUID) -> Response:
        form = TokenSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        passed_on = worklist.set_aside(document_id, request.user, token=form.validated_data["token"])
        told = _("Set aside for the third time: it is with the supervisors now.") if passed_on else _("Set aside.")
        return _onward(request, message=told)


@extend_schema(exclude=True)
class PageEscalation(_Door):
    def post(self, request: Request, document_id: UUID) -> Response:
        form = EscalationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        worklist.escalate(document_id, request.user, **form.validated_data)
        return _onward(request, message=_("Passed on to the supervisors."))


class CommentSerializer(serializers.Serializer[object]):
    field_ = serializers.CharField(required=False, allow_blank=True, default="", max_length=120)
    text = serializers.CharField(allow_blank=True, max_length=2 * comments.LONGEST)

    def get_fields(self) -> dict[str, Any]:
        found = super().get_fields()
        found["field"] = found.pop("field_")
        return found


@extend_schema(exclude=True)
class PageComment(_Door):
    """A remark, or a question that parks the document; then it goes on with the next one."""

    def post(self, request: Request, document_id: UUID) -> Response:
        form = CommentSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        made = comments.write(document_id, request.user, **form.validated_data)
        if made.asked is None:
            return Response({"message": _("Your remark is kept.")})
        told = _("%(name)s is asked. The document waits.") % {"name": comments.name_of(made.asked)}
        return _onward(request, message=told)


@extend_schema(exclude=True)
class PageAnswer(_Door):
    def post(self, request: Request, document_id: UUID) -> Response:
        form = CommentSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        comments.answer(document_id, request.user, text=form.validated_data["text"])
        return Response({"message": _("Your answer is kept. The document is back in the queue.")})


class VersionSerializer(serializers.Serializer[object]):
    version = serializers.IntegerField(min_value=1)


@extend_schema(exclude=True)
class PageUndo(_Door):
    """Takes the decision back that was just made, answered with where to go on with it."""

    def post(self, request: Request, document_id: UUID) -> Response:
        form = VersionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        decisions.undo(document_id, request.user, version=form.validated_data["version"])
        names = {"url": "review", "opened_url": "review-opened"}
        return Response({key: reverse(name, args=[document_id]) for key, name in names.items()})


@extend_schema(exclude=True)
class PageDraft(_Door):
    """Whoever saved a draft that was overtaken gets the later one: it may be their own, whose answer was lost."""

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if isinstance(exc, lifecycle.Overtaken) and isinstance(response.data, dict):
            response.data["draft"] = decisions.draft_of(self.kwargs["document_id"], self.request.user)
        return response

    def post(self, request: Request, document_id: UUID) -> Response:
        form = DraftSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        revision = decisions.save_draft(document_id, request.user, **form.validated_data)
        return Response({"revision": revision})


class TurnSerializer(TokenSerializer):
    turn = serializers.ChoiceField(choices=turning.TURNS)


@extend_schema(exclude=True)
class PageTurn(_Door):
    """Turns a page for good, answered with how it is shown now."""

    def post(self, request: Request, document_id: UUID, number: int) -> Response:
        form = TurnSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        page = turning.turn_page(document_id, request.user, number=number, **form.validated_data)
        return Response(serving.page_shown(page))


class KeysSerializer(serializers.Serializer[object]):
    chords = serializers.DictField(child=serializers.CharField(max_length=keyboards.LONGEST, allow_blank=True))
    single_letters = serializers.BooleanField()


@extend_schema(exclude=True)
class Keys(APIView):
    """The person's own keys of the review screen."""

    def post(self, request: Request) -> Response:
        form = KeysSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(keyboards.keep(request.user, **form.validated_data))


@extend_schema(exclude=True)
class PageHeartbeat(_Door):
    """Keeps the document that is open and those that are reserved after it."""

    def post(self, request: Request, document_id: UUID) -> Response:
        form = HeartbeatSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        until, kept = worklist.heartbeat(document_id, request.user, **form.validated_data)
        return Response({"expires_at": until, "ahead": kept})


@extend_schema(exclude=True)
class PageRelease(APIView):
    """Called while the page goes away, when no header can be set: the claim's token is the proof."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    def post(self, request: Request, document_id: UUID) -> Response:
        form = ReleaseSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        released = worklist.release(document_id, **form.validated_data)
        log.event("released", document=document_id, count=int(released))
        return Response(status=204)
