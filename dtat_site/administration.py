"""The admin: every page sees what its user may see, and what must not be edited by hand is not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy

from tenants import access

# A schedule row is code that a worker runs, and a task row holds arguments: neither belongs into a form.
_WITHHELD_APPS = frozenset({"django_q", "axes"})

View = TypeVar("View", bound=Callable[..., Any])


class Site(admin.AdminSite):
    site_header = gettext_lazy("DTAT-OCR administration")
    site_title = "DTAT-OCR"
    index_title = gettext_lazy("Administration")
    enable_nav_sidebar = False

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        models: list[Any] = [model_or_iterable] if isinstance(model_or_iterable, ModelBase) else list(model_or_iterable)
        shown = [model for model in models if model._meta.app_label not in _WITHHELD_APPS]
        if shown:
            super().register(shown, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Platform admins, and the auditors and tenant admins of a tenant."""
        return access.may_use_admin(request.user)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The product's own sign-in; Django's admin form lets only "staff" in, which means nothing here."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def admin_view(self, view: View, cacheable: bool = False) -> View:  # noqa: FBT001, FBT002  # Django's signature
        inner = super().admin_view(view, cacheable)

        def scoped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            with access.scope_of(request.user):
                response: HttpResponseBase = inner(request, *args, **kwargs)
                # Lists are read while rendering, so that has to happen before the scope ends.
                if isinstance(response, TemplateResponse) and not response.is_rendered:
                    response.render()
                return response

        return cast(View, scoped)
