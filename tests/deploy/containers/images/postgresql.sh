#!/bin/sh
# A first start makes the database, with a password and by the scripts that are mounted; each start then serves it.
set -eu
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  install -d -o postgres -g postgres -m 0700 "$PGDATA"
  install -o postgres -m 0400 "$POSTGRES_PASSWORD_FILE" /tmp/password
  as_postgres initdb --pgdata="$PGDATA" --auth-local=trust --auth-host=scram-sha-256 --pwfile=/tmp/password --no-sync
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  as_postgres pg_ctl start --wait --options="-c listen_addresses=''"
  as_postgres createdb "$POSTGRES_DB"
  for script in /docker-entrypoint-initdb.d/*.sh; do as_postgres sh "$script"; done
  as_postgres pg_ctl stop --wait
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups postgres -c listen_addresses='*'
