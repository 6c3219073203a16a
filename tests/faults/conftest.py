"""The simulated Textract for tests that call the pipeline in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import _load
from tests.ocr.conftest import cast as cast

if TYPE_CHECKING:
    from benchmarks._load import Simulator

KNOBS = {
    "latency": dict.fromkeys(_load.SYNCHRONOUS, 0),
    "other_latency": 0,
    "job": 0,
    "answers": {"count": 4, "kilobytes": 200, "doubtful_share": 0},
    "durable": False,
}


@pytest.fixture(scope="module")
def _started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    from django.conf import settings

    settings.DOCUMENTS_ROOT.mkdir(parents=True, exist_ok=True)
    simulator = _load.Simulator(tmp_path_factory.mktemp("simulator"), store=settings.DOCUMENTS_ROOT, knobs=KNOBS)
    yield simulator
    simulator.stop()


@pytest.fixture
def simulator(
    _started: Simulator, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Simulator]:
    """Textract as the product sees it in this test: without faults, books or delays."""
    from ocr import aws

    settings.TEXTRACT_ENDPOINT = _started.url
    settings.TEXTRACT_TPS = 10_000
    settings.POLL_FIRST_SECONDS = settings.POLL_MOST_SECONDS = 600  # nothing gets due by itself while a test runs
    monkeypatch.setenv("AWS_ENDPOINT_URL_TEXTRACT", _started.url)
    aws.forget()
    _started.turn(reset=True, faults=[])
    yield _started
    aws.forget()
