"""People, roles, keys and tenants in the admin: who may do what, and that each change is in the trail."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.models import Session

from audit import trail
from audit.models import AuditEvent, Kind
from tenants import access, scope
from tenants.changes import PLATFORM
from tenants.models import ApiKey, Membership, Role, Tenant
from tests import make

MEMBERS, KEYS, TENANTS = "/admin/tenants/membership/", "/admin/tenants/apikey/", "/admin/tenants/tenant/"
USERS, GROUPS = "/admin/auth/user/", "/admin/auth/group/"
PASSWORD = "correct horse battery staple"


@pytest.fixture
def cast(db: None) -> make.Cast:
    return make.cast()


@pytest.fixture
def tom(cast: make.Cast) -> User:
    """The tenant admin of A."""
    return make.user(cast.a, Role.TENANT_ADMIN, username="tom")


@pytest.fixture
def root(db: None) -> User:
    """A platform admin without any role."""
    return make.user(None, username="root", superuser=True)


def roles(user: User) -> set[tuple[str, str]]:
    with scope.everything():
        return set(Membership.objects.filter(user=user).values_list("tenant__name", "role"))


def trail_of(tenant_id: Any) -> list[tuple[str, str, dict[str, Any]]]:
    with scope.everything():
        found = AuditEvent.objects.filter(chain=f"tenant:{tenant_id}").order_by("seq")
        return [(event.kind, event.actor, event.codes) for event in found]


def member(user: User, tenant: Tenant, role: str) -> int:
    with scope.everything():
        return Membership.objects.get(user=user, tenant=tenant, role=role).pk


def everything_about_people() -> list[Any]:
    with scope.everything():
        models: list[Any] = [
            User,
            Group,
            Membership,
            ApiKey,
            Tenant,
            User.user_permissions.through,
            User.groups.through,
        ]
        return [list(model.objects.order_by("pk").values()) for model in models]


# --- Which pages there are ---------------------------------------------------------------------------------------------


def test_schedules_tasks_and_sign_in_attempts_are_not_in_the_admin() -> None:
    registered = {model._meta.label for model in admin.site._registry}
    assert not [label for label in registered if label.startswith(("django_q.", "axes."))]
    for name in ("django_q", "axes"):
        for model in apps.get_app_config(name).get_models():
            admin.site.register(model)
            assert not admin.site.is_registered(model)
    assert not admin.site.is_registered(Session)
    assert {"audit.AuditEvent", "tenants.Tenant", "tenants.Membership", "tenants.ApiKey", "auth.User"} <= registered


ADDRESSES = [f"{part}{page}" for part in (MEMBERS, KEYS, TENANTS, USERS, GROUPS) for page in ("", "add/")]


@pytest.mark.parametrize(
    ("role", "opens"),
    [
        (Role.UPLOADER, []),
        (Role.REVIEWER, []),
        (Role.SUPERVISOR, []),
        (Role.AUDITOR, []),
        (Role.TENANT_ADMIN, [MEMBERS, f"{MEMBERS}add/", KEYS, f"{KEYS}add/"]),
        ("platform admin", ADDRESSES),
    ],
)
def test_each_page_opens_for_whom_it_is_meant(cast: make.Cast, root: User, role: str, opens: list[str]) -> None:
    page = cast.page(root if role == "platform admin" else make.user(cast.a, role))
    for address in ADDRESSES:
        assert page.get(address, follow=True).status_code == (200 if address in opens else 403), address


def test_the_queues_pages_do_not_exist_for_anybody(cast: make.Cast, root: User) -> None:
    for address in ("/admin/django_q/", "/admin/django_q/schedule/", "/admin/django_q/task/", "/admin/axes/"):
        assert cast.page(root).get(address).status_code == 404


# --- Nobody raises themselves ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [None, Role.AUDITOR, Role.TENANT_ADMIN])
def test_staff_with_every_permission_of_django_cannot_raise_themselves(cast: make.Cast, role: str | None) -> None:
    staff = make.user(cast.a if role else None, *([role] if role else []), username="staff")
    staff.is_staff = True
    staff.save()
    group = Group.objects.create(name="everything")
    group.permissions.set(Permission.objects.all())
    staff.user_permissions.set(Permission.objects.all())
    staff.groups.add(group)
    assert User.objects.get(pk=staff.pk).has_perm("auth.change_user")
    page = cast.page(staff)
    before = everything_about_people()
    raised = {"username": "staff", "is_superuser": "on", "is_staff": "on", "is_active": "on", "_save": "Save"}
    new = {"username": "eve", "password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    for address, data in (
        (f"{USERS}{staff.pk}/change/", raised),
        (f"{USERS}{cast.ada.pk}/change/", raised),
        (f"{USERS}{cast.ada.pk}/password/", {**new, "set-password": "Set"}),
        (f"{USERS}{cast.ada.pk}/delete/", {"post": "yes"}),
        (f"{USERS}add/", new),
        (USERS, {"action": "delete_selected", "_selected_action": [cast.ada.pk], "post": "yes"}),
        (f"{GROUPS}add/", {"name": "more"}),
        (f"{GROUPS}{group.pk}/change/", {"name": "more"}),
        (f"{TENANTS}add/", {"name": "Cedar", "slug": "cedar"}),
        (f"{TENANTS}{cast.a.pk}/change/", {"name": "Cedar", "slug": "cedar"}),
        (f"{MEMBERS}add/", {"tenant": str(cast.b.pk), "username": "staff", "role": Role.TENANT_ADMIN}),
        (f"{KEYS}add/", {"tenant": str(cast.b.pk), "username": "ben", "name": "Mine"}),
    ):
        assert page.get(address, follow=True).status_code in {403, 200}, address
        page.post(address, data)
        assert everything_about_people() == before, address
    assert not access.is_platform_admin(User.objects.get(pk=staff.pk))


@pytest.mark.parametrize("fields", [{"user": "1"}, {"is_superuser": "on"}, {"role": "platform_admin"}, {"role": ""}])
def test_a_tenant_admin_cannot_invent_roles(cast: make.Cast, tom: User, fields: dict[str, str]) -> None:
    data = {"tenant": str(cast.a.pk), "username": "tom", "role": Role.REVIEWER, **fields}
    cast.page(tom).post(f"{MEMBERS}add/", data)
    assert roles(tom) - {("Alder", Role.REVIEWER)} == {("Alder", Role.TENANT_ADMIN)}
    assert not User.objects.filter(is_superuser=True).exists()


# --- Members -----------------------------------------------------------------------------------------------------------


def test_a_tenant_admin_gives_and_takes_roles_in_their_tenant(cast: make.Cast, tom: User) -> None:
    page = cast.page(tom)
    data = {"tenant": str(cast.a.pk), "username": "ben", "role": Role.AUDITOR}
    assert page.post(f"{MEMBERS}add/", data).status_code == 302
    assert ("Alder", Role.AUDITOR) in roles(cast.ben)
    added = member(cast.ben, cast.a, Role.AUDITOR)
    assert page.get(f"{MEMBERS}{added}/change/").status_code == 200
    assert page.post(f"{MEMBERS}{added}/delete/", {"post": "yes"}).status_code == 302
    assert ("Alder", Role.AUDITOR) not in roles(cast.ben)
    codes = {"user": str(cast.ben.pk), "target": "user:ben", "role": "auditor"}
    assert trail_of(cast.a.pk) == [
        (Kind.MEMBER_CHANGED, "user:tom", {**codes, "change": "added"}),
        (Kind.MEMBER_CHANGED, "user:tom", {**codes, "change": "removed"}),
    ]
    assert trail_of(cast.b.pk) == []


def test_roles_taken_from_several_at_once_are_recorded_one_by_one(cast: make.Cast, tom: User) -> None:
    chosen = [member(cast.ada, cast.a, Role.UPLOADER), member(cast.sue, cast.a, Role.SUPERVISOR)]
    data = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    assert cast.page(tom).post(MEMBERS, data).status_code == 302
    assert [codes["target"] for _kind, _actor, codes in trail_of(cast.a.pk)] == ["user:ada", "user:sue"]
    assert roles(cast.ada) == {("Alder", Role.REVIEWER)}


def test_a_tenant_admin_touches_no_other_tenant(cast: make.Cast, tom: User) -> None:
    page = cast.page(tom)
    bens = member(cast.ben, cast.b, Role.REVIEWER)
    before = everything_about_people()
    assert "ben" not in page.get(MEMBERS).content.decode()
    assert "Birch" not in page.get(f"{MEMBERS}add/").content.decode()
    assert page.get(f"{MEMBERS}{bens}/change/").status_code == 302
    answer = page.post(f"{MEMBERS}add/", {"tenant": str(cast.b.pk), "username": "tom", "role": Role.TENANT_ADMIN})
    assert "Select a valid choice" in answer.content.decode()
    page.post(f"{MEMBERS}{bens}/delete/", {"post": "yes"})
    page.post(MEMBERS, {"action": "delete_selected", "_selected_action": [bens], "post": "yes"})
    assert everything_about_people() == before
    assert trail_of(cast.b.pk) == []


def test_an_admin_here_who_reviews_there_administers_only_here(cast: make.Cast, tom: User) -> None:
    make.join(tom, cast.b, Role.REVIEWER, Role.AUDITOR)
    page = cast.page(User.objects.get(pk=tom.pk))
    assert "Birch" not in page.get(f"{MEMBERS}add/").content.decode()
    assert page.get(f"{MEMBERS}{member(cast.ben, cast.b, Role.REVIEWER)}/change/").status_code == 302
    page.post(f"{MEMBERS}add/", {"tenant": str(cast.b.pk), "username": "tom", "role": Role.TENANT_ADMIN})
    assert ("Birch", Role.TENANT_ADMIN) not in roles(tom)


def test_a_role_is_never_edited(cast: make.Cast, root: User) -> None:
    adas = member(cast.ada, cast.a, Role.UPLOADER)
    assert cast.page(root).post(f"{MEMBERS}{adas}/change/", {"role": Role.TENANT_ADMIN}).status_code == 403
    assert roles(cast.ada) == {("Alder", Role.UPLOADER), ("Alder", Role.REVIEWER)}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"username": "nobody"}, "Nobody active has this user name."),
        ({"username": "gone"}, "Nobody active has this user name."),
        ({"username": "ada", "role": Role.REVIEWER}, "This person has this role already."),
        ({"username": ""}, "This field is required."),
    ],
)
def test_a_refusal_says_what_is_wrong(cast: make.Cast, tom: User, fields: dict[str, str], sentence: str) -> None:
    User.objects.create(username="gone", is_active=False)
    data = {"tenant": str(cast.a.pk), "username": "sue", "role": Role.REVIEWER, **fields}
    answer = cast.page(tom).post(f"{MEMBERS}add/", data)
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert trail_of(cast.a.pk) == []


# --- Keys --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["tom", "root"])
def test_a_key_is_shown_once_and_kept_nowhere(cast: make.Cast, tom: User, root: User, who: str) -> None:
    page = cast.page({"tom": tom, "root": root}[who])
    answer = page.post(f"{KEYS}add/", {"tenant": str(cast.a.pk), "username": "ada", "name": "Ledger"})
    assert answer.status_code == 200
    (text,) = set(re.findall(r"dtat_[\w-]{40,}", answer.content.decode()))
    found = ApiKey.find(text)
    assert found
    assert (found.user, found.tenant_id, found.name) == (cast.ada, cast.a.pk, "Ledger")
    assert "no-store" in answer["Cache-Control"]
    assert text not in str(answer.cookies)
    assert text not in str([session.get_decoded() for session in Session.objects.all()])
    for address in (KEYS, f"{KEYS}{found.pk}/change/", "/admin/", f"{KEYS}{found.pk}/history/"):
        assert text not in page.get(address).content.decode()
    with scope.everything():
        assert text not in str(list(ApiKey.objects.values())) + str(list(AuditEvent.objects.values()))
    codes = {"key": str(found.pk), "target": f"key:{found.prefix}", "user": str(cast.ada.pk)}
    assert trail_of(cast.a.pk) == [(Kind.KEY_ISSUED, f"user:{who}", codes)]


def test_a_key_needs_a_person_with_a_role_in_its_tenant(cast: make.Cast, tom: User) -> None:
    page = cast.page(tom)
    answer = page.post(f"{KEYS}add/", {"tenant": str(cast.a.pk), "username": "ben", "name": "Ledger"})
    assert "who has no role in this tenant" in answer.content.decode()
    answer = page.post(f"{KEYS}add/", {"tenant": str(cast.b.pk), "username": "ben", "name": "Ledger"})
    assert "Select a valid choice" in answer.content.decode()
    with scope.everything():
        assert not ApiKey.objects.filter(name="Ledger").exists()


def test_keys_are_revoked_and_the_second_time_nothing_happens(cast: make.Cast, tom: User) -> None:
    text, foreign = make.key(cast.a, cast.ada), make.key(cast.b, cast.ben)
    found, other = ApiKey.find(text), ApiKey.find(foreign)
    assert found
    assert other
    page = cast.page(tom)
    data = {"action": "revoke", "_selected_action": [str(found.pk), str(other.pk)]}
    assert "1 key was revoked." in page.post(KEYS, data, follow=True).content.decode()
    assert "0 keys were revoked." in page.post(KEYS, data, follow=True).content.decode()
    assert ApiKey.find(text) is None
    assert ApiKey.find(foreign)
    assert [kind for kind, _actor, _codes in trail_of(cast.a.pk)] == [Kind.KEY_REVOKED]


def test_a_key_is_neither_edited_nor_deleted(cast: make.Cast, root: User) -> None:
    found = ApiKey.find(cast.key)
    assert found
    page = cast.page(root)
    before = everything_about_people()
    assert page.post(f"{KEYS}{found.pk}/change/", {"name": "x"}).status_code == 403
    assert page.post(f"{KEYS}{found.pk}/delete/", {"post": "yes"}).status_code == 403
    page.post(KEYS, {"action": "delete_selected", "_selected_action": [str(found.pk)], "post": "yes"})
    assert everything_about_people() == before


# --- Accounts and tenants ------------------------------------------------------------------------------------------------


def account(user: User, **changed: Any) -> dict[str, Any]:
    """The form of an account as the browser would send it."""
    shown = {"username": user.username, "first_name": "", "last_name": "", "email": ""}
    return {**shown, "is_active": "on", "_save": "Save", **changed}


def test_a_platform_admin_makes_and_changes_accounts(cast: make.Cast, root: User) -> None:
    page = cast.page(root)
    new = {"username": "eve", "password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    assert page.post(f"{USERS}add/", new).status_code == 302
    eve = User.objects.get(username="eve")
    assert (
        page.post(f"{USERS}{eve.pk}/change/", account(eve, is_superuser="on", email="e@example.org")).status_code == 302
    )
    assert User.objects.get(pk=eve.pk).is_superuser
    password = {
        "password1": PASSWORD[::-1],
        "password2": PASSWORD[::-1],
        "usable_password": "true",
        "set-password": "x",
    }
    assert page.post(f"{USERS}{eve.pk}/password/", {**password, "password2": "other"}).status_code == 200
    assert page.post(f"{USERS}{eve.pk}/password/", password).status_code == 302
    about = {"user": str(eve.pk), "target": "user:eve"}
    assert trail_of(PLATFORM) == [
        (Kind.USER_CHANGED, "user:root", {**about, "change": "added", "fields": ["username"]}),
        (Kind.USER_CHANGED, "user:root", {**about, "change": "changed", "fields": ["email", "is_superuser"]}),
        (Kind.USER_CHANGED, "user:root", {**about, "change": "changed", "fields": ["password"]}),
    ]


def test_a_change_to_an_account_is_on_the_chains_of_its_tenants(cast: make.Cast, root: User) -> None:
    make.join(cast.ada, cast.b, Role.REVIEWER)
    data = account(cast.ada)
    del data["is_active"]
    assert cast.page(root).post(f"{USERS}{cast.ada.pk}/change/", data).status_code == 302
    for chain in (cast.a.pk, cast.b.pk, PLATFORM):
        ((kind, actor, codes),) = trail_of(chain)
        assert (kind, actor, codes["target"], codes["fields"]) == (
            Kind.USER_CHANGED,
            "user:root",
            "user:ada",
            ["is_active"],
        )
    assert not access.can(User.objects.get(pk=cast.ada.pk), "review")


def test_no_value_of_an_account_is_in_the_trail(cast: make.Cast, root: User) -> None:
    data = account(cast.ada, email="ada@example.org", first_name="Ada")
    assert cast.page(root).post(f"{USERS}{cast.ada.pk}/change/", data).status_code == 302
    with scope.everything():
        text = str(list(AuditEvent.objects.values()))
    assert "example.org" not in text
    assert "Ada" not in text


def test_accounts_and_tenants_are_not_deleted(cast: make.Cast, root: User) -> None:
    page = cast.page(root)
    before = everything_about_people()
    for part, key in ((USERS, cast.ada.pk), (TENANTS, cast.a.pk)):
        assert page.post(f"{part}{key}/delete/", {"post": "yes"}).status_code == 403
        page.post(part, {"action": "delete_selected", "_selected_action": [str(key)], "post": "yes"})
    assert everything_about_people() == before


def test_a_platform_admin_makes_and_renames_tenants(cast: make.Cast, root: User) -> None:
    page = cast.page(root)
    assert page.post(f"{TENANTS}add/", {"name": "Cedar", "slug": "cedar"}).status_code == 302
    with scope.everything():
        cedar = Tenant.objects.get(slug="cedar")
    assert page.post(f"{TENANTS}{cedar.pk}/change/", {"name": "Cedar & Sons", "slug": "cedar"}).status_code == 302
    assert trail_of(cedar.pk) == [
        (Kind.TENANT_CHANGED, "user:root", {"target": "cedar", "change": "added", "fields": ["name", "slug"]}),
        (Kind.TENANT_CHANGED, "user:root", {"target": "cedar", "change": "changed", "fields": ["name"]}),
    ]


@pytest.mark.django_db(transaction=True)
def test_a_change_that_cannot_be_recorded_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    cast = make.cast()
    page = cast.page(make.user(cast.a, Role.TENANT_ADMIN))

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("no trail")

    before = everything_about_people()
    data = {"tenant": str(cast.a.pk), "username": "ben", "role": Role.AUDITOR}
    with monkeypatch.context() as patch:
        patch.setattr(trail, "record", broken)
        with pytest.raises(RuntimeError, match="no trail"):
            page.post(f"{MEMBERS}add/", data)
    assert everything_about_people() == before
    assert page.post(f"{MEMBERS}add/", data).status_code == 302
    assert everything_about_people() != before


def test_reading_the_text_of_pdfs_is_switched_on_with_its_line_in_the_trail(
    cast: make.Cast, root: User, tom: User
) -> None:
    address, wish = f"{TENANTS}{cast.a.pk}/change/", {"name": "Alder", "slug": "alder", "reads_text_layers": "on"}
    assert cast.page(tom).post(address, wish).status_code == 403
    assert cast.page(root).post(address, wish).status_code == 302
    told = {"target": "alder", "change": "changed", "fields": ["reads_text_layers"]}
    assert trail_of(cast.a.pk)[-1] == (Kind.TENANT_CHANGED, "user:root", told)
    with scope.everything():
        assert list(Tenant.objects.filter(reads_text_layers=True)) == [cast.a]


@pytest.mark.parametrize(("url", "warns"), [("", True), ("http://127.0.0.1:9", False)])
def test_the_tenants_page_says_when_nothing_could_check_them(
    cast: make.Cast, root: User, settings: Any, url: str, *, warns: bool
) -> None:
    settings.WITNESS_URL = url
    page = cast.page(root).get(f"{TENANTS}{cast.a.pk}/change/").content.decode()
    assert ("No second witness is set up" in page) is warns
    assert ("read instead of its pages" in page) is not warns
