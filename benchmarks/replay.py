"""What it takes to read an archive again from its stored answers, with `replay_documents` as operators run it: two processes.

PostgreSQL runs as the one-machine start runs it, the answers lie in the document storage: drawn receipts, invoices and forms
(SHARES), each different. A counting server stands where Textract would be. Replayed are all documents twice, and once more with a
SIGKILL in the middle and `--resume`: the three hashes over all readings have to be one, and nobody may have been called. Then one
run with `--apply`, so that the fields lie in the database as after any reading, and a last dry run, which compares all of them.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2

from benchmarks import _answers
from deploy.local.postgres import Postgres
from tests.product import ROOT

SHARES = (_answers.receipt, _answers.receipt, _answers.receipt, _answers.invoice, _answers.invoice, _answers.form)
DRAWN = 60  # different papers of each kind; the ids in every answer are its own
SQL = Path(__file__).with_suffix(".sql")
KILLED_AFTER = 0.4  # of the chunks


def measure(*, quick: bool) -> dict[str, Any]:
    """Seconds and documents a second of a dry run, processor time, calls that reached the engine, whether the hashes are one."""
    documents = 500 if quick else 10_000
    with (
        tempfile.TemporaryDirectory(prefix="dtat-bench-") as folder,
        _Engine() as engine,
        _installed(Path(folder), engine) as place,
    ):
        size = place.store(documents)
        first, cpu_first = place.timed()
        second, cpu_second = place.timed()
        killed_at = place.killed()
        resumed = place.replay("--resume")
        applied = place.replay("--apply", "--limit", str(min(documents, 2000)))
        compared, cpu_compared = place.timed()
        charged = place.one("SELECT count(*) FROM ocr_charge")
    hashes = {told["sha256"] for told in (first, second, resumed, compared)}
    best = min(first["seconds"], second["seconds"])
    return {
        "seed": 0,
        "figures": {
            "documents": documents,
            "answers_mib": round(size / 2**20),
            "seconds": best,
            "documents_per_second": round(documents / best, 1),
            "cpu_ms_per_document": round(1000 * min(cpu_first, cpu_second) / documents, 2),
            "seconds_compared": compared["seconds"],
            "cpu_ms_per_document_compared": round(1000 * cpu_compared / documents, 2),
            "read": [told["read"] for told in (first, second, resumed, compared)],
            "different_hashes": len(hashes),
            "sha256": first["sha256"],
            "killed_at_documents": killed_at,
            "applied": applied["applied"],
            "with_changes_after_applying": compared["with_changes"] - (first["with_changes"] - applied["with_changes"]),
            "engine_calls": engine.calls,
            "charges": charged,
        },
        "ratios": {"to_bound_of_60_s": round(best / 60 * 10_000 / documents, 3)},
    }


class _Engine:
    """Stands where Textract would be, and counts who comes."""

    def __init__(self) -> None:
        self.calls = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.calls += 1
                self.send_error(500)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> _Engine:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()


class _Place:
    """An installation without its web and worker processes."""

    def __init__(self, env: dict[str, str], superuser: str, postgres: int) -> None:
        self.env, self.superuser, self.postgres = env, superuser, postgres

    def store(self, documents: int) -> int:
        """Write so many answers and the rows that say whose they are; the bytes of the answers."""
        templates = [_answers.Template(draw(seed)) for draw in SHARES for seed in range(DRAWN)]
        root, size, rows = Path(self.env["DTAT_HOME"]) / "documents", 0, []
        for number in range(documents):
            # Neighbours are of different kinds, as they arrive.
            template = templates[number % len(SHARES) * DRAWN + number // len(SHARES) % DRAWN]
            body = _answers.body(template.page(1), 1).replace(b"00000001-", b"%08d-" % number)
            key = f"engine/{number // 1000}/{number}.raw"
            path = root / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
            size += len(body)
            rows.append(
                {
                    "number": number, "id": str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))), "key": key,
                    "sha256": hashlib.sha256(body).hexdigest(), "size_bytes": len(body),
                }
            )  # fmt: skip
        with closing(psycopg2.connect(self.superuser)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(SQL.read_text(encoding="utf-8"), {"answers": json.dumps(rows)})
        with closing(psycopg2.connect(self.superuser)) as connection:
            connection.autocommit = True
            connection.cursor().execute("VACUUM (ANALYZE)")
        return size

    def one(self, statement: str) -> Any:
        with closing(psycopg2.connect(self.superuser)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            (found,) = cursor.fetchone() or (None,)
            return found

    def replay(self, *arguments: str) -> dict[str, Any]:
        """What the command told."""
        ran = subprocess.run(
            self._command(*arguments), cwd=ROOT, env=self.env, capture_output=True, text=True, check=False
        )
        if ran.returncode:
            raise RuntimeError(ran.stderr[-2000:])
        told: dict[str, Any] = json.loads(ran.stdout)
        return told

    def timed(self) -> tuple[dict[str, Any], float]:
        """A dry run of everything, and the processor seconds of its processes and of the database."""
        before, database = os.times(), self._database_seconds()
        told = self.replay()
        after = os.times()
        own = after.children_user + after.children_system - before.children_user - before.children_system
        return told, own + self._database_seconds() - database

    def killed(self) -> int:
        """Begin a dry run and kill the command when some of it is done; how many documents had been read."""
        running = subprocess.Popen(
            self._command(), cwd=ROOT, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        newest = "run_id = (SELECT id FROM ocr_replayrun WHERE finished_at IS NULL ORDER BY created_at DESC LIMIT 1)"
        share = f"SELECT coalesce(avg((state <> 'planned')::int), 0)::float FROM ocr_replaychunk WHERE {newest}"
        while self.one(share) < KILLED_AFTER:
            if running.poll() is not None:
                raise RuntimeError("The run ended before it was killed.")
            time.sleep(0.02)
        running.send_signal(signal.SIGKILL)
        running.wait()
        return int(self.one(f"SELECT coalesce(sum((told->>'read')::int), 0) FROM ocr_replaychunk WHERE {newest}"))

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "manage.py", "replay_documents", "--json", *arguments]

    def _database_seconds(self) -> float:
        """Of the backends that ended: the command's have when it has."""
        time.sleep(0.5)
        fields = Path(f"/proc/{self.postgres}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _installed(folder: Path, engine: _Engine) -> Iterator[_Place]:
    folder.chmod(0o711)  # the database's own user has to pass through when we are root
    postgres = Postgres(folder)
    postgres.start()
    try:
        urls = postgres.create("dtat")
        home = folder / "home"
        for each in (home, home / "uploads", home / "documents"):
            each.mkdir(mode=0o700)
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("DTAT_", "AWS_", "DATABASE_"))
        }
        env = kept | {
            "DTAT_ENVIRONMENT": "embedded",
            "DTAT_HOME": str(home),
            "DTAT_SECRET_KEY": secrets.token_urlsafe(48),
            "DTAT_JWT_KEY": secrets.token_urlsafe(48),
            "DATABASE_URL": urls["app"],
            "DATABASE_OWNER_URL": urls["owner"],
            "DJANGO_SETTINGS_MODULE": "dtat_site.settings",
            "AWS_ENDPOINT_URL_TEXTRACT": engine.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }
        for command in (["migrate"], ["load_samples", "--without-documents"]):
            subprocess.run([sys.executable, "manage.py", *command, "--verbosity", "0"], cwd=ROOT, env=env, check=True)
        assert postgres.process
        yield _Place(env, urls["superuser"], postgres.process.pid)
    finally:
        postgres.stop()
