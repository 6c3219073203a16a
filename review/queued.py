"""Why documents of the queue are where they are: what is wrong with each, who holds it, whose it is, what it waits for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit import prepared
from ocr.models import Document, TextLayer
from tenants import access

MOST_REASONS = 4
TONES = {
    "low_confidence": "warn",
    "ambiguous": "warn",
    "unclear_type": "warn",
    "several_documents": "warn",
    "missing": "miss",
    "invalid": "bad",
    "partial_result": "bad",
}
# The weightiest first.
_WORDS: dict[str, Callable[[int], str]] = {
    "invalid": lambda n: _("%(n)s fails a check") % {"n": n} if n == 1 else _("%(n)s fail checks") % {"n": n},
    "partial_result": lambda n: _("Read in part"),
    "several_documents": lambda n: _("Several documents"),
    "unclear_type": lambda n: _("Type unclear"),
    "missing": lambda n: _("%(n)s missing") % {"n": n},
    "ambiguous": lambda n: _("%(n)s with two readings") % {"n": n},
    "low_confidence": lambda n: _("%(n)s uncertain") % {"n": n},
}
_NAME = "coalesce(nullif(trim(concat({0}.first_name, ' ', {0}.last_name)), ''), {0}.username)"
# One statement for a page of the queue, planned once: as seven of the ORM's it took longer to put together than to run.
_GLANCES = f"""
    SELECT document.id, problems.codes, problems.least,
           claim.holder_id, {_NAME.format("holder")}, {_NAME.format("person")},
           question.author_id, {_NAME.format("author")}, question.asked_id, {_NAME.format("asked")},
           looked.differs, escalation.escalated_by
      FROM unnest($1::uuid[]) AS wanted (id)
      JOIN ocr_document AS document USING (id)
     CROSS JOIN LATERAL (
         SELECT array_agg(each ->> 'code') AS codes, min(field.word_confidence) AS least
           FROM ocr_field AS field CROSS JOIN LATERAL jsonb_array_elements(field.problems) AS each
          WHERE field.document_id = document.id AND field.problems <> '[]'::jsonb
     ) AS problems
      LEFT JOIN review_claim AS claim ON claim.document_id = document.id AND claim.expires_at >= statement_timestamp()
      LEFT JOIN auth_user AS holder ON holder.id = claim.holder_id
      LEFT JOIN review_assignment AS assignment ON assignment.document_id = document.id
      LEFT JOIN auth_user AS person ON person.id = assignment.person_id
      LEFT JOIN review_comment AS question ON question.document_id = document.id
                                          AND question.asked_id IS NOT NULL AND question.answered_at IS NULL
      LEFT JOIN auth_user AS author ON author.id = question.author_id
      LEFT JOIN auth_user AS asked ON asked.id = question.asked_id
      LEFT JOIN review_escalation AS escalation ON escalation.document_id = document.id
      LEFT JOIN LATERAL (
         SELECT array(SELECT jsonb_array_elements_text(seen.differs)) AS differs FROM review_check AS seen
          WHERE seen.document_id = document.id AND seen.version = document.version AND seen.settled_at IS NULL
          ORDER BY seen.number DESC LIMIT 1
      ) AS looked ON true
"""


@dataclass(frozen=True, slots=True)
class Glance:
    """What the queue shows of one document besides the document itself. Names are as people are called; '' is nobody."""

    codes: list[str] | None  # the problems of its fields
    least: float | None  # 0-100, of the words of those fields
    holder_id: int | None  # who has it open or reserved now
    holder: str
    assigned: str
    author_id: int | None  # of an open question
    author: str
    asked_id: int | None
    asked: str
    differs: list[str] | None  # None while nobody has checked it; the fields that two people read in two ways
    escalated_by: str | None

    def doubt(self) -> tuple[int, float, int]:
        """How likely something is wrong: what breaks a rule first, then the least sure word, then how many fields are doubtful."""
        codes = self.codes or []
        return codes.count("invalid"), 100 - (100 if self.least is None else self.least), len(codes)


def glances(document_ids: Iterable[UUID]) -> dict[UUID, Glance]:
    """By document. Inside a scope."""
    return {id_: Glance(*rest) for id_, *rest in prepared.fetch(_GLANCES, prepared.array(document_ids))}


def reasons(document: Document, glance: Glance, user_id: int | None) -> list[dict[str, str]]:
    """Why it is here, in words and the tones of the screen, the weightiest first."""
    return [*_of_people(glance, user_id), *_of_reading(document, glance)][:MOST_REASONS]


def _of_people(glance: Glance, user_id: int | None) -> list[dict[str, str]]:
    told = []
    if glance.asked_id is not None:
        mine = glance.asked_id == user_id
        words = _("%(name)s asks you") if mine else _("Waits for %(name)s")
        text = words % {"name": glance.author if mine else glance.asked}
        told.append({"tone": "warn" if mine else "plain", "text": text})
    if glance.differs is not None:
        n = len(glance.differs)
        words = ngettext("%(n)s value read in two ways", "%(n)s values read in two ways", n)
        told.append({"tone": "plain", "text": words % {"n": n} if n else _("Second check")})
    if glance.escalated_by is not None:
        by = access.called(glance.escalated_by)
        told.append({"tone": "plain", "text": _("Passed on by %(name)s") % {"name": by}})
    return told


def _of_reading(document: Document, glance: Glance) -> list[dict[str, str]]:
    counts = Counter([*(glance.codes or []), *(problem["code"] for problem in document.problems)])
    told = [{"tone": TONES[code], "text": words(counts[code])} for code, words in _WORDS.items() if code in counts]
    if document.text_layer == TextLayer.DIFFERS:
        told.append({"tone": "bad", "text": _("Hidden text differs")})
    if document.duplicate_of:
        told.append({"tone": "plain", "text": _("Received before")})
    return told
