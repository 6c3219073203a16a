"""The sentences with parts that extraction says, as patterns.

They are made and stored in English, since nobody in particular is asking. Whoever shows one finds its pattern again and tells it in the
reader's language (ocr.told); sentences without parts need no pattern. What a part may look like follows from its name.
"""

from __future__ import annotations

import re

_LOOKS = {
    "amount": r"-?[\d,]+(?:\.\d+)?",
    "date": r"\d{4}-\d\d-\d\d",
    "percent": r"\d+ ?%",
    "count": r"[\d,]+",
}
_PART = re.compile(r"\{(\w+)\}")
ALL: list[Sentence] = []


class Sentence:
    """An English sentence with {named} parts: calling it fills them in, `parts_of` takes them out again.

    Parts are texts; the name's first word says what kind: `amount_read`, `date`, `percent_needed`, `count`, `label`.
    """

    def __init__(self, english: str) -> None:
        self.english = english
        plain = re.split(_PART, english)
        self._shape = re.compile(
            "".join(
                f"(?P<{text}>{_LOOKS.get(text.split('_')[0], '.+?')})" if place % 2 else re.escape(text)
                for place, text in enumerate(plain)
            ),
            re.DOTALL,
        )
        self.parts = _PART.findall(english)
        ALL.append(self)

    def __call__(self, **parts: str) -> str:
        return self.english.format(**parts)

    def parts_of(self, text: str) -> dict[str, str] | None:
        """The parts with which it says this, None when it does not."""
        found = self._shape.fullmatch(text)
        return found.groupdict() if found else None


MISSING = Sentence("{label} was not found on the document.")
LOW_READING = Sentence("Read with {percent_read} confidence, {percent_needed} needed.")
LOW_MATCH = Sentence("Matched to this field with {percent_read} confidence, {percent_needed} needed.")
AMBIGUOUS = Sentence("The document may mean {values}; choose one.")
NOT_UNDERSTOOD = Sentence("“{printed}” could not be understood. {sentence}")
UNCLEAR_TYPE = Sentence("This could be: {labels}. Check the type of the document.")
WRONG_TYPE = Sentence("None of the required fields was found; is this a document of the type {label}?")
SEVERAL = Sentence("This looks like several documents: {stretches}. Split it, or go on if it is one.")
TOO_MANY_FIELDS = Sentence(
    "The document has {count_all} form fields; the first {count_kept} are listed. "
    "Split the document into smaller ones to get the others."
)
TOO_MANY_ROWS = Sentence(
    "The document has {count_all} line items; the first {count_kept} are listed. "
    "Split the document into smaller ones to get the others."
)
PART_UNREAD = Sentence("A part of the document could not be read ({code}).")
PAGE_UNREAD = Sentence("Page {count} could not be read completely ({code}).")
PAGES_UNREAD = Sentence("Pages {pages} and {count} could not be read completely ({code}).")
ITEMS_SUM = Sentence("The line items add up to {amount_sum}, not {amount_printed} ({label}).")
ORDER = Sentence("{label_later} {date_later} is before {label_earlier} {date_earlier}.")
SUM = Sentence("{terms} is {amount_sum}, not {amount_printed}.")

TOO_LONG = Sentence("Write at most {count} characters.")
NOT_A_CHOICE = Sentence("Choose one of: {choices}.")
IBAN_LENGTH = Sentence("An IBAN that begins with {country} has {count_right} characters; this has {count_typed}.")
TAX_SHAPE = Sentence("A tax number that begins with {country} looks like {example}.")
TAX_DIGITS = Sentence(
    "The check digit of this {country} tax number does not come out. Compare it with the document, digit by digit."
)

FILE_TOO_LARGE = Sentence("The file has more than {count} MiB. Split it.")

TEXT_TOO_LONG = Sentence("The text is longer than {count} characters.")
NOT_YAML = Sentence("This is not YAML: {problem}.")
LINE = Sentence("Line {count}: {sentence}")
UNKNOWN_KEY = Sentence("{path} is not known here; known keys are {names}.")
NAMED_TWICE = Sentence("{path} must not use the name {name} a second time.")
GIVEN_TWICE = Sentence("{path} must not be given twice.")
KEPT_NAME = Sentence("name must stay {name}: a type of another name is a new one.")
UNSIGNED_FEATURE = Sentence("features must contain SIGNATURES, since {path} is a signature.")
TOO_MANY_QUERIES = Sentence("queries must be at most {count}.")
LANE_OF_ROWS = Sentence("{path} must be left out: a lane shows one value of each document.")
UNKNOWN_ALIAS = Sentence("{path} must be the alias of one of the queries.")
UNKNOWN_OWNER = Sentence("{path} must be the name of another field of the type.")
OWNER_OF_ROWS = Sentence("{path} must be left out: only fields belong to others.")
WRONG_KIND = Sentence("{path} must name fields of kind {kinds}; {name} is none.")
NO_MAPPING = Sentence("{path} must be a mapping of keys to values.")
ONE_OF = Sentence("be one of {names}")
SOME_OF = Sentence("be a list of different names out of {names}")
MUST = Sentence("{path} must {must}.")
