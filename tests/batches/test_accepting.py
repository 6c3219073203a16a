"""A manifest is accepted as a whole or refused as a whole, with a line and a sentence for what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from ocr import batches
from ocr.models import Batch, BatchItem
from tenants import scope
from tests import make
from tests.batches import manifest as m

pytestmark = pytest.mark.django_db
GOOD = {"bucket": "alder", "key": "1.png"}


def refused(cast: make.Cast, told: object, **more: Any) -> list[tuple[int, str]]:
    """The faults of a manifest that has to be refused; nothing of it may be left."""
    with pytest.raises(batches.Refused) as caught, transaction.atomic():
        m.submit(cast.a, told, **more)
    with scope.everything():
        assert not Batch.objects.exists() and not BatchItem.objects.exists()
    assert [bell for bell, _ in make.doorbells() if bell == "ocr.tasks.feed"] == []
    assert str(caught.value).endswith(".")
    return [(fault.line, fault.sentence) for fault in caught.value.faults]


@pytest.mark.parametrize("format_", ["json", "jsonl", "csv"])
def test_a_manifest_becomes_a_batch_with_its_rows(cast: make.Cast, folder: Path, format_: str) -> None:
    told = [{**GOOD, "external_id": f"x-{n}", "metadata": {"n": n}, "priority": "normal"} for n in range(1, 6)]
    texts = {"json": told, "jsonl": m.as_lines(told), "csv": m.as_csv(told)}
    batch = m.submit(cast.a, texts[format_], format_=format_, name="march")
    assert (batch.total, batch.status, batch.name) == (5, "running", f"march.{format_}")
    assert (batch.max_concurrency, batch.tolerated_failure_percentage, batch.priority) == (100, 10, 2)
    found = m.items(batch)
    assert [(item.row, item.external_id, item.metadata) for item in found] == [
        (n, f"x-{n}", {"n": n}) for n in range(1, 6)
    ]
    assert {(item.state, item.priority, item.document_id) for item in found} == {("pending", 1, None)}
    assert m.told(batch) == ["accepted"]


def test_wishes_of_the_caller_count_before_those_of_the_manifest(cast: make.Cast, folder: Path) -> None:
    told = {"max_concurrency": 7, "items": [GOOD], "tolerated_failure_percentage": 2.5, "priority": "normal"}
    batch = m.submit(cast.a, told, max_concurrency=9)
    assert (batch.max_concurrency, batch.tolerated_failure_percentage, batch.priority) == (9, 2.5, 1)


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ({**GOOD, "document_type": "poem"}, "no document type of that name. Use one of:"),
        ({**GOOD, "priority": "urgent"}, "one of: high, normal, low"),
        ({**GOOD, "bucket": "birch"}, "may not be read from there"),
        ({**GOOD, "bucket": "elsewhere"}, "may not be read from there"),
        ({**GOOD, "version": "3"}, "no versions"),
        ({**GOOD, "external_id": "x" * 201}, "at most 200"),
        ({**GOOD, "metadata": {"text": "x" * 5000}}, "at most 4096"),
        ({**GOOD, "metadata": {"text": "\x00"}}, "without NUL"),
        ({"document_id": "7d0b6b1e-9a8c-4a0e-8f0e-2c8a3f1b5a11"}, "no document with this document_id"),
        ({"key": "a"}, "needs bucket and key"),
    ],
    ids=lambda value: value[:16] if isinstance(value, str) else "",
)
def test_one_wrong_row_refuses_the_manifest(cast: make.Cast, folder: Path, row: dict[str, Any], word: str) -> None:
    told = [GOOD, GOOD, row, GOOD]
    ((line, sentence),) = refused(cast, m.as_lines(told), format_="jsonl")
    assert line == 3 and word in sentence and sentence.endswith(".")


def test_the_first_twenty_faults_are_told_in_order(cast: make.Cast, folder: Path) -> None:
    told = [GOOD if n % 2 else {"bucket": "x"} for n in range(60)]
    found = refused(cast, m.as_lines(told), format_="jsonl")
    assert [line for line, _ in found] == list(range(1, 41, 2))


def test_a_fault_behind_many_good_rows_undoes_them(
    cast: make.Cast, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "CHUNK_ROWS", 10)
    ((line, _),) = refused(cast, m.as_lines([GOOD] * 55 + [{"bucket": "x"}]), format_="jsonl")
    assert line == 56


@pytest.mark.parametrize("told", [[], {"items": []}, {}, ""], ids=str)
def test_a_manifest_without_rows_is_refused(cast: make.Cast, folder: Path, told: object) -> None:
    assert "no rows" in refused(cast, told, format_="jsonl" if told == "" else "json")[0][1]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"max_concurrency": 0}, "whole number from 1"),
        ({"max_concurrency": 1.5}, "whole number from 1"),
        ({"max_concurrency": "5"}, "whole number from 1"),
        ({"max_concurrency": True}, "whole number from 1"),
        ({"max_concurrency": 100_000}, "whole number from 1"),
        ({"tolerated_failure_percentage": -1}, "number from 0 to 100"),
        ({"tolerated_failure_percentage": 101}, "number from 0 to 100"),
        ({"tolerated_failure_percentage": 1e400}, "number from 0 to 100"),
        ({"priority": "urgent"}, "one of: high, normal, low"),
        ({"priority": ["low"]}, "one of: high, normal, low"),
        ({"max_concurency": 5}, "Use some of: items, max_concurrency"),
    ],
    ids=str,
)
def test_wishes_that_cannot_be_are_refused(cast: make.Cast, folder: Path, options: dict[str, Any], word: str) -> None:
    text = json.dumps({**options, "items": [GOOD]}).replace("Infinity", "1e400")
    ((_, sentence),) = refused(cast, text)
    assert word in sentence


def test_more_rows_than_a_manifest_may_have_are_refused(
    cast: make.Cast, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MOST_ROWS", 5)
    assert m.submit(cast.a, [GOOD] * 5).total == 5
    with pytest.raises(batches.Refused, match="nothing of it will be read"), transaction.atomic():
        m.submit(cast.a, [GOOD] * 6)


def test_an_earlier_document_of_another_tenant_is_none(cast: make.Cast, folder: Path) -> None:
    theirs = make.receive(cast.b).document
    ((_, sentence),) = refused(cast, [{"document_id": str(theirs.pk)}])
    assert "no document with this document_id" in sentence


def test_a_killed_acceptance_leaves_nothing(cast: make.Cast, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def dies(*args: Any, **named: Any) -> None:
        raise Killed

    monkeypatch.setattr(batches, "_told", dies)
    with pytest.raises(Killed), transaction.atomic():
        m.submit(cast.a, [GOOD] * 3)
    with scope.everything():
        assert not Batch.objects.exists() and not BatchItem.objects.exists()
