"""What must survive a crash: jobs, client tokens, and what was billed. One SQLite file."""

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.textract import prices
from deploy.local.textract.refusals import Refusal

WEEK_SECONDS = 7 * 24 * 3600

_SCHEMA = """
CREATE TABLE IF NOT EXISTS job (
    job_id TEXT PRIMARY KEY, operation TEXT NOT NULL, status TEXT NOT NULL, message TEXT, request TEXT NOT NULL,
    token TEXT, document TEXT NOT NULL, kind TEXT NOT NULL, sha256 TEXT NOT NULL, pages INTEGER NOT NULL,
    warnings TEXT NOT NULL DEFAULT '[]', created_at REAL NOT NULL, finished_at REAL
);
CREATE INDEX IF NOT EXISTS job_unfinished ON job (created_at) WHERE status = 'IN_PROGRESS';
CREATE TABLE IF NOT EXISTS token (
    operation TEXT NOT NULL, token TEXT NOT NULL, parameters TEXT NOT NULL, job_id TEXT NOT NULL,
    created_at REAL NOT NULL, PRIMARY KEY (operation, token)
);
CREATE TABLE IF NOT EXISTS bill (
    bill_id INTEGER PRIMARY KEY, source TEXT NOT NULL UNIQUE, operation TEXT NOT NULL, features TEXT NOT NULL,
    sha256 TEXT NOT NULL, pages INTEGER NOT NULL, microdollars INTEGER NOT NULL, billed_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS calls (
    operation TEXT NOT NULL, outcome TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (operation, outcome)
);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Job:
    """A started job. `request` is what was asked, as JSON values; `document` the file name in the intake folder."""

    job_id: str
    operation: str
    status: str
    message: str | None
    request: dict[str, Any]
    token: str | None
    document: str
    kind: str
    sha256: str
    pages: int
    warnings: list[dict[str, Any]]
    created_at: float
    finished_at: float | None


@dataclass(frozen=True, slots=True)
class NewJob:
    """What is to be started. `parameters` is a hash of everything in the request but the token."""

    operation: str
    request: dict[str, Any]
    token: str | None
    parameters: str
    document: str
    kind: str
    sha256: str
    pages: int


class Ledger:
    """The database, safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)
        self.retention_seconds: float = WEEK_SECONDS

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def signing_key(self) -> bytes:
        """The key that signs NextTokens; made once, so that tokens survive a restart."""
        with self._transaction() as database:
            fresh = secrets.token_hex(32)
            database.execute("INSERT OR IGNORE INTO setting VALUES ('signing_key', ?)", (fresh,))
            row = database.execute("SELECT value FROM setting WHERE name = 'signing_key'").fetchone()
            return bytes.fromhex(row["value"])

    def replayed(self, operation: str, token: str | None, parameters: str) -> str | None:
        """The id of the job that this token started within the last seven days, None if it started none.

        Raises Refusal (IdempotentParameterMismatchException) when it was another request.
        """
        with self._transaction() as database:
            return self._replayed(database, operation, token, parameters)

    def start(self, new: NewJob) -> tuple[str, bool]:
        """The id of the job, and whether it is new: a token that came twice at once starts one job."""
        now = time.time()
        with self._transaction() as database:
            earlier = self._replayed(database, new.operation, new.token, new.parameters)
            if earlier:
                return earlier, False
            job_id = secrets.token_hex(32)
            database.execute(
                "INSERT INTO job (job_id, operation, status, request, token, document, kind, sha256, pages, created_at)"
                " VALUES (?, ?, 'IN_PROGRESS', ?, ?, ?, ?, ?, ?, ?)",
                (job_id, new.operation, json.dumps(new.request), new.token, new.document, new.kind, new.sha256)
                + (new.pages, now),
            )
            if new.token:
                row = (new.operation, new.token, new.parameters, job_id, now)
                database.execute("INSERT OR REPLACE INTO token VALUES (?, ?, ?, ?, ?)", row)
            return job_id, True

    def job(self, job_id: str) -> Job | None:
        """The job, unless it is unknown or older than seven days."""
        with self._transaction() as database:
            query = "SELECT * FROM job WHERE job_id = ? AND created_at > ?"
            row = database.execute(query, (job_id, time.time() - self.retention_seconds)).fetchone()
            return _job(row) if row else None

    def unfinished(self) -> list[Job]:
        """Jobs that were started and have no outcome, oldest first."""
        with self._transaction() as database:
            rows = database.execute("SELECT * FROM job WHERE status = 'IN_PROGRESS' ORDER BY created_at").fetchall()
            return [_job(row) for row in rows]

    def finish(self, job: Job, status: str, *, message: str | None, warnings: list[dict[str, Any]], paid: int) -> bool:
        """Writes the outcome and the bill for `paid` pages together; False when the job had an outcome already."""
        with self._transaction() as database:
            changed = database.execute(
                "UPDATE job SET status = ?, message = ?, warnings = ?, finished_at = ?"
                " WHERE job_id = ? AND status = 'IN_PROGRESS'",
                (status, message, json.dumps(warnings), time.time(), job.job_id),
            ).rowcount
            if changed and paid:
                self._bill(database, job.job_id, job.operation, frozenset(job.request["features"]), job.sha256, paid)
            return bool(changed)

    def bill_answer(self, request_id: str, operation: str, features: frozenset[str], sha256: str) -> None:
        """Bills the one page of a synchronous answer."""
        with self._transaction() as database:
            self._bill(database, request_id, operation, features, sha256, 1)

    def count(self, operation: str, outcome: str) -> None:
        """Counts one call; `outcome` is "ok" or the code it was refused with."""
        with self._transaction() as database:
            database.execute(
                "INSERT INTO calls VALUES (?, ?, 1) ON CONFLICT (operation, outcome) DO UPDATE SET count = count + 1",
                (operation, outcome),
            )

    def reset_counters(self) -> None:
        """Forgets calls and bills; jobs started before are no longer listed, but can still be fetched."""
        with self._transaction() as database:
            database.execute("DELETE FROM calls")
            database.execute("DELETE FROM bill")
            database.execute("INSERT OR REPLACE INTO setting VALUES ('counted_from', ?)", (repr(time.time()),))

    def forget_expired(self) -> list[str]:
        """Removes jobs and tokens older than seven days; the ids of the removed jobs."""
        oldest = time.time() - self.retention_seconds
        with self._transaction() as database:
            rows = database.execute(
                "DELETE FROM job WHERE created_at <= ? AND status <> 'IN_PROGRESS' RETURNING job_id", (oldest,)
            ).fetchall()
            database.execute("DELETE FROM token WHERE created_at <= ?", (oldest,))
            return [row["job_id"] for row in rows]

    def report(self) -> dict[str, Any]:
        """Calls, jobs and bills since the counters were last reset."""
        with self._transaction() as database:
            return {
                "calls": _calls(database),
                "jobs": _job_counts(database),
                "billed": _billed(database),
                "tokens": _listing(database),
                "documents": _documents(database),
            }

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _replayed(self, database: sqlite3.Connection, operation: str, token: str | None, parameters: str) -> str | None:
        if token is None:
            return None
        row = database.execute(
            "SELECT parameters, job_id FROM token WHERE operation = ? AND token = ? AND created_at > ?",
            (operation, token, time.time() - self.retention_seconds),
        ).fetchone()
        if row is None:
            return None
        if row["parameters"] != parameters:
            raise Refusal(
                "IdempotentParameterMismatchException",
                "This ClientRequestToken was used with other parameters. Use a new token for a new request.",
            )
        return str(row["job_id"])

    @staticmethod
    def _bill(
        database: sqlite3.Connection, source: str, operation: str, features: frozenset[str], sha256: str, pages: int
    ) -> None:
        price = prices.microdollars_of(operation, features) * pages
        database.execute(
            "INSERT INTO bill (source, operation, features, sha256, pages, microdollars, billed_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (source, operation, " ".join(sorted(features)), sha256, pages, price, time.time()),
        )


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    return Job(**values | {"request": json.loads(row["request"]), "warnings": json.loads(row["warnings"])})


def _calls(database: sqlite3.Connection) -> dict[str, dict[str, int]]:
    answer: dict[str, dict[str, int]] = {}
    for row in database.execute("SELECT * FROM calls ORDER BY operation, outcome"):
        answer.setdefault(row["operation"], {})[row["outcome"]] = row["count"]
    return answer


_COUNTED = "created_at >= COALESCE((SELECT CAST(value AS REAL) FROM setting WHERE name = 'counted_from'), 0)"


def _job_counts(database: sqlite3.Connection) -> dict[str, int]:
    counts = dict.fromkeys(("IN_PROGRESS", "SUCCEEDED", "PARTIAL_SUCCESS", "FAILED"), 0)
    rows = database.execute(f"SELECT status, COUNT(*) AS jobs FROM job WHERE {_COUNTED} GROUP BY status")
    return counts | {row["status"]: row["jobs"] for row in rows}


def _billed(database: sqlite3.Connection) -> dict[str, Any]:
    row = database.execute("SELECT COALESCE(SUM(pages), 0) AS pages, COALESCE(SUM(microdollars), 0) AS sum FROM bill")
    total = row.fetchone()
    return {"pages": total["pages"], "microdollars": total["sum"], "price_table": prices.VERSION}


def _listing(database: sqlite3.Connection) -> list[dict[str, Any]]:
    """One entry per job, with its client token if it had one."""
    rows = database.execute(
        "SELECT token, operation, job_id, status, sha256, pages,"
        " (SELECT COUNT(*) FROM bill WHERE source = job_id) AS times_billed,"
        " (SELECT COALESCE(SUM(bill.pages), 0) FROM bill WHERE source = job_id) AS pages_billed"
        f" FROM job WHERE {_COUNTED} ORDER BY created_at, job_id"
    )
    return [dict(row) for row in rows]


def _documents(database: sqlite3.Connection) -> list[dict[str, Any]]:
    """One entry per document, operation and feature set that was billed: more than once is twice paid."""
    rows = database.execute(
        "SELECT sha256, operation, features, COUNT(*) AS times_billed, SUM(pages) AS pages_billed,"
        " SUM(microdollars) AS microdollars FROM bill GROUP BY sha256, operation, features ORDER BY MIN(bill_id)"
    )
    return [dict(row) for row in rows]
