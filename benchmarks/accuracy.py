"""How well documents are read, from the picture to the field: receipts, invoices and forms with truth, on the local engine.

Rules are code and were written with documents in sight; the figures of the test half stand at the top, `both_halves`
adds the rest, `cross_validated` cuts all into five folds. What is fitted here (the bar below which a value is reviewed)
is fitted on the other folds. A miss is listed with its cause: `not_read` (the truth stands in no word the engine read),
`rules` (it does, and something else or nothing was chosen), `label_noise` (what is sought does not even stand in the
annotators' text or the PDF's own).
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from benchmarks import _agreement, _documents, _pages, _scores
from benchmarks._charts import Chart
from benchmarks._documents import FOLDS, Paper, alphanumeric
from benchmarks._scores import Overlap, Scored
from deploy.local.textract.blocks import Block, blocks_of
from deploy.local.textract.reading import PageReading
from ocr import extraction
from ocr.extraction import dates, numbers

FIELDS = {"receipts": ("total", "date", "merchant"), "invoices": ("invoice_number", "invoice_date", "total")}
NAMES = {"merchant": "company", "invoice_number": "number", "invoice_date": "date"}
SOUGHT = FIELDS | {"variants": FIELDS["receipts"], "worn": FIELDS["receipts"]}
ALIKE = 90.0  # how alike two company names must be to count as the same but for a letter
ALIKE_PAIR = 80.0
MOST_REVIEWED = 0.3
DRAWS = 1000
_PIECE = re.compile(r"\w+|[^\w\s]")
RELIABILITY_BINS = (0, 30, 60, 80, 90, 95, 98, 99, 101)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one document."""

    paper: Paper
    pages: Sequence[PageReading]
    blocks: Sequence[Block]
    reading: extraction.Reading

    @property
    def text(self) -> str:
        return "\n".join(" ".join(word.text for word in line.words) for page in self.pages for line in page.lines)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One field of one document: right, or missing or wrong and why. `score` is the stored one, 0 without a value.

    `doubted` says that it has a problem, so that a person gets to see it.
    """

    name: str
    paper: Paper
    sought: str
    given: str | None
    score: float
    likeness: float
    cause: str
    doubted: bool

    @property
    def right(self) -> bool:
        return self.given == self.sought

    @property
    def scored(self) -> Scored:
        return self.score, self.right


def measure(*, quick: bool) -> dict[str, Any]:
    """Figures by set and field. A quick run reads what is in the cache of pages and no more than six new documents."""
    papers = _chosen(_documents.all_papers(), quick=quick)
    pages = _pages.pages_of(papers)
    answers = [_answer(paper, pages[paper.path]) for paper in papers]
    test = [answer for answer in answers if answer.paper.half == "test"]
    figures = _figures(test) | {
        "both_halves": _figures(answers),
        "cross_validated": _cross_validated(answers),
        "unseen_forms": _key_value(each for each in answers if each.paper.name in _documents.UNSEEN_FORMS),
        "pairs_beside_textract": _agreement.with_textract(_documents.folder().parent / "textract"),
        "cpu_ms_per_answer": _cpu_ms(answers),
        "orientation": None if quick else _orientation(),
        "variants": None if quick else _spoiled(),
        "worn": None if quick else _worn(),
        "speed": None if quick else _pages.speed([each for each in papers if each.set == "receipts"][:20]),
        "tesseract": _tesseract(test),
    }
    return {
        "seed": _documents.SEED,
        "versions": {"engine": _pages.edition(), "tesseract": _pages.tesseract_version()},
        "figures": figures,
        "ratios": {"to_tesseract": _to_tesseract(figures)},
        "misses": [_told(outcome) for outcome in _outcomes(answers) if not outcome.right],
        "halves": {half: _by_set(papers, half) for half in ("tune", "test")},
    }


def chart(result: dict[str, Any]) -> Chart:
    """Exact answers of all documents and of the test half."""
    halves = {"all": result["figures"]["both_halves"], "test half": result["figures"]}
    names = [f"{set_} {NAMES.get(name, name)}" for set_ in FIELDS for name in FIELDS[set_]]
    series = {
        told: [
            *(100 * figures[set_][NAMES.get(name, name)]["share"] for set_ in FIELDS for name in FIELDS[set_]),
            100 * figures["forms"]["key_value"]["f1"],
        ]
        for told, figures in halves.items()
    }
    note = "Exact after normalisation, read by the local engine; intervals in the table."
    return Chart("Documents read right", "%", [*names, "forms pairs (F1)"], series, kind="bars", note=note)


def _chosen(papers: Sequence[Paper], *, quick: bool) -> list[Paper]:
    if not quick:
        return list(papers)
    cached = [paper for paper in papers if _pages.is_cached(paper)]
    new = [paper for paper in papers if paper.kind != "PDF" and paper not in cached]
    return cached or new[:3] + new[-3:]


def _by_set(papers: Iterable[Paper], half: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for paper in papers:
        if paper.half == half:
            found.setdefault(paper.set, []).append(paper.name)
    return {set_: sorted(names) for set_, names in found.items()}


# --- from pages to fields


@cache
def _type(name: str) -> extraction.DocumentType:
    path = Path(__file__).resolve().parent.parent / "ocr" / "document_types" / f"{name}.yaml"
    return extraction.document_type({**yaml.safe_load(path.read_text("utf-8")), "version": 1})


def _answer(paper: Paper, pages: Sequence[PageReading]) -> Answer:
    type_ = _type(paper.document_type)
    blocks = [
        block
        for number, page in enumerate(pages, 1)
        for block in blocks_of(page, number=number, sha256=paper.sha256, features=frozenset(type_.features))
    ]
    return Answer(paper, pages, blocks, extraction.read(blocks, type_))


def _cpu_ms(answers: Sequence[Answer]) -> float | None:
    """Milliseconds of processor time from parsed blocks to a reading, the cheapest of three goes over all."""
    goes = []
    for _ in range(3):
        begun = time.process_time()
        for answer in answers:
            extraction.read(answer.blocks, _type(answer.paper.document_type))
        goes.append(1000 * (time.process_time() - begun) / max(1, len(answers)))
    return round(min(goes), 2) if answers else None


# --- figures


def _figures(answers: Sequence[Answer]) -> dict[str, Any]:
    outcomes = _outcomes(answers)
    figures: dict[str, Any] = {
        set_: {NAMES.get(name, name): _field(_of(outcomes, set_, name)) for name in names}
        | {"words": _words(answers, set_)}
        for set_, names in FIELDS.items()
    }
    figures["invoices"].pop("words")  # a PDF's own text has other blanks than its picture
    figures["forms"] = {"key_value": _key_value(answers), "words": _words(answers, "forms")}
    given = [each for each in outcomes if each.given is not None]
    figures["all_fields"] = {"n": len(outcomes), **_ranking(given), **_undoubted(outcomes)}
    return figures


def _of(outcomes: Iterable[Outcome], set_: str, name: str) -> list[Outcome]:
    return [each for each in outcomes if each.paper.set == set_ and each.name == name]


def _outcomes(answers: Iterable[Answer]) -> list[Outcome]:
    return [
        _outcome(answer, name, sought)
        for answer in answers
        for name, sought in answer.paper.truth.items()
        if name in SOUGHT.get(answer.paper.set, ())
    ]


def _outcome(answer: Answer, name: str, sought: str) -> Outcome:
    field = next(each for each in answer.reading.fields if each.name == name)
    given = _documents.normal(name, field.value) if field.value else None
    score = (field.confidence or 0.0) if given is not None else 0.0
    alike = _scores.likeness(sought, given or "") if name == "merchant" else 0.0
    cause = "" if given == sought else _cause(answer, name, sought)
    return Outcome(name, answer.paper, sought, given, score, alike, cause, bool(field.problems))


def _cause(answer: Answer, name: str, sought: str) -> str:
    if _stands_in(answer.text, name, sought):
        return "rules"
    return "not_read" if _stands_in(answer.paper.text, name, sought) else "label_noise"


def _stands_in(text: str, name: str, sought: str) -> bool:
    if name == "total":
        return any(_documents.normal(name, str(each.value)) == sought for each in numbers.find_numbers(text))
    if name.endswith("date"):
        days = (day for each in dates.find(text) for day in each.readings("day_first"))
        return any(day.isoformat() == sought for day in days)
    return sought in alphanumeric(text)


def _field(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    exact = sum(each.right for each in outcomes)
    missing = sum(each.given is None for each in outcomes)
    low, high = _scores.interval(exact, len(outcomes))
    told: dict[str, Any] = {
        "n": len(outcomes), "exact": exact, "missing": missing, "wrong": len(outcomes) - exact - missing,
        "share": round(exact / max(1, len(outcomes)), 3), "low": low, "high": high,
    }  # fmt: skip
    if any(each.name == "merchant" for each in outcomes):
        alike = sum(each.right or each.likeness >= ALIKE for each in outcomes)
        similar_low, similar_high = _scores.interval(alike, len(outcomes))
        told |= {"similar": alike, "similar_share": round(alike / len(outcomes), 3)}
        told |= {"similar_low": similar_low, "similar_high": similar_high}
    return told | _ranking([each for each in outcomes if each.given is not None]) | _reviewing(outcomes)


def _ranking(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """How well the stored score parts right from wrong among the values that were given."""
    return {"auroc": _scores.auroc([each.scored for each in outcomes])}


def _undoubted(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Values that no person gets to see, and how many of them are wrong."""
    unseen = [each for each in outcomes if each.given is not None and not each.doubted]
    return {"undoubted": len(unseen), "undoubted_wrong": sum(not each.right for each in unseen)}


def _reviewing(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What may go unseen at an error of 1 %, and what must be seen to meet 95 % of all that is wrong or missing."""
    scored = [each.scored for each in outcomes]
    return {
        "coverage_at_1_percent_error": _scores.coverage(scored, error=0.01),
        "share_to_review": _scores.share_to_review(scored, caught=0.95),
    }


def _cross_validated(answers: Sequence[Answer]) -> dict[str, Any]:
    """Every document judged in its fold. What is fitted, the bar for review, is fitted on the other four.

    Rules are code and the same for all folds, so the shares are those of all documents; `by_fold` shows their spread.
    """
    outcomes = _outcomes(answers)
    figures: dict[str, Any] = {
        set_: {NAMES.get(name, name): _over_folds(_of(outcomes, set_, name)) for name in names}
        for set_, names in FIELDS.items()
    }
    folds = [_key_value(answer for answer in answers if answer.paper.fold == fold) for fold in range(FOLDS)]
    figures["forms"] = {"key_value": {"by_fold": [fold["f1"] for fold in folds], **_spread(answers)}}
    return figures


def _over_folds(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    folds = [[each.right for each in outcomes if each.paper.fold == fold] for fold in range(FOLDS)]
    return _field(outcomes) | {
        "by_fold": [f"{sum(fold)}/{len(fold)}" for fold in folds],
        "causes": dict(Counter(each.cause for each in outcomes if not each.right)),
        "review": _reviewed(outcomes),
    }


def _reviewed(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """How much is seen, and how much of what is wrong or missing is met, below the bar that other folds set."""
    seen, met = 0, 0
    for fold in range(FOLDS):
        others = [each.scored for each in outcomes if each.paper.fold != fold]
        bar = _scores.bar(others, reviewed=MOST_REVIEWED)
        below = [each for each in outcomes if each.paper.fold == fold and each.score <= bar]
        seen += len(below)
        met += sum(not each.right for each in below)
    wrong = sum(not each.right for each in outcomes)
    low, high = _scores.interval(met, wrong)
    return {
        "share_seen": round(seen / max(1, len(outcomes)), 3), "wrong": wrong, "met": met,
        "share_met": round(met / wrong, 3) if wrong else None, "low": low, "high": high,
    }  # fmt: skip


def _spread(answers: Sequence[Answer]) -> dict[str, Any]:
    """F1 over all forms with its 95 % interval: forms, not pairs, are drawn again and again (the bootstrap)."""
    forms = [_pairs_found(answer) for answer in answers if answer.paper.set == "forms"]
    draw = random.Random(_documents.SEED)
    drawn = sorted(sum(draw.choices(forms, k=len(forms)), Overlap()).f1 for _ in range(DRAWS)) if forms else [0.0]
    whole = sum(forms, Overlap())
    return {
        "forms": len(forms),
        "n": whole.sought,
        "f1": whole.f1,
        "low": drawn[len(drawn) // 40],
        "high": drawn[-1 - len(drawn) // 40],
    }


def _told(outcome: Outcome) -> dict[str, Any]:
    return {
        "set": outcome.paper.set, "field": NAMES.get(outcome.name, outcome.name), "document": outcome.paper.name,
        "half": outcome.paper.half, "what": "missing" if outcome.given is None else "wrong", "cause": outcome.cause,
    }  # fmt: skip


# --- forms and words


def _key_value(answers: Iterable[Answer]) -> dict[str, Any]:
    """Pairs that are at least 80 % alike on both sides, over all forms together; pairs without a value do not count."""
    found = Overlap()
    forms = [answer for answer in answers if answer.paper.set == "forms"]
    for answer in forms:
        found += _pairs_found(answer)
    low, high = _scores.interval(found.both, found.sought)
    return {
        "n": found.sought, "forms": len(forms), "exact": found.both, "missing": found.sought - found.both,
        "wrong": found.given - found.both, "precision": found.precision, "recall": found.recall, "f1": found.f1,
        "low": low, "high": high,
    }  # fmt: skip


def _pairs_found(answer: Answer) -> Overlap:
    given = [(field.label, field.text) for field in answer.reading.fields if field.text]
    sought = [(key.rstrip(" :;."), value) for key, value in answer.paper.pairs]
    return _scores.pairs_in_common(sought, given, least=ALIKE_PAIR)


def _words(answers: Iterable[Answer], set_: str) -> dict[str, Any]:
    mine = [answer for answer in answers if answer.paper.set == set_]
    overlap = sum((_scores.bags(answer.paper.text, answer.text) for answer in mine), Overlap())
    scored = [each for answer in mine for each in _scored_words(answer)]
    return {
        "n": overlap.sought, "pages": len(mine), "precision": overlap.precision, "recall": overlap.recall,
        "f1": overlap.f1, "auroc": _scores.auroc(scored), "scored": len(scored),
        "calibration_error": _calibration_error(scored),
    }  # fmt: skip


def _scored_words(answer: Answer) -> list[Scored]:
    """Each word inside an annotated stretch, and whether it is read right: what nobody annotated says nothing.

    The score speaks of characters, so a blank too many or too few is no error here ("Total:9.00", "TEL :").
    """
    page = answer.pages[0]
    found = []
    for word in (word for line in page.lines for word in line.words):
        x = sum(corner[0] for corner in word.quad) / 4 * page.width
        y = sum(corner[1] for corner in word.quad) / 4 * page.height
        here = [each.text for each in answer.paper.printed if _holds(each.box, x, y)]
        if here:
            found.append((word.confidence, any(_reads(word.text, stretch) for stretch in here)))
    return found


def _reads(word: str, stretch: str) -> bool:
    """Whether the word is one or more whole pieces of the stretch; blanks and punctuation cut it into pieces."""
    own, pieces = "".join(_PIECE.findall(word.casefold())), _PIECE.findall(stretch.casefold())
    for first in range(len(pieces)):
        joined = ""
        for piece in pieces[first:]:
            joined += piece
            if joined == own:
                return True
            if not own.startswith(joined):
                break
    return False


def _holds(box: tuple[float, float, float, float], x: float, y: float) -> bool:
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _calibration_error(scored: Sequence[Scored]) -> float | None:
    """By how many points the stated confidence misses the share that was right, on average over the words."""
    if not scored:
        return None
    off = 0.0
    for low, high in zip(RELIABILITY_BINS, RELIABILITY_BINS[1:], strict=False):
        inside = [each for each in scored if low <= each[0] < high]
        off += abs(sum(score for score, _ in inside) - 100 * sum(right for _, right in inside))
    return round(off / len(scored), 2)


# --- the engine beside others, and turned pages


def _orientation() -> dict[str, Any]:
    papers = _documents.variants()
    pages = _pages.pages_of(papers)
    right = sum(pages[paper.path][0].rotation == paper.rotation for paper in papers)
    texts: Callable[[Paper], str] = lambda paper: " ".join(  # noqa: E731
        word.text for line in pages[paper.path][0].lines for word in line.words
    )
    turned = [paper for paper in papers if paper.rotation]
    overlap = sum((_scores.bags(paper.text, texts(paper)) for paper in turned), Overlap())
    return {"n": len(papers), "right": right, "turned": len(turned), "word_f1_turned": overlap.f1}


def _spoiled() -> dict[str, Any]:
    """The fields of three receipts that were turned, skewed, blurred and so on: where something is wrong, is it told?"""
    papers = _documents.variants()
    pages = _pages.pages_of(papers)
    outcomes = _outcomes(_answer(paper, pages[paper.path]) for paper in papers)
    return {NAMES.get(name, name): _field(_of(outcomes, "variants", name)) for name in FIELDS["receipts"]}


def _worn() -> dict[str, Any]:
    """The fields of bad copies of all receipts: enough is wrong there to say how well the score tells it, and what a review meets."""
    papers = _documents.worn(_pages.CACHE / "worn")
    pages = _pages.pages_of(papers)
    outcomes = _outcomes(_answer(paper, pages[paper.path]) for paper in papers)
    told = {}
    for percent in _documents.WORN:
        copies = [each for each in outcomes if each.paper.name.endswith(f"_{percent}")]
        told[str(percent)] = {
            NAMES.get(name, name): _over_folds(_of(copies, "worn", name)) for name in FIELDS["receipts"]
        } | _undoubted(copies)
    return told | {"fields": {"n": len(outcomes), **_ranking([each for each in outcomes if each.given is not None])}}


def _tesseract(answers: Sequence[Answer]) -> dict[str, Any] | None:
    """Word F1 of Tesseract's better way for each set, on the same pages; None where it is not installed."""
    if _pages.tesseract_version() is None:
        return None
    found: dict[str, Any] = {}
    for set_ in ("receipts", "forms"):
        by_way: dict[str, Overlap] = {}
        for answer in (each for each in answers if each.paper.set == set_):
            for way, text in (_pages.tesseract_texts(answer.paper) or {}).items():
                by_way[way] = by_way.get(way, Overlap()) + _scores.bags(answer.paper.text, text)
        found[set_] = {way: overlap.f1 for way, overlap in by_way.items()}
    return found


def _to_tesseract(figures: Mapping[str, Any]) -> dict[str, float] | None:
    """Our word F1 to the better of Tesseract's."""
    beside = figures["tesseract"]
    if beside is None:
        return None
    best = {set_: max(ways.values(), default=0.0) for set_, ways in beside.items()}
    return {set_: round(figures[set_]["words"]["f1"] / f1, 2) for set_, f1 in best.items() if f1}
