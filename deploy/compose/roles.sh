#!/bin/sh
# The owner makes and migrates the ledger; the writer only appends. Run by the database's first start.
set -eu
secrets=${SECRETS:-/run/secrets}
psql --set=ON_ERROR_STOP=1 --no-psqlrc --quiet --username="${POSTGRES_USER:-postgres}" --dbname="$POSTGRES_DB" \
  --set=owner="$(cat "$secrets/owner")" --set=writer="$(cat "$secrets/writer")" --set=database="$POSTGRES_DB" <<'SQL'
CREATE ROLE mandate_owner LOGIN PASSWORD :'owner';
CREATE ROLE mandate_writer LOGIN PASSWORD :'writer';
ALTER DATABASE :"database" OWNER TO mandate_owner;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO mandate_writer;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SQL
