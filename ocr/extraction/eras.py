"""Tax numbers that are given out since a day: a paper that prints one is not older, whatever its date was read as."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from ocr.extraction.candidates import LEAST_SCORE, Candidate
from ocr.extraction.document_types import FieldSpec
from ocr.extraction.support import Merged

# Malaysia's Goods and Services Tax was charged from 1 April 2015, its numbers (twelve digits, the first of them 000 to 002) were given
# out from June 2014. India's was charged from 1 July 2017, its numbers (state, PAN, digit, Z, check letter) were given out from
# November 2016. Sources: Goods and Services Tax Act 2014; Central Goods and Services Tax Act 2017.
_ERAS = (
    (re.compile(r"GST\D{0,24}00[0-2]\d{9}(?!\d)"), date(2014, 6, 1)),
    (re.compile(r"(?<![A-Z\d])\d\d[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[A-Z\d](?![A-Z\d])"), date(2016, 11, 1)),
)
# What is left of a digit whose ink is faint.
_WHOLE = {"0": "8", "1": "7", "3": "8"}
_TOO_OLD = 0.5  # what such a day keeps of its candidate's score


def since(lines: Iterable[str]) -> date | None:
    """The first day on which a page with these lines can have been printed; None where it has no such number."""
    text = "\n".join(lines).upper()
    if "GST" not in text:
        return None
    return max((first for number, first in _ERAS if number.search(text)), default=None)


def dated_since(spec: FieldSpec, merged: Merged, first: date) -> None:
    """Doubt the likeliest day of the paper's own date where it lies before `first`.

    One that ends in what is left of a faint digit is proposed with the whole one before it, as likely as the one that was read, so that
    a person decides; any other counts less.
    """
    found = merged.get(spec.name, ())
    best = max(found, key=lambda each: each.score, default=None)
    if best is not None and _is_before(best.value, first):
        whole = _whole(best, first)
        doubted = [
            each._replace(score=max(LEAST_SCORE, _TOO_OLD * each.score)) if each is best else each for each in found
        ]
        merged[spec.name] = doubted if whole is None else [whole, *found]


def _whole(read: Candidate, first: date) -> Candidate | None:
    """The same with the last digit of its year as it was before ink was lost, if that day is not too early either."""
    values = [value for each in (read.value, *read.others) if each and (value := _with_whole_year(each)) is not None]
    if not values or any(_is_before(value, first) for value in values):
        return None
    return read._replace(value=values[0], others=tuple(values[1:]))


def _with_whole_year(day: str) -> str | None:
    last = _WHOLE.get(day[3])
    return f"{day[:3]}{last}{day[4:]}" if last and day[5:] != "02-29" else None


def _is_before(value: str | None, first: date) -> bool:
    return value is not None and value < first.isoformat()
