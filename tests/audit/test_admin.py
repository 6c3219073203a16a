"""The trail in the admin: who sees which events, and that nobody changes one."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit import admin as audit_admin
from audit import trail
from audit.models import AuditEvent, Kind
from tenants import scope
from tenants.models import Role
from tests import make
from tests.audit.conftest import events, story
from tests.conftest import as_superuser

LIST = "/admin/audit/auditevent/"


@pytest.fixture
def cast(db: None) -> make.Cast:
    return make.cast()


def shown(answer: Any) -> set[str]:
    """The chains in a list."""
    assert answer.status_code == 200, answer
    return set(re.findall(r'title="((?:document|tenant):[^"]+)"', answer.content.decode()))


# --- Who sees what ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.TENANT_ADMIN])
def test_auditors_and_tenant_admins_see_their_tenants_events(cast: make.Cast, role: str) -> None:
    own, foreign = story(cast.a.pk), story(cast.b.pk)
    page = cast.page(make.user(cast.a, role))
    assert shown(page.get(LIST)) == {own}
    assert page.get(f"{LIST}{events(own)[0].pk}/change/").status_code == 200
    assert page.get(f"{LIST}{events(foreign)[0].pk}/change/").status_code == 404
    assert "Audit events" in page.get("/admin/").content.decode()


@pytest.mark.parametrize("role", [Role.UPLOADER, Role.REVIEWER, Role.SUPERVISOR])
def test_other_roles_see_none(cast: make.Cast, role: str) -> None:
    own = story(cast.a.pk)
    page = cast.page(make.user(cast.a, role))
    for address in (LIST, f"{LIST}verify/", "/admin/", f"{LIST}{events(own)[0].pk}/change/"):
        assert page.get(address, follow=True).status_code == 403, address


def test_a_platform_admin_sees_all_tenants(cast: make.Cast) -> None:
    chains = {story(cast.a.pk), story(cast.b.pk)}
    assert shown(cast.page(make.user(None, superuser=True)).get(LIST)) == chains


def test_an_auditor_here_who_reviews_there_sees_only_here(cast: make.Cast) -> None:
    own, foreign = story(cast.a.pk), story(cast.b.pk)
    make.join(cast.cleo, cast.b, Role.REVIEWER)
    page = cast.page(User.objects.get(pk=cast.cleo.pk))
    assert shown(page.get(LIST)) == {own}
    assert page.get(f"{LIST}{events(foreign)[0].pk}/change/").status_code == 404
    assert "There is no such chain" in page.get(f"{LIST}verify/?chain={foreign}").content.decode()
    assert "1 chains, 3 events" in page.get(f"{LIST}verify/").content.decode()


def test_djangos_permissions_open_nothing(cast: make.Cast) -> None:
    story(cast.a.pk)
    staff = make.user(None, username="staff")
    staff.is_staff = True
    staff.save()
    staff.user_permissions.set(Permission.objects.all())
    assert cast.page(staff).get(LIST, follow=True).status_code == 403


def test_whoever_is_not_signed_in_is_sent_to_the_products_own_page(cast: make.Cast, client: Any) -> None:
    answer = client.get(LIST, follow=True)
    assert answer.redirect_chain[-1][0].startswith("/login/?next=/admin/audit/auditevent/")


# --- Nothing changes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["cleo", "root"])
def test_events_cannot_be_added_changed_or_deleted(cast: make.Cast, who: str) -> None:
    event = events(story(cast.a.pk))[0]
    page = cast.page(make.user(None, username="root", superuser=True) if who == "root" else cast.cleo)
    one_event = f"{LIST}{event.pk}/"
    with scope.everything():
        before = list(AuditEvent.objects.values())
    for method, address, data, status in (
        ("get", f"{LIST}add/", {}, 403),
        ("post", f"{LIST}add/", {"chain": "x", "seq": 1}, 403),
        ("post", f"{one_event}change/", {"actor": "user:eve", "_save": "Save"}, 403),
        ("get", f"{one_event}delete/", {}, 403),
        ("post", f"{one_event}delete/", {"post": "yes"}, 403),
        ("post", LIST, {"action": "delete_selected", "_selected_action": [event.pk], "post": "yes"}, 405),
        ("post", LIST, {"form-0-actor": "user:eve", "_save": "Save"}, 405),
        ("put", one_event, {}, 405),
        ("delete", LIST, {}, 405),
    ):
        answer = getattr(page, method)(address, data)
        assert answer.status_code == status or (method == "put" and answer.status_code in {302, 404}), (address, answer)
    text = page.get(f"{one_event}change/").content.decode()
    assert not re.search(r'name="(_save|actor|kind|_continue)"|deletelink', text)
    with scope.everything():
        assert list(AuditEvent.objects.values()) == before


# --- Finding ----------------------------------------------------------------------------------------------------------


def test_search_finds_documents_actors_kinds_tenants_and_requests(cast: make.Cast) -> None:
    first, second = story(cast.a.pk, length=1), story(cast.a.pk, length=2)
    with scope.everything():
        event = trail.record(Kind.KEY_REVOKED, tenant_id=cast.a.pk, actor="user:zoe")
    page = cast.page(cast.cleo)
    for words, wanted in (
        (first.removeprefix("document:"), {first}),
        (first.removeprefix("document:").upper(), {first}),
        ("system", {second}),
        ("zoe", {event.chain}),
        ("revoked zoe", {event.chain}),
        ("KEY_REVOKED", {event.chain}),
        ("Alder", {first, second, event.chain}),
        (str(cast.a.pk), {first, second, event.chain}),
        ("revoked system", set()),
        ("birch", set()),
        (str(uuid4()), set()),
    ):
        assert shown(page.get(LIST, {"q": words})) == wanted, words


def test_days_are_whole_and_utc(cast: make.Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    chains = {}
    real = trail._lock_heads
    for text in (
        "2026-03-01T23:59:59.999999",
        "2026-03-02T00:00:00",
        "2026-03-02T23:59:59.999999",
        "2026-03-03T00:00:00",
    ):
        at = datetime.fromisoformat(text).replace(tzinfo=UTC)
        with monkeypatch.context() as patch:
            patch.setattr(trail, "_lock_heads", lambda tenants, at=at: (real(tenants)[0], at))
            chains[text[8:11] + text[-1]] = story(cast.a.pk, length=1)
    page = cast.page(cast.cleo)
    for query, wanted in (
        ({"from_day": "2026-03-02", "to_day": "2026-03-02"}, {"02T0", "02T9"}),
        ({"to_day": "2026-03-01"}, {"01T9"}),
        ({"from_day": "2026-03-02"}, {"02T0", "02T9", "03T0"}),
        ({"from_day": "2999-01-01"}, set()),
    ):
        assert shown(page.get(LIST, query)) == {chains[name] for name in wanted}, query
    assert page.get(LIST, {"from_day": "yesterday"}).status_code == 302


def test_other_filters(cast: make.Cast) -> None:
    first, second = story(cast.a.pk, length=1), story(cast.a.pk, length=2)
    foreign = story(cast.b.pk)
    page = cast.page(cast.cleo)
    root = cast.page(make.user(None, superuser=True))
    assert shown(page.get(LIST, {"kind__exact": "NORMALIZED"})) == {second}
    assert shown(page.get(LIST, {"by": "ada"})) == {first, second}
    assert shown(page.get(LIST, {"by": "system"})) == {second}
    assert shown(page.get(LIST, {"chain": first})) == {first}
    assert shown(root.get(LIST, {"tenant": str(cast.b.pk)})) == {foreign}
    assert page.get(LIST, {"tenant": str(cast.b.pk)}).status_code == 302
    assert "Birch" in root.get(LIST).content.decode()
    assert "Birch" not in page.get(LIST).content.decode()
    assert 'value="2026-01-05"' in page.get(LIST, {"from_day": "2026-01-05", "by": "ada"}).content.decode()


def test_the_newest_is_first_and_codes_are_readable(cast: make.Cast) -> None:
    with scope.everything():
        for number in range(2):
            trail.record(
                Kind.NORMALIZED,
                tenant_id=cast.a.pk,
                actor="system",
                codes={
                    "count": 1,
                    "straight_through": number == 1,
                    "counts": {"<b>": 2},
                    "reasons": ["missing", "invalid"],
                },
            )
    text = cast.page(cast.cleo).get(LIST).content.decode()
    assert text.index("tenant · 2") < text.index("tenant · 1")
    assert '<span class="detail"><b>count</b> 1</span>' in text
    assert "<b>straight_through</b> yes</span>" in text
    assert "<b>reasons</b> missing, invalid</span>" in text
    assert "<b>counts</b> &lt;b&gt; 2</span>" in text
    assert "Fields found" in text
    assert "NORMALIZED" in text


def test_the_list_asks_as_many_queries_for_forty_events_as_for_one(cast: make.Cast) -> None:
    page = cast.page(cast.cleo)
    asked = []
    for length in (1, 39):
        story(cast.a.pk, length=length)
        with CaptureQueriesContext(connection) as queries:
            assert page.get(LIST).status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_an_event_leads_to_its_chain(cast: make.Cast) -> None:
    chain = story(cast.a.pk, length=2)
    page = cast.page(cast.cleo)
    text = page.get(f"{LIST}{events(chain)[0].pk}/change/").content.decode()
    for address in (f"{LIST}?chain={chain}", f"{LIST}verify/?chain={chain}"):
        found = address.replace(":", "%3A") if address.replace(":", "%3A") in text else address
        assert f'href="{found}"' in text
        assert page.get(address).status_code == 200
    assert f"verify/?chain={chain.replace(':', '%3A')}" in page.get(LIST, {"chain": chain}).content.decode()


# --- Verifying --------------------------------------------------------------------------------------------------------


def verified(page: Any, query: str = "") -> str:
    answer = page.get(f"{LIST}verify/{query}")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.mark.django_db(transaction=True)
def test_verifying_in_the_admin_says_what_was_looked_at_and_names_breaks() -> None:
    cast = make.cast()
    sound, broken, foreign = story(cast.a.pk, length=2), story(cast.a.pk, length=4), story(cast.b.pk, length=3)
    page = cast.page(cast.cleo)
    assert re.search(r"2 chains, 6 events verified in \d+\.\d\d s, no break\.", verified(page))
    with as_superuser() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE audit_auditevent SET actor = 'user:eve' WHERE chain = ANY (%s) AND seq = 2", [[broken, foreign]]
        )
    text = verified(page)
    assert "2 chains, 6 events verified" in text
    assert "1 broken" in text
    assert f"{broken}</a></td> <td>2</td> <td>its content was changed</td>" in text
    assert foreign not in text
    assert "1 chains, 2 events" in verified(page, f"?chain={sound}")
    assert "no break" in verified(page, f"?chain={sound.removeprefix('document:')}")
    assert "1 broken" in verified(page, f"?chain={broken}")
    assert "There is no such chain" in verified(page, f"?chain={foreign}")
    assert "3 chains, 9 events" in verified(cast.page(make.user(None, superuser=True)))


def test_a_page_does_not_verify_more_than_a_request_may_take(cast: make.Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    long, short = story(cast.a.pk, length=4), story(cast.a.pk, length=2)
    monkeypatch.setattr(audit_admin, "VERIFIED_IN_A_PAGE", 5)
    page = cast.page(cast.cleo)
    assert "takes longer than a page may" in verified(page)
    assert "no break" in verified(page, f"?chain={long}")
    assert "no break" in verified(page, f"?chain={short}")


def test_the_pages_hold_no_script_or_style_of_their_own(cast: make.Cast) -> None:
    """The content security policy would not run it."""
    event = events(story(cast.a.pk))[0]
    page = cast.page(cast.cleo)
    for address in ("/admin/", LIST, f"{LIST}{event.pk}/change/", f"{LIST}verify/"):
        text = page.get(address).content.decode()
        assert not re.search(r"<style|<script(?![^>]* src=)[^>]*>\s*\S| style=| on\w+=", text), address
        assert "css/admin.css" in text or re.search(r"css/admin\.[0-9a-f]+\.css", text)
