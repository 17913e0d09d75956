#!/usr/bin/env bash
# Makes the desk's user and its empty database, once, on the node that is the leader (docs/scale.md).
# Run it as root. It changes nothing that is there already, except the user's password.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PGHOST=${PGHOST:-/var/run/postgresql} PGUSER=postgres PGDATABASE=postgres
cd /

fail() {
    echo "make-database: $*" >&2
    exit 1
}

as_postgres() {
    runuser -u postgres -- "$@"
}

answer() {
    as_postgres psql --no-psqlrc -Atc "$1"
}

password=$(sed -n 's/^HAZINA_PASSWORD=//p' "${PASSWORDS:-$HERE/passwords}")
[ -n "$password" ] || fail "passwords has no HAZINA_PASSWORD"
[ "$(answer 'SELECT pg_is_in_recovery()')" = f ] ||
    fail "this node is no leader: patronictl -c /etc/patroni/patroni.yml list"

if [ "$(answer "SELECT count(*) FROM pg_roles WHERE rolname = 'hazina'")" = 0 ]; then
    as_postgres createuser --no-createdb --no-createrole --no-superuser hazina
fi
# Through standard input, since everybody on a machine can read its command lines.
as_postgres psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 <<SQL
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
ALTER ROLE hazina PASSWORD '$password';
SQL
if [ "$(answer "SELECT count(*) FROM pg_database WHERE datname = 'hazina'")" = 0 ]; then
    as_postgres createdb --owner=hazina --template=template0 --encoding=UTF8 --locale=C hazina
fi
answer 'REVOKE CONNECT, TEMPORARY ON DATABASE hazina FROM PUBLIC' >/dev/null
echo "hazina owns the database hazina"
