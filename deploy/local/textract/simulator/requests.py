"""What a caller asked, read without unpacking the document more than is needed."""

import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from deploy.local.textract import inputs
from deploy.local.textract.inputs import Asked, S3Object
from deploy.local.textract.refusals import Refusal, invalid, too_large
from deploy.local.textract.stores import SYNC_BYTES

Json = dict[str, Any]

SMALL_BODY = 16 << 10
_BYTES = re.compile(rb'"Bytes"\s*:\s*"')


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was named or sent. `name` stands for it in the books: the sha256 of its bytes, or its address."""

    name: str
    content: bytes | None
    place: S3Object | None

    @property
    def key(self) -> str:
        """The object's key; the sha256 of a document that was sent."""
        return self.place.name if self.place else self.name


@dataclass(frozen=True, slots=True)
class AtOnce:
    """A synchronous call."""

    documents: tuple[Document, ...]
    asked: Asked


def read(body: bytearray) -> tuple[Json, bytes | None]:
    """The request's members, and the document's bytes if they came with it and are large.

    Base64 of megabytes is cut out before the JSON is read: parsing it as a text would cost more than all the rest.
    """
    found = _BYTES.search(body) if len(body) > SMALL_BODY else None
    if found is None:
        return inputs.read_json(bytes(body)), None
    start = found.end()
    end = body.find(b'"', start)
    if end < 0:
        raise Refusal("SerializationException", "The body is not JSON. Send an application/x-amz-json-1.1 body.")
    members = inputs.read_json(bytes(body[:start] + body[end:]))
    document = members.get("Document")
    if not isinstance(document, dict) or document.get("Bytes") != "":
        return inputs.read_json(bytes(body)), None  # those were not the document's bytes, or an escape is in them
    return members, _decoded(memoryview(body)[start:end])


def _decoded(base64: memoryview) -> bytes:
    if len(base64) > (SYNC_BYTES + 2) // 3 * 4 + 4:
        raise too_large("Bytes is over 10 MB. Store the document in a bucket and start an asynchronous job.")
    try:
        return binascii.a2b_base64(base64, strict_mode=True)
    except binascii.Error as error:
        raise Refusal("SerializationException", "Bytes must be base64.") from error


def document(members: Json, content: bytes | None) -> Document:
    """The document of a synchronous call."""
    given = members.get("Document")
    if content is not None and isinstance(given, dict):
        if given.get("S3Object") is not None:
            raise invalid("Document takes exactly one of Bytes and S3Object.")
        return sent(content)
    found = inputs.document(members)
    return sent(found) if isinstance(found, bytes) else stored(found)


def sent(content: bytes) -> Document:
    """A document that came with the call."""
    return Document(hashlib.sha256(content).hexdigest(), content, None)


def stored(place: S3Object) -> Document:
    """A document in a bucket."""
    version = f"?versionId={place.version}" if place.version else ""
    return Document(f"s3://{place.bucket}/{place.name}{version}", None, place)
