#!/bin/bash
# The linters that .ci/run asks: rooms, format, clang-tidy on what changed against a base (all with ALL=1).
set -u
cd "$(dirname "$0")/.." || exit 2
failed=0
/usr/bin/python3 tools/check_rooms.py || failed=1
mapfile -t sources < <(git ls-files 'src/*.cc' 'src/*.h' 'fuzz/*.cc' 'bench/*.cc')
clang-format-14 --dry-run --Werror "${sources[@]}" || failed=1
if [ -n "${ALL:-}" ]; then
  [ -f build/release/compile_commands.json ] || cmake --preset release >/dev/null || exit 1
  git ls-files 'src/*.cc' | xargs -P "$(nproc)" -n 4 clang-tidy-14 -p build/release --quiet 2>/dev/null || failed=1
fi
exit $failed
