"""Labels and the values that belong to them, found by where they stand."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise, takewhile

from deploy.local.textract import labels
from deploy.local.textract.boxes import numbered
from deploy.local.textract.columns import captioned, entries, headed, listed, parted
from deploy.local.textract.layout import Box, Placed, Row, Segment, Sheet, around
from deploy.local.textract.pairing import (
    FAR,
    LONGEST_KEY,
    LONGEST_WITH_COLON,
    NEAR,
    Candidate,
    Label,
    centred,
    is_colon,
    is_hint,
    is_phrase,
    said,
    says_something,
)
from deploy.local.textract.ruled import filled_in, inside_filled_in, ruled_columns, ruled_lists, signed_above
from deploy.local.textract.tables import is_heading

# How sure a pairing is, before the reading of its words is looked at.
SAME_LINE = 0.99
FAR_COLON = 0.96
KNOWN_LABEL_FITTING = 0.96
KNOWN_LABEL = 0.88
KNOWN_LABEL_TEXT = 0.82
BELOW_FITTING = 0.9
BELOW_COLON = 0.86
BELOW = 0.78
INDENTED = 0.76
EMPTY = 0.7

WIDE = 1.8
"""Heights that the words of a label we know may stand apart, as on receipts in wide letters."""

PROSE, PROSE_SLACK = 5, 2.0
"""Words of a value from which on it may be a text of several lines, and the ragged edge of these in line heights."""

LONGEST_BELOW = 10
"""Words that a value below a label without a colon has at most in its first line."""

LONGEST_LED, LEADERS = 4, 2
"""Words of a label from which dashes or dots lead to its value, and how many such make a single dash one too."""

_LEADER = re.compile(r"(?:-{2,}|–{2,}|—{2,}|\.{3,}|…|_{3,})$")
_LEADER_OR_DASH = re.compile(rf"{_LEADER.pattern}|[-–—]$")
_STRICT = (labels.MONEY, labels.DATE, labels.NUMBER)


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
    rows = parted([_glued(kept) for row in sheet.rows if (kept := _without(row, apart))])
    inside = inside_filled_in(rows, sheet)
    leader = _leader_of(rows)
    found = [
        label
        for number, row in enumerate(rows)
        for segment in row
        for label in _labels(segment, number, heading=is_heading(row), inside=inside, leader=leader)
    ]
    chosen = _chosen(each for each in _candidates(sheet, rows, found) if not _is_label_or_number(each.value))
    chosen += _left_empty(found, chosen)
    used = {word.index for candidate in chosen for word in (*candidate.label.words, *candidate.value)}
    pairs = [_pair(_with_other_line(candidate, rows, used, sheet.line_height)) for candidate in chosen]
    return sorted(pairs, key=lambda pair: pair.key[0].index)


def _candidates(sheet: Sheet, rows: Sequence[Row], found: Sequence[Label]) -> Iterator[Candidate]:
    """All that may be pairs: captions of boxes have no value elsewhere, and the names and entries of columns are no values."""
    height = sheet.line_height
    boxes = list(numbered(rows, _words_of(found), height))
    columns = list(headed(rows, height))
    captions, names = (_words_of(each.label for each in some) for some in (boxes, columns))
    search = _Search(sheet, rows, found)
    placed = (each for label in found for each in search.candidates(label))
    apart = names | entries(rows, height)
    others = chain(
        (each for each in placed if each.label.colon or apart.isdisjoint(word.index for word in each.value)),
        (each for each in listed(rows, height) if apart.isdisjoint(word.index for word in each.value)),
        filled_in(rows, sheet),
        ruled_columns(rows, sheet),
        ruled_lists(rows, sheet),
        signed_above(rows, sheet),
        columns,
        captioned(rows, height),
    )
    yield from (each for each in others if captions.isdisjoint(word.index for word in each.label.words))
    yield from boxes


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


def _glued(row: Row) -> Row:
    """The row with what ends a label joined to it where that stands alone, and labels we know whose words stand far apart.

    A "$" that a label seems to end with belongs to the amount behind it.
    """
    segments: list[Segment] = []
    for segment in row:
        before = segments[-1] if segments else None
        if before and (_ends_label(before, segment) or _is_one_label(before, segment)):
            segments[-1] = Segment(before.words + segment.words)
        elif before and _lends_its_sign(before, segment):
            segments[-1] = Segment(before.words[:-1])
            segments.append(Segment((before.words[-1], *segment.words)))
        else:
            segments.append(segment)
    return tuple(segments)


def _ends_label(before: Segment, segment: Segment) -> bool:
    """Whether the segment begins with the colon, or is the "#", of the label before it."""
    if segment.text == "#":
        return any(c.isalpha() for c in before.words[-1].text) and not is_colon(before.words[-1].text)
    return segment.words[0].text in (":", "=") and not is_colon(before.words[-1].text)


def _lends_its_sign(before: Segment, segment: Segment) -> bool:
    alone = len(before.words) > 1 and before.words[-1].text in ("$", "€", "£", "¥", "₹")
    return alone and labels.fits(segment.text, labels.MONEY)


def _is_one_label(before: Segment, segment: Segment) -> bool:
    """Whether both together are a label we know whose words are wide apart."""
    near = segment.box.left - before.box.right <= WIDE * min(before.box.height, segment.box.height)
    return near and labels.plain(f"{before.text} {segment.text}") in labels.KINDS


def _labels(
    segment: Segment, row: int, *, heading: bool, inside: frozenset[int], leader: re.Pattern[str]
) -> Iterator[Label]:
    words = segment.words
    ends = [is_colon(word.text) or _is_number_sign(words, index) for index, word in enumerate(words)]
    colons = [index for index, word in enumerate(words) if ends[index] and word.index not in inside]
    if not colons:
        if not heading:
            yield from _led(words, row, leader) or _known_label(words, row)
        return
    starts = []
    for order, colon in enumerate(colons):
        floor = colons[order - 1] + 1 if order else 0
        starts.append(_key_start(words, floor, colon, first=order == 0))
    for order, (start, colon) in enumerate(zip(starts, colons, strict=True)):
        key = words[start : colon + 1]
        end = starts[order + 1] if order + 1 < len(starts) else len(words)
        if len(key) <= LONGEST_WITH_COLON and says_something(key):
            kind = labels.kind_of(" ".join(word.text for word in key))
            yield Label(key, words[colon + 1 : end], kind, colon=True, row=row, last=order + 1 == len(colons))


def _leader_of(rows: Sequence[Row]) -> re.Pattern[str]:
    """What leads from a label to its value: dashes or dots, and where a page has several of them a single dash too."""
    found = sum(_LEADER.search(word.text) is not None for row in rows for segment in row for word in segment.words)
    return _LEADER_OR_DASH if found >= LEADERS else _LEADER


def _led(words: tuple[Placed, ...], row: int, leader: re.Pattern[str]) -> list[Label]:
    """The label that begins the segment and from which dashes or dots lead on: "Tear tape ---- gold"."""
    at = next((n for n, word in enumerate(words[: LONGEST_LED + 1]) if leader.search(word.text)), None)
    if at is None or not words[0].text[0].isupper():
        return []
    bare = not any(c.isalnum() for c in words[at].text)
    key = words[: at if bare else at + 1]
    if not key or not says_something(key):
        return []
    return [
        Label(key, words[at + 1 :], labels.kind_of(" ".join(word.text for word in key)), colon=True, row=row, last=True)
    ]


def _is_number_sign(words: Sequence[Placed], index: int) -> bool:
    """Whether a label ends there with "#" and its number follows: "TE# 20"."""
    return words[index].text.endswith("#") and any(
        c.isdigit() for word in words[index + 1 : index + 2] for c in word.text
    )


def _is_label_or_number(words: Sequence[Placed]) -> bool:
    """Whether the words are no value, but a label ("Recommendations:") or the number of one ("1.")."""
    if not any(c.isalnum() for c in said(words)):
        return True
    return is_colon(words[-1].text) or (len(words) == 1 and labels.ENUMERATOR.match(words[0].text) is not None)


def _key_start(words: Sequence[Placed], floor: int, colon: int, *, first: bool) -> int:
    """Where the label that ends at `colon` begins: the longest label we know, else all (or, further on, one word)."""
    end = colon if words[colon].text in (":", "=", "#") else colon + 1
    for start in range(max(floor, end - labels.LONGEST), end):
        if _opens_label(words[start].text) and labels.kind_of(" ".join(word.text for word in words[start:end])):
            # At the start of a segment a few words more belong to the label: "Our invoice number:".
            opens = _opens_label(words[floor].text)
            return floor if first and opens and end - floor <= LONGEST_KEY - 2 else start
    if not first:
        return max(floor, end - 1)
    # Bullets, numbers and dates before a label are not part of it ("- 3. 11/16 New balance:"), a sign is: "% white =".
    start = next((n for n in range(floor, end) if _opens_label(words[n].text)), floor)
    return start - 1 if start > floor and words[start - 1].text in ("%", "#") else start


def _opens_label(text: str) -> bool:
    return text[:1].isalpha() or (text[:1] == "(" and text[1:2].isalpha())


def _known_label(words: Sequence[Placed], row: int) -> Iterator[Label]:
    """A segment without a colon that begins with a label we know: "TOTAL INCL GST 9.00", "Invoice No 123"."""
    for length in range(min(labels.LONGEST, len(words)), 0, -1):
        kind = labels.kind_of(" ".join(word.text for word in words[:length]))
        if kind is None or not says_something(words[:length]):
            continue
        key, rest = _with_qualifiers(words, length) if kind == labels.MONEY else (words[:length], words[length:])
        value_text = " ".join(word.text for word in rest)
        if len(key) <= LONGEST_KEY and (not rest or (kind in _STRICT and labels.fits_at_once(value_text, kind))):
            yield Label(tuple(key), tuple(rest), kind, colon=False, row=row, last=True)
        return


def _with_qualifiers(words: Sequence[Placed], length: int) -> tuple[Sequence[Placed], Sequence[Placed]]:
    """The label with what narrows it ("TOTAL (incl. GST 6%)"), and the amount after it."""
    end = length
    while end < len(words):
        text = words[end].text
        rate = text.endswith("%") or "%)" in text or text.startswith("@")
        if not rate and not all(part in labels.QUALIFIERS for part in labels.plain(text).split()):
            break
        if labels.CURRENCY_WORD.match(text) and end + 1 < len(words) and labels.fits(words[end + 1].text, labels.MONEY):
            break
        end += 1
    return words[:end], words[end:]


class _Search:
    """Where the value of a label may stand: after it, to its right, or below."""

    def __init__(self, sheet: Sheet, rows: Sequence[Row], found: Sequence[Label]) -> None:
        self._sheet, self._rows = sheet, rows
        self._labelled = {word.index for label in found for word in label.words}
        self._written_upon = set(sheet.upon.values())
        self._row_of = {word.index: n for n, row in enumerate(rows) for segment in row for word in segment.words}

    def candidates(self, label: Label) -> Iterator[Candidate]:
        if label.rest:
            yield from self._inside(label)
            return
        if not label.last or self._left_blank(label):
            return
        yield from self._right(label)
        yield from self._below(label)

    def _left_blank(self, label: Label) -> bool:
        """Whether a ruled line follows the label on which nothing stands: its value is not filled in."""
        box, height = label.box, self._sheet.line_height
        for number, stroke in enumerate(self._sheet.strokes):
            beside = -0.6 * height <= stroke.left - box.right <= 2.5 * height
            level = -0.5 * box.height <= stroke.top - box.bottom <= 0.5 * box.height
            if beside and level and number not in self._written_upon:
                return True
        return False

    def _inside(self, label: Label) -> Iterator[Candidate]:
        value = label.rest
        if label.kind == labels.LINES and label.last:
            value = value + self._continued(label, value)
        elif label.last:
            value = value + self._amount_after_currency(label, value)
            value = value + self._upon_the_same(label, value)
            if label.colon and label.kind not in _STRICT:
                value = value + (self._wrapped(label, value) or self._paragraph(value, label.row, label.box.left))
        if any(c.isalnum() for word in value for c in word.text):
            yield Candidate(label, value, self._margin(label, value, known=KNOWN_LABEL_FITTING))

    def _upon_the_same(self, label: Label, value: tuple[Placed, ...]) -> tuple[Placed, ...]:
        """What stands further on upon the ruled line that the value stands upon."""
        stroke = self._sheet.upon.get(value[-1].index)
        if stroke is None:
            return ()
        following = self._segments_right_of(label, value[-1].box)
        words = (word for segment in following for word in segment.words)
        return tuple(takewhile(lambda word: self._sheet.upon.get(word.index) == stroke, words))

    def _amount_after_currency(self, label: Label, value: tuple[Placed, ...]) -> tuple[Placed, ...]:
        """The amount that stands apart from its currency: "Total: RM      9.00"."""
        if len(value) == 1 and labels.CURRENCY_WORD.match(value[0].text):
            for segment in self._segments_right_of(label, value[-1].box):
                if labels.fits(segment.text, labels.MONEY):
                    return segment.words
                break
        return ()

    def _segments_right_of(self, label: Label, box: Box) -> Iterator[Segment]:
        for segment in self._rows[label.row]:
            if segment.box.left >= box.right - 1:
                if segment.words[0].index in self._labelled:
                    return
                yield segment

    def _right(self, label: Label) -> Iterator[Candidate]:
        segments = list(self._segments_right_of(label, label.box))
        if not segments:
            return
        value = self._chosen_on_the_right(label, segments)
        if not value or not self._acceptable(label, value):
            return
        gap = (value[0].box.left - label.box.right) / self._sheet.line_height
        margin = self._margin(label, value, known=KNOWN_LABEL_FITTING)
        yield Candidate(label, value, margin if gap <= NEAR else margin * FAR_COLON)

    def _chosen_on_the_right(self, label: Label, segments: Sequence[Segment]) -> tuple[Placed, ...]:
        if label.kind == labels.MONEY:
            return _amount(segments)
        words = _before_label(segments[0].words, self._labelled)
        for segment in segments[1:]:
            # A value in two pieces: they stand closer together than two columns would.
            if not words or segment.box.left - words[-1].box.right > 1.6 * self._sheet.line_height:
                break
            words = words + _before_label(segment.words, self._labelled)
        if words and label.kind == labels.LINES:
            words = words + self._continued(label, words)
        elif words and label.colon and label.kind not in _STRICT:
            words = words + (self._wrapped(label, words) or self._paragraph(words, label.row, label.box.left))
        return words

    def _wrapped(self, label: Label, value: Sequence[Placed]) -> tuple[Placed, ...]:
        """Lines that go on under a value beside its label: nothing stands left of them, under the label."""
        more: list[Placed] = []
        box, height = around(word.box for word in value), self._sheet.line_height
        for row in self._rows[label.row + 1 : label.row + 6]:
            next_ = next((each for each in row if abs(each.box.left - box.left) <= 0.7 * height), None)
            before = [each for each in row if next_ and each.box.right <= next_.box.left + 1]
            if next_ is None or next_.words[0].index in self._labelled or next_.box.top - box.bottom > 0.5 * height:
                break
            if before and before[-1].box.right > label.box.left:
                break
            more += next_.words
            box = next_.box
        return tuple(more)

    def _paragraph(self, value: tuple[Placed, ...], row: int, left: float) -> tuple[Placed, ...]:
        """The rest of a text that goes on to the end of its row and on the next ones, which begin at `left`.

        A line goes on where the first word of the next one had no more room behind it.
        """
        if len(value) < PROSE:
            return ()
        lines = [[word for segment in self._rows[row] for word in segment.words if word.box.left >= value[0].box.left]]
        if not self._is_text(lines[0]):
            return ()
        for following in self._rows[row + 1 : row + 12]:
            words = [word for segment in following for word in segment.words]
            above, under = around(word.box for word in lines[-1]), around(word.box for word in words)
            near = under.top - above.bottom <= 0.6 * self._sheet.line_height
            begins = abs(under.left - left) <= 1.5 * self._sheet.line_height
            if not (near and begins and self._is_text(words)):
                break
            lines.append(words)
        limit = max(line[-1].box.right for line in lines) - PROSE_SLACK * self._sheet.line_height
        more = takewhile(lambda two: two[0][-1].box.right + two[1][0].box.width > limit, pairwise(lines))
        return tuple(word for line in (lines[0][len(value) :], *(after for _, after in more)) for word in line)

    def _is_text(self, words: Sequence[Placed]) -> bool:
        """Whether no label is among the words, and no wide blank."""
        wide = any(right.box.left - left.box.right > 2 * self._sheet.line_height for left, right in pairwise(words))
        return not wide and self._labelled.isdisjoint(word.index for word in words)

    def _acceptable(self, label: Label, value: Sequence[Placed]) -> bool:
        text = " ".join(word.text for word in value)
        if label.colon:
            return any(c.isalnum() for c in text)
        # A row of many short texts is the heading of a list rather than a label with its value.
        near = value[0].box.left - label.box.right <= NEAR * self._sheet.line_height
        beside = near and len(self._rows[label.row]) <= 4
        return labels.fits(text, label.kind or labels.TEXT) and (label.kind in _STRICT or beside)

    def _below(self, label: Label) -> Iterator[Candidate]:
        segment = self._segment_below(label.box, label.row)
        if segment is None:
            yield from self._indented(label)
            return
        value = _before_label(segment.words, self._labelled)
        if not value:
            return
        text = " ".join(word.text for word in value)
        fitting = label.kind in _STRICT and labels.fits(text, label.kind)
        if label.kind in _STRICT and not fitting:
            return
        if label.kind == labels.LINES:
            value = value + self._continued(label, value)
        elif label.colon and not fitting:
            row = self._row_of[value[0].index]
            value = value + self._paragraph(value, row, value[0].box.left)
        if fitting:
            yield Candidate(label, value, BELOW_FITTING)
        elif label.colon:
            yield Candidate(label, value, BELOW_COLON)
        elif label.kind in (labels.LINES, labels.TEXT) and len(segment.words) <= LONGEST_BELOW:
            yield Candidate(label, value, BELOW)

    def _indented(self, label: Label) -> Iterator[Candidate]:
        """Text right below a label and further to the right; the label has a colon or is known, and its row to itself."""
        if not (label.colon or label.kind in (labels.TEXT, labels.LINES)) or len(self._rows[label.row]) > 1:
            return
        box, height = label.box, self._sheet.line_height
        text: list[Placed] = []
        for row in self._rows[label.row + 1 : label.row + 6]:
            under = row[0].box
            words = [word for segment in row for word in segment.words]
            if not self._labelled.isdisjoint(word.index for word in words):
                break
            if any(right.box.left - left.box.right > 2 * height for left, right in pairwise(row)):
                break
            if under.top - box.bottom > 0.9 * height or not 0 < under.left - label.box.left <= FAR * height:
                break
            text += words
            box = under
        if text:
            yield Candidate(label, tuple(text), INDENTED)

    def _segment_below(self, box: Box, row: int) -> Segment | None:
        """The nearest segment under `box` that begins with it or stands centred under it."""
        height = self._sheet.line_height
        for below in self._rows[row + 1 : row + 4]:
            for segment in below:
                under = segment.box
                close = -0.4 * height <= under.top - box.bottom <= 1.3 * height
                aligned = abs(under.left - box.left) <= 1.5 * height or centred(box, under)
                if close and aligned:
                    return None if segment.words[0].index in self._labelled else segment
        return None

    def _continued(self, label: Label, value: Sequence[Placed]) -> tuple[Placed, ...]:
        """Up to five more lines of an address: each begins where the one before begins and follows it closely."""
        row_of = self._row_of
        box, row = around(word.box for word in value), row_of.get(value[0].index, label.row)
        more: list[Placed] = []
        for _ in range(5):
            segment = self._segment_below(box, row)
            if segment is None or abs(segment.box.left - box.left) > 1.2 * self._sheet.line_height:
                break
            if self._answers_another(segment, row_of[segment.words[0].index]):
                break
            more += segment.words
            box, row = segment.box, row_of[segment.words[0].index]
        return tuple(more)

    def _answers_another(self, segment: Segment, row: int) -> bool:
        """Whether another label stands before it in its row: "To: Ada" above "From: Ben"."""
        before = [each for each in self._rows[row] if each.box.right <= segment.box.left]
        return bool(before) and before[-1].words[-1].index in self._labelled

    @staticmethod
    def _margin(label: Label, value: Sequence[Placed], *, known: float) -> float:
        text = " ".join(word.text for word in value)
        if label.colon and (label.kind not in _STRICT or labels.fits(text, label.kind)):
            return SAME_LINE
        if label.colon:
            return KNOWN_LABEL
        return known if label.kind in _STRICT and labels.fits(text, label.kind) else KNOWN_LABEL_TEXT


def _before_label(words: Sequence[Placed], labelled: set[int]) -> tuple[Placed, ...]:
    return tuple(takewhile(lambda word: word.index not in labelled, words))


def _amount(segments: Sequence[Segment]) -> tuple[Placed, ...]:
    """The amount among the segments right of a money label: the last with decimals if any has them, its currency before it."""
    fitting: list[int] = []
    for number, segment in enumerate(segments):
        if labels.fits(segment.text, labels.MONEY):
            fitting.append(number)
        elif fitting and says_something(segment.words) and not labels.CURRENCY_WORD.match(segment.text):
            break  # what stands behind words is theirs
    if not fitting:
        return ()
    chosen = next((n for n in reversed(fitting) if labels.DECIMALS.search(segments[n].text)), fitting[0])
    before = segments[chosen - 1] if chosen else None
    if before and labels.CURRENCY_WORD.match(before.text):
        return before.words + segments[chosen].words
    return segments[chosen].words
