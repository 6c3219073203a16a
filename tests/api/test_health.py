"""Alive and ready."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from ocr import artifacts, watch

pytestmark = pytest.mark.django_db

PARTS = {"database", "storage", "textract", "workers", "pulse"}


@pytest.fixture
def all_well(settings: Any) -> None:
    settings.TEXTRACT_ENDPOINT = ""
    watch.beat("workers")
    watch.beat("pulse")


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
