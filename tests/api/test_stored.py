"""What is handed out as bytes: the engine's answer, the upload, page images, the result."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from ocr import pages, serving
from ocr.models import Artifact
from tests import engine as stub
from tests import make
from tests.api.calls import of, problem, read
from tests.engine import Engine, Page

pytestmark = pytest.mark.django_db


# --- The engine's answer ------------------------------------------------------------------------------------------


def test_the_answer_is_handed_out_byte_for_byte(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "approved")
    (stored,) = make.stored(document, Artifact.Kind.RAW)
    answer = cast.api().get(of(document, "raw/"))
    assert (answer.status_code, answer["Content-Type"], answer["X-Parts"]) == (200, "application/json", "1")
    assert answer.content == stored
    assert json.loads(stored)["JobStatus"] == "SUCCEEDED"


def test_a_long_answer_has_parts(cast: make.Cast, engine: Engine) -> None:
    engine.part_size = 10
    document = make.document(cast.a, "approved", pages=[stub.CLEAR, Page.of("Thank you")])
    stored = make.stored(document, Artifact.Kind.RAW)
    assert len(stored) > 1
    for number, part in enumerate(stored, start=1):
        answer = cast.api().get(of(document, f"raw/?part={number}"))
        assert (answer.content, answer["X-Parts"]) == (part, str(len(stored)))
    blocks = [block for part in stored for block in json.loads(part)["Blocks"]]
    assert len({block["Id"] for block in blocks}) == len(blocks)


@pytest.mark.parametrize("part", ["0", "2", "-1", "x", "", "1.0", "9" * 5000, "٢"])
def test_there_is_no_such_part(cast: make.Cast, engine: Engine, part: str) -> None:
    document = make.document(cast.a, "approved")
    told = problem(cast.api().get(of(document, "raw/"), {"part": part}), 404, "not_ready")
    assert told["detail"] == "There is no such part; the stored answer has 1 parts."


@pytest.mark.parametrize("status", ["received", "reading", "failed"])
def test_before_there_is_an_answer(cast: make.Cast, engine: Engine, status: str) -> None:
    document = make.document(cast.a, status)
    problem(cast.api().get(of(document, "raw/")), 404, "not_ready")
    problem(cast.api().get(of(document, "result/")), 404, "not_ready")


def test_a_changed_object_is_not_handed_out(cast: make.Cast, engine: Engine, settings: Any) -> None:
    document = make.document(cast.a, "approved")
    (key,) = [key for key in make.files(cast.a) if ".raw-" in key]
    (settings.DOCUMENTS_ROOT / key).write_bytes(b"{}")
    problem(cast.api().get(of(document, "raw/")), 500, "artifact_lost")


# --- The upload ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accept", ["*/*", "application/octet-stream", "text/html"])
def test_the_upload_is_only_ever_an_attachment(cast: make.Cast, accept: str) -> None:
    content = make.image()
    document = make.document(cast.a, content=content, filename='Über "x"; filename=evil.html\r\nSet-Cookie: a=b.png')
    answer = cast.api().get(of(document, "original/"), headers={"Accept": accept})
    assert read(answer) == content
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("attachment; filename")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert not answer.cookies
    assert "\r" not in answer["Content-Disposition"]


# --- Page images --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accept", ["*/*", "image/jpeg", "image/avif,image/webp"])
def test_a_page_image_is_asked_for_again_with_its_hash(cast: make.Cast, accept: str) -> None:
    document = make.document(cast.a)
    answer = cast.api().get(of(document, "pages/1/image/"), headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert answer.content[:3] == b"\xff\xd8\xff"
    assert re.fullmatch(r'"[0-9a-f]{64}"', answer["ETag"])
    assert answer["Cache-Control"] == "private, no-store"
    again = cast.api().get(of(document, "pages/1/image/"), headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", answer["ETag"])
    other = cast.api().get(of(document, "pages/1/image/"), headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.content) == (200, answer.content)


def test_an_address_that_names_the_content_may_be_kept_by_its_person(cast: make.Cast) -> None:
    document = make.document(cast.a)
    page = cast.page(cast.ada)
    address = serving.image_url(document, 1)
    assert page.get(address)["Cache-Control"] == "private, max-age=31536000, immutable"
    assert page.get(address.replace("?v=", "?v=0"))["Cache-Control"] == "private, no-store"
    assert cast.page(cast.ben).get(address).status_code == 404


def test_a_known_hash_opens_nothing_for_strangers(cast: make.Cast) -> None:
    document = make.document(cast.a)
    tag = cast.api().get(of(document, "pages/1/image/"))["ETag"]
    stranger = cast.api(make.key(cast.b))
    problem(stranger.get(of(document, "pages/1/image/"), headers={"If-None-Match": tag}), 404, "not_found")


def test_thumbnails_are_smaller(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, pages=[stub.CLEAR, stub.CLEAR])
    full, thumb = (cast.api().get(of(document, f"pages/2/image/?size={size}")) for size in ("full", "thumb"))
    assert full["ETag"] != thumb["ETag"]
    assert len(thumb.content) <= len(full.content)


@pytest.mark.parametrize("before", ["nothing", "thumbnail", "both"])
def test_the_head_of_the_queue_is_drawn_before_anybody_asks(cast: make.Cast, engine: Engine, before: str) -> None:
    document = make.document(cast.a, "needs_review")
    if before != "nothing":
        pages.image(document, 1, thumbnail=True)
    if before == "both":
        pages.image(document, 1)
    pages.ring_ahead()
    make.answer_doorbells()
    images = make.stored(document, Artifact.Kind.IMAGE)  # each is what its row says, also where two were drawn
    assert len(images) == 2
    make.answer_doorbells()
    pages.warm(document)
    assert make.stored(document, Artifact.Kind.IMAGE) == images
    full, thumb = (cast.api().get(of(document, f"pages/1/image/?size={size}")) for size in ("full", "thumb"))
    assert [full.content, thumb.content] == images


@pytest.mark.parametrize("number", ["0", "2", "99999999999999999999"])
def test_there_is_no_such_page(cast: make.Cast, number: str) -> None:
    document = make.document(cast.a)
    problem(cast.api().get(of(document, f"pages/{number}/image/")), 404, "not_found")


# --- The result ---------------------------------------------------------------------------------------------------


def test_the_result_says_what_the_detail_says(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    result = cast.api().get(of(document, "result/"))
    assert (result.status_code, result["Content-Type"]) == (200, "application/json")
    detail = cast.api().get(of(document)).json()
    told = result.json()
    assert told == {name: detail[name] for name in told}
    assert {"id", "version", "fields", "line_items", "problems", "review"} <= set(told)


def test_the_result_follows_the_version(cast: make.Cast, engine: Engine) -> None:
    from review import decisions
    from tests.review import papers

    document = make.document(cast.a, "needs_review")
    versions = [cast.api().get(of(document, "result/")).json()["version"]]
    decided = decisions.decide(document.pk, cast.ada, papers.approve(document))
    versions.append(cast.api().get(of(document, "result/")).json()["version"])
    reopened = decisions.reopen(document.pk, cast.sue)
    versions.append(cast.api().get(of(document, "result/")).json()["version"])
    assert versions == [document.version, decided.version, reopened.version]
