"""One product and one browser for every journey of a test process: starting them takes longer than most journeys."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import requests
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

import samples
from tests.product import PREPARED_IN, Product

# A machine with more to do is slow; a test that passes does not wait for it.
expect.set_options(timeout=20_000)
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    # Not below pytest's own folder: the database's user has to pass through, and another run would close it meanwhile.
    folder = Path(tempfile.mkdtemp(prefix="journey-", dir=os.environ[PREPARED_IN]))
    folder.chmod(0o711)
    product = Product(folder / "home")
    product.start()
    yield product
    product.stop()
    assert product.processes() == [], "Ctrl-C left processes behind"


# For one file only: while it is open, Django takes this thread for an asynchronous one and refuses it the database.
@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    if CHROMIUM is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("REQUIRE_BROWSER=1, but no Chromium was found")
        pytest.skip("no Chromium was found")
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, samples.Sample]:
    return {sample.path.name: sample for sample in samples.draw(tmp_path_factory.mktemp("drawn"))}


@pytest.fixture(autouse=True)
def _everybody_goes_home(browser: Browser) -> Iterator[None]:
    """A page that stayed open would go on holding its document."""
    yield
    for context in browser.contexts:
        context.close()


@pytest.fixture(autouse=True, scope="module")
def _an_empty_queue(product: Product) -> None:
    empty_queue(product)


def empty_queue(product: Product) -> None:
    """What other journeys left waiting is rejected, whoever held it: the first in the queue is then this journey's."""
    for _ in range(20):
        _free(product)
        refused = [answer for document in _waiting(product) if (answer := _rejected(product, document)) is not None]
        if not refused:
            return
        # A page that was being closed may have claimed one once more, or decided it first.
        assert {answer.json()["code"] for answer in refused} <= {"already_decided", "held"}, refused[0].text
    raise AssertionError(f"the queue does not get empty: {refused[0].text}")


def _free(product: Product) -> None:
    with psycopg2.connect(product.credentials["database"]["superuser"]) as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM review_claim")
        cursor.execute("DELETE FROM review_escalation")
    connection.close()


def _waiting(product: Product) -> list[dict[str, Any]]:
    answer = product.api("GET", "/api/v1/documents/", params={"status": "needs_review", "page_size": 200})
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def _rejected(product: Product, document: dict[str, Any]) -> requests.Response | None:
    """None when it was; else the refusal."""
    answer = product.api(
        "POST",
        f"/api/v1/documents/{document['id']}/review/",
        json={"version": document["version"], "decision": "reject", "reason": "other"},
    )
    return None if answer.status_code == 200 else answer
