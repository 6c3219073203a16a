"""From candidates to one field each: choose, say how sure, and say what a person should look at.

The choice is a score that can be read off: the candidate's own, plus AGREEMENT for each further place that says the
same, plus SUPPORT when a sum rule of the document comes out with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from ocr.extraction import sentences
from ocr.extraction.belonging import belonging
from ocr.extraction.blocks import ids_of
from ocr.extraction.candidates import NAMED_BY_THE_ENGINE, Candidate
from ocr.extraction.document_types import DateOrder, DocumentType, FieldSpec, SumRule
from ocr.extraction.eras import dated_since
from ocr.extraction.reading import Field, Problem, Suggestion, Word
from ocr.extraction.rules import missing_field
from ocr.extraction.support import LEAST_RIVAL_SCORE, support
from ocr.extraction.values import InvalidValue, parse_value

AGREEMENT = 0.04
MOST_AGREEMENTS = 2
# Two different values whose scores are closer than this are ambiguous.
AMBIGUOUS = 0.05
MOST_SUGGESTIONS = 5
# Textract's pair score grades the association, not the reading: 32 % of real form fields are below 80, but only 3 %
# contain a word below 80. So the pair's bar lies this much below the field's threshold; what a page that is hard to read
# leaves of it has the same (docs/reading.md).
PAIR_SLACK = 50.0
# What a sum that does not come out, or days in the wrong order, leave of a value's confidence (docs/reading.md).
WHERE_A_RULE_IS_BROKEN = 0.5
# Hundreds of pages may hold tens of thousands of values for one field; the likeliest are kept.
_MOST_VALUES = 500
_KEPT_VALUES = 100
# Of two candidates that are as good, the one whose source comes first in this list; then the finders'.
_TURNS = {
    "expense": 0, "identity": 0, "lending": 0, "query": 1, "key_value": 2, "table": 3, "label_right": 4, "label_below": 4,
}  # fmt: skip


class Choice(NamedTuple):
    """The candidates of one field, one per value, the best first."""

    ranked: tuple[Candidate, ...]

    @property
    def best(self) -> Candidate | None:
        return self.ranked[0] if self.ranked else None


@dataclass(slots=True)
class _Said:
    """What was found of one value: the best placed candidate, and the places that say the same."""

    best: Candidate
    best_at: tuple[int, int, int]
    first_at: tuple[int, int, int]
    places: set[tuple[str, ...]]
    again: tuple[Word, ...] = ()
    """The words of another place that says the same, none of them the best one's."""

    @property
    def rank(self) -> tuple[float, tuple[int, int, int]]:
        """The better the less; of equals the one that came first."""
        return -self.score, self.first_at

    @property
    def score(self) -> float:
        return self.best.score + AGREEMENT * min(len(self.places) - 1, MOST_AGREEMENTS)


class Tally:
    """The candidates of every field, one per value: the best placed, raised for each other place that says the same.

    They come page by page; what ranks first does not depend on that. Of very many values the likeliest are kept.
    """

    def __init__(self) -> None:
        self._said: dict[str, dict[str, _Said]] = defaultdict(dict)
        self._count = 0

    def add(self, candidates: Iterable[Candidate]) -> None:
        for each in candidates:
            self._count += 1
            said = self._said[each.name]
            _add(said, each, _place(each, self._count))
            if len(said) > _MOST_VALUES:
                kept = sorted(said.items(), key=lambda item: item[1].rank)[:_KEPT_VALUES]
                self._said[each.name] = dict(kept)

    def ranked(self) -> dict[str, list[Candidate]]:
        """For each field its candidates, the best first."""
        return {
            name: [
                each.best._replace(score=each.score, again=each.again)
                for each in sorted(said.values(), key=lambda each: each.rank)
            ]
            for name, said in self._said.items()
        }


def _place(each: Candidate, count: int) -> tuple[int, int, int]:
    """Where a candidate stands among all: by source, by page, as printed."""
    turn = _TURNS.get(each.why, len(_TURNS))
    return turn, each.page if 0 < turn < len(_TURNS) else 0, count


def _add(said: dict[str, _Said], each: Candidate, at: tuple[int, int, int]) -> None:
    value = each.value if each.value is not None else f"?{each.text}"
    known = said.get(value)
    if known is None:
        said[value] = _Said(each, at, at, {_spot(each)})
        return
    other = each
    if (-each.score, at) < (-known.best.score, known.best_at):
        known.best, known.best_at, other = each, at, known.best
    known.again = next((words for words in (known.again, other.words) if words and _apart(words, known.best.words)), ())
    known.first_at = min(known.first_at, at)
    if len(known.places) <= MOST_AGREEMENTS:
        known.places.add(_spot(each))


def _apart(some: Sequence[Word], others: Sequence[Word]) -> bool:
    """Whether no word is among both."""
    return {word.id for word in some}.isdisjoint(word.id for word in others)


def _spot(each: Candidate) -> tuple[str, ...]:
    return (each.why, *(word.id for word in each.words))


def choose(tallies: Iterable[Tally], document_type: DocumentType, *, since: date | None = None) -> dict[str, Choice]:
    """For each field of the type its candidates in order of preference; `since` is the first day that the document can be of."""
    merged: dict[str, list[Candidate]] = {}
    for tally in tallies:
        merged |= tally.ranked()
    for rule in document_type.rules:
        if isinstance(rule, SumRule):
            support(rule, merged)
    for spec in document_type.fields:
        if spec.belongs_to:
            belonging(spec, merged)
        if since is not None and spec.finder == "any_date":
            dated_since(spec, merged, since)
    return {name: Choice(tuple(_ranked(each))) for name, each in merged.items()}


def _ranked(candidates: Sequence[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda each: -each.score)


# --- the field


def field_of(
    spec: FieldSpec,
    choice: Choice | None,
    *,
    date_order: DateOrder = "day_first",
    legible: Mapping[int, float] = MappingProxyType({}),
) -> Field:
    """The field that the best candidate makes, with its problems and the other values as suggestions.

    `legible` is of each page the share (0-1) of its words that were surely read right.
    """
    best = choice.best if choice else None
    if choice is None or best is None:
        return absent(spec)
    rivals = [each for each in choice.ranked[1:] if each.value is not None and each.value != best.value]
    field = judged(plain_field(spec, best), spec, date_order=date_order)
    share = legible.get(best.page, 1.0)
    field = field._replace(confidence=sureness(best, rivals, legible=share))
    problems = [*field.problems, *_ambiguous(best, rivals)] or _unsure(field, _by_itself(best, share))
    suggestions = [*_other_readings(field, best.others), *(_suggestion(each) for each in rivals)]
    return with_problems(field._replace(suggestions=_distinct(suggestions)), problems)


def absent(spec: FieldSpec) -> Field:
    """A field that is not on the document: open when it is required, otherwise certain and empty."""
    return Field(
        name=spec.name, label=spec.label, group=spec.group, kind=spec.kind, value=None, text="", confidence=None,
        word_confidence=None, mean_word_confidence=None, page=None, box=None, word_ids=(), source="rule", why="",
        state="open" if spec.required else "certain", required=spec.required, threshold=spec.threshold,
        problems=(missing_field(spec),) if spec.required else (),
    )  # fmt: skip


def judged(field: Field, spec: FieldSpec, *, date_order: DateOrder = "day_first") -> Field:
    """The field with what its own print says against it: a value not understood, a doubtful word or pair.

    A text in which no value was found may still be one as a whole.
    """
    if field.value is not None:
        return with_problems(field, _doubtful(field))
    try:
        value = parse_value(field.text, spec, date_order=date_order)
    except InvalidValue as refusal:
        message = sentences.NOT_UNDERSTOOD(printed=_short(field.text), sentence=str(refusal))
        return with_problems(field, [Problem("invalid", field.name, message, refusal.code), *_doubtful(field)])
    return with_problems(field._replace(value=value), _doubtful(field))


def with_problems(field: Field, problems: Sequence[Problem]) -> Field:
    """The field with these problems, and the state that follows from them."""
    if not problems and not field.problems and field.state == "certain":
        return field
    return field._replace(problems=tuple(problems), state="open" if problems else "certain")


def contradicted(field: Field, broken: Sequence[Problem]) -> Field:
    """The field with the rules that do not hold: half as sure as it would be without them."""
    sure = None if field.confidence is None else field.confidence * WHERE_A_RULE_IS_BROKEN
    return with_problems(field._replace(confidence=sure), [*field.problems, *broken])


def plain_field(spec: FieldSpec, best: Candidate) -> Field:
    """The field that a candidate makes, not judged yet."""
    scores = [word.confidence for word in best.words if word.confidence is not None]
    return Field(
        name=spec.name,
        label=spec.label,
        group=spec.group,
        kind=spec.kind,
        value=best.value,
        text=best.text,
        confidence=confidence_of(best),
        word_confidence=min(scores, default=None),
        mean_word_confidence=sum(scores) / len(scores) if scores else None,
        page=best.page,
        box=best.box,
        word_ids=ids_of(best.words),
        source=best.source,
        why=best.why,
        state="certain",
        required=spec.required,
        threshold=spec.threshold,
    )


def confidence_of(candidate: Candidate) -> float | None:
    """How sure the association is: the engine's own score, or the rules' score in percent."""
    if candidate.source == "textract":
        return candidate.confidence
    return 100 * min(0.99, candidate.score)


def sureness(best: Candidate, rivals: Sequence[Candidate], *, legible: float = 1.0) -> float | None:
    """How sure it is in percent that the field has the best candidate's value.

    What it has by itself, and the lead over the next best value: full when that one scores half as much or less, none
    when it scores as much. Source: docs/reading.md.
    """
    own = _by_itself(best, legible)
    if own is None or not rivals or best.score <= 0:
        return own
    return own * min(1.0, 2 * (1 - rivals[0].score / best.score))


def _by_itself(best: Candidate, legible: float) -> float | None:
    """The engine's own score of the association, or the rules' times the least word's; and how legible the page is.

    On a bad copy a value is less often right than its own words make believe.
    """
    own, word = confidence_of(best), best.word_confidence
    if own is None:
        return None
    if best.source == "rule" and word is not None:
        own *= word / 100
    return own * (1.0 if best.why in NAMED_BY_THE_ENGINE else legible)


def _doubtful(field: Field) -> list[Problem]:
    if field.word_confidence is not None and field.word_confidence < field.threshold:
        message = sentences.LOW_READING(
            percent_read=_percent(field.word_confidence), percent_needed=_percent(field.threshold)
        )
        return [Problem("low_confidence", field.name, message, "word_confidence")]
    return _badly_matched(field, field.confidence)


def _unsure(field: Field, own: float | None) -> list[Problem]:
    """A value that nothing speaks against but the page that it stands on: most of it is hard to read."""
    return _badly_matched(field, own) if field.value is not None else []


def _badly_matched(field: Field, confidence: float | None) -> list[Problem]:
    bar = max(0.0, field.threshold - PAIR_SLACK)
    if confidence is None or confidence >= bar:
        return []
    message = sentences.LOW_MATCH(percent_read=_percent(confidence), percent_needed=_percent(bar))
    return [Problem("low_confidence", field.name, message, "pair_confidence")]


def _ambiguous(best: Candidate, rivals: Sequence[Candidate]) -> list[Problem]:
    """Two values that are nearly as likely are a question for a person."""
    close = [each for each in rivals if each.score >= max(LEAST_RIVAL_SCORE, best.score - AMBIGUOUS)]
    if best.value is None or not close:
        return []
    named = " or ".join(_short(str(each.value)) for each in (best, *close[:2]))
    return [Problem("ambiguous", best.name, sentences.AMBIGUOUS(values=named), "close_candidates")]


def _other_readings(field: Field, others: Sequence[str]) -> list[Suggestion]:
    return [
        Suggestion(
            value, field.text, field.confidence, field.word_confidence, field.page, field.box, field.word_ids,
            "other_date_order",
        )
        for value in others
    ]  # fmt: skip


def _suggestion(each: Candidate) -> Suggestion:
    word_ids = ids_of(each.words)
    return Suggestion(
        each.value, each.text, confidence_of(each), each.word_confidence, each.page, each.box, word_ids, each.why
    )


def _distinct(suggestions: Sequence[Suggestion]) -> tuple[Suggestion, ...]:
    by_value: dict[str | None, Suggestion] = {}
    for each in suggestions:
        by_value.setdefault(each.value, each)
    return tuple(by_value.values())[:MOST_SUGGESTIONS]


def _percent(confidence: float) -> str:
    """Rounded down, so that 89.6 never reads as the 90 it has missed."""
    return f"{int(confidence)} %"


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
