"""AnalyzeExpense of the local engine: what labels, the table of items and the name at the top give."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.local.textract.blocks import expense_document
from tests.textract_endpoint import drawn, made
from tests.textract_endpoint.running import Endpoint

ROWS = (
    (60, 40, "Northwind Paper Ltd"),
    (60, 130, "Invoice No: NW-20417"),
    (60, 180, "Date: 12/03/2026"),
    (60, 280, "Description"), (400, 280, "Qty"), (560, 280, "Unit price"), (800, 280, "Amount"),
    (60, 330, "Copy paper"), (400, 330, "10"), (560, 330, "4.20"), (800, 330, "42.00"),
    (60, 380, "Blue folders"), (400, 380, "25"), (560, 380, "1.10"), (800, 380, "27.50"),
    (560, 530, "Subtotal"), (800, 530, "69.50"),
    (560, 630, "Total"), (800, 630, "83.40"),
)  # fmt: skip


def summary(document: dict[str, Any]) -> dict[str, str]:
    return {field["Type"]["Text"]: field["ValueDetection"]["Text"] for field in document["SummaryFields"]}


def rows(document: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {field["Type"]["Text"]: field["ValueDetection"]["Text"] for field in item["LineItemExpenseFields"]}
        for group in document["LineItemGroups"]
        for item in group["LineItems"]
    ]


def test_labels_become_standard_fields_and_the_table_line_items() -> None:
    found = expense_document(made.page(*ROWS), number=1, sha256="ab")
    assert summary(found) == {
        "VENDOR_NAME": "Northwind Paper Ltd",
        "INVOICE_RECEIPT_ID": "NW-20417",
        "INVOICE_RECEIPT_DATE": "12/03/2026",
        "SUBTOTAL": "69.50",
        "TOTAL": "83.40",
    }
    first, second = rows(found)
    assert {name: first[name] for name in ("ITEM", "QUANTITY", "UNIT_PRICE", "PRICE")} == {
        "ITEM": "Copy paper",
        "QUANTITY": "10",
        "UNIT_PRICE": "4.20",
        "PRICE": "42.00",
    }
    assert second["EXPENSE_ROW"] == "Blue folders 25 1.10 27.50"


def test_a_name_without_a_label_is_doubted_and_a_label_nobody_knows_is_other() -> None:
    found = expense_document(made.page(*ROWS, (60, 700, "Shelf mark: B12")), number=1, sha256="ab")
    vendor = next(field for field in found["SummaryFields"] if field["Type"]["Text"] == "VENDOR_NAME")
    assert vendor["Type"]["Confidence"] == pytest.approx(0.7 * 99)
    other = next(field for field in found["SummaryFields"] if field["Type"]["Text"] == "OTHER")
    assert (other["LabelDetection"]["Text"], other["ValueDetection"]["Text"]) == ("Shelf mark:", "B12")


def test_an_empty_page_has_a_document_without_values() -> None:
    found = expense_document(made.page(), number=3, sha256="ab")
    assert (found["SummaryFields"], found["LineItemGroups"], found["ExpenseIndex"]) == ([], [], 3)
    assert [block["BlockType"] for block in found["Blocks"]] == ["PAGE"]


@pytest.mark.engine
def test_an_invoice_is_read_at_once_and_by_a_job(endpoint: Endpoint, invoice: bytes) -> None:
    endpoint.client.analyze_expense(Document={"Bytes": invoice})
    body = endpoint.bodies[-1]
    assert body.pop("AnalyzeExpenseModelVersion").startswith("local-")  # nobody should take it for the service's
    endpoint.check(body, "AnalyzeExpense")
    assert summary(body["ExpenseDocuments"][0])["TOTAL"] == "213.00"
    file = drawn.pages(drawn.picture(*drawn.INVOICE), drawn.note("Thank you"))
    job_id = endpoint.client.start_expense_analysis(DocumentLocation={"S3Object": endpoint.store("two.pdf", file)})[
        "JobId"
    ]
    endpoint.wait_for(
        lambda: endpoint.client.get_expense_analysis(JobId=job_id), lambda told: told["JobStatus"] == "SUCCEEDED"
    )
    told = endpoint.check_last("GetExpenseAnalysis")
    assert [each["ExpenseIndex"] for each in told["ExpenseDocuments"]] == [1, 2]
    endpoint.client.get_expense_analysis(JobId=job_id, MaxResults=1)
    assert [each["ExpenseIndex"] for each in endpoint.check_last("GetExpenseAnalysis")["ExpenseDocuments"]] == [1]
    assert endpoint.control()["billed"]["microdollars"] == 3 * 10_000
