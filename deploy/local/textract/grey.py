"""The picture in which lines, cells and check boxes are looked for. Imported by OCR children only."""

import cv2
import numpy as np
import numpy.typing as npt

WIDEST = 1500
"""Pixels to which a wider picture is shrunk: enough for lines, and their sides are told in these pixels."""

Picture = npt.NDArray[np.uint8]
"""Rows by columns by three colours, or by none where it is grey."""


def shrunk(picture: Picture) -> Picture:
    """The picture in grey, 1,500 pixels wide at most."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    scale = WIDEST / grey.shape[1]
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return grey.astype(np.uint8, copy=False)
