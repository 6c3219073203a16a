"""The process that has the libraries loaded and forks one limited child per order.

It parses nothing itself, has no threads, and ends when its parent closes the control socket or dies in any way,
or after an idle minute. An order is one message: JSON, and three descriptors (the file, where the child answers,
where we report how the child ended).
"""

import contextlib
import ctypes
import gc
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass
from typing import Any, NoReturn

from ocr.sandbox import parsing

# How a child ended, one byte on the verdict socket.
ANSWERED = b"a"  # the answer is complete
EXHAUSTED = b"x"  # the file asked for too much or crashed the library: its own fault
STARVED = b"s"  # stopped from outside, or never got the processor: says nothing about the file
BROKEN = b"b"  # our own code failed

MAX_ORDER_BYTES = 8_192
_OUT_OF_MEMORY = 3
_PATIENT = 10  # the niceness of a child for which nobody waits: a tenth of a processor that others want too
_CRASHES = frozenset(
    {
        signal.SIGXCPU,
        signal.SIGABRT,
        signal.SIGSEGV,
        signal.SIGBUS,
        signal.SIGILL,
        signal.SIGFPE,
        signal.SIGTRAP,
        signal.SIGSYS,
    }
)
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(slots=True)
class _Child:
    pid: int
    watch: int
    answer: int
    verdict: int
    deadline: float
    overdue: bool = False


def main() -> NoReturn:
    """Runs until the parent is gone. Arguments: the parent's process id, the limits as JSON; socket on stdin."""
    parent, limits = int(sys.argv[1]), json.loads(sys.argv[2])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a stopping service signals all its processes; our end is the parent's
    parent_watch = os.pidfd_open(parent)
    if os.getppid() != parent:
        sys.exit(0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # from here on only libraries would write, and into our logs
    gc.freeze()
    _Zygote(socket.socket(fileno=0), parent_watch, limits).serve()
    os._exit(0)


class _Zygote:
    def __init__(self, control: socket.socket, parent_watch: int, limits: dict[str, Any]) -> None:
        self.control, self.parent_watch, self.limits = control, parent_watch, limits
        self.children: dict[int, _Child] = {}
        self.idle_since = time.monotonic()
        self.poll = select.poll()
        for number in (control.fileno(), parent_watch):
            self.poll.register(number, select.POLLIN)

    def serve(self) -> None:
        while self.children or time.monotonic() < self.idle_since + self.limits["idle_seconds"]:
            ready = {number for number, _ in self.poll.poll(self._patience_ms())}
            if self.parent_watch in ready:
                return
            for number in ready & self.children.keys():
                self._bury(self.children.pop(number))
            self._kill_overdue()
            if self.control.fileno() in ready and not self._take_order():
                return

    def _patience_ms(self) -> float:
        until = min(
            (child.deadline for child in self.children.values() if not child.overdue),
            default=self.idle_since + self.limits["idle_seconds"],
        )
        return max(0.0, until - time.monotonic()) * 1000 + 1

    def _take_order(self) -> bool:
        order, descriptors, _, _ = socket.recv_fds(self.control, MAX_ORDER_BYTES, 3)
        if not order:
            return False
        file, answer, verdict = descriptors
        zygote = os.getpid()
        try:
            pid = os.fork()
            if pid == 0:
                _child(json.loads(order), file, answer, self.limits, zygote)
        except OSError:
            _report(answer, verdict, STARVED)
        else:
            self._watch(pid, answer, verdict)
        os.close(file)
        return True

    def _watch(self, pid: int, answer: int, verdict: int) -> None:
        watch = os.pidfd_open(pid)
        self.children[watch] = _Child(pid, watch, answer, verdict, time.monotonic() + self.limits["wall_seconds"])
        self.poll.register(watch, select.POLLIN)

    def _kill_overdue(self) -> None:
        for child in self.children.values():
            if not child.overdue and time.monotonic() >= child.deadline:
                child.overdue = True
                os.kill(child.pid, signal.SIGKILL)

    def _bury(self, child: _Child) -> None:
        self.poll.unregister(child.watch)
        os.close(child.watch)
        _, status, usage = os.wait4(child.pid, 0)
        used_seconds = usage.ru_utime + usage.ru_stime
        was_busy = used_seconds >= self.limits["cpu_seconds"] / 2
        _report(child.answer, child.verdict, _verdict(status, was_busy=was_busy))
        self.idle_since = time.monotonic()


def _verdict(status: int, *, was_busy: bool) -> bytes:
    if os.WIFEXITED(status):
        return {0: ANSWERED, _OUT_OF_MEMORY: EXHAUSTED}.get(os.WEXITSTATUS(status), BROKEN)
    if os.WTERMSIG(status) in _CRASHES or was_busy:
        return EXHAUSTED
    return STARVED


def _report(answer: int, verdict: int, word: bytes) -> None:
    answering, judging = socket.socket(fileno=answer), socket.socket(fileno=verdict)
    with answering, judging, contextlib.suppress(OSError):  # the caller may have given up waiting
        judging.send(word)
        # Not only closed: a process forked off the caller meanwhile may hold copies, and then no end would show.
        answering.shutdown(socket.SHUT_RDWR)


def _child(order: dict[str, Any], file: int, answer: int, limits: dict[str, Any], zygote: int) -> NoReturn:
    status = 1
    try:
        _confine(limits, zygote, keep={file, answer})
        if order["patient"]:
            os.nice(_PATIENT)
        with open(answer, "wb") as out:
            out.write(_answer(order, file))
        status = 0
    except MemoryError:
        status = _OUT_OF_MEMORY
    finally:
        os._exit(status)  # whatever happened: never back into the loop of the zygote


def _confine(limits: dict[str, Any], zygote: int, *, keep: set[int]) -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != zygote:
        os._exit(1)
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    low, high = sorted(keep)
    os.closerange(0, 2)
    for first, last in ((3, low), (low + 1, high), (high + 1, 65_536)):
        os.closerange(first, last)
    cpu = limits["cpu_seconds"]
    resource.setrlimit(resource.RLIMIT_AS, (limits["memory_bytes"], limits["memory_bytes"]))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))


def _answer(order: dict[str, Any], file: int) -> bytes:
    content = b""
    arguments = order["arguments"]
    try:
        with open(file, "rb") as source:
            if order["do"] == "inspect":
                head = parsing.inspect(source)
            elif order["do"] == "crops":
                bands, content = parsing.crops(source, **arguments)
                head = {"bands": bands}
            elif order["do"] == "text":
                head = {"pages": parsing.text(source, **arguments)}
            elif order["do"] == "cut":
                head, content = {}, parsing.cut(source, **arguments)
            else:
                drawn = parsing.render(source, **arguments)
                head = {"pictures": [{"size": size, "bytes": len(jpeg)} for size, jpeg in drawn]}
                content = b"".join(jpeg for _size, jpeg in drawn)
    except parsing.Refusal as refusal:
        head = {"refused": refusal.code, "seen": refusal.seen}
    except parsing.NoSuchPage:
        head = {"no_page": True}
    return json.dumps(head).encode() + b"\n" + content
