"""Ports of this machine for the parts that talk to each other over loopback."""

from __future__ import annotations

import random
import socket
from pathlib import Path

HOST = "127.0.0.1"
LOWEST = 10_240  # below are the ports that known programs like to have
_KERNELS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TRIES = 200


def free(wanted: int = 0) -> int:
    """`wanted` when nobody has it, else one that stays free until its part listens there.

    The kernel gives ports of its own range to whatever connects somewhere: one that is free there now may be the near end of
    somebody's connection a second later, for as long as that lasts. So they are chosen outside of it.
    """
    if wanted and _is_free(wanted):
        return wanted
    for port in random.sample(_ours(), _TRIES):
        if _is_free(port):
            return port
    raise RuntimeError(f"None of {_TRIES} ports tried on {HOST} is free. Stop what listens there and start again.")


def _ours() -> range:
    """The larger of the two ranges that the kernel leaves."""
    low, high = (
        (int(word) for word in _KERNELS.read_text(encoding="ascii").split()) if _KERNELS.exists() else (32_768, 60_999)
    )
    below, above = range(LOWEST, max(low, LOWEST)), range(high + 1, 65_536)
    found = max(below, above, key=len)
    return found if len(found) > _TRIES else range(LOWEST, 65_536)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
