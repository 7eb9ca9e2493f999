#!/bin/sh
# Makes encoder_kernels.ptx from encoder_kernels.cu. Needs nvcc and ptxas of any CUDA 12 or 13; run it after a change of
# the kernels or of counter_hash.h and commit the result.
#
# nvcc heads its PTX with the newest version that it knows, which an older driver refuses. The code needs no more than
# PTX 6.0 for sm_70 (Volta, driver 384), so the head is lowered to that, and ptxas checks that the claim holds.
set -eu
cd "$(dirname "$0")"
made=$(mktemp)
trap 'rm -f "$made"' EXIT

nvcc -ptx -arch=compute_75 -std=c++17 -O3 -o "$made" encoder_kernels.cu
{
  echo "// Made by make-ptx.sh; do not edit. The sources it was made from, as sha256:"
  for source in encoder_kernels.cu counter_hash.h; do
    echo "// $source $(sha256sum "$source" | cut -d ' ' -f 1)"
  done
  grep -v '^//' "$made" | sed -e 's/^\.version .*/.version 6.0/' -e 's/^\.target .*/.target sm_70/'
} > encoder_kernels.ptx

for architecture in sm_75 sm_80 sm_90 sm_100; do
  ptxas -arch="$architecture" -v -o /dev/null encoder_kernels.ptx 2>&1 |
    grep -E 'Compiling entry|registers|error' || ptxas -arch="$architecture" -o /dev/null encoder_kernels.ptx
done
