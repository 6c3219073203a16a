"""`make bench BENCH=name [QUICK=1]`: runs one benchmark, prints its result and writes it to benchmarks/results/<name>.json.

Of a benchmark that says what to draw (`chart(result)`) the chart in docs/images is drawn anew, except from a quick run.
`BENCH=charts` draws all of them from the stored results.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks._charts import draw

FOLDER = Path(__file__).resolve().parent
IMAGES = FOLDER.parent / "docs" / "images"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def main() -> int:
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name == "charts":
        return _redraw()
    if name not in NAMES:
        sys.stderr.write(f"Say which benchmark: make bench BENCH=name, one of {', '.join(NAMES)}.\n")
        return 2
    quick = os.environ.get("QUICK") == "1"
    before = _ticks()
    measured: dict[str, Any] = importlib.import_module(f"benchmarks.{name}").measure(quick=quick)
    result = {
        "name": name,
        "quick": quick,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": {
            "cores": os.cpu_count(),
            "memory_mib": _memory_mib(),
            "architecture": platform.machine(),
            "stolen_percent": _stolen_percent(before, _ticks()),
        },
        "versions": {"python": platform.python_version(), "django": importlib.metadata.version("django")},
        "seed": None,
        "figures": {},
        "ratios": {},
    } | measured
    told = json.dumps(result, indent=2) + "\n"
    (FOLDER / "results").mkdir(exist_ok=True)
    (FOLDER / "results" / f"{name}.json").write_text(told, encoding="utf-8")
    sys.stdout.write(told)
    if not quick:
        _draw(name, result)
    return 0


def _redraw() -> int:
    for path in sorted((FOLDER / "results").glob("*.json")):
        if path.stem in NAMES:
            _draw(path.stem, json.loads(path.read_text(encoding="utf-8")))
    return 0


def _draw(name: str, result: dict[str, Any]) -> None:
    chart = getattr(importlib.import_module(f"benchmarks.{name}"), "chart", None)
    if chart is not None:
        IMAGES.mkdir(exist_ok=True)
        (IMAGES / f"bench-{name}.svg").write_text(draw(chart(result)), encoding="utf-8")


def _commit() -> str:
    ran = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=FOLDER, check=False
    )
    return ran.stdout.strip()


def _ticks() -> list[int]:
    """The machine's processor time by what it was spent on. Source: proc(5), the first line of /proc/stat."""
    return [int(number) for number in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]


def _stolen_percent(before: list[int], after: list[int]) -> float:
    """How much of the processor time that was wanted went to other guests of the host: a run with much of it says little."""
    user, nice, system, _idle, _waiting, irq, softirq, stolen = (b - a for a, b in zip(before, after, strict=True))
    return round(100 * stolen / max(1, user + nice + system + irq + softirq + stolen), 1)


def _memory_mib() -> int:
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20)


if __name__ == "__main__":
    sys.exit(main())
