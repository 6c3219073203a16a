"""What reading costs, from the bytes of a stored answer to the rows that keep it: short documents, and forms of 300 and 3,000 pages.

No database and no storage take part: processor time of one process, and its peak resident set with everything the worker has
loaded. Parts of a long answer hold 1,000 blocks as Textract's do, cut wherever that is; making them is not counted.
"""

from __future__ import annotations

import json
import os
import resource
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from benchmarks import _answers

PART = 1000
DRAWN = {
    "form": _answers.form, "headed_form": _answers.headed_form, "invoice": _answers.invoice, "receipt": _answers.receipt,
}  # fmt: skip


def measure(*, quick: bool) -> dict[str, Any]:
    """Figures in milliseconds of processor time (`parsed_ms` from parsed JSON to fields and problems, `reading_ms` from bytes,
    `rows_ms` with the rows to save) and MiB."""
    figures: dict[str, Any] = {}
    for kind in DRAWN:
        told = _child("one", kind, "40" if quick else "200")
        figures |= {
            f"{kind}_{name}": told[name] for name in ("blocks", "kib", "fields", "parsed_ms", "reading_ms", "rows_ms")
        }
    lengths = (30, 300) if quick else (300, 3000)
    for pages in lengths:
        told = _child("long", str(pages))
        figures |= {f"cpu_ms_per_page_{pages}": told["cpu_ms_per_page"], f"peak_rss_mib_{pages}": told["peak_rss_mib"]}
        figures[f"fields_{pages}"] = told["fields"]
    whole = _child("whole", str(lengths[0]))
    figures[f"peak_rss_mib_{lengths[0]}_held_whole"] = whole["peak_rss_mib"]
    figures["peak_rss_mib_at_rest"] = _child("rest")["peak_rss_mib"]
    short, long = (figures[f"peak_rss_mib_{pages}"] for pages in lengths)
    return {"figures": figures, "ratios": {f"peak_{lengths[1]}_to_{lengths[0]}_pages": round(long / short, 2)}}


def _child(*arguments: str) -> dict[str, Any]:
    """One measurement in a process of its own."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "dtat_site.settings",
        "DTAT_ENVIRONMENT": "embedded",
        "DTAT_SECRET_KEY": secrets.token_urlsafe(48),
        "DTAT_JWT_KEY": secrets.token_urlsafe(48),
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing",
    }
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.reading", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def _in_child(what: str, *arguments: str) -> dict[str, Any]:
    import django

    django.setup()
    match what:
        case "one":
            return _one(arguments[0], int(arguments[1]))
        case "long":
            return _long(int(arguments[0]))
        case "whole":
            return _whole(int(arguments[0]))
        case _:
            import ocr.readings  # noqa: F401  what a worker has loaded

            return {"peak_rss_mib": _peak()}


def _one(kind: str, documents: int) -> dict[str, Any]:
    """The cheapest of five goes over as many different documents, whose type is to be found from what they say."""
    bodies = [_answers.body(_answers.Template(DRAWN[kind](seed)).page(1), 1) for seed in range(documents)]
    found = _read(bodies[:1], pages=1)
    return {
        "parsed_ms": _cheapest(_fields_of, bodies, prepared=_blocks_of),
        "reading_ms": _cheapest(_understood, bodies),
        "rows_ms": _cheapest(lambda body: _read([body], pages=1), bodies),
        "blocks": len(DRAWN[kind](0)), "kib": round(len(bodies[0]) / 1024), "fields": len(found.fields),
        "type": found.document_type.name,
    }  # fmt: skip


def _cheapest(act: Callable[[Any], Any], bodies: Sequence[bytes], prepared: Callable[[bytes], Any] = bytes) -> float:
    """Milliseconds of processor time for one of them; each is prepared right before, as a worker does, which does not count."""
    goes = []
    for _ in range(5):
        spent = 0.0
        for body in bodies:
            ready = prepared(body)
            begun = time.process_time()
            act(ready)
            spent += time.process_time() - begun
        goes.append(spent * 1000 / len(bodies))
    return round(min(goes), 2)


def _blocks_of(body: bytes) -> Any:
    from ocr import extraction

    return extraction.decoded(body)["Blocks"]


def _understood(body: bytes) -> Any:
    """From bytes to the reading: parsed, its type found, its fields chosen and checked."""
    return _fields_of(_blocks_of(body))


def _fields_of(blocks: Sequence[Any]) -> Any:
    """From parsed JSON to the reading."""
    from ocr import document_types, extraction
    from ocr.extraction import classification

    types = [document_types.parsed(row) for row in _types()]
    name = classification.classify(blocks, types).name
    return extraction.read(blocks, next(type_ for type_ in types if type_.name == name))


def _long(pages: int) -> dict[str, Any]:
    making = [0.0]
    begun = time.process_time()
    found = _read(_timed(_parts(pages), making), pages=pages)
    spent = time.process_time() - begun - making[0]
    return {"cpu_ms_per_page": round(spent * 1000 / pages, 2), "peak_rss_mib": _peak(), "fields": len(found.fields)}


def _whole(pages: int) -> dict[str, Any]:
    """The same answer with all its blocks in memory at once, for comparison."""
    from ocr import extraction

    blocks = [block for part in _parts(pages) for block in extraction.decoded(part)["Blocks"]]
    extraction.read(blocks, extraction.document_type(_definitions()["generic_form"]))
    return {"peak_rss_mib": _peak()}


def _parts(pages: int) -> Iterator[bytes]:
    templates = [_answers.Template(_answers.form(seed)) for seed in range(8)]
    waiting: list[bytes] = []
    for number in range(1, pages + 1):
        waiting += templates[number % len(templates)].page(number)
        while len(waiting) >= PART:
            yield _answers.body(waiting[:PART], pages)
            del waiting[:PART]
    yield _answers.body(waiting, pages)


def _timed(parts: Iterator[bytes], making: list[float]) -> Iterator[bytes]:
    """The parts; adds the time it takes to make them to `making`."""
    while True:
        begun = time.process_time()
        part = next(parts, None)
        making[0] += time.process_time() - begun
        if part is None:
            return
        yield part


def _read(bodies: Iterator[bytes] | Sequence[bytes], *, pages: int) -> Any:
    from ocr import extraction, readings
    from ocr.models import Document, Extraction

    parts = map(extraction.decoded, bodies)
    return readings.found(Document(page_count=pages), Extraction(), parts, types=_types())


def _types() -> list[Any]:
    """The shipped types as rows that no database holds."""
    from ocr.models import DocumentType

    if not _rows:
        for number, (name, definition) in enumerate(sorted(_definitions().items()), 1):
            _rows.append(
                DocumentType(pk=number, name=name, version=1, label=definition["label"], definition=definition)
            )
    return _rows


_rows: list[Any] = []


def _definitions() -> dict[str, dict[str, Any]]:
    import yaml

    from ocr.document_types import FOLDER

    return {
        path.stem: {**yaml.safe_load(path.read_text(encoding="utf-8")), "version": 1} for path in FOLDER.glob("*.yaml")
    }


def _peak() -> int:
    """The most that this process ever held, in MiB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_in_child(*sys.argv[1:])))
