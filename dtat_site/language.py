"""The language of an answer: what the person chose, else what their browser asks for, else the installation's own.

Programs are answered in English unless their Accept-Language asks for something else: a cookie of the browser beside them says nothing.
Only answers have a language. Workers, commands and whatever is stored are in English (LANGUAGE_CODE), whoever set them going.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import get_supported_language_variant, parse_accept_lang_header

FOR_PROGRAMS = ("/api/v1/",)
IN_ENGLISH = ("/ocr", "/api/schema", "/healthz", "/readyz", "/metrics")  # as they are stored, or for machines alone
_WORDS = ("text/html", "application/json", "application/problem+json")


class Language:
    """Middleware: answers in the language of whoever asks, and says so to caches on the way."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        language = _wanted(request)
        with translation.override(language):
            response = self.get_response(request)
        if response.get("Content-Type", "").startswith(_WORDS):
            response.headers.setdefault("Content-Language", language)
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response


def _wanted(request: HttpRequest) -> str:
    if request.path_info.startswith(IN_ENGLISH):
        return settings.LANGUAGE_CODE
    return _of_program(request) if request.path_info.startswith(FOR_PROGRAMS) else _of_person(request)


def _of_person(request: HttpRequest) -> str:
    chosen = _supported(request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""))
    return chosen or _accepted(request) or settings.DEFAULT_LANGUAGE


def _of_program(request: HttpRequest) -> str:
    return _accepted(request) or settings.LANGUAGE_CODE


def _accepted(request: HttpRequest) -> str:
    """The best of the languages that the browser asks for, '' where none of them is spoken here."""
    wanted = parse_accept_lang_header(request.headers.get("Accept-Language", ""))
    return next((found for code, _weight in wanted if (found := _supported(code))), "")


def _supported(code: str) -> str:
    with suppress(LookupError):
        return get_supported_language_variant(code) if code else ""
    return ""
