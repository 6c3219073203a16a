"""Results on disk: one block (or expense document) a line, so that a page of results is had without loading a long document."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from deploy.local.textract.blocks import Block
from deploy.local.textract.inputs import MAX_RESULTS, Get
from deploy.local.textract.refusals import invalid
from deploy.local.textract.stores import Buckets

MARKER = ".s3_access_check"
EXPENSES_A_PART = 20  # Source: AWS Textract API reference, GetExpenseAnalysis, MaxResults


def holds(operation: str) -> str:
    """The member of this operation's answers that holds what was read."""
    return "ExpenseDocuments" if "Expense" in operation else "Blocks"


def most(operation: str) -> int:
    """The most of it that one answer of Get holds."""
    return EXPENSES_A_PART if "Expense" in operation else MAX_RESULTS


class Results:
    """The blocks of finished jobs."""

    def __init__(self, folder: Path, signing_key: bytes) -> None:
        self._folder, self._key = folder, signing_key
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, job_id: str, blocks: Iterable[Block]) -> None:
        """Keeps the blocks of a job, all or none."""
        place = self._place(job_id)
        unfinished = place.with_suffix(".part")
        with unfinished.open("w", encoding="utf-8") as stream:
            for block in blocks:
                stream.write(json.dumps(block, separators=(",", ":")) + "\n")
        unfinished.rename(place)

    def page(self, asked: Get) -> tuple[list[Block], str | None]:
        """Up to MaxResults blocks and the token for those that follow, None at the end.

        Raises Refusal (InvalidParameterException) for a NextToken of another job or another MaxResults.
        """
        first = self._offset(asked)
        lines = list(islice(self._lines(asked.job_id), first, first + asked.max_results + 1))
        blocks = [json.loads(line) for line in lines[: asked.max_results]]
        more = len(lines) > asked.max_results
        return blocks, self._token(asked, first + asked.max_results) if more else None

    def forget(self, job_ids: Iterable[str]) -> None:
        """Removes the results of jobs."""
        for job_id in job_ids:
            self._place(job_id).unlink(missing_ok=True)

    def batches(self, job_id: str, size: int) -> Iterator[list[Block]]:
        """All blocks of a job, `size` at a time; one empty batch if there are none."""
        lines = self._lines(job_id)
        batch = [json.loads(line) for line in islice(lines, size)]
        yield batch
        while batch := [json.loads(line) for line in islice(lines, size)]:
            yield batch

    def _lines(self, job_id: str) -> Iterator[str]:
        with self._place(job_id).open(encoding="utf-8") as stream:
            yield from stream

    def _place(self, job_id: str) -> Path:
        return self._folder / f"{job_id}.jsonl"

    def _token(self, asked: Get, offset: int) -> str:
        payload = f"{offset}.{self._signature(asked, offset)}"
        return base64.urlsafe_b64encode(payload.encode()).decode()

    def _signature(self, asked: Get, offset: int) -> str:
        message = f"{asked.job_id}:{asked.max_results}:{offset}"
        return hmac.new(self._key, message.encode(), hashlib.sha256).hexdigest()

    def _offset(self, asked: Get) -> int:
        if asked.next_token is None:
            return 0
        try:
            offset, _, signature = base64.urlsafe_b64decode(asked.next_token).decode("ascii").partition(".")
            if hmac.compare_digest(signature, self._signature(asked, int(offset))):
                return int(offset)
        except ValueError:
            pass  # not one of our tokens: refused below like one with a wrong signature
        raise invalid("NextToken does not belong to this job and MaxResults. Begin again without it.")


def write_output(buckets: Buckets, output: tuple[str, str], job_id: str, answers: Iterable[Block]) -> None:
    """Writes answers as numbered objects below `<prefix>/<JobId>/`, as OutputConfig asks."""
    bucket, prefix = output
    for number, answer in enumerate(answers, start=1):
        path = buckets.place(bucket, f"{prefix}/{job_id}/{number}")
        path.write_text(json.dumps(answer), "utf-8")


def claim_output(buckets: Buckets, output: tuple[str, str], job_id: str) -> None:
    """Leaves the empty marker object with which AWS tries its right to write."""
    bucket, prefix = output
    path = buckets.place(bucket, f"{prefix}/{job_id}/{MARKER}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
