"""Batches over REST: every way to hand in a manifest, what is told of it, and what is refused."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ocr import batches
from ocr.models import Batch
from tenants import scope
from tests import make
from tests.api.calls import problem, read
from tests.batches import manifest as m

pytestmark = pytest.mark.django_db
BATCHES = "/api/v1/batches/"
ROWS = [{"bucket": "alder", "key": f"{n}.png"} for n in range(1, 4)]


def send(client: Client, told: object, content_type: str = "application/json", query: str = "", **headers: str) -> Any:
    body = told if isinstance(told, str | bytes) else json.dumps(told)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.generic("POST", BATCHES + query, body, content_type=content_type, headers=named)


def form(client: Client, content: str, name: str = "m.csv", **fields: Any) -> Any:
    return client.post(BATCHES, {"manifest": SimpleUploadedFile(name, content.encode()), **fields})


def batch_of(answer: Any) -> Batch:
    with scope.everything():
        return Batch.objects.get(pk=answer.json()["id"])


def nothing_left() -> bool:
    return list(Path(configured.FILE_UPLOAD_TEMP_DIR).glob("manifest-*")) == []


# --- Handing one in -----------------------------------------------------------------------------------------------


def test_a_manifest_in_every_form_of_body(cast: make.Cast, folder: Path) -> None:
    api = cast.api()
    wishes = "?max_concurrency=7&tolerated_failure_percentage=2.5&priority=normal&name=march"
    answers = [
        send(api, ROWS, query=wishes),
        send(api, {"items": ROWS, "max_concurrency": 7, "tolerated_failure_percentage": 2.5, "priority": "normal"}),
        send(api, m.as_lines(ROWS), "application/x-ndjson", wishes),
        send(api, m.as_csv(ROWS), "text/csv", wishes),
        form(api, m.as_csv(ROWS), max_concurrency=7, tolerated_failure_percentage=2.5, priority="normal"),
        form(api, json.dumps(ROWS), "m.json", max_concurrency=7, tolerated_failure_percentage=2.5, priority="normal"),
    ]
    for answer in answers:
        assert answer.status_code == 202, answer.content
        told = answer.json()
        assert answer["Location"] == told["links"]["self"] == f"{BATCHES}{told['id']}/"
        assert (told["status"], told["counts"]["total"], told["counts"]["pending"]) == ("running", 3, 3)
        assert (told["max_concurrency"], told["tolerated_failure_percentage"], told["priority"]) == (7, 2.5, "normal")
        assert batch_of(answer).total == 3
    assert nothing_left()


@pytest.mark.parametrize("body", [ROWS, [{"bucket": "x"}], "[", b"\xff"], ids=["good", "wrong", "broken", "no text"])
def test_no_file_of_a_request_stays(cast: make.Cast, folder: Path, body: Any) -> None:
    send(cast.api(), body)
    assert nothing_left()


def test_a_wrong_manifest_is_told_line_by_line(cast: make.Cast, folder: Path) -> None:
    told = problem(
        send(cast.api(), m.as_lines([ROWS[0], {"bucket": "alder"}]), "application/x-ndjson"), 422, "manifest_invalid"
    )
    assert told["errors"] == [
        {"line": 2, "message": "A row needs bucket and key of its file, or document_id of an earlier document."}
    ]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?max_concurrency=0", "max_concurrency"),
        ("?max_concurrency=x", "max_concurrency"),
        ("?tolerated_failure_percentage=101", "tolerated_failure_percentage"),
        ("?priority=urgent", "priority"),
        ("?max_concurency=5", "max_concurency"),
    ],
)
def test_parameters_that_cannot_be_are_refused(cast: make.Cast, folder: Path, query: str, field: str) -> None:
    told = problem(send(cast.api(), ROWS, query=query), 400, "invalid")
    assert [error["field"] for error in told["errors"]] == [field]
    assert nothing_left()


def test_bodies_that_are_no_manifest_are_refused(
    cast: make.Cast, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = cast.api()
    problem(send(api, "x", "text/plain"), 415, "unsupported_media_type")
    assert "body" in problem(send(api, ""), 400, "parse_error")["detail"]
    assert problem(form(api, "x", "m.txt"), 422, "manifest_invalid")["errors"][0]["message"].startswith(
        "The manifest's name"
    )
    problem(api.post(BATCHES, {"name": "x"}), 400, "invalid")
    monkeypatch.setattr("ocr.api.batches.MANIFEST_BYTES", 10)
    problem(send(api, ROWS), 413, "body_too_large")
    assert nothing_left()
    with scope.everything():
        assert not Batch.objects.exists()


def test_who_may_not_upload_is_told_before_the_body_is_read(cast: make.Cast, folder: Path) -> None:
    problem(send(cast.page(cast.cleo), "[" * 100), 403, "not_allowed")
    problem(send(Client(), ROWS), 401, "not_authenticated")


# --- Idempotency --------------------------------------------------------------------------------------------------


def test_the_same_manifest_with_the_same_key_is_one_batch(cast: make.Cast, folder: Path) -> None:
    api = cast.api()
    first, again = (send(api, ROWS, Idempotency_Key="k-1") for _ in range(2))
    assert first.json() == again.json() and first.status_code == again.status_code == 202
    problem(send(api, ROWS[:1], Idempotency_Key="k-1"), 422, "idempotency_key_reused")
    problem(send(api, ROWS, query="?max_concurrency=3", Idempotency_Key="k-1"), 422, "idempotency_key_reused")
    with scope.everything():
        assert Batch.objects.count() == 1
    assert send(api, ROWS).json()["id"] != first.json()["id"], "without a key it is a new one"


def test_an_act_with_the_same_key_is_done_once(cast: make.Cast, folder: Path) -> None:
    api = cast.api()
    path = send(api, ROWS).json()["links"]["self"]
    first = api.post(f"{path}pause/", headers={"Idempotency-Key": "p"})
    assert first.json()["status"] == "paused"
    assert api.post(f"{path}resume/", headers={"Idempotency-Key": "r"}).json()["status"] == "running"
    again = api.post(f"{path}pause/", headers={"Idempotency-Key": "p"})
    assert (again.status_code, again.json()) == (200, first.json())
    assert api.get(path).json()["status"] == "running"
    problem(api.post(f"{path}cancel/", headers={"Idempotency-Key": "p"}), 422, "idempotency_key_reused")


# --- Steering -----------------------------------------------------------------------------------------------------


def test_pause_resume_and_cancel(cast: make.Cast, folder: Path) -> None:
    api = cast.api()
    path = send(api, ROWS).json()["links"]["self"]
    assert api.post(f"{path}pause/").json()["status"] == "paused"
    body = json.dumps({"max_concurrency": 3, "tolerated_failure_percentage": 50})
    told = api.post(f"{path}resume/", body, content_type="application/json").json()
    assert (told["status"], told["max_concurrency"], told["tolerated_failure_percentage"]) == ("running", 3, 50)
    told = api.post(f"{path}cancel/").json()
    assert (told["status"], told["counts"]["cancelled"], told["percent"]) == ("cancelled", 3, 100)
    assert "The batch is cancelled" in problem(api.post(f"{path}resume/"), 409, "not_possible")["detail"]
    bad = json.dumps({"tolerated_failure_percentage": 101})
    problem(api.post(f"{path}resume/", bad, content_type="application/json"), 400, "invalid")


# --- What is told -------------------------------------------------------------------------------------------------


def _mixed(cast: make.Cast, folder: Path) -> Batch:
    batch = m.submit(
        cast.a, m.rows(folder, 4, missing=[2], external_id="=1+1"), tolerated_failure_percentage=50, max_concurrency=2
    )
    m.feed(batch)
    return batch


def test_progress_and_rows(cast: make.Cast, folder: Path) -> None:
    batch = _mixed(cast, folder)
    api, path = cast.api(), f"{BATCHES}{batch.pk}/"
    told = api.get(path).json()
    assert told["counts"] == {
        "total": 4, "pending": 1, "feeding": 0, "submitted": 2, "done": 0, "failed": 1, "cancelled": 0,
    }  # fmt: skip
    assert told["percent"] == 25.0
    rows = api.get(f"{path}items/").json()["results"]
    assert [(row["row"], row["state"]) for row in rows] == [
        (1, "submitted"),
        (2, "failed"),
        (3, "submitted"),
        (4, "pending"),
    ]
    assert (
        rows[0]["document_status"] == "received" and rows[0]["link"] == f"/api/v1/documents/{rows[0]['document_id']}/"
    )
    assert rows[1]["error"] == {
        "code": "object_missing", "message": "There is no such file in the folder. Check bucket and key.",
    }  # fmt: skip
    assert rows[3]["document_id"] is None


def test_rows_come_in_pages_and_by_state(cast: make.Cast, folder: Path) -> None:
    batch = _mixed(cast, folder)
    api, path = cast.api(), f"{BATCHES}{batch.pk}/items/"
    seen, url, pages = [], f"{path}?page_size=3", 0
    while url:
        told = api.get(url).json()
        seen += [row["row"] for row in told["results"]]
        url, pages = told["next"], pages + 1
    assert (seen, pages) == ([1, 2, 3, 4], 2)
    assert [row["row"] for row in api.get(f"{path}?state=failed").json()["results"]] == [2]
    for query in ("state=lost", "cursor=x", "cursor=-1", "page_size=0", "colour=red"):
        problem(api.get(f"{path}?{query}"), 400, "invalid")


def test_batches_are_listed_newest_first(cast: make.Cast, folder: Path) -> None:
    api = cast.api()
    ids = [send(api, ROWS).json()["id"] for _ in range(3)]
    api.post(f"{BATCHES}{ids[0]}/pause/")
    told = api.get(f"{BATCHES}?page_size=2").json()
    assert [row["id"] for row in told["results"]] == [ids[2], ids[1]]
    assert [row["id"] for row in api.get(told["next"]).json()["results"]] == [ids[0]]
    assert [row["id"] for row in api.get(f"{BATCHES}?status=paused").json()["results"]] == [ids[0]]
    problem(api.get(f"{BATCHES}?status=lost"), 400, "invalid")
    problem(api.get(f"{BATCHES}?cursor=lost"), 400, "invalid")


def test_results_as_json_lines(cast: make.Cast, folder: Path) -> None:
    batch = _mixed(cast, folder)
    answer = cast.api().get(f"{BATCHES}{batch.pk}/results/")
    assert answer["Content-Type"] == "application/x-ndjson"
    assert answer["Content-Disposition"] == f'attachment; filename="batch-{batch.pk}.jsonl"'
    rows = [json.loads(line) for line in read(answer).splitlines()]
    assert [row["row"] for row in rows] == [1, 2, 3, 4]
    assert rows == cast.api().get(f"{BATCHES}{batch.pk}/items/").json()["results"]


def test_no_cell_of_the_csv_is_a_formula(cast: make.Cast, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "CHUNK_ROWS", 2)
    evil = ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "＝1", 'a"b,c']
    told = [{"bucket": "alder", "key": f"{word}.png", "external_id": word} for word in evil]
    batch = m.submit(cast.a, told)
    answer = cast.api().get(f"{BATCHES}{batch.pk}/results/?format=csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    head, *rows = csv.reader(io.StringIO(read(answer).decode()))
    assert tuple(head) == batches.COLUMNS
    kept = {name: [row[head.index(name)] for row in rows] for name in ("row", "external_id", "key")}
    assert kept["row"] == [str(n) for n in range(1, 7)]
    assert kept["external_id"] == [*(f"'{word}" for word in evil[:5]), evil[5]]
    assert all(cell[:1] not in "=+-@\t\r\n＝" for row in rows for cell in row if cell)


def test_only_two_formats_of_results(cast: make.Cast, folder: Path) -> None:
    batch = _mixed(cast, folder)
    assert "csv, jsonl" in problem(cast.api().get(f"{BATCHES}{batch.pk}/results/?format=xml"), 400, "invalid")["detail"]


def test_another_tenant_sees_nothing(cast: make.Cast, folder: Path) -> None:
    batch = _mixed(cast, folder)
    ben = cast.page(cast.ben)
    assert ben.get(BATCHES).json()["results"] == []
    for part in ("", "items/", "results/"):
        problem(ben.get(f"{BATCHES}{batch.pk}/{part}"), 404, "not_found")
    for act in ("pause/", "resume/", "cancel/"):
        problem(ben.post(f"{BATCHES}{batch.pk}/{act}"), 404, "not_found")
    assert m.reload(batch).status == "running"


def test_rows_of_another_tenant_cannot_even_be_written(cast: make.Cast, folder: Path) -> None:
    """Row-level security: inside B's scope A's batch is not there, and a row for it is refused."""
    from django.db import ProgrammingError, transaction

    from ocr.models import BatchItem

    batch = _mixed(cast, folder)
    with scope.scope([cast.b.pk]):
        assert not Batch.objects.exists() and not BatchItem.objects.exists()
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            BatchItem.objects.create(tenant=cast.a, batch=batch, row=99)
