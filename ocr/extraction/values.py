"""From what is printed or typed to the canonical value, by kind of field; and finding such values inside a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple, cast

from ocr.extraction import codes, dates, numbers, sentences
from ocr.extraction.document_types import DateOrder, DocumentType, FieldSpec, Kind

MAX_LENGTH = 1000
_MOST_SEARCHED = 2000
_NUMERIC = frozenset(("amount", "number", "percent"))
_SHORT = 20
SELECTED, NOT_SELECTED = "selected", "not_selected"
PRESENT, ABSENT = "present", "absent"

_YES = frozenset(
    ("selected", "x", "✓", "✔", "☑", "☒", "[x]", "(x)", "yes", "y", "true", "on", "1", "checked", "ja", "oui", "ya")
)
_NO = frozenset(
    ("not_selected", "not selected", "☐", "[ ]", "[]", "( )", "()", "no", "n", "false", "off", "0", "nein", "non", "-")
)
_SIGNED = frozenset(("present", "signed", "yes", "y", "true", "ja", "oui", "ya"))
_UNSIGNED = frozenset(("absent", "unsigned", "not signed", "no", "n", "false", "nein", "non"))
_EMAIL = re.compile(r"[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)*\.[^\W\d_]{2,}")
_PHONE = re.compile(r"(?<![\w.,])\+?\(?\d[\d\s()./\-]{5,22}\d(?!\w)")
# A code: a first piece with a digit in it (country letters may stand before it), further pieces only of digits; 'No.' is none of it.
_IDENTIFIER = re.compile(
    r"(?<![^\Wº])(?![Nn](?:[oOrR]\.|º))(?:[A-Z]{2,4}-(?=[A-Z]))?(?:[A-Z]{1,4}[ \-])?(?=(?:[^\W\d]|[./\-*]){0,20}\d)[^\W_](?:[\w./\-*]*\w)?"
    r"(?: \d{2,}(?![\w]*[./:,]\d)\w*)*(?:(?<= \d{4}) \d(?!\S))?"
)
_OF_DAYS = re.compile(
    r"[\s-]{0,2}(?:days?|dag(?:ar|e|er|en)?|tage?n?|jours?|giorni|d[ií]as?|dni|dn[íů]|nap|päivää|pv)(?![^\W\d_])",
    re.IGNORECASE,
)
_UNGROUPED = re.compile(r"\d{8}")
_PERCENT = re.compile(r"\s?%")
_NO_IDENTIFIER = re.compile(r"\d{1,3}(?:[.,]\d{3})*[.,]\d\d")
# '5,402.50' holds no codes '5' and '402.50'.
_AMOUNT_BEFORE = re.compile(r"\d,\Z")
_AMOUNT_AFTER = re.compile(r"(?<=\d),\d{3}[.,]|(?<=\d),\d\d(?!\d)")


class InvalidValue(ValueError):
    """What was typed or read is not a value of this kind; the sentence says the expected form."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Found(NamedTuple):
    """A value inside a text, from character `start` to `end`. `others` are other meanings of the same print.

    `value` is empty where a code stands whose check digits do not come out: a person has to look at it.
    `certainty` (percent) is below 100 where the print alone does not settle the value, as '$' for a currency.
    """

    value: str
    start: int
    end: int
    others: tuple[str, ...] = ()
    certainty: float = 100.0


def parse_value(text: str, spec: FieldSpec, *, date_order: DateOrder = "day_first") -> str:
    """The canonical value of what a person typed or the engine read.

    date 'YYYY-MM-DD', amount and number a plain decimal string (amounts with at least two decimals), currency its
    ISO 4217 code, percent without the sign, checkbox 'selected' or 'not_selected', signature 'present' or 'absent',
    IBANs and the tax numbers whose check digits are known without blanks, all else with blanks folded.
    Raises InvalidValue with a sentence that says the expected form.
    """
    folded = fold(text)
    if not folded:
        raise InvalidValue("empty", "Write a value, or mark the field as absent.")
    if len(folded) > MAX_LENGTH:
        raise InvalidValue("too_long", sentences.TOO_LONG(count=f"{MAX_LENGTH:,}"))
    if spec.choices:
        return _choice(folded, spec)
    return _PARSERS[spec.kind](folded, date_order)


def parse_kind(text: str, kind: str, *, document_type: DocumentType, name: str) -> str:
    """The canonical value of what a person typed into the field or column `name` of a document.

    A type without fixed fields does not know the name; then the kind alone decides. Raises InvalidValue.
    """
    specs = (*document_type.fields, *(document_type.line_items or ()))
    spec = next(
        (each for each in specs if each.name == name and each.kind == kind),
        FieldSpec(name, name, kind=cast(Kind, kind)),
    )
    return parse_value(text, spec, date_order=document_type.date_order)


def find_values(text: str, spec: FieldSpec, *, date_order: DateOrder = "day_first") -> list[Found]:
    """Every value of the field's kind inside a text, in order; a text that is a value as a whole comes alone.

    Only the text's beginning is searched when it is longer than any value and its surroundings.
    """
    text = text[:_MOST_SEARCHED]
    if spec.choices:
        return _find_choices(text, spec)
    if spec.kind in _NUMERIC and len(text) <= _SHORT:
        return list(_numbers_in(spec.kind, text))
    return _FINDERS[spec.kind](text, date_order)


@lru_cache(maxsize=2048)
def _numbers_in(kind: str, text: str) -> tuple[Found, ...]:
    """The numbers in a short text: a page asks several times for the same, and pages are alike."""
    return tuple(_FINDERS[kind](text, "day_first"))


def fold(text: str) -> str:
    """The text with every run of blanks as one blank and none at its ends."""
    return " ".join(text.split())


def _choice(text: str, spec: FieldSpec) -> str:
    for choice in spec.choices:
        if fold(choice).casefold() == text.casefold():
            return choice
    for name, choice in spec.printed_choices:
        if fold(name).casefold() == text.casefold():
            return choice
    raise InvalidValue("not_a_choice", sentences.NOT_A_CHOICE(choices=", ".join(spec.choices)))


def _find_choices(text: str, spec: FieldSpec) -> list[Found]:
    found = []
    for name, choice in (*((each, each) for each in spec.choices), *spec.printed_choices):
        match = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE)
        if match:
            found.append(Found(choice, match.start(), match.end()))
    return found


# --- dates


_DATE_FORMS = {
    "day_first": "Write the date as day/month/year, for example 07/03/2026.",
    "month_first": "Write the date as month/day/year, for example 03/07/2026.",
    "year_first": "Write the date as year-month-day, for example 2026-03-07.",
}
_COMPACT = re.compile(r"((?:19|2[01])\d\d)(\d\d)(\d\d)\Z")
_COMPACT_FIRST = re.compile(r"\W*((?:19|2[01])\d\d)(\d\d)(\d\d)(?![\d.,/\-])")
# '171812016' and '17/812016' are 17/8/2016 with strokes read as ones.
_STROKES_AS_ONES = re.compile(r"[^\w/]*(\d{1,2})[/1](\d{1,2})[/1](20\d\d)(?![\d.,/\-])")
_OF_STROKES = 60.0  # what such a date is worth, of 100
_BESIDE_DATE = re.compile(
    r"\b(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b|\b(?:mo|di|mi|do|fr|sa|so)\b"
    r"|\b(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|lundi|mardi|mercredi|jeudi|vendredi|samedi"
    r"|dimanche|isnin|selasa|rabu|khamis|jumaat|sabtu|ahad)\b"
    r"|\d{1,2}[:.]\d{2}(?:[:.]\d{2})?\s?(?:[ap]\.?m\.?)?|\b(?:date|datum|le|den|the|time|uhr|at|um|à)\b",
    re.IGNORECASE,
)


def _parse_date(text: str, order: DateOrder) -> str:
    compact = _COMPACT.match(text)
    if compact:
        text = "-".join(compact.groups())
    found = dates.find(text)
    rest = text[: found[0].start] + " " + text[found[0].end :] if len(found) == 1 else text
    readings = found[0].readings(order) if len(found) == 1 else ()
    if not readings or re.search(r"\w", _BESIDE_DATE.sub(" ", rest)):
        raise InvalidValue("invalid_date", _DATE_FORMS[order])
    return readings[0].isoformat()


def _find_dates(text: str, order: DateOrder) -> list[Found]:
    found = []
    compact = _COMPACT_FIRST.match(text)
    if compact is not None and (day := dates.find("-".join(compact.groups()))):
        return [Found(day[0].readings("year_first")[0].isoformat(), compact.start(1), compact.end())]
    for printed in dates.find(text):
        value, *others = [each.isoformat() for each in printed.readings(order)]
        found.append(Found(value, printed.start, printed.end, tuple(others)))
    strokes = None if found else _STROKES_AS_ONES.match(text)
    if strokes is not None and (day := dates.find("/".join(strokes.groups()))):
        value, *others = [each.isoformat() for each in day[0].readings(order)]
        found.append(Found(value, strokes.start(1), strokes.end(), tuple(others), _OF_STROKES))
    return found


# --- numbers and money


def money(value: Decimal) -> str:
    """The canonical amount: the printed decimals, at least two."""
    exponent = value.as_tuple().exponent
    decimals = max(2, -exponent) if isinstance(exponent, int) else 2
    return f"{value:.{decimals}f}"


def _parse_amount(text: str, order: DateOrder) -> str:
    number = numbers.whole_number(text)
    if number is None or number.percent:
        raise InvalidValue("invalid_amount", "Write the amount with digits, for example 1,234.50 or 1.234,50.")
    return money(number.value)


def _find_amounts(text: str, order: DateOrder) -> list[Found]:
    """Amounts, without percentages, parts of dates, numbers of days, and codes (long whole numbers that nothing groups)."""
    whole = numbers.whole_number(text, blanks_group=False)
    dated = [range(each.start, each.end) for each in dates.find(text)]
    return [
        Found(money(each.value), each.start, each.end)
        for each in ([whole] if whole else numbers.find_numbers(text))
        if not each.percent
        and not _UNGROUPED.search(text, each.start, each.end)
        and not (each.decimals == 0 and _OF_DAYS.match(text, each.end))
        and not any(each.start in span for span in dated)
    ]


def _parse_number(text: str, order: DateOrder) -> str:
    number = numbers.whole_number(text, thousands_dot=False)
    if number is None or number.percent:
        raise InvalidValue("invalid_number", "Write a number, for example 12 or 2.5.")
    return f"{number.value:f}"


def _find_numbers(text: str, order: DateOrder) -> list[Found]:
    whole = numbers.whole_number(text, thousands_dot=False, blanks_group=False)
    printed = [whole] if whole else numbers.find_numbers(text, thousands_dot=False)
    return [Found(f"{each.value:f}", each.start, each.end) for each in printed if not each.percent]


def _parse_percent(text: str, order: DateOrder) -> str:
    number = numbers.whole_number(text.replace("%", " %"), thousands_dot=False)
    if number is None:
        raise InvalidValue("invalid_percent", "Write a percentage, for example 10 or 7.5 %.")
    return f"{number.value:f}"


def _find_percents(text: str, order: DateOrder) -> list[Found]:
    printed = numbers.find_numbers(text, thousands_dot=False)
    return [Found(f"{each.value:f}", each.start, each.end) for each in printed if each.percent]


def _parse_currency(text: str, order: DateOrder) -> str:
    found = numbers.find_currencies(text) or numbers.find_currencies(text.upper())
    codes = {each.code for each in found}
    if len(codes) != 1:
        raise InvalidValue("invalid_currency", "Write the currency as its three-letter code, for example EUR or MYR.")
    return codes.pop()


def _find_currencies(text: str, order: DateOrder) -> list[Found]:
    return [Found(each.code, each.start, each.end, (), each.confidence) for each in numbers.find_currencies(text)]


# --- words and codes


def _parse_text(text: str, order: DateOrder) -> str:
    return text


def _find_text(text: str, order: DateOrder) -> list[Found]:
    start, end = _trimmed(text)
    return [Found(fold(text[start:end]), start, end)] if start < end else []


def _trimmed(text: str) -> tuple[int, int]:
    """The span without the blanks and the label's punctuation around it."""
    start = len(text) - len(text.lstrip(" \t:;=#.-_|"))
    return start, max(start, len(text.rstrip(" \t:;=|_")))


def _parse_identifier(text: str, order: DateOrder) -> str:
    if not re.search(r"\w", text):
        raise InvalidValue("invalid_identifier", "Write the number or code as printed, for example INV-2026-0042.")
    return text


def _find_identifiers(text: str, order: DateOrder) -> list[Found]:
    """Codes with a digit in them that are neither a date nor an amount nor a percentage."""
    dated = [range(each.start, each.end) for each in dates.find(text)]
    return [
        Found(fold(match[0]), match.start(), match.end())
        for match in _IDENTIFIER.finditer(text)
        if not _NO_IDENTIFIER.fullmatch(match[0])
        and not _AMOUNT_AFTER.match(text, match.end())
        and not (match[0][0].isdigit() and _AMOUNT_BEFORE.search(text, 0, match.start()))
        and not _PERCENT.match(text, match.end())
        and not any(match.start() in span or match.end() - 1 in span for span in dated)
    ]


def _parse_iban(text: str, order: DateOrder) -> str:
    value = codes.iban(text)
    if not value:
        raise InvalidValue("invalid_iban", codes.iban_refusal(text))
    return value


def _find_ibans(text: str, order: DateOrder) -> list[Found]:
    return [Found(each.value, each.start, each.end) for each in codes.ibans(text)]


def _parse_tax_id(text: str, order: DateOrder) -> str:
    value = codes.tax_id(text)
    if not value:
        raise InvalidValue("invalid_tax_id", codes.tax_id_refusal(text))
    return value


def _find_tax_ids(text: str, order: DateOrder) -> list[Found]:
    """Those of a country whose check digits are known; where there is none, codes with the shape of one."""
    found = [Found(each.value, each.start, each.end) for each in codes.tax_ids(text)]
    return found or [
        Found(value, each.start, each.end)
        for each in _find_identifiers(text, order)
        if (value := codes.tax_id(text[each.start : each.end]))
    ]


def _parse_email(text: str, order: DateOrder) -> str:
    if not _EMAIL.fullmatch(text):
        raise InvalidValue("invalid_email", "Write the e-mail address, for example name@example.com.")
    return text


def _find_emails(text: str, order: DateOrder) -> list[Found]:
    return [Found(match[0], match.start(), match.end()) for match in _EMAIL.finditer(text)]


def _parse_phone(text: str, order: DateOrder) -> str:
    digits = re.sub(r"\D", "", text)
    if not re.fullmatch(r"\+?[\d\s()./\-]+", text) or not 6 <= len(digits) <= 15:
        raise InvalidValue("invalid_phone", "Write the telephone number with digits, for example +49 30 123456.")
    return ("+" if text.startswith("+") else "") + digits


def _find_phones(text: str, order: DateOrder) -> list[Found]:
    found = []
    for match in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if 6 <= len(digits) <= 15:
            found.append(Found(("+" if match[0].startswith("+") else "") + digits, match.start(), match.end()))
    return found


def _parse_checkbox(text: str, order: DateOrder) -> str:
    lower = text.lower()
    if lower in _YES:
        return SELECTED
    if lower in _NO:
        return NOT_SELECTED
    raise InvalidValue("invalid_checkbox", "Write selected or not selected.")


def _find_checkboxes(text: str, order: DateOrder) -> list[Found]:
    try:
        return [Found(_parse_checkbox(fold(text), order), 0, len(text))]
    except InvalidValue:
        return []


def _parse_signature(text: str, order: DateOrder) -> str:
    lower = text.lower()
    if lower in _SIGNED:
        return PRESENT
    if lower in _UNSIGNED:
        return ABSENT
    raise InvalidValue("invalid_signature", "Write present or absent.")


def _find_signatures(text: str, order: DateOrder) -> list[Found]:
    """None: a name in print is no signature."""
    return []


_PARSERS: dict[str, Callable[[str, DateOrder], str]] = {
    "text": _parse_text,
    "amount": _parse_amount,
    "date": _parse_date,
    "currency": _parse_currency,
    "number": _parse_number,
    "identifier": _parse_identifier,
    "tax_id": _parse_tax_id,
    "iban": _parse_iban,
    "email": _parse_email,
    "phone": _parse_phone,
    "percent": _parse_percent,
    "checkbox": _parse_checkbox,
    "signature": _parse_signature,
}
_FINDERS: dict[str, Callable[[str, DateOrder], list[Found]]] = {
    "text": _find_text,
    "amount": _find_amounts,
    "date": _find_dates,
    "currency": _find_currencies,
    "number": _find_numbers,
    "identifier": _find_identifiers,
    "tax_id": _find_tax_ids,
    "iban": _find_ibans,
    "email": _find_emails,
    "phone": _find_phones,
    "percent": _find_percents,
    "checkbox": _find_checkboxes,
    "signature": _find_signatures,
}
