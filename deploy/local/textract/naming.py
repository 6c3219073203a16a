"""Which words of a row are labels: those before a colon or what does its work, and those we know."""

import re
from collections.abc import Iterator, Sequence

from deploy.local.textract import labels
from deploy.local.textract.layout import Placed, Row, Segment
from deploy.local.textract.pairing import (
    LONGEST_KEY,
    LONGEST_WITH_COLON,
    STRICT,
    Label,
    is_colon,
    said,
    says_something,
)

WIDE = 1.8
"""Heights that the words of a label we know may stand apart, as on receipts in wide letters."""

LONGEST_LED, LEADERS = 4, 2
"""Words of a label from which dashes or dots lead to its value, and how many such make a single one lead too."""

MOST_MORE = 2
"""Words that say more of a label we know."""

SENTENCE = 6
"""Words before the first label of a segment that make it the end of a sentence."""

_DOTS = re.compile(r"[.…·]+")
_DASHES, _DOTTED = r"-{2,}|–{2,}|—{2,}", r"\.{3,}|…|_{3,}"
_DASH, _DOT = r"[-–—]", r"(?<![A-Za-z])\.{1,2}"
# What leads by itself, by whether a mere dash and by whether a mere dot does too.
_LEADERS = {
    (dash, dot): re.compile(f"(?:{'|'.join((_DASHES, _DOTTED, *[_DASH] * dash, *[_DOT] * dot))})$")
    for dash in (False, True)
    for dot in (False, True)
}


def glued(row: Row) -> Row:
    """The row with what ends a label joined to it where that stands alone, and labels we know whose words stand far apart.

    A "$" that a label seems to end with belongs to the amount behind it.
    """
    segments: list[Segment] = []
    for segment in row:
        before = segments[-1] if segments else None
        if before and (_ends_label(before, segment) or _is_one_label(before, segment)):
            segments[-1] = Segment(before.words + segment.words)
        elif before and (dots := _leading_dots(segment)):
            segments[-1] = Segment(before.words + segment.words[:dots])
            segments += [Segment(segment.words[dots:])] if segment.words[dots:] else []
        elif before and _lends_its_sign(before, segment):
            segments[-1] = Segment(before.words[:-1])
            segments.append(Segment((before.words[-1], *segment.words)))
        else:
            segments.append(segment)
    return tuple(segments)


def _leading_dots(segment: Segment) -> int:
    """How many words the segment begins with that are dots and nothing else: they lead to it from the label before it."""
    return next((n for n, word in enumerate(segment.words) if not _DOTS.fullmatch(word.text)), len(segment.words))


def _ends_label(before: Segment, segment: Segment) -> bool:
    """Whether the segment begins with the colon, or is the "#", of the label before it."""
    if segment.text == "#":
        return any(c.isalpha() for c in before.words[-1].text) and not is_colon(before.words[-1].text)
    return segment.words[0].text in (":", "=") and not is_colon(before.words[-1].text)


def _lends_its_sign(before: Segment, segment: Segment) -> bool:
    alone = len(before.words) > 1 and before.words[-1].text in ("$", "€", "£", "¥", "₹")
    return alone and labels.fits(segment.text, labels.MONEY)


def _is_one_label(before: Segment, segment: Segment) -> bool:
    """Whether both together are a label we know whose words are wide apart."""
    near = segment.box.left - before.box.right <= WIDE * min(before.box.height, segment.box.height)
    return near and labels.plain(f"{before.text} {segment.text}") in labels.KINDS


def labels_in(
    segment: Segment, row: int, *, heading: bool, inside: frozenset[int], leader: re.Pattern[str]
) -> Iterator[Label]:
    words = segment.words
    ends = [is_colon(word.text) or _is_number_sign(words, index) for index, word in enumerate(words)]
    colons = [
        index
        for index, word in enumerate(words)
        if ends[index] and word.index not in inside and not _is_bracketed(words, index)
    ]
    if not colons:
        if not heading:
            yield from _led(words, row, leader) or _known_label(words, row)
        return
    starts = []
    for order, colon in enumerate(colons):
        floor = colons[order - 1] + 1 if order else 0
        starts.append(_key_start(words, floor, colon, first=order == 0))
    for order, (start, colon) in enumerate(zip(starts, colons, strict=True)):
        key = words[start : colon + 1]
        end = starts[order + 1] if order + 1 < len(starts) else len(words)
        sentence = order == 0 and start >= SENTENCE
        if len(key) <= LONGEST_WITH_COLON and says_something(key) and not sentence:
            kind = labels.kind_of(" ".join(word.text for word in key))
            yield Label(key, words[colon + 1 : end], kind, colon=True, row=row, last=order + 1 == len(colons))


def _is_bracketed(words: Sequence[Placed], index: int) -> bool:
    """Whether a bracket is open there that closes further on: "Signature (of a minor: the guardian's)"."""
    before, after = (said(some) for some in (words[: index + 1], words[index + 1 :]))
    return before.count("(") > before.count(")") and after.count(")") > after.count("(")


def leader_of(rows: Sequence[Row]) -> re.Pattern[str]:
    """What leads from a label to its value: dashes or dots, and where a page has several of them a single one too."""
    texts = [word.text for row in rows for segment in row for word in segment.words]
    dashes, dots = (sum(re.search(f"(?:{kind})$", text) is not None for text in texts) for kind in (_DASHES, _DOTTED))
    return _LEADERS[dashes >= LEADERS, dots >= LEADERS]


def _led(words: tuple[Placed, ...], row: int, leader: re.Pattern[str]) -> list[Label]:
    """The label that begins the segment and from which dashes or dots lead on: "Tear tape ---- gold"."""
    at = next((n for n, word in enumerate(words[: LONGEST_LED + 1]) if leader.search(word.text)), None)
    if at is None or not words[0].text[0].isupper():
        return []
    bare = not any(c.isalnum() for c in words[at].text)
    key = words[: at if bare else at + 1]
    if not key or not says_something(key):
        return []
    behind = Segment(words[at + 1 :]) if words[at + 1 :] else None
    return [
        Label(
            key,
            behind.words[_leading_dots(behind) :] if behind else (),
            labels.kind_of(" ".join(word.text for word in key)),
            colon=True,
            row=row,
            last=True,
            led=True,
        )
    ]


def _is_number_sign(words: Sequence[Placed], index: int) -> bool:
    """Whether a label ends there with "#" and its number follows: "TE# 20"."""
    return words[index].text.endswith("#") and any(
        c.isdigit() for word in words[index + 1 : index + 2] for c in word.text
    )


def _key_start(words: Sequence[Placed], floor: int, colon: int, *, first: bool) -> int:
    """Where the label that ends at `colon` begins: the longest label we know, else all (or, further on, one word)."""
    end = colon if words[colon].text in (":", "=", "#") else colon + 1
    for start in range(max(floor, end - labels.LONGEST), end):
        if _opens_label(words[start].text) and labels.kind_of(" ".join(word.text for word in words[start:end])):
            # At the start of a segment a few words more belong to the label: "Our invoice number:".
            opens = _opens_label(words[floor].text)
            return floor if first and opens and end - floor <= LONGEST_KEY - 2 else start
    if not first:
        return max(floor, end - 1)
    # Bullets, numbers and dates before a label are not part of it ("- 3. 11/16 New balance:"), a sign is: "% white =".
    start = next((n for n in range(floor, end) if _opens_label(words[n].text)), floor)
    return start - 1 if start > floor and words[start - 1].text in ("%", "#") else start


def _opens_label(text: str) -> bool:
    return text[:1].isalpha() or (text[:1] == "(" and text[1:2].isalpha())


def _known_label(words: Sequence[Placed], row: int) -> Iterator[Label]:
    """A segment without a colon that begins with a label we know: "TOTAL INCL GST 9.00", "Invoice No 123"."""
    for length in range(min(labels.LONGEST, len(words)), 0, -1):
        kind = labels.kind_of(" ".join(word.text for word in words[:length]))
        runs_on = words[length - 1].text.endswith(",") and length < len(words)
        if kind is None or not says_something(words[:length]) or runs_on:
            continue
        key, rest = _with_qualifiers(words, length) if kind == labels.MONEY else _with_more(words, length, kind)
        value_text = " ".join(word.text for word in rest)
        if len(key) <= LONGEST_KEY and (not rest or (kind in STRICT and labels.fits_at_once(value_text, kind))):
            yield Label(tuple(key), tuple(rest), kind, colon=False, row=row, last=True)
        return


def _with_more(words: Sequence[Placed], length: int, kind: str) -> tuple[Sequence[Placed], Sequence[Placed]]:
    """The label with the words that say more of it ("Date submitted", "No. of samples"), and what follows."""
    rest = " ".join(word.text for word in words[length:])
    end = length
    if kind == labels.DATE and (date := labels.DATE_PATTERN.search(rest)):
        end += len(rest[: date.start()].split())
    if kind == labels.NUMBER and rest.startswith("of "):
        end += next((n for n, word in enumerate(words[length:]) if any(map(str.isdigit, word.text))), 0)
    return (words[:end], words[end:]) if end - length <= MOST_MORE else (words[:length], words[length:])


def _with_qualifiers(words: Sequence[Placed], length: int) -> tuple[Sequence[Placed], Sequence[Placed]]:
    """The label with what narrows it ("TOTAL (incl. GST 6%)"), and the amount after it."""
    end = length
    while end < len(words):
        text = words[end].text
        rate = text.endswith("%") or "%)" in text or text.startswith("@")
        if not rate and not all(part in labels.QUALIFIERS for part in labels.plain(text).split()):
            break
        if labels.CURRENCY_WORD.match(text) and end + 1 < len(words) and labels.fits(words[end + 1].text, labels.MONEY):
            break
        end += 1
    return words[:end], words[end:]
