"""Where a text names a field: the printed label, in any case and punctuation, with small reading errors.

All labels of a document type compete in one lexicon, and the longest match at a place wins: 'Sub total' is never
taken for 'Total', and negative labels ('Total quantity') take their place without naming anything.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from ocr.extraction.document_types import FieldSpec

# Letters and digits that readers take for each other are one letter here; and letters with a stroke are those without.
_CONFUSED = str.maketrans({
    "0": "o", "1": "l", "i": "l", "|": "l", "5": "s", "8": "b", "ß": "s", "ł": "l", "ø": "o", "đ": "d", "ı": "l", "º": "o", "ª": "a",
})  # fmt: skip
_TOKEN = re.compile(r"[^\W_]+|[#№]")
_FUZZY_LENGTH = 6  # shorter words must match exactly: 'date' is one letter from 'rate', 'bill no' from 'bill to'
_FUZZY_AMONG_OTHERS = (
    4  # the same where the first word and another say that it is this label: "wages, tips, othar comp"
)
_MISREAD = 0.9  # what a reading error leaves of a label's strength
_CODE_BEHIND = re.compile(r"[-/]\d")
_WEAKEST = 0.6  # strength of the last label in a list; the first has 1
_SHORT = 200  # letters: what longer texts say is not remembered


class Token(NamedTuple):
    text: str
    start: int
    end: int


class Mention(NamedTuple):
    """A field's label in a text, from character `start` to `end`.

    `strength` (0-1) falls with the label's place in the list and with reading errors. `before` is how many words
    that name nothing stand directly before it: in a sentence many, before a true label none.
    """

    name: str
    start: int
    end: int
    strength: float
    before: int


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    strength: float
    negative: bool


class Lexicon:
    """The labels of several fields, ready to be found in texts."""

    def __init__(self, specs: Iterable[FieldSpec]) -> None:
        self._entries: dict[str, list[_Entry]] = defaultdict(list)
        self._words: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        for spec in specs:
            for index, label in enumerate(spec.labels):
                strength = 1 - (1 - _WEAKEST) * index / max(1, len(spec.labels) - 1)
                self._add(label, _Entry(spec.name, strength, negative=False))
            for label in spec.negative_labels:
                self._add(label, _Entry(spec.name, 0, negative=True))
        self._longest = max((len(key) for key in self._entries), default=0)
        # One error leaves the first or the last three letters as they are, and the number of words.
        self._near: dict[tuple[int, str, bool], list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
        for key, spellings in self._words.items():
            for words in spellings if len(key) >= _FUZZY_LENGTH else ():
                self._near[len(words), key[:3], True].append((key, words))
                self._near[len(words), key[-3:], False].append((key, words))
        self._keys = sorted(self._entries)
        self._first_words: dict[tuple[str, bool], set[str]] = defaultdict(set)
        for spellings in self._words.values():
            for first, *_others in spellings:
                if len(first) >= _FUZZY_LENGTH:
                    self._first_words[first[:3], True].add(first)
                    self._first_words[first[-3:], False].add(first)
        # Papers alike print the same words and the same labels.
        self._begins = lru_cache(maxsize=4096)(self._may_begin)
        self._remembered = lru_cache(maxsize=2048)(self._found)

    def _add(self, label: str, entry: _Entry) -> None:
        words = tuple(token.text for token in tokenise(label))
        key = "".join(words)
        if key and not any(each.name == entry.name for each in self._entries[key]):
            self._entries[key].append(entry)
            self._words[key].add(words)

    def mentions(self, text: str) -> Sequence[Mention]:
        """Every label in the text, in order; longer labels shadow shorter ones they overlap."""
        if len(text) > _SHORT:
            return self._found(text)
        return self._remembered(text) if any(map(self._begins, _TOKEN.findall(text))) else ()

    def _found(self, text: str) -> Sequence[Mention]:
        tokens = tokenise(text)
        places = sorted(self._places(tokens), key=lambda place: (place[0] - place[1], -place[3]))
        taken: set[int] = set()
        kept = []
        for first, last, key, likeness in places:
            if taken.isdisjoint(range(first, last)) and not _in_a_code(text, tokens[first].start, tokens[last - 1].end):
                taken.update(range(first, last))
                kept.append((first, last, key, likeness))
        return tuple(
            [
                Mention(entry.name, tokens[first].start, tokens[last - 1].end, entry.strength * likeness, before)
                for first, last, key, likeness in sorted(kept)
                for before in [_words_before(tokens, first, taken)]
                for entry in self._entries[key]
                if not entry.negative
            ]
        )

    def names(self, text: str) -> list[Mention]:
        """The fields whose label the text begins with."""
        return [mention for mention in self.mentions(text) if not text[: mention.start].strip(" (*•-")]

    def _places(self, tokens: Sequence[Token]) -> Iterator[tuple[int, int, str, float]]:
        most = self._longest + 1
        for first in range(len(tokens)):
            if not self._may_begin(tokens[first].text):
                continue
            joined = ""
            for last in range(first, len(tokens)):
                word = tokens[last].text
                joined += word
                if word.isdigit() or len(joined) > most:
                    break
                if joined in self._entries:
                    yield first, last + 1, joined, 1.0
                elif len(joined) >= _FUZZY_LENGTH - 1:
                    key = self._nearly(joined, tokens, first, last + 1)
                    if key is not None:
                        yield first, last + 1, key, _MISREAD

    def _may_begin(self, word: str) -> bool:
        """Whether a label's letters may begin with this word, which most words rule out at once.

        Either it is how the letters begin, or it is the label's first word misread.
        """
        folded = _folded(word)
        if folded.isdigit():
            return False
        at = bisect_left(self._keys, folded)
        if at < len(self._keys) and self._keys[at].startswith(folded):
            return True
        return any(
            within_one_error(first, folded)
            for near in ((folded[:3], True), (folded[-3:], False))
            for first in self._first_words.get(near, ())
        )

    def _nearly(self, joined: str, tokens: Sequence[Token], first: int, end: int) -> str | None:
        """The label that the words would be but for one letter."""
        length = len(joined)
        for near in ((end - first, joined[:3], True), (end - first, joined[-3:], False)):
            for key, words in self._near.get(near, ()):
                if -1 <= len(key) - length <= 1 and _one_word_misread(words, tokens[first:end]):
                    return key
        return None


@lru_cache(maxsize=64)
def lexicon_of(specs: tuple[FieldSpec, ...]) -> Lexicon:
    """The fields' lexicon; the same for every document of a type, so it is built once."""
    return Lexicon(specs)


def _one_word_misread(words: Sequence[str], tokens: Sequence[Token]) -> bool:
    """Whether exactly one of as many words differs, by one letter, and is long enough to say so."""
    if len(words) == 1:
        return within_one_error(words[0], tokens[0].text)
    wrong = [(word, token.text) for word, token in zip(words, tokens, strict=True) if word != token.text]
    least = _FUZZY_AMONG_OTHERS if len(words) > 2 and words[0] == tokens[0].text else _FUZZY_LENGTH
    return len(wrong) == 1 and len(wrong[0][0]) >= least and within_one_error(*wrong[0])


def _words_before(tokens: Sequence[Token], first: int, taken: set[int]) -> int:
    at = first - 1
    while at >= 0 and at not in taken and tokens[at].text.isalpha():
        at -= 1
    return first - 1 - at


def _in_a_code(text: str, start: int, end: int) -> bool:
    """Whether letters are a part of a longer code, as in 'SK-VAT/7741920'."""
    is_glued = start > 1 and text[start - 1] in "-/" and text[start - 2].isalnum()
    return is_glued and _CODE_BEHIND.match(text, end) is not None


def tokenise(text: str) -> list[Token]:
    """The words of a text, folded for comparison, with their places in it. Digits alone stay digits."""
    if not text.isascii():
        return [Token(_folded(match[0]), match.start(), match.end()) for match in _TOKEN.finditer(text)]
    plain = text.lower()
    confused = plain.translate(_CONFUSED)  # letter for letter, so the places stay
    tokens = []
    for match in _TOKEN.finditer(plain):
        start, end = match.span()
        word = plain[start:end]
        tokens.append(Token("no" if word == "#" else word if word.isdigit() else confused[start:end], start, end))
    return tokens


def squash(label: str) -> str:
    """A label folded and without blanks: 'Sub-Total' and 'SUBTOTAL' are the same."""
    return "".join(token.text for token in tokenise(label))


def within_one_error(one: str, other: str) -> bool:
    """Whether at most one letter more, less or different turns one into the other."""
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1:
        return False
    at = 0
    while at < len(one) and one[at] == other[at]:
        at += 1
    return one[at:] == other[at + 1 :] or (len(one) == len(other) and one[at + 1 :] == other[at + 1 :])


def _folded(word: str) -> str:
    if word in "#№":
        return "no"
    if word.isdigit():
        return word
    plain = word.lower()
    if not plain.isascii():
        plain = "".join(letter for letter in unicodedata.normalize("NFD", plain) if not unicodedata.combining(letter))
    return plain.translate(_CONFUSED)
