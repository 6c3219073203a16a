"""Reading manifests: JSON, JSON Lines and CSV, row by row, in memory that does not grow with the file.

A manifest is a list of rows. As JSON it is an array, or an object whose `items` is one and whose other members are options of
the batch. Whatever is wrong with a row is a Fault with its line and a sentence; reading goes on behind it wherever that is possible.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

from django.utils.translation import gettext as _

ROW_CHARACTERS = 64 * 1024  # a longer row is a mistake, and would be held in memory whole
COLUMNS = ("bucket", "key", "version", "document_id", "external_id", "document_type", "priority", "metadata")
_READ_CHARACTERS = 1024 * 1024
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_BLANKS = re.compile(r"[ \t\r\n]*")
FORMATS = {"application/json": "json", "application/x-ndjson": "jsonl", "application/jsonl": "jsonl", "text/csv": "csv"}
ENDINGS = {".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was written: a file in a bucket, or an earlier document whose file is read again."""

    number: int  # from 1, in the order of the manifest
    line: int  # of the file, from 1
    bucket: str = ""
    key: str = ""
    version: str = ""
    document_id: UUID | None = None
    external_id: str = ""
    document_type: str = ""
    priority: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong on a line, as a sentence that says what to do."""

    line: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Option:
    """A member beside `items`: a wish for the batch as a whole."""

    line: int
    name: str
    value: Any


Found = Row | Fault | Option


class _Wrong(Exception):
    """A sentence about the row that is being read."""


def format_of(name: str = "", content_type: str = "") -> str:
    """json, jsonl or csv, by the content type or else by the file name's ending; '' when neither tells."""
    return FORMATS.get(content_type.partition(";")[0].strip().lower()) or ENDINGS.get(Path(name.lower()).suffix, "")


def read(path: Path, format_: str) -> Iterator[Found]:
    """Everything in the manifest, in order. `format_` is json, jsonl or csv; the text is UTF-8."""
    readers: dict[str, Callable[[TextIO], Iterator[Found]]] = {"json": _json, "jsonl": _json_lines, "csv": _csv}
    try:
        with path.open("r", encoding="utf-8-sig", newline="") as text:
            yield from readers[format_](text)
    except UnicodeDecodeError:
        yield Fault(_broken_line(path), _("The text is not UTF-8 from this line on. Save the manifest as UTF-8."))


def _broken_line(path: Path) -> int:
    """Where the text stops being UTF-8."""
    decoder, line = codecs.getincrementaldecoder("utf-8")(), 1
    with path.open("rb") as stream:
        while chunk := stream.read(_READ_CHARACTERS):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                return line + error.object[: error.start].count(b"\n")
            line += chunk.count(b"\n")
    return line


# --- JSON ---------------------------------------------------------------------------------------------------------


class _Window:
    """A window that moves over a long JSON text and always shows at least one whole row ahead."""

    def __init__(self, text: TextIO) -> None:
        self._text, self._buffer, self._at, self._ended = text, "", 0, False
        self._decoder = json.JSONDecoder(parse_constant=_refuse_constant)
        self.line = 1

    def next(self) -> str:
        """The next character that is not blank, '' at the end; it stays where it is."""
        while True:
            self._fill()
            self._move(_BLANKS.match(self._buffer, self._at).end())  # type: ignore[union-attr]  # it always matches
            if self._at < len(self._buffer) or self._ended:
                return self._buffer[self._at : self._at + 1]

    def take(self, *wanted: str) -> str:
        """The next character, which has to be one of these."""
        found = self.next()
        if found not in wanted or not found:
            raise _Wrong(
                _("Here should be %(wanted)s. Check that the manifest is one whole JSON document.")
                % {"wanted": f" {_('or')} ".join(wanted)}
            )
        self._move(self._at + 1)
        return found

    def value(self) -> Any:
        """One whole value. Raises _Wrong when it is none, or longer than a row may be."""
        self.next()
        try:
            told, end = self._decoder.raw_decode(self._buffer, self._at)
        except (ValueError, RecursionError):
            raise _Wrong(_("This is no JSON that can be read. Check quotes, commas and brackets.")) from None
        if end - self._at > ROW_CHARACTERS:
            raise _Wrong(_("A row has at most %(most)s characters.") % {"most": ROW_CHARACTERS})
        self._move(end)
        return told

    def _move(self, to: int) -> None:
        self.line += self._buffer.count("\n", self._at, to)
        self._at = to

    def _fill(self) -> None:
        """A row and a little more: what ends exactly at the end of the buffer may go on behind it."""
        if len(self._buffer) - self._at <= ROW_CHARACTERS + 1 and not self._ended:
            more = self._text.read(_READ_CHARACTERS)
            self._ended = not more
            self._buffer, self._at = self._buffer[self._at :] + more, 0


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _json(text: TextIO) -> Iterator[Found]:
    window = _Window(text)
    try:
        if window.next() == "{":
            yield from _members(window)
        else:
            yield from _elements(window)
        if window.next():
            raise _Wrong(_("Something follows the end of the JSON. For one row per line use JSON Lines (.jsonl)."))
    except _Wrong as wrong:
        yield Fault(window.line, str(wrong))


def _members(window: _Window) -> Iterator[Found]:
    window.take("{")
    if window.next() == "}":
        window.take("}")
        return
    more = ","
    while more == ",":
        window.next()
        line, name = window.line, window.value()
        if not isinstance(name, str):
            raise _Wrong(_("Here should be a name in double quotes."))
        window.take(":")
        if name == "items":
            yield from _elements(window)
        else:
            yield Option(line, name, window.value())
        more = window.take(",", "}")


def _elements(window: _Window) -> Iterator[Found]:
    window.take("[")
    if window.next() == "]":
        window.take("]")
        return
    number, more = 0, ","
    while more == ",":
        number += 1
        window.next()
        line = window.line
        yield _row(number, line, window.value())
        more = window.take(",", "]")


def _json_lines(text: TextIO) -> Iterator[Found]:
    number = 0
    for line, written in _lines(text):
        if not written.strip():
            continue
        number += 1
        if len(written) > ROW_CHARACTERS:
            yield Fault(line, _("A row has at most %(most)s characters.") % {"most": ROW_CHARACTERS})
            continue
        try:
            told = json.loads(written, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            yield Fault(line, _("This line is no JSON that can be read. Write one whole JSON object on each line."))
            continue
        yield _row(number, line, told)


def _lines(text: TextIO) -> Iterator[tuple[int, str]]:
    """Each line with its number, cut where it is longer than a row may be."""
    line = 0
    while written := text.readline(ROW_CHARACTERS + 2):
        line += 1
        yield line, written
        while not written.endswith("\n") and (written := text.readline(_READ_CHARACTERS)):
            pass


# --- CSV ----------------------------------------------------------------------------------------------------------


def _csv(text: TextIO) -> Iterator[Found]:
    reader = csv.reader(_limited(text), strict=True)
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
        if wrong := _columns_wrong(columns):
            yield Fault(1, wrong)
            return
        number, line = 0, reader.line_num
        for cells in reader:
            line, begun = reader.line_num, line + 1
            if not any(cell.strip() for cell in cells):
                continue
            number += 1
            yield _csv_row(number, begun, columns, cells)
    except (csv.Error, _Wrong) as error:
        sentence = str(error) if isinstance(error, _Wrong) else _("This is no CSV that can be read. Check the quotes.")
        yield Fault(max(reader.line_num, 1), sentence)


def _limited(text: TextIO) -> Iterator[str]:
    while written := text.readline(ROW_CHARACTERS + 2):
        if len(written) > ROW_CHARACTERS:
            raise _Wrong(_("A row has at most %(most)s characters.") % {"most": ROW_CHARACTERS})
        yield written


def _columns_wrong(columns: list[str]) -> str:
    if not columns:
        return ""  # an empty file has no rows either, and that is said once
    known = ", ".join(COLUMNS)
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown:
        return _("The first line names the columns; there is no column %(name)s. Use some of: %(known)s.") % {
            "name": _shown(unknown[0]),
            "known": known,
        }
    return _("A column is named twice.") if len(set(columns)) < len(columns) else ""


def _csv_row(number: int, line: int, columns: list[str], cells: list[str]) -> Row | Fault:
    if len(cells) != len(columns):
        return Fault(
            line,
            _("The row has %(cells)s cells, but the first line names %(columns)s columns.")
            % {"cells": len(cells), "columns": len(columns)},
        )
    told: dict[str, Any] = {name: cell for name, cell in zip(columns, cells, strict=True) if cell}
    if "metadata" in told:
        try:
            told["metadata"] = json.loads(told["metadata"], parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            return Fault(line, _("The metadata is a JSON object."))
    return _row(number, line, told)


# --- One row ------------------------------------------------------------------------------------------------------


def _row(number: int, line: int, told: object) -> Row | Fault:
    try:
        return _checked(number, line, told)
    except _Wrong as wrong:
        return Fault(line, str(wrong))


def _checked(number: int, line: int, told: object) -> Row:
    if not isinstance(told, dict):
        raise _Wrong(_('A row is a JSON object, for example {"bucket": "scans", "key": "2026/a.pdf"}.'))
    if unknown := next((name for name in told if name not in COLUMNS), None):
        raise _Wrong(
            _("There is no member %(name)s. Use some of: %(known)s.")
            % {"name": _shown(unknown), "known": ", ".join(COLUMNS)}
        )
    metadata = told.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise _Wrong(_("The metadata is a JSON object."))
    texts = {name: _text(told, name) for name in COLUMNS if name not in {"metadata", "document_id"}}
    row = Row(number=number, line=line, document_id=_document_id(told), metadata=metadata, **texts)
    _check_place(row)
    return row


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _Wrong(_("The %(name)s is a text; put it in double quotes.") % {"name": name})
    if any(c < " " or c == "\x7f" or "\ud800" <= c <= "\udfff" for c in value):
        raise _Wrong(_("The %(name)s holds a character that cannot be stored.") % {"name": name})
    return value


def _document_id(told: Mapping[str, Any]) -> UUID | None:
    written = _text(told, "document_id")
    if not written:
        return None
    try:
        return UUID(written)
    except ValueError:
        raise _Wrong(_("The document_id is the id of an earlier document, as its upload was answered with.")) from None


def _check_place(row: Row) -> None:
    if row.document_id:
        if row.bucket or row.key or row.version:
            raise _Wrong(_("A row has either bucket and key, or document_id, not both."))
        return
    if not row.bucket or not row.key:
        raise _Wrong(_("A row needs bucket and key of its file, or document_id of an earlier document."))
    if not _BUCKET.fullmatch(row.bucket):
        raise _Wrong(_("A bucket's name has at most 63 letters, digits, dots, dashes and underscores."))
    if max(len(row.key.encode()), len(row.version.encode())) > 1024:
        raise _Wrong(_("A key, and a version, has at most 1024 bytes."))
    if any(part in {"", ".", ".."} for part in row.key.split("/")):
        raise _Wrong(_("A key has no empty parts and no . or .. between its slashes."))


def _shown(name: object, longest: int = 40) -> str:
    """What a stranger wrote, short and in one line."""
    text = "".join(c if c.isprintable() else "?" for c in str(name))
    return f"“{text[:longest]}…”" if len(text) > longest else f"“{text}”"
