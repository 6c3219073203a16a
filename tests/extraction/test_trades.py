"""Rows that say what a shop is and not how it is called."""

from __future__ import annotations

import pytest

from ocr.extraction.trades import says_only_what_it_is


@pytest.mark.parametrize(
    "text", ["Bäckerei Konditorei", "CAR CARE & DETAILING", "KEDAI BUKU & ALAT TULIS", "TYRE & BATTERY CENTRE"]
)
def test_a_row_may_say_nothing_but_what_a_shop_is(text: str) -> None:
    assert says_only_what_it_is(text)


@pytest.mark.parametrize("text", ["GREEN BAKERY", "24 HOUR CLINIC", "and the", "", "12.50", "shop " * 7])
def test_a_name_a_number_or_too_many_words_say_more(text: str) -> None:
    assert not says_only_what_it_is(text)
