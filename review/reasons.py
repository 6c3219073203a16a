"""Why documents are rejected: the usual reasons, or those that a tenant wrote instead."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from audit import prepared, trail
from audit.models import Kind
from review.models import OwnReason, RejectReason


def of(tenant_id: UUID) -> list[tuple[str, str]]:
    """Code and label of each reason that people of the tenant may give, in their order."""
    found = prepared.objects(OwnReason, "WHERE tenant_id = $1::uuid ORDER BY position, id", tenant_id)
    own = [(reason.code, reason.label) for reason in found]
    return own or [(code, str(label)) for code, label in RejectReason.choices]


def add(reason: OwnReason, *, actor: str) -> None:
    """Save the new reason; the tenant's first one takes the place of all the usual ones."""
    with transaction.atomic():
        reason.save(force_insert=True)
        _changed(reason, "added", actor)


def remove(reason: OwnReason, *, actor: str) -> None:
    """Take the reason from the list; what was rejected for it goes on naming its code."""
    with transaction.atomic():
        _changed(reason, "removed", actor)
        reason.delete()


def _changed(reason: OwnReason, change: str, actor: str) -> None:
    codes = {"target": "reject_reason", "change": change, "code": reason.code}
    trail.record(Kind.TENANT_CHANGED, tenant_id=reason.tenant_id, actor=actor, codes=codes)
