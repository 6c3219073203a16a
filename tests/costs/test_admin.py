"""Money in the admin: who may set a budget, read the ledger, and give prices a new version."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from django.contrib.auth.models import User

from audit.models import AuditEvent
from ocr import costs, prices
from ocr.models import Budget, PriceTable
from tenants import scope
from tenants.changes import PLATFORM
from tenants.models import Role
from tests import make
from tests.costs import books

pytestmark = pytest.mark.django_db
BUDGETS, CHARGES, MONTHS, PRICES = (f"/admin/ocr/{name}/" for name in ("budget", "charge", "monthlycost", "pricetable"))
FORM = 50_000


@pytest.fixture
def tom(cast: make.Cast) -> User:
    """The tenant admin of A."""
    return make.user(cast.a, Role.TENANT_ADMIN, username="tom")


@pytest.fixture
def root(db: None) -> User:
    return make.user(None, username="root", superuser=True)


def text(answer: Any) -> str:
    return str(answer.content.decode())


# --- Budgets ------------------------------------------------------------------------------------------------------


def test_a_tenant_admin_sets_the_budget_of_their_tenant(cast: make.Cast, tom: User) -> None:
    client = cast.page(tom)
    answer = client.post(f"{BUDGETS}add/", {"tenant": str(cast.a.pk), "cap": "12.50"}, follow=True)
    assert answer.status_code == 200
    assert books.budget(cast.a) == 12_500_000
    assert "$12.50" in text(answer)
    with scope.everything():
        row = Budget.objects.get()
        told = AuditEvent.objects.get(kind="TENANT_CHANGED")
    assert (told.actor, told.codes["fields"], told.codes["to"]) == ("user:tom", ["monthly_cap"], 12_500_000)
    document = make.receive(cast.a).document
    with scope.everything():
        costs.put_off([cast.a.pk])
    answer = client.post(f"{BUDGETS}{row.pk}/change/", {"cap": "99"}, follow=True)
    assert "1 waiting document goes on now." in text(answer)
    assert (books.budget(cast.a), make.reload(document).error_code) == (99_000_000, "")
    client.post(f"{BUDGETS}{row.pk}/change/", {"cap": ""})
    assert books.budget(cast.a) is None


@pytest.mark.parametrize("cap", ["-1", "0.001", "lots", "12345678901234", "NaN"])
def test_an_amount_that_is_none_is_refused(cast: make.Cast, tom: User, cap: str) -> None:
    answer = cast.page(tom).post(f"{BUDGETS}add/", {"tenant": str(cast.a.pk), "cap": cap})
    assert answer.status_code == 200
    assert "errorlist" in text(answer)
    assert books.budget(cast.a) is None


def test_a_tenant_has_one_budget_and_it_stays_with_the_tenant(cast: make.Cast, tom: User) -> None:
    books.cap(cast.a, FORM)
    client = cast.page(tom)
    answer = client.post(f"{BUDGETS}add/", {"tenant": str(cast.a.pk), "cap": "3"})
    assert "has a budget already" in text(answer)
    with scope.everything():
        row = Budget.objects.get()
    client.post(f"{BUDGETS}{row.pk}/change/", {"tenant": str(cast.b.pk), "cap": "3"})
    assert (books.budget(cast.a), books.budget(cast.b)) == (3_000_000, None)
    assert client.post(f"{BUDGETS}{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_another_tenants_budget_is_out_of_reach(cast: make.Cast, tom: User) -> None:
    books.cap(cast.b, FORM)
    with scope.everything():
        row = Budget.objects.get()
    client = cast.page(tom)
    assert "Birch" not in text(client.get(BUDGETS))
    assert client.post(f"{BUDGETS}{row.pk}/change/", {"cap": "3"}).status_code in {302, 403, 404}
    answer = client.post(f"{BUDGETS}add/", {"tenant": str(cast.b.pk), "cap": "3"})
    assert "errorlist" in text(answer)
    assert books.budget(cast.b) == FORM


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SUPERVISOR, Role.REVIEWER, Role.UPLOADER])
def test_others_set_no_budget(cast: make.Cast, role: str) -> None:
    books.cap(cast.a, FORM)
    with scope.everything():
        row = Budget.objects.get()
    client = cast.page(make.user(cast.a, role))
    for path in (f"{BUDGETS}add/", f"{BUDGETS}{row.pk}/change/"):
        assert client.post(path, {"tenant": str(cast.a.pk), "cap": "3"}).status_code in {302, 403}
    assert books.budget(cast.a) == FORM


def test_the_list_shows_where_each_budget_stands(cast: make.Cast, root: User) -> None:
    books.cap(cast.a, 10 * FORM)
    books.cap(cast.b, None)
    books.charge(costs.entry(books.saved(cast.a), pages=8))
    books.reserve(books.planned(cast.a))
    page = text(cast.page(root).get(BUDGETS))
    for words in ("$0.50", "$0.40 (90%)", "$0.05"):
        assert words in page


# --- The ledger ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.TENANT_ADMIN])
def test_the_ledger_is_read_by_those_who_audit_and_changed_by_nobody(cast: make.Cast, root: User, role: str) -> None:
    books.charge(costs.entry(books.saved(cast.a), pages=3))
    books.charge(costs.entry(books.saved(cast.b, []), pages=77))
    [line], [other] = books.lines(cast.a), books.lines(cast.b)
    client = cast.page(make.user(cast.a, role))
    for path in (CHARGES, MONTHS):
        page = text(client.get(path))
        assert "$0.15" in page
        assert "Birch" not in page
        assert client.get(f"{path}add/").status_code == 403
    assert client.get(f"{CHARGES}{line.pk}/change/").status_code == 200
    assert client.get(f"{CHARGES}{other.pk}/change/").status_code in {302, 404}
    for who in (client, cast.page(root)):
        assert who.post(f"{CHARGES}{line.pk}/change/", {"micro_dollars": "0"}).status_code == 403
        assert who.post(f"{CHARGES}{line.pk}/delete/", {"post": "yes"}).status_code == 403
    assert books.lines(cast.a)[0].micro_dollars == 150_000


def test_the_ledger_by_month_tenant_and_document(cast: make.Cast, root: User) -> None:
    from datetime import UTC, datetime

    now, then = books.saved(cast.a), books.saved(cast.b)
    books.charge(costs.entry(now, pages=1))
    books.charge(costs.entry(then, pages=1), at=datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC))
    client = cast.page(root)
    shown = {
        query: [str(line.document_id) for line in client.get(f"{CHARGES}{query}").context["cl"].result_list]
        for query in ("", "?month=2026-01", "?month=all", f"?month=all&tenant={cast.a.pk}", "?month=all&q=nobody")
    }
    a, b = str(now.document_id), str(then.document_id)
    assert list(shown.values()) == [[a], [b], [a, b], [a], []]
    found = client.get(f"{CHARGES}?month=all&q={b}").context["cl"].result_list
    assert [str(line.document_id) for line in found] == [b]
    assert [f"{row.month:%Y-%m}" for row in client.get(f"{MONTHS}?month=2026-01").context["cl"].result_list] == [
        "2026-01"
    ]


@pytest.mark.parametrize("query", ["?month=2026-13", "?month=x", "?tenant=x"])
def test_a_filter_that_means_nothing_leads_back(cast: make.Cast, root: User, query: str) -> None:
    answer = cast.page(root).get(f"{CHARGES}{query}")
    assert (answer.status_code, answer["Location"]) == (302, f"{CHARGES}?e=1")


# --- Prices -------------------------------------------------------------------------------------------------------


def test_a_platform_admin_gives_prices_a_new_version(cast: make.Cast, root: User) -> None:
    client = cast.page(root)
    page = client.get(f"{PRICES}add/")
    offered = page.context["adminform"].form.initial["text"]
    assert list(yaml.safe_load(offered)) == list(prices.MEMBERS)
    assert yaml.safe_load(offered) == yaml.safe_load((prices.FOLDER / "us.yaml").read_text())
    changed = yaml.safe_load(offered) | {"expense": [{"above": 0, "price": 12_000}]}
    answer = client.post(f"{PRICES}add/", {"text": yaml.safe_dump(changed)}, follow=True)
    assert answer.status_code == 200
    made = PriceTable.objects.get(group="us", version=2)
    assert (made.made_by, costs.price([], "AnalyzeExpense")) == ("user:root", 12_000)
    with scope.everything():
        told = AuditEvent.objects.get(kind="SETTINGS_CHANGED")
    assert (told.tenant_id, told.actor) == (PLATFORM, "user:root")
    assert told.codes == {"target": "prices:us", "change": "added", "version": 2}
    assert "12000" in text(client.get(f"{PRICES}{made.pk}/change/"))
    client.post(f"{PRICES}add/", {"text": yaml.safe_dump(changed)})
    assert PriceTable.objects.count() == 3
    with scope.everything():
        assert AuditEvent.objects.filter(kind="SETTINGS_CHANGED").count() == 1


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("group: [", "This is not YAML"),
        ("just words", "A price table is a mapping"),
        ("group: us", "is missing"),
        (yaml.safe_dump(yaml.safe_load((prices.FOLDER / "us.yaml").read_text()) | {"text": []}), "text begins above 0"),
        (yaml.safe_dump(yaml.safe_load((prices.FOLDER / "us.yaml").read_text()) | {"group": "x"}), "belongs to the group us"),
        ("", "required"),
    ],
)  # fmt: skip
def test_prices_that_cannot_be_used_are_refused_with_a_sentence(
    cast: make.Cast, root: User, given: str, sentence: str
) -> None:
    answer = cast.page(root).post(f"{PRICES}add/", {"text": given})
    assert answer.status_code == 200
    assert sentence in text(answer)
    assert PriceTable.objects.count() == 2


def test_no_version_is_edited_and_tenant_admins_have_no_prices(cast: make.Cast, root: User, tom: User) -> None:
    row = PriceTable.objects.get(group="us")
    client = cast.page(root)
    assert client.post(f"{PRICES}{row.pk}/change/", {"text": "x"}).status_code == 403
    assert client.post(f"{PRICES}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    for path in (PRICES, f"{PRICES}add/", f"{PRICES}{row.pk}/change/"):
        assert cast.page(tom).get(path).status_code == 403
