"""What was said in English while nobody in particular was asking, in the language of whoever is asked for now.

Problems of fields, refusals of values and reasons of failed rows are made by workers or by plain Python, and stored. They stay as they
are; a page or an answer finds the sentence in the catalogue, or its pattern, and tells it with its parts. What is in no
catalogue is told as it was stored. *Source: decision 0020.*
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import formats
from django.utils.translation import get_language, gettext, gettext_noop, pgettext

from ocr.extraction import sentences

UNLIKE = gettext_noop("something else")  # the type of pages that look like none
_JOINTS = re.compile(r" (plus|minus) ")
_STRETCH = re.compile(r"(?:page (\d+)|pages (\d+) to (\d+)) like (.+)")


def is_plain() -> bool:
    """Whether the reader's language is the one in which everything is stored."""
    return (get_language() or "en").partition("-")[0] == "en"


def sentence(text: str) -> str:
    """The sentence in the reader's language."""
    if is_plain() or not text:
        return text
    known = gettext(text)
    if known != text:
        return known
    for each in sentences.ALL:
        parts = each.parts_of(text)
        pattern = gettext(each.english) if parts is not None else each.english
        if parts is not None and pattern != each.english:
            return pattern.format(**{name: _part(name, value) for name, value in parts.items()})
    return text


def label(text: str) -> str:
    """The name of a field, group or type: those that are shipped are in the catalogue, others are whatever somebody called them."""
    return text if is_plain() or not text else pgettext("document type", text)


def problem(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored problem with its sentence in the reader's language."""
    return {**stored, "message": sentence(stored["message"])}


def _part(name: str, value: str) -> str:
    return _PARTS.get(name.split("_")[0], str)(value)


def _inner_label(text: str) -> str:
    """Inside an English sentence a label begins in lower case."""
    known = label(text)
    return label(text[:1].upper() + text[1:]) if known == text else known


def _labels(text: str) -> str:
    return ", ".join(map(label, text.split(", ")))


def _terms(text: str) -> str:
    """'Subtotal plus tax minus discount'."""
    return "".join(f" {part} " if place % 2 else _inner_label(part) for place, part in enumerate(_JOINTS.split(text)))


def _stretches(text: str) -> str:
    """'page 1 like Invoice; pages 2 to 3 like something else'."""
    return "; ".join(map(_stretch, text.split("; ")))


def _stretch(text: str) -> str:
    found = _STRETCH.fullmatch(text)
    if found is None:
        return text
    one, first, last, like = found.groups()
    words = {"first": one or first, "last": last, "label": gettext(like) if like == UNLIKE else label(like)}
    return (
        gettext("page %(first)s like %(label)s") if one else gettext("pages %(first)s to %(last)s like %(label)s")
    ) % words


def _amount(text: str) -> str:
    plain = text.replace(",", "")
    return formats.number_format(Decimal(plain), len(plain.partition(".")[2]), force_grouping=True)


def _date(text: str) -> str:
    return formats.date_format(date.fromisoformat(text), "DATE_FORMAT")


def _percent(text: str) -> str:
    return gettext("%(n)s%%") % {"n": text.rstrip("% ")}


def _values(text: str) -> str:
    return text.replace(" or ", f" {gettext('or')} ")


_PARTS: Mapping[str, Callable[[str], str]] = {
    "amount": _amount,
    "count": _amount,
    "date": _date,
    "percent": _percent,
    "label": _inner_label,
    "labels": _labels,
    "terms": _terms,
    "stretches": _stretches,
    "values": _values,
    "kinds": _values,
    "sentence": sentence,
    "must": sentence,
}


def value(canonical: str, kind: str) -> str:
    """A canonical value as it is written in the reader's language: 1234.50 as 1.234,50 and 2026-03-01 as 01.03.2026.

    English shows what is stored. static/js/values.js says the same and reads it back.
    """
    if is_plain() or kind not in _WRITTEN:
        return canonical
    try:
        return _WRITTEN[kind](canonical)
    except (ValueError, ArithmeticError):
        return canonical


def _money(canonical: str) -> str:
    return formats.number_format(Decimal(canonical), len(canonical.partition(".")[2]), force_grouping=True)


def _number(canonical: str) -> str:
    """Not grouped: 1.234 may be a thousand and more, or a little more than one."""
    return str(Decimal(canonical)).replace(".", formats.get_format("DECIMAL_SEPARATOR"))


_WRITTEN: Mapping[str, Callable[[str], str]] = {"amount": _money, "number": _number, "percent": _number, "date": _date}
