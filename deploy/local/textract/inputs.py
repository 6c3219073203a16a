"""What callers may ask, checked: botocore enforces neither lengths nor patterns nor enums, so this must."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.local.textract.refusals import Refusal, invalid, too_large
from deploy.local.textract.stores import SYNC_BYTES

FEATURES = ("TABLES", "FORMS", "QUERIES", "SIGNATURES", "LAYOUT")
SYNC_QUERIES = 15
MAX_RESULTS = 1000
TOKEN = re.compile(r"[a-zA-Z0-9\-_]{1,64}")
JOB_TAG = re.compile(r"[a-zA-Z0-9_.\-:]{1,64}")
TOPIC = re.compile(r"(?=.{20,1024}$)arn:[a-z\-]+:sns:[a-z0-9\-]+:\d{12}:[a-zA-Z0-9\-_.]+")
ROLE = re.compile(r"(?=.{20,2048}$)arn:[a-z\-]+:iam::\d{12}:role/.+")
BUCKET = re.compile(r"[0-9A-Za-z.\-_]{3,255}")
NOT_BLANK = re.compile(r"(?=.*\S).{1,1024}", re.DOTALL)
QUERY_TEXT = re.compile(r"[a-zA-Z0-9\s!\"#$%'&()*+,\-./:;=?@\[\\\]^_`{|}~><]{1,200}")
QUERY_PAGES = re.compile(r"([1-9][0-9]*)(?:-([1-9][0-9]*|\*))?")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class S3Object:
    """Where a document lies."""

    bucket: str
    name: str
    version: str | None


@dataclass(frozen=True, slots=True)
class Query:
    """A question and the pages it is asked for, as ranges (an end of None is the last page)."""

    text: str
    alias: str | None
    pages: tuple[tuple[int, int | None], ...]

    def asks(self, page: int) -> bool:
        return any(first <= page and (last is None or page <= last) for first, last in self.pages)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which features are wanted; none of them is plain text detection."""

    features: frozenset[str]
    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Start:
    """A job to start. `parameters` is a hash of all but the token; `output` a bucket and prefix for the results;
    `topic` where its end is told."""

    place: S3Object
    asked: Asked
    token: str | None
    output: tuple[str, str] | None
    parameters: str
    tag: str | None = None
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Get:
    """Which results are wanted."""

    job_id: str
    max_results: int
    next_token: str | None


def read_json(body: bytes) -> dict[str, Any]:
    """The request's members. Raises Refusal (SerializationException) when the body is no JSON object."""
    try:
        parsed = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise Refusal(
            "SerializationException", "The body is not JSON. Send an application/x-amz-json-1.1 body."
        ) from error
    if not isinstance(parsed, dict):
        raise Refusal("SerializationException", "The body must be a JSON object.")
    return parsed


def document(body: Json) -> bytes | S3Object:
    """The document of a synchronous call: its bytes, or where it lies."""
    given = _member(body, "Document", dict)
    if given is None:
        raise invalid("Document is missing.")
    content, place = _member(given, "Bytes", str), _member(given, "S3Object", dict)
    if (content is None) == (place is None):
        raise invalid("Document takes exactly one of Bytes and S3Object.")
    if place is not None:
        return _s3_object(place)
    assert content is not None
    return _decoded(content)


def detection() -> Asked:
    """Plain text detection."""
    return Asked(frozenset(), ())


def analysis(body: Json, *, at_once: bool) -> Asked:
    """The features and queries of an analysis; `at_once` applies the limits of synchronous calls."""
    _refuse_member(body, "AdaptersConfig", "Adapters are trained models of an AWS account and are not had here.")
    _refuse_member(body, "HumanLoopConfig", "Human review loops of AWS are not started here.")
    features = _member(body, "FeatureTypes", list)
    if not features:
        raise invalid(f"FeatureTypes must name at least one of {', '.join(FEATURES)}.")
    unknown = [feature for feature in features if feature not in FEATURES]
    if unknown:
        raise invalid(f"{unknown[0]!r} is no feature. FeatureTypes takes {', '.join(FEATURES)}.")
    return Asked(frozenset(features), _queries(body, wanted="QUERIES" in features, at_once=at_once))


def start(body: Json, asked: Asked, *, notifies: bool = False) -> Start:
    """A job to start, checked. `notifies`: whether a NotificationChannel is served, and a KMSKeyId is let pass."""
    if not notifies:
        why = "Notifications are not sent by this mode. Poll with the Get operation."
        _refuse_member(body, "NotificationChannel", why)
    if not notifies and _member(body, "KMSKeyId", str) is not None:
        raise Refusal("InvalidKMSKeyException", "There are no KMS keys here. Leave KMSKeyId out.")
    location = _member(body, "DocumentLocation", dict)
    place = _member(location or {}, "S3Object", dict)
    if place is None:
        raise invalid("DocumentLocation must name an S3Object.")
    tag = _matching(body, "JobTag", JOB_TAG, "letters, digits and _ . - :, at most 64 of them")
    token = _matching(body, "ClientRequestToken", TOKEN, "letters, digits, - and _, at most 64 of them")
    rest = {name: value for name, value in body.items() if name != "ClientRequestToken"}
    parameters = hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
    return Start(_s3_object(place), asked, token, _output(body), parameters, tag, _topic(body))


def get(body: Json) -> Get:
    """Which results are wanted, checked; a MaxResults over 1,000 is cut without a word, as AWS does."""
    job_id = _matching(body, "JobId", TOKEN, "letters, digits, - and _, at most 64 of them")
    if job_id is None:
        raise invalid("JobId is missing.")
    wanted = body.get("MaxResults")
    if wanted is not None and (isinstance(wanted, bool) or not isinstance(wanted, int)):
        raise Refusal("SerializationException", "MaxResults must be a whole number.")
    if wanted is not None and wanted < 1:
        raise invalid("MaxResults must be 1 or more.")
    token = _matching(body, "NextToken", NOT_BLANK, "not blank and at most 1,024 characters")
    return Get(job_id, min(wanted or MAX_RESULTS, MAX_RESULTS), token)


def _member(body: Json, name: str, kind: type[Any]) -> Any:
    value = body.get(name)
    if value is not None and not isinstance(value, kind):
        said = {"dict": "a structure", "list": "a list", "str": "a string"}[kind.__name__]
        raise Refusal("SerializationException", f"{name} must be {said}.")
    return value


def _refuse_member(body: Json, name: str, why: str) -> None:
    if body.get(name) is not None:
        raise invalid(f"{why} Leave {name} out.")


def _matching(body: Json, name: str, pattern: re.Pattern[str], said: str) -> str | None:
    value: str | None = _member(body, name, str)
    if value is not None and not pattern.fullmatch(value):
        raise invalid(f"{name} must be {said}.")
    return value


def _decoded(content: str) -> bytes:
    if len(content) > (SYNC_BYTES + 2) // 3 * 4 + 4:
        raise too_large("Bytes is over 10 MB. Store the document in a bucket and start an asynchronous job.")
    try:
        decoded = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal("SerializationException", "Bytes must be base64.") from error
    if not decoded:
        raise invalid("Bytes is empty. Send the document.")
    return decoded


def _s3_object(place: Json) -> S3Object:
    bucket = _matching(place, "Bucket", BUCKET, "3 to 255 letters, digits and . - _")
    name = _matching(place, "Name", NOT_BLANK, "not blank and at most 1,024 characters")
    version = _matching(place, "Version", NOT_BLANK, "not blank and at most 1,024 characters")
    if bucket is None or name is None:
        raise invalid("S3Object needs Bucket and Name.")
    return S3Object(bucket, name, version)


def _output(body: Json) -> tuple[str, str] | None:
    given = _member(body, "OutputConfig", dict)
    if given is None:
        return None
    bucket = _matching(given, "S3Bucket", BUCKET, "3 to 255 letters, digits and . - _")
    prefix = _matching(given, "S3Prefix", NOT_BLANK, "not blank and at most 1,024 characters")
    if bucket is None:
        raise invalid("OutputConfig needs S3Bucket.")
    return bucket, prefix or "textract_output"


def _topic(body: Json) -> str | None:
    given = _member(body, "NotificationChannel", dict)
    if given is None:
        return None
    topic = _matching(given, "SNSTopicArn", TOPIC, "the ARN of an SNS topic")
    if topic is None or _matching(given, "RoleArn", ROLE, "the ARN of an IAM role") is None:
        raise invalid("NotificationChannel needs SNSTopicArn and RoleArn.")
    return topic


def _queries(body: Json, *, wanted: bool, at_once: bool) -> tuple[Query, ...]:
    config = _member(body, "QueriesConfig", dict)
    if wanted != (config is not None):
        raise invalid("QueriesConfig goes with the feature QUERIES, and only with it.")
    if config is None:
        return ()
    given = _member(config, "Queries", list)
    if not given:
        raise invalid("QueriesConfig needs at least one query.")
    queries = tuple(_query(one) for one in given)
    if at_once and len(queries) > SYNC_QUERIES:
        raise invalid(f"A page takes at most {SYNC_QUERIES} queries in a synchronous call; {len(queries)} were sent.")
    return queries


def _query(given: Any) -> Query:
    if not isinstance(given, dict):
        raise Refusal("SerializationException", "Each query must be a structure.")
    said = "1 to 200 plain English characters"
    text = _matching(given, "Text", QUERY_TEXT, said)
    if text is None:
        raise invalid("Each query needs Text.")
    pages = _member(given, "Pages", list)
    if pages is not None and not pages:
        raise invalid("Pages of a query is empty. Leave it out or name a page.")
    return Query(text, _matching(given, "Alias", QUERY_TEXT, said), _pages(pages or ["1"]))


def _pages(given: Sequence[Any]) -> tuple[tuple[int, int | None], ...]:
    if given == ["*"]:
        return ((1, None),)
    ranges = []
    for page in given:
        match = QUERY_PAGES.fullmatch(page) if isinstance(page, str) and len(page) <= 9 else None
        if not match:
            raise invalid(f'{page!r} names no pages. Use "*" alone, "3", "1-3" or "4-*".')
        first, last = int(match[1]), match[2]
        end = None if last == "*" else int(last or first)
        if end is not None and end < first:
            raise invalid(f"{page!r} names no pages: it ends before it begins.")
        ranges.append((first, end))
    return tuple(ranges)
