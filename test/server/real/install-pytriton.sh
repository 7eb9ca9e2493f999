#!/usr/bin/env bash
# Installs PyTriton, which brings a whole Triton server, for the tests that run the real program: once, into
# .cache/pytriton/venv of the checkout. It needs no GPU; the wheel is large (about 200 MB).
set -euo pipefail
cd "$(dirname "$0")/../../.."
readonly venv=.cache/pytriton/venv
readonly packages=(nvidia-pytriton==0.7.0)

if [ -e "$venv/installed" ]; then
  exit 0
fi
rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"
"$venv/bin/python" -c 'import pytriton; print("PyTriton", pytriton.__version__)'
touch "$venv/installed"
