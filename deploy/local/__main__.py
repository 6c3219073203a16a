"""The whole product on one machine: database, local Textract endpoint, web, workers, and a watchdog over them.

`make run` calls this. It stays in the foreground; Ctrl-C stops everything and leaves no process behind.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg2

from deploy import groups, watchdog
from deploy.local import ports
from deploy.local.postgres import Postgres
from deploy.local.processes import Child
from deploy.local.watching import Watch, answers

ROOT = Path(__file__).resolve().parent.parent.parent
READY_SECONDS = 240
DRAIN_SECONDS = 45  # a reader that has to stop finishes the calls it holds, for at most 25 s


class Product:
    def __init__(self) -> None:
        self.home = Path(os.environ.get("DTAT_HOME") or ROOT / "var").resolve()
        self.host = os.environ.get("DTAT_HOST") or "127.0.0.1"
        self.port = int(os.environ.get("DTAT_PORT") or 8000)
        self.url = f"http://{_reachable(self.host)}:{self.port}"
        self.logs = self.home / "logs"
        self.env = dict(os.environ)
        self.postgres: Postgres | None = None
        self.children: list[Child] = []
        self.stopping = False

    # --- start ----------------------------------------------------------------------------------------------------

    def run(self) -> int:
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.logs.mkdir(exist_ok=True, mode=0o700)
        with (self.home / "run.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _say(f"The product already runs with {self.home}. Stop it first, or set DTAT_HOME to another folder.")
                return 1
            signal.signal(signal.SIGTERM, self._stop)
            signal.signal(signal.SIGINT, self._stop)
            try:
                self._start()
                while not self.stopping:
                    time.sleep(watchdog.LOOK_SECONDS)
                    self.watch.look()
                return 0
            except (RuntimeError, OSError) as error:
                _say(str(error))
                return 1
            finally:
                self._end()

    def _start(self) -> None:
        (self.home / "documents").mkdir(exist_ok=True, mode=0o700)
        groups.end_noted(self.home / "run.json")
        self._check_port()
        _sweep(self.home / "uploads")
        databases = self._database()
        self._environment()
        textract = self.children = self._textract()
        for child in textract:
            child.start()
        self._prepare()
        self._forget_beats()
        self.children = [*textract, self._parts()]
        self.watch = self._watch()
        for child in self.children:
            if child not in textract:
                child.start()
        self._remember()
        self._wait_until_ready()
        self._remember()
        self._demo(databases)

    def _check_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                raise RuntimeError(
                    f"Port {self.port} on {self.host} cannot be used ({error.strerror}). Set DTAT_PORT."
                ) from None

    def _database(self) -> dict[str, str]:
        """The embedded database, unless DATABASE_URL names another; its connection URLs."""
        if self.env.get("DATABASE_URL"):
            self.env.setdefault("DATABASE_OWNER_URL", self.env["DATABASE_URL"])
            (self.home / "prepared").unlink(missing_ok=True)  # only our own database is known to be as we left it
            return {}
        _say("Starting PostgreSQL …")
        self.postgres = Postgres(self.home)
        if self.postgres.is_new():
            (self.home / "prepared").unlink(missing_ok=True)
        self.postgres.start()
        urls = self.postgres.create("dtat")
        self.env |= {"DATABASE_URL": urls["app"], "DATABASE_OWNER_URL": urls["owner"]}
        return {"app": urls["app"], "owner": urls["owner"], "auditor": urls["auditor"], "superuser": urls["superuser"]}

    def _environment(self) -> None:
        hosts = {"127.0.0.1", "localhost", "[::1]", self.host, _reachable(self.host)} - {"0.0.0.0", "::"}
        self.env = _secrets(self.home / "secrets.json") | {
            "DTAT_ENVIRONMENT": "embedded",
            "DTAT_HOME": str(self.home),
            "DTAT_HOST": self.host,
            "DTAT_PORT": str(self.port),
            "DTAT_PUBLIC_URL": self.url,
            "DTAT_ALLOWED_HOSTS": ",".join(sorted(hosts)),
            "DJANGO_SETTINGS_MODULE": "dtat_site.settings",
            "PYTHONPATH": str(ROOT),
            # A hundred threads with a heap each would hold three times the memory that they use. And files and answers go back to
            # the system when they are done with, instead of leaving holes.
            "MALLOC_ARENA_MAX": "2",
            "MALLOC_MMAP_THRESHOLD_": "131072",
            "MALLOC_TRIM_THRESHOLD_": "4194304",
        } | self.env  # fmt: skip
        self.env["DTAT_HOME"] = str(self.home)

    def _textract(self) -> list[Child]:
        """The local endpoint, unless AWS credentials or another endpoint are given."""
        names = ("AWS_ENDPOINT_URL_TEXTRACT", "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_ROLE_ARN")
        if any(self.env.get(name) for name in names):
            return []
        port = _free_port(self.home / "textract.port")
        self.env |= {
            "AWS_ENDPOINT_URL_TEXTRACT": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        # It reads as many pages at a time as there are cores: a job waits in its line, a synchronous call would be given up.
        self.env.setdefault("DTAT_SYNCHRONOUS", "0")
        store = f"{self.env.get('DTAT_BUCKET', 'local')}={self.home / 'documents'}"
        command = ["-m", "deploy.local.textract", "--port", str(port), "--mode", "ocr", "--state", str(self.home / "textract"),
                   "--store", store, "--control"]  # fmt: skip
        return [self._child("textract", command, stop_seconds=5)]

    def _prepare(self) -> None:
        """Migrate and collect static files, unless nothing that they depend on has changed since the last time."""
        stamp, now = self.home / "prepared", self._ingredients()
        if stamp.exists() and stamp.read_text(encoding="ascii") == now:
            return
        _say("Preparing the database and the static files …")
        static = subprocess.Popen(
            self._manage("collectstatic", "--noinput", "--verbosity", "0"), cwd=ROOT, env=self.env
        )
        migrated = subprocess.run(self._manage("migrate", "--verbosity", "0"), cwd=ROOT, env=self.env, check=False)
        if static.wait() or migrated.returncode:
            raise RuntimeError("The database or the static files could not be prepared; the message above says why.")
        stamp.write_text(now, encoding="ascii")

    def _ingredients(self) -> str:
        """A hash of the database's address and of every file that migrating or collecting reads."""
        patterns = (
            "*/migrations/*.py",
            "static/**/*",
            "ocr/document_types/*",
            "requirements*.txt",
            "dtat_site/settings.py",
        )
        files = sorted(path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file())
        digest = hashlib.sha256(self.env["DATABASE_URL"].rpartition("@")[2].rpartition("/")[2].encode())
        for path in files:
            digest.update(f"{path.relative_to(ROOT)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
        return digest.hexdigest()

    def _forget_beats(self) -> None:
        """Signs of life of an earlier start say nothing about this one."""
        with (
            closing(psycopg2.connect(self.env["DATABASE_URL"])) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("DELETE FROM ocr_beat WHERE name LIKE '%%@' || %s", [watchdog.host_name()])

    def _parts(self) -> Child:
        """All that runs our own code. It shares one copy of it."""
        command = ["-m", "deploy.parts", "--web", str(self.logs / f"{watchdog.WEB}.log")]
        return self._child(watchdog.STARTER, command, stop_seconds=DRAIN_SECONDS)

    def _child(self, name: str, command: Sequence[str], *, stop_seconds: float) -> Child:
        log = self.logs / f"{name}.log"
        return Child(name, [sys.executable, *command], env=self.env, cwd=ROOT, log=log, stop_seconds=stop_seconds)

    def _watch(self) -> Watch:
        probes = {watchdog.WEB: f"{self.url}/healthz"}
        if self.children[0].name == "textract":
            probes["textract"] = self.env["AWS_ENDPOINT_URL_TEXTRACT"] + "/healthz"
        beats = watchdog.Beats(self.env["DATABASE_URL"], watchdog.host_name())
        return Watch(
            self.children,
            self.logs,
            watchdog.Host(self.home, beats, _say, watchdog.Progress(looked=True)),
            postgres=self.postgres,
            probes=probes,
            say=_say,
            changed=self._remember,
        )

    def _remember(self) -> None:
        """For whoever starts after we were killed, and for whoever looks for the process of a part."""
        parts = groups.noted(self.home / watchdog.NOTED_IN)
        groups.note(parts | {child.name: child.group for child in self.children}, self.home / "run.json")

    def _manage(self, *arguments: str) -> list[str]:
        return [sys.executable, "manage.py", *arguments]

    def _wait_until_ready(self) -> None:
        _say("Waiting until every part works …")
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and not self.stopping:
            self.watch.look_at_processes()
            if answers(f"{self.url}/readyz"):
                return
            time.sleep(0.3)
        if not self.stopping:
            raise RuntimeError(
                f"The product was not ready after {READY_SECONDS} s: {_missing(f'{self.url}/readyz')} "
                f"The logs are in {self.logs}."
            )

    def _demo(self, databases: dict[str, str]) -> None:
        if self.stopping:
            return
        path = self.home / "credentials.json"
        more = {
            "url": self.url,
            "database": databases,
            "textract": {
                "url": self.env.get("AWS_ENDPOINT_URL_TEXTRACT", ""),
                "control_url": f"{self.env['AWS_ENDPOINT_URL_TEXTRACT']}/_control"
                if self.children[0].name == "textract"
                else "",
            },
        }
        self._load(path, more, with_documents=os.environ.get("DTAT_SAMPLES", "1") != "0")
        who = json.loads(path.read_text(encoding="utf-8"))
        _say(
            f"\nDTAT-OCR runs at {self.url}\n"
            f"  reviewer  {who['reviewer']['username']}  password {who['reviewer']['password']}\n"
            f"  admin     {who['admin']['username']}  password {who['admin']['password']}   {self.url}/admin/\n"
            f"  all users and the API key: {path}\n"
            f"  logs: {self.logs}\n"
            "Ctrl-C stops everything."
        )

    def _load(self, path: Path, more: dict[str, Any], *, with_documents: bool) -> None:
        """The demo's people and documents, once; later starts only write down where things are now."""
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        if known.get("samples_loaded", False) >= with_documents and "admin" in known:
            path.write_text(json.dumps(known | more, indent=2), encoding="utf-8")
            return
        command = self._manage("load_samples", "--credentials", str(path), "--also", json.dumps(more))
        if not with_documents:
            command.append("--without-documents")
        with (self.logs / "load_samples.log").open("ab") as log:
            if subprocess.run(command, cwd=ROOT, env=self.env, stdout=log, stderr=log, check=False).returncode:
                raise RuntimeError(f"The demo could not be loaded. {log.name} says why.")

    # --- end ------------------------------------------------------------------------------------------------------

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _end(self) -> None:
        _say("Stopping …")
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        served = [child for child in self.children if child.name == "textract"]
        # Readers finish the calls they hold, so whoever answers them goes last.
        for group in ([child for child in self.children if child not in served], served):
            for child in group:
                child.ask_to_stop()
            for child in group:
                child.wait_until_gone()
        groups.end_noted(self.home / watchdog.NOTED_IN)  # parts that did not stop in time
        if self.postgres:
            self.postgres.stop()
        (self.home / "run.json").unlink(missing_ok=True)


def _secrets(path: Path) -> dict[str, str]:
    """Made once, random, readable by us only."""
    if not path.exists():
        path.touch(mode=0o600)
        made = {name: secrets.token_urlsafe(48) for name in ("DTAT_SECRET_KEY", "DTAT_JWT_KEY")}
        path.write_text(json.dumps(made), encoding="utf-8")
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def _free_port(path: Path) -> int:
    """The port of last time when it is free, else another one."""
    port = ports.free(int(path.read_text(encoding="ascii")) if path.exists() else 0)
    path.write_text(str(port), encoding="ascii")
    return port


def _reachable(host: str) -> str:
    """A name by which a browser on this machine or its network reaches a server bound to `host`."""
    return socket.gethostname() if host in {"0.0.0.0", "::"} else host


def _missing(url: str) -> str:
    """What `readyz` says about the parts that do not work."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            told = json.load(answer)
    except urllib.error.HTTPError as error:
        told = json.loads(error.read() or b"{}") if error.code == 503 else {}
    except OSError:
        told = {}
    parts = told.get("parts", {"web": {"ready": False, "says": "The web server does not answer."}})
    return " ".join(f"{name}: {part['says']}" for name, part in parts.items() if not part["ready"])


def _sweep(uploads: Path) -> None:
    """A worker that was killed in the middle of an upload left a customer's file behind."""
    if uploads.is_dir():
        for path in uploads.iterdir():
            if path.is_file():
                path.unlink()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(Product().run())
