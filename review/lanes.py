"""Lanes: one field across many documents. Which lanes there are, who is handed which documents, and what they say of the field.

A document type says which of its fields may be confirmed so (`lane`); its newest version counts, for documents of earlier versions too.
Whoever works in a lane is handed documents as reserved claims: nobody else gets them meanwhile, and the trail hears only of what is
said. Each answer is an event of its own. The document is approved once nothing is left to say about it; otherwise it goes on waiting,
and `decisions.settle` takes the answers into whatever is decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit import prepared, trail
from audit.models import Kind
from ocr import document_types, extraction, lifecycle, pipeline
from ocr.models import Document, Field, Page, Status, TextLayer
from ocr.told import label as told_label
from review import acts as said
from review import checks, decisions, worklist
from review.models import Act, Claim, Draft, LaneAnswer
from tenants import access

if TYPE_CHECKING:
    from tenants.models import AnyUser

MOST = 100  # documents that one person is handed at a time, and answers that are taken together
COUNTED = 1000  # a lane is not counted any further
ACTS = (Act.CONFIRMED, Act.CORRECTED, Act.ABSENT, Act.UNREADABLE)

# Whether a document waits in a lane for `holder`. Each condition is a value looked up by its key for one row after the other: as
# joins, of which the planner expects that hardly any row remains, they would have every waiting document read and sorted.
_WAITS = """
                   document.status = 'needs_review'
               AND document.document_type_id = ANY (%(types)s::bigint[])
               AND document.id <> ALL (%(without)s::uuid[])
               AND coalesce((SELECT 1 FROM ocr_field AS field
                              WHERE field.document_id = document.id AND field.row IS NULL AND field.name = %(field)s
                                AND field.state = 'open'
                                AND (field.value IS NOT NULL OR jsonb_typeof(field.box) = 'array')), 0) = 1
               AND coalesce((SELECT 1 FROM review_laneanswer AS answer
                              WHERE answer.document_id = document.id AND answer.version = document.version
                                AND answer.field = %(field)s), 0) <> 1
               AND coalesce((SELECT 1 FROM review_claim AS held
                              WHERE held.document_id = document.id AND held.expires_at >= clock_timestamp()
                                AND NOT (held.holder_id = %(holder)s AND held.reserved)), 0) <> 1
               AND coalesce((SELECT 1 FROM review_aside AS aside
                              WHERE aside.document_id = document.id AND aside.holder_id = %(holder)s
                                AND aside.until >= clock_timestamp()), 0) <> 1
               AND coalesce((SELECT 1 FROM review_escalation AS escalation
                              WHERE escalation.document_id = document.id), 0) <> 1
               AND coalesce((SELECT 1 FROM review_comment AS question
                              WHERE question.document_id = document.id AND question.asked_id IS NOT NULL
                                AND question.answered_at IS NULL), 0) <> 1
               AND coalesce((SELECT 1 FROM review_assignment AS given
                              WHERE given.document_id = document.id AND given.person_id <> %(holder)s), 0) <> 1
"""
# Claims up to `wanted` documents in one statement, all reserved. Each tenant offers its first ones, along the index of the queue; the
# best offers that nobody has locked are taken. Somebody may have claimed one between our look and our lock: that row is not written.
NEXT_SQL = f"""
    WITH offers AS (
        SELECT first.id
          FROM unnest(%(tenants)s::uuid[]) AS reviewed (tenant_id)
         CROSS JOIN LATERAL (
            SELECT document.id
              FROM ocr_document AS document
             WHERE document.tenant_id = reviewed.tenant_id AND {_WAITS}
             ORDER BY document.turn_at, document.id
             LIMIT {{offers}}
          ) AS first
    ), locked AS (
        SELECT document.id, document.tenant_id, document.turn_at
          FROM offers JOIN ocr_document AS document USING (id)
         WHERE document.status = 'needs_review' AND document.tenant_id = ANY (%(tenants)s::uuid[])
         ORDER BY document.turn_at, document.id
         LIMIT %(wanted)s
           FOR UPDATE OF document SKIP LOCKED
    ), written AS (
        INSERT INTO review_claim AS claim (document_id, tenant_id, holder_id, token, claimed_at, expires_at, reserved)
        SELECT id, tenant_id, %(holder)s, gen_random_uuid(), clock_timestamp(),
               clock_timestamp() + %(seconds)s * interval '1 second', true
          FROM locked
            ON CONFLICT (document_id) DO UPDATE
           SET tenant_id = excluded.tenant_id, holder_id = excluded.holder_id,
               token = CASE WHEN claim.holder_id = excluded.holder_id THEN claim.token ELSE excluded.token END,
               claimed_at = excluded.claimed_at, expires_at = excluded.expires_at, reserved = true
         WHERE (claim.holder_id = excluded.holder_id AND claim.reserved) OR claim.expires_at < clock_timestamp()
     RETURNING claim.document_id
    )
    SELECT written.document_id FROM written JOIN locked ON locked.id = written.document_id ORDER BY locked.turn_at, locked.id
"""
WAITING_SQL = f"""
    SELECT count(*) FROM (
        SELECT 1 FROM ocr_document AS document
         WHERE document.tenant_id = ANY (%(tenants)s::uuid[]) AND {_WAITS}
         LIMIT {COUNTED}
    ) AS counted
"""


class NoLane(Exception):
    """The document type has no such field, or does not allow it to be confirmed in a lane."""

    code = "no_lane"


class Answered(Exception):
    """Somebody else has said something about this field already."""

    code = "already_answered"


@dataclass(frozen=True, slots=True)
class Lane:
    """One field of one document type, which may be confirmed across documents."""

    document_type: str
    field: str
    type_label: str
    label: str
    kind: str
    choices: tuple[str, ...] = ()  # the only values it may have; none: any


@dataclass(frozen=True, slots=True)
class Handed:
    """One document in the hands of a person: its field, the claim, and the page that the field is on."""

    document: Document
    field: Field
    claim: Claim
    page: Page | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says of the field in one document; `value` is what was typed, for the act `corrected`."""

    document_id: UUID
    version: int
    act: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one answer: `code` is kept, approved (nothing was left to say), or that of the refusal, which `message` tells."""

    document_id: UUID
    code: str
    message: str = ""
    value: str | None = None


# --- Which there are ----------------------------------------------------------------------------------------------


def every() -> list[Lane]:
    """The lanes that the document types allow."""
    found = []
    for row in document_types.newest():
        parsed = document_types.parsed(row)
        found += [
            Lane(row.name, spec.name, told_label(row.label), told_label(spec.label), spec.kind, spec.choices)
            for spec in parsed.fields
            if spec.lane
        ]
    return found


def lane(document_type: str, field: str) -> Lane:
    """The lane of this field. Raises NoLane."""
    for each in every():
        if (each.document_type, each.field) == (document_type, field):
            return each
    raise NoLane(_("There is no such lane. The document type says which of its fields may be confirmed in one."))


def waiting(user: AnyUser, of: Lane) -> int:
    """How many documents wait in the lane for `user`, counted up to COUNTED. Raises access.NotAllowed."""
    access.check(user, "review")
    with access.scope_of(user):
        return int(prepared.fetch_named(WAITING_SQL, _asked(user, of, ()))[0][0])


# --- Handing out --------------------------------------------------------------------------------------------------


def hand_out(user: AnyUser, of: Lane, *, wanted: int = 20, without: Iterable[UUID] = ()) -> list[Handed]:
    """Up to `wanted` documents of the lane in the order of the queue, for this person only. Raises access.NotAllowed."""
    access.check(user, "review")
    with access.scope_of(user):
        names = [*map(str, without)]
        claimed: list[UUID] = []
        for offers in (2 * wanted, worklist.OFFERS[-1]):
            asked = _asked(user, of, [*names, *map(str, claimed)])
            if left := min(wanted, MOST) - len(claimed):
                claimed += [
                    pk for (pk,) in prepared.fetch_named(NEXT_SQL.format(offers=offers), asked | {"wanted": left})
                ]
        return _handed(user, of, claimed)


def _asked(user: AnyUser, of: Lane, without: Sequence[str]) -> dict[str, Any]:
    return {
        "holder": user.pk,
        "seconds": settings.CLAIM_SECONDS,
        "tenants": worklist.reviewed_tenants(user),
        "types": _versions(of.document_type),
        "field": of.field,
        "without": [*without],
    }


def _versions(name: str) -> list[int]:
    """The keys of the type's versions, without those whose documents more than one person has to see."""
    return [
        pk for pk in document_types.versions(name) if document_types.parsed(document_types.row(pk)).four_eyes is None
    ]


def _handed(user: AnyUser, of: Lane, ids: Sequence[UUID]) -> list[Handed]:
    """What is to be shown of these documents, which are claimed. One that was answered while we looked is given back."""
    these, given = "WHERE document_id = ANY ($1::uuid[])", prepared.array(ids)
    claims = prepared.objects(Claim, f"{these} AND holder_id = $2::int", given, user.pk)
    claimed = {each.document_id: each for each in claims}
    documents = lifecycle.several_seen(ids, user)
    fields = prepared.objects(Field, f"{these} AND row IS NULL AND name = $2::text", given, of.field)
    still_open = {each.document_id: each for each in fields if each.state == "open"}
    answers = prepared.objects(LaneAnswer, f"{these} AND field = $2::text", given, of.field)
    answered = {(each.document_id, each.version) for each in answers}
    pages = {(each.document_id, each.number): each for each in prepared.objects(Page, these, given)}
    handed, gone = [], []
    for pk in ids:
        document, field = documents[pk], still_open.get(pk)
        if (pk, document.version) in answered or field is None:
            gone.append(pk)
            continue
        page = pages.get((pk, field.page or 0))
        if page:
            page.document = document
        handed.append(Handed(document, field, claimed[pk], page))
    if gone:
        Claim.objects.filter(document_id__in=gone, holder_id=user.pk, reserved=True).delete()
    return handed


def keep(user: AnyUser, tokens: Iterable[UUID]) -> tuple[datetime, list[UUID]]:
    """Keep these claims for another CLAIM_SECONDS; the new end, and the tokens of those that still are this person's."""
    with access.scope_of(user):
        until = lifecycle.database_now() + timedelta(seconds=settings.CLAIM_SECONDS)
        mine = Claim.objects.filter(holder_id=user.pk, token__in=[*tokens], expires_at__gte=Now())
        kept = list(mine.values_list("token", flat=True))
        mine.filter(token__in=kept).update(expires_at=until)
        return until, kept


# --- Answering ----------------------------------------------------------------------------------------------------


def answer(user: AnyUser, of: Lane, answers: Sequence[Answer]) -> list[Outcome]:
    """Take each answer for itself: one that is refused keeps no other from counting. The same one again changes nothing.

    An answer counts when the document still is the version that was seen and nobody else has taken it: a connection that was away
    for longer than the claim lasts loses nothing. Raises access.NotAllowed.
    """
    access.check(user, "review")
    return [_taken(user, of, each) for each in answers]


_REFUSALS = (
    access.NotAllowed, decisions.AlreadyDecided, lifecycle.NotPossible, lifecycle.Overtaken, worklist.Held, Answered,
    extraction.InvalidValue,
)  # fmt: skip


def _taken(user: AnyUser, of: Lane, given: Answer) -> Outcome:
    try:
        with access.scope_of(user):
            document = lifecycle.locked(given.document_id, user)
            value = _written(user, of, document, given)
            if document.status == Status.NEEDS_REVIEW:
                Claim.objects.filter(document=document, holder_id=user.pk, reserved=True).delete()
                document = _approved(document, user) or document
    except Document.DoesNotExist:
        return Outcome(given.document_id, "not_found", _("There is no such document that you may see."))
    except _REFUSALS as refusal:
        return Outcome(given.document_id, refusal.code, str(refusal))
    if document.status != Status.APPROVED:
        return Outcome(given.document_id, "kept", value=value)
    pipeline.publish(document)
    return Outcome(given.document_id, "approved", value=value)


_SAID = "WHERE document_id = $1::uuid AND version = $2::int AND field = $3::text"


def _written(user: AnyUser, of: Lane, document: Document, given: Answer) -> str | None:
    """Write the answer down and tell of it, unless that was done; the canonical value. Raises one of _REFUSALS."""
    access.check(user, "review", document.tenant_id)
    field = _field(of, document)
    act, value = _meant(document, field, given)
    before = next(iter(prepared.objects(LaneAnswer, _SAID, document.pk, given.version, of.field)), None)
    decided = document.status != Status.NEEDS_REVIEW
    if before and _is_same(before, user, act, value) and (decided or document.version == given.version):
        return value
    _check_open(user, document, field, given.version)
    if before and before.answered_by != access.actor_of(user):
        raise Answered(_("%(who)s has checked this one already.") % {"who": access.called(before.answered_by)})
    LaneAnswer.objects.update_or_create(
        document=document,
        version=given.version,
        field=of.field,
        defaults={
            "tenant_id": document.tenant_id,
            "act": act,
            "value": value,
            "answered_by": access.actor_of(user),
            "answered_at": Now(),
        },
    )
    _tell(user, document, of, act, change=act, version=given.version)
    return value


def _is_same(before: LaneAnswer, user: AnyUser, act: Act, value: str | None) -> bool:
    """Whether the person has said this already. Once it is decided, a value that they gave is the one that stands."""
    return (
        before.answered_by == access.actor_of(user)
        and before.value == value
        and (before.act == act or value is not None)
    )


def _field(of: Lane, document: Document) -> Field:
    asked = "WHERE document_id = $1::uuid AND row IS NULL AND name = $2::text"
    found = next(iter(prepared.objects(Field, asked, document.pk, of.field)), None)
    if found is None or document.document_type_id not in _versions(of.document_type):
        raise lifecycle.NotPossible(_("The document does not belong into this lane. Load the page again."))
    return found


def _meant(document: Document, field: Field, given: Answer) -> tuple[Act, str | None]:
    """The act and the canonical value. Raises extraction.InvalidValue with a sentence, or NotPossible where nothing is to confirm."""
    assert document.document_type
    act = Act(given.act)
    if act == Act.CORRECTED:
        type_ = document_types.parsed(document.document_type)
        typed = extraction.parse_kind(given.value, field.kind, document_type=type_, name=field.name)
        return (Act.CONFIRMED if typed == field.value else Act.CORRECTED), typed
    if act == Act.CONFIRMED and field.value is None:
        raise lifecycle.NotPossible(
            _("%(label)s has no value to confirm. Type it or mark it as not on the page.")
            % {"label": told_label(field.label)}
        )
    return act, (field.value if act == Act.CONFIRMED else None)


def _check_open(user: AnyUser, document: Document, field: Field, version: int) -> None:
    """Raise unless the user may answer for this field now."""
    decisions.check_decide(document, user)
    if checks.standing(document).eyes:
        raise lifecycle.NotPossible(
            _("More than one person has to see the whole of this document. Open it to check it.")
        )
    if document.version != version:
        raise lifecycle.Overtaken(
            _("The document was changed after you were shown it. Open it to see where it stands.")
        )
    _check_free(user, document)
    if field.state != "open":
        raise lifecycle.NotPossible(
            _("%(label)s is settled in this document; there is nothing to confirm.")
            % {"label": told_label(field.label)}
        )


def _check_free(user: AnyUser, document: Document) -> None:
    claim = worklist.holder_of(document)
    if claim and claim.holder_id != user.pk:
        raise worklist.Held(claim.holder.get_full_name() or claim.holder.get_username())


def _tell(user: AnyUser, document: Document, of: Lane, act: Act, *, change: str, version: int) -> None:
    source = (
        {"source": str(said.source_of(act, None))} if change == act and act in {Act.CONFIRMED, Act.CORRECTED} else {}
    )
    trail.record(
        Kind.FIELD_CONFIRMED if act == Act.CONFIRMED else Kind.FIELD_CORRECTED,
        tenant_id=document.tenant_id,
        document_id=document.pk,
        actor=access.actor_of(user),
        step="lane",
        codes={"field": of.field, "change": str(change), "version": version, **source},
    )


def _approved(document: Document, user: AnyUser) -> Document | None:
    """The document approved by who said the last word about it; None while something else of it needs a person."""
    answered = decisions.lane_answers(document)
    left = document.fields.filter(state="open").exclude(row=None, name__in=answered)
    if document.problems or document.text_layer == TextLayer.DIFFERS or left.exists():
        return None
    verdict = decisions.Verdict(version=document.version, decision=decisions.APPROVE, undoable=True)
    try:
        return decisions.settle(document.pk, user, verdict)
    except decisions.NotAcceptable:  # a rule between fields: whoever has all of it before them decides
        return None


# --- Taking back --------------------------------------------------------------------------------------------------

TAKEN_BACK = "taken_back"


def take_back(user: AnyUser, of: Lane, document_id: UUID, *, version: int) -> Handed:
    """Take back what this person said of the version; the document is in their hands again.

    Where it was approved with that answer, the approval is taken back too, which is possible for UNDO_SECONDS. Raises
    Document.DoesNotExist, access.NotAllowed, lifecycle.NotPossible, lifecycle.Overtaken, worklist.Held.
    """
    access.check(user, "review")
    with access.scope_of(user):
        document = lifecycle.locked(document_id, user)
        access.check(user, "review", document.tenant_id)
        mine = LaneAnswer.objects.filter(document=document, version=version, field=of.field).first()
        if mine is None or mine.answered_by != access.actor_of(user):
            raise lifecycle.NotPossible(_("There is no answer of yours to take back here."))
        if document.status == Status.APPROVED and document.version == version + 1:
            document = _undone(document, user, mine)
        elif document.version != version or document.status != Status.NEEDS_REVIEW:
            raise lifecycle.Overtaken(_("The document was changed in the meantime. Open it to see where it stands."))
        _check_free(user, document)
        mine.delete()
        _tell(user, document, of, Act(mine.act), change=TAKEN_BACK, version=version)
        _reserve(user, document)
        return _handed(user, of, [document.pk])[0]


def _undone(document: Document, user: AnyUser, mine: LaneAnswer) -> Document:
    """The document as it waited before the approval, with the other answers on its new version."""
    answers = LaneAnswer.objects.filter(document=document, version=mine.version)
    last = decisions.check_undo(document, user)
    if set(last.corrections.values_list("field", flat=True)) - set(answers.values_list("field", flat=True)):
        raise lifecycle.NotPossible(_("More than this field was decided on the document. Open it to take that back."))
    moved = decisions.undo(document.pk, user, version=document.version)
    answers.exclude(pk=mine.pk).update(version=moved.version)
    Draft.objects.filter(document=document, holder_id=int(user.pk or 0)).delete()  # it says what the answers say
    return moved


def _reserve(user: AnyUser, document: Document) -> None:
    """Hold the document, whose row the caller has locked and which nobody else holds; one that the person has open stays open."""
    found = worklist.holder_of(document)
    if found and not found.reserved:
        return
    Claim.objects.update_or_create(
        document=document,
        defaults={
            "tenant_id": document.tenant_id,
            "holder_id": int(user.pk or 0),
            "token": uuid4(),
            "claimed_at": Now(),
            "expires_at": Now() + timedelta(seconds=settings.CLAIM_SECONDS),
            "reserved": True,
        },
    )
