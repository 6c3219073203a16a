"""How a REST caller proves who they are: an API key, a short-lived token, or the browser's session (with CSRF)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication, exceptions
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication

from tenants.models import ApiKey

WORD = "api-key"


class ApiKeyAuthentication(authentication.BaseAuthentication):
    """`Authorization: Api-Key <key>`, also accepted as `Bearer <key>`."""

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        word, _, key = request.headers.get("Authorization", "").partition(" ")
        key = key.strip()
        if word.lower() != WORD and not (word.lower() == "bearer" and key.startswith("dtat_")):
            return None
        found = ApiKey.find(key)
        if found is None:
            raise exceptions.AuthenticationFailed("The API key is not valid or was revoked.")
        user = found.user
        vars(user)["acting_key"] = found  # roles are read for the key's tenant only
        return user, found

    def authenticate_header(self, request: Request) -> str:
        return "Bearer, Api-Key"


class TokenAuthentication(JWTAuthentication):
    """`Authorization: Bearer <access token>`."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        try:
            return super().authenticate(request)
        except exceptions.AuthenticationFailed:  # one answer for all reasons: which accounts exist is nobody's business
            raise exceptions.AuthenticationFailed("The token is not valid or has expired. Get a new one.") from None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer, Api-Key"


class SessionAuthentication(authentication.SessionAuthentication):
    """The signed-in browser; every unsafe method needs the CSRF token."""


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # drf-spectacular is untyped
    target_class = "ocr.api.auth.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "Api-Key <key>"}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "ocr.api.auth.TokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "ocr.api.auth.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
