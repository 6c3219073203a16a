"""Answers that a service in trouble gives: broken JSON, lost pages, scores and boxes that cannot be."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from deploy.local.textract.simulator.replies import Reply

Json = dict[str, Any]
Change = Callable[[Json], bool]

CIRCLING = "repeated_next_token"
"""Made where the tokens are made: it must be one that is taken, and leads to the same part again."""
HUGE_BYTES = 50 << 20


def malform(reply: Reply, variant: str, source: random.Random) -> bool:
    """Spoils the answer in one way (`any`: one drawn by `source`); False when the answer has nothing to be spoilt so.

    A status that says "in progress" has no blocks: what spoils blocks leaves it whole.
    """
    if variant == "any":
        return any(malform(reply, name, source) for name in source.sample(VARIANTS, len(VARIANTS)))
    if variant in _BODIES:
        reply.body = _BODIES[variant]
        return True
    answer = json.loads(reply.body)
    if variant == "huge_answer":
        return _huge(reply, answer)
    changed = _CHANGES[variant](answer)
    if changed:
        reply.body = json.dumps(answer, separators=(",", ":")).encode()  # NaN goes out as it is, which JSON forbids
    return changed


def _huge(reply: Reply, answer: Json) -> bool:
    """The same blocks over and over, 50 MB of them."""
    if not answer.get("Blocks"):
        return False
    blocks = json.dumps(answer.pop("Blocks"), separators=(",", ":"))[1:-1].encode()
    head = json.dumps(answer, separators=(",", ":"))[:-1].encode() + b',"Blocks":['
    times = HUGE_BYTES // (len(blocks) + 1) + 1
    reply.length = len(head) + times * (len(blocks) + 1) - 1 + len(b"]}")
    reply.stream = _repeated(head, blocks, times)
    return True


def _repeated(head: bytes, blocks: bytes, times: int) -> Iterator[bytes]:
    yield head
    for number in range(times):
        yield blocks + (b"," if number < times - 1 else b"]}")


def _of_blocks(answer: Json, kind: str = "") -> Sequence[Json]:
    return [block for block in answer.get("Blocks") or [] if not kind or block.get("BlockType") == kind]


def _member(name: str, value: Any) -> Change:
    """Sets a member that the answer has."""

    def change(answer: Json) -> bool:
        if name not in answer:
            return False
        answer[name] = value
        return True

    return change


def _without(name: str) -> Change:
    return lambda answer: answer.pop(name, None) is not None


def _on_block(kind: str, change: Callable[[Json], None]) -> Change:
    """Changes the first block of a kind."""

    def found(answer: Json) -> bool:
        blocks = _of_blocks(answer, kind)
        if blocks:
            change(blocks[0])
        return bool(blocks)

    return found


def _score(value: Any) -> Change:
    return _on_block("WORD", lambda block: block.update(Confidence=value))


def _box(**sides: float) -> Change:
    return _on_block("WORD", lambda block: block["Geometry"]["BoundingBox"].update(sides))


def _pages(more: Any) -> Change:
    def change(answer: Json) -> bool:
        told = answer.get("DocumentMetadata")
        if told:
            told["Pages"] = told["Pages"] + more if isinstance(more, int) else more
        return bool(told)

    return change


def _duplicate_page(answer: Json) -> bool:
    pages = _of_blocks(answer, "PAGE")
    if pages:
        answer["Blocks"] += [block for block in answer["Blocks"] if block.get("Page") == pages[0].get("Page")]
    return bool(pages)


def _missing_page(answer: Json) -> bool:
    pages = _of_blocks(answer, "PAGE")
    if pages:
        answer["Blocks"] = [block for block in answer["Blocks"] if block.get("Page") != pages[-1].get("Page")]
    return bool(pages)


def _error_in_success(answer: Json) -> bool:
    answer.clear()
    answer.update({"__type": "InternalServerError", "message": "An error that came with the status of a success."})
    return True


_BODIES = {
    "empty_body": b"",
    "empty_object": b"{}",
    "json_list": b"[]",
    "json_null": b"null",
    "not_utf8": b'{"JobStatus":"\xff\xfe\xfa","Blocks":[]}',
}
_CHANGES: dict[str, Change] = {
    "missing_next_token": _without("NextToken"),
    CIRCLING: lambda answer: "NextToken" in answer,
    "duplicate_page": _duplicate_page,
    "missing_page": _missing_page,
    "wrong_page_count": _pages(1),
    "page_count_text": _pages("three"),
    "no_page_count": _without("DocumentMetadata"),
    "confidence_nan": _score(float("nan")),
    "confidence_200": _score(200.0),
    "confidence_negative": _score(-1.0),
    "confidence_text": _score("high"),
    "box_outside": _box(Left=3.5),
    "box_nan": _box(Top=float("nan")),
    "page_zero": _on_block("WORD", lambda block: block.update(Page=0)),
    "page_text": _on_block("WORD", lambda block: block.update(Page="first")),
    "block_without_id": _on_block("WORD", lambda block: block.pop("Id")),
    "block_without_type": _on_block("WORD", lambda block: block.pop("BlockType")),
    "blocks_missing": _without("Blocks"),
    "blocks_null": _member("Blocks", None),
    "blocks_object": _member("Blocks", {"0": {}}),
    "blocks_empty": _member("Blocks", []),
    "status_missing": _without("JobStatus"),
    "status_unknown": _member("JobStatus", "DONE"),
    "job_id_missing": _without("JobId"),
    "error_in_success": _error_in_success,
}
VARIANTS = (*_BODIES, *_CHANGES, "huge_answer")
