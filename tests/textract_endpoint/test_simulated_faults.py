"""Quotas, errors and spoilt answers: what the caller sees, and what is billed all the same."""

import json
import random
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError, ReadTimeoutError

from deploy.local.textract.simulator.fates import Fates
from deploy.local.textract.simulator.knobs import CODES, DEFAULTS, WIRE_FAULTS, Settings
from deploy.local.textract.simulator.malformed import CIRCLING, VARIANTS, malform
from deploy.local.textract.simulator.rates import Buckets, Quota
from deploy.local.textract.simulator.replies import Reply
from tests.textract_endpoint.running import PROJECT, Endpoint

PLACE = {"Bucket": "elsewhere", "Name": "scan.png"}
SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/textract/aws4_request, "
    f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
}
BOX = {"Left": 0.1, "Top": 0.1, "Width": 0.2, "Height": 0.1}
GOOD: dict[str, Any] = {
    "JobStatus": "SUCCEEDED",
    "DocumentMetadata": {"Pages": 2},
    "NextToken": "next",
    "Blocks": [
        {"BlockType": "PAGE", "Id": "1", "Page": 1},
        {"BlockType": "WORD", "Id": "2", "Page": 1, "Confidence": 99.0, "Geometry": {"BoundingBox": BOX}},
        {"BlockType": "PAGE", "Id": "3", "Page": 2},
    ],
}


def detect(simulator: Endpoint, name: str = "scan.png") -> Any:
    return simulator.client.detect_document_text(Document={"S3Object": {**PLACE, "Name": name}})


def refused(simulator: Endpoint, name: str = "scan.png") -> tuple[str, int]:
    """The code and status with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        detect(simulator, name)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


# --- Quotas


def test_a_bucket_lets_its_rate_through_and_no_more() -> None:
    now = [100.0]
    buckets, quota = Buckets(lambda: now[0]), Quota(10, 10)
    let_through = 0
    for tick in range(2000):
        now[0] = 100 + tick / 100
        let_through += buckets.takes("AnalyzeDocument", quota)
    assert let_through == 10 + 199
    now[0] += 60
    assert sum(buckets.takes("AnalyzeDocument", quota) for _ in range(30)) == 10
    assert buckets.takes("DetectDocumentText", quota)


def test_a_steep_rise_is_told_from_a_steady_rate() -> None:
    now = [100.0]
    buckets = Buckets(lambda: now[0])

    def second(calls: int) -> int:
        now[0] += 1
        return sum(buckets.ramps("AnalyzeDocument", factor=2, floor=5) for _ in range(calls))

    assert [second(calls) for calls in (5, 10, 20, 50, 50)] == [0, 0, 0, 10, 0]


def test_calls_over_the_quota_are_refused_as_set(simulator: Endpoint) -> None:
    simulator.control(quotas={"DetectDocumentText": {"rate": 0.01, "burst": 1}})
    detect(simulator)
    assert refused(simulator) == ("ProvisionedThroughputExceededException", 400)
    simulator.control(throttle={"code": "ThrottlingException", "http_status": 500})
    assert refused(simulator) == ("ThrottlingException", 500)
    simulator.control(quotas={"DetectDocumentText": "none"})
    detect(simulator)
    report = simulator.control()
    assert (report["throttles"], report["billed"]["pages"]) == (2, 2)


def test_a_sudden_rise_is_throttled(simulator: Endpoint) -> None:
    simulator.control(throttle={"ramp_factor": 2, "ramp_floor": 0})
    assert refused(simulator) == ("ThrottlingException", 400)


def test_a_region_brings_its_quotas() -> None:
    knobs = Settings(DEFAULTS, {"region": "us-east-1", "quotas": {"AnalyzeDocument": 25}}).knobs
    assert knobs.quotas["AnalyzeDocument"] == Quota(25, 25)
    assert (knobs.quotas["DetectDocumentText"].rate, knobs.concurrent_jobs) == (25, 600)
    assert Settings(DEFAULTS, {"region": "eu-central-1"}).knobs.quotas["AnalyzeDocument"] == Quota(1, 1)
    assert Settings(DEFAULTS, {}).knobs.quotas == {}


# --- Errors


@pytest.mark.parametrize("code", CODES)
def test_every_error_can_be_had_and_costs_nothing(simulator: Endpoint, code: str) -> None:
    simulator.control(faults=[{"fault": code, "most": 1}])
    documented = {
        "InternalServerError": 500,
        "ServiceUnavailableException": 503,
        "HumanLoopQuotaExceededException": 402,
    }
    assert refused(simulator) == (code, documented.get(code, 400))
    assert simulator.control()["billed"]["pages"] == 0
    detect(simulator)


def test_rules_choose_by_operation_number_key_and_document(simulator: Endpoint) -> None:
    simulator.control(
        faults=[
            {"fault": "BadDocumentException", "operation": "Analyze*"},
            {"fault": "InternalServerError", "calls": [2], "http_status": 502, "message": "second"},
            {"fault": "AccessDeniedException", "key": "secret/*"},
            {"fault": "ThrottlingException", "key": "slow*", "first": 2},
        ]
    )
    detect(simulator)
    assert refused(simulator) == ("InternalServerError", 502)
    assert refused(simulator, "secret/plan.png") == ("AccessDeniedException", 400)
    assert [refused(simulator, "slow.png")[0], refused(simulator, "slow.png")[0]] == ["ThrottlingException"] * 2
    detect(simulator, "slow.png")
    assert refused(simulator, "slower.png")[0] == "ThrottlingException"
    with pytest.raises(simulator.client.exceptions.BadDocumentException):
        simulator.client.analyze_document(Document={"S3Object": PLACE}, FeatureTypes=["FORMS"])


def fates(seed: int) -> list[bool]:
    rule = {"fault": "lost_answer", "probability": 0.3}
    found = Fates(Settings(DEFAULTS, {"seed": seed, "faults": [rule]}).knobs)
    return [found.of_call("AnalyzeDocument", number, key="a") is not None for number in range(1, 1001)]


def test_the_seed_decides_which_calls_are_struck() -> None:
    assert fates(7) == fates(7)
    assert fates(7) != fates(8)
    assert 250 < sum(fates(7)) < 350


def test_delays_follow_their_distribution_and_the_seed() -> None:
    knobs = Settings(DEFAULTS, {}).knobs
    drawn = sorted(Fates(knobs).seconds(knobs.latency["AnalyzeDocument"], "AnalyzeDocument", n) for n in range(4000))
    assert drawn == sorted(
        Fates(knobs).seconds(knobs.latency["AnalyzeDocument"], "AnalyzeDocument", n) for n in range(4000)
    )
    assert drawn[2000] == pytest.approx(2.9, rel=0.03)
    assert drawn[3800] == pytest.approx(5.0, rel=0.05)
    assert Fates(knobs).seconds(knobs.job, "job", 1, pages=100) == pytest.approx(4 + 67)
    spiky = Settings(DEFAULTS, {"job": {"median": 1, "spike_share": 0.1, "spike_seconds": 20}}).knobs
    late = [Fates(spiky).seconds(spiky.job, "job", number) > 20 for number in range(1000)]
    assert 70 < sum(late) < 130


# --- What happens on the way


def test_a_lost_answer_is_billed_and_a_connection_reset_before_the_work_is_not(simulator: Endpoint) -> None:
    simulator.control(faults=[{"fault": "lost_answer", "calls": [1]}, {"fault": "reset_before", "calls": [2]}])
    for _ in range(2):
        with pytest.raises((ConnectionClosedError, HTTPClientError)):
            detect(simulator)
    report = simulator.control()
    assert report["calls"] == {"DetectDocumentText": {"lost_answer": 1, "reset_before": 1}}
    assert report["billed"]["pages"] == 1
    (document,) = report["documents"]
    assert (document["key"], document["times_billed"]) == ("s3://elsewhere/scan.png", 1)


def test_a_body_that_breaks_off_is_handed_on_by_botocore_without_a_word(simulator: Endpoint) -> None:
    simulator.control(faults=[{"fault": "cut_body"}])
    answer = detect(simulator)
    assert "Blocks" not in answer
    assert len(simulator.raw) < int(answer["ResponseMetadata"]["HTTPHeaders"]["content-length"])
    assert simulator.control()["billed"]["pages"] == 1


def test_a_slow_body_arrives_whole(simulator: Endpoint) -> None:
    simulator.control(faults=[{"fault": "slow_body", "seconds": 0.2}])
    detect(simulator)
    simulator.check_last("DetectDocumentText")


def test_json_that_breaks_off_and_html_come_with_the_status_of_a_success(simulator: Endpoint) -> None:
    simulator.control(faults=[{"fault": "truncated"}])
    detect(simulator)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|Invalid"):
        json.loads(simulator.raw)
    simulator.control(faults=[{"fault": "html_200"}])
    detect(simulator)
    assert simulator.raw.startswith(b"<html>")
    simulator.control(faults=[{"fault": "html_5xx", "http_status": 502}])
    assert refused(simulator)[1] == 502
    assert simulator.control()["billed"]["pages"] == 2


def test_a_caller_that_gives_up_is_billed(simulator: Endpoint) -> None:
    simulator.control(latency={"DetectDocumentText": 0.5})
    impatient = simulator.with_patience(0.1)
    with pytest.raises((ReadTimeoutError, HTTPClientError)):
        impatient.detect_document_text(Document={"S3Object": PLACE})
    simulator.wait_for(simulator.control, lambda report: report["calls"])
    report = simulator.control()
    assert report["calls"] == {"DetectDocumentText": {"caller_left": 1}}
    assert report["billed"]["pages"] == 1


def test_there_are_at_least_twenty_ways_to_spoil_an_answer() -> None:
    assert len(VARIANTS) >= 20


def malformed(variant: str, seed: int = 0) -> Reply:
    """A good part of a job's answer after it was spoilt."""
    reply = Reply(200, json.dumps(GOOD).encode(), "ok")
    assert malform(reply, variant, random.Random(seed))
    return reply


@pytest.mark.parametrize(
    "variant", [name for name in VARIANTS if name not in ("huge_answer", "job_id_missing", CIRCLING)]
)
def test_each_malformed_answer_is_unlike_the_good_one(variant: str) -> None:
    spoilt = malformed(variant).body
    assert spoilt != json.dumps(GOOD).encode()
    if variant not in ("empty_body", "not_utf8"):
        assert spoilt != json.dumps(GOOD, separators=(",", ":")).encode()


def test_a_token_that_leads_to_the_same_part_again(simulator: Endpoint) -> None:
    job_id = simulator.client.start_document_text_detection(DocumentLocation={"S3Object": PLACE})["JobId"]
    get = simulator.client.get_document_text_detection
    first = get(JobId=job_id, MaxResults=7)
    simulator.control(faults=[{"fault": f"malformed:{CIRCLING}"}])
    second = get(JobId=job_id, MaxResults=7, NextToken=first["NextToken"])
    assert second["NextToken"] == first["NextToken"]
    again = get(JobId=job_id, MaxResults=7, NextToken=second["NextToken"])
    assert (again["Blocks"], again["NextToken"]) == (second["Blocks"], first["NextToken"])
    assert simulator.control()["calls"]["GetDocumentTextDetection"] == {"ok": 1, f"malformed:{CIRCLING}": 2}


def test_an_answer_without_what_is_to_be_spoilt_stays_whole() -> None:
    waiting = Reply(200, b'{"JobStatus": "IN_PROGRESS"}', "ok")
    for variant in ("duplicate_page", "box_outside", "missing_next_token", "huge_answer", "blocks_null"):
        assert not malform(waiting, variant, random.Random(0))
    assert waiting.body == b'{"JobStatus": "IN_PROGRESS"}'
    started = Reply(200, b'{"JobId": "a"}', "ok")
    assert malform(started, "job_id_missing", random.Random(0))
    assert started.body == b"{}"


def test_a_malformed_answer_may_be_any_of_them() -> None:
    assert len({malformed("any", seed).body for seed in range(30)}) > 10


def test_malformed_answers_go_out_as_such_and_the_huge_one_in_parts(simulator: Endpoint) -> None:
    simulator.control(faults=[{"fault": "malformed:confidence_200", "calls": [1]}, {"fault": "malformed:huge_answer"}])
    detect(simulator)
    word = next(block for block in json.loads(simulator.raw)["Blocks"] if block["BlockType"] == "WORD")
    assert word["Confidence"] == 200.0
    body = json.dumps({"Document": {"S3Object": PLACE}}).encode()
    request = urllib.request.Request(simulator.url, body, {"X-Amz-Target": "Textract.DetectDocumentText", **SIGNED})
    with urllib.request.urlopen(request) as answer:
        length, first = int(answer.headers["Content-Length"]), answer.read(100)
        assert length == 100 + sum(iter(lambda: len(answer.read(1 << 20)), 0))
    assert length > 50 << 20
    assert first.startswith(b'{"DocumentMetadata":{"Pages":1}')
    assert simulator.control()["calls"]["DetectDocumentText"] == {
        "malformed:confidence_200": 1,
        "malformed:huge_answer": 1,
    }


# --- The settings


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"canned": True}, "no knob 'canned'"),
        ({"seed": -1}, "seed must be a number"),
        ({"latency": {"Analyse": 1}}, "latency has no 'Analyse'"),
        ({"latency": {"AnalyzeDocument": {"median": 3, "p95": 2}}}, "latency.AnalyzeDocument.p95"),
        ({"quotas": {"AnalyzeDocument": 0}}, "quotas.AnalyzeDocument"),
        ({"region": "Europe"}, "is no region"),
        ({"faults": [{"fault": "Boom"}]}, "faults[0].fault cannot be 'Boom'"),
        ({"faults": [{"fault": "truncated", "calls": [0]}]}, "faults[0].calls"),
        ({"faults": {}}, "faults must be a list"),
        ({"outcomes": [{"outcome": "DONE"}]}, "outcomes[0].outcome"),
        ({"answers": {"kinds": {"invoice": 0, "receipt": 0, "form": 0}}}, "answers.kinds"),
        ({"noise": {"rotation": 45}}, "noise.rotation"),
        ({"notices": {"drop": 2}}, "notices.drop"),
        ({"durable": False}, "durable is settled"),
        ({"reset": 1}, "reset takes true"),
    ],
)
def test_settings_that_cannot_be_are_refused_and_change_nothing(
    simulator: Endpoint, knobs: dict[str, Any], said: str
) -> None:
    before = simulator.control()["knobs"]
    status, answer = simulator.http("/_control", json.dumps(knobs | {"identify_bytes": 7}).encode())
    assert (status, answer["__type"]) == (400, "InvalidParameterException")
    assert said in answer["message"]
    assert simulator.control()["knobs"] == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seed: [", "cannot be read as YAML"),
        ("- 1", "must hold a structure"),
        ("seed: 1\nspeed: 2", "no knob 'speed'"),
        (None, "cannot be read"),
    ],
)
def test_it_refuses_to_start_with_a_wrong_file(tmp_path: Path, text: str | None, said: str) -> None:
    config = tmp_path / "knobs.yaml"
    if text is not None:
        config.write_text(text)
    command = [sys.executable, "-m", "deploy.local.textract", "--port", "0", "--mode", "simulate"]
    command += ["--state", str(tmp_path / "state"), "--config", str(config)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_settings_of_a_file_hold_from_the_start(tmp_path: Path) -> None:
    config = tmp_path / "knobs.yaml"
    config.write_text(
        "seed: 3\nlatency: {DetectDocumentText: 0}\nfaults: [{fault: BadDocumentException, calls: [1]}]\n"
    )
    simulator = Endpoint(tmp_path, "--config", str(config), mode="simulate")
    try:
        assert refused(simulator)[0] == "BadDocumentException"
        detect(simulator)
        assert simulator.control()["knobs"]["seed"] == 3
    finally:
        assert simulator.stop() == 0


def test_every_setting_and_fault_is_described() -> None:
    described = (PROJECT / "docs" / "textract-endpoint.md").read_text()
    names = [*DEFAULTS, *WIRE_FAULTS, *VARIANTS]
    names += [name for value in DEFAULTS.values() if isinstance(value, dict) for name in value if name[0].islower()]
    assert [name for name in names if name not in described] == []
