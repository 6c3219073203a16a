"""A network cable that can be cut: what is on it stays away, without a word to either end, as it is when a switch dies."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress


class Cable:
    """Listens on `port` of this machine and carries everything to `target` and back, until it is cut."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.received = 0  # bytes that came back
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._whole = asyncio.Event()
        self._ends: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=[ready], daemon=True)
        self._thread.start()
        ready.wait(10)

    def cut(self) -> None:
        """From now on nothing passes, and nobody is told."""
        self._loop.call_soon_threadsafe(self._whole.clear)

    def mend(self) -> None:
        """New connections pass; those of before are reset, as their timeouts would have done."""
        self._loop.call_soon_threadsafe(self._mend)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _mend(self) -> None:
        for end in self._ends:
            end.transport.abort()
        self._whole.set()

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._whole.set()
        server = self._loop.run_until_complete(asyncio.start_server(self._carry, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _carry(self, near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        await self._whole.wait()
        far_in, far_out = await asyncio.open_connection("127.0.0.1", self.target)
        ends = {near_out, far_out}
        self._ends |= ends
        try:
            await asyncio.gather(self._pump(near_in, far_out), self._pump(far_in, near_out, back=True))
        except OSError:
            pass
        finally:
            self._ends -= ends
            for end in ends:
                end.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, back: bool = False) -> None:
        while data := await source.read(65536):
            await self._whole.wait()
            sink.write(data)
            await sink.drain()
            self.received += len(data) * back
        with suppress(OSError):
            sink.write_eof()
