#!/bin/sh
# Print the first Python >= 3.10 that really runs (a pyenv shim may exist and not run); 3.11 is what we develop on.
for name in ${PYTHON:-} python3.11 python3.12 python3 python3.13 python3.10; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; then
        command -v "$name"
        exit 0
    fi
done
echo "No Python 3.10 or newer was found. Install one, or name it: make PYTHON=/path/to/python3.11 ..." >&2
exit 1
