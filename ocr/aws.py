"""Shared boto3 clients: the only module that knows boto3."""

from __future__ import annotations

import os
from functools import lru_cache
from threading import Lock
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader, create_loader
from django.conf import settings
from storages.backends.s3 import S3Storage

CONNECT_SECONDS = 5


_making = Lock()


def client(service: str, family: str, *, read_seconds: int, process: int, endpoint: str | None = None) -> Any:
    """One client per service, operation family and process: they share no connection after a fork, and no retry budget.

    One HTTP request per call: what is retried, and when, the pipeline decides (a lost answer may have been billed). Threads that ask
    for a new one at the same time get the same: making it takes a tenth of a second and several MB.
    """
    with _making:
        return _client(service, family, read_seconds=read_seconds, process=process, endpoint=endpoint)


def forget() -> None:
    """Make new clients from now on, with what the environment says then."""
    _client.cache_clear()
    _session.cache_clear()


@lru_cache(maxsize=16)
def _client(service: str, family: str, *, read_seconds: int, process: int, endpoint: str | None) -> Any:
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds,
        retries={"mode": "standard", "total_max_attempts": 1},
        max_pool_connections=max(50, settings.READER_CALLS),  # a reader keeps one for each call
        user_agent_extra="dtat-ocr",
    )
    if endpoint is None:
        return _session(process, settings.AWS_REGION).client(service, config=config)
    # Not AWS: it gets a signature, as the protocol wants, and none of our names or keys.
    other = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "aws_session_token": None}
    return _session(process, settings.AWS_REGION).client(service, config=config, endpoint_url=endpoint, **other)


@lru_cache(maxsize=4)
def _session(process: int, region: str) -> Any:
    """One for all clients of a process."""
    core = botocore.session.get_session()
    core.register_component("data_loader", _descriptions())
    return boto3.session.Session(region_name=region, botocore_session=core)


@lru_cache(maxsize=1)
def _descriptions() -> Loader:
    """The descriptions of the services, which are the most that a client holds: the same for all of them."""
    loader: Loader = create_loader(botocore.session.Session().get_config_variable("data_path"))
    return loader


def load(service: str) -> None:
    """Read the descriptions that clients of this service are made from, so that processes forked from this one share them."""
    for name in ("service-2", "endpoint-rule-set-1"):
        _descriptions().load_service_model(service, name)
    for name in ("endpoints", "partitions", "_retry", "sdk-default-configuration"):
        _descriptions().load_data(name)


def textract(family: str) -> Any:
    """The Textract client of an operation family ("start", "get" or "sync"); AWS_ENDPOINT_URL_TEXTRACT redirects it."""
    return client("textract", family, read_seconds=settings.TEXTRACT_READ_SECONDS, process=os.getpid())


def witness() -> Any:
    """The client of the second witness, which speaks Textract's JSON at DTAT_WITNESS_URL. It is no service of AWS."""
    return client("textract", "witness", read_seconds=30, process=os.getpid(), endpoint=settings.WITNESS_URL)


def s3() -> Any:
    """The S3 client that fetches what manifests name."""
    return client("s3", "fetch", read_seconds=10, process=os.getpid())


def sqs() -> Any:
    """The SQS client that waits for word from Textract; AWS_ENDPOINT_URL_SQS redirects it."""
    return client("sqs", "notices", read_seconds=30, process=os.getpid())


def events() -> Any:
    """The EventBridge client."""
    return client("events", "put", read_seconds=10, process=os.getpid())


class DocumentBucket(S3Storage):  # type: ignore[misc]  # django-storages is untyped
    """Documents in S3: private, encrypted (KMS when a key is named), never overwritten by another name."""

    def get_default_settings(self) -> dict[str, Any]:
        encryption = (
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": settings.KMS_KEY_ID} if settings.KMS_KEY_ID else {}
        )
        defaults: dict[str, Any] = super().get_default_settings()
        return defaults | {
            "bucket_name": settings.BUCKET,
            "region_name": settings.AWS_REGION,
            "default_acl": None,
            "querystring_auth": True,
            "querystring_expire": 60,
            "file_overwrite": True,
            "signature_version": "s3v4",
            "object_parameters": encryption or {"ServerSideEncryption": "AES256"},
        }

    def version_of(self, name: str) -> str:
        """The object's version in a versioned bucket, else ''."""
        version = self.bucket.Object(name).version_id
        return "" if version in {None, "null"} else str(version)
