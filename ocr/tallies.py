"""Counts of documents that are always exact and never count documents: what the dashboard, the lists' totals and the queue show.

A trigger on the documents' table appends each change to ocr_uncounted, once as the document was (-1) and once as it is (+1). `fold`
adds what was appended to the sums in ocr_tally, and to those of all tenants in ocr_platformtally, a bounded number at a time. Whoever
reads adds the two together, in one statement: the answer is exact whether or when anything was folded. MEASURES is the only place
that says what is counted.

Durations are counted in bins, each FINENESS times as long as the one before: a percentile told from them is right to RESOLUTION,
however many documents it is of. Averages are exact.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.db import connection

from audit import log, prepared
from tenants import access, scope

if TYPE_CHECKING:
    from tenants.models import AnyUser

FINENESS = 1.05
RESOLUTION = 0.025  # of the value
SPANS = (30, 210, 900)  # minutes; 48 of each are a day, a week and a month
MINUTE = 1
KEPT = 100  # spans of each length that are kept
STEP = 5000  # changes folded in one statement
LOCK = "SELECT pg_advisory_xact_lock(hashtext('ocr_tally'))"  # one writer of sums at a time: two would wait for each other's rows
TRY_LOCK = LOCK.replace("pg_", "pg_try_")
_BEGIN = "timestamptz '2000-01-01 00:00:00+00'"  # where the first span of every length begins
_NOTED = "tenant_id, sign, at, status, priority, received_at, read_at, finished_at, straight_through, review_reasons"

# What one document adds, from a row as ocr_uncounted has it: to the span in which it was received (30), was read (1), began or
# ceased to wait (30), and to what is so now (0).
MEASURES = f"""
    SELECT noted.tenant_id, measure.base, measure.name, measure.bin,
           CASE measure.base WHEN 0 THEN {_BEGIN}
                ELSE date_bin(make_interval(mins => measure.base), measure.at, {_BEGIN}) END AS at,
           sum(noted.sign) AS n, sum(noted.sign * measure.micros) AS micros
      FROM {{noted}} AS noted
     CROSS JOIN LATERAL (SELECT (extract(epoch FROM noted.read_at - noted.received_at) * 1000000)::bigint AS micros) AS took
     CROSS JOIN LATERAL (SELECT round(ln(greatest(took.micros, 1000) / 1e6) / ln({FINENESS}))::int AS bin) AS length
     CROSS JOIN LATERAL (
         SELECT 30, 'received', noted.received_at, 0, 0::bigint
         UNION ALL
         SELECT 30, 'finished', noted.received_at, 0, 0 WHERE noted.finished_at IS NOT NULL
         UNION ALL
         SELECT 30, 'failed', noted.received_at, 0, 0 WHERE noted.status = 'failed'
         UNION ALL
         SELECT 30, CASE WHEN noted.straight_through THEN 'straight' ELSE 'reviewed' END, noted.received_at, 0, 0
          WHERE noted.straight_through IS NOT NULL
         UNION ALL
         SELECT 30, 'result', noted.received_at, length.bin, took.micros WHERE noted.read_at IS NOT NULL
         UNION ALL
         SELECT 30, 'reason.' || code, noted.received_at, 0, 0
           FROM jsonb_array_elements_text(noted.review_reasons) AS code WHERE NOT noted.straight_through
         UNION ALL
         SELECT 30, 'waiting', noted.at, 0, 0 WHERE noted.status = 'needs_review'
         UNION ALL
         SELECT 1, 'read', noted.read_at, length.bin, took.micros WHERE noted.read_at IS NOT NULL
         UNION ALL
         SELECT 0, 'now.' || noted.status, noted.received_at, noted.priority, 0
     ) AS measure (base, name, at, bin, micros)
     GROUP BY 1, 2, 3, 4, 5
    HAVING sum(noted.sign) <> 0 OR sum(noted.sign * measure.micros) <> 0
"""
# The same for every span that it falls into and that is still kept.
SPREAD = f"""
    SELECT measured.tenant_id, spans.span, measured.name, measured.bin,
           CASE spans.span WHEN 0 THEN measured.at
                ELSE date_bin(make_interval(mins => spans.span), measured.at, {_BEGIN}) END AS at,
           sum(measured.n) AS n, sum(measured.micros) AS micros
      FROM ({MEASURES}) AS measured
      JOIN (VALUES (0, 0), (1, 1), {", ".join(f"(30, {span})" for span in SPANS)}) AS spans (base, span) USING (base)
     WHERE spans.span = 0 OR measured.at >= now() - make_interval(mins => spans.span * {KEPT})
     GROUP BY 1, 2, 3, 4, 5
"""
FOLD = f"""
    WITH taken AS (
        DELETE FROM ocr_uncounted WHERE id IN (SELECT id FROM ocr_uncounted ORDER BY id LIMIT %(step)s) RETURNING *
    ), spread AS ({SPREAD.format(noted="taken")}), added AS (
        INSERT INTO ocr_tally AS tally (tenant_id, span, name, bin, at, n, micros) SELECT * FROM spread
        ON CONFLICT (tenant_id, span, at, name, bin)
        DO UPDATE SET n = tally.n + excluded.n, micros = tally.micros + excluded.micros
    ), added_of_all AS (
        INSERT INTO ocr_platformtally AS tally (span, name, bin, at, n, micros)
        SELECT span, name, bin, at, sum(n), sum(micros) FROM spread GROUP BY 1, 2, 3, 4
        ON CONFLICT (span, at, name, bin)
        DO UPDATE SET n = tally.n + excluded.n, micros = tally.micros + excluded.micros
    )
    SELECT count(*) FROM taken
"""
TABLES = ("ocr_tally", "ocr_platformtally")
DROP_OLD = f"DELETE FROM {{table}} WHERE span > 0 AND at < now() - make_interval(mins => span * {KEPT})"
# Documents that were decided have been waiting in between: without the second part the curve of the past would not show them.
NOTE_ALL = f"""
    INSERT INTO ocr_uncounted ({_NOTED})
    SELECT tenant_id, 1, status_at, {_NOTED.removeprefix("tenant_id, sign, at, ")} FROM ocr_document
     UNION ALL
    SELECT tenant_id, passed.sign, passed.at, 'needs_review', {_NOTED.removeprefix("tenant_id, sign, at, status, ")}
      FROM ocr_document CROSS JOIN LATERAL (VALUES (1, read_at), (-1, decided_at)) AS passed (sign, at)
     WHERE NOT straight_through AND read_at IS NOT NULL AND decided_at IS NOT NULL AND status <> 'needs_review'
"""
# What is counted of the present rows can be compared; `waiting` tells of the past as well.
COMPARED = f"""
    WITH actual AS ({SPREAD.format(noted="(SELECT *, 1 AS sign, status_at AS at FROM ocr_document)")}),
    told AS (
        SELECT tenant_id, span, name, bin, at, sum(n) AS n, sum(micros) AS micros
          FROM (SELECT tenant_id, span, name, bin, at, n, micros FROM ocr_tally
                 UNION ALL SELECT * FROM ({SPREAD.format(noted="ocr_uncounted")}) AS pending) AS parts
         GROUP BY 1, 2, 3, 4, 5
    )
    SELECT tenant_id, span, name, bin, at, coalesce(actual.n, 0), coalesce(told.n, 0)
      FROM actual FULL JOIN told USING (tenant_id, span, name, bin, at)
     WHERE name <> 'waiting' AND (span = 0 OR at >= now() - make_interval(mins => span * {KEPT - 2}))
       AND (coalesce(actual.n, 0), coalesce(actual.micros, 0)) <> (coalesce(told.n, 0), coalesce(told.micros, 0))
     ORDER BY 1, 2, 3, 4, 5
"""
# The sums of all tenants against those of each, where both are kept.
COMPARED_OF_ALL = f"""
    WITH each AS (
        SELECT span, name, bin, at, sum(n) AS n, sum(micros) AS micros FROM ocr_tally GROUP BY 1, 2, 3, 4
    )
    SELECT span, name, bin, at, coalesce(each.n, 0), coalesce(whole.n, 0)
      FROM each FULL JOIN ocr_platformtally AS whole USING (span, name, bin, at)
     WHERE (span = 0 OR at >= now() - make_interval(mins => span * {KEPT - 2}))
       AND (coalesce(each.n, 0), coalesce(each.micros, 0)) <> (coalesce(whole.n, 0), coalesce(whole.micros, 0))
     ORDER BY 1, 2, 3, 4
"""
# $1 is the span's length, $2 where the first one begins; of all tenants together, or with _OF_TENANTS of those in $3. What is of one
# kind and span comes as one row with its bins in it: a month has seven times as many sums, and each row costs both sides something.
READ = f"""
    SELECT CASE $1::int WHEN 0 THEN 0 ELSE date_part('epoch', at - $2::timestamptz)::int / 60 / $1::int END AS place,
           name, array_agg(bin), array_agg(n), sum(n)::bigint, sum(micros)::bigint FROM (
        SELECT at, name, bin, sum(n)::bigint AS n, sum(micros) AS micros FROM (
            SELECT at, name, bin, n, micros FROM {{table}}
             WHERE span = $1::int AND at >= $2::timestamptz {{of_tenants}}
            UNION ALL
            SELECT at, name, bin, n, micros FROM ({SPREAD.format(noted="ocr_uncounted")}) AS pending
             WHERE span = $1::int AND at >= $2::timestamptz {{of_tenants}}
        ) AS both_parts
        GROUP BY 1, 2, 3 HAVING sum(n) <> 0
    ) AS sums
    GROUP BY at, name
"""
_OF_TENANTS = "AND tenant_id = ANY ($3::uuid[])"
READ_ALL = READ.format(table="ocr_platformtally", of_tenants="")
READ_SOME = READ.format(table="ocr_tally", of_tenants=_OF_TENANTS)


@dataclass(slots=True)
class Durations:
    """How long some documents took."""

    bins: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    micros: int = 0

    def include(self, tallied: Tallied) -> None:
        for bin_, n in zip(tallied.bins, tallied.counts, strict=True):
            self.bins[bin_] += n
        self.micros += tallied.micros

    @property
    def count(self) -> int:
        return sum(self.bins.values())

    @property
    def average(self) -> float | None:
        """Seconds; None of no document."""
        return self.micros / 1e6 / self.count if self.count else None

    def percentile(self, percent: int) -> float | None:
        """Seconds that so many of a hundred documents did not exceed, right to RESOLUTION; None of no document."""
        rank = math.ceil(self.count * percent / 100)
        passed = 0
        for bin_, n in sorted(self.bins.items()):
            passed += n
            if n > 0 and passed >= rank:
                return float(FINENESS**bin_)
        return None


class Tallied(NamedTuple):
    """So many documents (`n`) of one kind in one span; `place` counts the spans from the first one asked for. `counts` says how many
    are in each of the `bins`: of how long they took, or of what is so now of their priority."""

    place: int
    name: str
    bins: list[int]
    counts: list[int]
    n: int
    micros: int


def over(user: AnyUser, *, span: int, since: datetime) -> list[Tallied]:
    """What `user` may see of the spans of this length (minutes) from the one on that begins at `since`; inside a scope."""
    return _read(access.visible_tenants(user), span=span, since=since)


def now(user: AnyUser, *, tenants: list[UUID] | None = None) -> Mapping[tuple[str, int], int]:
    """How many documents stand where: (status, priority) -> how many of what `user` may see, or of these tenants; inside a scope."""
    beginning = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
    rows = _read(access.visible_tenants(user) if tenants is None else tenants, span=0, since=beginning)
    found: dict[tuple[str, int], int] = defaultdict(int)
    for row in rows:
        found |= {(row.name.removeprefix("now."), bin_): n for bin_, n in zip(row.bins, row.counts, strict=True)}
    return found


def _read(tenants: list[UUID] | None, *, span: int, since: datetime) -> list[Tallied]:
    asked = (READ_ALL, span, since) if tenants is None else (READ_SOME, span, since, prepared.array(tenants))
    rows = prepared.fetch(*asked)
    return list(map(Tallied._make, rows))


def span_of(moment: datetime, span: int) -> datetime:
    """When the span of this length (minutes) that holds the moment began."""
    beginning = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
    return moment - (moment - beginning) % timedelta(minutes=span)


def fold(*, most: int = 10, step: int = STEP) -> int:
    """Add what was appended to the sums, at most `most` times `step` changes; how many. Safe at any time and beside itself."""
    folded = 0
    for _ in range(most):
        with scope.everything(), connection.cursor() as cursor:
            cursor.execute(TRY_LOCK)
            if not cursor.fetchone()[0]:
                break
            cursor.execute(FOLD, {"step": step})
            (count,) = cursor.fetchone()
        folded += count
        if count < step:
            break
    return folded


def drop_old() -> int:
    """Forget spans that nothing shows any more; how many sums went."""
    with scope.everything(), connection.cursor() as cursor:
        cursor.execute(LOCK)
        gone = 0
        for table in TABLES:
            cursor.execute(DROP_OLD.format(table=table))
            gone += cursor.rowcount
        return gone


def rebuild() -> int:
    """Count everything anew from the documents; how many changes were noted for it. Who changes a document waits meanwhile."""
    with scope.everything(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE ocr_document IN SHARE MODE")
        cursor.execute(LOCK)
        cursor.execute("DELETE FROM ocr_uncounted")
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute(NOTE_ALL)
        noted = int(cursor.rowcount)
        cursor.execute(FOLD, {"step": noted})
    log.event("tallies_rebuilt", count=noted)
    return noted


def differences() -> list[str]:
    """Every sum that is not what counting the documents gives, in words; an empty list is the only good answer."""
    with scope.everything(), connection.cursor() as cursor:
        cursor.execute(COMPARED)
        found = [(f"tenant {tenant}", *rest) for tenant, *rest in cursor.fetchall()]
        cursor.execute(COMPARED_OF_ALL)
        found += [("all tenants", *rest) for rest in cursor.fetchall()]
    return [
        f"{whose}: {name} of {span} minutes at {at:%Y-%m-%d %H:%M}, bin {bin_}: {actual} counted, {told} told"
        for whose, span, name, bin_, at, actual, told in found
    ]
