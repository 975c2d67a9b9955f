# Installs the packages that tarn needs, by name, where they are missing. Sourced by ./tests/run and ./experiments/run.
tarn_packages=(g++ cmake ninja-build ccache pkg-config libeigen3-dev libtbb-dev libhdf5-dev libboost-dev catch2 libcli11-dev
  libtomlplusplus-dev libfmt-dev libspdlog-dev nlohmann-json3-dev libbenchmark-dev libdnnl-dev)
tarn_missing=()
for package in "${tarn_packages[@]}"; do
  # A cmake or ninja that somebody installed another way will do.
  case $package in
    cmake) command -v cmake > /dev/null && continue ;;
    ninja-build) command -v ninja > /dev/null && continue ;;
  esac
  dpkg-query -W -f='${db:Status-Status}\n' "$package" 2> /dev/null | grep -qx installed || tarn_missing+=("$package")
done
if [ ${#tarn_missing[@]} -gt 0 ]; then
  echo "installing: ${tarn_missing[*]}"
  as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${tarn_missing[@]}" > /dev/null
fi
