"""What the simulator answers: whole, valid, different from document to document, and readable by the product."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.local.textract.simulator.knobs import DEFAULTS, Answers, Settings
from deploy.local.textract.simulator.pool import Pool, digits, plain
from ocr.extraction import read
from ocr.extraction.classification import classify
from tests.extraction.make import shipped
from tests.textract_endpoint.running import BUCKET, Endpoint

PNG = b"\x89PNG\r\n\x1a\n"
CLEAR = {"kilobytes": 20, "doubtful_share": 0, "kinds": {"receipt": 0, "form": 0}}
ALL = ["FORMS", "TABLES", "QUERIES", "SIGNATURES", "LAYOUT"]
QUERIES = {"Queries": [{"Text": "What is the invoice number?", "Alias": "number"}, {"Text": "Who is the landlord?"}]}
OWNERS = {
    "KEY_VALUE_SET": "FORMS",
    "SELECTION_ELEMENT": "FORMS",
    "TABLE": "TABLES",
    "CELL": "TABLES",
    "QUERY": "QUERIES",
    "QUERY_RESULT": "QUERIES",
    "SIGNATURE": "SIGNATURES",
}


def answers(**more: Any) -> Answers:
    return Settings(DEFAULTS, {"answers": {"count": 60, "kilobytes": 20, **more}}).knobs.answers


def blocks(pool: Pool, name: str, *features: str) -> list[dict[str, Any]]:
    page = pool.page(name, 1, features=frozenset(features), queries=())
    return plain(page.blocks(0, page.count, page=1, digits=digits(name)))


def dangling(found: list[dict[str, Any]]) -> set[str]:
    """Ids that a relationship names and no block has."""
    named = {other for block in found for each in block.get("Relationships", []) for other in each["Ids"]}
    return named - {block["Id"] for block in found}


def test_every_feature_set_gives_a_valid_answer_and_no_more_than_was_asked(simulator: Endpoint) -> None:
    for features in (["FORMS"], ["TABLES"], ["FORMS", "TABLES"], ["LAYOUT"], ["SIGNATURES"], ALL):
        for number in range(12):
            more = {"QueriesConfig": QUERIES} if "QUERIES" in features else {}
            document = {"Bytes": PNG + bytes([number])}
            simulator.client.analyze_document(Document=document, FeatureTypes=features, **more)
            body = simulator.check_last("AnalyzeDocument")
            assert dangling(body["Blocks"]) == set()
            owners = {OWNERS.get(block["BlockType"], "") for block in body["Blocks"]} - {""}
            assert owners <= {*features} | ({"FORMS"} if "TABLES" in features else set())
            assert any(block["BlockType"].startswith("LAYOUT") for block in body["Blocks"]) == ("LAYOUT" in features)


def test_plain_text_is_lines_and_words(simulator: Endpoint) -> None:
    simulator.client.detect_document_text(Document={"S3Object": {"Bucket": "elsewhere", "Name": "a.png"}})
    body = simulator.check_last("DetectDocumentText")
    assert {block["BlockType"] for block in body["Blocks"]} == {"PAGE", "LINE", "WORD"}
    assert body["DetectDocumentTextModelVersion"] == "simulated-1"
    headers = simulator.client.detect_document_text(Document={"Bytes": PNG})["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-dtat-engine"] == "simulated"


def test_questions_are_answered_where_the_page_has_the_label() -> None:
    pool = Pool(answers(kinds={"invoice": 1, "receipt": 0, "form": 0}), 1)
    page = pool.page(
        "a", 1, features=frozenset({"QUERIES"}), queries=(("What is the invoice number?", "number"), ("Who?", None))
    )
    found = plain(page.blocks(0, page.count, page=1, digits=b"7654321"))
    asked = [block for block in found if block["BlockType"] == "QUERY"]
    (result,) = [block for block in found if block["BlockType"] == "QUERY_RESULT"]
    assert result["Text"].endswith("-7654321")
    assert asked[0]["Relationships"] == [{"Type": "ANSWER", "Ids": [result["Id"]]}]
    assert (asked[0]["Query"]["Alias"], "Relationships" in asked[1]) == ("number", False)


def test_the_same_document_gets_the_same_answer_and_others_get_others(simulator: Endpoint) -> None:
    def text(number: int) -> bytes:
        simulator.client.detect_document_text(Document={"Bytes": PNG + b"%d" % number})
        return bytes(simulator.raw)

    first = [text(number) for number in range(6)]
    assert [text(number) for number in range(6)] == first
    assert len(set(first)) == 6


def test_a_seed_gives_the_same_pages_in_every_run_and_another_seed_others() -> None:
    once, again, other = Pool(answers(), 5), Pool(answers(), 5), Pool(answers(), 6)
    assert blocks(once, "a", "FORMS") == blocks(again, "a", "FORMS")
    assert blocks(once, "a", "FORMS") != blocks(other, "a", "FORMS")


def test_answers_are_as_large_as_asked() -> None:
    pool = Pool(answers(kilobytes=200), 1)
    sizes = [len(pool.page(f"{n}", 1, features=frozenset({"FORMS", "TABLES"}), queries=()).body) for n in range(8)]
    assert all(170_000 < size < 250_000 for size in sizes)


def problems(pool: Pool, name: str) -> int:
    found = blocks(pool, name, "FORMS", "TABLES")
    types = [shipped(kind) for kind in ("invoice", "receipt", "generic_form")]
    kind = classify(found, types).name
    assert kind == {"form": "generic_form"}.get(pool.kind(name), pool.kind(name))
    return len(read(found, next(each for each in types if each.name == kind)).problems)


def test_the_product_reads_them_and_only_the_doubtful_ones_need_a_person() -> None:
    names = [f"document {number}" for number in range(40)]
    clear = Pool(answers(doubtful_share=0), 1)
    assert [name for name in names if problems(clear, name)] == []
    doubtful = Pool(answers(doubtful_share=1), 1)
    assert [name for name in names if not problems(doubtful, name)] == []
    mixed = Pool(answers(), 1)
    share = sum(problems(mixed, name) > 0 for name in names) / len(names)
    assert 0.15 < share < 0.65


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_turned_pages_say_so_and_are_read_upright(rotation: int) -> None:
    settings = Settings(DEFAULTS, {"noise": {"rotation": rotation}, "answers": CLEAR})
    pool = Pool(settings.knobs.answers, 1)
    found = blocks(pool, "a", "FORMS", "TABLES")
    angles = {block["Geometry"].get("RotationAngle") for block in found if block["BlockType"] == "WORD"}
    assert angles == {float(rotation)}
    reading = read(found, shipped("invoice"))
    assert (reading.pages[0].rotation, reading.problems) == ((360 - rotation) % 360, ())


def test_noise_is_tolerated_by_the_product_and_told_by_it() -> None:
    noise = {"nulls": 0.3, "unknown_members": 0.3, "unknown_blocks": 0.1, "absent_page": True}
    settings = Settings(DEFAULTS, {"noise": noise, "answers": CLEAR})
    pool = Pool(settings.knobs.answers, 1)
    page = pool.page("a", 1, features=frozenset({"FORMS", "TABLES"}), queries=())
    found = plain(b"".join(page.single))
    assert all("Page" not in block for block in found)
    assert any(value is None for block in found for value in block.values())
    reading = read(found, shipped("invoice"))
    assert (reading.problems, reading.unknown["unknown_block_type"] > 3) == ((), True)


def test_a_document_of_more_than_one_page_is_for_jobs(simulator: Endpoint) -> None:
    simulator.control(pages={"keys": {"*long*": 3}})
    place = {"Bucket": "elsewhere", "Name": "long.pdf"}
    with pytest.raises(simulator.client.exceptions.UnsupportedDocumentException):
        simulator.client.detect_document_text(Document={"S3Object": place})
    simulator.client.detect_document_text(Document={"S3Object": {**place, "Name": "short.pdf"}})


def test_objects_of_a_folder_must_be_there_and_be_documents(simulator: Endpoint) -> None:
    detect = simulator.client.detect_document_text
    with pytest.raises(simulator.client.exceptions.InvalidS3ObjectException):
        detect(Document={"S3Object": {"Bucket": BUCKET, "Name": "nowhere.png"}})
    with pytest.raises(simulator.client.exceptions.UnsupportedDocumentException):
        detect(Document={"S3Object": simulator.store("note.txt", b"plain text")})
    detect(Document={"S3Object": simulator.store("note.png", PNG + b"note")})
    report = simulator.control()
    assert report["calls"] == {
        "DetectDocumentText": {"InvalidS3ObjectException": 1, "UnsupportedDocumentException": 1, "ok": 1}
    }
    assert report["billed"]["pages"] == 1


def test_the_simulator_at_rest_is_small(simulator: Endpoint) -> None:
    maps = Path(f"/proc/{simulator.process.pid}/maps").read_text()
    assert not [name for name in ("onnxruntime", "cv2", "numpy", "pdfium", "PIL") if f"/{name}" in maps]


def test_answers_that_are_recorded_only_are_refused_with_the_way_to_them(simulator: Endpoint) -> None:
    location = {"S3Object": {"Bucket": "elsewhere", "Name": "loan.pdf"}}
    job_id = simulator.client.start_lending_analysis(DocumentLocation=location)["JobId"]
    with pytest.raises(simulator.client.exceptions.InvalidParameterException, match="--mode replay"):
        simulator.client.get_lending_analysis_summary(JobId=job_id)
    assert json.loads(simulator.raw)["__type"] == "InvalidParameterException"


def test_expenses_identity_documents_and_loans_are_drawn(simulator: Endpoint) -> None:
    client = simulator.client
    simulator.control(pages={"keys": {"*.pdf": 25}})
    client.analyze_expense(Document={"Bytes": PNG + b"1"})
    [document] = simulator.check_last("AnalyzeExpense")["ExpenseDocuments"]
    assert document["SummaryFields"] and dangling(document["Blocks"]) == set()
    client.analyze_id(DocumentPages=[{"Bytes": PNG + b"1"}])
    assert len(simulator.check_last("AnalyzeID")["IdentityDocuments"]) == 1
    location = {"S3Object": {"Bucket": "elsewhere", "Name": "a.pdf"}}
    job_id = client.start_expense_analysis(DocumentLocation=location)["JobId"]
    first = client.get_expense_analysis(JobId=job_id)
    rest = client.get_expense_analysis(JobId=job_id, NextToken=first["NextToken"])
    simulator.check_last("GetExpenseAnalysis")
    assert [each["ExpenseIndex"] for part in (first, rest) for each in part["ExpenseDocuments"]] == list(range(1, 26))
    assert len(first["ExpenseDocuments"]) == 20
    job_id = client.start_lending_analysis(DocumentLocation=location)["JobId"]
    assert [each["Page"] for each in client.get_lending_analysis(JobId=job_id)["Results"]] == list(range(1, 26))
    simulator.check_last("GetLendingAnalysis")
    assert simulator.control()["billed"]["microdollars"] == 26 * 10_000 + 25_000 + 25 * 70_000
