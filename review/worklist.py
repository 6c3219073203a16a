"""Which documents need a person, in which order, for whom; and who holds what."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.db.models.functions import Now

from audit import trail
from audit.models import Kind
from ocr.models import Document, Status
from review.models import Claim
from tenants import access, scope
from tenants.models import Tenant

if TYPE_CHECKING:
    from tenants.models import AnyUser

# What this person holds comes first. Then each tenant offers its first free documents in turn: a few steps along an index, instead
# of a walk past what other tenants wait for. The best offer that nobody has locked is taken.
NEXT_SQL = """
    WITH offers AS (
        SELECT document_id AS id, true AS held FROM review_claim
         WHERE holder_id = %(holder)s AND expires_at >= clock_timestamp()
        UNION ALL
        SELECT first.id, false
          FROM unnest(%(tenants)s::uuid[]) AS reviewed (tenant_id)
         CROSS JOIN LATERAL (
            SELECT document.id
              FROM ocr_document AS document
              LEFT JOIN review_claim AS claim ON claim.document_id = document.id
             WHERE document.tenant_id = reviewed.tenant_id
               AND document.status = 'needs_review'
               AND document.id <> ALL (%(without)s::uuid[])
               AND (claim.id IS NULL OR claim.expires_at < clock_timestamp())
             ORDER BY document.turn_at, document.id
             LIMIT %(offers)s
          ) AS first
    )
    SELECT document.*
      FROM offers JOIN ocr_document AS document USING (id)
     WHERE document.status = 'needs_review'
       AND document.tenant_id = ANY (%(tenants)s::uuid[])
       AND document.id <> ALL (%(without)s::uuid[])
     ORDER BY offers.held DESC, document.turn_at, document.id
     LIMIT 1
       FOR UPDATE OF document SKIP LOCKED
"""
# How many each tenant offers: others may have locked the first few at this moment, and more than that when many ask at once.
OFFERS = (10, 100, 10_000)


class Held(Exception):
    """Somebody else works on the document."""

    code = "held"

    def __init__(self, holder: str) -> None:
        super().__init__(f"{holder} is working on this document. It is free again when they leave it.")
        self.holder = holder


class ClaimLost(Exception):
    """The claim ended: nobody reported for too long, or the document went to somebody else."""

    code = "taken_over"


def waiting(user: AnyUser) -> QuerySet[Document]:
    """The documents that wait for a person whom `user` could be, most urgent first."""
    found: QuerySet[Document] = Document.objects.filter(
        status=Status.NEEDS_REVIEW, tenant_id__in=reviewed_tenants(user)
    )
    return found.order_by("turn_at", "pk")


def held_by(user: AnyUser) -> QuerySet[Document]:
    """The documents that `user` holds now."""
    return waiting(user).filter(claim__holder_id=user.pk, claim__expires_at__gte=Now())


def decided_by(user: AnyUser, *, since: datetime) -> QuerySet[Document]:
    """The documents that `user` decided since then, newest first."""
    mine = Q(reviewer=access.actor_of(user), decided_at__gte=since)
    return Document.objects.visible_to(user).filter(mine).order_by("-decided_at")


def claim_next(user: AnyUser, *, without: UUID | None = None) -> Claim | None:
    """Hand out the most urgent free document, to this person only; None when there is none."""
    with access.scope_of(user):
        asked = {
            "tenants": [str(tenant) for tenant in reviewed_tenants(user)],
            "holder": user.pk,
            "without": [str(without)] if without else [],
        }
        while document := _free(asked):
            # Somebody may have claimed it between our look and our lock; with the lock held, a second look is the truth.
            found = _claim_on(document)
            if found is None or not found.counts or found.holder_id == user.pk:
                return _hold(document, user, found)
    return None


def _free(asked: dict[str, Any]) -> Document | None:
    """The most urgent free document, its row locked; None when there is none."""
    for offers in OFFERS:
        for document in Document.objects.raw(NEXT_SQL, {**asked, "offers": offers}):
            return document
    return None


def claim(document_id: UUID, user: AnyUser) -> Claim:
    """Take this document for review. Raises Document.DoesNotExist, access.NotAllowed and Held."""
    with access.scope_of(user):
        document = Document.objects.visible_to(user).select_for_update(of=("self",)).get(pk=document_id)
        access.check(user, "review", document.tenant_id)
        found = _claim_on(document)
        if found and found.counts and found.holder_id != user.pk:
            raise Held(found.holder.get_full_name() or found.holder.get_username())
        return _hold(document, user, found)


def holder_of(document: Document) -> Claim | None:
    """The claim that counts now, or None."""
    return Claim.objects.select_related("holder").filter(document=document, expires_at__gte=Now()).first()


def _claim_on(document: Document) -> Any:
    """The latest claim, which may have ended: `counts` tells. None when nobody ever held it."""
    counts = ExpressionWrapper(Q(expires_at__gte=Now()), output_field=BooleanField())
    return Claim.objects.select_related("holder").filter(document=document).annotate(counts=counts).first()


def heartbeat(document_id: UUID, user: AnyUser, token: UUID) -> datetime:
    """Keep the claim for another CLAIM_SECONDS; the new end. Raises ClaimLost."""
    with access.scope_of(user):
        kept = Claim.objects.filter(document_id=document_id, holder_id=user.pk, token=token, expires_at__gte=Now())
        if not kept.update(expires_at=Now() + timedelta(seconds=settings.CLAIM_SECONDS)):
            raise ClaimLost("The document was not held any more. What you typed is kept; open it again to go on.")
        return Claim.objects.get(document_id=document_id).expires_at


def release(document_id: UUID, token: UUID) -> bool:
    """Give the document back; whoever knows the claim's token may. False when it was not held under that token."""
    with scope.everything():
        held = Claim.objects.select_related("holder").select_for_update(of=("self",))
        found = held.filter(document_id=document_id, token=token).first()
        if found is None:
            return False
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
    if access.is_platform_admin(user):
        return list(Tenant.objects.order_by("pk").values_list("pk", flat=True))
    return access.tenants_with(user, "review")


def _hold(document: Document, user: AnyUser, before: Claim | None) -> Claim:
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
        update_fields=["tenant", "holder", "token", "claimed_at", "expires_at"],
    )
    if not mine:
        trail.record(
            Kind.CLAIMED,
            tenant_id=document.tenant_id,
            document_id=document.pk,
            actor=access.actor_of(user),
            step="claim",
            codes={"previous_holder": before.holder_id} if before else {},
        )
    held: Claim = Claim.objects.select_related("document", "document__tenant").get(document=document)
    return held
