"""POST /ocr and its kin: who waits is woken by word, nobody waits longer than they said, and nothing is lost either way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event, Thread, get_ident
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, connection, connections
from django.test import Client

from ocr import backlog, notices, waiting
from ocr.models import Document
from review import decisions
from tenants import scope
from tests import engine as stub
from tests import make
from tests.api.calls import file, problem, upload
from tests.conftest import as_superuser
from tests.engine import Engine

pytestmark = pytest.mark.django_db(transaction=True)
LONG = "20"  # seconds: only a test that fails waits for so long


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[waiting.Room]:
    made = waiting.Room(3)
    monkeypatch.setattr(waiting, "room", made)
    yield made
    made.close()
    if made._thread:
        made._thread.join(20)


def send(client: Client, path: str = "/ocr", content: bytes | None = None, *, key: str = "", **fields: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(path, {"file": file(content), **fields}, headers=headers)


def all_documents() -> list[Document]:
    with scope.everything():
        return list(Document.objects.order_by("received_at"))


class Worker:
    """Plays the workers in a thread of its own: brings every document to rest once `may_start` is set."""

    def __init__(self) -> None:
        self.may_start = Event()
        self.may_end = Event()
        self._thread = Thread(target=self._work)

    def __enter__(self) -> Worker:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.may_start.set()
        self.may_end.set()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _work(self) -> None:
        try:
            self.may_start.wait(30)
            while not self.may_end.wait(0.02):
                for document in all_documents():
                    if not make.is_resting(document):
                        make.run(document)
        finally:
            connections.close_all()


@pytest.fixture
def worker() -> Iterator[Worker]:
    with Worker() as made:
        yield made


# --- POST /ocr ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "status"), [(stub.CLEAR, "approved"), (stub.DOUBTFUL, "needs_review")], ids=["clear", "doubtful"]
)
@pytest.mark.parametrize("path", ["/ocr", "/ocr/"])
def test_the_document_comes_back_when_it_is_read(
    cast: make.Cast, engine: Engine, worker: Worker, path: str, page: stub.Page, status: str
) -> None:
    engine.reads(page)
    worker.may_start.set()
    answer = send(cast.api(), path, wait_seconds=LONG)
    told = answer.json()
    assert (answer.status_code, told["status"], told["priority"]) == (200, status, "high")
    assert told == cast.api().get(told["links"]["self"]).json()
    assert {field["name"]: field["value"] for field in told["fields"]}["total"] == "12.50"


def test_one_that_cannot_be_read_comes_back_too(cast: make.Cast, engine: Engine, worker: Worker) -> None:
    engine.fail("", stub.error("UnsupportedDocumentException"))
    worker.may_start.set()
    told = send(cast.api(), wait_seconds=LONG).json()
    assert (told["status"], told["error"]) == ("failed", "unsupported_document")


def test_who_does_not_want_to_wait_longer_gets_a_job(cast: make.Cast, engine: Engine) -> None:
    answer = send(cast.api(), wait_seconds="0.05")
    [document] = all_documents()
    assert answer.status_code == 202
    assert answer.json() == {
        "job_id": str(document.pk),
        "status": "queued",
        "status_url": f"/ocr/jobs/{document.pk}",
    }
    assert answer["Location"] == answer.json()["status_url"]
    assert cast.api().get(answer["Location"]).json()["status"] == "queued"


def test_the_wait_can_be_said_in_the_address(cast: make.Cast, engine: Engine) -> None:
    answer = cast.api().post("/ocr?wait_seconds=0", {"file": file()})
    assert answer.status_code == 202


@pytest.mark.parametrize("seconds", ["-1", "61", "soon", "nan", "inf"])
def test_a_wait_that_makes_no_sense_is_refused_and_nothing_accepted(cast: make.Cast, seconds: str) -> None:
    problem(send(cast.api(), wait_seconds=seconds), 400, "invalid")
    assert all_documents() == []


def test_word_wakes_without_a_question_to_the_database(
    cast: make.Cast, engine: Engine, room: waiting.Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While somebody waits, nothing is read until the word comes, and then once, by the listening thread."""
    asked: list[int] = []
    finished = waiting.finished

    def noted(documents: Any) -> Any:
        asked.append(get_ident())
        return finished(documents)

    told: list[Any] = []
    with room.seat() as first:  # hears of the others' documents, so it shows when the thread listens
        _wait_for(lambda: first.has_gap)
        with room.seat() as seat:
            document = make.receive(cast.a).document
            monkeypatch.setattr(waiting, "finished", noted)
            thread = _in_a_thread(lambda: told.append(seat.result(document, within=20)))
            _wait_for(lambda: seat.document is not None)
            make.run(document)
            thread.join(30)
    assert [each["status"] for each in told] == ["approved"]
    assert room._thread is not None and asked == [room._thread.ident]


def _in_a_thread(act: Callable[[], object]) -> Thread:
    def run() -> None:
        try:
            act()
        finally:
            connections.close_all()

    thread = Thread(target=run)
    thread.start()
    return thread


def _wait_for(true: Any) -> None:
    for _ in range(1000):
        if true():
            return
        Event().wait(0.01)
    raise AssertionError("it did not come to that")


def test_word_that_came_before_the_wait_began_is_not_missed(
    cast: make.Cast, engine: Engine, room: waiting.Room
) -> None:
    with room.seat() as seat:
        document = make.receive(cast.a).document
        make.run(document)
        told = seat.result(document, within=0)
    assert told is not None and told["status"] == "approved"


def test_a_gap_in_hearing_is_looked_over(cast: make.Cast, engine: Engine, room: waiting.Room) -> None:
    """The listener's connection is cut, the document comes to rest unheard, and its caller is told all the same."""
    told: list[Any] = []
    with room.seat() as seat:
        document = make.receive(cast.a).document
        thread = _in_a_thread(lambda: told.append(seat.result(document, within=20)))
        _wait_for(lambda: seat.document is not None)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("ocr.notices.tell_all", lambda channel, payloads: None)
            patch.setattr("ocr.notices.tell", lambda channel, payload: None)
            make.run(document)
        assert told == []
        with as_superuser() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity "
                "WHERE application_name = 'dtat notices'"
            )
        thread.join(30)
    assert [each["status"] for each in told] == ["approved"]


def test_beyond_the_seats_callers_are_sent_away_at_once(cast: make.Cast, engine: Engine, room: waiting.Room) -> None:
    with room.seat(), room.seat(), room.seat():
        answer = send(cast.api(), wait_seconds=LONG)
        told = problem(answer, 503, "too_many_waiting")
        assert int(answer["Retry-After"]) > 0 and "/ocr/async" in told["detail"]
        assert all_documents() == []
        assert send(cast.api(), "/ocr/async").status_code == 202, "who does not wait needs no seat"
    assert send(cast.api(), wait_seconds="0").status_code == 202
    assert room.taken() == 0


def test_a_seat_is_free_again_after_a_refusal(cast: make.Cast, engine: Engine, room: waiting.Room) -> None:
    for _ in range(4):
        problem(send(cast.api(), content=b"just words"), 422, "unsupported_type")
    assert room.taken() == 0


def test_the_same_request_twice_is_one_document(cast: make.Cast, engine: Engine, worker: Worker) -> None:
    worker.may_start.set()
    content = make.image()
    first = send(cast.api(), content=content, key="k-1", wait_seconds=LONG)
    again = send(cast.api(), content=content, key="k-1", wait_seconds=LONG)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert len(all_documents()) == 1
    problem(send(cast.api(), content=make.image(), key="k-1"), 422, "idempotency_key_reused")


def test_two_wait_for_the_same_document(cast: make.Cast, engine: Engine, worker: Worker, room: waiting.Room) -> None:
    content, told = make.image(), []

    def wait() -> None:
        told.append(send(cast.api(), content=content, key="k-2", wait_seconds=LONG))

    threads = [_in_a_thread(wait) for _ in range(2)]
    _wait_for(lambda: len([seat for seat in room._taken if seat.document]) == 2)
    worker.may_start.set()
    for thread in threads:
        thread.join(30)
    assert [answer.status_code for answer in told] == [200, 200]
    assert told[0].json()["id"] == told[1].json()["id"]


def test_when_the_process_ends_everybody_is_told_what_is_known(
    cast: make.Cast, engine: Engine, room: waiting.Room
) -> None:
    told: list[Any] = []
    thread = _in_a_thread(lambda: told.append(send(cast.api(), wait_seconds=LONG)))
    _wait_for(lambda: any(seat.document for seat in room._taken))
    room.close()
    thread.join(30)
    assert [answer.status_code for answer in told] == [202]
    problem(send(cast.api()), 503, "too_many_waiting")


def test_the_connection_is_given_back_while_somebody_waits(cast: make.Cast, engine: Engine, room: waiting.Room) -> None:
    seen: list[bool] = []
    with room.seat() as seat:
        document = make.receive(cast.a).document
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(seat._woken, "wait", lambda within: seen.append(connection.connection is None))
            seat.result(document, within=1)
    assert seen == [True]


@pytest.mark.parametrize("path", ["/ocr", "/ocr/async"])
def test_the_same_refusals_as_an_upload(cast: make.Cast, path: str) -> None:
    problem(send(cast.api("dtat_wrong"), path), 401, "authentication_failed")
    problem(send(Client(), path), 401, "not_authenticated")
    problem(send(cast.api(), path, b""), 422, "empty_file")
    problem(send(cast.api(), path, document_type="payslip"), 422, "unknown_document_type")
    problem(send(cast.api(), path, priority="urgent"), 400, "invalid")
    problem(send(cast.api(), path, tenant="birch"), 422, "unknown_tenant")
    problem(cast.api().post(path, {"priority": "high"}), 400, "invalid")
    problem(send(cast.page(cast.cleo), path), 403, "not_allowed")
    assert all_documents() == []


# --- Jobs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/ocr/async", "/ocr/async/"])
def test_a_job_and_what_becomes_of_it(cast: make.Cast, engine: Engine, path: str) -> None:
    accepted = send(cast.api(), path, document_type="receipt", external_id="E-1")
    assert accepted.status_code == 202
    told = accepted.json()
    assert (set(told), told["status"]) == ({"job_id", "status", "status_url"}, "queued")
    [document] = all_documents()
    assert (document.priority, document.external_id) == (1, "E-1")
    make.advance(document)
    assert cast.api().get(told["status_url"]).json() == told | {"status": "processing"}
    make.run(document)
    done = cast.api().get(told["status_url"] + "/").json()
    assert done["status"] == "completed"
    assert done["result"] == cast.api().get(done["result"]["links"]["self"]).json()


def test_a_job_for_a_person_and_its_end(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    waits = cast.api().get(f"/ocr/jobs/{document.pk}").json()
    assert (waits["status"], waits["result"]["review"]["required"]) == ("needs_review", True)
    verdict = decisions.Verdict(version=document.version, decision=decisions.REJECT, reason="illegible")
    decisions.decide(document.pk, cast.ada, verdict)
    ended = cast.api().get(f"/ocr/jobs/{document.pk}").json()
    assert (ended["status"], ended["result"]["status"]) == ("completed", "rejected")


def test_a_failed_job_says_why(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "failed")
    told = cast.api().get(f"/ocr/jobs/{document.pk}").json()
    assert (told["status"], told["error"]["code"]) == ("failed", "unsupported_document")
    assert told["error"]["detail"].endswith(".") and "result" not in told


def test_nobody_elses_job(cast: make.Cast, engine: Engine) -> None:
    document = make.receive(cast.b).document
    for path in (f"/ocr/jobs/{document.pk}", f"/ocr/jobs/{uuid4()}", "/ocr/jobs/1", "/ocr/nowhere"):
        problem(cast.api().get(path), 404, "not_found")


# --- Queue and overload -------------------------------------------------------------------------------------------


def test_the_queue_counts_what_is_the_callers(cast: make.Cast, engine: Engine) -> None:
    make.receive(cast.b)
    make.receive(cast.a, priority="low")
    make.document(cast.a, "reading")
    make.document(cast.a, "approved")
    told = cast.api().get("/ocr/queue").json()
    assert (told["queued"], told["processing"]) == (1, 1)
    assert told["by_priority"] == {"high": 0, "normal": 1, "low": 1}
    assert told["average_seconds"] >= 0 and told["p95_seconds"] >= 0
    assert told["per_minute"] > 0
    assert cast.api().get("/ocr/queue/").json().keys() == told.keys()


def test_without_a_connection_it_is_no_crash(cast: make.Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: object, **named: object) -> None:
        raise OperationalError("every connection to the database is in use")

    client = cast.api()
    monkeypatch.setattr("ocr.intake.receive", fail)
    answer = send(client)
    problem(answer, 503, "try_again")
    assert int(answer["Retry-After"]) > 0


@pytest.fixture
def small_backlog(settings: Any) -> Any:
    backlog.counts.forget()
    yield settings
    backlog.counts.forget()


@pytest.mark.parametrize("path", ["/ocr", "/ocr/async", "/api/v1/documents/"])
def test_too_much_work_already(cast: make.Cast, engine: Engine, small_backlog: Any, path: str) -> None:
    make.receive(cast.b)
    small_backlog.BACKLOG_MOST = 1
    answer = send(cast.api(), path, wait_seconds="0")
    problem(answer, 503, "backlog_full")
    assert int(answer["Retry-After"]) > 0
    assert len(all_documents()) == 1
    small_backlog.BACKLOG_MOST = 2
    assert send(cast.api(), path, wait_seconds="0").status_code == 202


def test_too_much_work_of_one_tenant(cast: make.Cast, engine: Engine, small_backlog: Any) -> None:
    make.receive(cast.b)
    small_backlog.BACKLOG_TENANT_MOST = 1
    assert upload(cast.api()).status_code == 202, "another tenant's work is not counted against this one"
    backlog.counts.forget()
    answer = upload(cast.api())
    problem(answer, 429, "tenant_backlog_full")
    assert int(answer["Retry-After"]) > 0


def test_finished_documents_are_no_backlog(cast: make.Cast, engine: Engine, small_backlog: Any) -> None:
    make.document(cast.a, "approved")
    make.document(cast.a, "needs_review")
    small_backlog.BACKLOG_MOST = 1
    assert upload(cast.api()).status_code == 202


def test_notices_of_rest_are_sent_by_the_one_who_moves(cast: make.Cast, engine: Engine) -> None:
    listener = notices.Listener()
    listener.listen(notices.REST)
    document = make.document(cast.a, "approved")
    assert listener.wait(20) == [notices.Notice(notices.REST, str(document.pk))]
    listener.close()
