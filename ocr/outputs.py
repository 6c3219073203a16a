"""Long answers that Textract writes to the document storage itself: numbered objects, which cost no Get calls.

A Start with an OutputConfig has `<prefix>/<job id>/1`, `2`, ... written beside the documents, each like an answer of Get. The
pipeline copies them part by part into the document's own objects and deletes them; what a crash leaves belongs to nothing and is swept.
*Source: Textract developer guide, OutputConfig; the empty `.s3_access_check` beside the parts is not documented.*
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from audit import log
from ocr import artifacts
from ocr.models import Document, Extraction

ABOVE_PAGES = 20  # shorter answers come with a few Get calls, and at once
FOLDER = "engine-output"
OPTION = "OutputConfig"


def wanted(document: Document) -> dict[str, Any]:
    """What a Start for this document says about where its answer goes; empty when it is to be asked for."""
    # Without S3, Textract is the local endpoint, which shares our folder.
    if document.page_count <= ABOVE_PAGES or not (settings.STORAGE == "s3" or settings.TEXTRACT_ENDPOINT):
        return {}
    prefix = f"{FOLDER}/{document.tenant_id}/{document.pk}"
    encrypted = {"KMSKeyId": settings.KMS_KEY_ID} if settings.STORAGE == "s3" and settings.KMS_KEY_ID else {}
    return {OPTION: {"S3Bucket": settings.BUCKET, "S3Prefix": prefix}, **encrypted}


def expected(run: Extraction) -> bool:
    """Whether this extraction's answer is fetched from storage."""
    return OPTION in run.job_options


def given_up(run: Extraction) -> dict[str, Any]:
    """The job's options as they are when its answer is to be asked for after all."""
    return {name: value for name, value in run.job_options.items() if name != OPTION}


def last_part(run: Extraction) -> int:
    """The number of the answer's last part; 0 when one is missing between it and those that the extraction has."""
    numbers = {int(name) for name in _names(run) if _is_part(name)}
    last = max(numbers, default=0)
    return last if last > run.parts and numbers.issuperset(range(run.parts + 1, last + 1)) else 0


def read(run: Extraction, part: int) -> bytes:
    """The bytes of one part as Textract wrote them. Raises FileNotFoundError, OSError or a botocore error."""
    with artifacts.storage().open(f"{_folder(run)}/{part}", "rb") as stream:
        content: bytes = stream.read()
    return content


def forget(run: Extraction, *, up_to: int | None = None) -> None:
    """Delete the parts that are kept elsewhere by now, or with no number everything. What storage refuses is left to the sweeper."""
    try:
        for name in _names(run):
            if up_to is None or (_is_part(name) and int(name) <= up_to):
                artifacts.delete(f"{_folder(run)}/{name}")
        if up_to is None and settings.STORAGE == "files":
            _remove_folders(run)
    except (OSError, ClientError, BotoCoreError) as error:
        log.event("storage_error", level=logging.WARNING, error=error, document=run.document_id, step="forget")


def _names(run: Extraction) -> list[str]:
    try:
        names: list[str] = artifacts.storage().listdir(_folder(run))[1]
    except FileNotFoundError:
        return []
    return names


def _is_part(name: str) -> bool:
    return name.isascii() and name.isdecimal() and not name.startswith("0")


def _folder(run: Extraction) -> str:
    return f"{run.job_options[OPTION]['S3Prefix']}/{run.job_id}"


def _remove_folders(run: Extraction) -> None:
    """Those of the job and of its document, where folders are real and nothing else is in them."""
    with suppress(OSError):
        for folder in (_folder(run), run.job_options[OPTION]["S3Prefix"]):
            artifacts.delete(folder)
