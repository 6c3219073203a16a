"""Simulated jobs: tokens, parts, outcomes, expiry, output, restarts; and that each is billed once."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.textract_endpoint.running import BUCKET, Endpoint

PLACE = {"Bucket": "elsewhere", "Name": "long.pdf"}


def start(simulator: Endpoint, **more: Any) -> str:
    asked = {"DocumentLocation": {"S3Object": PLACE}, "FeatureTypes": ["FORMS", "TABLES"]} | more
    job_id: str = simulator.client.start_document_analysis(**asked)["JobId"]
    return job_id


def parts(simulator: Endpoint, job_id: str, size: int = 1000) -> list[list[dict[str, Any]]]:
    """All parts of a job's answer, as they were sent."""
    found, token = [], None
    while True:
        more: dict[str, Any] = {"NextToken": token} if token else {}
        simulator.client.get_document_analysis(JobId=job_id, MaxResults=size, **more)
        body = simulator.check_last("GetDocumentAnalysis")
        found.append(body["Blocks"])
        token = body.get("NextToken")
        if not token:
            return found


def test_a_job_is_in_progress_for_its_time(simulator: Endpoint) -> None:
    simulator.control(job={"median": 3600})
    job_id = start(simulator)
    simulator.check_last("StartDocumentAnalysis")
    assert simulator.client.get_document_analysis(JobId=job_id)["JobStatus"] == "IN_PROGRESS"
    assert simulator.check_last("GetDocumentAnalysis") == {"JobStatus": "IN_PROGRESS"}
    simulator.control(finish="other*")
    assert simulator.client.get_document_analysis(JobId=job_id)["JobStatus"] == "IN_PROGRESS"
    simulator.control(finish="long*")
    assert simulator.client.get_document_analysis(JobId=job_id)["JobStatus"] == "SUCCEEDED"


def test_parts_are_as_small_as_asked_and_together_the_whole(simulator: Endpoint) -> None:
    simulator.control(pages={"keys": {"long*": 7}})
    job_id = start(simulator)
    (whole,) = parts(simulator, job_id)
    small = parts(simulator, job_id, 60)
    assert [len(part) for part in small[:-1]] == [60] * (len(small) - 1)
    assert [block for part in small for block in part] == whole
    ids = [block["Id"] for block in whole]
    assert len(ids) == len(set(ids))
    named = {other for block in whole for each in block.get("Relationships", []) for other in each["Ids"]}
    assert named <= set(ids)
    assert [block["Page"] for block in whole if block["BlockType"] == "PAGE"] == [1, 2, 3, 4, 5, 6, 7]
    first = {block["Id"] for block in small[0]}
    assert any(
        set(each["Ids"]) - first for block in small[0] for each in block.get("Relationships", [])
    )  # children spill over


def test_a_token_belongs_to_its_job_and_size(simulator: Endpoint) -> None:
    client, job_id, other = simulator.client, start(simulator), start(simulator)
    token = client.get_document_analysis(JobId=job_id, MaxResults=5)["NextToken"]
    for wrong in ({"JobId": job_id, "MaxResults": 6}, {"JobId": other, "MaxResults": 5}):
        with pytest.raises(client.exceptions.InvalidParameterException):
            client.get_document_analysis(NextToken=token, **wrong)
    with pytest.raises(client.exceptions.InvalidParameterException):
        client.get_document_analysis(JobId=job_id, MaxResults=5, NextToken="bm90aGluZw==")
    with pytest.raises(client.exceptions.InvalidJobIdException):
        client.get_document_text_detection(JobId=job_id)
    with pytest.raises(client.exceptions.InvalidJobIdException):
        client.get_document_analysis(JobId="nowhere")


def test_3000_pages_are_made_as_they_are_asked_for(simulator: Endpoint) -> None:
    simulator.control(pages={"keys": {"long*": 3000}}, answers={"kilobytes": 0})

    def memory() -> int:
        status = Path(f"/proc/{simulator.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    job_id = start(simulator)
    first = simulator.client.get_document_analysis(JobId=job_id)
    before = memory()
    got, pages = first, []
    while True:
        pages += [block["Page"] for block in got["Blocks"] if block["BlockType"] == "PAGE"]
        if "NextToken" not in got:
            break
        got = simulator.client.get_document_analysis(JobId=job_id, NextToken=got["NextToken"])
    assert pages == list(range(1, 3001))
    assert first["DocumentMetadata"]["Pages"] == 3000
    assert memory() - before < 10_000  # KiB


def test_the_same_token_gives_the_same_job_and_is_paid_once(simulator: Endpoint) -> None:
    first = start(simulator, ClientRequestToken="once")
    assert start(simulator, ClientRequestToken="once") == first
    with pytest.raises(simulator.client.exceptions.IdempotentParameterMismatchException):
        start(simulator, ClientRequestToken="once", JobTag="other")
    text = simulator.client.start_document_text_detection(
        DocumentLocation={"S3Object": PLACE}, ClientRequestToken="once"
    )
    assert text["JobId"] != first
    tokens = simulator.control()["tokens"]
    assert [(each["token"], each["times_billed"]) for each in tokens] == [("once", 1), ("once", 1)]
    simulator.control(token_seconds=0)
    assert start(simulator, ClientRequestToken="once") != first


def test_lost_answers_start_one_job_and_bill_it_once(simulator: Endpoint) -> None:
    simulator.control(faults=[{"fault": "lost_answer", "operation": "Start*", "probability": 0.3}])
    simulator.control(reset=True)
    lost = 0
    for number in range(30):
        for _ in range(8):
            try:
                start(simulator, ClientRequestToken=f"token-{number}")
                break
            except simulator.client.exceptions.ClientError:
                raise
            except Exception as error:
                assert type(error).__name__ in {"ConnectionClosedError", "EndpointConnectionError"}
                lost += 1
    report = simulator.control()
    assert 4 <= lost <= 25
    assert report["calls"]["StartDocumentAnalysis"] == {"lost_answer": lost, "ok": 30}
    assert [each["times_billed"] for each in report["tokens"]] == [1] * 30
    assert report["billed"]["pages"] == 30


def test_jobs_end_as_the_rules_say(simulator: Endpoint) -> None:
    simulator.control(
        pages={"keys": {"*.pdf": 4}},
        outcomes=[
            {"outcome": "FAILED", "key": "bad*", "message": "Internal error."},
            {"outcome": "PARTIAL_SUCCESS", "key": "partial*", "pages": [2, 3, 9], "code": "PAGE_UNREADABLE"},
            {"outcome": "IN_PROGRESS", "key": "stuck*"},
        ],
    )
    told = {}
    for name in ("bad.pdf", "partial.pdf", "stuck.pdf", "good.pdf"):
        job_id = start(simulator, DocumentLocation={"S3Object": {**PLACE, "Name": name}})
        simulator.client.get_document_analysis(JobId=job_id)
        told[name] = simulator.check_last("GetDocumentAnalysis")
    assert told["bad.pdf"] == {"JobStatus": "FAILED", "StatusMessage": "Internal error."}
    assert told["stuck.pdf"] == {"JobStatus": "IN_PROGRESS"}
    assert told["partial.pdf"]["Warnings"] == [{"ErrorCode": "PAGE_UNREADABLE", "Pages": [2, 3]}]
    assert {block["Page"] for block in told["partial.pdf"]["Blocks"]} == {1, 4}
    assert "Warnings" not in told["good.pdf"]
    report = simulator.control()
    assert report["jobs"] == {"IN_PROGRESS": 1, "SUCCEEDED": 1, "PARTIAL_SUCCESS": 1, "FAILED": 1}
    assert report["billed"]["pages"] == 2 + 4


def test_the_last_pages_may_be_the_ones_that_lack(simulator: Endpoint) -> None:
    rule = {"outcome": "PARTIAL_SUCCESS", "pages": [3], "code": "X"}
    simulator.control(pages={"keys": {"*": 3}}, outcomes=[rule])
    found = [block for part in parts(simulator, start(simulator), 40) for block in part]
    assert [block["Page"] for block in found if block["BlockType"] == "PAGE"] == [1, 2]


def test_results_expire(simulator: Endpoint) -> None:
    job_id = start(simulator)
    simulator.control(retention_seconds=0)
    with pytest.raises(simulator.client.exceptions.InvalidJobIdException):
        simulator.client.get_document_analysis(JobId=job_id)


def test_no_more_jobs_at_once_than_the_limit(simulator: Endpoint) -> None:
    simulator.control(job=3600, concurrent_jobs=2)
    started = [start(simulator, ClientRequestToken=f"{number}") for number in range(2)]
    with pytest.raises(simulator.client.exceptions.LimitExceededException):
        start(simulator)
    assert start(simulator, ClientRequestToken="1") == started[1]  # the same job again is no further job
    simulator.control(finish="*")
    start(simulator)
    assert simulator.control()["throttles"] == 1


def test_results_are_written_to_a_bucket_before_the_job_is_done(simulator: Endpoint) -> None:
    simulator.control(pages={"keys": {"long*": 5}}, answers={"kilobytes": 200})
    job_id = start(simulator, OutputConfig={"S3Bucket": BUCKET, "S3Prefix": "out"})
    folder = simulator.bucket / "out" / job_id
    assert (folder / ".s3_access_check").read_bytes() == b""
    simulator.wait_for(
        lambda: simulator.client.get_document_analysis(JobId=job_id), lambda got: got["JobStatus"] == "SUCCEEDED"
    )
    names = sorted((path.name for path in folder.iterdir() if path.name[0] != "."), key=int)
    assert names == [str(number) for number in range(1, len(names) + 1)]
    assert len(names) > 1
    answers = [json.loads((folder / name).read_text()) for name in names]
    for answer in answers:
        simulator.check(answer, "GetDocumentAnalysis")
    assert [block for each in answers for block in each["Blocks"]] == [
        block for part in parts(simulator, job_id) for block in part
    ]
    with pytest.raises(simulator.client.exceptions.InvalidS3ObjectException):
        start(simulator, OutputConfig={"S3Bucket": "nowhere"})


def test_a_killed_simulator_forgets_no_job_that_it_told_of(own_simulator: Endpoint) -> None:
    simulator = own_simulator
    simulator.control(pages={"keys": {"long*": 3}})
    job_id = start(simulator, ClientRequestToken="kept")
    simulator.client.detect_document_text(Document={"S3Object": {**PLACE, "Name": "one.png"}})
    (before,) = parts(simulator, job_id)
    token = simulator.client.get_document_analysis(JobId=job_id, MaxResults=5)["NextToken"]
    time.sleep(0.1)  # the bill of a synchronous call is written within 50 ms
    simulator.stop(at_once=True)
    simulator.restart()
    simulator.control(answers={"count": 12, "kilobytes": 20}, other_latency=0)
    assert parts(simulator, job_id) == [before]
    assert simulator.client.get_document_analysis(JobId=job_id, MaxResults=5, NextToken=token)["Blocks"] == before[5:10]
    assert start(simulator, ClientRequestToken="kept") == job_id
    report = simulator.control()
    assert [each["times_billed"] for each in report["tokens"]] == [1]
    assert report["billed"]["pages"] == 4
