"""The real product in its own processes, as `make run` starts it, for tests that drive it from outside."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg2
import requests

from deploy.local import ports

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120
PREPARED_IN = "DTAT_TESTS_PREPARED_IN"  # the folder of one test run's prepared home; set by tests/conftest.py


class Product:
    """A running product: its address, credentials and processes."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self.port = ports.free()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = home.with_suffix(".out")
        # The test run's own settings (its database, its fake AWS) must not reach the product.
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("DTAT_", "AWS_", "DATABASE_"))
        }
        self.env = kept | {"DTAT_HOME": str(home), "DTAT_PORT": str(self.port), "DTAT_SAMPLES": "0", **settings}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        folder = os.environ.get(PREPARED_IN)
        if folder and not (self.home / "postgres").exists():
            copy_prepared(Path(folder), self.home)
        self.start_anew()

    def start_anew(self) -> None:
        """As an administrator starts it, from an empty folder too."""
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deploy.local"],
                cwd=ROOT,
                env=self.env,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if self.output.read_text().rstrip().endswith("Ctrl-C stops everything."):
                return
            time.sleep(0.2)
        logs = "".join(f"\n{log.name}: {log.read_text()[-1000:]}" for log in sorted((self.home / "logs").glob("*.log")))
        raise AssertionError(f"The product did not start: {self.output.read_text()[-1000:]}{logs}")

    def stop(self) -> None:
        """Ctrl-C, as a person does it."""
        assert self.process
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)

    @property
    def credentials(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.home / "credentials.json").read_text())
        return found

    def api(self, method: str, path: str, *, key: str = "", **arguments: Any) -> requests.Response:
        headers = {"Authorization": f"Api-Key {key or self.credentials['api_key']}", **arguments.pop("headers", {})}
        return requests.request(method, self.url + path, headers=headers, **{"timeout": 30, **arguments})

    def upload(self, name: str, content: bytes, **fields: str) -> str:
        """The new document's id."""
        answer = self.api("POST", "/api/v1/documents/", files={"file": (name, content)}, data=fields)
        assert answer.status_code == 202, answer.text
        document_id: str = answer.json()["id"]
        return document_id

    def wait_for(self, document_id: str, *, seconds: float = 60) -> dict[str, Any]:
        """The document once it rests; fails when it does not in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            document: dict[str, Any] = self.api("GET", f"/api/v1/documents/{document_id}/").json()
            if document["status"] not in {"received", "reading"}:
                return document
            time.sleep(0.3)
        raise AssertionError(f"{document_id} is still {document['status']} after {seconds} s")

    def verify(self) -> dict[str, Any]:
        """What `manage.py verify` finds, with the endpoint's bill compared."""
        ran = self.manage("verify", "--json", "--textract-control", self.credentials["textract"]["control_url"])
        assert ran.stdout, ran.stderr
        found: dict[str, Any] = json.loads(ran.stdout)
        return found

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One of the product's own commands, run as an administrator of this machine would."""
        who = self.credentials
        secrets = json.loads((self.home / "secrets.json").read_text())
        env = self.env | secrets | {
            "DATABASE_URL": who["database"]["app"],
            "DATABASE_OWNER_URL": who["database"]["owner"],
            "DTAT_ENVIRONMENT": "embedded",
            "AWS_ENDPOINT_URL_TEXTRACT": who["textract"]["url"],
        }  # fmt: skip
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    def books(self) -> dict[str, Any]:
        """The local endpoint's own count of calls and billed pages."""
        with urllib.request.urlopen(self.credentials["textract"]["control_url"], timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def children_of(self, name: str) -> list[int]:
        """The processes below the supervised one of this name, its own left out."""
        leader = self.leader_of(name)
        return [pid for pid in group(leader) if pid != leader]

    def leader_of(self, name: str) -> int:
        """The supervised process of this name."""
        leader: int = json.loads((self.home / "run.json").read_text())[name][0]
        return leader

    def processes(self) -> list[int]:
        """Every living process that this product started."""
        marker = f"DTAT_HOME={self.home}".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                environment, stat = path.read_bytes(), (path.parent / "stat").read_text()
                command = (path.parent / "cmdline").read_bytes()
            except OSError:
                continue
            alive = stat.rsplit(")", 1)[1].split()[0] != "Z"
            if alive and (marker in environment.split(b"\0") or str(self.home).encode() in command):
                found.append(int(path.parent.name))
        # PostgreSQL's processes write their titles where their environment stood: they are known by whom they were started.
        servers = {pid for pid in found if is_database(pid)}
        return [pid for pid in found + _children(servers) if pid != os.getpid()]


def copy_prepared(folder: Path, home: Path) -> None:
    """Fill `home` with what a first start leaves there: making a database and migrating it takes longer than most tests.

    It is made once for all processes of a test run, by whichever comes first.
    """
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        prepared = folder / "home"
        if not prepared.exists():
            _prepare(folder / "making").rename(prepared)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    # cp keeps the owners: the database's files belong to a user of its own when we are root.
    subprocess.run(["cp", "-a", f"{prepared}/.", str(home)], check=True)


def _prepare(home: Path) -> Path:
    product = Product(home)
    product.start_anew()
    try:
        with (
            closing(psycopg2.connect(product.credentials["database"]["superuser"])) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("DELETE FROM ocr_quota")  # presets that the settings of a test decide
    finally:
        product.stop()
    # Copies start side by side: each finds ports of its own.
    (home / "textract.port").unlink()
    passwords = json.loads((home / "postgres.json").read_text())
    (home / "postgres.json").write_text(json.dumps({**passwords, "port": 0}))
    return home


def group(leader: int) -> list[int]:
    """The living processes of a process group."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == leader and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def is_database(pid: int) -> bool:
    """Whether this is a process of PostgreSQL, or none any more."""
    try:
        return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True


def _children(parents: set[int]) -> list[int]:
    """The processes that these started and that are still there."""
    found = []
    for parent in parents:
        with suppress(OSError):
            found += [int(word) for word in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    return found
