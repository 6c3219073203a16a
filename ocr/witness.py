"""A second witness: pieces of a page are read once more by another engine, and whether it reads the same is evidence.

The witness is any endpoint that speaks Textract's DetectDocumentText (DTAT_WITNESS_URL): the local one costs nothing. All pieces of
a page are shown to it on one sheet, so a page costs one call. It never decides: it agrees, differs, or says nothing.

`testify` has it read the values that a person is about to look at, before the person does; what it says stands beside the
confidence. The pulse asks for it, for the documents at the head of the review queue.
"""

from __future__ import annotations

import tempfile
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from django.conf import settings

from audit import log, trail
from audit.models import Kind
from ocr import artifacts, aws, sandbox, textract
from ocr.models import Artifact, Document, Field, Status, Witness
from tenants import scope

MOST_PIECES = 40  # of one page: what one sheet holds
MOST_PAGES = 5  # of a document: each is a call of a second or more
ALIKE = 0.9  # from this likeness on, what differs is punctuation or an accent

Box = sandbox.Box


class Unavailable(Exception):
    """No witness is set up, or it does not answer: nothing is known."""

    code = "witness_unavailable"


@dataclass(frozen=True, slots=True)
class Piece:
    """Where something is printed, and what it was read as."""

    text: str
    box: Box


def testify(document: Document) -> Witness | None:
    """What the witness says about the open fields of a document that waits for a person; None where there is nothing to ask about.

    Asked once for each version. A witness that is away is no error: the document then has none. Raises artifacts.Lost.
    """
    with scope.scope([document.tenant_id]):
        present = Document.objects.filter(pk=document.pk, status=Status.NEEDS_REVIEW).first()
        if not is_set_up() or present is None or present.witnesses.filter(version=present.version).exists():
            return None
        fields = [field for field in present.fields.filter(state="open", page__isnull=False) if _has_a_place(field)]
        turns = dict(present.pages.values_list("number", "rotation"))
        original = present.artifacts.get(kind=Artifact.Kind.ORIGINAL)
    try:
        said = _said(present, original, fields, turns)
    except (Unavailable, sandbox.SandboxFailed, sandbox.Unacceptable) as reason:
        log.event("witness_silent", document=present.pk, code=reason.code)
        return None
    return _kept(present, said) if said else None


def _has_a_place(field: Field) -> bool:
    return bool(field.text.strip()) and field.box is not None and field.box[2] > 0 and field.box[3] > 0


def _said(
    document: Document, original: Artifact, fields: Sequence[Field], turns: Mapping[int, int]
) -> dict[str, dict[str, Any]]:
    said = {}
    by_page: dict[int, list[Field]] = {}
    for field in fields:
        by_page.setdefault(field.page or 1, []).append(field)
    for page, on_page in list(by_page.items())[:MOST_PAGES]:
        asked = on_page[:MOST_PIECES]
        pieces = [Piece(field.text, _corners(field.box or ())) for field in asked]
        texts = read(document, original, page, pieces, rotation=turns.get(page, 0))
        for field, text in zip(asked, texts, strict=True):
            said[field.path] = {"text": text, "agrees": agrees(field.text, text)}
    return said


def _corners(box: Sequence[float]) -> Box:
    left, top, width, height = (float(side) for side in box)
    return max(0.0, left), max(0.0, top), min(1.0, left + width), min(1.0, top + height)


def _kept(document: Document, said: Mapping[str, Mapping[str, Any]]) -> Witness | None:
    """Keep it, once; None when somebody was faster, or the document is another by now."""
    with scope.scope([document.tenant_id]):
        now = Document.objects.select_for_update().filter(pk=document.pk, version=document.version).first()
        if now is None:
            return None
        kept, created = Witness.objects.get_or_create(
            document=now, version=now.version, defaults={"tenant_id": now.tenant_id, "said": said}
        )
        if created:
            verdicts = [each["agrees"] for each in said.values()]
            counts = {"agree": verdicts.count(True), "differ": verdicts.count(False), "silent": verdicts.count(None)}
            trail.record(
                Kind.WITNESSED,
                tenant_id=now.tenant_id,
                document_id=now.pk,
                actor="system",
                step="witness",
                codes={"counts": counts},
            )
    return kept if created else None


def is_set_up() -> bool:
    """Whether there is a witness to ask."""
    return bool(settings.WITNESS_URL)


def read(document: Document, original: Artifact, page: int, pieces: Sequence[Piece], *, rotation: int = 0) -> list[str]:
    """What the witness reads in each piece, '' for what it cannot read. At most 40 of one page.

    Outside a transaction: storage, a sandbox and the witness are asked. Raises Unavailable, artifacts.Lost and the sandbox's errors.
    """
    if not is_set_up():
        raise Unavailable("No second witness is set up.")
    with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR, prefix="witness-") as folder:
        path = Path(folder) / "original"
        artifacts.copy_to(original, path)
        sheet = sandbox.crops(
            path,
            page=page,
            content_type=document.content_type,
            boxes=[piece.box for piece in pieces],
            rotation=rotation,
        )
    return in_bands(_lines(sheet.content), sheet.bands)


def _lines(sheet: bytes) -> Sequence[Mapping[str, Any]]:
    try:
        answer = textract.analyze({"Bytes": sheet}, operation="DetectDocumentText", client=aws.witness())
    except (textract.Busy, textract.Refused) as error:
        raise Unavailable(error.code) from None
    return [block for block in answer.blocks if block["BlockType"] == "LINE"]


def in_bands(lines: Sequence[Mapping[str, Any]], bands: Sequence[tuple[float, float]]) -> list[str]:
    """The text of the lines whose middle lies in each band, from left to right."""
    found: list[list[tuple[float, str]]] = [[] for _ in bands]
    for line in lines:
        box = line["Geometry"]["BoundingBox"]
        middle = box["Top"] + box["Height"] / 2
        for held, (top, bottom) in zip(found, bands, strict=True):
            if top <= middle <= bottom:
                held.append((box["Left"], line.get("Text") or ""))
    return [" ".join(text for _left, text in sorted(held)) for held in found]


def agrees(text: str, witnessed: str) -> bool | None:
    """Whether both readings say the same, punctuation and accents aside; None when the witness says nothing.

    Digits have to be the same, every one: a likeness of words proves no amount.
    """
    one, other = _plain(text), _plain(witnessed)
    if not other:
        return None
    if _digits(one) != _digits(other):
        return False
    return one == other or SequenceMatcher(None, one, other, autojunk=False).ratio() >= ALIKE


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if letter.isalnum())


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdigit())
