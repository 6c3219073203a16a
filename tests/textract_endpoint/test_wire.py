"""The protocol: what is no proper call is refused in Textract's own form."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.textract_endpoint.running import PROJECT, Endpoint

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=any/20260312/us-east-1/textract/aws4_request, "
    "SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=" + "0" * 64
)
GET_JOB = {"X-Amz-Target": "Textract.GetDocumentAnalysis", "Content-Type": "application/x-amz-json-1.1"}


def call(endpoint: Endpoint, body: bytes, path: str = "/", **changed: str | None) -> tuple[int, str]:
    headers = GET_JOB | {"Authorization": SIGNED} | {name.replace("_", "-"): v for name, v in changed.items()}
    status, answer = endpoint.http(path, body, **{name: value for name, value in headers.items() if value is not None})
    assert answer["message"].endswith(".")
    return status, answer["__type"]


def test_a_well_formed_call_gets_as_far_as_its_parameters(endpoint: Endpoint) -> None:
    assert call(endpoint, b'{"JobId": "nowhere"}') == (400, "InvalidJobIdException")


def test_an_unsigned_call_is_refused(endpoint: Endpoint) -> None:
    assert call(endpoint, b"{}", Authorization=None) == (403, "MissingAuthenticationTokenException")


@pytest.mark.parametrize("signature", ["Bearer token", SIGNED[:-1], SIGNED.replace("/textract/", "/s3/")])
def test_a_malformed_signature_is_refused(endpoint: Endpoint, signature: str) -> None:
    assert call(endpoint, b"{}", Authorization=signature) == (400, "IncompleteSignatureException")


@pytest.mark.parametrize("target", ["Textract.CreateAdapter", "Textract.Nothing", "S3.GetObject", ""])
def test_an_operation_that_is_not_offered_is_named_as_unknown(endpoint: Endpoint, target: str) -> None:
    assert call(endpoint, b"{}", X_Amz_Target=target) == (400, "UnknownOperationException")


@pytest.mark.parametrize(
    "target", ["Textract.AnalyzeID", "Textract.StartLendingAnalysis", "Textract.GetLendingAnalysis"]
)
def test_what_the_engine_cannot_read_is_refused_with_what_to_do(endpoint: Endpoint, target: str) -> None:
    assert call(endpoint, b"{}", X_Amz_Target=target) == (400, "InvalidParameterException")


def test_cbor_is_refused_and_not_left_hanging(endpoint: Endpoint) -> None:
    refused = (415, "UnsupportedProtocolException")
    assert call(endpoint, b"\xa0", Content_Type="application/cbor") == refused
    assert call(endpoint, b"\xa0", smithy_protocol="rpc-v2-cbor") == refused
    assert call(endpoint, b"\xa0", path="/service/Textract/operation/GetDocumentAnalysis") == refused


@pytest.mark.parametrize("body", [b"not json", b"[]", b'{"JobId": 7}', b'{"JobId": "a", "MaxResults": "5"}'])
def test_a_body_of_the_wrong_form_is_refused(endpoint: Endpoint, body: bytes) -> None:
    assert call(endpoint, body) == (400, "SerializationException")


@pytest.mark.parametrize(
    "wrong",
    [
        '"QueriesConfig": {"Queries": []}',
        '"QueriesConfig": {"Queries": [{"Alias": "no text"}]}',
        '"QueriesConfig": {"Queries": [{"Text": "who", "Pages": []}]}',
        '"DocumentLocation": {"S3Object": {"Bucket": "ab", "Name": "x"}}',
        '"DocumentLocation": {"S3Object": {"Name": "x"}}',
        '"ClientRequestToken": ""',
    ],
)
def test_botocore_guards_against_what_is_missing_and_so_does_the_endpoint(endpoint: Endpoint, wrong: str) -> None:
    right = '"FeatureTypes": ["QUERIES"], "QueriesConfig": {"Queries": [{"Text": "who"}]}'
    place = '"DocumentLocation": {"S3Object": {"Bucket": "papers", "Name": "missing"}}'
    target = "Textract.StartDocumentAnalysis"
    body = f"{{{right}, {place}}}".encode()
    assert call(endpoint, body, X_Amz_Target=target) == (400, "InvalidS3ObjectException")
    body = f"{{{right}, {place}, {wrong}}}".encode()  # of two members with one name the last counts
    assert call(endpoint, body, X_Amz_Target=target) == (400, "InvalidParameterException")


def test_botocore_guards_the_least_of_max_results_and_so_does_the_endpoint(endpoint: Endpoint) -> None:
    assert call(endpoint, b'{"JobId": "nowhere", "MaxResults": 0}') == (400, "InvalidParameterException")
    assert call(endpoint, b'{"JobId": "nowhere", "MaxResults": 5000}') == (400, "InvalidJobIdException")


def test_a_body_that_is_too_large_is_read_away_and_refused(endpoint: Endpoint) -> None:
    assert call(endpoint, b" " * (17 << 20)) == (400, "DocumentTooLargeException")


def test_it_says_that_it_lives_and_that_it_is_local(endpoint: Endpoint) -> None:
    assert endpoint.http("/healthz") == (200, {"status": "ok", "engine": "local-rapidocr-3.10.0"})
    with pytest.raises(endpoint.client.exceptions.InvalidJobIdException) as caught:
        endpoint.client.get_document_analysis(JobId="nowhere")
    headers = caught.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-dtat-engine"] == "local"
    assert len(headers["x-amzn-requestid"]) == 36


def test_it_counts_calls_by_outcome(endpoint: Endpoint) -> None:
    call(endpoint, b'{"JobId": "nowhere"}')
    call(endpoint, b'{"JobId": "nowhere"}')
    assert endpoint.control()["calls"] == {"GetDocumentAnalysis": {"InvalidJobIdException": 2}}


@pytest.mark.parametrize("knobs", [b'{"canned": true}', b'{"latency_seconds": -1}', b'{"reset": 1}'])
def test_control_refuses_what_it_does_not_have(endpoint: Endpoint, knobs: bytes) -> None:
    status, answer = endpoint.http("/_control", knobs)
    assert (status, answer["__type"]) == (400, "InvalidParameterException")


def test_control_is_closed_unless_asked_for(tmp_path: Path) -> None:
    # Started by hand: the shared endpoint is always started with --control.
    code = (
        "from pathlib import Path; import json, threading, urllib.request, urllib.error\n"
        "from deploy.local.textract.operations import Textract\n"
        "from deploy.local.textract.server import Server\n"
        "from deploy.local.textract.stores import Buckets\n"
        f"service = Textract(state=Path({str(tmp_path)!r}), buckets=Buckets({{}}), workers=1, idle_seconds=1)\n"
        "server = Server(('127.0.0.1', 0), service, controlled=False)\n"
        "service.begin()\n"
        "threading.Thread(target=server.serve_forever).start()\n"
        "try: urllib.request.urlopen(server.url + '/_control')\n"
        "except urllib.error.HTTPError as error: print(error.code, json.load(error)['__type'])\n"
        "server.shutdown(); server.server_close(); service.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout == "400 UnknownOperationException\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--mode", "guess"], "no mode"),
        (["--config", "x.yaml"], "takes no --config"),
        (["--store", "papers=/nowhere/at/all"], "no folder"),
    ],
)
def test_it_refuses_to_start_as_asked(tmp_path: Path, options: list[str], said: str) -> None:
    command = [sys.executable, "-m", "deploy.local.textract", "--port", "0", "--state", str(tmp_path), *options]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_the_server_at_rest_is_small_and_has_no_engine_in_it(endpoint: Endpoint) -> None:
    maps = Path(f"/proc/{endpoint.process.pid}/maps").read_text()
    assert not [name for name in ("onnxruntime", "cv2", "numpy", "pdfium", "PIL") if f"/{name}" in maps]


def test_the_stand_in_shares_no_code_with_the_product() -> None:
    code = (
        "import sys, deploy.local.textract.__main__, deploy.local.textract.blocks\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & "
        "{'ocr', 'review', 'audit', 'tenants', 'dtat_site', 'django', 'boto3', 'botocore'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
