"""HTTP as AWS speaks it: JSON 1.1 with the operation in a header."""

import ipaddress
import json
import logging
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from deploy.local.textract import inputs
from deploy.local.textract.operations import Textract
from deploy.local.textract.protocol import AUTHORIZATION, CONTENT_TYPE, MAX_BODY_BYTES, TARGET_PREFIX, THROTTLES
from deploy.local.textract.readings import MODEL_VERSION
from deploy.local.textract.refusals import Refusal, invalid, too_large

MAX_DISCARDED_BYTES = 64 << 20
KNOBS = {"latency_seconds": 24 * 3600.0}

log = logging.getLogger(__name__)


class Server(ThreadingHTTPServer):
    """Listens for Textract's protocol; `controlled` opens /_control to callers on this machine."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], service: Textract, *, controlled: bool) -> None:
        super().__init__(address, _Handler)
        self.service, self.controlled = service, controlled

    @property
    def url(self) -> str:
        """The address to set AWS_ENDPOINT_URL_TEXTRACT to."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "dtat-textract"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    timeout = 75

    def do_GET(self) -> None:
        self._respond(self._get)

    def do_POST(self) -> None:
        self._respond(self._post)

    def log_message(self, format: str, *args: Any) -> None:
        log.info(format, *args)

    def _respond(self, act: Any) -> None:
        self.request_id = str(uuid.uuid4())
        try:
            status, answer = act()
        except Refusal as refusal:
            status, answer = refusal.http_status, {"__type": refusal.code, "message": refusal.message}
        except Exception:
            log.exception("request %s failed", self.request_id)
            status = 500
            answer = {"__type": "InternalServerError", "message": "The endpoint failed. See its log."}
        self._send(status, answer)

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-RequestId", self.request_id)
        self.send_header("x-dtat-engine", "local")
        if self.close_connection:
            self.send_header("Connection", "close")
        try:
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()
        except ConnectionError:
            self.close_connection = True  # the caller gave up waiting; what was done is kept and billed all the same

    def _get(self) -> tuple[int, dict[str, Any]]:
        if self.path == "/healthz":
            return 200, {"status": "ok", "engine": MODEL_VERSION}
        if self.path == "/_control":
            self._check_controller()
            return 200, self._report()
        raise Refusal("UnknownOperationException", "Send POST / with an X-Amz-Target header.")

    def _post(self) -> tuple[int, dict[str, Any]]:
        body = self._body()
        if self.path == "/_control":
            self._check_controller()
            return 200, self._control(inputs.read_json(body))
        operation = self._operation()
        try:
            self._check_signed()
            answer = self.server.service.operations[operation](inputs.read_json(body), self.request_id)
        except Refusal as refusal:
            self.server.service.ledger.count(operation, refusal.code)
            raise
        self.server.service.ledger.count(operation, "ok")
        return 200, answer

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            self.close_connection = True
            raise Refusal("SerializationException", "Send the body with a Content-Length.")
        if int(length) > MAX_BODY_BYTES:
            self._discard(int(length))
            raise too_large("The request is over 16 MB. Store the document in a bucket and start an asynchronous job.")
        return self.rfile.read(int(length))

    def _discard(self, length: int) -> None:
        """Reads on for a while, so that the caller gets to see the answer and not a broken connection."""
        self.close_connection = True
        remaining = min(length, MAX_DISCARDED_BYTES)
        while remaining > 0 and (chunk := self.rfile.read(min(remaining, 1 << 16))):
            remaining -= len(chunk)

    def _operation(self) -> str:
        binary = "cbor" in self.headers.get("Content-Type", "") or "cbor" in self.headers.get("smithy-protocol", "")
        if binary or self.path.startswith("/service/"):
            raise Refusal(
                "UnsupportedProtocolException",
                "CBOR is not spoken here. Set the client to AWS JSON 1.1 (X-Amz-Target header, JSON body).",
            )
        target = self.headers.get("X-Amz-Target", "")
        operation = target.removeprefix(TARGET_PREFIX)
        if not target.startswith(TARGET_PREFIX) or operation not in self.server.service.operations:
            offered = ", ".join(self.server.service.operations)
            raise Refusal("UnknownOperationException", f"There is no operation {target!r} here. There are: {offered}.")
        return operation

    def _check_signed(self) -> None:
        given = self.headers.get("Authorization")
        if given is None:
            raise Refusal("MissingAuthenticationTokenException", "Sign the request (any access key will do here).")
        if not AUTHORIZATION.fullmatch(given):
            raise Refusal(
                "IncompleteSignatureException", "Authorization is no SigV4 signature for the service textract."
            )

    def _check_controller(self) -> None:
        if not self.server.controlled:
            raise Refusal("UnknownOperationException", "/_control is off. Start the endpoint with --control.")
        if not ipaddress.ip_address(self.client_address[0]).is_loopback:
            raise Refusal("AccessDeniedException", "/_control is for callers on this machine only.")

    def _report(self) -> dict[str, Any]:
        service = self.server.service
        report = service.ledger.report()
        throttles = sum(
            count
            for outcomes in report["calls"].values()
            for outcome, count in outcomes.items()
            if outcome in THROTTLES
        )
        knobs = {"latency_seconds": service.runner.knobs.latency_seconds}
        return report | {"throttles": throttles, "knobs": knobs, "readers": service.readers.pids()}

    def _control(self, wanted: dict[str, Any]) -> dict[str, Any]:
        reset = wanted.pop("reset", False)
        unknown = [name for name in wanted if name not in KNOBS]
        if unknown or not isinstance(reset, bool):
            raise invalid(
                f"{(unknown or ['reset'])[0]!r} cannot be set so. There are: reset (true), {', '.join(KNOBS)}."
            )
        for name, value in wanted.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= KNOBS[name]:
                raise invalid(f"{name} must be a number from 0 to {KNOBS[name]:.0f}.")
        if reset:
            self.server.service.ledger.reset_counters()
        self.server.service.runner.turn(**wanted)
        return self._report()
