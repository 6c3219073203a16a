"""Check boxes with the words beside them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deploy.local.textract.layout import Box, Placed, Sheet
from deploy.local.textract.reading import Tick

FARTHEST = 2.5
"""Line heights between a box and its label."""
WITHIN = 0.9
"""Line heights between two words of a label."""


@dataclass(frozen=True, slots=True)
class Checkbox:
    """A box, and the words that say what it stands for; none where nothing stands near."""

    tick: Tick
    label: tuple[Placed, ...]

    @property
    def confidence(self) -> float:
        """For both together."""
        return min([self.tick.confidence, *(word.confidence for word in self.label)])


def find_checkboxes(sheet: Sheet) -> list[Checkbox]:
    """The boxes of the page. A label stands to the right of its box; to the left only where nothing does on the right."""
    boxes = [box for box, _tick in sheet.ticks]
    taken: set[int] = set()
    found = []
    for box, tick in sheet.ticks:
        label = _label(sheet, box, boxes, taken)
        taken |= {word.index for word in label}
        found.append(Checkbox(tick, label))
    return found


def _label(sheet: Sheet, box: Box, boxes: Sequence[Box], taken: set[int]) -> tuple[Placed, ...]:
    row = [word for word in sheet.words if word.index not in taken and _same_row(box, word.box)]
    right = _run(box, _until(box, boxes, sheet), sorted(row, key=lambda word: word.box.left), sheet.line_height)
    if right:
        return right
    before = [word for word in row if word.box.right <= box.left]
    return _run_to(box.left, sorted(before, key=lambda word: -word.box.right), sheet.line_height)


def _same_row(box: Box, word: Box) -> bool:
    return box.along(word) >= 0.5 * min(box.height, word.height)


def _until(box: Box, boxes: Sequence[Box], sheet: Sheet) -> float:
    """Where the next box of the row begins."""
    return min(
        (each.left for each in boxes if each.left > box.left and _same_row(box, each)), default=float(sheet.width)
    )


def _run(box: Box, end: float, words: Sequence[Placed], height: float) -> tuple[Placed, ...]:
    behind = (word for word in words if _begins_behind(word.box, box, height) and word.box.left < end)
    return tuple(_joined(box.right, behind, height))


def _begins_behind(word: Box, box: Box, height: float) -> bool:
    """Whether a word begins where a box ends, or was read together with it and begins where it does."""
    together = abs(word.left - box.left) <= 0.5 * height and word.right > box.right + 0.5 * height
    return word.left >= box.right - 0.3 * height or together


def _joined(at: float, words: Iterator[Placed], height: float) -> Iterator[Placed]:
    limit = FARTHEST
    for word in words:
        if word.box.left - at > limit * height:
            return
        yield word
        at, limit = word.box.right, WITHIN


def _run_to(start: float, words: Sequence[Placed], height: float) -> tuple[Placed, ...]:
    found: list[Placed] = []
    at, limit = start, FARTHEST
    for word in words:
        if at - word.box.right > limit * height:
            break
        found.insert(0, word)
        at, limit = word.box.left, WITHIN
    return tuple(found)
