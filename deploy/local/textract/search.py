"""Where the value of a label may stand: after it, to its right, or below."""

from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile

from deploy.local.textract import labels
from deploy.local.textract.layout import Box, Placed, Row, Segment, Sheet, around
from deploy.local.textract.pairing import (
    FAR,
    NEAR,
    STRICT,
    Candidate,
    Label,
    centred,
    says_something,
)

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
PROSE, PROSE_SLACK = 5, 2.0
"""Words of a value from which on it may be a text of several lines, and the ragged edge of these in line heights."""

LONGEST_BELOW = 10
"""Words that a value below a label without a colon has at most in its first line."""


class Search:
    """Where the value of a label may stand: after it, to its right, or below."""

    def __init__(
        self, sheet: Sheet, rows: Sequence[Row], found: Sequence[Label], ticked: frozenset[int] = frozenset()
    ) -> None:
        """`ticked` are numbers of words that say what check boxes stand for."""
        self._sheet, self._rows, self._ticked = sheet, rows, ticked
        self._labelled = {word.index for label in found for word in label.words} | ticked
        self._written_upon = sheet.edges | set(sheet.upon.values())
        self._row_of = {word.index: n for n, row in enumerate(rows) for segment in row for word in segment.words}

    def candidates(self, label: Label) -> Iterator[Candidate]:
        if label.rest:
            yield from self._inside(label)
            return
        # dots that lead to a value look like a line to fill in
        blank = not label.led and self._left_blank(label)
        if not label.last or blank or self._ticks_follow(label):
            return
        yield from self._right(label)
        if not label.led:
            yield from self._below(label)

    def _ticks_follow(self, label: Label) -> bool:
        """Whether check boxes stand right of the label: they are its value."""
        words = (word for segment in self._rows[label.row] for word in segment.words)
        behind = next((word for word in words if word.box.left >= label.box.right - 1), None)
        return behind is not None and behind.index in self._ticked

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
            if label.colon and label.kind not in STRICT:
                value = value + (self._wrapped(label, value) or self._paragraph(value, label.row, label.box.left))
        if any(c.isalnum() for word in value for c in word.text):
            yield Candidate(label, value, self._margin(label, value, known=KNOWN_LABEL_FITTING))

    def _upon_the_same(self, label: Label, value: tuple[Placed, ...]) -> tuple[Placed, ...]:
        """What stands further on upon the ruled line that the value stands upon."""
        stroke = self._sheet.filled(value[-1])
        if stroke is None:
            return ()
        following = self._segments_right_of(label, value[-1].box)
        words = (word for segment in following for word in segment.words)
        return tuple(takewhile(lambda word: self._sheet.filled(word) == stroke, words))

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
            if self._sheet.inside.get(segment.words[0].index) != self._sheet.inside.get(words[-1].index):
                break
            words = words + _before_label(segment.words, self._labelled)
        if words and label.kind == labels.LINES:
            words = words + self._continued(label, words)
        elif words and label.colon and not label.led and label.kind not in STRICT:
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
            if not (near and begins and self._is_text(words)) or labels.ENUMERATOR.match(words[0].text):
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
        return labels.fits(text, label.kind or labels.TEXT) and (label.kind in STRICT or beside)

    def _below(self, label: Label) -> Iterator[Candidate]:
        segment = self._segment_below(label.box, label.row)
        if segment is None:
            yield from self._indented(label)
            return
        value = _before_label(segment.words, self._labelled)
        if not value:
            return
        text = " ".join(word.text for word in value)
        fitting = label.kind in STRICT and labels.fits(text, label.kind)
        if label.kind in STRICT and not fitting:
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
        if label.colon and (label.kind not in STRICT or labels.fits(text, label.kind)):
            return SAME_LINE
        if label.colon:
            return KNOWN_LABEL
        return known if label.kind in STRICT and labels.fits(text, label.kind) else KNOWN_LABEL_TEXT


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
