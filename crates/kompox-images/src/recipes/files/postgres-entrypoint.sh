#!/bin/sh
# Starts PostgreSQL, and makes the database on the first start. It takes the variables of the well-known image:
# POSTGRES_PASSWORD, POSTGRES_USER, POSTGRES_DB, POSTGRES_INITDB_ARGS (each also as NAME_FILE),
# POSTGRES_HOST_AUTH_METHOD, PGDATA; and the scripts in /docker-entrypoint-initdb.d.
# Runs as root, who hands over to `postgres`, or as `postgres` itself; any other user PostgreSQL refuses.
set -eu

fail() {
    echo "postgres image: $*" >&2
    exit 1
}

# Sets $1 to its own value, or to the content of the file that $1_FILE names, or to $2.
take() {
    eval "value=\${$1-} file=\${$1_FILE-}"
    if [ -n "$value" ] && [ -n "$file" ]; then
        fail "$1 and $1_FILE are both set; keep one of them"
    fi
    if [ -n "$file" ]; then
        value=$(cat "$file")
    fi
    : "${value:=$2}"
    eval "$1=\$value"
    unset "$1_FILE"
}

hand_over_to_postgres() {
    mkdir -p "$PGDATA" /run/postgresql
    chmod 0700 "$PGDATA"
    find "$PGDATA" /run/postgresql ! -user postgres -exec chown postgres {} +
    exec gosu postgres "$0" "$@"
}

make_cluster() {
    if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
        fail "the database has no password yet: set POSTGRES_PASSWORD, or POSTGRES_HOST_AUTH_METHOD=trust for none"
    fi
    set -- --username="$POSTGRES_USER"
    if [ -n "$POSTGRES_PASSWORD" ]; then
        passwords=$(mktemp)
        printf '%s\n' "$POSTGRES_PASSWORD" >"$passwords"
        set -- "$@" --pwfile="$passwords"
    fi
    # Split into words on purpose: it is a list of options.
    # shellcheck disable=SC2086
    initdb "$@" $POSTGRES_INITDB_ARGS
    rm -f "${passwords-}"
    echo "host all all all $POSTGRES_HOST_AUTH_METHOD" >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
}

sql() {
    PGHOST='' psql --set ON_ERROR_STOP=1 --no-password --no-psqlrc --username "$POSTGRES_USER" "$@"
}

run_script() {
    echo "postgres image: running $1"
    case $1 in
    *.sh)
        if [ -x "$1" ]; then
            "$1"
        else
            # shellcheck source=/dev/null
            . "$1"
        fi
        ;;
    *.sql) sql --dbname "$POSTGRES_DB" --file "$1" ;;
    *.sql.gz) gunzip -c "$1" | sql --dbname "$POSTGRES_DB" ;;
    *.sql.xz) unxz -c "$1" | sql --dbname "$POSTGRES_DB" ;;
    *) echo "postgres image: passing over $1" ;;
    esac
}

# With a server that listens on its socket only, so that nobody meets a half-made database.
fill_cluster() {
    pg_ctl --wait --options="-c listen_addresses='' -p 5432" start
    if [ "$POSTGRES_DB" != postgres ]; then
        echo 'CREATE DATABASE :"name";' | sql --dbname postgres --set name="$POSTGRES_DB"
    fi
    for script in /docker-entrypoint-initdb.d/*; do
        if [ -e "$script" ]; then
            run_script "$script"
        fi
    done
    pg_ctl --wait --mode=fast stop
}

case ${1-} in
-*) set -- postgres "$@" ;;
esac
if [ "${1-}" != postgres ]; then
    exec "$@"
fi
# Before the hand-over: a secret may be readable by root only.
take POSTGRES_PASSWORD ''
take POSTGRES_USER postgres
take POSTGRES_DB "$POSTGRES_USER"
take POSTGRES_INITDB_ARGS ''
: "${POSTGRES_HOST_AUTH_METHOD:=scram-sha-256}"
export POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB POSTGRES_INITDB_ARGS POSTGRES_HOST_AUTH_METHOD
if [ "$(id -u)" = 0 ]; then
    hand_over_to_postgres "$@"
fi
if [ -s "$PGDATA/PG_VERSION" ]; then
    echo "postgres image: $PGDATA holds a database"
else
    make_cluster
    fill_cluster
    echo "postgres image: $PGDATA is ready for its first start"
fi
exec "$@"
