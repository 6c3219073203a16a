"""What arrives is refused with nothing left behind, or it is stored, recorded, announced and rung for in one step."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from ocr import artifacts, disk, intake, notices, queue, sandbox
from ocr.intake import Unacceptable
from ocr.models import Artifact, Document, IdempotencyKey
from tenants import scope
from tenants.models import Tenant
from tests import make

committing = pytest.mark.django_db(transaction=True)
ISOLATED = pytest.mark.django_db


@pytest.fixture
def bells() -> Iterator[Callable[[], list[str]]]:
    """The lanes for which a bell was heard since the last look."""
    listener = notices.Listener()
    listener.listen(notices.DUE)
    yield lambda: [heard.payload for heard in listener.wait(0)]
    listener.close()


def _nothing_of(tenant: Tenant) -> bool:
    with scope.everything():
        rows = Document.objects.filter(tenant=tenant).count() + Artifact.objects.filter(tenant=tenant).count()
        rows += IdempotencyKey.objects.filter(tenant=tenant).count()
    return rows == 0 and make.files(tenant) == [] and make.doorbells() == []


# --- Accepted -----------------------------------------------------------------------------------------------------


@committing
def test_the_document_its_bytes_its_trail_its_event_and_its_bell(
    cast: make.Cast, bells: Callable[[], list[str]]
) -> None:
    content = make.pdf(3)
    made = make.receive(
        cast.a, content, filename="June.pdf", priority="high", external_id="X-1", metadata={"box": 7}
    ).document
    found = make.reload(made)
    sha256 = hashlib.sha256(content).hexdigest()
    assert (found.status, found.version, found.step, found.page_count) == ("received", 1, "start", 3)
    assert (found.sha256, found.size_bytes, found.content_type) == (sha256, len(content), "application/pdf")
    assert (found.filename, found.priority, found.external_id, found.metadata) == ("June.pdf", 0, "X-1", {"box": 7})
    with scope.everything():
        original = found.artifacts.get()
        assert list(found.pages.values_list("number", flat=True)) == [1, 2, 3]
    assert original.key == f"raw/{found.received_at:%Y/%m/%d}/{cast.a.pk}/{found.pk}.original"
    assert make.files(cast.a) == [original.key]
    assert artifacts.read(original) == content
    assert [(row.kind, row.version) for row in make.trail(made)] == [("INGESTED", 1), ("WORKFLOW_STARTED", None)]
    assert make.trail(made)[0].codes["sha256"] == sha256
    assert [event.type for event in make.events(made)] == ["document.received"]
    assert bells() == ["high"]
    assert make.broken() == []


@committing
def test_everything_but_the_bytes_is_one_transaction(
    cast: make.Cast, monkeypatch: pytest.MonkeyPatch, bells: Callable[[], list[str]]
) -> None:
    """The bell is the last thing in it: when that fails, nothing of the rest is there."""

    def fails(*ids: object) -> None:
        ring(*ids)  # type: ignore[arg-type]
        raise DatabaseError

    ring = queue.ring
    monkeypatch.setattr(queue, "ring", fails)
    with pytest.raises(DatabaseError):
        make.receive(cast.a)
    with scope.everything():
        assert not Document.objects.exists()
    assert bells() == []
    monkeypatch.undo()
    document = make.receive(cast.a).document
    assert document.status == "received"
    assert bells() == [notices.HELPED if document.pk.int % 2 else "normal"]


@committing
def test_the_bytes_are_stored_outside_a_transaction(cast: make.Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    open_transactions = []
    save = artifacts.DurableFiles._save

    def looks(self: Any, name: str, content: Any) -> str:
        open_transactions.append(transaction.get_connection().in_atomic_block)
        return save(self, name, content)

    monkeypatch.setattr(artifacts.DurableFiles, "_save", looks)
    make.receive(cast.a)
    assert open_transactions == [False]


@ISOLATED
def test_the_type_can_be_left_to_be_found(cast: make.Cast) -> None:
    named, open_ = make.receive(cast.a).document, make.receive(cast.a, document_type="").document
    assert named.document_type and named.document_type.name == "receipt" and named.type_given
    assert open_.document_type is None and not open_.type_given


# --- Refused ------------------------------------------------------------------------------------------------------

REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("empty_file", {"content": b""}),
    ("unsupported_type", {"content": b"just words"}),
    ("unsupported_type", {"content": b"<svg xmlns='http://www.w3.org/2000/svg'/>"}),
    ("damaged", {"content": b"%PDF-1.7 but no more"}),
    ("damaged", {"content": b"\x89PNG\r\n\x1a\n" + b"\x00" * 40}),
    ("unknown_document_type", {"document_type": "love_letter"}),
    ("unknown_priority", {"priority": "urgent"}),
    ("external_id_invalid", {"external_id": "x" * 201}),
    ("external_id_invalid", {"external_id": "line\nbreak"}),
    ("external_id_invalid", {"external_id": "nul\x00"}),
    ("metadata_too_large", {"metadata": {"note": "x" * 5000}}),
    ("metadata_invalid", {"metadata": {"note": "nul\x00"}}),
    ("metadata_invalid", {"metadata": {"half": "\ud800"}}),
    ("metadata_invalid", {"metadata": {"not": float("nan")}}),
]


@ISOLATED
@pytest.mark.parametrize(("code", "given"), REFUSED, ids=[f"{code}-{n}" for n, (code, _given) in enumerate(REFUSED)])
def test_what_cannot_be_taken_leaves_nothing(cast: make.Cast, code: str, given: dict[str, Any]) -> None:
    with pytest.raises(Unacceptable) as refusal:
        make.receive(cast.a, **given)
    assert refusal.value.code == code
    assert refusal.value.sentence.endswith(".") and "\x00" not in refusal.value.sentence
    assert _nothing_of(cast.a)


@ISOLATED
def test_a_refusal_of_the_type_names_the_types(cast: make.Cast) -> None:
    with pytest.raises(Unacceptable, match="Use one of: bank_statement, .*generic_form, .*receipt"):
        make.receive(cast.a, document_type="love_letter")


@ISOLATED
def test_a_sandbox_that_fails_accepts_nothing(cast: make.Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(path: object) -> None:
        raise sandbox.SandboxFailed("no_answer")

    monkeypatch.setattr(sandbox, "inspect", fails)
    with pytest.raises(sandbox.SandboxFailed):
        make.receive(cast.a)
    assert _nothing_of(cast.a)


@ISOLATED
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_storage_that_fails_accepts_nothing(cast: make.Cast, monkeypatch: pytest.MonkeyPatch, *, before: bool) -> None:
    save = artifacts.DurableFiles._save

    def fails(self: Any, name: str, content: Any) -> str:
        if not before:
            save(self, name, content)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(artifacts.DurableFiles, "_save", fails)
    with pytest.raises(disk.Full, match="no room"):
        make.receive(cast.a, idempotency_key="again")
    assert _nothing_of(cast.a)
    monkeypatch.undo()
    assert not make.receive(cast.a, idempotency_key="again").repeated


@ISOLATED
def test_metadata_may_speak_of_characters_it_may_not_hold(cast: make.Cast) -> None:
    told = {"escape": "\\u0000", "quote": '"', "emoji": "\U0001f600", "deep": {"list": [1, 2.5, None, True]}}
    assert make.reload(make.receive(cast.a, metadata=told).document).metadata == told


# --- File names ---------------------------------------------------------------------------------------------------

NAMES = [
    ("invoice.pdf", "invoice.pdf"),
    ("../../etc/passwd", "passwd"),
    ("/etc/passwd", "passwd"),
    ("C:\\Users\\a\\scan.png", "scan.png"),
    ("nul\x00.png", "nul.png"),
    ("a\r\nSet-Cookie: b.png", "aSet-Cookie: b.png"),
    ("\x1b[31mred.png", "[31mred.png"),
    ("gnp\u202efdp.png", "gnpfdp.png"),
    ("half\ud800.png", "half.png"),
    ("two\u2028lines.png", "twolines.png"),
    ("Größe 数.png", "Größe 数.png"),
    ("<script>alert(1)</script>.png", "script>.png"),
    ("", ""),
    ("..", ".."),
    ("x" * 400 + ".png", "x" * 247 + "….png"),
    ("x" * 400, "x" * 255),
]


@pytest.mark.parametrize(("given", "shown"), NAMES, ids=range(len(NAMES)))
def test_a_file_name_is_only_something_to_show(given: str, shown: str) -> None:
    assert intake.clean_name(given) == shown


@ISOLATED
def test_no_file_name_decides_where_the_bytes_go(cast: make.Cast) -> None:
    for name, shown in NAMES:
        made = make.receive(cast.a, filename=name).document
        assert make.reload(made).filename == shown
        with scope.everything():
            key = made.artifacts.get().key
        assert key == f"raw/{made.received_at:%Y/%m/%d}/{cast.a.pk}/{made.pk}.original"


# --- Duplicates ---------------------------------------------------------------------------------------------------


@ISOLATED
def test_the_same_bytes_are_noticed_within_a_tenant_only(cast: make.Cast) -> None:
    content = make.image()
    other = make.receive(cast.b, content).document
    first = make.receive(cast.a, content).document
    second, third = make.receive(cast.a, content).document, make.receive(cast.a, content).document
    assert (other.duplicate_of, first.duplicate_of) == (None, None)
    assert second.duplicate_of == third.duplicate_of == first.pk
    assert make.trail(second)[0].codes["duplicate_of"] == str(first.pk)
    assert "duplicate_of" not in make.trail(first)[0].codes


# --- Durable files ------------------------------------------------------------------------------------------------


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens to the disk, in order."""
    import os
    import stat
    from pathlib import Path

    seen: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def syncs(descriptor: int) -> None:
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        seen.append("sync folder" if folder else "sync file")
        fsync(descriptor)

    def renames(self: Path, target: Path) -> Path:
        assert self.name.startswith(".writing-") and self.parent == Path(target).parent
        seen.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", syncs)
    monkeypatch.setattr(Path, "replace", renames)
    return seen


def _file(tmp_path: Any) -> artifacts.DurableFiles:
    return artifacts.DurableFiles(location=str(tmp_path), file_permissions_mode=0o600)


def _save(store: artifacts.DurableFiles, name: str, content: bytes) -> str:
    from django.core.files.base import ContentFile

    return str(store.save(name, ContentFile(content)))


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path: Any, watched: list[str]) -> None:
    _save(_file(tmp_path), "a", b"whole")
    assert watched == ["sync file", "rename", "sync folder"]
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"whole")]
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_new_folders_are_on_the_disk_too(tmp_path: Any, watched: list[str]) -> None:
    _save(_file(tmp_path), "raw/2026/a", b"whole")
    assert watched == ["sync file", "rename", *["sync folder"] * 3]  # the file's, and those that hold the new ones


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_write_that_fails_leaves_no_part_of_a_file(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    import os
    from pathlib import Path

    def fails(*args: object) -> None:
        raise OSError(5, "Input/output error")

    _save(_file(tmp_path), "a", b"before")
    monkeypatch.setattr(os if broken == "fsync" else Path, broken, fails)
    with pytest.raises(OSError, match="Input/output"):
        _save(_file(tmp_path), "a", b"after")
    monkeypatch.undo()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"before")]


@ISOLATED
@pytest.mark.parametrize(
    "harm",
    [lambda path: path.unlink(), lambda path: path.write_bytes(b"changed")],
    ids=["gone", "changed"],
)
def test_bytes_that_are_not_the_stored_ones_are_never_given_out(
    cast: make.Cast, settings: Any, harm: Callable[[Any], None]
) -> None:
    made = make.receive(cast.a).document
    with scope.everything():
        original = made.artifacts.get()
    harm(settings.DOCUMENTS_ROOT / original.key)
    with pytest.raises(artifacts.Lost):
        artifacts.read(original)


@ISOLATED
def test_what_lies_under_an_earlier_name_is_read_all_the_same(cast: make.Cast, settings: Any) -> None:
    """Documents used to have a folder each; the row says where the bytes are."""
    content = make.image()
    made = make.receive(cast.a, content).document
    with scope.everything():
        original = made.artifacts.get()
    earlier = original.key.replace(".original", "/original")
    (settings.DOCUMENTS_ROOT / earlier).parent.mkdir()
    (settings.DOCUMENTS_ROOT / original.key).rename(settings.DOCUMENTS_ROOT / earlier)
    with scope.everything():
        Artifact.objects.filter(pk=original.pk).update(key=earlier)
    assert make.stored(made, Artifact.Kind.ORIGINAL) == [content]
    assert make.broken() == []
