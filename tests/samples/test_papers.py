"""Every shipped document type reads the page that is drawn for it: found as what it is, every value as it is printed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ocr.extraction import Reading, read
from ocr.extraction.classification import classify
from samples.papers import PaperSample, draw_papers
from tests.extraction.make import TYPES, shipped

DRAWN = (
    "purchase_order",
    "delivery_note",
    "bank_statement",
    "pay_stub",
    "remittance",
    "claim_form",
    "identity_document",
    "w2",
)
# Drawn for the demo (samples.draw), and read in tests/journey.
ELSEWHERE = {"invoice", "receipt", "generic_form"}


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PaperSample]:
    return {each.document_type: each for each in draw_papers(tmp_path_factory.mktemp("papers"))}


def test_every_shipped_type_has_a_sample(papers: dict[str, PaperSample]) -> None:
    assert {*papers, *ELSEWHERE} == {path.stem for path in TYPES.glob("*.yaml")}
    assert set(papers) == set(DRAWN)


def test_the_same_bytes_every_time(papers: dict[str, PaperSample], tmp_path: Path) -> None:
    for each in draw_papers(tmp_path):
        assert each.path.read_bytes() == papers[each.document_type].path.read_bytes()


@cache
def _engine() -> Any:
    from deploy.local.textract.engine import Engine

    return Engine()


def _blocks(sample: PaperSample) -> list[dict[str, Any]]:
    from deploy.local.textract import pictures
    from deploy.local.textract.blocks import blocks_of

    page = _engine().read(pictures.picture_of(sample.path, "PNG", 1))
    return blocks_of(page, number=1, sha256="ab", features=frozenset(shipped(sample.document_type).features))


def _values(reading: Reading, names: Any) -> dict[str, str | None]:
    return {field.name: field.value for field in reading.fields if field.name in names}


@pytest.mark.engine
@pytest.mark.parametrize("name", DRAWN)
def test_it_is_found_as_what_it_is_and_read_without_a_miss(papers: dict[str, PaperSample], name: str) -> None:
    sample = papers[name]
    blocks = _blocks(sample)
    assert classify(blocks, [shipped(path.stem) for path in TYPES.glob("*.yaml")]).name == name
    reading = read(blocks, shipped(name))
    assert _values(reading, sample.truth) == sample.truth
    assert {problem.rule for problem in reading.problems if problem.code == "invalid"} == set()
