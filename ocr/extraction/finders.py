"""Ways of looking for a value that no label leads to: the company at the top, any date, the largest amount."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import islice

from ocr.extraction import dates, numbers, values
from ocr.extraction.blocks import Span
from ocr.extraction.candidates import LEAST_SCORE, Candidate, Context
from ocr.extraction.document_types import FieldSpec
from ocr.extraction.reading import Word
from ocr.extraction.rows import Line, box_of, words_at

SCORES = {
    "legal_form": 0.75,  # a line at the top with 'Ltd', 'GmbH', 'Sdn Bhd'
    "trade_word": 0.65,  # ... with 'Restaurant', 'Trading', 'Enterprise'
    "prominent": 0.5,  # the tallest print at the top
    "first_line": 0.45,
    "top_line": 0.3,
    "any_date": 0.5,
    "largest_amount": 0.3,
    "any_currency": 0.9,
}
_LATER = 0.02  # what each further place down the page costs
_TOP_ROWS = 14
_DATES_LOOKED_AT = 10

_LEGAL_FORM = re.compile(
    r"(?<!\w)(?:sdn\.?\s?bhd|s/b|bhd|berhad|plt|pte\.?\s?ltd|pty\.?\s?ltd|pvt\.?\s?ltd|co\.?,?\s?ltd|ltd|limited|llc|llp|plc|inc"
    r"|incorporated|corp|corporation|gmbh(?:\s?&\s?co\.?\s?kg)?|mbh|ag|kg|ohg|ug|gbr|e\.\s?k|e\.\s?v|se|s\.?a\.?r\.?l|sarl"
    r"|s\.?a\.?s|sasu|eurl|s\.a|s\.?r\.?l|s\.?p\.?a|s\.?l|b\.?v|n\.?v|a/s|aps|oy|ab|as|k\.k|lda|ltda|company)(?!\w)\.?",
    re.IGNORECASE,
)
_TRADE_WORD = re.compile(
    r"(?<!\w)(?:enterprise|enterprises|trading|restaurant|restoran|restaurants|cafe|café|bistro|pub|kopitiam|bakery|hotel"
    r"|pharmacy|farmasi|apotheke|pharmacie|hardware|machinery|marketing|supermarket|minimarket|mart|market|store|stores"
    r"|shop|kedai|perniagaan|stationery|stationers|books?|book\s?store|services|industries|international|holdings|group"
    r"|solutions|consulting|technologies|petrol|petro|station|motors?|garage|clinic|klinik|electrical|electronics"
    r"|furniture|gifts?|decoration|boutique|salon|laundry|bank|foods?|catering)(?!\w)",
    re.IGNORECASE,
)
_NO_COMPANY = re.compile(
    r"invoice|receipt|rechnung|facture|quittung|\bbill\b|statement|resit|invois|cash\s?sales?|\btel\b|phone|\bfax\b"
    r"|telefon|www\.|https?:|@|\bgst\b|\bsst\b|\bvat\b|\btax\b|\bust\b|\breg\b|\bno\s?[.:#]|\bdate\b|\bdatum\b|\bpage\b"
    r"|welcome|thank|\bcopy\b|jalan|\bjln\b|\blot\b|street|\bstr\.|strasse|straße|\broad\b|\brue\b|avenue|\btaman\b"
    r"|\bfloor\b|\bbill to\b|\bship to\b|\bsold to\b|customer|kunde|client\b|due\b|amount|total|\border\b|\btime\b"
    r"|\bcashier\b|\btable\b",
    re.IGNORECASE,
)
_ONLY_LEGAL_FORM = re.compile(rf"\W*(?:{_LEGAL_FORM.pattern})\W*(?:\([^)]*\)\W*)?", re.IGNORECASE)
_REGISTRATION = re.compile(
    r"\s*\(\s*(?:co\.?\s?(?:reg)?|reg|roc|company)?\W*(?:no\W*)?[\w]*\d[\w\s\-]*\)?\s*\Z", re.IGNORECASE
)
_RECEIVER = re.compile(
    r"\b(?:bill|ship|sold|invoice|deliver(?:ed)?)\s?to\b|\bcustomer\b|\bkunde\b|\bclient\b|\bto:",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"\d{4,6}\b|\d+\s*,|,\s*\d|^\W*(?:no\.?\s*)?\d+")


def found(context: Context) -> Iterator[Candidate]:
    """Every candidate that the fields' own finders propose."""
    for spec in context.specs.values():
        if spec.finder is not None:
            yield from _FINDERS[spec.finder](context, spec)


def _candidate(spec: FieldSpec, line: Line, text: str, words: tuple[Word, ...], why: str, score: float) -> Candidate:
    value = values.fold(text)
    return Candidate(
        spec.name, value, value, words, line.span.page, box_of(words, line.box), why, max(LEAST_SCORE, score), "rule"
    )


# --- the company that wrote the document


def _company(context: Context, spec: FieldSpec) -> Iterator[Candidate]:
    """Lines at the top of the first page that look like a firm's name."""
    top = [line for row in context.rows.on_page(1)[:_TOP_ROWS] for line in row[:2]]
    lines = [line for line in top if _may_name_a_company(context, line)]
    tallest = max((line.box.height for line in lines), default=0.0)
    for place, line in enumerate(lines):
        text, words = _with_legal_form(top, line)
        why = _company_reason(text, place, is_tall=line.box.height >= 0.95 * tallest)
        receiver = 0.25 if _below_a_receiver(top, line) else 0.0
        score = SCORES[why] - _LATER * place - receiver
        yield _candidate(spec, line, _REGISTRATION.sub("", text), words, why, score)


def _may_name_a_company(context: Context, line: Line) -> bool:
    text = line.span.text
    letters = sum(character.isalpha() for character in text)
    if letters < 3 or letters < 0.5 * len(text.replace(" ", "")) or _ONLY_LEGAL_FORM.fullmatch(text):
        return False
    if context.mentions_in(line.span) or dates.find(text):
        return False
    return not _NO_COMPANY.search(text) and (not _ADDRESS.search(text) or _LEGAL_FORM.search(text) is not None)


def _company_reason(text: str, place: int, *, is_tall: bool) -> str:
    if _LEGAL_FORM.search(text):
        return "legal_form"
    if _TRADE_WORD.search(text):
        return "trade_word"
    if is_tall:
        return "prominent"
    return "first_line" if place == 0 else "top_line"


def _with_legal_form(top: list[Line], line: Line) -> tuple[str, tuple[Word, ...]]:
    """The name, together with a next line that holds nothing but the legal form."""
    after = [each for each in top if each.row == line.row + 1]
    if len(after) == 1 and _ONLY_LEGAL_FORM.fullmatch(after[0].span.text):
        return f"{line.span.text} {after[0].span.text}", (*line.span.words, *after[0].span.words)
    return line.span.text, line.span.words


def _below_a_receiver(top: list[Line], line: Line) -> bool:
    above = [each for each in top if line.row - 3 <= each.row < line.row]
    return any(_RECEIVER.search(each.span.text) and abs(each.box.left - line.box.left) < 0.1 for each in above)


# --- dates, amounts, currencies


def _any_date(context: Context, spec: FieldSpec) -> Iterator[Candidate]:
    """Dates that stand under no other field's label, the first the likeliest."""
    lines = (line for line in context.rows if not _named(context, line.span))
    dated = ((line, each) for line in lines for each in dates.find(line.span.text))
    for place, (line, printed) in enumerate(islice(dated, _DATES_LOOKED_AT)):
        readings = [each.isoformat() for each in printed.readings(context.order)]
        words = words_at(line.span, printed.start, printed.end)
        text = line.span.text[printed.start : printed.end].strip()
        score = SCORES["any_date"] - _LATER * place
        yield Candidate(
            spec.name, readings[0], text, words, line.span.page, box_of(words, line.box), "any_date", score, "rule",
            others=tuple(readings[1:]),
        )  # fmt: skip


def _largest_amount(context: Context, spec: FieldSpec) -> Iterator[Candidate]:
    best: Candidate | None = None
    largest = None
    for line in context.rows:
        if _named(context, line.span):
            continue
        for number in numbers.find_numbers(line.span.text):
            if number.decimals != 2 or number.percent or (largest is not None and number.value <= largest):
                continue
            largest = number.value
            words = words_at(line.span, number.start, number.end)
            best = _candidate(spec, line, values.money(number.value), words, "largest_amount", SCORES["largest_amount"])
    if best is not None:
        yield best


def _any_currency(context: Context, spec: FieldSpec) -> Iterator[Candidate]:
    """The currencies that stand in the print, by how often and how clearly."""
    seen: dict[str, list[Candidate]] = defaultdict(list)
    for line in context.rows:
        for printed in numbers.find_currencies(line.span.text):
            words = words_at(line.span, printed.start, printed.end)
            score = SCORES["any_currency"] * printed.confidence / 100
            text = line.span.text[printed.start : printed.end]
            box = box_of(words, line.box)
            seen[printed.code].append(
                Candidate(spec.name, printed.code, text, words, line.span.page, box, "any_currency", score, "rule")
            )
    most = max((len(each) for each in seen.values()), default=0)
    for each in seen.values():
        if len(each) * 2 > most:
            yield max(each, key=lambda candidate: candidate.score)


def _named(context: Context, span: Span) -> bool:
    return bool(context.mentions_in(span))


_FINDERS: dict[str, Callable[[Context, FieldSpec], Iterator[Candidate]]] = {
    "company": _company,
    "any_date": _any_date,
    "largest_amount": _largest_amount,
    "any_currency": _any_currency,
}
