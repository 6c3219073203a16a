"""What a file is, by its first bytes, and what may be read of it.

Source: AWS Textract, set quotas (asynchronous operations): JPEG and PNG 10 MB, PDF and TIFF 500 MB and 3,000 pages,
pictures 10,000 pixels a side, PDF pages 9,000 points a side. The 60 megapixels are ours: they bound the child's memory.
"""

import re

PICTURE_BYTES = 10 * 1024 * 1024
DOCUMENT_BYTES = 500 * 1024 * 1024
MAX_PAGES = 3_000
MAX_PICTURE_SIDE = 10_000
MAX_PICTURE_PIXELS = 60_000_000
MAX_PDF_POINTS = 9_000
HEAD_BYTES = 4_096

MAX_BYTES = {
    "image/jpeg": PICTURE_BYTES,
    "image/png": PICTURE_BYTES,
    "image/tiff": DOCUMENT_BYTES,
    "application/pdf": DOCUMENT_BYTES,
}
CONTENT_TYPES = frozenset(MAX_BYTES)

_ACCEPTED = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
)

_FOREIGN = (
    (rb"RIFF....WEBP", "webp"),
    (rb"GIF8[79]a", "gif"),
    (rb"....ftyp(?:hei[cmsx]|hev[cmsx]|mif1|msf1)", "heic"),
    (rb"....ftypavi[fs]", "avif"),
    (rb"....ftyp", "video"),
    (rb"\x1aE\xdf\xa3|RIFF....AVI ", "video"),
    (rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51", "jpeg2000"),
    (rb"\x00\x00\x00\x0cJXL |\xff\x0a", "jpegxl"),
    (rb"BM....\x00\x00\x00\x00", "bmp"),
    (rb"\x00\x00[\x01\x02]\x00", "ico"),
    (rb"8BPS", "psd"),
    (rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis", "opendocument"),
    (rb"PK\x03\x04.*word/", "word"),
    (rb"PK\x03\x04.*xl/", "excel"),
    (rb"PK\x03\x04.*ppt/", "powerpoint"),
    (rb"PK(?:\x03\x04|\x05\x06)", "zip"),
    (rb"\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!|.{257}ustar", "archive"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office"),
    (rb"\{\\rtf", "rtf"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "postscript"),
    (rb"MZ|\x7fELF|#!", "program"),
    (rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml.*?|<!--.*?)?\s*<(?:!doctype svg|svg)", "svg"),
    (rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml.*?|<!--.*?)?\s*<(?:!doctype html|html|head|body|script)", "html"),
    (rb"(?:\xef\xbb\xbf)?\s*<\?xml", "xml"),
    (rb"(?:from|received|return-path|delivered-to|mime-version|subject): ", "mail"),
)


def recognise(head: bytes) -> tuple[str, str]:
    """(content type, "") of a file that may be read, or ("", what it looks like instead: a word, empty if unknown).

    `head` are the first HEAD_BYTES of the file. A PDF header may stand anywhere in the first 1,024 bytes.
    Source: ISO 32000, implementation note on the header; no other name or header of the upload is believed.
    """
    for magic, content_type in _ACCEPTED:
        if head.startswith(magic):
            return content_type, ""
    if b"%PDF-" in head[:1024]:
        return "application/pdf", ""
    return "", _resemblance(head)


def _resemblance(head: bytes) -> str:
    for pattern, word in _FOREIGN:
        if re.match(pattern, head, re.DOTALL | re.IGNORECASE):
            return word
    return "text" if _is_text(head) else ""


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # not merely a character cut in half at the end of the head
            return False
        text = head[: error.start].decode("utf-8-sig")
    return len(text) > 1 and all(character.isprintable() or character in "\t\r\n\f" for character in text)
