"""Dates in printed text: where they are, what they can mean, and what proves the order of day and month."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from ocr.extraction.document_types import DateOrder

# Two-digit years below the pivot are 20xx, the others 19xx. Source: SQL Server's two-digit year cutoff of 2049 and Oracle's RR; that of
# POSIX strptime (69) takes an invoice of 1967 for one of 2067.
CENTURY_PIVOT = 50

# English, German, French and Malay names, without accents; Spanish, Italian, Portuguese, Dutch, the Nordic languages, Polish, Czech,
# Hungarian, Romanian, Turkish and Indonesian where they differ, as they are written within a date.
_MONTHS = (
    "january jan januar janner jaenner janvier janv januari enero ene gennaio janeiro stycznia sty ledna ianuarie ocak tammikuuta",
    "february feb februar fevrier fevr fev februari febrero febbraio fevereiro lutego lut unora februarie subat helmikuuta",
    "march mar marz maerz mrz mars mac marzo marco maart mrt marts marca brezna marcius martie mart maret maaliskuuta",
    "april apr avril avr abril aprile kwietnia kwi dubna aprilis aprilie nisan huhtikuuta",
    "may mai mei mayo maggio maio maj maja kvetna majus mayis mayıs toukokuuta",
    "june jun juni juin junio giugno junho czerwca cze cervna junius iunie haziran kesakuuta",
    "july jul juli juillet juil julai julio luglio julho lipca lip cervence julius iulie temmuz heinakuuta",
    "august aug aout ogos agosto ago augustus augusti sierpnia sie srpna augusztus agustos agustus elokuuta",
    "september sep sept septembre septiembre settembre setembro wrzesnia wrz zari szeptember septembrie eylul syyskuuta",
    "october oct oktober okt octobre octubre ottobre outubro pazdziernika paz rijna octombrie ekim lokakuuta",
    "november nov novembre noviembre novembro listopada lis listopadu noiembrie kasim kasım marraskuuta",
    "december dec dezember dez decembre disember dis diciembre dicembre dezembro desember grudnia gru prosince decembrie aralik aralık"
    " joulukuuta",
)
_MONTH_NUMBERS = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
_MONTH = "(?P<month>" + "|".join(sorted(_MONTH_NUMBERS, key=len, reverse=True)) + r")(?![a-z])\.?"
_DAY = r"(?<!\d)(?P<day>\d{1,2})(?:st|nd|rd|th|er)?"
_YEAR = r"(?P<year>'?\d{2}(?:\d{2})?)(?!\d)"
_GAP = r"[\s.,/\-]{0,3}(?:of\s|de\s)?"

_DAY_MONTH_YEAR = re.compile(rf"{_DAY}{_GAP}{_MONTH}{_GAP}{_YEAR}")
_MONTH_DAY_YEAR = re.compile(rf"(?<![a-z]){_MONTH}{_GAP}{_DAY}(?:[\s.,/\-]{{1,3}}|(?=')){_YEAR}")
_YEAR_MONTH_DAY = re.compile(rf"(?<!\d)(?P<year>\d{{4}}){_GAP}{_MONTH}{_GAP}(?P<day>\d{{1,2}})(?!\d)")
# Readers lose the blank before the time of day: '29/12/201711:41' and '29/12/1711:41'.
_END = r"(?!\d)(?![./\-]\d|[/\-][a-z]{1,2}(?![a-z]))"  # '12/08/2025/K' is a number
_TIME = r"(?=-?\d{2}:\d{2})"
_YEAR_FIRST = re.compile(rf"(?<![\d./\-])(\d{{4}})\s?([./\-])\s?(\d{{1,2}})\s?\2\s?(\d{{2}}{_TIME}|\d{{1,2}}{_END})")
_YEAR_LAST = re.compile(
    rf"(?<![\d./\-])(\d{{1,2}})\s?([./\-])\s?(\d{{1,2}})\s?\2\s?((?:\d{{4}}|\d{{2}}){_TIME}|(?:\d{{4}}|\d{{2}}){_END})"
)
# '05/O3/2018', '1O-l2-18'
_MISREAD = re.compile(r"(?<![^\W_])[\doils]{1,4}([./\-])[\doils]{1,2}\1[\doils]{2,4}(?![^\W_])")
_LETTERS = str.maketrans("oils", "0115")
# '07 0CT 2016', '26Ju117'
_MISREAD_MONTH = re.compile(r"(?<![a-z])(?:0ct|0kt|n0v|0ec|5ep|au9|ju1(?=\W?(?:\d\d){1,2}(?!\d)))")
_MONTH_LETTERS = {"0ct": "oct", "0kt": "okt", "n0v": "nov", "0ec": "dec", "5ep": "sep", "au9": "aug", "ju1": "jul"}
_FEWEST_DIGITS = 4
# What a date needs at least: most lines with a digit in them hold none, and these two tell it soonest.
_MONTH_NAME = re.compile("|".join(sorted({name[:4] for name in _MONTH_NUMBERS})))
_PARTED = re.compile(r"\d\s?[./\-]\s?\d|\d \d")
_DIGIT = re.compile(r"\d")
# '20181225 15:22': without signs it is a date only before a time of day.
_COMPACT = re.compile(r"(?<!\d)(20[0-3]\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=\s{1,3}[0-2]?\d:[0-5]\d)")
# 'HC03-7 - 15' is the code of an article: with hyphens and a short year letters right before it must speak of a date.
_IN_A_CODE = re.compile(r"[a-z]\Z")
_BEFORE_A_DATE = re.compile(r"(?:date|dated|dt|datum|tarikh|fecha|data|on|am|le|[ap]m|mon|tue|wed|thu|fri|sat|sun)\Z")
_STATE = re.compile(
    r"(?<!\w)(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])[ ,]{1,2}"
    r"\d{5}(?:-\d{4})?(?!\w)"
)
_ELSEWHERE = re.compile(
    r"[€£₹]|(?<!\w)(?:VAT|GST|HST|PST|ABN|MwSt|TVA|IVA|BTW|CAD|AUD|EUR|GBP|[AC]A?\$|[ANHS][UZK]?\$)(?!\w)"
)
_SPACED = re.compile(r"(?<![\d./,\-])(\d{1,2}) (\d{1,2}) ((?:19|2[01])\d{2})(?![\d.,])")


@dataclass(frozen=True, slots=True)
class PrintedDate:
    """A date in a text, from character `start` to `end`.

    `day_first` and `month_first` are its readings; they are equal when the print leaves no choice, and one is None
    when only the other is a day of the calendar.
    """

    start: int
    end: int
    day_first: date | None
    month_first: date | None
    year_first: date | None = None

    def readings(self, order: DateOrder) -> tuple[date, ...]:
        """Every different meaning, the one that `order` prefers first."""
        preferred = {
            "day_first": (self.day_first, self.month_first, self.year_first),
            "month_first": (self.month_first, self.day_first, self.year_first),
            "year_first": (self.year_first, self.day_first, self.month_first),
        }[order]
        return tuple(dict.fromkeys(each for each in preferred if each is not None))


def find(text: str) -> list[PrintedDate]:
    """Every date in the text, in order, none overlapping another."""
    if not _DIGIT.search(text):
        return []
    plain = _plain(text)
    if any(plain.count(sign) > 1 for sign in "/-."):
        plain = _MISREAD.sub(_as_digits, plain)
    plain = _MISREAD_MONTH.sub(lambda match: _MONTH_LETTERS[match[0]], plain)
    found: list[PrintedDate] = []
    for each in sorted(_all(plain), key=lambda each: (each.start, -each.end)):
        if not found or each.start >= found[-1].end:
            found.append(each)
    return found


def proven_order(printed: Iterable[PrintedDate]) -> DateOrder | None:
    """The order that the document's own dates prove: one of them can be read in one way only.

    None when no date proves anything or when two contradict each other.
    """
    found = proofs(printed)
    return found.pop() if len(found) == 1 else None


def proofs(printed: Iterable[PrintedDate]) -> set[DateOrder]:
    """The orders that dates prove which can be read in one way only."""
    found: set[DateOrder] = set()
    for each in printed:
        if each.day_first is None and each.month_first is not None:
            found.add("month_first")
        if each.month_first is None and each.day_first is not None:
            found.add("day_first")
    return found


def are_american(lines: Iterable[str]) -> bool:
    """Whether the lines of a page speak of the United States alone, where the month stands first: a state with its five digits, dollars
    if any money, and no tax or currency of another country."""
    text = "\n".join(lines)
    return _STATE.search(text) is not None and "$" in text and _ELSEWHERE.search(text) is None


def _as_digits(match: re.Match[str]) -> str:
    """The letters in a date that readers take digits for, when most of it is digits."""
    return match[0].translate(_LETTERS) if sum(map(str.isdigit, match[0])) >= _FEWEST_DIGITS else match[0]


def _plain(text: str) -> str:
    """Lower case without accents, character for character, so that positions stay valid."""
    if text.isascii():
        return text.lower()
    return "".join(unicodedata.normalize("NFD", character)[0] for character in text).lower()


def _all(plain: str) -> Iterator[PrintedDate]:
    for pattern in (_DAY_MONTH_YEAR, _MONTH_DAY_YEAR, _YEAR_MONTH_DAY) if _MONTH_NAME.search(plain) else ():
        for match in pattern.finditer(plain):
            month = _MONTH_NUMBERS[match["month"]]
            one = _date(_full_year(match["year"]), month, int(match["day"]))
            if one is not None:
                yield PrintedDate(match.start(), match.end(), one, one)
    if plain.count(":"):
        for match in _COMPACT.finditer(plain):
            one = _date(int(match[1]), int(match[2]), int(match[3]))
            if one is not None:
                yield PrintedDate(match.start(), match.end(), one, one, one)
    if not _PARTED.search(plain):
        return
    for match in _YEAR_FIRST.finditer(plain):
        one = _date(int(match[1]), int(match[3]), int(match[4]))
        if one is not None:
            yield PrintedDate(match.start(), match.end(), one, one, one)
    for match in _YEAR_LAST.finditer(plain):
        if len(match[4]) == 4 or match[2] != "-" or not _is_in_a_code(plain[: match.start()]):
            yield from _numeric(match, match[1], match[3], match[4])
    for match in _SPACED.finditer(plain):
        yield from _numeric(match, match[1], match[2], match[3])


def _is_in_a_code(before: str) -> bool:
    return _IN_A_CODE.search(before) is not None and _BEFORE_A_DATE.search(before) is None


def _numeric(match: re.Match[str], first: str, second: str, last: str) -> Iterator[PrintedDate]:
    year = _full_year(last)
    day_first = _date(year, int(second), int(first))
    month_first = _date(year, int(first), int(second))
    # '31-03-12' may also begin with a short year, but only where the first number cannot be a day or a month
    year_first = _date(_full_year(first), int(second), int(last)) if int(first) > 31 and len(last) == 2 else None
    if day_first or month_first or year_first:
        yield PrintedDate(match.start(), match.end(), day_first, month_first, year_first)


def _full_year(text: str) -> int:
    year = int(text.lstrip("'"))
    if len(text.lstrip("'")) == 4:
        return year
    return 2000 + year if year < CENTURY_PIVOT else 1900 + year


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if 1900 <= year <= 2199 else None
    except ValueError:
        return None
