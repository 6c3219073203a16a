"""The endpoint as a process of its own, and answers held against AWS's own model."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.validate import ParamValidator

PROJECT = Path(__file__).resolve().parents[2]
BUCKET = "papers"


class Endpoint:
    """A running endpoint with one bucket, `papers`."""

    def __init__(self, folder: Path, *options: str, mode: str = "ocr") -> None:
        self.state, self.bucket = folder / "state", folder / "bucket"
        self.bucket.mkdir(parents=True, exist_ok=True)
        self._options, self._mode = options, mode
        self._start()

    def _start(self) -> None:
        command = [sys.executable, "-m", "deploy.local.textract", "--port", "0", "--mode", self._mode, "--control"]
        command += ["--state", str(self.state), "--store", f"{BUCKET}={self.bucket}", *self._options]
        self.process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url: str = json.loads(self.process.stdout.readline())["url"]
        self.bodies: list[dict[str, Any]] = []
        self.client = self._client()

    def with_patience(self, seconds: float) -> Any:
        """A client that waits so long for an answer."""
        return self._client(read_timeout=seconds)

    def _client(self, *, read_timeout: float = 60) -> Any:
        client = boto3.client(
            "textract",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=Config(retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=read_timeout),
        )
        # boto3 drops members it does not know; what was really sent is seen here only.
        client.meta.events.register("before-parse.textract.*", self._keep)
        return client

    def _keep(self, response_dict: dict[str, Any], **_: Any) -> None:
        self.raw = response_dict["body"]
        with suppress(ValueError):  # some tests ask for answers that are no JSON
            self.bodies.append(json.loads(self.raw))

    def stop(self, *, at_once: bool = False) -> int:
        """Ends the process, by SIGKILL if `at_once`; its exit code."""
        if at_once:
            self.process.kill()
        else:
            self.process.terminate()
        code = self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def restart(self) -> None:
        """Starts again on the same state after `stop`."""
        self._start()

    def store(self, name: str, content: bytes) -> dict[str, Any]:
        """Puts an object in the bucket; the S3Object that names it."""
        (self.bucket / name).write_bytes(content)
        return {"Bucket": BUCKET, "Name": name}

    def control(self, **knobs: Any) -> dict[str, Any]:
        """The report; with knobs, after turning them."""
        status, report = self.http("/_control", json.dumps(knobs).encode() if knobs else None)
        assert status == 200, report
        return report

    def http(self, path: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, Any]]:
        """A plain request: status and JSON."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, data=body, headers=named)
        try:
            with urllib.request.urlopen(request) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def text(self, path: str) -> str:
        """The text at an address."""
        with urllib.request.urlopen(self.url + path) as response:
            found: bytes = response.read()
            return found.decode()

    def finished(self, job_id: str, **more: Any) -> dict[str, Any]:
        """The answer about an analysis job once it is no longer in progress."""
        answer: dict[str, Any] = self.wait_for(
            lambda: self.client.get_document_analysis(JobId=job_id, **more),
            lambda got: got["JobStatus"] != "IN_PROGRESS",
        )
        return answer

    @staticmethod
    def wait_for(ask: Callable[[], Any], enough: Callable[[Any], bool]) -> Any:
        """The first answer that is enough; fails after a minute."""
        deadline = time.monotonic() + 60
        while not enough(answer := ask()):
            assert time.monotonic() < deadline, answer
            time.sleep(0.05)
        return answer

    def check_last(self, operation: str) -> dict[str, Any]:
        """The last answer as it was sent, after holding it against botocore's model of the operation."""
        body = self.bodies[-1]
        self.check(body, operation)
        return body

    def check(self, body: dict[str, Any], operation: str) -> None:
        """Holds an answer against botocore's model of the operation."""
        shape = self.client.meta.service_model.operation_model(operation).output_shape
        report = ParamValidator().validate(body, shape)
        assert not report.has_errors(), report.generate_report()
        assert list(enum_errors(body, shape)) == []


def enum_errors(value: Any, shape: Any) -> Any:
    """Values that are not among those the model allows: botocore's validator does not look at enums."""
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from enum_errors(member, shape.members[name])
    elif shape.type_name == "list":
        for item in value:
            yield from enum_errors(item, shape.member)
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{value!r} is no {shape.name}"
