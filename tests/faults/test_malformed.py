"""Every answer that a service in trouble may give, asked for by call and by job: none passes for a reading."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks._load import Simulator
from deploy.local.textract.simulator import malformed
from ocr import pipeline
from ocr.models import Artifact
from review import decisions
from tests import make

pytestmark = [pytest.mark.faults, pytest.mark.django_db]
BODIES = ("truncated", "html_200", "cut_body")
FAULTS = (*BODIES, *(f"malformed:{name}" for name in malformed.VARIANTS))
# What an answer at once has not: nothing is spoilt then, and the whole answer is right to be accepted.
JOBS_ONLY = {f"malformed:{name}" for name in ("missing_next_token", "repeated_next_token", "status_missing", "status_unknown",
                                              "job_id_missing")}  # fmt: skip
# Answers in parts of up to 1,000 blocks; the second part begins within the last page.
PAGES = 3


@pytest.mark.parametrize("fault", FAULTS)
def test_of_a_job(cast: make.Cast, simulator: Simulator, settings: Any, fault: str) -> None:
    settings.MAX_ATTEMPTS = 1
    pages = 1 if fault == "malformed:huge_answer" else PAGES
    operation = "Start*" if fault == "malformed:job_id_missing" else "Get*"
    simulator.turn(faults=[{"fault": fault, "operation": operation}])
    made = make.receive(cast.a, make.pdf(pages)).document
    failed = make.run(made)
    assert _struck(simulator, fault), "this answer was never spoilt: the test proves nothing"
    assert (failed.status, failed.error_code) == ("failed", "bad_response")
    assert make.stored(made, Artifact.Kind.RESULT) == []
    simulator.turn(faults=[])
    decisions.retry(made.pk, cast.sue)
    done = make.run(made)
    assert done.status in {"approved", "needs_review"}
    _paid_once(simulator, pages)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in JOBS_ONLY])
def test_at_once(cast: make.Cast, simulator: Simulator, settings: Any, fault: str) -> None:
    settings.SYNCHRONOUS = True
    simulator.turn(faults=[{"fault": fault}])
    made = make.receive(cast.a).document
    failed = make.run(made)
    assert _struck(simulator, fault), "this answer was never spoilt: the test proves nothing"
    assert (failed.status, failed.error_code) == ("failed", "charge_uncertain")
    assert make.stored(made, Artifact.Kind.RESULT) == []
    assert [run.charge_uncertain for run in make.extractions(made)] == [True]
    assert [about["calls"] for about in simulator.report()["by_document"].values()] == [1]
    pipeline.advance(cast.a.pk, made.pk)
    _paid_once(simulator, 1)


def _struck(simulator: Simulator, fault: str) -> int:
    return sum(counts.get(fault, 0) for counts in simulator.report()["calls"].values())


def _paid_once(simulator: Simulator, pages: int) -> None:
    assert simulator.report()["billed"]["pages"] == pages
