"""Workers are killed in the middle of 50 documents: all finish, none twice, every page is paid once."""

from __future__ import annotations

import io
import os
import random
import signal
import time
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.product import Product

pytestmark = pytest.mark.faults
DOCUMENTS = 50
SEED = int(os.environ.get("DTAT_SEED", "20261121"))


def receipt(number: int) -> bytes:
    """A small page, unlike every other."""
    image = Image.new("L", (520, 260), 255)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(28)
    for row, line in enumerate(
        ("Corner Shop Ltd", f"Receipt no: R-{number:05}", "Date: 07/03/2026", f"Total: {number}.50")
    ):
        draw.text((20, 20 + row * 55), line, fill=0, font=font)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def test_killed_workers_lose_nothing_and_pay_nothing_twice(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    print(f"seed {SEED}")  # noqa: T201  to repeat a failure
    home = tmp_path / "home"
    tmp_path.chmod(0o711)
    product = Product(home, DTAT_LEASE_SECONDS="5", DTAT_TEXTRACT_READ_SECONDS="4")
    product.start()
    try:
        ids = [product.upload(f"receipt-{number}.png", receipt(number)) for number in range(DOCUMENTS)]
        killed = 0
        while killed < 3:
            time.sleep(chance.uniform(0.5, 1.5))
            waiting = [
                i
                for i in ids
                if product.api("GET", f"/api/v1/documents/{i}/").json()["status"] in {"received", "reading"}
            ]
            assert waiting, "the documents were through before the workers were killed: this run proves nothing"
            os.kill(chance.choice(product.children_of("workers")), signal.SIGKILL)
            killed += 1
        ended = [product.wait_for(document_id, seconds=150) for document_id in ids]
        books, found = product.books(), product.verify()
    finally:
        product.stop()
    assert {document["status"] for document in ended} <= {"needs_review", "approved"}
    assert len(ended) == DOCUMENTS
    assert [entry["times_billed"] for entry in books["tokens"]] == [1] * DOCUMENTS
    assert books["billed"]["pages"] == DOCUMENTS
    assert found["broken"] == 0, found
    assert product.processes() == []
