#!/bin/bash
# Installs what building and testing needs, from Debian 12's own packages; does nothing when all is there.
# Usage: install_packages.sh build|test
set -eu
build="g++ cmake ninja-build ccache mold pkg-config libboost1.81-dev libboost-context1.81-dev
  liblua5.4-dev libssl-dev libpcre2-dev libfmt-dev libexpected-dev
  libxxhash-dev libsimdjson-dev libgtest-dev"
test="python3-pytest python3-pytest-xdist curl socat openssl iproute2 lua-cjson lua-socket lua-luaossl clang-format-14 clang-tidy-14"
case "${1:-build}" in
  build) wanted=$build ;;
  test) wanted="$build $test" ;;
  *) echo "usage: $0 build|test" >&2; exit 2 ;;
esac
missing=""
for package in $wanted; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
echo "installing:$missing"
as_root=""
[ "$(id -u)" = 0 ] || as_root=sudo
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
