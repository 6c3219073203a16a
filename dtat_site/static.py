"""Static files with the content's hash in their name."""

from __future__ import annotations

from functools import lru_cache

from whitenoise.storage import CompressedManifestStaticFilesStorage

_FILES, _FORMS = CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns


class HashedModules(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise is untyped
    """Rewrites the imports inside ES modules too, so that a page never mixes two versions of its scripts."""

    support_js_module_import_aggregation = True
    # Types in comments are written import("./store.js").Store. They are no imports, and two modules may speak of each other's types.
    _js_module_import_aggregation_patterns = (_FILES, tuple(form for form in _FORMS if r"import\(" not in form[0]))
    # Each pass reaches one import deeper, since the name of a module is made of the names of those that it imports.
    max_post_process_passes = 20

    @lru_cache(maxsize=1000)  # noqa: B019 - there is one storage, and it lives as long as the process
    def url(self, name: str, force: bool = False) -> str:  # noqa: FBT001, FBT002 - as Django declares it
        """The address of the file under its hashed name. A page names a dozen, which never change while the process lives."""
        return str(super().url(name, force))
