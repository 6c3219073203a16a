"""Jobs: tokens, pages of results, restarts, dead children, and that every page is paid once."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.textract_endpoint import drawn
from tests.textract_endpoint.running import BUCKET, PROJECT, Endpoint

pytestmark = pytest.mark.engine


def analysis(place: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"DocumentLocation": {"S3Object": place}, "FeatureTypes": ["FORMS"]} | more


def billing(endpoint: Endpoint) -> list[tuple[str | None, str, int]]:
    return [(entry["token"], entry["job_id"], entry["times_billed"]) for entry in endpoint.control()["tokens"]]


def test_a_job_is_in_progress_until_it_is_done(endpoint: Endpoint, note: bytes) -> None:
    endpoint.control(latency_seconds=3600)
    job_id = endpoint.client.start_document_analysis(**analysis(endpoint.store("note.png", note)))["JobId"]
    endpoint.check_last("StartDocumentAnalysis")
    waiting = endpoint.client.get_document_analysis(JobId=job_id)
    endpoint.check_last("GetDocumentAnalysis")
    assert waiting["JobStatus"] == "IN_PROGRESS"
    assert "Blocks" not in waiting
    endpoint.control(latency_seconds=0)
    done = endpoint.finished(job_id)
    body = endpoint.check_last("GetDocumentAnalysis")
    assert (done["JobStatus"], body["DocumentMetadata"]) == ("SUCCEEDED", {"Pages": 1})
    assert body["AnalyzeDocumentModelVersion"] == "local-rapidocr-3.10.0"
    report = endpoint.control()
    assert report["jobs"]["SUCCEEDED"] == 1
    assert report["billed"]["microdollars"] == 50_000


def test_text_detection_is_a_job_of_its_own_kind(endpoint: Endpoint, note: bytes) -> None:
    place = endpoint.store("note.png", note)
    job_id = endpoint.client.start_document_text_detection(DocumentLocation={"S3Object": place})["JobId"]
    endpoint.check_last("StartDocumentTextDetection")
    answer = endpoint.wait_for(
        lambda: endpoint.client.get_document_text_detection(JobId=job_id),
        lambda got: got["JobStatus"] != "IN_PROGRESS",
    )
    body = endpoint.check_last("GetDocumentTextDetection")
    assert body["DetectDocumentTextModelVersion"] == "local-rapidocr-3.10.0"
    assert [block["Text"] for block in answer["Blocks"] if block["BlockType"] == "LINE"] == ["Total: 9.00"]
    with pytest.raises(endpoint.client.exceptions.InvalidJobIdException):
        endpoint.client.get_document_analysis(JobId=job_id)


def test_the_same_token_gives_the_same_job_and_is_paid_once(endpoint: Endpoint, note: bytes) -> None:
    place, start = endpoint.store("note.png", note), endpoint.client.start_document_analysis
    first = start(**analysis(place, ClientRequestToken="once"))["JobId"]
    endpoint.finished(first)
    (endpoint.bucket / "note.png").unlink()
    assert start(**analysis(place, ClientRequestToken="once"))["JobId"] == first
    assert billing(endpoint) == [("once", first, 1)]


def test_a_token_belongs_to_its_parameters_and_its_operation(endpoint: Endpoint, note: bytes) -> None:
    endpoint.control(latency_seconds=3600)
    place, start = endpoint.store("note.png", note), endpoint.client.start_document_analysis
    job_id = start(**analysis(place, ClientRequestToken="bound"))["JobId"]
    for changed in ({"FeatureTypes": ["TABLES"]}, {"JobTag": "other"}):
        with pytest.raises(endpoint.client.exceptions.IdempotentParameterMismatchException):
            start(**analysis(place, ClientRequestToken="bound", **changed))
    text = endpoint.client.start_document_text_detection(
        DocumentLocation={"S3Object": place}, ClientRequestToken="bound"
    )
    assert text["JobId"] != job_id
    assert start(**analysis(place))["JobId"] != start(**analysis(place))["JobId"]


def test_results_come_in_pages(endpoint: Endpoint) -> None:
    content = drawn.pages(drawn.note("first page"), drawn.note("second page"), drawn.note("third page"))
    client = endpoint.client
    job_id = client.start_document_analysis(**analysis(endpoint.store("three.pdf", content)))["JobId"]
    whole = endpoint.finished(job_id)
    assert whole["DocumentMetadata"]["Pages"] == 3
    assert "NextToken" not in whole
    assert {block["Page"] for block in whole["Blocks"]} == {1, 2, 3}
    collected, token = [], None
    while True:
        more: dict[str, Any] = {"NextToken": token} if token else {}
        part = client.get_document_analysis(JobId=job_id, MaxResults=5, **more)
        endpoint.check_last("GetDocumentAnalysis")
        assert len(part["Blocks"]) == 5 or "NextToken" not in part
        collected += part["Blocks"]
        token = part.get("NextToken")
        if not token:
            break
    assert collected == whole["Blocks"]
    first = client.get_document_analysis(JobId=job_id, MaxResults=5)["NextToken"]
    other = client.start_document_analysis(**analysis(endpoint.store("three.pdf", content)))["JobId"]
    endpoint.finished(other)
    for wrong in ({"JobId": job_id, "MaxResults": 6}, {"JobId": other, "MaxResults": 5}):
        with pytest.raises(client.exceptions.InvalidParameterException):
            client.get_document_analysis(NextToken=first, **wrong)
    with pytest.raises(client.exceptions.InvalidParameterException):
        client.get_document_analysis(JobId=job_id, MaxResults=5, NextToken="bm90aGluZw==")
    assert endpoint.control()["billed"]["pages"] == 6


def test_queries_are_answered_on_their_pages_and_warned_about_beyond(endpoint: Endpoint) -> None:
    content = drawn.pages(drawn.note("Total: 9.00"), drawn.note("Total: 12.50"))
    queries = [
        {"Text": "What is the total?", "Pages": ["2"]},
        {"Text": "What is the total?", "Alias": "first"},
        {"Text": "What is the total?", "Pages": ["7"]},
    ]
    asked = analysis(endpoint.store("two.pdf", content), FeatureTypes=["QUERIES"], QueriesConfig={"Queries": queries})
    answer = endpoint.finished(endpoint.client.start_document_analysis(**asked)["JobId"])
    endpoint.check_last("GetDocumentAnalysis")
    results = [(b["Page"], b["Text"]) for b in answer["Blocks"] if b["BlockType"] == "QUERY_RESULT"]
    assert results == [(1, "9.00"), (2, "12.50")]
    assert answer["Warnings"] == [{"ErrorCode": "INVALID_REQUEST_PARAMETERS", "Pages": [7]}]


def test_results_are_written_to_a_bucket_when_asked(endpoint: Endpoint, note: bytes) -> None:
    asked = analysis(endpoint.store("note.png", note), OutputConfig={"S3Bucket": BUCKET, "S3Prefix": "out"})
    answer = endpoint.finished(job_id := endpoint.client.start_document_analysis(**asked)["JobId"])
    folder = endpoint.bucket / "out" / job_id
    assert sorted(path.name for path in folder.iterdir()) == [".s3_access_check", "1"]
    written = json.loads((folder / "1").read_text())
    assert (written["JobStatus"], written["Blocks"]) == ("SUCCEEDED", answer["Blocks"])


def test_a_document_that_cannot_be_read_fails_and_costs_nothing(endpoint: Endpoint) -> None:
    whole = drawn.encoded(drawn.note("cut off"), "JPEG")
    place = endpoint.store("broken.jpg", whole[: len(whole) // 2])
    failed = endpoint.finished(endpoint.client.start_document_analysis(**analysis(place))["JobId"])
    endpoint.check_last("GetDocumentAnalysis")
    assert (failed["JobStatus"], "damaged" in failed["StatusMessage"]) == ("FAILED", True)
    assert "Blocks" not in failed
    assert endpoint.control()["billed"]["pages"] == 0


def test_a_page_that_cannot_be_read_leaves_a_partial_result(endpoint: Endpoint) -> None:
    content = drawn.with_broken_second_page(drawn.note("first page"), drawn.note("second page"))
    place = endpoint.store("half.tiff", content)
    half = endpoint.finished(endpoint.client.start_document_analysis(**analysis(place))["JobId"])
    endpoint.check_last("GetDocumentAnalysis")
    assert (half["JobStatus"], half["DocumentMetadata"]["Pages"]) == ("PARTIAL_SUCCESS", 2)
    assert half["Warnings"] == [{"ErrorCode": "PAGE_UNREADABLE", "Pages": [2]}]
    assert {block["Page"] for block in half["Blocks"]} == {1}
    assert endpoint.control()["billed"]["pages"] == 1


def test_an_unfinished_job_survives_the_server(own_endpoint: Endpoint, note: bytes) -> None:
    endpoint = own_endpoint
    endpoint.control(latency_seconds=3600)
    asked = analysis(endpoint.store("note.png", note), ClientRequestToken="survivor")
    job_id = endpoint.client.start_document_analysis(**asked)["JobId"]
    endpoint.stop(at_once=True)
    endpoint.restart()
    answer = endpoint.finished(job_id)
    assert answer["JobStatus"] == "SUCCEEDED"
    assert endpoint.client.start_document_analysis(**asked)["JobId"] == job_id
    assert billing(endpoint) == [("survivor", job_id, 1)]
    endpoint.stop(at_once=True)
    endpoint.restart()
    assert endpoint.finished(job_id)["Blocks"] == answer["Blocks"]
    assert endpoint.client.start_document_analysis(**asked)["JobId"] == job_id
    assert billing(endpoint) == [("survivor", job_id, 1)]
    assert endpoint.control()["readers"] == []
    assert endpoint.stop() == 0


def test_a_short_document_does_not_wait_for_a_long_one(endpoint: Endpoint, note: bytes) -> None:
    book = drawn.pages(*[Image.new("1", (40, 40), n % 2) for n in range(400)])
    book_job = endpoint.client.start_document_analysis(**analysis(endpoint.store("book.pdf", book)))["JobId"]
    note_job = endpoint.client.start_document_analysis(**analysis(endpoint.store("note.png", note)))["JobId"]
    assert endpoint.finished(note_job)["JobStatus"] == "SUCCEEDED"
    assert endpoint.client.get_document_analysis(JobId=book_job)["JobStatus"] == "IN_PROGRESS"
    assert endpoint.finished(book_job)["DocumentMetadata"]["Pages"] == 400


def test_a_dead_child_fails_its_job_and_nothing_else(own_endpoint: Endpoint, note: bytes) -> None:
    endpoint = own_endpoint
    asked = analysis(endpoint.store("note.png", note))
    doomed = endpoint.client.start_document_analysis(**asked)["JobId"]
    # A child needs over a second to load its engine, so it is caught before it can answer.
    (child,) = endpoint.wait_for(lambda: endpoint.control()["readers"], bool)
    os.kill(child, signal.SIGKILL)
    failed = endpoint.finished(doomed)
    endpoint.check_last("GetDocumentAnalysis")
    assert failed["JobStatus"] == "FAILED"
    assert "ended" in failed["StatusMessage"]
    assert endpoint.control()["billed"]["pages"] == 0
    answer = endpoint.finished(endpoint.client.start_document_analysis(**asked)["JobId"])
    assert answer["JobStatus"] == "SUCCEEDED"
    assert endpoint.control()["billed"]["pages"] == 1


def test_children_end_when_idle(tmp_path: Path, note: bytes) -> None:
    endpoint = Endpoint(tmp_path, "--workers", "1", "--idle-seconds", "0.2")
    endpoint.client.detect_document_text(Document={"Bytes": note})
    endpoint.wait_for(lambda: endpoint.control()["readers"], lambda pids: pids == [])
    resident = Path(f"/proc/{endpoint.process.pid}/status").read_text().partition("VmRSS:")[2].split()[0]
    assert int(resident) < 60 * 1024
    assert endpoint.stop() == 0


def test_two_endpoints_do_not_share_their_state(endpoint: Endpoint) -> None:
    command = [sys.executable, "-m", "deploy.local.textract", "--port", "0", "--state", str(endpoint.state)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Another endpoint" in done.stderr
