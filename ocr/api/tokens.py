"""Tokens for programs that sign in with a name and a password: obtained, and renewed for as long as the refresh token lives."""

from __future__ import annotations

import math
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.serializers import TokenRefreshSerializer
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.utils import get_md5_hash_password
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from ocr.api.serializers import ProblemJsonSerializer

WRONG = "The user name or the password is wrong, or the account is closed."
ENDED = "The token is not valid or has expired. Sign in again."


class PairSerializer(serializers.Serializer[object]):
    access = serializers.CharField(help_text="Send it as `Authorization: Bearer <access>`; it lives ten minutes.")
    refresh = serializers.CharField(help_text="For token/refresh/; it lives twelve hours.")


class RenewalSerializer(TokenRefreshSerializer):
    """A new access token beside the refresh token that earned it, which keeps its own end."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        refresh = RefreshToken(attrs["refresh"])
        user = get_user_model().objects.filter(pk=refresh.get(api_settings.USER_ID_CLAIM)).first()
        unchanged = user and refresh.get(api_settings.REVOKE_TOKEN_CLAIM) == get_md5_hash_password(user.password)
        if not user or not user.is_active or not unchanged:
            raise exceptions.AuthenticationFailed(ENDED, "token_not_valid")
        return {"access": str(refresh.access_token), "refresh": attrs["refresh"]}


class TooManyAttempts(exceptions.Throttled):
    """Too many wrong passwords came from there; `Retry-After` says how long the door stays shut."""

    default_code = "too_many_attempts"

    def __init__(self) -> None:
        super().__init__(detail="There were too many wrong passwords. Wait a quarter of an hour and try again.")
        self.wait = math.ceil(settings.AXES_COOLOFF_TIME * 3600)


class Obtain(TokenObtainPairView):
    @extend_schema(operation_id="obtainToken", responses={200: PairSerializer, 401: ProblemJsonSerializer})
    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Sign in with `username` and `password`. Five wrong ones lock the door for a while, for the right one too."""
        try:
            return super().post(request, *args, **kwargs)
        except exceptions.AuthenticationFailed:
            if getattr(request, "axes_locked_out", False):
                raise TooManyAttempts from None
            raise exceptions.AuthenticationFailed(WRONG, "no_active_account") from None


class Refresh(TokenRefreshView):
    serializer_class = RenewalSerializer

    @extend_schema(operation_id="refreshToken", responses={200: PairSerializer, 401: ProblemJsonSerializer})
    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """A new access token; the refresh token comes back as it is."""
        try:
            return super().post(request, *args, **kwargs)
        except InvalidToken:
            raise exceptions.AuthenticationFailed(ENDED, "token_not_valid") from None
