"""Pages read by the local engine, and by Tesseract, once each: what was read is kept outside the repository's history.

The cache is a folder of one JSON file a page, named by the sha256 of the document, the page, and the edition of what read
it: the engine's version and everything in the code and settings that the words depend on. DTAT_BENCH_CACHE moves it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks._documents import ROOT, Paper
from deploy.local.textract import pictures, reading
from deploy.local.textract.processes import Pool
from deploy.local.textract.reading import PageReading
from deploy.local.textract.readings import ENGINE_VERSION

CACHE = Path(os.environ.get("DTAT_BENCH_CACHE") or ROOT / "benchmarks" / ".cache")
MOST_PAGES = 5  # of a document; what is asked for stands on the first ones
WORKERS = 2
SOURCES = ("engine", "calibration", "pictures", "reading", "grey", "strokes", "ticks", "cells")
TESSERACT = Path("/usr/bin/tesseract")
TESSERACT_WAYS = {"psm3": (3, 1), "psm6_twice_as_large": (6, 2)}


@cache
def edition() -> str:
    """What the words of a page depend on, as a short hash."""
    source = b"".join((ROOT / "deploy" / "local" / "textract" / f"{name}.py").read_bytes() for name in SOURCES)
    return f"rapidocr-{ENGINE_VERSION}-{hashlib.sha256(source).hexdigest()[:12]}"


def pages_of(papers: Sequence[Paper]) -> dict[Path, list[PageReading]]:
    """The pages of each document as the engine read them; those that are not in the cache are read now, two at a time."""
    wanted = [(paper, page) for paper in papers for page in range(1, _count(paper) + 1)]
    missing = [(paper, page) for paper, page in wanted if not _place(paper, page, edition()).exists()]
    if missing:
        with workers() as pool, ThreadPoolExecutor(WORKERS) as threads:
            for _ in threads.map(lambda each: _fill(pool, *each), missing):
                pass
    found: dict[Path, list[PageReading]] = {}
    for paper, page in wanted:
        found.setdefault(paper.path, []).append(reading.from_json(_place(paper, page, edition()).read_text("utf-8")))
    return found


def is_cached(paper: Paper) -> bool:
    """Whether every page of it that is looked at was read before."""
    return all(_place(paper, page, edition()).exists() for page in range(1, _count(paper) + 1))


def speed(papers: Sequence[Paper]) -> dict[str, Any]:
    """Pages a minute with two workers that are ready, and the most memory one of them held: nothing from the cache."""
    with workers() as pool, ThreadPoolExecutor(WORKERS) as threads:
        list(threads.map(lambda paper: pool.ask(_request(paper, 1)), papers[:WORKERS]))
        begun = time.monotonic()
        list(threads.map(lambda paper: pool.ask(_request(paper, 1)), papers))
        seconds = time.monotonic() - begun
        peaks = [_peak_mib(pid) for pid in pool.pids()]
    load = os.getloadavg()[0]
    return {
        "pages": len(papers), "pages_per_minute": round(60 * len(papers) / seconds, 1), "workers": len(peaks),
        "peak_rss_mib": max(peaks), "load_meanwhile": round(load, 1),
    }  # fmt: skip


def tesseract_texts(paper: Paper) -> dict[str, str] | None:
    """What Tesseract reads on a picture in each of the ways that were tried; None where it is not installed."""
    if not TESSERACT.exists():
        return None
    return {way: _tesseract(paper, *how) for way, how in TESSERACT_WAYS.items()}


@cache
def tesseract_version() -> str | None:
    if not TESSERACT.exists():
        return None
    told = subprocess.run([TESSERACT, "--version"], capture_output=True, text=True, check=True)
    return told.stdout.split()[1]


@contextmanager
def workers() -> Iterator[Pool]:
    """Two children that read pages."""
    pool = Pool("read", size=WORKERS, idle_seconds=600, timeout_seconds=300)
    try:
        yield pool
    finally:
        pool.close()


def _count(paper: Paper) -> int:
    return min(pictures.count_pages(paper.path, paper.kind), MOST_PAGES)


def _request(paper: Paper, page: int) -> dict[str, Any]:
    return {"path": str(paper.path), "kind": paper.kind, "page": page}


def _fill(pool: Pool, paper: Paper, page: int) -> None:
    _keep(_place(paper, page, edition()), pool.ask(_request(paper, page))["page"])


def _tesseract(paper: Paper, mode: int, larger: int) -> str:
    place = _place(paper, 1, f"tesseract-{tesseract_version()}-{mode}-{larger}")
    if not place.exists():
        with Image.open(paper.path) as image:
            grey = image.convert("L").resize((image.width * larger, image.height * larger))
        picture = io.BytesIO()
        grey.save(picture, "PNG")
        command = [str(TESSERACT), "-", "-", "--psm", str(mode)]
        environment = os.environ | {"OMP_THREAD_LIMIT": "1"}
        ran = subprocess.run(command, input=picture.getvalue(), capture_output=True, check=True, env=environment)
        _keep(place, json.dumps({"text": ran.stdout.decode("utf-8", errors="replace")}))
    return str(json.loads(place.read_text("utf-8"))["text"])


def _place(paper: Paper, page: int, by: str) -> Path:
    return CACHE / by / f"{paper.sha256}-{page}.json"


def _keep(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=place.parent, delete=False, encoding="utf-8") as unfinished:
        unfinished.write(text)
    shutil.move(unfinished.name, place)


def _peak_mib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM:"))) // 1024
