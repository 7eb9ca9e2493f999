#!/usr/bin/env bash
# Installs MLServer for the tests that run the real program, once, into .cache/mlserver/venv of the checkout. Its models
# here are plain NumPy. Its workers do not start with uvloop 0.22; compiled modules, a third of its size, are left out.
set -euo pipefail
cd "$(dirname "$0")/../../.."
readonly venv=.cache/mlserver/venv
readonly packages=(mlserver==1.7.1 'uvloop<0.22')

if [ -e "$venv/installed" ]; then
  exit 0
fi
rm -rf "$venv"
python3 -m venv "$venv"
if ! "$venv/bin/pip" install --quiet --no-compile --disable-pip-version-check "${packages[@]}"; then
  echo "MLServer cannot be had for this machine ($(uname -m), $(python3 --version)): its tests are skipped" >&2
  exit 0
fi
"$venv/bin/mlserver" --version
touch "$venv/installed"
