"""Tokens for programs that sign in with a name and a password: obtained, and renewed for as long as the refresh token lives."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework_simplejwt.serializers import TokenRefreshSerializer
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.utils import get_md5_hash_password
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from ocr.api.serializers import ProblemJsonSerializer


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
            raise exceptions.AuthenticationFailed("The account is closed or its password was changed. Sign in again.")
        return {"access": str(refresh.access_token), "refresh": attrs["refresh"]}


class Obtain(TokenObtainPairView):
    @extend_schema(operation_id="obtainToken", responses={200: PairSerializer, 401: ProblemJsonSerializer})
    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Sign in with `username` and `password`."""
        return super().post(request, *args, **kwargs)


class Refresh(TokenRefreshView):
    serializer_class = RenewalSerializer

    @extend_schema(operation_id="refreshToken", responses={200: PairSerializer, 401: ProblemJsonSerializer})
    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """A new access token; the refresh token comes back as it is."""
        return super().post(request, *args, **kwargs)
