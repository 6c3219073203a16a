"""Documents that are refused, by synchronous calls and when a job is started."""

import os
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from PIL import Image

from tests.textract_endpoint import drawn
from tests.textract_endpoint.running import BUCKET, Endpoint

MEBIBYTE = 1 << 20
LITTLE = Image.new("RGB", (40, 40), "white")


def refused_at_once(endpoint: Endpoint, content: bytes) -> str:
    with pytest.raises(ClientError) as caught:
        endpoint.client.detect_document_text(Document={"Bytes": content})
    return str(caught.value.response["Error"]["Code"])


def refused_at_start(endpoint: Endpoint, place: dict[str, Any]) -> str:
    with pytest.raises(ClientError) as caught:
        endpoint.client.start_document_text_detection(DocumentLocation={"S3Object": place})
    return str(caught.value.response["Error"]["Code"])


def huge_picture() -> bytes:
    return drawn.encoded(Image.new("1", (10_001, 400)))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"GIF89a" + b"\0" * 60, "UnsupportedDocumentException", id="a GIF picture"),
        pytest.param(b"RIFF\0\0\0\0WEBPVP8 ", "UnsupportedDocumentException", id="a WebP picture"),
        pytest.param(b"\0\0\0\x18ftypheic", "UnsupportedDocumentException", id="a HEIC picture"),
        pytest.param(b"PK\x03\x04" + b"\0" * 60, "UnsupportedDocumentException", id="an Office file"),
        pytest.param(b"just some text", "UnsupportedDocumentException", id="plain text"),
        pytest.param(b"%PDF-1.7 and nothing more", "BadDocumentException", id="a broken PDF"),
        pytest.param(drawn.encrypted_pdf(), "BadDocumentException", id="an encrypted PDF"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + b"\0" * 99, "BadDocumentException", id="a broken PNG"),
        pytest.param(drawn.large_pdf(9_001), "DocumentTooLargeException", id="a page over 9,000 points"),
        pytest.param(huge_picture(), "DocumentTooLargeException", id="a picture over 10,000 pixels"),
        pytest.param(
            drawn.encoded(LITTLE) + b"\0" * (10 * MEBIBYTE), "DocumentTooLargeException", id="a PNG over 10 MB"
        ),
    ],
)
def test_a_document_that_cannot_be_read_is_refused(endpoint: Endpoint, content: bytes, code: str) -> None:
    assert refused_at_once(endpoint, content) == code
    assert refused_at_start(endpoint, endpoint.store("refused", content)) == code
    assert endpoint.control()["billed"]["pages"] == 0
    assert list((endpoint.state / "documents").iterdir()) == []


def test_a_damaged_picture_is_found_out_when_it_is_read(endpoint: Endpoint) -> None:
    whole = drawn.encoded(drawn.note("cut off"), "JPEG")
    assert refused_at_once(endpoint, whole[: len(whole) // 2]) == "BadDocumentException"


@pytest.mark.parametrize("kind", ["PDF", "TIFF"])
def test_more_than_one_page_is_refused_at_once_and_taken_as_a_job(endpoint: Endpoint, kind: str) -> None:
    content = drawn.pages(LITTLE, LITTLE, kind=kind)
    endpoint.control(latency_seconds=3600)
    assert refused_at_once(endpoint, content) == "UnsupportedDocumentException"
    place = endpoint.store("two-pages", content)
    job_id = endpoint.client.start_document_text_detection(DocumentLocation={"S3Object": place})["JobId"]
    listed = {entry["job_id"]: entry["pages"] for entry in endpoint.control()["tokens"]}
    assert listed == {job_id: 2}


def test_an_empty_object_is_refused(endpoint: Endpoint) -> None:
    assert refused_at_start(endpoint, endpoint.store("empty", b"")) == "BadDocumentException"


@pytest.mark.parametrize(
    "place",
    [
        {"Bucket": "elsewhere", "Name": "note.png"},
        {"Bucket": BUCKET, "Name": "missing.png"},
        {"Bucket": BUCKET, "Name": "../state/ledger.sqlite3"},
        {"Bucket": BUCKET, "Name": "/etc/hostname"},
        {"Bucket": BUCKET, "Name": "outside.png"},
        {"Bucket": BUCKET, "Name": "note.png", "Version": "3"},
    ],
)
def test_an_object_that_is_not_in_the_bucket_is_refused(
    endpoint: Endpoint, tmp_path: Path, place: dict[str, Any], note: bytes
) -> None:
    endpoint.store("note.png", note)
    (tmp_path / "secret.png").write_bytes(note)
    link = endpoint.bucket / "outside.png"
    link.unlink(missing_ok=True)
    link.symlink_to(tmp_path / "secret.png")
    assert refused_at_start(endpoint, place) == "InvalidS3ObjectException"
    assert refused_at_start(endpoint, {"Bucket": BUCKET, "Name": "."}) == "InvalidS3ObjectException"


def test_results_cannot_be_sent_outside_of_a_bucket(endpoint: Endpoint, note: bytes) -> None:
    place = {"S3Object": endpoint.store("note.png", note)}
    with pytest.raises(endpoint.client.exceptions.InvalidS3ObjectException):
        endpoint.client.start_document_text_detection(
            DocumentLocation=place, OutputConfig={"S3Bucket": BUCKET, "S3Prefix": "../../elsewhere"}
        )
    assert not os.path.lexists(endpoint.bucket.parent.parent / "elsewhere")
