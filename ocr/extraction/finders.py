"""Ways of looking for a value that no label leads to: the company at the top, what stands in the title, any date, the largest amount."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, islice

from ocr.extraction import dates, numbers, values
from ocr.extraction.blocks import Span, joined
from ocr.extraction.candidates import LEAST_SCORE, SOURCES, Candidate, Context, signed
from ocr.extraction.companies import companies
from ocr.extraction.document_types import DateOrder, FieldSpec
from ocr.extraction.reading import Box, Word
from ocr.extraction.rows import Line, box_of, words_at
from ocr.extraction.senders import senders
from ocr.extraction.titles import Title, titles

SCORES = {
    "title": 0.9,  # the number, or the date, that stands in the document's title
    "bare_number": 0.5,  # behind a mere 'No.'
    "series_number": 0.95,  # 'FT A/2019.542'
    "any_date": 0.5,
    "place_and_date": 0.6,  # 'Lucerne, 18 October 2019'
    "largest_amount": 0.3,
    "any_currency": 0.9,
}
_NEXT_TITLE = 0.05  # what each title costs that others stand above
_NEXT_DATE = 0.06  # what each date costs that others stand before
_OF_SOMETHING_ELSE = 0.25  # ... and one behind 'valid until'
_PAID_SCORE = 0.42  # of an amount behind 'Payment' or 'Balance' where nothing is called a total
_MOST_PAID = 20  # such amounts of a long document
_DATES_LOOKED_AT = 10
_NEAR = 0.04  # of the page's height: a line of writing
_NO_LABEL = 0.15  # what a signature costs that no label stands beside

# A day that something ends or begins on is not the document's own.
_OTHER_DAY = re.compile(
    r"\b(?:until|valid|expir\w*|exp|before|return\w*|closed|offer|promo\w*|claims?|effective|deliver\w*|delivery|since|from|bis|ab|hasta"
    r"|jusqu\W?au|fino al|geldig|g[uü]ltig|hingga|sehingga|warranty|due|dob|birth|born|geb|points|entry|ready|collect\w*|pick.?up)\b",
    re.IGNORECASE,
)
_IN, _OUT = re.compile(r"\bin\W{0,3}\Z", re.IGNORECASE), re.compile(r"\bout\b", re.IGNORECASE)  # of a room
_CLOCK = r"(?<![\d:.])(?:[01]?\d|2[0-3])[:h][0-5]\d(?::[0-5]\d)?(?![\d.,])"
_TIME_BEFORE = re.compile(rf"{_CLOCK}\s?(?:[ap]\.?m\.?)?\W{{0,4}}\Z", re.IGNORECASE)
_TIME_AFTER = re.compile(rf"\W{{0,4}}(?:(?:time|at|um|à|jam|pukul|uhr)\b)?\W{{0,3}}{_CLOCK}", re.IGNORECASE)
# Between the first and the last day of something.
_PERIOD = re.compile(r"\s*(?:[-–—~]|to|until|till|through|bis|au|al|hingga|s/d)\s*", re.IGNORECASE)
_BARE_NUMBER = re.compile(
    r"\W*(?:no|nr|num|number|n[°ºo]?|#)\W{0,2}\s*"
    r"((?:[A-Z]{1,5}[-/]){0,2}[A-Z]{0,5}[-/ ]?\d[\w/.-]{1,20}(?: \d{2,})*)"
    r"(?:\W+(?:del|vom|of|du|dated)\s.*)?",
    re.IGNORECASE,
)
# The number of an invoice, an invoice receipt, a simplified invoice, a credit or a debit note as Portuguese law has it: what it is, its
# series and its number in that. Source: SAF-T (PT), InvoiceNo.
_SERIES_NUMBER = re.compile(r"(?:FT|FR|FS|NC|ND) [A-Z0-9][A-Z0-9.]{0,11}/[\d.]{1,12}")
_PLACE = re.compile(
    r"[^\W\d_][^\W\d_ .'-]{2,}(?:[ -][^\W\d_]+){0,3},\s*(?:(?:den|the|le|il|a|em|el)\s+)?", re.IGNORECASE
)
_BESIDE_A_NUMBER = 1  # pieces before a mere 'No. 55 of 6 March': with more it stands under a heading of its own
# Between a document's number and its date.
_OF_THE = re.compile(r"\d\W*\s(?:of|dated|issued|vom|du|del|d\.?d|van|av|z dnia)\W{1,3}\Z", re.IGNORECASE)
# What tells the amount of a receipt on which nothing is called a total.
_PAID = re.compile(
    r"\W*(?:(?:parking\s)?fee|payment\w?|balance|(?:total\s)?paid|card amount|please (?:pay|remit))\b"
    r"(?!\s*(?:b/?f|brought|before|points|on your|from|this amount))",
    re.IGNORECASE,
)
_NOT_PAID = frozenset("0123456789ADEGHIJKLMNOQRSUVWXYZadeghijklmnoqrsuvwxyz")  # letters that it does not begin with
_CENTS = re.compile(r"[.,]\d\d(?!\d)")
_NUMBER_BEFORE = re.compile(r"[\d(\[]\Z")
_NUMBER_AFTER = re.compile(r"[-–]?\s?[.,]?\d|[)\]]")
_DOLLARS_TEXT = "ARS AUD BBD BND BSD BZD CAD CLP COP FJD HKD JMD MXN NAD NZD SGD TTD TWD XCD"
_DOLLARS = frozenset(_DOLLARS_TEXT.split())
# Codes that are words or abbreviations as well: 'BALL PEN 0.7', 'SEK 9', 'CUP 1/2'. Beside less than money they are none.
_WORDS_TEXT = "ALL ANG BAM BHD CNY COP CUP GEL LAK MOP PEN RON SEK SOS TOP TRY"
_WORDS = frozenset(_WORDS_TEXT.split())
_SENDIRIAN = re.compile(r"[S5][DO0]N\W*\Z", re.IGNORECASE)  # SDN BHD, however it is read
_MONEY = r"(?:\d{3,}|\d{1,3}(?:[.,' ]\d{3})+|\d+[.,]\d\d)(?![\d/])"
_MONEY_BEFORE = re.compile(rf"(?<![\d/.,]){_MONEY}\Z|\d[.,]\d\d\Z|[(\[]\Z")
_MONEY_AFTER = re.compile(rf"[.:]?\s?[-–]?\s?{_MONEY}|[)\]]")


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


class _Company(Finder):
    """Lines at the top of the first page that look like a firm's name."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self._found: list[Candidate] = []

    def look(self, context: Context) -> None:
        self._found += companies(context, self.spec)

    def found(self, order: DateOrder) -> Iterator[Candidate]:
        yield from self._found


class _Sender(_Company):
    """The same where a receiver is named as well, and rows at its end."""

    def look(self, context: Context) -> None:
        self._found += senders(context, self.spec)


# --- numbers, dates, amounts, currencies


class _Title(Finder):
    """Numbers in titles of the first page: 'Invoice No. 4711 of 3 March 2026'."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self._titles: list[Title] = []
        self._bare: list[Candidate] = []

    def look(self, context: Context) -> None:
        self._titles += titles(context.rows.on_page(1))
        for row in context.rows.on_page(1):
            self._bare += chain.from_iterable(self._numbered(line) for line in row)

    def _numbered(self, line: Line) -> Iterator[Candidate]:
        """What stands behind a mere 'No.', and numbers that say themselves what they are of."""
        text = line.span.text
        bare, series = _BARE_NUMBER.fullmatch(text), _SERIES_NUMBER.fullmatch(text)
        if bare is not None:
            yield self._candidate(line.span, bare.start(1), bare.end(1), SCORES["bare_number"])
        elif series is not None:
            yield self._candidate(line.span, 0, len(text), SCORES["series_number"])

    def found(self, order: DateOrder) -> Iterator[Candidate]:
        yield from self._bare
        for place, title in enumerate(self._titles):
            score = max(LEAST_SCORE, SCORES["title"] - _NEXT_TITLE * place)
            yield self._candidate(title.span, title.number.start, title.number.end, score)._replace(
                value=title.number.value
            )

    def _candidate(self, span: Span, start: int, end: int, score: float) -> Candidate:
        text, words = span.text[start:end], words_at(span, start, end)
        return Candidate(self.spec.name, text, text, words, span.page, box_of(words, span.box), "title", score, "rule")


class _AnyDate(Finder):
    """The dates in titles, then those that stand under no other field's label, the first the likeliest."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self._first: list[_Dated] = []
        self._titled: list[_Dated] = []

    def look(self, context: Context) -> None:
        found = list(titles(context.rows.on_page(1)))
        # Other documents are named further down: 'less our invoice no. 104 of 12 September'.
        for title in (each for each in found if each.number.value == found[0].number.value):
            if title.day is not None:
                self._titled.append(_Dated.of(title.below or title.span, title.day, ()))
        for line in context.rows.on_page(1):
            for piece in line:
                self._titled += _after_a_number(context, piece)
        lines = (line for line in context.rows if not context.mentions_in(line.span))
        dated = (
            _Dated.of(line.span, each, on) for line in lines for on in [context.dates_in(line.span)] for each in on
        )
        self._first += islice(dated, _DATES_LOOKED_AT)
        if not context.printed_dates:
            self._first += islice(_over_pieces(context), _DATES_LOOKED_AT)
        self._first = sorted(self._first, key=lambda each: each.page)[:_DATES_LOOKED_AT]

    def found(self, order: DateOrder) -> Iterator[Candidate]:
        for place, each in enumerate(self._titled):
            yield each.candidate(self.spec, order, "title", SCORES["title"] - _NEXT_TITLE * place)
        # Those of something else do not push the others down, and a letter's own day comes first, then one beside a time of day.
        for place, each in enumerate(
            sorted(self._first, key=lambda each: (each.is_other, not each.has_place, not each.has_time))
        ):
            score = SCORES["place_and_date" if each.has_place else "any_date"]
            score -= _NEXT_DATE * place + (_OF_SOMETHING_ELSE if each.is_other else 0.0)
            yield each.candidate(self.spec, order, "any_date", score)


def _over_pieces(context: Context) -> Iterator[_Dated]:
    """The dates whose parts stand so far from one another that each is a line: 'Sun 26 Aug   2018   14:18'."""
    for row in context.rows.on_page(1):
        if len(row) > 1 and (whole := joined([line.span for line in row])) is not None:
            yield from (_Dated.of(whole, printed, ()) for printed in dates.find(whole.text))


def _after_a_number(context: Context, line: Line) -> Iterator[_Dated]:
    """The date that stands right behind the number of the document: 'Invoice K-0316 of 21 March 2016'."""
    named = [each.end for each in context.mentions_in(line.span) if context.specs[each.name].finder == "title"]
    if not named and _BARE_NUMBER.fullmatch(line.span.text) and len(context.rows.left_of(line)) <= _BESIDE_A_NUMBER:
        named = [0]
    for printed in context.dates_in(line.span) if named else ():
        if _OF_THE.search(line.span.text, named[0], printed.start):
            yield _Dated.of(line.span, printed, ())


@dataclass(frozen=True, slots=True)
class _Dated:
    """A date and the words it is printed in."""

    printed: dates.PrintedDate
    text: str
    words: tuple[Word, ...]
    page: int
    box: Box | None
    is_other: bool
    """Whether the print says that it is the day of something else."""
    has_place: bool
    """Whether it stands behind a place and nothing else, as letters have it."""
    has_time: bool
    """Whether a time of day stands beside it, as tills have it."""

    @classmethod
    def of(cls, span: Span, printed: dates.PrintedDate, around: Sequence[dates.PrintedDate]) -> _Dated:
        """`around` are all dates of the same text: one that begins or ends a period is not the document's own."""
        words = words_at(span, printed.start, printed.end)
        text = span.text[printed.start : printed.end].strip()
        is_other = _OTHER_DAY.search(span.text, 0, printed.start) is not None or any(
            _PERIOD.fullmatch(span.text, min(each.end, printed.end), max(each.start, printed.start)) for each in around
        )
        is_other = is_other or (
            _IN.search(span.text, 0, printed.start) is not None and _OUT.search(span.text) is not None
        )
        alone = not span.text[printed.end :].strip(" .")
        has_place = alone and _PLACE.fullmatch(span.text, 0, printed.start) is not None
        has_time = _TIME_BEFORE.search(span.text, 0, printed.start) or _TIME_AFTER.match(span.text, printed.end)
        return cls(printed, text, words, span.page, box_of(words, span.box), is_other, has_place, has_time is not None)

    def candidate(self, spec: FieldSpec, order: DateOrder, why: str, score: float) -> Candidate:
        first, *others = [day.isoformat() for day in self.printed.readings(order)]
        score = max(LEAST_SCORE, score)
        return Candidate(
            spec.name, first, self.text, self.words, self.page, self.box, why, score, "rule", others=tuple(others)
        )


class _LargestAmount(Finder):
    """What was paid, where the print says so; and the largest amount with two decimals that stands under no other field's label."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self._largest: tuple[Decimal, Candidate] | None = None
        self._paid: list[Candidate] = []

    def look(self, context: Context) -> None:
        for line in context.rows:
            if line.span.text[:1] not in _NOT_PAID and _PAID.match(line.span.text):
                self._paid += islice(self._behind(context, line), 1 if len(self._paid) < _MOST_PAID else 0)
            if any(mention.name != self.spec.name for mention in context.mentions_in(line.span)):
                continue
            for number in _with_cents(line.span.text):
                if self._is_larger(number.value, line.span.page):
                    score = SCORES["largest_amount"]
                    self._largest = number.value, self._candidate(line, number, "largest_amount", score)

    def found(self, order: DateOrder) -> Iterator[Candidate]:
        yield from self._paid
        if self._largest is not None:
            yield self._largest[1]

    def _behind(self, context: Context, line: Line) -> Iterator[Candidate]:
        """The amounts of the label's own line, of those behind it and of the one under it, the last of each first; what was given back
        or settled is none."""
        below = context.rows.below(line, line.box)
        for each in (line, *context.rows.right_of(line), *(() if below is None else (below,))):
            for number in reversed(_with_cents(each.span.text)):
                if number.value > 0:
                    yield self._candidate(each, number, "label_right", _PAID_SCORE)

    def _is_larger(self, value: Decimal, page: int) -> bool:
        if self._largest is None:
            return True
        largest, found = self._largest
        return value > largest or (value == largest and page < found.page)

    def _candidate(self, line: Line, number: numbers.PrintedNumber, why: str, score: float) -> Candidate:
        text = line.span.text[number.start : number.end]
        words = words_at(line.span, number.start, number.end)
        return Candidate(
            self.spec.name, values.money(number.value), text, words, line.span.page, box_of(words, line.box), why, score, "rule",
        )  # fmt: skip


def _with_cents(text: str) -> list[numbers.PrintedNumber]:
    """The amounts of money with two decimals."""
    found = numbers.find_numbers(text) if _CENTS.search(text) else ()
    return [each for each in found if each.decimals == 2 and not each.percent]


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
        for count, best in self._as_meant().values():
            yield best._replace(score=best.score * (0.5 + 0.5 * count / everything))

    def _as_meant(self) -> dict[str, tuple[int, Candidate]]:
        """A mere '$' means the one dollar that is named besides."""
        mere = self._seen.get("USD")
        others = [code for code in self._seen if code in _DOLLARS]
        if mere is None or mere[1].text != "$" or len(others) != 1:
            return self._seen
        count, best = self._seen[others[0]]
        rest = {code: seen for code, seen in self._seen.items() if code != "USD"}
        return rest | {others[0]: (count + mere[0], best)}

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
    """'PEN' may be a pen and 'BHD' a legal form: what may be a word counts beside money, others beside a number, and both in
    brackets or by themselves."""
    before, after = text[: printed.start].rstrip(), text[printed.end :].lstrip()
    may_be_word = text[printed.start : printed.end] in _WORDS
    if printed.code == "BHD" and _SENDIRIAN.search(before):
        return False
    number_before, number_after = (_MONEY_BEFORE, _MONEY_AFTER) if may_be_word else (_NUMBER_BEFORE, _NUMBER_AFTER)
    return bool(number_before.search(before) or number_after.match(after) or not (before or after))


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
    "sender": _Sender,
    "any_date": _AnyDate,
    "largest_amount": _LargestAmount,
    "any_currency": _AnyCurrency,
}
