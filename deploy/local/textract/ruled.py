"""Values that stand upon ruled lines, and the labels before or above them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from deploy.local.textract import labels
from deploy.local.textract.columns import head_of
from deploy.local.textract.layout import Box, Placed, Row, Segment, Sheet, around
from deploy.local.textract.pairing import (
    FAR,
    LONGEST_KEY,
    LONGEST_WITH_COLON,
    NEAR,
    Candidate,
    Label,
    is_colon,
    is_hint,
    is_phrase,
    said,
    says_something,
)

# How sure a pairing is, before the reading of its words is looked at.
FILLED_IN = 0.93
FILLED_IN_FAR = 0.87
COLUMN = 0.76
SIGNED_ABOVE = 0.77
MOSTLY = 0.75
"""Share of its line that a value fills which goes on upon the next."""
LONGEST_QUESTION = 14
"""Words that a question has at most in front of a line to fill in."""


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
            stroke = sheet.filled(word)
            last = pieces[-1] if pieces else None
            same = last is not None and last.stroke == stroke and (stroke is not None or not begins)
            if last and (same or (stroke is not None and labels.CURRENCY_WORD.match(said(last.words)))):
                pieces[-1] = _Piece((*last.words, word), stroke)
            else:
                pieces.append(_Piece((word,), stroke))
            begins = False
    return pieces


def filled_in(rows: Sequence[Row], sheet: Sheet) -> Iterator[Candidate]:
    """What stands upon a ruled line belongs to the words before the line, which stand upon none, or one of their own.

    Of several numbers side by side, each upon its line, each is a value of the label before them: "12/yr  162  53%".
    """
    for number, row in enumerate(rows):
        yield from _filled_in_row(number, _pieces(row, sheet), rows[number + 1 : number + 6], sheet)


def _filled_in_row(
    number: int, pieces: Sequence[_Piece], following: Sequence[Row], sheet: Sheet
) -> Iterator[Candidate]:
    label: Label | None = None
    for place, (before, value) in enumerate(pairwise(pieces)):
        if value.stroke is None or not any(c.isalnum() for c in said(value.words)):
            label = None
            continue
        if label is not None and not says_something((*before.words, *value.words)):
            yield Candidate(label, value.words, FILLED_IN_FAR)
            continue
        key = _key_before(value, pieces, place, sheet)
        label = _filled_label(key, number) if key else None
        if label is None:
            continue
        words = (*value.words, *_rest(value, pieces[place + 2 :], sheet.line_height))
        words += _going_on(following, sheet, value, label.box)
        near = _blank_before(value, before, sheet) <= NEAR * sheet.line_height
        yield Candidate(label, words, FILLED_IN if near else FILLED_IN_FAR)


def _filled_label(key: tuple[Placed, ...], row: int) -> Label:
    return Label(key, (), None, colon=is_colon(key[-1].text), row=row, last=True, heads=True)


def _key_before(value: _Piece, pieces: Sequence[_Piece], place: int, sheet: Sheet) -> tuple[Placed, ...]:
    """The words of the piece at `place` that name the value behind it; none where it is no label."""
    before = pieces[place]
    cell = sheet.inside.get(before.words[-1].index)
    if cell is not None and cell != sheet.inside.get(value.words[0].index):
        return ()
    key = before.words[_after_last_colon(before.words) :]
    question = key[-1].text.endswith("?")
    colon = is_colon(key[-1].text) or question
    longest = LONGEST_QUESTION if question else LONGEST_WITH_COLON if colon else LONGEST_KEY
    if len(key) > longest or not says_something(key) or _blank_before(value, before, sheet) > FAR * sheet.line_height:
        return ()
    if colon:
        return key
    if before.stroke is not None and (any(map(str.isdigit, said(key))) or not any(map(str.isdigit, said(value.words)))):
        return ()  # a label and its value upon one line, or two names
    runs_on = _runs_on(pieces, place, sheet.line_height) or _is_answer(pieces, place, sheet.line_height)
    return () if key[-1].text.endswith(",") or runs_on else key


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


def _is_answer(pieces: Sequence[_Piece], place: int, height: float) -> bool:
    """Whether a piece goes on with what follows it, and a label with a colon stands before it: it begins the value of that."""
    before = pieces[place - 1] if place else None
    here, after = pieces[place], pieces[place + 1]
    goes_on = after.box.left - here.box.right <= 0.9 * height
    return before is not None and goes_on and is_colon(before.words[-1].text)


def _rest(value: _Piece, following: Sequence[_Piece], height: float) -> tuple[Placed, ...]:
    """A word or two at the row's end that go on with a value where its line ends: "212,475" and then "+10%"."""
    if len(following) != 1 or following[0].stroke is not None or len(following[0].words) > 2:
        return ()
    return following[0].words if following[0].box.left - value.box.right <= 0.9 * height else ()


def _going_on(rows: Sequence[Row], sheet: Sheet, first: _Piece, key: Box) -> tuple[Placed, ...]:
    """The next rows under a value, as long as each stands upon one ruled line and begins where the label does.

    Or where the value does, when that fills most of its line.
    """
    more: list[Placed] = []
    value = first.box
    assert first.stroke is not None
    line = sheet.strokes[first.stroke]
    full = value.right >= line.left + MOSTLY * line.width
    bottom = value.bottom
    for row in rows:
        words = [word for segment in row for word in segment.words]
        box = around(word.box for word in words) if words else None
        strokes = {sheet.filled(word) for word in words}
        if box is None or box.top - bottom > sheet.line_height or len(strokes) > 1 or None in strokes:
            break
        under_key = abs(box.left - key.left) <= 3 * sheet.line_height and box.left <= value.left - sheet.line_height
        under_value = full and abs(box.left - value.left) <= 1.5 * sheet.line_height
        if not (under_key or under_value):
            break
        if any(is_colon(word.text) for word in words) or is_hint(words):
            break
        more += words
        bottom = box.bottom
    return tuple(more)


def _after_last_colon(words: Sequence[Placed]) -> int:
    """Where the last label begins: behind a colon that is not the end."""
    return max((at + 1 for at, word in enumerate(words[:-1]) if is_colon(word.text)), default=0)


def inside_filled_in(rows: Sequence[Row], sheet: Sheet) -> frozenset[int]:
    """The words of values that stand upon a ruled line, their first one apart: a colon there makes no label."""
    found: set[int] = set()
    for row in rows:
        for before, value in pairwise(_pieces(row, sheet)):
            if value.stroke is not None and says_something(before.words):
                found.update(word.index for word in value.words[1:-1])
    return frozenset(found)


def ruled_columns(rows: Sequence[Row], sheet: Sheet) -> Iterator[Candidate]:
    """The entries of a table that is drawn by a ruled line under each row, three or more, under the names of its columns."""
    for number, row in enumerate(rows):
        if len(row) < 2 or not all(is_phrase(each) and not is_colon(each.text) for each in row):
            continue
        entries = _entries(row, rows[number + 1 :], sheet)
        if len({id(below) for below, _, _ in entries}) < 3:
            continue
        above = rows[number - 1] if number else ()
        heads = [head_of(each, above, number, sheet.line_height) for each in row]
        for _, column, segment in entries:
            yield Candidate(heads[column], segment.words, COLUMN)


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


def ruled_lists(rows: Sequence[Row], sheet: Sheet) -> Iterator[Candidate]:
    """Three or more entries, each upon its own line, below a name that is underlined and begins further left."""
    for number, row in enumerate(rows):
        if not _is_upon(row, sheet) or len(row[0].words) > LONGEST_KEY or is_colon(row[0].words[-1].text):
            continue
        entries = _list_entries(row[0].box, rows[number + 1 :], sheet)
        if len(entries) >= 3 and says_something(row[0].words):
            head = Label(row[0].words, (), None, colon=False, row=number, last=True, heads=True)
            yield from (Candidate(head, each.words, COLUMN) for each in entries)


def _list_entries(head: Box, rows: Sequence[Row], sheet: Sheet) -> list[Segment]:
    entries: list[Segment] = []
    above = head
    for row in rows:
        if not _is_upon(row, sheet) or row[0].box.top - above.bottom > 1.5 * sheet.line_height:
            break
        left = entries[0].box.left if entries else max(row[0].box.left, head.left + sheet.line_height)
        if abs(row[0].box.left - left) > 0.7 * sheet.line_height:
            break
        entries.append(row[0])
        above = row[0].box
    return entries


def _is_upon(row: Row, sheet: Sheet) -> bool:
    """Whether the row is one piece that stands upon a line."""
    return len(row) == 1 and all(word.index in sheet.upon for word in row[0].words)


def signed_above(rows: Sequence[Row], sheet: Sheet) -> Iterator[Candidate]:
    """Labels that we know in the row under a ruled line, and what is written upon it: a signature's date above "(Date)"."""
    for number, (row, below) in enumerate(pairwise(rows)):
        for name in below:
            kind = labels.kind_of(name.text)
            if kind not in (labels.DATE, labels.TEXT, labels.LINES) or is_colon(name.words[-1].text):
                continue
            value = _written_above(name.box, row, sheet)
            if len(said(value)) > 1 and labels.fits(" ".join(word.text for word in value), kind):
                label = Label(name.words, (), kind, colon=False, row=number + 1, last=True)
                yield Candidate(label, value, SIGNED_ABOVE)


def _written_above(name: Box, row: Row, sheet: Sheet) -> tuple[Placed, ...]:
    """The words of the row upon the line right above the name."""
    near = {
        number
        for number, stroke in enumerate(sheet.strokes)
        if -0.4 * name.height <= name.top - stroke.top <= sheet.line_height and stroke.across(name) >= 0.5 * name.width
    }
    words = (word for segment in row for word in segment.words)
    return tuple(word for word in words if sheet.upon.get(word.index) in near)


def _under(head: Box, entry: Box, height: float) -> bool:
    return head.across(entry) > 0 or abs(head.left - entry.left) <= height
