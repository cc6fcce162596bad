#!/bin/bash
# Builds the fuzz targets and runs each for FUZZ_SECONDS (600 unless set); stops at the first finding.
set -eu
cd "$(dirname "$0")/.."
[ -f build/fuzz/build.ninja ] || cmake --preset fuzz >/dev/null
ninja -C build/fuzz config_fuzz h1_fuzz
for target in config h1; do
  mkdir -p "build/fuzz/found/$target"
  "build/fuzz/${target}_fuzz" -max_total_time="${FUZZ_SECONDS:-600}" -artifact_prefix="build/fuzz/found/$target/" \
    "build/fuzz/found/$target" "fuzz/corpus/$target"
done
