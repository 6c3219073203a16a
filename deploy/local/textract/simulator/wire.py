"""HTTP/1.1 as far as AWS's clients speak it, by hand: the simulator shares its processor with what it measures."""

import asyncio
import contextlib
import ipaddress
import json
import logging
import re
import signal
import socket
import struct
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from deploy.local.textract import inputs
from deploy.local.textract.protocol import AUTHORIZATION, MAX_BODY_BYTES, TARGET_PREFIX
from deploy.local.textract.refusals import Refusal, invalid, too_large
from deploy.local.textract.simulator.operations import Simulator
from deploy.local.textract.simulator.replies import Reply, refused, said

HEAD_BYTES = 64 << 10
STREAM_BYTES = 1 << 18
IDLE_SECONDS = 75.0
log = logging.getLogger(__name__)

_RESET = struct.pack("ii", 1, 0)


class Connection(asyncio.BufferedProtocol):
    """One caller: a request at a time, each answered when its delay is over."""

    def __init__(self, server: "Server") -> None:
        self._server = server
        self._head = bytearray(HEAD_BYTES)
        self._have = 0
        self._body: bytearray | None = None
        self._skip = 0
        self._filled = 0
        self._headers: Mapping[bytes, bytes] = {}
        self._line: list[bytes] = []
        self._busy = False
        self._closing = False
        self._resume: Callable[[], None] | None = None
        self._paused = False
        self._transport: asyncio.Transport

    # --- Reading

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        plug: socket.socket = transport.get_extra_info("socket")
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)

    def get_buffer(self, sizehint: int) -> memoryview:
        if self._body is not None:
            return memoryview(self._body)[self._filled :]
        return memoryview(self._head)[self._have :]

    def buffer_updated(self, nbytes: int) -> None:
        if self._body is None:
            self._have += nbytes
            if not self._busy:
                self._read_head()
        else:
            self._filled += nbytes
            self._read_on()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True

    def _read_head(self) -> None:
        end = self._head.find(b"\r\n\r\n", 0, self._have)
        if end < 0:
            if self._have == HEAD_BYTES:
                self._transport.close()
            return
        first, *lines = bytes(self._head[:end]).split(b"\r\n")
        self._line = first.split(b" ")
        named = (line.partition(b":") for line in lines)
        self._headers = {name.lower(): value.strip() for name, _, value in named}
        rest = bytes(self._head[end + 4 : self._have])
        self._have = 0
        self._expect(rest)

    def _expect(self, rest: bytes) -> None:
        """Makes room for the body, whose first bytes came with the head."""
        said_length = self._headers.get(b"content-length", b"0")
        if not said_length.isdigit() or b"transfer-encoding" in self._headers:
            self._closing = True
            return self._reply(refused(Refusal("SerializationException", "Send the body with a Content-Length.")))
        length = int(said_length)
        if self._headers.get(b"expect", b"").lower() == b"100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        too_long = length > MAX_BODY_BYTES
        self._skip = length if too_long else 0
        self._body = bytearray(min(length, STREAM_BYTES) if too_long else length)
        self._filled = min(len(rest), len(self._body))
        self._body[: self._filled] = rest[: self._filled]
        if len(rest) > self._filled:  # the next request came along with this one
            self._head[: len(rest) - self._filled] = rest[self._filled :]
            self._have = len(rest) - self._filled
        self._read_on()

    def _read_on(self) -> None:
        assert self._body is not None
        if self._skip:
            # Read away what is too long, so that the caller gets to see the answer and not a broken connection.
            self._skip, self._filled = max(0, self._skip - self._filled), 0
            if self._skip:
                self._body = bytearray(min(self._skip, STREAM_BYTES))
                return
            self._body, self._closing = None, True
            return self._reply(refused(too_large("The request is over 16 MB. Store the document in a bucket.")))
        if self._filled < len(self._body):
            return
        body, self._body, self._filled, self._busy = self._body, None, 0, True
        self._server.handle(self, self._line, self._headers, body)

    # --- Answering

    def answer(self, reply: Reply, done: Callable[[bool], None]) -> None:
        """Sends the reply when its delay is over; `done` is told whether the caller was still there."""

        def send() -> None:
            gone = self._closing and self._transport.is_closing()
            done(not gone)
            if not gone:
                self._reply(reply)

        if reply.delay > 0:
            asyncio.get_running_loop().call_later(reply.delay, send)
        else:
            send()

    @property
    def peer(self) -> str:
        return str(self._transport.get_extra_info("peername")[0])

    def _reply(self, reply: Reply) -> None:
        if reply.reset:
            return self._abort()
        length = reply.length if reply.stream else len(reply.body)
        head = (
            f"HTTP/1.1 {reply.status} {'OK' if reply.status == 200 else 'No'}\r\nContent-Type: {reply.content_type}\r\n"
            f"Content-Length: {length}\r\nx-amzn-RequestId: {uuid.UUID(int=self._server.request_number())}\r\n"
            f"x-dtat-engine: simulated\r\n{'Connection: close' if self._closing else 'Connection: keep-alive'}\r\n\r\n"
        ).encode()
        if reply.stream:
            self._transport.write(head)
            self._pump(reply.stream)
        elif reply.seconds:
            self._transport.write(head)
            self._trickle(reply.body, reply.seconds, steps=20)
        elif reply.sent_bytes is not None:
            self._transport.write(head + reply.body[: reply.sent_bytes])
            self._transport.close()
        else:
            self._transport.write(head + reply.body)
            self._finished()

    def _finished(self) -> None:
        self._busy = False
        if self._closing:
            self._transport.close()
        elif self._have:
            self._read_head()

    def _abort(self) -> None:
        """Ends the connection as a crash does: with a reset, not an orderly close."""
        plug = self._transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    def _trickle(self, body: bytes, seconds: float, *, steps: int) -> None:
        size = len(body) // steps + 1
        parts = iter([body[at : at + size] for at in range(0, len(body), size)])
        loop = asyncio.get_running_loop()

        def step() -> None:
            part = next(parts, None)
            if part is None or self._transport.is_closing():
                self._finished()
                return
            self._transport.write(part)
            loop.call_later(seconds / steps, step)

        step()

    def _pump(self, parts: Iterator[bytes]) -> None:
        self._resume = None
        while not self._paused and not self._transport.is_closing():
            part = next(parts, None)
            if part is None:
                return self._finished()
            self._transport.write(part)
        self._resume = lambda: self._pump(parts)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        if self._resume:
            self._resume()


class Server:
    """Takes requests from connections to the simulator; `controlled` opens /_control to callers on this machine."""

    def __init__(self, simulator: Simulator, *, controlled: bool) -> None:
        self._simulator, self._controlled = simulator, controlled
        self._numbers = iter(range(uuid.uuid4().int & ~(2**40 - 1), 2**128))
        simulator.begin(asyncio.get_running_loop().call_later)

    def request_number(self) -> int:
        """A number for the next request id."""
        return next(self._numbers)

    def handle(
        self, connection: Connection, line: list[bytes], headers: Mapping[bytes, bytes], body: bytearray
    ) -> None:
        """Answers one request."""
        if line[1:2] == [b"/"] and line[0] == b"POST":
            return self._call(connection, headers, body)
        try:
            reply = self._side_door(connection, line, headers, body)
        except Refusal as refusal:
            reply = refused(refusal)
        connection.answer(reply, lambda _there: None)

    def _call(self, connection: Connection, headers: Mapping[bytes, bytes], body: bytearray) -> None:
        try:
            operation = self._operation(headers)
        except Refusal as refusal:
            return connection.answer(refused(refusal), lambda _there: None)
        books, arrived = self._simulator.books, asyncio.get_running_loop().time()
        books.arrived()
        try:
            check_signed(headers)
            reply = self._simulator.answer(operation, body)
        except Refusal as refusal:
            reply = refused(refusal)
        except Exception:
            log.exception("%s failed", operation)
            reply = refused(Refusal("InternalServerError", "The endpoint failed. See its log."))

        def answered(there: bool) -> None:  # noqa: FBT001  a callback of one fact
            outcome = reply.outcome if there else "caller_left"
            seconds = asyncio.get_running_loop().time() - arrived
            books.answered(operation, outcome, name=reply.name, seconds=seconds)

        connection.answer(reply, answered)

    def _operation(self, headers: Mapping[bytes, bytes]) -> str:
        if b"cbor" in headers.get(b"content-type", b"") or b"cbor" in headers.get(b"smithy-protocol", b""):
            raise _no_cbor()
        target = headers.get(b"x-amz-target", b"").decode("latin-1")
        operation = target.removeprefix(TARGET_PREFIX)
        if not target.startswith(TARGET_PREFIX) or operation not in self._simulator.operations:
            offered = ", ".join(sorted(self._simulator.operations))
            raise Refusal("UnknownOperationException", f"There is no operation {target!r} here. There are: {offered}.")
        return operation

    def _side_door(
        self, connection: Connection, line: list[bytes], headers: Mapping[bytes, bytes], body: bytearray
    ) -> Reply:
        path, _, query = (line[1] if len(line) > 1 else b"").partition(b"?")
        if path.startswith(b"/service/"):
            raise _no_cbor()
        if path == b"/healthz":
            return said({"status": "ok", "engine": self._simulator.version})
        if path == b"/metrics":
            return Reply(200, self._simulator.metrics().encode(), "ok", content_type="text/plain; version=0.0.4")
        if path != b"/_control":
            raise Refusal("UnknownOperationException", "Send POST / with an X-Amz-Target header.")
        if not self._controlled:
            raise Refusal("UnknownOperationException", "/_control is off. Start the endpoint with --control.")
        if not ipaddress.ip_address(connection.peer).is_loopback:
            raise Refusal("AccessDeniedException", "/_control is for callers on this machine only.")
        if line[0] == b"POST":
            self._control(inputs.read_json(bytes(body)))
        found = self._simulator.report()
        only = re.fullmatch(rb"only=([a-z_,]+)", query)
        if only:
            found = {name: found[name] for name in only[1].decode().split(",") if name in found}
        return Reply(200, json.dumps(found).encode(), "ok")

    def _control(self, wanted: dict[str, Any]) -> None:
        reset, finish = wanted.pop("reset", False), wanted.pop("finish", "")
        if not isinstance(reset, bool) or not isinstance(finish, str):
            raise invalid("reset takes true; finish takes a glob for the keys of jobs that are to end now.")
        self._simulator.turn(wanted)
        if reset:
            self._simulator.reset()
        if finish:
            self._simulator.finish(finish)


def check_signed(headers: Mapping[bytes, bytes]) -> None:
    """Raises Refusal unless the request bears something in the form of an AWS signature."""
    given = headers.get(b"authorization")
    if given is None:
        raise Refusal("MissingAuthenticationTokenException", "Sign the request (any access key will do here).")
    if not AUTHORIZATION.fullmatch(given.decode("latin-1")):
        raise Refusal("IncompleteSignatureException", "Authorization is no SigV4 signature for the service textract.")


def _no_cbor() -> Refusal:
    return Refusal(
        "UnsupportedProtocolException",
        "CBOR is not spoken here. Set the client to AWS JSON 1.1 (X-Amz-Target header, JSON body).",
    )


async def serve(simulator: Simulator, host: str, port: int, *, controlled: bool) -> None:
    """Serves until SIGTERM or SIGINT, after printing the address as one line of JSON."""
    loop = asyncio.get_running_loop()
    server = Server(simulator, controlled=controlled)
    listening = await loop.create_server(lambda: Connection(server), host, port, backlog=1024)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    address = listening.sockets[0].getsockname()
    sys.stdout.write(json.dumps({"url": f"http://{address[0]}:{address[1]}"}) + "\n")
    sys.stdout.flush()
    await ended.wait()
    listening.close()
