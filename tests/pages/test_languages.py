"""Pages in German: what is chosen is kept, nothing is left in English, and nothing that is stored is in German."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.utils import translation

from ocr import told
from ocr.extraction import sentences
from tests.access.world import World
from tests.pages.preview.contexts import ME, PAGES
from tests.pages.seen import Seen, words

polib = pytest.importorskip("polib", reason="an environment from before it was needed: make setup-dev")
from tests.house.messages import LOCALE  # noqa: E402

PLAIN = re.compile(
    r"[:#]|^person\d+$|^[0-9a-f-]{8,}$|^Aldermoor, Birch$|\.json"
)  # codes of the trail, invented people, ids, files
GERMAN = {"Accept-Language": "de-AT, de;q=0.9, en;q=0.8"}
ADDRESSES = [
    "/queue/",
    "/queue/?tab=done",
    "/documents/",
    "/documents/upload/",
    "/documents/{id}/",
    "/documents/{id}/split/",
    "/review/{id}/",
    "/dashboard/",
    "/batches/",
    "/batches/{batch}/",
    "/nope/",
]


def german(role: str, world: World) -> Client:
    client = world.client(role)
    client.cookies["django_language"] = "de"
    return client


def alike() -> set[str]:
    """Words that both languages share, by the catalogue, and those of the trade that stay as they are."""
    same = {word for entry in _catalogue() if entry.msgid == entry.msgstr for word in words(entry.msgid)}
    return same | words(
        "DTAT REST API JSON Lines YAML CSV PDF PNG JPEG TIFF Textract Escape Enter Ctrl Alt min English Deutsch"
    )


def _catalogue() -> Any:
    return polib.pofile(str(LOCALE / "de" / "LC_MESSAGES" / "django.po"))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)
    elif isinstance(value, str):
        yield value


# --- Choosing -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_page_speaks_what_the_browser_asks_for() -> None:
    answer = Client(headers=GERMAN).get("/login/")
    page = Seen(answer.content.decode())
    assert (page.root["lang"], page.root["dir"], answer["Content-Language"]) == ("de", "ltr", "de")
    assert "Anmelden" in page.texts
    assert {"Accept-Language", "Cookie"} <= set(answer["Vary"].split(", "))


@pytest.mark.django_db
@pytest.mark.parametrize("asked", ["", "fr", "*", "nonsense;;q=", "en-GB"])
def test_it_is_english_for_everybody_else(asked: str) -> None:
    answer = Client(headers={"Accept-Language": asked}).get("/login/")
    assert (Seen(answer.content.decode()).root["lang"], answer["Content-Language"]) == ("en", "en")


@pytest.mark.django_db
def test_the_installation_has_a_language_of_its_own(settings: Any) -> None:
    settings.DEFAULT_LANGUAGE = "de"
    assert Client().get("/login/")["Content-Language"] == "de"
    assert Client(headers={"Accept-Language": "en"}).get("/login/")["Content-Language"] == "en"


@pytest.mark.django_db
def test_a_choice_is_kept_and_leads_back() -> None:
    client = Client(headers={"Accept-Language": "en"}, enforce_csrf_checks=True)
    token = client.get("/login/").cookies["csrftoken"].value
    answer = client.post(
        "/language/", {"language": "de", "next": "/login/?next=/documents/", "csrfmiddlewaretoken": token}
    )
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/documents/")
    kept = answer.cookies["django_language"]
    assert (kept.value, kept["httponly"], kept["samesite"]) == ("de", True, "Lax")
    assert kept["max-age"] >= 300 * 86_400
    assert client.get("/login/")["Content-Language"] == "de"


@pytest.mark.django_db
@pytest.mark.parametrize("where", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_choosing_leads_nowhere_else_and_to_no_other_language(where: str) -> None:
    answer = Client().post("/language/", {"language": "xx", "next": where})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert "django_language" not in answer.cookies


@pytest.mark.django_db
def test_the_menu_says_which_language_it_is(world: World) -> None:
    page = german("reviewer", world).get("/documents/").content.decode()
    assert 'value="de" lang="de" aria-current="true"' in page
    assert 'value="en" lang="en" aria-current' not in page


# --- Programs -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_programs_get_english_unless_they_ask(world: World) -> None:
    browser = german("reviewer", world)
    address = f"/api/v1/documents/{world.waiting.pk}/review/"

    def said(**headers: str) -> dict[str, Any]:
        body = json.dumps({"version": world.waiting.version, "decision": "reject", "reason": "none"})
        told: dict[str, Any] = browser.post(address, body, content_type="application/json", headers=headers).json()
        return told

    english, asked = said(), said(**GERMAN)
    assert english["code"] == asked["code"] == "fields_invalid"
    assert english["detail"].startswith("Some fields need another look")
    assert asked["detail"].startswith("Einige Felder")
    assert asked["title"] == "Der Inhalt kann nicht angenommen werden"


# --- Nothing is left in English -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_a_template_has_nothing_left_in_english(name: str) -> None:
    template, context = PAGES[name]
    told: dict[str, set[str]] = {}
    for language in ("en", "de"):
        with translation.override(language):
            told[language] = Seen(render_to_string(template, {"me": ME, "active": "queue", **context})).texts
    given = {word for text in _strings({"me": ME, **context}) for word in words(text)}
    left = {text for text in told["en"] & told["de"] if words(text) - given - alike()}
    assert left <= {"Any type", "Document type", "Username", "Password"}  # words of the invented forms


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_has_nothing_left_in_english(world: World, address: str) -> None:
    path = address.format(id=world.waiting.pk, batch=world.batch.pk)
    english = Seen(world.client("supervisor").get(path).content.decode()).texts
    answer = german("supervisor", world).get(path)
    told = Seen(answer.content.decode()).texts
    data = words(
        "Aldermoor Birch zebraslip okapi narwhal Quillfeather Cafe Receipt Total png supervisor reviewer system"
    )
    data |= words("AnalyzeDocument FORMS TABLES DetectDocumentText StartDocumentAnalysis hash user stub")
    left = {text for text in english & told if words(text) - data - alike() and not PLAIN.search(text)}
    assert left == set()  # codes of the trail stay codes


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/document-types/", "/document-types/invoice/", "/document-types/new-type/"])
def test_pages_of_an_administrator_have_nothing_left_in_english(world: World, address: str) -> None:
    english = Seen(world.client("platform").get(address).content.decode()).texts
    told = Seen(german("platform", world).get(address).content.decode()).texts
    names = {
        "bank",
        "statement",
        "claim",
        "form",
        "delivery",
        "note",
        "generic",
        "identity",
        "document",
        "invoice",
        "pay",
        "stub",
    }
    names |= words(
        "purchase order receipt remittance tax system AnalyzeID FORMS TABLES QUERIES SIGNATURES LAYOUT AnalyzeExpense"
    )
    left = {text for text in english & told if words(text) - names - alike() and not PLAIN.search(text)}
    assert left == set()


# --- Values and sentences -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "kind", "written"),
    [
        ("1234.50", "amount", "1.234,50"),
        ("-1234567.891", "amount", "-1.234.567,891"),
        ("1234.5", "number", "1234,5"),
        ("7.5", "percent", "7,5"),
        ("2026-03-01", "date", "01.03.2026"),
        ("INV-1.5", "identifier", "INV-1.5"),
        ("not a number", "amount", "not a number"),
        ("2026-13-99", "date", "2026-13-99"),
    ],
)
def test_values_are_written_as_the_reader_writes_them(value: str, kind: str, written: str) -> None:
    assert told.value(value, kind) == value
    with translation.override("de"):
        assert told.value(value, kind) == written


@pytest.mark.parametrize(
    ("stored", "german"),
    [
        ("Total was not found on the document.", "Gesamtbetrag wurde auf dem Dokument nicht gefunden."),
        ("Widget code was not found on the document.", "Widget code wurde auf dem Dokument nicht gefunden."),
        ("Subtotal plus tax is 1,234.50, not 1,200.00.", "Zwischensumme plus Steuer ergibt 1.234,50, nicht 1.200,00."),
        (
            "Due date 2026-02-01 is before invoice date 2026-03-01.",
            "Fälligkeitsdatum 01.02.2026 liegt vor Rechnungsdatum 01.03.2026.",
        ),
        ("Read with 61 % confidence, 90 % needed.", "Mit 61\u00a0% Sicherheit gelesen, 90\u00a0% sind nötig."),
        ("Something nobody has in a catalogue.", "Something nobody has in a catalogue."),
    ],
)
def test_stored_sentences_are_told_in_the_readers_language(stored: str, german: str) -> None:
    assert told.sentence(stored) == stored
    with translation.override("de"):
        assert told.sentence(stored) == german


@pytest.mark.parametrize("pattern", sentences.ALL, ids=lambda each: each.english[:40])
def test_every_pattern_gives_its_parts_back(pattern: sentences.Sentence) -> None:
    looks = {"amount": "1,234.50", "date": "2026-03-01", "percent": "61 %", "count": "1,000"}
    parts = {name: looks.get(name.split("_")[0], f"a {name}") for name in pattern.parts}
    assert pattern.parts_of(pattern(**parts)) == parts
    assert (
        pattern.parts_of(f"{pattern(**parts)} And more") is None or "sentence" in parts or pattern.english.endswith("}")
    )


@pytest.mark.django_db
def test_a_problem_is_german_for_a_german_and_stays_english_in_the_row(world: World) -> None:
    page = german("reviewer", world).get(f"/review/{world.waiting.pk}/").content.decode()
    assert "Sicherheit gelesen" in page
    assert "confidence, " not in page


# --- From right to left -------------------------------------------------------------------------------------------


def test_a_language_from_right_to_left_turns_the_page_around() -> None:
    with translation.override("ar"):
        page = render_to_string("review/queue.html", {"me": ME, **PAGES["queue"][1]}, RequestFactory().get("/queue/"))
    assert (Seen(page).root["lang"], Seen(page).root["dir"]) == ("ar", "rtl")
