"""What every test stands on: the database with its roles, loopback only, warnings as errors (pyproject.toml)."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import psycopg2
import pytest

from tests import database
from tests.product import PREPARED_IN

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("DTAT_SHARED", ROOT.parent / "shared"))
# Run in parallel, each worker has a server of its own; the process that only hands out tests needs none, and what it put
# into the environment its workers would inherit.
HANDS_OUT = (
    any(word.startswith(("-n", "--numprocesses")) for word in sys.argv) and "PYTEST_XDIST_WORKER" not in os.environ
)
URLS: dict[str, str] = {} if HANDS_OUT else {**database.start()}  # type: ignore[dict-item]
if not HANDS_OUT:
    django.setup()  # pytest-django looks for settings before this file could name them


def pytest_configure(config: pytest.Config) -> None:
    """A folder of this run for the home that products start from; its workers inherit the name."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        folder = Path(tempfile.mkdtemp(prefix="dtat-prepared-"))
        folder.chmod(0o711)  # the database's own user has to pass through when we are root
        os.environ[PREPARED_IN] = str(folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not HANDS_OUT:
        database.stop()
    if "PYTEST_XDIST_WORKER" not in os.environ:
        shutil.rmtree(os.environ.pop(PREPARED_IN))


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """Migrate as the owner, in a process of its own, as an administrator does; the tests then run as the app role."""
    ran = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


@pytest.fixture(autouse=True, scope="session")
def _flush_as_superuser() -> Iterator[None]:
    """Empties the tables after tests that commit. The app role may not, so Django's own flush cannot.

    For the whole run: a patch of one test would be taken back before that test's own teardown.
    """
    from django.test import TransactionTestCase

    def teardown(self: Any) -> None:
        empty_tables()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", teardown)
        yield


def empty_tables() -> None:
    with as_superuser() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables WHERE schemaname = 'public' "
            "AND tablename NOT IN ('django_migrations', 'ocr_documenttype', 'ocr_pricetable', 'django_content_type', 'auth_permission')"
        )
        tables = cursor.fetchone()[0]
        cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
        # The shipped types stay, each in its first version; what a test has saved besides would be every later test's newest.
        shipped = [path.stem for path in (ROOT / "ocr/document_types").glob("*.yaml")]
        cursor.execute("DELETE FROM ocr_documenttype WHERE version > 1 OR name <> ALL (%s)", [shipped])


class as_superuser:
    """A cursor of the superuser, committed at the end: for what an attacker or a careless administrator could do."""

    def __init__(self, role: str = "superuser") -> None:
        self.connection = psycopg2.connect(URLS[role])

    def __enter__(self) -> Any:
        return self.connection.cursor()

    def __exit__(self, kind: Any, *rest: Any) -> None:
        if kind is None:
            self.connection.commit()
        self.connection.close()


@pytest.fixture(autouse=True, scope="session")
def _static_files_as_they_are() -> Iterator[None]:
    """Pages are rendered without collecting and hashing their static files first."""
    from django.conf import settings
    from django.test import override_settings

    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(STORAGES={**settings.STORAGES, "staticfiles": plain}):
        yield


_connect = socket.socket.connect


def _loopback_only(self: socket.socket, address: Any) -> None:
    host = address[0] if isinstance(address, tuple) else ""
    if self.family in {socket.AF_INET, socket.AF_INET6} and host not in {"127.0.0.1", "::1", "localhost"}:
        raise RuntimeError("A test tried to leave this machine.")
    _connect(self, address)


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    socket.socket.connect = _loopback_only  # type: ignore[method-assign,assignment]
    yield
    socket.socket.connect = _connect  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real documents and answers, where they are; tests that need them skip elsewhere."""
    if not SHARED.is_dir():
        pytest.skip("the shared documents are not here")
    return SHARED
