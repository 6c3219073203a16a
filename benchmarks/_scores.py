"""How good answers and scores are: shares with their intervals, ranking, likeness of texts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

Z95 = 1.959964

Scored = tuple[float, bool]
"""A score and whether what was scored is right."""


def interval(right: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval for a share."""
    if not of:
        return 0.0, 1.0
    share, spread = right / of, Z95**2 / of
    middle = (share + spread / 2) / (1 + spread)
    half = Z95 * math.sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    return round(max(0.0, middle - half), 3), round(min(1.0, middle + half), 3)


def auroc(scored: Sequence[Scored]) -> float | None:
    """The chance that a right one has the higher score than a wrong one (equal scores count half); None without both."""
    right, wrong = sum(ok for _, ok in scored), sum(not ok for _, ok in scored)
    if not right or not wrong:
        return None
    by_score: dict[float, list[bool]] = {}
    for score, ok in scored:
        by_score.setdefault(score, []).append(ok)
    below, won = 0, 0.0
    for score in sorted(by_score):
        good = sum(by_score[score])
        bad = len(by_score[score]) - good
        won += good * (below + bad / 2)
        below += bad
    return round(won / (right * wrong), 3)


def coverage(scored: Sequence[Scored], *, error: float) -> float:
    """The largest share, taken from the highest score down, of which at most `error` is wrong."""
    ordered = sorted(scored, key=lambda each: -each[0])
    best, wrong = 0, 0
    for taken, (score, ok) in enumerate(ordered, 1):
        wrong += not ok
        tied = taken < len(ordered) and ordered[taken][0] == score
        if not tied and wrong <= error * taken:
            best = taken
    return round(best / len(scored), 3) if scored else 0.0


def share_to_review(scored: Sequence[Scored], *, caught: float) -> float | None:
    """The share, from the lowest score up, that must be looked at to meet `caught` of the wrong ones."""
    ordered = sorted(scored, key=lambda each: each[0])
    wanted = math.ceil(caught * sum(not ok for _, ok in ordered) - 1e-9)
    if not wanted:
        return None
    met = 0
    for looked, (score, ok) in enumerate(ordered, 1):
        met += not ok
        tied = looked < len(ordered) and ordered[looked][0] == score
        if met >= wanted and not tied:
            return round(looked / len(ordered), 3)
    return 1.0


def bar(scored: Sequence[Scored], *, reviewed: float) -> float:
    """The highest score such that no more than the share `reviewed` has that score or less; below all if none does."""
    scores = sorted(score for score, _ in scored)
    below = scores[: math.floor(reviewed * len(scores) + 1e-9)]
    while below and len(below) < len(scores) and below[-1] == scores[len(below)]:
        below.pop()
    return below[-1] if below else -math.inf


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two collections share: found in both, only sought, only given."""

    both: int = 0
    sought: int = 0
    given: int = 0

    def __add__(self, other: Overlap) -> Overlap:
        return Overlap(self.both + other.both, self.sought + other.sought, self.given + other.given)

    @property
    def precision(self) -> float:
        return round(self.both / self.given, 3) if self.given else 0.0

    @property
    def recall(self) -> float:
        return round(self.both / self.sought, 3) if self.sought else 0.0

    @property
    def f1(self) -> float:
        return round(2 * self.both / (self.sought + self.given), 3) if self.sought + self.given else 0.0


def bags(sought: str, given: str) -> Overlap:
    """The words of two texts, without regard to case or order; blanks must stand where they should."""
    one, other = Counter(sought.casefold().split()), Counter(given.casefold().split())
    return Overlap((one & other).total(), one.total(), other.total())


def likeness(one: str, other: str) -> float:
    """0 to 100: twice the longest common subsequence to the lengths of both, without regard to case and outer blanks."""
    one, other = one.casefold().strip(), other.casefold().strip()
    if not one or not other:
        return 0.0
    if one == other:
        return 100.0
    row = [0] * (len(other) + 1)
    for letter in one:
        before = 0
        for at, each in enumerate(other, 1):
            above = row[at]
            row[at] = before + 1 if letter == each else max(above, row[at - 1])
            before = above
    return 200 * row[-1] / (len(one) + len(other))


def pairs_in_common(sought: Sequence[tuple[str, str]], given: Sequence[tuple[str, str]], *, least: float) -> Overlap:
    """Pairs of texts that are alike on both sides, each used once, the likest first."""
    matches = []
    for at, (key, value) in enumerate(sought):
        for to, (other_key, other_value) in enumerate(given):
            if _may_be_alike(key, other_key, least) and _may_be_alike(value, other_value, least):
                worse = min(likeness(key, other_key), likeness(value, other_value))
                if worse >= least:
                    matches.append((-worse, at, to))
    used_sought: set[int] = set()
    used_given: set[int] = set()
    for _, at, to in sorted(matches):
        if at not in used_sought and to not in used_given:
            used_sought.add(at)
            used_given.add(to)
    return Overlap(len(used_sought), len(sought), len(given))


def _may_be_alike(one: str, other: str, least: float) -> bool:
    shorter, longer = sorted((len(one.strip()), len(other.strip())))
    return 200 * shorter >= least * (shorter + longer)
