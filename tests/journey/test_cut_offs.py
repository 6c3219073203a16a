"""Whatever is cut off in the middle of the work, no confirmation is lost: the browser, the network, the server, the session.

A confirmation counts once the page has it: on this computer (`data-here`) or on the server. CUT_OFFS=50 does more of them,
CUT_OFF_SEED repeats a run; `-s` prints the seed and the counts.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import requests
from playwright.sync_api import BrowserContext, Error, Page, Playwright, Route, expect

import samples
from tests.journey.conftest import ARGUMENTS, CHROMIUM
from tests.product import Product, group

pytestmark = [pytest.mark.browser, pytest.mark.engine]
COUNT = int(os.environ.get("CUT_OFFS", "4"))
SEED = int(os.environ.get("CUT_OFF_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
HERE = "#draft-state[data-here=true]"


@dataclass
class Reviewer:
    """One person at one computer, whose browser keeps what it is told to keep."""

    product: Product
    playwright: Playwright
    folder: Path
    dice: random.Random
    said: dict[str, str] = field(default_factory=dict)  # what the page has, by field
    errors: list[str] = field(default_factory=list)
    context: BrowserContext | None = None
    document_id: str = ""

    @property
    def page(self) -> Page:
        assert self.context
        return self.context.pages[0]

    def begin(self) -> None:
        self.context = self.playwright.chromium.launch_persistent_context(
            str(self.folder), executable_path=CHROMIUM, args=ARGUMENTS, viewport={"width": 1440, "height": 900}
        )
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, document_id: str) -> None:
        """The document's page, signed in if need be."""
        self.document_id = document_id
        self.page.goto(f"{self.product.url}/review/{document_id}/")
        if "/login/" in self.page.url:
            sign_in(self.page, self.product)
            self.page.wait_for_url(f"{self.product.url}/review/{document_id}/")
        expect(self.page.locator("#lease")).to_be_visible()

    def confirm(self, times: int) -> None:
        """Type a value into some field and confirm it; soon or less soon after, go on."""
        unsure: dict[str, str] = {}
        for _ in range(times):
            entry = self.dice.choice(self.page.locator("#fields .row :is(input, textarea)[data-entry]").all())
            value = str(self.dice.randrange(10**6, 10**7))
            name = entry.get_attribute("name") or ""
            self.said.pop(name, None)  # typed over: what was kept of it before is not asked for any more
            entry.fill(value)
            entry.press("Enter")
            unsure[name] = value
            time.sleep(self.dice.uniform(0, 0.3))
            if self.page.locator(HERE).count():
                self.said |= unsure
                unsure = {}

    def kept(self) -> None:
        """Everything that was confirmed so far is kept on this computer at least."""
        expect(self.page.locator(HERE)).to_be_attached()

    def check(self) -> None:
        """Nothing of it is missing: not on the page, and a moment later not on the server."""
        shown = {name: self.page.locator(f"#fields .row [name='{name}']").input_value() for name in self.said}
        assert shown == self.said
        deadline = time.monotonic() + 40
        while (stored := self._stored()) != self.said and time.monotonic() < deadline:
            time.sleep(0.2)
        assert stored == self.said

    def _stored(self) -> dict[str, str]:
        """What of it the server has."""
        fields = draft(self.product, self.document_id)
        return {name: fields[name]["value"] for name in self.said if fields.get(name, {}).get("state") == "corrected"}

    def kill(self) -> None:
        """As when the computer loses its power: nothing is said to anybody."""
        assert self.context
        for pid in _with(f"--user-data-dir={self.folder}"):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(Error):  # it is dead already
            self.context.close()
        for left in self.folder.glob("Singleton*"):
            left.unlink()

    def end(self) -> None:
        assert self.context
        self.context.close()


def sign_in(page: Page, product: Product) -> None:
    who = product.credentials["reviewer"]
    page.get_by_label("Username").fill(who["username"])
    page.get_by_label("Password", exact=True).fill(who["password"])
    page.keyboard.press("Enter")


def draft(product: Product, document_id: str) -> dict[str, Any]:
    """What the server has of the reviewer's work."""
    with psycopg2.connect(product.credentials["database"]["auditor"]) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT fields FROM review_draft WHERE document_id = %s", [document_id])
        (fields,) = cursor.fetchone() or ({},)
    connection.close()
    found: dict[str, Any] = fields
    return found


def _with(word: str) -> list[int]:
    """The processes that were started with this word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if word.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


# --- What is cut off ----------------------------------------------------------------------------------------------


def browser_killed(who: Reviewer) -> None:
    who.kill()
    who.begin()
    who.open(who.document_id)


def network_cut(who: Reviewer) -> None:
    assert who.context
    who.context.set_offline(True)
    who.confirm(2)
    who.kept()
    who.context.set_offline(False)


def server_killed(who: Reviewer) -> None:
    for pid in group(who.product.leader_of("web")):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    who.confirm(2)
    who.kept()
    _until_answers(who.product)


def session_expired(who: Reviewer) -> None:
    assert who.context
    who.context.clear_cookies()
    who.confirm(2)
    who.kept()
    if who.dice.random() < 0.5:
        who.open(who.document_id)
        return
    other = who.context.new_page()
    other.goto(f"{who.product.url}/login/")
    sign_in(other, who.product)
    other.wait_for_url("**/queue/")
    other.close()


def _until_answers(product: Product) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(requests.RequestException):
            if requests.get(f"{product.url}/healthz", timeout=5).ok:
                return
        time.sleep(0.2)
    raise AssertionError("the server did not come back")


KINDS: list[Callable[[Reviewer], None]] = [browser_killed, network_cut, server_killed, session_expired]


# --- The tests ----------------------------------------------------------------------------------------------------


@pytest.fixture
def reviewer(product: Product, playwright: Playwright, tmp_path: Path) -> Reviewer:
    return Reviewer(product, playwright, tmp_path / "profile", random.Random(SEED))


def uploaded(product: Product, drawn: dict[str, samples.Sample], name: str) -> str:
    content = drawn["invoice-noisy-scan.jpg"].path.read_bytes()
    document_id = product.upload(name, content, document_type="invoice")
    assert product.wait_for(document_id)["status"] == "needs_review"
    return document_id


def test_no_confirmation_is_lost(reviewer: Reviewer, product: Product, drawn: dict[str, samples.Sample]) -> None:
    done: Counter[str] = Counter()
    confirmations = 0
    kinds = [KINDS[number % len(KINDS)] for number in range(COUNT)]
    reviewer.dice.shuffle(kinds)
    reviewer.begin()
    for number, cut in enumerate(kinds):
        reviewer.said = {}
        reviewer.open(uploaded(product, drawn, f"cut-{number}.jpg"))
        reviewer.confirm(reviewer.dice.randint(1, 4))
        cut(reviewer)
        reviewer.check()
        done[cut.__name__] += 1
        confirmations += len(reviewer.said)
    reviewer.end()
    sys.stdout.write(f"\nseed {SEED}: {dict(done)}, {confirmations} confirmations, 0 lost\n")
    assert confirmations >= COUNT
    assert reviewer.errors == []


def test_ten_minutes_without_a_network_lose_nothing(
    reviewer: Reviewer, product: Product, drawn: dict[str, samples.Sample]
) -> None:
    reviewer.begin()
    reviewer.page.clock.install()
    reviewer.open(uploaded(product, drawn, "tunnel.jpg"))
    assert reviewer.context
    reviewer.context.set_offline(True)
    for _ in range(5):
        reviewer.confirm(1)
        reviewer.page.clock.fast_forward("02:00")
    reviewer.kept()
    with psycopg2.connect(product.credentials["database"]["superuser"]) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE review_claim SET expires_at = now() WHERE document_id = %s", [reviewer.document_id])
    connection.close()
    reviewer.context.set_offline(False)
    reviewer.page.clock.fast_forward("01:00")
    expect(reviewer.page.locator("#conflict")).to_be_visible()
    assert draft(product, reviewer.document_id) == {}
    reviewer.page.locator("#conflict [data-reload]").click()
    expect(reviewer.page.locator("#lease")).to_be_visible()
    reviewer.check()
    reviewer.end()
    assert reviewer.errors == []


def test_a_save_whose_answer_was_lost_is_no_other_window(
    reviewer: Reviewer, product: Product, drawn: dict[str, samples.Sample]
) -> None:
    lost: list[int] = []

    def loses_one(route: Route) -> None:
        if lost:
            return route.continue_()
        lost.append(route.fetch().status)
        return route.abort()

    reviewer.begin()
    reviewer.open(uploaded(product, drawn, "half-heard.jpg"))
    reviewer.page.route("**/draft/", loses_one)
    reviewer.confirm(3)
    reviewer.kept()
    reviewer.check()
    assert lost == [200]
    assert reviewer.page.locator("#conflict").is_hidden()
    reviewer.end()
    assert reviewer.errors == []
