"""From Textract's block graph to pages, lines, form pairs, tables and answers, every box on the upright page.

The walk is tolerant: unknown block types and members are ignored and counted, null is absent, a missing Page is 1,
ids that lead nowhere are counted. One pass builds the index, one pass reads it. Reading order is block order:
coordinates belong to the page as delivered, which may be upside down.
Source: AWS Textract developer guide, text detection and document analysis response objects.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from math import isfinite
from types import NoneType
from typing import Any, NamedTuple

from ocr.extraction.reading import Box, Rotation, Word
from ocr.extraction.tolerant import counted, listed, members, number, text

RawBlock = Mapping[str, Any]

# A line, a value or a cell is cut there, which is counted: looking for labels and amounts in one takes time by its square.
MOST_LETTERS = 4000

SURELY_READ = 95.0  # percent, of one word

_KEY_TYPES = ("KEY_VALUE_SET", "KEY", "VALUE")  # console exports write KEY and VALUE as block types
# What the walk reads, and what it may pass over: the words under these are lines or cells as well.
_KNOWN_TYPE_NAMES = """
    PAGE LINE WORD KEY_VALUE_SET KEY VALUE TABLE CELL MERGED_CELL SELECTION_ELEMENT QUERY QUERY_RESULT
    SIGNATURE TITLE FOOTER TABLE_TITLE TABLE_FOOTER LAYOUT_TEXT LAYOUT_TITLE LAYOUT_HEADER LAYOUT_FOOTER
    LAYOUT_SECTION_HEADER LAYOUT_PAGE_NUMBER LAYOUT_LIST LAYOUT_FIGURE LAYOUT_TABLE LAYOUT_KEY_VALUE
"""
_KNOWN_TYPES = frozenset(_KNOWN_TYPE_NAMES.split())


# Blocks that are read as parts of others, as values are, and those that may hold them. A page names everything, which says nothing.
_PARTS = ("CELL", "MERGED_CELL", "SELECTION_ELEMENT", "QUERY_RESULT")
_HOLDERS = ("KEY_VALUE_SET", "KEY", "VALUE", "TABLE", "CELL", "MERGED_CELL", "QUERY")
# What is walked to when somebody looks, and the blocks that name others on the way there.
_WALKS = {
    "lines": ("LINE",),
    "pairs": _KEY_TYPES,
    "tables": ("TABLE", "CELL", "MERGED_CELL"),
    "answers": ("QUERY", "QUERY_RESULT"),
}


class Span:
    """A piece of text on one page: a line, a key, a value or a cell's content. Check boxes are kept apart.

    `words` (as blocks, with what makes them) and `box` (its geometry, with the page's turn) may be given unmade: most pieces are
    only looked at for their text, and these never made.
    """

    __slots__ = ("_box", "_print", "_words", "checks", "confidence", "page", "text")

    def __init__(
        self,
        text: str,
        words: tuple[Word, ...] | list[RawBlock],
        page: int,
        box: Box | tuple[Any, Rotation] | None,
        confidence: float | None,
        checks: tuple[bool, ...] = (),
        print: _Print | None = None,
    ) -> None:
        self.text, self._words, self.page, self._print = text, words, page, print
        self._box, self.confidence, self.checks = box, confidence, checks

    @property
    def box(self) -> Box | None:
        box = self._box
        if not (box is None or isinstance(box, Box)):
            box = self._box = turned_box(*box)
        return box

    @property
    def words(self) -> tuple[Word, ...]:
        words = self._words
        if isinstance(words, list):
            words = self._words = self._print.words(words) if self._print else ()
        return words

    def as_read(self) -> tuple[tuple[str, ...], list[float]]:
        """The ids and the scores of the words that have some; no word is made for them."""
        words = self._words
        if isinstance(words, list):
            return _as_read(words)
        return ids_of(words), [word.confidence for word in words if word.confidence is not None]


class Pair(NamedTuple):
    """A form field as the engine associates it. `value` is None when the key has no value block."""

    key: Span
    value: Span | None
    confidence: float | None
    why: str = "key_value"


class Cell(NamedTuple):
    row: int
    column: int
    row_span: int
    column_span: int
    content: Span
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Table:
    """Cells in row order, merged cells standing for the cells they cover."""

    page: int
    confidence: float | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query found."""

    alias: str
    query: str
    content: Span


@dataclass(frozen=True, slots=True)
class PageWords:
    """One page's words in reading order, on the upright page."""

    number: int
    rotation: Rotation
    words: tuple[Word, ...]


def resolve(blocks: Iterable[Any]) -> Layout:
    """The document, or the one page, that the blocks describe; everything that belongs to it already collected."""
    return Layout(blocks)


class Layout:
    """The blocks of a document, or of one of its pages, resolved as far as somebody asks.

    One pass builds the index; lines, pairs, tables and answers are walked to when they are first looked at.
    """

    def __init__(self, blocks: Iterable[Any]) -> None:
        self._counts: Counter[str] = Counter()
        self._by_id: dict[str, RawBlock] = {}
        self._by_type: dict[str, list[RawBlock]] = {}
        self._named: dict[str, list[Sequence[Any]]] = {}
        whole = blocks if isinstance(blocks, list) else list(blocks)
        if not self._index_at_once(whole):
            for block in whole:
                self._index(block)

    # --- what it holds

    @cached_property
    def rotations(self) -> dict[int, Rotation]:
        """Every page with the turn that the majority of its words needs, each word counting by its length.

        Where every line runs from left to right its words do.
        """
        words, lines = self._of_type("WORD"), self._of_type("LINE")
        on_lines, on_words = _pages(lines), _pages(words)
        surely = lines if on_words <= on_lines else words
        found = {} if _all_level(surely) else _voted(words or lines)
        for page in on_lines | on_words | _pages(self._of_type("PAGE")):
            found.setdefault(page, 0)
        return found

    @cached_property
    def _print(self) -> _Print:
        return _Print(self.rotations)

    @cached_property
    def pages(self) -> tuple[PageWords, ...]:
        """Every page with its words: those of the lines first, in the lines' order."""
        ordered: dict[int, dict[str | int, Word]] = {page: {} for page in self.rotations}
        for line in self.lines:
            ordered[line.page].update((_key(word), word) for word in line.words)
        for word in self._print.words(self._of_type("WORD")):
            ordered[word.page].setdefault(_key(word), word)
        return tuple(
            PageWords(page, self.rotations[page], tuple(words.values())) for page, words in sorted(ordered.items())
        )

    def words_on(self, page: int) -> tuple[Word, ...]:
        """The words of one page in reading order."""
        return self._words_of.get(page, ())

    @cached_property
    def _words_of(self) -> Mapping[int, tuple[Word, ...]]:
        return {page.number: page.words for page in self.pages}

    @cached_property
    def lines(self) -> tuple[Span, ...]:
        return tuple([self._span(block) for block in self._of_type("LINE")])

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        return tuple(self._pairs())

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        return tuple(self._table(block) for block in self._of_type("TABLE"))

    @cached_property
    def answers(self) -> tuple[Answer, ...]:
        return tuple(answer for block in self._of_type("QUERY") for answer in self._answers(block))

    @cached_property
    def signatures(self) -> tuple[Span, ...]:
        """Where something is signed; what the name says is not read."""
        return tuple(self._span(block) for block in self._of_type("SIGNATURE"))

    @cached_property
    def slopes(self) -> dict[int, float]:
        """Each page's skew: how far y rises per x along a printed line."""
        slopes: dict[int, list[float]] = {}
        for block in self._of_type("LINE"):
            page = _page(block)
            slope = _slope(members(block.get("Geometry")), self.rotations[page])
            if slope is not None:
                slopes.setdefault(page, []).append(slope)
        return {page: sorted(found)[len(found) // 2] for page, found in slopes.items()}

    @property
    def legible(self) -> dict[int, tuple[int, int]]:
        """Of each page how many words the engine is sure to have read right, and how many have a score."""
        scores: dict[int, list[float]] = defaultdict(list)
        for block in self._of_type("WORD"):
            score = number(block.get("Confidence"))
            if score is not None:
                scores[_page(block)].append(score)
        return {page: (sum(score >= SURELY_READ for score in found), len(found)) for page, found in scores.items()}

    @property
    def has_words(self) -> bool:
        return "WORD" in self._by_type

    @property
    def has_headers(self) -> bool:
        """Whether a cell of a table is the name of its column."""
        roles = [cell.get("EntityTypes") for cell in (*self._of_type("CELL"), *self._of_type("MERGED_CELL"))]
        return any("COLUMN_HEADER" in listed(each) for each in roles if each)

    @property
    def unknown(self) -> Mapping[str, int]:
        """What was passed over, and how often: what is no block or of no known type, ids that lead nowhere, parts of nothing."""
        for walk, kinds in _WALKS.items():
            named = chain.from_iterable(map(self._named_by, kinds))
            if walk not in self.__dict__ and not _all_known(named, self._by_id):
                getattr(self, walk)  # which of the ids count only the walk tells
        told = dict(self._counts)
        if orphans := self._orphans():
            told["part_of_nothing"] = orphans
        return told

    def _orphans(self) -> int:
        """How many values, cells, check boxes and answers belong to no key, table or question: nobody gets to see them."""
        held = self._held
        parts = chain(self._keys_and_values[1], chain.from_iterable(map(self._of_type, _PARTS)))
        return len([1 for block in parts if isinstance(identity := block.get("Id"), str) and identity not in held])

    @cached_property
    def _held(self) -> set[Any]:
        """Every id that a key, a table or a question names."""
        lists = list(chain.from_iterable(map(self._named_by, _HOLDERS)))
        try:
            return set(chain.from_iterable(lists))
        except TypeError:  # a list or an object is no id
            return {each for each in chain.from_iterable(lists) if isinstance(each, str)}

    def _named_by(self, kind: str) -> list[Sequence[Any]]:
        """The ids that the blocks of this type name, list by list."""
        named = self._named.get(kind)
        if named is None:
            named = self._named[kind] = _named(self._of_type(kind))
        return named

    # --- the index

    def _index_at_once(self, blocks: list[Any]) -> bool:
        """Index blocks that are all as documented: nearly always, and a quarter of the work. False when one is not."""
        by_type: dict[str, list[RawBlock]] = defaultdict(list)
        by_id: dict[str, RawBlock] = {}
        try:
            for block in blocks:
                by_id[block["Id"]] = block
                by_type[block["BlockType"]].append(block)
            "".join(by_id)  # raises where an id is no text
        except (KeyError, TypeError):
            return False
        if len(by_id) < len(blocks) or not by_type.keys() <= _KNOWN_TYPES:
            return False
        self._by_id, self._by_type = by_id, by_type
        return True

    def _index(self, block: Any) -> None:
        kind = members(block).get("BlockType")
        if not isinstance(kind, str):
            self._counts["not_a_block"] += 1
            return
        if kind not in _KNOWN_TYPES:
            self._counts["unknown_block_type"] += 1
        self._by_type.setdefault(kind, []).append(block)
        identity = block.get("Id")
        if not isinstance(identity, str):
            self._counts["block_without_id"] += 1
        elif self._by_id.setdefault(identity, block) is not block:
            self._counts["repeated_id"] += 1

    def _of_type(self, kind: str) -> Sequence[RawBlock]:
        return self._by_type.get(kind, ())

    def _related(self, block: RawBlock, kind: str) -> list[RawBlock]:
        """The blocks that a relationship names, in its order; ids that lead nowhere are counted and left out."""
        found: list[RawBlock] = []
        try:
            for named in block["Relationships"]:
                if named["Type"] == kind:
                    found.extend(map(self._by_id.__getitem__, named["Ids"]))
        except (KeyError, TypeError):
            return self._related_as_far_as_known(block, kind)
        return found

    def _related_as_far_as_known(self, block: RawBlock, kind: str) -> list[RawBlock]:
        found: list[RawBlock] = []
        for relationship in listed(block.get("Relationships")):
            named = members(relationship)
            if named.get("Type") == kind:
                ids = listed(named.get("Ids"))
                known = [self._by_id[each] for each in ids if isinstance(each, str) and each in self._by_id]
                self._counts["dangling_id"] += len(ids) - len(known)
                found += known
        return found

    # --- spans

    def _span(self, block: RawBlock) -> Span:
        """The text under a block: its words, or its own Text when it has none."""
        page = counted(block.get("Page"))
        words, checks = self._content(block)
        printed = (_printed(words) if words else "") or text(block.get("Text"))
        if len(printed) > MOST_LETTERS:
            self._counts["long_text"] += 1
            printed = printed[:MOST_LETTERS]
        return Span(
            printed,
            words,
            page,
            (block.get("Geometry"), self.rotations.get(page, 0)),
            number(block.get("Confidence")),
            tuple(checks),
            self._print,
        )

    def _content(self, block: RawBlock) -> tuple[list[RawBlock], list[bool]]:
        """The words and the check boxes under a block."""
        words: list[RawBlock] = []
        checks: list[bool] = []
        for child in self._related(block, "CHILD"):
            kind = child["BlockType"]
            if kind == "WORD":
                words.append(child)
            elif kind == "SELECTION_ELEMENT":
                checks.append(child.get("SelectionStatus") == "SELECTED")
            elif kind == "CELL" and block["BlockType"] == "MERGED_CELL":
                inner = self._content(child)
                words.extend(inner[0])
                checks.extend(inner[1])
        return words, checks

    # --- forms, queries, tables

    @cached_property
    def _keys_and_values(self) -> tuple[list[RawBlock], list[RawBlock]]:
        keys: list[RawBlock] = []
        values: list[RawBlock] = []
        for kind in _KEY_TYPES:
            for block in self._of_type(kind):
                (keys if kind == "KEY" or _is_key(block) else values).append(block)
        return keys, values

    def _pairs(self) -> Iterator[Pair]:
        for block in self._keys_and_values[0]:
            value = joined([self._span(value) for value in self._related(block, "VALUE")])
            key = self._span(block)
            yield Pair(key, value, _less(key.confidence, value.confidence if value is not None else None))

    def _answers(self, block: RawBlock) -> Iterable[Answer]:
        query = members(block.get("Query"))
        for result in self._related(block, "ANSWER"):
            yield Answer(text(query.get("Alias")), text(query.get("Text")), self._answer_span(result))

    def _answer_span(self, result: RawBlock) -> Span:
        """A query result names no words; they are those whose middle lies in its box."""
        span = self._span(result)
        if span.words or span.box is None:
            return span
        words = tuple(_held(self._words_by_page.get(span.page, ()), span.box))
        return Span(span.text, words, span.page, span.box, span.confidence, span.checks)

    @cached_property
    def _words_by_page(self) -> Mapping[int, Sequence[Word]]:
        by_page: dict[int, list[Word]] = {}
        for word in {_key(word): word for word in self._print.words(self._of_type("WORD"))}.values():
            by_page.setdefault(word.page, []).append(word)
        return by_page

    def _table(self, block: RawBlock) -> Table:
        merged = [cell for cell in self._related(block, "MERGED_CELL") if cell["BlockType"] == "MERGED_CELL"]
        covered = {str(child.get("Id")) for cell in merged for child in self._related(cell, "CHILD")}
        plain = [
            cell
            for cell in self._related(block, "CHILD")
            if cell["BlockType"] == "CELL" and str(cell.get("Id")) not in covered
        ]
        cells = sorted((self._cell(cell) for cell in (*plain, *merged)), key=lambda cell: (cell.row, cell.column))
        return Table(_page(block), number(block.get("Confidence")), tuple(cells))

    def _cell(self, block: RawBlock) -> Cell:
        return Cell(
            row=counted(block.get("RowIndex")),
            column=counted(block.get("ColumnIndex")),
            row_span=counted(block.get("RowSpan")),
            column_span=counted(block.get("ColumnSpan")),
            content=self._span(block),
            roles=frozenset(role for role in listed(block.get("EntityTypes")) if isinstance(role, str)),
        )


def _key(word: Word) -> str | int:
    """What tells a word from others: those without an id are all different."""
    return word.id or id(word)


class _Print:
    """Makes words, each once. It does not know the layout: what points to it does not keep a page's blocks in memory."""

    def __init__(self, rotations: Mapping[int, Rotation]) -> None:
        self._rotations = rotations
        self._made: dict[str, Word] = {}

    def words(self, blocks: Sequence[RawBlock]) -> tuple[Word, ...]:
        return tuple([self._word(block) for block in blocks])

    def _word(self, block: RawBlock) -> Word:
        identity = text(block.get("Id"))
        known = self._made.get(identity)
        if known is not None and identity:  # those without one are all different
            return known
        page = _page(block)
        made = self._made[identity] = Word(
            identity,
            text(block.get("Text")),
            number(block.get("Confidence")),
            page,
            turned_box(block.get("Geometry"), self._rotations[page]),
            str(block.get("TextType") or "PRINTED"),
        )
        return made


def _as_read(words: Iterable[RawBlock]) -> tuple[tuple[str, ...], list[float]]:
    """The ids and the scores of the words that have some."""
    ids: list[str] = []
    scores: list[float] = []
    for word in words:
        if identity := text(word.get("Id")):
            ids.append(identity)
        score = number(word.get("Confidence"))
        if score is not None:
            scores.append(score)
    return tuple(ids), scores


def refers_beyond(blocks: Iterable[RawBlock], known: Container[Any], *, by_pages: bool = False) -> bool:
    """Whether one of the blocks names another that is not known. A page's list of all it holds counts with `by_pages`."""
    return not _all_known(_named([block for block in blocks if by_pages or block.get("BlockType") != "PAGE"]), known)


def _all_known(lists: Iterable[Sequence[Any]], known: Container[Any]) -> bool:
    try:
        return all(map(known.__contains__, chain.from_iterable(lists)))
    except TypeError:  # a list or an object is no id
        return False


def _named(blocks: Sequence[RawBlock]) -> list[Sequence[Any]]:
    """The ids that the blocks name, list by list."""
    try:
        lists = [each["Ids"] for block in blocks for each in block.get("Relationships") or ()]
        if {*map(type, lists)} <= {list}:
            return lists
    except (KeyError, TypeError):
        pass
    return [
        listed(members(relationship).get("Ids"))
        for block in blocks
        if (relationships := block.get("Relationships"))
        for relationship in listed(relationships)
    ]


def _printed(words: Sequence[RawBlock]) -> str:
    """What the words say, with blanks between them."""
    try:
        printed = " ".join([word["Text"] for word in words])
        if printed.isprintable():
            return printed
    except (KeyError, TypeError):
        pass
    return " ".join([text(word.get("Text")) for word in words])


def _less(one: float | None, other: float | None) -> float | None:
    """The less of two scores, or the one that is known."""
    if one is None or other is None:
        return one if other is None else other
    return min(one, other)


def _is_key(block: RawBlock) -> bool:
    return "KEY" in listed(block.get("EntityTypes"))


def turned_box(raw: Any, rotation: Rotation) -> Box | None:
    """A geometry's bounding box on the upright page; None when it has none that is usable."""
    try:
        found = raw["BoundingBox"]
        left, top, width, height = found["Left"], found["Top"], found["Width"], found["Height"]
    except (KeyError, TypeError):
        return None
    if not (type(left) is type(top) is type(width) is type(height) is float and isfinite(left + top + width + height)):
        sides = _four_numbers(left, top, width, height)
        if sides is None:
            return None
        left, top, width, height = sides
    if rotation == 0:  # nearly always, and a page has some hundred boxes
        return Box(left, top, width, height)
    if rotation == 90:
        return Box(1 - top - height, left, height, width)
    if rotation == 180:
        return Box(1 - left - width, 1 - top - height, width, height)
    return Box(top, 1 - left - width, height, width)


def joined(spans: Sequence[Span]) -> Span | None:
    """Several pieces of one page read as one; None when there are none."""
    if len(spans) < 2:
        return spans[0] if spans else None
    words = tuple(word for span in spans for word in span.words)
    checks = tuple(check for span in spans for check in span.checks)
    scores = [span.confidence for span in spans if span.confidence is not None]
    printed = " ".join(span.text for span in spans if span.text)
    return Span(printed, words, spans[0].page, union([span.box for span in spans]), min(scores, default=None), checks)


def union(boxes: Iterable[Box | None]) -> Box | None:
    """The smallest box around all that are known."""
    whole: Box | None = None
    for box in boxes:
        if box is not None:
            whole = box if whole is None else whole.joined(box)
    return whole


def ids_of(words: Sequence[Word]) -> tuple[str, ...]:
    """The words' ids, without those that the engine gave none."""
    return tuple(word.id for word in words if word.id)


def words_within(layout: Layout, page: int, box: Box | None) -> tuple[Word, ...]:
    """The words of a page whose middle lies in the box."""
    return tuple(_held(layout.words_on(page), box)) if box else ()


def _held(words: Iterable[Word], box: Box) -> Iterator[Word]:
    for word in words:
        if word.box is not None:
            x, y = word.box.centre
            if box.left <= x <= box.right and box.top <= y <= box.bottom:
                yield word


def _four_numbers(one: Any, two: Any, three: Any, four: Any) -> tuple[float, float, float, float] | None:
    """All four as finite numbers, or None."""
    first, second, third, last = number(one), number(two), number(three), number(four)
    if first is None or second is None or third is None or last is None:
        return None
    return first, second, third, last


def _page(block: RawBlock) -> int:
    return counted(block.get("Page"))


def _pages(blocks: Iterable[RawBlock]) -> set[int]:
    """The pages that the blocks stand on."""
    stated = [block.get("Page") for block in blocks]
    if stated and stated.count(1) == len(stated):
        return {1}
    return {*map(counted, {*stated} if {*map(type, stated)} <= {int, NoneType} else stated)}


# --- direction of the text


def _baseline(geometry: Mapping[str, Any]) -> tuple[float, float] | None:
    """The vector along the text: polygon[0] is where it begins, polygon[1] where its top edge ends."""
    points = listed(geometry.get("Polygon"))
    if len(points) < 2:
        return None
    begin, end = members(points[0]), members(points[1])
    places = _four_numbers(begin.get("X"), begin.get("Y"), end.get("X"), end.get("Y"))
    if places is None:
        return None
    x0, y0, x1, y1 = places
    if (x0, y0) == (x1, y1):
        return None
    return x1 - x0, y1 - y0


def _all_level(printed: Sequence[RawBlock]) -> bool:
    """Whether every text surely runs from left to right; then the pages need no vote. Nearly every word of nearly every page does."""
    try:
        for block in printed:
            geometry = block["Geometry"]
            polygon = geometry["Polygon"]
            begin, end = polygon[0], polygon[1]
            across = end["X"] - begin["X"]
            if not -across <= end["Y"] - begin["Y"] <= across > 0 or geometry.get("RotationAngle") is not None:
                return False
    except (LookupError, TypeError, AttributeError, OverflowError):
        return False
    return True


def _voted(printed: Sequence[RawBlock]) -> dict[int, Rotation]:
    votes: dict[int, dict[Rotation, int]] = {}
    for block in printed:
        turn = _turn(members(block.get("Geometry")))
        if turn is not None:
            turns = votes.setdefault(_page(block), {})
            turns[turn] = turns.get(turn, 0) + len(text(block.get("Text")))
    return {page: max(turns, key=turns.__getitem__) for page, turns in votes.items()}


def _turn(geometry: Mapping[str, Any]) -> Rotation | None:
    """How far a word must be turned clockwise to be upright; None when its geometry does not tell.

    The polygon decides. RotationAngle (taken as the text's own clockwise turn) counts where the polygon is missing
    or lies along the page as a mere bounding box does.
    """
    along = _baseline(geometry)
    turn: Rotation = 0
    if along is not None:
        x, y = along
        if abs(y) > abs(x):
            turn = 270 if y > 0 else 90
        elif x < 0:
            turn = 180
    if turn:
        return turn
    stated = number(geometry.get("RotationAngle"))
    if stated is not None:
        return _opposite(round(stated / 90) % 4)
    return None if along is None else 0


def _opposite(quarters: int) -> Rotation:
    turns: tuple[Rotation, ...] = (0, 270, 180, 90)
    return turns[quarters]


def _slope(geometry: Mapping[str, Any], rotation: Rotation) -> float | None:
    """dy/dx of a line on the upright page; lines too short to tell are left out."""
    along = _baseline(geometry)
    if along is None:
        return None
    x, y = along
    match rotation:
        case 90:
            x, y = -y, x
        case 180:
            x, y = -x, -y
        case 270:
            x, y = y, -x
        case _:
            pass
    return y / x if x > 0.1 else None
