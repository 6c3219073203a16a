"""The scripts: what they ask of the pages is there, and they keep to what the security policy allows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = sorted((ROOT / "static/js").rglob("*.js"))
MODULES = [path for path in SCRIPTS if path.name != "theme-early.js"]
EVERY_PAGE = {"app.js", "dom.js", "http.js", "shortcuts.js", "times.js", "toast.js", "values.js"}
# The words of each page's scripts: which templates hold them.
WORDS = {
    "review": (["_text.html", "review/_text.html", "review/_keys_text.html"], "static/js/review/*.js"),
    "keys": (["_text.html", "review/_keys_text.html", "review/keys.html"], "static/js/keys-page.js"),
    "lists": (["_text.html", "_list_text.html"], "static/js/rows.js"),
    "type": (["_text.html", "ocr/_type_text.html"], "static/js/type.js"),
    "lane": (["_text.html", "review/_lane_text.html"], "static/js/lane/*.js"),
    "upload": (["_text.html", "ocr/_upload_text.html"], "static/js/{upload,sender}.js"),
}
DYNAMIC = {
    "state_": ["certain", "open", "checked", "corrected", "absent", "unreadable", "missed"],
    "act_": ["confirm", "missed", "absent", "unreadable", "restore"],
    "draft_": ["saving", "saved", "unsaved"],
}


def keys_in(template: str) -> set[str]:
    return set(re.findall(r'data-key="(\w+)"', (ROOT / "templates" / template).read_text()))


def asked_for(source: str) -> set[str]:
    return set(re.findall(r'\bsay\(\s*"(\w+)"', source)) | set(re.findall(r'words: "(\w+)"', source))


@pytest.mark.parametrize("page", WORDS)
def test_every_word_a_script_asks_for_is_in_its_page(page: str) -> None:
    templates, pattern = WORDS[page]
    there = set().union(*(keys_in(template) for template in templates))
    names = re.sub(r"\{(.*)\}", "*", pattern)
    wanted = re.search(r"\{(.*)\}", pattern)
    files = [path for path in ROOT.glob(names) if wanted is None or path.stem in wanted[1].split(",")]
    asked = set().union(*(asked_for(path.read_text()) for path in files))
    assert asked
    assert asked <= there


def test_words_for_every_state_are_there() -> None:
    there = keys_in("review/_text.html")
    assert {prefix + name for prefix, names in DYNAMIC.items() for name in names} <= there


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_builds_no_markup_from_text(path: Path) -> None:
    source = path.read_text()
    for forbidden in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        'setAttribute("style"',
    ):
        assert forbidden not in source


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_is_short_and_typed(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert lines[0] == "// @ts-check"
    assert len(lines) < 250


def test_every_module_of_the_review_screen_is_fetched_at_once() -> None:
    listed = set(re.findall(r"static 'js/([\w/.-]+)'", (ROOT / "templates/review/_modules.html").read_text()))
    review = {f"review/{path.name}" for path in (ROOT / "static/js/review").glob("*.js")}
    assert listed == (review - {"review/main.js"}) | (EVERY_PAGE - {"app.js"})


def test_every_symbol_a_page_or_script_names_is_in_the_sprite() -> None:
    symbols = set(re.findall(r'<symbol id="([\w-]+)"', (ROOT / "static/icons.svg").read_text()))
    templates = "".join(path.read_text() for path in (ROOT / "templates").rglob("*.html"))
    scripts = "".join(path.read_text() for path in SCRIPTS)
    named = set(re.findall(r"\{% icon '([\w-]+)'", templates)) | set(re.findall(r'\bicon\("([\w-]+)"', scripts))
    assert named <= symbols


@pytest.mark.parametrize("path", sorted((ROOT / "static/css").glob("*.css")), ids=lambda path: path.stem)
def test_colours_come_from_the_tokens(path: Path) -> None:
    if not path.name.startswith("tokens"):
        assert not re.findall(r"#[0-9a-fA-F]{3,8}\b", path.read_text())
