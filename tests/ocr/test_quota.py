"""One bucket for all hosts: it fills on the database's clock, falls when AWS throttles, and climbs back by itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from audit.models import AuditEvent
from ocr import pipeline, quota, watch
from ocr.models import Document, Quota
from tenants import scope
from tests import engine as stub
from tests import make
from tests.engine import START, Engine

pytestmark = pytest.mark.django_db
OPERATION = quota.ANALYZE


@pytest.fixture(autouse=True)
def granted(settings: Any) -> None:
    """AWS grants 20 calls a second; all of it is used."""
    settings.TEXTRACT_TPS, settings.QUOTA_SHARE = 20, 1.0
    Quota.objects.all().delete()
    quota.ensure()
    quota._calls.clear()


def _row() -> Quota:
    return Quota.objects.get(operation=OPERATION)


def _ago(seconds: float) -> None:
    """So much time passes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ocr_quota SET filled_at = filled_at - %s * interval '1 second', "
            "throttled_at = throttled_at - %s * interval '1 second', stopped_until = stopped_until - %s * interval '1 second', "
            "jobs_full_until = jobs_full_until - %s * interval '1 second'",
            [seconds] * 4,
        )


def test_presets_are_those_of_the_region(settings: Any) -> None:
    settings.TEXTRACT_TPS = 0
    for region, analyze, jobs in (("us-east-1", 10, 600), ("eu-west-1", 5, 100), ("sa-east-1", 1, 100)):
        quota.ensure(region)
        rows = {row.operation: row for row in Quota.objects.filter(region=region)}
        assert rows.keys() == set(quota.OPERATIONS)
        if region != settings.AWS_REGION:  # that one was granted 20 above
            assert (rows[OPERATION].granted, rows["StartDocumentAnalysis"].jobs_granted) == (analyze, jobs)


def test_what_the_administrator_set_stays() -> None:
    Quota.objects.filter(operation=OPERATION).update(granted=7)
    quota.ensure()
    assert _row().granted == 7


def test_a_burst_is_a_seconds_worth_and_then_the_rate() -> None:
    assert quota.take(OPERATION, 100, urgent=True).calls == 20
    empty = quota.take(OPERATION, 5, urgent=True)
    assert empty.calls == 0 and empty.wait_seconds > 0
    _ago(0.5)
    assert quota.take(OPERATION, 100, urgent=True).calls in {10, 11}
    _ago(3600)
    assert quota.take(OPERATION, 100, urgent=True).calls == 20


def test_a_share_is_kept_for_urgent_work() -> None:
    assert quota.take(OPERATION, 100).calls == 16
    assert quota.take(OPERATION, 100).calls == 0
    assert quota.take(OPERATION, 100, urgent=True).calls == 4


@pytest.mark.django_db(transaction=True)
def test_many_hosts_together_take_no_more_than_there_is() -> None:
    barrier = Barrier(8)

    def take(_number: int) -> int:
        barrier.wait(20)
        got = sum(quota.take(OPERATION, 3, urgent=True).calls for _ in range(4))
        connection.close()
        return got

    Quota.objects.update(granted=0.01, tokens=0.01)
    Quota.objects.update(granted=0.01, tokens=1.0)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(8))) == 1


def test_after_a_throttle_the_rate_falls_to_what_got_through_and_climbs_back() -> None:
    quota.throttled(OPERATION, count=5, refused=0.5)
    quota.take(OPERATION, 1)
    fallen = _row()
    assert 8.7 < fallen.rate < 9.3  # half got through, and 90 % of that
    _ago(5)
    quota.take(OPERATION, 1)
    assert 9.5 < _row().rate < 10.5  # the plateau: what got through then
    _ago(5)
    quota.take(OPERATION, 1)
    assert _row().rate > 12
    _ago(60)
    quota.take(OPERATION, 1)
    assert _row().rate == 20  # never above what is granted


def test_a_few_refusals_before_the_first_answer_are_a_few_of_many() -> None:
    """The answers to the others take seconds: nothing but refusals has come back yet."""
    assert quota.take(OPERATION, 20, urgent=True).calls == 20
    quota.learn(OPERATION, "throttled", count=4)
    assert _row().peak == 16


def test_calls_that_were_out_already_say_nothing_new() -> None:
    for _ in range(20):
        quota.throttled(OPERATION, count=1, refused=0.5)
    quota.take(OPERATION, 1)
    assert (_row().throttles, _row().peak) == (20, 10)


def test_refusals_by_chance_do_not_starve_the_work() -> None:
    """The same share is refused although the rate is half of what it was: the rate is not the reason."""
    for _ in range(12):
        quota.throttled(OPERATION, count=3, refused=0.3)
        _ago(3)
        quota.take(OPERATION, 1)
    assert _row().rate >= 0.95 * _row().granted


def test_refusals_by_chance_leave_what_is_in_the_bucket() -> None:
    """Else each of them would make everything wait until the share of urgent work is there again."""
    quota.throttled(OPERATION, count=3, refused=0.3)
    _ago(3)
    assert quota.take(OPERATION, 1).calls == 1
    before = _row().tokens
    quota.throttled(OPERATION, count=3, refused=0.3)
    assert _row().tokens == before > 4


def test_many_more_refusals_than_by_chance_are_about_the_rate() -> None:
    test_refusals_by_chance_do_not_starve_the_work()
    quota.throttled(OPERATION, count=6, refused=0.6)
    _ago(1)
    quota.take(OPERATION, 1)
    assert _row().rate < 0.5 * _row().granted


def test_refusals_of_calls_sent_before_the_rate_fell_are_not_by_chance() -> None:
    """Soon after a halved quota was found, the share of refusals is still that of the higher rate."""
    for _ in range(2):
        quota.throttled(OPERATION, count=6, refused=0.5)
        _ago(3)
        quota.take(OPERATION, 1)
    assert _row().fell_from <= _row().granted
    _ago(7)
    quota.take(OPERATION, 1)
    climbed = _row().rate
    quota.throttled(OPERATION, count=1, refused=0.1)
    _ago(1)
    quota.take(OPERATION, 1)
    assert _row().rate < climbed


def test_it_never_falls_below_a_fifth() -> None:
    for _ in range(10):
        Quota.objects.update(fell_share=0)
        quota.throttled(OPERATION, count=3, refused=1.0)
        _ago(3)
        quota.take(OPERATION, 1)
    assert _row().rate >= 4


def test_a_wrong_configuration_stops_the_operation_and_is_told(cast: make.Cast, engine: Engine) -> None:
    engine.fail_always(START, stub.error("AccessDeniedException"))
    made = [make.receive(cast.a).document for _ in range(3)]
    for each in made:
        pipeline.advance(cast.a.pk, each.pk)
    assert engine.count(START) == 1
    [stopped] = quota.stops()
    assert (stopped.operation, stopped.stopped_code) == (START, "access_denied")
    textract = next(part for part in watch.parts() if part.name == "textract")
    assert not textract.ready and "access_denied" in textract.says
    assert {make.reload(each).attempts for each in made} == {0}
    engine.mend()
    assert [make.run(each).status for each in made] == ["approved"] * 3
    assert quota.stops() == []


def test_one_probe_a_minute_while_stopped() -> None:
    quota.stopped(OPERATION, "kms_key")
    assert quota.take(OPERATION, 5, urgent=True).calls == 0
    _ago(quota.STOPPED_SECONDS + 1)
    assert quota.take(OPERATION, 5, urgent=True).calls == 1
    assert quota.take(OPERATION, 5, urgent=True).calls == 0


def test_open_jobs_have_a_ceiling(cast: make.Cast, engine: Engine) -> None:
    Quota.objects.filter(operation=START).update(jobs_granted=10)
    assert quota.room_for_jobs(START) == 9
    engine.jobs_end(waits=stub.STUCK)
    started: list[Document] = [make.document(cast.a, "reading") for _ in range(2)]
    with scope.everything():
        assert quota.room_for_jobs(START) == 9 - len(started)
        quota.jobs_full(START)
        assert quota.room_for_jobs(START) == 4 - len(started)
        _ago(quota.JOBS_FULL_SECONDS + 1)
        assert quota.room_for_jobs(START) == 9 - len(started)


def test_platform_admins_say_what_aws_grants_and_the_trail_tells(cast: make.Cast) -> None:
    row = _row()
    quota.throttled(OPERATION, count=1, refused=0.9)
    address = f"/admin/ocr/quota/{row.pk}/change/"
    wanted = {"granted": "40", "share": "0.9", "reserved": "0.2", "jobs_granted": "0"}
    assert cast.page(cast.sue).post(address, wanted).status_code in {302, 403, 404}
    assert _row().granted == 20
    root = make.user(None, username="root", superuser=True)
    assert cast.page(root).get("/admin/ocr/quota/").status_code == 200
    assert cast.page(root).post(address, wanted | {"share": "1.5"}).status_code == 200  # shown again with its error
    assert _row().granted == 20
    assert cast.page(root).post(address, wanted).status_code == 302
    assert (_row().granted, _row().rate, _row().reserved, _row().throttled_at) == (40, 36, 0.2, None)
    with scope.everything():
        told = AuditEvent.objects.filter(kind="SETTINGS_CHANGED").get()
    assert (told.codes["target"], told.actor) == (f"quota:{row.region}:{OPERATION}", "user:root")


def _bucket(tokens: float) -> None:
    """So much is in the bucket of 20, and hardly more comes while a test runs."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ocr_quota SET tokens = %s, filled_at = clock_timestamp()", [tokens])


def test_a_reader_that_helps_takes_only_what_the_lanes_own_reader_leaves(cast: make.Cast, settings: Any) -> None:
    settings.SYNCHRONOUS = True
    for _ in range(4):
        make.receive(cast.a)
    _bucket(9)  # below HELPED_SHARE, above what is kept for urgent work
    helper = pipeline.claim("low", limit=2)
    assert (helper.works, helper.found) == ([], 2)
    assert helper.waits[OPERATION] == pipeline.HELPER_SECONDS
    assert len(pipeline.claim("normal", limit=2).works) == 2
    _bucket(20)
    assert len(pipeline.claim("low", limit=2).works) == 2


def test_a_reader_that_helps_takes_its_own_documents_as_ever(cast: make.Cast, settings: Any) -> None:
    settings.SYNCHRONOUS = True
    made = make.receive(cast.a, priority="low").document
    with scope.everything():
        Document.objects.filter(pk=made.pk).update(operation=OPERATION)
    _bucket(9)
    assert len(pipeline.claim("low", limit=2).works) == 1


def test_an_empty_bucket_is_asked_again_for_some_tokens_together_and_for_urgent_work_soon(
    cast: make.Cast, settings: Any
) -> None:
    settings.SYNCHRONOUS = True
    make.receive(cast.a)
    _bucket(0)
    assert pipeline.claim("normal", limit=2).waits[OPERATION] == pipeline.SOME_TOKENS_SECONDS
    make.receive(cast.a, priority="high")
    _bucket(0)
    assert pipeline.claim("normal", limit=2).waits[OPERATION] < pipeline.SOME_TOKENS_SECONDS
