"""The refusals of the sandbox, one sentence each: made here from a code, never from what a library said."""

_SENTENCES = {
    "empty_file": "This file is empty. Check that it opens on your computer and upload it again.",
    "too_large": "This file is too large. A JPEG or PNG picture may have up to 10 MB, a PDF or TIFF file up to 500 MB. "
    "Save it smaller or split it, and upload it again.",
    "too_many_pages": "This document has more than 3,000 pages. Split it and upload the parts one by one.",
    "page_too_large": "A page of this PDF is larger than 125 inches (9,000 points) on one side. "
    "Print it to a normal paper size and upload it again.",
    "too_many_pixels": "This picture is too large: 10,000 pixels a side and 60 million pixels in all can be read. "
    "Save it at a lower resolution and upload it again.",
    "password_protected": "This PDF is protected by a password. Save a copy without the password and upload that.",
    "damaged": "This file is damaged and cannot be opened. Scan or export the document again and upload the new file.",
    "too_complex": "This file is too complex to be opened safely. "
    "Print it to a new PDF, or scan it, and upload the new file.",
    "no_pages": "This document has no pages. Check that it opens on your computer and upload it again.",
}

_SEEN = {
    "": "This file is not a document that can be read here. Save it as JPEG, PNG, TIFF or PDF and upload it again.",
    "heic": "This is a HEIC photo. Save it as JPEG, PNG, TIFF or PDF and upload it again.",
    "avif": "This is an AVIF picture. Save it as JPEG, PNG, TIFF or PDF and upload it again.",
    "webp": "This is a WebP picture. Save it as JPEG, PNG, TIFF or PDF and upload it again.",
    "gif": "This is a GIF picture. Save it as JPEG, PNG, TIFF or PDF and upload it again.",
    "bmp": "This is a BMP picture. Save it as JPEG, PNG, TIFF or PDF and upload it again.",
    "ico": "This is an icon file. Save it as JPEG, PNG, TIFF or PDF and upload it again.",
    "jpeg2000": "This is a JPEG 2000 picture. Save it as JPEG, PNG, TIFF or PDF and upload it again.",
    "jpegxl": "This is a JPEG XL picture. Save it as JPEG, PNG, TIFF or PDF and upload it again.",
    "psd": "This is a Photoshop file. Save it as JPEG, PNG, TIFF or PDF and upload it again.",
    "svg": "This is an SVG drawing. Save it as JPEG, PNG, TIFF or PDF and upload it again.",
    "word": "This is a Word document. Save it as PDF and upload it again.",
    "excel": "This is an Excel workbook. Save it as PDF and upload it again.",
    "powerpoint": "This is a PowerPoint presentation. Save it as PDF and upload it again.",
    "opendocument": "This is an OpenDocument file. Save it as PDF and upload it again.",
    "office": "This is a file of an older Office program. Save it as PDF and upload it again.",
    "rtf": "This is an RTF text. Save it as PDF and upload it again.",
    "postscript": "This is a PostScript file. Save it as PDF and upload it again.",
    "zip": "This is a ZIP archive. Unpack it and upload the documents inside one by one.",
    "archive": "This is an archive. Unpack it and upload the documents inside one by one.",
    "html": "This is a web page. Print it to PDF and upload it again.",
    "xml": "This is an XML file. Upload the document itself as JPEG, PNG, TIFF or PDF.",
    "mail": "This is an e-mail. Upload its attachment as JPEG, PNG, TIFF or PDF.",
    "text": "This is a plain text file. Print it to PDF and upload it again.",
    "video": "This is a video. Take a photo of the document, save it as JPEG and upload it again.",
    "program": "This is a program, not a document. Upload the document as JPEG, PNG, TIFF or PDF.",
    "xfa": "This PDF is an interactive XFA form that only Adobe Reader can show. Print it to PDF and upload that.",
}

CODES = frozenset({"unsupported_type", *_SENTENCES})


class Unacceptable(Exception):
    """The file cannot be taken as it is, for good: `code` is stable, `sentence` tells its owner what to do."""

    def __init__(self, code: str, *, seen: str = "") -> None:
        self.code = code
        self.sentence = _SEEN.get(seen, _SEEN[""]) if code == "unsupported_type" else _SENTENCES[code]
        super().__init__(self.sentence)


class SandboxFailed(Exception):
    """The file could not be looked at because of us (`code` says why): nothing is known about it; try again later."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"The file could not be checked just now ({code}). Try again in a minute.")
