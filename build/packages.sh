# Sourced by the scripts at the root: which Debian packages they need, and how they get them.

# Whoever needs several of these asks for all of them at once, at the start.
readonly PUBLISH_PACKAGES=(gcc libc6-dev libssl-dev cmake make binutils)
readonly DEMO_PACKAGES=(curl)
readonly TEST_PACKAGES=(
  fuse3 libfuse3-dev strace python3 python3-requests-unixsocket openssl curl ca-certificates util-linux
  xrootd-server xrootd-plugins xrootd-server-plugins xrootd-scitokens-plugins
)
readonly BENCH_PACKAGES=(python3 curl rclone aria2 davix)

# need_packages PACKAGE...: sees to it that these Debian packages are installed. Installs what is missing when it may;
# otherwise says what is needed, and fails.
need_packages() {
  local script package
  local -a missing=()
  script=$(basename "$0")

  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "$script works on Debian 12 and its like. It needs what Debian calls: $*" >&2
    return 1
  fi

  # One question for all of them: this runs at every start of a script.
  local installed
  installed=" $(dpkg-query -W -f '${Package}:${db:Status-Status} ' "$@" 2>/dev/null || true)"
  for package in "$@"; do
    [[ $installed == *" $package:installed "* ]] || missing+=("$package")
  done

  if ((${#missing[@]} == 0)); then
    return 0
  fi

  if ((EUID != 0)); then
    echo "$script needs packages that are not installed. As root: apt-get install ${missing[*]}" >&2
    return 1
  fi

  echo "$script: installing ${missing[*]}" >&2
  local -a apt=(apt-get -qq -o DPkg::Lock::Timeout=300)
  {
    "${apt[@]}" update && DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
  } </dev/null >/dev/null || {
    echo "$script: could not install ${missing[*]}" >&2
    return 1
  }
}
