"""Bodies that cannot hurt: JSON up to a size and depth, without characters that PostgreSQL does not store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework import exceptions
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

DEEPEST = 20  # levels; our own bodies have three
TOO_DEEP = "The JSON is nested too deeply."
UNSTORABLE = "The JSON holds a character that cannot be stored (NUL, or half of a surrogate pair)."


class Json(JSONParser):
    """application/json. The framework's own parser reads a body of any size."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        request = (parser_context or {}).get("request")
        length = request.META.get("CONTENT_LENGTH") if request else None
        if int(length or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig
        try:
            told = super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise exceptions.ParseError(TOO_DEEP) from None
        fault = unstorable(told)
        if fault:
            raise exceptions.ParseError(fault)
        return told


def unstorable(told: object) -> str:
    """Why a JSON value cannot be kept, as a sentence; empty when it can."""
    level = [told]
    for _depth in range(DEEPEST):
        if any(isinstance(each, str) and _odd(each) for each in level):
            return UNSTORABLE
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return ""
    return TOO_DEEP


def _inside(told: object) -> list[object]:
    if isinstance(told, Mapping):
        return [*told.keys(), *told.values()]
    return told if isinstance(told, list) else []


def _odd(text: str) -> bool:
    return "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text)


class AnyForm(DefaultContentNegotiation):
    """For bytes that have one form only: whatever the caller accepts, they get these."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type
