"""Draws that depend on the seed and on what they are for, never on the clock or on what was drawn before."""

import hashlib
import math
import random

P95_SIGMAS = 1.6448536269514722


class Chance:
    """Seeded draws: the same seed gives the n-th call of an operation the same fate in every run."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def draw(self, purpose: str, *about: object) -> random.Random:
        """A source of random numbers for one purpose about one thing."""
        return random.Random(number_of(self._seed, purpose, *about))


def number_of(*parts: object) -> int:
    """A number below 2**64 that stands for these parts, the same in every process."""
    joined = "\x1f".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.blake2b(joined, digest_size=8).digest(), "big")


def lognormal(source: random.Random, *, median: float, p95: float) -> float:
    """A draw from the lognormal distribution with this median and 95th percentile; a constant when they are equal."""
    if p95 <= median or median <= 0:
        return median
    return median * math.exp(source.gauss(0.0, 1.0) * math.log(p95 / median) / P95_SIGMAS)
