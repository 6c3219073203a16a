"""What happens when a job ends: its results are written to a bucket, then its notice goes out. Once, also after a restart."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator

from deploy.local.textract.inputs import MAX_RESULTS
from deploy.local.textract.simulator.jobs import Job, Jobs
from deploy.local.textract.simulator.notices import Later

log = logging.getLogger(__name__)


class Endings:
    """Waits for jobs that somebody wants to hear of. `results` gives a job's answers in parts of so many blocks."""

    def __init__(
        self,
        jobs: Jobs,
        *,
        results: Callable[[Job, int], Iterator[bytes]],
        write: Callable[[Job, int, bytes], None],
        tell: Callable[[Job], None],
    ) -> None:
        self._jobs, self._results, self._write, self._tell = jobs, results, write, tell
        self._later: Later | None = None
        self._closed = False

    def begin(self, later: Later) -> None:
        """From now on; `later` calls a function after some seconds. Takes up what an earlier run did not get to."""
        self._later = later
        for job in self._jobs:
            self.expect(job)

    def close(self) -> None:
        """Starts nothing more."""
        self._closed = True

    def expect(self, job: Job) -> None:
        """Sees to the job when it ends."""
        if self._later and not job.seen_to and job.ends_at is not None and (job.output or job.topic):
            self._later(max(0.0, job.ends_at - time.time()), lambda: self._end(job))

    def _end(self, job: Job) -> None:
        if job.seen_to or self._closed:
            return
        if job.output and job.outcome != "FAILED":
            self._write_on(job, enumerate(self._results(job, MAX_RESULTS), start=1))
        else:
            self._finish(job)

    def _write_on(self, job: Job, answers: Iterator[tuple[int, bytes]]) -> None:
        """One part now and the next in its turn: a long document must not hold up other callers."""
        if self._closed:
            return
        numbered = next(answers, None)
        if numbered is None:
            self._finish(job)
            return
        try:
            self._write(job, *numbered)
        except Exception:  # the bucket is somebody else's; the job stays in progress, as when AWS cannot write
            log.exception("results of job %s could not be written", job.job_id)
            return
        assert self._later
        self._later(0, lambda: self._write_on(job, answers))

    def _finish(self, job: Job) -> None:
        if job.seen_to:
            return
        job.seen_to = True
        self._jobs.changed(job)
        if job.topic:
            with contextlib.suppress(RuntimeError):  # the sender is closed: the server ends
                self._tell(job)
