"""What the ledger keeps, and for how long."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy.local.textract.ledger import WEEK_SECONDS, Job, Ledger, NewJob
from deploy.local.textract.refusals import Refusal

REQUEST: dict[str, Any] = {"features": ["FORMS"], "queries": [], "output": None}
NEW = NewJob("StartDocumentAnalysis", REQUEST, "token", "hash", "file", "PDF", "ab", 3)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.sqlite3")
    yield opened
    opened.close()


def started(ledger: Ledger, new: NewJob = NEW) -> Job:
    job = ledger.job(ledger.start(new)[0])
    assert job is not None
    return job


def test_a_token_that_comes_twice_starts_one_job(ledger: Ledger) -> None:
    first, fresh = ledger.start(NEW)
    assert fresh
    assert ledger.start(replace(NEW, document="other copy")) == (first, False)
    assert ledger.replayed(NEW.operation, "token", "hash") == first
    assert ledger.replayed("StartDocumentTextDetection", "token", "hash") is None
    with pytest.raises(Refusal, match="other parameters"):
        ledger.replayed(NEW.operation, "token", "other hash")


def test_jobs_and_tokens_are_kept_for_seven_days(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    job = started(ledger)
    ledger.finish(job, "SUCCEEDED", message=None, warnings=[], paid=3)
    monkeypatch.setattr("time.time", lambda: job.created_at + WEEK_SECONDS - 1)
    assert ledger.job(job.job_id) is not None
    assert ledger.start(NEW) == (job.job_id, False)
    assert ledger.forget_expired() == []
    monkeypatch.setattr("time.time", lambda: job.created_at + WEEK_SECONDS)
    assert ledger.job(job.job_id) is None
    assert ledger.start(NEW)[1]
    assert ledger.forget_expired() == [job.job_id]


def test_a_job_has_one_outcome_and_one_bill(ledger: Ledger) -> None:
    job = started(ledger)
    assert [one.job_id for one in ledger.unfinished()] == [job.job_id]
    assert ledger.finish(job, "SUCCEEDED", message=None, warnings=[], paid=3)
    assert not ledger.finish(job, "SUCCEEDED", message=None, warnings=[], paid=3)
    assert ledger.unfinished() == []
    report = ledger.report()
    assert (report["billed"]["pages"], report["billed"]["microdollars"]) == (3, 150_000)
    assert [entry["times_billed"] for entry in report["tokens"]] == [1]


def test_a_failed_job_is_not_billed(ledger: Ledger) -> None:
    ledger.finish(started(ledger), "FAILED", message="It is damaged.", warnings=[], paid=0)
    assert ledger.report()["billed"]["pages"] == 0


def test_resetting_forgets_counts_and_not_jobs(ledger: Ledger) -> None:
    job = started(ledger)
    ledger.count("AnalyzeDocument", "ok")
    ledger.finish(job, "SUCCEEDED", message=None, warnings=[], paid=3)
    ledger.reset_counters()
    report = ledger.report()
    assert (report["calls"], report["tokens"], report["documents"]) == ({}, [], [])
    assert ledger.job(job.job_id) is not None
