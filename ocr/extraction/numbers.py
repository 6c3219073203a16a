"""Amounts, numbers and currencies in printed text. Money is Decimal; no float takes part."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

# ISO 4217 codes in use (list one, without funds, metals and testing codes).
_ISO_4217 = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF
    CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL
    HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL
    MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON
    RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX
    USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""
CODES = frozenset(_ISO_4217.split())
# What stands for a currency in print, and how sure (percent) one can be: several countries write '$'.
SIGNS: dict[str, tuple[str, float]] = {
    "us$": ("USD", 99.0),
    "s$": ("SGD", 95.0),
    "a$": ("AUD", 95.0),
    "au$": ("AUD", 99.0),
    "c$": ("CAD", 90.0),
    "ca$": ("CAD", 99.0),
    "nz$": ("NZD", 99.0),
    "hk$": ("HKD", 99.0),
    "r$": ("BRL", 95.0),
    "$": ("USD", 60.0),
    "€": ("EUR", 99.0),
    "£": ("GBP", 95.0),
    "¥": ("JPY", 60.0),
    "₹": ("INR", 99.0),
    "rs.": ("INR", 70.0),
    "rs": ("INR", 70.0),
    "rm": ("MYR", 95.0),
    "fr.": ("CHF", 60.0),
    "sfr.": ("CHF", 95.0),
    "kr": ("SEK", 50.0),
    "zł": ("PLN", 99.0),
    "zl": ("PLN", 90.0),
    "kč": ("CZK", 99.0),
    "ringgit": ("MYR", 99.0),
    "euro": ("EUR", 99.0),
    "euros": ("EUR", 99.0),
    "dollar": ("USD", 60.0),
    "dollars": ("USD", 60.0),
    "pound": ("GBP", 80.0),
    "pounds": ("GBP", 80.0),
    "rupees": ("INR", 80.0),
    "us dollar": ("USD", 99.0),
    "us dollars": ("USD", 99.0),
}

# Most amounts in tables: nothing glued to it, no sign, and no doubt about its marks.
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]{2})?|[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]{2}")
_MAY_BE_CURRENCY = re.compile(r"[^\W\d_]|[$€£¥₹]")

_SPACES = " \u00a0\u202f\u2009"
_DIGITS = re.compile(
    r"(?=\d)(?:"  # most letters are no digits
    # 1 107,00 where it begins the text or follows a colon: elsewhere '2 450,00' may be a quantity and a price
    rf"(?:\A|(?<=\A )|(?<=:)|(?<=: ))\d{{1,3}}(?:[{_SPACES}]\d{{3}})+,\d\d(?!\d)(?=\s*(?:[^\W\d]|[$€£¥₹]|\Z))"
    # 187 960 Ft, where it is the whole text: money without decimals
    rf"|\A[1-9]\d{{0,2}}(?:[{_SPACES}]\d{{3}}){{1,2}}(?=(?:\s*(?:[^\W\d]{{1,4}}|[$€£¥₹])\.?)?\s*\Z)"
    # R41 745,14 and R 3 053.25, behind its currency
    r"|(?:(?<=[$€£¥])|(?<=[$€£¥] )|(?<=R)(?<!\wR)|(?<=R )(?<!\wR )|(?<=ZAR )|(?<=EUR ))"
    rf"\d{{1,3}}(?:[{_SPACES}]\d{{3}})+[.,]\d\d(?!\d)"
    r"|(?<![\d.,])\d+(?:,\d{3})*(?:\. | \.)\d{2}(?=\s*\Z)"  # 9. 00 at the end, as readers part it
    r"|(?<![\d.,:])(?:2[4-9]|[3-9]\d|\d{3,}|\d{1,3}(?:,\d{3})+):\d{2}(?=\s*\Z)"  # 622:00, no time of day: a point read as a colon
    r"|\d+(?:[.,'’]\d+)*(?:[.,][-–—]{1,2}(?!\w))?"  # 1,234.50 and 1.234,50 and 1'234.50 and 12,-
    r")|(?<![\d.,])[.,]\d{2}(?!\d)"  # .50
)
_SPACED_DIGITS = re.compile(rf"\d{{1,3}}(?:[{_SPACES}]\d{{3}})+(?:[.,]\d+)?")  # 1 234,50
_SPACED_COMMA = re.compile(rf"\d{{1,3}}(?:[{_SPACES}]\d{{3}})+,\d\d(?!\d)")
_CURRENCY_WORD = re.compile(
    r"(?<![^\W\d_])(?:"
    + "|".join(re.escape(sign) for sign in sorted(SIGNS, key=len, reverse=True))
    + "|"
    + "|".join(sorted(code.lower() for code in CODES))
    + r")(?![^\W\d_])"
)
_GLUED_BEFORE = re.compile(r"[^\W\d_]*[$€£¥₹.]?\Z")
_GLUED_AFTER = re.compile(r"[^\W\d_]*")
_JOINED_BEFORE = re.compile(r"\d[/:.,]\Z|\w-\Z|[#_/\w]\Z")
_JOINED_AFTER = re.compile(r"[/:\-]\d|[#_]")
_PERCENT = re.compile(r"\s*%")
# Units that stand glued behind a quantity: '12u', '1Stk'.
_UNIT_NAMES = """
    u ud uds un und unid st stk stck pc pcs pce pces ea nr nos szt ks kpl h hr hrs std t kg g gr l lt ltr ml cl m mm cm km kwh mwh mb gb
"""
_UNITS = frozenset(_UNIT_NAMES.split())
_RAND = re.compile(r"(?<!\w)r\s?\Z")
_CENTS = 2  # decimals
_MINUS = "-−–"
_SPACED_CURRENCY = re.compile(rf"{_CURRENCY_WORD.pattern}\s\Z")
_CURRENCY_MINUS = re.compile(rf"{_CURRENCY_WORD.pattern}\s?[{_MINUS}]\s?\Z")
# '-5.00' and '(-) 5.00' are negative wherever they stand alone; '- 5.00' only at the beginning, elsewhere it is a dash.
_MINUS_BEFORE = re.compile(rf"(?<!\w)(?:[{_MINUS}]|\([{_MINUS}]\)\s?)\Z|^\s*[{_MINUS}]\s\Z")
_MINUS_GLUED = re.compile(rf"[{_MINUS}]\s?\Z")
_MINUS_AFTER = re.compile(rf"[{_MINUS}](?![\w])")


class PrintedNumber(NamedTuple):
    """A number in a text, from `start` to `end`, signs included. `decimals` is how many were printed."""

    start: int
    end: int
    value: Decimal
    decimals: int
    percent: bool


class PrintedCurrency(NamedTuple):
    """A currency sign or code in a text and how sure (percent) its meaning is."""

    start: int
    end: int
    code: str
    confidence: float


def find_numbers(text: str, *, thousands_dot: bool = True) -> list[PrintedNumber]:
    """Every number that stands by itself (not inside a word, a date or a longer code), in order.

    With `thousands_dot` a point before exactly three last digits groups thousands, as in '1.234' for money; without
    it the point is a decimal point, as in a weight. Blanks group before a decimal comma only, at the beginning or behind a
    colon, and where the number is the whole text: '1 160.00' is a quantity and a price.
    """
    if _PLAIN.fullmatch(text):
        decimals = 2 if text[-3:-2] == "." else 0
        return [PrintedNumber(0, len(text), Decimal(text.replace(",", "")), decimals, percent=False)]
    found = []
    for match in _DIGITS.finditer(text):
        printed = _number(text, match, thousands_dot=thousands_dot)
        if printed is not None:
            found.append(printed)
    return found


def whole_number(text: str, *, thousands_dot: bool = True, blanks_group: bool = True) -> PrintedNumber | None:
    """The number that the text is, apart from currency, sign and blanks.

    Blanks may group thousands, as a person types them; without `blanks_group` only before a decimal comma, because
    '1 160.00' in print is a quantity and a price.
    """
    spaced = (_SPACED_DIGITS if blanks_group else _SPACED_COMMA).search(text)
    found = _number(text, spaced, thousands_dot=thousands_dot) if spaced else None
    numbers = [found] if found else find_numbers(text, thousands_dot=thousands_dot)
    if len(numbers) != 1:
        return None
    if (numbers[0].start, numbers[0].end) == (0, len(text)):
        return numbers[0]
    before = _CURRENCY_WORD.sub("", text[: numbers[0].start].lower())
    before = before if numbers[0].decimals != _CENTS else _RAND.sub("", before)
    after = _CURRENCY_WORD.sub("", text[numbers[0].end :].lower())
    # a mark before the first digit ('.567') belongs to the number, and what it means is not certain
    return None if re.search(r"[\w.,]", before) or re.search(r"\w", after) else numbers[0]


def find_currencies(text: str) -> list[PrintedCurrency]:
    """Every currency sign, word or ISO code in the text, in order. Codes count in capitals only."""
    if not _MAY_BE_CURRENCY.search(text):
        return []
    found = []
    for match in _CURRENCY_WORD.finditer(text.lower()):
        printed = text[match.start() : match.end()]
        code, confidence = SIGNS.get(match[0], (printed, 99.0))
        if match[0] in SIGNS or printed in CODES:
            found.append(PrintedCurrency(match.start(), match.end(), code, confidence))
    return found


def decimal_of(digits: str, *, thousands_dot: bool = True) -> Decimal | None:
    """The number that printed digits mean: the last mark is the decimal mark unless it can only group thousands.

    None when the marks make no sense, as in '1.2.3'.
    """
    whole, decimals = _split(digits.rstrip("-–—"), thousands_dot=thousands_dot)
    if decimals and not decimals.isdigit():
        return None
    groups = re.split(rf"[.,{_SPACES}'’]", whole)
    if len(groups) > 1 and not _grouped(groups, indian="." not in whole):
        return None
    return Decimal(f"{''.join(groups) or '0'}.{decimals}" if decimals else "".join(groups))


def _split(digits: str, *, thousands_dot: bool) -> tuple[str, str]:
    """The whole part (its grouping marks still in it) and the decimals."""
    at = max(digits.rfind("."), digits.rfind(","))
    if at < 0:
        return digits, ""
    mark, head, tail = digits[at], digits[:at], digits[at + 1 :]
    if mark in head or (len(tail) == 3 and _groups_thousands(mark, head, thousands_dot=thousands_dot)):
        return digits, ""
    return head, tail


def _groups_thousands(mark: str, head: str, *, thousands_dot: bool) -> bool:
    if not head.isdigit() or not 1 <= len(head.lstrip("0")) <= 3:
        return False
    return mark == "," or thousands_dot


def _grouped(groups: list[str], *, indian: bool) -> bool:
    """Thousands in threes or, between commas, the Indian way: twos and a last three."""
    first, *middle, last = groups
    sizes = (2, 3) if indian else (3,)
    return 1 <= len(first) <= 3 and len(last) == 3 and all(len(group) in sizes for group in middle)


def _number(text: str, match: re.Match[str], *, thousands_dot: bool) -> PrintedNumber | None:
    start, end = match.span()
    digits = match[0].replace(" ", "") if "." in match[0] else match[0].replace(":", ".")
    value = decimal_of(digits, thousands_dot=thousands_dot)
    if value is None:
        return None
    exponent = value.as_tuple().exponent
    decimals = -exponent if isinstance(exponent, int) else 0
    lead = _lead(text, start, is_money=decimals == _CENTS)
    if lead is None or not _ends_well(text, end, decimals, may_have_unit=not thousands_dot):
        return None
    start, end, negative = _signed(text, start, lead, end)
    percent = _PERCENT.match(text, end) is not None
    return PrintedNumber(start, end, -value if negative else value, decimals, percent)


def _lead(text: str, start: int, *, is_money: bool) -> int | None:
    """Where the number begins with the currency glued to it; None when it continues a word, a code or a date.

    'R41.50' is money (rand), 'R41' is a road or a code.
    """
    minus = _CURRENCY_MINUS.search(text.lower(), max(0, start - 12), start)
    if minus:
        return minus.start()
    glued = _GLUED_BEFORE.search(text, max(0, start - 12), start)
    lead = start
    if glued and glued[0]:
        if not (_is_currency(glued[0]) or (glued[0] == "R" and is_money)):
            return None
        lead = glued.start()
    elif text[start - 1 : start].isspace() and any(sign in text[:start] for sign in _MINUS):
        lead = _behind_a_minus(text, start)
    return None if _JOINED_BEFORE.search(text, max(0, lead - 2), lead) else lead


def _behind_a_minus(text: str, start: int) -> int:
    """Where the currency begins that stands between a minus and the number: '-€ 5.00'; otherwise the number itself."""
    currency = _SPACED_CURRENCY.search(text.lower(), max(0, start - 12), start)
    is_negative = currency and _MINUS_BEFORE.search(text, max(0, currency.start() - 4), currency.start())
    return currency.start() if currency and is_negative else start


def _ends_well(text: str, end: int, decimals: int, *, may_have_unit: bool) -> bool:
    """What follows does not make it part of something longer. Tills print a tax code behind an amount: '4.00SR'."""
    if _JOINED_AFTER.match(text, end):
        return False
    glued = _GLUED_AFTER.match(text, end)
    letters = glued[0] if glued else ""
    if not letters or _is_currency(letters) or (len(letters) <= 2 and decimals > 0) or letters in ("x", "X"):
        return True
    return may_have_unit and letters.lower() in _UNITS


def _is_currency(text: str) -> bool:
    return _CURRENCY_WORD.fullmatch(text.lower()) is not None


def _signed(text: str, start: int, lead: int, end: int) -> tuple[int, int, bool]:
    """The span with its sign. Negative amounts are printed as -5.00, -RM5.00, RM-5.00, 5.00-, (5.00) or (-)5.00."""
    if lead < start and _MINUS_GLUED.search(text, lead, start):
        return lead, end, True
    for at in {start, lead}:
        minus = _MINUS_BEFORE.search(text, max(0, at - 4), at)
        if minus:
            return minus.start(), end, True
    if text[lead - 1 : lead] == "(" and text[end : end + 1] == ")":
        return lead - 1, end + 1, True
    if _MINUS_AFTER.match(text, end):
        return start, end + 1, True
    return start, end, False
