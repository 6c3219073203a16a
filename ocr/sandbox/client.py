"""The calling side: starts the zygote when first needed, hands it open files, reads what its children answer."""

import atexit
import contextlib
import json
import os
import socket
import stat
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ocr.sandbox import plain
from ocr.sandbox.answers import (
    Box,
    Inspection,
    PageText,
    Rendering,
    Sheet,
    as_inspection,
    as_pdf,
    as_rendering,
    as_sheet,
    as_texts,
)
from ocr.sandbox.formats import CONTENT_TYPES, PICTURE_BYTES
from ocr.sandbox.refusals import SandboxFailed, Unacceptable

_ROOT = Path(__file__).resolve().parents[2]
_MAX_ANSWER_BYTES = 32 * 1024 * 1024
_START_SECONDS = 20.0  # importing the libraries takes 0.3 s; a machine under full load takes its time
_CONCURRENT = 2  # one 20-second bomb must not hold up every other upload; each child may take 1 GiB
_TURN_SECONDS = 60.0
_MOST_PIECES = 40  # of one page on one sheet; an order of more would be longer than a message may be


@dataclass(frozen=True, slots=True)
class Limits:
    """What one child may use before it is stopped, and how long an idle zygote stays."""

    memory_bytes: int = 1024 * 1024 * 1024
    cpu_seconds: int = 20
    wall_seconds: float = 20.0
    idle_seconds: float = 60.0


class Sandbox:
    """Looks into foreign files on behalf of one process. Thread-safe; a forked process gets a zygote of its own."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._zygote: _Zygote | None = None
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(_CONCURRENT)
        _every_sandbox.add(self)

    def inspect(self, content: Path | bytes) -> Inspection:
        """What the file (or a small one's bytes) is and the size of each page, after every limit was checked.

        Raises Unacceptable (final, for the file's owner), SandboxFailed (ours, later) and OSError (no such file).
        """
        return _plain(content) or as_inspection(self._ask(content, "inspect", {}))

    def render(
        self,
        path: Path,
        *,
        page: int,
        content_type: str,
        rotation: int = 0,
        dpi: int = 150,
        max_side: int | None = None,
        box: Box | None = None,
        thumbnail_side: int | None = None,
        patient: bool = False,
    ) -> Rendering:
        """One page, upright (EXIF and PDF rotation applied), then turned clockwise by `rotation` degrees.

        At most 16 megapixels and 4,000 (or `max_side`) pixels a side, never enlarged; `dpi` matters for PDF only. With `box`, in
        fractions of the page as it is shown then, only that piece of it, at the same scale. With `thumbnail_side` the same once more, no
        larger than so many pixels. `patient`: nobody waits for it, others go first on the processor.
        `content_type` is what `inspect` said. Raises as `inspect` does, and ValueError for a page that is not there.
        """
        if content_type not in CONTENT_TYPES or rotation not in (0, 90, 180, 270) or page < 1 or not 1 <= dpi <= 1200:
            raise ValueError("unknown content type, rotation, page or resolution")
        if any(side is not None and side < 1 for side in (max_side, thumbnail_side)):
            raise ValueError("a side must be positive")
        if box is not None and not is_box(box):
            raise ValueError("the box must lie within the page")
        arguments: dict[str, object] = {"page": page, "content_type": content_type, "rotation": rotation, "dpi": dpi}
        arguments |= {"max_side": max_side or 65_536, "box": box, "thumbnail_side": thumbnail_side}
        return as_rendering(self._ask(path, "render", arguments, patient=patient))

    def crops(
        self,
        path: Path,
        *,
        page: int,
        content_type: str,
        boxes: Sequence[Box],
        rotation: int = 0,
    ) -> Sheet:
        """Pieces of one page, for somebody to read them again. Boxes are left, top, right, bottom in fractions of the upright page.

        At most 40 pieces. Raises as `render` does.
        """
        if not 1 <= len(boxes) <= _MOST_PIECES or any(not is_box(box) for box in boxes):
            raise ValueError("from 1 to 40 boxes within the page")
        arguments: dict[str, object] = {"page": page, "content_type": content_type, "rotation": rotation}
        return as_sheet(self._ask(path, "crops", arguments | {"boxes": list(boxes)}), pieces=len(boxes))

    def text(self, path: Path, *, first: int, last: int) -> tuple[PageText, ...]:
        """What the text layer of a PDF's pages `first` to `last` says. It need not be what the pages show.

        Raises as `render` does. A hundred pages at a time stay well within the limits.
        """
        if not 1 <= first <= last:
            raise ValueError("pages count from 1")
        return as_texts(self._ask(path, "text", {"first": first, "last": last}), pages=last - first + 1)

    def cut(self, path: Path, *, first: int, last: int) -> bytes:
        """The pages `first` to `last` of a PDF as a PDF of their own, of at most 32 MiB. Raises as `render` does."""
        if not 1 <= first <= last:
            raise ValueError("pages count from 1")
        return as_pdf(self._ask(path, "cut", {"first": first, "last": last}))

    @property
    def zygote_pid(self) -> int | None:
        """Process id of the zygote, None before the first call. It may have ended meanwhile."""
        with self._lock:
            return None if self._zygote is None else self._zygote.pid

    def close(self) -> None:
        """Ends the zygote, if there is one. The next call starts another."""
        with self._lock:
            if self._zygote is not None:
                self._zygote.close()
            self._zygote = None

    def _forget(self) -> None:
        """In a forked process: the zygote belongs to the parent, and its locks may be held by threads we lack."""
        if self._zygote is not None:
            self._zygote.forget()
        self._zygote = None
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(_CONCURRENT)

    def _ask(self, content: Path | bytes, verb: str, arguments: dict[str, object], *, patient: bool = False) -> bytes:
        order = json.dumps({"do": verb, "arguments": arguments, "patient": patient}).encode()
        file = _open_regular(content) if isinstance(content, Path) else _in_memory(content)
        try:
            if not self._turns.acquire(timeout=_TURN_SECONDS):
                raise SandboxFailed("busy")
            try:
                return self._ask_twice(order, file)
            finally:
                self._turns.release()
        finally:
            os.close(file)

    def _ask_twice(self, order: bytes, file: int) -> bytes:
        with contextlib.suppress(_Gone):  # it idled out or was killed between two calls: a new one, once
            return self._ask_once(order, file)
        try:
            return self._ask_once(order, file)
        except _Gone as gone:
            raise SandboxFailed("cannot_start") from gone

    def _ask_once(self, order: bytes, file: int) -> bytes:
        zygote = self._current()
        try:
            answer, verdict = zygote.exchange(order, file, self._limits.wall_seconds + _START_SECONDS)
        except _Gone:
            self._discard(zygote)
            raise
        except TimeoutError as error:  # stopped or stuck: the zygote itself, for its children have a deadline
            self._discard(zygote)
            raise SandboxFailed("no_answer") from error
        if verdict == b"x":
            raise Unacceptable("too_complex")
        if verdict != b"a":
            raise SandboxFailed("starved" if verdict == b"s" else "broken")
        return answer

    def _current(self) -> "_Zygote":
        with self._lock:
            if self._zygote is None:
                self._zygote = _Zygote(self._limits)
            return self._zygote

    def _discard(self, zygote: "_Zygote") -> None:
        with self._lock:
            if self._zygote is zygote:  # else another thread has replaced it already
                self._zygote = None
                zygote.close()


def is_box(box: Box) -> bool:
    """Whether left, top, right and bottom, in fractions of the page, lie within it and hold something."""
    left, top, right, bottom = box
    return 0 <= left < right <= 1 and 0 <= top < bottom <= 1


class _Gone(Exception):
    """The zygote did not take the order or died over it; nothing is known about the file."""


class _Zygote:
    def __init__(self, limits: Limits) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-s", "-m", "ocr.sandbox", str(os.getpid()), json.dumps(asdict(limits))],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    cwd="/",
                    env={"PYTHONPATH": str(_ROOT), "LC_ALL": "C.UTF-8"},
                    start_new_session=True,
                )
            except OSError as error:
                self._control.close()
                raise SandboxFailed("cannot_start") from error

    @property
    def pid(self) -> int:
        return self._process.pid

    def exchange(self, order: bytes, file: int, patience_seconds: float) -> tuple[bytes, bytes]:
        """The child's answer and the zygote's verdict on it. Raises _Gone, TimeoutError."""
        deadline = time.monotonic() + patience_seconds
        answer, answering = socket.socketpair()
        verdict, judging = socket.socketpair()
        with answer, verdict:
            with answering, judging:
                try:
                    socket.send_fds(self._control, [order], [file, answering.fileno(), judging.fileno()])
                except OSError as error:
                    raise _Gone from error
            content = _read(answer, _MAX_ANSWER_BYTES, deadline)
            word = _read(verdict, 1, deadline)
        if not word:
            raise _Gone
        return content, word

    def close(self) -> None:
        self._control.close()
        self._process.kill()  # it would end by itself; this also ends one that is stuck, and its children with it
        self._process.wait()

    def forget(self) -> None:
        self._control.close()
        self._process.returncode = 0  # not our child to wait for


def _read(source: socket.socket, limit: int, deadline: float) -> bytes:
    parts: list[bytes] = []
    left = limit
    while left:
        source.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            part = source.recv(min(left, 1 << 18))
        except ConnectionError as error:
            raise _Gone from error
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _plain(content: Path | bytes) -> Inspection | None:
    """The answer for an ordinary picture, without a child; None for everything else."""
    if isinstance(content, bytes):
        return plain.inspect(content) if len(content) <= PICTURE_BYTES else None
    with open(_open_regular(content), "rb") as file:
        if os.fstat(file.fileno()).st_size > PICTURE_BYTES:
            return None
        head = file.read(16)
        return plain.inspect(head + file.read(PICTURE_BYTES)) if plain.is_candidate(head) else None


def _open_regular(path: Path) -> int:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a named pipe must not hold us up
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError("not a regular file")
    return file


def _in_memory(content: bytes) -> int:
    """A file of the bytes that has no name and is gone when it is closed."""
    file = os.memfd_create("upload", os.MFD_CLOEXEC)
    try:
        with open(file, "wb", closefd=False) as stream:
            stream.write(content)
        os.lseek(file, 0, os.SEEK_SET)
    except BaseException:
        os.close(file)
        raise
    return file


_every_sandbox: "weakref.WeakSet[Sandbox]" = weakref.WeakSet()


def _forget_all() -> None:
    for sandbox in list(_every_sandbox):
        sandbox._forget()


def _close_all() -> None:
    for sandbox in list(_every_sandbox):
        sandbox.close()


os.register_at_fork(after_in_child=_forget_all)
atexit.register(_close_all)
