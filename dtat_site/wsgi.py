"""What gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dtat_site.settings")
application = get_wsgi_application()

from dtat_site.checks import refuse_unsafe  # noqa: E402  the apps must be loaded first

refuse_unsafe()


def leave() -> None:
    """The server is about to stop this process: who waits for a document is told now what is known."""
    from ocr.waiting import room

    room.close()
