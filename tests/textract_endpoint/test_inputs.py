"""Parameters: what botocore lets through and AWS would not is refused here too."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.textract_endpoint.running import BUCKET, Endpoint

PLACE = {"S3Object": {"Bucket": BUCKET, "Name": "missing.png"}}
QUERIES: dict[str, Any] = {"Queries": [{"Text": "What is the total?"}]}


def refusal(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    assert caught.value.response["Error"]["Message"].endswith(".")
    return str(caught.value.response["Error"]["Code"])


@pytest.mark.parametrize(
    "changed",
    [
        {"FeatureTypes": []},
        {"FeatureTypes": ["FORMS", "MAGIC"]},
        {"FeatureTypes": ["QUERIES"]},
        {"FeatureTypes": ["FORMS"], "QueriesConfig": QUERIES},
        {"ClientRequestToken": "has blank"},
        {"ClientRequestToken": "x" * 65},
        {"JobTag": "no/slash"},
        {"NotificationChannel": {"SNSTopicArn": "arn:aws:sns:us-east-1:000000000000:t", "RoleArn": "arn:" + "x" * 20}},
        {"AdaptersConfig": {"Adapters": [{"AdapterId": "a" * 12, "Version": "1"}]}},
        {"DocumentLocation": {}},
        {"DocumentLocation": {"S3Object": {"Bucket": BUCKET, "Name": "  "}}},
        {"DocumentLocation": {"S3Object": {"Bucket": BUCKET, "Name": "n" * 1025}}},
        {"OutputConfig": {"S3Bucket": "no/such"}},
    ],
)
def test_a_start_with_a_wrong_parameter_is_refused(endpoint: Endpoint, changed: dict[str, Any]) -> None:
    right = {"DocumentLocation": PLACE, "FeatureTypes": ["FORMS"]}
    assert refusal(endpoint.client.start_document_analysis, **right) == "InvalidS3ObjectException"
    assert refusal(endpoint.client.start_document_analysis, **(right | changed)) == "InvalidParameterException"


def test_keys_of_a_key_service_are_refused(endpoint: Endpoint) -> None:
    start = endpoint.client.start_document_text_detection
    assert refusal(start, DocumentLocation=PLACE, KMSKeyId="alias/any") == "InvalidKMSKeyException"


@pytest.mark.parametrize(
    "query",
    [
        {"Text": "q" * 201},
        {"Text": "Wie heißt er?"},
        {"Text": "who", "Alias": "ä"},
        {"Text": "who", "Pages": ["*", "1"]},
        {"Text": "who", "Pages": ["0"]},
        {"Text": "who", "Pages": ["3-1"]},
        {"Text": "who", "Pages": ["x"]},
    ],
)
def test_a_query_out_of_its_limits_is_refused(endpoint: Endpoint, query: dict[str, Any]) -> None:
    start = endpoint.client.start_document_analysis
    asked = {"DocumentLocation": PLACE, "FeatureTypes": ["QUERIES"]}
    right = [{"Text": "who?", "Pages": ["1", "3-4", "6-*"]}, {"Text": "where?", "Pages": ["*"]}]
    assert refusal(start, **asked, QueriesConfig={"Queries": right}) == "InvalidS3ObjectException"
    assert refusal(start, **asked, QueriesConfig={"Queries": [query]}) == "InvalidParameterException"


def test_a_page_takes_fifteen_queries_at_once(endpoint: Endpoint) -> None:
    call, document = endpoint.client.analyze_document, {"S3Object": {"Bucket": BUCKET, "Name": "missing.png"}}

    def asked(count: int) -> str:
        queries = {"Queries": [{"Text": f"number {n}"} for n in range(count)]}
        return refusal(call, Document=document, FeatureTypes=["QUERIES"], QueriesConfig=queries)

    assert asked(15) == "InvalidS3ObjectException"
    assert asked(16) == "InvalidParameterException"


def test_a_document_is_either_bytes_or_an_object(endpoint: Endpoint) -> None:
    call = endpoint.client.detect_document_text
    assert refusal(call, Document={}) == "InvalidParameterException"
    both = {"Bytes": b"x", "S3Object": {"Bucket": BUCKET, "Name": "a"}}
    assert refusal(call, Document=both) == "InvalidParameterException"
    assert refusal(call, Document={"Bytes": b""}) == "InvalidParameterException"


def test_human_loops_are_refused(endpoint: Endpoint) -> None:
    loop = {"HumanLoopName": "n", "FlowDefinitionArn": "arn:aws:sagemaker:us-east-1:000000000000:flow-definition/x"}
    call = endpoint.client.analyze_document
    refused = refusal(call, Document={"Bytes": b"x"}, FeatureTypes=["FORMS"], HumanLoopConfig=loop)
    assert refused == "InvalidParameterException"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, "InvalidJobIdException"),
        ({"JobId": "!!"}, "InvalidParameterException"),
        ({"JobId": "a" * 65}, "InvalidParameterException"),
        ({"NextToken": " "}, "InvalidParameterException"),
    ],
)
def test_a_get_with_a_wrong_parameter_is_refused(endpoint: Endpoint, changed: dict[str, Any], code: str) -> None:
    asked = {"JobId": "0" * 64} | changed
    assert refusal(endpoint.client.get_document_analysis, **asked) == code
    assert refusal(endpoint.client.get_document_text_detection, **asked) == code
