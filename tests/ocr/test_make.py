"""What the other tests stand on: every status can be reached the honest way, and the stand-in speaks like Textract."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from ocr.models import Status
from tests import engine as stub
from tests import make
from tests.engine import Engine, Page

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("status", Status.values)
def test_every_status_can_be_reached(cast: make.Cast, engine: Engine, status: str) -> None:
    made = make.document(cast.a, status)
    assert made.status == status
    assert make.is_resting(made) == (status not in {"received", "reading"})


def test_a_person_can_have_approved(cast: make.Cast, engine: Engine) -> None:
    made = make.document(cast.a, "approved", decided_by=cast.ada)
    assert (made.reviewer, made.straight_through) == ("user:ada", False)


def test_several_pages(cast: make.Cast, engine: Engine) -> None:
    made = make.document(cast.a, "approved", pages=[stub.CLEAR, Page.of("Thank you")])
    assert made.page_count == 2


@pytest.mark.parametrize("operation", ["GetDocumentAnalysis", "GetDocumentTextDetection", "AnalyzeDocument"])
@pytest.mark.parametrize("pages", [(stub.BLANK,), (stub.CLEAR, stub.DOUBTFUL)], ids=["blank", "two"])
def test_answers_fit_botocores_model(engine: Engine, operation: str, pages: tuple[Page, ...]) -> None:
    engine.reads(*pages)
    told = _told(engine, operation)
    model: Any = botocore.session.get_session().get_service_model("textract")
    report = ParamValidator().validate(told, model.operation_model(operation).output_shape)
    assert not report.has_errors(), report.generate_report()
    known = model.shape_for("BlockType").enum
    assert {block["BlockType"] for block in told["Blocks"]} <= set(known)


def _told(engine: Engine, operation: str) -> Any:
    import json

    if operation == "AnalyzeDocument":
        return json.loads(engine.answer(operation, {"Document": {"Bytes": "eA=="}}).body)
    document = {"S3Object": {"Bucket": "local", "Name": "raw/x"}}
    started = engine.answer(operation.replace("Get", "Start"), {"DocumentLocation": document})
    return json.loads(engine.answer(operation, {"JobId": json.loads(started.body)["JobId"]}).body)


def test_a_token_means_one_job_and_one_bill(engine: Engine) -> None:
    document = {"S3Object": {"Bucket": "local", "Name": "raw/x"}}
    asked = {"DocumentLocation": document, "ClientRequestToken": "t", "FeatureTypes": ["FORMS"]}
    first = engine.answer("StartDocumentAnalysis", asked)
    assert engine.answer("StartDocumentAnalysis", asked).body == first.body
    assert engine.answer("StartDocumentAnalysis", asked | {"FeatureTypes": ["TABLES"]}).status == 400
    assert engine.bill == [("t", 1)]
