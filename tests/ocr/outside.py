"""Every call of the product to the outside (Textract, the document storage), numbered, with something to happen at one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ocr import artifacts
from tests.engine import Call, Engine, Reply

Act = Callable[[Callable[[], Any]], Any]


class Outside:
    """Counts the calls; `at` lets `act` stand in for one of them. It gets the real call, and may make it or not."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[str] = []
        self._at = 0
        self._storage: Act | None = None
        self._engine: Act | None = None
        engine.fail_always("", self._asked)
        for name in ("_save", "_open"):
            monkeypatch.setattr(artifacts.DurableFiles, name, self._watched(getattr(artifacts.DurableFiles, name)))
        engine.on_call = self._note

    def reset(self) -> None:
        self.seen, self._at = [], 0

    def at(self, number: int, *, storage: Act, engine: Act) -> None:
        """From now on the call with this number (from 1) goes as `storage` or `engine` says, whichever it is to."""
        self.seen, self._at, self._storage, self._engine = [], number, storage, engine

    def _note(self, call: Call) -> None:
        self.seen.append(call.operation)

    def _asked(self, answer: Callable[[], Reply]) -> Reply:
        reply: Reply = self._engine(answer) if len(self.seen) == self._at and self._engine else answer()
        return reply

    def _watched(self, real: Any) -> Any:
        def call(store: Any, *args: Any, **kwargs: Any) -> Any:
            self.seen.append(real.__name__)
            if len(self.seen) == self._at and self._storage:
                return self._storage(lambda: real(store, *args, **kwargs))
            return real(store, *args, **kwargs)

        return call
