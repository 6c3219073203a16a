"""What reviewers and managers wait for when the archive grows: the next document, the lists, the queue and the dashboard.

Black box: the product as `make run` starts it, with its workers; people sign in through the page and everything is timed at the
client, over HTTP. Documents are loaded by SQL (scale.sql says what they look like); between the sizes the same product goes on.
One person belongs to the largest tenant, the administrator sees every tenant: half of the requests each. Every figure is the median
of ROUNDS p95s. `growth` is the p95 with the most documents over the one with the fewest, of the worst of the four.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import psycopg2
import requests

from benchmarks._charts import Chart
from tests.product import Product

SIZES = (10_000, 100_000, 1_000_000)
STEP = 100_000  # documents loaded in one transaction
SQL = Path(__file__).with_suffix(".sql")
ROUNDS, REQUESTS = 3, 100
QUICK_REQUESTS = 60
MORE_TENANTS = 3
REVIEWERS = 12
TABLES = (
    *(f"ocr_{name}" for name in ("document", "page", "extraction", "artifact", "field", "outboxevent")),
    "audit_auditevent",
    "audit_audithead",
)
MEASURED = ("next", "list", "queue", "dashboard")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signed in through the page."""

    url: str
    session: requests.Session

    @classmethod
    def signed_in(cls, url: str, username: str, password: str) -> Person:
        session = requests.Session()
        session.get(f"{url}/login/", timeout=30)
        given = {"username": username, "password": password, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
        answer = session.post(f"{url}/login/", data=given, allow_redirects=False, timeout=30)
        if answer.status_code != 302:
            raise RuntimeError(f"{username} could not sign in: {answer.status_code}")
        return cls(url, session)

    def get(self, path: str) -> float:
        """Milliseconds until the whole page was there."""
        return self._timed("GET", path, 200)[0]

    def next(self) -> tuple[float, str]:
        """Claim the next document; the milliseconds it took, and its id."""
        milliseconds, location = self._timed("POST", "/review/next/", 302)
        if not location.startswith("/review/"):
            raise RuntimeError("Nothing was waiting.")
        return milliseconds, location.split("/")[2]

    def reject(self, document_id: str) -> None:
        """Decide, so that the next one is another."""
        version = self.session.get(f"{self.url}/api/v1/documents/{document_id}/", timeout=30).json()["version"]
        self._post(f"{document_id}/review/", 200, {"version": version, "decision": "reject", "reason": "illegible"})

    def reopen(self, document_id: str) -> None:
        """Have it wait again."""
        self._post(f"{document_id}/reopen/", 202, {})

    def _post(self, path: str, expected: int, body: dict[str, Any]) -> None:
        headers = {"X-CSRFToken": str(self.session.cookies["csrftoken"])}
        answer = self.session.post(f"{self.url}/api/v1/documents/{path}", json=body, headers=headers, timeout=30)
        if answer.status_code != expected:
            raise RuntimeError(f"{path} was refused: {answer.status_code} {answer.text[:300]}")

    def _timed(self, method: str, path: str, expected: int) -> tuple[float, str]:
        headers = {"X-CSRFToken": str(self.session.cookies["csrftoken"])} if method == "POST" else {}
        begun = time.perf_counter()
        answer = self.session.request(method, self.url + path, headers=headers, allow_redirects=False, timeout=60)
        milliseconds = (time.perf_counter() - begun) * 1000
        if answer.status_code != expected:
            raise RuntimeError(f"{method} {path}: {answer.status_code}")
        return milliseconds, answer.headers.get("Location", "")


def measure(*, quick: bool) -> dict[str, Any]:
    """Per size the four p95 in milliseconds, and others beside them; `growth` of each and of the worst."""
    sizes = SIZES[:1] if quick else SIZES
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="dtat-bench-") as folder:
        Path(folder).chmod(0o711)
        product = Product(Path(folder) / "home")
        product.start()
        try:
            cast = _cast(product)
            for before, size in zip((0, *sizes), sizes, strict=False):
                begun = time.monotonic()
                _load(product, before, size)
                loaded = time.monotonic() - begun
                figures[str(size)] = _size(product, cast, requests_=QUICK_REQUESTS if quick else REQUESTS) | {
                    "load_seconds": round(loaded)
                }
        finally:
            product.stop()
    least, most = figures[str(sizes[0])], figures[str(sizes[-1])]
    growth = {f"growth_{name}": round(most[f"{name}_p95_ms"] / least[f"{name}_p95_ms"], 2) for name in MEASURED}
    return {"seed": 0.5, "figures": figures, "ratios": {"growth": max(growth.values()), **growth}}


def chart(result: dict[str, Any]) -> Chart:
    """The four figures over the number of documents, and what they must stay under."""
    sizes = result["figures"]
    return Chart(
        title="What people wait for as the archive grows",
        unit="milliseconds over HTTP, p95",
        labels=[f"{int(size):,} documents" for size in sizes],
        series={name: [figures[f"{name}_p95_ms"] for figures in sizes.values()] for name in MEASURED},
        bounds={"pages stay under 50 ms": 50, "next stays under 20 ms": 20},
        note=f"commit {result['commit']}, {result['machine']['cores']} cores",
    )


# --- The archive --------------------------------------------------------------------------------------------------


def _superuser(product: Product) -> Any:
    connection = psycopg2.connect(product.credentials["database"]["superuser"])
    connection.autocommit = True
    return closing(connection)


def _cast(product: Product) -> dict[str, list[Person]]:
    """Who measures: a reviewer, the administrator, and more reviewers, who have the first one's password."""
    who = product.credentials
    with _superuser(product) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tenants_tenant (id, name, slug, created_at) "
            "SELECT gen_random_uuid(), 'Archive ' || n, 'archive-' || n, now() FROM generate_series(1, %s) AS n",
            [MORE_TENANTS],
        )
        cursor.execute(
            "INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined) "
            "SELECT password, false, 'archivist' || n, '', '', '', false, true, now() "
            "FROM auth_user, generate_series(1, %s) AS n WHERE username = 'reviewer'",
            [REVIEWERS],
        )
        cursor.execute(
            "INSERT INTO tenants_membership (user_id, tenant_id, role) "
            "SELECT u.id, m.tenant_id, 'reviewer' FROM auth_user AS u, tenants_membership AS m, auth_user AS r "
            "WHERE u.username LIKE 'archivist%%' AND m.user_id = r.id AND r.username = 'reviewer' AND m.role = 'reviewer'"
        )
    password = who["reviewer"]["password"]
    return {
        "reviewers": [
            Person.signed_in(product.url, f"archivist{number}", password) for number in range(1, REVIEWERS + 1)
        ],
        "readers": [
            Person.signed_in(product.url, **who["reviewer"]),
            Person.signed_in(product.url, **who["admin"]),
        ],
    }


def _load(product: Product, before: int, size: int) -> None:
    """Documents `before` + 1 to `size`, then what autovacuum would do in time, then the counts."""
    with _superuser(product) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(id::text ORDER BY slug <> 'kestrel', slug) FROM tenants_tenant"
        )  # the reviewer's own first
        tenants = cursor.fetchone()[0]
        with _in_bulk(cursor):
            for first in range(before, size, STEP):
                span = {"first": first + 1, "last": min(first + STEP, size), "before": before, "size": size}
                cursor.execute(SQL.read_text(encoding="utf-8"), span | {"tenants": tenants})
        cursor.execute("VACUUM (ANALYZE)")
    ran = product.manage("rebuild_tallies")
    if ran.returncode:
        raise RuntimeError(ran.stderr[-2000:])
    with _superuser(product) as connection, connection.cursor() as cursor:
        cursor.execute("VACUUM (FULL, ANALYZE) ocr_uncounted, ocr_tally, ocr_platformtally")
        cursor.execute("CHECKPOINT")


@contextmanager
def _in_bulk(cursor: Any) -> Iterator[None]:
    """Indexes are written once at the end instead of at every row, and nothing has to survive a crash in between."""
    hurried = ("fsync", "full_page_writes", "autovacuum")
    for name in hurried:
        cursor.execute(f"ALTER SYSTEM SET {name} = off")
    cursor.execute("ALTER SYSTEM SET max_wal_size = '16GB'")
    cursor.execute("SELECT pg_reload_conf()")
    tables = "(SELECT oid FROM pg_class WHERE oid = ANY (%s::regclass[]))"
    cursor.execute(f"UPDATE pg_index SET indisready = false WHERE indrelid IN {tables}", [list(TABLES)])
    try:
        yield
    finally:
        cursor.execute(f"UPDATE pg_index SET indisready = true WHERE indrelid IN {tables}", [list(TABLES)])
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for table in TABLES:
            cursor.execute(f"REINDEX TABLE {table}")
        for name in (*hurried, "max_wal_size"):
            cursor.execute(f"ALTER SYSTEM RESET {name}")
        cursor.execute("SELECT pg_reload_conf()")


def _middle(product: Product) -> tuple[str, str]:
    """A place in the middle of the list, and the id of the oldest approved document of the reviewer's tenant."""
    with _superuser(product) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ocr_document")
        rows = cursor.fetchone()[0] // 2
        cursor.execute(
            "SELECT received_at, id FROM ocr_document ORDER BY received_at DESC, id DESC OFFSET %s LIMIT 1", [rows]
        )
        at, id_ = cursor.fetchone()
        cursor.execute(
            "SELECT d.id FROM ocr_document AS d JOIN tenants_tenant AS t ON t.id = d.tenant_id "
            "WHERE d.status = 'approved' AND t.slug = 'kestrel' ORDER BY d.received_at LIMIT 1"
        )
        one = cursor.fetchone()[0]
    return f"a{rows}.{(at - EPOCH) // timedelta(microseconds=1)}.{str(id_).replace('-', '')}", str(one)


# --- Timing -------------------------------------------------------------------------------------------------------


def _size(product: Product, cast: dict[str, list[Person]], *, requests_: int) -> dict[str, float]:
    """The four figures, and beside them what else a person opens."""
    place, one = _middle(product)
    pages = {
        "list": ["/documents/", f"/documents/?page={place}"],
        "queue": ["/queue/"],
        "dashboard": ["/dashboard/", "/dashboard/?period=7d", "/dashboard/?period=30d"],
        "list_filtered": [
            "/documents/?status=failed",
            "/documents/?priority=high",
            "/documents/?document_type=receipt",
        ],
        "search": ["/documents/?q=scan-77", "/documents/?q=ERP-4711"],
        "detail": [f"/documents/{one}/"],
        "rest_list": ["/api/v1/documents/", "/api/v1/documents/?status=rejected"],
    }
    told: dict[str, list[float]] = {"next": []}
    for _ in range(ROUNDS):
        told["next"].append(_p95(_nexts(cast, requests_)))
        for name, paths in pages.items():
            turns = cycle([(person, path) for path in paths for person in cast["readers"]])
            for person, path in [next(turns) for _ in range(2 * len(paths))]:
                person.get(path)  # the first look after a change of size is not what is asked for
            samples = [person.get(path) for person, path in (next(turns) for _ in range(requests_))]
            told.setdefault(name, []).append(_p95(samples))
    return {f"{name}_p95_ms": round(statistics.median(rounds), 1) for name, rounds in told.items()}


def _nexts(cast: dict[str, list[Person]], count: int) -> Iterator[float]:
    """Each takes the next one and decides; the deciding is not timed, nor that everything waits again afterwards."""
    reviewers, (_reviewer, administrator) = cast["reviewers"], cast["readers"]
    decided = []
    for number in range(count + len(reviewers)):
        person = reviewers[number % len(reviewers)]
        milliseconds, document_id = person.next()
        if number >= len(reviewers):  # the first of each is not what is asked for
            yield milliseconds
        person.reject(document_id)
        decided.append(document_id)
    for document_id in decided:
        administrator.reopen(document_id)


def _p95(samples: Iterable[float]) -> float:
    ordered = sorted(samples)
    return ordered[-(-len(ordered) * 95 // 100) - 1]
