"""Completion notices: what they say, where they go, and late, twice, never, out of order."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.textract_endpoint.running import Endpoint

TOPIC = "arn:aws:sns:us-east-1:123456789012:AmazonTextractDone"
CHANNEL = {"SNSTopicArn": TOPIC, "RoleArn": "arn:aws:iam::123456789012:role/textract"}


class Receiver(ThreadingHTTPServer):
    """Keeps what is posted to it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Post)
        self.got: list[dict[str, Any]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/notices"

    def keys(self) -> list[str]:
        return [json.loads(each["Message"])["DocumentLocation"]["S3ObjectName"] for each in self.got]


class _Post(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def start(simulator: Endpoint, name: str = "a.pdf", **more: Any) -> str:
    job_id: str = simulator.client.start_document_analysis(
        DocumentLocation={"S3Object": {"Bucket": "elsewhere", "Name": name}},
        FeatureTypes=["FORMS"],
        NotificationChannel=CHANNEL,
        **more,
    )["JobId"]
    return job_id


def counted(simulator: Endpoint, **least: int) -> dict[str, int]:
    """The counts of notices once they are as many as that."""
    report = simulator.wait_for(
        simulator.control, lambda report: all(report["notices"].get(name, 0) >= n for name, n in least.items())
    )
    notices: dict[str, int] = report["notices"]
    return notices


def test_a_notice_says_which_job_ended_how(simulator: Endpoint, receiver: Receiver) -> None:
    simulator.control(notices={"url": receiver.url})
    job_id = start(simulator, JobTag="batch-7")
    counted(simulator, sent=1)
    (envelope,) = receiver.got
    assert (envelope["Type"], envelope["TopicArn"]) == ("Notification", TOPIC)
    message = json.loads(envelope["Message"])
    stamp = message.pop("Timestamp")
    assert isinstance(stamp, int) and stamp > 10**12
    assert message == {
        "JobId": job_id,
        "Status": "SUCCEEDED",
        "API": "StartDocumentAnalysis",
        "JobTag": "batch-7",
        "DocumentLocation": {"S3ObjectName": "a.pdf", "S3Bucket": "elsewhere"},
    }


def test_the_same_token_again_is_told_no_second_time(simulator: Endpoint, receiver: Receiver) -> None:
    simulator.control(notices={"url": receiver.url})
    first = start(simulator, ClientRequestToken="told-once")
    counted(simulator, sent=1)
    assert start(simulator, ClientRequestToken="told-once") == first
    start(simulator, "b.pdf")
    counted(simulator, sent=2)
    assert receiver.keys() == ["a.pdf", "b.pdf"]


def test_who_named_no_channel_is_not_told(simulator: Endpoint, receiver: Receiver) -> None:
    simulator.control(notices={"url": receiver.url})
    place = {"S3Object": {"Bucket": "elsewhere", "Name": "quiet.pdf"}}
    simulator.client.start_document_analysis(DocumentLocation=place, FeatureTypes=["FORMS"])
    start(simulator)
    counted(simulator, sent=1)
    assert receiver.keys() == ["a.pdf"]


def test_notices_are_dropped_doubled_and_written_otherwise(simulator: Endpoint, receiver: Receiver) -> None:
    simulator.control(notices={"url": receiver.url, "drop": 1})
    start(simulator)
    assert counted(simulator, dropped=1) == {"dropped": 1}
    simulator.control(notices={"drop": 0, "duplicate": 1, "duplicate_seconds": 0, "status_case": "mixed"})
    simulator.control(outcomes=[{"outcome": "FAILED"}])
    start(simulator)
    assert counted(simulator, sent=2)["doubled"] == 1
    assert [json.loads(each["Message"])["Status"] for each in receiver.got] == ["Failed", "Failed"]
    assert receiver.got[0]["Message"] == receiver.got[1]["Message"]


def test_a_late_notice_is_overtaken(simulator: Endpoint, receiver: Receiver) -> None:
    simulator.control(notices={"url": receiver.url, "reorder": 1, "reorder_seconds": 0.7})
    start(simulator, "first.pdf")
    simulator.wait_for(simulator.control, lambda report: report["jobs"]["SUCCEEDED"] == 1)
    simulator.control(notices={"reorder": 0})
    start(simulator, "second.pdf")
    counted(simulator, sent=2)
    assert receiver.keys() == ["second.pdf", "first.pdf"]


def test_a_receiver_that_is_not_there_is_counted_and_holds_up_nobody(simulator: Endpoint) -> None:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        simulator.control(notices={"url": f"http://127.0.0.1:{probe.getsockname()[1]}/"})
        start(simulator)
        assert counted(simulator, failed=1) == {"failed": 1}
    assert simulator.http("/healthz")[0] == 200


@pytest.mark.parametrize("wrong", ["arn:aws:sns:us-east-1:1234:Topic", "https://sns.example/topic-of-some-length"])
def test_a_channel_that_is_none_is_refused(simulator: Endpoint, wrong: str) -> None:
    place = {"S3Object": {"Bucket": "elsewhere", "Name": "a.pdf"}}
    with pytest.raises(simulator.client.exceptions.InvalidParameterException):
        simulator.client.start_document_text_detection(
            DocumentLocation=place, NotificationChannel={**CHANNEL, "SNSTopicArn": wrong}
        )


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def client(service: str, url: str) -> Any:
    make: Any = boto3.client
    return make(service, endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")


def received(sqs: Any, queue: str) -> dict[str, Any]:
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
    envelope: dict[str, Any] = json.loads(message["Body"])
    return envelope


def test_a_notice_goes_through_sns_to_a_queue_or_straight_there(simulator: Endpoint, aws: str) -> None:
    sns, sqs = client("sns", aws), client("sqs", aws)
    topic = sns.create_topic(Name="AmazonTextractDone")["TopicArn"]
    assert topic == TOPIC
    queue = sqs.create_queue(QueueName="textract-done")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    simulator.control(notices={"sns_endpoint": aws})
    job_id = start(simulator)
    assert json.loads(received(sqs, queue)["Message"])["JobId"] == job_id
    simulator.control(notices={"sns_endpoint": "", "queue_url": queue, "queue_endpoint": aws})
    job_id = start(simulator, "b.pdf")
    envelope = received(sqs, queue)
    assert (json.loads(envelope["Message"])["JobId"], envelope["TopicArn"]) == (job_id, TOPIC)


def test_results_go_to_an_s3_endpoint_when_no_folder_stands_for_the_bucket(simulator: Endpoint, aws: str) -> None:
    s3 = client("s3", aws)
    s3.create_bucket(Bucket="results")
    simulator.control(s3_endpoint=aws)
    job_id = start(simulator, OutputConfig={"S3Bucket": "results"})
    simulator.wait_for(simulator.control, lambda report: report["jobs"]["SUCCEEDED"] == 1)
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket="results")["Contents"]]
    assert keys == [f"textract_output/{job_id}/.s3_access_check", f"textract_output/{job_id}/1"]
    answer = json.load(s3.get_object(Bucket="results", Key=keys[1])["Body"])
    simulator.check(answer, "GetDocumentAnalysis")
