"""Three ways to write the same rows, and a line with a sentence for everything that is wrong with them."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from ocr import manifests
from ocr.manifests import Fault, Option, Row

ROWS: list[dict[str, Any]] = [
    {"bucket": "scans", "key": "2026/ä 1.pdf", "version": "v1", "external_id": "x, \"1\"", "metadata": {"desk": [1, "b"]}},
    {"document_id": "7d0b6b1e-9a8c-4a0e-8f0e-2c8a3f1b5a11", "document_type": "invoice", "priority": "high"},
]  # fmt: skip


def read(tmp_path: Path, text: str | bytes, format_: str) -> list[manifests.Found]:
    path = tmp_path / "manifest"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(manifests.read(path, format_))


def faults(found: list[manifests.Found]) -> list[tuple[int, str]]:
    return [(each.line, each.sentence) for each in found if isinstance(each, Fault)]


def _written(format_: str) -> str:
    from tests.batches import manifest as m

    texts = {"json": json.dumps(ROWS, indent=1), "jsonl": m.as_lines(ROWS), "csv": m.as_csv(ROWS)}
    return texts[format_]


@pytest.mark.parametrize("format_", ["json", "jsonl", "csv"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "with a byte order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_the_same_rows_in_every_format(tmp_path: Path, format_: str, mark: str, end: str) -> None:
    first, second = read(tmp_path, mark + _written(format_).replace("\r\n", "\n").replace("\n", end), format_)
    assert isinstance(first, Row) and isinstance(second, Row)
    assert (first.number, first.bucket, first.key, first.version) == (1, "scans", "2026/ä 1.pdf", "v1")
    assert (first.external_id, first.metadata) == ('x, "1"', {"desk": [1, "b"]})
    assert (second.number, str(second.document_id), second.bucket) == (2, ROWS[1]["document_id"], "")
    assert (second.document_type, second.priority, second.metadata) == ("invoice", "high", {})


def test_an_object_with_items_holds_options_before_and_after_them(tmp_path: Path) -> None:
    text = '{"max_concurrency": 5,\n"items": [{"bucket": "a", "key": "b"}],\n"priority": "high"}'
    first, row, last = read(tmp_path, text, "json")
    assert (first, last) == (Option(1, "max_concurrency", 5), Option(3, "priority", "high"))
    assert isinstance(row, Row) and row.line == 2


GOOD = '{"bucket": "a", "key": "b"}'


@pytest.mark.parametrize(
    ("format_", "text", "line", "word"),
    [
        ("json", "", 1, "one whole JSON"),
        ("json", f"[{GOOD}\n{GOOD}]", 2, "Here should be , or ]"),
        ("json", f"[{GOOD},\n{{]", 2, "no JSON"),
        ("json", f"[{GOOD}]\n{GOOD}", 2, "JSON Lines"),
        ("json", "[" * 100_000, 1, "no JSON"),
        ("json", '[{"bucket": NaN}]', 1, "no JSON"),
        ("json", '{"items": 5}', 1, "Here should be ["),
        ("json", "{5: 1}", 1, "double quotes"),
        ("json", '[{"bucket": "%s"}]' % ("a" * 70_000), 1, "at most 65536"),
        ("jsonl", f"{GOOD}\n\nx\n", 3, "one whole JSON object on each line"),
        ("jsonl", f"{GOOD}\n[1]\n", 2, "A row is a JSON object"),
        ("jsonl", f'{GOOD}\n{{"bucket": "{"a" * 70_000}"}}\n{GOOD}\nx', 2, "at most 65536"),
        ("csv", "bucket,key,colour\na,b,c\n", 1, "no column “colour”"),
        ("csv", "bucket,key,key\na,b,c\n", 1, "named twice"),
        ("csv", "bucket,key\na\n", 2, "1 cells"),
        ("csv", 'bucket,key\na,b\n"a,b\n', 3, "Check the quotes"),
        ("csv", "bucket,key,metadata\na,b,5\n", 2, "metadata is a JSON object"),
        ("csv", "bucket,key,metadata\na,b,{\n", 2, "metadata is a JSON object"),
        ("csv", f"bucket,key\na,{'b' * 70_000}\n", 1, "at most 65536"),
        ("json", b'[{"bucket": "a",\n "key": "\xff"}]', 2, "UTF-8"),
        ("csv", b"bucket,key\na,b\na,\xff\n", 3, "UTF-8"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(
    tmp_path: Path, format_: str, text: str | bytes, line: int, word: str
) -> None:
    found = faults(read(tmp_path, text, format_))
    assert found
    assert found[0][0] == line and word in found[0][1], found
    assert found[0][1].endswith(".")


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ({}, "needs bucket and key"),
        ({"bucket": "a"}, "needs bucket and key"),
        ({"key": "a"}, "needs bucket and key"),
        ({"bucket": "a", "key": "b", "document_id": "7d0b6b1e-9a8c-4a0e-8f0e-2c8a3f1b5a11"}, "not both"),
        ({"document_id": "7"}, "document_id is the id"),
        ({"bucket": "a", "key": "b", "colour": "red"}, "no member “colour”"),
        ({"bucket": 5, "key": "b"}, "bucket is a text"),
        ({"bucket": "a b", "key": "b"}, "bucket's name"),
        ({"bucket": "../a", "key": "b"}, "bucket's name"),
        ({"bucket": "a", "key": "../b"}, ". or .."),
        ({"bucket": "a", "key": "x/../../b"}, ". or .."),
        ({"bucket": "a", "key": "/etc/passwd"}, ". or .."),
        ({"bucket": "a", "key": "x//b"}, ". or .."),
        ({"bucket": "a", "key": "b\x00"}, "cannot be stored"),
        ({"bucket": "a", "key": "b\ud800"}, "cannot be stored"),
        ({"bucket": "a", "key": "ä" * 600}, "1024 bytes"),
        ({"bucket": "a", "key": "b", "metadata": [1]}, "metadata is a JSON object"),
        ({"bucket": "a", "key": "b", "metadata": "x"}, "metadata is a JSON object"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_a_wrong_row_is_told_and_the_next_is_read_all_the_same(tmp_path: Path, row: dict[str, Any], word: str) -> None:
    good = {"bucket": "a", "key": "b"}
    for format_, text in {"json": json.dumps([row, good]), "jsonl": f"{json.dumps(row)}\n{json.dumps(good)}\n"}.items():
        fault, then = read(tmp_path, text, format_)
        assert isinstance(fault, Fault) and word in fault.sentence and fault.sentence.endswith("."), fault
        assert isinstance(then, Row) and then.number == 2


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    text = 'bucket,key,metadata\na,b,"{\n}"\n\na,,\na,c,\n'
    first, fault, last = read(tmp_path, text, "csv")
    assert [first.line, fault.line, last.line] == [2, 5, 6]
    assert isinstance(first, Row) and isinstance(last, Row)
    assert (first.number, last.number) == (1, 3)


@pytest.mark.parametrize(
    ("name", "content_type", "format_"),
    [
        ("m.json", "", "json"), ("M.JSONL", "", "jsonl"), ("m.ndjson", "", "jsonl"), ("m.csv", "", "csv"), ("m.txt", "", ""),
        ("", "application/json; charset=utf-8", "json"), ("", "text/csv", "csv"), ("", "text/plain", ""),
    ],
)  # fmt: skip
def test_the_format_is_told_by_type_or_ending(name: str, content_type: str, format_: str) -> None:
    assert manifests.format_of(name, content_type) == format_


@pytest.mark.parametrize("format_", ["json", "jsonl", "csv"])
def test_memory_does_not_grow_with_the_manifest(tmp_path: Path, format_: str) -> None:
    """Ten times the rows, the same memory."""
    peaks = []
    for count in (3_000, 30_000):
        path = tmp_path / f"{count}"
        path.write_text(_many(count, format_))
        tracemalloc.start()
        assert sum(isinstance(found, Row) for found in manifests.read(path, format_)) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert path.stat().st_size > 2_000_000
    assert peaks[1] < max(peaks[0], 4_500_000) * 1.2, peaks


def _many(count: int, format_: str) -> str:
    rows = [f'{{"bucket": "scans", "key": "2026/{n:08d}.pdf", "external_id": "{"x" * 30}"}}' for n in range(count)]
    if format_ == "csv":
        return "bucket,key,external_id\n" + "".join(f"scans,2026/{n:08d}.pdf,{'x' * 50}\n" for n in range(count))
    return f"[{','.join(rows)}]" if format_ == "json" else "\n".join(rows)
