-- Rights of the product's three roles in one database. Run once as a superuser in the new database, before `migrate`:
--   owner   makes and changes tables (DATABASE_OWNER_URL, only for `migrate`)
--   app     reads and writes rows, owns nothing (DATABASE_URL)
--   auditor reads
-- The roles themselves: CREATE ROLE dtat_owner LOGIN PASSWORD '...'; likewise dtat_app and dtat_auditor.
-- Replace :database by the database's name (psql: -v database=NAME).
REVOKE ALL ON DATABASE :database FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE :database TO dtat_owner, dtat_app, dtat_auditor;
GRANT USAGE, CREATE ON SCHEMA public TO dtat_owner;
GRANT USAGE ON SCHEMA public TO dtat_app, dtat_auditor;
ALTER DEFAULT PRIVILEGES FOR ROLE dtat_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO dtat_app;
ALTER DEFAULT PRIVILEGES FOR ROLE dtat_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO dtat_app;
ALTER DEFAULT PRIVILEGES FOR ROLE dtat_owner IN SCHEMA public GRANT SELECT ON TABLES TO dtat_auditor;
-- A host that was cut off in the middle of a transaction must not hold its locks until the network notices.
ALTER ROLE dtat_app IN DATABASE :database SET idle_in_transaction_session_timeout = '10s';
