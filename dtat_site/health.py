"""Alive, ready, and how much of everything: for load balancers, the watchdog and whoever looks."""

import hmac
import ipaddress

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from ocr import gauges, watch


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


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text for whoever has DTAT_METRICS_TOKEN; without a token set, for this machine only. Everybody else finds nothing."""
    if not _may_see_metrics(request):
        raise Http404
    return HttpResponse(gauges.text(), content_type=gauges.CONTENT_TYPE)


def _may_see_metrics(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    # Behind a proxy every caller seems to be on this machine, so in production only the token counts.
    return not settings.PRODUCTION and _is_loopback(request.META.get("REMOTE_ADDR", ""))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
