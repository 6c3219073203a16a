"""`make soak`: the product under load while its processes die, its database stops and Textract misbehaves; and then the books.

SOAK_MINUTES says how long, DTAT_SEED repeats a run's choices. Ends with 1 when anything was lost, done twice or paid twice, when
`verify` finds something, or when work took longer than FLOWS_SECONDS to flow again after a blow.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

from benchmarks import _load
from deploy.local.textract.simulator import malformed
from tests.faults import blows, roles
from tests.faults.traffic import Traffic, drawn
from tests.product import ROOT, Product

FLOWS_SECONDS = 30.0
GIVE_UP_SECONDS = 90.0  # after a blow: what does not flow by then never will
QUIET_SECONDS = 240.0  # after the last blow, until every document rests
MAY_FAIL = {"charge_uncertain", "engine_failed"}  # the ends that belong to faults of Textract itself
LEASE_SECONDS = 12

SETTINGS = {
    "DTAT_LEASE_SECONDS": str(LEASE_SECONDS),
    "DTAT_TEXTRACT_READ_SECONDS": "6",
    "DTAT_READER_SECONDS": "20",  # so that many readers come and go, also where nobody kills them
    "DTAT_READER_DRAIN_SECONDS": "8",
    "DTAT_TEXTRACT_TPS": "25",
    "DTAT_MAX_ATTEMPTS": "12",  # a blow now and then costs a document that is held just then an attempt
    "DTAT_DISK_FLOOR_MIB": "64",
}


def knobs(seed: int) -> dict[str, Any]:
    """A fast Textract in bad shape: a few of a hundred calls go wrong, in every way there is."""
    spoilt = [f"malformed:{name}" for name in malformed.VARIANTS if name != "huge_answer"]  # 50 MB: tests of their own
    return {
        "seed": seed,
        "latency": {name: {"median": 0.7, "p95": 1.8} for name in _load.SYNCHRONOUS},
        "other_latency": 0.05,
        "job": {"median": 1.5, "p95": 3.0, "per_page": 0.2},
        "answers": {"count": 24, "kilobytes": 40, "doubtful_share": 0.4},
        "durable": False,
        "faults": [
            {"fault": "ProvisionedThroughputExceededException", "probability": 0.04},
            {"fault": "lost_answer", "operation": "Start*", "probability": 0.15},
            {"fault": "lost_answer", "probability": 0.015},
            {"fault": "reset_before", "operation": "Start*", "probability": 0.02},
            {"fault": "InternalServerError", "operation": "[SG]*t*", "probability": 0.01},
            {"fault": "html_5xx", "operation": "Get*", "probability": 0.02},
            {"fault": "LimitExceededException", "operation": "Start*", "probability": 0.01},
            *(
                {"fault": fault, "operation": "Get*", "probability": 0.01}
                for fault in ("cut_body", "truncated", "html_200")
            ),
            *({"fault": fault, "probability": 0.001} for fault in spoilt),
        ],
        "outcomes": [{"outcome": "FAILED", "message": "Internal", "probability": 0.01}],
    }


@dataclass(frozen=True, slots=True)
class Struck:
    """One blow and how long, in seconds, until the part showed life, and until a document was finished."""

    target: roles.Target
    part_seconds: float
    document_seconds: float

    @property
    def seconds(self) -> float:
        return max(self.part_seconds, self.document_seconds)


@dataclass
class Siege:
    """Blows to one product under load."""

    product: Product
    simulator: _load.Simulator
    chance: random.Random
    traffic: Traffic
    struck: list[Struck] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)
    cast: roles.Cast = field(init=False)

    def __post_init__(self) -> None:
        self.cast = roles.Cast(self.product, self.chance)

    def strike(self, *targets: roles.Target) -> None:
        """Strike them at the same time and wait until each works again and a document was finished."""
        cast = self.cast
        watched = []
        for target in targets:
            led_by = cast.leader(target.part)
            cast.strike(target)
            watched.append(roles.Recovery(self.product, cast, target, led_by))
        document = self._watch(watched)
        for each in watched:
            seconds = GIVE_UP_SECONDS if each.done_after is None else each.done_after
            self.struck.append(Struck(each.target, seconds, document))
            at = time.monotonic() - self.begun
            _say(f"{at:6.0f} s  {each.target!s:32} {seconds:5.1f} s, a document {document:5.1f} s  {each.last}")

    def _watch(self, watched: Sequence[roles.Recovery]) -> float:
        """Until all work again; the seconds until a document was finished or none was due."""
        struck_at, document = time.time(), 0.0
        while time.time() - struck_at < GIVE_UP_SECONDS:
            beats = blows.beats(self.product)
            works = [each.look(beats) for each in watched]
            if not document and self._flows(struck_at):
                document = time.time() - struck_at
            if all(works) and document:
                return document
            time.sleep(0.2)
        return document or GIVE_UP_SECONDS

    def _flows(self, since: float) -> bool:
        """Whether a document was read since then, or no work waits for a worker."""
        found = asked(
            self.product,
            "SELECT EXISTS (SELECT 1 FROM ocr_document WHERE read_at > to_timestamp(%s)) OR NOT EXISTS (SELECT 1 FROM ocr_document "
            "WHERE step <> '' AND due_at <= clock_timestamp() AND (lease_until IS NULL OR lease_until < clock_timestamp()))",
            since,
        )
        return bool(found and found[0][0])

    def end(self) -> list[str]:
        """No more blows and faults: everybody finishes, everything rests. What then does not hold."""
        self.simulator.turn(faults=[], outcomes=[])
        self.traffic.stop()
        deadline = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < deadline and self._working():
            time.sleep(0.5)
        found = [f"somebody at work was stopped: {error!r}" for error in self.traffic.raised]
        found += [f"crashed: {each}" for each in self.traffic.crashes]
        found += [f"{each.target} took {each.seconds:.0f} s" for each in self.struck if each.seconds > FLOWS_SECONDS]
        return found + list(audit(self.product, self.simulator, self.traffic)) + verified(self.product, self.simulator)

    def _working(self) -> bool:
        rows = asked(self.product, "SELECT count(*) FROM ocr_document WHERE step <> ''")
        open_ = asked(self.product, "SELECT count(*) FROM ocr_batch WHERE finished_at IS NULL")
        return not rows or not open_ or bool(rows[0][0] or open_[0][0])


def asked(product: Product, question: str, *values: object) -> list[tuple[Any, ...]]:
    """The rows; none while the database is away."""
    try:
        connection = psycopg2.connect(product.credentials["database"]["auditor"], connect_timeout=3)
    except psycopg2.OperationalError:
        return []
    with closing(connection), suppress(psycopg2.OperationalError), connection.cursor() as cursor:
        cursor.execute(question, values)
        return list(cursor.fetchall())
    return []


def submit_batch(product: Product, rows: int, *, seed: int) -> None:
    """A manifest of so many files, some with several pages."""
    tenants = product.api("GET", "/api/v1/tenants/").json()
    slug = (tenants["results"] if isinstance(tenants, dict) else tenants)[0]["slug"]
    folder = product.home / "imports" / slug
    folder.mkdir(parents=True, exist_ok=True)
    items = []
    for number in range(rows):
        pages = 3 if number % 5 == 0 else 1
        name = f"{number:04}.{'pdf' if pages > 1 else 'png'}"
        (folder / name).write_bytes(drawn(f"batch {seed} {number}", pages))
        items.append({"bucket": slug, "key": name})
    told = {"items": items, "max_concurrency": 4, "tolerated_failure_percentage": 100}
    answer = product.api("POST", "/api/v1/batches/", json=told, headers={"Idempotency-Key": f"batch-{seed}"})
    assert answer.status_code == 202, answer.text


# --- What must hold afterwards --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seen:
    """One document as the database has it: its extractions in order."""

    id: str
    status: str
    code: str
    pages: int
    from_batch: bool
    runs: list[dict[str, Any]]


def documents(product: Product) -> dict[str, Seen]:
    """Every document by its id."""
    rows = asked(
        product,
        "SELECT d.id::text, d.status, d.error_code, d.page_count, d.source = 'batch', coalesce(jsonb_agg(jsonb_build_object("
        "'number', e.number, 'state', e.state, 'operation', e.operation, 'token', e.token, 'uncertain', e.charge_uncertain, "
        "'reused', e.reused_from IS NOT NULL) ORDER BY e.number) FILTER (WHERE e.id IS NOT NULL), '[]') "
        "FROM ocr_document d LEFT JOIN ocr_extraction e ON e.document_id = d.id GROUP BY d.id",
    )
    return {row[0]: Seen(*row) for row in rows}


def audit(product: Product, simulator: _load.Simulator, traffic: Traffic) -> Iterator[str]:
    """Everything that was promised and is not so, and every page that was paid for twice."""
    found = documents(product)
    yield from _lost(found, traffic)
    yield from _paid(found, simulator.report())
    decided = {(row[0], row[1]) for row in asked(product, "SELECT document_id::text, version FROM review_decision")}
    told = {document_id for document_id, _version in decided}
    yield from (
        f"the decision about {document_id} was lost" for document_id, _ in traffic.decided if document_id not in told
    )
    rows = asked(product, "SELECT count(*) FROM ocr_batchitem WHERE state NOT IN ('done', 'failed')")
    if not rows or rows[0][0]:
        yield f"rows of the batch without an end: {rows}"


def _lost(found: dict[str, Seen], traffic: Traffic) -> Iterator[str]:
    sent = {each.id for each in found.values() if not each.from_batch}
    yield from (f"{lost} was accepted and is gone" for lost in traffic.accepted.keys() - found.keys())
    yield from (f"{more} was made without anybody having been told" for more in sent - traffic.accepted.keys())
    for each in found.values():
        if each.status not in {"approved", "rejected", "needs_review", "failed"}:
            yield f"{each.id} is still {each.status}"
        if each.status == "failed" and each.code not in MAY_FAIL:
            yield f"{each.id} failed with {each.code}"


def _paid(found: dict[str, Seen], books: dict[str, Any]) -> Iterator[str]:
    """Nobody asked for anything again, so each document may have been paid once: by a call, or by a job."""
    ours = {run["token"] for each in found.values() for run in each.runs}
    for entry in books["tokens"]:
        if entry["times_billed"] > 1 or entry["token"] not in ours:
            yield f"token {entry['token']} was billed {entry['times_billed']} times, ours: {entry['token'] in ours}"
    pages: Counter[str] = Counter()
    for entry in books["documents"]:
        pages[_document_of(entry["key"])] += entry["pages_billed"]
    yield from (f"{unknown} was paid and is unknown" for unknown in pages.keys() - found.keys())
    for each in found.values():
        if pages[each.id] > each.pages:
            yield f"{each.id} has {each.pages} pages and {pages[each.id]} were paid"
        if any(run["state"] == "collected" and not run["reused"] for run in each.runs) and pages[each.id] != each.pages:
            yield f"{each.id} was read and {pages[each.id]} of {each.pages} pages were paid"
    for name, about in books["by_document"].items():
        if about["calls"] + about["jobs"] > 1:
            yield f"{_document_of(name)} was sent {about['calls']} times, and started {about['jobs']} times"


def _document_of(name: str) -> str:
    """The document whose original this is the address of."""
    return name.rsplit("/", 1)[-1].partition(".")[0]


def verified(product: Product, simulator: _load.Simulator) -> list[str]:
    """What `manage.py verify` finds, with the simulator's books."""
    ran = product.manage(
        "verify", "--json", "--textract-control", f"{simulator.url}/_control", "--replay-limit", "100000"
    )
    if not ran.stdout:
        return [f"verify did not run: {ran.stderr[-2000:]}"]
    told = json.loads(ran.stdout)
    return [f"{each['id']}: {line}" for each in told["invariants"] for line in each["broken"]]


# --- The long form --------------------------------------------------------------------------------------------------


def rounds(chance: random.Random) -> Iterator[roles.Target]:
    """Every role once, in some order, and then anew; the database once more in the middle of each round."""
    while True:
        order = [*roles.ALL]
        chance.shuffle(order)
        order.insert(len(order) // 2, roles.Target("database", roles.DATABASE))
        yield from order


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a soak came to."""

    struck: list[Struck]
    found: list[str]
    documents: dict[str, Seen]
    answers: Counter[str]
    decided: int
    books: dict[str, Any]


def soak(folder: Path, *, seed: int, seconds: float) -> Outcome:
    """Blows for so long, then the quiet end."""
    chance = random.Random(seed)
    with _load.product(folder, knobs=knobs(seed), **SETTINGS) as (product, simulator):
        siege = Siege(product, simulator, chance, Traffic(product, seed))
        siege.traffic.start()
        submit_batch(product, max(20, int(seconds / 10)), seed=seed)
        for target in rounds(chance):
            if time.monotonic() - siege.begun > seconds:
                break
            time.sleep(chance.uniform(0.5, 3.0))
            siege.strike(target)
        found = siege.end()
        if found:
            _keep_logs(product)
        outcome = Outcome(siege.struck, found, documents(product), siege.traffic.answers, len(siege.traffic.decided),
                          simulator.report())  # fmt: skip
    if left := product.processes():
        outcome.found.append(f"processes were left behind: {left}")
    return outcome


def _keep_logs(product: Product) -> None:
    kept = ROOT / "var" / "soak"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(product.home / "logs", kept)
    _say(f"The logs are kept in {kept}.")


def table(outcome: Outcome) -> str:
    """The summary for a person."""
    by_role: dict[str, list[Struck]] = defaultdict(list)
    for each in outcome.struck:
        by_role[str(each.target)].append(each)
    lines = [f"{'struck':34} times  median  slowest  (seconds until work flowed)"]
    for role, strikes in sorted(by_role.items()):
        seconds = [each.seconds for each in strikes]
        lines.append(f"{role:34} {len(strikes):5}  {statistics.median(seconds):6.1f}  {max(seconds):7.1f}")
    stops = sum(each.target.role == roles.DATABASE for each in outcome.struck)
    every = outcome.documents.values()
    ends = Counter(f"{each.status} {each.code}".strip() for each in every)
    uncertain = sorted(each.id for each in every if each.code == "charge_uncertain")
    calls = sum(count for counts in outcome.books["calls"].values() for count in counts.values())
    bad = calls - sum(counts.get("ok", 0) for counts in outcome.books["calls"].values())
    return "\n".join([
        *lines, "",
        f"{len(outcome.struck) - stops} kills, {stops} immediate stops of the database",
        f"{len(outcome.documents)} documents accepted, {outcome.decided} decided by reviewers: "
        + ", ".join(f"{count} {end}" for end, count in sorted(ends.items())),
        f"{outcome.books['billed']['pages']} pages paid; {calls} calls to Textract, {bad} of them struck by a fault",
        f"requests that had to be repeated: {dict(outcome.answers)}",
        f"synchronous calls whose answer was lost ({len(uncertain)}): {' '.join(uncertain)}",
        f"{len(outcome.found)} findings", *(f"  {each}" for each in outcome.found),
    ])  # fmt: skip


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    seed = int(os.environ.get("DTAT_SEED") or time.time())
    minutes = float(os.environ.get("SOAK_MINUTES") or 30)
    _say(f"{minutes:g} minutes, DTAT_SEED={seed} repeats the choices")
    with tempfile.TemporaryDirectory(prefix="dtat-soak-", ignore_cleanup_errors=True) as folder:
        outcome = soak(Path(folder), seed=seed, seconds=60 * minutes)
    _say(f"\n{table(outcome)}\nDTAT_SEED={seed}")
    return 1 if outcome.found else 0


if __name__ == "__main__":
    sys.exit(main())
