"""What the simulated Textract costs beside what is measured with it: its processor time a call, and its memory.

One shared boto3 client, 100 threads, answers of about 200 KB that come after 1 s. The client's own cost is not in the figures.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ROOT = Path(__file__).resolve().parent.parent
THREADS = 100
RUNS = 3
TICKS = os.sysconf("SC_CLK_TCK")
PNG = b"\x89PNG\r\n\x1a\n"


def measure(*, quick: bool) -> dict[str, Any]:
    """Milliseconds of processor time for each call, the median of three runs, by what is sent; memory in MiB."""
    calls = 100 if quick else 300
    with tempfile.TemporaryDirectory(prefix="dtat-bench-") as folder:
        process, url = _started(Path(folder))
        try:
            client = _client(url)
            _run(client, process, calls, 0)  # each answer is drawn when it is first asked for
            figures = {
                f"ms_per_call_{name}": statistics.median(_run(client, process, count, size) for _ in range(RUNS))
                for name, size, count in (
                    ("object_named", 0, calls),
                    ("100_kb_sent", 100_000, calls),
                    ("1_mb_sent", 1_000_000, calls // 3),
                )
            }
            with urllib.request.urlopen(f"{url}/_control?only=calls,in_flight") as answer:
                books = json.load(answer)
            figures["memory_mib"] = _rss_kib(process.pid) // 1024
        finally:
            process.terminate()
            process.wait()
    figures["most_in_flight"] = books["in_flight"]["most"]
    assert set(books["calls"]["AnalyzeDocument"]) == {"ok"}, books
    return {"figures": figures}


def _started(folder: Path) -> tuple[subprocess.Popen[str], str]:
    config = folder / "knobs.yaml"
    config.write_text("latency: {AnalyzeDocument: 1}\n", encoding="utf-8")
    command = [sys.executable, "-m", "deploy.local.textract", "--port", "0", "--mode", "simulate", "--control"]
    command += ["--state", str(folder / "state"), "--config", str(config)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, json.loads(process.stdout.readline())["url"]


def _client(url: str) -> Any:
    return boto3.client(
        "textract",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=THREADS),
    )


def _run(client: Any, process: subprocess.Popen[str], calls: int, size: int) -> float:
    def call(number: int) -> None:
        named = {"S3Object": {"Bucket": "papers", "Name": f"scan-{number}.png"}}
        document = {"Bytes": PNG + b"%08d" % number * (size // 8)} if size else named
        assert client.analyze_document(Document=document, FeatureTypes=["FORMS", "TABLES"])["Blocks"]

    before = _cpu_seconds(process.pid)
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(call, range(calls)))
    return round((_cpu_seconds(process.pid) - before) / calls * 1000, 2)


def _cpu_seconds(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / TICKS


def _rss_kib(pid: int) -> int:
    return int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0])
