"""The children that open and read documents: started when needed, ended when idle, allowed to die."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from deploy.local.textract.refusals import Refusal

PROJECT_FOLDER = Path(__file__).resolve().parents[3]


class ChildDied(Exception):
    """The child ended before it answered: the document killed it, or somebody did."""


class _Child:
    def __init__(self, role: str) -> None:
        environment = os.environ | {"PYTHONPATH": str(PROJECT_FOLDER), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local.textract.child", role],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.pid = self._process.pid
        self.idle_since = time.monotonic()

    def ask(self, request: dict[str, Any], timeout_seconds: float) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        killer = threading.Timer(timeout_seconds, self._process.kill)
        killer.start()
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        finally:
            killer.cancel()
        if not answer:
            raise ChildDied(
                f"The process that read the document ended with code {self.end()}. The document may be damaged: "
                "print it to a new PDF, or try again."
            )
        self.idle_since = time.monotonic()
        parsed: dict[str, Any] = json.loads(answer)
        return parsed

    def kill(self) -> None:
        self._process.kill()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> int:
        """Ends the child, at once if it is busy; its exit code."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream and not stream.closed:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue
        try:
            return self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


class Pool:
    """Up to `size` children of one role. Each serves one request at a time; callers wait for a free one."""

    def __init__(self, role: str, *, size: int, idle_seconds: float, timeout_seconds: float) -> None:
        self._role, self._size = role, size
        self._idle_seconds, self._timeout_seconds = idle_seconds, timeout_seconds
        self._free: list[_Child] = []
        self._busy: list[_Child] = []
        self._changed = threading.Condition()
        self._closed = False
        threading.Thread(target=self._end_idle, name=f"end idle {role}", daemon=True).start()

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The child's answer. Raises Refusal when it refused the document, ChildDied when it did not survive it."""
        child = self._take()
        survived = False
        try:
            answer = child.ask(request, self._timeout_seconds)
            survived = True
        finally:
            self._give_back(child, survived=survived)
        if "refused" in answer:
            raise Refusal(**answer["refused"])
        return answer

    def warm(self) -> None:
        """Starts a child now if none is free, so that it is ready when `ask` comes a little later."""
        with self._changed:
            if not self._free and len(self._busy) < self._size:
                self._free.append(_Child(self._role))
                self._changed.notify()

    def pids(self) -> list[int]:
        """The process ids of the children that run now."""
        with self._changed:
            return sorted(child.pid for child in (*self._free, *self._busy))

    def close(self) -> None:
        """Ends all children, busy ones too."""
        with self._changed:
            self._closed = True
            children = [*self._free, *self._busy]
            self._free.clear()
            self._changed.notify_all()
        for child in children:
            # A busy child is ended by the thread that waits for its answer.
            if child in self._busy:
                child.kill()
            else:
                child.end()

    def _take(self) -> _Child:
        with self._changed:
            while not self._free and len(self._busy) >= self._size and not self._closed:
                self._changed.wait()
            if self._closed:
                raise ChildDied("The endpoint is shutting down.")
            while self._free:
                child = self._free.pop()
                if child.alive:
                    break
                child.end()
            else:
                child = _Child(self._role)
            self._busy.append(child)
            return child

    def _give_back(self, child: _Child, *, survived: bool) -> None:
        with self._changed:
            self._busy.remove(child)
            if survived and not self._closed:
                self._free.append(child)
            self._changed.notify_all()
        if not survived or self._closed:
            child.end()

    def _end_idle(self) -> None:
        while not self._closed:
            with self._changed:
                due = time.monotonic() - self._idle_seconds
                ended = [child for child in self._free if child.idle_since <= due]
                self._free = [child for child in self._free if child.idle_since > due]
                waiting = min((child.idle_since - due for child in self._free), default=None)
                if not ended:
                    self._changed.wait(None if waiting is None else max(waiting, 0.05))
            for child in ended:
                child.end()
