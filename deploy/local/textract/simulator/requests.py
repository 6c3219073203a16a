"""What a caller asked, read without unpacking the document more than is needed."""

import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from deploy.local.textract import inputs
from deploy.local.textract.inputs import S3Object
from deploy.local.textract.refusals import Refusal, invalid, too_large
from deploy.local.textract.stores import SYNC_BYTES

Json = dict[str, Any]

SMALL_BODY = 16 << 10
_BYTES = re.compile(rb'"Bytes"\s*:\s*"')


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was named or sent. `name` stands for it in the books: the sha256 of its bytes, or its address.

    `content` is what is known of its `size` bytes: all of them, or the first ones.
    """

    name: str
    content: bytes | None
    size: int
    place: S3Object | None

    @property
    def key(self) -> str:
        """The object's key; the sha256 of a document that was sent."""
        return self.place.name if self.place else self.name


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes that came with a call, or the first of them."""

    known: bytes
    size: int


def read(body: bytearray, *, most: int = 0) -> tuple[Json, Content | None]:
    """The request's members, and the document's bytes if they came with it and are large; `most` of them (0: all).

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
    with memoryview(body) as view:
        return members, _decoded(view[start:end], most)


def _decoded(base64: memoryview, most: int) -> Content:
    if len(base64) > (SYNC_BYTES + 2) // 3 * 4 + 4:
        raise too_large("Bytes is over 10 MB. Store the document in a bucket and start an asynchronous job.")
    size = len(base64) // 4 * 3 - bytes(base64[-2:]).count(b"=")
    if most:
        base64 = base64[: (most + 2) // 3 * 4]
    try:
        return Content(binascii.a2b_base64(base64, strict_mode=True), size)
    except binascii.Error as error:
        raise Refusal("SerializationException", "Bytes must be base64.") from error


def document(members: Json, content: Content | None) -> Document:
    """The document of a synchronous call; of AnalyzeID's one or two pages the first stands for both."""
    given = members.get("Document")
    if content is not None and isinstance(given, dict):
        if given.get("S3Object") is not None:
            raise invalid("Document takes exactly one of Bytes and S3Object.")
        return _sent(content)
    found = inputs.document(members if given is not None else {"Document": _first_page(members)})
    return _sent(Content(found, len(found))) if isinstance(found, bytes) else stored(found)


def _first_page(members: Json) -> Any:
    pages = members.get("DocumentPages")
    if pages is None:
        return None
    if not isinstance(pages, list) or not 1 <= len(pages) <= 2:
        raise invalid("DocumentPages takes one or two documents.")
    return pages[0]


def _sent(content: Content) -> Document:
    return Document(hashlib.sha256(content.known).hexdigest(), content.known, content.size, None)


def stored(place: S3Object) -> Document:
    """A document in a bucket."""
    version = f"?versionId={place.version}" if place.version else ""
    return Document(f"s3://{place.bucket}/{place.name}{version}", None, 0, place)
