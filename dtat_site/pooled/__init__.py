"""The database engine of the settings: Django's own for PostgreSQL, over a few connections that a process's threads share."""
