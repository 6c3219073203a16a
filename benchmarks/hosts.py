"""Three worker hosts against one database, with the doorbells in SQS (moto's server) and in a real Redis: does the work spread, and
is anything lost when one host is cut off?

A host is a set of processes with a folder and a name of its own, as `python -m deploy.parts` and `python -m deploy.watchdog` start
them; it reaches the database, the broker and Textract (the simulator) over cables that can be cut, and the documents in a shared
folder. Pages of all three priorities are uploaded at a steady rate; in the middle of it one host is cut off without a word, its
leases run out, the others finish, and then it comes back with the answers it was waiting for.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import requests

from benchmarks import _load
from benchmarks._charts import Chart
from benchmarks.uploads import _Pages
from deploy.local import ports
from deploy.local.postgres import Postgres
from tests.faults.network import Cable
from tests.product import ROOT

HOSTS = 3
PRIORITIES = ("high", "normal", "low")
RATE = 12.0  # uploads a second; the quota is a little more
KNOBS: dict[str, Any] = {
    "seed": 20261121,
    "quotas": {**dict.fromkeys(_load.SYNCHRONOUS, 15.0), "StartDocumentAnalysis": 15.0, "GetDocumentAnalysis": 60.0},
    "latency": {name: {"median": 2.9, "p95": 5.0} for name in _load.SYNCHRONOUS},
    "durable": False,
}
LEASE_SECONDS = 15
READY_SECONDS = 120
REST_SECONDS = 180


def measure(*, quick: bool) -> dict[str, Any]:
    """Per broker: documents, how many were lost or paid twice, and each host's share of Textract's answers."""
    documents = 120 if quick else 480
    figures: dict[str, Any] = {"hosts": HOSTS, "documents": documents}
    ratios: dict[str, float] = {}
    for broker in ("sqs", "redis"):
        with tempfile.TemporaryDirectory(prefix="dtat-bench-") as folder:
            Path(folder).chmod(0o711)
            found = Installation(Path(folder), broker).prove(documents)
        figures |= {f"{broker}_{name}": value for name, value in found.items()}
        ratios[f"{broker}_to_upload_rate"] = round(found["per_minute"] / (RATE * 60), 2)
    return {"seed": KNOBS["seed"], "figures": figures, "ratios": ratios}


def chart(result: dict[str, Any]) -> Chart:
    """Each host's share of Textract's answers, before the cut and in all."""
    figures = result["figures"]
    return Chart(
        title="Three worker hosts, the third cut off in mid-run",
        unit="share of Textract's answers",
        labels=["SQS, before", "SQS, in all", "Redis, before", "Redis, in all"],
        series={
            f"host {number + 1}": [
                figures[f"{broker}_share_{when}"][number]
                for broker in ("sqs", "redis")
                for when in ("before_the_cut", "in_all")
            ]
            for number in range(HOSTS)
        },
        kind="bars",
    )


class Installation:
    """One database, one broker, one web server and three worker hosts, each reachable by cables of its own."""

    def __init__(self, folder: Path, broker: str) -> None:
        self.folder = folder
        self.broker = broker
        self.documents = folder / "documents"
        self.documents.mkdir(mode=0o700)
        self.cables: list[dict[str, Cable]] = []
        self.environment: dict[str, str] = {}

    def prove(self, documents: int) -> dict[str, Any]:
        with ExitStack() as stack:
            postgres = Postgres(self.folder)
            postgres.start()
            stack.callback(postgres.stop)
            self.urls = postgres.create("dtat")
            simulator = _load.Simulator(self.folder, store=self.documents, knobs=KNOBS)
            stack.callback(simulator.stop)
            broker_port = stack.enter_context(BROKERS[self.broker](self.folder))
            self.ports = {"database": postgres.port, "textract": _port(simulator.url), "broker": broker_port}
            self.environment = self._environment(self.ports, "web", self.folder / "web")
            self._manage("migrate", "--verbosity", "0")
            self._manage("load_samples", "--without-documents", "--credentials", str(self.folder / "who.json"))
            web = stack.enter_context(self._web())
            for number in range(HOSTS):
                stack.enter_context(self._host(f"host-{number}"))
            return self._run(web, simulator, documents)

    def _run(self, web: str, simulator: _load.Simulator, documents: int) -> dict[str, Any]:
        _until(lambda: self._beating() == HOSTS, READY_SECONDS, "all hosts beat")
        sender = Sender(web, json.loads((self.folder / "who.json").read_text())["api_key"], documents)
        begun = time.monotonic()
        sender.start()
        _until(lambda: self._at_rest() >= documents // 3, REST_SECONDS, "a third was read")
        before = [host["textract"].received for host in self.cables]
        self._cut(HOSTS - 1)
        cut_at, held = time.monotonic(), self._under_way()
        sender.join()
        _until(lambda: self._at_rest() >= len(sender.accepted), REST_SECONDS, "everything rests")
        seconds = time.monotonic() - begun
        time.sleep(max(0.0, LEASE_SECONDS + 10 - (time.monotonic() - cut_at)))
        self._mend(HOSTS - 1)
        _until(lambda: self._beating() == HOSTS, READY_SECONDS, "the host is back")
        time.sleep(10)
        received = [host["textract"].received for host in self.cables]
        return self._told(sender, simulator, seconds, before, received) | {"under_way_at_the_cut": held}

    def _told(
        self, sender: Sender, simulator: _load.Simulator, seconds: float, before: list[int], received: list[int]
    ) -> dict[str, Any]:
        report = simulator.report()
        read = self._number("SELECT count(*) FROM ocr_document WHERE status IN ('approved', 'needs_review')")
        # Synchronous calls have no token: sent once, and when the answer is lost a person decides whether to pay again.
        held = self._number(
            "SELECT count(*) FROM ocr_document WHERE status = 'failed' AND error_code = 'charge_uncertain'"
        )
        uncertain = self._number("SELECT count(*) FROM ocr_extraction WHERE charge_uncertain")
        found = json.loads(self._manage("verify", "--json", "--textract-control", f"{simulator.url}/_control"))
        return {
            "accepted": len(sender.accepted),
            "refused": sender.refused,
            "read": read,
            "held_as_uncertain": held,
            "lost": len(sender.accepted) - read - held,
            "seconds": round(seconds, 1),
            "per_minute": round(len(sender.accepted) / seconds * 60),
            "share_before_the_cut": [round(each / max(1, sum(before)), 2) for each in before],
            "share_in_all": [round(each / sum(received), 2) for each in received],
            "pages_billed": report["billed"]["pages"],
            "charge_uncertain": uncertain,
            "paid_twice_beyond_the_uncertain": max(0, report["billed"]["pages"] - len(sender.accepted) - uncertain),
            "throttles": report.get("throttles"),
            "verify_broken": found["broken"],
        }

    # --- processes ------------------------------------------------------------------------------------------------

    def _environment(self, ports: dict[str, int], name: str, home: Path) -> dict[str, str]:
        home.mkdir(mode=0o700, exist_ok=True)
        (home / "documents").symlink_to(self.documents)
        if not self.environment:
            self.secrets = {name: secrets.token_urlsafe(48) for name in ("DTAT_SECRET_KEY", "DTAT_JWT_KEY")}
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("DTAT_", "AWS_", "DATABASE_"))}

        def by_cable(url: str) -> str:
            return url.replace(f":{self.ports['database']}/", f":{ports['database']}/")

        return kept | self.secrets | {
            "DTAT_ENVIRONMENT": "embedded",
            "DTAT_HOME": str(home),
            "DTAT_HOST_NAME": name,
            "DTAT_LEASE_SECONDS": str(LEASE_SECONDS),
            "DTAT_TEXTRACT_READ_SECONDS": str(LEASE_SECONDS - 5),
            "DTAT_TEXTRACT_TPS": "15",
            "DTAT_DISK_FLOOR_MIB": "100",
            "DTAT_BROKER": self.broker,
            "DTAT_REDIS_URL": f"redis://127.0.0.1:{ports['broker']}/0",
            "DATABASE_URL": by_cable(self.urls["app"]),
            "DATABASE_OWNER_URL": by_cable(self.urls["owner"]),
            "AWS_ENDPOINT_URL_TEXTRACT": f"http://127.0.0.1:{ports['textract']}",
            "AWS_ENDPOINT_URL_SQS": f"http://127.0.0.1:{ports['broker']}",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip

    @contextmanager
    def _web(self) -> Iterator[str]:
        port = ports.free()
        env = self.environment | {"DTAT_PORT": str(port)}
        with _running(
            ["-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "dtat_site.wsgi"], env, self.folder / "web.log"
        ):
            url = f"http://127.0.0.1:{port}"
            _until(lambda: _answers(f"{url}/healthz"), READY_SECONDS, "the web server answers")
            yield url

    @contextmanager
    def _host(self, name: str) -> Iterator[None]:
        cables = {what: Cable(port) for what, port in self.ports.items()}
        self.cables.append(cables)
        env = self._environment({what: cable.port for what, cable in cables.items()}, name, self.folder / name)
        try:
            with (
                _running(["-m", "deploy.parts"], env, self.folder / f"{name}.log"),
                _running(["-m", "deploy.watchdog"], env, self.folder / f"{name}.watchdog.log"),
            ):
                yield
        finally:
            for cable in cables.values():
                cable.close()

    def _cut(self, host: int) -> None:
        for cable in self.cables[host].values():
            cable.cut()

    def _mend(self, host: int) -> None:
        for cable in self.cables[host].values():
            cable.mend()

    def _manage(self, *words: str) -> str:
        command = [sys.executable, "manage.py", *words]
        ran = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        if not ran.stdout and ran.returncode:
            raise RuntimeError(f"{words[0]} failed: {ran.stderr[-2000:]}")
        return ran.stdout

    # --- what stands in the database ------------------------------------------------------------------------------

    def _asked(self, question: str) -> list[Any]:
        with closing(psycopg2.connect(self.urls["superuser"])) as connection, connection.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetchall()

    def _number(self, question: str) -> int:
        return int(self._asked(question)[0][0])

    def _at_rest(self) -> int:
        return self._number("SELECT count(*) FROM ocr_document WHERE status NOT IN ('received', 'reading')")

    def _under_way(self) -> int:
        return self._number("SELECT count(*) FROM ocr_document WHERE lease_until > now()")

    def _beating(self) -> int:
        """How many hosts have every lane's reader at work."""
        return self._number(
            "SELECT count(*) FROM (SELECT split_part(name, '@', 2) FROM ocr_beat "
            "WHERE name LIKE 'reader.%' AND at > now() - interval '8 s' GROUP BY 1 HAVING count(*) = 3) hosts"
        )


class Sender(threading.Thread):
    """Uploads at a steady rate, each page another one, the priorities in turn."""

    def __init__(self, url: str, key: str, documents: int) -> None:
        super().__init__(daemon=True)
        self.url = f"{url}/api/v1/documents/"
        self.headers = {"Authorization": f"Api-Key {key}"}
        self.documents = documents
        self.accepted: list[str] = []
        self.refused = 0

    def run(self) -> None:
        pages, begun = _Pages(), time.monotonic()
        with requests.Session() as session:
            for number in range(self.documents):
                time.sleep(max(0.0, begun + number / RATE - time.monotonic()))
                name, content = f"{number}.png", pages.next()
                fields = {"priority": PRIORITIES[number % len(PRIORITIES)]}
                answer = session.post(
                    self.url, headers=self.headers, files={"file": (name, content)}, data=fields, timeout=60
                )
                if answer.status_code == 202:
                    self.accepted.append(answer.json()["id"])
                else:
                    self.refused += 1


@contextmanager
def _sqs(folder: Path) -> Iterator[int]:
    port = ports.free()
    with _running(["-m", "moto.server", "-p", str(port)], dict(os.environ), folder / "sqs.log"):
        _until(lambda: _answers(f"http://127.0.0.1:{port}/moto-api/"), READY_SECONDS, "SQS answers")
        yield port


@contextmanager
def _redis(folder: Path) -> Iterator[int]:
    program = shutil.which("redis-server")
    if program is None:
        raise RuntimeError("redis-server is not installed: apt install redis-server")
    port = ports.free()
    with (folder / "redis.log").open("wb") as log:
        server = subprocess.Popen(
            [program, "--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(folder)], stdout=log
        )
    try:
        _until(lambda: _listens(port), READY_SECONDS, "Redis answers")
        yield port
    finally:
        server.terminate()
        server.wait(10)


BROKERS = {"sqs": _sqs, "redis": _redis}


@contextmanager
def _running(command: list[str], env: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=env, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _until(true: Any, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return
        time.sleep(0.3)
    raise RuntimeError(f"not within {seconds:.0f} s: {what}")


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=3).status_code == 200
    except requests.RequestException:
        return False


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _port(url: str) -> int:
    return int(url.rpartition(":")[2].strip("/"))
