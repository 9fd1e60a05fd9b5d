#!/bin/sh
# Inside the build: installs the requirements of the extras named, from the wheels beside this file if there are any.
set -eu
here=$(dirname "$0")
python3 requirements.py pyproject.toml "$@" > requirements.txt
[ ! -e /run/secrets/ca ] || export PIP_CERT=/run/secrets/ca
[ -n "${PIP_INDEX_URL:-}" ] || unset PIP_INDEX_URL
[ -n "${PIP_EXTRA_INDEX_URL:-}" ] || unset PIP_EXTRA_INDEX_URL
if [ -z "${NO_WHEELS:-}" ] && ls "$here"/*.whl >/dev/null 2>&1; then
    exec pip install -q --no-index --find-links "$here" -c constraints.txt -r requirements.txt
fi
exec pip install -q -c constraints.txt -r requirements.txt
