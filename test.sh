#!/bin/bash
# test.sh [--suite bookworm|trixie|sid] [--filter EXPR]
#
# The gate: format, build without a warning, publish, and every test, those of the published executables included.
#   --suite    the Debian release whose XRootD the tests run against; bookworm if not given
#   --filter   only some tests: a class (BackoffTests), or a path as TUnit understands it ("/*/*/*PublishedTests/*")
# The last line says how many tests passed and failed; the status is 0 only if some did and none failed.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() { sed -n '2,/^set /{s/^# \{0,1\}//p}' "$0"; }

suite=bookworm
filter=
while (($#)); do
  case $1 in
    --suite) suite=${2-}; shift 2 || { usage >&2; exit 2; } ;;
    --filter) filter=${2-}; shift 2 || { usage >&2; exit 2; } ;;
    -h | --help) usage; exit ;;
    *) usage >&2; exit 2 ;;
  esac
done
case $suite in
  bookworm | trixie | sid) ;;
  *) echo "test.sh: unknown suite '$suite': bookworm, trixie or sid" >&2; exit 2 ;;
esac
[[ -z $filter || $filter == /* ]] || filter="/*/*/$filter/*"

# Whoever reads only the last line learns of a gate that ended before any test ran.
summary="0 passed, 1 failed"
trap 'echo "$summary"' EXIT

. build/packages.sh
. build/dotnet.sh
need_packages "${PUBLISH_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
tests/xrootd/xrootd.sh install --suite "$suite"

step() { echo "== $*" >&2; }

step "format"
dotnet restore pelican.slnx -v quiet </dev/null
dotnet format pelican.slnx --no-restore --verify-no-changes </dev/null

step "build"
dotnet build pelican.slnx --no-restore -c Release -v quiet </dev/null

step "publish"
./publish.sh

step "test"
log=$(mktemp)
trap 'rm -f "$log"; echo "$summary"' EXIT
status=0
PELICAN_EXE=$PWD/dist/pelican PELICAN_XROOTD_SUITE=$suite \
  dotnet run --no-build -c Release --project tests/pelican.Tests.csproj -- \
  --no-ansi --progress off --timeout 15m ${filter:+--treenode-filter "$filter"} </dev/null 2>&1 | tee "$log" || status=$?

# TUnit's own summary: "  total: 5", "  failed: 0", "  succeeded: 5", "  skipped: 0".
count() { sed -n "s/^ *$1: \([0-9]*\)\$/\1/p" "$log" | tail -n 1; }
passed=$(count succeeded)
failed=$(count failed)
skipped=$(count skipped)
if [[ -z $passed || -z $failed ]]; then
  echo "test.sh: the test runner ended without a summary, status $status" >&2
  exit 1
fi

summary="$passed passed, $failed failed"
((${skipped:-0} == 0)) || summary+=", $skipped skipped"
if ((status == 0 && (failed > 0 || passed == 0))); then
  status=1
fi
exit "$status"
