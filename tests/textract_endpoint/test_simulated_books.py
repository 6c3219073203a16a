"""The simulator's accounts: what was sent, how often, how long it took, and what it would have cost."""

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.textract_endpoint.running import Endpoint

PNG = b"\x89PNG\r\n\x1a\n"
PLACE = {"Bucket": "elsewhere", "Name": "scan.png"}


def test_a_document_that_was_sent_is_known_by_its_hash(simulator: Endpoint) -> None:
    small, large = PNG + b"small", PNG + b"large" * 100_000
    for content in (small, large, large):
        simulator.client.analyze_document(Document={"Bytes": content}, FeatureTypes=["FORMS", "TABLES"])
    report = simulator.control()
    by_document = {name: (about["calls"], about["billed"]) for name, about in report["by_document"].items()}
    names = [hashlib.sha256(content).hexdigest() for content in (small, large)]
    assert by_document == {names[0]: (1, 1), names[1]: (2, 2)}
    found = {each["sha256"]: (each["times_billed"], each["microdollars"]) for each in report["documents"]}
    assert found == {names[0]: (1, 65_000), names[1]: (2, 130_000)}
    assert report["billed"] == {"pages": 3, "microdollars": 195_000, "price_table": "us-first-million-2026-08"}


def test_a_large_document_may_be_known_by_its_beginning(simulator: Endpoint) -> None:
    simulator.control(identify_bytes=4096)
    content = PNG + b"x" * 50_000
    simulator.client.detect_document_text(Document={"Bytes": content})
    prefix = content[: 4096 // 3 * 3 + 3]
    assert list(simulator.control()["by_document"]) == [hashlib.sha256(prefix).hexdigest()]


@pytest.mark.parametrize("size", [0, 1, 5 << 20, 10 << 20])
def test_documents_of_every_size_are_taken(simulator: Endpoint, size: int) -> None:
    content = (PNG + b"x" * size)[: 10 << 20]
    simulator.client.detect_document_text(Document={"Bytes": content})
    assert list(simulator.control()["by_document"]) == [hashlib.sha256(content).hexdigest()]


def test_too_large_and_unknown_documents_are_refused(simulator: Endpoint) -> None:
    errors = simulator.client.exceptions
    for content, error in (
        (PNG + b"x" * (10 << 20), errors.DocumentTooLargeException),
        (b"GIF89a" + b"x" * 30_000, errors.UnsupportedDocumentException),
    ):
        with pytest.raises(error):
            simulator.client.detect_document_text(Document={"Bytes": content})
    assert simulator.control()["billed"]["pages"] == 0


def raw(simulator: Endpoint, body: bytes) -> tuple[int, dict[str, Any]]:
    signature = (
        "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/textract/aws4_request, "
        f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
    )
    return simulator.http("/", body, X_Amz_Target="Textract.DetectDocumentText", Authorization=signature)


def test_what_looks_like_bytes_elsewhere_is_not_the_document(simulator: Endpoint) -> None:
    filler = b"A" * 20_000
    status, _ = raw(simulator, b'{"Tag": "\\"Bytes\\": \\"%s", "Document": {"Bytes": "iVBORw0KGgo="}}' % filler)
    assert status == 200
    assert list(simulator.control()["by_document"]) == [hashlib.sha256(PNG).hexdigest()]
    refusals = (
        (b'{"Document": {"Bytes": "%s' % filler, "SerializationException"),
        (b'{"Document": {"Bytes": "%s-"}}' % filler, "SerializationException"),
        (b'{"Document": {"Bytes": "%s", "S3Object": {}}}' % filler, "InvalidParameterException"),
        (b"no json" + filler, "SerializationException"),
    )
    for body, code in refusals:
        status, answer = raw(simulator, body)
        assert (status, answer["__type"]) == (400, code), body[:40]


def test_it_tells_how_long_it_really_took(simulator: Endpoint) -> None:
    simulator.control(latency={"DetectDocumentText": 0.2}, job={"median": 7, "per_page": 1})
    began = time.monotonic()
    simulator.client.detect_document_text(Document={"S3Object": PLACE})
    around = time.monotonic() - began
    simulator.client.start_document_text_detection(DocumentLocation={"S3Object": {**PLACE, "Name": "job.pdf"}})
    report = simulator.control()
    once, job = report["by_document"]["s3://elsewhere/scan.png"], report["by_document"]["s3://elsewhere/job.pdf"]
    assert 0.2 <= once["engine_seconds"] <= around
    assert (job["jobs"], job["engine_seconds"]) == (1, 8)
    engine = report["engine"]
    assert (engine["DetectDocumentText"]["count"], engine["job StartDocumentTextDetection"]["p50"]) == (1, 8)
    assert engine["DetectDocumentText"]["p95"] == once["engine_seconds"]
    assert report["in_flight"] == {"now": 0, "most": 1}


def test_a_part_of_the_report_can_be_had_alone(simulator: Endpoint) -> None:
    simulator.client.detect_document_text(Document={"S3Object": PLACE})
    status, report = simulator.http("/_control?only=calls,billed")
    assert (status, sorted(report), report["calls"]) == (200, ["billed", "calls"], {"DetectDocumentText": {"ok": 1}})


def test_reset_counts_anew_and_keeps_the_settings(simulator: Endpoint) -> None:
    simulator.control(seed=9)
    simulator.client.detect_document_text(Document={"S3Object": PLACE})
    simulator.client.start_document_text_detection(DocumentLocation={"S3Object": PLACE})
    report = simulator.control(reset=True)
    assert (report["calls"], report["billed"]["pages"], report["tokens"], report["by_document"]) == ({}, 0, [], {})
    assert report["knobs"]["seed"] == 9


def test_it_has_numbers_for_a_monitor(simulator: Endpoint) -> None:
    simulator.client.detect_document_text(Document={"S3Object": PLACE})
    text = simulator.text("/metrics")
    assert 'textract_calls_total{operation="DetectDocumentText",outcome="ok"} 1' in text
    assert "textract_billed_pages_total 1" in text


def test_several_calls_use_one_connection_and_several_connections_are_served_at_once(simulator: Endpoint) -> None:
    simulator.control(latency={"DetectDocumentText": 0.3})
    client = simulator.with_patience(20)
    client.detect_document_text(Document={"S3Object": PLACE})
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: client.detect_document_text(Document={"S3Object": PLACE}), range(8)))
    assert simulator.control()["in_flight"]["most"] == 8
