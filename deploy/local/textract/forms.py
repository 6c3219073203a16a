"""Labels and the values that belong to them, found by where they stand."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from deploy.local.textract import labels
from deploy.local.textract.boxes import numbered
from deploy.local.textract.checkboxes import find_checkboxes
from deploy.local.textract.columns import captioned, entries, headed, listed, parted
from deploy.local.textract.following import with_following_lines
from deploy.local.textract.framed import cut, framed, in_panels
from deploy.local.textract.layout import Box, Placed, Row, Segment, Sheet
from deploy.local.textract.lined import lined
from deploy.local.textract.naming import glued, labels_in, leader_of
from deploy.local.textract.pairing import (
    Candidate,
    Label,
    is_colon,
    is_hint,
    is_phrase,
    said,
)
from deploy.local.textract.ruled import filled_in, inside_filled_in, ruled_columns, ruled_lists, signed_above
from deploy.local.textract.search import Search
from deploy.local.textract.stacked import stacked
from deploy.local.textract.tables import is_heading
from deploy.local.textract.underlined import underlined

EMPTY = 0.7


@dataclass(frozen=True, slots=True)
class Pair:
    """A label and its value (which may be empty); `confidence` in percent for both together."""

    key: tuple[Placed, ...]
    value: tuple[Placed, ...]
    confidence: float

    @property
    def key_text(self) -> str:
        return " ".join(word.text for word in self.key)

    @property
    def value_text(self) -> str:
        return " ".join(word.text for word in self.value)


def find_pairs(sheet: Sheet, *, apart: frozenset[int] = frozenset()) -> list[Pair]:
    """The labels of a page with the one value that fits each best, in reading order.

    `apart` are numbers of words that belong elsewhere (the items of an invoice) and are left alone.
    The confidence is the least certain word's, lowered by how doubtful the pairing is: a colon with its value on the
    same line counts nearly in full, a value found below a label much less.
    """
    kept = (kept for row in sheet.rows if (kept := _without(row, apart)))
    rows = parted(in_panels(cut([glued(row) for row in kept], sheet), sheet.inside))
    inside = inside_filled_in(rows, sheet)
    ticked = frozenset(word.index for each in find_checkboxes(sheet) for word in each.label)
    leader = leader_of(rows)
    found = [
        label
        for number, row in enumerate(rows)
        for segment in row
        for label in labels_in(segment, number, heading=is_heading(row), inside=inside, leader=leader)
    ]
    chosen = _chosen(
        each
        for each in _candidates(sheet, rows, found, ticked)
        if not (each.value and _is_label_or_number(each.value))
        and ticked.isdisjoint(word.index for word in (*each.label.words, *each.value))
    )
    chosen += _left_empty(found, chosen)
    chosen = with_following_lines(chosen, rows, sheet, frozenset(_words_of(found)) | ticked)
    used = {word.index for candidate in chosen for word in (*candidate.label.words, *candidate.value)}
    pairs = [_pair(_with_other_line(candidate, rows, used, sheet.line_height)) for candidate in chosen]
    return sorted(pairs, key=lambda pair: pair.key[0].index)


def _candidates(
    sheet: Sheet, rows: Sequence[Row], found: Sequence[Label], ticked: frozenset[int]
) -> Iterator[Candidate]:
    """All that may be pairs: captions of boxes have no value elsewhere, and the names and entries of columns are no values."""
    height = sheet.line_height
    in_cells = list(framed(rows, sheet))
    boxes = [*in_cells, *numbered(rows, _words_of(found), height)]
    columns = list(headed(rows, height))
    lines = lined(rows, sheet)
    captions, names = (_words_of(each.label for each in some) for some in ((*boxes, *lines), columns))
    filled = {word.index for each in (*in_cells, *lines) for word in each.value}
    search = Search(sheet, rows, found, ticked)
    placed = (each for label in found for each in search.candidates(label))
    apart = names | entries(rows, height)
    others = chain(
        (each for each in placed if each.label.colon or apart.isdisjoint(word.index for word in each.value)),
        (each for each in listed(rows, height) if apart.isdisjoint(word.index for word in each.value)),
        filled_in(rows, sheet),
        ruled_columns(rows, sheet),
        ruled_lists(rows, sheet),
        signed_above(rows, sheet),
        underlined(rows, sheet),
        stacked(rows, height),
        columns,
        captioned(rows, height),
    )
    for each in others:
        taken = not captions.isdisjoint(word.index for word in each.label.words)
        if not taken and filled.isdisjoint(word.index for word in (*each.label.words, *each.value)):
            yield each
    yield from boxes
    yield from lines


def _words_of(found: Iterable[Label]) -> set[int]:
    return {word.index for label in found for word in label.words}


def _left_empty(found: Sequence[Label], chosen: Sequence[Candidate]) -> list[Candidate]:
    """Labels with a colon behind which nothing stands."""
    answered = {id(candidate.label) for candidate in chosen}
    used = {word.index for candidate in chosen for word in (*candidate.label.words, *candidate.value)}
    blank = (label for label in found if label.colon and label.last and id(label) not in answered)
    return [Candidate(label, (), EMPTY) for label in blank if used.isdisjoint(word.index for word in label.words)]


def _with_other_line(candidate: Candidate, rows: Sequence[Row], used: set[int], height: float) -> Candidate:
    """The candidate with the first line of a label that begins in the middle ("Pay to the / order of:"), or the hint under it."""
    label = candidate.label
    if not label.colon:
        return candidate
    above, below = ((row for row in rows[n : n + 1]) for n in (label.row - 1, label.row + 1))
    before = next((s.words for row in above if label.row for s in row if _goes_before(s, label, height)), ())
    after = next(
        (s.words for row in below for s in row if is_hint(s.words) and _is_beside(label.box, s.box, height)), ()
    )
    free = [words for words in (before, after) if words and used.isdisjoint(word.index for word in words)]
    used.update(word.index for words in free for word in words)
    whole = (*(before if before in free else ()), *label.words, *(after if after in free else ()))
    return replace(candidate, label=replace(label, words=whole))


def _goes_before(segment: Segment, label: Label, height: float) -> bool:
    """Whether the segment above a label is its first line: the label begins with a small letter, or closes a bracket of it."""
    if not _is_beside(segment.box, label.box, height) or is_colon(segment.words[-1].text):
        return False
    open_, closed = (said(words).count("(") - said(words).count(")") for words in (segment.words, label.words))
    begins = label.kind is not None or not label.words[0].text[0].islower()  # "cc:" is a label of its own
    return (open_ > 0 > closed) or (is_phrase(segment) and not begins)


def _is_beside(above: Box, below: Box, height: float) -> bool:
    """Whether one line begins below the other and follows it closely."""
    return abs(above.left - below.left) <= 0.7 * height and -0.5 * height <= below.top - above.bottom <= 0.5 * height


def _pair(candidate: Candidate) -> Pair:
    lowest = min(word.confidence for word in (*candidate.label.words, *candidate.value))
    return Pair(candidate.label.words, candidate.value, lowest * candidate.margin)


def _chosen(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The surest candidates first; no word serves twice, no label gets two values unless it heads them."""
    used: set[int] = set()
    heading: dict[int, Label] = {}
    chosen = []
    for candidate in sorted(candidates, key=lambda c: (-c.margin, c.label.words[0].index)):
        label = {word.index for word in candidate.label.words}
        value = {word.index for word in candidate.value}
        free = not label & used or (candidate.label.heads and all(heading.get(n) is candidate.label for n in label))
        if free and not value & used:
            used |= label | value
            heading.update(dict.fromkeys(label, candidate.label))
            chosen.append(candidate)
    return chosen


def _without(row: Row, apart: frozenset[int]) -> Row:
    kept = (tuple(word for word in segment.words if word.index not in apart) for segment in row)
    return tuple(Segment(words) for words in kept if words)


def _is_label_or_number(words: Sequence[Placed]) -> bool:
    """Whether the words are no value, but a label ("Recommendations:") or the number of one ("1.")."""
    if not any(c.isalnum() for c in said(words)):
        return True
    return is_colon(words[-1].text) or (len(words) == 1 and labels.ENUMERATOR.match(words[0].text) is not None)
