"""Unsafe values and contradictions stop the start, with a sentence that says what to change."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from dtat_site import checks, env
from tests.conftest import ROOT, URLS

GOOD = "kf7Qz0aVb3-xW9_mT2uYc5RgL8nHj4PdSe6oXi1EtBwQ0z9Ya4Nh7Uc"
PRODUCTION = {
    "DTAT_ENVIRONMENT": "production",
    "DTAT_SECRET_KEY": GOOD,
    "DTAT_JWT_KEY": GOOD[::-1],
    "DTAT_ALLOWED_HOSTS": "documents.example.org",
    "DTAT_PUBLIC_URL": "https://documents.example.org",
    "DTAT_STORAGE": "s3",
    "DTAT_BUCKET": "documents-of-example",
    "DATABASE_URL": URLS["app"],
}


def _manage(tmp_path: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    """What a management command in production says, started with these variables only."""
    given = {"PATH": os.environ["PATH"], "DTAT_HOME": str(tmp_path), **PRODUCTION, **variables}
    ran = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={name: value for name, value in given.items() if value},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return ran.returncode, ran.stdout + ran.stderr


# --- The whole start ----------------------------------------------------------------------------------------------


def test_production_is_without_warnings(tmp_path: Path) -> None:
    code, said = _manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING")
    assert code == 0, said
    assert "no issues (0 silenced)" in said


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"DTAT_SECRET_KEY": ""}, "Set DTAT_SECRET_KEY"),
        ({"DTAT_SECRET_KEY": "tiny-tiny"}, "DTAT_SECRET_KEY is short or well known"),
        ({"DATABASE_URL": ""}, "Set DATABASE_URL"),
        ({"DTAT_ALLOWED_HOSTS": "*", "DTAT_DEBUG": "1"}, "dtat.E001"),
    ],
    ids=["no secret", "short secret", "no database", "any host"],
)
def test_it_does_not_start_with(tmp_path: Path, variables: dict[str, str], said: str) -> None:
    code, output = _manage(tmp_path, "check", **variables)
    assert code != 0
    assert said in output
    assert not any(value in output for value in variables.values() if len(value) > 1)


def test_a_language_that_nobody_speaks_here_is_refused(tmp_path: Path) -> None:
    code, output = _manage(tmp_path, "check", DTAT_LANGUAGE_CODE="fr")
    assert code != 0
    assert "DTAT_LANGUAGE_CODE must be one of en, de" in output


def test_a_superuser_is_refused_before_it_reads_anything(tmp_path: Path) -> None:
    code, output = _manage(tmp_path, "verify", DATABASE_URL=URLS["superuser"], DTAT_STORAGE="files")
    assert code != 0
    assert "dtat.E030" in output and "superuser" in output


@pytest.mark.django_db
def test_the_app_role_is_bound_by_the_rules() -> None:
    from django.db import connection

    checks._refuse_superuser(type(connection), connection)


# --- One by one ---------------------------------------------------------------------------------------------------


def _ids(found: list[Any]) -> list[str]:
    assert all(each.hint.endswith(".") for each in found)
    return [each.id for each in found]


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        ({"ALLOWED_HOSTS": ["127.0.0.1", "localhost", "[::1]"], "DEBUG": True}, []),
        ({"ALLOWED_HOSTS": ["documents.example.org"]}, []),
        ({"ALLOWED_HOSTS": ["documents.example.org"], "DEBUG": True}, ["dtat.E002"]),
        ({"ALLOWED_HOSTS": ["192.168.1.7"], "DEBUG": True}, ["dtat.E002"]),
        ({"ALLOWED_HOSTS": [".localhost.example.org"], "DEBUG": True}, ["dtat.E002"]),
        ({"ALLOWED_HOSTS": ["127.0.0.1"], "DEBUG": True, "PRODUCTION": True}, ["dtat.E002"]),
        ({"ALLOWED_HOSTS": ["*"]}, ["dtat.E001"]),
        ({"ALLOWED_HOSTS": ["documents.example.org", "*"], "DEBUG": True}, ["dtat.E001", "dtat.E002"]),
        ({"ALLOWED_HOSTS": [], "PRODUCTION": True}, ["dtat.E003"]),
        ({"ALLOWED_HOSTS": [], "DEBUG": True, "PRODUCTION": True}, ["dtat.E002", "dtat.E003"]),
    ],
)
def test_hosts(settings: Any, values: dict[str, Any], ids: list[str]) -> None:
    settings.DEBUG = False
    for name, value in values.items():
        setattr(settings, name, value)
    assert _ids(checks.hosts(None)) == ids


def test_one_secret_for_two_things(settings: Any) -> None:
    assert _ids(checks.secrets(None)) == []
    settings.JWT_KEY = settings.SECRET_KEY
    assert _ids(checks.secrets(None)) == ["dtat.E004"]


@pytest.mark.parametrize(
    ("url", "ids"),
    [
        ("https://a.example.org", []),
        ("http://a.example.org", ["dtat.E005"]),
        ("", ["dtat.E005"]),
        ("https://", ["dtat.E005"]),
    ],
)
def test_public_address(settings: Any, url: str, ids: list[str]) -> None:
    settings.PUBLIC_URL, settings.PRODUCTION = url, True
    assert _ids(checks.public_address(None)) == ids


ARN = "arn:aws:sns:eu-central-1:123456789012:AmazonTextract-dtat"


@pytest.mark.parametrize(
    ("topic", "role", "queue_url", "ids"),
    [
        ("", "", "", []),
        (ARN, "arn:role", "https://queue", []),
        (ARN, "", "https://queue", ["dtat.E024"]),
        (ARN, "arn:role", "", ["dtat.E024"]),
        ("", "", "https://queue", ["dtat.E024"]),
        ("AmazonTextract-dtat", "arn:role", "https://queue", ["dtat.E025"]),
        (ARN.replace("central", "west"), "arn:role", "https://queue", ["dtat.E025"]),
    ],
)
def test_word_of_jobs(settings: Any, topic: str, role: str, queue_url: str, ids: list[str]) -> None:
    settings.AWS_REGION = "eu-central-1"
    settings.TEXTRACT_TOPIC, settings.TEXTRACT_ROLE, settings.TEXTRACT_NOTICES = topic, role, queue_url
    assert _ids(checks.completions(None)) == ids


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        ({}, []),
        ({"retry": 74, "timeout": 30}, ["dtat.E010"]),
        ({"retry": 75, "timeout": 30}, []),
        ({"queue_limit": 2}, ["dtat.E011"]),
        ({"bulk": 10}, ["dtat.E011"]),
        ({"ack_failures": False}, ["dtat.E012"]),
        ({"max_attempts": 0}, ["dtat.E012"]),
    ],
)
def test_queue(settings: Any, values: dict[str, Any], ids: list[str]) -> None:
    settings.Q_CLUSTER = settings.Q_CLUSTER | values
    assert _ids(checks.queue(None)) == ids


def test_redis_needs_an_address(settings: Any) -> None:
    settings.BROKER = "redis"
    assert _ids(checks.queue(None)) == ["dtat.E014"]
    settings.REDIS_URL = "redis://127.0.0.1:6379/0"
    assert _ids(checks.queue(None)) == []


def test_a_lease_outlives_the_longest_call(settings: Any) -> None:
    settings.PRODUCTION, settings.LEASE_SECONDS, settings.TEXTRACT_READ_SECONDS = True, 20, 20
    assert _ids(checks.queue(None)) == ["dtat.E013"]


def test_a_bucket_needs_a_name(settings: Any) -> None:
    settings.STORAGE, settings.BUCKET = "s3", "local"
    assert _ids(checks.storage(None)) == ["dtat.E020"]
    settings.BUCKET = "documents"
    assert _ids(checks.storage(None)) == []


def test_the_web_process_is_stopped_too(settings: Any) -> None:
    settings.JWT_KEY = settings.SECRET_KEY
    with pytest.raises(ImproperlyConfigured, match=r"dtat\.E004: .* Give each its own"):
        checks.refuse_unsafe()


# --- Values from the environment ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    ["", "tiny-tiny", GOOD[:49], "a" * 60, "changeme" * 8, f"django-insecure-{GOOD}", f"Change-Me-{GOOD}"],
)
def test_a_secret_that_is_none(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("DTAT_SECRET_KEY", value)
    with pytest.raises(env.Refused, match="DTAT_SECRET_KEY") as refusal:
        env.secret("DTAT_SECRET_KEY")
    assert not value or value not in str(refusal.value)
    monkeypatch.setenv("DTAT_SECRET_KEY", GOOD)
    assert env.secret("DTAT_SECRET_KEY") == GOOD


def test_a_secret_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{GOOD}\n")
    monkeypatch.delenv("DTAT_SECRET_KEY", raising=False)
    monkeypatch.setenv("DTAT_SECRET_KEY_FILE", str(file))
    assert env.secret("DTAT_SECRET_KEY") == GOOD
    file.unlink()
    with pytest.raises(env.Refused, match="cannot be read"):
        env.secret("DTAT_SECRET_KEY")


@pytest.mark.parametrize(("value", "seen"), [("1", True), ("no", False), ("", True), ("TRUE", True)])
def test_a_flag(monkeypatch: pytest.MonkeyPatch, value: str, *, seen: bool) -> None:
    monkeypatch.setenv("X", value)
    assert env.flag("X", default=True) is seen


@pytest.mark.parametrize("value", ["on", "2", "yes please"])
def test_a_flag_that_is_none(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("X", value)
    with pytest.raises(env.Refused, match="X must be 1 or 0"):
        env.flag("X", default=False)


@pytest.mark.parametrize("value", ["0", "-5", "1.5", "many", "0x10"])
def test_a_number_that_is_none(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("X", value)
    with pytest.raises(env.Refused, match="at least 1"):
        env.number("X", 7, at_least=1)


@pytest.mark.parametrize("value", ["mysql://a:b@c/d", "postgresql://a:b@c", "d"])
def test_a_database_that_is_none(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("X", value)
    with pytest.raises(env.Refused, match="must look like postgresql://"):
        env.database("X")


def test_a_database_with_odd_characters_and_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "postgresql://us%40er:p%3Ass%2F@db.example.org:6432/na%20me?sslmode=require")
    found = env.database("X")
    assert (found["USER"], found["PASSWORD"], found["NAME"]) == ("us@er", "p:ss/", "na me")
    assert (found["HOST"], found["PORT"], found["OPTIONS"]) == ("db.example.org", "6432", {"sslmode": "require"})
