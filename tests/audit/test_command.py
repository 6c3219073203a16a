from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from tests import make
from tests.audit.conftest import story


@pytest.mark.django_db
def test_a_sound_trail_is_reported_in_a_sentence() -> None:
    tenant = make.tenant()
    story(tenant.pk, length=2)
    story(tenant.pk, length=3)
    out = io.StringIO()
    call_command("audit_verify", stdout=out)
    assert out.getvalue().startswith("2 chains, 5 events verified in ")
    assert out.getvalue().strip().endswith(" s, no break")


@pytest.mark.django_db
def test_json_says_the_same_to_programs() -> None:
    chain = story(make.tenant().pk, length=2)
    out = io.StringIO()
    call_command("audit_verify", "--json", "--chain", chain, stdout=out)
    found = json.loads(out.getvalue())
    assert found.pop("seconds") >= 0
    assert found == {"chains": 1, "events": 2, "breaks": []}


@pytest.mark.django_db
def test_an_unknown_chain_is_not_called_sound() -> None:
    chain = story(make.tenant().pk)
    with pytest.raises(CommandError, match="There is no such chain"):
        call_command(
            "audit_verify", chain=[chain, "document:00000000-0000-0000-0000-000000000001"], stdout=io.StringIO()
        )
