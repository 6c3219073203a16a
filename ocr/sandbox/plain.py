"""Ordinary JPEG and PNG pictures, recognised by their outline alone: no decoder runs, so no limited child is needed.

Everything that is not entirely ordinary (another colour model, a chunk nobody needs, a cut-off end, an odd length, a size near the
limits) is left to the child: nothing is refused here. What is read are lengths and a few numbers, each step moves forward, and the
number of steps is bounded. Source: ITU T.81 annex B (JPEG), ISO 15948 (PNG), Exif 2.32 section 4.5.4 (orientation).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from ocr.sandbox.answers import Inspection, PageSize
from ocr.sandbox.formats import MAX_PICTURE_SIDE

MOST_PIXELS = (
    20_000_000  # a large page at 400 dpi; what unfolds into more is decoded once in the child before it is believed
)
MOST_PARTS = 4_000  # segments or chunks: an encoder's smallest usual chunk, 8 KiB, makes 1,280 of 10 MiB

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
_START_OF_SCAN, _APP1, _APP2 = 0xDA, 0xE1, 0xE2
_TABLES = {0xC4, 0xDB}  # Huffman and quantisation tables: without them nothing can be decoded
_HARMLESS = {*_TABLES, 0xDD, 0xFE, *range(0xE0, 0xF0)}  # and restart interval, comment, application data
_DEPTHS = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}  # bits by PNG colour type
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PLAIN_CHUNKS = {
    b"PLTE",
    b"tRNS",
    b"gAMA",
    b"cHRM",
    b"sRGB",
    b"pHYs",
    b"bKGD",
    b"sBIT",
    b"tIME",
    b"hIST",
    b"tEXt",
    b"eXIf",
}
_DEFLATE_MOST = 1032  # deflate makes at most so many bytes of one (RFC 1951: 258 bytes of two bits)
_ORIENTATION, _SHORT = 0x0112, 3


class _Unusual(Exception):
    """For the child to look at."""


def inspect(content: bytes) -> Inspection | None:
    """What the picture is, when its outline is sound and ordinary; None says nothing about it."""
    try:
        if content.startswith(_PNG):
            return _inspection("image/png", *_png(content))
        if content.startswith(_JPEG):
            return _inspection("image/jpeg", *_jpeg(content))
    except (_Unusual, struct.error):
        pass
    return None


def is_candidate(head: bytes) -> bool:
    """Whether a file that begins so can be one."""
    return head.startswith((_PNG, _JPEG))


def _inspection(content_type: str, width: int, height: int, orientation: int) -> Inspection:
    _require(0 < width <= MAX_PICTURE_SIDE and 0 < height <= MAX_PICTURE_SIDE and width * height <= MOST_PIXELS)
    size = PageSize(height, width) if orientation >= 5 else PageSize(width, height)
    return Inspection(content_type, 1, (size,))


def _require(holds: object) -> None:
    if not holds:
        raise _Unusual


# JPEG


def _jpeg(content: bytes) -> tuple[int, int, int]:
    width, height, orientation = 0, 0, 0
    seen: set[int] = set()
    for marker, begin, end in _segments(content):
        if marker in (_BASELINE, _EXTENDED, _PROGRESSIVE):
            _require(not width)
            width, height = _frame(content[begin:end])
        elif marker == _APP1:
            _require(b"tiff:Orientation" not in content[begin:end])
            if content.startswith(b"Exif\0\0", begin):
                _require(not orientation)
                orientation = _orientation(content[begin + 6 : end])
        elif marker == _APP2:
            _require(not content.startswith(b"MPF\0", begin))  # several pictures in one file
        elif marker == _START_OF_SCAN:
            _require(width and seen >= _TABLES)
            _check_scans(content, end, width, height)
            return width, height, orientation or 1
        else:
            _require(marker in _HARMLESS)
        seen.add(marker)
    raise _Unusual


def _segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, and where its data begin and end, of every segment up to the first scan."""
    place = 2
    for _ in range(MOST_PARTS):
        mark, marker, length = struct.unpack_from(">BBH", content, place)
        end = place + 2 + length
        _require(mark == 0xFF and length >= 2 and end <= len(content))
        yield marker, place + 4, end
        place = end


def _frame(data: bytes) -> tuple[int, int]:
    bits, height, width, components = struct.unpack_from(">BHHB", data)
    _require(bits == 8 and components in (1, 3) and len(data) == 6 + 3 * components)
    return width, height


def _check_scans(content: bytes, begin: int, width: int, height: int) -> None:
    """The end is there, and before it at least the bit that every block of 8 x 8 pixels takes."""
    end = content.find(b"\xff\xd9", begin)  # inside a scan no byte after FF is D9
    blocks = -(-width // 8) * -(-height // 8)
    _require(end >= begin + blocks // 8)


# PNG


def _png(content: bytes) -> tuple[int, int, int]:
    chunks = _chunks(content)
    name, head = next(chunks)
    _require(name == b"IHDR" and len(head) == 13)
    width, height, bits, colour, *methods = struct.unpack(">IIBBBBB", head)
    _require(bits in _DEPTHS.get(colour, ()) and methods[:2] == [0, 0] and methods[2] in (0, 1))
    orientation, packed, last = 1, 0, name
    for name, data in chunks:
        if name == b"IDAT":
            _require(last == b"IDAT" if packed else _begins_deflate(data))  # in one row, and the first is its beginning
            packed += len(data)
        elif name == b"IEND":
            row = -(-width * bits * _CHANNELS[colour] // 8) + 1
            _require(packed * _DEFLATE_MOST >= row * height and not data)
            return width, height, orientation
        else:
            _require(name in _PLAIN_CHUNKS and b"tiff:Orientation" not in data and not data.startswith(b"Raw profile"))
            orientation = _orientation(data) if name == b"eXIf" else orientation
        last = name
    raise _Unusual


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and data of every chunk whose checksum holds."""
    place = len(_PNG)
    for _ in range(MOST_PARTS):
        length, name = struct.unpack_from(">I4s", content, place)
        data = content[place + 8 : place + 8 + length]
        (checksum,) = struct.unpack_from(">I", content, place + 8 + length)
        _require(zlib.crc32(data, zlib.crc32(name)) == checksum)
        yield name, data
        place += 12 + length


def _begins_deflate(data: bytes) -> bool:
    return len(data) > 2 and data[0] & 15 == 8 and (data[0] << 8 | data[1]) % 31 == 0


# Exif


def _orientation(exif: bytes) -> int:
    """1 to 8, and 1 when there is none; anything but one number in its usual form is unusual."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    _require(order)
    (place,) = struct.unpack_from(f"{order}I", exif, 4)
    (entries,) = struct.unpack_from(f"{order}H", exif, place)
    _require(entries <= 200)
    for number in range(entries):
        tag, kind, count, value = struct.unpack_from(f"{order}HHIH", exif, place + 2 + 12 * number)
        if tag == _ORIENTATION:
            _require(kind == _SHORT and count == 1 and 1 <= value <= 8)
            return int(value)
    return 1
