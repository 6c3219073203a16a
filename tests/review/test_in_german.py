"""What a German decides is stored as if nobody in particular had; refusals are told in German."""

from __future__ import annotations

import json

import pytest
from django.utils import translation

from ocr import contract
from ocr.models import Artifact
from review import decisions
from tenants import scope
from tests import make
from tests.engine import Engine
from tests.review import papers

pytestmark = pytest.mark.django_db


def test_results_stay_in_english(cast: make.Cast, engine: Engine) -> None:
    document = papers.invoice(cast.a)
    with scope.everything(), translation.override("de"):
        stored = set(document.fields.values_list("label", flat=True))
        told = contract.reading(document)
    with translation.override("de"):
        decided = decisions.decide(
            document.pk, cast.ada, decisions.Verdict(version=document.version, decision="approve")
        )
    assert {each["label"] for each in told["fields"]} & stored < stored, "the page says them in German"
    assert any("Sicherheit" in each["message"] for each in told["problems"])
    result = json.loads(make.stored(decided, Artifact.Kind.RESULT)[-1])
    assert {each["label"] for each in result["fields"]} <= stored
    with scope.everything():
        again = contract.result(make.reload(decided))
    assert result["fields"] == json.loads(json.dumps(again))["fields"]


def test_refusals_are_told_in_german(cast: make.Cast, engine: Engine) -> None:
    document = papers.invoice(cast.a)
    said = decisions.Verdict(version=document.version, decision="approve", corrected={"total": "abc", "due_date": ""})
    with translation.override("de"), pytest.raises(decisions.NotAcceptable) as refused:
        decisions.decide(document.pk, cast.ada, said)
    assert [(each.field, each.code, each.message) for each in refused.value.errors] == [
        ("total", "invalid_amount", "Schreiben Sie den Betrag mit Ziffern, zum Beispiel 1.234,50."),
        ("due_date", "empty", "Schreiben Sie einen Wert oder kennzeichnen Sie das Feld als nicht vorhanden."),
    ]
    assert str(refused.value).startswith("Einige Felder brauchen noch einen Blick: ")


def test_a_broken_rule_is_told_with_german_amounts(cast: make.Cast, engine: Engine) -> None:
    document = papers.invoice(cast.a)
    said = decisions.Verdict(version=document.version, decision="approve", corrected={"total": "1.234,50"})
    with translation.override("de"), pytest.raises(decisions.NotAcceptable) as refused:
        decisions.decide(document.pk, cast.ada, said)
    assert refused.value.errors[0].message == "Zwischensumme plus Steuer ergibt 48,00, nicht 1.234,50."
