"""Real answers of the engine to synchronous calls, held against AWS's own model."""

from statistics import median
from typing import Any

import pytest
from PIL import Image

from tests.textract_endpoint import drawn
from tests.textract_endpoint.running import Endpoint

pytestmark = pytest.mark.engine

FEATURES = ["FORMS", "TABLES", "QUERIES", "SIGNATURES", "LAYOUT"]
QUERIES = {"Queries": [{"Text": "What is the invoice number?", "Alias": "number"}, {"Text": "Who is the landlord?"}]}


def pairs(blocks: list[dict[str, Any]]) -> dict[str, tuple[str, float]]:
    by_id = {block["Id"]: block for block in blocks}

    def text(block: dict[str, Any]) -> str:
        children = [other for r in block.get("Relationships", []) if r["Type"] == "CHILD" for other in r["Ids"]]
        return " ".join(by_id[other]["Text"] for other in children)

    keys = [block for block in blocks if block.get("EntityTypes") == ["KEY"]]
    values = {key["Id"]: by_id[key["Relationships"][0]["Ids"][0]] for key in keys}
    return {text(key): (text(values[key["Id"]]), key["Confidence"]) for key in keys}


def table_rows(blocks: list[dict[str, Any]]) -> list[list[str]]:
    by_id = {block["Id"]: block for block in blocks}
    rows: dict[int, dict[int, str]] = {}
    table = next(block for block in blocks if block["BlockType"] == "TABLE")
    for cell in (by_id[other] for other in table["Relationships"][0]["Ids"]):
        words = [by_id[other]["Text"] for r in cell.get("Relationships", []) for other in r["Ids"]]
        rows.setdefault(cell["RowIndex"], {})[cell["ColumnIndex"]] = " ".join(words)
    return [[row[column] for column in sorted(row)] for _, row in sorted(rows.items())]


def test_an_invoice_is_analysed_with_all_features(endpoint: Endpoint, invoice: bytes) -> None:
    answer = endpoint.client.analyze_document(Document={"Bytes": invoice}, FeatureTypes=FEATURES, QueriesConfig=QUERIES)
    body = endpoint.check_last("AnalyzeDocument")
    assert body["DocumentMetadata"] == {"Pages": 1}
    assert body["AnalyzeDocumentModelVersion"] == "local-rapidocr-3.10.0"
    blocks = answer["Blocks"]
    found = pairs(blocks)
    expected = {
        "Invoice No:": "NW-20417",
        "Date:": "12/03/2026",
        "Due date:": "11/04/2026",
        "PO Number:": "88231",
        "Subtotal": "177.50",
        "VAT": "35.50",
        "Total": "213.00",
    }
    assert {key: value for key, (value, _) in found.items()} == expected
    assert median(confidence for _, confidence in found.values()) > 90
    assert table_rows(blocks) == [
        ["Description", "Qty", "Unit price", "Amount"],
        ["Copy paper A4", "10", "4.20", "42.00"],
        ["Blue folders", "25", "1.10", "27.50"],
        ["Desk stapler", "12", "9.00", "108.00"],
    ]
    headers = [b["Text"] for b in blocks if b["BlockType"] == "LINE"]
    assert headers[0] == "Northwind Paper Ltd"
    assert [b["Text"] for b in blocks if b["BlockType"] == "QUERY_RESULT"] == ["NW-20417"]
    assert {"LAYOUT_TITLE", "LAYOUT_TABLE", "LAYOUT_TEXT"} <= {b["BlockType"] for b in blocks}
    assert endpoint.control()["billed"] == {
        "pages": 1,
        "microdollars": 70_000,
        "price_table": "us-first-million-2026-08",
    }


def test_text_is_detected_in_an_object_of_a_bucket(endpoint: Endpoint, invoice: bytes) -> None:
    place = endpoint.store("invoice.png", invoice)
    answer = endpoint.client.detect_document_text(Document={"S3Object": place})
    endpoint.check_last("DetectDocumentText")
    words = [block for block in answer["Blocks"] if block["BlockType"] == "WORD"]
    assert {block["BlockType"] for block in answer["Blocks"]} == {"PAGE", "LINE", "WORD"}
    assert {word["TextType"] for word in words} == {"PRINTED"}
    assert all(0 < word["Confidence"] < 100 for word in words)
    first = next(word for word in words if word["Text"] == "Northwind")
    # Drawn at 60, 40 on paper of 1000 x 720: the box must lie there, give or take the engine's margin.
    box = first["Geometry"]["BoundingBox"]
    assert (box["Left"] * 1000, box["Top"] * 720) == pytest.approx((60, 45), abs=20)


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_a_turned_page_is_read_and_says_how_it_is_turned(endpoint: Endpoint, angle: int) -> None:
    turned = drawn.picture(*drawn.INVOICE[:5]).rotate(-angle, expand=True)
    answer = endpoint.client.detect_document_text(Document={"Bytes": drawn.encoded(turned)})
    endpoint.check_last("DetectDocumentText")
    lines = [block["Text"] for block in answer["Blocks"] if block["BlockType"] == "LINE"]
    assert "Invoice No: NW-20417" in lines
    angles = {block["Geometry"]["RotationAngle"] for block in answer["Blocks"] if block["BlockType"] == "WORD"}
    assert angles == {float(angle)}


def test_a_photo_is_turned_as_its_file_says(endpoint: Endpoint) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise before it is looked at
    content = drawn.encoded(drawn.note("Total: 9.00").rotate(90, expand=True), "JPEG", exif=exif, quality=95)
    answer = endpoint.client.detect_document_text(Document={"Bytes": content})
    word = next(block for block in answer["Blocks"] if block["BlockType"] == "WORD")
    assert word["Text"] == "Total:"
    assert "RotationAngle" not in word["Geometry"]


@pytest.mark.parametrize("size", [(1, 20_000), (30_000, 20), (1, 1), (64, 64)])
def test_odd_sizes_give_a_page_without_text(endpoint: Endpoint, size: tuple[int, int]) -> None:
    content = drawn.encoded(Image.new("L", size, 255))
    answer = endpoint.client.detect_document_text(Document={"Bytes": content})
    endpoint.check_last("DetectDocumentText")
    assert [block["BlockType"] for block in answer["Blocks"]] == ["PAGE"]


def test_the_same_page_is_read_once(endpoint: Endpoint, note: bytes) -> None:
    first = endpoint.client.detect_document_text(Document={"Bytes": note})
    kept = sorted((endpoint.state / "pages").rglob("*.json"))
    second = endpoint.client.detect_document_text(Document={"Bytes": note})
    assert second["Blocks"] == first["Blocks"]
    assert sorted((endpoint.state / "pages").rglob("*.json")) == kept
    # It was asked for twice, and AWS would have charged twice.
    (billed,) = endpoint.control()["documents"]
    assert (billed["times_billed"], billed["microdollars"]) == (2, 3_000)
