#!/usr/bin/env bash
#
# xrootd.sh - real XRootD servers and a token issuer on 127.0.0.1, for tests and benchmarks
#
#   xrootd.sh install [--suite S]     get XRootD (bookworm: as root, by apt; the others: unpacked privately)
#   xrootd.sh start DIR [--suite S] [--owner PID] [--no-trace]
#   xrootd.sh down DIR NAME [--kill]  stop one server (--kill: without warning, by SIGKILL)
#   xrootd.sh up DIR NAME             start it again on its port
#   xrootd.sh stop DIR [--remove]     stop all; --remove: and delete DIR
#   xrootd.sh token DIR [--scope S] [--expires SECONDS] [--not-before SECONDS] [--subject S] [--audience A]
#                       [--issuer URL] [--profile wlcg|scitokens] [--bad-signature]
#
# Servers (NAME):
#   issuer          HTTPS: discovery document and keys (ES256)
#   http            plain HTTP origin, no authorization: everything by all
#   https, https2   TLS origins: /public read by all, /open everything by all, /protected (and writing to
#                   /public) by token; third-party copy
#   cache, cache2   TLS caching proxies in front of https, same rules
#
# Suites: bookworm is Debian 12's own package (XRootD 5.5); trixie (5.8) and sid (6.x) are Debian packages of later
# releases, unpacked below $PELICAN_XROOTD_HOME and run from there by their own loader: nothing of the system changes.
# The default is $PELICAN_XROOTD_SUITE, else bookworm.
#
# DIR/env has the results as KEY=VALUE lines: URLs, PIDs, data directories, logs, tokens. Servers log every request
# unless --no-trace is given. With --owner they stop, and DIR is deleted, when that process has ended. As root they
# run as the user xrootd, or nobody. Exit status 3: something must be installed first; the message says how.

set -euo pipefail

HERE=$(dirname "$(readlink -f "$0")")
SUITE=${PELICAN_XROOTD_SUITE:-bookworm}
# What lies in /root the servers, who are not root, could not read.
if [ "$(id -u)" = 0 ]; then CACHES=/var/cache; else CACHES=${XDG_CACHE_HOME:-$HOME/.cache}; fi
PRIVATE=${PELICAN_XROOTD_HOME:-$CACHES/pelican-tests/xrootd}
PYTHON=/usr/bin/python3
SERVERS="http https https2 cache cache2"
PACKAGES="xrootd-server xrootd-plugins xrootd-server-plugins xrootd-scitokens-plugins"

say() { echo "xrootd.sh: $*" >&2; }
die() { say "$*"; exit 1; }
usage() { sed -n '3,/^$/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
not_installed() { say "$1; run: $HERE/xrootd.sh install --suite $SUITE"; exit 3; }

upper() { tr '[:lower:]' '[:upper:]' <<<"$1"; }
port_of() { cat "$DIR/run/$1/port"; }
url_of() { if [ "$1" = http ]; then echo -n http; else echo -n https; fi; echo "://localhost:$(port_of "$1")"; }
known() { case " issuer $SERVERS " in *" $1 "*) ;; *) die "no server '$1': issuer $SERVERS";; esac; }

# ---- installation

libraries() { echo "$PRIVATE/$SUITE/usr/lib/$(uname -m)-linux-gnu"; }

# The words that run this suite's xrootd, one a line.
xrootd_command() {
  case $SUITE in
    bookworm) echo /usr/bin/xrootd ;;
    *) printf '%s\n' "$(libraries)"/ld-linux-*.so.? --library-path "$(libraries)" "$PRIVATE/$SUITE/usr/bin/xrootd" ;;
  esac
}

find_xrootd() {
  case $SUITE in bookworm|trixie|sid) ;; *) die "no suite '$SUITE': bookworm, trixie or sid";; esac
  mapfile -t XROOTD < <(xrootd_command)
  [ -x "${XROOTD[-1]}" ] || return 1
  VERSION=$("${XROOTD[@]}" -v 2>&1 | sed -n 's/^v//p' | head -1)
}

at_least() { [ "$(printf '%s\n' "$1" "$VERSION" | sort -V | head -1)" = "$1" ]; }

check_host() {
  local name
  for name in "$PYTHON" openssl flock; do
    command -v "$name" >/dev/null || not_installed "$name is missing"
  done
  find_xrootd || not_installed "XRootD ($SUITE) is not installed"
  for name in localhost "$(hostname)"; do
    getent hosts "$name" >/dev/null ||
      die "the name '$name' does not resolve, and XRootD needs it; add the line '127.0.0.1 $name' to /etc/hosts"
  done
}

cmd_install() {
  while [ $# -gt 0 ]; do case $1 in
    --suite) SUITE=${2:?}; shift 2 ;;
    *) usage ;;
  esac; done
  find_xrootd || true
  local missing=() package wanted="python3 openssl util-linux ca-certificates"
  [ "$SUITE" != bookworm ] || wanted+=" $PACKAGES"
  for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    [ "$(id -u)" = 0 ] || die "only root can install: ${missing[*]}"
    apt-get -qq update
    # No service starts by this: Debian's units for xrootd are templates, enabled by nobody.
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
  fi
  [ "$SUITE" = bookworm ] || [ -e "$PRIVATE/$SUITE/.complete" ] || unpack
  find_xrootd || die "the installation of $SUITE failed"
  say "XRootD $VERSION ($SUITE) is ready"
}

# Unpacks another release's xrootd with all its libraries (libc too), by apt's ordinary client with state of its own.
unpack() {
  local apt=$PRIVATE/apt-$SUITE mirror archive
  rm -rf "$apt" "${PRIVATE:?}/$SUITE"
  mkdir -p "$apt"/{lists,archives}/partial "$PRIVATE/$SUITE"
  : > "$apt/status"
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
    awk '$2 !~ /security/ {print $1; exit}')
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:?} $SUITE main" > "$apt/sources.list"
  # Valid-Until: a mirror's copy of sid may be weeks old.
  local private=(-qq -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::State::lists="$apt/lists" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt"
    -o Acquire::Languages=none -o Acquire::Check-Valid-Until=false -o APT::Sandbox::User=root -o Debug::NoLocking=1)
  apt-get "${private[@]}" update
  # shellcheck disable=SC2086
  apt-get "${private[@]}" install -y --no-install-recommends --download-only $PACKAGES >/dev/null
  for archive in "$apt"/archives/*.deb; do dpkg-deb -x "$archive" "$PRIVATE/$SUITE"; done
  touch "$PRIVATE/$SUITE/.complete"
  rm -rf "$apt"
}

# ---- certificates and tokens

make_certificates() {
  local d=$DIR/ca
  mkdir -p "$d"
  openssl ecparam -name prime256v1 -genkey -noout -out "$d/ca.key"
  openssl req -x509 -new -key "$d/ca.key" -sha256 -days 30 -subj "/O=pelican tests/CN=test CA" -out "$d/ca.pem" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
  openssl ecparam -name prime256v1 -genkey -noout -out "$d/host.key"
  printf '%s\n' basicConstraints=CA:FALSE keyUsage=digitalSignature extendedKeyUsage=serverAuth,clientAuth \
    "subjectAltName=DNS:localhost,DNS:$(hostname),IP:127.0.0.1,IP:::1" > "$d/extensions"
  openssl req -new -key "$d/host.key" -subj "/O=pelican tests/CN=localhost" |
    openssl x509 -req -CA "$d/ca.pem" -CAkey "$d/ca.key" -set_serial 1 -sha256 -days 30 \
      -extfile "$d/extensions" -out "$d/host.pem" 2>/dev/null
}

make_keys() {
  local d=$DIR/issuer x y
  mkdir -p "$d"
  openssl ecparam -name prime256v1 -genkey -noout -out "$d/key.pem"
  # An EC public key in DER ends with the uncompressed point: 32 bytes x, 32 bytes y.
  openssl ec -in "$d/key.pem" -pubout -outform DER -out "$d/key.der" 2>/dev/null
  x=$(tail -c 64 "$d/key.der" | head -c 32 | base64url)
  y=$(tail -c 32 "$d/key.der" | base64url)
  sha256sum "$d/key.der" | cut -c1-16 > "$d/kid"
  printf '{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":"%s","x":"%s","y":"%s"}]}\n' \
    "$(cat "$d/kid")" "$x" "$y" > "$d/issuer.jwks"
}

base64url() { base64 -w0 | tr '+/' '-_' | tr -d '='; }

cmd_token() {
  [ $# -ge 1 ] || usage
  load_state "$1"
  "$PYTHON" "$HERE/tokens.py" "$DIR/issuer" "${@:2}"
}

# ---- configurations

write_rules() {
  printf 'u * /public lr /open a\n' > "$DIR/conf/authfile"
  printf '%s\n' '[Global]' 'audience = https://wlcg.cern.ch/jwt/v1/any' \
    '[Issuer tests]' "issuer = $(url_of issuer)" 'base_path = /protected, /public' > "$DIR/conf/scitokens.cfg"
}

configuration() { # NAME
  [ "$1" != issuer ] || return 0
  local digests="crc32c md5 adler32 crc32"
  case $1 in cache*) at_least 5.6 || digests="md5 adler32 crc32";; esac  # 5.5's proxy refuses to start with crc32c
  cat <<EOF
all.role server
all.export /
all.adminpath $DIR/run/$1
all.pidpath $DIR/run/$1
xrd.port @PORT@
xrd.protocol http:@PORT@ libXrdHttp.so
xrd.network nodnr
xrd.sched mint 8 maxt 256
xrootd.chksum max 2 $digests
EOF
  [ -z "$TRACE" ] || printf '%s\n' "http.trace all" "xrd.trace conn" "tpc.trace all"
  # Since 5.9.3 copies between loopback addresses are refused otherwise.
  if at_least 5.9.3; then printf '%s\n' "tpc.allow local" "tpc.allow private"; fi
  case $1 in
    http)
      echo "oss.localroot $DIR/data/http"
      # What sendfile sends is not in the log.
      [ -z "$TRACE" ] || echo "xrootd.async off nosf"
      # Before 5.7 a plain server cannot load this: no COPY there.
      if at_least 5.7; then echo "http.exthandler xrdtpc +notls libXrdHttpTPC.so"; fi ;;
    https*)
      tls_and_tokens "$1"
      printf '%s\n' "oss.localroot $DIR/data/$1" "http.exthandler xrdtpc libXrdHttpTPC.so" ;;
    cache*)
      tls_and_tokens "$1"
      cat <<EOF
oss.localroot $DIR/data/$1/ns
oss.space data $DIR/data/$1/data
oss.space meta $DIR/data/$1/meta
ofs.osslib libXrdPss.so
ofs.ckslib * libXrdPss.so
pss.cachelib libXrdPfc.so
pss.origin 127.0.0.1:$(port_of https)
pfc.spaces data meta
pfc.blocksize 128k
pfc.prefetch 0
pfc.ram 1g
pfc.writequeue 16 4
pfc.diskusage 0.98 0.99
EOF
  esac
}

tls_and_tokens() { # NAME
  cat <<EOF
xrd.tls $DIR/ca/host.pem $DIR/run/$1/host.key
xrd.tlsca certfile $DIR/ca/ca.pem
http.header2cgi Authorization authz
xrootd.seclib libXrdSec.so
sec.protbind * none
ofs.authorize 1
acc.audit deny grant
acc.authdb $DIR/conf/authfile
ofs.authlib ++ libXrdAccSciTokens.so config=$DIR/conf/scitokens.cfg
scitokens.trace error warning info
EOF
  if at_least 6.0; then echo "http.tlsclientauth off"; fi
}

# ---- processes

# The command line must name DIR: the PID of a server that has gone may belong to anybody by now.
alive() { # NAME
  local pid
  pid=$(cat "$DIR/run/$1/pid" 2>/dev/null) || return 1
  { tr '\0' ' ' < "/proc/$pid/cmdline"; } 2>/dev/null | grep -qF "$DIR/"
}

# Whether all threads of a process have ended, its sockets closed: a zombie counts, it waits only for its parent.
gone() { # PID
  local status
  status=$(cat "/proc/$1/status" 2>/dev/null) || return 0
  grep -q '^State:.[ZX]' <<<"$status" && grep -q '^Threads:.1$' <<<"$status"
}

end() { # NAME SIGNAL
  local pid i
  if alive "$1"; then
    pid=$(cat "$DIR/run/$1/pid")
    kill "-$2" "$pid" 2>/dev/null || true
    for ((i = 0; i < 500; i++)); do
      ! gone "$pid" || break
      [ $i -ne 250 ] || kill -KILL "$pid" 2>/dev/null || true
      sleep 0.02
    done
  fi
  rm -f "$DIR/run/$1/pid"
}

end_all() {
  local name
  # The caches first: they hold connections to an origin.
  for name in cache2 cache https2 https http issuer; do end "$name" TERM; done
  rm -f "$DIR/env"
}

watch() { # PID
  mkdir -p "$DIR/run/watch"
  "$PYTHON" "$HERE/watch.py" "$1" "$HERE/xrootd.sh" "$DIR/" </dev/null >/dev/null 2>&1 9>&- &
  echo $! > "$DIR/run/watch/pid"
}

# A cache's own client asks a dead origin for 480 s, and whoever asks the cache hears nothing meanwhile; tests cannot.
ORIGIN_PATIENCE=(XRD_CONNECTIONWINDOW=5 XRD_CONNECTIONRETRY=1 XRD_STREAMERRORWINDOW=5 XRD_STREAMTIMEOUT=5
  XRD_REQUESTTIMEOUT=10 XRD_TIMEOUTRESOLUTION=1)

start_server() { # NAME PORT
  local name=$1 run=$DIR/run/$1 log=$DIR/log/$1.log conf=$DIR/conf/$1.cfg i before command
  mkdir -p "$run/keys" "$DIR/data/$name"
  install -m 600 "$DIR/ca/host.key" "$run/host.key"
  command=("${XROOTD[@]}" -c "$conf" -n "$name")
  case $name in
    issuer)
      # A copy: the server, who is not root, may not be able to read this script's directory, as below /root.
      install -m 644 "$HERE/issuer.py" "$DIR/issuer/issuer.py"
      command=("$PYTHON" "$DIR/issuer/issuer.py" "$DIR/issuer/issuer.jwks" "$DIR/ca/host.pem" "$run/host.key") ;;
    http) ;;
    https*) mkdir -p "$DIR/data/$name"/{public,protected,open}; seed_keys "$run/keys" ;;
    cache*) mkdir -p "$DIR/data/$name"/{ns,data,meta}; seed_keys "$run/keys" ;;
  esac
  configuration "$name" > "$run/template"
  touch "$log"
  before=$(stat -c %s "$log")
  [ -z "$RUN_AS" ] || chown -R "$RUN_AS:" "$run" "$DIR/data/$name"
  env "${ORIGIN_PATIENCE[@]}" HOME="$run" XDG_CACHE_HOME="$run/keys" X509_CERT_FILE="$DIR/ca/ca.pem" \
    "$PYTHON" "$HERE/launch.py" "$RUN_AS" "$2" "$conf" "$run" "${command[@]}" \
    <"$run/template" >>"$log" 2>&1 9>&- &
  echo $! > "$run/pid"
  for ((i = 0; i < 1500; i++)); do
    if tail -c "+$((before + 1))" "$log" | grep -qE '(------ xrootd .*|^issuer) initialization completed'; then
      return
    fi
    kill -0 $! 2>/dev/null || break
    sleep 0.02
  done
  tail -25 "$log" >&2
  die "the server $name did not start; its log is $log"
}

# Not needed since 5.6.3, which fetches them itself.
seed_keys() { # DIRECTORY
  at_least 5.6.3 || "$PYTHON" "$HERE/seedkeys.py" "$1" "$(url_of issuer)" "$DIR/issuer/issuer.jwks"
}

start_together() { # NAME...: on any ports
  local name jobs=() job failed=
  for name in "$@"; do start_server "$name" 0 & jobs+=($!); done
  for job in "${jobs[@]}"; do wait "$job" || failed=yes; done
  [ -z "$failed" ] || exit 1
}

write_env() {
  local name
  {
    printf '%s\n' "SUITE=$SUITE" "VERSION=$VERSION" "CA_FILE=$DIR/ca/ca.pem" "ISSUER_KEY=$DIR/issuer/key.pem" \
      "ISSUER_KID=$(cat "$DIR/issuer/kid")" \
      "SERVER_UID=$(id -u ${RUN_AS:+"$RUN_AS"})" "SERVER_GID=$(id -g ${RUN_AS:+"$RUN_AS"})"
    for name in issuer $SERVERS; do
      printf "$(upper "$name")_%s\n" "URL=$(url_of "$name")" "PID=$(cat "$DIR/run/$name/pid")" \
        "DATA=$DIR/data/$name" "LOG=$DIR/log/$name.log"
    done
    "$PYTHON" "$HERE/tokens.py" "$DIR/issuer" --set
  } > "$DIR/env.new"
  mv "$DIR/env.new" "$DIR/env"
}

# ---- commands

lock() { exec 9>"$DIR/lock"; flock 9; }

load_state() { # DIR
  DIR=$(readlink -f "$1")
  [ -s "$DIR/state" ] || die "nothing was ever started in $1"
  # shellcheck source=/dev/null
  . "$DIR/state"
}

cmd_start() {
  [ $# -ge 1 ] || usage
  local directory=$1 owner='' name
  TRACE=yes RUN_AS=
  shift
  while [ $# -gt 0 ]; do case $1 in
    --suite) SUITE=${2:?}; shift 2 ;;
    --owner) owner=${2:?}; shift 2 ;;
    --no-trace) TRACE=; shift ;;
    *) usage ;;
  esac; done
  check_host
  if [ "$(id -u)" = 0 ]; then RUN_AS=$(id -un xrootd 2>/dev/null || echo nobody); fi
  umask 022
  mkdir -p "$directory"
  DIR=$(readlink -f "$directory")
  lock
  for name in issuer $SERVERS; do ! alive "$name" || die "servers already run in $DIR; stop them first"; done
  rm -rf "$DIR"/{run,log,conf,ca,issuer}
  mkdir -p "$DIR"/{run,log,data,conf}
  chmod 755 "$DIR"
  [ -z "$RUN_AS" ] || setpriv --reuid "$RUN_AS" --regid "$(id -g "$RUN_AS")" --clear-groups test -x "$DIR/conf" ||
    die "the user $RUN_AS cannot reach $DIR: a directory above is closed to it"
  printf '%s=%q\n' SUITE "$SUITE" RUN_AS "$RUN_AS" TRACE "$TRACE" > "$DIR/state"
  # From here on nothing may stay behind, whatever happens: first the watch, then what it watches.
  [ -z "$owner" ] || watch "$owner"
  trap '[ $? = 0 ] || end_all' EXIT
  make_certificates
  make_keys
  start_server issuer 0
  url_of issuer > "$DIR/issuer/url"
  write_rules
  start_together http https https2
  start_together cache cache2
  write_env
  say "XRootD $VERSION ($SUITE) runs; see $DIR/env"
}

cmd_stop() {
  [ $# -ge 1 ] || usage
  [ -s "$1/state" ] || return 0
  load_state "$1"
  lock
  end_all
  # The watch may be who calls: it has become this script.
  [ "$(cat "$DIR/run/watch/pid" 2>/dev/null)" = $$ ] || end watch TERM
  [ "${2:-}" != --remove ] || rm -rf "$DIR"
}

cmd_down() {
  [ $# -ge 2 ] || usage
  known "$2"
  load_state "$1"
  lock
  if [ "${3:-}" = --kill ]; then end "$2" KILL; else end "$2" TERM; fi
}

cmd_up() {
  [ $# = 2 ] || usage
  known "$2"
  load_state "$1"
  lock
  ! alive "$2" || return 0
  find_xrootd || not_installed "XRootD ($SUITE) is not installed"
  start_server "$2" "$(port_of "$2")"
  sed -i "s/^\($(upper "$2")_PID\)=.*/\1=$(cat "$DIR/run/$2/pid")/" "$DIR/env"
}

case ${1:-} in
  install|start|stop|down|up|token) "cmd_$1" "${@:2}" ;;
  *) usage ;;
esac
