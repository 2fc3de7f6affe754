#!/bin/sh
# Starts Redis as the well-known image does: options or a configuration file alone are for redis-server, and root
# hands over to `redis`.
set -eu

case ${1-} in
-* | *.conf) set -- redis-server "$@" ;;
esac
if [ "${1-}" != redis-server ]; then
    exec "$@"
fi
if [ "$(id -u)" = 0 ]; then
    find . ! -user redis -exec chown redis {} +
    exec gosu redis "$0" "$@"
fi
shift
# The well-known image is built without protected mode; Debian's would refuse every other container. What the
# user says comes later, and so counts.
case ${1-} in
'' | -*) exec redis-server --protected-mode no "$@" ;;
esac
configuration=$1
shift
exec redis-server "$configuration" --protected-mode no "$@"
