"""What one accepted upload costs: POST /api/v1/documents/ with an API key, one page of 150 KB, half JPEG and half PNG.

Runs PostgreSQL and gunicorn as the one-machine start does, but no workers: what is measured is receiving alone. Processor time is
that of the processes themselves, from /proc: web (gunicorn), sandbox (its zygotes and their children) and postgres.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import secrets
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from deploy.local import ports
from deploy.local.postgres import Postgres
from tests.product import ROOT

PAGE_BYTES = 150_000
CONNECTIONS = 8
STEADY_RATE = 30  # uploads a second; about what 25 pages a second of quota can need
_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


def measure(*, quick: bool) -> dict[str, Any]:
    """Figures in milliseconds of processor time per upload, uploads a second from eight connections, and the time of an answer."""
    uploads, steady = (400, 150) if quick else (2400, 900)
    with tempfile.TemporaryDirectory(prefix="dtat-bench-") as folder, _server(Path(folder)) as server:
        pages = _Pages()
        _flood(server, pages, 60)
        used, seconds, _times = _measured(server, lambda: _flood(server, pages, uploads))
        _used, _seconds, times = _measured(server, lambda: _steadily(server, pages, steady))
    return {
        "figures": {
            "cpu_ms_per_upload": {name: round(spent / uploads, 2) for name, spent in used.items()},
            "cpu_ms_per_upload_in_all": round(sum(used.values()) / uploads, 2),
            "uploads_per_second": round(uploads / seconds, 1),
            "p50_ms": round(statistics.median(times), 1),
            "p95_ms": round(statistics.quantiles(times, n=20)[-1], 1),
            "uploads": uploads,
            "steady_rate": STEADY_RATE,
        }
    }


class _Server:
    """Where it listens, the key, and the processes whose time counts."""

    def __init__(self, port: int, key: str, web: int, postgres: int) -> None:
        self.port, self.key, self.web, self.postgres = port, key, web, postgres

    def used_ms(self) -> dict[str, float]:
        """Processor time so far of each group."""
        processes = _processes()
        workers = [pid for pid, found in processes.items() if found.parent == self.web]
        zygotes = [pid for pid, found in processes.items() if found.parent in workers]
        backends = [pid for pid, found in processes.items() if found.parent == self.postgres]
        inside = [pid for pid, found in processes.items() if found.parent in zygotes]
        return {
            "web": sum(processes[pid].own_ms for pid in [self.web, *workers]),
            "sandbox": sum(processes[pid].own_ms + processes[pid].ended_ms for pid in zygotes + inside),
            "postgres": processes[self.postgres].ended_ms
            + sum(processes[pid].own_ms for pid in [self.postgres, *backends]),
        }


class _Process:
    def __init__(self, fields: list[str]) -> None:
        self.parent = int(fields[1])
        self.own_ms = (int(fields[11]) + int(fields[12])) * _TICK_MS
        self.ended_ms = (int(fields[13]) + int(fields[14])) * _TICK_MS  # of children that were waited for


def _processes() -> dict[int, _Process]:
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            found[int(path.parent.name)] = _Process(path.read_text().rsplit(")", 1)[1].split())
        except OSError:
            continue
    return found


@contextmanager
def _server(folder: Path) -> Iterator[_Server]:
    folder.chmod(0o711)  # the database's own user has to pass through when we are root
    postgres = Postgres(folder)
    postgres.start()
    web = None
    try:
        urls = postgres.create("dtat")
        port = ports.free()
        env = _environment(folder / "home", port, urls["app"], urls["owner"])
        key = _prepared(env, folder / "home")
        with (folder / "web.log").open("wb") as log:
            command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "dtat_site.wsgi"]
            web = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)
        _until_it_answers(port)
        assert postgres.process
        yield _Server(port, key, web.pid, postgres.process.pid)
    finally:
        if web:
            web.send_signal(signal.SIGTERM)
            web.wait(40)
        postgres.stop()


def _environment(home: Path, port: int, app: str, owner: str) -> dict[str, str]:
    home.mkdir(mode=0o700)
    for name in ("uploads", "documents"):
        (home / name).mkdir(mode=0o700)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DTAT_", "AWS_", "DATABASE_"))}
    return kept | {
        "DTAT_ENVIRONMENT": "embedded",
        "DTAT_HOME": str(home),
        "DTAT_PORT": str(port),
        "DTAT_SECRET_KEY": secrets.token_urlsafe(48),
        "DTAT_JWT_KEY": secrets.token_urlsafe(48),
        "DATABASE_URL": app,
        "DATABASE_OWNER_URL": owner,
        "DJANGO_SETTINGS_MODULE": "dtat_site.settings",
        "PYTHONPATH": str(ROOT),
        "AWS_ENDPOINT_URL_TEXTRACT": "http://127.0.0.1:9",
    }


def _prepared(env: dict[str, str], home: Path) -> str:
    """The API key of the demo's first tenant."""
    for command in (["migrate"], ["collectstatic", "--noinput"], ["load_samples", "--without-documents"]):
        subprocess.run([sys.executable, "manage.py", *command, "--verbosity", "0"], cwd=ROOT, env=env, check=True)
    key: str = json.loads((home / "credentials.json").read_text())["api_key"]
    return key


def _until_it_answers(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise RuntimeError("the web server did not answer within a minute")


def _measured(server: _Server, work: Any) -> tuple[dict[str, float], float, list[float]]:
    before, begun = server.used_ms(), time.monotonic()
    times: list[float] = work()
    seconds = time.monotonic() - begun
    after = server.used_ms()
    return {name: after[name] - before[name] for name in after}, seconds, times


# --- The sender -----------------------------------------------------------------------------------------------------------


def _flood(server: _Server, pages: _Pages, uploads: int) -> list[float]:
    """As fast as eight connections get their answers; how long each took, in milliseconds."""
    left = iter(range(uploads))
    taking = threading.Lock()

    def send(_number: int) -> list[float]:
        sender = _Sender(server)
        times: list[float] = []
        while True:
            with taking:
                if next(left, None) is None:
                    return times
            times.append(sender.send(pages.next()))

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return [took for times in pool.map(send, range(CONNECTIONS)) for took in times]


def _steadily(server: _Server, pages: _Pages, uploads: int) -> list[float]:
    """At STEADY_RATE, whether answers came or not; measured from when each should have been sent."""
    begun = time.monotonic()
    turns = count()
    taking = threading.Lock()

    def send(_number: int) -> list[float]:
        sender = _Sender(server)
        times: list[float] = []
        while True:
            with taking:
                turn = next(turns)
            if turn >= uploads:
                return times
            due, page = begun + turn / STEADY_RATE, pages.next()
            time.sleep(max(0.0, due - time.monotonic()))
            sender.send(page)
            times.append((time.monotonic() - due) * 1000)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return [took for times in pool.map(send, range(CONNECTIONS)) for took in times]


class _Sender:
    """One connection that stays open."""

    def __init__(self, server: _Server) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.headers = {
            "Authorization": f"Api-Key {server.key}",
            "Content-Type": "multipart/form-data; boundary=page",
        }

    def send(self, page: bytes) -> float:
        begun = time.monotonic()
        self.connection.request("POST", "/api/v1/documents/", _BEFORE + page + _AFTER, self.headers)
        answer = self.connection.getresponse()
        told = answer.read()
        if answer.status != 202:
            raise RuntimeError(f"an upload was answered {answer.status}: {told[:300]!r}")
        return (time.monotonic() - begun) * 1000


_BEFORE = (
    b'--page\r\nContent-Disposition: form-data; name="document_type"\r\n\r\ninvoice\r\n'
    b'--page\r\nContent-Disposition: form-data; name="file"; filename="page"\r\nContent-Type: image/jpeg\r\n\r\n'
)
_AFTER = b"\r\n--page--\r\n"


# --- The pages ------------------------------------------------------------------------------------------------------------


class _Pages:
    """JPEG and PNG in turn; every one differs from all others by a comment in it."""

    def __init__(self) -> None:
        self.jpeg = _encoded("JPEG", quality=60)
        self.png = _encoded("PNG")
        self.numbers = count()

    def next(self) -> bytes:
        number = next(self.numbers)
        mark = f"{number:016d}".encode()
        if number % 2:
            return self.jpeg[:2] + b"\xff\xfe" + struct.pack(">H", len(mark) + 2) + mark + self.jpeg[2:]
        chunk = b"tEXt" + b"Comment\x00" + mark
        chunk = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        return self.png[:33] + chunk + self.png[33:]


def _encoded(kind: str, **options: Any) -> bytes:
    """A page with as much of a stamp on it as makes PAGE_BYTES."""
    for side in range(0, 900, 20):
        stream = io.BytesIO()
        _drawn(side).save(stream, kind, **options)
        if stream.tell() >= PAGE_BYTES:
            return stream.getvalue()
    raise RuntimeError("no page of this size can be drawn")


def _drawn(stamp: int) -> Image.Image:
    page = Image.new("L", (1240, 1754), 255)
    draw = ImageDraw.Draw(page)
    for line in range(30):
        words = f"{line:03d} description of an article, quantity {line * 7 % 13}, amount {line * 137.25:.2f}"
        draw.text((90, 40 + line * 27), words, fill=20, font_size=20)
    if stamp:
        page.paste(Image.effect_noise((stamp, stamp), 60), (200, 880 - 10))
    return page.convert("RGB")
