import gc
from pathlib import Path

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig

# One page of an engine's answer is ten thousand objects in no cycle. Looking for cycles after every 700 new ones, which is the
# interpreter's default, costs as much as reading the page (make bench BENCH=reading).
OBJECTS_BEFORE_CYCLES = 50_000


class SiteConfig(AppConfig):
    name = "dtat_site"

    def ready(self) -> None:
        from dtat_site import checks

        gc.set_threshold(OBJECTS_BEFORE_CYCLES, 20, 20)

        # Private folders; FILE_UPLOAD_TEMP_DIR must exist before the first upload.
        Path(settings.FILE_UPLOAD_TEMP_DIR).mkdir(parents=True, exist_ok=True, mode=0o700)
        checks.watch_connections()


class AdminConfig(DjangoAdminConfig):
    default_site = "dtat_site.administration.Site"
