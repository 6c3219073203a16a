"""A PDF whose tenant wants it read by its own text: read so, without a call and without a bill, when a second witness agrees."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from ocr import artifacts, costs, pipeline, sandbox, textlayer, textract, witness
from ocr.models import Artifact, Charge, Document, Extraction, Field, TextLayer
from review import decisions
from tenants import scope
from tenants.models import Tenant
from tests import engine as stub
from tests import make
from tests.engine import Engine
from tests.sandbox import foreign

pytestmark = pytest.mark.django_db
LINES = (
    "Harbour Cafe",
    "Receipt no. 4471",
    "Date: 12/03/2026",
    "Table 14, served by 23",
    "Subtotal: 10.50",
    "Total: 12.50",
)
READ = [
    "INGESTED", "WORKFLOW_STARTED", "TEXTRACT_STARTED", "TEXT_LAYER_CHECKED", "TEXTRACT_SUCCEEDED", "NORMALIZED",
]  # fmt: skip


class Seen:
    """A witness that sees what is printed, which is what the text layer says unless `printed` knows better."""

    def __init__(self) -> None:
        self.printed: dict[str, str] = {}
        self.pieces: list[witness.Piece] = []

    def read(self, _document: Document, _original: Any, _page: int, pieces: Any, **_: Any) -> list[str]:
        self.pieces += pieces
        return [self.printed.get(piece.text, piece.text) for piece in pieces]


@pytest.fixture
def seen(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Seen:
    settings.WITNESS_URL = "http://127.0.0.1:9"
    found = Seen()
    monkeypatch.setattr(witness, "read", found.read)
    return found


@pytest.fixture
def where(cast: make.Cast) -> Tenant:
    """A tenant whose PDFs are read by their own text."""
    with scope.everything():
        Tenant.objects.filter(pk=cast.a.pk).update(reads_text_layers=True)
    return cast.a


def pdf(
    tmp_path: Path, *, says: Mapping[str, str] | None = None, lines: tuple[str, ...] = LINES, pages: int = 1
) -> bytes:
    return foreign.digital_pdf(tmp_path / "a.pdf", lines, says=says, pages=pages).read_bytes()


def kinds(of: Document) -> list[str]:
    return [str(row.kind) for row in make.trail(of)]


def check_of(of: Document) -> Any:
    """What the trail says of the look at the text layer."""
    [row] = [row for row in make.trail(of) if row.kind == "TEXT_LAYER_CHECKED"]
    return row.codes


def value(of: Document, name: str) -> str | None:
    with scope.everything():
        return Field.objects.get(document=of, name=name).value


def charges(of: Document) -> int:
    with scope.everything():
        return Charge.objects.filter(document_id=of.pk).count()


def assert_read_by_textract(of: Document, engine: Engine, outcome: str) -> None:
    done = make.reload(of)
    [run] = make.extractions(of)
    assert (done.text_layer, run.operation) == (outcome, "StartDocumentAnalysis")
    assert (run.state, charges(of), len(engine.bill)) == (Extraction.State.COLLECTED, 1, 1)
    assert value(of, "total") == "12.50"  # what the engine's page says
    assert make.broken() == []


# --- Taken ------------------------------------------------------------------------------------------------------------


def test_its_own_text_is_read_without_a_call_and_without_a_bill(
    where: Tenant, engine: Engine, seen: Seen, tmp_path: Path
) -> None:
    made = make.receive(where, pdf(tmp_path, pages=2)).document
    assert (made.text_layer, made.operation) == ("wanted", "")
    pipeline.advance(where.pk, made.pk)
    done = make.reload(made)
    assert done.status in {"approved", "needs_review"} and done.text_layer == TextLayer.TAKEN
    assert (value(made, "total"), value(made, "date")) == ("12.50", "2026-03-12")
    assert (engine.count(), engine.bill, charges(made)) == (0, [], 0)
    [run] = make.extractions(made)
    assert (run.operation, run.features, run.micro_dollars) == ("TextLayer", [], 0)
    assert (run.pages, run.model_version, run.charge_uncertain) == (2, textlayer.MODEL_VERSION, False)
    assert make.broken() == []


def test_several_pages_that_textract_cannot_reach_are_read_by_their_own_text(
    where: Tenant, engine: Engine, seen: Seen, tmp_path: Path, settings: Any
) -> None:
    settings.TEXTRACT_ENDPOINT = ""
    done = make.run(make.receive(where, pdf(tmp_path, pages=2)).document)
    [run] = make.extractions(done)
    assert (run.operation, run.state, done.text_layer) == ("TextLayer", Extraction.State.COLLECTED, TextLayer.TAKEN)
    assert (value(done, "total"), engine.count(), charges(done)) == ("12.50", 0, 0)
    assert make.broken() == []


def test_where_their_text_does_not_serve_they_need_a_bucket(
    where: Tenant, engine: Engine, seen: Seen, tmp_path: Path, settings: Any, cast: make.Cast
) -> None:
    endpoint, settings.TEXTRACT_ENDPOINT = settings.TEXTRACT_ENDPOINT, ""
    seen.printed["12.50"] = "72.50"
    failed = make.run(make.receive(where, pdf(tmp_path, pages=2)).document)
    assert (failed.status, failed.error_code, failed.text_layer) == ("failed", "needs_bucket", TextLayer.DIFFERS)
    assert (engine.count(), charges(failed), check_of(failed)["code"]) == (0, 0, "differs")
    decisions.retry(failed.pk, cast.sue)
    again = make.run(failed)
    assert (again.error_code, len(make.extractions(again))) == ("needs_bucket", 1)
    settings.TEXTRACT_ENDPOINT = endpoint
    engine.reads(stub.CLEAR, stub.CLEAR)
    decisions.retry(failed.pk, cast.sue)
    done = make.run(failed)
    assert (done.status, [run.operation for run in make.extractions(done)]) == (
        "approved",
        ["TextLayer", "StartDocumentAnalysis"],
    )
    assert make.broken() == []


def test_a_worker_that_died_over_their_text_is_followed_by_another(
    where: Tenant, engine: Engine, seen: Seen, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object, **__: object) -> None:
        raise Killed

    settings.TEXTRACT_ENDPOINT = ""
    made = make.receive(where, pdf(tmp_path, pages=2)).document
    with monkeypatch.context() as patch:
        patch.setattr(textlayer, "read", killed)
        with pytest.raises(Killed):
            pipeline.advance(where.pk, made.pk)
    make.lease_expired(made)
    done = make.run(made)
    assert (done.text_layer, value(done, "total"), len(make.extractions(done))) == (TextLayer.TAKEN, "12.50", 1)
    assert make.broken() == []


def test_everybody_is_told(where: Tenant, engine: Engine, seen: Seen, tmp_path: Path, cast: make.Cast) -> None:
    made = make.run(make.receive(where, pdf(tmp_path)).document)
    assert kinds(made)[: len(READ)] == READ
    assert check_of(made) == {"code": "taken", "pages": 1, "counts": {"agree": 12, "differ": 0, "silent": 0}}
    [started, succeeded] = [row.codes for row in make.trail(made) if row.kind.startswith("TEXTRACT")]
    assert started["source"] == succeeded["source"] == "text_layer"
    [result] = [json.loads(body) for body in make.stored(made, Artifact.Kind.RESULT)]
    assert (result["engine"]["operation"], result["engine"]["text_layer"]) == ("TextLayer", "taken")
    assert result["cost"] == {"pages": 0, "usd": "0.000000"}
    [raw] = [json.loads(body) for body in make.stored(made, Artifact.Kind.RAW)]
    assert raw["DetectDocumentTextModelVersion"] == textlayer.MODEL_VERSION
    told = cast.api().get(f"/api/v1/documents/{made.pk}/").json()
    assert told["engine"] == result["engine"]
    page = cast.page(cast.ada).get(f"/documents/{made.pk}/").content.decode()
    assert "the file&#x27;s own text" in page or "the file's own text" in page
    assert "nothing, Textract was not asked" in page


def test_the_words_that_became_values_are_checked(where: Tenant, engine: Engine, seen: Seen, tmp_path: Path) -> None:
    many = tuple(f"Item {number} costs {number}.75" for number in range(100, 117))
    make.run(make.receive(where, pdf(tmp_path, lines=(*LINES[:3], *many[:13], LINES[-1]))).document)
    texts = [piece.text for piece in seen.pieces]
    assert len(texts) == textlayer.MOST_WORDS
    assert {"12/03/2026", "12.50"} <= set(texts)


# --- Not taken --------------------------------------------------------------------------------------------------------


def test_a_text_that_lies_is_not_read(where: Tenant, engine: Engine, seen: Seen, tmp_path: Path) -> None:
    content = pdf(tmp_path, says={"5": "9"})
    seen.printed = {"12.90": "12.50", "10.90": "10.50"}
    made = make.run(make.receive(where, content).document)
    assert "12.90" in {piece.text for piece in seen.pieces}, "the layer does not lie"
    assert check_of(made) == {"code": "differs", "pages": 1, "counts": {"agree": 10, "differ": 2, "silent": 0}}
    assert_read_by_textract(made, engine, "differs")


def test_its_page_warns_of_it(where: Tenant, engine: Engine, seen: Seen, tmp_path: Path, cast: make.Cast) -> None:
    seen.printed = {"12.50": "72.50"}
    lies, honest = (
        make.receive(where, pdf(tmp_path)).document,
        make.receive(where, pdf(tmp_path, lines=LINES[::-1])).document,
    )
    make.run(lies)
    seen.printed = {}
    make.run(honest)
    warned = [
        "does not say what its pages show" in cast.page(cast.ada).get(f"/documents/{each.pk}/").content.decode()
        for each in (lies, honest)
    ]
    assert warned == [True, False]


def test_the_queue_warns_of_it(where: Tenant, engine: Engine, seen: Seen, tmp_path: Path, cast: make.Cast) -> None:
    engine.reads(stub.DOUBTFUL)
    make.run(make.receive(where, pdf(tmp_path)).document)
    page = cast.page(cast.ada)
    assert "Hidden text differs" not in page.get(reverse("queue")).content.decode()
    seen.printed = {"12.50": "72.50"}
    make.run(make.receive(where, pdf(tmp_path, lines=LINES[::-1])).document)
    assert "Hidden text differs" in page.get(reverse("queue")).content.decode()


@pytest.mark.parametrize(
    "lines",
    [
        ("a stamp",),
        (*LINES[:-1], "".join(map(chr, range(0xA1, 0xC0)))),  # printed by a font that says it is something else
    ],
)
def test_a_layer_that_is_broken_is_not_read(
    where: Tenant, engine: Engine, seen: Seen, tmp_path: Path, lines: tuple[str, ...]
) -> None:
    says = {chr(code): "\ue000" for code in range(0xA1, 0xC0)}
    made = make.run(make.receive(where, pdf(tmp_path, lines=lines, says=says)).document)
    assert (seen.pieces, check_of(made)["code"]) == ([], "unsound")
    assert_read_by_textract(made, engine, "unsound")


def test_a_picture_in_a_pdf_has_no_layer(where: Tenant, engine: Engine, seen: Seen) -> None:
    made = make.run(make.receive(where, make.pdf(1)).document)
    assert_read_by_textract(made, engine, "unsound")


@pytest.mark.parametrize("why", ["away", "sandbox", "sees nothing", "busy"])
def test_what_nobody_could_check_is_not_read(
    where: Tenant, engine: Engine, seen: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    def fails(*_: Any, **__: Any) -> list[str]:
        raise witness.Unavailable("away") if why == "away" else sandbox.SandboxFailed("busy")

    if why in {"away", "sandbox"}:
        monkeypatch.setattr(witness, "read", fails)
    if why == "sees nothing":
        monkeypatch.setattr(witness, "read", lambda *call, **_: ["" for _piece in call[3]])
    if why == "busy":
        monkeypatch.setattr(textlayer, "PATIENCE_SECONDS", 0.01)
        monkeypatch.setattr(textlayer, "_turns", type(textlayer._turns)(1))
        textlayer._turns.acquire()
    made = make.run(make.receive(where, pdf(tmp_path)).document)
    assert check_of(made)["code"] == "unchecked"
    assert_read_by_textract(made, engine, "unchecked")


def test_a_type_that_turns_out_to_need_more_than_words_is_not_read_so(
    where: Tenant, engine: Engine, seen: Seen, tmp_path: Path
) -> None:
    lines = ("Application for membership", "Surname: Okafor", "Given name: Imogen", "Member no: 20931")
    made = make.run(make.receive(where, pdf(tmp_path, lines=lines), document_type="").document)
    assert make.reload(made).text_layer == "unfit" and seen.pieces == []
    assert len(engine.bill) == 1 and make.broken() == []


# --- Not even looked at -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("why", ["tenant", "witness", "type", "picture", "long"])
def test_nobody_looks_where_it_is_not_wanted(
    cast: make.Cast, where: Tenant, engine: Engine, seen: Seen, tmp_path: Path, settings: Any, why: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if why == "witness":
        settings.WITNESS_URL = ""
    if why == "long":
        monkeypatch.setattr(textlayer, "MOST_PAGES", 0)
    made = make.receive(
        cast.b if why == "tenant" else where,
        make.image() if why == "picture" else pdf(tmp_path),
        document_type="generic_form" if why == "type" else "receipt",
    ).document
    assert (made.text_layer, made.operation) == ("", "StartDocumentAnalysis")
    done = make.run(made)
    assert (done.text_layer, len(engine.bill), seen.pieces) == ("", 1, [])
    assert "TEXT_LAYER_CHECKED" not in kinds(made)
    assert make.broken() == []


def test_the_witness_may_be_taken_away_meanwhile(where: Tenant, engine: Engine, settings: Any, tmp_path: Path) -> None:
    settings.WITNESS_URL = "http://127.0.0.1:9"
    made = make.receive(where, pdf(tmp_path)).document
    settings.WITNESS_URL = ""
    make.run(made)
    assert_read_by_textract(made, engine, "unchecked")


# --- The same bytes again, and workers that die -----------------------------------------------------------------------


def test_the_same_bytes_are_looked_at_again_and_an_answer_of_textract_serves_first(
    cast: make.Cast, where: Tenant, engine: Engine, seen: Seen, tmp_path: Path
) -> None:
    content = pdf(tmp_path)
    first, second = (make.run(make.receive(where, content).document) for _ in range(2))
    assert (first.text_layer, second.text_layer) == ("taken", "taken")
    assert second.duplicate_of == first.pk and engine.bill == []
    with scope.everything():
        Tenant.objects.filter(pk=where.pk).update(reads_text_layers=False)
    third = make.run(make.receive(where, content).document)
    assert (third.text_layer, len(engine.bill)) == ("", 1), "a text layer's answer is none of Textract's"
    with scope.everything():
        Tenant.objects.filter(pk=where.pk).update(reads_text_layers=True)
    fourth = make.run(make.receive(where, content).document)
    [run] = make.extractions(fourth)
    assert (run.reused_from, fourth.text_layer, len(engine.bill)) == (third.pk, "wanted", 1)
    assert make.broken() == []


@pytest.mark.parametrize("when", ["reading", "checked", "stored"])
def test_a_worker_that_dies_doubles_nothing(
    where: Tenant, engine: Engine, seen: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    made = make.receive(where, pdf(tmp_path)).document
    place = {"reading": (sandbox, "text"), "checked": (textlayer, "check"), "stored": (pipeline, "_conclude")}[when]

    def killed(*_: Any, **__: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(*place, killed)
        with pytest.raises(SystemExit):
            pipeline.advance(where.pk, made.pk)
    make.lease_expired(made)
    make.run(made)
    [run] = make.extractions(made)
    assert (run.operation, engine.bill, charges(made)) == ("TextLayer", [], 0)
    assert kinds(made)[: len(READ)] == READ
    assert len(make.stored(made, Artifact.Kind.RAW)) == len(make.stored(made, Artifact.Kind.RESULT)) == 1
    assert make.broken() == []


def test_storage_that_fails_costs_no_call(
    where: Tenant, engine: Engine, seen: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make.receive(where, pdf(tmp_path)).document
    with monkeypatch.context() as patch:

        def full(*_: Any, **__: Any) -> Artifact:
            raise OSError

        patch.setattr(artifacts, "store", full)
        waits = make.advance(made)
    assert (waits.text_layer, waits.error_code) == ("wanted", "storage_or_database")
    done = make.run(made)
    assert (done.text_layer, engine.bill) == ("taken", [])
    assert kinds(made)[: len(READ)] == READ and make.broken() == []


def test_a_worker_that_dies_after_the_fall_back_pays_once(
    where: Tenant, engine: Engine, seen: Seen, tmp_path: Path
) -> None:
    seen.printed = {"12.50": "72.50"}
    made = make.receive(where, pdf(tmp_path)).document
    pipeline.advance(where.pk, made.pk)
    waits = make.reload(made)
    assert (waits.text_layer, waits.operation, engine.bill) == ("differs", "StartDocumentAnalysis", [])
    make.advance(made)
    make.lease_expired(made)
    make.run(made)
    assert engine.billed_twice() == []
    assert_read_by_textract(made, engine, "differs")


def test_a_synchronous_call_after_the_fall_back_is_made_once(
    where: Tenant, engine: Engine, seen: Seen, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SYNCHRONOUS = True
    seen.printed = {"12.50": "72.50"}
    made = make.receive(where, pdf(tmp_path)).document
    pipeline.advance(where.pk, made.pk)
    assert [run.charge_uncertain for run in make.extractions(made)] == [False], "nothing was sent yet"

    def killed(*_: Any, **__: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(textract, "analyze", killed)
        with pytest.raises(SystemExit):
            make.advance(made)
    make.lease_expired(made)
    done = make.run(made)
    assert (done.status, done.error_code, engine.bill) == ("failed", "charge_uncertain", [])
    assert make.broken() == []


def test_a_month_without_money_does_not_hold_it_up(where: Tenant, engine: Engine, seen: Seen, tmp_path: Path) -> None:
    with scope.everything():
        costs.set_cap(where, 0, actor="user:ada")
    free, dear = make.receive(where, pdf(tmp_path)).document, make.receive(where).document
    for each in (free, dear):
        pipeline.advance(where.pk, each.pk)
    assert (make.reload(free).text_layer, make.reload(dear).error_code) == ("taken", "monthly_cap")
    assert engine.bill == []


# --- The sample -------------------------------------------------------------------------------------------------------


def test_the_sample_is_another_for_each_document_and_the_same_each_time() -> None:
    blocks = json.loads(
        textlayer.answer([
            sandbox.PageText(
                tuple(sandbox.PrintedWord(f"{n}.00", 0.1, n / 100, 0.2, n / 100 + 0.008, n) for n in range(90)), 0.0, 0.0
            )
        ])
    )["Blocks"]  # fmt: skip

    def chosen(seed: str) -> set[str]:
        found = textlayer.sample(blocks, seed=seed, read_from=["p1l3w1"])
        return {piece.text for pieces in found.values() for piece in pieces}

    assert chosen("one") == chosen("one") != chosen("two")
    assert len(chosen("one")) == textlayer.MOST_WORDS and "2.00" in chosen("one") & chosen("two")
