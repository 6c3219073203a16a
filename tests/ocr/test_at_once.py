"""The synchronous call, where Textract cannot reach the stored file: no token guards it, so it is made once."""

from __future__ import annotations

from typing import Any

import pytest

from ocr import artifacts, pipeline, textract
from ocr.models import Artifact, Document
from review import decisions
from tenants import scope
from tests import engine as stub
from tests import make
from tests.engine import SYNC, Engine, Fault

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def out_of_reach(engine: Engine, settings: Any) -> None:
    """Documents lie on this machine, and Textract is AWS (only its address is the engine's)."""
    settings.TEXTRACT_ENDPOINT = ""


def _run(cast: make.Cast, engine: Engine, fault: Fault | None = None) -> Document:
    if fault:
        engine.fail(SYNC, fault)
    return make.run(make.receive(cast.a).document)


def test_one_request_reads_the_page(cast: make.Cast, engine: Engine) -> None:
    done = _run(cast, engine)
    [run] = make.extractions(done)
    assert (done.status, [call.operation for call in engine.calls]) == ("approved", [SYNC])
    assert (run.operation, run.charge_uncertain, run.state, run.micro_dollars) == (SYNC, False, "collected", 50_000)
    assert make.stored(done, Artifact.Kind.RAW) == engine.sent
    assert make.broken() == []


def test_several_pages_cannot_be_asked_for(cast: make.Cast, engine: Engine) -> None:
    done = make.run(make.receive(cast.a, make.pdf(2)).document)
    assert (done.status, done.error_code, engine.count()) == ("failed", "needs_bucket", 0)


@pytest.mark.parametrize(
    "fault",
    [
        stub.lost_before,
        stub.lost_after,
        stub.html,
        stub.cut,
        stub.empty,
        stub.MALFORMED["nan"],
        stub.MALFORMED["list"],
        stub.MALFORMED["missing_page"],
        stub.error("InternalServerError", status=500),
    ],
    ids=["before", "after", "html", "cut", "empty", "nan", "list", "no_page", "500"],
)
def test_a_lost_answer_ends_the_attempt_and_says_that_it_may_have_cost(
    cast: make.Cast, engine: Engine, fault: Fault
) -> None:
    done = _run(cast, engine, fault)
    assert (done.status, done.error_code, engine.count()) == ("failed", "charge_uncertain", 1)
    assert [(run.charge_uncertain, run.state) for run in make.extractions(done)] == [(True, "failed")]
    decisions.retry(done.pk, cast.sue)
    assert make.run(done).status == "approved"
    assert engine.count() == 2
    assert [run.charge_uncertain for run in make.extractions(done)] == [True, False]
    assert make.broken() == []


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "ProvisionedThroughputExceededException", "AccessDeniedException"]
)
def test_what_was_surely_not_billed_is_asked_for_again(cast: make.Cast, engine: Engine, code: str) -> None:
    done = _run(cast, engine, stub.error(code))
    assert (done.status, engine.count(), engine.billed_pages()) == ("approved", 2, 1)


def test_a_refusal_is_certain(cast: make.Cast, engine: Engine) -> None:
    done = _run(cast, engine, stub.error("UnsupportedDocumentException"))
    assert (done.error_code, make.extractions(done)[0].charge_uncertain) == ("unsupported_document", False)


def test_a_worker_that_died_in_the_call_leaves_it_uncertain(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*args: object, **kwargs: object) -> None:
        raise Killed

    made = make.receive(cast.a).document
    with monkeypatch.context() as patch:
        patch.setattr(textract, "analyze", killed)
        with pytest.raises(Killed):
            pipeline.advance(cast.a.pk, made.pk)
    make.lease_expired(made)
    done = make.run(made)
    assert (done.status, done.error_code, engine.count()) == ("failed", "charge_uncertain", 0)


def test_a_call_in_place_of_an_earlier_answer_that_is_gone_is_uncertain_too(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*args: object, **kwargs: object) -> None:
        raise Killed

    content = make.image()
    earlier = make.run(make.receive(cast.a, content).document)
    with scope.everything():
        artifacts.delete(earlier.artifacts.get(kind=Artifact.Kind.RAW).key)
    made = make.receive(cast.a, content).document
    with monkeypatch.context() as patch:
        patch.setattr(textract, "analyze", killed)
        with pytest.raises(Killed):
            for _ in range(3):  # first it hopes for the earlier answer, then it comes with a token from the bucket
                make.due(made)
                pipeline.advance(cast.a.pk, made.pk)
    make.lease_expired(made)
    done = make.run(made)
    assert (done.status, done.error_code, engine.count()) == ("failed", "charge_uncertain", 1)


def test_the_same_bytes_are_paid_once_here_too(cast: make.Cast, engine: Engine) -> None:
    content = make.image()
    for _ in range(2):
        assert make.run(make.receive(cast.a, content).document).status == "approved"
    assert engine.count() == 1
