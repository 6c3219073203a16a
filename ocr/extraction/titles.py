"""The line that says what a document is, and with it its number and its date: 'Invoice No. 4711 of 3 March 2026'."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ocr.extraction import dates, values
from ocr.extraction.blocks import Span, joined
from ocr.extraction.document_types import FieldSpec
from ocr.extraction.rows import Line

_CODE = FieldSpec("number", "Number", kind="identifier")
_LONGEST = 120  # letters; longer rows are sentences
_WIDE = 5.0  # line heights between two columns
_MOST_WORDS_BEFORE = 3
_NUMBER_FOLLOWS = 3  # letters between "No." and the number
# What bills and their like are called; in German a longer word may end in it ('Handelsrechnung').
_NOUN = re.compile(
    r"rechnungs?(?![^\W_])|(?<![^\W_])(?:invoice|bill|receipt|credit note|credit memo|fee note|debit note"
    r"|facture|avoir|gutschrift|faktura|factuur|fattura"
    r"|factura|fatura|quittung|beleg|invois|resit|declaratie)(?![^\W_])"
)
# "No.", behind a few words that say more ('of the insurer') or a code in brackets ('(380)').
_NUMBERED = re.compile(
    r"\s?:\s?(?=[a-z]{0,5}[\d-]*\d)(?!\d[\d.,' ]*[.,]\d\d(?!\d))"  # 'Tax invoice: SEI-382', and no amount
    r"|(?:\W{1,3}[^\W\d_]+|\W{0,3}\([^()]{1,24}\)){0,4}?\W{0,4}(?:(?<![^\W_])(?:nr|no|num|numero|number|nummer|n)(?![^\W\d_])|[#№])"
)
# Another document's title: 'to invoice no. 12', 'original invoice no. 12'.
_ANOTHER = re.compile(
    r"(?<![^\W_])(?:zu|zur|to|for|original|your|ihre?r?|pro|of|von|sur|pour|per|auf|aus|abschlags|anzahlungs|teil)\W*\Z|\./\.\s"
)
# What else may have a number in the same row: 'invoice for order no. 12'.
_OTHERS = re.compile(
    r"bestell|auftrag|liefer|order|commande|livraison|kunde|customer|client|konto|account|compte|proje[ck]t|vertrag|contract"
    r"|contrat|steuer|tax|vat|tva|ust|tel|phone|fax|seite|page|table|member|s/n|serial"
)
_BEFORE_DATE = re.compile(
    r"\W*(?:(?:vom|du|dated|date|datum|of|van|del|de|den|der|from|le|am|on|d\.?d|issued)\b\W*){0,2}\Z"
)


# 'F2022-118, établie à Montgaillard le 3 août 2022'
_DRAWN_UP = re.compile(r"\W*(?:[^\W\d]+\W+){1,4}(?:le|den|the|el|il)\W*")
_SAYS_DATE = re.compile(r"\W*(?:vom|du|dated|date|datum|of|van|del|from|d\.?d|issued|den)\W*")


@dataclass(frozen=True, slots=True)
class Title:
    """A title with a number in it: the row as one piece, the number's place in it, and the date's when one follows."""

    span: Span
    number: values.Found
    day: dates.PrintedDate | None
    below: Span | None = None
    """The line under it in which the date stands, when it does not stand in the row itself."""


def titles(rows: Sequence[Sequence[Line]]) -> Iterator[Title]:
    """The titles of a page from the top."""
    for number, row in enumerate(rows):
        for place, line in enumerate(row):
            if _NOUN.search(line.span.text.lower()):
                whole = joined([each.span for each in _near(row[place:])])
                title = _title(whole) if whole is not None and len(whole.text) <= _LONGEST else None
                if title is not None:
                    yield title if title.day else _with_day_below(title, line, rows[number + 1 : number + 2])
                    break


def _near(lines: Sequence[Line]) -> list[Line]:
    """The first ones of a row up to a wide blank, behind which another column begins."""
    found = list(lines[:1])
    for line in lines[1:]:
        if line.box.left - found[-1].box.right > _WIDE * line.box.height:
            break
        found.append(line)
    return found


def _with_day_below(title: Title, line: Line, rows: Sequence[Sequence[Line]]) -> Title:
    """The title with the date right under it: 'of 3 March 2026'."""
    for below in (each for row in rows for each in row if abs(each.box.left - line.box.left) <= line.box.height):
        plain = _plain(below.span.text)
        day = next(iter(dates.find(plain)), None)
        if day is not None and _SAYS_DATE.fullmatch(plain[: day.start]):
            return Title(title.span, title.number, day, below.span)
    return title


def _title(span: Span) -> Title | None:
    plain = _plain(span.text)
    noun = _NOUN.search(plain)
    if (
        noun is None
        or len(plain[: noun.start()].split()) > _MOST_WORDS_BEFORE
        or _ANOTHER.search(plain[: noun.start()])
    ):
        return None
    numbered = _NUMBERED.match(plain, noun.end())
    if numbered is None or _OTHERS.search(numbered[0]):
        return None
    number = next(iter(values.find_values(span.text[numbered.end() :], _CODE)), None)
    if number is None or number.start > _NUMBER_FOLLOWS:
        return None
    number = number._replace(start=number.start + numbered.end(), end=number.end + numbered.end())
    return Title(span, number, _day(plain, number.end))


def _day(plain: str, after: int) -> dates.PrintedDate | None:
    day = next((each for each in dates.find(plain) if each.start >= after), None)
    if day is None:
        return None
    between = plain[after : day.start]
    return (
        day if _BEFORE_DATE.match(between) or (_DRAWN_UP.fullmatch(between) and not _OTHERS.search(between)) else None
    )


def _plain(text: str) -> str:
    """Lower case without accents, letter for letter."""
    if text.isascii():
        return text.lower()
    return "".join(unicodedata.normalize("NFD", letter)[0] for letter in text).lower()
