"""Values that go on upon the lines under them: running text, and what is written upon several ruled lines."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from deploy.local.textract import labels
from deploy.local.textract.layout import Box, Placed, Row, Segment, Sheet, around
from deploy.local.textract.pairing import STRICT, Candidate, is_colon

MOST_LINES = 8
FEWEST_WORDS, RAGGED = 5, 2.0
"""Words of a line that may go on, and the ragged edge of a text in line heights: a line goes on where the next one's first word had no
room behind it."""
SUREST = 0.8
"""How sure a pairing is at least."""
ASIDE, MARGIN = 0.9, 1.6
"""Line heights between the left edges of a line and the next, where it stands under it, and where it begins with the label."""
CLOSE, CLOSE_UPON_LINES = 0.65, 1.8
"""Line heights between a line and the next, also where both stand upon ruled lines."""
ENDS = (".", "!", "?", ";")


def with_following_lines(
    chosen: Iterable[Candidate], rows: Sequence[Row], sheet: Sheet, labelled: frozenset[int]
) -> list[Candidate]:
    """The candidates, each value with the lines that go on with it. `labelled` are numbers of words that are labels, or are taken."""
    pairs = list(chosen)
    words = [(each, word.index) for each in pairs for word in each.value]
    taken = labelled | {word.index for each in pairs for word in each.label.words}
    taken |= {index for each, index in words if each.margin >= SUREST}
    row_of = {word.index: number for number, row in enumerate(rows) for segment in row for word in segment.words}
    found, more_words = [], set[int]()
    for each in pairs:
        more = _following(each, rows, sheet, taken | more_words, row_of) if _may_go_on(each) else ()
        more_words |= {word.index for word in more}
        found.append(replace(each, value=each.value + more) if more else each)
    # What was a doubtful value by itself is the next line of a text instead.
    lost = {id(each) for each, index in words if index in more_words}
    return [new for old, new in zip(pairs, found, strict=True) if id(old) not in lost]


def _may_go_on(candidate: Candidate) -> bool:
    label = candidate.label
    return (
        bool(candidate.value)
        and candidate.margin >= SUREST
        and not label.heads
        and not label.led
        and label.kind not in STRICT
    )


def _following(
    candidate: Candidate, rows: Sequence[Row], sheet: Sheet, taken: frozenset[int] | set[int], row_of: dict[int, int]
) -> tuple[Placed, ...]:
    row = row_of[candidate.value[-1].index]
    last = [word for word in candidate.value if row_of[word.index] == row]
    first = around(word.box for word in candidate.value if row_of[word.index] == row_of[candidate.value[0].index])
    more: list[Placed] = []
    for number in range(row + 1, min(len(rows), row + 1 + MOST_LINES)):
        next_ = _next(candidate, first, last, rows[number], sheet)
        if next_ is None or any(word.index in taken for word in next_.words):
            break
        more += next_.words
        last = list(next_.words)
    return tuple(more)


def _next(candidate: Candidate, first: Box, last: Sequence[Placed], row: Row, sheet: Sheet) -> Segment | None:
    """The segment of a row that goes on with a line, if there is one."""
    above, height = around(word.box for word in last), sheet.line_height
    ruled = _upon(sheet, last[0]) is not None
    for segment in row:
        box = segment.box
        hanging = abs(box.left - first.left) <= ASIDE * height
        back = (
            first.left - candidate.label.box.left > MARGIN * height
            and abs(box.left - candidate.label.box.left) <= MARGIN * height
        )
        if not (hanging or back):
            continue
        upon = ruled and _upon(sheet, segment.words[0]) is not None
        close = -0.5 * height <= box.top - above.bottom <= (CLOSE_UPON_LINES if upon else CLOSE) * height
        beside = candidate.label.box.right <= first.left + 1
        indented = hanging and beside and first.left - candidate.label.box.left > 2 * height
        if not close or _says_otherwise(segment) or _stands_between(row, segment, candidate.label.box):
            return None
        prose = len(last) >= FEWEST_WORDS and _had_no_room(last, segment, height)
        return segment if upon or (prose and (_runs_on(last, segment) or indented)) else None
    return None


def _upon(sheet: Sheet, word: Placed) -> int | None:
    stroke = sheet.upon.get(word.index)
    return None if stroke is None or stroke in sheet.edges else stroke


def _says_otherwise(segment: Segment) -> bool:
    """Whether the segment begins with a label or a number of one, or a sign of a list."""
    return (
        not segment.words[0].text[0].isalnum()
        or any(is_colon(word.text) for word in segment.words[:5])
        or labels.ENUMERATOR.match(segment.words[0].text) is not None
    )


def _stands_between(row: Row, segment: Segment, label: Box) -> bool:
    """Whether something stands before the segment, under the label."""
    before = [each for each in row if each.box.right <= segment.box.left + 1]
    return bool(before) and before[-1].box.right > label.left


def _had_no_room(last: Sequence[Placed], segment: Segment, height: float) -> bool:
    limit = max(last[-1].box.right, segment.box.right) - RAGGED * height
    return last[-1].box.right + segment.words[0].box.width > limit


def _runs_on(last: Sequence[Placed], segment: Segment) -> bool:
    """Whether the sentence does not end with the line."""
    return not last[-1].text.endswith(ENDS) or segment.words[0].text[0].islower()
