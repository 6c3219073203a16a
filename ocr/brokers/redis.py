"""Doorbells in Redis: much lighter than rows. A bell is lost with a worker that dies, or with Redis; due documents are found anyway."""

from __future__ import annotations

from django_q.brokers.redis_broker import Redis

from ocr.brokers import RingsItself


class Bells(RingsItself, Redis):  # type: ignore[misc]
    """django-q2's Redis broker."""
