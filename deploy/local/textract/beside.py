"""What stands beside a table of items in a column of its own: "INVOICE DATE" over a date, left of the items."""

from dataclasses import replace

from deploy.local.textract import labels
from deploy.local.textract.layout import Row, Sheet

ITEMS = frozenset(
    ("description", "item", "items", "beschreibung", "bezeichnung", "designation", "omschrijving", "article", "product", "service",
     "services", "details", "particulars", "artikel", "leistung", "libelle", "descripcion", "concepto", "descrizione", "opis")
)  # fmt: skip
LEAST = 2
"""Rows under the heading in which something stands in the column beside the items, and nothing among them."""
LOOKED_AT = 14
"""Rows under the heading in which they are looked for."""


def begins_with_items(row: Row) -> bool:
    """Whether the first name of a heading, or the one behind a number's, says what an item is."""
    return any(
        word in ITEMS for segment in row[:2] for part in segment.words for word in labels.plain(part.text).split()
    )


def without_side(sheet: Sheet, start: int, left: float) -> Sheet:
    """The sheet whose rows, from row `start` on, have lost what stands left of `left`, if that is a column of its own.

    It is one when rows stand there beside which nothing does, and no text reaches over its side; it ends where one does.
    """
    edge = left - sheet.line_height
    below = sheet.rows[start + 1 :]
    end = next(
        (at for at, row in enumerate(below) if any(each.box.left < edge < each.box.right for each in row)), len(below)
    )
    alone = [row for row in below[: min(end, LOOKED_AT)] if all(each.box.right <= edge for each in row)]
    if len(alone) < LEAST:
        return sheet
    kept = [_right_of(row, edge) for row in sheet.rows[start : start + 1 + end]]
    return replace(sheet, rows=(*sheet.rows[:start], *filter(None, kept), *below[end:]))


def _right_of(row: Row, edge: float) -> Row:
    return tuple(each for each in row if each.box.right > edge)
