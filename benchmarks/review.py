"""What reviewers wait for: the next document after an approval, in the browser, and the claim of it, on the server.

Black box: the product as `make run` starts it. A few samples are read by it and copied by SQL until WAITING documents wait. Eight
scripted reviewers then work over HTTP, a document every PACE seconds each, while a ninth works in Chromium by keyboard: from the
key press of an approval to the frame after the one that shows the next document, twice `requestAnimationFrame`; then through a lane,
from the key to the frame after the one that shows the next row. Then CLIENTS claim
and decide as fast as they can, and no document may come up twice. The processor time of one review is measured beside Label Studio's
(benchmarks/_label_studio.py), back to back.
"""

from __future__ import annotations

import random
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
from playwright.sync_api import Page, sync_playwright

import samples
from benchmarks import _label_studio
from benchmarks._charts import Chart
from benchmarks._load import cost
from benchmarks.scale import Person
from tests.journey.conftest import ARGUMENTS, CHROMIUM
from tests.product import Product

WAITING, QUICK_WAITING = 15_000, 900  # more than 10,000 are left when the crowd comes
APPROVALS, QUICK_APPROVALS = 200, 15
LANE_ROWS, QUICK_LANE_ROWS = 200, 15
CLAIMS, QUICK_CLAIMS = 10_000, 200
REVIEWED, QUICK_REVIEWED = 200, 20
DRAFTS = 5  # saves of a draft for one document
CLIENTS, REVIEWERS = 32, 8
PACE = 2.0  # seconds for one document
KEY_PAUSE = 0.12  # seconds between two keys
SEED = 5
SOURCES = ("invoice-rotated.jpg", "invoice-noisy-scan.jpg", "receipt-crumpled.jpg", "receipt-faded.jpg")
# The tables that hold a document, each with its column for it, as they are copied.
COPIED = {
    "ocr_page": "document_id",
    "ocr_extraction": "document_id",
    "ocr_field": "document_id",
    "ocr_artifact": "document_id",
    "audit_auditevent": "document_id",
}
# Notes, for each approval, the milliseconds from the key press to the frame after the one that shows another document.
STOPWATCH = """() => {
  window.painted = [];
  window.loadedOnce = true;
  addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.ctrlKey) return;
    const pressed = event.timeStamp, before = document.querySelector("#main");
    const look = () => requestAnimationFrame(() => {
      const main = document.querySelector("#main"), image = main?.querySelector("figure.page img");
      if (main === before || !image?.complete || !image.naturalWidth) return look();
      requestAnimationFrame(() => window.painted.push(performance.now() - pressed));
    });
    look();
  }, { capture: true });
}"""


# The same in a lane: from the key press to the frame after the one that shows the next row with its crop.
LANE_STOPWATCH = """() => {
  window.painted = [];
  addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.ctrlKey) return;
    const pressed = event.timeStamp, before = document.querySelector("#rows [aria-current]");
    const look = () => requestAnimationFrame(() => {
      const row = document.querySelector("#rows [aria-current]"), crop = row?.querySelector(".crop");
      if (!row || row === before || !("drawn" in row.dataset) || !crop?.style.backgroundImage) return look();
      requestAnimationFrame(() => window.painted.push(performance.now() - pressed));
    });
    look();
  }, { capture: true });
}"""


@dataclass
class Tally:
    """What the scripted reviewers measured."""

    claims: list[float] = field(default_factory=list)
    handed_out: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, milliseconds: float, document_id: str) -> int:
        with self.lock:
            self.claims.append(milliseconds)
            self.handed_out[document_id] += 1
            return len(self.claims)


def measure(*, quick: bool) -> dict[str, Any]:
    """p50 and p95 of the next painted and of the claim, and how many documents were handed out twice."""
    if CHROMIUM is None:
        raise RuntimeError("This benchmark measures in Chromium, and none was found.")
    full, short = (WAITING, APPROVALS, CLAIMS, REVIEWED), (QUICK_WAITING, QUICK_APPROVALS, QUICK_CLAIMS, QUICK_REVIEWED)
    waiting, approvals, claims, reviewed = short if quick else full
    lane_rows = QUICK_LANE_ROWS if quick else LANE_ROWS
    with tempfile.TemporaryDirectory(prefix="dtat-bench-") as folder:
        Path(folder).chmod(0o711)
        product = Product(Path(folder) / "home")
        product.start()
        try:
            _fill(product, Path(folder), waiting)
            people = _people(product, CLIENTS + REVIEWERS)
            working, log = Tally(), product.home / "logs" / "web.log"
            told = log.stat().st_size
            with _at_work(people[:REVIEWERS], working):
                painted, missed, rows = _browser(product, approvals, lane_rows)
            served = _served(log, told)
            cpu = {drafts: _cpu_ms(product, people[0], reviewed, drafts=drafts) for drafts in (0, DRAFTS)}
            crowd = _crowd(people[REVIEWERS:], claims)
        finally:
            product.stop()
        theirs = _theirs(Path(folder) / "label-studio", reviewed)
    return {
        "seed": SEED,
        "figures": {
            "waiting": waiting,
            "reviewers": REVIEWERS + 1,
            "approvals": len(painted),
            "next_painted_p50_ms": _share(painted, 50),
            "next_painted_p95_ms": _share(painted, 95),
            "next_painted_max_ms": round(max(painted), 1),
            "page_loads": missed,
            "claim_p50_ms": _share(working.claims, 50),
            "claim_p95_ms": _share(working.claims, 95),
            "claims": len(working.claims),
            "claim_on_server_p50_ms": _share(served, 50),
            "claim_on_server_p95_ms": _share(served, 95),
            "crowd_clients": CLIENTS,
            "crowd_claims": len(crowd.claims),
            "crowd_claim_p95_ms": _share(crowd.claims, 95),
            "double_handouts": sum(times - 1 for times in (working.handed_out + crowd.handed_out).values()),
            "cpu_ms_per_review": cpu[0],
            "cpu_ms_per_review_with_drafts": cpu[DRAFTS],
            "lane_rows": len(rows),
            "lane_row_p50_ms": _share(rows, 50),
            "lane_row_p95_ms": _share(rows, 95),
            "lane_row_max_ms": round(max(rows), 1),
            "label_studio_cpu_ms_per_review": theirs,
        },
        "ratios": {
            "to_label_studio": theirs and round(cpu[0] / theirs, 3),
            "to_label_studio_with_drafts": theirs and round(cpu[DRAFTS] / theirs, 3),
        },
    }


def _served(log: Path, told: int) -> list[int]:
    """How long the application took for each claim, by the web server's own log from this byte on."""
    with log.open("rb") as lines:
        lines.seek(told)
        found = re.findall(rb"route=review-next status=302 milliseconds=(\d+)", lines.read())
    if not found:
        raise RuntimeError(f"{log} tells of no claim.")
    return [int(each) for each in found]


def _theirs(folder: Path, count: int) -> float | None:
    """The same figure of Label Studio; None, and why, where it cannot be had."""
    try:
        return _label_studio.cpu_ms_per_review(folder, count)
    except _label_studio.NotHere as why:
        sys.stderr.write(f"not compared: {why}\n")
        return None


def chart(result: dict[str, Any]) -> Chart:
    figures = result["figures"]
    return Chart(
        title="What a reviewer waits for",
        unit="milliseconds, with 10,000 documents waiting and nine people at work",
        labels=["approve to next painted", "key to next lane row", "claim of the next"],
        series={
            each: [figures[f"{name}_{each}_ms"] for name in ("next_painted", "lane_row", "claim")]
            for each in ("p50", "p95")
        },
        kind="bars",
        bounds={"painted within 100 ms": 100, "claimed, and the next row, within 50 ms": 50},
        note=f"commit {result['commit']}, {result['machine']['cores']} cores",
    )


def _share(values: Iterable[float], percent: int) -> float:
    ordered = sorted(values)
    return round(ordered[-(-len(ordered) * percent // 100) - 1], 1)


# --- The documents ------------------------------------------------------------------------------------------------


def _fill(product: Product, folder: Path, waiting: int) -> None:
    """Read the samples, have their pages drawn, and copy those that need a person until so many wait."""
    drawn = {sample.path.name: sample for sample in samples.draw(folder / "drawn")}
    read = []
    for name in SOURCES:
        sample = drawn[name]
        given = {"document_type": sample.document_type} if sample.document_type else {}
        read.append(product.wait_for(product.upload(name, sample.path.read_bytes(), **given), seconds=120))
    sources = [each["id"] for each in read if each["status"] == "needs_review" and not _refused(each)]
    if not sources:
        raise RuntimeError("None of the samples needs a person, so there is nothing to measure.")
    for each in sources:
        for size in ("", "?size=thumb"):
            product.api("GET", f"/api/v1/documents/{each}/pages/1/image/{size}").raise_for_status()
    _copy(product, sources, waiting)


def _refused(document: dict[str, Any]) -> bool:
    """Whether a rule of several fields fails, which somebody who confirms what is there cannot approve."""
    problems = [problem["code"] for each in document["fields"] for problem in each["problems"]]
    return "invalid" in problems


def _copy(product: Product, sources: list[str], waiting: int) -> None:
    with _superuser(product) as connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "CREATE TEMPORARY TABLE made AS SELECT n, gen_random_uuid() AS id, (%s::uuid[])[1 + mod(n, cardinality(%s::uuid[]))] "
            "AS source FROM generate_series(1, %s) AS n",
            [sources, sources, waiting - len(sources)],
        )
        _copied(
            cursor, "ocr_document", "id", "made.id", "'filename', 'waiting-' || made.n || '.jpg', 'duplicate_of', NULL"
        )
        for table, column in COPIED.items():
            own = f"'id', nextval(pg_get_serial_sequence('{table}', 'id'))"
            if table == "ocr_artifact":
                own += ", 'key', replace(rows.key, made.source::text, made.id::text)"
            if table == "ocr_extraction":
                own += ", 'token', md5(rows.token || made.n)"
            if table == "audit_auditevent":
                own += ", 'chain', 'document:' || made.id"
            _copied(cursor, table, column, "made.id", own)
        cursor.execute(
            "INSERT INTO audit_audithead (chain, tenant_id, seq, hash) SELECT 'document:' || made.id, head.tenant_id, head.seq, "
            "head.hash FROM made JOIN audit_audithead AS head ON head.chain = 'document:' || made.source"
        )
        cursor.execute(
            "SELECT source.key, replace(source.key, made.source::text, made.id::text) FROM made "
            "JOIN ocr_artifact AS source ON source.document_id = made.source"
        )
        keys = cursor.fetchall()
        cursor.execute("VACUUM ANALYZE")
    stored = product.home / "documents"
    for key, copy in keys:
        (stored / copy).parent.mkdir(parents=True, exist_ok=True)
        (stored / copy).hardlink_to(stored / key)  # what is stored never changes
    ran = product.manage("rebuild_tallies")
    if ran.returncode:
        raise RuntimeError(ran.stderr[-2000:])


def _copied(cursor: Any, table: str, column: str, value: str, own: str) -> None:
    """The rows of the sources once more for each made document, with what is a row's own."""
    text = "::text" if table == "audit_auditevent" else ""
    cursor.execute(
        f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, to_jsonb(rows) || "
        f"jsonb_build_object('{column}', {value}, {own}))).* FROM made JOIN {table} AS rows ON rows.{column} = made.source{text}"
    )


def _superuser(product: Product) -> Any:
    connection = psycopg2.connect(product.credentials["database"]["superuser"])
    connection.autocommit = True
    return closing(connection)


# --- The people ---------------------------------------------------------------------------------------------------


def _people(product: Product, count: int) -> list[Person]:
    """Reviewers of the first one's tenant, with the first one's password."""
    with _superuser(product) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined) "
            "SELECT password, false, 'clerk' || n, '', '', '', false, true, now() "
            "FROM auth_user, generate_series(1, %s) AS n WHERE username = 'reviewer'",
            [count],
        )
        cursor.execute(
            "INSERT INTO tenants_membership (user_id, tenant_id, role) "
            "SELECT u.id, m.tenant_id, 'reviewer' FROM auth_user AS u, tenants_membership AS m, auth_user AS r "
            "WHERE u.username LIKE 'clerk%%' AND m.user_id = r.id AND r.username = 'reviewer' AND m.role = 'reviewer'"
        )
    password = product.credentials["reviewer"]["password"]
    return [Person.signed_in(product.url, f"clerk{number}", password) for number in range(1, count + 1)]


@contextmanager
def _at_work(people: list[Person], tally: Tally) -> Iterator[None]:
    """They work, each at its own pace, until the block ends."""
    over = threading.Event()
    with ThreadPoolExecutor(len(people)) as pool:
        at_work = [pool.submit(_work, person, tally, over, number) for number, person in enumerate(people)]
        try:
            yield
        finally:
            over.set()
        for each in at_work:
            each.result()


def _work(person: Person, tally: Tally, over: threading.Event, number: int) -> None:
    """Claim, look at the page as a browser does, save a draft twice, decide; again."""
    pace = random.Random(SEED + number)
    over.wait(pace.uniform(0, PACE))
    while not over.is_set():
        begun = time.monotonic()
        milliseconds, document_id = person.next()
        tally.note(milliseconds, document_id)
        page = f"{person.url}/review/{document_id}/"
        person.session.get(page, timeout=30).raise_for_status()
        ahead = _posted(person, f"{page}ahead/", {"have": []})
        version = _version(person, document_id)
        for revision, state in enumerate(("checked", "absent")):
            over.wait(PACE / 4)
            told = {"token": ahead["current"]["token"], "version": version, "revision": revision}
            _posted(person, f"{page}draft/", told | {"fields": {"total": {"value": "", "state": state}}})
        over.wait(max(0.0, begun + pace.uniform(0.8, 1.2) * PACE - time.monotonic()))
        person.reject(document_id)


def _version(person: Person, document_id: str) -> int:
    found: int = person.session.get(f"{person.url}/api/v1/documents/{document_id}/", timeout=30).json()["version"]
    return found


def _posted(person: Person, url: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = person.session.post(
        url, json=body, headers={"X-CSRFToken": str(person.session.cookies["csrftoken"])}, timeout=30
    )
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def _cpu_ms(product: Product, person: Person, count: int, *, drafts: int) -> float:
    """Processor time of the web server and of PostgreSQL for one document, decided as the page does it: the answer to a decision
    brings the claim and the part of the one after the next."""
    _milliseconds, document_id = person.next()
    seen = _posted(person, f"{person.url}/review/{document_id}/ahead/", {"have": []})
    token, version, ahead = seen["current"]["token"], _version(person, document_id), seen["reserved"]
    before = _web_ms(product)
    for _ in range(count):
        page = f"{person.url}/review/{document_id}/"
        for revision in range(drafts):
            told = {"token": token, "version": version, "revision": revision}
            _posted(
                person, f"{page}draft/", told | {"fields": {"total": {"value": str(revision), "state": "corrected"}}}
            )
        verdict = {"token": token, "version": version, "decision": "reject", "reason": "illegible"}
        answer = _posted(person, f"{page}decision/", verdict | {"next": ahead["document_id"], "have": []})
        document_id, token = ahead["document_id"], ahead["token"]
        version = int(re.findall(r'"version": (\d+)', ahead["part"])[0])
        ahead = answer["reserved"]
    return round((_web_ms(product) - before) / count, 1)


def _web_ms(product: Product) -> float:
    used = cost(product).cpu_ms
    return used.get("web", 0.0) + used.get("postgres", 0.0)


def _crowd(people: list[Person], claims: int) -> Tally:
    """All at once, as fast as they can: claim and decide until so many were handed out."""
    tally = Tally()

    def work(person: Person) -> None:
        while len(tally.claims) < claims:
            milliseconds, document_id = person.next()
            tally.note(milliseconds, document_id)
            person.reject(document_id)

    with ThreadPoolExecutor(len(people)) as pool:
        for each in [pool.submit(work, person) for person in people]:
            each.result()
    return tally


# --- The browser --------------------------------------------------------------------------------------------------


def _browser(product: Product, approvals: int, lane_rows: int) -> tuple[list[float], int, list[float]]:
    """The milliseconds of each approval, how many pages had to be loaded, and the milliseconds of each row of a lane."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        who = product.credentials["reviewer"]
        page.goto(f"{product.url}/login/")
        page.get_by_label("Username").fill(who["username"])
        page.get_by_label("Password", exact=True).fill(who["password"])
        page.keyboard.press("Enter")
        page.wait_for_url("**/queue/")
        page.keyboard.press("Enter")
        page.wait_for_url("**/review/**")
        page.evaluate(STOPWATCH)
        painted: list[float] = []
        loads = 0
        while len(painted) < approvals:
            painted += _approved(page)
            if not page.evaluate("window.loadedOnce === true"):
                loads += 1
                page.evaluate(STOPWATCH)
        rows = _lane(page, product, lane_rows)
        browser.close()
    if errors:
        raise RuntimeError(f"The page failed: {errors[:3]}")
    return painted, loads, rows


def _lane(page: Page, product: Product, count: int) -> list[float]:
    """Confirm so many rows of the lane in which most documents wait, at the pace of the keys."""
    page.goto(f"{product.url}/lanes/")
    lanes = page.locator("tr[data-url]")
    waits = [int(re.sub(r"\D", "", lanes.nth(at).locator("td.number").inner_text())) for at in range(lanes.count())]
    page.goto(product.url + str(lanes.nth(waits.index(max(waits))).get_attribute("data-url")))
    page.locator("#rows > li[data-drawn]").nth(9).wait_for()
    page.evaluate(LANE_STOPWATCH)
    painted: list[float] = []
    for _ in range(count):
        page.keyboard.press("Enter")
        time.sleep(KEY_PAUSE)
        painted += page.evaluate("window.painted.splice(0)")
    deadline = time.monotonic() + 30
    while len(painted) < count and time.monotonic() < deadline:
        time.sleep(0.05)
        painted += page.evaluate("window.painted.splice(0)")
    if len(painted) < count:
        raise RuntimeError(f"Of {count} rows of the lane {len(painted)} were painted.")
    return painted


def _approved(page: Page) -> list[float]:
    """Work through one document by keyboard at a person's pace, and approve it."""
    begun = time.monotonic()
    for _ in range(60):
        counts = page.locator("#counts").inner_text()
        if "Ready to approve" in counts:
            break
        page.keyboard.press("Enter")
        time.sleep(KEY_PAUSE)
        if page.locator("#counts").inner_text() == counts:
            page.keyboard.press("Alt+n")
            time.sleep(KEY_PAUSE)
    time.sleep(max(0.0, begun + PACE - time.monotonic()))
    address = page.url
    page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda url: url != address, timeout=30_000)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:  # the page's policy allows no script to wait in it
        found: list[float] | None = page.evaluate("window.loadedOnce ? window.painted.splice(0) : null")
        if found is None or found:
            return found or []
        time.sleep(0.05)
    raise RuntimeError("The next document was not painted.")
