"""Every page, rendered from an invented context: what the security policy, a screen reader and a phone rely on."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.template.loader import render_to_string

from tests.pages.preview.contexts import ME, PAGES

CONTROLS = {"input", "select", "textarea"}


class Seen(HTMLParser):
    """The elements of a page with their attributes, and the text of each inline script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture(autouse=True)
def _plain_static_files(settings: Any) -> None:
    """No manifest: these tests run before static files are collected."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    template, context = PAGES[request.param]
    return render_to_string(template, {"me": ME, "active": "queue", **context})


def test_it_needs_nothing_that_the_security_policy_forbids(page: str) -> None:
    seen = Seen(page)
    assert not seen.all("style")
    assert all("src" in script or script.get("type") == "application/json" for script in seen.all("script"))
    attributes = {name for _tag, found in seen.elements for name in found}
    assert not {name for name in attributes if name == "style" or name.startswith("on")}


def test_it_has_one_heading_of_the_first_level_and_one_main_landmark(page: str) -> None:
    seen = Seen(page)
    assert len(seen.all("h1")) == 1
    assert len(seen.all("main")) == 1


def test_every_control_has_a_label(page: str) -> None:
    seen = Seen(page)
    labelled = {label["for"] for label in seen.all("label") if "for" in label}
    for control in seen.all(*CONTROLS):
        inside_its_label = control.get("type") == "radio"
        if control.get("type") != "hidden" and not inside_its_label:
            assert control.get("id") in labelled or "aria-label" in control, control


def test_identifiers_are_unique_and_references_lead_somewhere(page: str) -> None:
    seen = Seen(page)
    ids = [found["id"] for _tag, found in seen.elements if "id" in found]
    assert len(ids) == len(set(ids))
    for _tag, found in seen.elements:
        for name in ("aria-labelledby", "for"):
            assert found.get(name) is None or set(found[name].split()) <= set(ids), found


def test_images_and_icon_buttons_have_words(page: str) -> None:
    seen = Seen(page)
    assert all("alt" in image for image in seen.all("img"))
    for button in re.findall(r"<button.*?</button>", page, re.DOTALL):
        words = re.sub(r"<[^>]*>", "", button).strip()
        assert words or "aria-label=" in button, button


def test_everything_is_sent_by_post_with_a_token_or_only_asks() -> None:
    html = render_to_string("ocr/document.html", {"me": ME, "csrf_token": "t0ken", **PAGES["document"][1]})
    forms = re.findall(r"<form.*?</form>", html, re.DOTALL)
    assert len(forms) == 6  # re-open, retry, replay, language, sign out, and the sheet of keys
    assert all('method="dialog"' in form or ('method="post"' in form and "t0ken" in form) for form in forms)


@pytest.mark.parametrize("able", [True, False])
def test_what_a_person_may_not_do_is_not_offered(*, able: bool) -> None:
    me = ME | {"can": dict.fromkeys(["upload", "review", "supervise", "audit", "admin"], able)}
    html = render_to_string("review/queue.html", {"me": me, **PAGES["queue"][1]})
    assert ("Start reviewing" in html) is able
    assert ('href="/documents/upload/"' in html) is able
    assert ('href="/admin/"' in html) is able


def test_the_values_of_a_document_cannot_break_out_of_the_data_block() -> None:
    context = PAGES["review"][1]
    hostile = "</script><script>alert(1)</script>"
    data = context["data"] | {"fields": [context["data"]["fields"][0] | {"value": hostile}]}
    html = render_to_string("review/review.html", {"me": ME, **context, "data": data})
    assert hostile not in html
    assert "\\u003C/script\\u003E" in html


def test_an_empty_dashboard_says_so_and_draws_nothing() -> None:
    html = render_to_string("dashboard.html", {"me": ME, **PAGES["dashboard empty"][1]})
    assert "<polyline" not in html
    assert "No document was finished in this time." in html
    assert "Nothing was measured in this time." in html
