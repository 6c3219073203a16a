"""Whoever adds a sentence that people see is told here to translate it: `make messages`, then docs/translating.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

polib = pytest.importorskip("polib", reason="an environment from before it was needed: make setup-dev")
from tests.house import messages  # noqa: E402

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%s|\{\w+\}|%%")
CATALOGUES = [pytest.param(path, id=path.parts[-3]) for path in messages.catalogues()]


def test_every_language_but_english_has_a_catalogue() -> None:
    assert {path.parts[-3] for path in messages.catalogues()} == {code for code, _name in settings.LANGUAGES} - {"en"}


@pytest.mark.parametrize("path", CATALOGUES)
def test_it_holds_every_sentence_and_no_other(path: Path) -> None:
    entries = {messages.of(entry) for entry in polib.pofile(str(path))}
    there = messages.found()
    new = [f"{message.text!r} in {', '.join(files)}" for message, files in there.items() if message not in entries]
    assert new == [], "make messages, and translate"
    assert [message.text for message in entries - there.keys()] == [], "make messages drops what is gone"


@pytest.mark.parametrize("path", CATALOGUES)
def test_everything_is_translated(path: Path) -> None:
    lacking = [
        entry.msgid for entry in polib.pofile(str(path)) if not entry.translated() or entry.fuzzy or entry.obsolete
    ]
    assert lacking == [], "translate these in locale/, then make messages"


@pytest.mark.parametrize("path", CATALOGUES)
def test_translations_fill_in_the_same_parts(path: Path) -> None:
    wrong = []
    for entry in polib.pofile(str(path)):
        told = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        asked = sorted(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
        wrong += [entry.msgid for text in told if sorted(PLACEHOLDER.findall(text)) != asked]
    assert wrong == []


@pytest.mark.parametrize("path", CATALOGUES)
def test_what_is_compiled_is_what_is_written(path: Path) -> None:
    assert polib.pofile(str(path)).to_binary() == path.with_suffix(".mo").read_bytes(), "run make messages"


@pytest.mark.parametrize("path", CATALOGUES)
def test_spaces_and_ends_are_kept(path: Path) -> None:
    """A sentence stays one, and what scripts put together keeps its gaps."""
    wrong = [
        entry.msgid
        for entry in polib.pofile(str(path))
        if not entry.msgid_plural
        and (entry.msgid[:1].isspace(), entry.msgid[-1:].isspace(), entry.msgid.endswith("…"))
        != (entry.msgstr[:1].isspace(), entry.msgstr[-1:].isspace(), entry.msgstr.endswith("…"))
    ]
    assert wrong == []
