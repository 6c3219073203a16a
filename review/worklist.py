"""Which documents need a person, in which order, for whom; and who holds what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import BooleanField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit import prepared, trail
from audit.models import Kind
from ocr import lifecycle, listing
from ocr.models import Document, Status
from review import assigning, checks, comments
from review.models import Aside, Claim, Escalation, TakeoverReason
from tenants import access, scope

if TYPE_CHECKING:
    from tenants.models import AnyUser

# What `holder` may be handed: what is not held, set aside, passed on, seen by them already, or waiting for an answer. Each is a value
# looked up by its key for one row after the other. As a join, of which the planner expects that hardly any row remains, it would
# have every waiting document read and sorted.
_FREE = """
                   document.status = 'needs_review'
               AND document.id <> ALL (%(without)s::uuid[])
               AND coalesce((SELECT 1 FROM review_claim AS claim
                              WHERE claim.document_id = document.id AND claim.expires_at >= clock_timestamp()), 0) <> 1
               AND coalesce((SELECT 1 FROM review_aside AS aside
                              WHERE aside.document_id = document.id AND aside.holder_id = %(holder)s
                                AND aside.until >= clock_timestamp()), 0) <> 1
               AND (document.tenant_id = ANY (%(supervised)s::uuid[])
                    OR coalesce((SELECT 1 FROM review_escalation AS escalation
                                  WHERE escalation.document_id = document.id), 0) <> 1)
               AND coalesce((SELECT 1 FROM review_check AS seen
                              WHERE seen.document_id = document.id AND seen.version = document.version
                                AND seen.person_id = %(holder)s), 0) <> 1
               AND coalesce((SELECT 1 FROM review_comment AS question
                              WHERE question.document_id = document.id AND question.asked_id IS NOT NULL
                                AND question.answered_at IS NULL), 0) <> 1
"""
# Claims up to `wanted` documents in one statement. What this person has open comes first (unless `opened` says which that is), then
# what is reserved for them, then what was given to them. Then each tenant offers its first free documents in turn: a few steps along
# an index, instead of a walk past what other tenants wait for. The best offers that nobody has locked are taken: the first `to_open`
# of them as open, the rest as reserved. Somebody may have claimed one of them between our look and our lock: its row is then not
# written over, which shows.
NEXT_SQL = f"""
    WITH offers AS (
        (SELECT document_id AS id, 0 AS rank FROM review_claim
          WHERE holder_id = %(holder)s AND expires_at >= clock_timestamp() AND NOT reserved AND %(to_open)s > 0
            AND document_id <> ALL (%(without)s::uuid[])
          ORDER BY claimed_at
          LIMIT 1)
        UNION ALL
        SELECT document_id, 1 FROM review_claim
         WHERE holder_id = %(holder)s AND expires_at >= clock_timestamp() AND reserved
        UNION ALL
        SELECT mine.id, 2
          FROM (
            SELECT document.id
              FROM review_assignment AS given JOIN ocr_document AS document ON document.id = given.document_id
             WHERE {_FREE}
               AND given.person_id = %(holder)s
               AND document.tenant_id = ANY (%(tenants)s::uuid[])
             ORDER BY document.turn_at, document.id
             LIMIT {{offers}}
          ) AS mine
        UNION ALL
        SELECT first.id, 3
          FROM unnest(%(tenants)s::uuid[]) AS reviewed (tenant_id)
         CROSS JOIN LATERAL (
            SELECT document.id
              FROM ocr_document AS document
             WHERE {_FREE}
               AND document.tenant_id = reviewed.tenant_id
               AND coalesce((SELECT 1 FROM review_assignment AS given WHERE given.document_id = document.id), 0) <> 1
             ORDER BY document.turn_at, document.id
             LIMIT {{offers}}
          ) AS first
    ), locked AS (
        SELECT document.id, document.tenant_id, document.turn_at, offers.rank
          FROM offers JOIN ocr_document AS document USING (id)
         WHERE document.status = 'needs_review'
           AND document.tenant_id = ANY (%(tenants)s::uuid[])
           AND document.id <> ALL (%(without)s::uuid[])
         ORDER BY offers.rank, document.turn_at, document.id
         LIMIT %(wanted)s
           FOR UPDATE OF document SKIP LOCKED
    ), numbered AS (
        SELECT id, tenant_id, row_number() OVER (ORDER BY rank, turn_at, id) AS number FROM locked
    ), written AS (
        INSERT INTO review_claim AS claim (document_id, tenant_id, holder_id, token, claimed_at, expires_at, reserved)
        SELECT id, tenant_id, %(holder)s, gen_random_uuid(), clock_timestamp(),
               clock_timestamp() + %(seconds)s * interval '1 second', number > %(to_open)s
          FROM numbered
            ON CONFLICT (document_id) DO UPDATE
           SET tenant_id = excluded.tenant_id, holder_id = excluded.holder_id,
               token = CASE WHEN claim.holder_id = excluded.holder_id THEN claim.token ELSE excluded.token END,
               claimed_at = excluded.claimed_at, expires_at = excluded.expires_at, reserved = excluded.reserved
         WHERE claim.holder_id = excluded.holder_id OR claim.expires_at < clock_timestamp()
     RETURNING claim.document_id, claim.tenant_id, claim.token, claim.claimed_at, claim.expires_at, claim.reserved
    )
    SELECT numbered.id, written.tenant_id, written.token, written.claimed_at, written.expires_at, written.reserved,
           before.holder_id, before.reserved
      FROM numbered
      LEFT JOIN written ON written.document_id = numbered.id
      LEFT JOIN review_claim AS before ON before.document_id = numbered.id
     ORDER BY numbered.number
"""
# Keeps a claim of this person and opens it, if it was reserved; whether it was.
OPEN_SQL = """
    WITH mine AS (
        SELECT id, reserved FROM review_claim
         WHERE document_id = %(document)s AND holder_id = %(holder)s AND expires_at >= clock_timestamp()
           FOR UPDATE
    )
    UPDATE review_claim AS claim SET reserved = false, expires_at = clock_timestamp() + %(seconds)s * interval '1 second'
      FROM mine
     WHERE claim.id = mine.id
 RETURNING claim.document_id, claim.tenant_id, claim.token, claim.claimed_at, claim.expires_at, claim.reserved,
           claim.holder_id, mine.reserved
"""
# How many each tenant offers: others may have locked the first few at this moment, and more than that when many ask at once.
OFFERS = (10, 100, 10_000)
SOON = 0.75  # of REVIEW_SECONDS: from then on a document's deadline is near
ASIDE_MOST = 3  # who sets a document aside so often cannot decide it: it goes to the supervisors


class Held(Exception):
    """Somebody else works on the document."""

    code = "held"

    def __init__(self, holder: str) -> None:
        super().__init__(
            _("%(who)s is working on this document. It is free again when they leave it.") % {"who": holder}
        )
        self.holder = holder


class Escalated(lifecycle.NotPossible):
    """The document was passed on to the supervisors, and this person is none."""

    code = "escalated"


class ClaimLost(Exception):
    """The claim ended: nobody reported for too long, or the document went to somebody else."""

    code = "taken_over"


def waiting(user: AnyUser) -> QuerySet[Document]:
    """The documents that wait for a person whom `user` could be, most urgent first."""
    return _waiting_in(reviewed_tenants(user))


def _waiting_in(tenants: list[UUID]) -> QuerySet[Document]:
    found: QuerySet[Document] = Document.objects.filter(status=Status.NEEDS_REVIEW, tenant_id__in=tenants)
    return found.order_by("turn_at", "pk")


# The lists of the queue as conditions, which serve what is in a list and how long it is. Each statement is planned once: putting one
# together from a dozen querysets costs more than running it. $1 is the person and $2 as the trail names them; $3 the tenants for which
# they review, $4 those that they supervise, $5 those that they see; $6 when today began, $7 the seconds after which a deadline is near.
_ASKED = "$1::int, $2::text, $3::uuid[], $4::uuid[], $5::uuid[], $6::timestamptz, $7::float8"
_WAITING = "document.status = 'needs_review' AND document.tenant_id = ANY ($3::uuid[])"
_NOT_FOR_ME = """
    SELECT document_id FROM review_aside WHERE holder_id = $1::int AND until >= statement_timestamp()
     UNION ALL
    SELECT document_id FROM review_escalation WHERE tenant_id <> ALL ($4::uuid[])
     UNION ALL
    SELECT seen.document_id FROM review_check AS seen
     WHERE seen.person_id = $1::int AND seen.settled_at IS NULL
       AND seen.version = (SELECT looked_at.version FROM ocr_document AS looked_at WHERE looked_at.id = seen.document_id)
     UNION ALL
    SELECT document_id FROM review_comment WHERE asked_id IS NOT NULL AND answered_at IS NULL
     UNION ALL
    SELECT document_id FROM review_assignment WHERE person_id <> $1::int
"""
LISTS = {
    "waiting": f"{_WAITING} AND document.id NOT IN ({_NOT_FOR_ME})",
    "apart": f"{_WAITING} AND document.id IN ({_NOT_FOR_ME})",
    "mine": f"""{_WAITING} AND document.id IN (SELECT document_id FROM review_claim
                 WHERE holder_id = $1::int AND expires_at >= statement_timestamp() AND NOT reserved)""",
    "soon": f"""{_WAITING} AND document.received_at < statement_timestamp() - $7::float8 * interval '1 second'
                 AND document.id NOT IN ({_NOT_FOR_ME})""",
    "assigned": f"""{_WAITING} AND document.id IN (SELECT document_id FROM review_assignment
                     WHERE person_id = $1::int OR tenant_id = ANY ($4::uuid[]))""",
    "checks": f"""{_WAITING} AND document.id IN (SELECT document_id FROM review_check AS looked
                   WHERE looked.settled_at IS NULL AND looked.version = document.version AND looked.tenant_id = ANY ($3::uuid[]))
                   AND document.id NOT IN ({_NOT_FOR_ME})""",
    "answers": """document.status = 'needs_review' AND document.tenant_id = ANY ($5::uuid[])
                   AND document.id IN (SELECT document_id FROM review_comment WHERE asked_id IS NOT NULL AND answered_at IS NULL
                       AND (asked_id = $1::int OR author_id = $1::int OR tenant_id = ANY ($4::uuid[])))""",
    "escalated": f"""{_WAITING} AND document.id IN (SELECT document_id FROM review_escalation
                      WHERE tenant_id = ANY ($4::uuid[]) OR escalated_by = $2::text)""",
    "aside": f"""{_WAITING} AND document.id IN (SELECT document_id FROM review_aside
                  WHERE holder_id = $1::int AND until >= statement_timestamp())""",
    "done": "document.reviewer = $2::text AND document.decided_at >= $6::timestamptz AND document.tenant_id = ANY ($5::uuid[])",
}
_LENGTHS = "SELECT " + ", ".join(
    f"(SELECT count(*) FROM (SELECT 1 FROM ocr_document AS document WHERE {found} "
    f"LIMIT {'$9::int' if name == 'apart' else '$8::int'}) AS counted)"
    for name, found in LISTS.items()
    if name != "waiting"
)
# The first rows of each tenant along the index that has them in order, then the first of these.
_HEADS = """
    WITH asked AS (SELECT {asked})
    SELECT first.id
      FROM unnest({tenants}) AS shown (tenant_id)
     CROSS JOIN LATERAL (
        SELECT document.id, document.{key} AS key FROM ocr_document AS document
         WHERE {found} AND document.tenant_id = shown.tenant_id {further}
         ORDER BY document.{key} {way}, document.id {way}
         LIMIT {count}
      ) AS first
     ORDER BY first.key {way}, first.id {way}
     LIMIT {count}
"""
_LENGTH = """
    WITH asked AS (SELECT {asked})
    SELECT count(*) FROM (SELECT 1 FROM ocr_document AS document WHERE {found} {further} LIMIT {most}) AS counted
"""
_KEYS = {"done": "decided_at", "soon": "received_at"}
_SEEN = frozenset(
    {"done", "answers"}
)  # lists of every tenant that the person sees; the others are of those for which they review


@dataclass(frozen=True, slots=True)
class List:
    """One of the queue's lists for one person, or those of it that have this priority and one of these types."""

    name: str
    user: AnyUser
    since: datetime  # when today began
    priority: int | None = None
    types: tuple[int, ...] | None = None

    @property
    def key(self) -> str:
        """What it is ordered by, as listing.walk takes it."""
        return f"-{_KEYS[self.name]}" if self.name == "done" else _KEYS.get(self.name, "turn_at")

    def first(self, place: listing.Place | None, order: tuple[str, str], count: int) -> list[UUID]:
        """The ids of the first `count` documents behind this place in this order. Inside a scope."""
        statement, asked = self.statement(place, order, count)
        return [id_ for (id_,) in prepared.fetch(statement, *asked)]

    def statement(self, place: listing.Place | None, order: tuple[str, str], count: int) -> tuple[str, list[Any]]:
        """What finds their ids, and what it asks for."""
        further, asked = self._further()
        key, way = order[0].removeprefix("-"), "DESC" if order[0].startswith("-") else "ASC"
        if place:
            asked += [place.at, str(place.id)]
            beyond = f"{'<' if way == 'DESC' else '>'} (${len(asked) - 1}::timestamptz, ${len(asked)}::uuid)"
            further += f" AND (document.{key}, document.id) {beyond}"
        found = {"found": LISTS[self.name], "further": further, "count": int(count)}
        tenants = "$5::uuid[]" if self.name in _SEEN else "$3::uuid[]"
        return _HEADS.format(asked=_ASKED, tenants=tenants, key=key, way=way, **found), asked

    def length(self, most: int) -> int:
        """How many documents it has, counted up to `most`. Inside a scope."""
        further, asked = self._further()
        statement = _LENGTH.format(asked=_ASKED, found=LISTS[self.name], further=further, most=int(most))
        [(count,)] = prepared.fetch(statement, *asked)
        return int(count)

    def _further(self) -> tuple[str, list[Any]]:
        further, asked = "", _told(self.user, self.since)
        if self.priority is not None:
            asked.append(self.priority)
            further += f" AND document.priority = ${len(asked)}::int"
        if self.types is not None:
            asked.append(prepared.array(self.types))
            further += f" AND document.document_type_id = ANY (${len(asked)}::bigint[])"
        return further, asked


def lengths(user: AnyUser, *, since: datetime, most: int, most_apart: int) -> dict[str, int]:
    """How many documents each list but `waiting` has for `user`, counted up to `most`, `apart` up to `most_apart`. Inside a scope."""
    [counts] = prepared.fetch(_LENGTHS, *_told(user, since), most, most_apart)
    return dict(zip((name for name in LISTS if name != "waiting"), map(int, counts), strict=True))


def _told(user: AnyUser, since: datetime) -> list[Any]:
    reviewed, supervised = _tenants_of(user)
    arrays = [prepared.array(tenants) for tenants in (reviewed, supervised, listing.tenants_of(user))]
    return [user.pk, access.actor_of(user), *arrays, since, settings.REVIEW_SECONDS * SOON]


@dataclass(frozen=True, slots=True)
class Handed:
    """What one person goes on with: the document that is open before them, and the one that is kept for them after it."""

    current: Claim | None
    reserved: Claim | None


def hand_out(user: AnyUser, *, opened: UUID | None = None) -> Handed:
    """Claim of two: the most urgent free document, and the one after it as reserved; both for this person only, None where there is none.

    With `opened` the person has opened that one, which was theirs already: it is the current one, or None when it no longer is.
    """
    with access.scope_of(user):
        if opened is None:
            claimed = _claimed(user, wanted=2, to_open=1)
        else:
            held = _opened(opened, user)
            claimed = [*held, *(_claimed(user, wanted=1, to_open=0, without=opened) if held else [])]
        if claimed and all(each.reserved for each in claimed):
            claimed = [*_opened(claimed[0].document_id, user), *claimed[1:]]  # others were faster with all but that one
        by_place = {each.reserved: each for each in claimed}
        return Handed(by_place.get(False), by_place.get(True))


def claim_next(user: AnyUser, *, without: UUID | None = None) -> Claim | None:
    """Hand out the most urgent free document, to this person only; None when there is none."""
    with access.scope_of(user):
        for claimed in _claimed(user, wanted=1, to_open=1, without=without):
            held: Claim = Claim.objects.select_related("document", "document__tenant").get(document=claimed.document_id)
            return held
    return None


def _claimed(user: AnyUser, *, wanted: int, to_open: int, without: UUID | None = None) -> list[Claim]:
    """So many claims, fewer where less is free; so many of them open, the others reserved."""
    reviewed, supervised = _tenants_of(user)
    asked = _asked(user) | {"tenants": reviewed, "supervised": supervised}
    passed_over = [str(without)] if without else []
    found: list[Claim] = []
    for offers in OFFERS:
        faster = True
        while faster and len(found) < wanted:
            left = {"wanted": wanted - len(found), "to_open": to_open - sum(not each.reserved for each in found)}
            names = passed_over + [str(each.document_id) for each in found]
            rows = prepared.fetch_named(NEXT_SQL.format(offers=offers), asked | left | {"without": names})
            found += [_noted(row, user) for row in rows if row[2]]
            faster = any(row[2] is None for row in rows)  # somebody else was; the next look sees their claim
    return found


def _opened(document_id: UUID, user: AnyUser) -> list[Claim]:
    """The claim that this person has of the document, now open; none when they have none."""
    return [_noted(row, user) for row in prepared.fetch_named(OPEN_SQL, _asked(user) | {"document": str(document_id)})]


def _asked(user: AnyUser) -> dict[str, Any]:
    return {"holder": user.pk, "seconds": settings.CLAIM_SECONDS}


def _noted(row: tuple[Any, ...], user: AnyUser) -> Claim:
    """The claim that one row of the statements above tells of. The trail hears of it once it is opened."""
    document_id, tenant_id, token, claimed_at, expires_at, reserved, holder_before, reserved_before = row
    claimed = Claim(
        document_id=document_id,
        tenant_id=tenant_id,
        holder_id=int(user.pk or 0),
        token=token,
        claimed_at=claimed_at,
        expires_at=expires_at,
        reserved=reserved,
    )
    mine = holder_before == user.pk
    if not reserved and (not mine or reserved_before):
        trail.record(
            Kind.CLAIMED,
            tenant_id=tenant_id,
            document_id=document_id,
            actor=access.actor_of(user),
            step="claim",
            codes={} if mine or holder_before is None else {"previous_holder": holder_before},
        )
    return claimed


def check_handed(document: Document, user: AnyUser) -> None:
    """Raise NotAllowed, Escalated, comments.Parked or checks.Seen unless this person may be handed the document."""
    access.check(user, "review", document.tenant_id)
    check_escalated(document, user)
    comments.check_answered(document)
    checks.check_unseen(document, user)


def claim(document_id: UUID, user: AnyUser, *, check: Callable[[Document, AnyUser], None] = check_handed) -> Claim:
    """Take this document for review. Raises Document.DoesNotExist, Held, and what `check` raises."""
    with access.scope_of(user):
        document = lifecycle.locked(document_id, user)
        check(document, user)
        found = _claim_on(document)
        if found and found.counts and found.holder_id != user.pk:
            raise Held(found.holder.get_full_name() or found.holder.get_username())
        return _hold(document, user, found)


def check_escalated(document: Document, user: AnyUser) -> None:
    """Raise Escalated when only supervisors may go on with the document, and the user is none."""
    if access.can(user, "supervise", document.tenant_id):
        return
    if prepared.fetch("SELECT 1 FROM review_escalation WHERE document_id = $1::uuid", document.pk):
        raise Escalated(_("The document was passed on to a supervisor. Nobody else can decide it now."))


def take_over(document_id: UUID, user: AnyUser, *, reason: str) -> Claim:
    """Take a document that somebody else holds, as a supervisor, for one of the reasons. What they typed stays in their draft.

    Raises Document.DoesNotExist, access.NotAllowed, lifecycle.NotPossible and ValueError for a reason that is none.
    """
    with access.scope_of(user):
        document = lifecycle.locked(document_id, user)
        access.check(user, "supervise", document.tenant_id)
        if document.status != Status.NEEDS_REVIEW:
            raise lifecycle.NotPossible(_("Only a document that waits for review can be taken over."))
        comments.check_answered(document)
        checks.check_unseen(document, user)
        return _hold(document, user, _claim_on(document), reason=TakeoverReason(reason))


def set_aside(document_id: UUID, user: AnyUser, *, token: UUID) -> bool:
    """Give the document back and not be handed it for ASIDE_SECONDS; whether it was passed on to the supervisors instead, which
    the ASIDE_MOST-th time does. Raises Document.DoesNotExist, ClaimLost."""
    with access.scope_of(user):
        document = mine(document_id, user, token)
        aside, made = Aside.objects.get_or_create(
            document=document,
            holder_id=user.pk,
            defaults={"tenant_id": document.tenant_id, "until": Now() + _aside_for()},
        )
        if not made:
            Aside.objects.filter(pk=aside.pk).update(times=F("times") + 1, until=Now() + _aside_for())
        times = 1 if made else aside.times + 1
        _give_back(document, user, step="aside", codes={"count": times})
        if times < ASIDE_MOST:
            return False
        _pass_on(document, user, note="", codes={"count": times})
        return True


def escalate(document_id: UUID, user: AnyUser, *, token: UUID, note: str) -> None:
    """Pass the document on to the supervisors, with a word for them. Raises Document.DoesNotExist, ClaimLost."""
    with access.scope_of(user):
        document = mine(document_id, user, token)
        _give_back(document, user, step="escalate", codes={})
        _pass_on(document, user, note=note, codes={})


def _aside_for() -> timedelta:
    return timedelta(seconds=settings.ASIDE_SECONDS)


def keep_free(document: Document, user: AnyUser) -> None:
    """See to it that nobody but `user` works on the document, whose row the caller has locked; what is only reserved for somebody
    is taken back. Raises lifecycle.NotPossible when it is open before somebody else."""
    found = holder_of(document)
    if found is None or found.holder_id == user.pk:
        return
    if not found.reserved:
        raise lifecycle.NotPossible(_("Somebody else has opened the document meanwhile. Ask them, or a supervisor."))
    found.delete()


def mine(document_id: UUID, user: AnyUser, token: UUID) -> Document:
    """The document, its row locked, which the user holds under this token. Inside a scope; raises Document.DoesNotExist, ClaimLost."""
    document = lifecycle.locked(document_id, user)
    found = _claim_on(document)
    if not (found and found.counts and found.holder_id == user.pk and found.token == token):
        raise ClaimLost(_("The document was not held any more. What you typed is kept; open it again to go on."))
    return document


def _give_back(document: Document, user: AnyUser, *, step: str, codes: Mapping[str, object]) -> None:
    Claim.objects.filter(document=document).delete()
    _tell(Kind.RELEASED, document, user, step=step, codes=codes)


def _pass_on(document: Document, user: AnyUser, *, note: str, codes: Mapping[str, object]) -> None:
    assigning.forget(document)
    Escalation.objects.update_or_create(
        document=document,
        defaults={
            "tenant_id": document.tenant_id,
            "note": note,
            "escalated_by": access.actor_of(user),
            "escalated_at": Now(),
        },
    )
    _tell(Kind.ESCALATED, document, user, step="escalate", codes=codes)


def _tell(kind: Kind, document: Document, user: AnyUser, *, step: str, codes: Mapping[str, object]) -> None:
    trail.record(
        kind,
        tenant_id=document.tenant_id,
        document_id=document.pk,
        actor=access.actor_of(user),
        step=step,
        codes=codes,
    )


def holder_of(document: Document) -> Claim | None:
    """The claim that counts now, or None."""
    counts = "WHERE document_id = $1::uuid AND expires_at >= statement_timestamp()"
    return next(iter(prepared.objects(Claim, counts, document.pk, related="holder")), None)


def _claim_on(document: Document) -> Any:
    """The latest claim, which may have ended: `counts` tells. None when nobody ever held it."""
    counts = ExpressionWrapper(Q(expires_at__gte=Now()), output_field=BooleanField())
    return Claim.objects.select_related("holder").filter(document=document).annotate(counts=counts).first()


def heartbeat(
    document_id: UUID, user: AnyUser, token: UUID, *, ahead: Iterable[UUID] = ()
) -> tuple[datetime, list[UUID]]:
    """Keep the claim for another CLAIM_SECONDS, and those that are `ahead` of it; the new end, and the tokens that are kept of those.

    Raises ClaimLost.
    """
    with access.scope_of(user):
        until = Now() + timedelta(seconds=settings.CLAIM_SECONDS)
        mine = Claim.objects.filter(holder_id=user.pk, expires_at__gte=Now())
        if not mine.filter(document_id=document_id, token=token).update(expires_at=until):
            raise ClaimLost(_("The document was not held any more. What you typed is kept; open it again to go on."))
        others = [*ahead]
        kept = others and [each for each in others if mine.filter(token=each).update(expires_at=until)]
        return Claim.objects.get(document_id=document_id).expires_at, kept


def release(document_id: UUID, token: UUID, *, claimed_at: datetime | None = None) -> bool:
    """Give the document back; whoever knows the claim's token may. False when it was not held under that token, or, with `claimed_at`,
    when it was claimed again since: the page that is left then speaks of an earlier claim than the page that was opened."""
    with scope.everything():
        held = Claim.objects.select_related("holder").select_for_update(of=("self",))
        found = held.filter(document_id=document_id, token=token).first()
        if found is None or (claimed_at and found.claimed_at != claimed_at):
            return False
        if not found.reserved:
            trail.record(
                Kind.RELEASED,
                tenant_id=found.tenant_id,
                document_id=document_id,
                actor=f"user:{found.holder.get_username()}",
                step="release",
            )
        found.delete()
        return True


def reviewed_tenants(user: AnyUser) -> list[UUID]:
    """The tenants for which `user` may review; inside a scope."""
    return listing.tenants_of(user) if access.is_platform_admin(user) else access.tenants_with(user, "review")


def _tenants_of(user: AnyUser) -> tuple[list[UUID], list[UUID]]:
    """The tenants for which `user` may review, and those whose escalated documents they may decide; inside a scope."""
    reviewed = reviewed_tenants(user)
    return reviewed, reviewed if access.is_platform_admin(user) else access.tenants_with(user, "supervise")


def supervised_tenants(user: AnyUser) -> list[UUID]:
    """The tenants whose documents `user` may give to others; inside a scope."""
    return _tenants_of(user)[1]


def _hold(document: Document, user: AnyUser, before: Claim | None, *, reason: str = "") -> Claim:
    """Write the claim of the document, whose row the caller has locked. The same person keeps their token."""
    mine = before is not None and before.holder_id == user.pk
    made = Claim(
        document=document,
        tenant_id=document.tenant_id,
        holder_id=int(user.pk or 0),
        token=before.token if before and mine else uuid4(),
        claimed_at=Now(),
        expires_at=Now() + timedelta(seconds=settings.CLAIM_SECONDS),
    )
    # The old row may be released at this moment: writing over it must work with and without it.
    Claim.objects.bulk_create(
        [made],
        update_conflicts=True,
        unique_fields=["document"],
        update_fields=["tenant", "holder", "token", "claimed_at", "expires_at", "reserved"],
    )
    if before is None or not mine or before.reserved:
        codes = {"previous_holder": before.holder_id} if before and not mine else {}
        _tell(Kind.CLAIMED, document, user, step="claim", codes=codes | ({"reason": str(reason)} if reason else {}))
    held: Claim = Claim.objects.select_related("document", "document__tenant").get(document=document)
    return held
