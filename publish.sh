#!/bin/bash
# publish.sh [--static-only]
#
# Makes the executables, for Linux on x86-64:
#   dist/pelican             one file that needs nothing of its host
#   dist/pelican-glibc2.17   the same program on the host's C library, 2.17 or later: for hosts whose users or names come
#                            from LDAP, SSSD or mDNS, which a static program cannot ask
#   dist/*.dbg               their symbols, for a debugger; not to be shipped
# Does nothing for those whose sources, packages and SDK are the same as last time.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")"
. build/packages.sh
. build/dotnet.sh

readonly FLOOR=2.17
readonly MAX_BYTES=25000000

usage() { sed -n '2,/^set /{s/^# \{0,1\}//p}' "$0"; }

die() {
  echo "publish.sh: $*" >&2
  exit 1
}

# What the executables are made of: the sources, and the versions of whatever compiles them or is linked in.
inputs() {
  find . \( -path ./artifacts -o -path ./dist -o -path ./docs -o -path ./tests -o -name '.?*' -o -name bin -o -name obj \) -prune \
    -o -type f \( -name '*.cs' -o -name '*.csproj' -o -name openapi.json -o -name 'Directory.*' -o -name global.json -o -path './build/native/*' \
    -o -path ./publish.sh \) -print0 | sort -z | xargs -0 sha256sum
  dotnet --version
  gcc --version
  dpkg-query -W "${PUBLISH_PACKAGES[@]}"
}

# prepare LINKAGE: what the linker needs beside the program.
prepare() {
  local out=artifacts/native/$1
  local -a cc=(gcc -O2 -Wall -Wextra -Werror -c)
  # -fno-builtin here and below: functions are declared with the types of the linker, not of the headers.
  "${cc[@]}" -fno-builtin build/native/unused.c -o "$out/unused.o"
  "${cc[@]}" build/native/address_space.c -o "$out/address_space.o"
  case $1 in
    static) "${cc[@]}" build/native/static_glibc.c -o "$out/static_glibc.o" ;;
    *)
      build/native/glibc-floor/mkstub "$FLOOR" "$out/stubs"
      "${cc[@]}" build/native/glibc-floor/crt1.S -o "$out/crt1.o"
      "${cc[@]}" -fPIC -fno-builtin build/native/glibc-floor/compat.c -o "$out/compat.o"
      ;;
  esac
}

check_static() {
  [[ $(LC_ALL=C ldd "$1" 2>&1) == *"not a dynamic executable"* ]] || die "$1 is not static: $(ldd "$1" 2>&1)"
}

check_floor() {
  local newest needed
  newest=$(objdump -T "$1" | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1)
  [[ $(printf '%s\n' "$newest" "GLIBC_$FLOOR" | sort -V | tail -n 1) == "GLIBC_$FLOOR" ]] || die "$1 needs $newest"
  needed=$(readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -Ev '^(lib(c|m|dl|rt|pthread)\.so\.|ld-linux)' || true)
  [[ -z $needed ]] || die "$1 needs $needed"
}

# forget_shims: drops what cmake made of the SDK's sources for another place, SDK or NuGet folder (another HOME has another):
# it would refuse to go on there.
forget_shims() {
  local stamp=artifacts/native/shims now
  now=$(printf '%s\n' "$PWD" "${NUGET_PACKAGES:-${HOME-}/.nuget/packages}" "$(dotnet --version)")
  [[ -f $stamp && $(<"$stamp") == "$now" ]] || rm -rf artifacts/obj/pelican/*/libs
  printf '%s\n' "$now" >"$stamp"
}

# publish LINKAGE NAME CHECK: makes and checks dist/NAME, unless it is up to date.
publish() {
  local linkage=$1 name=$2 check=$3
  local out=artifacts/native/$linkage size
  if [[ -x dist/$name && -f $out/inputs && $(<"$out/inputs") == "$INPUTS" ]]; then
    echo "dist/$name is up to date"
    return
  fi

  mkdir -p "$out"
  # MSBuild does not see that archives named by -l, or the files of prepare, have changed.
  rm -f "$out/inputs" "$out/pelican"
  prepare "$linkage"
  forget_shims
  dotnet publish pelican.csproj -c Release -r linux-x64 -p:Linkage="$linkage" -v minimal </dev/null >"$out/log" 2>&1 || {
    cat "$out/log" >&2
    die "dotnet publish failed"
  }

  "$check" "$out/pelican"
  size=$(stat -c %s "$out/pelican")
  ((size <= MAX_BYTES)) || die "dist/$name would have $size bytes, more than $MAX_BYTES"
  "$out/pelican" --version >/dev/null || die "dist/$name does not start"

  # Renamed into place: the old one may be running.
  cp "$out/pelican.dbg" "dist/$name.dbg"
  objcopy --remove-section .gnu_debuglink --add-gnu-debuglink="dist/$name.dbg" "$out/pelican" "dist/.$name"
  mv "dist/.$name" "dist/$name"
  printf '%s\n' "$INPUTS" >"$out/inputs"
  echo "dist/$name: $size bytes"
}

static_only=
case ${1-} in
  --static-only) static_only=1 ;;
  -h | --help) usage; exit ;;
  '') ;;
  *) usage >&2; exit 2 ;;
esac

[[ $(uname -sm) == "Linux x86_64" ]] || die "this works on Linux on x86-64 only"
need_packages "${PUBLISH_PACKAGES[@]}"

# Of two at once, the second waits and finds everything up to date.
mkdir -p artifacts/native dist
exec {lock}>artifacts/native/lock
flock "$lock"

INPUTS=$(inputs | sha256sum)
readonly INPUTS
publish static pelican check_static
[[ $static_only ]] || publish "glibc$FLOOR" "pelican-glibc$FLOOR" check_floor
