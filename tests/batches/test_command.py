"""submit_manifest: a batch from the command line, watched until it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ocr.models import Batch
from tenants import scope
from tests import make
from tests.batches import manifest as m

pytestmark = pytest.mark.django_db


@pytest.fixture
def command(cast: make.Cast, folder: Path, tmp_path: Path) -> Callable[..., str]:
    """Runs the command on these rows and gives what it printed."""

    def run(rows: object, *options: Any, name: str = "march.json") -> str:
        path = tmp_path / name
        path.write_text(rows if isinstance(rows, str) else json.dumps(rows))
        out = StringIO()
        call_command("submit_manifest", str(path), "--tenant", "alder", *options, stdout=out, stderr=out)
        return out.getvalue()

    return run


def the_batch() -> Batch:
    with scope.everything():
        return Batch.objects.get()


def works_meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """While the command sleeps between two looks, the workers do this."""
    monkeypatch.setattr("ocr.management.commands.submit_manifest.time.sleep", lambda seconds: act())


def test_it_submits_and_says_which_batch(command: Callable[..., str], folder: Path) -> None:
    out = command(m.rows(folder, 2), "--max-concurrency", "5", "--tolerated-failures", "2.5", "--priority", "normal")
    batch = the_batch()
    assert out == f"Batch {batch.pk}: 2 rows.\n"
    assert (batch.max_concurrency, batch.tolerated_failure_percentage, batch.priority) == (5, 2.5, 1)
    assert (batch.submitted_by, batch.name) == ("system", "march.json")


def test_it_waits_and_shows_how_far_it_is(
    command: Callable[..., str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    works_meanwhile(monkeypatch, lambda: m.run(the_batch()))
    out = command(m.rows(folder, 2), "--wait")
    first, last = out.splitlines()[1], out.splitlines()[-1]
    assert first == f"[{'.' * 30}] 0.0%  0/2"
    assert last.startswith(f"[{'#' * 30}] 100.0%  2/2")


def test_failed_rows_end_it_with_an_error(
    command: Callable[..., str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    works_meanwhile(monkeypatch, lambda: m.run(the_batch()))
    with pytest.raises(CommandError, match="Completed; 1 rows failed") as caught:
        command(m.rows(folder, 2, missing=[1]), "--wait", "--tolerated-failures", "50")
    assert caught.value.returncode == 1


def test_a_stopped_batch_ends_it_with_an_error(
    command: Callable[..., str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    works_meanwhile(monkeypatch, lambda: m.feed(the_batch()))
    with pytest.raises(CommandError, match="too many rows failed; 1 rows failed"):
        command(m.rows(folder, 9, missing=[1]), "--wait", "--tolerated-failures", "0", "--max-concurrency", "1")


def test_after_ctrl_c_the_same_command_goes_on_watching(
    command: Callable[..., str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = m.rows(folder, 2)

    def interrupted() -> None:
        raise KeyboardInterrupt

    works_meanwhile(monkeypatch, interrupted)
    with pytest.raises(SystemExit) as caught:
        command(rows, "--wait")
    assert caught.value.code == 130
    works_meanwhile(monkeypatch, lambda: m.run(the_batch()))
    assert "This manifest is being worked on already." in command(rows, "--wait")
    assert the_batch().status == "completed"
    command(rows)
    with scope.everything():
        assert Batch.objects.count() == 2, "a batch that has ended is no reason not to read the files again"


@pytest.mark.parametrize(
    ("rows", "options", "name", "word"),
    [
        ([{"bucket": "x"}], [], "m.json", "Line 1: A row needs bucket and key"),
        ([], [], "m.json", "Line 1: The manifest has no rows"),
        ([], [], "m.txt", "has to end in .json, .jsonl or .csv"),
        ([{"bucket": "alder", "key": "a"}], ["--max-concurrency", "0"], "m.json", "whole number from 1"),
        ([], ["--tenant", "nobody"], "m.json", "There is no tenant nobody. Use one of: alder, birch"),
    ],
)
def test_what_it_refuses(command: Callable[..., str], rows: object, options: list[str], name: str, word: str) -> None:
    with pytest.raises(CommandError) as caught:
        command(rows, *options, name=name)
    assert word in str(caught.value)
    with scope.everything():
        assert not Batch.objects.exists()


def test_a_file_that_is_not_there_is_refused(cast: make.Cast, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no file"):
        call_command("submit_manifest", str(tmp_path / "none.json"), "--tenant", "alder")
