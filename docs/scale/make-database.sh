#!/usr/bin/env bash
# Makes the desk's user and its empty database, once, on the node that is the leader (docs/scale.md).
# Run it as postgres. It changes nothing that is there already, except the user's password.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PGHOST=${PGHOST:-/var/run/postgresql} PGUSER=postgres PGDATABASE=postgres
password=$(sed -n 's/^HAZINA_PASSWORD=//p' "${PASSWORDS:-$HERE/passwords}")
[ -n "$password" ] || { echo "make-database: passwords has no HAZINA_PASSWORD" >&2; exit 1; }
if [ "$(psql -Atc 'SELECT pg_is_in_recovery()')" = t ]; then
    echo "make-database: this node is no leader: patronictl -c /etc/patroni/patroni.yml list" >&2
    exit 1
fi

if [ "$(psql -Atc "SELECT count(*) FROM pg_roles WHERE rolname = 'hazina'")" = 0 ]; then
    createuser --no-createdb --no-createrole --no-superuser hazina
fi
# Through standard input, since a command line can be read by everybody on the machine.
psql --quiet --set ON_ERROR_STOP=1 <<SQL
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
ALTER ROLE hazina PASSWORD '$password';
SQL
if [ "$(psql -Atc "SELECT count(*) FROM pg_database WHERE datname = 'hazina'")" = 0 ]; then
    createdb --owner=hazina --template=template0 --encoding=UTF8 --locale=C hazina
fi
# Nobody else's business.
psql --quiet --set ON_ERROR_STOP=1 -c 'REVOKE CONNECT, TEMPORARY ON DATABASE hazina FROM PUBLIC'
echo "hazina owns the database hazina"
