"""The keys with which a person works the review screen. The commands and their usual keys are static/js/review/keys.js."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from audit import prepared
from review.models import Keyboard

if TYPE_CHECKING:
    from tenants.models import AnyUser

MOST = 100
LONGEST = 40
_COMMAND = re.compile(r"[a-z][a-z_]{0,39}")
# Ctrl+Shift+Z, Alt+1, F2, ?, ArrowDown; "" takes the key away.
_CHORD = re.compile(r"((Ctrl\+)?(Alt\+)?(Shift\+)?(\S|[A-Z][A-Za-z0-9]{1,15}))?")
_SYSTEM = re.compile(r"(Ctrl\+|Alt\+)?(Shift\+)?(Tab|F5|F11|F12)|Alt\+F4|Ctrl\+(Shift\+)?[twnTWN]")


class Unusable(ValueError):
    """Keys that cannot be kept; the sentence says which and why."""

    code = "keys_invalid"


def of(user: AnyUser) -> dict[str, Any]:
    """What the person changed: `{chords: {command: chord}, single_letters}`."""
    for kept in prepared.objects(Keyboard, "WHERE user_id = $1::int", user.pk):
        return {"chords": kept.chords, "single_letters": kept.single_letters}
    return _USUAL


_USUAL: dict[str, Any] = {"chords": {}, "single_letters": True}


def keep(user: AnyUser, *, chords: Mapping[str, str], single_letters: bool) -> dict[str, Any]:
    """Keep the person's keys in place of what they had. Raises Unusable."""
    if len(chords) > MOST:
        raise Unusable(_("At most %(most)s keys can be changed.") % {"most": MOST})
    for command, chord in chords.items():
        _check(command, chord)
    twice = sorted({chord for chord in chords.values() if chord and list(chords.values()).count(chord) > 1})
    if twice:
        raise Unusable(_("%(key)s is given to two commands. Give each a key of its own.") % {"key": twice[0]})
    Keyboard.objects.update_or_create(
        user_id=int(user.pk or 0), defaults={"chords": dict(chords), "single_letters": single_letters}
    )
    return of(user)


def _check(command: str, chord: str) -> None:
    if not _COMMAND.fullmatch(command):
        raise Unusable(_("Name commands as the page does, in small letters."))
    if not _CHORD.fullmatch(chord):
        raise Unusable(_("“%(key)s” is no key. Write it as Ctrl+Enter, Alt+1 or F2.") % {"key": chord[:20]})
    if _SYSTEM.fullmatch(chord):
        raise Unusable(_("%(key)s belongs to the browser or the system. Choose another key.") % {"key": chord})
