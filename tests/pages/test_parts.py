"""Parts of pages are made once for what they show, and never tell one person what was made for another."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict
from django.utils.safestring import SafeString
from django.utils.translation import override

from dtat_site.templatetags import interface
from ocr.forms import DocumentFilters

ROW = {
    "id": "1", "url": "/documents/1/", "filename": "a & b.pdf", "tenant": "Alder", "type_label": "Invoice", "status": "approved",
    "status_label": "Approved", "priority": "normal", "received": "3 min ago", "received_iso": "2026-11-29T10:00:00+00:00",
    "pages": 1, "thumbnail_url": "", "duplicate_of": "",
}  # fmt: skip


def row(**changed: Any) -> str:
    return interface.part("ocr/_document_row.html", row=ROW | changed)


def made(call: Any) -> int:
    """How many parts `call` made."""
    before = interface._part.cache_info().misses
    call()
    return interface._part.cache_info().misses - before


def test_the_same_values_are_made_into_a_part_once() -> None:
    assert made(lambda: row(id="once")) == 1
    assert made(lambda: row(id="once")) == 0
    assert made(lambda: row(id="once", pages=2)) == 1


def test_a_part_is_escaped_and_in_the_language_of_who_asks() -> None:
    assert "a &amp; b.pdf" in row()
    assert "page</span>" in row()
    with override("de"):
        assert "Seite</span>" in row()
    assert "page</span>" in row()


@pytest.mark.parametrize("value", [SafeString("<b>bold</b>"), object(), DocumentFilters, {1: SafeString("x")}])
def test_what_its_text_would_not_tell_apart_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="unmarshallable"):
        row(filename=value)


def test_equal_texts_and_numbers_are_two_things() -> None:
    assert made(lambda: [row(filename=each) for each in ("1", 1, 1.0, True)]) == 4


@pytest.mark.django_db
def test_filters_show_what_was_asked_for() -> None:
    asked = interface.filter_fields(DocumentFilters(QueryDict("status=failed&q=%3Cb%3E&page=a50.1.2")))
    assert '<option value="failed" selected' in asked
    assert "&lt;b&gt;" in asked and "<b>" not in asked
    again = interface.filter_fields(DocumentFilters(QueryDict("status=failed&q=%3Cb%3E&page=a100.1.2")))
    assert asked is again, "the place in the list is none of the filter's"
    fresh = interface.filter_fields(DocumentFilters(None))
    assert "selected" not in fresh.replace('<option value="" selected', "")
    wrong = interface.filter_fields(DocumentFilters(QueryDict("received_after=yesterday")))
    assert "errorlist" in wrong
