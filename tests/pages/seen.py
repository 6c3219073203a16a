"""What a page says: its texts and the attributes that are read out, without scripts' data."""

from __future__ import annotations

import re
from html.parser import HTMLParser

SPOKEN = {"aria-label", "title", "placeholder", "alt"}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_UNSEEN = {"script", "style", "textarea", "pre", "code", "kbd"}


class Seen(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: set[str] = set()
        self.root: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.root = given
        # What says its own language is not asked to be in the page's.
        if "lang" not in given or tag == "html":
            self.texts |= {_folded(value) for name, value in given.items() if name in SPOKEN}
        if tag not in _VOID:
            self._open.append(tag if "lang" not in given or tag == "html" else "code")

    def handle_endtag(self, tag: str) -> None:
        if self._open and tag not in _VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if not _UNSEEN & set(self._open):
            self.texts.add(_folded(data))


def _folded(text: str) -> str:
    return " ".join(text.split())


def words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]{3,}", text))
