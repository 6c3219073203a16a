"""The check boxes of a page: small square frames, empty or ticked. Imported by OCR children only."""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from deploy.local.textract.reading import Quad, Tick

WIDEST = 1500
"""Pixels to which a wider picture is shrunk before it is looked at."""
SMALLEST, LARGEST = 10, 46
"""Sides of a box in those pixels: a letter's height and a bit more than twice that."""
LEAST_FRAME = 0.85
"""Share of each of its four sides that is dark; of round letters it is far less."""
LEAST_INK = 0.08
"""Share of the inside that is dark in a box that is ticked; dust is less."""
SURE = 92.0
MOST = 300
"""A page with more is a pattern."""

Mask = npt.NDArray[np.uint8]


def ticks_of(picture: npt.NDArray[np.uint8]) -> tuple[Tick, ...]:
    """The boxes from the top, row by row. A tick that runs over its frame hides the box."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    scale = WIDEST / grey.shape[1]
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    dark = cv2.adaptiveThreshold(grey, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 41, 15).astype(np.uint8)
    found = sorted(_boxes(dark), key=lambda box: (box[1] // SMALLEST, box[0]))
    height, width = dark.shape
    return tuple(_tick(dark, box, width, height) for box in found) if len(found) <= MOST else ()


def _boxes(dark: Mask) -> Iterator[tuple[int, int, int, int]]:
    contours, _ = cv2.findContours(dark, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    inner, hierarchy = cv2.findContours(dark, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    holed = (
        [] if hierarchy is None else [each for each, of in zip(inner, hierarchy[0], strict=True) if of[3] < 0 <= of[2]]
    )
    seen: set[tuple[int, int, int, int]] = set()
    for contour in (*contours, *holed):
        left, top, wide, high = (int(each) for each in cv2.boundingRect(contour))
        square = min(wide, high) >= SMALLEST and max(wide, high) <= LARGEST and 0.8 <= wide / high <= 1.25
        if square and (left, top, wide, high) not in seen and _is_frame(dark[top : top + high, left : left + wide]):
            seen.add((left, top, wide, high))
            yield left, top, wide, high


def _is_frame(box: Mask) -> bool:
    """Whether all four sides are ruled: in a band of a few pixels each row or column has something dark."""
    band = max(2, min(box.shape) // 6)
    sides = (box[:band].max(axis=0), box[-band:].max(axis=0), box[:, :band].max(axis=1), box[:, -band:].max(axis=1))
    return all(float(side.mean()) >= LEAST_FRAME for side in sides) and not _is_solid(box)


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
