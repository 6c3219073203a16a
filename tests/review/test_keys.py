"""Each person's keys of the review screen, kept on the server."""

from __future__ import annotations

from typing import Any

import pytest

from tests import make
from tests.engine import Engine

pytestmark = pytest.mark.django_db


def keep(client: Any, chords: dict[str, Any], *, single_letters: bool = True) -> Any:
    body = {"chords": chords, "single_letters": single_letters}
    return client.post("/keys/keep/", body, content_type="application/json")


def test_keys_are_kept_for_the_person_who_changed_them(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    ada, sue = cast.page(cast.ada), cast.page(cast.sue)
    assert keep(ada, {"approve": "F2", "aside": ""}, single_letters=False).status_code == 200
    mine = {"chords": {"approve": "F2", "aside": ""}, "single_letters": False}
    assert ada.get("/keys/").context["keys"] == mine
    assert ada.get(f"/review/{document.pk}/").context["data"]["keys"] == mine
    assert sue.get("/keys/").context["keys"] == {"chords": {}, "single_letters": True}
    keep(ada, {})
    assert ada.get("/keys/").context["keys"] == {"chords": {}, "single_letters": True}


@pytest.mark.parametrize(
    ("chords", "word"),
    [
        ({"approve": "Alt+F4"}, "system"),
        ({"approve": "Ctrl+W"}, "browser"),
        ({"approve": "press hard"}, "no key"),
        ({"Approve!": "F2"}, "commands"),
        ({"approve": "F2", "reject": "F2"}, "two commands"),
    ],
)
def test_keys_that_cannot_be_kept_are_told(cast: make.Cast, chords: dict[str, str], word: str) -> None:
    client = cast.page(cast.ada)
    answer = keep(client, chords)
    assert (answer.status_code, answer.json()["code"]) == (422, "keys_invalid")
    assert word in answer.json()["detail"]
    assert client.get("/keys/").context["keys"]["chords"] == {}
