"""Small foreign files, good and bad, written by hand where no library would write them."""

import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def picture(path: Path, *, size: tuple[int, int] = (120, 80), mode: str = "RGB", **options: object) -> Path:
    """A white picture with a black left edge, saved in the format of the suffix."""
    image = Image.new("L", size, 255)
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 4, size[1]), fill=0)
    image.convert(mode).save(path, **options)  # type: ignore[arg-type]
    return path


def png_header(path: Path, width: int, height: int) -> Path:
    """A PNG that promises a size and brings no pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return write(path, b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", b"") + _chunk(b"IEND", b""))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def tiff(path: Path, *, frames: int) -> Path:
    """A TIFF of 1 x 1 grey frames that all show the same pixel; 102 bytes a frame."""
    tags = ((256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (278, 1), (279, 1))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    size = 2 + len(entries) + 4
    body = b"".join(
        struct.pack("<H", len(tags))
        + entries
        + struct.pack("<I", 12 + (number + 1) * size if number + 1 < frames else 0)
        for number in range(frames)
    )
    return write(path, b"II*\x00" + struct.pack("<I", 12) + b"\x7f\x00\x00\x00" + body)


def pdf(
    path: Path,
    *,
    boxes: tuple[str, ...] = ("0 0 200 100",),
    stream: bytes = b"",
    extra: str = "",
    trailer: str = "",
    objects: tuple[bytes, ...] = (),
) -> Path:
    """A PDF with one page per media box; `stream` is a whole stream object shared by the pages, `objects` come after them."""
    first = 4
    kids = " ".join(f"{first + index} 0 R" for index in range(len(boxes)))
    bodies = [
        f"<</Type/Catalog/Pages 2 0 R{extra}>>".encode(),
        f"<</Type/Pages/Count {len(boxes)}/Kids[{kids}]>>".encode(),
    ]
    bodies.append(stream or b"<</Length 31>>stream\n0 0 0 rg 0 0 50 100 re f       \nendstream")
    bodies += [f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Contents 3 0 R>>".encode() for box in boxes]
    bodies += objects
    content, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(content))
        content += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = f"trailer<</Size {len(bodies) + 1}/Root 1 0 R{trailer}>>\nstartxref\n{len(content)}\n%%EOF\n".encode()
    return write(path, content + b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1) + table + end)


def encrypted_pdf(path: Path) -> Path:
    """A PDF whose password nobody knows: the keys are made up."""
    key = "41" * 32
    return pdf(
        path, trailer=f"/ID[<{key[:32]}><{key[:32]}>]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<{key}>/U<{key}>>>"
    )


def flate_bomb(path: Path, *, megabytes: int = 100) -> Path:
    """A PDF of a few kilobytes whose page inflates twice into megabytes of drawing."""
    inner = zlib.compressobj(1)
    line = b"0 0 m 9 9 l S 1 1 m 8 8 l S 2 2 m 7 7 l S 3 3 m 6 6 l S\n" * 18_000
    once = b"".join(inner.compress(line) for _ in range(megabytes)) + inner.flush()
    twice = zlib.compress(once)
    head = f"<</Length {len(twice)}/Filter[/FlateDecode/FlateDecode]>>stream\n".encode()
    return pdf(path, stream=head + twice + b"\nendstream")


def text_pdf(path: Path, drawing: str, *, rotate: int = 0, crop: str = "0 0 200 100", pages: int = 1) -> Path:
    """A PDF of 200 x 100 points whose pages all draw the same, with Helvetica as /F."""
    content = drawing.encode("latin-1")
    font = "/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>>>>>"
    box = f"0 0 200 100]/CropBox[{crop}]/Rotate {rotate}{font}/Was[0"
    return pdf(path, boxes=(box,) * pages, stream=b"<</Length %d>>stream\n%b\nendstream" % (len(content), content))


def digital_pdf(path: Path, lines: Sequence[str], *, says: Mapping[str, str] | None = None, pages: int = 1) -> Path:
    """A PDF of 300 x 400 points whose pages all print these lines in Helvetica, 12 points high.

    Its text layer says the same, but for the characters in `says`: to whoever copies them they are others. What a font's ToUnicode
    says is shown to nobody.
    """
    rows = [f"0 -20 Td ({line}) Tj" for line in lines]
    drawing = " ".join(["BT /F 12 Tf 30 380 Td", *rows, "ET"]).encode("latin-1")
    mapped = "".join(f"<{ord(shown):02x}> <{ord(said):04x}>\n" for shown, said in (says or {}).items())
    table = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Said def /CMapType 2 def\n"
        f"1 begincodespacerange <00> <ff> endcodespacerange {len(says or {})} beginbfchar\n{mapped}endbfchar endcmap end end"
    ).encode()
    to_unicode = f"/ToUnicode {4 + pages} 0 R" if says else ""
    font = f"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding{to_unicode}>>"
    box = f"0 0 300 400]/Resources<</Font<</F{font}>>>>/Was[0"
    return pdf(path, boxes=(box,) * pages, stream=_stream(drawing), objects=(_stream(table),))


def _stream(content: bytes) -> bytes:
    return b"<</Length %d>>stream\n%b\nendstream" % (len(content), content)
