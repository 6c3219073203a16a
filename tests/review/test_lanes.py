"""One field across many documents: who is handed what, what an answer does, and when a document is approved by its answers."""

from __future__ import annotations

import io
import json
import math
import random
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from PIL import Image, ImageChops, ImageStat

from ocr import lifecycle, pages, serving
from ocr.models import Artifact, Document
from review import assigning, comments, decisions, lanes, turning, worklist
from review.models import Claim, Correction, LaneAnswer
from tenants import access, scope
from tenants.models import Role
from tests import make
from tests.engine import Engine, Line, Page
from tests.review import papers
from tests.review.test_races import at_once

pytestmark = pytest.mark.django_db
TWO_OPEN = Page.of(
    "Harbour Cafe",
    "Receipt",
    Line("Date: 12/03/2026", doubtful={"12/03/2026": 40.0}),
    Line("Total: 12.50", doubtful={"12.50": 41.0}),
)


def receipts(cast: make.Cast, count: int = 1, **given: Any) -> list[Document]:
    return [make.document(cast.a, "needs_review", **given) for _ in range(count)]


def total() -> lanes.Lane:
    return lanes.lane("receipt", "total")


def handed(who: User, of: lanes.Lane | None = None, **given: Any) -> list[UUID]:
    return [each.document.pk for each in lanes.hand_out(who, of or total(), **given)]


def says(
    who: User, document: Document, act: str = "confirmed", value: str = "", *, of: lanes.Lane | None = None
) -> lanes.Outcome:
    """What became of one answer for the version at hand."""
    given = lanes.Answer(document.pk, document.version, act, value)
    return lanes.answer(who, of or total(), [given])[0]


def told(document: Document) -> list[tuple[str, str, str, dict[str, Any]]]:
    """What the trail has of fields: kind, who, step, codes."""
    return [
        (event.kind, event.actor, event.step, event.codes)
        for event in papers.events(document, "FIELD_CONFIRMED", "FIELD_CORRECTED")
    ]


def kept(document: Document) -> list[tuple[str, str, str | None, str]]:
    with scope.everything():
        return [
            (each.field, each.act, each.value, each.answered_by)
            for each in LaneAnswer.objects.filter(document=document, version=document.version).order_by("field")
        ]


# --- Which there are ----------------------------------------------------------------------------------------------


def test_a_type_says_which_of_its_fields_may_be_confirmed_so(cast: make.Cast, engine: Engine) -> None:
    receipts(cast, 2)
    receipts(cast, 1, pages=[TWO_OPEN])
    counts = {(each.document_type, each.field): lanes.waiting(cast.ada, each) for each in lanes.every()}
    assert counts["receipt", "total"] == 3
    assert counts["receipt", "date"] == 1
    assert counts["invoice", "total"] == 0
    assert ("receipt", "merchant") not in counts
    with pytest.raises(lanes.NoLane):
        lanes.lane("receipt", "merchant")
    ben = {lanes.waiting(cast.ben, each) for each in lanes.every()}
    assert ben == {0}, "another tenant's"
    with pytest.raises(access.NotAllowed):
        lanes.waiting(cast.cleo, total())


# --- Handing out --------------------------------------------------------------------------------------------------


def test_documents_are_handed_out_in_the_order_of_the_queue_to_one_person_each(cast: make.Cast, engine: Engine) -> None:
    low, old, new, high = (
        make.document(cast.a, "needs_review", priority=priority) for priority in ("low", "normal", "normal", "high")
    )
    make.document(cast.a, "approved")
    assert handed(cast.ada, wanted=3) == [high.pk, old.pk, new.pk]
    assert handed(cast.sue) == [low.pk]
    assert papers.events(high, "CLAIMED") == [], "nobody was shown the document"
    found = worklist.claim_next(cast.sue)
    assert found and found.document_id == low.pk, "it is hers already, and nothing else is free"


def test_what_is_in_hand_already_and_what_is_not_for_this_person(cast: make.Cast, engine: Engine) -> None:
    aside, passed_on, held, free = receipts(cast, 4)
    worklist.set_aside(aside.pk, cast.ada, token=make.claim(aside, cast.ada))
    worklist.escalate(passed_on.pk, cast.ada, token=make.claim(passed_on, cast.ada), note="")
    make.claim(held, cast.sue)
    assert handed(cast.ada) == [free.pk]
    assert handed(cast.ada, without=[free.pk]) == []
    assert handed(cast.ada) == [free.pk], "a page that is loaded again has what it had"
    papers.claim_ended(free)
    papers.claim_ended(held)
    assert handed(cast.sue) == [aside.pk, held.pk, free.pk]
    assert handed(cast.ben) == []


def test_what_is_handed_out_is_kept_while_the_page_reports_and_given_back_by_its_token(
    cast: make.Cast, engine: Engine
) -> None:
    first, second = receipts(cast, 2)
    one, other = (each.claim for each in lanes.hand_out(cast.ada, total()))
    papers.claim_ended(second)
    until, tokens = lanes.keep(cast.ada, [one.token, other.token, uuid4()])
    assert tokens == [one.token] and until > one.expires_at
    assert lanes.keep(cast.sue, [one.token])[1] == []
    assert not worklist.release(first.pk, uuid4())
    assert worklist.release(first.pk, one.token, claimed_at=one.claimed_at)
    assert handed(cast.sue) == [first.pk, second.pk]
    assert papers.events(first, "RELEASED") == []


# --- Answering ----------------------------------------------------------------------------------------------------


def test_confirming_the_last_open_field_approves_the_document(cast: make.Cast, engine: Engine) -> None:
    (document,) = receipts(cast)
    assert handed(cast.ada) == [document.pk]
    outcome = says(cast.ada, document)
    assert (outcome.code, outcome.value) == ("approved", "12.50")
    now = make.reload(document)
    assert (now.status, now.reviewer, now.version) == ("approved", "user:ada", document.version + 1)
    codes = {"field": "total", "change": "confirmed", "version": document.version, "source": "confirmed"}
    assert told(document) == [("FIELD_CONFIRMED", "user:ada", "lane", codes)]
    (approved,) = papers.events(document, "HUMAN_REVIEW_APPROVED")
    assert approved.codes["confirmed"] == ["total"]
    with scope.everything():
        said = Correction.objects.get(decision__document=document)
        assert not Claim.objects.filter(document=document).exists()
    assert (said.field, said.act, said.value) == ("total", "confirmed", "12.50")
    assert papers.fields(document)["total"].state == "checked"
    assert make.broken() == []


def test_the_same_answer_again_changes_nothing(cast: make.Cast, engine: Engine) -> None:
    (document,) = receipts(cast)
    first = says(cast.ada, document, "corrected", "13,75")
    events = len(papers.events(document))
    assert says(cast.ada, document, "corrected", "13.75") == first
    assert len(papers.events(document)) == events
    assert says(cast.sue, document).code == "already_decided"


def test_a_corrected_value_is_read_as_in_a_decision_and_told_once(cast: make.Cast, engine: Engine) -> None:
    (document,) = receipts(cast)
    refused = says(cast.ada, document, "corrected", "twelve")
    assert refused.code.startswith("invalid") and refused.message
    assert (kept(document), told(document)) == ([], [])
    outcome = says(cast.ada, document, "corrected", " 1.213,50 ")
    assert (outcome.code, outcome.value) == ("approved", "1213.50")
    field = papers.fields(document)["total"]
    assert (field.value, field.machine_value, field.source, field.state) == ("1213.50", "12.50", "person", "corrected")
    codes = {"field": "total", "change": "corrected", "version": document.version, "source": "typed"}
    assert told(document) == [("FIELD_CORRECTED", "user:ada", "lane", codes)], "once, not again with the approval"
    assert make.broken() == []


@pytest.mark.parametrize("act", ["absent", "unreadable"])
def test_a_value_that_is_not_there(cast: make.Cast, engine: Engine, act: str) -> None:
    (document,) = receipts(cast)
    assert says(cast.ada, document, act).code == "approved"
    field = papers.fields(document)["total"]
    assert (field.value, field.state) == (None, act)
    assert [codes for _kind, _who, _step, codes in told(document)] == [
        {"field": "total", "change": act, "version": document.version}
    ]
    assert make.broken() == []


def test_a_document_with_more_to_say_waits_with_its_answers(cast: make.Cast, engine: Engine) -> None:
    (document,) = receipts(cast, pages=[TWO_OPEN])
    date = lanes.lane("receipt", "date")
    assert handed(cast.ada) == [document.pk]
    assert says(cast.ada, document).code == "kept"
    assert make.reload(document).status == "needs_review"
    assert papers.fields(document)["total"].state == "open", "the reading stands until somebody decides"
    assert kept(document) == [("total", "confirmed", "12.50", "user:ada")]
    assert handed(cast.sue) == [], "nobody is asked twice"
    assert handed(cast.sue, date) == [document.pk], "it was given back for its other field"
    assert says(cast.sue, document, "corrected", "13.03.2026", of=date).code == "approved"
    now = make.reload(document)
    assert (now.status, now.reviewer) == ("approved", "user:sue")
    assert [(kind, who) for kind, who, _step, _codes in told(document)] == [
        ("FIELD_CONFIRMED", "user:ada"),
        ("FIELD_CORRECTED", "user:sue"),
    ]
    assert papers.fields(document)["date"].value == "2026-03-13"
    assert make.broken() == []


def test_a_rule_that_does_not_hold_leaves_the_document_to_somebody_who_sees_all_of_it(
    cast: make.Cast, engine: Engine
) -> None:
    document = papers.invoice(cast.a, total="49.50")
    of = lanes.lane("invoice", "total")
    assert handed(cast.ada, of) == [document.pk]
    assert says(cast.ada, document, of=of).code == "kept"
    assert make.reload(document).status == "needs_review"
    assert kept(document) == [("total", "confirmed", "49.50", "user:ada")]
    decided = decisions.decide(document.pk, cast.sue, papers.approve(document, reason="It is printed so."))
    assert decided.status == "approved"
    assert [who for _kind, who, _step, _codes in told(document)] == ["user:ada"]
    assert make.broken() == []


def test_who_decides_on_the_whole_document_takes_the_answers_along_or_says_otherwise(
    cast: make.Cast, engine: Engine
) -> None:
    one, other = receipts(cast, 2, pages=[TWO_OPEN])
    for document in (one, other):
        assert says(cast.ada, document, "corrected", "99.00").code == "kept"
    decisions.decide(one.pk, cast.sue, papers.approve(one))
    assert papers.fields(one)["total"].value == "99.00"
    assert [who for _kind, who, _step, _codes in told(one)] == ["user:ada"]
    decisions.decide(other.pk, cast.sue, papers.approve(other, corrected={"total": "98.00"}))
    assert papers.fields(other)["total"].value == "98.00"
    assert [who for _kind, who, _step, _codes in told(other)] == ["user:ada", "user:sue"]
    assert make.broken() == []


def test_the_review_page_begins_with_what_was_said(cast: make.Cast, engine: Engine) -> None:
    (document,) = receipts(cast, pages=[TWO_OPEN])
    says(cast.ada, document, "corrected", "99.00")
    data = cast.page(cast.sue).get(f"/review/{document.pk}/").context["data"]
    assert data["draft"] == {"revision": 0, "fields": {"total": {"value": "99.00", "state": "corrected"}}}
    by_name = {field["name"]: field["lane"] for field in data["fields"]}
    assert by_name["total"] == {"by": "ada", "act": "corrected", "value": "99.00"}
    assert by_name["date"] is None


# --- Refusals -----------------------------------------------------------------------------------------------------


def test_answers_that_do_not_count(cast: make.Cast, engine: Engine) -> None:
    held, stale, other, foreign = (
        *receipts(cast, 2), make.document(cast.a, "needs_review", pages=[TWO_OPEN]), make.document(cast.b, "needs_review"),
    )  # fmt: skip
    make.claim(held, cast.sue)
    says(cast.sue, other)
    given = [
        lanes.Answer(held.pk, held.version, "confirmed"),
        lanes.Answer(stale.pk, stale.version + 1, "confirmed"),
        lanes.Answer(other.pk, other.version, "corrected", "1.00"),
        lanes.Answer(foreign.pk, foreign.version, "confirmed"),
        lanes.Answer(uuid4(), 1, "confirmed"),
    ]
    outcomes = lanes.answer(cast.ada, total(), given)
    assert [each.code for each in outcomes] == ["held", "stale_version", "already_answered", "not_found", "not_found"]
    assert all(each.message for each in outcomes)
    assert (kept(held), kept(stale), kept(foreign)) == ([], [], [])
    assert kept(other) == [("total", "confirmed", "12.50", "user:sue")]
    certain = lanes.answer(
        cast.ada, lanes.lane("receipt", "date"), [lanes.Answer(stale.pk, stale.version, "confirmed")]
    )
    assert certain[0].code == "not_possible"
    with pytest.raises(access.NotAllowed):
        lanes.answer(cast.cleo, total(), given)


def test_a_claim_that_ran_out_loses_nothing(cast: make.Cast, engine: Engine) -> None:
    (document,) = receipts(cast)
    handed(cast.ada)
    papers.claim_ended(document)
    assert says(cast.ada, document).code == "approved"


def test_another_reading_is_asked_about_again(cast: make.Cast, engine: Engine) -> None:
    (document,) = receipts(cast, pages=[TWO_OPEN])
    says(cast.ada, document)
    decisions.replay(document.pk, cast.sue)
    assert handed(cast.ada) == [document.pk]
    assert says(cast.ada, document).code == "stale_version"
    assert says(cast.ada, make.reload(document)).code == "kept"


# --- Taking back --------------------------------------------------------------------------------------------------


def test_an_answer_is_taken_back_while_the_document_waits(cast: make.Cast, engine: Engine) -> None:
    (document,) = receipts(cast, pages=[TWO_OPEN])
    says(cast.ada, document)
    with pytest.raises(lifecycle.NotPossible):
        lanes.take_back(cast.sue, total(), document.pk, version=document.version)
    again = lanes.take_back(cast.ada, total(), document.pk, version=document.version)
    assert (again.document.pk, again.document.version, again.claim.reserved) == (document.pk, document.version, True)
    assert kept(document) == []
    assert [codes["change"] for _kind, _who, _step, codes in told(document)] == ["confirmed", "taken_back"]
    assert handed(cast.sue) == [], "it is in her hands again"
    assert says(cast.ada, document, "corrected", "14.00").code == "kept"


def test_an_approval_that_an_answer_led_to_is_taken_back_with_it(cast: make.Cast, engine: Engine) -> None:
    (document,) = receipts(cast, pages=[TWO_OPEN])
    says(cast.sue, document, "corrected", "99.00")
    date = lanes.lane("receipt", "date")
    assert says(cast.ada, document, of=date).code == "approved"
    again = lanes.take_back(cast.ada, date, document.pk, version=document.version)
    assert (again.document.status, again.document.version) == ("needs_review", document.version + 2)
    now = make.reload(document)
    assert kept(now) == [("total", "corrected", "99.00", "user:sue")], "the other answer stays"
    assert papers.fields(document)["total"].value == "12.50"
    assert says(cast.ada, now, of=date).code == "approved"
    assert papers.fields(document)["total"].value == "99.00"
    assert make.broken() == []


def test_what_was_decided_as_a_whole_is_not_taken_back_in_a_lane(cast: make.Cast, engine: Engine) -> None:
    (document,) = receipts(cast, pages=[TWO_OPEN])
    says(cast.ada, document)
    decisions.decide(document.pk, cast.ada, papers.approve(document))
    with pytest.raises(lifecycle.NotPossible):
        lanes.take_back(cast.ada, total(), document.pk, version=document.version)
    assert make.reload(document).status == "approved"


# --- The doors ----------------------------------------------------------------------------------------------------


def posted(client: Client, path: str, body: dict[str, Any]) -> Any:
    answer = client.post(path, json.dumps(body), content_type="application/json")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_the_page_lists_lanes_and_works_through_one(cast: make.Cast, engine: Engine) -> None:
    (document,) = receipts(cast)
    client = cast.page(cast.ada)
    first, *others = client.get("/lanes/").context["rows"]
    assert (first["lane"].field, first["count"], first["url"]) == ("total", "1", "/lanes/receipt/total/")
    assert {each["count"] for each in others} == {""}
    data = client.get(first["url"]).context["data"]
    with scope.everything():
        assert not Claim.objects.exists(), "looking at the page claims nothing"
    given = posted(client, data["urls"]["rows"], {"wanted": 20})
    (row,) = given["rows"]
    assert (given["waiting"], row["document_id"], row["version"]) == (1, str(document.pk), document.version)
    assert (row["field"]["name"], row["field"]["value"]) == ("total", "12.50")
    assert row["field"]["box"] and client.get(row["crop"]["image_url"]).status_code == 200
    assert row["url"] == f"/review/{document.pk}/?field=total"
    assert posted(client, data["urls"]["heartbeat"], {"tokens": [row["token"]]})["tokens"] == [row["token"]]
    said = {"document_id": row["document_id"], "version": row["version"], "act": "confirmed"}
    told = posted(client, data["urls"]["answers"], {"answers": [said]})
    assert told == {
        "answers": [{"document_id": row["document_id"], "code": "approved", "message": "", "value": "12.50"}]
    }
    back = posted(client, data["urls"]["take-back"], {"document_id": row["document_id"], "version": row["version"]})
    assert back["row"]["version"] == row["version"] + 2
    left = {name: back["row"][name] for name in ("document_id", "token", "claimed_at")}
    assert (
        Client()
        .post(data["urls"]["release"], json.dumps({"claims": [left]}), content_type="application/json")
        .status_code
        == 204
    )
    with scope.everything():
        assert not Claim.objects.exists()


def blotches() -> bytes:
    """A page of which no piece looks like another."""
    small = Image.frombytes("L", (50, 70), random.Random(4).randbytes(50 * 70))
    stream = io.BytesIO()
    small.resize((600, 840), Image.Resampling.NEAREST).save(stream, "PNG")
    return stream.getvalue()


def picture(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("L")


@pytest.mark.parametrize("of", ["original", "image", "older image"])
@pytest.mark.parametrize("turn", [0, 90])
def test_a_row_brings_the_piece_of_its_page(cast: make.Cast, engine: Engine, turn: int, of: str) -> None:
    (document,) = receipts(cast, content=blotches())
    client = cast.page(cast.ada)
    token = make.claim(document, cast.ada)
    turning.turn_page(document.pk, cast.ada, token=token, number=1, turn=turn)
    assert worklist.release(document.pk, token)
    if of != "original":
        pages.image(document, 1)
    if of == "older image":
        with scope.everything():
            Artifact.objects.filter(document=document, kind="image").update(content_type="image/webp")
    (row,) = posted(client, "/lanes/receipt/total/rows/", {"wanted": 1})["rows"]
    box, piece = row["field"]["box"], row["crop"]["box"]
    assert (piece[0], piece[2]) == (0, 1)
    assert 0 <= piece[1] < box[1] and box[1] + box[3] < piece[1] + piece[3] <= 1
    answer = client.get(row["crop"]["image_url"])
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("image/jpeg", "private, max-age=31536000, immutable")
    crop = picture(answer.content)
    with scope.everything():
        kept = Artifact.objects.filter(document=document, kind="image").exists()
    assert kept == (of != "original"), "a piece is not kept"
    page = picture(client.get(serving.image_url(document, 1, turn=turn)).content)
    corner = (math.floor(piece[0] * page.width), math.floor(piece[1] * page.height))
    same = page.crop((*corner, corner[0] + crop.width, corner[1] + crop.height))
    assert abs(crop.width - piece[2] * page.width) <= 2, "at the scale of the page"
    unlike = ImageStat.Stat(ImageChops.difference(crop, same)).mean[0]
    assert unlike < 6, "the same piece of the same page"
    assert ImageStat.Stat(crop).stddev[0] > 20, "which is not empty"


@pytest.mark.parametrize("box", ["", "0,0,1", "0,0,1,x", "0,0,0,0", "nan,0,1,1", "-0.1,0,1,1", "0.5,1.5,0.2,0.2"])
def test_a_piece_that_is_none_is_refused(cast: make.Cast, engine: Engine, box: str) -> None:
    (document,) = receipts(cast)
    answer = cast.page(cast.ada).get(f"{reverse('page-crop', args=[document.pk, 1])}?box={box}")
    assert answer.status_code == 400 and "four numbers" in answer.content.decode()


@pytest.mark.parametrize("path", ["/lanes/receipt/merchant/", "/lanes/nothing/total/"])
def test_there_is_no_such_lane(cast: make.Cast, engine: Engine, path: str) -> None:
    client = cast.page(cast.ada)
    assert client.get(path).status_code == 404
    answer = client.post(f"{path}rows/", json.dumps({"wanted": 1}), content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_lane")


# --- Two at once --------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_no_document_is_handed_to_two_who_ask_at_once(cast: make.Cast, engine: Engine) -> None:
    documents = receipts(cast, 24)
    people = [make.user(cast.a, Role.REVIEWER) for _ in range(8)]
    answers = at_once([partial(handed, who, wanted=3) for who in people])
    assert all(isinstance(each, list) for each in answers), answers
    out = [pk for each in answers if isinstance(each, list) for pk in each]
    assert len(out) == len(set(out)) and set(out) <= {document.pk for document in documents}
    rest = [pk for who in people for pk in handed(who, wanted=24)]
    assert set(out) | set(rest) == {document.pk for document in documents}


@pytest.mark.django_db(transaction=True)
def test_of_two_answers_at_once_one_counts(cast: make.Cast, engine: Engine) -> None:
    for document in receipts(cast, 4, pages=[TWO_OPEN]):
        answers = at_once(
            [
                partial(says, cast.ada, document, "corrected", "1.00"),
                partial(says, cast.sue, document, "corrected", "2.00"),
            ]
        )
        codes = sorted(each.code for each in answers if isinstance(each, lanes.Outcome))
        assert codes == ["already_answered", "kept"]
        assert len(told(document)) == 1


# --- Beside what several people do --------------------------------------------------------------------------------


def test_what_several_people_check_waits_in_no_lane(cast: make.Cast, engine: Engine) -> None:
    [before] = receipts(cast)
    papers.seen_by_two({"mode": "blind", "fields": ["total"]})
    [checked] = receipts(cast)
    assert (lanes.waiting(cast.ada, total()), handed(cast.ada)) == (1, [before.pk])
    assert says(cast.ada, checked).code == "not_possible"
    assert kept(checked) == []


def test_what_is_parked_or_given_to_somebody_else_waits_in_no_lane(cast: make.Cast, engine: Engine) -> None:
    parked, given, free = receipts(cast, 3)
    comments.write(parked.pk, cast.sue, field="", text="@ada is this ours?")
    assigning.assign([given.pk], cast.sue, person_id=cast.sue.pk)
    assert (handed(cast.ada), handed(cast.sue)) == ([free.pk], [given.pk])
    assert says(cast.ada, parked).code == "parked"
