"""docs/audit.md: its table of kinds is complete, and its script accepts a good export and rejects a changed one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit import trail
from audit.models import AuditEvent, Kind
from tenants import scope
from tests import make
from tests.audit.conftest import story
from tests.conftest import ROOT, as_superuser

PAGE = (ROOT / "docs/audit.md").read_text(encoding="utf-8")
Rows = list[dict[str, Any]]


def test_every_kind_is_described_once_and_none_that_does_not_exist() -> None:
    table = PAGE.split("## Kinds")[1].split("## ")[0]
    assert re.findall(r"^\| `(\w+)` \| .+ \|$", table, re.MULTILINE) == list(Kind.values)


def test_the_fields_of_an_event_are_described() -> None:
    table = PAGE.split("## What an event says")[1].split("## ")[0]
    named = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.+?`) \|", table, re.MULTILINE)))
    assert named == [*trail.HASHED, "hash"]


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs exactly the script of the page on these rows, without the product's modules."""
    (code,) = re.findall(r"^```python\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)
    path = tmp_path / "verify_export.py"
    path.write_text(code, encoding="utf-8")

    def run(*exports: Rows) -> subprocess.CompletedProcess[str]:
        files = []
        for number, rows in enumerate(exports):
            file = tmp_path / f"{number}.jsonl"
            file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
            files.append(str(file))
        command = [sys.executable, "-I", str(path), *files]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    return run


def rows_now() -> Rows:
    with scope.everything():
        return [trail.as_dict(event) for event in AuditEvent.objects.order_by("pk")]


@pytest.mark.django_db
def test_the_script_accepts_a_good_export(script: Any) -> None:
    tenant = make.tenant()
    for length in (1, 4, 12):
        story(tenant.pk, length=length)
    ran = script(rows_now())
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "Every event holds.\n", "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[1].update(actor="user:eve"), "event 2: its content was changed"),
        (lambda rows: rows[1]["codes"].update(count=7), "event 2: its content was changed"),
        (lambda rows: rows[1].update(at="2020-01-01T00:00:00.000000+00:00"), "event 2: its content was changed"),
        (lambda rows: rows[1].update(hash="0" * 64), "event 2: its content was changed"),
        (lambda rows: rows.pop(1), "event 3: the event before it is not in the file"),
        (lambda rows: rows.insert(1, rows[2]), "event 3: the event before it is not in the file"),
        (lambda rows: rows[1].update(rehashed(rows[1], actor="user:eve")), "event 3: it does not follow from the event before it"),
    ],
)  # fmt: skip
@pytest.mark.django_db
def test_the_script_rejects_a_changed_export(script: Any, change: Callable[[Rows], object], message: str) -> None:
    chain = story(make.tenant().pk, length=4)
    rows = rows_now()
    change(rows)
    ran = script(rows)
    assert ran.returncode == 1
    assert f"{chain} {message}" in ran.stdout


def rehashed(row: dict[str, Any], **changes: str) -> dict[str, Any]:
    changed = {**row, **changes}
    return {**changed, "hash": trail._hash(changed)}


@pytest.mark.django_db(transaction=True)
def test_a_whole_chain_rewritten_with_its_head_verifies_and_only_an_earlier_export_shows_it(script: Any) -> None:
    """The limit that the page admits."""
    tenant = make.tenant()
    chain = story(tenant.pk, length=3)
    earlier = rows_now()
    before = ""
    with as_superuser() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for row in earlier:
            changed = rehashed(row, actor="user:eve", previous_hash=before)
            before = changed["hash"]
            cursor.execute(
                "UPDATE audit_auditevent SET actor = 'user:eve', previous_hash = %s, hash = %s WHERE chain = %s AND seq = %s",
                [changed["previous_hash"], before, chain, row["seq"]],
            )
        cursor.execute("UPDATE audit_audithead SET hash = %s WHERE chain = %s", [before, chain])
    with scope.everything():
        assert trail.verify() == []
    assert script(rows_now()).returncode == 0
    ran = script(rows_now(), earlier)
    assert ran.returncode == 1
    assert f"{chain} event 1: it is not what the earlier export says" in ran.stdout
    story(tenant.pk, length=1)
    assert script(rows_now(), rows_now()[:2]).returncode == 0
