"""Stored answers read again in bulk: what would change is told, undecided documents are written once, and nobody is called."""

from __future__ import annotations

import copy
import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ocr import artifacts, document_types, pipeline, replays
from ocr.models import Artifact, Document, DocumentType, ReplayChunk, ReplayRun
from review import decisions
from tenants import scope
from tests import engine as stub
from tests import make
from tests.engine import Engine


def replay(*arguments: str) -> dict[str, Any]:
    """What the command tells as JSON, run in this process."""
    out = io.StringIO()
    call_command("replay_documents", "--json", "--processes", "1", *arguments, stdout=out, stderr=io.StringIO())
    told: dict[str, Any] = json.loads(out.getvalue())
    return told


def another_version(name: str = "receipt", **of_total: Any) -> DocumentType:
    """A newer version of the type, in which the field `total` is described otherwise."""
    known = document_types.named(name)
    assert known
    definition = copy.deepcopy(known.definition)
    del definition["version"]
    next(each for each in definition["fields"] if each["name"] == "total").update(of_total)
    return document_types.add_version(definition)


def without_total() -> DocumentType:
    return another_version(labels=["Sum of all things"], finder=None)


def total_of(document: Document) -> str | None:
    with scope.scope([document.tenant_id]):
        value: str | None = document.fields.get(name="total").value
    return value


def test_a_dry_run_with_the_same_version_finds_no_change_and_always_the_same(cast: make.Cast, engine: Engine) -> None:
    made = [make.document(cast.a, status) for status in ("needs_review", "approved", "rejected")]
    make.document(cast.a, "failed")
    make.document(cast.a)
    calls, trail = engine.count(), [len(make.trail(each)) for each in made]
    told = replay()
    assert (told["documents"], told["read"], told["with_changes"], told["dry_run"]) == (3, 3, 0, True)
    assert told["routes"] == {"person -> person": 2, "straight_through -> straight_through": 1}
    assert told["by_status"] == {"needs_review": 1, "approved": 1, "rejected": 1}
    assert "fields" not in told and "type_changes" not in told
    assert replay("--dry-run")["sha256"] == told["sha256"]
    assert (engine.count(), [len(make.trail(each)) for each in made]) == (calls, trail)


def test_a_dry_run_tells_what_a_newer_version_would_change_by_field(cast: make.Cast, engine: Engine) -> None:
    waits, straight = make.document(cast.a, "needs_review"), make.document(cast.a, "approved")
    before = replay()
    newer = without_total()
    told = replay()
    assert told["types"] == {f"receipt@{newer.version}": 2}
    assert told["type_changes"] == {f"receipt@{newer.version - 1} -> receipt@{newer.version}": 2}
    assert told["fields"]["receipt"]["total"]["lost"] == 2 and told["with_changes"] == 2
    assert told["routes"] == {"person -> person": 1, "straight_through -> person": 1}
    assert told["sha256"] != before["sha256"]
    assert [make.reload(each).version for each in (waits, straight)] == [waits.version, straight.version]
    old = replay("--document-type", f"receipt@{newer.version - 1}")
    assert (old["with_changes"], old["sha256"]) == (0, before["sha256"])


def test_fields_are_counted_as_right_or_wrong_by_what_people_approved(cast: make.Cast, engine: Engine) -> None:
    made = make.document(cast.a, "needs_review")
    wrong = total_of(made)
    verdict = decisions.Verdict(version=made.version, decision="approve", corrected={"total": "12.34"}, reason="other")
    decisions.decide(made.pk, cast.ada, verdict)
    make.document(cast.a, "approved")  # nobody looked at it: it proves nothing
    told = replay()["truth"]
    assert wrong != "12.34" and told["documents"] == 1
    assert told["fields"]["receipt"]["total"] == {"before_wrong": 1, "after_wrong": 1}
    assert told["fields"]["receipt"]["merchant"] == {"before_right": 1, "after_right": 1}
    without_total()
    told = replay()["truth"]
    assert told["fields"]["receipt"]["total"] == {"before_wrong": 1, "after_wrong": 1}


def test_applying_writes_undecided_documents_once_and_no_others(cast: make.Cast, engine: Engine) -> None:
    waits = make.document(cast.a, "needs_review")
    resting = [make.document(cast.a, "approved", decided_by=cast.ada), make.document(cast.a, "approved")]
    resting.append(make.document(cast.a, "rejected"))
    assert total_of(waits)
    newer = without_total()
    calls, bill = engine.count(), len(engine.bill)
    told = replay("--apply")
    assert (told["applied"], told["dry_run"], told["read"]) == (1, False, 4)
    after = make.reload(waits)
    assert (after.status, after.version, after.document_type) == ("needs_review", waits.version + 1, newer)
    assert total_of(after) is None
    assert [event.kind for event in make.trail(waits)][-2:] == ["REPLAYED", "PUBLISHED"]
    assert [make.reload(each).version for each in resting] == [each.version for each in resting]
    assert replay("--apply")["applied"] == 0
    assert make.reload(waits).version == after.version
    assert (engine.count(), len(engine.bill)) == (calls, bill)
    assert make.broken() == []


def test_what_a_person_decided_before_it_was_reopened_is_left_to_people(cast: make.Cast, engine: Engine) -> None:
    made = make.document(cast.a, "approved", decided_by=cast.ada)
    reopened = decisions.reopen(made.pk, cast.sue)
    without_total()
    told = replay("--apply")
    assert (told["applied"], told["left_to_a_person"]) == (0, 1)
    assert make.reload(reopened).version == reopened.version


def test_a_document_that_is_decided_meanwhile_is_left_alone(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make.document(cast.a, "needs_review")
    without_total()
    really = pipeline.apply_all

    def late(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.undo()
        verdict = decisions.Verdict(version=made.version, decision="reject", reason="illegible")
        decisions.decide(made.pk, cast.ada, verdict)
        return really(*args, **kwargs)

    monkeypatch.setattr(pipeline, "apply_all", late)
    told = replay("--apply")
    assert (told["applied"], told["overtaken"], make.reload(made).status) == (0, 1, "rejected")
    assert make.broken() == []


def test_documents_are_chosen_by_tenant_type_time_and_number(cast: make.Cast, engine: Engine) -> None:
    first, second = make.document(cast.a, "approved"), make.document(cast.a, "approved")
    make.document(cast.b, "approved")
    make.document(cast.a, "needs_review", document_type="invoice")
    second_at = second.received_at.isoformat()
    assert replay()["documents"] == 4
    assert replay("--tenant", "birch")["documents"] == 1
    assert replay("--document-type", "receipt", "--tenant", "alder")["documents"] == 2
    assert replay("--of", "invoice")["documents"] == 1
    assert replay("--since", second_at)["documents"] == 3
    assert replay("--until", second_at)["documents"] == 1
    assert replay("--until", "2020-01-01")["documents"] == 0
    assert replay("--limit", "3")["documents"] == 3
    assert first.received_at < second.received_at


def test_documents_of_one_type_can_be_read_as_another(cast: make.Cast, engine: Engine) -> None:
    made = make.document(cast.a, "needs_review", document_type="invoice")
    told = replay("--of", "invoice", "--document-type", "receipt", "--apply")
    assert (told["applied"], list(told["types"])) == (1, ["receipt@1"])
    after = make.reload(made)
    assert after.document_type and (after.document_type.name, after.type_given) == ("receipt", True)
    assert make.broken() == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--document-type", "recipe"], "There is no document type of that name (recipe). Use one of:"),
        (["--document-type", "receipt@99"], "There is no version 99 of the document type receipt. Stored versions: 1."),
        (["--document-type", "receipt@x"], "There is no version x of the document type receipt."),
        (["--of", "recipe"], "There is no document type of that name (recipe)."),
        (["--tenant", "nobody"], "There is no tenant nobody. Use one of: alder, birch."),
        (["--since", "yesterday"], "invalid date value: 'yesterday'"),
        (["--since", "2026-02-31"], "invalid date value"),
        (["--limit", "0"], "invalid number from 1 value: '0'"),
        (["--dry-run", "--apply"], "not allowed with argument"),
        (["--resume"], "There is no replay that did not end."),
        (["--resume", "x"], "x is no id of a replay."),
        (["--resume", "00000000-0000-0000-0000-000000000000"], "There is no replay 00000000"),
        (["--resume", "--limit", "3"], "leave out --limit"),
    ],
)  # fmt: skip
def test_what_does_not_exist_is_refused_in_a_sentence(cast: make.Cast, arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError) as refusal:
        replay(*arguments)
    assert sentence in str(refusal.value)
    assert not ReplayRun.objects.exists()


def test_an_answer_that_was_changed_is_told_and_the_others_are_read(cast: make.Cast, engine: Engine) -> None:
    made, other = make.document(cast.a, "approved"), make.document(cast.a, "approved")
    with scope.everything():
        raw = Artifact.objects.get(document=made, kind=Artifact.Kind.RAW)
        Artifact.objects.filter(document=other, kind=Artifact.Kind.RAW).delete()
    artifacts.storage().delete(raw.key)
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 stored answers are gone or were changed"):
        call_command("replay_documents", "--json", "--processes", "1", stdout=out, stderr=io.StringIO())
    told = json.loads(out.getvalue())
    assert (told["documents"], told["read"], told["answer_lost"], told["without_answer"]) == (2, 0, 1, 1)


def test_people_are_told_in_sentences(cast: make.Cast, engine: Engine) -> None:
    make.document(cast.a, "approved", decided_by=cast.ada)
    make.document(cast.a, "approved")
    without_total()
    out = io.StringIO()
    call_command("replay_documents", "--processes", "1", stdout=out, stderr=io.StringIO())
    told = out.getvalue()
    assert "2 of 2 documents read again" in told and "2 would change." in told
    assert "  total: 2 no longer found\n" in told
    assert "  straight_through -> person: 1\n" in told
    assert "Beside what people approved (1 documents), right before -> after, of:\n" in told
    assert "  receipt total: 1 -> 0, of 1\n" in told


def test_an_interrupted_run_goes_on_where_it_was_and_applies_nothing_twice(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "CHUNK", 1)
    made = [make.document(cast.a, "needs_review") for _ in range(4)]
    without_total()
    run = replays.plan(replays.Wishes(apply=True))
    done: list[int] = []

    def dies() -> None:
        done.append(1)
        if len(done) == 2:
            raise SystemExit

    with pytest.raises(SystemExit):
        replays.work(run, actor="system", after_each=dies)
    taken = replays._taken(run)  # and dies before it has written what it read
    assert taken and taken.number == 3
    assert not replays.finish(run)["ended"]
    versions = [make.reload(each).version for each in made]
    assert versions == [made[0].version + 1, made[1].version + 1, made[2].version, made[3].version]
    told = replay("--resume")
    assert (told["run"], told["applied"], told["read"], told["ended"]) == (str(run.pk), 4, 4, True)
    assert [make.reload(each).version for each in made] == [each.version + 1 for each in made]
    assert replay("--resume", str(run.pk))["sha256"] == told["sha256"]
    assert make.broken() == []


def test_a_process_that_was_overtaken_by_a_resumption_writes_nothing(cast: make.Cast, engine: Engine) -> None:
    made = make.document(cast.a, "needs_review")
    without_total()
    late = replays.plan(replays.Wishes(apply=True))
    held = replays._taken(late)
    assert held
    fresh = replays.resume(late.pk)
    replays.work(fresh, actor="system")
    with ThreadPoolExecutor(1) as fetching:
        replays._replay(late, held, fetching, actor="system")
    assert replays._taken(late) is None
    assert make.reload(made).version == made.version + 1
    assert replays.finish(fresh)["applied"] == 1


def test_a_result_that_was_not_stored_before_a_kill_is_stored_by_the_resumption(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make.document(cast.a, "needs_review")
    without_total()
    run = replays.plan(replays.Wishes(apply=True))

    def dies(_document: Document) -> Artifact:
        raise SystemExit

    monkeypatch.setattr(pipeline, "publish", dies)
    with pytest.raises(SystemExit):
        replays.work(run, actor="system")
    monkeypatch.undo()
    results = len(make.stored(made, Artifact.Kind.RESULT))
    told = replay("--resume")
    assert (told["applied"], make.reload(made).version) == (1, made.version + 1)
    assert len(make.stored(made, Artifact.Kind.RESULT)) == results + 1
    assert make.broken() == []


def test_a_version_that_appears_meanwhile_does_not_count(cast: make.Cast, engine: Engine) -> None:
    make.document(cast.a, "approved")
    before = replay()["sha256"]
    run = replays.plan(replays.Wishes())
    without_total()
    replays.work(run, actor="system")
    assert replays.finish(run)["sha256"] == before


def test_a_dry_run_asks_the_database_no_more_often_for_more_documents(cast: make.Cast, engine: Engine) -> None:
    for _ in range(3):
        make.document(cast.a, "approved")
    few = replays.plan(replays.Wishes(limit=1))
    many = replays.plan(replays.Wishes())
    with _counted() as one:
        replays.work(few, actor="system")
    with _counted() as three:
        replays.work(many, actor="system")
    assert len(one) == len(three)


def _counted() -> CaptureQueriesContext:
    return CaptureQueriesContext(connection)


def test_the_chunks_of_a_long_document_are_shorter(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "CHUNK_PAGES", 3)
    for pages in (1, 2, 2):
        make.document(cast.a, "approved", pages=[stub.CLEAR] * pages)
    run = replays.plan(replays.Wishes())
    with scope.everything():
        assert [len(chunk.documents) for chunk in run.chunks.all()] == [2, 1]


def test_fields_of_forms_without_fixed_ones_are_not_named(cast: make.Cast, engine: Engine) -> None:
    make.document(cast.a, "needs_review")
    told = replay("--document-type", "generic_form", "--of", "receipt")
    assert set(told["fields"]["generic_form"]) <= {
        *(each.name for each in document_types.parsed(document_types.stored("receipt")).fields), "*",
    }  # fmt: skip


def test_old_runs_are_deleted(cast: make.Cast, engine: Engine) -> None:
    make.document(cast.a, "approved")
    old = replays.plan(replays.Wishes())
    ReplayRun.objects.filter(pk=old.pk).update(created_at="2020-01-01T00:00:00Z")
    new = replays.plan(replays.Wishes())
    with scope.everything():
        assert set(ReplayChunk.objects.values_list("run", flat=True)) == {new.pk}
