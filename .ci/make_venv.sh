#!/bin/sh
# Make .venv in the checkout. Debian splits venv off Python, so as root on Debian or Ubuntu it is installed when missing.
# Usage: make_venv.sh FOLDER
set -eu
folder="$1"
python="$(sh "$(dirname "$0")/find_python.sh")"
echo "== .venv: made by $python ($("$python" -c 'import platform; print(platform.python_version())'))"
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    version="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "== python$version-venv is missing: apt-get installs it"
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "python$version-venv"
    else
        echo "Python has no venv module. Install it first: sudo apt-get install python$version-venv" >&2
        exit 1
    fi
fi
"$python" -m venv "$folder"
