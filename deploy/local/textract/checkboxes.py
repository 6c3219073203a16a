"""Check boxes with the words beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

from deploy.local.textract.layout import Box, Placed, Sheet
from deploy.local.textract.reading import Tick

FARTHEST = 2.5
"""Line heights between a box and its label."""
WITHIN = 0.9
"""Line heights between two words of a label."""
BEHIND = 0.6
"""The boxes of a row stand behind their labels where the spaces before them are less than this part of those after them."""


@dataclass(frozen=True, slots=True)
class Checkbox:
    """A box, and the words that say what it stands for; none where nothing stands near."""

    tick: Tick
    label: tuple[Placed, ...]

    @property
    def confidence(self) -> float:
        """For both together."""
        return min([self.tick.confidence, *(word.confidence for word in self.label)])


@dataclass(frozen=True, slots=True)
class _Spot:
    """A box, and the words of its row up to the boxes beside it: before it and after it, the nearest first."""

    box: Box
    before: list[Placed]
    after: list[Placed]


def find_checkboxes(sheet: Sheet) -> list[Checkbox]:
    """The boxes of the page. A label stands to the right of its box; to the left where the boxes of the row stand nearer
    to the words before them, where dots lead to the box, and where nothing stands on the right."""
    boxes = [box for box, _tick in sheet.ticks]
    spots = [_spot(sheet, box, boxes) for box in boxes]
    taken: set[int] = set()
    found = []
    for spot, (_box, tick) in zip(spots, sheet.ticks, strict=True):
        label = _label(spot, spots, taken, sheet.line_height)
        taken |= {word.index for word in label}
        found.append(Checkbox(tick, label))
    return found


def _spot(sheet: Sheet, box: Box, boxes: Sequence[Box]) -> _Spot:
    row = [each for each in boxes if _same_row(box, each)]
    start = max((each.right for each in row if each.left < box.left), default=0.0)
    end = min((each.left for each in row if each.left > box.left), default=float(sheet.width))
    words = [word for word in sheet.words if _same_row(box, word.box)]
    before = [word for word in words if start <= word.box.right <= box.left]
    after = [word for word in words if _begins_behind(word.box, box, sheet.line_height) and word.box.left < end]
    return _Spot(box, sorted(before, key=lambda word: -word.box.right), sorted(after, key=lambda word: word.box.left))


def _label(spot: _Spot, spots: Sequence[_Spot], taken: set[int], height: float) -> tuple[Placed, ...]:
    before, after = ([word for word in words if word.index not in taken] for words in (spot.before, spot.after))
    row = [each for each in spots if _same_row(spot.box, each.box)]
    led = bool(before) and before[0].text.endswith("..")
    is_behind = led or _stand_behind(row, FARTHEST * height)
    right = () if is_behind else _run(spot.box.right, after, height)
    return right or _run_to(spot.box.left, before, height)


def _stand_behind(row: Sequence[_Spot], most: float) -> bool:
    """Whether the boxes of a row belong to what is printed before them: YES □ NO □. A space counts as `most` at most."""
    before = [spot.box.left - spot.before[0].box.right if spot.before else most for spot in row]
    after = [max(0.0, spot.after[0].box.left - spot.box.right) if spot.after else most for spot in row]
    return len(row) > 1 and sum(min(each, most) for each in before) < BEHIND * sum(min(each, most) for each in after)


def _same_row(box: Box, word: Box) -> bool:
    return box.along(word) >= 0.5 * min(box.height, word.height)


def _begins_behind(word: Box, box: Box, height: float) -> bool:
    """Whether a word begins where a box ends, or was read together with it and begins where it does."""
    together = abs(word.left - box.left) <= 0.5 * height and word.right > box.right + 0.5 * height
    return word.left >= box.right - 0.3 * height or together


def _run(start: float, words: Sequence[Placed], height: float) -> tuple[Placed, ...]:
    found: list[Placed] = []
    at, limit = start, FARTHEST
    for word in words:
        if word.box.left - at > limit * height:
            break
        found.append(word)
        at, limit = word.box.right, WITHIN
    return tuple(found)


def _run_to(start: float, words: Sequence[Placed], height: float) -> tuple[Placed, ...]:
    found: list[Placed] = []
    at, limit = start, FARTHEST
    for word in words:
        if at - word.box.right > limit * height:
            break
        found.insert(0, word)
        at, limit = word.box.left, WITHIN
    return tuple(found)
