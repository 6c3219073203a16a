"""Turning a page that lies on its side or upside down: once, for everybody who looks at it afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import F

from audit import trail
from audit.models import Kind
from ocr.models import Page
from review import worklist
from tenants import access

if TYPE_CHECKING:
    from tenants.models import AnyUser

TURNS = (0, 90, 180, 270)


def turn_page(document_id: UUID, user: AnyUser, *, token: UUID, number: int, turn: int) -> Page:
    """Show the page turned by `turn` degrees clockwise from upright as the engine sees it; the page as it now is.

    Saying it twice changes nothing more. Raises Document.DoesNotExist, Page.DoesNotExist and worklist.ClaimLost.
    """
    with access.scope_of(user):
        document = worklist.mine(document_id, user, token)
        page: Page = document.pages.select_for_update().get(number=number)
        page.document = document  # at hand for who asks outside the scope
        if page.turn == turn:
            return page
        across = (turn - page.turn) % 180 != 0
        Page.objects.filter(pk=page.pk).update(
            turn=turn,
            width=F("height") if across else F("width"),
            height=F("width") if across else F("height"),
        )
        trail.record(
            Kind.PAGE_TURNED,
            tenant_id=document.tenant_id,
            document_id=document.pk,
            actor=access.actor_of(user),
            step="turn",
            codes={"pages": [number], "from": page.turn, "to": turn},
        )
        page.refresh_from_db(fields=["turn", "width", "height"])
        return page
