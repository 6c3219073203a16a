"""What a reviewer may do and does: save a draft, approve, reject, re-open. One function per act, for the page and for REST.

`check_x` raises a sentence, `can_x` answers with the same rule; the sentence that refuses is the one that the page shows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit import prepared, trail
from audit.models import Kind
from ocr import (
    comparing,
    contract,
    document_types,
    extraction,
    intake,
    lifecycle,
    outbox,
    pipeline,
    rows,
    splitting,
    told,
)
from ocr.extraction.several import Stretch
from ocr.models import Document, DocumentType, Field, Status
from review import acts as said
from review import checks, reasons, worklist
from review.acts import FieldError
from review.models import Act, Aside, Claim, Correction, Decision, Draft, Escalation, LaneAnswer
from tenants import access

if TYPE_CHECKING:
    from tenants.models import AnyUser

APPROVE, REJECT = "approve", "reject"
SPLIT = "split"  # the reason of a rejection that nobody gives by hand: its pages are documents of their own
# What a document that is decided on no longer says of itself.
_UNDECIDED: Mapping[str, object] = {
    "decision": "",
    "decision_reason": "",
    "reviewer": "",
    "decided_at": None,
    "straight_through": False,
}


class AlreadyDecided(Exception):
    """Somebody decided first; the document is no longer waiting."""

    code = "already_decided"


class NotAcceptable(Exception):
    """The decision does not hold together; each error names its field. Nothing was written."""

    code = "fields_invalid"

    def __init__(self, errors: list[FieldError]) -> None:
        sentences = " ".join(error.message for error in errors)
        super().__init__(_("Some fields need another look: %(told)s") % {"told": sentences})
        self.errors = errors

    @property
    def overridable(self) -> bool:
        return all(error.overridable for error in self.errors)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reviewer says about one document. `corrected` maps field paths to what was typed (total, line_items.3.amount)."""

    version: int
    decision: str
    corrected: Mapping[str, str] = field(default_factory=dict)
    confirmed: Iterable[str] = ()
    absent: Iterable[str] = ()
    unreadable: Iterable[str] = ()
    missed: Mapping[str, str] = field(
        default_factory=dict
    )  # what the engine did not see; `evidence` says where it stands
    labels: Mapping[str, str] = field(default_factory=dict)  # of missed fields that a form without fixed ones gets
    added_rows: Sequence[said.AddedRow] = ()
    removed_rows: Iterable[int] = ()
    evidence: Mapping[str, said.Evidence] = field(default_factory=dict)
    reason: str = ""
    note: str = ""
    check: int | None = None  # which look at the document this is meant to be, by whoever holds no claim that proves it
    claim_token: UUID | None = None  # the page's; REST decides on the version alone
    undoable: bool = False  # its event is held for UNDO_SECONDS, and `undo` may take it back


# --- May they? ----------------------------------------------------------------------------------------------------


def check_decide(document: Document, user: AnyUser) -> None:
    """Raise NotAllowed or AlreadyDecided unless the user may decide on the document now."""
    access.check(user, "review", document.tenant_id)
    if document.status in {Status.APPROVED, Status.REJECTED}:
        words = {"status": lifecycle.in_words(document.status), "who": access.called(document.reviewer)}
        if document.reviewer:
            raise AlreadyDecided(_("The document was already %(status)s by %(who)s.") % words)
        raise AlreadyDecided(_("The document was already %(status)s.") % words)
    if document.status != Status.NEEDS_REVIEW:
        raise lifecycle.NotPossible(
            _("The document is %(status)s; there is nothing to decide yet.")
            % {"status": lifecycle.in_words(document.status)}
        )
    worklist.check_handed(document, user)


def check_reopen(document: Document, user: AnyUser) -> None:
    """Raise NotAllowed or NotPossible unless the user may put the document back into review."""
    access.check(user, "supervise", document.tenant_id)
    if document.status not in {Status.APPROVED, Status.REJECTED}:
        raise lifecycle.NotPossible(_("Only an approved or rejected document can be re-opened."))


def check_undo(document: Document, user: AnyUser) -> Decision:
    """The decision that the user may take back now. Raises NotAllowed or NotPossible."""
    access.check(user, "review", document.tenant_id)
    mine = Decision.objects.filter(document=document, version=document.version - 1, undone_at=None)
    last: Decision | None = mine.first()
    if last is None or document.status not in {Status.APPROVED, Status.REJECTED}:
        raise lifecycle.NotPossible(_("There is no decision on this document to take back."))
    if last.reviewer != access.actor_of(user):
        raise lifecycle.NotPossible(_("Only the person who decided can take it back. A supervisor can re-open it."))
    if last.reason == SPLIT:
        raise lifecycle.NotPossible(
            _("The document was split, and its parts go their own ways. Reject those that should not be.")
        )
    return last


def check_retry(document: Document, user: AnyUser) -> None:
    """Raise NotAllowed or NotPossible unless the user may put a failed document back to work."""
    access.check(user, "supervise", document.tenant_id)
    lifecycle.check_move(document, Status.RECEIVED)


def check_replay(document: Document, user: AnyUser) -> None:
    """Raise NotAllowed or NotPossible unless the user may have the document read again from its stored answer."""
    access.check(user, "supervise", document.tenant_id)
    if document.status != Status.NEEDS_REVIEW:
        raise lifecycle.NotPossible(_("Only a document that waits for review can be read again. Re-open it first."))


def can(check: Callable[[Document, AnyUser], None], document: Document, user: AnyUser) -> bool:
    """Whether `check` would let the user through."""
    try:
        check(document, user)
    except (access.NotAllowed, lifecycle.NotPossible, AlreadyDecided):
        return False
    return True


# --- Acts ---------------------------------------------------------------------------------------------------------


def save_draft(
    document_id: UUID,
    user: AnyUser,
    *,
    token: UUID,
    version: int,
    revision: int,
    fields: Mapping[str, Mapping[str, Any]],
) -> int:
    """Keep what the reviewer said so far; the draft's new revision. Raises ClaimLost, Overtaken, AlreadyDecided."""
    with access.scope_of(user):
        document = lifecycle.locked(document_id, user)
        _check_current(document, user, version)
        _check_claim(document, user, token)
        told = (document.tenant_id, document.pk, int(user.pk or 0), version, json.dumps(dict(fields)), revision)
        for (kept,) in prepared.fetch(_KEEP_DRAFT, *told):
            return int(kept)
        draft = Draft.objects.get(document=document, holder_id=user.pk)
        if draft.fields == dict(fields):
            return draft.revision  # the same save once more, since its answer was lost
        # A second tab of the same person, or a save that was overtaken by a later one: the newer stays.
        raise lifecycle.Overtaken(_("This draft was saved from another window. Load the document again."))


# The first draft, or a later one; the revision it has then. Nothing of one that was saved after an earlier revision of the same version.
_KEEP_DRAFT = """
    INSERT INTO review_draft AS draft (tenant_id, document_id, holder_id, document_version, fields, revision, saved_at)
    VALUES ($1::uuid, $2::uuid, $3::int, $4::int, $5::jsonb, 1, statement_timestamp())
    ON CONFLICT (document_id, holder_id) DO UPDATE
       SET fields = excluded.fields, revision = draft.revision + 1, document_version = excluded.document_version,
           saved_at = excluded.saved_at
     WHERE draft.document_version <> excluded.document_version OR draft.revision <= $6::int
 RETURNING revision
"""


def draft_of(document_id: UUID, user: AnyUser) -> dict[str, Any] | None:
    """What the user has said so far of the document, or None."""
    with access.scope_of(user):
        mine = Draft.objects.filter(document_id=document_id, holder_id=int(user.pk or 0))
        return mine.values("revision", "document_version", "fields").first()


def decide(document_id: UUID, user: AnyUser, verdict: Verdict) -> Document:
    """Approve or reject the version that the reviewer saw, and store the normalised result of it. Raises what `settle` raises."""
    decided = settle(document_id, user, verdict)
    if decided.status in lifecycle.FINAL:
        pipeline.publish(decided)
    return decided


def settle(document_id: UUID, user: AnyUser, verdict: Verdict) -> Document:
    """Approve or reject the version that the reviewer saw: once, by one person. Touches the database only; `publish` follows.

    Where the type wants more than one person (`review.checks`) an approval may be one of several: the document then goes on waiting.
    Fields, corrections, decision, status, audit rows and event are one transaction. Raises Document.DoesNotExist,
    access.NotAllowed, AlreadyDecided, lifecycle.Overtaken (another version), worklist.Held and ClaimLost, NotAcceptable (with the
    failing fields).
    """
    with access.scope_of(user):
        document = lifecycle.locked(document_id, user)
        _check_current(document, user, verdict.version)
        _check_claim(document, user, verdict.claim_token)
        decided = _approve(document, user, verdict) if verdict.decision == APPROVE else _reject(document, user, verdict)
        prepared.fetch(_LEAVE, document.pk, int(user.pk or 0))
    return decided


# What ends with a decision: the claim, the assignment, one's own draft. Other people's drafts stay, what they typed is theirs to compare.
_LEAVE = """
    WITH claim AS (DELETE FROM review_claim WHERE document_id = $1::uuid),
         assignment AS (DELETE FROM review_assignment WHERE document_id = $1::uuid)
    DELETE FROM review_draft WHERE document_id = $1::uuid AND holder_id = $2::int
"""


def split(document_id: UUID, user: AnyUser, *, version: int, stretches: Sequence[Stretch]) -> list[Document]:
    """Make documents of their own of these pages, and reject the document that they stood in: all or nothing, and once.

    Asked again for what was done, it answers with the same documents. Raises what `settle` raises, splitting.InvalidRanges,
    artifacts.Lost, and what ocr.intake.receive raises.
    """
    with access.scope_of(user):
        document = lifecycle.locked(document_id, user)
        if done := _split_so(document, user, stretches):
            return done
        _check_current(document, user, version)
        _check_claim(document, user, None)
    splitting.check(document, stretches)
    with splitting.pieces(document, stretches) as uploads:
        made = intake.receive_together(
            uploads,
            tenant_id=document.tenant_id,
            actor=access.actor_of(user),
            first=lambda: _settle_split(document_id, user, version),
        )
    pipeline.publish(document)
    return made


def suggested_split(document_id: UUID, user: AnyUser) -> list[Stretch]:
    """Where the document seems to fall apart. Outside a transaction, since storage is asked. Raises NotAllowed, NotPossible."""
    with access.scope_of(user):
        document = Document.objects.visible_to(user).get(pk=document_id)
        access.check(user, "review", document.tenant_id)
        if document.status not in pipeline.READ:
            raise lifecycle.NotPossible(_("The document was not read yet, so nothing is known of its pages."))
    return splitting.suggested(document)


def _split_so(document: Document, user: AnyUser, stretches: Sequence[Stretch]) -> list[Document]:
    """What the document was split into before, when that was at these pages. Raises NotPossible when it was at others."""
    access.check(user, "review", document.tenant_id)
    found = splitting.parts_of(document)
    if not found:
        return []
    if [(each.split_first, each.page_count) for each in found] != [
        (each.first, each.last - each.first + 1) for each in stretches
    ]:
        raise lifecycle.NotPossible(_("The document was split before, at other pages. Work on the parts that it has."))
    return found


def _settle_split(document_id: UUID, user: AnyUser, version: int) -> None:
    with access.scope_of(user):
        document = lifecycle.locked(document_id, user)
        _check_current(document, user, version)
        _check_claim(document, user, None)
        _rejected(document, user, Verdict(version=version, decision=REJECT, reason=SPLIT))
        Claim.objects.filter(document=document).delete()


def reopen(document_id: UUID, user: AnyUser, *, reason: str = "reopen") -> Document:
    """Put a decided document back into review as a new version; its fields keep the decided values."""
    with access.scope_of(user):
        document = lifecycle.locked(document_id, user)
        check_reopen(document, user)
        Escalation.objects.filter(document=document).delete()
        Aside.objects.filter(document=document).delete()
        return lifecycle.move(
            document,
            Status.NEEDS_REVIEW,
            actor=access.actor_of(user),
            expected_version=document.version,
            reason=reason,
            changes=_UNDECIDED,
        )


def undo(document_id: UUID, user: AnyUser, *, version: int) -> Document:
    """Take one's own decision back as if it had not been: fields and problems stand as before, what was said is a draft again.

    `version` is the one that the decision made; a check by one of several people makes none. Possible while its event is held
    (UNDO_SECONDS), so nobody outside has heard of it. Raises what `check_undo` raises, lifecycle.Overtaken, and NotPossible when
    it was announced meanwhile.
    """
    with access.scope_of(user):
        document = lifecycle.locked(document_id, user)
        if document.version != version:
            raise lifecycle.Overtaken(
                _("The document was changed in the meantime. Load it again to see where it stands.")
            )
        if document.status == Status.NEEDS_REVIEW:
            return _retract(document, user)
        last = check_undo(document, user)
        if not outbox.withdraw(document):
            raise lifecycle.NotPossible(
                _("The decision was announced in the meantime. A supervisor can re-open the document.")
            )
        own = checks.said_by(document, user, version=last.version)
        draft = said.as_draft(document, [each for each in last.corrections.all() if own is None or each.field in own])
        _put_back(document, last)
        Decision.objects.filter(pk=last.pk).update(undone_at=Now())
        moved = lifecycle.move(
            document,
            Status.NEEDS_REVIEW,
            actor=access.actor_of(user),
            expected_version=version,
            reason="undo",
            changes={**_UNDECIDED, "problems": last.before.get("problems", [])},
        )
        checks.take_back(moved, user, decided=last.version)
        _draft_again(moved, user, draft)
    return moved


def _retract(document: Document, user: AnyUser) -> Document:
    """Take back one's check of a document that goes on waiting for another person, who has not begun."""
    access.check(user, "review", document.tenant_id)
    worklist.keep_free(document, user)
    _draft_again(document, user, checks.retract(document, user))
    return document


def _put_back(document: Document, decision: Decision) -> None:
    """The fields as they stood before the decision."""
    there = {row.path: row for row in document.fields.select_for_update()}
    rows.update(Field, {row.pk: said.columns(row) for row in _as_before(there, decision.before)})
    Field.objects.filter(pk__in=decision.before.get("added", [])).delete()


def _as_before(rows: Mapping[str, Field], before: Mapping[str, Any]) -> list[Field]:
    """The rows that `_as_it_stands` told of, as they then were; not saved."""
    told = before.get("fields", {})
    found = [row for path, row in rows.items() if path in told]
    for row in found:
        for name, value in told[row.path].items():
            setattr(row, name, value)
    return found


def _draft_again(document: Document, user: AnyUser, fields: Mapping[str, Any]) -> None:
    """What the decision said of the fields, as a draft on the new version."""
    Draft.objects.update_or_create(
        document=document,
        holder_id=user.pk,
        defaults={"tenant_id": document.tenant_id, "document_version": document.version, "fields": fields},
    )


def retry(document_id: UUID, user: AnyUser) -> Document:
    """Put a failed document back to work; what is already read is not read again."""
    with access.scope_of(user):
        document = lifecycle.locked(document_id, user)
        check_retry(document, user)
        return pipeline.retry(document, actor=access.actor_of(user))


def replay(document_id: UUID, user: AnyUser) -> Document:
    """Read a waiting document again from its stored answer, with the newest version of its type."""
    again = reread(document_id, user)
    with access.scope_of(user):
        replayed = apply(again, user)
    pipeline.publish(replayed)
    return replayed


def reread(document_id: UUID, user: AnyUser, *, type_: DocumentType | None = None) -> pipeline.Reread:
    """The first half of a replay, outside a transaction, since storage is asked; nothing changes."""
    with access.scope_of(user):
        document = lifecycle.locked(document_id, user)
        check_replay(document, user)
    return pipeline.reread(document, type_=type_)


def compared(document_id: UUID, user: AnyUser, *, type_: DocumentType | None = None) -> comparing.Comparison:
    """What a replay would change, for a decided document too. Outside a transaction, since storage is asked; nothing changes."""
    with access.scope_of(user):
        found = Document.objects.visible_to(user).select_related("document_type").get(pk=document_id)
        access.check(user, "supervise", found.tenant_id)
        if contract.keyed_blind(found):
            raise lifecycle.NotPossible(
                _("Two people key the document without seeing what the machine read. Compare it after that.")
            )
        stored = comparing.stored_fields([found.pk]).get(found.pk, [])
    again = pipeline.look_again(found, type_=type_).found
    return comparing.compared(found, stored, extraction.as_json(again.reading), again.document_type)


def apply(again: pipeline.Reread, user: AnyUser) -> Document:
    """The second half, in the caller's transaction; touches the database only."""
    return pipeline.apply(again, actor=access.actor_of(user))


# --- Parts --------------------------------------------------------------------------------------------------------


def _check_current(document: Document, user: AnyUser, version: int) -> None:
    check_decide(document, user)
    if document.version != version:
        raise lifecycle.Overtaken(
            _("The document was changed after you opened it. Compare your values with the newer ones.")
        )


def _check_claim(document: Document, user: AnyUser, token: UUID | None) -> None:
    """The page must still hold its claim; without one (REST) nobody else may hold the document."""
    claim = worklist.holder_of(document)
    if claim and claim.holder_id != user.pk:
        raise worklist.Held(claim.holder.get_full_name() or claim.holder.get_username())
    if token and (claim is None or claim.token != token):
        raise worklist.ClaimLost(
            _("The document was not held any more. What you typed is kept; open it again to go on.")
        )


def lane_answers(document: Document) -> dict[str, LaneAnswer]:
    """What was said of the present version in lanes, by field. Inside a scope."""
    of_version = "WHERE document_id = $1::uuid AND version = $2::int"
    found = prepared.objects(LaneAnswer, of_version, document.pk, document.version)
    return {each.field: each for each in found}


def _with_lanes(verdict: Verdict, answers: Mapping[str, LaneAnswer]) -> Verdict:
    """The verdict with what was said in lanes of the fields that it does not mention."""
    confirmed, absent, unreadable = [*verdict.confirmed], [*verdict.absent], [*verdict.unreadable]
    mentioned = {*verdict.corrected, *verdict.missed, *confirmed, *absent, *unreadable}
    left = {path: answer for path, answer in answers.items() if path not in mentioned}
    by_act = {act: [path for path, answer in left.items() if answer.act == act] for act in Act}
    return replace(
        verdict,
        corrected={**verdict.corrected, **{path: left[path].value or "" for path in by_act[Act.CORRECTED]}},
        confirmed=confirmed + by_act[Act.CONFIRMED],
        absent=absent + by_act[Act.ABSENT],
        unreadable=unreadable + by_act[Act.UNREADABLE],
    )


def _new_acts(acts: said.Acts, answers: Mapping[str, LaneAnswer]) -> said.Acts:
    """The acts without those that the trail has told of when they were said in a lane."""
    before = {path: (answer.act, answer.value) for path, answer in answers.items()}
    return {path: said_of for path, said_of in acts.items() if said_of != before.get(path)}


def _approve(document: Document, user: AnyUser, verdict: Verdict) -> Document:
    answers = lane_answers(document)
    verdict = _with_lanes(verdict, answers)
    standing = said.Standing.of(document)
    before = _as_it_stands(document, standing.rows.values())
    round_ = checks.standing(document)
    if verdict.claim_token is None and verdict.check not in {None, round_.number}:
        raise lifecycle.Overtaken(
            _("Somebody checked the document meanwhile. Look at what they said, and say which check yours is.")
        )
    checks.arrange(round_, standing)
    gone = {path: standing.rows.pop(path) for path in [*standing.rows] if standing.rows[path].state == "removed"}
    evidence = checks.evidence(round_) | said.upright(document, verdict.evidence)
    own, errors = _judged(document, standing, verdict, round_)
    overridden = [error for error in errors if error.overridable] if verdict.reason else []
    if len(errors) > len(overridden):
        raise NotAcceptable(errors)
    placed = [(cells[0].row or 0, added.after) for added, cells in standing.added]
    look = checks.Look(own, evidence, verdict.note or verdict.reason, placed)
    if checks.hand_on(round_, user, look, _final(standing.rows, own)):
        return document
    checks.conclude(round_, user, look)
    standing.rows.update(gone)
    _as_before(standing.rows, before)
    acts = checks.merged(round_, own, standing.rows)
    kept = {**before, "fields": {path: before["fields"][path] for path in acts if path not in standing.new}}
    decision = _write(document, user, verdict, acts, before=kept, evidence=evidence, there=standing.rows)
    for path, (act, value) in acts.items():
        said.apply(standing.rows[path], act, value, evidence.get(path))
    standing.save()
    _keep_added(decision, standing)
    _tell_corrections(document, round_, own, user, said.told(_new_acts(acts, answers), evidence))
    by_act = said.codes(acts, evidence)
    stood = {path: values["value"] for path, values in before["fields"].items()}
    changed = sorted(path for path, (_act, value) in acts.items() if value != stood.get(path))
    again = outbox.has_told_outcome(document)
    codes: dict[str, object] = {**by_act, "decision": APPROVE, "overridden": [error.code for error in overridden]}
    moved = lifecycle.move(
        document,
        Status.APPROVED,
        actor=access.actor_of(user),
        expected_version=document.version,
        reason="approve",
        codes=codes,
        changes=_outcome(user, verdict, decision) | {"problems": []},
        held=_held(verdict),
    )
    if again:
        outbox.announce_again(
            "document.corrected",
            moved,
            data={"fields": changed, "actor": access.actor_of(user)},
            held=_held(verdict),
        )
    return moved


def _judged(
    document: Document, standing: said.Standing, verdict: Verdict, round_: checks.Round
) -> tuple[said.Acts, list[FieldError]]:
    """What is said of each field, new ones included, and everything that keeps the approval from holding."""
    assert document.document_type
    errors = said.grow(standing, document_types.parsed(document.document_type), verdict)
    errors += said.evidence_errors(document, verdict.evidence)
    more, misplaced = said.further(standing, verdict, verdict.evidence)
    errors += misplaced
    acts = {**_acts(standing.rows, verdict, more), **more}
    if not errors and checks.rearranges(round_, acts):
        sentence = _(
            "Somebody has checked these rows, so they stay as they are. Correct the cells, or ask the person who checked them."
        )
        errors = [FieldError("line_items", "rows_stay", sentence)]
    return acts, errors or _errors(document, standing.rows, acts, round_)


def _keep_added(decision: Decision, standing: said.Standing) -> None:
    """`undo` deletes what the decision added."""
    if standing.new:
        decision.before["added"] = [row.pk for row in standing.new.values()]
        decision.save(update_fields=["before"])


def _reject(document: Document, user: AnyUser, verdict: Verdict) -> Document:
    codes = [code for code, _label in reasons.of(document.tenant_id)]
    if verdict.reason not in codes:
        known = ", ".join(codes)
        raise NotAcceptable(
            [
                FieldError(
                    "reason",
                    "reason_missing",
                    _("Say why the document is rejected: one of %(known)s.") % {"known": known},
                )
            ]
        )
    return _rejected(document, user, verdict)


def _rejected(document: Document, user: AnyUser, verdict: Verdict) -> Document:
    decision = _write(document, user, verdict, {}, before=_as_it_stands(document, []), evidence={}, there={})
    checks.close(document)
    return lifecycle.move(
        document,
        Status.REJECTED,
        actor=access.actor_of(user),
        expected_version=document.version,
        reason="reject",
        codes={"decision": REJECT, "code": verdict.reason},
        changes=_outcome(user, verdict, decision),
        held=_held(verdict),
    )


def _held(verdict: Verdict) -> timedelta:
    return timedelta(seconds=settings.UNDO_SECONDS if verdict.undoable else 0)


def _as_it_stands(document: Document, rows: Iterable[Field]) -> dict[str, Any]:
    """What `undo` puts back."""
    return {
        "fields": {row.path: {name: getattr(row, name) for name in said.STANDING} for row in rows},
        "problems": document.problems,
    }


def _acts(rows: Mapping[str, Field], verdict: Verdict, more: said.Acts) -> said.Acts:
    """What is said about each field. An approval that says nothing of an open field with a value confirms it."""
    acts: said.Acts = {}
    named = {
        Act.CONFIRMED: verdict.confirmed,
        Act.ABSENT: verdict.absent,
        Act.UNREADABLE: verdict.unreadable,
    }
    for act, paths in named.items():
        for path in paths:
            acts[path] = (act, rows[path].value if act == Act.CONFIRMED and path in rows else None)
    for path, value in verdict.corrected.items():
        acts[path] = (Act.CORRECTED, value)
    for path, row in rows.items():
        if path not in acts and path not in more and row.state == "open" and row.value is not None:
            acts[path] = (Act.CONFIRMED, row.value)
    return acts


def _errors(
    document: Document, rows: Mapping[str, Field], acts: dict[str, tuple[Act, str | None]], round_: checks.Round
) -> list[FieldError]:
    """Everything that keeps the approval from holding; canonical values replace what was typed in `acts`."""
    assert document.document_type
    type_ = document_types.parsed(document.document_type)
    errors = _form_errors(rows, acts, type_) or [
        FieldError(
            row.path,
            "not_keyed",
            _("Type what the page says for %(label)s, or mark it as not on the page.")
            % {"label": told.label(row.label)},
        )
        for row in checks.unsaid(round_, rows, acts)
    ]
    errors += [
        FieldError(
            row.path,
            "not_asked",
            _("%(label)s is not part of this check. Leave it out.") % {"label": told.label(row.label)},
        )
        for row in checks.unasked(round_, rows, acts)
    ]
    # Who keys blind after somebody else must not learn from a rule what that person read.
    return errors or ([] if round_.is_blind and round_.is_further else _rule_errors(rows, acts, type_))


def _form_errors(
    rows: Mapping[str, Field], acts: dict[str, tuple[Act, str | None]], type_: extraction.DocumentType
) -> list[FieldError]:
    errors = [
        FieldError(path, "unknown_field", _("The document has no field %(field)s.") % {"field": path})
        for path in acts
        if path not in rows
    ]
    for path, (act, typed) in list(acts.items()):
        if act == Act.ADDED and not (typed or "").strip():
            acts[path] = (act, None)  # not every cell of a new row needs a value
        elif path in rows and said.is_valued(act):
            try:
                acts[path] = (
                    act,
                    extraction.parse_kind(typed or "", rows[path].kind, document_type=type_, name=rows[path].name),
                )
            except extraction.InvalidValue as invalid:
                errors.append(FieldError(path, invalid.code, told.sentence(str(invalid))))
        elif path in rows and act == Act.CONFIRMED and rows[path].value is None:
            errors.append(
                FieldError(
                    path,
                    "missing",
                    _("%(label)s has no value to confirm. Type it or mark it as not on the page.")
                    % {"label": told.label(rows[path].label)},
                )
            )
    return errors


def _rule_errors(
    rows: Mapping[str, Field], acts: Mapping[str, tuple[Act, str | None]], type_: extraction.DocumentType
) -> list[FieldError]:
    final = _final(rows, acts)
    header = {row.name: final[path] for path, row in rows.items() if row.row is None}
    items: dict[int, dict[str, str | None]] = {}
    for path, row in rows.items():
        if row.row is not None and (path not in acts or acts[path][0] != Act.REMOVED):
            items.setdefault(row.row, {})[row.name] = final[path]
    excused = {path for path, (act, _value) in acts.items() if act in {Act.ABSENT, Act.UNREADABLE}}
    excused |= {path for path, row in rows.items() if path not in acts and row.state in {"absent", "unreadable"}}
    return [
        FieldError(
            problem.field or "",
            problem.code,
            told.sentence(problem.message),
            overridable=problem.code != "missing",
        )
        for problem in extraction.check(header, list(items.values()), type_)
        if not (problem.code == "missing" and problem.field in excused)
    ]


def _final(rows: Mapping[str, Field], acts: Mapping[str, tuple[Act, str | None]]) -> dict[str, str | None]:
    return {path: acts[path][1] if path in acts else row.value for path, row in rows.items()}


def _write(
    document: Document,
    user: AnyUser,
    verdict: Verdict,
    acts: Mapping[str, tuple[Act, str | None]],
    *,
    before: Mapping[str, Any],
    evidence: Mapping[str, said.Evidence],
    there: Mapping[str, Field],
) -> Decision:
    decision = Decision(
        tenant_id=document.tenant_id,
        document=document,
        version=document.version,
        decision=verdict.decision,
        reason=verdict.reason if verdict.decision == REJECT else ("override" if verdict.reason else ""),
        note=verdict.note or (verdict.reason if verdict.decision == APPROVE else ""),
        reviewer=access.actor_of(user),
        decided_at=lifecycle.database_now(),
        before=dict(before),
    )
    rows.insert_numbered([decision])
    corrections = [
        Correction(
            tenant_id=document.tenant_id,
            decision=decision,
            field=path,
            act=act,
            machine_value=there[path].machine_value,
            value=value,
            source=said.source_of(act, evidence.get(path)),
            **said.place_of(evidence.get(path)),
        )
        for path, (act, value) in acts.items()
    ]
    if corrections:
        rows.insert(*corrections)
    return decision


def _tell_corrections(
    document: Document, round_: checks.Round, own: said.Acts, user: AnyUser, told: Iterable[Mapping[str, Any]]
) -> None:
    """Each by whoever said it."""
    trail.record_all(
        [
            trail.Entry(
                kind=Kind.FIELD_CORRECTED,
                tenant_id=document.tenant_id,
                document_id=document.pk,
                actor=checks.who_said(round_, _about(codes), own, user),
                step="approve",
                codes=codes,
            )
            for codes in told
        ]
    )


def _about(codes: Mapping[str, Any]) -> str:
    """The field that a row of the trail is about; of several line items the first."""
    return str(codes.get("field") or codes["fields"][0])


def _outcome(user: AnyUser, verdict: Verdict, decision: Decision) -> dict[str, object]:
    return {
        "decision": verdict.decision,
        "decision_reason": decision.reason,
        "reviewer": access.actor_of(user),
        "decided_at": decision.decided_at,
    }


def current(document: Document) -> dict[str, Any]:
    """What a refused writer needs to see: the version and values that count now."""
    return {
        "version": document.version,
        "status": document.status,
        "reviewer": document.reviewer or None,
        "check": checks.about(document),
        **checks.shown(document, contract.reading(document)),
    }
