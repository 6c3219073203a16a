"""One PDF that holds several documents: suggested, cut by a person, read from the answer that is paid for, once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from ocr import artifacts, intake, lifecycle, sandbox, splitting
from ocr.extraction.several import Stretch
from ocr.models import Artifact, Charge, Document, Field
from review import decisions
from tenants import access, scope
from tests import engine as stub
from tests import make
from tests.engine import Engine, Page
from tests.sandbox import foreign

pytestmark = pytest.mark.django_db

TILL = stub.receipt()
INVOICE = Page.of(
    "Northwind Ltd",
    "Invoice",
    "Invoice number: NW-20417",
    "Invoice date: 12/03/2026",
    "Due date: 11/04/2026",
    "Total: 213.00",
)
TERMS = Page.of("Page 2 of 2", "The goods remain the property of the seller.")
PARTS = [Stretch(1, 2, ""), Stretch(3, 3, "")]


@pytest.fixture
def scan(cast: make.Cast, engine: Engine, tmp_path: Path) -> Document:
    """An invoice of two pages and a receipt, scanned into one file; nobody said what it is."""
    engine.reads(INVOICE, TERMS, TILL)
    content = foreign.digital_pdf(tmp_path / "scan.pdf", ("Scanned",), pages=3).read_bytes()
    return make.run(make.receive(cast.a, content, document_type="", filename="scan.pdf", external_id="post-7").document)


def split(cast: make.Cast, scan: Document, stretches: list[Stretch] | None = None) -> list[Document]:
    return decisions.split(scan.pk, cast.ada, version=scan.version, stretches=stretches or PARTS)


def values(of: Document) -> dict[str, str | None]:
    with scope.everything():
        return {field.name: field.value for field in Field.objects.filter(document=of, row=None)}


def charges(of: Document) -> list[tuple[str, int, int]]:
    with scope.everything():
        return list(Charge.objects.filter(document_id=of.pk).values_list("kind", "pages", "micro_dollars"))


def test_pages_that_look_like_several_documents_need_a_person_who_is_told_which(scan: Document) -> None:
    assert scan.status == "needs_review"
    [problem] = [each for each in scan.problems if each["code"] == "several_documents"]
    assert "pages 1 to 2 like Invoice; page 3 like Receipt" in problem["message"]
    assert splitting.suggested(scan) == [Stretch(1, 2, "invoice", titled=True), Stretch(3, 3, "receipt", titled=True)]


def test_who_says_what_a_file_is_is_believed(cast: make.Cast, engine: Engine) -> None:
    engine.reads(INVOICE, TILL)
    done = make.run(make.receive(cast.a, make.pdf(2), document_type="invoice").document)
    assert "several_documents" not in done.review_reasons


def test_the_parts_are_documents_whose_reading_costs_nothing(cast: make.Cast, engine: Engine, scan: Document) -> None:
    asked, billed = engine.count(), engine.billed_pages()
    made = [make.run(each) for each in split(cast, scan)]
    assert [(each.page_count, each.filename, each.external_id) for each in made] == [
        (2, "scan p1-2.pdf", "post-7"),
        (1, "scan p3.pdf", "post-7"),
    ]
    invoice, till = made
    assert (values(invoice)["invoice_number"], values(till)["total"]) == ("NW-20417", "12.50")
    assert (engine.count(), engine.billed_pages()) == (asked, billed)
    assert [charges(each) for each in made] == [[("reused", 2, 0)], [("reused", 1, 0)]]
    raw = json.loads(make.stored(till, Artifact.Kind.RAW)[0])
    assert {block["Page"] for block in raw["Blocks"]} == {1} and raw["DocumentMetadata"] == {"Pages": 1}
    assert make.broken() == []


def test_their_files_hold_their_pages_only(cast: make.Cast, scan: Document, tmp_path: Path) -> None:
    for number, made in enumerate(split(cast, scan)):
        path = tmp_path / f"{number}.pdf"
        path.write_bytes(make.stored(made, Artifact.Kind.ORIGINAL)[0])
        assert sandbox.inspect(path).page_count == made.page_count


def test_the_document_is_rejected_as_split_and_everything_is_told(cast: make.Cast, scan: Document) -> None:
    made = split(cast, scan)
    done = make.reload(scan)
    assert (done.status, done.decision, done.decision_reason, done.reviewer) == (
        "rejected",
        "reject",
        "split",
        "user:ada",
    )
    [rejected] = [row for row in make.trail(scan) if row.kind == "HUMAN_REVIEW_REJECTED"]
    assert (rejected.actor, rejected.codes["code"]) == ("user:ada", "split")
    for each, first in zip(made, (1, 3), strict=True):
        begun = make.trail(each)[0]
        assert (begun.actor, begun.codes["split_of"], begun.codes["from"]) == ("user:ada", str(scan.pk), first)
    with pytest.raises(lifecycle.NotPossible, match="its parts go their own ways"):
        decisions.undo(scan.pk, cast.ada, version=done.version)


def test_asked_again_it_is_the_same_documents_and_other_pages_are_refused(cast: make.Cast, scan: Document) -> None:
    made = split(cast, scan)
    assert [each.pk for each in split(cast, scan)] == [each.pk for each in made]
    with pytest.raises(lifecycle.NotPossible, match="was split before"):
        split(cast, scan, [Stretch(1, 1, ""), Stretch(2, 3, "")])
    with scope.everything():
        assert Document.objects.filter(split_of=scan.pk).count() == 2


def test_the_database_itself_holds_each_part_once(cast: make.Cast, scan: Document) -> None:
    first, second = split(cast, scan)
    with scope.everything(), pytest.raises(IntegrityError), transaction.atomic():
        Document.objects.filter(pk=second.pk).update(split_first=first.split_first)


@pytest.mark.parametrize(
    ("stretches", "told"),
    [
        ([Stretch(1, 3, "")], "at least two"),
        ([Stretch(1, 1, ""), Stretch(3, 3, "")], "page 2 comes next"),
        ([Stretch(1, 2, ""), Stretch(2, 3, "")], "page 3 comes next"),
        ([Stretch(1, 1, ""), Stretch(2, 2, "")], "has 3 pages"),
        ([Stretch(1, 2, ""), Stretch(3, 4, "")], "has 3 pages"),
    ],
)
def test_pages_that_do_not_come_out_are_refused(
    cast: make.Cast, scan: Document, stretches: list[Stretch], told: str
) -> None:
    with pytest.raises(splitting.InvalidRanges, match=told):
        split(cast, scan, stretches)
    assert make.reload(scan).version == scan.version


def test_a_type_nobody_knows_leaves_everything_as_it_was(cast: make.Cast, scan: Document) -> None:
    before = _files()
    with pytest.raises(intake.Unacceptable, match="no document type of that name"):
        split(cast, scan, [Stretch(1, 2, "invoice"), Stretch(3, 3, "dream")])
    assert make.reload(scan).version == scan.version
    assert _files() == before


def test_who_decided_meanwhile_wins_and_no_part_is_left(cast: make.Cast, scan: Document, monkeypatch: Any) -> None:
    cut = sandbox.cut

    def while_it_is_decided(*args: Any, **kwargs: Any) -> bytes:
        if make.reload(scan).status == "needs_review":
            decisions.settle(scan.pk, cast.sue, decisions.Verdict(scan.version, "reject", reason="other"))
        return cut(*args, **kwargs)

    monkeypatch.setattr(sandbox, "cut", while_it_is_decided)
    with pytest.raises(decisions.AlreadyDecided):
        split(cast, scan)
    with scope.everything():
        assert not Document.objects.filter(split_of=scan.pk).exists()
    assert make.broken() == []


def test_other_tenants_and_roles_may_not(cast: make.Cast, scan: Document) -> None:
    with pytest.raises(Document.DoesNotExist):
        decisions.split(scan.pk, cast.ben, version=scan.version, stretches=PARTS)
    with pytest.raises(access.NotAllowed):
        decisions.split(scan.pk, cast.cleo, version=scan.version, stretches=PARTS)


def test_where_the_answer_is_not_kept_any_more_the_parts_are_read_anew(
    cast: make.Cast, engine: Engine, scan: Document
) -> None:
    made = split(cast, scan)
    with scope.everything():
        artifacts.delete(scan.artifacts.get(kind=Artifact.Kind.RAW).key)
    asked = engine.count()
    engine.reads(TILL)
    done = make.run(made[1])
    assert (values(done)["total"], engine.count() > asked, charges(done)[0][0]) == ("12.50", True, "billed")


def test_an_expense_answer_is_cut_by_its_pages_too(cast: make.Cast, engine: Engine) -> None:
    from tests.ocr import lives

    lives.add_types()
    engine.reads(stub.receipt(total="1.00", confidence=41.0), stub.receipt(total="2.00", confidence=41.0))
    whole = make.run(make.receive(cast.a, make.pdf(2), document_type="till").document)
    made = split(cast, whole, [Stretch(1, 1, "till"), Stretch(2, 2, "till")])
    assert [values(make.run(each))["total"] for each in made] == ["1.00", "2.00"]
    assert make.broken() == []


def _files() -> list[Path]:
    return sorted(path for path in Path(artifacts.storage().location).rglob("*") if path.is_file())


# --- The doors ----------------------------------------------------------------------------------------------------


def test_rest_suggests_and_splits(cast: make.Cast, scan: Document) -> None:
    client, path = cast.api(), f"/api/v1/documents/{scan.pk}/split/"
    told = client.get(path).json()
    assert told["ranges"] == [
        {"first": 1, "last": 2, "document_type": "invoice"},
        {"first": 3, "last": 3, "document_type": "receipt"},
    ]
    body = json.dumps({"version": scan.version, **told})
    answer = client.post(path, body, content_type="application/json")
    assert (answer.status_code, len(answer.json()["documents"])) == (202, 2)
    assert client.post(path, body, content_type="application/json").json() == answer.json()
    stale = json.dumps({"version": scan.version, "ranges": told["ranges"][:1]})
    assert client.post(path, stale, content_type="application/json").json()["code"] in {
        "not_possible",
        "invalid_ranges",
    }


def test_rest_says_what_is_wrong_with_the_pages(cast: make.Cast, scan: Document) -> None:
    body = json.dumps({"version": scan.version, "ranges": [{"first": 1, "last": 1}, {"first": 3, "last": 3}]})
    answer = cast.api().post(f"/api/v1/documents/{scan.pk}/split/", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_ranges")


def test_the_page_offers_what_the_pages_look_like_and_splits(cast: make.Cast, scan: Document) -> None:
    browser, path = cast.page(cast.ada), f"/documents/{scan.pk}/split/"
    assert path in browser.get(f"/documents/{scan.pk}/").content.decode()
    page = browser.get(path).content.decode()
    assert 'value="1-2, 3"' in page and "Pages 1 to 2: Invoice" in page
    wrong = browser.post(path, {"ranges": "1, 2", "version": scan.version})
    assert (wrong.status_code, "has 3 pages" in wrong.content.decode()) == (422, True)
    assert browser.post(path, {"ranges": "one", "version": scan.version}).status_code == 422
    done = browser.post(path, {"ranges": "1-2, 3", "version": scan.version})
    assert (done.status_code, make.reload(scan).status) == (302, "rejected")
    assert path not in browser.get(f"/documents/{scan.pk}/").content.decode()
