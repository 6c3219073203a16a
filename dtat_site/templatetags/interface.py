"""Small parts of the pages that need a little Python: icons, counted words, shares drawn as bars."""

from __future__ import annotations

import marshal
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django import forms, template
from django.conf import settings
from django.http import QueryDict
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from ocr import told
from ocr.models import Priority

register = template.Library()

PARTS = 4000  # parts of pages that a process keeps, of about a kilobyte each

STATUS_TONES = {
    "received": "plain",
    "reading": "plain",
    "needs_review": "warn",
    "approved": "ok",
    "rejected": "bad",
    "failed": "bad",
}
STATUS_ICONS = {
    "received": "clock",
    "reading": "clock",
    "needs_review": "warn",
    "approved": "check",
    "rejected": "close",
    "failed": "bad",
}
TONE_ICONS = {"bad": "bad", "warn": "warn", "miss": "miss", "ok": "check", "you": "done"}


@register.simple_tag
@lru_cache(maxsize=500)  # a list has a hundred of them
def icon(name: str, classes: str = "") -> SafeString:
    """One symbol of the sprite, hidden from screen readers: the words stand beside it."""
    href = f"{static('icons.svg')}#{name}"
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="{}"></use></svg>', classes, href)


@register.simple_tag
def part(name: str, **values: Any) -> SafeString:
    """A part of a page that shows these values and knows nothing else of the page: the same values in the same language are made
    into the same text, so it is made once.

    `values` are plain: texts, numbers, lists and dicts of them. A ValueError for anything else, whose text would not tell it apart
    from others.
    """
    asked = (name, get_language(), marshal.dumps(values, _BY_VALUE))
    return _part.__wrapped__(*asked) if settings.DEBUG else _part(*asked)


_BY_VALUE = 2  # the last format of marshal in which equal values give equal bytes, whether or not they are one object


@lru_cache(maxsize=PARTS)
def _part(name: str, language: str | None, values: bytes) -> SafeString:
    return SafeString(render_to_string(name, marshal.loads(values)))


@register.simple_tag
def filter_fields(form: forms.Form) -> SafeString:
    """The fields of a list's filter as somebody filled them in; made once for what was given and what there is to choose from."""
    given = QueryDict(mutable=True)
    given.update({name: form.data[name] for name in form.fields if name in form.data})
    choices = repr([getattr(field, "choices", None) for field in form.fields.values()])
    return _filter_fields(type(form), get_language(), given.urlencode(), choices)


@lru_cache(maxsize=PARTS // 10)
def _filter_fields(kind: type[forms.Form], language: str | None, given: str, choices: str) -> SafeString:
    return SafeString(render_to_string("_filter_fields.html", {"form": kind(QueryDict(given) or None)}))


@register.simple_tag
def tone_icon(tone: str) -> SafeString:
    """The icon of a tone in its own shape, or nothing for a plain one."""
    name = TONE_ICONS.get(tone)
    return icon(name, tone) if name else SafeString("")


@register.simple_tag
def status(name: str, label: str) -> SafeString:
    """A document's status as a chip: hue, icon shape and word together."""
    return _chip(STATUS_TONES.get(name, "plain"), STATUS_ICONS.get(name, "info"), str(label))


@lru_cache(maxsize=500)
def _chip(tone: str, symbol: str, label: str) -> SafeString:
    return format_html('<span class="chip {}">{}<span>{}</span></span>', tone, icon(symbol), label)


@register.simple_tag
def share_bar(share: float, late: bool = False) -> SafeString:  # noqa: FBT001, FBT002 - a template passes it by name
    """How much of the allowed waiting time is used, as a bar that also says so by its colour."""
    width = round(56 * min(max(share, 0.0), 1.0), 1)
    tone = "late" if late else "soon" if share >= 0.6 else ""
    return format_html(
        '<svg class="share {}" viewBox="0 0 56 5" aria-hidden="true">'
        '<line x2="56" y1="2.5" y2="2.5"></line><line x2="{}" y1="2.5" y2="2.5"></line></svg>',
        tone,
        width,
    )


@register.filter
def moment(text: str) -> str:
    """An ISO 8601 time as people write it; a script then turns it into the reader's own time zone."""
    parsed = parse_datetime(text)
    return date_format(localtime(parsed), "DATETIME_FORMAT") if parsed else text


@register.filter
def percent(value: float | None) -> str:
    """A confidence in whole percent, 99.7 not as 100, or a dash where the engine gave none."""
    return "–" if value is None else gettext("%(n)s%%") % {"n": math.floor(value)}


FIELD_STATES = {
    "certain": ("ok", _("Certain")),
    "open": ("warn", _("To check")),
    "checked": ("you", _("Checked")),
    "confirmed": ("you", _("Checked")),
    "corrected": ("you", _("Corrected")),
    "absent": ("you", _("Not on this page")),
    "unreadable": ("you", _("Unreadable")),
    "missed": ("you", _("Missed by the engine")),
}


@register.simple_tag
def field_state(name: str, value: str | None, problems: Sequence[Any] = ()) -> SafeString:
    """A field's state as a chip; an open field shows the tone of what is wrong with it."""
    tone, label = FIELD_STATES.get(name, ("plain", name))
    if name == "certain" and not value:
        return _chip("plain", "minus", gettext("Not found"))
    codes = {problem.get("code") for problem in problems if isinstance(problem, dict)}
    if name == "open" and "missing" in codes:
        tone = "miss"
    elif name == "open" and codes & {"invalid", "failed_rule"}:
        tone = "bad"
    return _chip(tone, TONE_ICONS.get(tone, "info"), str(label))


@register.filter
def percent_sign(number: str) -> str:
    """A number that was written out, as a percentage."""
    return gettext("%(n)s%%") % {"n": number}


@register.filter
def money(usd: str) -> str:
    """An amount that was written out, in dollars."""
    return gettext("$%(usd)s") % {"usd": usd}


@register.filter
def priority(name: str) -> str:
    """A priority by its name in REST, in words."""
    return str(Priority[name.upper()].label) if name.upper() in Priority.names else name


@register.filter
def shown(value: object, kind: str) -> str:
    """A canonical value as people of the language write it."""
    return told.value(str(value), kind)


@register.filter
def score(field: Mapping[str, Any]) -> float | None:
    """How sure the engine is of a field, as it is compared with the threshold: the words' confidence where there is one."""
    words = field.get("word_confidence")
    return words if words is not None else field.get("confidence")


@register.filter
def cells_of(cells: Mapping[str, Any], columns: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row's cells in the order of the columns, each with its column's kind."""
    return [{**cells.get(column["name"], {}), "kind": column.get("kind", "")} for column in columns]
