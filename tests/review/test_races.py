"""Two people at once: one document goes to one person, and one decision wins. Runs alone; `-s` prints the counts."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from threading import Barrier, Event, Lock, Thread
from time import monotonic
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections

from audit.models import AuditEvent
from ocr import lifecycle
from ocr.models import Document, OutboxEvent
from review import decisions, worklist
from review.models import Decision
from tenants import scope
from tenants.models import Role
from tests import make
from tests.conftest import as_superuser
from tests.engine import Engine
from tests.review import papers
from tests.review.papers import seen_by_two

pytestmark = pytest.mark.django_db(transaction=True)

RACES, ROUNDS = 40, 5
READERS, DOCUMENTS = 10, 30
REFUSALS = (decisions.AlreadyDecided, lifecycle.Overtaken, worklist.Held)


def at_once(acts: Sequence[Callable[[], object]]) -> list[object]:
    """Every act in a thread of its own, started together; what each answered or raised."""
    barrier = Barrier(len(acts))
    answers: list[object] = [None] * len(acts)

    def one(place: int, act: Callable[[], object]) -> None:
        try:
            barrier.wait(30)
            answers[place] = act()
        except BaseException as error:
            answers[place] = error
        finally:
            connections.close_all()

    threads = [Thread(target=one, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return answers


def test_of_two_who_decide_at_once_one_wins(cast: make.Cast, engine: Engine) -> None:
    """Each race: two people approve the same version with different totals. Every document is reopened for further rounds."""
    outcomes: Counter[str] = Counter()
    documents = [make.document(cast.a, "needs_review") for _ in range(RACES // ROUNDS)]
    for race in range(RACES):
        document = documents[race % len(documents)]
        if race >= len(documents):
            document = decisions.reopen(document.pk, cast.sue)
        outcomes.update(_race(document, (cast.ada, f"{race}.13"), (cast.sue, f"{race}.14")))
    with scope.everything():
        approvals = AuditEvent.objects.filter(kind="HUMAN_REVIEW_APPROVED").count()
        decided = Decision.objects.count()
        told = OutboxEvent.objects.filter(type="document.processed").count()
    refused = sum(count for name, count in outcomes.items() if name != "won")
    sys.stdout.write(
        f"\n{RACES} races of two reviewers: {outcomes['won']} winners, {refused} refusals "
        f"({', '.join(f'{count} {name}' for name, count in sorted(outcomes.items()) if name != 'won')}), "
        f"{approvals} HUMAN_REVIEW_APPROVED audit rows, {decided} decisions, {told} document.processed events\n"
    )
    assert set(outcomes) <= {"won", *(kind.__name__ for kind in REFUSALS)}, outcomes
    assert (outcomes["won"], refused) == (RACES, RACES)
    assert (approvals, decided, told) == (RACES, RACES, RACES)


def _race(document: Document, *said: tuple[User, str]) -> list[str]:
    """'won' or the name of the refusal, for each person; the stored value must be the winner's."""

    def decide(who: User, total: str) -> Callable[[], object]:
        verdict = papers.approve(document, corrected={"total": total})
        return lambda: decisions.decide(document.pk, who, verdict)

    answers = at_once([decide(who, total) for who, total in said])
    winners = [total for (_who, total), answer in zip(said, answers, strict=True) if isinstance(answer, Document)]
    assert [papers.fields(document)["total"].value] == winners, answers
    return ["won" if isinstance(answer, Document) else type(answer).__name__ for answer in answers]


def test_an_approval_and_a_rejection_at_once(cast: make.Cast, engine: Engine) -> None:
    outcomes: Counter[str] = Counter()
    for _ in range(5):
        document = make.document(cast.a, "needs_review")
        answers = at_once(
            [
                lambda: decisions.decide(document.pk, cast.ada, papers.approve(document)),  # noqa: B023  runs before the next
                lambda: decisions.decide(document.pk, cast.sue, papers.reject(document, "illegible")),  # noqa: B023
            ]
        )
        (winner,) = [answer for answer in answers if isinstance(answer, Document)]
        assert make.reload(document).status == winner.status
        outcomes.update(type(answer).__name__ for answer in answers)
    assert outcomes["Document"] == 5
    assert set(outcomes) <= {"Document", *(kind.__name__ for kind in REFUSALS)}


def test_ten_people_share_thirty_documents_without_a_double(cast: make.Cast, engine: Engine) -> None:
    """Everybody takes the next, leaves it undecided and asks as somebody new, until nothing is left."""
    for _ in range(DOCUMENTS):
        make.document(cast.a, "needs_review")
    people = [[make.user(cast.a, Role.REVIEWER) for _ in range(DOCUMENTS + 1)] for _ in range(READERS)]
    handed_out: list[object] = []
    lock = Lock()

    def take(reader: list[User]) -> Callable[[], object]:
        def until_empty() -> int:
            for who in reader:
                found = worklist.claim_next(who)
                if found is None:
                    return 0
                with lock:
                    handed_out.append(found.document_id)
            return 1

        return until_empty

    answers = at_once([take(reader) for reader in people])
    doubles = {document: times for document, times in Counter(handed_out).items() if times > 1}
    sys.stdout.write(
        f"\n{READERS} readers, {DOCUMENTS} documents: {len(handed_out)} handed out, {len(doubles)} twice\n"
    )
    assert answers == [0] * READERS
    assert doubles == {}
    assert len(handed_out) == DOCUMENTS


def test_a_claim_between_look_and_lock_is_noticed(cast: make.Cast, engine: Engine) -> None:
    """The row is ours to lock, but its claim is being written by somebody whom our look could not see yet."""
    taken, free = (make.document(cast.a, "needs_review") for _ in range(2))
    written = Event()

    def somebody() -> str:
        with as_superuser() as cursor:
            cursor.execute("SET session_replication_role = replica")  # asks for no lock on the document at its end
            cursor.execute(
                "INSERT INTO review_claim (document_id, tenant_id, holder_id, token, claimed_at, expires_at) "
                "VALUES (%s, %s, %s, gen_random_uuid(), now(), now() + interval '1 minute')",
                [str(taken.pk), str(taken.tenant_id), cast.sue.pk],
            )
            written.set()
            _until_one_waits(cursor)
        return "claimed"

    def ask_for_the_next() -> object:
        assert written.wait(30)
        return worklist.hand_out(cast.ada)

    answers = at_once([somebody, ask_for_the_next])
    assert answers[0] == "claimed"
    handed = answers[1]
    assert isinstance(handed, worklist.Handed), handed
    assert handed.current and handed.reserved is None
    assert handed.current.document_id == free.pk
    assert papers.holder(taken) == "sue"


def _until_one_waits(cursor: Any) -> None:
    """Until another connection waits for what this one has written."""
    deadline = monotonic() + 30
    while monotonic() < deadline:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        if cursor.fetchone()[0]:
            return
    raise AssertionError("nobody came to wait")


def test_one_person_in_two_windows_and_two_people_at_once_never_look_twice(cast: make.Cast, engine: Engine) -> None:
    """Each race: ada twice and sue once approve at once what needs two people. Approved by exactly ada and sue, one look each."""
    seen_by_two({"mode": "second", "fields": ["merchant"]})
    outcomes: Counter[str] = Counter()
    for _ in range(10):
        document = make.document(cast.a, "needs_review")
        people = (cast.ada, cast.ada, cast.sue)
        answers = at_once([partial(decisions.decide, document.pk, who, papers.approve(document)) for who in people])
        outcomes.update(type(answer).__name__ for answer in answers)
        with scope.everything():
            assert sorted(checked.person.username for checked in document.checks.all()) == ["ada", "sue"]
        assert make.reload(document).status == "approved"
    assert outcomes["Document"] == 20, outcomes
    assert set(outcomes) <= {"Document", "Seen", "AlreadyDecided", "Overtaken"}, outcomes


def test_what_others_have_locked_is_passed_over(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when it is all that was offered at first; a lock is not waited for."""
    monkeypatch.setattr(worklist, "OFFERS", (1, 10))
    first, second = (make.document(cast.a, "needs_review") for _ in range(2))
    with as_superuser() as cursor:
        cursor.execute("SELECT 1 FROM ocr_document WHERE id = %s FOR UPDATE", [str(first.pk)])
        found = worklist.claim_next(cast.ada)
        assert found
        assert found.document_id == second.pk
        assert worklist.claim_next(cast.sue) is None
    found = worklist.claim_next(cast.sue)
    assert found
    assert found.document_id == first.pk
