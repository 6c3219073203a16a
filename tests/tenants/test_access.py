"""Roles, abilities, and what a key may do."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from tenants import access, changes, scope
from tenants.models import ApiKey, Membership, Role, Tenant
from tests import make

MAY = {
    Role.UPLOADER: {"upload"},
    Role.REVIEWER: {"review"},
    Role.SUPERVISOR: {"upload", "review", "supervise"},
    Role.AUDITOR: {"audit"},
    Role.TENANT_ADMIN: {"upload", "supervise", "audit", "administer"},
}


@pytest.fixture
def cast(db: None) -> make.Cast:
    return make.cast()


def visible(user: Any, model: Any = Membership) -> set[UUID]:
    """The tenants whose rows visible_to shows, where the database itself hides none."""
    with scope.everything():
        return set(model.objects.visible_to(user).values_list("tenant_id", flat=True))


def acting(text: str) -> User:
    """The user as which the key acts, as the REST door makes it."""
    key = ApiKey.find(text)
    assert key
    key.user.acting_key = key  # type: ignore[attr-defined]
    return key.user


def test_every_role_has_a_row() -> None:
    assert set(MAY) == set(Role)
    assert set().union(*MAY.values()) == set(access.ABILITIES)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_gives_its_abilities_in_its_tenant_and_none_elsewhere(cast: make.Cast, role: Role) -> None:
    user = make.user(cast.a, role)
    for ability in access.ABILITIES:
        may = ability in MAY[role]
        assert access.can(user, ability) == may
        assert access.can(user, ability, cast.a.pk) == may
        assert not access.can(user, ability, cast.b.pk)
        assert access.tenants_with(user, ability) == ([cast.a.pk] if may else [])
        with pytest.raises(access.NotAllowed, match="role|supervisor|auditor|administrator"):
            access.check(user, ability, cast.b.pk)
        if may:
            access.check(user, ability, cast.a.pk)
    assert access.may_use_admin(user) == (role in {Role.AUDITOR, Role.TENANT_ADMIN})


@pytest.mark.parametrize("role", list(Role))
def test_every_role_sees_its_own_tenants_rows_only(cast: make.Cast, role: Role) -> None:
    assert visible(make.user(cast.a, role)) == {cast.a.pk}


def test_a_platform_admin_sees_every_tenant_and_may_do_all(cast: make.Cast) -> None:
    root = make.user(None, superuser=True)
    assert visible(root) == {cast.a.pk, cast.b.pk}
    assert all(access.can(root, ability, cast.b.pk) for ability in access.ABILITIES)


def test_nobody_in_particular_sees_and_may_nothing(cast: make.Cast) -> None:
    gone = make.user(cast.a, *Role, superuser=True)
    gone.is_active = False
    gone.save()
    for user in (AnonymousUser(), make.user(None), gone):
        assert visible(user) == set()
        assert not any(access.can(user, ability) for ability in access.ABILITIES)
        with access.scope_of(user):
            assert not Tenant.objects.exists()


def test_scope_of_a_person_is_their_tenants(cast: make.Cast) -> None:
    both = make.user(cast.a, Role.REVIEWER)
    make.join(both, cast.b, Role.AUDITOR)
    for user, wanted in ((cast.ada, {"Alder"}), (cast.ben, {"Birch"}), (both, {"Alder", "Birch"})):
        with access.scope_of(user):
            assert set(Tenant.objects.values_list("name", flat=True)) == wanted


# --- Keys --------------------------------------------------------------------------------------------------------------


def test_a_key_is_kept_as_a_hash_only(cast: make.Cast) -> None:
    text = make.key(cast.a, cast.ada)
    with scope.everything():
        (row,) = ApiKey.objects.filter(user=cast.ada).values()
    assert text.startswith(row["prefix"])
    assert len(text) > len(row["prefix"]) + 30
    assert not [value for value in row.values() if text[12:] in str(value)]


def test_a_key_is_found_until_it_is_revoked_or_its_user_is_deactivated(cast: make.Cast) -> None:
    text, other = make.key(cast.a, cast.ada), make.key(cast.a, cast.sue)
    found = ApiKey.find(text)
    assert found
    assert found.user == cast.ada
    assert ApiKey.find(text + "x") is None
    assert ApiKey.find(text.upper()) is None
    with scope.everything():
        assert changes.revoke_key(found, actor="user:root")
        assert not changes.revoke_key(found, actor="user:root")
    assert ApiKey.find(text) is None
    assert ApiKey.find(other)
    User.objects.filter(pk=cast.sue.pk).update(is_active=False)
    assert ApiKey.find(other) is None


def test_finding_a_key_shows_nothing_else(cast: make.Cast) -> None:
    """It sees every tenant for its one statement; what the transaction sees besides stays as it was."""
    with scope.scope([cast.b.pk]):
        assert ApiKey.find(cast.key)
        assert set(Tenant.objects.values_list("name", flat=True)) == {"Birch"}
    with scope.everything():
        assert ApiKey.find("dtat_nothing") is None
        assert Tenant.objects.count() == 2
    assert ApiKey.find(cast.key)
    assert not Tenant.objects.exists()


def test_finding_a_key_and_its_roles_is_one_statement(cast: make.Cast) -> None:
    text = make.key(cast.a, make.user(cast.a, Role.UPLOADER, Role.AUDITOR))
    with CaptureQueriesContext(connection) as told:
        user = acting(text)
        assert access.roles_of(user) == {cast.a.pk: {Role.UPLOADER, Role.AUDITOR}}
        assert access.can(user, "upload", cast.a.pk)
        assert not access.can(user, "upload", cast.b.pk)
    assert len(told) == 1


def test_a_role_taken_away_is_gone_at_the_next_request(cast: make.Cast) -> None:
    text = make.key(cast.a, cast.ada)
    assert access.can(acting(text), "upload")
    with scope.everything():
        Membership.objects.filter(user=cast.ada).delete()
    assert access.roles_of(acting(text)) == {}


def test_a_key_acts_within_its_tenant_only(cast: make.Cast) -> None:
    make.join(cast.ada, cast.b, Role.SUPERVISOR)
    user = acting(make.key(cast.a, cast.ada))
    assert visible(user) == {cast.a.pk}
    assert access.can(user, "upload", cast.a.pk)
    assert not access.can(user, "supervise")
    assert access.actor_of(user).startswith("key:dtat_")
    assert access.actor_of(cast.ada) == "user:ada"


def test_a_key_of_a_platform_admin_is_no_platform_admin(cast: make.Cast) -> None:
    """Else a tenant admin could issue themselves everything."""
    root = make.user(cast.a, Role.REVIEWER, superuser=True)
    user = acting(make.key(cast.a, root))
    assert not access.is_platform_admin(user)
    assert visible(user) == {cast.a.pk}
    assert access.can(user, "review")
    assert not access.can(user, "audit")
    with access.scope_of(user):
        assert list(Tenant.objects.values_list("name", flat=True)) == ["Alder"]
        assert not AuditEvent.objects.filter(tenant_id=cast.b.pk).exists()
