"""`verify` takes as long as the archive needs."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import OperationalError, connection

from dtat_site import invariants
from ocr.models import Document
from tenants import scope

pytestmark = pytest.mark.django_db(transaction=True)


def reads_files(invariant: invariants.Invariant, options: dict[str, Any]) -> None:
    """A look that reads files for longer than the database waits between two statements."""
    invariant.checked = Document.objects.count()
    time.sleep(0.6)
    Document.objects.count()


@pytest.fixture(autouse=True)
def _impatient() -> Any:
    """A database that cuts off after a fifth of a second, as it does after ten seconds in earnest."""
    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = 200")
    yield
    connection.close()


def test_a_look_may_read_files_for_longer_than_the_database_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invariants, "CHECKS", {"Files are whole": ("I99", reads_files)})
    (found,) = invariants.verify()
    assert (found.id, found.broken) == ("I99", [])


def test_anybody_else_is_cut_off() -> None:
    with pytest.raises(OperationalError), scope.everything():
        reads_files(invariants.Invariant("I99", "Files are whole"), {})
