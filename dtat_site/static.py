"""Static files with the content's hash in their name."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage

_FILES, _FORMS = CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns


class HashedModules(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise is untyped
    """Rewrites the imports inside ES modules too, so that a page never mixes two versions of its scripts."""

    support_js_module_import_aggregation = True
    # Types in comments are written import("./store.js").Store. They are no imports, and two modules may speak of each other's types.
    _js_module_import_aggregation_patterns = (_FILES, tuple(form for form in _FORMS if r"import\(" not in form[0]))
    # Each pass reaches one import deeper, since the name of a module is made of the names of those that it imports.
    max_post_process_passes = 20
