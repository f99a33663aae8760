#!/usr/bin/env bash
# bench.sh [--suite bookworm|trixie|sid] [--rounds N] [--directory DIRECTORY] [--against EXECUTABLE] [NAME...]
#
# Measures pelican against curl, rclone, aria2c and davix, against real XRootD on this machine, and prints a table for
# each row named; without names, for all: startup, get-1g, put-1g, small, tree, and those about the Client API server:
# submit, loop, status, list, memory. What they are: docs/performance.md. With --against, another executable of pelican is
# measured beside this one, an older one for example.
set -euo pipefail
export BENCH_FROM=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"

case ${1-} in
  -h | --help) sed -n '2,/^set /{s/^# \{0,1\}//p}' "$0"; exit ;;
esac

. build/packages.sh
. build/dotnet.sh

need_packages "${PUBLISH_PACKAGES[@]}" "${BENCH_PACKAGES[@]}"
./publish.sh --static-only
dotnet build tests/Federation -c Release -v quiet
# The interpreter is named because others, of pyenv for one, may be in front of it in PATH.
exec /usr/bin/python3 tests/bench/bench.py "$@"
