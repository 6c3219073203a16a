"""People at work while processes die: some send documents until each is accepted, some decide what waits for them."""

from __future__ import annotations

import io
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import requests
from PIL import Image, ImageDraw, ImageFont

from tests.product import Product

AGAIN_SECONDS = 0.4  # before what was not accepted is sent once more
PASSES = {409, 429, 500, 502, 503, 504, 507}  # answers after which the same request is repeated, under the same key


@dataclass(frozen=True, slots=True)
class Kind:
    """What is sent: how many pages, how urgent, and how often in relation to the others."""

    pages: int
    priority: str
    weight: int


KINDS = (
    Kind(1, "normal", 4),  # read at once
    Kind(1, "high", 2),  # read at once
    Kind(1, "low", 2),  # as a job
    Kind(3, "normal", 2),  # as a job
    Kind(3, "high", 1),
)


def drawn(text: str, pages: int = 1) -> bytes:
    """A small PNG, or PDF with several pages, unlike that of any other text."""
    first, *others = [_page(f"{text} page {number}") for number in range(1, pages + 1)]
    stream = io.BytesIO()
    if others:
        first.save(stream, "PDF", save_all=True, append_images=others, resolution=72)
    else:
        first.save(stream, "PNG")
    return stream.getvalue()


def _page(text: str) -> Image.Image:
    image = Image.new("L", (420, 90), 255)
    ImageDraw.Draw(image).text((10, 30), text, fill=0, font=ImageFont.load_default(22))
    return image


@dataclass
class Traffic:
    """Uploaders and reviewers as threads. `accepted` and `decided` are what they were promised; `raised` what stopped one of them."""

    product: Product
    seed: int
    uploaders: int = 2
    reviewers: int = 2
    pause_seconds: float = 1.0  # of an uploader between two documents, in the mean
    accepted: dict[str, Kind] = field(default_factory=dict)
    decided: set[tuple[str, int]] = field(default_factory=set)  # id and the version that was decided about
    answers: Counter[str] = field(default_factory=Counter)  # whatever was not accepted at once
    crashes: list[str] = field(default_factory=list)  # answers 500: nobody expected what happened there
    raised: list[BaseException] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: count(1))
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        acts = [self._upload] * self.uploaders + [self._review] * self.reviewers
        for number, act in enumerate(acts):
            chance = random.Random(self.seed * 100 + number)
            thread = threading.Thread(target=self._go_on, args=(act, chance), name=f"traffic-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, seconds: float = 120) -> None:
        """Whoever is at it finishes: a document that is being sent is sent until it is accepted."""
        self._over.set()
        for thread in self._threads:
            thread.join(seconds)
            if thread.is_alive():
                self.raised.append(AssertionError(f"{thread.name} had no answer for {seconds:.0f} s"))

    def _go_on(self, act: Callable[[random.Random], None], chance: random.Random) -> None:
        try:
            while not self._over.is_set():
                act(chance)
        except BaseException as raised:
            self.raised.append(raised)

    def _upload(self, chance: random.Random) -> None:
        (kind,) = chance.choices(KINDS, [kind.weight for kind in KINDS])
        name = f"{self.seed}-{next(self._numbers)}"
        content = drawn(name, kind.pages)
        while (document_id := self._accepted(name, content, kind)) is None:
            time.sleep(AGAIN_SECONDS)
        self.accepted[document_id] = kind
        self._over.wait(chance.uniform(0.5, 1.5) * self.pause_seconds)

    def _accepted(self, name: str, content: bytes, kind: Kind) -> str | None:
        file = (f"{name}.{'pdf' if kind.pages > 1 else 'png'}", content)
        answer = self._asked(
            "POST", "/api/v1/documents/", key=name, files={"file": file}, data={"priority": kind.priority}
        )
        return str(answer["id"]) if answer else None

    def _review(self, chance: random.Random) -> None:
        listed = self._asked("GET", "/api/v1/documents/?status=needs_review&page_size=20")
        waiting = [each["id"] for each in listed["results"]] if listed else []
        chance.shuffle(waiting)
        for document_id in waiting[:8]:
            self._decide(document_id, approves=chance.random() < 0.7)
        self._over.wait(chance.uniform(0.3, 1.2))

    def _decide(self, document_id: str, *, approves: bool) -> None:
        """As one of several who look at the same list: most come too late for some."""
        document = self._asked("GET", f"/api/v1/documents/{document_id}/")
        if not document or document["status"] != "needs_review":
            return
        version = document["version"]
        verdict = {"decision": "approve"} if approves else {"decision": "reject", "reason": "illegible"}
        told = self._asked(
            "POST", f"/api/v1/documents/{document_id}/review/", key=f"{document_id}-{version}-{approves}-{threading.get_ident()}",
            json=verdict | {"version": version}, also={409, 412, 422},
        )  # fmt: skip
        if told is not None and told.get("status") in {"approved", "rejected"} and "code" not in told:
            self.decided.add((document_id, version))
        elif approves and told is not None and told.get("code") == "fields_invalid":
            self._decide(document_id, approves=False)

    def _asked(
        self, method: str, path: str, *, key: str = "", also: frozenset[int] | set[int] = frozenset(), **arguments: Any
    ) -> dict[str, Any] | None:
        """What was answered; None when there was no good answer and the same has to be asked again."""
        headers = {"Idempotency-Key": key} if key else {}
        try:
            answer = self.product.api(method, path, headers=headers, **arguments)
        except requests.RequestException as error:
            self.answers[type(error).__name__] += 1
            return None
        if answer.ok or answer.status_code in also:
            told: dict[str, Any] = answer.json()
            return told
        self.answers[str(answer.status_code)] += 1
        assert answer.status_code in PASSES, answer.text
        if answer.status_code == 500:
            self.crashes.append(f"{method} {path}: {answer.text[:300]}")
        return None
