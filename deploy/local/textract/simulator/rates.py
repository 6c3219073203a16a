"""Quotas: calls a second by operation, as token buckets, with AWS's default quotas by region."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from deploy.local.textract.refusals import invalid


@dataclass(frozen=True, slots=True)
class Quota:
    """Calls a second, and how many may come at once after a rest."""

    rate: float
    burst: float


_REGIONS = ("us-east-1", "us-west-2", "us-east-2", "eu-west-1", "ap-south-1", "other")
_DEFAULTS: Mapping[str, Sequence[int]] = {
    "AnalyzeDocument": (10, 10, 10, 5, 5, 1),
    "DetectDocumentText": (25, 25, 10, 5, 5, 1),
    "AnalyzeExpense": (5, 5, 1, 1, 1, 1),
    "AnalyzeID": (5, 5, 1, 1, 1, 1),
    "StartDocumentAnalysis": (10, 10, 10, 5, 5, 2),
    "StartDocumentTextDetection": (15, 15, 5, 5, 5, 1),
    "StartExpenseAnalysis": (5, 5, 1, 1, 1, 1),
    "StartLendingAnalysis": (5, 5, 1, 1, 1, 1),
    "GetDocumentAnalysis": (10, 10, 10, 5, 5, 5),
    "GetDocumentTextDetection": (25, 25, 10, 5, 5, 5),
    "GetExpenseAnalysis": (5, 5, 5, 5, 5, 5),
    "GetLendingAnalysis": (25, 25, 5, 5, 5, 5),
    "GetLendingAnalysisSummary": (5, 5, 1, 1, 1, 1),
}
_JOBS = (600, 600, 100, 100, 100, 100)


def preset(region: str, operations: Sequence[str]) -> dict[str, Quota]:
    """AWS's default quotas of a region; `other` stands for all that the table does not name.

    Source: AWS general reference, Amazon Textract endpoints and quotas.
    """
    column = _column(region)
    return {name: Quota(_DEFAULTS[name][column], _DEFAULTS[name][column]) for name in operations}


def preset_jobs(region: str) -> int:
    """How many jobs may run at once in a region."""
    return _JOBS[_column(region)]


def _column(region: str) -> int:
    if region in _REGIONS:
        return _REGIONS.index(region)
    if region.count("-") >= 2:
        return _REGIONS.index("other")
    raise invalid(f"{region!r} is no region. Name one, for example {', '.join(_REGIONS)}.")


class Buckets:
    """One token bucket for each operation that has a quota."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}
        self._seconds: dict[str, tuple[int, int, int]] = {}

    def takes(self, operation: str, quota: Quota) -> bool:
        """Whether one more call is within the quota; it then counts."""
        now = self._clock()
        level, at = self._levels.get(operation, (quota.burst, now))
        level = min(quota.burst, level + (now - at) * quota.rate)
        taken = level >= 1
        self._levels[operation] = (level - 1 if taken else level, now)
        return taken

    def ramps(self, operation: str, *, factor: float, floor: int) -> bool:
        """Whether this call makes its second busier than `factor` times the second before, and than `floor` calls."""
        second = int(self._clock())
        at, count, before = self._seconds.get(operation, (second, 0, 0))
        if second != at:
            count, before = 0, count if second == at + 1 else 0
        self._seconds[operation] = (second, count + 1, before)
        return count + 1 > max(floor, factor * before)

    def forget(self) -> None:
        """Fills all buckets."""
        self._levels.clear()
        self._seconds.clear()
