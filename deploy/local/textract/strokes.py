"""The ruled lines of a page: what is written upon them is filled in. Imported by OCR children only."""

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from deploy.local.textract.reading import Stroke

SHORTEST = 0.033
"""Of the page's width: no stroke of a letter is as long."""
THICKEST = 7
DOT, GAP = 0.0045, 0.012
"""Of the page's width: how high a dot of a dotted line is at most, and how far apart two are."""
SHORTEST_DOTTED, DENSE = 0.05, 0.4
"""Of the page's width; and the least number of dots in each such gap: specks of a bad copy lie in no rows."""
MOST = 400
"""A page with more is a picture or a pattern rather than a form."""


def strokes_of(grey: npt.NDArray[np.uint8]) -> tuple[Stroke, ...]:
    """The lines that lie, from the top; those a little askew too. None on a page that is all lines.

    `grey` is the page as grey.shrunk makes it."""
    height, width = grey.shape
    least = max(20, round(SHORTEST * width))
    dark = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 31, 15)
    # Longer than two letters with feet, which touch in a typewriter's print; a line askew by a degree still has as many
    # pixels side by side.
    lying = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((1, 3 * least // 4), np.uint8))
    joined = cv2.morphologyEx(lying, cv2.MORPH_CLOSE, np.ones((3, 5), np.uint8))
    _, labels, found, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    strokes = []
    for label, (left, top, wide, high, _area) in enumerate(found):
        if label and wide >= least and high <= max(THICKEST, 0.03 * wide):
            strokes.append(_stroke(labels[top : top + high, left : left + wide] == label, left, top, width, height))
    strokes += _dotted(dark.astype(np.uint8))
    return tuple(sorted(strokes, key=lambda stroke: stroke.begin[1])) if len(strokes) <= MOST else ()


def _dotted(dark: npt.NDArray[np.uint8]) -> Iterator[Stroke]:
    """The lines made of dots or short dashes."""
    height, width = dark.shape
    high, gap = max(3, round(DOT * width)), max(9, round(GAP * width))
    _, labels, found, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    small = (found[:, 3] <= high) & (found[:, 2] <= 3 * high)
    small[0] = False
    dots = small[labels].astype(np.uint8)
    rows = cv2.dilate(dots, np.ones((3, gap), np.uint8))
    _, lines, boxes, _ = cv2.connectedComponentsWithStats(rows, connectivity=8)
    number_of = lines[found[:, 1] + found[:, 3] // 2, found[:, 0] + found[:, 2] // 2]
    count = np.bincount(number_of[small], minlength=len(boxes))
    for number, (left, top, wide, tall, _area) in enumerate(boxes):
        wide -= gap - 1
        if (
            number
            and wide >= SHORTEST_DOTTED * width
            and tall <= high + 3 + 0.03 * wide
            and count[number] >= DENSE * wide / gap
        ):
            mask = (lines[top : top + tall, left : left + wide + gap - 1] == number)[:, gap // 2 : gap // 2 + wide]
            yield replace(_stroke(mask, left + gap // 2, top, width, height), dotted=True)


def _stroke(mask: npt.NDArray[np.bool_], left: int, top: int, width: int, height: int) -> Stroke:
    """From the middle of its first column of pixels to that of its last."""
    first, last = (cast(float, np.flatnonzero(mask[:, column]).mean()) for column in (0, -1))
    begin = (round(left / width, 6), round((top + float(first)) / height, 6))
    end = (round((left + mask.shape[1] - 1) / width, 6), round((top + float(last)) / height, 6))
    return Stroke(begin, end)
