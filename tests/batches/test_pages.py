"""The pages of batches: list, form, one batch, buttons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from ocr import batches
from ocr.models import Batch
from tenants import scope
from tests import make
from tests.api.calls import read
from tests.batches import manifest as m

pytestmark = pytest.mark.django_db
WISHES = {"max_concurrency": "5", "tolerated_failure_percentage": "2.5", "priority": "low"}


def submit(cast: make.Cast, rows: object, name: str = "march.json", **fields: str) -> Any:
    file = SimpleUploadedFile(name, json.dumps(rows).encode())
    return cast.page(cast.ada).post("/batches/", {"manifest": file, **WISHES, **fields})


def test_a_manifest_is_submitted_and_its_page_shown(cast: make.Cast, folder: Path) -> None:
    answer = submit(cast, m.rows(folder, 2))
    with scope.everything():
        batch = Batch.objects.get()
    assert answer["Location"] == f"/batches/{batch.pk}/"
    assert (batch.submitted_by, batch.max_concurrency, batch.tolerated_failure_percentage) == ("user:ada", 5, 2.5)
    page = cast.page(cast.ada).get(answer["Location"]).content.decode()
    assert "march.json" in page and "js/batch.js" in page and f"/batches/{batch.pk}/pause/" in page
    listed = cast.page(cast.cleo).get("/batches/").content.decode()
    assert "march.json" in listed and 'type="file"' not in listed, "an auditor looks, and submits nothing"


@pytest.mark.parametrize(
    ("rows", "name", "fields", "word"),
    [
        ([{"bucket": "x"}], "m.json", {}, "Line 1:"),
        ([], "m.json", {}, "The manifest has no rows"),
        ([], "m.txt", {}, "ends in .json, .jsonl or .csv"),
        ([{"bucket": "alder", "key": "a"}], "m.json", {"max_concurrency": "0"}, "greater than or equal to 1"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused_in_the_page(
    cast: make.Cast, folder: Path, rows: object, name: str, fields: dict[str, str], word: str
) -> None:
    answer = submit(cast, rows, name, **fields)
    assert answer.status_code == 422
    assert word in answer.content.decode()
    with scope.everything():
        assert not Batch.objects.exists()


def test_an_empty_list_says_what_a_batch_is(cast: make.Cast) -> None:
    assert "No batches yet" in cast.page(cast.ada).get("/batches/").content.decode()


def test_the_buttons_do_what_they_say(cast: make.Cast, folder: Path) -> None:
    batch = m.submit(cast.a, m.rows(folder, 3, missing=[1]), tolerated_failure_percentage=0, max_concurrency=1)
    page = cast.page(cast.ada)
    path = f"/batches/{batch.pk}/"
    for act, status in (("pause", "paused"), ("resume", "running")):
        answer = page.post(f"{path}{act}/", follow=True)
        assert answer.redirect_chain == [(path, 302)]
        assert m.reload(batch).status == status
    m.feed(batch)
    told = page.get(path).content.decode()
    assert "1 of 3 rows failed" in told and "There is no such file in the folder." in told
    refused = page.post(f"{path}resume/", {"tolerated_failure_percentage": "10"}, follow=True).content.decode()
    assert "raise its tolerated_failure_percentage" in refused
    refused = page.post(f"{path}resume/", {"tolerated_failure_percentage": "ten"}, follow=True).content.decode()
    assert "a number from 0 to 100" in refused
    page.post(f"{path}resume/", {"tolerated_failure_percentage": "50"})
    assert m.reload(batch).status == "running"
    page.post(f"{path}cancel/")
    assert m.reload(batch).status == "cancelled"
    ended = page.get(path).content.decode()
    assert "js/batch.js" not in ended and f"{path}cancel/" not in ended
    assert "The batch is cancelled" in page.post(f"{path}pause/", follow=True).content.decode()


def test_who_may_only_look_has_no_buttons(cast: make.Cast, folder: Path) -> None:
    batch = m.submit(cast.a, m.rows(folder, 1))
    path = f"/batches/{batch.pk}/"
    page = cast.page(cast.cleo)
    assert f"{path}pause/" not in page.get(path).content.decode()
    assert "Your role does not allow" in page.post(f"{path}cancel/", follow=True).content.decode()
    assert m.reload(batch).status == "running"


def test_the_page_asks_for_what_it_shows(cast: make.Cast, folder: Path) -> None:
    batch = m.submit(cast.a, m.rows(folder, 2, missing=[2]), tolerated_failure_percentage=50)
    m.feed(batch)
    told = cast.page(cast.ada).get(f"/batches/{batch.pk}/progress/").json()
    assert (told["status"], told["percent"], told["counts"]["failed"]) == ("running", 50.0, 1)
    (failure,) = told["failures"]
    assert (failure["row"], failure["file"], failure["url"]) == (2, "alder/2.png", "")


def test_the_results_are_downloaded(cast: make.Cast, folder: Path) -> None:
    batch = m.submit(cast.a, m.rows(folder, 2))
    page = cast.page(cast.cleo)
    assert read(page.get(f"/batches/{batch.pk}/results/?format=csv")).count(b"\r\n") == 3
    assert read(page.get(f"/batches/{batch.pk}/results/?format=jsonl")).count(b"\n") == 2
    assert page.get(f"/batches/{batch.pk}/results/?format=xml").status_code == 404


def test_names_of_files_are_shown_as_text(cast: make.Cast, folder: Path) -> None:
    evil = "<img src=x onerror=alert(1)>.png"
    batch = m.submit(cast.a, [{"bucket": "alder", "key": evil}], tolerated_failure_percentage=100, name="<b>x")
    m.feed(batch)
    told = cast.page(cast.ada).get(f"/batches/{batch.pk}/").content.decode()
    assert "<img src=x" not in told and "&lt;img src=x" in told and "<b>x" not in told


def test_a_longer_list_costs_no_more_queries(cast: make.Cast, folder: Path) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    page, costs = cast.page(cast.ada), []
    for _ in range(2):
        for _ in range(3):
            m.submit(cast.a, m.rows(folder, 1))
        page.get("/batches/")
        with CaptureQueriesContext(connection) as queries:
            page.get("/batches/")
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 25
    assert batches.MOST_ROWS >= 100_000
