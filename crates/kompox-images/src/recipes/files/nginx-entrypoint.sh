#!/bin/sh
# Starts nginx as the well-known image does: fills /etc/nginx/templates/*.template with the environment into
# /etc/nginx/conf.d, and runs the executable scripts of /docker-entrypoint.d in their order.
set -eu

# Only variables that are set: $host and the like are nginx's own.
fill_templates() {
    defined=$(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/${\1}/p' | tr '\n' ' ')
    find /etc/nginx/templates/ -name '*.template' | sort | while read -r template; do
        name=${template#/etc/nginx/templates/}
        target=/etc/nginx/conf.d/${name%.template}
        mkdir -p "$(dirname "$target")"
        envsubst "$defined" <"$template" >"$target"
    done
}

case ${1-} in
nginx | nginx-debug)
    fill_templates
    for script in /docker-entrypoint.d/*.sh; do
        if [ -x "$script" ]; then
            "$script"
        fi
    done
    ;;
esac
exec "$@"
