"""Changes to people, keys and tenants, each with its audit row in the same transaction: ids, names of roles and fields, no more.

Callers have checked who may do it (tenants.access) and run inside a scope that sees the tenant.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from audit import trail
from audit.models import Kind
from tenants.models import ApiKey, Membership, Tenant

# The chain of what concerns no tenant in particular; only platform admins see it.
PLATFORM = UUID(int=0)


def add_member(membership: Membership, *, actor: str) -> None:
    """Save the new membership."""
    with transaction.atomic():
        membership.save(force_insert=True)
        _member_changed(membership, "added", actor)


def remove_member(membership: Membership, *, actor: str) -> None:
    """Take the role from its holder."""
    with transaction.atomic():
        _member_changed(membership, "removed", actor)
        membership.delete()


def issue_key(*, tenant: Tenant, user: User, name: str, actor: str) -> tuple[ApiKey, str]:
    """A new key and its text, which can be shown this once and is kept nowhere."""
    with transaction.atomic():
        key, text = ApiKey.issue(tenant=tenant, user=user, name=name)
        _key_changed(key, Kind.KEY_ISSUED, actor)
    return key, text


def revoke_key(key: ApiKey, *, actor: str) -> bool:
    """End the key's validity for good; False when somebody did so before."""
    with transaction.atomic():
        valid = ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True)
        if not valid.update(revoked_at=timezone.now()):
            return False
        _key_changed(key, Kind.KEY_REVOKED, actor)
    return True


def user_changed(user: User, change: str, *, actor: str, fields: Iterable[str] = ()) -> None:
    """Record that the user was added or changed, on the platform's chain and on that of each tenant the user belongs to."""
    tenants = Membership.objects.filter(user_id=user.pk).values_list("tenant_id", flat=True).distinct()
    for tenant_id in (PLATFORM, *sorted(tenants)):
        trail.record(
            Kind.USER_CHANGED,
            tenant_id=tenant_id,
            actor=actor,
            codes={"user": str(user.pk), "target": f"user:{user.username}", "change": change, "fields": sorted(fields)},
        )


def tenant_changed(tenant: Tenant, change: str, *, actor: str, fields: Iterable[str] = ()) -> None:
    """Record that the tenant was added or changed, on its chain."""
    codes = {"target": tenant.slug, "change": change, "fields": sorted(fields)}
    trail.record(Kind.TENANT_CHANGED, tenant_id=tenant.pk, actor=actor, codes=codes)


def _member_changed(membership: Membership, change: str, actor: str) -> None:
    codes = {
        "user": str(membership.user_id),
        "target": f"user:{membership.user.username}",
        "role": str(membership.role),
        "change": change,
    }
    trail.record(Kind.MEMBER_CHANGED, tenant_id=membership.tenant_id, actor=actor, codes=codes)


def _key_changed(key: ApiKey, kind: Kind, actor: str) -> None:
    codes = {"key": str(key.pk), "target": f"key:{key.prefix}", "user": str(key.user_id)}
    trail.record(kind, tenant_id=key.tenant_id, actor=actor, codes=codes)
