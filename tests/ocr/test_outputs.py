"""Long answers that Textract writes to the document storage: fetched part by part, whole or not at all, and left nowhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ocr import artifacts, aws, outputs, pipeline
from ocr.models import Artifact, Document
from tests import engine as stub
from tests import make
from tests.engine import GET, START, Call, Engine, Page
from tests.textract_endpoint.running import BUCKET, Endpoint

pytestmark = pytest.mark.django_db
PAGES = tuple(Page.of(f"Heading {number}", f"Total: {number}.00", "Thank you very much") for number in range(1, 4))
PART = 3  # blocks in one written part


class Written:
    """Has the engine write each job's answer to the storage, with `change` made to its parts (name -> content) before."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.parts: dict[str, bytes] = {}
        self.folder = ""
        engine.reads(*PAGES)
        engine.on_call = self._look

    def change(self, parts: dict[str, bytes]) -> None:
        """For tests to replace."""

    def _look(self, call: Call) -> None:
        if not call.operation.startswith("Get") or self.folder:
            return
        asked = next(each for each in self.engine.calls if each.operation == START).arguments["OutputConfig"]
        self.folder = f"{asked['S3Prefix']}/{call.arguments['JobId']}"
        self.parts = {".s3_access_check": b"", **_parts()}
        self.change(self.parts)
        for name, content in self.parts.items():
            path = Path(artifacts.storage().location) / self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def _parts() -> dict[str, bytes]:
    every = stub.blocks(PAGES)
    parts = [every[start : start + PART] for start in range(0, len(every), PART)]
    head = {
        "JobStatus": "SUCCEEDED",
        "DocumentMetadata": {"Pages": len(PAGES)},
        "AnalyzeDocumentModelVersion": "stub-1",
    }
    return {str(number): json.dumps(head | {"Blocks": part}).encode() for number, part in enumerate(parts, start=1)}


@pytest.fixture
def written(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Written:
    monkeypatch.setattr(outputs, "ABOVE_PAGES", 2)
    monkeypatch.setattr(pipeline, "OUTPUTS_AT_ONCE", 4)
    return Written(engine)


def _made(cast: make.Cast) -> Document:
    return make.receive(cast.a, make.pdf(len(PAGES)), document_type="generic_form").document


def _left(cast: make.Cast) -> list[str]:
    return [key for key in make.files(cast.a) if key.startswith(outputs.FOLDER)]


@pytest.mark.parametrize(("pages", "storage", "endpoint", "is_wanted"), [
    (20, "s3", "", False), (21, "s3", "", True), (21, "files", "http://127.0.0.1:1", True), (21, "files", "", False),
])  # fmt: skip
def test_only_long_answers_that_can_be_fetched_are_written(
    settings: Any, cast: make.Cast, pages: int, storage: str, endpoint: str, *, is_wanted: bool
) -> None:  # fmt: skip
    settings.STORAGE, settings.TEXTRACT_ENDPOINT, settings.KMS_KEY_ID = storage, endpoint, "key-1"
    document = Document(tenant=cast.a, page_count=pages)
    found = outputs.wanted(document)
    assert bool(found) is is_wanted
    if is_wanted:
        prefix = f"engine-output/{cast.a.pk}/{document.pk}"
        assert found["OutputConfig"] == {"S3Bucket": settings.BUCKET, "S3Prefix": prefix}
        assert found.get("KMSKeyId") == ("key-1" if storage == "s3" else None)


def test_a_long_answer_is_fetched_from_storage(cast: make.Cast, written: Written, engine: Engine) -> None:
    made = _made(cast)
    after = make.run(made)
    assert after.status in {"approved", "needs_review"}
    gets = [call.arguments for call in engine.calls if call.operation == GET]
    assert [call["MaxResults"] for call in gets] == [1]
    parts = [content for name, content in written.parts.items() if name.isdecimal()]
    assert len(parts) > 9 and make.stored(made, Artifact.Kind.RAW) == parts  # by number, not by name: 2 before 10
    assert _left(cast) == []
    assert make.broken() == []


def test_it_reads_as_if_it_had_been_asked_for(
    cast: make.Cast, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = make.run(_made(cast))
    monkeypatch.setattr(outputs, "ABOVE_PAGES", 20)
    asked = make.run(_made(cast))
    assert _fields(fetched) == _fields(asked) and _fields(asked)


def _fields(made: Document) -> list[tuple[str, str]]:
    from ocr.models import Field
    from tenants import scope

    with scope.everything():
        return sorted(Field.objects.filter(document=made).values_list("name", "value"))


BROKEN = {
    "nothing": lambda parts: parts.clear(),
    "only the marker": lambda parts: [parts.pop(name) for name in list(parts) if name.isdecimal()],
    "one is missing": lambda parts: parts.pop("3"),
    "the first is missing": lambda parts: parts.pop("1"),
    "the last is missing": lambda parts: parts.pop(str(len(parts) - 1)),
    "cut": lambda parts: parts.update({"6": parts["6"][:40]}),
    "html": lambda parts: parts.update({"6": b"<html></html>"}),
    "another document's": lambda parts: parts.update({"6": parts["6"].replace(b'"Pages": 3', b'"Pages": 4')}),
    "twice the same": lambda parts: parts.update({"2": parts["1"]}),
    "far too many": lambda parts: parts.update({str(number): b"{}" for number in range(1, 90)}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_without_a_whole_answer_there_textract_is_asked_for_it(
    cast: make.Cast, written: Written, engine: Engine, name: str
) -> None:
    written.change = BROKEN[name]  # type: ignore[method-assign]
    made = _made(cast)
    after = make.run(made)
    assert after.status in {"approved", "needs_review"}
    assert [call.arguments["MaxResults"] for call in engine.calls if call.operation == GET] == [1, 1000]
    assert engine.count(START) == 1 and engine.billed_pages() == len(PAGES)
    (whole,) = make.stored(made, Artifact.Kind.RAW)
    assert len(json.loads(whole)["Blocks"]) == len(stub.blocks(PAGES))
    assert make.broken() == []


@pytest.mark.parametrize("after", [1, 2, 5, 7])
def test_a_worker_that_dies_between_parts_is_followed_by_one_that_goes_on(
    cast: make.Cast, written: Written, engine: Engine, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    real, seen = outputs.read, []

    def dies(run: Any, part: int) -> bytes:
        seen.append(part)
        if len(seen) == after:
            raise KeyboardInterrupt
        return real(run, part)

    monkeypatch.setattr(outputs, "read", dies)
    made = _made(cast)
    with pytest.raises(KeyboardInterrupt):
        make.run(made)
    make.lease_expired(made)
    assert make.run(made).status in {"approved", "needs_review"}
    parts = [content for name, content in written.parts.items() if name.isdecimal()]
    assert make.stored(made, Artifact.Kind.RAW) == parts
    assert len(seen) <= len(parts) + 4  # only the parts of the step that died were read again
    assert engine.billed_pages() == len(PAGES)
    assert _left(cast) == [] and make.broken() == []


def test_storage_that_fails_for_a_while_is_waited_for(
    cast: make.Cast, written: Written, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = outputs.read, [OSError("full"), OSError("full")]

    def fails(run: Any, part: int) -> bytes:
        if failures:
            raise failures.pop()
        return real(run, part)

    monkeypatch.setattr(outputs, "read", fails)
    made = _made(cast)
    assert make.run(made).status in {"approved", "needs_review"}
    assert engine.count(GET) == 1
    assert _left(cast) == []


def test_what_the_local_endpoint_writes_is_whole(
    cast: make.Cast, settings: Any, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = Endpoint(tmp_path, mode="simulate")
    documents = settings.STORAGES["documents"]
    settings.STORAGES = {
        **settings.STORAGES,
        "documents": documents | {"OPTIONS": documents["OPTIONS"] | {"location": str(endpoint.bucket)}},
    }
    settings.BUCKET, settings.TEXTRACT_ENDPOINT = BUCKET, endpoint.url
    monkeypatch.setenv("AWS_ENDPOINT_URL_TEXTRACT", endpoint.url)
    aws.forget()
    try:
        endpoint.control(job={"median": 0.05, "per_page": 0})
        made = make.receive(cast.a, make.pdf(outputs.ABOVE_PAGES + 1), document_type="generic_form").document
        while make.reload(made).step and make.reload(made).attempts == 0:
            make.advance(made)
        assert make.reload(made).status in {"approved", "needs_review"}, make.reload(made).error_code
        assert len(make.stored(made, Artifact.Kind.RAW)) > 1
        assert _left(cast) == []
    finally:
        aws.forget()
        endpoint.stop()
