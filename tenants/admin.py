"""People, roles, keys and tenants in the admin.

A platform admin manages everything here; a tenant admin the roles and keys of their own tenant. Users, groups and everything that
makes somebody a platform admin are for platform admins alone: Django's own permissions open nothing on these pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import ForeignKey, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tenants import access, changes
from tenants.models import ApiKey, Membership, Tenant

if TYPE_CHECKING:
    MembershipBase = admin.ModelAdmin[Membership]
    KeyBase = admin.ModelAdmin[ApiKey]
    TenantBase = admin.ModelAdmin[Tenant]
    UserBase = UserAdmin[User]
else:
    MembershipBase = KeyBase = TenantBase = admin.ModelAdmin
    UserBase = UserAdmin


class OfTheTenant:
    """What a tenant admin may do with rows of their tenant: see and add, and remove where there is no `removable`."""

    removable = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]  # a mix-in of ModelAdmin
        if access.is_platform_admin(request.user):
            return rows
        return rows.filter(tenant_id__in=access.tenants_with(request.user, "administer"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return access.can(request.user, "administer")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.can(request.user, "administer", obj.tenant_id if obj else None)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return access.can(request.user, "administer")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.removable and self.has_view_permission(request, obj)

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "tenant":
            kwargs["queryset"] = _administered(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]  # of memberships and of keys
    """The person is typed, not chosen: a list would show one tenant the people of all others."""

    username = forms.CharField(label=gettext_lazy("User name"), max_length=150)

    def clean_username(self) -> User:
        name = self.cleaned_data["username"].strip()
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise forms.ValidationError(
                _("Nobody active has this user name. Check it, or ask a platform admin to make the account.")
            )
        return user

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        tenant, user = self.cleaned_data.get("tenant"), self.cleaned_data.get("username")
        if tenant and user:
            self.instance.user = user
            self.check_person(tenant, user)
        return cleaned

    def check_person(self, tenant: Tenant, user: User) -> None:
        """Raise ValidationError when this person cannot have it."""
        raise NotImplementedError


class MembershipForm(PersonForm):
    class Meta:
        model = Membership
        fields = ("tenant", "role")

    def check_person(self, tenant: Tenant, user: User) -> None:
        role = self.cleaned_data.get("role")
        if Membership.objects.filter(tenant=tenant, user=user, role=role).exists():
            raise forms.ValidationError(_("This person has this role already."))


class KeyForm(PersonForm):
    class Meta:
        model = ApiKey
        fields = ("tenant", "name")

    def check_person(self, tenant: Tenant, user: User) -> None:
        if not Membership.objects.filter(tenant=tenant, user=user).exists():
            raise forms.ValidationError(
                _("The key acts as this person, who has no role in this tenant. Give them a role first.")
            )


@admin.register(Membership)
class Memberships(OfTheTenant, MembershipBase):
    """Roles are given and taken, never edited: each is one line in the audit trail."""

    list_display = ("user", "role", "tenant")
    list_filter = ("role", ("tenant", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("user", "tenant")
    search_fields = ("user__username",)
    show_full_result_count = False
    ordering = ("tenant__name", "user__username", "role")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        if obj is None:
            kwargs["form"] = MembershipForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Membership | None = None) -> Any:
        return ("tenant", "username" if obj is None else "user", "role")

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:  # noqa: FBT001
        changes.add_member(obj, actor=access.actor_of(request.user))

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        changes.remove_member(obj, actor=access.actor_of(request.user))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        for membership in queryset.select_related("user").order_by("tenant_id", "pk"):
            self.delete_model(request, membership)


@admin.register(ApiKey)
class ApiKeys(OfTheTenant, KeyBase):
    """Issue, see and revoke. A key's row stays: the trail speaks of it."""

    removable = False
    list_display = ("name", "prefix", "user", "tenant", "created_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), ("tenant", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("user", "tenant")
    search_fields = ("name", "prefix", "user__username")
    show_full_result_count = False
    ordering = ("-created_at",)
    actions = ("revoke",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        if obj is None:
            kwargs["form"] = KeyForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        if obj is None:
            return ("tenant", "username", "name")
        return ("tenant", "user", "name", "prefix", "created_at", "revoked_at")

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:  # noqa: FBT001
        actor = access.actor_of(request.user)
        row, text = changes.issue_key(tenant=obj.tenant, user=obj.user, name=obj.name, actor=actor)
        obj.pk, obj.prefix = row.pk, row.prefix
        messages.success(request, _("The key is %(key)s") % {"key": text})

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        # No redirect: between two pages the message would be kept in a cookie or in the session's row.
        context = {
            **self.admin_site.each_context(request),
            "title": _("Copy the key now"),
            "opts": self.opts,
            "issued": obj,
        }
        return TemplateResponse(request, "admin/tenants/apikey/issued.html", context)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return access.can(request.user, "administer")

    @admin.action(description=gettext_lazy("Revoke the selected keys"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        actor = access.actor_of(request.user)
        done = sum(changes.revoke_key(key, actor=actor) for key in queryset.order_by("tenant_id", "pk"))
        text = ngettext("%(count)d key was revoked.", "%(count)d keys were revoked.", done) % {"count": done}
        self.message_user(request, text, messages.SUCCESS)


_WITHOUT_WITNESS = gettext_lazy(
    "No second witness is set up here (DTAT_WITNESS_URL), and text that nothing checks is not believed: "
    "until there is one, this changes nothing and Textract reads every PDF."
)


class PlatformOnly:
    """Pages for platform admins; nobody deletes here, since audit rows go on speaking of what was there."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return access.is_platform_admin(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.is_platform_admin(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return access.is_platform_admin(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.is_platform_admin(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Tenant)
class Tenants(PlatformOnly, TenantBase):
    list_display = ("name", "slug", "reads_text_layers", "created_at")
    search_fields = ("name", "slug")
    fields = ("name", "slug", "reads_text_layers")
    prepopulated_fields = {"slug": ("name",)}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        if not settings.WITNESS_URL:
            kwargs["help_texts"] = {"reads_text_layers": _WITHOUT_WITNESS}
        return super().get_form(request, obj, change, **kwargs)

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:  # noqa: FBT001
        super().save_model(request, obj, form, change)
        word = "changed" if change else "added"
        changes.tenant_changed(obj, word, actor=access.actor_of(request.user), fields=form.changed_data)


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(Group)
class Groups(PlatformOnly, GroupAdmin):
    """Django's groups open nothing in this product; roles do."""


@admin.register(User)
class Users(PlatformOnly, UserBase):
    """Accounts are deactivated, not deleted."""

    readonly_fields = ("last_login", "date_joined")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001
        super().save_model(request, obj, form, change)
        word = "changed" if change else "added"
        names = set(form.changed_data) - {"password1", "password2", "usable_password"}
        changes.user_changed(obj, word, actor=access.actor_of(request.user), fields=names)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        before = _password_of(id)
        response = super().user_change_password(request, id, form_url)
        if _password_of(id) != before:
            user = User.objects.get(pk=id)
            changes.user_changed(user, "changed", actor=access.actor_of(request.user), fields=["password"])
        return response


def _password_of(user_id: str) -> str | None:
    if not user_id.isdecimal():
        return None
    return User.objects.filter(pk=user_id).values_list("password", flat=True).first()


def _administered(request: HttpRequest) -> QuerySet[Tenant]:
    tenants = Tenant.objects.all()
    if access.is_platform_admin(request.user):
        return tenants
    return tenants.filter(pk__in=access.tenants_with(request.user, "administer"))
