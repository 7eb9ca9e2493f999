#!/usr/bin/env bash
# Installs LitServe for the tests that run the real program, once, into .cache/litserve/venv of the checkout.
# Its models here are plain Python, so PyTorch is left out.
set -euo pipefail
cd "$(dirname "$0")/../../.."
readonly venv=.cache/litserve/venv
readonly package=litserve==0.2.19

if "$venv/bin/python" -c 'import litserve' >/dev/null 2>&1; then
  exit 0
fi
rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check "$package"
"$venv/bin/python" -c 'import litserve; print("LitServe", litserve.__version__)'
