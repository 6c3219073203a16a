"""Answers to questions, taken from the labels found on the page."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from deploy.local.textract import labels
from deploy.local.textract.forms import Pair

_FILLERS = """
    what whats is the of a an are was were who whom whose when where which how much many does do did this that
    on in for to by it its s there please give me find tell document form page listed shown value
"""
FILLERS = frozenset(_FILLERS.split())
SAME = {
    "number": "no", "num": "no", "nr": "no", "telephone": "phone", "tel": "phone", "inv": "invoice", "qty": "quantity",
    "amt": "amount", "tax": "vat", "gst": "vat", "dob": "birth", "acct": "account", "grand": "total", "payable": "due",
}  # fmt: skip
LEAST_LIKENESS = 0.6
ALIKE = 0.82


def answer(question: str, pairs: Sequence[Pair]) -> tuple[Pair, float] | None:
    """The pair whose label matches the question's key words, and how well (0-1); None when none does."""
    wanted = _key_words(question)
    scored = [(_likeness(wanted, _key_words(pair.key_text)), pair) for pair in pairs if pair.value]
    best = max(scored, key=lambda item: (item[0], item[1].confidence), default=(0.0, None))
    return (best[1], best[0]) if best[1] is not None and best[0] >= LEAST_LIKENESS else None


def _key_words(text: str) -> list[str]:
    return [SAME.get(word, word) for word in labels.plain(text).split() if word not in FILLERS]


def _likeness(wanted: Sequence[str], label: Sequence[str]) -> float:
    """The share of words, counted from both sides, that have a like word on the other."""
    if not wanted or not label:
        return 0.0
    hits = sum(_has(word, label) for word in wanted) + sum(_has(word, wanted) for word in label)
    return hits / (len(wanted) + len(label))


def _has(word: str, others: Sequence[str]) -> bool:
    return any(word == other or SequenceMatcher(None, word, other).ratio() >= ALIKE for other in others)
