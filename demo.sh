#!/bin/bash
# demo.sh [--keep]
#
# Shows pelican at work: builds it, starts a small federation on this machine (discovery, director, origin, cache, token
# issuer; no network is needed once it is built), and puts, lists, examines, gets and deletes real files in it; then two mistakes and what
# pelican says to them; then the same in the background: the Client API server and its jobs. Everything is below a
# temporary directory, which goes away at the end.
#   --keep   leave federation and server running, and say how to talk to them
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")"

keep=
case ${1-} in
  --keep) keep=yes ;;
  "") ;;
  *) sed -n '2,/^set /{s/^# \{0,1\}//p}' "$0"; exit 2 ;;
esac

. build/packages.sh
. build/dotnet.sh
need_packages "${PUBLISH_PACKAGES[@]}" "${DEMO_PACKAGES[@]}"

work=$(mktemp -d)
federation=
dots=
cleanup() {
  [[ -z $dots ]] || kill "$dots" 2>/dev/null || true
  [[ ! -e $work/home/.pelican/client-api.pid ]] || pelican -q client-api stop || true
  [[ -z $federation ]] || kill "$federation" 2>/dev/null || true
  [[ -z $federation ]] || wait "$federation" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

# build WHAT COMMAND...: runs it, shows that it goes on, and what it said if it fails.
build() {
  local started=$SECONDS status=0
  printf 'Building %s ' "$1"
  while sleep 2 >/dev/null; do printf .; done &
  dots=$!
  "${@:2}" </dev/null >"$work/log" 2>&1 || status=$?
  kill "$dots"
  wait "$dots" 2>/dev/null || true
  dots=
  if ((status != 0)); then
    printf ' failed:\n' && cat "$work/log" >&2
    echo "demo.sh: cannot build $1" >&2
    exit "$status"
  fi
  printf ' %s s\n' "$((SECONDS - started))"
}

build "pelican, which takes a minute or two the first time" ./publish.sh --static-only
build "a small federation" dotnet build tests/Federation/Federation.csproj -c Release -v quiet

dotnet artifacts/bin/Federation/release/federation.dll --root "$work/federation" --state "$work/state" </dev/null &
federation=$!
while [[ ! -s $work/state ]]; do
  kill -0 "$federation" 2>/dev/null || { echo "demo.sh: the federation did not start" >&2; exit 1; }
  sleep 0.1
done
state() { sed -n "s/^$1=//p" "$work/state"; }

export SSL_CERT_FILE
SSL_CERT_FILE=$(state CA_FILE)
# Nothing of the caller's own configuration or tokens plays a part.
unset BEARER_TOKEN BEARER_TOKEN_FILE TOKEN XDG_RUNTIME_DIR _CONDOR_CREDS
while read -r name; do unset "$name"; done < <(compgen -e | grep '^PELICAN_' || true)
mkdir "$work/home"
export HOME=$work/home
PATH=$PWD/dist:$PATH
base=pelican://$(state DISCOVERY_HOST)
repository=$PWD
cd "$work"

bold='' plain=''
if [[ -t 1 ]]; then bold=$'\e[1m' plain=$'\e[0m'; fi
say() { printf '\n%s# %s%s\n' "$bold" "$*" "$plain"; }
run() { printf '%s$ %s%s\n' "$bold" "$*" "$plain"; "$@"; }
fails() {
  local status=0
  run "$@" || status=$?
  printf '(exit status %s)\n' "$status"
  ((status != 0)) || { echo "demo.sh: that should have failed" >&2; exit 1; }
}

say "A federation runs at $base; its authority is in SSL_CERT_FILE. Upload some files:"
run pelican object put "$repository"/*.md "$repository/LICENSE" "$base/demo/tree/"
say "What is there?"
run pelican object ls -l "$base/demo/tree"
run pelican object stat --checksums crc32c "$base/demo/tree/LICENSE"
say "Get it back: one object, several into a directory, one to a pipe."
mkdir got
run pelican object get "$base/demo/tree/LICENSE" licence.txt
run pelican object get "$base/demo/tree/README.md" "$base/demo/tree/CONTRIBUTING.md" got/
run pelican -q object get "$base/demo/tree/LICENSE" - | head -n 3
cmp licence.txt "$repository/LICENSE" && cmp got/README.md "$repository/README.md" && echo "What came back is what was sent."
say "A namespace that takes a token:"
run pelican object put -t "$(state TOKEN_FILE_WRITE)" licence.txt "$base/protected/licence.txt"
run pelican object get -t "$(state TOKEN_FILE_READ)" "$base/protected/licence.txt" again.txt
say "Two mistakes: no token, and an upload over what is there already."
fails pelican object get "$base/protected/licence.txt" secret.txt
fails pelican object put licence.txt "$base/demo/tree/LICENSE"
[[ ! -e secret.txt ]]
say "Jobs in the background: start the Client API server. It goes on when the terminal closes."
run pelican client-api serve
say "Hand it uploads, one and wait, then some more from a loop:"
run pelican object put --async --wait licence.txt "$base/demo/jobs/licence.txt"
for file in got/*.md; do
  run pelican object put --async "$file" "$base/demo/jobs/"
done
say "A download, by its id: --async prints it, and -q nothing else."
printf '%s$ id=$(pelican -q object get --async %s/demo/jobs/licence.txt back.txt)%s\n' "$bold" "$base" "$plain"
id=$(pelican -q object get --async "$base/demo/jobs/licence.txt" back.txt)
ids=()
while read -r one _; do ids+=("$one"); done < <(pelican job list | tail -n +2)
run pelican job wait "${ids[@]}"
run pelican job status "$id"
cmp back.txt licence.txt
run pelican job list
say "Any program can ask it, over its Unix socket:"
run curl -s --unix-socket "$HOME/.pelican/client-api.sock" "http://localhost/api/v1/xfer/jobs?limit=1"
echo
say "Clean up:"
run pelican object delete -r "$base/demo/jobs"
run pelican object delete "$base/demo/tree/LICENSE"
run pelican object ls "$base/demo/tree"

if [[ $keep ]]; then
  say "The federation goes on until you press Ctrl+C. In another terminal:"
  printf 'export SSL_CERT_FILE=%s HOME=%s\n%s/dist/pelican object ls %s/demo/tree\n' "$SSL_CERT_FILE" "$HOME" "$repository" "$base"
  wait "$federation"
fi
run pelican client-api stop
say "Done. The executable is dist/pelican; try: dist/pelican object --help"
