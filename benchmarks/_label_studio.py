"""The same work in Label Studio, measured on this machine in the same run: fetch the next task, submit an annotation of it.

It is installed from PyPI into benchmarks/.cache and started as its users start it for a team: PostgreSQL, which has to be on the machine
with its contrib modules (Debian: postgresql), and gunicorn with four workers. Nothing of it is told to its makers.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests

from benchmarks._load import family_ms
from deploy.local import ports

VERSION = "1.23.2"
PLACE = Path(__file__).parent / ".cache" / f"label-studio-{VERSION}"
BIN = PLACE / "bin"
POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
NAME, PASSWORD = "bench@example.org", "a-Long-Password-1"
FIELDS = [f"field_{number}" for number in range(1, 13)]  # an invoice's
SILENT = {"SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": "", "COLLECT_ANALYTICS": "0", "LATEST_VERSION_CHECK": "0"}
WORKERS, THREADS = 4, 2


class NotHere(Exception):
    """Label Studio cannot be installed or started on this machine; says why."""


def cpu_ms_per_review(folder: Path, count: int) -> float:
    """Milliseconds of processor time, of its web server and its PostgreSQL, for one task fetched and submitted. Raises NotHere."""
    if not POSTGRES:
        raise NotHere("Label Studio needs a PostgreSQL with pg_trgm: apt-get install postgresql")
    _installed()
    folder.mkdir(mode=0o755)
    with _postgres(folder) as (database, port), _served(folder, port) as (server, url):
        session = _signed_in(url)
        project = _project(session, url, count + 20)
        for _ in range(20):  # what is loaded at first use
            _review(session, url, project)
        before = family_ms(database.pid) + family_ms(server.pid)
        for _ in range(count):
            _review(session, url, project)
        return round((family_ms(database.pid) + family_ms(server.pid) - before) / count, 1)


def _installed() -> None:
    if (BIN / "gunicorn").exists():
        return
    shutil.rmtree(PLACE, ignore_errors=True)
    wanted = [f"label-studio=={VERSION}", "gunicorn"]
    for words in ([sys.executable, "-m", "venv", str(PLACE)], [str(BIN / "pip"), "install", "--quiet", *wanted]):
        ran = subprocess.run(words, capture_output=True, text=True, check=False)
        if ran.returncode:
            shutil.rmtree(PLACE, ignore_errors=True)
            raise NotHere(f"Label Studio could not be installed: {ran.stderr[-500:]}")


@contextmanager
def _postgres(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A server of its own, with PostgreSQL's defaults; not as root, which it refuses."""
    user: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    data, port = folder / "postgres", ports.free()
    data.mkdir()
    if user:
        shutil.chown(data, "nobody", "nogroup")
    words = [POSTGRES[0] / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run([*map(str, words)], check=True, capture_output=True, **user)
    options = ["-D", str(data), "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
    with (folder / "postgres.log").open("wb") as log:
        server = subprocess.Popen([str(POSTGRES[0] / "postgres"), *options], stdout=log, stderr=log, **user)
    try:
        yield server, port
    finally:
        _stop(server)


@contextmanager
def _served(folder: Path, database_port: int) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    port = ports.free()
    url = f"http://127.0.0.1:{port}"
    env = {name: value for name, value in os.environ.items() if not name.startswith(("DTAT_", "DJANGO_"))} | SILENT
    env |= {
        "DJANGO_DB": "default", "POSTGRE_NAME": "postgres", "POSTGRE_USER": "postgres", "POSTGRE_PASSWORD": "none",
        "POSTGRE_HOST": "127.0.0.1", "POSTGRE_PORT": str(database_port), "DJANGO_SETTINGS_MODULE": "core.settings.label_studio",
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder / "data"), "LABEL_STUDIO_HOST": url, "DEBUG": "false",
    }  # fmt: skip
    home = next(PLACE.glob("lib/python*/site-packages/label_studio"))
    with (folder / "label-studio.log").open("wb") as log:
        words = [str(BIN / "label-studio"), "init", "--no-browser", "--username", NAME, "--password", PASSWORD, "bench"]
        began = subprocess.run(words, env=env, cwd=folder, stdout=log, stderr=log, check=False)
        if began.returncode:
            raise NotHere(f"Label Studio did not start: {(folder / 'label-studio.log').read_text()[-500:]}")
        words = [str(BIN / "gunicorn"), "core.wsgi:application", "-w", str(WORKERS), "--threads", str(THREADS)]
        words += ["-b", f"127.0.0.1:{port}", "--chdir", str(home), "--timeout", "120"]
        server = subprocess.Popen(words, env=env, cwd=folder, stdout=log, stderr=log)
    try:
        _until_up(f"{url}/health", folder / "label-studio.log")
        yield server, url
    finally:
        _stop(server)


def _until_up(url: str, log: Path) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        with suppress(requests.RequestException):
            if requests.get(url, timeout=10).ok:
                return
        time.sleep(0.5)
    raise NotHere(f"Label Studio did not answer: {log.read_text()[-500:]}")


def _signed_in(url: str) -> requests.Session:
    session = requests.Session()
    page = session.get(f"{url}/user/login/", timeout=60)
    page.raise_for_status()
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    token = found[1] if found else session.cookies["csrftoken"]
    told = {"email": NAME, "password": PASSWORD, "csrfmiddlewaretoken": token}
    session.post(f"{url}/user/login/", data=told, headers={"Referer": url}, timeout=60).raise_for_status()
    session.headers.update({"X-CSRFToken": str(session.cookies["csrftoken"]), "Referer": url})
    session.get(f"{url}/api/current-user/whoami", timeout=60).raise_for_status()
    return session


def _project(session: requests.Session, url: str, tasks: int) -> int:
    """A project with so many tasks, each a page and twelve values that were read on it."""
    texts = "".join(f'<TextArea name="{name}" toName="page" value="${name}"/>' for name in FIELDS)
    config = f'<View><Image name="page" value="$image"/>{texts}</View>'
    made = session.post(
        f"{url}/api/projects/", json={"title": "bench", "label_config": config, "maximum_annotations": 1}, timeout=60
    )
    made.raise_for_status()
    number: int = made.json()["id"]
    values = dict.fromkeys(FIELDS, "12.50")
    rows = [{"data": {"image": f"/static/{row}.png", **values}} for row in range(tasks)]
    session.post(f"{url}/api/projects/{number}/import", json=rows, timeout=300).raise_for_status()
    return number


def _review(session: requests.Session, url: str, project: int) -> None:
    task = session.get(f"{url}/api/projects/{project}/next", timeout=60)
    task.raise_for_status()
    result = [
        {"from_name": name, "to_name": "page", "type": "textarea", "value": {"text": ["12.50"]}} for name in FIELDS
    ]
    told = {"result": result, "lead_time": 2.0, "project": project}
    body, headers = json.dumps(told), {"Content-Type": "application/json"}
    address = f"{url}/api/tasks/{task.json()['id']}/annotations/?project={project}"
    session.post(address, data=body, headers=headers, timeout=60).raise_for_status()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
