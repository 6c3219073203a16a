"""Every error as application/problem+json (RFC 9457): `{type, title, status, code, detail, errors?}` with a stable code."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from audit import log
from ocr import artifacts, backlog, disk, idempotency, intake, lifecycle, sandbox, waiting
from tenants.access import NotAllowed

CONTENT_TYPE = "application/problem+json"
_TITLES = {
    400: gettext_lazy("The request cannot be understood"),
    401: gettext_lazy("Sign in first"),
    403: gettext_lazy("Not allowed"),
    404: gettext_lazy("Not found"),
    405: gettext_lazy("Method not allowed"),
    406: gettext_lazy("Not acceptable"),
    409: gettext_lazy("Somebody else was first"),
    412: gettext_lazy("The document has changed"),
    413: gettext_lazy("Too large"),
    415: gettext_lazy("Unsupported content"),
    422: gettext_lazy("The content is not acceptable"),
    429: gettext_lazy("Too many requests"),
    500: gettext_lazy("Something went wrong here"),
    503: gettext_lazy("Not available now"),
    507: gettext_lazy("No room left"),
}
# Exceptions of the functions behind the doors: their code and sentence are what the caller gets.
STATUSES: dict[type[Exception], int] = {
    NotAllowed: 403,
    lifecycle.NotPossible: 409,
    lifecycle.Overtaken: 409,
    idempotency.KeyReused: 422,
    idempotency.BadKey: 400,
    intake.Unacceptable: 422,
    artifacts.Lost: 500,
    disk.Full: 507,
    waiting.Full: 503,
    backlog.Full: 503,
    backlog.TenantFull: 429,
}


def problem(status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """One problem as a response."""
    body = {
        "type": f"/api/docs/#{code}",
        "title": str(_TITLES.get(status, _("Error"))),
        "status": status,
        "code": code,
        "detail": detail,
    }
    return Response(body | more, status=status, content_type=CONTENT_TYPE, headers=dict(headers or {}))


def answer(error: Exception, context: Mapping[str, Any]) -> Response:
    """Django REST framework's exception handler. What nobody expected is logged and answered without a word about it."""
    for kind, status in STATUSES.items():
        if isinstance(error, kind):
            later = {"Retry-After": str(error.retry_after)} if hasattr(error, "retry_after") else None
            return problem(status, getattr(error, "code", kind.__name__), str(error), headers=later)
    if isinstance(error, Http404 | ObjectDoesNotExist):
        return problem(404, "not_found", _("There is nothing here that you may see."))
    if isinstance(error, PermissionDenied):
        return problem(403, "not_allowed", _("You may not do this."))
    if isinstance(error, RequestDataTooBig):
        return problem(413, "body_too_large", _("The request is too large."))
    if isinstance(error, SuspiciousOperation):
        return problem(400, "invalid", _("The request cannot be read. Send fewer fields and plain names."))
    if isinstance(error, sandbox.SandboxFailed | OSError):
        log.event("not_accepted", level=logging.ERROR, error=error)
        return problem(
            503, "try_again", _("The file could not be stored just now. Send it again."), headers={"Retry-After": "5"}
        )
    if isinstance(error, OperationalError | InterfaceError):
        log.event("database_away", level=logging.ERROR, error=error)
        return problem(
            503, "try_again", _("The database does not answer just now. Try again."), headers={"Retry-After": "5"}
        )
    if isinstance(error, exceptions.APIException):
        return _framework(error, context)
    logging.getLogger("dtat").exception("request_crashed", exc_info=error)
    sentence = _(
        "Something went wrong here, and it was noted. Try again; tell the administrator the request's id if it stays."
    )
    return problem(500, "internal", sentence, request_id=log.request_id())


def _framework(error: exceptions.APIException, context: Mapping[str, Any]) -> Response:
    response = exception_handler(error, dict(context))
    assert response is not None
    headers = {name: value for name, value in response.items() if name in {"WWW-Authenticate", "Retry-After", "Allow"}}
    if isinstance(error, exceptions.ValidationError):
        errors = [
            {"field": field, "code": str(getattr(words, "code", "invalid")), "message": str(words)}
            for field, words in _flat(error.detail)
        ]
        return problem(400, "invalid", _("Some values are missing or wrong."), errors=errors)
    detail = error.detail
    if isinstance(detail, Mapping):  # the token library's errors carry sentence and code side by side
        return problem(error.status_code, str(detail.get("code")), _sentence(detail.get("detail")), headers=headers)
    return problem(error.status_code, str(error.get_codes()), _sentence(detail), headers=headers)


def _sentence(words: object) -> str:
    return f"{str(words).removesuffix('.')}."


def _flat(detail: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every message of a validation error with the path of its field: `file`, `corrected_fields.total`."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _flat(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _flat(inner, path)
    else:
        yield path, detail


class Nowhere(APIView):
    """Every other address below /api/: programs get a problem there, never a page."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise Http404
