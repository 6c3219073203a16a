"""The check boxes of a page: small square frames, empty or ticked. Imported by OCR children only."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import cv2
import numpy as np
import numpy.typing as npt

from deploy.local.textract.reading import Quad, Tick

SMALLEST, LARGEST = 10, 46
"""Sides of a box in those pixels: a letter's height and a bit more than twice that."""
LONG, LONGEST, THICKEST, ASKEW = 14, 0.0215, 8, 5
"""Of a box whose tick, a cross, runs over its frame: its least side, its largest of the page's width, how thick its lines are at most,
and how much its corners are out of place."""
CROSS = 24
"""Pixels to which such a box is drawn before it is looked at."""
LEAST_FRAME = 0.85
"""Share of each of its four sides that is dark; of round letters it is far less."""
FEWEST_LIKE = 2
"""Boxes like it that make a dark square one."""
LEAST_INK = 0.08
"""Share of the inside that is dark in a box that is ticked; dust is less."""
SURE = 92.0
MOST = 300
"""A page with more is a pattern."""
MOST_HIDDEN = 2000
"""Places of a page that look like a frame of a known size."""
MOST_STEMS = 6000
"""Upright lines of a page in which crossed boxes are looked for; each is compared with those beside it."""

Mask = npt.NDArray[np.uint8]
_Box = tuple[int, int, int, int]
"""Left, top, width and height."""


def ticks_of(grey: npt.NDArray[np.uint8]) -> tuple[Tick, ...]:
    """The boxes from the top, row by row. `grey` is the page as grey.shrunk makes it."""
    dark = cv2.adaptiveThreshold(grey, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 41, 15).astype(np.uint8)
    found = sorted(_boxes(dark), key=lambda box: (box[1] // SMALLEST, box[0]))
    height, width = dark.shape
    return tuple(_tick(dark, box, width, height) for box in found) if len(found) <= MOST else ()


def _boxes(dark: Mask) -> list[_Box]:
    """Those whose frame stands by itself, then those whose tick runs over it."""
    found = _without_doubles(chain(_frames(dark), _crossed(dark)))
    return _without_doubles(chain(found, _hidden(dark, found)))


def _without_doubles(boxes: Iterable[_Box]) -> list[_Box]:
    seen: list[_Box] = []
    for left, top, wide, high in boxes:
        x, y = left + wide / 2, top + high / 2
        if not any(a <= x <= a + w and b <= y <= b + h for a, b, w, h in seen):
            seen.append((left, top, wide, high))
    return seen


def _hidden(dark: Mask, known: Sequence[_Box]) -> Iterator[_Box]:
    """Small boxes in a row or a column with others of their size whose tick runs over their frame: the darkest frames first."""
    wide, high, count = _commonest(known)
    if count < FEWEST_LIKE:
        return
    dark_sides = _sides(dark, wide, high)
    tops, lefts = np.nonzero(dark_sides >= LEAST_FRAME)
    for at in np.argsort(-dark_sides[tops, lefts], kind="stable")[:MOST_HIDDEN]:
        box = (int(lefts[at]), int(tops[at]), wide, high)
        like = sum(_is_like(box, each) for each in known)
        if like >= FEWEST_LIKE and not _goes_on(dark, *box) and _stands_alone(dark, *box):
            yield box


def _commonest(boxes: Sequence[_Box]) -> tuple[int, int, int]:
    """The sides that most boxes have, and how many these are."""
    count = Counter((wide, high) for _, _, wide, high in boxes)
    alike = {size: sum(n for other, n in count.items() if _is_as_large(size, other)) for size in count}
    size = max(alike, key=lambda each: (alike[each], count[each]), default=(0, 0))
    return *size, alike.get(size, 0)


def _sides(dark: Mask, wide: int, high: int) -> npt.NDArray[np.float32]:
    """For each place how dark the lightest side of a frame with its corner there would be, from 0 to 1."""
    band = max(2, min(wide, high) // 6)
    flat, upright = np.ones((band, 1), np.uint8), np.ones((1, band), np.uint8)
    rows = cv2.dilate(dark, flat, anchor=(0, 0)).astype(np.float32)
    columns = cv2.dilate(dark, upright, anchor=(0, 0)).astype(np.float32)
    across = cv2.boxFilter(rows, -1, (wide, 1), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    down = cv2.boxFilter(columns, -1, (1, high), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    height, width = dark.shape
    sides = np.zeros((height, width), np.float32)
    y, x = height - high, width - wide
    first = np.minimum(across[:y, :x], down[:y, :x])
    last = np.minimum(across[high - band : height - band, :x], down[:y, wide - band : width - band])
    sides[:y, :x] = np.minimum(first, last)
    return sides


def _stands_alone(dark: Mask, left: int, top: int, wide: int, high: int) -> bool:
    """Whether there is paper to the left and to the right of its middle, where letters have their neighbours."""
    middle = slice(top + high // 4, top + high - high // 4)
    beside = (dark[middle, max(0, left - 3) : left - 1], dark[middle, left + wide + 1 : left + wide + 3])
    return all(float(each.mean() if each.size else 1.0) <= 0.25 for each in beside)


def _crossed(dark: Mask) -> Iterator[_Box]:
    """Two upright lines as far apart as they are long, with lines between their ends that go on neither way."""
    longest = LONGEST * dark.shape[1]
    upright = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((LONG, 1), np.uint8))
    _, _, found, _ = cv2.connectedComponentsWithStats(upright, connectivity=8)
    stems = sorted((int(x), int(y), int(w), int(h)) for x, y, w, h, _ in found[1:] if w <= THICKEST and h <= longest)
    if len(stems) > MOST_STEMS:
        return
    for number, (left, top, _, high) in enumerate(stems):
        for other, top2, wide2, high2 in stems[number + 1 :]:
            wide = other + wide2 - left
            if wide > longest:
                break
            y0, y1 = round((top + top2) / 2), round((top + high + top2 + high2) / 2)
            level = max(abs(top - top2), abs(top + high - top2 - high2)) <= ASKEW
            box = (left, y0, wide, y1 - y0)
            if level and 0.75 <= wide / (y1 - y0) <= 1.3 and _is_shut(dark, *box) and _holds_a_cross(dark, *box):
                yield box


def _is_shut(dark: Mask, left: int, top: int, wide: int, high: int) -> bool:
    """Whether lines join the ends of the two upright ones and end there: those of a row of cells go on."""
    height, width = dark.shape
    if left < 2 * ASKEW or left + wide + 2 * ASKEW > width or top < ASKEW or top + high + ASKEW > height:
        return False
    bands = [dark[y - ASKEW : y + ASKEW] for y in (top + 1, top + high - 1)]
    joined = all(float(band[:, left : left + wide].max(axis=0).mean()) >= LEAST_FRAME for band in bands)
    return joined and not _goes_on(dark, left, top, wide, high)


def _goes_on(dark: Mask, left: int, top: int, wide: int, high: int) -> bool:
    """Whether the lines above and below go on to the left or to the right, as those of a row of cells."""
    bands = [dark[max(0, y - ASKEW) : y + ASKEW] for y in (top + 1, top + high - 1)]
    ends = (slice(max(0, left - 2 * ASKEW), max(1, left - ASKEW)), slice(left + wide + ASKEW, left + wide + 2 * ASKEW))
    return any(
        all(band[:, end].size and float(band[:, end].max(axis=0).mean()) > 0.5 for band in bands) for end in ends
    )


def _holds_a_cross(dark: Mask, left: int, top: int, wide: int, high: int) -> bool:
    """Whether both diagonals are dark and what lies between them is not: letters look otherwise."""
    inside = cv2.resize(dark[top : top + high, left : left + wide], (CROSS, CROSS), interpolation=cv2.INTER_NEAREST)
    thick = cv2.dilate(inside, np.ones((3, 3), np.uint8))
    along = np.arange(CROSS // 5, CROSS - CROSS // 5)
    diagonals = (thick[along, along], thick[along, CROSS - 1 - along])
    near, middle, far = CROSS // 4, CROSS // 2, CROSS - 1 - CROSS // 4
    between = (inside[near, middle], inside[far, middle], inside[middle, near], inside[middle, far])
    return all(float(each.mean()) >= LEAST_FRAME for each in diagonals) and int(sum(between)) <= 1


def _frames(dark: Mask) -> Iterator[_Box]:
    contours, _ = cv2.findContours(dark, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    inner, hierarchy = cv2.findContours(dark, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    holed = (
        [] if hierarchy is None else [each for each, of in zip(inner, hierarchy[0], strict=True) if of[3] < 0 <= of[2]]
    )
    seen: dict[_Box, bool] = {}
    """Squares with four sides, and whether there is paper to be seen in them."""
    for contour in (*contours, *holed):
        left, top, wide, high = (int(each) for each in cv2.boundingRect(contour))
        square = min(wide, high) >= SMALLEST and max(wide, high) <= LARGEST and 0.8 <= wide / high <= 1.25
        piece = dark[top : top + high, left : left + wide]
        if square and (left, top, wide, high) not in seen and _is_frame(piece):
            seen[left, top, wide, high] = not _is_solid(piece)
    paper = [box for box, is_open in seen.items() if is_open]
    yield from paper
    # A cross fills a small box: beside others of its size a dark square is one.
    for box, is_open in seen.items():
        if not is_open and sum(_is_like(box, each) for each in paper) >= FEWEST_LIKE:
            yield box


def _is_like(one: _Box, other: _Box) -> bool:
    """Whether both boxes have the same sides, and stand in one row or one column."""
    aside = min(abs(one[0] - other[0]), abs(one[1] - other[1]))
    return aside <= one[2] and _is_as_large(one[2:], other[2:])


def _is_as_large(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return abs(one[0] - other[0]) <= 2 and abs(one[1] - other[1]) <= 2


def _is_frame(box: Mask) -> bool:
    """Whether all four sides are ruled: in a band of a few pixels each row or column has something dark."""
    band = max(2, min(box.shape) // 6)
    sides = (box[:band].max(axis=0), box[-band:].max(axis=0), box[:, :band].max(axis=1), box[:, -band:].max(axis=1))
    return all(float(side.mean()) >= LEAST_FRAME for side in sides)


def _is_solid(box: Mask) -> bool:
    return float(box.mean()) > 0.8


def _tick(dark: Mask, box: tuple[int, int, int, int], width: int, height: int) -> Tick:
    left, top, wide, high = box
    edge = max(2, round(0.22 * min(wide, high)))
    inside = dark[top + edge : top + high - edge, left + edge : left + wide - edge]
    ink = float(inside.mean()) if inside.size else 0.0
    doubt = 1 - min(1.0, abs(ink - LEAST_INK) / LEAST_INK)
    x0, y0, x1, y1 = (
        round(each, 6) for each in (left / width, top / height, (left + wide) / width, (top + high) / height)
    )
    quad: Quad = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    return Tick(quad, selected=ink >= LEAST_INK, confidence=round(SURE * (1 - 0.5 * doubt), 2))
