# Installs the Debian or Ubuntu packages that tarn needs, each by name and only where it is missing.
# Sourced by ./experiments/run and ./tests/run, which may add to tarn_packages first.
tarn_packages+=(g++ cmake ninja-build ccache pkg-config libeigen3-dev libtbb-dev libhdf5-dev libboost-dev catch2
  libcli11-dev libtomlplusplus-dev libfmt-dev libspdlog-dev nlohmann-json3-dev libbenchmark-dev libdnnl-dev
  libzip-dev zlib1g-dev libcfitsio-dev)

# package_present NAME: installed as a package, or there in another way (a cmake or ninja of one's own will do).
package_present() {
  case $1 in
    cmake) command -v cmake > /dev/null && return ;;
    ninja-build) command -v ninja > /dev/null && return ;;
    g++) command -v g++ > /dev/null && return ;;
  esac
  dpkg-query -W -f='${db:Status-Status}\n' "$1" 2> /dev/null | grep -qx installed
}

install_packages() {
  local package missing=() as_root=()
  for package in "${tarn_packages[@]}"; do
    package_present "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if ! command -v apt-get > /dev/null; then
    echo "packages: no apt-get here; expected Debian 12 or later, Ubuntu 24.04 or later, or these installed: ${missing[*]}" >&2
    return 2
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo > /dev/null; then
      echo "packages: not root and no sudo; expected one of them, or these installed: ${missing[*]}" >&2
      return 2
    fi
    as_root=(sudo)
  fi
  echo "== installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" > /dev/null
}

install_packages
export CCACHE_BASEDIR="${CCACHE_BASEDIR:-$PWD}" CCACHE_NOHASHDIR=1

# build PRESET [TARGET...]: configures and builds, quietly where all goes well.
build() {
  local preset=$1 log
  shift
  echo "== building build/$preset"
  log=$(mktemp)
  if ! cmake --preset "$preset" > "$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
  cmake --build --preset "$preset" ${1:+--target "$@"}
}
