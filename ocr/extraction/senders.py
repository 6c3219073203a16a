"""The firm that sent a document on which a receiver is named as well, who may well be the one with a legal form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice

from ocr.extraction.candidates import Candidate, Context
from ocr.extraction.companies import (
    LEGAL_FORM,
    LONGEST_NAME,
    OTHER_HEAD,
    TOP_ROWS,
    Named,
    candidates,
    has_legal_form,
    heads_of,
    is_no_name,
    name_of,
    names,
)
from ocr.extraction.document_types import FieldSpec
from ocr.extraction.rows import Line

_AGAIN = 0.2  # what a name gains that is printed once more, as in a footer or an address on the web
_LEAST_AGAIN = 7  # letters and digits of such a name without its legal form
_BELOW = 0.25  # what a name costs under an address, where the receiver's is to be expected
_IN_THE_FOOTER = 0.6  # what a firm scores that is named there
_WITH_NUMBERS = 0.8  # ... with a sender's numbers beside it
_FOOTER_ROWS = 8
_LEAST_SCORE = 0.4  # of a name that may be the sender's
_MOST_WEIGHED = 6  # the first of them: what stands further down is no sender
_MOST_NAMES = 40  # at the top that are looked at
_MOST_WORDS = 8  # of a firm's name
_TOP_DOMAIN = re.compile(r"(?<=\w)\.\w{2,}\Z")  # 'greenleaf.example'
_OF_A_SENDER = re.compile(
    r"\b(?:iban|kvk|siret|siren|rcs|hrb|fn \d+|bankgiro|org\.?\s?nr|abn|registered|companies house|capital)\b",
    re.IGNORECASE,
)
_NUMBERS_BELOW = 2  # rows under a name that may hold such a number
_BETWEEN = re.compile(r"[\W_]+")
_BANK = re.compile(r"bank|banque|banca|banco|sparkasse|kasse\b|swift|iban", re.IGNORECASE)


def senders(context: Context, spec: FieldSpec) -> Iterator[Candidate]:
    """The names at the top of the first page and in its footer, each with how likely it is the sender's.

    A receiver's name is written once. A sender's stands again in the footer, beside the bank's numbers or in an address on the web.
    """
    rows = context.rows.on_page(1)
    texts = [" ".join(line.span.text for line in row) for row in rows]
    printed = {
        at: _squeezed(text) for at, text in enumerate(texts) if 2 * at >= len(texts) or "@" in text or "www" in text
    }
    at_the_top = [*islice(names(context), _MOST_NAMES)]
    likely = {id(each) for each in [each for each in at_the_top if each.score >= _LEAST_SCORE][:_MOST_WEIGHED]}
    at_the_top = [_weighed(each, texts, printed) if id(each) in likely else each for each in at_the_top]
    yield from candidates(spec, [*_each_firm_once([*at_the_top, *_in_the_footer(rows, texts)])])


def _weighed(named: Named, texts: Sequence[str], printed: Mapping[int, str]) -> Named:
    """With what speaks for and against it."""
    score = named.score - _BELOW * _is_below(named, texts) + _AGAIN * _is_again(named, printed)
    return named._replace(score=score)


def _is_below(named: Named, texts: Sequence[str]) -> bool:
    """Whether it stands under an address, and no number of a sender stands beside it."""
    return named.is_below and not _has_numbers(named.head.line.row, texts)


def _is_again(named: Named, printed: Mapping[int, str]) -> bool:
    core = _core(named)
    return len(core) >= _LEAST_AGAIN and any(core in row for at, row in printed.items() if at != named.head.line.row)


def _each_firm_once(found: Sequence[Named]) -> Iterator[Named]:
    """Without the short names of firms that are named with their legal form elsewhere, which then count as much: 'Hafner' and
    'Hafner IT GmbH'."""
    wholes = [(each, _squeezed(each.name)) for each in found if has_legal_form(each.name)]
    shorts = [
        (each, core)
        for each in found
        if not has_legal_form(each.name) and (core := _squeezed(_TOP_DOMAIN.sub("", each.name)))
    ]
    for each, core in shorts:
        if not any(name.startswith(core) for _, name in wholes):
            yield each
    for each, name in wholes:
        yield each._replace(score=max([each.score, *(short.score for short, core in shorts if name.startswith(core))]))


def _in_the_footer(rows: Sequence[Sequence[Line]], texts: Sequence[str]) -> Iterator[Named]:
    """The firms with a legal form that rows at the bottom begin with; banks are none."""
    last = range(max(TOP_ROWS, len(rows) - _FOOTER_ROWS), len(rows))
    for head in chain.from_iterable(heads_of(rows[row]) for row in last if has_legal_form(texts[row])):
        form = LEGAL_FORM.search(head.text[:LONGEST_NAME])
        name = name_of(head.text[: form.end()].rpartition(":")[2]) if form else ""
        if _may_be_a_firm(name):
            score = _WITH_NUMBERS if _has_numbers(head.line.row, texts) else _IN_THE_FOOTER
            yield Named(head, name, "legal_form", score, is_below=False)


def _has_numbers(row: int, texts: Sequence[str]) -> bool:
    """Whether a number that only a sender prints stands beside a name or right below it."""
    return any(map(_OF_A_SENDER.search, texts[row : row + _NUMBERS_BELOW + 1]))


def _may_be_a_firm(name: str) -> bool:
    """Whether the words up to a legal form are a name, and no sentence, bank, place or number."""
    other = any(map(str.isdigit, name)) or is_no_name(name) or _BANK.search(name) or OTHER_HEAD.search(name)
    in_alberta = name.isupper() and name.endswith(" AB")
    return 0 < len(name.split()) <= _MOST_WORDS and not other and "@" not in name and not in_alberta


def _core(named: Named) -> str:
    name = named.name
    return _squeezed(LEGAL_FORM.sub("", name) if has_legal_form(name) else name)


def _squeezed(text: str) -> str:
    return _BETWEEN.sub("", text.casefold())
