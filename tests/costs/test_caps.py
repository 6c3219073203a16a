"""The monthly cap: it is never overrun, it stops new documents only, and raising it sets them going."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from django.db import connection, connections, transaction
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from ocr import costs, lifecycle, notices
from ocr.models import Budget, Charge, Document, Extraction, Status
from tenants import scope
from tenants.models import Role
from tests import make
from tests.costs import books
from tests.engine import Engine

pytestmark = pytest.mark.django_db
FORM = 50_000  # micro-dollars: one page with FORMS


def test_without_a_cap_everything_may_start(cast: make.Cast) -> None:
    runs = [books.planned(cast.a, pages=1000) for _ in range(3)]
    with scope.everything(), CaptureQueriesContext(connection) as queries:
        granted = costs.reserve(runs, pages={run.document_id: 1000 for run in runs})
    assert granted == runs
    assert [run.estimate_micro_dollars for run in runs] == [1000 * FORM] * 3
    # One for the budgets; the others look at prices and tiers, once a minute, in a scope that is there already. A connection prepares
    # each statement once.
    assert len([each for each in queries if not each["sql"].startswith("PREPARE ")]) == 6
    assert books.left(cast.a) is None
    with scope.everything(), CaptureQueriesContext(connection) as queries:
        costs.reserve(runs, pages={run.document_id: 1000 for run in runs})
    assert len(queries) == 1


def test_what_is_in_flight_counts_before_it_is_charged(cast: make.Cast) -> None:
    books.cap(cast.a, 3 * FORM)
    assert books.left(cast.a) == 3 * FORM
    first, second = books.planned(cast.a), books.planned(cast.a)
    assert books.reserve(first, second) == [first, second]
    assert books.left(cast.a) == FORM
    assert books.reserve(books.planned(cast.a, pages=2)) == []
    assert books.reserve(books.planned(cast.a)) != []
    assert (books.left(cast.a), books.reserve(books.planned(cast.a))) == (0, [])


def test_a_small_document_passes_one_that_does_not_fit(cast: make.Cast) -> None:
    books.cap(cast.a, 3 * FORM)
    large, small, other = books.planned(cast.a, pages=9), books.planned(cast.a), books.planned(cast.b, pages=99)
    assert books.reserve(large, other, small) == [other, small]


def test_an_estimate_becomes_a_charge_in_one_step(cast: make.Cast) -> None:
    books.cap(cast.a, 3 * FORM)
    run = books.planned(cast.a, pages=2)
    books.reserve(run)
    for state in (Extraction.State.PLANNED, Extraction.State.STARTED):
        books.reading(run, state)
        assert books.left(cast.a) == FORM
    with scope.everything():
        Extraction.objects.filter(pk=run.pk).update(state=Extraction.State.COLLECTED, pages=2)
        costs.charge([costs.entry(run, pages=2)])
    assert books.left(cast.a) == FORM


def test_an_uncertain_charge_counts_as_spent(cast: make.Cast) -> None:
    books.cap(cast.a, FORM)
    run = books.planned(cast.a)
    books.reserve(run)
    with scope.everything():
        Extraction.objects.filter(pk=run.pk).update(state=Extraction.State.FAILED, charge_uncertain=True)
        costs.charge([costs.entry(run, pages=1, kind=Charge.Kind.UNCERTAIN)])
    assert books.left(cast.a) == 0


def test_nothing_stays_set_aside_for_work_that_ended(cast: make.Cast) -> None:
    """Neither for a refused extraction, nor for a planned one whose document was given up (a crash, an endpoint out of reach)."""
    books.cap(cast.a, 2 * FORM)
    refused, given_up = books.planned(cast.a), books.planned(cast.a)
    books.reserve(refused, given_up)
    assert books.left(cast.a) == 0
    books.reading(refused, Extraction.State.FAILED)
    assert books.left(cast.a) == FORM
    with scope.everything():
        document = lifecycle.of(given_up.document_id)
        lifecycle.move(document, Status.FAILED, actor="system", expected_version=document.version, reason="start")
    assert books.left(cast.a) == 2 * FORM


def test_a_planned_one_is_let_through_again_and_counted_once(cast: make.Cast) -> None:
    books.cap(cast.a, FORM)
    run = books.planned(cast.a)
    assert books.reserve(run) == books.reserve(run) == [run]
    assert books.left(cast.a) == 0
    books.cap(cast.a, FORM - 1)
    assert books.reserve(run) == []


def test_last_months_spending_is_forgotten(cast: make.Cast) -> None:
    from datetime import UTC, datetime

    books.cap(cast.a, 2 * FORM)
    books.charge(costs.entry(books.saved(cast.a), pages=2), at=datetime(2020, 1, 1, tzinfo=UTC))
    saved = books.left(cast.a)
    books.charge(costs.entry(books.saved(cast.a), pages=1))
    assert (saved, books.left(cast.a)) == (2 * FORM, FORM)


def test_money_is_set_aside_in_a_transaction_only(cast: make.Cast, transactional_db: None) -> None:
    run = books.planned(cast.a)
    with pytest.raises(transaction.TransactionManagementError):
        costs.reserve([run], pages={run.document_id: 1})


@pytest.mark.django_db(transaction=True)
def test_many_workers_together_stay_within_the_cap(cast: make.Cast) -> None:
    """Eight threads reserve for two tenants, in different orders, each run in a transaction of its own."""
    books.cap(cast.a, 10 * FORM)
    books.cap(cast.b, 7 * FORM)
    mine = [
        [books.planned(where) for _ in range(3) for where in ((cast.a, cast.b) if n % 2 else (cast.b, cast.a))]
        for n in range(8)
    ]
    barrier, granted, errors = Barrier(8), [], []

    def work(runs: list[Extraction]) -> None:
        try:
            barrier.wait(30)
            for start in range(0, len(runs), 2):
                granted.extend(books.reserve(*runs[start : start + 2]))
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [Thread(target=work, args=(runs,)) for runs in mine]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert errors == []
    assert sorted(run.tenant.name for run in granted) == ["Alder"] * 10 + ["Birch"] * 7
    assert (books.left(cast.a), books.left(cast.b)) == (0, 0)


# --- Waiting and waking -------------------------------------------------------------------------------------------


def test_documents_of_a_tenant_without_money_wait_and_say_so(cast: make.Cast) -> None:
    books.cap(cast.a, 0)
    poor, rich = make.receive(cast.a).document, make.receive(cast.b).document
    held = make.receive(cast.a).document
    with scope.everything():
        Document.objects.filter(pk=held.pk).update(lease_until="2999-01-01T00:00:00Z")
        assert costs.put_off([cast.a.pk]) == 1
        assert costs.put_off([cast.a.pk]) == 0
        assert costs.put_off([]) == 0
        now = lifecycle.database_now()
    waiting = make.reload(poor)
    assert (waiting.status, waiting.step, waiting.error_code, waiting.version) == (
        "received",
        "start",
        "monthly_cap",
        1,
    )
    assert waiting.due_at is not None
    assert 590 < (waiting.due_at - now).total_seconds() <= 600
    assert (make.reload(rich).error_code, make.reload(held).error_code) == ("", "")


def test_a_long_queue_is_put_off_at_once_where_not_even_a_page_fits(cast: make.Cast) -> None:
    queue = [make.receive(cast.a).document for _ in range(3)]
    books.cap(cast.a, 2 * FORM)
    large = books.planned(cast.a, pages=3)
    assert books.reserve(large) == []
    assert {make.reload(each).error_code for each in queue} == {""}  # two pages would fit
    first, second = books.planned(cast.a, pages=2), books.planned(cast.a)
    with scope.everything():
        for run in (first, second):  # as if leased: the caller sees to these itself
            Document.objects.filter(pk=run.document_id).update(lease_until="2999-01-01T00:00:00Z")
    assert books.reserve(first, second) == [first]
    assert {make.reload(each).error_code for each in queue} == {"monthly_cap"}
    assert {make.reload(run.document).error_code for run in (first, second)} == {""}


def test_a_higher_cap_sets_them_going_and_tells_the_workers(cast: make.Cast) -> None:
    books.cap(cast.a, 0)
    for priority in ("high", "low", "low"):
        make.receive(cast.a, priority=priority)
    other = make.receive(cast.b).document
    told: list[tuple[str, list[str]]] = []
    with scope.everything():
        assert costs.put_off([cast.a.pk, cast.b.pk]) == 4
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(notices, "tell_all", lambda channel, payloads: told.append((channel, list(payloads))))
            assert costs.set_cap(cast.a, 5 * FORM, actor="user:tom") == 3
        due = Document.objects.filter(due_at__lte=Now(), error_code="").values_list("tenant__name", flat=True)
        assert sorted(due) == ["Alder"] * 3
    assert told == [(notices.DUE, ["high", "low"])]
    assert make.reload(other).error_code == "monthly_cap"


def test_each_change_of_a_cap_is_in_the_trail_once(cast: make.Cast) -> None:
    for amount in (5 * FORM, 5 * FORM, None):
        books.cap(cast.a, amount)
    with scope.everything():
        rows = AuditEvent.objects.filter(kind="TENANT_CHANGED", tenant_id=cast.a.pk).order_by("seq")
        codes = [(row.actor, row.codes["fields"], row.codes["from"], row.codes["to"]) for row in rows]
        assert Budget.objects.count() == 1
    fields = ["monthly_cap"]
    assert codes == [("user:tom", fields, None, 5 * FORM), ("user:tom", fields, 5 * FORM, None)]
    assert books.left(cast.a) is None


def test_reviewing_goes_on_without_money(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    books.cap(cast.a, 0)
    reviewer = make.user(cast.a, Role.REVIEWER)
    client = cast.page(reviewer)
    assert client.get(f"/review/{document.pk}/").status_code == 200
    decided = make._decided(document, "approved", reviewer)
    assert decided.status == "approved"


def test_another_tenants_budget_is_out_of_sight(cast: make.Cast) -> None:
    books.cap(cast.a, 5 * FORM)
    with scope.scope([cast.b.pk]):
        assert costs.allowance([cast.a.pk]) == {cast.a.pk: None}
        assert Budget.objects.count() == 0
        assert costs.notices_of(costs.budgets(cast.ben)) == []
