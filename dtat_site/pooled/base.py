"""What Django looks for in an engine: DatabaseWrapper."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base

from dtat_site.pooled.pool import Pool

_pools: dict[str, Pool] = {}


class DatabaseWrapper(base.DatabaseWrapper):
    """A thread's view of the database: connecting takes a connection from the pool, closing gives it back."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        return self._shared.take(lambda: super(DatabaseWrapper, self).get_new_connection(conn_params))

    def _close(self) -> None:
        if self.connection is not None:
            with self.wrap_database_errors:
                self._shared.give(self.connection)

    @property
    def _shared(self) -> Pool:
        name = str(self.settings_dict["NAME"])  # tests rename it after the start
        if name not in _pools:
            settings = self.settings_dict["POOL"]
            _pools.setdefault(name, Pool(most=settings["most"], seconds=settings["seconds"]))
        return _pools[name]
