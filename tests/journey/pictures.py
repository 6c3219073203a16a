"""Pictures for somebody to look at: DTAT_SCREENSHOTS=DIR keeps one of every page and state, at three widths in light and dark.

What came of looking at them is in docs/screens.md.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

FOLDER = os.environ.get("DTAT_SCREENSHOTS", "")
SIZES = {1440: 900, 820: 1180, 390: 844}
EVERY: list[tuple[int, Literal["light", "dark"]]] = [
    look for width in SIZES for look in ((width, "light"), (width, "dark"))
]


def shot(page: Page, name: str) -> None:
    """The state at every look, when pictures are asked for; the page is as it was afterwards."""
    if not FOLDER:
        return
    before = page.viewport_size or {"width": 1440, "height": 900}
    calm = page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    for width, theme in EVERY:
        page.set_viewport_size({"width": width, "height": SIZES[width]})
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        kept(page, f"{name}-{width}-{theme}")
    page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce" if calm else "no-preference")
    page.set_viewport_size(before)


def kept(page: Page, name: str) -> None:
    """The page as it is, when pictures are asked for."""
    if FOLDER:
        page.screenshot(path=Path(FOLDER) / f"{name}.png")
