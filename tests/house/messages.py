"""The catalogues: which sentences there are, and `python -m tests.house.messages`, which brings every catalogue up to date.

Needs neither gettext nor a database: Django's own reader finds the sentences of templates, Python's parser those of modules, and polib
reads and writes the catalogues. docs/translating.md says how to translate.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polib
import yaml
from django.utils.text import camel_case_to_spaces
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent.parent
LOCALE = ROOT / "locale"
APPS = ("audit", "tenants", "ocr", "review", "dtat_site")
LABEL = "document type"  # as ocr.told asks for the names of fields, groups and types
PLURAL_FORMS = {"de": "nplurals=2; plural=(n != 1);"}
# How a sentence is marked in Python: the function's name, and which of its arguments hold the sentence and its plural.
MARKS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("_", "_lazy", "gettext", "gettext_lazy", "gettext_noop"), (0,)),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (0, 1)),
    # Plain Python, whose sentences ocr.told translates when they are shown.
    "Sentence": (0,),
    "InvalidValue": (1,),
    "InvalidType": (0,),
    "Unreadable": (0,),
    "Missing": (1,),
    **dict.fromkeys(("_fail", "_later"), (3,)),
    "Problem": (2,),
    "wrong": (1,),
}
PLAIN_TABLES = {"_SENTENCES", "_SEEN"}  # dictionaries of ocr.sandbox, which knows no Django
PLAIN_RETURNS = {"iban_refusal", "tax_id_refusal"}


class Message(NamedTuple):
    """One sentence with its plural and what it is about ('' for none)."""

    text: str
    plural: str = ""
    context: str = ""


def found() -> dict[Message, list[str]]:
    """Every sentence that people may see, with the files that hold it."""
    places: dict[Message, list[str]] = {}
    for path in _sources():
        for message in _in_file(path):
            known = places.setdefault(message, [])
            name = str(path.relative_to(ROOT))
            if name not in known:
                known.append(name)
    for app in APPS:
        for name in _in_admin(app):
            places.setdefault(Message(name), [f"{app}/models.py"])
    return places


def catalogues() -> list[Path]:
    return sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))


def _sources() -> Iterator[Path]:
    yield from sorted((ROOT / "templates").rglob("*.html"))
    for app in APPS:
        yield from (path for path in sorted((ROOT / app).rglob("*.py")) if "migrations" not in path.parts)
    yield from sorted((ROOT / "ocr" / "document_types").glob("*.yaml"))


def _in_file(path: Path) -> Iterator[Message]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        yield from _in_template(text)
    elif path.suffix == ".yaml":
        yield from (Message(label, context=LABEL) for label in dict.fromkeys(_labels(yaml.safe_load(text))))
    else:
        yield from _in_module(ast.parse(text))


def _in_template(text: str) -> Iterator[Message]:
    # Inside brackets Python's tokenizer asks for no indentation.
    source = io.StringIO(f"({templatize(text)})")
    words: list[str] | None = None
    for token in tokenize.generate_tokens(source.readline):
        if token.type == tokenize.NAME and token.string in {"gettext", "ngettext", "_"}:
            words = []
        elif token.type == tokenize.STRING and words is not None:
            words.append(ast.literal_eval(token.string))
        elif token.string == ")" and words:
            yield Message(*words)
            words = None


def _labels(told: object) -> Iterator[str]:
    """What people see of a shipped document type: its name, and those of its fields and groups."""
    if isinstance(told, dict):
        for name, value in told.items():
            if name in {"label", "group"} and isinstance(value, str):
                yield value
            else:
                yield from _labels(value)
    elif isinstance(told, list):
        for each in told:
            yield from _labels(each)


def _in_module(tree: ast.Module) -> Iterator[Message]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            places = MARKS.get(_name(node.func), ())
            words = [_text(node.args[place]) for place in places if place < len(node.args)]
            if words and all(words):
                yield Message(*words)
        elif isinstance(node, ast.FunctionDef) and node.name in PLAIN_RETURNS:
            returned = (each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value)
            yield from (Message(text) for each in returned if (text := _text(each)))
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict) and _targets(node) & PLAIN_TABLES:
            yield from (Message(text) for each in node.value.values if (text := _text(each)))


def _in_admin(app: str) -> Iterator[str]:
    """How the admin calls the models that it shows, and of their columns those that it names."""
    models = {node.name: node for node in _tree(app, "models").body if isinstance(node, ast.ClassDef)}
    for page in _tree(app, "admin").body:
        if not isinstance(page, ast.ClassDef):
            continue
        shown = {_text(each) for each in ast.walk(page) if isinstance(each, ast.expr)}
        for mark in page.decorator_list:
            model = (
                models.get(mark.args[0].id)
                if isinstance(mark, ast.Call) and isinstance(mark.args[0], ast.Name)
                else None
            )
            if model:
                yield from _names_of(model)
                columns = (each.targets[0] for each in model.body if isinstance(each, ast.Assign))
                names = {"tenant", *(column.id for column in columns if isinstance(column, ast.Name))}
                yield from (name.replace("_", " ") for name in sorted(names & shown))


def _tree(app: str, module: str) -> ast.Module:
    path = ROOT / app / f"{module}.py"
    return ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])


def _names_of(model: ast.ClassDef) -> Iterator[str]:
    """As Django makes them from the class, unless its Meta says otherwise."""
    own = {
        target.id: each.value.args[0] if isinstance(each.value, ast.Call) else each.value
        for meta in model.body
        if isinstance(meta, ast.ClassDef) and meta.name == "Meta"
        for each in meta.body
        if isinstance(each, ast.Assign)
        for target in each.targets
        if isinstance(target, ast.Name) and target.id.startswith("verbose_name")
    }
    name = _text(own["verbose_name"]) if "verbose_name" in own else camel_case_to_spaces(model.name)
    yield name
    yield _text(own["verbose_name_plural"]) if "verbose_name_plural" in own else f"{name}s"


def _targets(node: ast.Assign) -> set[str]:
    return {target.id for target in node.targets if isinstance(target, ast.Name)}


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def of(entry: polib.POEntry) -> Message:
    return Message(entry.msgid, entry.msgid_plural, entry.msgctxt or "")


def update(path: Path) -> tuple[int, int]:
    """Add what is new, drop what is gone, keep every translation; how many were added and how many lack one."""
    catalogue = polib.pofile(str(path))
    known = {of(entry): entry for entry in catalogue}
    places = found()
    new = _empty(path.parent.parent.name)
    for message, files in sorted(places.items()):
        new.append(_entry(message, files, known.get(message)))
    new.save(str(path))
    new.save_as_mofile(str(path.with_suffix(".mo")))
    return len(places.keys() - known.keys()), sum(not entry.translated() for entry in new)


def _empty(language: str) -> polib.POFile:
    """A catalogue without a date: the same sentences give the same file."""
    made = polib.POFile(wrapwidth=110)
    made.metadata = {
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": PLURAL_FORMS[language],
    }
    return made


def _entry(message: Message, files: list[str], known: polib.POEntry | None) -> polib.POEntry:
    made = polib.POEntry(
        msgid=message.text, msgctxt=message.context or None, occurrences=[(name, "") for name in files]
    )
    if "%(" in message.text:
        made.flags = ["python-format"]
    elif "{" in message.text:
        made.flags = ["python-brace-format"]
    if message.plural:
        made.msgid_plural = message.plural
        made.msgstr_plural = dict(known.msgstr_plural) if known else {0: "", 1: ""}
    else:
        made.msgstr = known.msgstr if known else ""
    return made


if __name__ == "__main__":
    for catalogue in catalogues():
        added, empty = update(catalogue)
        sys.stdout.write(f"{catalogue.relative_to(ROOT)}: {added} new, {empty} without a translation\n")
