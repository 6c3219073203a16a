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
    "bare_number": 0.5,  # behind a mere 'No.'
    "any_date": 0.5,
    "place_and_date": 0.6,  # 'Lucerne, 18 October 2019'
    "largest_amount": 0.3,
    "any_currency": 0.9,
}
_LATER = 0.02  # what each further place down the page costs
_BELOW_THE_HEAD = 0.12  # what a name costs that stands under an address or a telephone number
_UNDER_A_RECEIVER = 0.3  # ... and under 'Bill to'
_NEXT_TITLE = 0.05  # what each title costs that others stand above
_NEXT_DATE = 0.06  # what each date costs that others stand before
_OF_SOMETHING_ELSE = 0.25  # ... and one behind 'valid until'
_PAID_SCORE = 0.42  # of an amount behind 'Payment' or 'Balance' where nothing is called a total
_TOP_ROWS = 14
_MORE_ROWS = 2  # that a name goes on over
_WORDS_MORE = 3  # of a row behind a trade word
_LONGEST_NAME = 120  # letters; longer rows are sentences
_DATES_LOOKED_AT = 10
_NEAR = 0.04  # of the page's height: a line of writing
_NO_LABEL = 0.15  # what a signature costs that no label stands beside
_GAP = 2.0  # line heights: pieces of one name in a row stand no further apart

_LEGAL_FORMS = (
    r"sdn\.?\s?bhd|s/b|sb|bhd|berhad|plt|pte\.?\s?ltd|pty\.?\s?ltd|pvt\.?\s?ltd|co\.?,?\s?ltd|ltd|limited|llc|llp|plc|inc"
    r"|incorporated|corp|corporation|gmbh(?:\s?&\s?co\.?\s?kg)?|mbh|(?:ag|kg|ug|se|ab)(?=\s*(?:[^\w\s]|\Z))|ohg|gbr|e\.\s?k|e\.\s?v|s\.?a\.?r\.?l"
    r"|s\.?a\.?s|sasu|eurl|s\.a|s\.?r\.?l|s\.?p\.?a|s\.?l|b\.?v|n\.?v|a/s|aps|oy|lda|ltda|company"
)
_TRADE_WORDS = (
    r"enterprises?|trading|restaurants?|restoran|caf[eé]|bistro|pub|kopitiam|bakery|hotel|pharmacy|farmasi|apotheke"
    r"|pharmacie|hardware|machinery|marketing|supermarket|minimarket|mart|market|stores?|shop|kedai|perniagaan"
    r"|stationery|stationers|books?|services|industries|international|holdings|group|solutions|consulting"
    r"|technologies|petrol|petro|station|motors?|garage|clinic|klinik|electrical|electronics|furniture|gifts?"
    r"|decoration|boutique|stesen|optik|optical|pasaraya|syarikat|salon|laundry|bank|foods?|catering|cash\s?(?:&|and)\s?carry"
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
# What stands between two parts of one name at the end of a row or the beginning of the next.
_AND = re.compile(
    r"(?:&|\b(?:and|und|et|dan|y|of|de|del|van|von|der|di))\s*\n|\n\s*(?:&|(?:and|und|et|dan)\b)", re.IGNORECASE
)
_LEGAL_FORM = re.compile(rf"(?<!\w)(?:{_LEGAL_FORMS})(?!\w)\.?", re.IGNORECASE)
_TRADE_WORD = re.compile(rf"(?<!\w)(?:{_TRADE_WORDS})(?!\w)", re.IGNORECASE)
# What may stand beside a legal form or a trade word without making a name of it.
_NO_NAME = re.compile(
    rf"(?<!\w)(?:{_LEGAL_FORMS}|{_TRADE_WORDS}|suppl(?:y|ies)|management|resources|development|construction|engineering|ventures|logistics|\(?m\)?|co|and|und|et|the)(?!\w)|\W",
    re.IGNORECASE,
)
# What a firm's name stands behind, and what stands behind it: 'Operated by: ...', '(A unit of ...)', '... t/as The Yard'.
_RUN_BY = re.compile(
    r"\W*(?:(?:owned\s(?:&|and)\s)?(?:operated|managed|run)\s?by|(?:an?\s)?(?:unit|division|member|subsidiary)\sof|licen[cs]ee)\b\W*",
    re.IGNORECASE,
)
_KNOWN_AS = re.compile(r"\s\W*(?:t/as?|trading\sas|d/?b/?a)\W.*", re.IGNORECASE | re.DOTALL)
_TITLE_BEHIND = re.compile(
    r"\W*(?:(?:sales|tax|cash|official)\s)?(?:invoice|receipt|bill|statement|invois|resit)\W*\Z", re.IGNORECASE
)
_ADDRESS = re.compile(
    r"(?<!\d)\d{4,6}(?!\d)|\d\s*,|,\s*\d|^\W*(?:no\.?\s*)?\d|jalan|\bjln\b|\blot\b|street|\bstr\.|strasse|straße|\broad\b"
    r"|\brue\b|avenue|\btaman\b|\bfloor\b|lorong|persiaran|kampung|bandar\b",
    re.IGNORECASE,
)
_CONTACT = re.compile(
    r"\btel\b|phone|\bfax\b|telefon|www\.|https?:|\w@|\.com\b|hotline|careline|\bmobile\s*(?:no\b|phone|[:.+\d])",
    re.IGNORECASE,
)
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
# A day that something ends or begins on is not the document's own.
_OTHER_DAY = re.compile(
    r"\b(?:until|valid|expir\w*|exp|before|return\w*|closed|offer|promo\w*|claims?|effective|deliver\w*|delivery|since|from|bis|ab|hasta"
    r"|jusqu\W?au|fino al|geldig|g[uü]ltig|hingga|sehingga|warranty|due|dob|birth|born|geb)\b",
    re.IGNORECASE,
)
_BARE_NUMBER = re.compile(
    r"\W*(?:no|nr|num|number|n[°ºo]?|#)\W{0,2}\s*([A-Z]{0,5}[-/ ]?\d[\w/.-]{1,20}(?: \d{2,})*)(?:\W+(?:del|vom|of|du|dated)\s.*)?",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"[^\W\d_][^\W\d_ .'-]{2,}(?:[ -][^\W\d_]+){0,3},\s*(?:(?:den|the|le|il|a|em|el)\s)?\s*", re.IGNORECASE
)
# Between a document's number and its date.
_OF_THE = re.compile(r"\d\W*\s(?:of|dated|issued|vom|du|del|dd|van|av|z dnia)\W{1,3}\Z", re.IGNORECASE)
# What tells the amount of a receipt on which nothing is called a total.
_PAID = re.compile(
    r"\W*(?:(?:parking\s)?fee|payment\w?|balance|(?:total\s)?paid|card amount|please (?:pay|remit))\b"
    r"(?!\s*(?:b/?f|brought|before|points|on your|from|this amount))",
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
    names = [head for head, after in zip(names, [*names[1:], None], strict=False) if not _is_repeated_by(head, after)]
    tallest = max((head.line.box.height for head in names), default=0.0)
    address_row = next((head.line.row for head in heads if _is_address(head.text)), _TOP_ROWS)
    for place, head in enumerate(names):
        whole = _completed(heads, head)
        why = _company_reason(whole.text, place, is_tall=head.line.box.height >= 0.95 * tallest)
        score = SCORES[why] - _LATER * place
        score -= _BELOW_THE_HEAD if head.line.row > address_row else 0.0
        score -= _UNDER_A_RECEIVER if _is_below(receivers, head) else 0.0
        name = _name(whole.text)
        words = _words_of(name, whole)
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
        is_title = _TITLE_BEHIND.fullmatch(line.span.text) is not None
        if heads and not is_title and line.box.left - heads[-1].line.box.right <= _GAP * line.box.height:
            last = heads.pop()
            box = last.line.box.joined(line.box)
            text, spans = f"{last.text} {_repaired(line.span.text)}", (*last.spans, line.span)
            heads.append(_Head(last.line._replace(box=box), text, spans))
        else:
            heads.append(_Head(line, _repaired(line.span.text), (line.span,)))
    return heads


def _name(text: str) -> str:
    """The firm's name without the registration number, an address or a title behind the legal form, and what it is run as."""
    plain = _without_registration(text)
    forms = list(_LEGAL_FORM.finditer(plain))
    if forms:
        behind = plain[forms[-1].end() :]
        if any(map(str.isdigit, behind)) or _TITLE_BEHIND.fullmatch(behind):
            plain = plain[: forms[-1].end()]
        plain = _KNOWN_AS.sub("", plain)
    if (run_by := _RUN_BY.match(plain)) is not None:
        plain = plain[run_by.end() :]
        plain = plain.removesuffix(")") if plain.count(")") > plain.count("(") else plain
    return plain.strip(" ,;-·•|@*~=")


def _words_of(name: str, whole: _Head) -> tuple[Word, ...]:
    """The words that make the name, which begins somewhere in the row."""
    before = len(whole.text[: max(0, whole.text.find(name))].split())
    return whole.words[before : before + len(name.split())]


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
    """Whether a trade word stands there as in a name: 'Riverside pub & kitchen' says what a shop is."""
    lower = text.islower()
    return any(lower or not match[0][0].islower() for match in _TRADE_WORD.finditer(text))


@_remembered
def _is_no_name(text: str) -> bool:
    """Whether nothing is left besides legal forms and trade words."""
    return not _NO_NAME.sub("", text)


def _may_name_a_company(context: Context, head: _Head) -> bool:
    if len(head.text) > _LONGEST_NAME or context.mentions_in(head.line.span):
        return False
    text = _name(head.text)
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
        if after is None or not (_goes_on(head.text, _without_registration(after.text)) or _is_one_name(head, after)):
            break
        head = _Head(head.line, f"{head.text} {after.text}", (*head.spans, *after.spans))
    return head


def _is_continued_by(above: list[_Head], head: _Head) -> bool:
    """Whether the row is the second one of a name: it begins with what ends a name."""
    last = next((each for each in reversed(above) if each.line.row == head.line.row - 1), None)
    if last is None or _has_legal_form(last.text):
        return False
    joined_by_and = _AND.search(f"{last.text}\n{head.text}") is not None and _says_nothing_twice(last.text, head.text)
    return _ends_a_name(head.text) or joined_by_and or _is_one_name(last, head)


def _is_repeated_by(head: _Head, after: _Head | None) -> bool:
    """Whether the next row says the same and more: a brand over the name that begins with it."""
    return after is not None and after.text.lower().startswith(f"{head.text.lower()} ")


def _says_nothing_twice(name: str, after: str) -> bool:
    """Whether the second of two rows repeats no word of the first, as a firm's name under its brand does."""
    return set(name.lower().split()).isdisjoint(after.lower().split())


def _is_one_name(head: _Head, after: _Head) -> bool:
    """Whether a row goes on with a name, up to its legal form or behind its trade word: both are printed in capitals of one size, which
    a brand over the firm's name is not, and say nothing twice."""
    name, rest = head.text, _without_registration(after.text)
    if (
        _has_legal_form(name)
        or name.endswith(")")
        or any(map(str.isdigit, rest))
        or after.line.row != head.line.row + 1
    ):
        return False
    other = (
        ":" in rest or "," in rest or _is_address(rest) or _OTHER_HEAD.search(rest) is not None or _has_trade_word(rest)
    )
    goes_on = _has_legal_form(rest) or (_has_trade_word(name) and len(rest.split()) <= _WORDS_MORE and not other)
    alike = name.isupper() and rest.isupper() and 0.95 <= _letter_width(after) / _letter_width(head) <= 1.07
    return goes_on and alike and _says_nothing_twice(name, rest)


def _letter_width(head: _Head) -> float:
    return head.line.box.width / len(head.text) or 1.0


def _ends_a_name(text: str) -> bool:
    other = (":" in text, _ADDRESS.search(text), _CONTACT.search(text), _OTHER_HEAD.search(text))
    return _CALLED.match(text) is not None and not any(other)


def _goes_on(name: str, after: str) -> bool:
    """Whether the line under a name belongs to it: it holds none itself or begins with what ends one, or an 'and' stands between."""
    if _AND.search(f"{name}\n{after}") is not None and _says_nothing_twice(name, after):
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
        self._bare: list[Candidate] = []

    def look(self, context: Context) -> None:
        self._titles += titles(context.rows.on_page(1))
        for row in context.rows.on_page(1):
            self._bare += chain.from_iterable(self._numbered(line) for line in row)

    def _numbered(self, line: Line) -> Iterator[Candidate]:
        """What stands behind a mere 'No.'."""
        bare = _BARE_NUMBER.fullmatch(line.span.text)
        if bare is not None:
            words = words_at(line.span, bare.start(1), bare.end(1))
            yield Candidate(
                self.spec.name, bare[1], bare[1], words, line.span.page, box_of(words, line.box), "title", SCORES["bare_number"], "rule",
            )  # fmt: skip

    def found(self, order: DateOrder) -> Iterator[Candidate]:
        yield from self._bare
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
        found = list(titles(context.rows.on_page(1)))
        # Other documents are named further down: 'less our invoice no. 104 of 12 September'.
        for title in (each for each in found if each.number.value == found[0].number.value):
            if title.day is not None:
                self._titled.append(_Dated.of(title.below or title.span, title.day))
        for line in context.rows.on_page(1):
            for piece in line:
                self._titled += _after_a_number(context, piece)
        lines = (line for line in context.rows if not context.mentions_in(line.span))
        dated = (_Dated.of(line.span, printed) for line in lines for printed in context.dates_in(line.span))
        self._first += islice(dated, _DATES_LOOKED_AT)
        self._first = sorted(self._first, key=lambda each: each.page)[:_DATES_LOOKED_AT]

    def found(self, order: DateOrder) -> Iterator[Candidate]:
        for place, each in enumerate(self._titled):
            yield each.candidate(self.spec, order, "title", SCORES["title"] - _NEXT_TITLE * place)
        # Those of something else do not push the others down, and a letter's own day comes first.
        for place, each in enumerate(sorted(self._first, key=lambda each: (each.is_other, not each.has_place))):
            score = SCORES["place_and_date" if each.has_place else "any_date"]
            score -= _NEXT_DATE * place + (_OF_SOMETHING_ELSE if each.is_other else 0.0)
            yield each.candidate(self.spec, order, "any_date", score)


def _after_a_number(context: Context, line: Line) -> Iterator[_Dated]:
    """The date that stands right behind the number of the document: 'Invoice K-0316 of 21 March 2016'."""
    named = [each.end for each in context.mentions_in(line.span) if context.specs[each.name].finder == "title"]
    if not named and _BARE_NUMBER.fullmatch(line.span.text):
        named = [0]
    for printed in context.dates_in(line.span) if named else ():
        if _OF_THE.search(line.span.text, named[0], printed.start):
            yield _Dated.of(line.span, printed)


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

    @classmethod
    def of(cls, span: Span, printed: dates.PrintedDate) -> _Dated:
        words = words_at(span, printed.start, printed.end)
        text = span.text[printed.start : printed.end].strip()
        is_other = _OTHER_DAY.search(span.text, 0, printed.start) is not None
        alone = not span.text[printed.end :].strip(" .")
        has_place = alone and _PLACE.fullmatch(span.text, 0, printed.start) is not None
        return cls(printed, text, words, span.page, box_of(words, span.box), is_other, has_place)

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
            if _PAID.match(line.span.text):
                self._paid += islice(self._behind(context, line), 1)
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
