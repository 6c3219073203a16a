"""Who may do what: roles per tenant, and the abilities that a role gives. Every door asks here."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils.translation import gettext_lazy

from audit import prepared
from tenants import scope
from tenants.models import ApiKey, Role

if TYPE_CHECKING:
    from tenants.models import AnyUser

# ability -> the roles that have it. A platform admin (superuser) has all of them everywhere.
ABILITIES: dict[str, frozenset[str]] = {
    "upload": frozenset({Role.UPLOADER, Role.SUPERVISOR, Role.TENANT_ADMIN}),
    "review": frozenset({Role.REVIEWER, Role.SUPERVISOR}),
    "supervise": frozenset({Role.SUPERVISOR, Role.TENANT_ADMIN}),
    "audit": frozenset({Role.AUDITOR, Role.TENANT_ADMIN}),
    "administer": frozenset({Role.TENANT_ADMIN}),
}
_SENTENCES = {
    "upload": gettext_lazy(
        "Your role does not allow uploading documents here. Ask your administrator for the uploader role."
    ),
    "review": gettext_lazy(
        "Your role does not allow reviewing documents here. Ask your administrator for the reviewer role."
    ),
    "supervise": gettext_lazy("Only a supervisor can do this. Ask a supervisor of your team."),
    "audit": gettext_lazy("Only an auditor can see this. Ask your administrator for the auditor role."),
    "administer": gettext_lazy("Only an administrator of the tenant can do this."),
}


class NotAllowed(Exception):
    """The person may see this but not do it; the text says whom to ask."""

    code = "not_allowed"


def is_platform_admin(user: AnyUser) -> bool:
    """Whether the user may do everything everywhere; never through an API key, which stays within its tenant."""
    if getattr(user, "acting_key", None) is not None:
        return False
    return bool(getattr(user, "is_superuser", False) and user.is_active)


def roles_of(user: AnyUser) -> dict[UUID, frozenset[str]]:
    """The user's roles by tenant id; empty for nobody in particular. Read once per request and user object."""
    if not user.is_authenticated or not user.is_active:
        return {}
    known: dict[UUID, frozenset[str]] | None = getattr(user, "_roles_by_tenant", None)
    if known is None:
        known = _read_roles(user)
        vars(user)["_roles_by_tenant"] = known
    return known


_ROLES = """
    SELECT member.tenant_id, member.role, tenant.name
      FROM tenants_membership AS member JOIN tenants_tenant AS tenant ON tenant.id = member.tenant_id
     WHERE member.user_id = $1::int AND member.tenant_id = coalesce($2::uuid, member.tenant_id)
"""


def _read_roles(user: AnyUser) -> dict[UUID, frozenset[str]]:
    found: dict[UUID, set[str]] = {}
    key: ApiKey | None = getattr(user, "acting_key", None)
    if key is not None and key.roles_here is not None:
        return {key.tenant_id: key.roles_here} if key.roles_here else {}
    names = set()
    with scope.everything():
        for tenant_id, role, name in prepared.fetch(_ROLES, int(user.pk or 0), key and str(key.tenant_id)):
            found.setdefault(tenant_id, set()).add(role)
            names.add(name)
    vars(user)["_tenant_names"] = sorted(names)
    return {tenant_id: frozenset(roles) for tenant_id, roles in found.items()}


def tenant_names(user: AnyUser, *, most: int) -> list[str]:
    """What the user's tenants are called, in order."""
    if is_platform_admin(user):
        with scope.everything():
            return [
                name for (name,) in prepared.fetch("SELECT name FROM tenants_tenant ORDER BY name LIMIT $1::int", most)
            ]
    roles_of(user)  # which reads them too
    return [*getattr(user, "_tenant_names", ())][:most]


def visible_tenants(user: AnyUser) -> list[UUID] | None:
    """The tenants whose rows `user` may see; None is every tenant."""
    return None if is_platform_admin(user) else list(roles_of(user))


def visible_array(user: AnyUser) -> str | None:
    """The same as one parameter of a prepared statement; NULL is every tenant."""
    tenants = visible_tenants(user)
    return None if tenants is None else prepared.array(tenants)


def scope_of(user: AnyUser) -> AbstractContextManager[None]:
    """A transaction in which the database shows what `user` may see."""
    return scope.everything() if is_platform_admin(user) else scope.scope(roles_of(user))


def can(user: AnyUser, ability: str, tenant_id: UUID | None = None) -> bool:
    """Whether the user has the ability in this tenant, or in any when none is named."""
    if is_platform_admin(user):
        return True
    roles = roles_of(user)
    where = [roles.get(tenant_id, frozenset())] if tenant_id else list(roles.values())
    return any(ABILITIES[ability] & held for held in where)


def check(user: AnyUser, ability: str, tenant_id: UUID | None = None) -> None:
    """Raise NotAllowed with a sentence unless the user has the ability."""
    if not can(user, ability, tenant_id):
        raise NotAllowed(str(_SENTENCES[ability]))


def tenants_with(user: AnyUser, ability: str) -> list[UUID]:
    """The tenants in which the user has the ability, in a stable order."""
    return sorted(tenant for tenant, held in roles_of(user).items() if ABILITIES[ability] & held)


def may_use_admin(user: AnyUser) -> bool:
    return is_platform_admin(user) or can(user, "audit")


def actor_of(user: AnyUser) -> str:
    """How the audit trail names who acted: user:NAME, or key:PREFIX for an integration."""
    key: ApiKey | None = getattr(user, "acting_key", None)
    return f"key:{key.prefix}" if key else f"user:{user.get_username()}"


def called(actor: str) -> str:
    """The actor in a sentence: people by their names, integrations by their keys."""
    return actor.removeprefix("user:")
