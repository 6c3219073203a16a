"""What benchmarks under load share: the simulated Textract, the product over it, and what both cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.product import ROOT, Product

TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
SYNCHRONOUS = ("AnalyzeDocument", "DetectDocumentText", "AnalyzeExpense", "AnalyzeID")


class Simulator:
    """A running `python -m deploy.local.textract --mode simulate` and its books."""

    def __init__(self, folder: Path, *, store: Path, knobs: dict[str, Any]) -> None:
        (folder / "simulator.yaml").write_text(json.dumps(knobs), encoding="utf-8")  # JSON is YAML
        command = [sys.executable, "-m", "deploy.local.textract", "--port", "0", "--mode", "simulate", "--control",
                   "--config", str(folder / "simulator.yaml"), "--state", str(folder / "simulator"),
                   "--store", f"local={store}"]  # fmt: skip
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        first = self.process.stdout.readline()
        if not first:
            raise RuntimeError("the simulator did not start; what it wrote stands above")
        self.url: str = json.loads(first)["url"]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        if self.process.stdout:
            self.process.stdout.close()

    def turn(self, **knobs: Any) -> None:
        """Change settings; `reset=True` begins new books."""
        self._control(json.dumps(knobs).encode())

    def report(self, *, only: str = "") -> dict[str, Any]:
        """Calls, throttles, the bill, and for each document how long the engine took; or some of that, separated by commas."""
        return self._control(None, f"?only={only}" if only else "")

    def _control(self, body: bytes | None, query: str = "") -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/_control{query}", data=body, timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
        return found


@contextmanager
def product(folder: Path, *, knobs: dict[str, Any], **settings: str) -> Iterator[tuple[Product, Simulator]]:
    """The product without samples, over a simulator with these settings; both end with the block."""
    folder.chmod(0o711)  # the database's own user has to pass through when we are root
    home = folder / "home"
    (home / "documents").mkdir(parents=True, mode=0o700)
    simulator = Simulator(folder, store=home / "documents", knobs=knobs)
    running = Product(
        home,
        AWS_ENDPOINT_URL_TEXTRACT=simulator.url,
        AWS_ACCESS_KEY_ID="local",
        AWS_SECRET_ACCESS_KEY="local",
        AWS_EC2_METADATA_DISABLED="true",
        **settings,
    )
    try:
        running.start()
        yield running, simulator
    finally:
        if running.process and running.process.poll() is None:
            running.stop()
        simulator.stop()


@dataclass(frozen=True, slots=True)
class Cost:
    """Of all processes of the product, PostgreSQL included: processor time so far, and memory held now."""

    cpu_ms: dict[str, float]  # by part: web, postgres, ...
    pss_mib: dict[str, float]

    @property
    def all_cpu_ms(self) -> float:
        return sum(self.cpu_ms.values())

    @property
    def all_pss_mib(self) -> float:
        return sum(self.pss_mib.values())


def cost(of: Product, simulator: Simulator | None = None) -> Cost:
    """What the product has used by now. A process that ended is counted with the one that waited for it."""
    leaders = {leader: name for name, (leader, *_rest) in json.loads((of.home / "run.json").read_text()).items()}
    cpu_ms: dict[str, float] = defaultdict(float)
    pss_mib: dict[str, float] = defaultdict(float)
    assert of.process
    for pid in {*of.processes(), *_below(of.process.pid)}:
        fields = _stat(pid)
        if (simulator and pid == simulator.process.pid) or not fields:
            continue
        part = leaders.get(int(fields[2]), "postgres" if b"postgres" in _command(pid) else "start")
        cpu_ms[part] += sum(map(int, fields[11:15])) * TICK_MS
        pss_mib[part] += _pss_kib(pid) / 1024
    return Cost(dict(cpu_ms), dict(pss_mib))


def cpu_ms(pid: int) -> float:
    """Processor time of one process so far."""
    return sum(map(int, _stat(pid)[11:13])) * TICK_MS


def family_ms(pid: int) -> float:
    """Processor time so far of a process and of all that came from it, those that ended included."""
    return sum(sum(map(int, fields[11:15])) for each in _below(pid) if (fields := _stat(each))) * TICK_MS


def _below(pid: int) -> list[int]:
    """The process and all that came from it; PostgreSQL's do not show whose they are in any other way."""
    parents = {int(path.name): _stat(int(path.name)) for path in Path("/proc").glob("[0-9]*")}
    found = [pid]
    for each in found:
        found += [child for child, fields in parents.items() if fields and int(fields[1]) == each]
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on; none for one that ended in the meantime."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _pss_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
