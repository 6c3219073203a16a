"""The cells of a page: what ruled lines shut in on all four sides. Imported by OCR children only."""

import cv2
import numpy as np
import numpy.typing as npt

from deploy.local.textract.reading import Quad

LONG, TALL = 0.025, 0.017
"""The shortest line of a frame, lying and upright, of the page's width: longer than the strokes of all letters but those of titles."""
BROKEN = 7
"""Pixels of a line that may be missing in the copy."""
NARROWEST, LOWEST, LARGEST = 0.02, 0.011, 0.5
"""The sides of a cell of the page's width at least, and its share of the page at most."""
LEAST_FULL = 0.86
"""Share of the rectangle around it that a cell fills; what lies around other cells fills less."""
MOST = 600
"""A page with more is a pattern."""

Mask = npt.NDArray[np.uint8]


def cells_of(grey: npt.NDArray[np.uint8]) -> tuple[Quad, ...]:
    """The rectangles from the top, row by row, those askew by a degree too. `grey` is the page as grey.shrunk makes it."""
    height, width = grey.shape
    free = 255 - _ruled(grey)
    count, _, found, _ = cv2.connectedComponentsWithStats(free, connectivity=4)
    boxes = [tuple(int(each) for each in stats) for stats in found[1:count]]
    cells = [
        (left, top, wide, high)
        for left, top, wide, high, area in boxes
        if wide >= NARROWEST * width
        and high >= LOWEST * width
        and area >= LEAST_FULL * wide * high
        and area <= LARGEST * width * height
        and 0 < left < left + wide < width
        and 0 < top < top + high < height
    ]
    if len(cells) > MOST:
        return ()
    return tuple(_quad(*cell, width, height) for cell in sorted(cells, key=lambda cell: (cell[1], cell[0])))


def _ruled(grey: Mask) -> Mask:
    """The lines that lie and those that stand, broken ones joined."""
    width = grey.shape[1]
    dark = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 31, 15)
    long, tall = max(20, round(LONG * width)), max(20, round(TALL * width))
    lying = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((1, long), np.uint8))
    upright = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((tall, 1), np.uint8))
    lying = cv2.morphologyEx(lying, cv2.MORPH_CLOSE, np.ones((1, BROKEN), np.uint8))
    upright = cv2.morphologyEx(upright, cv2.MORPH_CLOSE, np.ones((BROKEN, 1), np.uint8))
    return cv2.dilate(cv2.bitwise_or(lying, upright), np.ones((3, 3), np.uint8)).astype(np.uint8)


def _quad(left: int, top: int, wide: int, high: int, width: int, height: int) -> Quad:
    x0, y0, x1, y1 = (
        round(each, 6) for each in (left / width, top / height, (left + wide) / width, (top + high) / height)
    )
    return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
