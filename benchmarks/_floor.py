"""The plain scripts that the product is compared with, as processes of their own: `python -m benchmarks._floor NAME URL DATABASE SECONDS`.

`floor` is what somebody writes in an afternoon who knows about threads: 100 of them, one boto3 client shared by all, which parses
the answers, and one INSERT a document into PostgreSQL. `before` is one synchronous worker with a new client for each request, over
SQLite. Neither receives uploads, checks answers, finds fields, keeps a trail, or notices that it died. Prints what it did as JSON.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import struct
import sys
import threading
import time
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import boto3
import psycopg2
from botocore.config import Config

from benchmarks.uploads import _encoded

THREADS = 100
CONNECTIONS = 20  # to the database, shared by the threads: each is needed for a millisecond
TABLE = "CREATE TABLE document (sha256 text PRIMARY KEY, pages integer NOT NULL, blocks integer NOT NULL, lines text NOT NULL)"


def floor(url: str, database: str, seconds: float) -> list[float]:
    """When each document was done, on this process's monotonic clock."""
    client, pages, done = _client(url, THREADS), _Pages(), SimpleQueue[float]()
    connections: SimpleQueue[Any] = SimpleQueue()
    for number in range(CONNECTIONS):
        connection = psycopg2.connect(database)
        connection.autocommit = True
        if number == 0:
            connection.cursor().execute(TABLE)
        connections.put(connection)
    ends = time.monotonic() + seconds

    def work() -> None:
        while time.monotonic() < ends:
            row = _read(client, pages.next())
            connection = connections.get()
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO document VALUES (%s, %s, %s, %s)", row)
            connections.put(connection)
            done.put(time.monotonic())

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [done.get() for _ in range(done.qsize())]


def before(url: str, database: str, seconds: float) -> list[float]:
    """The same of one worker; `database` is a file."""
    pages, done = _Pages(), []
    connection = sqlite3.connect(database)
    connection.execute(TABLE)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        row = _read(_client(url, 10), pages.next())
        with connection:
            connection.execute("INSERT INTO document VALUES (?, ?, ?, ?)", row)
        done.append(time.monotonic())
    connection.close()
    return done


class _Pages:
    """Another JPEG of 150 KB every time, whoever asks."""

    def __init__(self) -> None:
        self._page, self._numbers = _encoded("JPEG", quality=60), count()

    def next(self) -> bytes:
        mark = f"{next(self._numbers):016d}".encode()
        return self._page[:2] + b"\xff\xfe" + struct.pack(">H", len(mark) + 2) + mark + self._page[2:]


def _client(url: str, connections: int) -> Any:
    return boto3.client(
        "textract",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(max_pool_connections=connections),
    )


def _read(client: Any, page: bytes) -> tuple[str, int, int, str]:
    answer = client.analyze_document(Document={"Bytes": page}, FeatureTypes=["FORMS", "TABLES"])
    lines = [block["Text"] for block in answer["Blocks"] if block["BlockType"] == "LINE"]
    return (
        hashlib.sha256(page).hexdigest(),
        answer["DocumentMetadata"]["Pages"],
        len(answer["Blocks"]),
        "\n".join(lines),
    )


def main() -> int:
    name, url, database, seconds = sys.argv[1:]
    begun = time.monotonic()
    done = {"floor": floor, "before": before}[name](url, database, float(seconds))
    own = Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()
    told = {"finished": sorted(at - begun for at in done), "cpu_ticks": int(own[11]) + int(own[12])}
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
