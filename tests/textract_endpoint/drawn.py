"""Small documents drawn for these tests."""

import io

from PIL import Image, ImageDraw, ImageFont
from PIL.TiffImagePlugin import TiffImageFile

INVOICE = (
    (60, 40, 46, "Northwind Paper Ltd"),
    (60, 130, 26, "Invoice No: NW-20417"),
    (60, 180, 26, "Date: 12/03/2026"),
    (560, 130, 26, "Due date: 11/04/2026"),
    (560, 180, 26, "PO Number: 88231"),
    (60, 280, 26, "Description"),
    (460, 280, 26, "Qty"),
    (600, 280, 26, "Unit price"),
    (820, 280, 26, "Amount"),
    (60, 330, 26, "Copy paper A4"),
    (460, 330, 26, "10"),
    (600, 330, 26, "4.20"),
    (820, 330, 26, "42.00"),
    (60, 380, 26, "Blue folders"),
    (460, 380, 26, "25"),
    (600, 380, 26, "1.10"),
    (820, 380, 26, "27.50"),
    (60, 430, 26, "Desk stapler"),
    (460, 430, 26, "12"),
    (600, 430, 26, "9.00"),
    (820, 430, 26, "108.00"),
    (600, 530, 26, "Subtotal"),
    (820, 530, 26, "177.50"),
    (600, 580, 26, "VAT"),
    (820, 580, 26, "35.50"),
    (600, 630, 26, "Total"),
    (820, 630, 26, "213.00"),
)


def picture(*texts: tuple[int, int, int, str], size: tuple[int, int] = (1000, 720)) -> Image.Image:
    """White paper with texts, each (left, top, font size, text)."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for left, top, font_size, text in texts:
        draw.text((left, top), text, fill="black", font=ImageFont.load_default(font_size))
    return image


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The picture as a file."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def note(text: str) -> Image.Image:
    """A slip of paper with one line: the cheapest thing to read."""
    return picture((20, 20, 30, text), size=(420, 90))


def pages(*images: Image.Image, kind: str = "PDF") -> bytes:
    """Several pages in one PDF or TIFF."""
    return encoded(images[0], kind, save_all=True, append_images=list(images[1:]))


def with_broken_second_page(first: Image.Image, second: Image.Image) -> bytes:
    """A TIFF of two pages, the second of which is listed but cannot be decoded."""
    content = bytearray(encoded(first, "TIFF", save_all=True, append_images=[second], compression="tiff_deflate"))
    with Image.open(io.BytesIO(content)) as image:
        assert isinstance(image, TiffImageFile)
        image.seek(1)
        strips = zip(image.tag_v2[273], image.tag_v2[279], strict=True)  # StripOffsets, StripByteCounts
    for offset, length in strips:
        content[offset : offset + length] = bytes(length)
    return bytes(content)


def encrypted_pdf() -> bytes:
    """A PDF that opens with a password nobody knows."""
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
        b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <" + b"ab" * 32 + b"> /U <" + b"cd" * 32 + b"> >>",
    )
    return _pdf(objects, b"/Encrypt 4 0 R /ID [<0123456789abcdef0123456789abcdef> <0123456789abcdef0123456789abcdef>]")


def large_pdf(points: int) -> bytes:
    """A PDF with one empty page of `points` a side."""
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] >>" % (points, points),
    )
    return _pdf(objects, b"")


def _pdf(objects: tuple[bytes, ...], trailer: bytes) -> bytes:
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    return (
        body
        + b"xref\n0 %d\n0000000000 65535 f \n" % count
        + table
        + b"trailer\n<< /Root 1 0 R /Size %d %s >>\nstartxref\n%d\n%%%%EOF\n" % (count, trailer, len(body))
    )
