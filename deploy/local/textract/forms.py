"""Labels and the values that belong to them, found by where they stand."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile, zip_longest

from deploy.local.textract import labels
from deploy.local.textract.layout import Box, Placed, Row, Segment, Sheet, around
from deploy.local.textract.tables import is_heading

LONGEST_KEY, LONGEST_WITH_COLON = 7, 10
"""Words that a label has at most; a colon makes a longer one believable."""
NEAR = 6.0
"""Line heights between a label and a value on the same row that still count as side by side."""

FAR = 20.0
"""The same for a value that stands upon a ruled line, as filled-in values do."""

# How sure a pairing is, before the reading of its words is looked at.
SAME_LINE = 0.99
FAR_COLON = 0.96
KNOWN_LABEL_FITTING = 0.96
KNOWN_LABEL = 0.88
KNOWN_LABEL_TEXT = 0.82
FILLED_IN = 0.93
FILLED_IN_FAR = 0.87
LISTED = 0.74
HEADED = 0.72
COLUMN = 0.76
CAPTIONED = 0.8
SMALL, LARGER = 0.85, 1.3
"""How tall a caption is at most, in line heights, and how much taller the letters under it are at least."""
BELOW_FITTING = 0.9
BELOW_COLON = 0.86
BELOW = 0.78
INDENTED = 0.76
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


@dataclass(frozen=True, slots=True)
class _Label:
    words: tuple[Placed, ...]
    rest: tuple[Placed, ...]
    """Words after the label in its own segment, up to the next label."""
    kind: str | None
    colon: bool
    row: int
    last: bool
    """Whether no other label follows in the segment."""
    heads: bool = False
    """Whether it heads a column or a list, each entry of which is a value of its own."""

    @property
    def box(self) -> Box:
        return around(word.box for word in self.words)


_Unit = tuple[int, Segment, Segment]
"""A row's number and two of its segments side by side."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    label: _Label
    value: tuple[Placed, ...]
    margin: float


def find_pairs(sheet: Sheet, *, apart: frozenset[int] = frozenset()) -> list[Pair]:
    """The labels of a page with the one value that fits each best, in reading order.

    `apart` are numbers of words that belong elsewhere (the items of an invoice) and are left alone.
    The confidence is the least certain word's, lowered by how doubtful the pairing is: a colon with its value on the
    same line counts nearly in full, a value found below a label much less.
    """
    rows = [_glued(_without(row, apart)) for row in sheet.rows]
    inside = _inside_filled_in(rows, sheet)
    found = [
        label
        for number, row in enumerate(rows)
        for segment in row
        for label in _labels(segment, number, heading=is_heading(row), inside=inside)
    ]
    search = _Search(sheet, rows, found)
    candidates = [candidate for label in found for candidate in search.candidates(label)]
    candidates += _filled_in(rows, sheet)
    candidates += _listed(rows, sheet.line_height)
    candidates += _ruled_columns(rows, sheet)
    candidates += _headed(rows, sheet.line_height)
    candidates += _captioned(rows, sheet.line_height)
    chosen = _chosen(each for each in candidates if not _is_label_or_number(each.value))
    answered = {id(candidate.label) for candidate in chosen}
    used = {word.index for candidate in chosen for word in (*candidate.label.words, *candidate.value)}
    for label in found:
        blank = label.colon and label.last and id(label) not in answered
        if blank and not used & {word.index for word in label.words}:
            chosen.append(_Candidate(label, (), EMPTY))
    pairs = [_pair(candidate) for candidate in chosen]
    return sorted(pairs, key=lambda pair: pair.key[0].index)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Words of a row that follow one another and all stand upon the same stroke, or upon none."""

    words: tuple[Placed, ...]
    stroke: int | None

    @property
    def box(self) -> Box:
        return around(word.box for word in self.words)


def _pieces(row: Row, sheet: Sheet) -> list[_Piece]:
    """The row cut where words begin or cease to stand upon a stroke; a "$" alone goes with what follows it."""
    pieces: list[_Piece] = []
    for segment in row:
        begins = True
        for word in segment.words:
            stroke = sheet.upon.get(word.index)
            last = pieces[-1] if pieces else None
            same = last is not None and last.stroke == stroke and (stroke is not None or not begins)
            if last and (same or (stroke is not None and labels.CURRENCY_WORD.match(_said(last.words)))):
                pieces[-1] = _Piece((*last.words, word), stroke)
            else:
                pieces.append(_Piece((word,), stroke))
            begins = False
    return pieces


def _filled_in(rows: Sequence[Row], sheet: Sheet) -> Iterator[_Candidate]:
    """What stands upon a ruled line belongs to the words before the line, which stand upon none, or one of their own.

    Of several numbers side by side, each upon its line, each is a value of the label before them: "12/yr  162  53%".
    """
    for number, row in enumerate(rows):
        yield from _filled_in_row(number, _pieces(row, sheet), rows[number + 1 : number + 6], sheet)


def _filled_in_row(
    number: int, pieces: Sequence[_Piece], following: Sequence[Row], sheet: Sheet
) -> Iterator[_Candidate]:
    label: _Label | None = None
    for place, (before, value) in enumerate(pairwise(pieces)):
        if value.stroke is None or not any(c.isalnum() for c in _said(value.words)):
            label = None
            continue
        if label is not None and not _says_something((*before.words, *value.words)):
            yield _Candidate(label, value.words, FILLED_IN_FAR)
            continue
        key = _key_before(value, pieces, place, sheet)
        label = _filled_label(key, number) if key else None
        if label is None:
            continue
        words = (*value.words, *_rest(value, pieces[place + 2 :], sheet.line_height))
        words += _going_on(following, sheet, value.box, label.box)
        near = _blank_before(value, before, sheet) <= NEAR * sheet.line_height
        yield _Candidate(label, words, FILLED_IN if near else FILLED_IN_FAR)


def _filled_label(key: tuple[Placed, ...], row: int) -> _Label:
    return _Label(key, (), None, colon=_is_colon(key[-1].text), row=row, last=True, heads=True)


def _key_before(value: _Piece, pieces: Sequence[_Piece], place: int, sheet: Sheet) -> tuple[Placed, ...]:
    """The words of the piece at `place` that name the value behind it; none where it is no label."""
    before = pieces[place]
    key = before.words[_after_last_colon(before.words) :]
    colon = _is_colon(key[-1].text)
    longest = LONGEST_WITH_COLON if colon else LONGEST_KEY
    if len(key) > longest or not _says_something(key) or _blank_before(value, before, sheet) > FAR * sheet.line_height:
        return ()
    if colon:
        return key
    if before.stroke is not None and not any(c.isdigit() for c in _said(value.words)):
        return ()
    return () if key[-1].text.endswith(",") or _runs_on(pieces, place, sheet.line_height) else key


def _blank_before(value: _Piece, before: _Piece, sheet: Sheet) -> float:
    """How far the value, or the line that it stands upon, begins behind the piece before it."""
    assert value.stroke is not None
    return min(value.box.left, sheet.strokes[value.stroke].left) - before.box.right


def _runs_on(pieces: Sequence[_Piece], place: int, height: float) -> bool:
    """Whether a piece stands in the middle of what is filled in, where the line under it is broken: it is no label."""
    before = pieces[place - 1] if place else None
    if before is None or before.stroke is None:
        return False
    here, after = pieces[place], pieces[place + 1]
    return max(here.box.left - before.box.right, after.box.left - here.box.right) <= 0.9 * height


def _rest(value: _Piece, following: Sequence[_Piece], height: float) -> tuple[Placed, ...]:
    """A word or two at the row's end that go on with a value where its line ends: "212,475" and then "+10%"."""
    if len(following) != 1 or following[0].stroke is not None or len(following[0].words) > 2:
        return ()
    return following[0].words if following[0].box.left - value.box.right <= 0.9 * height else ()


def _going_on(rows: Sequence[Row], sheet: Sheet, value: Box, key: Box) -> tuple[Placed, ...]:
    """The next rows under a value, as long as each stands upon one ruled line and begins where the label does."""
    more: list[Placed] = []
    bottom = value.bottom
    for row in rows:
        words = [word for segment in row for word in segment.words]
        box = around(word.box for word in words) if words else None
        strokes = {sheet.upon.get(word.index) for word in words}
        if box is None or box.top - bottom > sheet.line_height or len(strokes) > 1 or None in strokes:
            break
        if abs(box.left - key.left) > 3 * sheet.line_height or box.left > value.left - sheet.line_height:
            break
        if any(_is_colon(word.text) for word in words) or _is_hint(words):
            break
        more += words
        bottom = box.bottom
    return tuple(more)


def _after_last_colon(words: Sequence[Placed]) -> int:
    """Where the last label begins: behind a colon that is not the end."""
    return max((at + 1 for at, word in enumerate(words[:-1]) if _is_colon(word.text)), default=0)


def _inside_filled_in(rows: Sequence[Row], sheet: Sheet) -> frozenset[int]:
    """The words of values that stand upon a ruled line, their first one apart: a colon there makes no label."""
    found: set[int] = set()
    for row in rows:
        for before, value in pairwise(_pieces(row, sheet)):
            if value.stroke is not None and _says_something(before.words):
                found.update(word.index for word in value.words[1:-1])
    return frozenset(found)


def _listed(rows: Sequence[Row], height: float) -> Iterator[_Candidate]:
    """Labels that we do not know, in a list: three or more in a column, each with one value, these in a column too."""
    runs: list[list[_Unit]] = []
    for number, row in enumerate(rows):
        going_on: list[list[_Unit]] = []
        for left, right, after in zip_longest(row, row[1:], row[2:]):
            if right is None or (after is not None and labels.DECIMALS.search(after.text)):  # the row of a table
                continue
            if not _is_phrase(left) or _is_colon(left.words[-1].text) or _is_colon(right.words[-1].text):
                continue
            unit = (number, left, right)
            run = next((each for each in runs if _continues(each[-1], unit, height)), [])
            going_on.append([*run, unit])
        taken = {id(run[-2]) for run in going_on if len(run) > 1}
        for run in runs:
            if id(run[-1]) not in taken:
                yield from _list_candidates(run)
        runs = going_on
    for run in runs:
        yield from _list_candidates(run)


def _list_candidates(run: Sequence[_Unit]) -> Iterator[_Candidate]:
    if len(run) >= 3:
        for number, left, right in run:
            label = _Label(left.words, (), None, colon=False, row=number, last=True)
            yield _Candidate(label, right.words, LISTED)


def _ruled_columns(rows: Sequence[Row], sheet: Sheet) -> Iterator[_Candidate]:
    """The entries of a table that is drawn by a ruled line under each row, three or more, under the names of its columns."""
    for number, row in enumerate(rows):
        if len(row) < 2 or not all(_is_phrase(each) and not _is_colon(each.text) for each in row):
            continue
        entries = _entries(row, rows[number + 1 :], sheet)
        if len({id(below) for below, _, _ in entries}) < 3:
            continue
        above = rows[number - 1] if number else ()
        heads = [_head(each, above, number, sheet.line_height) for each in row]
        for _, column, segment in entries:
            yield _Candidate(heads[column], segment.words, COLUMN)


def _entries(heading: Row, rows: Sequence[Row], sheet: Sheet) -> list[tuple[Row, int, Segment]]:
    """What stands under each name of the heading, row by row, as long as it stands upon a line and under one name alone."""
    found: list[tuple[Row, int, Segment]] = []
    bottom = max(segment.box.bottom for segment in heading)
    for row in rows:
        inside = [segment for segment in row if segment.words[0].index in sheet.upon]
        under = [
            [n for n, head in enumerate(heading) if _under(head.box, each.box, sheet.line_height)] for each in inside
        ]
        near = bool(inside) and min(segment.box.top for segment in inside) - bottom <= 0.8 * sheet.line_height
        if not near or any(len(columns) != 1 for columns in under):
            break
        found += [(row, columns[0], segment) for columns, segment in zip(under, inside, strict=True)]
        bottom = max(segment.box.bottom for segment in inside)
    return found


def _under(head: Box, entry: Box, height: float) -> bool:
    return head.across(entry) > 0 or abs(head.left - entry.left) <= height


def _head(segment: Segment, above: Row, number: int, height: float) -> _Label:
    """A column's name, with its first line when it has two."""
    first = [each for each in above if _is_phrase(each) and each.box.across(segment.box) > 0]
    first = [each for each in first if segment.box.top - each.box.bottom <= 0.5 * height]
    words = (first[0].words if len(first) == 1 else ()) + segment.words
    return _Label(words, (), None, colon=False, row=number, last=True, heads=True)


def _headed(rows: Sequence[Row], height: float) -> Iterator[_Candidate]:
    """Labels side by side, each with its value right below: two or more, most of the values with digits."""
    for number, (row, below) in enumerate(pairwise(rows)):
        if len(row) < 2 or not all(_is_phrase(segment) and not _is_colon(segment.text) for segment in row):
            continue
        found = [(above, under) for above in row for under in below if _stands_under(above.box, under.box, height)]
        numeric = sum(any(c.isdigit() for c in under.text) for _, under in found)
        if len(found) >= 2 and 2 * numeric > len(found):
            for above, under in found:
                # "(mg/l)" by itself is the second line of a label.
                first = rows[number - 1] if number and above.text.startswith("(") else ()
                label = _Label(_head(above, first, number, height).words, (), None, colon=False, row=number, last=True)
                yield _Candidate(label, under.words, HEADED)


def _captioned(rows: Sequence[Row], height: float) -> Iterator[_Candidate]:
    """Labels in small print with what was filled in under them in larger letters, as in boxes with a caption."""
    for number, row in enumerate(rows):
        for segment in row:
            small = segment.box.height <= SMALL * height
            if not small or len(segment.words) > LONGEST_KEY or not _says_something(segment.words):
                continue
            value = _under_caption(segment.box, rows[number + 1 : number + 4], height)
            if value:
                colon = _is_colon(segment.words[-1].text)
                yield _Candidate(_Label(segment.words, (), None, colon=colon, row=number, last=True), value, CAPTIONED)


def _under_caption(caption: Box, rows: Sequence[Row], height: float) -> tuple[Placed, ...]:
    value: list[Placed] = []
    box = caption
    for row in rows:
        below = next((each for each in row if each.box.across(caption) > 0), None)
        if below is None:
            continue
        begins = -0.5 * height <= below.box.left - caption.left <= 4 * height
        larger = below.box.height >= LARGER * caption.height
        if not (begins and larger and below.box.top - box.bottom <= 1.2 * height):
            break
        value += below.words
        box = below.box
    return tuple(value)


def _stands_under(above: Box, below: Box, height: float) -> bool:
    close = -0.5 * height <= below.top - above.bottom <= 1.3 * height
    return close and (abs(above.left - below.left) <= 1.2 * height or _centred(above, below))


def _is_phrase(segment: Segment) -> bool:
    return len(segment.words) <= 4 and _says_something(segment.words) and not any(c.isdigit() for c in segment.text)


def _continues(above: _Unit, below: _Unit, height: float) -> bool:
    (row, label, value), (next_row, next_label, next_value) = above, below
    if next_row != row + 1 or next_value.box.top - value.box.bottom > 2 * height:
        return False
    return _aligned(label, next_label, height) and (
        _aligned(value, next_value, height) or _numbers_centred(value, next_value, height)
    )


def _aligned(one: Segment, other: Segment, height: float) -> bool:
    return abs(one.box.left - other.box.left) <= 0.7 * height


def _numbers_centred(one: Segment, other: Segment, height: float) -> bool:
    """Whether both are numbers with their middles one above the other, as they are written on lines to fill in."""
    apart = abs(one.box.left + one.box.right - other.box.left - other.box.right) / 2
    return apart <= 0.7 * height and all(any(c.isdigit() for c in each.text) for each in (one, other))


def _pair(candidate: _Candidate) -> Pair:
    lowest = min(word.confidence for word in (*candidate.label.words, *candidate.value))
    return Pair(candidate.label.words, candidate.value, lowest * candidate.margin)


def _chosen(candidates: Iterable[_Candidate]) -> list[_Candidate]:
    """The surest candidates first; no word serves twice, no label gets two values unless it heads them."""
    used: set[int] = set()
    heading: dict[int, _Label] = {}
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
    """The row with a colon that stands alone joined to the label before it."""
    segments: list[Segment] = []
    for segment in row:
        before = segments[-1] if segments else None
        if before and segment.words[0].text in (":", "=") and not _is_colon(before.words[-1].text):
            segments[-1] = Segment(before.words + segment.words)
        else:
            segments.append(segment)
    return tuple(segments)


def _labels(segment: Segment, row: int, *, heading: bool, inside: frozenset[int]) -> Iterator[_Label]:
    words = segment.words
    colons = [index for index, word in enumerate(words) if _is_colon(word.text) and word.index not in inside]
    if not colons:
        if not heading:
            yield from _known_label(words, row)
        return
    starts = []
    for order, colon in enumerate(colons):
        floor = colons[order - 1] + 1 if order else 0
        starts.append(_key_start(words, floor, colon, first=order == 0))
    for order, (start, colon) in enumerate(zip(starts, colons, strict=True)):
        key = words[start : colon + 1]
        end = starts[order + 1] if order + 1 < len(starts) else len(words)
        if len(key) <= LONGEST_WITH_COLON and _says_something(key):
            kind = labels.kind_of(" ".join(word.text for word in key))
            yield _Label(key, words[colon + 1 : end], kind, colon=True, row=row, last=order + 1 == len(colons))


def _is_colon(text: str) -> bool:
    """Whether a label ends there: with a colon, or as in "Total ="."""
    return text.endswith((":", "=")) and not text.startswith("http")


def _is_hint(words: Sequence[Placed]) -> bool:
    """Whether the words say in brackets what belongs there: "(print or type)"."""
    return words[0].text.startswith("(") and words[-1].text.endswith(")") and _says_something(words)


def _is_label_or_number(words: Sequence[Placed]) -> bool:
    """Whether the words are no value, but a label ("Recommendations:") or the number of one ("1.")."""
    if not any(c.isalnum() for c in _said(words)):
        return True
    return _is_colon(words[-1].text) or (len(words) == 1 and labels.ENUMERATOR.match(words[0].text) is not None)


def _says_something(words: Sequence[Placed]) -> bool:
    return sum(c.isalpha() for c in _said(words)) >= 2


def _said(words: Sequence[Placed]) -> str:
    return "".join(word.text for word in words)


def _key_start(words: Sequence[Placed], floor: int, colon: int, *, first: bool) -> int:
    """Where the label that ends at `colon` begins: the longest label we know, else all (or, further on, one word)."""
    end = colon if words[colon].text in (":", "=") else colon + 1
    for start in range(max(floor, end - labels.LONGEST), end):
        if _opens_label(words[start].text) and labels.kind_of(" ".join(word.text for word in words[start:end])):
            # At the start of a segment a few words more belong to the label: "Our invoice number:".
            opens = _opens_label(words[floor].text)
            return floor if first and opens and end - floor <= LONGEST_KEY - 2 else start
    if not first:
        return max(floor, end - 1)
    # Bullets, numbers and dates before a label are not part of it: "- 3. 11/16 New balance:".
    return next((n for n in range(floor, end) if _opens_label(words[n].text)), floor)


def _opens_label(text: str) -> bool:
    return text[:1].isalpha() or (text[:1] == "(" and text[1:2].isalpha())


def _known_label(words: Sequence[Placed], row: int) -> Iterator[_Label]:
    """A segment without a colon that begins with a label we know: "TOTAL INCL GST 9.00", "Invoice No 123"."""
    for length in range(min(labels.LONGEST, len(words)), 0, -1):
        kind = labels.kind_of(" ".join(word.text for word in words[:length]))
        if kind is None or not _says_something(words[:length]):
            continue
        key, rest = _with_qualifiers(words, length) if kind == labels.MONEY else (words[:length], words[length:])
        value_text = " ".join(word.text for word in rest)
        if len(key) <= LONGEST_KEY and (not rest or (kind in _STRICT and labels.fits_at_once(value_text, kind))):
            yield _Label(tuple(key), tuple(rest), kind, colon=False, row=row, last=True)
        return


_STRICT = (labels.MONEY, labels.DATE, labels.NUMBER)


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

    def __init__(self, sheet: Sheet, rows: Sequence[Row], found: Sequence[_Label]) -> None:
        self._sheet, self._rows = sheet, rows
        self._labelled = {word.index for label in found for word in label.words}
        self._written_upon = set(sheet.upon.values())

    def candidates(self, label: _Label) -> Iterator[_Candidate]:
        if label.rest:
            yield from self._inside(label)
            return
        if not label.last or self._left_blank(label):
            return
        yield from self._right(label)
        yield from self._below(label)

    def _left_blank(self, label: _Label) -> bool:
        """Whether a ruled line follows the label on which nothing stands: its value is not filled in."""
        box, height = label.box, self._sheet.line_height
        for number, stroke in enumerate(self._sheet.strokes):
            beside = -0.6 * height <= stroke.left - box.right <= 2.5 * height
            level = -0.5 * box.height <= stroke.top - box.bottom <= 0.5 * box.height
            if beside and level and number not in self._written_upon:
                return True
        return False

    def _inside(self, label: _Label) -> Iterator[_Candidate]:
        value = label.rest
        if label.kind == labels.LINES and label.last:
            value = value + self._continued(label, value)
        elif label.last:
            value = value + self._amount_after_currency(label, value)
            value = value + self._upon_the_same(label, value)
            if label.colon and label.kind not in _STRICT:
                value = value + self._wrapped(label, value)
        if any(c.isalnum() for word in value for c in word.text):
            yield _Candidate(label, value, self._margin(label, value, known=KNOWN_LABEL_FITTING))

    def _upon_the_same(self, label: _Label, value: tuple[Placed, ...]) -> tuple[Placed, ...]:
        """What stands further on upon the ruled line that the value stands upon."""
        stroke = self._sheet.upon.get(value[-1].index)
        if stroke is None:
            return ()
        following = self._segments_right_of(label, value[-1].box)
        words = (word for segment in following for word in segment.words)
        return tuple(takewhile(lambda word: self._sheet.upon.get(word.index) == stroke, words))

    def _amount_after_currency(self, label: _Label, value: tuple[Placed, ...]) -> tuple[Placed, ...]:
        """The amount that stands apart from its currency: "Total: RM      9.00"."""
        if len(value) == 1 and labels.CURRENCY_WORD.match(value[0].text):
            for segment in self._segments_right_of(label, value[-1].box):
                if labels.fits(segment.text, labels.MONEY):
                    return segment.words
                break
        return ()

    def _segments_right_of(self, label: _Label, box: Box) -> Iterator[Segment]:
        for segment in self._rows[label.row]:
            if segment.box.left >= box.right - 1:
                if segment.words[0].index in self._labelled:
                    return
                yield segment

    def _right(self, label: _Label) -> Iterator[_Candidate]:
        segments = list(self._segments_right_of(label, label.box))
        if not segments:
            return
        value = self._chosen_on_the_right(label, segments)
        if not value or not self._acceptable(label, value):
            return
        gap = (value[0].box.left - label.box.right) / self._sheet.line_height
        margin = self._margin(label, value, known=KNOWN_LABEL_FITTING)
        yield _Candidate(label, value, margin if gap <= NEAR else margin * FAR_COLON)

    def _chosen_on_the_right(self, label: _Label, segments: Sequence[Segment]) -> tuple[Placed, ...]:
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
            words = words + self._wrapped(label, words)
        return words

    def _wrapped(self, label: _Label, value: Sequence[Placed]) -> tuple[Placed, ...]:
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

    def _acceptable(self, label: _Label, value: Sequence[Placed]) -> bool:
        text = " ".join(word.text for word in value)
        if label.colon:
            return any(c.isalnum() for c in text)
        # A row of many short texts is the heading of a list rather than a label with its value.
        near = value[0].box.left - label.box.right <= NEAR * self._sheet.line_height
        beside = near and len(self._rows[label.row]) <= 4
        return labels.fits(text, label.kind or labels.TEXT) and (label.kind in _STRICT or beside)

    def _below(self, label: _Label) -> Iterator[_Candidate]:
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
        if fitting:
            yield _Candidate(label, value, BELOW_FITTING)
        elif label.colon:
            yield _Candidate(label, value, BELOW_COLON)
        elif label.kind in (labels.LINES, labels.TEXT):
            yield _Candidate(label, value, BELOW)

    def _indented(self, label: _Label) -> Iterator[_Candidate]:
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
            yield _Candidate(label, tuple(text), INDENTED)

    def _segment_below(self, box: Box, row: int) -> Segment | None:
        """The nearest segment under `box` that begins with it or stands centred under it."""
        height = self._sheet.line_height
        for below in self._rows[row + 1 : row + 4]:
            for segment in below:
                under = segment.box
                close = -0.4 * height <= under.top - box.bottom <= 1.3 * height
                aligned = abs(under.left - box.left) <= 1.5 * height or _centred(box, under)
                if close and aligned:
                    return None if segment.words[0].index in self._labelled else segment
        return None

    def _continued(self, label: _Label, value: Sequence[Placed]) -> tuple[Placed, ...]:
        """Up to five more lines of an address: each begins where the one before begins and follows it closely."""
        row_of = {segment.words[0].index: number for number, line in enumerate(self._rows) for segment in line}
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
    def _margin(label: _Label, value: Sequence[Placed], *, known: float) -> float:
        text = " ".join(word.text for word in value)
        if label.colon and (label.kind not in _STRICT or labels.fits(text, label.kind)):
            return SAME_LINE
        if label.colon:
            return KNOWN_LABEL
        return known if label.kind in _STRICT and labels.fits(text, label.kind) else KNOWN_LABEL_TEXT


def _before_label(words: Sequence[Placed], labelled: set[int]) -> tuple[Placed, ...]:
    return tuple(takewhile(lambda word: word.index not in labelled, words))


def _centred(above: Box, below: Box) -> bool:
    return above.across(below) >= 0.5 * min(above.width, below.width)


def _amount(segments: Sequence[Segment]) -> tuple[Placed, ...]:
    """The amount among the segments right of a money label: the last with decimals if any has them, its currency before it."""
    fitting = [number for number, segment in enumerate(segments) if labels.fits(segment.text, labels.MONEY)]
    if not fitting:
        return ()
    chosen = next((n for n in reversed(fitting) if labels.DECIMALS.search(segments[n].text)), fitting[0])
    before = segments[chosen - 1] if chosen else None
    if before and labels.CURRENCY_WORD.match(before.text):
        return before.words + segments[chosen].words
    return segments[chosen].words
