"""The sample documents are the same everywhere, open everywhere, and say what their truth says."""

import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from ocr.sandbox import Sandbox
from samples import Sample, documents, draw

ROOT = Path(__file__).resolve().parents[2]
PAGES = {"invoice-two-pages.pdf": 2, "delivery-note-fax.tif": 3}
WRONG_ON_PURPOSE = "invoice-wrong-total.jpg"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return draw(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    own = Sandbox()
    yield own
    own.close()


def named(samples: list[Sample], name: str) -> Sample:
    return next(sample for sample in samples if sample.path.name == name)


def amount(sample: Sample, field: str) -> Decimal:
    value = sample.truth[field]
    assert value is not None
    return Decimal(value)


def test_there_is_a_dozen_and_one_of_every_type(drawn: list[Sample]) -> None:
    assert len(drawn) == 13
    assert {sample.document_type for sample in drawn} == {"invoice", "receipt", "form", "delivery_form"}


def test_another_process_draws_the_same_bytes(drawn: list[Sample], tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "samples", str(tmp_path)], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    assert {path.name for path in tmp_path.iterdir()} == {sample.path.name for sample in drawn}
    for sample in drawn:
        assert (tmp_path / sample.path.name).read_bytes() == sample.path.read_bytes(), sample.path.name


def test_another_seed_wears_the_paper_otherwise_and_says_the_same(
    drawn: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "receipt-faded.jpg"
    monkeypatch.setattr(documents, "_DOCUMENTS", {name: documents._DOCUMENTS[name]})
    (other,) = draw(tmp_path, seed=2)
    first = named(drawn, name)
    assert other.path.read_bytes() != first.path.read_bytes()
    assert other.truth == first.truth


def test_every_sample_is_accepted_and_can_be_shown(drawn: list[Sample], sandbox: Sandbox) -> None:
    for sample in drawn:
        found = sandbox.inspect(sample.path)
        assert found.page_count == PAGES.get(sample.path.name, 1), sample.path.name
        shown = sandbox.render(sample.path, page=found.page_count, content_type=found.content_type, max_side=400)
        assert max(shown.width, shown.height) == pytest.approx(400, abs=2)


def test_the_files_are_small_and_carry_no_date(drawn: list[Sample]) -> None:
    for sample in drawn:
        content = sample.path.read_bytes()
        assert len(content) < 1_000_000, sample.path.name
        assert b"CreationDate" not in content
        assert b"tIME" not in content


def test_one_page_lies_on_its_side(drawn: list[Sample], sandbox: Sandbox) -> None:
    (straight,) = sandbox.inspect(named(drawn, "invoice-clean.png").path).pages
    (turned,) = sandbox.inspect(named(drawn, "invoice-rotated.jpg").path).pages
    assert (turned.width, turned.height) == (straight.height, straight.width) == (2339, 1654)


def test_every_sum_is_right_but_one(drawn: list[Sample]) -> None:
    priced = [sample for sample in drawn if sample.document_type in ("invoice", "receipt")]
    wrong = [s.path.name for s in priced if amount(s, "subtotal") + amount(s, "tax") != amount(s, "total")]
    assert wrong == [WRONG_ON_PURPOSE]


def test_cash_less_change_is_the_total(drawn: list[Sample]) -> None:
    in_cash = [sample for sample in drawn if sample.truth.get("cash")]
    assert len(in_cash) == 2
    for sample in in_cash:
        assert amount(sample, "cash") - amount(sample, "change") == amount(sample, "total")


def test_invoices_are_due_after_their_date(drawn: list[Sample]) -> None:
    for sample in drawn:
        if sample.document_type == "invoice":
            assert str(sample.truth["invoice_date"]) < str(sample.truth["due_date"])


def test_only_the_incomplete_form_lacks_a_required_value(drawn: list[Sample]) -> None:
    lacking = {(s.path.name, field) for s in drawn for field, value in s.truth.items() if value is None}
    assert lacking - {(s.path.name, field) for s in drawn for field in ("cash", "change")} == {
        ("delivery-incomplete.jpg", "received_by")
    }


def test_every_font_comes_with_its_licence() -> None:
    folder = ROOT / "samples" / "fonts"
    licences = "".join(path.read_text(encoding="utf-8") for path in folder.glob("LICENSE-*.txt"))
    fonts = list(folder.glob("*.ttf"))
    assert fonts
    assert all(font.name in licences for font in fonts)
    assert "SIL OPEN FONT LICENSE" in licences
    assert sum(path.stat().st_size for path in folder.iterdir()) < 2_000_000


def test_the_command_says_how_to_be_used() -> None:
    done = subprocess.run([sys.executable, "-m", "samples"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "python -m samples DIRECTORY" in done.stderr
