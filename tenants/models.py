"""Tenants, who belongs to them in which role, and the scoping that every door uses."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import connection, models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    AnyUser = User | AbstractBaseUser | AnonymousUser

KEY_START = "dtat_"
Row = TypeVar("Row", bound=models.Model)


class Role(models.TextChoices):
    UPLOADER = "uploader", _("Uploader")
    REVIEWER = "reviewer", _("Reviewer")
    SUPERVISOR = "supervisor", _("Supervisor")
    AUDITOR = "auditor", _("Auditor")
    TENANT_ADMIN = "tenant_admin", _("Tenant admin")


class Scoped(models.QuerySet[Any, Any]):
    """Rows that belong to a tenant."""

    def visible_to(self, user: AnyUser) -> Self:
        """The rows that `user` may see: those of their tenants; every row for a platform admin; else none."""
        from tenants import access  # access reads memberships through this class

        tenants = access.visible_tenants(user)
        return self.all() if tenants is None else self.filter(tenant_id__in=tenants)


class Tenant(models.Model):
    """An organisation whose documents nobody else sees."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    reads_text_layers = models.BooleanField(
        _("read the text of PDFs"),
        default=False,
        db_default=False,
        help_text=_(
            "The text that a PDF carries is read instead of its pages, at once and without a bill, "
            "where a second witness finds the same on the pages."
        ),
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TenantOwned(models.Model):
    """A row that belongs to one tenant; its table has row-level security (tests/house checks every one)."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")

    objects = Scoped.as_manager()

    class Meta:
        abstract = True


class Membership(TenantOwned):
    """One role of one person in one tenant; a person may have several."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "tenant", "role"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"


class ApiKey(TenantOwned):
    """A key that an integration signs in with; it acts as its user, within its tenant only. Only a hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys")
    prefix = models.CharField(max_length=16, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    roles_here: frozenset[str] | None = None  # of its user in its tenant; `find` knows them

    class Meta:
        verbose_name = _("API key")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @classmethod
    def issue(cls, *, tenant: Tenant, user: User, name: str) -> tuple[ApiKey, str]:
        """A new key and its text, which is shown this once."""
        key = KEY_START + secrets.token_urlsafe(32)
        row = cls.objects.create(tenant=tenant, user=user, name=name, prefix=key[:12], digest=cls.digest_of(key))
        return row, key

    @staticmethod
    def digest_of(key: str) -> str:
        """SHA-256 is enough here: the key is 256 random bits, so there is nothing to guess."""
        return hashlib.sha256(key.encode()).hexdigest()

    @classmethod
    def find(cls, key: str) -> ApiKey | None:
        """The valid key with this text and an active user, or None. One statement, asked anew at every request."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM tenants_valid_key(%s)", [cls.digest_of(key)])
            row = cursor.fetchone()
        if row is None:
            return None
        id_, name, prefix, tenant_id, user_id, username, is_superuser, roles = row
        found = _loaded(cls, id=id_, name=name, prefix=prefix, tenant_id=tenant_id, user_id=user_id)
        found.user = _loaded(get_user_model(), id=user_id, username=username, is_superuser=is_superuser, is_active=True)
        found.roles_here = frozenset(roles)
        return found


def _loaded(model: type[Row], **values: object) -> Row:
    """A row of which these columns were read; the others are read when somebody asks for them."""
    names = [column.attname for column in model._meta.concrete_fields if column.attname in values]
    return model.from_db(connection.alias, names, [values[name] for name in names])
