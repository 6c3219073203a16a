"""Jobs that were started. What they are now follows from the clock alone, so nothing runs while they wait."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deploy.local.textract.inputs import Asked, Query
from deploy.local.textract.refusals import Refusal

FLUSH_SECONDS = 0.05
"""Rows are written so often. The answer about a new job is sent later than that, so an answered job is never forgotten."""
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS kept (kind TEXT, id TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID"
)


@dataclass(slots=True)
class Job:
    """A started job. It is in progress until `ends_at` (None: for ever), and then has the status `outcome`.

    Times are seconds since 1970. `missing` are the pages that a PARTIAL_SUCCESS warns of. `seen_to`: its results were
    written to a bucket and its notice went out, if there was any of that to do.
    """

    job_id: str
    operation: str
    name: str
    key: str
    bucket: str
    asked: Asked
    pages: int
    outcome: str
    message: str
    code: str
    missing: tuple[int, ...]
    token: str | None
    parameters: str
    tag: str | None
    topic: str | None
    output: tuple[str, str] | None
    created_at: float
    ends_at: float | None
    billed_pages: int
    microdollars: int
    seen_to: bool = False

    def status(self, now: float) -> str:
        """The status as of now. Results that go to a bucket are there when the job is done, not before."""
        if self.ends_at is None or now < self.ends_at or (self.output and not self.seen_to):
            return "IN_PROGRESS"
        return self.outcome


class Shelf:
    """Rows that outlive a restart: an SQLite file written in batches, or nothing at all."""

    def __init__(self, path: Path | None) -> None:
        self._rows: dict[tuple[str, str], str] = {}
        self._connection = sqlite3.connect(path, isolation_level=None) if path else None
        if self._connection:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = OFF")  # a killed process loses nothing; a power cut may
            self._connection.execute(_SCHEMA)

    @property
    def durable(self) -> bool:
        return self._connection is not None

    def put(self, kind: str, identity: str, body: Callable[[], Any]) -> bool:
        """Keeps a row at the next flush; whether that flush has to be asked for."""
        if self._connection is None:
            return False
        first = not self._rows
        self._rows[kind, identity] = json.dumps(body())
        return first

    def flush(self) -> None:
        """Writes what was put."""
        if self._connection and self._rows:
            rows = [(*where, body) for where, body in self._rows.items()]
            self._connection.execute("BEGIN")
            self._connection.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", rows)
            self._connection.execute("COMMIT")
        self._rows.clear()

    def rows(self, kind: str) -> Iterator[Any]:
        """What was kept of one kind."""
        if self._connection:
            for (body,) in self._connection.execute("SELECT body FROM kept WHERE kind = ?", (kind,)):
                yield json.loads(body)

    def forget(self, kind: str | None = None) -> None:
        """Removes every row, or every row of one kind."""
        self.flush()
        if self._connection:
            self._connection.execute("DELETE FROM kept WHERE ?1 IS NULL OR kind = ?1", (kind,))

    def close(self) -> None:
        self.flush()
        if self._connection:
            self._connection.close()


class Jobs:
    """All jobs and the client tokens that started them."""

    def __init__(self, shelf: Shelf, clock: Callable[[], float] = time.time) -> None:
        self._shelf, self._clock = shelf, clock
        self._jobs: dict[str, Job] = {}
        self._tokens: dict[tuple[str, str], Job] = {}
        self._open: dict[str, Job] = {}
        for row in shelf.rows("job"):
            self._take(_job(row))

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs.values())

    def add(self, job: Job) -> bool:
        """Keeps a new job; whether a flush has to be asked for."""
        self._take(job)
        return self.changed(job)

    def replayed(self, operation: str, token: str | None, parameters: str, *, token_seconds: float) -> Job | None:
        """The job that this token started within its life. Raises Refusal when it was another request."""
        earlier = self._tokens.get((operation, token)) if token else None
        if earlier is None or self._clock() - earlier.created_at >= token_seconds:
            return None
        if earlier.parameters != parameters:
            raise Refusal(
                "IdempotentParameterMismatchException",
                "This ClientRequestToken was used with other parameters. Use a new token for a new request.",
            )
        return earlier

    def find(self, job_id: str, operation: str, *, retention_seconds: float) -> Job:
        """The job of an operation. Raises Refusal (InvalidJobIdException) when it is unknown or too old."""
        job = self._jobs.get(job_id)
        if job is None or job.operation != operation or self._clock() - job.created_at >= retention_seconds:
            raise Refusal("InvalidJobIdException", "No such job: it was never started here, or its results expired.")
        return job

    def running(self) -> int:
        """How many jobs are in progress."""
        now = self._clock()
        ended = [job_id for job_id, job in self._open.items() if job.ends_at is not None and job.ends_at <= now]
        for job_id in ended:
            del self._open[job_id]
        return len(self._open)

    def finish(self, matches: Callable[[Job], bool]) -> Sequence[Job]:
        """Ends jobs in progress at once; those that were stuck succeed. The jobs that it ended."""
        now = self._clock()
        ended = [job for job in self._open.values() if job.status(now) == "IN_PROGRESS" and matches(job)]
        for job in ended:
            job.ends_at = now
            if job.outcome == "IN_PROGRESS":
                job.outcome = "SUCCEEDED"
            self.changed(job)
        return ended

    def changed(self, job: Job) -> bool:
        """Keeps what became of a job; whether a flush has to be asked for."""
        return self._shelf.put("job", job.job_id, lambda: _row(job))

    def forget(self) -> None:
        """Forgets all jobs and tokens."""
        self._jobs.clear()
        self._tokens.clear()
        self._open.clear()
        self._shelf.forget("job")

    def _take(self, job: Job) -> None:
        self._jobs[job.job_id] = job
        if job.token:
            self._tokens[job.operation, job.token] = job
        if job.ends_at is None or job.ends_at > self._clock():
            self._open[job.job_id] = job


def _row(job: Job) -> dict[str, Any]:
    return asdict(job) | {
        "asked": {"features": sorted(job.asked.features), "queries": [asdict(q) for q in job.asked.queries]}
    }


def _job(row: dict[str, Any]) -> Job:
    queries = tuple(
        Query(each["text"], each["alias"], tuple((first, last) for first, last in each["pages"]))
        for each in row["asked"]["queries"]
    )
    asked = Asked(frozenset(row["asked"]["features"]), queries)
    output = tuple(row["output"]) if row["output"] else None
    return Job(**row | {"asked": asked, "missing": tuple(row["missing"]), "output": output})
