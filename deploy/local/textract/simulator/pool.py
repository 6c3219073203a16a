"""Drawn answers, kept as bytes that are ready to send but for a few marks."""

import json
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.local.textract.inputs import Asked
from deploy.local.textract.refusals import invalid
from deploy.local.textract.simulator import documents, papers
from deploy.local.textract.simulator.answers import Cursor, Part
from deploy.local.textract.simulator.chance import Chance, number_of
from deploy.local.textract.simulator.jobs import Job
from deploy.local.textract.simulator.knobs import Answers, Outcome
from deploy.local.textract.simulator.noise import noisy
from deploy.local.textract.simulator.papers import Block, Paper
from deploy.local.textract.simulator.pruning import pruned
from deploy.local.textract.simulator.requests import Document

Query = tuple[str, str | None]
MODEL_VERSION = "simulated-1"
_MODEL = {
    "AnalyzeDocument": "AnalyzeDocumentModelVersion",
    "DetectDocumentText": "DetectDocumentTextModelVersion",
    "StartDocumentAnalysis": "AnalyzeDocumentModelVersion",
    "StartDocumentTextDetection": "DetectDocumentTextModelVersion",
    "AnalyzeExpense": "",  # says none, by the service's own model
    "StartExpenseAnalysis": "AnalyzeExpenseModelVersion",
    "AnalyzeID": "AnalyzeIDModelVersion",
    "StartLendingAnalysis": "AnalyzeLendingModelVersion",
}
_MOST = {"ExpenseDocuments": 20, "Results": 30}
"""Of documents in one part; of blocks the caller says it."""
_DRAW = {"invoice": papers.invoice, "receipt": papers.receipt, "form": papers.form, "prose": papers.prose}
_SALT, _PAGE, _DIGITS = papers.SALT.encode(), f'"{papers.PAGE}"'.encode(), papers.DIGITS.encode()
KEPT = 4000
"""Prepared pages kept for use again; beyond that the one not used for longest is forgotten."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One page's blocks as JSON with commas between. Block n is `body[starts[n]:starts[n + 1] - 1]`.

    `single` is the same as page 1 of a document, cut where the document's digits belong.
    """

    body: bytes
    starts: Sequence[int]
    single: Sequence[bytes]

    @property
    def count(self) -> int:
        return len(self.starts) - 1

    def blocks(self, first: int, last: int, *, page: int, digits: bytes) -> bytes:
        """Blocks `first` to `last` (not included) of the page as number `page` of a document."""
        part = self.body[self.starts[first] : self.starts[last] - 1]
        return part.replace(_SALT, b"%08x" % page).replace(_PAGE, b"%d" % page).replace(_DIGITS, digits)


class Pool:
    """`count` different first pages and a quarter as many later ones; which one a document gets its name decides."""

    def __init__(self, answers: Answers, seed: int) -> None:
        self._answers, self._chance = answers, Chance(seed)
        self._kept: OrderedDict[tuple[object, ...], Prepared] = OrderedDict()
        kinds, weights = zip(*answers.kinds, strict=True)
        self._kinds: list[str] = [
            self._chance.draw("kind", number).choices(kinds, weights)[0] for number in range(answers.count)
        ] + ["prose"] * max(1, answers.count // 4)

    def page(
        self, name: str, number: int, *, features: frozenset[str], queries: Sequence[Query], holds: str = "Blocks"
    ) -> Prepared:
        """Page `number` of the document of this name, with what was asked for: its blocks, or the one document that `holds` lists."""
        return self._prepared(self._place(name, number), features, tuple(queries), holds)

    def kind(self, name: str) -> str:
        """What the first page of the document of this name is: invoice, receipt or form."""
        return self._kinds[self._place(name, 1)]

    def _place(self, name: str, number: int) -> int:
        if number == 1:
            return number_of("first page", name) % self._answers.count
        return self._answers.count + number_of("later page", name, number) % (len(self._kinds) - self._answers.count)

    def _prepared(self, place: int, features: frozenset[str], queries: tuple[Query, ...], holds: str) -> Prepared:
        key = (place, features, queries, holds)
        found = self._kept.get(key)
        if found is None:
            paper = self._paper(place)
            asked = paper.questions(queries) if "QUERIES" in features else []
            blocks = _with_queries(pruned(paper.blocks(), features), asked)
            noise = self._answers.noise
            made = noisy(blocks, noise, self._chance.draw("noise", place))
            if holds != "Blocks":
                made = [documents.DRAW[holds](paper, made)]
            found = self._kept[key] = prepared(made, absent_page=noise.absent_page)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return found

    def _paper(self, place: int) -> Paper:
        source = self._chance.draw("paper", place)
        paper = Paper(source, place, doubtful=source.random() < self._answers.doubtful_share)
        end = _DRAW[self._kinds[place]](paper)
        paper.fill(self._answers.kilobytes * 1000, end)
        paper.lay_out()
        return paper


def prepared(blocks: Iterable[Block], *, absent_page: bool = False) -> Prepared:
    """Blocks with marks, made ready; with `absent_page` a single page is not numbered, as in old answers."""
    parts = [papers.encoded(block) for block in blocks]
    starts, at = [0], 0
    for part in parts:
        at += len(part) + 1
        starts.append(at)
    body = b",".join(parts)
    page_one = body.replace(b',"Page":' + _PAGE, b"") if absent_page else body.replace(_PAGE, b"1")
    single = page_one.replace(_SALT, b"00000001").split(_DIGITS)
    return Prepared(body, starts, single)


def digits(name: str) -> bytes:
    """Seven digits that stand for a document."""
    return b"%07d" % (number_of("digits", name) % 10**7)


def _with_queries(blocks: list[Block], queries: list[Block]) -> list[Block]:
    if queries:
        ids = [block["Id"] for block in queries if block["BlockType"] == "QUERY"]
        children: list[Any] = blocks[0].setdefault("Relationships", [])
        children.append({"Type": "CHILD", "Ids": ids})
    return [*blocks, *queries]


def plain(blocks: bytes) -> list[Block]:
    """The blocks that these bytes hold."""
    found: list[Block] = json.loads(b"[" + blocks + b"]")
    return found


class Drawn:
    """Answers from the pool, as an engine gives them."""

    operations = frozenset(_MODEL)
    version = MODEL_VERSION

    def __init__(self, answers: Answers, seed: int) -> None:
        self._pool = Pool(answers, seed)

    def pages(self, document: Document, operation: str) -> int | None:
        return None

    def outcome(self, document: Document, operation: str) -> Outcome | None:
        return None

    def at_once(self, document: Document, operation: str, asked: Asked) -> bytes:
        holds = documents.holds(operation)
        page = self._page(document.name, 1, asked, holds)
        version = f'"{_MODEL[operation]}":"{MODEL_VERSION}",' if _MODEL[operation] else ""
        head = f'{{"DocumentMetadata":{{"Pages":1}},{version}"{holds}":['
        return b"".join((head.encode(), digits(document.name).join(page.single), b"]}"))

    def part(self, job: Job, operation: str, at: Cursor, limit: int) -> Part:
        if operation == "GetLendingAnalysisSummary":
            raise invalid("Summaries are not drawn. Start the endpoint with --mode replay, or ask GetLendingAnalysis.")
        found, (number, first) = [], at
        name, holds = digits(job.name), documents.holds(job.operation)
        limit = min(limit, _MOST.get(holds, limit))
        while number <= job.pages and limit > 0:
            page = None if number in job.missing else self._page(job.name, number, job.asked, holds)
            last = min(page.count, first + limit) if page else first
            if page and last > first:
                found.append(page.blocks(first, last, page=number, digits=name))
            limit -= last - first
            number, first = (number, last) if page and last < page.count else (number + 1, 0)
        after = (number, first) if any(each not in job.missing for each in range(number, job.pages + 1)) else None
        head = f'"{_MODEL[job.operation]}":"{MODEL_VERSION}","{holds}":['
        return Part(b"".join((head.encode(), b",".join(found), b"]")), after)

    def _page(self, name: str, number: int, asked: Asked, holds: str) -> Prepared:
        queries = tuple((query.text, query.alias) for query in asked.queries if query.asks(number))
        return self._pool.page(name, number, features=asked.features, queries=queries, holds=holds)
