"""Recorded answers given again, in the shape of the operation that asks."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.textract_endpoint.running import BUCKET, PROJECT, Endpoint, enum_errors

SHARED = Path(os.environ.get("DTAT_SHARED", PROJECT.parent / "shared")) / "data" / "textract"
RECORDED = sorted(path.name for path in SHARED.glob("*.json"))
ODD = "console-export-odd-shape.json"  # block types and members that the API does not have
PNG = b"\x89PNG\r\n\x1a\n"
FEATURES = ["FORMS", "TABLES", "QUERIES", "SIGNATURES", "LAYOUT"]
QUERIES = {"Queries": [{"Text": "who"}]}


def word(page: int, number: int) -> dict[str, Any]:
    return {"BlockType": "WORD", "Id": f"{page}-{number}", "Page": page, "Text": f"w{number}", "Confidence": 90.0}


def answer(page: int, **more: Any) -> dict[str, Any]:
    """One page of an answer, with a form field whose value is a word."""
    words = [word(page, number) for number in range(5)]
    line = {"BlockType": "LINE", "Id": f"{page}-line", "Page": page, "Text": "w0 w1"}
    line["Relationships"] = [{"Type": "CHILD", "Ids": [f"{page}-0", f"{page}-1"]}]
    value = {"BlockType": "KEY_VALUE_SET", "Id": f"{page}-value", "Page": page, "EntityTypes": ["VALUE"]}
    key = {**value, "Id": f"{page}-key", "EntityTypes": ["KEY"]}
    key["Relationships"] = [{"Type": "VALUE", "Ids": [value["Id"]]}, {"Type": "CHILD", "Ids": [f"{page}-0"]}]
    root = {"BlockType": "PAGE", "Id": f"{page}-page", "Page": page}
    root["Relationships"] = [{"Type": "CHILD", "Ids": [line["Id"], key["Id"], value["Id"]]}]
    blocks = [root, line, *words, key, value]
    return {"DocumentMetadata": {"Pages": 2}, "JobStatus": "SUCCEEDED", "Blocks": blocks, **more}


def expense(number: int) -> dict[str, Any]:
    return {"ExpenseIndex": number, "SummaryFields": [], "Blocks": [word(1, number)]}


MADE: dict[str, Any] = {
    "one.json": answer(1, DocumentMetadata={"Pages": 1}, AnalyzeDocumentModelVersion="1.0"),
    "two-a.json": answer(1, NextToken="lost"),
    "two-b.json": answer(2),
    "list.json": [answer(1), answer(2)],
    "failed.json": {"JobStatus": "FAILED", "StatusMessage": "It was too dark."},
    "running.json": {"JobStatus": "IN_PROGRESS"},
    "partial.json": answer(1, JobStatus="PARTIAL_SUCCESS", Warnings=[{"ErrorCode": "DARK", "Pages": [2]}]),
    "expense.json": {"DocumentMetadata": {"Pages": 1}, "ExpenseDocuments": [expense(n) for n in range(1, 26)]},
    "licence.json": {
        "DocumentMetadata": {"Pages": 1},
        "IdentityDocuments": [{"DocumentIndex": 1, "IdentityDocumentFields": [{"Type": {"Text": "FIRST_NAME"}}]}],
        "AnalyzeIDModelVersion": "1.0",
    },
    "lending.json": {
        "DocumentMetadata": {"Pages": 1},
        "JobStatus": "SUCCEEDED",
        "Results": [{"Page": 1, "Extractions": []}],
        "AnalyzeLendingModelVersion": "1.0",
    },
}


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    folder = tmp_path_factory.mktemp("replay")
    (folder / "answers").mkdir()
    for name, content in MADE.items():
        (folder / "answers" / name).write_text(json.dumps(content))
    documents = [
        {"sha256": hashlib.sha256(PNG + b"known").hexdigest(), "answer": "one.json"},
        {"key": "two.*", "answer": ["two-a.json", "two-b.json"]},
        {"key": "slip*", "operation": "*Expense*", "answer": "expense.json"},
        *({"key": f"{name.removesuffix('.json')}.*", "answer": name} for name in MADE),
    ]
    documents += [{"key": f"shared-{name}.pdf", "answer": str(SHARED / name)} for name in RECORDED]
    config = folder / "replay.yaml"
    config.write_text(yaml.safe_dump({"folder": "answers", "documents": documents}))
    endpoint = Endpoint(folder, "--config", str(config), mode="replay")
    yield endpoint
    assert endpoint.stop() == 0


@pytest.fixture
def recorded(replay: Endpoint) -> Endpoint:
    replay.control(reset=True)
    replay.bodies.clear()
    return replay


def place(name: str) -> dict[str, Any]:
    return {"Bucket": "elsewhere", "Name": name}


def analyzed(endpoint: Endpoint, document: dict[str, Any], *features: str) -> dict[str, Any]:
    endpoint.client.analyze_document(Document=document, FeatureTypes=list(features))
    return endpoint.check_last("AnalyzeDocument")


def collected(endpoint: Endpoint, name: str, size: int = 1000) -> list[dict[str, Any]]:
    """All answers about a job for the document of this name."""
    job_id = endpoint.client.start_document_analysis(
        DocumentLocation={"S3Object": place(name)}, FeatureTypes=FEATURES, QueriesConfig=QUERIES
    )["JobId"]
    answers, token = [], None
    while True:
        more: dict[str, Any] = {"NextToken": token} if token else {}
        endpoint.client.get_document_analysis(JobId=job_id, MaxResults=size, **more)
        answers.append(endpoint.bodies[-1])
        token = answers[-1].get("NextToken")
        if not token:
            return answers


def test_a_document_is_known_by_its_bytes_wherever_they_lie(recorded: Endpoint) -> None:
    found = analyzed(recorded, {"Bytes": PNG + b"known"}, "FORMS")
    assert found["Blocks"] == MADE["one.json"]["Blocks"]
    assert found["AnalyzeDocumentModelVersion"] == "1.0"
    stored = recorded.store("whatever.png", PNG + b"known")
    assert analyzed(recorded, {"S3Object": stored}, "FORMS")["Blocks"] == found["Blocks"]
    with pytest.raises(recorded.client.exceptions.BadDocumentException, match="No recorded answer"):
        analyzed(recorded, {"Bytes": PNG + b"unknown"}, "FORMS")
    with pytest.raises(recorded.client.exceptions.InvalidS3ObjectException, match="No recorded answer"):
        analyzed(recorded, {"S3Object": place("unknown.png")}, "FORMS")
    assert recorded.control()["billed"]["pages"] == 2


def test_what_was_not_asked_for_is_left_out_with_what_leads_to_it(recorded: Endpoint) -> None:
    found = analyzed(recorded, {"S3Object": place("one.png")}, "TABLES")
    assert {block["BlockType"] for block in found["Blocks"]} == {"PAGE", "LINE", "WORD"}
    assert found["Blocks"][0]["Relationships"] == [{"Type": "CHILD", "Ids": ["1-line"]}]
    recorded.client.detect_document_text(Document={"S3Object": place("one.png")})
    assert recorded.check_last("DetectDocumentText")["DetectDocumentTextModelVersion"] == "1.0"


@pytest.mark.parametrize("name", ["two.pdf", "list.pdf"])
def test_several_pages_are_put_together_and_given_in_parts(recorded: Endpoint, name: str) -> None:
    whole = [*answer(1)["Blocks"], *answer(2)["Blocks"]]
    (once,) = collected(recorded, name)
    assert (once["Blocks"], once["DocumentMetadata"]) == (whole, {"Pages": 2})
    parts = collected(recorded, name, 5)
    assert [block for part in parts for block in part["Blocks"]] == whole
    assert [len(part["Blocks"]) for part in parts] == [5, 5, 5, 3]
    with pytest.raises(recorded.client.exceptions.UnsupportedDocumentException):
        analyzed(recorded, {"S3Object": place(name)}, "FORMS")


def test_a_recorded_end_is_the_end_of_the_job(recorded: Endpoint) -> None:
    assert collected(recorded, "failed.pdf") == [{"JobStatus": "FAILED", "StatusMessage": "It was too dark."}]
    assert collected(recorded, "running.pdf") == [{"JobStatus": "IN_PROGRESS"}]
    (partial,) = collected(recorded, "partial.pdf")
    assert (partial["JobStatus"], partial["Warnings"]) == ("PARTIAL_SUCCESS", [{"ErrorCode": "DARK", "Pages": [2]}])
    assert recorded.control()["jobs"] == {"IN_PROGRESS": 1, "SUCCEEDED": 0, "PARTIAL_SUCCESS": 1, "FAILED": 1}


def test_expenses(recorded: Endpoint) -> None:
    client = recorded.client
    client.analyze_expense(Document={"S3Object": place("expense.png")})
    body = recorded.check_last("AnalyzeExpense")
    assert body["ExpenseDocuments"] == [expense(number) for number in range(1, 26)]
    client.detect_document_text(Document={"S3Object": place("expense.png")})
    assert len(recorded.check_last("DetectDocumentText")["Blocks"]) == 25
    job_id = client.start_expense_analysis(DocumentLocation={"S3Object": place("slip.png")})["JobId"]
    first = client.get_expense_analysis(JobId=job_id)
    recorded.check_last("GetExpenseAnalysis")
    rest = client.get_expense_analysis(JobId=job_id, NextToken=first["NextToken"])
    assert [each["ExpenseIndex"] for part in (first, rest) for each in part["ExpenseDocuments"]] == list(range(1, 26))
    with pytest.raises(client.exceptions.InvalidParameterException, match="is none to AnalyzeExpense"):
        client.analyze_expense(Document={"S3Object": place("one.png")})
    assert recorded.control()["billed"] == {
        "pages": 3,
        "microdollars": 2 * 10_000 + 1_500,
        "price_table": "us-first-million-2026-08",
    }


def test_identity_documents_and_loans(recorded: Endpoint) -> None:
    client = recorded.client
    client.analyze_id(DocumentPages=[{"S3Object": place("licence.png")}, {"S3Object": place("back.png")}])
    assert recorded.check_last("AnalyzeID")["AnalyzeIDModelVersion"] == "1.0"
    job_id = client.start_lending_analysis(DocumentLocation={"S3Object": place("lending.pdf")})["JobId"]
    recorded.check_last("StartLendingAnalysis")
    assert client.get_lending_analysis(JobId=job_id)["Results"] == [{"Page": 1, "Extractions": []}]
    recorded.check_last("GetLendingAnalysis")
    client.get_lending_analysis_summary(JobId=job_id)
    assert recorded.check_last("GetLendingAnalysisSummary")["JobStatus"] == "SUCCEEDED"
    assert recorded.control()["billed"]["microdollars"] == 25_000 + 70_000


def test_quotas_and_faults_hold_for_recordings_too(recorded: Endpoint) -> None:
    recorded.control(quotas={"AnalyzeDocument": {"rate": 0.01, "burst": 1}})
    try:
        analyzed(recorded, {"S3Object": place("one.png")}, "FORMS")
        with pytest.raises(recorded.client.exceptions.ProvisionedThroughputExceededException):
            analyzed(recorded, {"S3Object": place("one.png")}, "FORMS")
    finally:
        recorded.control(quotas=None)


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


@pytest.mark.skipif(not RECORDED, reason="the real answers are not here (DTAT_SHARED)")
@pytest.mark.parametrize("name", RECORDED or ["none"])
def test_every_real_answer_is_given_again_as_it_was_recorded(recorded: Endpoint, name: str) -> None:
    real = json.loads((SHARED / name).read_bytes())
    blocks = real.get("Blocks") or []
    if blocks:
        answers = collected(recorded, f"shared-{name}.pdf", 100)
        assert [block for part in answers for block in part["Blocks"]] == blocks
        if name != ODD:
            for part in answers:
                recorded.check(without_nulls(part), "GetDocumentAnalysis")
    elif real.get("JobStatus") in ("FAILED", "IN_PROGRESS"):
        assert collected(recorded, f"shared-{name}.pdf")[0]["JobStatus"] == real["JobStatus"]
    document = {"S3Object": place(f"shared-{name}.pdf")}
    if real.get("ExpenseDocuments"):
        recorded.client.analyze_expense(Document=document)
        assert recorded.bodies[-1]["ExpenseDocuments"] == real["ExpenseDocuments"]
        recorded.check(without_nulls(recorded.bodies[-1]), "AnalyzeExpense")
    if real.get("IdentityDocuments"):
        recorded.client.analyze_id(DocumentPages=[document])
        assert recorded.bodies[-1]["IdentityDocuments"] == real["IdentityDocuments"]
    if real.get("Results"):
        job_id = recorded.client.start_lending_analysis(DocumentLocation=document)["JobId"]
        recorded.client.get_lending_analysis(JobId=job_id)
        assert recorded.bodies[-1]["Results"] == real["Results"]
        shape = recorded.client.meta.service_model.operation_model("GetLendingAnalysis").output_shape
        # The service itself writes "Date" where its model says DATE.
        assert set(enum_errors(without_nulls(recorded.bodies[-1]), shape)) == {"'Date' is no ValueType"}


def test_ids_are_fresh_for_each_document_when_asked(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(MADE["one.json"]))
    config = tmp_path / "replay.yaml"
    config.write_text(yaml.safe_dump({"fallback": "one.json", "fresh_ids": True}))
    endpoint = Endpoint(tmp_path, "--config", str(config), mode="replay")
    try:
        found = [analyzed(endpoint, {"S3Object": place(name)}, "FORMS")["Blocks"] for name in ("a", "b", "a")]
        ids = [{block["Id"] for block in blocks} for blocks in found]
        assert (ids[0] == ids[2], ids[0] & ids[1], len(ids[0])) == (True, set(), 9)
        named = {other for block in found[0] for each in block.get("Relationships", []) for other in each["Ids"]}
        assert named <= ids[0]
        assert [block["BlockType"] for block in found[0]] == [block["BlockType"] for block in found[1]]
    finally:
        assert endpoint.stop() == 0


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (None, "needs --config"),
        ({}, "needs documents or a fallback"),
        ({"documents": [{"answer": "one.json"}]}, "documents[0] needs either a sha256 or a key"),
        ({"documents": [{"key": "a", "answer": "two.json"}]}, "there is no file"),
        ({"documents": [{"key": "a", "file": "one.json"}]}, "documents[0] has no 'file'"),
        ({"fallback": []}, "fallback must name a file"),
        ({"fallback": "one.json", "speed": 1}, "no knob 'speed'"),
    ],
)
def test_it_refuses_to_start_without_a_map(tmp_path: Path, config: dict[str, Any] | None, said: str) -> None:
    (tmp_path / "one.json").write_text(json.dumps(MADE["one.json"]))
    options = ["--state", str(tmp_path / "state")]
    if config is not None:
        (tmp_path / "replay.yaml").write_text(yaml.safe_dump(config))
        options += ["--config", str(tmp_path / "replay.yaml")]
    command = [sys.executable, "-m", "deploy.local.textract", "--port", "0", "--mode", "replay", *options]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_recording_that_is_none_is_told_to_the_caller(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text("[1, 2]")
    (tmp_path / "replay.yaml").write_text("fallback: one.json")
    endpoint = Endpoint(tmp_path, "--config", str(tmp_path / "replay.yaml"), mode="replay")
    try:
        with pytest.raises(endpoint.client.exceptions.InvalidParameterException, match="neither an answer nor a list"):
            endpoint.client.detect_document_text(Document={"S3Object": {**place("a"), "Bucket": BUCKET + "-other"}})
    finally:
        assert endpoint.stop() == 0
