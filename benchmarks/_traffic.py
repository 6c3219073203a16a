"""Senders who cost little beside what they measure, and word of every document that comes to rest.

Uploads go over HTTP, each another page of 150 KB, on connections that stay open. When a document rests, the product says so on the
database's channel `dtat_rest`, at commit: hearing that costs one connection, while asking for every document again and again would
be most of the load. What became of the documents is read from the REST list afterwards.
"""

from __future__ import annotations

import hashlib
import json
import re
import select
import socket
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2

from benchmarks.uploads import _Pages
from tests.product import Product

CONNECTIONS = 8
LOOK_SECONDS = 0.02  # how often a sender looks whether the backlog has room
REFUSED_SECONDS = 0.2  # how long a refused sender pauses
_HEAD = (
    "POST /api/v1/documents/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Api-Key {key}\r\n"
    "Content-Type: multipart/form-data; boundary=page\r\nContent-Length: {size}\r\n\r\n"
)
_BEFORE = (
    '--page\r\nContent-Disposition: form-data; name="priority"\r\n\r\n{priority}\r\n'
    '--page\r\nContent-Disposition: form-data; name="document_type"\r\n\r\ninvoice\r\n'
    '--page\r\nContent-Disposition: form-data; name="file"; filename="page"\r\nContent-Type: image/jpeg\r\n\r\n'
)
_AFTER = b"\r\n--page--\r\n"
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Upload:
    """An accepted document: when its request was due and when it was answered, on this process's monotonic clock."""

    due: float
    answered: float
    document_id: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Who:
    """Whose documents, and how urgent."""

    key: str
    priority: str = "normal"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the accepted documents, by the REST list: `strays` are listed but were never said to be accepted."""

    by_status: Counter[str]
    errors: Counter[str]  # of those that failed
    lost: int
    strays: int

    @property
    def failed(self) -> int:
        return self.by_status["failed"]


class Traffic:
    """Uploads to one product, and when their documents rested."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.who = Who(product.credentials["api_key"])
        self.uploads: list[Upload] = []
        self.refusals: Counter[int] = Counter()  # by HTTP status; 0 for a broken connection
        self.rests: dict[str, float] = {}  # document -> when word came that it rests
        self._keys = {self.who.key}  # of all whose documents were sent
        self._pages, self._taking = _Pages(), threading.Lock()
        self._ends = threading.Event()
        connection = psycopg2.connect(product.credentials["database"]["app"])
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("LISTEN dtat_rest")
        self._listener = threading.Thread(target=self._listen, args=(connection,), daemon=True)
        self._listener.start()

    def close(self) -> None:
        self._ends.set()
        self._listener.join(5)

    def backlog(self) -> int:
        """Accepted documents of which no word has come yet."""
        return len(self.uploads) - len(self.rests)

    @contextmanager
    def holding(self, most: int, who: Who | None = None) -> Iterator[None]:
        """While the block runs, a document is sent whenever fewer than `most` wait or are being read."""
        stop = threading.Event()

        def send(sender: Sender) -> bool:
            if self.backlog() >= most:
                time.sleep(LOOK_SECONDS)
            else:
                self.send(sender, who or self.who)
            return not stop.is_set()

        threads = self._senders(send)
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def flood(self, number: int, who: Who | None = None) -> None:
        """So many documents, as fast as they are accepted."""
        turns = iter(range(number))

        def send(sender: Sender) -> bool:
            if self._next(turns) is None:
                return False
            self.send(sender, who or self.who)
            return True

        for thread in self._senders(send):
            thread.join()

    def steadily(self, rate: float, seconds: float, who: Who | None = None) -> list[Upload]:
        """`rate` uploads a second, whether answers come or not; each counts from when it was due. Those accepted, as they were due."""
        begun, turns = time.monotonic(), iter(range(round(rate * seconds)))
        accepted: list[Upload] = []

        def send(sender: Sender) -> bool:
            turn = self._next(turns)
            if turn is None:
                return False
            due = begun + turn / rate
            time.sleep(max(0.0, due - time.monotonic()))
            if upload := self.send(sender, who or self.who, due):
                accepted.append(upload)
            return True

        for thread in self._senders(send):
            thread.join()
        return sorted(accepted, key=lambda upload: upload.due)

    def send(self, sender: Sender, who: Who, due: float | None = None) -> Upload | None:
        """One document more; None when it was refused, which slows the sender down."""
        with self._taking:
            page = self._pages.next()
            self._keys.add(who.key)
        due = time.monotonic() if due is None else due
        status, body = sender.post(page, who)
        if status != 202:
            self.refusals[status] += 1
            time.sleep(REFUSED_SECONDS)
            return None
        upload = Upload(due, time.monotonic(), json.loads(body)["id"], hashlib.sha256(page).hexdigest())
        self.uploads.append(upload)
        return upload

    def drain(self, seconds: float) -> bool:
        """Wait until everything rests; False when it does not within `seconds`."""
        deadline = time.monotonic() + seconds
        while self.backlog() > 0 and time.monotonic() < deadline:
            time.sleep(0.1)
        return self.backlog() <= 0

    def rested_within(self, begins: float, ends: float) -> int:
        return sum(begins <= at < ends for at in list(self.rests.values()))

    def books(self, report: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """What the simulator's report says of each document, by the document's id: it knows them by digest, or by key in the store."""
        ids = {upload.sha256: upload.document_id for upload in self.uploads}
        found = {}
        for name, about in report["by_document"].items():
            in_key = _ID.findall(name)  # the tenant's and the document's
            found[in_key[-1] if in_key else ids.get(name, name)] = about
        return found

    def outcome(self) -> Outcome:
        """What the REST list says of everything that was accepted for all who sent any."""
        listed = [(document_id, status, key) for key in self._keys for document_id, status in self._listed(key)]
        statuses = {document_id: status for document_id, status, _key in listed}
        accepted = {upload.document_id for upload in self.uploads}
        resting = Counter(status for document_id, status in statuses.items() if document_id in accepted)
        lost = len(accepted) - sum(resting.values()) + resting["received"] + resting["reading"]
        errors = Counter(
            self._error(each, key) for each, status, key in listed if each in accepted and status == "failed"
        )
        return Outcome(resting, errors, lost, len(statuses.keys() - accepted))

    def _error(self, document_id: str, key: str) -> str:
        answer = self.product.api("GET", f"/api/v1/documents/{document_id}/", key=key)
        answer.raise_for_status()
        return str(answer.json()["error"])

    def _listed(self, key: str) -> Iterator[tuple[str, str]]:
        path = "/api/v1/documents/?page_size=200"
        while path:
            answer = self.product.api("GET", path, key=key)
            answer.raise_for_status()
            found = answer.json()
            yield from ((each["id"], each["status"]) for each in found["results"])
            path = (found["next"] or "").removeprefix(self.product.url)

    def _listen(self, connection: psycopg2.extensions.connection) -> None:
        with closing(connection):
            while not self._ends.is_set():
                if select.select([connection], [], [], 0.2)[0]:
                    connection.poll()
                    now = time.monotonic()
                    for notice in connection.notifies:
                        self.rests.setdefault(notice.payload, now)
                    connection.notifies.clear()

    def _next(self, turns: Iterator[int]) -> int | None:
        with self._taking:
            return next(turns, None)

    def _senders(self, send: Callable[[Sender], bool]) -> Sequence[threading.Thread]:
        """Threads that each call `send` with a connection of its own until it says False."""

        def run() -> None:
            with closing(Sender(self.product.port)) as sender:
                while send(sender):
                    pass

        threads = [threading.Thread(target=run, daemon=True) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        return threads


class Sender:
    """One connection to the product. It stays open as long as the server lets it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def post(self, page: bytes, who: Who) -> tuple[int, bytes]:
        """Status and body of the answer; 0 for a connection that broke. Never sent twice."""
        before = _BEFORE.format(priority=who.priority).encode()
        head = _HEAD.format(key=who.key, size=len(before) + len(page) + len(_AFTER)).encode()
        try:
            connection = self._connected()
            connection.sendall(head + before)
            connection.sendall(page)
            connection.sendall(_AFTER)
            return self._answer(connection)
        except (OSError, ValueError):
            self.close()
            return 0, b""

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected(self) -> socket.socket:
        """The open connection, or a new one where there is none or the server has closed it meanwhile."""
        if self._socket is not None and select.select([self._socket], [], [], 0)[0]:
            self.close()
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=60)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def _answer(self, connection: socket.socket) -> tuple[int, bytes]:
        told = b""
        while b"\r\n\r\n" not in told:
            told += self._received(connection)
        head, _, body = told.partition(b"\r\n\r\n")
        names = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        while len(body) < int(names[b"content-length"]):
            body += self._received(connection)
        if names.get(b"connection") == b"close":
            self.close()
        return int(head.split(b" ", 2)[1]), body

    def _received(self, connection: socket.socket) -> bytes:
        found = connection.recv(65536)
        if not found:
            raise OSError("the server closed the connection")
        return found


def p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1] if len(values) > 1 else float("nan")
