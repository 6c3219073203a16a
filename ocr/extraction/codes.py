"""Codes that prove themselves: IBANs and tax numbers, with the check digits that their countries publish.

What OCR confuses (the letter O for a zero) is put right only where the country's shape asks for the other kind of character
and the check digits then come out; nothing else is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from ocr.extraction import sentences

# Behind the check digits: digits (n), letters (a) or either (c). Source: SWIFT's IBAN registry.
_ACCOUNTS = {
    "AD": "8n12c", "AE": "19n", "AL": "8n16c", "AT": "16n", "AZ": "4a20c", "BA": "16n", "BE": "12n", "BG": "4a6n8c",
    "BH": "4a14c", "BI": "23n", "BR": "23n1a1c", "BY": "4c4n16c", "CH": "5n12c", "CR": "18n", "CY": "8n16c", "CZ": "20n",
    "DE": "18n", "DJ": "23n", "DK": "14n", "DO": "4c20n", "EE": "16n", "EG": "25n", "ES": "20n", "FI": "14n", "FK": "2a12n",
    "FO": "14n", "FR": "10n11c2n", "GB": "4a14n", "GE": "2a16n", "GI": "4a15c", "GL": "14n", "GR": "7n16c", "GT": "24c",
    "HR": "17n", "HU": "24n", "IE": "4a14n", "IL": "19n", "IQ": "4a15n", "IS": "22n", "IT": "1a10n12c", "JO": "4a4n18c",
    "KW": "4a22c", "KZ": "3n13c", "LB": "4n20c", "LC": "4a24c", "LI": "5n12c", "LT": "16n", "LU": "3n13c", "LV": "4a13c",
    "LY": "21n", "MC": "10n11c2n", "MD": "20c", "ME": "18n", "MK": "3n10c2n", "MN": "16n", "MR": "23n", "MT": "4a5n18c",
    "MU": "4a19n3a", "NI": "4a20n", "NL": "4a10n", "NO": "11n", "OM": "3n16c", "PK": "4a16c", "PL": "24n", "PS": "4a21c",
    "PT": "21n", "QA": "4a21c", "RO": "4a16c", "RS": "18n", "RU": "14n15c", "SA": "2n18c", "SC": "4a20n3a", "SD": "14n",
    "SE": "20n", "SI": "15n", "SK": "20n", "SM": "1a10n12c", "SO": "19n", "ST": "21n", "SV": "4a20n", "TL": "19n",
    "TN": "20n", "TR": "6n16c", "UA": "6n19c", "VA": "18n", "VG": "4a16n", "XK": "16n", "YE": "4a4n18c",
}  # fmt: skip
_DIGIT_FOR = dict(zip("OQDILZSBG", "000112586", strict=True))
_LETTER_FOR = dict(zip("012568", "OIZSGB", strict=True))
_PIECE = re.compile(r"[^\W_]+")
_JOINT = re.compile(r"[ .\-/]{1,3}")
_LONGEST_IBAN, _LONGEST_TAX_ID = 34, 18
_MOST_PIECES = 10
_FEWEST_DIGITS = 4  # of a tax number
_EIN = re.compile(r"(\d\d)[- ](\d{7})")
_TAX_SHAPE = re.compile(r"(?=(?:\W*\w){5})(?=(?:\D*\d){4})\w[\w ./\-]{3,28}\w")


@dataclass(frozen=True, slots=True)
class Code:
    """A code inside a text. `value` is empty where the shape is a country's own but the check digits do not come out."""

    value: str
    start: int
    end: int


def iban(text: str) -> str:
    """The IBAN without blanks; '' where the text is none or its check digits do not come out."""
    return _proven_iban(_squeezed(text)) or ""


def ibans(text: str) -> Iterator[Code]:
    """The IBANs in a text, those with wrong check digits too."""
    return _codes(text, _is_iban_shaped, _proven_iban, _LONGEST_IBAN)


def iban_refusal(text: str) -> str:
    """What is wrong with an IBAN that somebody typed."""
    typed = _squeezed(text)
    country = typed[:2]
    if country not in _ACCOUNTS:
        return "Write the IBAN, beginning with its country, for example DE89 3704 0044 0532 0130 00."
    length = len(_shape(f"4c{_ACCOUNTS[country]}"))
    if len(typed) != length:
        return sentences.IBAN_LENGTH(country=country, count_right=str(length), count_typed=str(len(typed)))
    return "The check digits of this IBAN do not come out. Compare it with the document, character by character."


def tax_id(text: str) -> str:
    """The tax number: of a country whose check digits are known without blanks and signs, otherwise as printed; '' where it is none."""
    typed = _squeezed(text)
    ein = _EIN.fullmatch(text.strip())
    if ein:
        return f"{ein[1]}-{ein[2]}"
    if _is_tax_id_shaped(typed):
        return _proven_tax_id(typed) or ""
    if _prefix(typed) and typed[len(_prefix(typed)) :].isdigit() and not typed.startswith("NO"):
        return ""  # a country's prefix with too many or too few digits
    return text.strip() if _TAX_SHAPE.fullmatch(text.strip()) else ""


def tax_ids(text: str) -> Iterator[Code]:
    """The tax numbers of countries whose check digits are known, those with wrong ones too."""
    return _codes(text, _is_tax_id_shaped, _proven_tax_id, _LONGEST_TAX_ID)


def tax_id_refusal(text: str) -> str:
    """What is wrong with a tax number that somebody typed."""
    typed = _squeezed(text)
    country = _prefix(typed)
    if not country or len(_digits(typed)) < _FEWEST_DIGITS:
        return "Write the tax number as printed, for example DE136695976 or 12-3456789."
    if not _is_tax_id_shaped(typed):
        return sentences.TAX_SHAPE(country=country, example=f"{country}{_EXAMPLES[country]}")
    return sentences.TAX_DIGITS(country=country)


# --- shapes


def _squeezed(text: str) -> str:
    return re.sub(r"[\s./\-]+", "", text).upper()


def _shape(short: str) -> str:
    """'2a3n' as 'aannn'."""
    return "".join(kind * int(count) for count, kind in re.findall(r"(\d+)([anc])", short))


def _repaired(body: str, shape: str) -> str | None:
    """The body in that shape, letters and digits exchanged where OCR confuses them; None where it cannot be."""
    if len(body) != len(shape) or not body.isascii():
        return None
    made = []
    for character, kind in zip(body, shape, strict=True):
        if kind == "n" and not character.isdigit():
            character = _DIGIT_FOR.get(character, "")
        elif kind == "a" and not character.isalpha():
            character = _LETTER_FOR.get(character, "")
        if not character:
            return None
        made.append(character)
    return "".join(made)


def _codes(
    text: str, is_shaped: Callable[[str], bool], proven: Callable[[str], str | None], most: int
) -> Iterator[Code]:
    """Each run of pieces that has the shape of a code: the longest whose check digits come out, else the longest."""
    pieces = list(_PIECE.finditer(text))
    at = 0
    while at < len(pieces):
        runs = [pieces[at:end] for end in range(min(len(pieces), at + _MOST_PIECES), at, -1)]
        shaped = [(run, joined) for run in runs if (joined := _joined(text, run, most)) and is_shaped(joined)]
        if not shaped:
            at += 1
            continue
        run, joined = next((each for each in shaped if proven(each[1])), shaped[0])
        yield Code(proven(joined) or "", run[0].start(), run[-1].end())
        at += len(run)


def _joined(text: str, run: list[re.Match[str]], most: int) -> str:
    """The pieces as one; nothing where they are too many letters or do not stand together."""
    joined = "".join(piece[0] for piece in run).upper()
    together = all(_JOINT.fullmatch(text, one.end(), other.start()) for one, other in pairwise(run))
    return joined if len(joined) <= most and together else ""


# --- IBAN


def _is_iban_shaped(joined: str) -> bool:
    account = _ACCOUNTS.get(_country(joined[:2]))
    return account is not None and _repaired(joined[2:], _shape(f"2n{account}")) is not None


def _country(letters: str) -> str:
    return _repaired(letters, "aa") or ""


def _proven_iban(joined: str) -> str | None:
    """The IBAN, put right where the shape asks for it; None when the check digits do not come out. Source: ISO 13616."""
    country = _country(joined[:2])
    if country not in _ACCOUNTS:
        return None
    rest = _repaired(joined[2:], _shape(f"2n{_ACCOUNTS[country]}"))
    if rest is None:
        return None
    number = "".join(str(int(character, 36)) for character in rest[2:] + country + rest[:2])
    return country + rest if int(number) % 97 == 1 else None


# --- tax numbers: what stands behind the country's letters, and its check


def _digits(body: str) -> list[int]:
    return [int(character) for character in body if character.isdigit()]


def _weighed(body: str, weights: str) -> int:
    return sum(digit * int(weight, 36) for digit, weight in zip(_digits(body), weights, strict=False))


def _luhn(body: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(_digits(body))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _iso_7064_11_10(body: str) -> bool:
    product = 10
    for digit in _digits(body)[:-1]:
        product = ((digit + product) % 10 or 10) * 2 % 11
    return (product + _digits(body)[-1]) % 10 == 1


def _austrian(body: str) -> bool:
    total = sum(
        digit if place % 2 == 0 else digit // 5 + digit * 2 % 10 for place, digit in enumerate(_digits(body)[:7])
    )
    return body[0] == "U" and (10 - (total + 4) % 10) % 10 == int(body[8])


def _belgian(body: str) -> bool:
    return body[0] in "01" and 97 - int(body[:8]) % 97 == int(body[8:])


def _swiss(body: str) -> bool:
    check = (11 - _weighed(body, "54327654") % 11) % 11
    return body[0] == "E" and check == int(body[9])


def _spanish(body: str) -> bool:
    """A person's number ends with a letter (mod 23), a foreigner's begins with X, Y or Z; the others are companies'."""
    if body[0].isdigit() or body[0] in "XYZ":
        number = body[:-1].translate(str.maketrans("XYZ", "012"))
        return number.isdigit() and body[-1] == "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]
    if body[0] in "KLM" or not body[1:8].isdigit():
        return body[1:8].isdigit() and body[-1].isalpha()
    odd = sum(digit * 2 // 10 + digit * 2 % 10 for digit in _digits(body[1:8])[0::2])
    check = (10 - (odd + sum(_digits(body[1:8])[1::2])) % 10) % 10
    return body[-1] in (str(check), "JABCDEFGHI"[check])


def _french(body: str) -> bool:
    number = body[2:]
    if body[:2].isdigit():
        return (12 + 3 * (int(number) % 97)) % 97 == int(body[:2])
    return _luhn(number)


def _british(body: str) -> bool:
    total = _weighed(body, "8765432") + int(body[7:9])
    return total % 97 == 0 or (total + 55) % 97 == 0


def _greek(body: str) -> bool:
    total = sum(digit << (8 - place) for place, digit in enumerate(_digits(body)[:8]))
    return total % 11 % 10 == int(body[8])


def _irish(body: str) -> bool:
    if not body[1].isdigit():
        return True  # the shape of before 2013: its check is not computed here
    second = " ABCDEFGHIJKLMNOPQRSTUVW".find(body[8]) if len(body) == 9 else 0
    return second >= 0 and body[7] == "WABCDEFGHIJKLMNOPQRSTUV"[(_weighed(body[:7], "8765432") + 9 * second) % 23]


def _luxembourgish(body: str) -> bool:
    return int(body[:6]) % 89 == int(body[6:])


def _dutch(body: str) -> bool:
    """A company's number passes the test of eleven; sole traders have had ones that pass mod 97 since 2020."""
    if body[9] != "B":
        return False
    if _weighed(body[:8], "98765432") % 11 == int(body[8]):
        return True
    return int("".join(str(int(character, 36)) for character in f"NL{body}")) % 97 == 1


def _romanian(body: str) -> bool:
    padded = body.zfill(10)
    return _weighed(padded[:9], "753217532") * 10 % 11 % 10 == int(padded[9])


def _indian(body: str) -> bool:
    total = 0
    for place, character in enumerate(body[:14]):
        product = int(character, 36) * (1 + place % 2)
        total += product // 36 + product % 36
    return body[13] == "Z" and (36 - total % 36) % 36 == int(body[14], 36)


def _eleven(weights: str, *, ten: int | None = None) -> Callable[[str], bool]:
    """Eleven less the weighed sum modulo eleven is the last digit; `ten` stands for a result of ten (None: never given)."""

    def holds(body: str) -> bool:
        check: int | None = (11 - _weighed(body, weights) % 11) % 11
        return (ten if check == 10 else check) == int(body[-1])

    return holds


@dataclass(frozen=True, slots=True)
class _Country:
    shapes: tuple[str, ...]
    check: Callable[[str], bool]


# Source: the rules that the countries' tax offices publish; VIES of the European Commission for the shapes.
_COUNTRIES: Mapping[str, _Country] = {
    "AT": _Country(("1a8n",), _austrian),
    "BE": _Country(("10n",), _belgian),
    "CH": _Country(("1a9n",), _swiss),
    "DE": _Country(("9n",), _iso_7064_11_10),
    "DK": _Country(("8n",), lambda body: _weighed(body, "27654321") % 11 == 0),
    "EE": _Country(("9n",), lambda body: (10 - _weighed(body[:8], "37137137") % 10) % 10 == int(body[8])),
    "EL": _Country(("9n",), _greek),
    "ES": _Country(("1c7n1c",), _spanish),
    "FI": _Country(("8n",), _eleven("79a5842")),
    "FR": _Country(("2c9n",), _french),
    "GB": _Country(("9n", "12n"), _british),
    "HR": _Country(("11n",), _iso_7064_11_10),
    "HU": _Country(("8n",), lambda body: (10 - _weighed(body[:7], "9731973") % 10) % 10 == int(body[7])),
    "IE": _Country(("7n1a", "7n2a", "1n1a5n1a"), _irish),
    "IT": _Country(("11n",), _luhn),
    "LU": _Country(("8n",), _luxembourgish),
    "NL": _Country(("9n1a2n",), _dutch),
    "NO": _Country(("9n",), _eleven("32765432")),
    "PL": _Country(("10n",), lambda body: _weighed(body[:9], "657234567") % 11 == int(body[9])),
    "PT": _Country(("9n",), lambda body: (0, 0, *range(9, 0, -1))[_weighed(body[:8], "98765432") % 11] == int(body[8])),
    "RO": _Country(tuple(f"{length}n" for length in range(2, 11)), _romanian),
    "SE": _Country(("12n",), lambda body: _luhn(body[:10]) and body[10:] != "00"),
    "SI": _Country(("8n",), _eleven("8765432", ten=0)),
    "SK": _Country(("10n",), lambda body: int(body) % 11 == 0),
}
_EXAMPLES = {
    "AT": "U12345678", "BE": "0123456789", "CH": "E123456789", "DE": "123456789", "DK": "12345678", "EE": "123456789",
    "EL": "123456789", "ES": "A1234567B", "FI": "12345678", "FR": "12345678901", "GB": "123456789", "HR": "12345678901",
    "HU": "12345678", "IE": "1234567A", "IT": "12345678901", "LU": "12345678", "NL": "123456789B01", "NO": "123456789",
    "PL": "1234567890", "PT": "123456789", "RO": "12345678", "SE": "123456789001", "SI": "12345678", "SK": "1234567890",
}  # fmt: skip
_INDIAN = _shape("2n5a4n1a1c1a1c")
_SUFFIX = re.compile(r"(?:MWST|TVA|IVA|MVA)\Z")  # behind Swiss and Norwegian numbers


def _prefix(joined: str) -> str:
    return joined[:2] if joined[:2] in _COUNTRIES else ""


def _is_tax_id_shaped(joined: str) -> bool:
    return any(True for _ in _shaped(joined))


def _shaped(joined: str) -> Iterator[tuple[str, str, Callable[[str], bool]]]:
    if _repaired(joined, _INDIAN) is not None and joined[13:14] in "Z2":
        yield "", str(_repaired(joined, _INDIAN)), _indian
    country = _prefix(joined)
    if not country:
        return
    body = _SUFFIX.sub("", joined[2:]) if country in ("CH", "NO") else joined[2:]
    for shape in _COUNTRIES[country].shapes:
        made = _repaired(body, _shape(shape))
        if made is not None and sum(character.isdigit() for character in body) * 2 > len(body):
            yield country, made, _COUNTRIES[country].check


def _proven_tax_id(joined: str) -> str | None:
    return next((country + body for country, body, check in _shaped(joined) if check(body)), None)
