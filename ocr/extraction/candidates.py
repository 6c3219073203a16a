"""Where values come from: form pairs, query answers, tables, labels in the print, and ways of looking without a label.

Every source yields candidates with a score (0-1) made of three printed figures: how far the source can be trusted
(SOURCES), how strong the label is, and what speaks against it (PENALTIES). Choosing among them is `choice`'s part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from ocr.extraction import dates, numbers, values
from ocr.extraction.blocks import Cell, Layout, Pair, Span, Table, joined
from ocr.extraction.document_types import DateOrder, DocumentType, FieldSpec
from ocr.extraction.labels import Lexicon, Mention, lexicon_of, squash, tokenise
from ocr.extraction.reading import Box, Source, Word
from ocr.extraction.rows import Line, Rows, box_of, words_at

SOURCES = {
    "query": 0.95,
    "expense": 0.95,
    "identity": 0.95,
    "lending": 0.95,
    "signature": 0.95,
    "key_value": 0.92,
    "table": 0.85,
    "label_right": 0.82,
    "label_below": 0.62,
}
# Here the engine itself says what the value is: its own score is of it, not only of the association.
NAMED_BY_THE_ENGINE = frozenset(("expense", "identity", "lending", "query"))
PENALTIES = {
    "word_before_label": 0.05,
    "word_before_value": 0.07,
    "not_understood": 0.45,  # the label is there, its value is not one of the field's kind
    "not_the_last_amount": 0.3,
    "doubtful_engine": 0.1,  # when the engine itself gives the association no confidence at all
    "whole_amount": 0.12,  # money without decimals is more often a quantity
    "zero": 0.2,  # of a required amount; tax, change and rounding often are nothing
    "negative": 0.1,  # of a required amount; it stands alone on a credit note, and beside others what was returned
    "of_another_number": 0.3,  # 'Buyer's order no.   Dated': the order's date
    "base_of_a_rate": 0.3,  # '20 % on 157.00': what the tax is taken of
    "one_rate": 0.15,  # 'Total 6 % supplies': a part of the total
}
LEAST_SCORE = 0.1
_WORDS_COUNTED = 4
_HEADINGS = 3  # pieces beside it that make a row one of headings
_ITEMS = re.compile(
    r"descri|particulars|charges|leistung|betrag|bezeichnung|artikel|menge|montant|d[eé]signation|importe|concepto|amount|\bqty\b|quantity",
    re.IGNORECASE,
)
_QUANTITY = re.compile(
    r"\W*(?:qty|quantity|qnty|menge|anz(?:ahl)?|qt[eé]|quantit[eé]|cant(?:idad)?|aantal|q\.?t[aà]|pcs)\W*",
    re.IGNORECASE,
)
_SEGMENTS = 4
_LETTERS_IN_A_NAME = 3
_LETTERS_LOOKED_AT = 200  # for strange words: there is a handful of them, or there is none
_DECIMALS = re.compile(r"[.,]\d\d(?!\d)")
_JOINS_LABELS = re.compile(r"\W*(?:[/&+]|\b(?:and|und|et)\b)\W*")
_NUMBER_OF_A_LABEL = re.compile(r"\W*(?:\d{0,2}[a-z]?\W+)?")
_ANOTHER_NUMBER = re.compile(
    r"order|delivery|dispatch|quot|\bp\.?o\b|bestell|auftrag|liefer|commande|pedido|ordine", re.IGNORECASE
)
_SUMMED = frozenset(("amount", "number", "percent"))
_RATE = re.compile(r"\d\s?%")
_ON = re.compile(r"%\W*\b(?:on|of|auf|aus|von|sur|over|su|de|sobre|af|p[åa]|od)\b\W*\Z", re.IGNORECASE)
_MISREAD_DECIMALS = re.compile(r"\w[.,]\s?\w\w\b")

# What is printed as the day when something is due, and is none.
_AT_ONCE = re.compile(
    r"\W*(?:(?:up)?on receipt|immediate|at once|cash on delivery|c\.?o\.?d\b|sofort|bei erhalt|nach erhalt|[aà] r[eé]ception|comptant"
    r"|al contado|contado|a la vista|a vista|alla consegna|vista fattura|per direct|natychmiast|omg[aå]ende)",
    re.IGNORECASE,
)

# Words that may stand between a label and its value without making it another label.
_FILLER_WORDS = """
    rm myr usd eur sgd gbp chf inr aud cad nzd zar dkk sek nok pln czk huf ron rs kr incl inclusive inkl include included
    including excl of gst sst vat tax ttc mwst ust tva iva in by no nr the date time amount sr zr due payable jumlah a is
"""
_FILLERS = frozenset(squash(word) for word in _FILLER_WORDS.split())


class Candidate(NamedTuple):
    """A value that a field might have. `confidence` is the engine's own score of the association, if it gave one.

    `others` are other values that its print may mean, `again` the words of another place that says the same.
    """

    name: str
    value: str | None
    text: str
    words: tuple[Word, ...]
    page: int
    box: Box | None
    why: str
    score: float
    source: Source
    confidence: float | None = None
    others: tuple[str, ...] = ()
    again: tuple[Word, ...] = ()

    @property
    def word_confidence(self) -> float | None:
        """The least score of its words that have one."""
        return min((word.confidence for word in self.words if word.confidence is not None), default=None)


@dataclass(frozen=True, slots=True)
class Context:
    """What every source looks at."""

    layout: Layout
    rows: Rows
    specs: Mapping[str, FieldSpec]
    lexicon: Lexicon
    mentions: Mapping[int, Sequence[Mention]]  # by the identity of the line's span
    printed_dates: Mapping[int, Sequence[dates.PrintedDate]]  # by the same
    order: DateOrder
    by_text: dict[str, Sequence[Mention]]  # lines, keys and cells often print the same words

    def mentions_in(self, span: Span) -> Sequence[Mention]:
        return self.mentions.get(id(span), ())

    def mentions_of(self, text: str) -> Sequence[Mention]:
        known = self.by_text.get(text)
        if known is None:
            known = self.by_text[text] = self.lexicon.mentions(text)
        return known

    def dates_in(self, span: Span) -> Sequence[dates.PrintedDate]:
        return self.printed_dates.get(id(span), ())


def context(
    layout: Layout, document_type: DocumentType, dated: Mapping[int, Sequence[dates.PrintedDate]], order: DateOrder
) -> Context:
    lexicon = lexicon_of(document_type.fields)
    by_text: dict[str, Sequence[Mention]] = {line.text: lexicon.mentions(line.text) for line in layout.lines}
    mentions = {id(line): found for line in layout.lines if (found := by_text[line.text])}
    specs = {spec.name: spec for spec in document_type.fields}
    return Context(layout, Rows(layout.lines, layout.slopes), specs, lexicon, mentions, dated, order, by_text)


def printed_dates(layout: Layout) -> dict[int, Sequence[dates.PrintedDate]]:
    """The dates in each line that has some, by the identity of the line's span."""
    return {id(line): found for line in layout.lines if (found := dates.find(line.text))}


def labelled(found_in: Context) -> Iterator[Candidate]:
    """Every candidate that a label, a query or a form pair leads to, for the fields in `specs`."""
    yield from _from_answers(found_in)
    for pair in found_in.layout.pairs:
        yield from _from_pair(found_in, pair)
    for table in found_in.layout.tables:
        yield from _from_table(found_in, table)
    for line in found_in.rows:
        for mention in found_in.mentions_in(line.span):
            if mention.name not in found_in.specs:
                continue
            beside = list(_beside(found_in, line, mention))
            yield from beside or _under(found_in, line, mention)


# --- query answers, form pairs, tables


def _from_answers(found_in: Context) -> Iterator[Candidate]:
    by_alias = {spec.query: spec for spec in found_in.specs.values() if spec.query}
    for answer in found_in.layout.answers:
        spec = by_alias.get(answer.alias)
        if spec is not None:
            yield from in_span(
                found_in, spec, answer.content, why="query", score=SOURCES["query"],
                confidence=answer.content.confidence,
            )  # fmt: skip


def _from_pair(found_in: Context, pair: Pair) -> Iterator[Candidate]:
    if pair.value is None or not (pair.value.text or pair.value.checks):
        return
    for mention in found_in.mentions_of(pair.key.text):
        if mention.name not in found_in.specs:
            continue
        spec = found_in.specs[mention.name]
        score = _labelled_score("key_value", mention) - _between(spec, pair.key.text[mention.end :])
        if spec.kind == "date" and len(pair.key.words) == 1:
            lines = (line for line in found_in.rows if pair.key.words[0] in line.span.words)
            score -= _another_s(found_in, next(lines, None))
        yield from in_span(found_in, spec, pair.value, why="key_value", score=score, confidence=pair.confidence)


def _another_s(found_in: Context, line: Line | None) -> float:
    """What it costs a mere 'Dated' that it stands behind the label of another number: it is the date of that."""
    before = found_in.rows.left_of(line) if line is not None and len(line.span.words) == 1 else []
    return PENALTIES["of_another_number"] if before and _ANOTHER_NUMBER.search(before[-1].span.text) else 0.0


def _from_table(found_in: Context, table: Table) -> Iterator[Candidate]:
    """A cell that is a label as a whole, and what follows it in its row: the next cell, of several amounts the last."""
    filled = [cell for cell in table.cells if cell.content.text]
    for at, cell in enumerate(filled):
        mentions = () if "COLUMN_HEADER" in cell.roles else found_in.mentions_of(cell.content.text)
        for mention in mentions:
            spec = found_in.specs.get(mention.name)
            if spec is None or mention.before or strange_words(cell.content.text[mention.end :]):
                continue
            following = _following(found_in, filled, at)
            yield from _last_likeliest(
                [
                    each
                    for content in (following if spec.kind == "amount" else following[:1])
                    for each in in_span(
                        found_in, spec, content, why="table", score=_labelled_score("table", mention),
                        confidence=content.confidence,
                    )
                    if each.value is not None
                ]
            )  # fmt: skip


def _following(found_in: Context, filled: Sequence[Cell], at: int) -> list[Span]:
    """What stands in the cells of the row behind this one, up to the next label."""
    found: list[Span] = []
    for cell in islice(filled, at + 1, at + 1 + _SEGMENTS):
        if cell.row != filled[at].row or found_in.mentions_of(cell.content.text):
            break
        found.append(cell.content)
    return found


# --- labels in the print


def _beside(found_in: Context, line: Line, mention: Mention) -> Iterator[Candidate]:
    """The value behind the label in its line or, when none follows it at once, in the next lines of its row."""
    spec = found_in.specs[mention.name]
    score = _labelled_score("label_right", mention)
    if spec.kind not in _SUMMED:
        mention = _with_joined_labels(found_in, line.span, mention)
    end = _next_label(found_in, line.span, mention)
    own = list(_in_text(found_in, spec, line.span, mention.end, end, why="label_right", score=score, count_words=True))
    at_once = any(each.score >= score for each in own) or (own and spec.kind != "amount")
    if at_once or end < len(line.span.text):
        yield from own
        return
    score -= _between(spec, line.span.text[mention.end :])
    following = list(_in_segments(found_in, spec, found_in.rows.right_of(line)[:_SEGMENTS], score))
    penalty = PENALTIES["not_the_last_amount"] if following else 0.0
    yield from (each._replace(score=max(LEAST_SCORE, each.score - penalty)) for each in own)
    yield from following


def _with_joined_labels(found_in: Context, span: Span, mention: Mention) -> Mention:
    """The label with those that share its value: behind 'Invoice no. / date' both stand, of which each takes its kind."""
    for each in found_in.mentions_in(span):
        if each.start >= mention.end and _JOINS_LABELS.fullmatch(span.text, mention.end, each.start):
            mention = mention._replace(end=each.end)
    return mention


def _in_segments(found_in: Context, spec: FieldSpec, segments: Sequence[Line], score: float) -> Iterator[Candidate]:
    """The first of the row's next lines that holds a value; of several amounts in the row the last is likeliest."""
    found: list[Candidate] = []
    unnamed = []
    for segment in segments:
        end = 0 if _begins_with_label(found_in, segment.span) else _next_label(found_in, segment.span, None)
        found += _in_text(
            found_in, spec, segment.span, 0, end, why="label_right", score=score,
            count_words=spec.kind == "identifier",
        )  # fmt: skip
        if end < len(segment.span.text) or (found and spec.kind != "amount"):
            break
        unnamed.append(segment.span)
    row = joined(unnamed) if spec.kind == "date" and not found else None
    if row is not None:
        found += _in_text(found_in, spec, row, 0, len(row.text), why="label_right", score=score)
    yield from _last_likeliest(found)


def _last_likeliest(found: Sequence[Candidate]) -> Iterator[Candidate]:
    """The values of one row, of which several have the best score: all but the last of these count less."""
    best = max((each.score for each in found), default=0.0)
    last = max((at for at, each in enumerate(found) if each.score == best), default=0)
    for at, each in enumerate(found):
        penalty = PENALTIES["not_the_last_amount"] if each.score == best and at != last else 0.0
        yield each._replace(score=max(LEAST_SCORE, each.score - penalty))


def _under(found_in: Context, line: Line, mention: Mention) -> Iterator[Candidate]:
    spec = found_in.specs[mention.name]
    label = box_of(words_at(line.span, mention.start, mention.end), line.box) or line.box
    below = found_in.rows.below(line, label)
    if spec.kind == "amount" and (alone := found_in.rows.alone_below(line)) is not None and _is_amount(alone.span.text):
        score = _labelled_score("label_below", mention) - _between(spec, line.span.text[mention.end :])
        yield from _in_text(found_in, spec, alone.span, 0, len(alone.span.text), why="label_below", score=score)
        return
    if below is None or _begins_with_label(found_in, below.span):
        return
    if spec.kind == "date" and (_is_column(found_in, below, label) or _heads_a_table(found_in, line)):
        return
    if spec.kind == "amount" and _heads_items(found_in, line, below, label):
        return
    score = _labelled_score("label_below", mention) - (_another_s(found_in, line) if spec.kind == "date" else 0.0)
    for each in _in_text(found_in, spec, below.span, 0, len(below.span.text), why="label_below", score=score):
        if each.box is None or (each.box.left < label.right and label.left < each.box.right):
            yield each


def _is_amount(text: str) -> bool:
    number = numbers.whole_number(text, blanks_group=False)
    return number is not None and number.decimals == 2


def _is_column(found_in: Context, line: Line, label: Box) -> bool:
    """Whether more dates stand one under the other: a table's column is no document's date."""
    following = found_in.rows.below(line, label)
    return following is not None and bool(found_in.dates_in(line.span) and found_in.dates_in(following.span))


def _heads_items(found_in: Context, line: Line, below: Line, label: Box) -> bool:
    """Whether a mere 'Amount' stands behind a quantity's heading and over several amounts: what is below it is the first item's."""
    if len(line.span.words) > 1:
        return False
    before, following = found_in.rows.left_of(line), found_in.rows.below(below, label)
    is_heading = len(before) > 1 and any(_QUANTITY.fullmatch(each.span.text) for each in before)
    return (
        is_heading
        and following is not None
        and _is_amount(following.span.text)
        and following.span.text != below.span.text
    )


def _heads_a_table(found_in: Context, line: Line) -> bool:
    """Whether a mere 'Date' is one of the headings of a table of items."""
    others = (*found_in.rows.left_of(line), *found_in.rows.right_of(line))
    return (
        len(others) >= _HEADINGS and len(line.span.words) == 1 and any(_ITEMS.search(each.span.text) for each in others)
    )


def _labelled_score(why: str, mention: Mention) -> float:
    before = PENALTIES["word_before_label"] * min(mention.before, _WORDS_COUNTED)
    return SOURCES[why] * (0.7 + 0.3 * mention.strength) - before


def _next_label(found_in: Context, span: Span, mention: Mention | None) -> int:
    """Where the next field's label begins in the text, or the end of the text."""
    start = 0 if mention is None else mention.end
    name = None if mention is None else mention.name
    starts = [each.start for each in found_in.mentions_in(span) if each.start >= start and each.name != name]
    return min(starts, default=len(span.text))


def _begins_with_label(found_in: Context, span: Span) -> bool:
    """Whether a field's label stands at the text's beginning, alone or behind its own number: "4 Social security tax withheld"."""
    end = _next_label(found_in, span, None)
    return end < len(span.text) and _NUMBER_OF_A_LABEL.fullmatch(span.text, 0, end) is not None


def strange_words(text: str) -> int:
    """How many words stand there that are neither fillers nor digits, at most a handful."""
    text = text[:_LETTERS_LOOKED_AT]
    if not any(map(str.isalpha, text)):
        return 0
    strange = [token for token in tokenise(text) if token.text.isalpha() and token.text not in _FILLERS]
    return min(len(strange), _WORDS_COUNTED)


def _between(spec: FieldSpec, text: str) -> float:
    """What the words between a label and its value cost."""
    strange = strange_words(text)
    penalty = PENALTIES["word_before_value"] * strange + (PENALTIES["base_of_a_rate"] if _ON.search(text) else 0.0)
    return penalty + (PENALTIES["one_rate"] if strange and spec.kind == "amount" and _RATE.search(text) else 0.0)


# --- values in spans


def in_span(
    found_in: Context, spec: FieldSpec, span: Span, *, why: str, score: float, confidence: float | None
) -> Iterator[Candidate]:
    """The candidates in a span that the engine itself says holds the value; its own score counts a little."""
    score -= PENALTIES["doubtful_engine"] * (1 - (confidence if confidence is not None else 100) / 100)
    if spec.kind == "checkbox" and span.checks:
        state = values.SELECTED if any(span.checks) else values.NOT_SELECTED
        yield Candidate(
            spec.name, state, span.text, span.words, span.page, span.box, why, score, "textract", confidence
        )
        return
    if spec.kind == "signature" and span.checks:
        yield signed(spec, span, why=why, score=score, confidence=confidence)
        return
    found = list(_in_text(found_in, spec, span, 0, len(span.text), why=why, score=score))
    for each in found:
        yield each._replace(source="textract", confidence=confidence)
    if not found and span.text and _may_be_meant(spec, span.text):
        score -= PENALTIES["not_understood"]
        yield Candidate(spec.name, None, span.text, span.words, span.page, span.box, why, score, "textract", confidence)


def signed(spec: FieldSpec, span: Span, *, why: str, score: float, confidence: float | None) -> Candidate:
    """That there is a signature; no words belong to it."""
    return Candidate(spec.name, values.PRESENT, "", (), span.page, span.box, why, score, "textract", confidence)


def _may_be_meant(spec: FieldSpec, text: str) -> bool:
    """Whether a text that holds no value of the kind may be one misread.

    For money a decimal mark must be left of it, for a code a digit; an amount or a date is no code, and neither an amount
    nor "upon receipt" a date.
    """
    if spec.kind == "signature":
        return False
    has_decimals = _MISREAD_DECIMALS.search(text) is not None
    if spec.kind in ("amount", "number", "percent"):
        return has_decimals
    if spec.kind in ("identifier", "tax_id", "iban"):
        return not has_decimals and not dates.find(text) and any(character.isdigit() for character in text)
    return spec.kind != "date" or not (_AT_ONCE.match(text) or _is_money(text))


def _is_money(text: str) -> bool:
    """Whether the text is an amount with its currency: '10.05' may be a day."""
    return bool(numbers.find_currencies(text)) and numbers.whole_number(text) is not None


def _in_text(
    found_in: Context, spec: FieldSpec, span: Span, start: int, end: int, *, why: str, score: float,
    count_words: bool = False,
) -> Iterator[Candidate]:  # fmt: skip
    """The values of the field's kind in a part of a span's text; the likeliest of several amounts is the last."""
    part = span.text[start:end]
    found = values.find_values(part, spec, date_order=found_in.order)
    if spec.kind not in ("amount", "number", "percent"):
        found = found[:1]
    last = max(found, key=lambda each: (_printed_decimals(part, each), each.end), default=None)
    for each in found:
        if spec.finder == "company" and sum(letter.isalpha() for letter in each.value) < _LETTERS_IN_A_NAME:
            continue
        words = words_at(span, start + each.start, start + each.end)
        least = score * each.certainty / 100 - _amount_penalty(spec, part, each, is_last=each is last)
        if not each.value:
            least -= PENALTIES["not_understood"]
        if count_words:
            least -= PENALTIES["word_before_value"] * strange_words(part[: each.start])
        yield Candidate(
            name=spec.name,
            value=each.value or None,
            text=part[each.start : each.end].strip(),
            words=words,
            page=span.page,
            box=box_of(words, span.box),
            why=why,
            score=max(LEAST_SCORE, least),
            source="rule",
            others=each.others,
        )


def _amount_penalty(spec: FieldSpec, part: str, found: values.Found, *, is_last: bool) -> float:
    if spec.kind != "amount":
        return 0.0
    penalty = 0.0 if is_last else PENALTIES["not_the_last_amount"]
    if not _printed_decimals(part, found):
        penalty += PENALTIES["whole_amount"]
    if _ON.search(part, 0, found.start):
        penalty += PENALTIES["base_of_a_rate"]
    if spec.required and found.value.strip("-0.") == "":
        penalty += PENALTIES["zero"]
    elif spec.required and found.value.startswith("-"):
        penalty += PENALTIES["negative"]
    return penalty


def _printed_decimals(part: str, found: values.Found) -> bool:
    return _DECIMALS.search(part[found.start : found.end]) is not None
