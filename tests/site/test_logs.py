"""What is written to the log: codes and ids. What stands on documents, in file names or in errors never gets there."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from audit import log
from dtat_site.logs import JsonLines, TextLines
from ocr import artifacts, extraction, pipeline
from ocr.intake import Unacceptable
from review import decisions
from tests import engine as stub
from tests import make
from tests.engine import GET, START, Engine, Line, Page

CANARY = "zanzibar-4711"
NAMES = ("", "dtat", "django", "django.server", "django.request", "django-q", "botocore", "boto3", "urllib3")


@pytest.fixture
def lines(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Everything that would be written, by every logger, at the levels of production."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(getattr(request, "param", JsonLines)())
    loggers = [logging.getLogger(name) for name in NAMES if name == "" or not logging.getLogger(name).propagate]
    for logger in loggers:
        logger.addHandler(handler)
    yield stream
    for logger in loggers:
        logger.removeHandler(handler)


def _page() -> Page:
    return Page.of(
        f"{CANARY} Cafe",
        "Receipt",
        "Date: 12/03/2026",
        Line(f"Total: {CANARY}", confidence=40),
        f"Cash: {CANARY}",
    )


@pytest.mark.django_db
@pytest.mark.parametrize("lines", [JsonLines, TextLines], indirect=True)
def test_no_value_gets_into_the_log(
    cast: make.Cast, engine: Engine, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.MAX_ATTEMPTS = 2
    told: dict[str, Any] = {
        "filename": f"{CANARY}.png", "external_id": CANARY, "metadata": {CANARY: CANARY}, "pages": [_page()],
    }  # fmt: skip
    waits = make.document(cast.a, "needs_review", **told)
    pipeline.replay(waits, actor="user:sue")
    verdict = decisions.Verdict(
        version=make.reload(waits).version,
        decision="approve",
        corrected={"total": "17.20"},
        absent=["cash"],
        reason=CANARY,
        note=CANARY,
    )
    decisions.decide(waits.pk, cast.ada, verdict)
    make.document(cast.a, "failed", **told)
    for fault in (stub.cut, stub.html, stub.lost_after, stub.MALFORMED["list"], stub.error("InternalServerError")):
        made = make.document(cast.a, "reading", **told)
        engine.fail(GET, fault)
        make.run(made)
    _failing_paths(cast, engine, monkeypatch, told)
    assert CANARY not in lines.getvalue()
    assert "canary" not in lines.getvalue()
    assert "step_crashed" in lines.getvalue() and "storage_or_database_error" in lines.getvalue()


def _failing_paths(cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch, told: dict[str, Any]) -> None:
    with pytest.raises(Unacceptable):
        make.receive(cast.a, CANARY.encode(), filename=CANARY)

    def crashes(*args: object, **kwargs: object) -> None:
        raise ValueError(CANARY)

    def refuses(*args: object, **kwargs: object) -> None:
        raise OSError(5, CANARY)

    for place, name, fails in ((extraction, "read", crashes), (artifacts.DurableFiles, "_save", refuses)):
        made = make.document(cast.a, "reading", **told)
        with monkeypatch.context() as patch:
            patch.setattr(place, name, fails)
            make.run(made)
    engine.fail_always(START, stub.error("InvalidParameterException"))
    make.run(make.receive(cast.a, filename=CANARY).document)


def test_a_key_that_is_not_on_the_list_is_refused() -> None:
    with pytest.raises(ValueError, match="filename"):
        log.event("received", filename="x")


def test_a_line_says_what_when_and_for_which_request(lines: io.StringIO) -> None:
    with log.caused_by("request-1"):
        log.event("moved", document="7", status="reading", error=ValueError(CANARY))
    [line] = [json.loads(each) for each in lines.getvalue().splitlines()]
    assert line.pop("at").endswith("+00:00")
    assert line == {
        "level": "INFO", "event": "moved", "document": "7", "status": "reading", "error": "ValueError", "request": "request-1",
    }  # fmt: skip


def test_an_exception_is_told_by_its_kind_and_place(lines: io.StringIO) -> None:
    try:
        raise KeyError(CANARY)
    except KeyError:
        logging.getLogger("dtat").exception("crashed")
    [line] = [json.loads(each) for each in lines.getvalue().splitlines()]
    assert (line["event"], line["error"]) == ("crashed", "KeyError")
    assert "site/test_logs.py:" in line["raised_at"]


def test_a_library_is_told_by_its_place(lines: io.StringIO) -> None:
    logging.getLogger("botocore.endpoint").warning("body was %s", CANARY)
    logging.getLogger("django.request").error("Internal Server Error: /%s", CANARY, extra={"status_code": 500})
    told = [json.loads(each) for each in lines.getvalue().splitlines()]
    assert [each["event"].split(":")[0] for each in told] == ["botocore.endpoint", "django.request"]
    assert told[1]["status"] == "500"
    assert CANARY not in lines.getvalue()


@pytest.mark.parametrize("name", ["botocore.parsers", "botocore.endpoint", "urllib3.connectionpool", "boto3.resources"])
def test_what_libraries_say_about_bytes_is_not_even_asked_for(name: str) -> None:
    assert not logging.getLogger(name).isEnabledFor(logging.INFO)


def test_no_line_can_be_made_two(lines: io.StringIO) -> None:
    log.event("moved", actor="user:a\nINFO forged\x1b[31m")
    assert len(lines.getvalue().splitlines()) == 1
    assert "\x1b" not in lines.getvalue()


@pytest.mark.parametrize("lines", [TextLines], indirect=True)
def test_no_line_for_people_can_be_made_two_either(lines: io.StringIO) -> None:
    log.event("moved", actor="user:a\nINFO forged\x1b[31m\u2028b")
    assert len(lines.getvalue().splitlines()) == 1
    assert "\x1b" not in lines.getvalue()
