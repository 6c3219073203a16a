"""The rules in the page say what the server says, over generated values: the same declarations, the same sentences."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.sync_api import Page, Route, sync_playwright

from ocr import extraction
from ocr.extraction.document_types import DateOrder, DocumentType, FieldSpec, ItemsRule, Kind, OrderRule, SumRule
from review import declarations

pytestmark = pytest.mark.browser
STATIC = Path(__file__).resolve().parents[2] / "static"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
SEED = 20260728

AMOUNTS = ("subtotal", "tax", "discount", "GST", "shipping", "total", "balance")
DATES = ("issued", "due")
TYPE = DocumentType(
    name="generated",
    version=1,
    label="Generated",
    operation="AnalyzeDocument",
    fields=(
        *(FieldSpec(name, name.capitalize() if name.islower() else name, kind="amount") for name in AMOUNTS),
        *(FieldSpec(name, name.capitalize(), kind="date", required=True) for name in DATES),
        FieldSpec("number", "Number", required=True),
    ),
    line_items=(FieldSpec("amount", "Amount", kind="amount"),),
    rules=(
        SumRule("sum", ("subtotal", "tax", "-discount"), "total", optional=("shipping",), may_be_included=("tax", "shipping")),
        SumRule("exact", ("total", "GST"), "balance", tolerance=Decimal(0)),
        SumRule("carried_on", ("total", "-discount"), "total"),  # which of two totals counts; nothing is checked by it
        ItemsRule("items", "amount", ("subtotal", "total"), may_be_added=("tax", "-discount")),
        OrderRule("order", "due", "issued"),
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """An empty page from which the product's own modules can be imported; nothing leaves the machine."""
    if CHROMIUM is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("REQUIRE_BROWSER=1, but no Chromium was found")
        pytest.skip("no Chromium was found")

    def answer(route: Route) -> None:
        path = STATIC / route.request.url.removeprefix("http://page.test/")
        if path.is_file():
            route.fulfill(path=path, content_type="text/javascript")
        else:
            route.fulfill(body="<!DOCTYPE html><title>Rules</title>", content_type="text/html")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        opened = browser.new_page()
        opened.route("http://page.test/**", answer)
        opened.goto("http://page.test/")
        yield opened
        browser.close()


def amount(chance: random.Random) -> str | None:
    cents = chance.choice([0, 1, 999, 1000, 4000, 4002, 4800, 100_000, 123_456, chance.randrange(2_000_000)])
    written = f"{cents // 100}.{cents % 100:02}"
    odd = [None, "", f"-{written}", f"{written}5", f"{written}0005", str(cents), "a lot", "12..5", "2026-03-12"]
    return chance.choice(odd) if chance.random() < 0.3 else written


def day(chance: random.Random) -> str | None:
    return chance.choice([None, "", f"2026-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}", "2026-03-12"])


def case(chance: random.Random) -> dict[str, Any]:
    values = {name: amount(chance) for name in AMOUNTS if chance.random() < 0.9}
    if chance.random() < 0.4:  # one that may well add up
        values |= {
            "subtotal": "40.00",
            "tax": "8.00",
            "discount": chance.choice(["0.00", "-3.00", None]),
            "total": "48.00",
        }
    values |= {name: day(chance) for name in DATES} | {"number": chance.choice([None, "", "INV-1"])}
    items = [{"amount": chance.choice(["10.00", "20.00", amount(chance)])} for _row in range(chance.randrange(5))]
    return {"values": values, "items": items}


def test_the_page_and_the_server_find_the_same(page: Page) -> None:
    chance = random.Random(SEED)
    cases = [case(chance) for _number in range(3000)]
    found = page.evaluate(
        """async ([cases, declared]) => {
            const { check } = await import("/js/review/rules.js");
            return cases.map(({ values, items }) =>
                check(values, items, declared).map((each) => [each.code, each.field, each.message, each.rule]));
        }""",
        [cases, declarations.told(TYPE)],
    )
    broken = 0
    for given, said in zip(cases, found, strict=True):
        expected = [
            [problem.code, problem.field, problem.message, problem.rule]
            for problem in extraction.check(given["values"], given["items"], TYPE)
        ]
        assert said == expected, given
        broken += sum(code == "invalid" for code, *_rest in expected)
    assert broken > 1000, "the cases hardly break a rule"


TYPED = (
    "12", "12.5", "12.50", "12,50", "1,234.50", "1.234,50", "1.234", "1,234", "-3", "-3,10", "1 234,50", "12.345", "$12.50", "12 EUR", "",
    "abc", "1e5", "007", "0,5", "1.234.567,89", "1,234,567.89", "12.3.4", ".50", "50.", "5 %", "2026-03-12", "12.03.2026", "12/03/2026",
    "3/12/2026", "31.02.2026", "13/13/2026", "1.1.2026", "2026-13-01", "2026-02-30", "12.03.26", "12 March 2026", "29.02.2024",
)  # fmt: skip


@pytest.mark.parametrize("order", ["day_first", "month_first", "year_first"])
@pytest.mark.parametrize("kind", ["amount", "number", "percent", "date"])
def test_what_the_page_understands_the_server_understands_the_same(page: Page, kind: str, order: str) -> None:
    chance = random.Random(SEED)
    typed = [
        *TYPED,
        *(f"{chance.randrange(1, 32)}{chance.choice('./')}{chance.randrange(1, 13)}.2026" for _ in range(50)),
    ]
    typed += [
        f"{chance.randrange(10 ** chance.randrange(1, 7))}{chance.choice('.,')}{chance.randrange(1000)}"
        for _ in range(200)
    ]
    understood = page.evaluate(
        """async ([kind, typed, order]) => {
            const { understood } = await import("/js/review/rules.js");
            return typed.map((text) => understood(kind, text, order));
        }""",
        [kind, typed, order],
    )
    spec = FieldSpec("value", "Value", kind=cast(Kind, kind))
    known = 0
    for text, meant in zip(typed, understood, strict=True):
        if meant is None:
            continue  # then no rule speaks of it, and the server has the only word
        known += 1
        assert extraction.parse_value(text, spec, date_order=cast(DateOrder, order)) == meant, text
    assert known, "the page understands nothing"
