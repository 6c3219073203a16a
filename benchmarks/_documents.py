"""Real documents with truth, for measuring only: receipts, invoices, forms, and receipts that were turned or spoiled.

They show real businesses and are no part of the repository. They lie in `data/documents` of the folder that DTAT_SHARED
names, else of `../shared` beside it; the INDEX.md there tells where each comes from and under which licence.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pypdfium2 as pdfium
from PIL import Image, ImageFilter

ROOT = Path(__file__).resolve().parent.parent
SEED = "reading-1"
FOLDS = 5
# Forms of the test half that nobody has looked at, nor at what was read of them, while rules were written.
UNSEEN_FORMS = frozenset(("0011899960", "0060302201"))
WORN = (60, 50, 40)  # percent of the height and width
ROTATIONS = {"rot90": 90, "rot180": 180, "rot270": 270}

Half = Literal["tune", "test"]
Rectangle = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A stretch of text as somebody who looked at the page wrote it down."""

    box: Rectangle
    text: str


@dataclass(frozen=True)
class Paper:
    """One document. `truth` holds normal forms (`normal`), `pairs` the key and value texts of a form."""

    set: str
    path: Path
    document_type: str
    truth: Mapping[str, str] = field(default_factory=dict)
    pairs: Sequence[tuple[str, str]] = ()
    printed: Sequence[Printed] = ()
    half: Half = "test"
    rotation: int = 0
    fold: int = 0

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def kind(self) -> str:
        return {".jpg": "JPEG", ".png": "PNG", ".pdf": "PDF"}[self.path.suffix]

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    @cached_property
    def text(self) -> str:
        """What truly stands on it: the annotators' text, or a PDF's own."""
        if self.kind != "PDF":
            return "\n".join(each.text for each in self.printed)
        with pdfium.PdfDocument(self.path) as document:
            return "\n".join(page.get_textpage().get_text_bounded() for page in document)


def folder() -> Path:
    """Where the documents lie. Raises SystemExit with a sentence when they are not there."""
    place = Path(os.environ.get("DTAT_SHARED", ROOT.parent / "shared")) / "data" / "documents"
    if not (place / "receipts").is_dir():
        raise SystemExit(f"There are no documents in {place}. Say where they are: DTAT_SHARED=folder.")
    return place


def all_papers() -> list[Paper]:
    """Receipts, invoices and forms, each set cut in two halves and in five folds once and for all by the documents' names."""
    return [*_halved(_receipts()), *_halved(_invoices()), *_halved(_forms())]


def variants() -> list[Paper]:
    """Receipts turned by a quarter or a half, or spoiled (skewed, blurred, noisy); with the text of the sound one."""
    return [_variant(path) for path in sorted((folder() / "receipt-variants").glob("*.jpg"))]


def worn(folder_: Path) -> list[Paper]:
    """The receipts as bad copies, each in every one of WORN: smaller, a little blurred, much compressed; written into the folder."""
    folder_.mkdir(parents=True, exist_ok=True)
    return [_worn(paper, percent, folder_) for paper in _halved(_receipts()) for percent in WORN]


def _worn(paper: Paper, percent: int, folder_: Path) -> Paper:
    path = folder_ / f"{paper.name}_{percent}.jpg"
    with Image.open(paper.path) as picture:
        size = (picture.width * percent // 100, picture.height * percent // 100)
        copy = picture.convert("L").resize(size, Image.Resampling.BILINEAR).filter(ImageFilter.GaussianBlur(0.5))
        copy.save(path, quality=25)
    return replace(paper, set="worn", path=path)


def _halved(papers: Iterable[Paper]) -> Iterator[Paper]:
    ordered = sorted(papers, key=lambda paper: hashlib.sha256(f"{SEED}:{paper.name}".encode()).hexdigest())
    for number, paper in enumerate(ordered):
        half: Half = "tune" if number < len(ordered) // 2 else "test"
        yield replace(paper, half=half, fold=number % FOLDS)


# --- receipts (SROIE)


def _receipts() -> Iterator[Paper]:
    for path in sorted((folder() / "receipts").glob("*.jpg")):
        truth = _receipt_truth(path)
        yield Paper("receipts", path, "receipt", truth, printed=_lines(path.with_suffix(".lines.csv")))


def _receipt_truth(path: Path) -> dict[str, str]:
    told = json.loads(path.with_suffix(".key.json").read_text("utf-8"))
    named = (("merchant", "company"), ("date", "date"), ("total", "total"))
    return {name: normal(name, told[key]) for name, key in named}


def _variant(path: Path) -> Paper:
    original, _, change = path.stem.partition("_")
    sound = folder() / "receipts" / f"{original}.jpg"
    lines = _lines(sound.with_suffix(".lines.csv"))
    return Paper("variants", path, "receipt", _receipt_truth(sound), printed=lines, rotation=ROTATIONS.get(change, 0))


def _lines(path: Path) -> list[Printed]:
    """Eight corner coordinates, then the transcript, which may hold commas."""
    found = []
    for row in csv.reader(path.read_text("utf-8", errors="replace").splitlines(), quoting=csv.QUOTE_NONE):
        if len(row) > 8:
            xs, ys = [float(x) for x in row[:8:2]], [float(y) for y in row[1:8:2]]
            found.append(Printed((min(xs), min(ys), max(xs), max(ys)), ",".join(row[8:])))
    return found


# --- invoices (invoice2data's expectations, ZUGFeRD's XML)


def _invoices() -> Iterator[Paper]:
    for path in sorted((folder() / "invoices").glob("*.pdf")):
        told = json.loads(path.with_suffix(".json").read_text("utf-8"))[0]
        named = (("invoice_number", "invoice_number"), ("invoice_date", "date"), ("total", "amount"))
        truth = {name: normal(name, str(told[key])) for name, key in named if key in told}
        yield Paper("invoices", path, "invoice", truth)
    for path in sorted((folder() / "invoices-zugferd").glob("*.pdf")):
        yield Paper("invoices", path, "invoice", _zugferd(_attached(path)))


def _attached(path: Path) -> ET.Element:
    with pdfium.PdfDocument(path) as document:
        for number in range(document.count_attachments()):
            attachment = document.get_attachment(number)
            if attachment.get_name().lower().endswith(".xml"):
                return ET.fromstring(bytes(attachment.get_data()))
    raise ValueError(f"{path.name} has no XML attached.")


def _zugferd(root: ET.Element) -> dict[str, str]:
    """Number, date and total, in any version of the format: the elements kept their places, not their full names."""
    header = next(each for each in root if _local(each) in ("HeaderExchangedDocument", "ExchangedDocument"))
    number = next(each.text for each in header if _local(each) == "ID")
    day = next(each.text for each in header.iter() if _local(each) == "DateTimeString")
    total = next(each.text for each in root.iter() if _local(each) == "GrandTotalAmount")
    found = {"invoice_number": number, "invoice_date": day, "total": total}
    return {name: normal(name, (value or "").strip()) for name, value in found.items()}


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


# --- forms (FUNSD)


def _forms() -> Iterator[Paper]:
    for path in sorted((folder() / "forms-funsd").glob("*.png")):
        items = json.loads(path.with_suffix(".json").read_text("utf-8"))["form"]
        yield Paper("forms", path, "generic_form", pairs=_linked(items), printed=[_printed(item) for item in items])


def _printed(item: Mapping[str, Any]) -> Printed:
    left, top, right, bottom = item["box"]
    return Printed((left, top, right, bottom), " ".join(word["text"] for word in item["words"]))


def _linked(items: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """A question and its answer for each link between the two that has text at both ends."""
    by_id = {item["id"]: item for item in items}
    links = {tuple(link) for item in items for link in item["linking"]}
    found = []
    for one, other in sorted(links):
        question, answer = by_id[one], by_id[other]
        if question["label"] == "question" and answer["label"] == "answer":
            found.append((_printed(question).text.strip(), _printed(answer).text.strip()))
    return [(question, answer) for question, answer in found if question and answer]


# --- normal forms: what counts as the same value

_DATES = """
    %d/%m/%Y %d-%m-%Y %d.%m.%Y %d/%m/%y %d-%m-%y %d.%m.%y %Y-%m-%d %Y/%m/%d %Y%m%d %d%b%Y %d%B%Y %d%b%y %b%d%Y %B%d%Y
    %d-%b-%Y %d-%b-%y %d/%b/%Y
"""
_EIGHT_DIGITS = "%Y%m%d"


def normal(name: str, value: str) -> str:
    """The value as it is compared: money to cents, dates day first as ISO, names as A-Z and 0-9 only."""
    if name == "total":
        return _cents(value)
    if name.endswith("date"):
        return _day(value)
    return alphanumeric(value)


def alphanumeric(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def _cents(value: str) -> str:
    try:
        return str(Decimal(re.sub(r"[^\d.\-]", "", value)).quantize(Decimal("0.01")))
    except InvalidOperation:
        return ""


def _day(value: str) -> str:
    plain = value.strip() if re.search(r"\d\W\d", value) else re.sub(r"[\s,.]", "", value)
    for form in _DATES.split():
        if form == _EIGHT_DIGITS and len(plain) != 8:
            continue
        for text in (plain, plain.split(" ")[0], re.sub(r"[\s,]", "", plain)):
            try:
                return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007  a day has no zone
            except ValueError:
                continue
    return ""
