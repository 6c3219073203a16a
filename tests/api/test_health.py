"""Alive and ready."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from ocr import artifacts, watch
from ocr.models import Beat

pytestmark = pytest.mark.django_db

BEATS = ["reader.high", "reader.normal", "reader.low", "workers", "pulse"]
PARTS = {"database", "storage", "disk", "textract", *BEATS}


@pytest.fixture
def all_well(settings: Any) -> None:
    settings.TEXTRACT_ENDPOINT = ""
    for name in BEATS:
        watch.beat(name)


def test_alive() -> None:
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert Client().post("/healthz").status_code == 405


def test_ready(all_well: None) -> None:
    answer = Client().get("/readyz")
    told = answer.json()
    assert (answer.status_code, told["status"]) == (200, "ready"), told
    assert set(told["parts"]) == PARTS
    assert all(set(part) == {"ready", "says"} and part["ready"] for part in told["parts"].values())


def test_workers_that_never_ran_are_not_ready(settings: Any) -> None:
    settings.TEXTRACT_ENDPOINT = ""
    watch.beat("pulse")
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")
    assert answer.json()["parts"]["workers"] == {"ready": False, "says": "No sign of life yet."}


def test_one_lane_without_a_reader_is_not_ready(all_well: None) -> None:
    Beat.objects.filter(name__startswith="reader.normal@").update(at=Now() - timedelta(seconds=21))
    answer = Client().get("/readyz")
    told = answer.json()["parts"]
    assert answer.status_code == 503
    assert [name for name, part in told.items() if not part["ready"]] == ["reader.normal"]
    assert told["reader.normal"]["says"] == "last seen 21 s ago"


def test_a_sign_of_life_from_any_host_will_do(all_well: None, settings: Any) -> None:
    Beat.objects.filter(name__startswith="reader.normal@").update(at=Now() - timedelta(seconds=60))
    settings.HOST_NAME = "another.example.org"
    watch.beat("reader.normal")
    assert Client().get("/readyz").status_code == 200


def test_a_storage_that_cannot_be_written(all_well: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> Any:
        raise OSError("/secret/path is full")

    monkeypatch.setattr(artifacts, "storage", full)
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["storage"] == {"ready": False, "says": "The document storage cannot be written."}


def test_an_endpoint_that_does_not_answer(all_well: None, settings: Any) -> None:
    settings.TEXTRACT_ENDPOINT = "http://127.0.0.1:9"
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["textract"]["ready"] is False


def test_nothing_is_left_in_the_storage(all_well: None, settings: Any) -> None:
    Client().get("/readyz")
    probes = settings.DOCUMENTS_ROOT / "probe"
    assert not probes.exists() or list(probes.iterdir()) == []
