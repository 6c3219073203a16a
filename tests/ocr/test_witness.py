"""A second witness reads open fields again and says what it saw; it decides nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audit.models import AuditEvent
from ocr import contract, pages, sandbox, witness
from ocr.models import Document, Witness
from ocr.sandbox import SandboxFailed
from tenants import scope
from tests import make
from tests.engine import Engine, Page, receipt
from tests.sandbox import foreign

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard(settings: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A witness that reads what the test says, by what the product had read; and nothing else."""
    told: dict[str, str] = {}
    settings.WITNESS_URL = "http://127.0.0.1:9"

    def read(_document: Document, _original: Any, _page: int, pieces: Any, **_: Any) -> list[str]:
        return [told.get(piece.text, "") for piece in pieces]

    monkeypatch.setattr(witness, "read", read)
    return told


def waiting(engine: Engine) -> Document:
    """A receipt whose total is doubtful."""
    return make.document(make.tenant(), status="needs_review", pages=[receipt(confidence=60.0)])


def said(document: Document) -> dict[str, Any]:
    with scope.scope([document.tenant_id]):
        told = contract.detail(make.reload(document))
    return {field["name"]: field["witness"] for field in told["fields"] if field["witness"]}


def kinds(document: Document) -> list[str]:
    return [event.kind for event in make.trail(document)]


def test_it_reads_what_a_person_is_about_to_check(engine: Engine, heard: dict[str, str]) -> None:
    document = waiting(engine)
    heard["12.50"] = "12.50"
    assert witness.testify(document)
    assert said(document)["total"] == {"text": "12.50", "agrees": True}
    told: AuditEvent = make.trail(document)[-1]
    assert told.kind == "WITNESSED"
    assert told.codes["counts"]["agree"] == 1 and "12.50" not in str(told.codes)
    assert make.broken() == []


def test_another_reading_is_told_and_changes_nothing(engine: Engine, heard: dict[str, str]) -> None:
    document = waiting(engine)
    before = make.reload(document)
    heard["12.50"] = "72.50"
    witness.testify(document)
    after = make.reload(document)
    assert said(document)["total"] == {"text": "72.50", "agrees": False}
    assert (after.version, after.status, after.review_reasons) == (before.version, before.status, before.review_reasons)


def test_it_is_asked_once_for_a_version(engine: Engine, heard: dict[str, str]) -> None:
    document = waiting(engine)
    assert witness.testify(document)
    assert witness.testify(document) is None
    assert kinds(document).count("WITNESSED") == 1


def test_nobody_is_asked_about_documents_that_do_not_wait(engine: Engine, heard: dict[str, str]) -> None:
    document = make.document(make.tenant(), status="approved")
    assert witness.testify(document) is None
    with scope.everything():
        assert not Witness.objects.exists()


@pytest.mark.parametrize("error", [witness.Unavailable("away"), SandboxFailed("busy")])
def test_a_witness_that_is_away_holds_nobody_up(
    engine: Engine, heard: dict[str, str], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    document = waiting(engine)

    def away(*_: Any, **__: Any) -> list[str]:
        raise error

    monkeypatch.setattr(witness, "read", away)
    assert witness.testify(document) is None
    assert said(document) == {}
    assert "WITNESSED" not in kinds(document)


def test_without_one_nothing_is_rung_for(engine: Engine, settings: Any) -> None:
    settings.WITNESS_URL = ""
    waiting(engine)
    pages.ring_ahead()
    assert "ocr.tasks.testify" not in [task for task, _arguments in make.doorbells()]


def test_the_head_of_the_queue_is_rung_for(engine: Engine, heard: dict[str, str]) -> None:
    document = waiting(engine)
    heard["12.50"] = "12.50"
    pages.ring_ahead()
    assert ("ocr.tasks.testify", (str(document.tenant_id), str(document.pk))) in make.doorbells()
    make.answer_doorbells()
    assert said(document)["total"]["agrees"]


def test_another_tenant_sees_nothing_of_it(engine: Engine, heard: dict[str, str]) -> None:
    document = waiting(engine)
    witness.testify(document)
    with scope.scope([make.tenant().pk]):
        assert not Witness.objects.exists()
    with scope.scope([document.tenant_id]):
        assert Witness.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "witnessed", "verdict"),
    [
        ("12.50", "12.50", True),
        ("RM 12.50", "rm12,50", True),  # punctuation proves nothing, digits do
        ("12.50", "12.60", False),
        ("12.50", "", None),
        ("12.50", "-", None),
        ("Café Rivière", "Cafe Riviere", True),
        ("Harbour Cafe Limited", "Harbour Cate Limited", True),  # one letter of many
        ("Harbour", "Garden", False),
        ("INV-2031", "INV-2O31", False),
    ],
)
def test_agreeing_is_the_same_digits_and_nearly_the_same_letters(
    text: str, witnessed: str, *, verdict: bool | None
) -> None:
    assert witness.agrees(text, witnessed) is verdict


def test_lines_belong_to_the_band_that_holds_their_middle() -> None:
    def line(text: str, left: float, top: float) -> dict[str, Any]:
        return {"Text": text, "Geometry": {"BoundingBox": {"Left": left, "Top": top, "Height": 0.1, "Width": 0.1}}}

    lines = [line("b", 0.5, 0.1), line("a", 0.1, 0.12), line("c", 0.1, 0.6), line("between", 0.1, 0.4)]
    assert witness.in_bands(lines, [(0.1, 0.3), (0.55, 0.75), (0.8, 0.9)]) == ["a b", "c", ""]


def test_it_speaks_textract_and_gets_none_of_our_keys(engine: Engine, settings: Any, tmp_path: Path) -> None:
    settings.WITNESS_URL = engine.url
    engine.reads(Page.of("12.50"))
    path = foreign.picture(tmp_path / "a.png")
    sheet = sandbox.crops(path, page=1, content_type="image/png", boxes=[(0.0, 0.0, 0.5, 0.5)])
    assert witness.in_bands(witness._lines(sheet.content), [(0.0, 1.0)]) == ["12.50"]
    (call,) = [call for call in engine.calls if call.operation == "DetectDocumentText"]
    assert call.arguments["Document"]["Bytes"]
