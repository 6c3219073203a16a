"""The words of one page from the stored answer, and document types that are fetched and parsed once."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
import yaml
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ocr import artifacts, document_types, readings
from ocr.models import Artifact, Document, Field
from tenants import scope
from tests import engine as stub
from tests import make
from tests.engine import Engine, Page

PAGES = [stub.CLEAR, Page.of("Thank you for coming"), Page.of("See you again soon")]


def _long(cast: make.Cast, engine: Engine) -> Document:
    """A document of three pages whose answer came in many parts."""
    engine.part_size = 5
    return make.document(cast.a, "approved", pages=PAGES)


def _texts(document: Document, page: int) -> list[str]:
    return [word["text"] for word in readings.words(document, page)]


def test_the_words_of_each_page_are_told(cast: make.Cast, engine: Engine) -> None:
    made = _long(cast, engine)
    assert _texts(made, 1)[:2] == ["Harbour", "Cafe"]
    assert _texts(made, 2) == ["Thank", "you", "for", "coming"]
    assert _texts(made, 3) == ["See", "you", "again", "soon"]
    assert _texts(made, 4) == []
    word = readings.words(made, 2)[0]
    assert set(word) == {"id", "text", "confidence", "box"} and len(word["box"]) == 4


def test_only_the_parts_that_hold_the_page_are_read(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _long(cast, engine)
    with scope.scope([made.tenant_id]):
        held = [(part.part, part.first_page, part.last_page) for part in made.artifacts.filter(kind=Artifact.Kind.RAW)]
    assert len(held) > 4
    wanted = [part for part, first, last in held if first and last and first <= 3 <= last]
    opened: list[int] = []
    really = artifacts.read

    def watched(artifact: Artifact) -> bytes:
        opened.append(artifact.part)
        return really(artifact)

    monkeypatch.setattr(artifacts, "read", watched)
    assert _texts(made, 3) == ["See", "you", "again", "soon"]
    assert opened == wanted and len(wanted) < len(held)


def test_where_nobody_noted_the_pages_all_parts_are_read(cast: make.Cast, engine: Engine) -> None:
    made = _long(cast, engine)
    with scope.scope([made.tenant_id]):
        made.artifacts.filter(kind=Artifact.Kind.RAW).update(first_page=None, last_page=None)
    assert _texts(made, 3) == ["See", "you", "again", "soon"]


def test_words_that_were_stored_in_earlier_times_are_used(cast: make.Cast, engine: Engine) -> None:
    made = make.document(cast.a, "approved")
    kept = [
        {"number": 1, "rotation": 0, "words": [{"id": "w", "text": "kept", "confidence": 99.0, "box": [0, 0, 1, 1]}]}
    ]
    stored = artifacts.store(made, Artifact.Kind.WORDS, json.dumps(kept).encode(), content_type="application/json")
    with scope.scope([made.tenant_id]):
        stored.save(force_insert=True)
    assert (_texts(made, 1), _texts(made, 2)) == (["kept"], [])


def test_a_document_that_nobody_has_read_has_no_words(cast: make.Cast) -> None:
    assert readings.words(make.receive(cast.a).document, 1) == []


def test_a_lost_answer_is_told(cast: make.Cast, engine: Engine) -> None:
    made = make.document(cast.a, "approved")
    with scope.scope([made.tenant_id]):
        raw = made.artifacts.get(kind=Artifact.Kind.RAW)
    artifacts.delete(raw.key)
    with pytest.raises(artifacts.Lost):
        readings.words(made, 1)


def test_the_browser_gets_the_words_of_its_documents_only(cast: make.Cast, engine: Engine) -> None:
    made = make.document(cast.a, "approved")
    url = f"/documents/{made.pk}/pages/%d/words/"
    assert cast.page(cast.ada).get(url % 1).json()["words"] == readings.words(made, 1)
    assert cast.page(cast.ada).get(url % 2).status_code == 404
    assert cast.page(cast.ben).get(url % 1).status_code == 404


# --- Document types -----------------------------------------------------------------------------------------------


def _another(**changes: Any) -> dict[str, Any]:
    definition = yaml.safe_load((document_types.FOLDER / "receipt.yaml").read_text(encoding="utf-8"))
    return {**definition, **changes}


@pytest.mark.django_db
def test_the_newest_types_cost_one_statement_and_are_parsed_once() -> None:
    first = document_types.newest()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        again = document_types.newest()
    assert len(asked) == 1 and "definition" not in asked[0]["sql"]
    assert [row.label for row in again] == sorted(row.label for row in first)
    parsed = [document_types.parsed(row) for row in first]
    assert all(document_types.parsed(row) is each for row, each in zip(again, parsed, strict=True))


@pytest.mark.django_db
def test_a_version_that_somebody_adds_counts_at_once_and_the_one_before_stays() -> None:
    before = document_types.named("receipt")
    assert before
    added = document_types.add_version(_another(label="Till receipt"))
    assert (added.version, document_types.named("receipt")) == (before.version + 1, added)
    assert "Till receipt" in [row.label for row in document_types.newest()]
    assert before.pk not in [row.pk for row in document_types.newest()]
    assert (document_types.row(before.pk).label, document_types.parsed(added).label) == (before.label, "Till receipt")
    assert document_types.named("nothing_of_that_name") is None


def test_a_new_field_has_the_columns_of_the_table() -> None:
    columns = {field.column for field in Field._meta.concrete_fields if not field.primary_key}
    assert {each.name for each in fields(readings.NewField)} == columns
