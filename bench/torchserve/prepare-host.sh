#!/usr/bin/env bash
# Packs what a GPU host without Java and without a network needs to run TorchServe, into DIR (default .gpu-host):
#   jre.tar.xz         jre/: a Java 17 runtime made by jlink, with the modules that TorchServe's front end uses
#   torchserve.tar.xz  torchserve/site/: TorchServe and the small packages that it imports, to be put on PYTHONPATH
# The host brings Python with PyTorch and transformers. Needs a JDK 17 with jmods, pip and xz. x86-64 only.
# On the host, with both unpacked in /opt/mpsbench:
#   export JAVA_HOME=/opt/mpsbench/jre PYTHONPATH=/opt/mpsbench/torchserve/site
#   export PATH=/opt/mpsbench/torchserve/site/bin:$PATH
# usage: bench/torchserve/prepare-host.sh [DIR]
set -euo pipefail
readonly directory=${1:-.gpu-host}
# java.desktop for java.beans, which the logging library loads; the rest as the front end asks for them.
readonly modules=java.desktop,java.logging,java.management,java.naming,java.xml,jdk.unsupported,jdk.crypto.ec
# PyYAML works without its compiled part, psutil's is the same for every Python 3.
readonly packages=(torchserve==0.12.0 psutil pyyaml packaging)

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$directory"

make_runtime() {
  local libraries=$scratch/jre/lib
  # Not compressed by jlink: xz does better on the whole.
  jlink --add-modules "$modules" --strip-debug --no-header-files --no-man-pages --compress=0 --output "$scratch/jre"
  # Drawing, printing and sound: a front end has none.
  rm -f "$libraries"/lib{awt,fontmanager,freetype,harfbuzz,javajpeg,jawt,jsound,lcms,mlib_image,splashscreen}*
  strip "$libraries/server/libjvm.so"
}

make_site() {
  local site=$scratch/torchserve/site
  python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: --no-compile \
    --target "$site" "${packages[@]}"
  # The scripts name the Python of this machine.
  sed -i '1s|.*|#!/usr/bin/env python3|' "$site"/bin/*
  store_jar "$site/ts/frontend/model-server.jar"
}

# store_jar FILE: the same archive with nothing compressed in it and without the libraries of other systems, so that xz
# halves it.
store_jar() {
  python3 - "$1" <<'PYTHON'
import re, sys, zipfile
path = sys.argv[1]
foreign = re.compile(r"META-INF/native/.*(windows|osx|macos|aarch|freebsd|linux32)|\.(dll|jnilib)$")
with zipfile.ZipFile(path) as compressed:
    members = [(item, compressed.read(item)) for item in compressed.infolist() if not foreign.search(item.filename)]
with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as stored:
    for item, content in members:
        item.compress_type = zipfile.ZIP_STORED
        stored.writestr(item, content)
PYTHON
}

# pack NAME: the folder NAME of the scratch directory, as NAME.tar.xz.
pack() {
  tar -C "$scratch" --sort=name --owner=0 --group=0 -c "$1" | xz -T0 -6 >"$directory/$1.tar.xz"
}

make_runtime
make_site
pack jre
pack torchserve
du -h "$directory"/{jre,torchserve}.tar.xz
