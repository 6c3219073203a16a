"""Files come only from where the operator allows, as a whole, and never from outside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from dtat_site import checks
from ocr import aws, sources
from ocr.sources import Busy, Missing, Place


@pytest.mark.parametrize(
    ("rules", "tenant", "place", "yes"),
    [
        (["alder:scans"], "alder", Place("scans", "a.pdf"), True),
        (["alder:scans"], "birch", Place("scans", "a.pdf"), False),
        (["alder:scans"], "alder", Place("scans2", "a.pdf"), False),
        (["*:scans"], "birch", Place("scans", "a.pdf"), True),
        (["alder:scans/in"], "alder", Place("scans", "in/a.pdf"), True),
        (["alder:scans/in/"], "alder", Place("scans", "in/a.pdf"), True),
        (["alder:scans/in"], "alder", Place("scans", "inside/a.pdf"), False),
        (["alder:scans/in"], "alder", Place("scans", "a.pdf"), False),
        (["*:{tenant}"], "alder", Place("alder", "a.pdf"), True),
        (["*:{tenant}"], "alder", Place("birch", "a.pdf"), False),
        (["*:all/{tenant}"], "alder", Place("all", "alder/a.pdf"), True),
        (["*:all/{tenant}"], "alder", Place("all", "alder2/a.pdf"), False),
        (["*:all/{tenant}"], "alder", Place("all", "birch/a.pdf"), False),
        ([], "alder", Place("alder", "a.pdf"), False),
    ],
)
def test_only_what_is_on_the_list_is_allowed(
    settings: Any, rules: list[str], tenant: str, place: Place, *, yes: bool
) -> None:
    settings.MANIFEST_BUCKETS = rules
    assert sources.allowed(place, tenant=tenant) is yes


def test_the_bucket_of_the_documents_is_never_allowed(settings: Any) -> None:
    settings.STORAGE, settings.BUCKET, settings.MANIFEST_BUCKETS = "s3", "documents", ["*:{tenant}"]
    assert not sources.allowed(Place("documents", "raw/x"), tenant="documents")


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        ({"MANIFEST_BUCKETS": ["*:{tenant}", "alder:a.b-c/in"]}, []),
        ({"MANIFEST_BUCKETS": ["scans"]}, ["dtat.E021"]),
        ({"MANIFEST_BUCKETS": ["alder:../x"]}, ["dtat.E021"]),
        ({"MANIFEST_BUCKETS": ["alder:docs"], "STORAGE": "s3", "BUCKET": "docs"}, ["dtat.E022"]),
        ({"IMPORTS_ROOT": Path("/srv"), "DOCUMENTS_ROOT": Path("/srv/documents")}, ["dtat.E023"]),
    ],
)
def test_a_list_that_would_open_too_much_stops_the_start(settings: Any, values: dict[str, Any], ids: list[str]) -> None:
    for name, value in values.items():
        setattr(settings, name, value)
    assert [found.id for found in checks.manifests(None)] == ids


# --- Folders ------------------------------------------------------------------------------------------------------


def test_a_file_of_the_folder_is_fetched(folder: Path, tmp_path: Path) -> None:
    (folder / "in").mkdir()
    (folder / "in" / "ä.pdf").write_bytes(b"x" * 3_000_000)
    sources.fetch(Place("alder", "in/ä.pdf"), tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"x" * 3_000_000


def _outside(folder: Path) -> None:
    (folder.parent / "secret").write_bytes(b"secret")
    (folder / "link").symlink_to(folder.parent / "secret")
    (folder / "linked").symlink_to(folder.parent)
    (folder.parent / "lost").symlink_to("/etc")
    os.mkfifo(folder / "pipe")
    (folder / "inner").mkdir()


@pytest.mark.parametrize(
    "place",
    [
        Place("alder", "../secret"), Place("alder", "link"), Place("alder", "linked/secret"), Place("alder", "/etc/passwd"),
        Place("alder", "pipe"), Place("alder", "inner"), Place("alder", "none"), Place("lost", "passwd"), Place("..", "x"),
        Place(".", "alder/none"), Place("alder", "inner/none/none"),
    ],
    ids=str,
)  # fmt: skip
def test_nothing_else_is(folder: Path, tmp_path: Path, place: Place) -> None:
    _outside(folder)
    with pytest.raises(Missing) as caught:
        sources.fetch(place, tmp_path / "out")
    assert caught.value.code == "object_missing"
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_too_large_is_not_copied(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MOST_BYTES", 10)
    (folder / "a").write_bytes(b"x" * 11)
    with pytest.raises(Missing, match="Split it") as caught:
        sources.fetch(Place("alder", "a"), tmp_path / "out")
    assert caught.value.code == "file_too_large"


# --- S3 -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def bucket(settings: Any) -> Iterator[Any]:
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="scans")
        s3.put_bucket_versioning(Bucket="scans", VersioningConfiguration={"Status": "Enabled"})
        settings.STORAGE = "s3"
        aws.forget()
        yield s3
    aws.forget()


def test_an_object_is_fetched_in_the_version_asked_for(bucket: Any, tmp_path: Path) -> None:
    first = bucket.put_object(Bucket="scans", Key="a b/ä.pdf", Body=b"first")["VersionId"]
    bucket.put_object(Bucket="scans", Key="a b/ä.pdf", Body=b"second")
    for version, content in (("", b"second"), (first, b"first")):
        sources.fetch(Place("scans", "a b/ä.pdf", version), tmp_path / "out")
        assert (tmp_path / "out").read_bytes() == content


@pytest.mark.parametrize(
    "place", [Place("scans", "none"), Place("none", "a"), Place("scans", "a", "nonsense")], ids=str
)
def test_an_object_that_is_not_there_is_missing(bucket: Any, tmp_path: Path, place: Place) -> None:
    bucket.put_object(Bucket="scans", Key="a", Body=b"x")
    with pytest.raises(Missing) as caught:
        sources.fetch(place, tmp_path / "out")
    assert caught.value.code == "object_missing"


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("AccessDenied", "object_forbidden"),
        ("KMS.DisabledException", "object_forbidden"),
        ("SlowDown", ""),
        ("InternalError", ""),
    ],
)
def test_what_passes_is_told_from_what_does_not(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, outcome: str
) -> None:
    from botocore.exceptions import ClientError

    class Store:
        def get_object(self, **named: Any) -> Any:
            raise ClientError({"Error": {"Code": code, "Message": ""}}, "GetObject")

    settings.STORAGE = "s3"
    monkeypatch.setattr(aws, "s3", Store)
    with pytest.raises(Missing if outcome else Busy) as caught:
        sources.fetch(Place("scans", "a"), tmp_path / "out")
    assert getattr(caught.value, "code", "") == outcome
