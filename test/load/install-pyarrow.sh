#!/usr/bin/env bash
# Installs pyarrow for the test that reads a file of raw rows with another library, once, into .cache/pyarrow/venv.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly venv=.cache/pyarrow/venv

if "$venv/bin/python" -c 'import pyarrow' >/dev/null 2>&1; then
  exit 0
fi
rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --only-binary=:all: pyarrow
"$venv/bin/python" -c 'import pyarrow; print("pyarrow", pyarrow.__version__)'
