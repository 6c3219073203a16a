"""Item tables that nobody drew as tables: a row of column names in the print, and the rows under it.

For answers without TABLE blocks (text detection, text layers, tables that the engine did not see). What stands under a column's
name belongs to it; a piece of print that lies under several is shared out word by word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ocr.extraction.blocks import Cell, Span, Table, union
from ocr.extraction.candidates import strange_words
from ocr.extraction.labels import Lexicon
from ocr.extraction.reading import Box, Word
from ocr.extraction.rows import Line, Rows, box_of, words_at

_FEWEST_COLUMNS = 3  # without drawn lines two words beside each other are too often no heading
_LARGEST_GAP = 4.0  # line heights without print end the table
_STRANGE = 1  # words that name no column which a heading's piece may hold


@dataclass(frozen=True, slots=True)
class _Column:
    """A column's name in the heading, and where it stands."""

    content: Span
    box: Box


def tables(rows: Rows, columns: Lexicon, summary: Lexicon, pages: Sequence[int]) -> Iterator[Table]:
    """The item tables of these pages: a heading that names at least three known columns, and what stands under it.

    A table ends at a row that begins with the label of a whole-document field ('Total'), at the next heading, or at a gap.
    """
    for page in pages:
        printed = rows.on_page(page)
        headings = [(at, found) for at, row in enumerate(printed) if (found := _heading(row, columns))]
        for number, (at, heading) in enumerate(headings):
            end = headings[number + 1][0] if number + 1 < len(headings) else len(printed)
            yield _table(page, heading, list(_under(printed[at], printed[at + 1 : end], summary)))


def _heading(row: Sequence[Line], columns: Lexicon) -> list[_Column]:
    """The columns that a row names, from the left; none for a row that is no heading."""
    found: list[_Column] = []
    names: set[str] = set()
    for line in row:
        mentions = columns.mentions(line.span.text)
        if (
            not mentions
            or strange_words(_without(line.span.text, [(each.start, each.end) for each in mentions])) > _STRANGE
        ):
            continue
        for start, end in sorted({(each.start, each.end) for each in mentions}):
            words = words_at(line.span, start, end)
            box = box_of(words, line.box) or line.box
            found.append(_Column(_span(words, line.span.text[start:end], line.span.page), box))
        names.update(each.name for each in mentions)
    return found if min(len(found), len(names)) >= _FEWEST_COLUMNS else []


def _without(text: str, places: Sequence[tuple[int, int]]) -> str:
    for start, end in sorted(places, reverse=True):
        text = f"{text[:start]} {text[end:]}"
    return text


def _under(heading: Sequence[Line], rows: Sequence[Sequence[Line]], summary: Lexicon) -> Iterator[Sequence[Line]]:
    bottom = max(line.box.bottom for line in heading)
    height = max(line.box.height for line in heading)
    for row in rows:
        if min(line.box.top for line in row) - bottom > _LARGEST_GAP * height or _sums_up(row, summary):
            return
        yield row
        bottom = max(bottom, *(line.box.bottom for line in row))


def _sums_up(row: Sequence[Line], summary: Lexicon) -> bool:
    text = row[0].span.text
    return any(not strange_words(text[mention.end :]) for mention in summary.names(text))


def _table(page: int, heading: Sequence[_Column], rows: Sequence[Sequence[Line]]) -> Table:
    cells = [Cell(1, number, 1, 1, column.content, frozenset()) for number, column in enumerate(heading, 1)]
    for at, row in enumerate(rows, 2):
        held: list[list[Word]] = [[] for _ in heading]
        for line in row:
            _share_out(line, heading, held)
        cells += [
            Cell(at, number, 1, 1, _span(tuple(words), "", page), frozenset()) for number, words in enumerate(held, 1)
        ]
    return Table(page, None, tuple(cells))


def _share_out(line: Line, heading: Sequence[_Column], held: Sequence[list[Word]]) -> None:
    """Give the line's words to the columns they stand under: all to one, unless the line lies under several."""
    under = [number for number, column in enumerate(heading) if _overlap(line.box, column.box) > 0]
    if len(under) < 2:
        held[under[0] if under else _nearest(line.box, heading)].extend(line.span.words)
        return
    for word in line.span.words:
        held[_nearest(word.box or line.box, heading)].append(word)


def _nearest(box: Box, heading: Sequence[_Column]) -> int:
    """The column that the box lies under most, else the one beside which it stands closest."""
    return max(range(len(heading)), key=lambda number: _overlap(box, heading[number].box))


def _overlap(one: Box, other: Box) -> float:
    """How far two boxes share the page's width; the negative gap between them when they do not."""
    return min(one.right, other.right) - max(one.left, other.left)


def _span(words: tuple[Word, ...], text: str, page: int) -> Span:
    return Span(text or " ".join(word.text for word in words), words, page, union([word.box for word in words]), None)
