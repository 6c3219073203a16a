"""Alive, and ready: for load balancers, the watchdog and whoever looks."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from ocr import watch


@require_GET
def healthz(request: HttpRequest) -> JsonResponse:
    """This process answers."""
    return JsonResponse({"status": "ok"})


@require_GET
def readyz(request: HttpRequest) -> JsonResponse:
    """One entry per part, 503 unless all work."""
    parts = watch.parts()
    ready = all(part.ready for part in parts)
    told = {part.name: {"ready": part.ready, "says": part.says} for part in parts}
    return JsonResponse({"status": "ready" if ready else "not ready", "parts": told}, status=200 if ready else 503)
