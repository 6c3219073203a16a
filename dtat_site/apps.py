from pathlib import Path

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class SiteConfig(AppConfig):
    name = "dtat_site"

    def ready(self) -> None:
        from dtat_site import checks

        # Private folders; FILE_UPLOAD_TEMP_DIR must exist before the first upload.
        Path(settings.FILE_UPLOAD_TEMP_DIR).mkdir(parents=True, exist_ok=True, mode=0o700)
        checks.watch_connections()


class AdminConfig(DjangoAdminConfig):
    default_site = "dtat_site.administration.Site"
