"""A hundred random changes to the stored trail, made as the database's superuser with the triggers off: each alone is found.

The seed is in every test's output; DTAT_SEED repeats a run.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
from django.core.management import call_command
from psycopg2.extras import Json, RealDictCursor
from pytest_django.plugin import DjangoDbBlocker

from audit import trail
from audit.models import Kind
from tenants import scope
from tests.audit.conftest import Written
from tests.conftest import URLS

SEED = int(os.environ.get("DTAT_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
HOW_MANY = 100
CONTENT = ("tenant_id", "document_id", "version", "kind", "at", "actor", "step", "codes", "request_id")
Row = dict[str, Any]


class Attacker:
    """The superuser at the tables, with the triggers off."""

    def __init__(self, cursor: Any, luck: random.Random) -> None:
        self.cursor, self.luck = cursor, luck
        cursor.execute("SELECT * FROM audit_auditevent ORDER BY chain, seq")
        self.rows: list[Row] = [dict(row) for row in cursor.fetchall()]
        self.chains = sorted({row["chain"] for row in self.rows})

    def row(self) -> Row:
        return self.luck.choice(self.rows)

    def two_of_one_chain(self) -> tuple[Row, Row]:
        chain = self.luck.choice([chain for chain in self.chains if len(self.of(chain)) > 1])
        first, second = self.luck.sample(self.of(chain), 2)
        return first, second

    def of(self, chain: str) -> list[Row]:
        return [row for row in self.rows if row["chain"] == chain]

    def update(self, row: Row, **values: Any) -> None:
        assert values
        columns = ", ".join(f"{name} = %s" for name in values)
        self.cursor.execute(
            f"UPDATE audit_auditevent SET {columns} WHERE id = %s", [*map(_parameter, values.values()), row["id"]]
        )
        assert self.cursor.rowcount == 1

    def delete(self, *rows: Row) -> None:
        self.cursor.execute("DELETE FROM audit_auditevent WHERE id = ANY (%s)", [[row["id"] for row in rows]])
        assert self.cursor.rowcount == len(rows)

    def insert(self, row: Row) -> None:
        names = [name for name in row if name != "id"]
        self.cursor.execute(
            f"INSERT INTO audit_auditevent ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})",
            [_parameter(row[name]) for name in names],
        )

    def shift(self, chain: str, seq: int) -> None:
        """Make room for an event at `seq`."""
        for by in (1_000_001, -1_000_000):  # two steps: the numbers are unique
            self.cursor.execute(
                "UPDATE audit_auditevent SET seq = seq + %s WHERE chain = %s AND seq >= %s", [by, chain, seq]
            )

    def head(self, chain: str, assignments: str) -> None:
        self.cursor.execute(f"UPDATE audit_audithead SET {assignments} WHERE chain = %s", [chain])
        assert self.cursor.rowcount == 1


def _parameter(value: Any) -> Any:
    return Json(value) if isinstance(value, dict) else value


def rehashed(row: Row) -> Row:
    """The row with the hash that it ought to have: the attacker knows how they are made."""
    values = {name: row[name] for name in trail.HASHED} | {"tenant_id": str(row["tenant_id"])}
    values["at"] = row["at"].isoformat(timespec="microseconds")
    return {**row, "hash": hashlib.sha256(trail.canonical(values).encode()).hexdigest()}


def other(attacker: Attacker, row: Row, name: str) -> Any:
    """A value of the column that is not the present one."""
    luck, value = attacker.luck, row[name]
    if name == "kind":
        return luck.choice([kind.value for kind in Kind if kind.value != value])
    if name == "codes":
        turned = {**value, "reasons": value.get("reasons", [])[::-1]}
        others = [{}, {**value, "count": -1}, {**value, "reason": "x"}, turned]
        return luck.choice([each for each in others if each != value])
    if name == "version":
        return luck.choice([None, (value or 0) + 1_000])
    if name == "at":
        return luck.choice([value.replace(year=1999), value.replace(microsecond=(value.microsecond + 1) % 1_000_000)])
    if name in {"tenant_id", "document_id"}:
        return str(uuid4())
    if name in {"hash", "previous_hash"}:
        return luck.choice(["", "0" * 64, value[:-1] + ("0" if value[-1:] != "0" else "1")]) if value else "0" * 64
    return luck.choice(
        [f"{value}x", value[1:] if value else "x", value.swapcase() if value.swapcase() != value else "y"]
    )


# --- The changes: each gives the chains that must be named -----------------------------------------------------------


def edit(attacker: Attacker) -> set[str]:
    row = attacker.row()
    name = attacker.luck.choice([*CONTENT, "hash", "previous_hash"])
    attacker.update(row, **{name: other(attacker, row, name)})
    return {row["chain"]}


def edit_and_rehash(attacker: Attacker) -> set[str]:
    row = attacker.row()
    name = attacker.luck.choice(["actor", "step", "request_id", "document_id"])
    attacker.update(row, **{name: "somebody", "hash": rehashed({**row, name: "somebody"})["hash"]})
    return {row["chain"]}


def edit_and_rehash_to_the_end(attacker: Attacker) -> set[str]:
    """All but the head."""
    row = attacker.row()
    before = ""
    for link in attacker.of(row["chain"])[row["seq"] - 1 :]:
        changed = {**link, "actor": "somebody"}
        changed["previous_hash"] = before or link["previous_hash"]
        changed = rehashed(changed)
        attacker.update(link, actor="somebody", previous_hash=changed["previous_hash"], hash=changed["hash"])
        before = changed["hash"]
    return {row["chain"]}


def renumber(attacker: Attacker) -> set[str]:
    row = attacker.row()
    attacker.update(row, seq=row["seq"] + attacker.luck.choice([100, 1000]))
    return {row["chain"]}


def move_to_another_chain(attacker: Attacker) -> set[str]:
    row = attacker.row()
    chain = attacker.luck.choice([chain for chain in attacker.chains if chain != row["chain"]])
    attacker.update(row, chain=chain, seq=len(attacker.of(chain)) + 1, version=None)
    return {row["chain"], chain}


def delete_one(attacker: Attacker) -> set[str]:
    row = attacker.row()
    attacker.delete(row)
    return {row["chain"]}


def delete_one_and_close_the_gap(attacker: Attacker) -> set[str]:
    row = attacker.row()
    attacker.delete(row)
    for by in (1_000_000, -1_000_001):
        attacker.cursor.execute(
            "UPDATE audit_auditevent SET seq = seq + %s WHERE chain = %s AND seq > %s", [by, row["chain"], row["seq"]]
        )
    return {row["chain"]}


def delete_a_chain(attacker: Attacker) -> set[str]:
    chain = attacker.luck.choice(attacker.chains)
    attacker.delete(*attacker.of(chain))
    return {chain}


def cut_the_tail(attacker: Attacker) -> set[str]:
    chain = attacker.luck.choice([chain for chain in attacker.chains if len(attacker.of(chain)) > 1])
    rows = attacker.of(chain)
    attacker.delete(*rows[-attacker.luck.randint(1, len(rows) - 1) :])
    return {chain}


def cut_the_tail_and_set_back_the_number(attacker: Attacker) -> set[str]:
    row = attacker.row()
    attacker.delete(row)
    attacker.delete(*[later for later in attacker.of(row["chain"]) if later["seq"] > row["seq"]])
    attacker.head(row["chain"], f"seq = {row['seq'] - 1}")
    return {row["chain"]}


def swap_numbers(attacker: Attacker) -> set[str]:
    first, second = attacker.two_of_one_chain()
    attacker.update(first, seq=1_000_000)
    attacker.update(second, seq=first["seq"])
    attacker.update(first, seq=second["seq"])
    return {first["chain"]}


def swap_contents(attacker: Attacker) -> set[str]:
    first, second = attacker.two_of_one_chain()
    attacker.update(first, version=None)
    attacker.update(second, **{name: first[name] for name in CONTENT})
    attacker.update(first, **{name: second[name] for name in CONTENT})
    return {first["chain"]}


def swap_contents_with_hashes(attacker: Attacker) -> set[str]:
    first, second = attacker.two_of_one_chain()
    names = (*CONTENT, "previous_hash", "hash")
    attacker.update(first, version=None)
    attacker.update(second, **{name: first[name] for name in names})
    attacker.update(first, **{name: second[name] for name in names})
    return {first["chain"]}


def swap_chains(attacker: Attacker) -> set[str]:
    first, second = attacker.luck.sample(attacker.chains, 2)
    for chain, to in ((first, "between"), (second, first), ("between", second)):
        attacker.cursor.execute("UPDATE audit_auditevent SET chain = %s WHERE chain = %s", [to, chain])
    return {first, second}


def insert_in_the_middle(attacker: Attacker) -> set[str]:
    row = attacker.row()
    attacker.shift(row["chain"], row["seq"])
    attacker.insert(rehashed({**row, "actor": "somebody", "version": None}))
    return {row["chain"]}


def insert_at_the_end(attacker: Attacker) -> set[str]:
    last = attacker.of(attacker.luck.choice(attacker.chains))[-1]
    forged = {**last, "seq": last["seq"] + 1, "previous_hash": last["hash"], "actor": "somebody", "version": None}
    attacker.insert(rehashed(forged))
    return {last["chain"]}


def insert_a_chain(attacker: Attacker) -> set[str]:
    chain = f"document:{uuid4()}"
    attacker.insert(rehashed({**attacker.row(), "chain": chain, "seq": 1, "previous_hash": ""}))
    return {chain}


def change_the_head(attacker: Attacker) -> set[str]:
    chain = attacker.luck.choice(attacker.chains)
    assignments = [
        "seq = seq + 1",
        "seq = seq - 1",
        "seq = 0",
        "hash = ''",
        "hash = repeat('0', 64)",
        "tenant_id = gen_random_uuid()",
    ]
    attacker.head(chain, attacker.luck.choice(assignments))
    return {chain}


def delete_the_head(attacker: Attacker) -> set[str]:
    chain = attacker.luck.choice(attacker.chains)
    attacker.cursor.execute("DELETE FROM audit_audithead WHERE chain = %s", [chain])
    return {chain}


CHANGES: list[Callable[[Attacker], set[str]]] = [
    edit, edit, edit, edit, edit_and_rehash, edit_and_rehash_to_the_end,
    renumber, move_to_another_chain, swap_numbers, swap_contents, swap_contents_with_hashes, swap_chains,
    delete_one, delete_one_and_close_the_gap, delete_a_chain, delete_the_head,
    cut_the_tail, cut_the_tail_and_set_back_the_number,
    insert_in_the_middle, insert_at_the_end, insert_a_chain, change_the_head,
]  # fmt: skip


# --- The tests -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def superuser(written: Written) -> Iterator[psycopg2.extensions.connection]:
    with closing(psycopg2.connect(URLS["superuser"])) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("CREATE TEMP TABLE kept_events AS SELECT * FROM audit_auditevent")
            cursor.execute("CREATE TEMP TABLE kept_heads AS SELECT * FROM audit_audithead")
        yield connection


@pytest.fixture
def cursor(superuser: psycopg2.extensions.connection, django_db_blocker: DjangoDbBlocker) -> Iterator[Any]:
    """A superuser's cursor; afterwards the trail is what it was."""
    with django_db_blocker.unblock(), superuser.cursor(cursor_factory=RealDictCursor) as cursor:
        yield cursor
        superuser.rollback()
        cursor.execute("DELETE FROM audit_auditevent")
        cursor.execute("INSERT INTO audit_auditevent SELECT * FROM kept_events")
        cursor.execute("DELETE FROM audit_audithead")
        cursor.execute("INSERT INTO audit_audithead SELECT * FROM kept_heads")
        superuser.commit()


def named_by_the_command(*arguments: str) -> tuple[set[str], int]:
    out = io.StringIO()
    code = 0
    try:
        call_command("audit_verify", "--json", *arguments, stdout=out)
    except SystemExit as end:
        code = int(str(end.code))
    return {found["chain"] for found in json.loads(out.getvalue())["breaks"]}, code


def test_the_untouched_trail_holds(cursor: Any) -> None:
    with scope.everything():
        found = trail.examine()
    assert (found.chains, found.events, found.breaks) == (21, sum(range(5, 25)) + 1, ())
    assert named_by_the_command() == (set(), 0)


@pytest.mark.parametrize("number", range(HOW_MANY))
def test_one_change_is_found_and_its_chain_named(cursor: Any, number: int) -> None:
    luck = random.Random(SEED + number)
    change = CHANGES[number % len(CHANGES)]
    print(f"DTAT_SEED={SEED}, change {number}: {change.__name__}")  # noqa: T201  # shown when the test fails
    touched = change(Attacker(cursor, luck))
    cursor.connection.commit()
    with scope.everything():
        assert {found.chain for found in trail.verify()} == touched
        assert {found.chain for found in trail.verify(sorted(touched))} == touched
    assert named_by_the_command() == (touched, 1)


@pytest.mark.parametrize(
    "text", ["'0044-03-15 BC'", "(at::text || ' BC')::timestamptz", "'infinity'", "'-infinity'", "'20000-01-01'"]
)
def test_a_time_that_python_cannot_hold_is_a_break_not_an_error(cursor: Any, written: Written, text: str) -> None:
    cursor.execute(f"UPDATE audit_auditevent SET at = {text} WHERE chain = %s AND seq = 2", [written.chains[3]])
    cursor.connection.commit()
    with scope.everything():
        assert trail.verify() == [trail.Break(written.chains[3], 2, "its content was changed")]


def test_a_number_that_python_cannot_read_is_a_break_not_an_error(cursor: Any, written: Written) -> None:
    cursor.execute(
        "UPDATE audit_auditevent SET codes = ('{\"count\": 1' || repeat('0', 5000) || '}')::jsonb WHERE chain = %s AND seq = 2",
        [written.chains[3]],
    )
    cursor.connection.commit()
    with scope.everything():
        assert trail.verify() == [trail.Break(written.chains[3], 2, "its content was changed")]


@pytest.mark.parametrize(
    ("statement", "seq", "reason"),
    [
        ("UPDATE audit_auditevent SET actor = 'x' WHERE chain = %s AND seq = 3", 3, "its content was changed"),
        ("DELETE FROM audit_auditevent WHERE chain = %s AND seq = 3", 4, "an event before this one is gone or was moved"),
        ("DELETE FROM audit_auditevent WHERE chain = %s AND seq > 3", 4, "events after this point are gone, or the head was changed"),
        ("DELETE FROM audit_auditevent WHERE chain = %s", 1, "every event of the chain is gone"),
        ("DELETE FROM audit_audithead WHERE chain = %s", 6, "the head of the chain is gone"),
        ("UPDATE audit_audithead SET tenant_id = gen_random_uuid() WHERE chain = %s", 6, "the head belongs to another tenant"),
        ("UPDATE audit_audithead SET seq = 4 WHERE chain = %s", 5, "the head of the chain ends before it"),
        ("UPDATE audit_audithead SET hash = '' WHERE chain = %s", 7, "events after this point are gone, or the head was changed"),
    ],
)  # fmt: skip
def test_the_place_and_the_reason_are_named(
    cursor: Any, written: Written, statement: str, seq: int, reason: str
) -> None:
    chain = written.chains[1]
    cursor.execute(statement, [chain])
    cursor.connection.commit()
    with scope.everything():
        assert trail.verify() == [trail.Break(chain, seq, reason)]
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("audit_verify", chain=[chain], stdout=out)
    assert f"{chain} breaks at event {seq}: {reason}" in out.getvalue()


def test_a_sound_chain_beside_a_broken_one_verifies_alone(cursor: Any, written: Written) -> None:
    cursor.execute("UPDATE audit_auditevent SET actor = 'x' WHERE chain = %s", [written.chains[1]])
    cursor.connection.commit()
    assert named_by_the_command("--chain", written.chains[0]) == (set(), 0)
    assert named_by_the_command("--chain", written.chains[1]) == ({written.chains[1]}, 1)
    assert named_by_the_command("--chain", written.chains[0], "--chain", written.chains[1]) == ({written.chains[1]}, 1)


def test_two_broken_chains_are_both_named(cursor: Any, written: Written) -> None:
    two = {written.chains[0], written.chains[9]}
    cursor.execute("UPDATE audit_auditevent SET actor = 'x' WHERE chain = ANY (%s)", [sorted(two)])
    cursor.connection.commit()
    assert named_by_the_command() == (two, 1)
