import gc
from pathlib import Path

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig
from django.utils.translation import gettext_lazy

# One page of an engine's answer is ten thousand objects in no cycle. Looking for cycles after every 700 new ones, which is the
# interpreter's default, costs as much as reading the page (make bench BENCH=reading).
OBJECTS_BEFORE_CYCLES = 50_000
OURS = ("audit", "tenants", "ocr", "review")


class SiteConfig(AppConfig):
    name = "dtat_site"

    def ready(self) -> None:
        from dtat_site import checks

        _speak_every_language()
        gc.set_threshold(OBJECTS_BEFORE_CYCLES, 20, 20)

        # Private folders; FILE_UPLOAD_TEMP_DIR must exist before the first upload.
        Path(settings.FILE_UPLOAD_TEMP_DIR).mkdir(parents=True, exist_ok=True, mode=0o700)
        checks.watch_connections()


def _speak_every_language() -> None:
    """Models and their fields are called what they are called in code; the admin says that in the reader's language."""
    for name in OURS:
        for model in apps.get_app_config(name).get_models():
            options = model._meta
            options.verbose_name = gettext_lazy(str(options.verbose_name))
            options.verbose_name_plural = gettext_lazy(str(options.verbose_name_plural))
            for field in options.local_fields:
                field.verbose_name = gettext_lazy(str(field.verbose_name))


class AdminConfig(DjangoAdminConfig):
    default_site = "dtat_site.administration.Site"
