"""Four eyes: documents that more than one person has to see before they are approved, never one person twice.

The document goes on waiting (`needs_review`) until the last of them has said what its fields are; each writes a `Check`. The type's
`four_eyes` says how: a second person looks at what the first said, or two key the same fields without seeing anything but the page.
Where the two differ, a third decides between both values and is told neither whose they are nor which came first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from audit import prepared, trail
from audit.models import Kind
from ocr import contract, document_types, extraction, lifecycle, turns
from ocr.models import Document, Field, Status
from review import acts as acts_of
from review.models import Act, Check, Correction
from tenants import access

if TYPE_CHECKING:
    from tenants.models import AnyUser

_TRAVEL = 3  # seconds
Said = Mapping[str, tuple[Act, str | None]]  # by the field's path
WHOLE = {"page", "box", "name", "label", "kind", "group", "required", "threshold"}  # what blind keying shows of a field


class Seen(lifecycle.NotPossible):
    """This person has had their look at the document; the next one is somebody else's."""

    code = "already_checked"


@dataclass(frozen=True, slots=True)
class Round:
    """How far the looks at a document's present version are. `eyes` is None where one person is enough."""

    document: Document
    eyes: extraction.FourEyes | None
    checks: tuple[Check, ...]

    @property
    def number(self) -> int:
        """Which look comes next, from 1."""
        return len(self.checks) + 1

    @property
    def is_blind(self) -> bool:
        return self.eyes is not None and self.eyes.mode == "blind" and self.number < 3

    @property
    def is_further(self) -> bool:
        return bool(self.checks)

    def agreed(self) -> dict[str, tuple[Act, str | None]]:
        """What the people before this look said, without what the two differ in."""
        said = {path: acted for check in self.checks for path, acted in _said(check).items()}
        return {path: acted for path, acted in said.items() if path not in self.differs}

    @property
    def differs(self) -> list[str]:
        return list(self.checks[1].differs) if self.number == 3 else []

    def covered(self, rows: Iterable[Field]) -> list[Field]:
        """The fields that this look is about, out of the document's."""
        if self.eyes is None:
            return []
        if self.number == 3:
            return [row for row in rows if row.path in self.differs]
        if self.number == 1 and not self.is_blind:
            return []
        wanted = {*self.eyes.fields, self.eyes.amount}
        return [row for row in rows if row.row is None and row.name in wanted]

    def candidates(self, path: str) -> list[tuple[Act, str | None]]:
        """Both values of a field in which two people differ, in an order that says nothing about who said which."""
        both = [_said(check).get(path) or (Act.CONFIRMED, _stored(self.document)[path].value) for check in self.checks]
        key = f"{self.document.pk}:{self.document.version}:{path}"
        return both[::-1] if salted_hmac("review.checks", key).digest()[0] % 2 else both


def standing(document: Document) -> Round:
    """The round of the document's present version."""
    eyes = _eyes(document)
    checks = tuple(Check.objects.filter(document=document, version=document.version)) if eyes else ()
    return Round(document, eyes, checks)


def _eyes(document: Document) -> extraction.FourEyes | None:
    if document.document_type_id is None:
        return None
    return document_types.parsed(document_types.row(document.document_type_id)).four_eyes


def _stored(document: Document) -> dict[str, Field]:
    """The document's fields by path as they are kept: rows of their own, whatever the caller makes of others."""
    return {row.path: row for row in prepared.objects(Field, "WHERE document_id = $1::uuid", document.pk)}


def check_unseen(document: Document, user: AnyUser) -> None:
    """Raise Seen when this person has had their look at the present version."""
    if (
        _eyes(document)
        and Check.objects.filter(document=document, version=document.version, person_id=user.pk).exists()
    ):
        raise Seen(_("You have checked this document. The next look at it is another person's."))


@dataclass(frozen=True, slots=True)
class Look:
    """What one person says: the acts by path, where values were seen, and a note."""

    acts: Said
    evidence: Mapping[str, acts_of.Evidence]
    note: str
    added_rows: Sequence[tuple[int, int | None]] = ()  # number, and below which row


# --- Before the look ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Added:
    """The rows that a look added, as a verdict says it."""

    added_rows: Sequence[acts_of.AddedRow]
    missed: Mapping[str, str] = dataclasses.field(default_factory=dict)
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    removed_rows: Iterable[int] = ()


def arrange(round_: Round, standing: acts_of.Standing) -> None:
    """Put the rows that the people before this look added among the document's, unsaved, and prepare all as it begins."""
    if round_.is_further:
        assert round_.document.document_type
        type_ = document_types.parsed(round_.document.document_type)
        for check in round_.checks:
            acts_of.grow(standing, type_, _Added([_row(check, *place) for place in check.added_rows]))
        standing.added.clear()  # they are nothing that this look adds
    prepare(round_, standing.rows)


def _row(check: Check, number: int, after: int | None) -> acts_of.AddedRow:
    start = f"{acts_of.ROW}{number}."
    cells = {
        path.removeprefix(start): each["value"] or "" for path, each in check.said.items() if path.startswith(start)
    }
    return acts_of.AddedRow(cells, after, number)


def prepare(round_: Round, rows: Mapping[str, Field]) -> None:
    """The document's fields, not saved, as this look begins: with what was said before, and open where it is about them."""
    seen = evidence(round_)
    for path, (act, value) in round_.agreed().items():
        if path in rows:
            acts_of.apply(rows[path], act, value, seen.get(path))
    for row in round_.covered(rows.values()):
        row.state = "open"
        if round_.is_blind or round_.number == 3:
            row.value = None


def evidence(round_: Round) -> dict[str, acts_of.Evidence]:
    """Where the people before this look saw their values."""
    told = {path: each["seen"] for check in round_.checks for path, each in check.said.items() if "seen" in each}
    return {path: acts_of.Evidence(**seen) for path, seen in told.items()}


def rearranges(round_: Round, acts: Said) -> bool:
    """Whether a further look would add or take out rows: whoever came before it would not have seen them."""
    return round_.is_further and any(act in {Act.ADDED, Act.REMOVED} for act, _value in acts.values())


def unsaid(round_: Round, rows: Mapping[str, Field], acts: Said) -> list[Field]:
    """The fields that this look has to say something about, and does not: nothing stands there to be confirmed in silence."""
    if not (round_.is_blind or round_.number == 3):
        return []
    return [row for row in round_.covered(rows.values()) if row.path not in acts]


def unasked(round_: Round, rows: Mapping[str, Field], acts: Said) -> list[Field]:
    """The fields that this look has nothing to say about, and does: after the first blind look nobody is shown any others."""
    if round_.eyes is None or round_.eyes.mode != "blind" or not round_.is_further:
        return []
    asked = {row.path for row in round_.covered(rows.values())}
    return [row for path, row in rows.items() if path in acts and path not in asked]


def shown(document: Document, told: Mapping[str, Any]) -> dict[str, Any]:
    """A waiting document's fields, line items and problems as the next look may see them."""
    found = {name: told[name] for name in ("fields", "line_items", "problems")}
    if document.status != Status.NEEDS_REVIEW:
        return found
    round_ = standing(document)
    if round_.eyes is None or (round_.number == 1 and not round_.is_blind):
        return found
    standing_ = acts_of.Standing.of(document, to_write=False)
    arrange(round_, standing_)
    rows = standing_.rows
    about = {row.path for row in round_.covered(rows.values())}
    fields = [
        _as_seen(round_, rows[field["name"]], field, is_asked=field["name"] in about) for field in found["fields"]
    ]
    if round_.eyes.mode == "second":
        return {"fields": fields, "line_items": _items(round_, standing_, found["line_items"], about), "problems": []}
    if round_.number == 1:
        problems = [problem for problem in found["problems"] if problem["field"] and problem["field"] not in about]
        return {"fields": fields, "line_items": found["line_items"], "problems": problems}
    # Only what is to be keyed: what the first person made of all else is settled, and would tell what they read.
    return {"fields": [field for field in fields if field["name"] in about], "line_items": [], "problems": []}


def about(document: Document) -> dict[str, Any] | None:
    """What the page says of the next look at a waiting document; None where one person is enough."""
    round_ = standing(document)
    if document.status != Status.NEEDS_REVIEW or round_.eyes is None or (round_.number == 1 and not round_.is_blind):
        return None
    kind = "third" if round_.number == 3 else round_.eyes.mode
    return {"number": round_.number, "kind": kind, "keyed": round_.number == 3 or round_.is_blind}


def _items(
    round_: Round, standing_: acts_of.Standing, items: Iterable[Mapping[str, Any]], about: set[str]
) -> list[dict[str, Any]]:
    """The line items in their order, with those that somebody added and without those that somebody took out."""
    told = {f"{acts_of.ROW}{item['row']}.{cell['name']}": cell for item in items for cell in item["cells"]}
    turned = turns.of(round_.document)
    cells: dict[int, list[dict[str, Any]]] = {number: [] for number in standing_.order}
    for path, row in standing_.rows.items():
        if row.row is not None and row.state != "removed":
            cell = told.get(path) or contract.field(row, {}, turned)
            cells[row.row].append(_as_seen(round_, row, cell, is_asked=path in about))
    return [{"row": number, "cells": of_row} for number, of_row in cells.items() if of_row]


def _as_seen(round_: Round, row: Field, field: dict[str, Any], *, is_asked: bool) -> dict[str, Any]:
    """One field for this look: what was said so far, or nothing but its place on the page."""
    if not is_asked:
        if not round_.is_further:
            return field
        return {
            **field,
            "value": row.value,
            "state": row.state,
            "source": row.source,
            "problems": [],
            "suggestions": [],
        }
    if round_.number == 2 and not round_.is_blind:
        unsure: dict[str, Any] = {"confidence": None, "word_confidence": None, "problems": [], "suggestions": []}
        return {**field, **unsure, "value": row.value, "state": "open"}
    empty = {name: value if name in WHOLE else None for name, value in field.items()}
    both = [
        {"value": value or "", "act": "" if value is not None else _without(act), "why": "candidate"}
        for act, value in (round_.candidates(row.path) if round_.number == 3 else [])
    ]
    hidden = {"text": "", "why": "", "word_ids": [], "problems": [], "state": "open", "source": "person"}
    return {**empty, **hidden, "suggestions": both, "keyed": True}


def _without(act: Act) -> str:
    """Why there is no value, as a third person may take it over."""
    return str(act if act == Act.UNREADABLE else Act.ABSENT)


# --- After it -----------------------------------------------------------------------------------------------------


def hand_on(round_: Round, user: AnyUser, look: Look, final: Mapping[str, str | None]) -> bool:
    """Keep this look when another person has to follow, with its audit row; False when the document can be decided now.

    `final` are all values as they would be, by path. The caller has checked that it is the person's first; the database refuses a
    second one in any case.
    """
    differs = _differing(round_, look.acts) if round_.number == 2 else []
    if not (differs if round_.number == 2 else round_.number == 1 and _is_wanted(round_.eyes, final)):
        return False
    _keep(round_, user, look, differs=differs)
    return True


def conclude(round_: Round, user: AnyUser, look: Look) -> None:
    """Keep the last look of a document that is decided now, where there were others, and close the round."""
    if not round_.is_further:
        return
    _keep(round_, user, look, differs=[])
    close(round_.document)


def close(document: Document) -> None:
    """No further person is waited for."""
    Check.objects.filter(document=document, settled_at=None).update(settled_at=Now())


def said_by(document: Document, user: AnyUser, *, version: int) -> frozenset[str] | None:
    """The fields of which this person said something in a round that is decided; None where one person was enough."""
    mine = Check.objects.filter(document=document, version=version, person_id=user.pk).first()
    return frozenset(mine.said) if mine else None


def take_back(document: Document, user: AnyUser, *, decided: int) -> None:
    """The decision on version `decided` was undone: its person's look is gone, those of the others count for the present version."""
    made = Check.objects.filter(document=document, version=decided)
    made.filter(person_id=user.pk).delete()
    made.update(version=document.version, settled_at=None)


def retract(document: Document, user: AnyUser) -> dict[str, Any]:
    """Take back this person's look, the last one at the document: what it said, as a draft.

    Possible for UNDO_SECONDS, and some for the answer to travel. Raises lifecycle.NotPossible; the caller has seen to it that nobody
    else has opened the document.
    """
    last = Check.objects.filter(document=document, version=document.version).order_by("number").last()
    if last is None or last.person_id != user.pk:
        raise lifecycle.NotPossible(_("There is no check of yours on this document to take back."))
    if lifecycle.database_now() > last.checked_at + timedelta(seconds=settings.UNDO_SECONDS + _TRAVEL):
        raise lifecycle.NotPossible(_("The check was handed on in the meantime. Ask the next person, or a supervisor."))
    last.delete()
    trail.record(
        Kind.CHECKED,
        tenant_id=document.tenant_id,
        document_id=document.pk,
        actor=access.actor_of(user),
        step="undo",
        codes={"count": last.number},
    )
    said = [_as_correction(path, each) for path, each in last.said.items()]
    return acts_of.as_draft(document, said, dict(last.added_rows))


def _as_correction(path: str, each: Mapping[str, Any]) -> Correction:
    act, seen = Act(each["act"]), acts_of.Evidence(**each["seen"]) if "seen" in each else None
    place = acts_of.place_of(seen)
    return Correction(field=path, act=act, value=each["value"], source=acts_of.source_of(act, seen), **place)


def merged(round_: Round, acts: Said, rows: Mapping[str, Field]) -> dict[str, tuple[Act, str | None]]:
    """All that was said of the document, the later word last. What was keyed just as it stands in `rows` confirms that."""
    whole = {**round_.agreed(), **acts}
    if round_.eyes and round_.eyes.mode == "blind":
        return {path: _keyed(rows[path], *acted) for path, acted in whole.items()}
    return whole


def who_said(round_: Round, path: str, acts: Said, user: AnyUser) -> str:
    """Whose word on the field, or the row, counts."""
    if not _names(acts, path):
        for check in reversed(round_.checks):
            if _names(check.said, path):
                return check.reviewer
    return access.actor_of(user)


def _names(said: Iterable[str], path: str) -> bool:
    return any(each == path or each.startswith(f"{path}.") for each in said)


def _keyed(row: Field, act: Act, value: str | None) -> tuple[Act, str | None]:
    return (Act.CONFIRMED if act == Act.CORRECTED and value == row.value else act), value


def _said(check: Check) -> dict[str, tuple[Act, str | None]]:
    return {path: (Act(each["act"]), each["value"]) for path, each in check.said.items()}


def _is_wanted(eyes: extraction.FourEyes | None, final: Mapping[str, str | None]) -> bool:
    """Whether a second person has to look at a document with these values."""
    if eyes is None:
        return False
    if eyes.mode == "blind" or any(final.get(name) for name in eyes.fields):
        return True
    return eyes.above is not None and _is_above(final.get(eyes.amount), eyes.above)


def _is_above(value: str | None, limit: Decimal) -> bool:
    """An amount that is not known may be any."""
    try:
        return abs(Decimal(value or "")) > limit
    except InvalidOperation:
        return True


def _differing(round_: Round, acts: Said) -> list[str]:
    """The fields of which this second look says something else than the first."""
    stood = _stored(round_.document)
    first = _said(round_.checks[0])
    return sorted(path for path, acted in acts.items() if _meant(acted) != _meant(first.get(path), stood.get(path)))


def _meant(acted: tuple[Act, str | None] | None, row: Field | None = None) -> str:
    """Values are compared in their canonical form; that there is none, by why."""
    if acted is None:
        return (row.value if row else None) or ""
    act, value = acted
    return f"={act}" if value is None and act in {Act.ABSENT, Act.UNREADABLE} else value or ""


def _kept(look: Look, path: str) -> dict[str, Any]:
    act, value = look.acts[path]
    seen = {"seen": asdict(look.evidence[path])} if path in look.evidence else {}
    return {"act": str(act), "value": value, **seen}


def _keep(round_: Round, user: AnyUser, look: Look, *, differs: list[str]) -> None:
    document = round_.document
    Check.objects.create(
        tenant_id=document.tenant_id,
        document=document,
        version=document.version,
        number=round_.number,
        person_id=int(user.pk or 0),
        reviewer=access.actor_of(user),
        said={path: _kept(look, path) for path in look.acts},
        differs=differs,
        added_rows=[list(place) for place in look.added_rows],
        note=look.note,
        checked_at=lifecycle.database_now(),
    )
    by_act = acts_of.codes(look.acts, {})
    trail.record(
        Kind.CHECKED,
        tenant_id=document.tenant_id,
        document_id=document.pk,
        actor=access.actor_of(user),
        step="check",
        codes={**by_act, "count": round_.number, "kind": round_.eyes.mode if round_.eyes else "", "differs": differs},
    )
