"""Static files with the content's hash in their name."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedModules(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise is untyped
    """Rewrites the imports inside ES modules too, so that a page never mixes two versions of its scripts."""

    support_js_module_import_aggregation = True
