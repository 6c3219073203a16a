"""Documents in S3: encrypted, pinned to the version that was checked, given back as they came."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from ocr import artifacts, aws
from ocr.models import Artifact
from tenants import scope
from tests import make
from tests.engine import START, Engine

pytestmark = pytest.mark.django_db
BUCKET = "documents-of-tests"
KEY_ID = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def bucket(settings: Any, engine: Engine) -> Iterator[Any]:
    """A versioned bucket that the product keeps its documents in."""
    with mock_aws(config={"core": {"mock_credentials": False, "passthrough": {"urls": [r"http://127\.0\.0\.1.*"]}}}):
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        settings.STORAGE, settings.BUCKET, settings.KMS_KEY_ID = "s3", BUCKET, KEY_ID
        settings.STORAGES = {**settings.STORAGES, "documents": {"BACKEND": "ocr.aws.DocumentBucket", "OPTIONS": {}}}
        aws.forget()
        yield s3
    aws.forget()


def _key(made: Any, kind: str = "original") -> str:
    with scope.everything():
        return str(made.artifacts.get(kind=kind).key)


def test_the_upload_is_encrypted_and_comes_back_as_it_was(cast: make.Cast, bucket: Any) -> None:
    content = make.image()
    made = make.receive(cast.a, content).document
    key = _key(made)
    head = bucket.head_object(Bucket=BUCKET, Key=key)
    assert key == f"raw/{made.received_at:%Y/%m/%d}/{cast.a.pk}/{made.pk}.original"
    assert head["ServerSideEncryption"] == "aws:kms" and head["SSEKMSKeyId"].endswith(KEY_ID)
    assert make.stored(made, Artifact.Kind.ORIGINAL) == [content]


def test_without_a_key_the_bucket_encrypts_all_the_same(cast: make.Cast, bucket: Any, settings: Any) -> None:
    settings.KMS_KEY_ID = ""
    made = make.receive(cast.a).document
    assert bucket.head_object(Bucket=BUCKET, Key=_key(made))["ServerSideEncryption"] == "AES256"


def test_textract_is_pointed_at_the_version_that_was_checked(cast: make.Cast, bucket: Any, engine: Engine) -> None:
    made = make.receive(cast.a).document
    key = _key(made)
    version = bucket.head_object(Bucket=BUCKET, Key=key)["VersionId"]
    make.advance(made)
    assert engine.calls[0].operation == START
    asked = engine.calls[0].arguments["DocumentLocation"]["S3Object"]
    assert asked == {"Bucket": BUCKET, "Name": key, "Version": version}


def test_everything_of_a_document_lies_in_the_bucket(cast: make.Cast, bucket: Any, engine: Engine) -> None:
    made = make.document(cast.a, "approved")
    stored = {entry["Key"] for entry in bucket.list_objects_v2(Bucket=BUCKET)["Contents"]}
    with scope.everything():
        assert stored == set(made.artifacts.values_list("key", flat=True))
    assert {key.split("/")[0] for key in stored} == {"raw", "engine", "results"}
    assert make.broken() == []


def test_an_object_that_is_gone_or_changed_is_told(cast: make.Cast, bucket: Any) -> None:
    gone, changed = make.receive(cast.a).document, make.receive(cast.a).document
    bucket.delete_object(Bucket=BUCKET, Key=_key(gone))
    bucket.put_object(Bucket=BUCKET, Key=_key(changed), Body=b"changed")
    for made in (gone, changed):
        with pytest.raises(artifacts.Lost):
            make.stored(made, Artifact.Kind.ORIGINAL)


def test_a_bucket_that_refuses_accepts_nothing(cast: make.Cast, bucket: Any, settings: Any) -> None:
    settings.BUCKET = "somebody-elses"
    with pytest.raises(ClientError):
        make.receive(cast.a)
    with scope.everything():
        assert not Artifact.objects.exists()


def _point_at(settings: Any, bucket: str) -> None:
    settings.BUCKET = bucket
    settings.STORAGES = dict(settings.STORAGES)  # makes Django forget the storage that it made


def test_a_bucket_that_fails_later_is_waited_for(cast: make.Cast, bucket: Any, engine: Engine, settings: Any) -> None:
    made = make.document(cast.a, "reading")
    _point_at(settings, "somebody-elses")
    after = make.advance(made)
    assert (after.status, after.error_code, after.attempts) == ("reading", "storage_or_database", 1)
    _point_at(settings, BUCKET)
    assert make.run(made).status == "approved"
