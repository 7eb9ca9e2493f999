#!/usr/bin/env bash
# Installs TorchServe for the tests that run the real program, once, into .cache/torchserve/venv of the checkout.
# PyTorch is left out: a worker imports it for one class only, which the tests' archives bring as a stub.
set -euo pipefail
cd "$(dirname "$0")/../../.."
readonly venv=.cache/torchserve/venv
readonly packages=(torchserve==0.12.0 torch-model-archiver==0.12.0 pyyaml)

if "$venv/bin/torchserve" --version >/dev/null 2>&1; then
  exit 0
fi
if ! command -v java >/dev/null; then
  echo 'TorchServe needs Java 17: apt-get install openjdk-17-jre-headless' >&2
  exit 1
fi
rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"
"$venv/bin/torchserve" --version
