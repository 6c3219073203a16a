"""How many pages a file has, told from its bytes without opening it as a document."""

import mmap
import re
import struct

_PAGE = re.compile(rb"/Type\s*/Page(?![a-zA-Z])")
_COUNT = re.compile(rb"/Count\s+(\d{1,5})\b")
MOST = 3001
"""Counting stops here: one more than Textract takes."""


def pages_in(content: bytes | mmap.mmap, kind: str) -> int | None:
    """The number of pages of a file of this kind (PNG, JPEG, TIFF or PDF); None when its bytes do not tell.

    A PDF keeps its page objects in compressed streams at times; then the count of its page tree may still be plain.
    """
    if kind == "PDF":
        found = sum(1 for _ in zip(_PAGE.finditer(content), range(MOST), strict=False))
        counts = [int(match[1]) for match in _COUNT.finditer(content)] if not found else []
        return found or max(counts, default=0) or None
    return _directories(content) if kind == "TIFF" else 1


def _directories(content: bytes | mmap.mmap) -> int | None:
    """The length of a TIFF's chain of directories; None when it is broken."""
    order = "<" if bytes(content[:2]) == b"II" else ">"
    count, seen = 0, set[int]()
    try:
        (at,) = struct.unpack_from(f"{order}I", content, 4)
        while at and at not in seen and count < MOST:
            seen.add(at)
            count += 1
            (entries,) = struct.unpack_from(f"{order}H", content, at)
            (at,) = struct.unpack_from(f"{order}I", content, at + 2 + 12 * entries)
    except struct.error:
        return None
    return count or None
