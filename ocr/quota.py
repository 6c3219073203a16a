"""The shared token bucket of each Textract operation: how many calls may go out now, on all hosts together.

One row per account, region and operation. Tokens fill at `rate`, on the database's clock, up to one second's worth; a call takes one
in the transaction that claims its document. When AWS throttles, the rate falls to what AWS let through; afterwards it climbs back
to that point, waits there, and then feels its way on: a cubic curve, as TCP's. Throttles never cost a document an attempt.
*Source of the curve: RFC 9438, CUBIC; of the presets: AWS General Reference, Amazon Textract endpoints and quotas.*
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

from django.conf import settings
from django.db import connection, transaction

from audit import log, prepared, trail
from audit.models import Kind
from ocr.models import Quota
from tenants.changes import PLATFORM

ACCOUNT = "default"
STOPPED_SECONDS = 60  # after a configuration error one call in this time asks whether it was mended
JOBS_FULL_SECONDS = 60
LEAST_SHARE = 0.2  # the rate never falls below this share of what is granted: else chance throttles would starve it
# RFC 9438 4.6 has 0.7, for networks whose room nobody knows. Here the share of refusals says how much got through, and a few of them
# are mostly calls that were held up and arrived together: a deep fall would cost more of the quota than it spares.
FALL = 0.9
# Calls a second per second cubed: after a fall from 25 a second, 25 are reached again in 4 s, and half as much again 7 s later.
CURVE = 0.035
FALL_EVERY_SECONDS = 2.0  # calls that were out already when the rate fell say nothing new
SETTLED_SECONDS = 5.0  # after a fall: the share of refusals is that of the lower rate only
ANY_RATE = 2  # times what is granted: no rate is as high
BURST_SECONDS = 1.0
RESERVED = 0.2  # the share of a bucket that is left to urgent work, unless an administrator says otherwise
LEAST_WAIT_SECONDS = 0.1  # before asking an empty bucket again: a few tokens at a time cost less than each by itself

GET_TEXT, GET_ANALYSIS = "GetDocumentTextDetection", "GetDocumentAnalysis"
START_TEXT, START_ANALYSIS = "StartDocumentTextDetection", "StartDocumentAnalysis"
DETECT, ANALYZE = "DetectDocumentText", "AnalyzeDocument"
EXPENSE, IDENTITY = "AnalyzeExpense", "AnalyzeID"
START_EXPENSE, GET_EXPENSE = "StartExpenseAnalysis", "GetExpenseAnalysis"
START_LENDING, GET_LENDING = "StartLendingAnalysis", "GetLendingAnalysis"
OPERATIONS = (
    ANALYZE, DETECT, START_ANALYSIS, START_TEXT, GET_ANALYSIS, GET_TEXT,
    EXPENSE, IDENTITY, START_EXPENSE, GET_EXPENSE, START_LENDING, GET_LENDING,
)  # fmt: skip

# Calls a second by region; the last row is for every other one. Source: AWS General Reference, undated copy; all can be raised.
_PRESETS: Mapping[str, tuple[float, ...]] = {
    "us-east-1": (10, 25, 10, 15, 10, 25, 5, 5, 5, 5, 5, 25),
    "us-west-2": (10, 25, 10, 15, 10, 25, 5, 5, 5, 5, 5, 25),
    "us-east-2": (10, 10, 10, 5, 10, 10, 1, 1, 1, 5, 1, 5),
    "eu-west-1": (5, 5, 5, 5, 5, 5, 1, 1, 1, 5, 1, 5),
    "ap-south-1": (5, 5, 5, 5, 5, 5, 1, 1, 1, 5, 1, 5),
    "": (1, 1, 2, 1, 5, 5, 1, 1, 1, 5, 1, 5),
}
_JOBS: Mapping[str, int] = {"us-east-1": 600, "us-west-2": 600}
_OTHER_JOBS = 100


@dataclass(frozen=True, slots=True)
class Grant:
    """What may go out now: `calls`, and after how many seconds to ask again when that was less than wanted."""

    calls: int
    wait_seconds: float


def preset(region: str, operation: str) -> tuple[float, int]:
    """Calls a second and concurrent jobs that AWS grants by default; jobs are 0 where the operation has none."""
    rates = _PRESETS.get(region, _PRESETS[""])
    jobs = _JOBS.get(region, _OTHER_JOBS) if operation.startswith("Start") else 0
    return rates[OPERATIONS.index(operation)], jobs


def ensure(region: str = "") -> None:
    """Write the region's presets where there is no row yet; what an administrator has set stays."""
    region = region or settings.AWS_REGION
    granted = settings.TEXTRACT_TPS
    with connection.cursor() as cursor:
        for operation in OPERATIONS:
            rate, jobs = preset(region, operation)
            rate = granted or rate
            cursor.execute(_ENSURE, [ACCOUNT, region, operation, rate, jobs, settings.QUOTA_SHARE, rate, rate])


_ENSURE = f"""
    INSERT INTO ocr_quota (account, region, operation, granted, jobs_granted, share, reserved, rate, peak, fell_from, fell_share,
                           tokens, filled_at, throttles, stopped_code)
    VALUES (%s, %s, %s, %s, %s, %s, {RESERVED}, %s, 0, 0, 0, %s, clock_timestamp(), 0, '')
    ON CONFLICT (account, region, operation) DO NOTHING
"""

# What the rate has climbed to since the last throttle. Before any throttle it is all that may be used.
_CLIMBED = """
    least(granted * share, CASE WHEN throttled_at IS NULL THEN granted * share ELSE greatest(
        granted * {least}, peak + {curve} * power(
            extract(epoch FROM now - throttled_at)::float8 - power(peak * {fallen} / {curve}, 1.0 / 3), 3)) END)
""".format(least=LEAST_SHARE, curve=CURVE, fallen=1 - FALL)  # noqa: UP032  named parts read better here

# The bucket holds a second's worth, at least one call: a lower burst would waste time slices, a higher one be throttled.
_TAKE = f"""
    WITH clock AS MATERIALIZED (SELECT clock_timestamp() AS now),
    held AS MATERIALIZED (
        SELECT quota.*, now FROM ocr_quota AS quota, clock
         WHERE account = $1 AND region = $2 AND operation = $3 FOR UPDATE OF quota
    ),
    climbed AS (SELECT held.*, {_CLIMBED} AS climbed FROM held),
    filled AS (
        SELECT climbed.*, greatest(1.0, climbed * {BURST_SECONDS}) AS burst,
               least(greatest(1.0, climbed * {BURST_SECONDS}), tokens + climbed * extract(epoch FROM now - filled_at)::float8) AS full_
          FROM climbed
    ),
    granted AS (
        SELECT filled.*, CASE WHEN stopped_until > now THEN 0 WHEN stopped_code <> '' THEN least(1, $4::int) ELSE
               least($4::int, greatest(0, floor(full_ - burst * (CASE WHEN $5::boolean OR burst < 2 THEN 0
                                                                  ELSE greatest(reserved, $6::float8) END))))
               END::int AS calls
          FROM filled
    )
    UPDATE ocr_quota AS quota SET rate = climbed, tokens = full_ - calls, filled_at = now,
           stopped_until = CASE WHEN quota.stopped_code <> '' AND calls > 0
                                THEN now + interval '{STOPPED_SECONDS} seconds' ELSE quota.stopped_until END
      FROM granted WHERE quota.id = granted.id
 RETURNING calls, quota.stopped_code <> '',
           CASE WHEN granted.stopped_until > now THEN extract(epoch FROM granted.stopped_until - now)::float8 ELSE 1.0 / climbed END
"""


def take(operation: str, wanted: int, *, urgent: bool = False, kept: float = 0.0) -> Grant:
    """Take up to `wanted` calls out of the operation's bucket; in the transaction of the caller, whose end makes room for others.

    Who is not `urgent` leaves the row's reserved share of the bucket, or `kept` (0-1) where that is more, to others. An operation
    whose configuration is wrong grants one call a minute, to see whether it was mended.
    """
    if wanted <= 0:
        return Grant(0, 0.0)
    found = prepared.fetch(_TAKE, ACCOUNT, settings.AWS_REGION, operation, wanted, urgent, kept)
    if not found:
        ensure()
        return take(operation, wanted, urgent=urgent, kept=kept)
    [(calls, is_stopped, wait)] = found
    if is_stopped:
        _probing.add(operation)
    _remember(operation, sent=int(calls))
    return Grant(int(calls), 0.0 if calls == wanted else max(LEAST_WAIT_SECONDS, float(wait)))


def room_for_jobs(operation: str) -> int:
    """How many further jobs may be open: 90 % of what AWS grants, half of it for a minute after AWS said there were too many."""
    with connection.cursor() as cursor:
        cursor.execute(_ROOM, [ACCOUNT, settings.AWS_REGION, operation])
        row = cursor.fetchone()
    if row is None:
        ensure()
        return room_for_jobs(operation)
    return max(0, int(row[0]))


_ROOM = """
    SELECT floor(jobs_granted * (CASE WHEN jobs_full_until > clock_timestamp() THEN 0.45 ELSE 0.9 END))
           - (SELECT count(*) FROM ocr_extraction WHERE state = 'started' AND operation LIKE 'Start%%')
      FROM ocr_quota WHERE account = %s AND region = %s AND operation = %s
"""

# The rate falls to what got through, at most once in a while: later refusals of the same flight say the same. Refusals that do not
# grow fewer when the rate is lower are not about the rate, and lowering it further would only waste the quota: once they were seen
# so, the rate climbs back, and as many are put up with at any rate. Many more are about the rate again.
_THROTTLED = f"""
    WITH held AS MATERIALIZED (
        SELECT id, granted, rate,
               coalesce(throttled_at > clock_timestamp() - interval '{FALL_EVERY_SECONDS} seconds', false) AS fresh,
               throttled_at < clock_timestamp() - interval '{SETTLED_SECONDS} seconds' AS settled,
               rate < fell_from * 0.85 AND fell_share > 0
               AND %(refused)s BETWEEN fell_share * 0.4 AND fell_share * 1.3 + 0.05 AS by_chance
          FROM ocr_quota WHERE account = %(account)s AND region = %(region)s AND operation = %(operation)s FOR UPDATE
    ), fallen AS (SELECT *, NOT fresh AND NOT by_chance AS falls FROM held)
    UPDATE ocr_quota AS quota SET
        throttles = throttles + %(count)s,
        tokens = CASE WHEN falls THEN least(tokens, 0) ELSE tokens END,
        peak = CASE WHEN falls THEN greatest(fallen.granted * {LEAST_SHARE}, fallen.rate * (1 - %(refused)s)) ELSE peak END,
        fell_from = CASE WHEN falls THEN fallen.rate WHEN by_chance AND settled THEN fallen.granted * {ANY_RATE} ELSE fell_from END,
        fell_share = CASE WHEN falls THEN %(refused)s ELSE fell_share END,
        throttled_at = CASE WHEN falls THEN clock_timestamp() ELSE throttled_at END
      FROM fallen WHERE quota.id = fallen.id
"""


def throttled(operation: str, *, count: int, refused: float) -> None:
    """AWS refused `count` calls as too many, the share `refused` (0-1) of those that were sent of late: the rate falls by that, and
    a little further."""
    asked: dict[str, str | int | float | bool] = {
        "account": ACCOUNT,
        "region": settings.AWS_REGION,
        "operation": operation,
        "count": count,
        "refused": min(max(refused, 0.0), 1.0),
    }
    with connection.cursor() as cursor:
        cursor.execute(_THROTTLED, asked)
    log.event("throttled", operation=operation, count=count)


CONFIGURATION = {"access_denied", "kms_key", "credentials"}  # the operation is stopped: no document is to blame
_REMEMBERED_SECONDS = 3.0
_calls: dict[str, deque[tuple[float, int, int]]] = {}  # of late in this process: when, how many sent, how many refused
_probing: set[str] = set()  # operations that this process found stopped
_remembering = Lock()


def learn(operation: str, code: str, *, count: int) -> None:
    """Take note of how `count` calls ended: '' for well, else the code of textract.Busy. In the caller's transaction."""
    if code == "throttled":
        throttled(operation, count=count, refused=_remember(operation, refused=count))
    elif code == "job_limit":
        jobs_full(operation)
    elif code in CONFIGURATION:
        _probing.add(operation)
        stopped(operation, code)
    elif not code and operation in _probing:
        _probing.discard(operation)
        works(operation)


def _remember(operation: str, *, sent: int = 0, refused: int = 0) -> float:
    """Note calls that go out or were refused; which share of those that went out in the last seconds was refused.

    Refusals come at once and answers after seconds: among what came back the refused would be far more than among what was sent.
    """
    now = time.monotonic()
    with _remembering:
        seen = _calls.setdefault(operation, deque())
        if sent or refused:
            seen.append((now, sent, refused))
        while seen and seen[0][0] < now - _REMEMBERED_SECONDS:
            seen.popleft()
        bad = sum(number for _at, _sent, number in seen)
        return bad / max(1, bad, sum(number for _at, number, _refused in seen))


def set_granted(row: Quota, *, granted: float, share: float, reserved: float, jobs_granted: int, actor: str) -> None:
    """Set what AWS grants, as an administrator knows it, with its audit row. What was learned from throttles is forgotten, and an
    operation that a wrong configuration had stopped is tried again at once."""
    with transaction.atomic():
        Quota.objects.filter(pk=row.pk).update(
            granted=granted,
            share=share,
            reserved=reserved,
            jobs_granted=jobs_granted,
            rate=granted * share,
            peak=0,
            fell_from=0,
            fell_share=0,
            throttled_at=None,
            jobs_full_until=None,
            stopped_code="",
            stopped_until=None,
        )
        codes = {"target": f"quota:{row.region}:{row.operation}", "change": "changed", "count": round(granted * 1000)}
        trail.record(Kind.SETTINGS_CHANGED, tenant_id=PLATFORM, actor=actor, codes=codes)


def jobs_full(operation: str) -> None:
    """AWS has too many open jobs of ours: use half of them for a minute."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ocr_quota SET jobs_full_until = clock_timestamp() + %s * interval '1 second' "
            "WHERE account = %s AND region = %s AND operation = %s",
            [JOBS_FULL_SECONDS, ACCOUNT, settings.AWS_REGION, operation],
        )


def stopped(operation: str, code: str) -> None:
    """The account's configuration refuses the operation (rights, KMS, credentials): stop it, and say so until a call succeeds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ocr_quota SET stopped_code = %s, stopped_until = clock_timestamp() + %s * interval '1 second' "
            "WHERE account = %s AND region = %s AND operation = %s",
            [code, STOPPED_SECONDS, ACCOUNT, settings.AWS_REGION, operation],
        )
    log.event("operation_stopped", level=logging.ERROR, operation=operation, code=code)


def works(operation: str) -> None:
    """A call went through: whatever stopped the operation is mended."""
    changed = Quota.objects.filter(account=ACCOUNT, region=settings.AWS_REGION, operation=operation).exclude(
        stopped_code=""
    )
    if changed.update(stopped_code="", stopped_until=None):
        log.event("operation_works_again", operation=operation)


def stops() -> list[Quota]:
    """The operations that a configuration error has stopped."""
    return list(Quota.objects.exclude(stopped_code=""))
