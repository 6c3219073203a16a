"""Uploads are refused before a disk is full, and when it is full all the same, nothing is left of them."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError

from ocr import artifacts, disk, lifecycle, watch
from ocr.models import Document
from tenants import scope
from tests import make
from tests.api.calls import DOCUMENTS, problem, upload

pytestmark = pytest.mark.django_db
MIB = 1024 * 1024


def volume(free_mib: int, size_mib: int = 100_000) -> Any:
    def statvfs(folder: object) -> Any:
        return SimpleNamespace(f_frsize=MIB, f_blocks=size_mib, f_bavail=free_mib)

    return statvfs


def nothing() -> bool:
    with scope.everything():
        return not Document.objects.exists()


def uploads(settings: Any) -> list[Path]:
    return list(Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir())


@pytest.mark.parametrize(
    ("free", "size", "coming", "taken"),
    [
        (2048, 100_000, 0, True),
        (2047, 100_000, 0, False),
        (2048, 100_000, 1, False),
        (2558, 100_000, 510 * MIB, True),
        (2557, 100_000, 510 * MIB, False),
        (51, 1_000, 0, True),  # 5 % of a small volume
        (49, 1_000, 0, False),
    ],
)
def test_the_floor(monkeypatch: pytest.MonkeyPatch, *, free: int, size: int, coming: int, taken: bool) -> None:
    monkeypatch.setattr(os, "statvfs", volume(free, size))
    if taken:
        disk.check(coming)
    else:
        with pytest.raises(disk.Full, match=r"no room .* administrator"):
            disk.check(coming)


def test_every_disk_counts_and_none_that_is_not_here(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    temporary, home, full = settings.FILE_UPLOAD_TEMP_DIR, settings.DTAT_HOME, ""

    def statvfs(folder: str) -> Any:
        if folder == f"{home}/postgres" != full:
            raise FileNotFoundError
        return volume(100 if folder == full else 9000)(folder)

    monkeypatch.setattr(os, "statvfs", statvfs)
    disk.check()
    for full in (temporary, str(settings.DOCUMENTS_ROOT), f"{home}/postgres"):  # noqa: B007  statvfs looks at it
        with pytest.raises(disk.Full):
            disk.check()
    settings.STORAGE, full = "s3", str(settings.DOCUMENTS_ROOT)
    disk.check()


def test_rest_is_answered_507_before_the_body_is_read(
    cast: make.Cast, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    before = uploads(settings)
    with monkeypatch.context() as patch:
        patch.setattr(os, "statvfs", volume(100))
        answer = upload(cast.api(), key="k-1")
        told = problem(answer, 507, "storage_full")
    assert answer["Retry-After"] == "60"
    assert "no room" in told["detail"]
    assert (nothing(), make.files(cast.a), uploads(settings)) == (True, [], before)
    assert upload(cast.api(), key="k-1").status_code == 202


def test_the_page_says_it_too(cast: make.Cast, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    before, client = uploads(settings), cast.page(cast.ada)
    monkeypatch.setattr(os, "statvfs", volume(100))

    def send(**headers: str) -> Any:
        file = SimpleUploadedFile("slip.png", make.image(), "image/png")
        return client.post("/documents/upload/", {"file": file}, headers=headers)

    answer = send(Accept="application/json")
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (507, "storage_full", "60")
    assert "no room" in answer.json()["detail"]
    (said,) = get_messages(send().wsgi_request)
    assert "no room" in str(said)
    assert (nothing(), uploads(settings)) == (True, before)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("when", ["file", "folder"])
def test_a_disk_that_fails_while_writing_leaves_nothing(
    cast: make.Cast, monkeypatch: pytest.MonkeyPatch, number: int, when: str
) -> None:
    upload(cast.api(make.key(cast.b)))  # the folders of the day are there
    make.receive(cast.a)
    kept, fsync = make.files(cast.a), os.fsync

    def fails(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").is_dir() == (when == "folder"):
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        problem(upload(cast.api(), key="k-1"), 507, "storage_full")
    assert make.files(cast.a) == kept
    with scope.everything():
        assert Document.objects.filter(tenant=cast.a).count() == 1
    assert upload(cast.api(), key="k-1").status_code == 202


def test_another_error_is_no_full_disk(cast: make.Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(artifacts.DurableFiles, "_save", fails)
    problem(upload(cast.api()), 503, "try_again")
    assert nothing()


class _Cause(Exception):
    pgcode = ""


@pytest.mark.parametrize(("code", "kept"), [("53100", False), ("08006", True)], ids=["full", "connection lost"])
def test_a_database_without_room_refuses_too(
    cast: make.Cast, monkeypatch: pytest.MonkeyPatch, *, code: str, kept: bool
) -> None:
    """After a lost connection nobody knows whether the row is there, so the bytes have to stay."""

    def fails(*args: object, **kwargs: object) -> None:
        cause = _Cause()
        cause.pgcode = code
        raise OperationalError from cause

    monkeypatch.setattr(lifecycle, "begin", fails)
    with pytest.raises(OperationalError if kept else disk.Full):
        make.receive(cast.a)
    assert nothing()
    assert bool(make.files(cast.a)) == kept


def test_readyz_has_a_part_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def part() -> watch.Part:
        (found,) = [each for each in watch.parts() if each.name == "disk"]
        return found

    assert (part().ready, part().says) == (True, "has room")
    monkeypatch.setattr(os, "statvfs", volume(1000))
    assert (part().ready, part().says) == (False, "Uploads are refused: 1048 MiB more have to be free on the disk.")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own of 8 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root can make a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_on_a_real_full_disk(cast: make.Cast, small_disk: Path, settings: Any) -> None:
    settings.DOCUMENTS_ROOT = small_disk
    settings.STORAGES = {
        **settings.STORAGES,
        "documents": {"BACKEND": "ocr.artifacts.DurableFiles", "OPTIONS": {"location": str(small_disk)}},
    }
    assert upload(cast.api()).status_code == 202
    filler = small_disk / "filler"
    filler.write_bytes(bytes(os.statvfs(small_disk).f_bavail * 4096 - 200 * 1024))
    problem(upload(cast.api(), key="k-1"), 507, "storage_full")  # 5 % of 8 MiB are more than 200 KiB
    settings.DISK_FLOOR_MIB = 0
    large = make.image() + bytes(300 * 1024)
    problem(upload(cast.api(), large, key="k-2"), 507, "storage_full")  # by what it says of its length
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disk, "check", lambda coming_bytes=0: None)
        problem(upload(cast.api(), large, key="k-3"), 507, "storage_full")  # by the write itself
    files = [path for path in small_disk.rglob("*") if path.is_file() and path != filler]
    assert len(files) == 1
    with scope.everything():
        assert Document.objects.count() == 1
    filler.unlink()
    for key in ("k-1", "k-2", "k-3"):
        content = make.image() if key == "k-1" else large
        assert upload(cast.api(), content, key=key).status_code == 202
    assert make.broken() == []
    assert DOCUMENTS in upload(cast.api())["Location"]
