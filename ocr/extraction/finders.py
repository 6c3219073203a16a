"""Ways of looking for a value that no label leads to: the company at the top, what stands in the title, any date, the largest amount."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple

from ocr.extraction import dates, numbers, values
from ocr.extraction.blocks import Span
from ocr.extraction.candidates import LEAST_SCORE, SOURCES, Candidate, Context, signed
from ocr.extraction.document_types import DateOrder, FieldSpec
from ocr.extraction.reading import Box, Word
from ocr.extraction.rows import Line, box_of, words_at
from ocr.extraction.titles import Title, titles

SCORES = {
    "legal_form": 0.78,  # a line at the top with 'Ltd', 'GmbH', 'Sdn Bhd'
    "trade_word": 0.65,  # ... with 'Restaurant', 'Trading', 'Enterprise'
    "prominent": 0.55,  # the tallest print at the top
    "first_line": 0.5,
    "top_line": 0.3,
    "title": 0.9,  # the number, or the date, that stands in the document's title
    "any_date": 0.5,
    "largest_amount": 0.3,
    "any_currency": 0.9,
}
_LATER = 0.02  # what each further place down the page costs
_BELOW_THE_HEAD = 0.12  # what a name costs that stands under an address or a telephone number
_UNDER_A_RECEIVER = 0.3  # ... and under 'Bill to'
_NEXT_TITLE = 0.05  # what each title costs that others stand above
_NEXT_DATE = 0.06  # what each date costs that others stand before
_TOP_ROWS = 14
_MORE_ROWS = 2  # that a name goes on over
_LONGEST_NAME = 120  # letters; longer rows are sentences
_DATES_LOOKED_AT = 10
_NEAR = 0.04  # of the page's height: a line of writing
_NO_LABEL = 0.15  # what a signature costs that no label stands beside
_GAP = 2.0  # line heights: pieces of one name in a row stand no further apart

_LEGAL_FORMS = (
    r"sdn\.?\s?bhd|s/b|sb|bhd|berhad|plt|pte\.?\s?ltd|pty\.?\s?ltd|pvt\.?\s?ltd|co\.?,?\s?ltd|ltd|limited|llc|llp|plc|inc"
    r"|incorporated|corp|corporation|gmbh(?:\s?&\s?co\.?\s?kg)?|mbh|ag|kg|ohg|ug|gbr|e\.\s?k|e\.\s?v|se|s\.?a\.?r\.?l"
    r"|s\.?a\.?s|sasu|eurl|s\.a|s\.?r\.?l|s\.?p\.?a|s\.?l|b\.?v|n\.?v|a/s|aps|oy|ab|lda|ltda|company"
)
_TRADE_WORDS = (
    r"enterprises?|trading|restaurants?|restoran|caf[eé]|bistro|pub|kopitiam|bakery|hotel|pharmacy|farmasi|apotheke"
    r"|pharmacie|hardware|machinery|marketing|supermarket|minimarket|mart|market|stores?|shop|kedai|perniagaan"
    r"|stationery|stationers|books?|services|industries|international|holdings|group|solutions|consulting"
    r"|technologies|petrol|petro|station|motors?|garage|clinic|klinik|electrical|electronics|furniture|gifts?"
    r"|decoration|boutique|salon|laundry|bank|foods?|catering|cash\s?(?:&|and)\s?carry"
)
# Trade words that are more often the end of a name than what a shop says about itself.
_CALLED = re.compile(
    r"(?<!\w)(?:enterprises?|trading|industries|holdings|marketing|hardware|services|group|corporation)(?!\w)",
    re.IGNORECASE,
)
# Legal forms with a letter misread, and how they are written.
_MISREAD_FORMS = (
    (re.compile(r"(?<!\w)[S5][DO0B][NMH](\.?\s?)(?:[BDEHR8][HNM]D|BH[DO0B])(?!\w)"), r"SDN\1BHD"),
    (re.compile(r"(?<= )5(/?)[B8](?=\s*(?:\(.*)?$)"), r"S\1B"),
)
_AND = re.compile(r"(?:&|\b(?:and|und|et|dan))\s*\n|\n\s*(?:&|(?:and|und|et|dan)\b)", re.IGNORECASE)
_LEGAL_FORM = re.compile(rf"(?<!\w)(?:{_LEGAL_FORMS})(?!\w)\.?", re.IGNORECASE)
_TRADE_WORD = re.compile(rf"(?<!\w)(?:{_TRADE_WORDS})(?!\w)", re.IGNORECASE)
# What may stand beside a legal form or a trade word without making a name of it.
_NO_NAME = re.compile(rf"(?<!\w)(?:{_LEGAL_FORMS}|{_TRADE_WORDS}|\(?m\)?|co|and|und|et|the)(?!\w)|\W", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(?<!\d)\d{4,6}(?!\d)|\d\s*,|,\s*\d|^\W*(?:no\.?\s*)?\d|jalan|\bjln\b|\blot\b|street|\bstr\.|strasse|straße|\broad\b"
    r"|\brue\b|avenue|\btaman\b|\bfloor\b|lorong|persiaran|kampung|bandar\b",
    re.IGNORECASE,
)
_CONTACT = re.compile(r"\btel\b|phone|\bfax\b|telefon|www\.|https?:|@|\.com\b|hotline|careline|mobile", re.IGNORECASE)
_OTHER_HEAD = re.compile(
    r"invoice|receipt|rechnung|facture|quittung|\bbill\b|statement|resit|invois|cash\s?sales?|\bgst\b|\bsst\b|\bvat\b"
    r"|\btax\b|\bust\b|\breg\b|\bno\s?[.:#]|\bdate\b|\bdatum\b|\bpage\b|\bseite\b|welcome|thank|\bcopy\b|customer|kunde"
    r"|client\b|\bdue\b|amount|\btotal\b|\border\b|\btime\b|cashier|\btable\b|\bqty\b|quantity|\bprice\b|\bdesc\b"
    r"|description|\bitems?\b|\bdisc\b|dine.?in|take.?away|owned by|member|\bbill to\b|\bship to\b|\bsold to\b"
    r"|salesperson",
    re.IGNORECASE,
)
_REGISTRATION = re.compile(
    r"\s*\(\s*(?:co\.?\s?(?:reg)?|reg|roc|company)?\W*(?:no\W*)?\w*\d[\w\s\-]*\)?(?:\s+f\.?k\.?a\b.*)?\s*\Z",
    re.IGNORECASE,
)
_CENTS = re.compile(r"[.,]\d\d(?!\d)")
_NUMBER_BEFORE = re.compile(r"[\d(\[]\Z")
_NUMBER_AFTER = re.compile(r"[-\d.,)\]]")
_RECEIVER = re.compile(
    r"\b(?:bill(?:ed)?|ship(?:ped)?|sold|invoiced?|deliver(?:ed)?)\s?to\b|\bcustomer\b|\bkunde\b|\bclient\b"
    r"|\bto:|owned by",
    re.IGNORECASE,
)


class Finder:
    """Looks at a document page by page and says at the end what it found."""

    def __init__(self, spec: FieldSpec) -> None:
        self.spec = spec

    def look(self, context: Context) -> None:
        raise NotImplementedError

    def found(self, order: DateOrder) -> Iterator[Candidate]:
        raise NotImplementedError


def finders_of(specs: Iterable[FieldSpec]) -> list[Finder]:
    """The finders that the fields ask for, in the fields' order."""
    return [finder(spec) for spec in specs if (finder := _finder_of(spec)) is not None]


def _finder_of(spec: FieldSpec) -> type[Finder] | None:
    if spec.kind == "signature":
        return _Signature
    return _FINDERS[spec.finder] if spec.finder is not None else None


def _remembered(tells: Callable[[str], bool]) -> Callable[[str], bool]:
    """The same, asked once for each text: several rules ask the same of a page's head."""
    known = lru_cache(maxsize=512)(tells)
    return lambda text: known(text) if len(text) <= _LONGEST_NAME else tells(text)


def _candidate(spec: FieldSpec, line: Line, text: str, words: tuple[Word, ...], why: str, score: float) -> Candidate:
    value = values.fold(text)
    printed = " ".join(word.text for word in words) or value
    return Candidate(
        spec.name, value, printed, words, line.span.page, box_of(words, line.box), why, max(LEAST_SCORE, score), "rule"
    )


# --- the company that wrote the document


class _Head(NamedTuple):
    """A row of print at the top of the first page, pieces that stand close together joined."""

    line: Line
    text: str
    spans: tuple[Span, ...]

    @property
    def words(self) -> tuple[Word, ...]:
        return tuple(chain.from_iterable(span.words for span in self.spans))


class _Company(Finder):
    """Lines at the top of the first page that look like a firm's name."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self._found: list[Candidate] = []

    def look(self, context: Context) -> None:
        self._found += _companies(context, self.spec)

    def found(self, order: DateOrder) -> Iterator[Candidate]:
        yield from self._found


def _companies(context: Context, spec: FieldSpec) -> Iterator[Candidate]:
    heads = [head for row in context.rows.on_page(1)[:_TOP_ROWS] for head in _heads(row)]
    receivers = [head for head in heads if _RECEIVER.search(head.text)]
    names = [head for head in heads if _may_name_a_company(context, head)]
    names = [head for place, head in enumerate(names) if not _is_continued_by(names[:place], head)]
    tallest = max((head.line.box.height for head in names), default=0.0)
    address_row = next((head.line.row for head in heads if _is_address(head.text)), _TOP_ROWS)
    for place, head in enumerate(names):
        whole = _completed(heads, head)
        why = _company_reason(whole.text, place, is_tall=head.line.box.height >= 0.95 * tallest)
        score = SCORES[why] - _LATER * place
        score -= _BELOW_THE_HEAD if head.line.row > address_row else 0.0
        score -= _UNDER_A_RECEIVER if _is_below(receivers, head) else 0.0
        name = _name(whole.text)
        words = whole.words[: len(name.split())]
        yield _candidate(spec, head.line, name, words, why, score)


def _repaired(text: str) -> str:
    """The text with its legal form as it is written: 'SDN 8HD' is 'SDN BHD'."""
    for misread, written in _MISREAD_FORMS:
        text = misread.sub(written, text)
    return text


def _heads(row: list[Line]) -> list[_Head]:
    """The row's pieces, joined where they stand close; a single letter beside a name is a logo or a flaw."""
    heads: list[_Head] = []
    for line in row:
        if len(line.span.text) < 2:
            continue
        if heads and line.box.left - heads[-1].line.box.right <= _GAP * line.box.height:
            last = heads.pop()
            box = last.line.box.joined(line.box)
            text, spans = f"{last.text} {_repaired(line.span.text)}", (*last.spans, line.span)
            heads.append(_Head(last.line._replace(box=box), text, spans))
        else:
            heads.append(_Head(line, _repaired(line.span.text), (line.span,)))
    return heads


def _name(text: str) -> str:
    """The firm's name without the registration number, and without an address behind the legal form."""
    plain = _without_registration(text)
    forms = list(_LEGAL_FORM.finditer(plain))
    if forms and any(character.isdigit() for character in plain[forms[-1].end() :]):
        plain = plain[: forms[-1].end()]
    return plain.strip(" ,;-·•|")


def _without_registration(text: str) -> str:
    return _REGISTRATION.sub("", text) if "(" in text else text


@_remembered
def _is_address(text: str) -> bool:
    text = text[:_LONGEST_NAME]
    return _CONTACT.search(text) is not None or (
        _ADDRESS.search(text) is not None and not (_has_legal_form(text) or _has_trade_word(text))
    )


@_remembered
def _has_legal_form(text: str) -> bool:
    return _LEGAL_FORM.search(text) is not None


@_remembered
def _has_trade_word(text: str) -> bool:
    return _TRADE_WORD.search(text) is not None


@_remembered
def _is_no_name(text: str) -> bool:
    """Whether nothing is left besides legal forms and trade words."""
    return not _NO_NAME.sub("", text)


def _may_name_a_company(context: Context, head: _Head) -> bool:
    if len(head.text) > _LONGEST_NAME or context.mentions_in(head.line.span):
        return False
    text = _without_registration(head.text)
    letters = sum(map(str.isalpha, text))
    if letters < 3 or letters < 0.5 * len(text.replace(" ", "")) or text.strip() in numbers.CODES:
        return False
    if (":" in text and not _has_legal_form(text)) or _OTHER_HEAD.search(text) or dates.find(text):
        return False
    return not (_is_no_name(text) or _is_address(text))


def _company_reason(text: str, place: int, *, is_tall: bool) -> str:
    if _has_legal_form(text):
        return "legal_form"
    if _has_trade_word(text):
        return "trade_word"
    if is_tall:
        return "prominent"
    return "first_line" if place == 0 else "top_line"


def _completed(heads: list[_Head], head: _Head) -> _Head:
    """The name together with what goes on with it in the next lines: 'Co. (M) Sdn Bhd', 'Trading', '& Sons'."""
    for row in range(head.line.row + 1, head.line.row + 1 + _MORE_ROWS):
        after = next((each for each in heads if each.line.row == row), None)
        if after is None or not _goes_on(head.text, _without_registration(after.text)):
            break
        head = _Head(head.line, f"{head.text} {after.text}", (*head.spans, *after.spans))
    return head


def _is_continued_by(above: list[_Head], head: _Head) -> bool:
    """Whether the row is the second one of a name: it begins with what ends a name."""
    last = next((each for each in reversed(above) if each.line.row == head.line.row - 1), None)
    return last is not None and not _has_legal_form(last.text) and _ends_a_name(head.text)


def _ends_a_name(text: str) -> bool:
    other = (":" in text, _ADDRESS.search(text), _CONTACT.search(text), _OTHER_HEAD.search(text))
    return _CALLED.match(text) is not None and not any(other)


def _goes_on(name: str, after: str) -> bool:
    """Whether the line under a name belongs to it: it holds none itself or begins with what ends one, or an 'and' stands between."""
    if _AND.search(f"{name}\n{after}") is not None:
        return not (_is_address(after) or _OTHER_HEAD.search(after))
    if not _has_legal_form(name) and _ends_a_name(after):
        return True
    return _is_no_name(after) and (_has_legal_form(after) or _CALLED.search(after) is not None)


def _is_below(receivers: list[_Head], head: _Head) -> bool:
    above = [each for each in receivers if head.line.row - 3 <= each.line.row < head.line.row]
    return any(abs(each.line.box.left - head.line.box.left) < 0.1 for each in above)


# --- numbers, dates, amounts, currencies


class _Title(Finder):
    """Numbers in titles of the first page: 'Invoice No. 4711 of 3 March 2026'."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self._titles: list[Title] = []

    def look(self, context: Context) -> None:
        self._titles += titles(context.rows.on_page(1))

    def found(self, order: DateOrder) -> Iterator[Candidate]:
        for place, title in enumerate(self._titles):
            span, number = title.span, title.number
            words = words_at(span, number.start, number.end)
            yield Candidate(
                self.spec.name, number.value, span.text[number.start : number.end], words, span.page,
                box_of(words, span.box), "title", max(LEAST_SCORE, SCORES["title"] - _NEXT_TITLE * place), "rule",
            )  # fmt: skip


class _AnyDate(Finder):
    """The dates in titles, then those that stand under no other field's label, the first the likeliest."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self._first: list[_Dated] = []
        self._titled: list[_Dated] = []

    def look(self, context: Context) -> None:
        for title in titles(context.rows.on_page(1)):
            if title.day is not None:
                self._titled.append(_Dated.of(title.span, title.day))
        lines = (line for line in context.rows if not context.mentions_in(line.span))
        dated = (_Dated.of(line.span, printed) for line in lines for printed in context.dates_in(line.span))
        self._first += islice(dated, _DATES_LOOKED_AT)
        self._first = sorted(self._first, key=lambda each: each.page)[:_DATES_LOOKED_AT]

    def found(self, order: DateOrder) -> Iterator[Candidate]:
        for place, each in enumerate(self._titled):
            yield each.candidate(self.spec, order, "title", SCORES["title"] - _NEXT_TITLE * place)
        for place, each in enumerate(self._first):
            yield each.candidate(self.spec, order, "any_date", SCORES["any_date"] - _NEXT_DATE * place)


@dataclass(frozen=True, slots=True)
class _Dated:
    """A date and the words it is printed in."""

    printed: dates.PrintedDate
    text: str
    words: tuple[Word, ...]
    page: int
    box: Box | None

    @classmethod
    def of(cls, span: Span, printed: dates.PrintedDate) -> _Dated:
        words = words_at(span, printed.start, printed.end)
        text = span.text[printed.start : printed.end].strip()
        return cls(printed, text, words, span.page, box_of(words, span.box))

    def candidate(self, spec: FieldSpec, order: DateOrder, why: str, score: float) -> Candidate:
        first, *others = [day.isoformat() for day in self.printed.readings(order)]
        score = max(LEAST_SCORE, score)
        return Candidate(
            spec.name, first, self.text, self.words, self.page, self.box, why, score, "rule", others=tuple(others)
        )


class _LargestAmount(Finder):
    """The largest amount with two decimals that stands under no other field's label."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self._largest: tuple[Decimal, Candidate] | None = None

    def look(self, context: Context) -> None:
        for line in context.rows:
            if any(mention.name != self.spec.name for mention in context.mentions_in(line.span)):
                continue
            for number in numbers.find_numbers(line.span.text) if _CENTS.search(line.span.text) else ():
                if number.decimals == 2 and not number.percent and self._is_larger(number.value, line.span.page):
                    self._largest = number.value, self._candidate(line, number)

    def found(self, order: DateOrder) -> Iterator[Candidate]:
        if self._largest is not None:
            yield self._largest[1]

    def _is_larger(self, value: Decimal, page: int) -> bool:
        if self._largest is None:
            return True
        largest, found = self._largest
        return value > largest or (value == largest and page < found.page)

    def _candidate(self, line: Line, number: numbers.PrintedNumber) -> Candidate:
        text = line.span.text[number.start : number.end]
        words = words_at(line.span, number.start, number.end)
        return Candidate(
            self.spec.name, values.money(number.value), text, words, line.span.page, box_of(words, line.box),
            "largest_amount", SCORES["largest_amount"], "rule",
        )  # fmt: skip


class _AnyCurrency(Finder):
    """The currencies that stand in the print, by how often and how clearly."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self._seen: dict[str, tuple[int, Candidate]] = {}

    def look(self, context: Context) -> None:
        for line in context.rows:
            for printed in numbers.find_currencies(line.span.text):
                if _beside_a_number(line.span.text, printed):
                    self._note(line, printed)

    def found(self, order: DateOrder) -> Iterator[Candidate]:
        everything = sum(count for count, _best in self._seen.values())
        for count, best in self._seen.values():
            yield best._replace(score=best.score * (0.5 + 0.5 * count / everything))

    def _note(self, line: Line, printed: numbers.PrintedCurrency) -> None:
        count, best = self._seen.get(printed.code, (0, None))
        score = SCORES["any_currency"] * printed.confidence / 100
        if best is None or score > best.score:
            words = words_at(line.span, printed.start, printed.end)
            text = line.span.text[printed.start : printed.end]
            best = Candidate(
                self.spec.name, printed.code, text, words, line.span.page, box_of(words, line.box), "any_currency",
                score, "rule",
            )  # fmt: skip
        self._seen[printed.code] = count + 1, best


def _beside_a_number(text: str, printed: numbers.PrintedCurrency) -> bool:
    """'PEN' may be a pen and 'BHD' a legal form: a code counts beside a number, in brackets, or by itself."""
    before, after = text[: printed.start].rstrip(), text[printed.end :].lstrip()
    return bool(_NUMBER_BEFORE.search(before) or _NUMBER_AFTER.match(after) or not (before or after))


# --- signatures


class _Signature(Finder):
    """The signatures that the engine found: those beside, above or below a label of the field, or, where the type looks for one
    signature only, any. Where none is found the field has no value: whether signatures were asked for is not known here."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self._found: list[Candidate] = []

    def look(self, context: Context) -> None:
        alone = sum(spec.kind == "signature" for spec in context.specs.values()) == 1
        for span in context.layout.signatures:
            near = any(_is_beside(span.box, label) for label in self._labels(context, span.page))
            if near or alone:
                score = SOURCES["signature"] - (0.0 if near else _NO_LABEL)
                self._found.append(signed(self.spec, span, why="signature", score=score, confidence=span.confidence))

    def found(self, order: DateOrder) -> Iterator[Candidate]:
        yield from self._found

    def _labels(self, context: Context, page: int) -> Iterator[Box]:
        for line in context.rows:
            for mention in context.mentions_in(line.span):
                box = box_of(words_at(line.span, mention.start, mention.end), line.box) or line.box
                if mention.name == self.spec.name and line.span.page == page and box is not None:
                    yield box


def _is_beside(signature: Box | None, label: Box) -> bool:
    """Whether the signature stands in the label's row to its right, or right above or below it."""
    if signature is None:
        return False
    if signature.top < label.bottom and label.top < signature.bottom:
        return signature.right > label.left
    gap = max(label.top - signature.bottom, signature.top - label.bottom)
    return gap < _NEAR and signature.left < label.right and label.left < signature.right


_FINDERS: dict[str, type[Finder]] = {
    "company": _Company,
    "title": _Title,
    "any_date": _AnyDate,
    "largest_amount": _LargestAmount,
    "any_currency": _AnyCurrency,
}
