# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # its variables are used by those who source it
# What the comparisons share: arguments, a network of two namespaces, figures out of JSON, tables. Sourced by them.
#
#   $near (prober)                            $far (answers for 10.88.0.0/16)
#     port0  no kernel address  -- veth --  eth0 172.31.0.2   ours: the engine is 172.31.0.1
#     port1  172.31.1.1         -- veth --  eth1 172.31.1.2   the peers, which use the kernel's address
#
# BUILD names the build directory (build). DEVICE is what our engine opens (net_af_xdp0,iface=port0).
#
# Exit status: 0 compared, 1 a tool failed, 2 wrong argument, 77 skipped with a line (no root, a peer is not installed), 130 interrupted. Namespaces,
# processes in them and scratch files are gone after each of them.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(realpath -m "${BUILD:-$here/../../build}")
device=${DEVICE:-net_af_xdp0,iface=port0}
near=aszcmp$$v
far=aszcmp$$p
scratch=
smoke=no
number=

say() { printf '%s\n' "$*" >&2; }
fail() { # fail STATUS TEXT...
  local status=$1
  shift
  say "$(basename "$0"): $*"
  exit "$status"
}

# arguments_read NAME DEFAULT MIN MAX ARGUMENT...: sets smoke and number out of `[--smoke] [NAME]`.
arguments_read() {
  local name=$1 min=$3 max=$4 given=
  number=$2
  shift 4
  while [ $# -gt 0 ]; do
    case $1 in
      -h | --help) sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 0 ;;
      --smoke) smoke=yes ;;
      -*) fail 2 "unknown option $1: expected --smoke or $name" ;;
      *)
        if [[ -n $given || ! $1 =~ ^[0-9]{1,7}$ ]] || ((10#$1 < min || 10#$1 > max)); then
          fail 2 "got \"$1\": expected one $name from $min to $max"
        fi
        given=yes
        number=$((10#$1))
        ;;
    esac
    shift
  done
}

# need COMMAND...: a comparison without its peers says what is missing and counts as skipped.
need() {
  local command missing=()
  for command in "$@"; do
    command -v "$command" > /dev/null || missing+=("$command")
  done
  [ ${#missing[@]} -eq 0 ] || fail 77 "skipped: not found: ${missing[*]}; bench/compare/setup installs them"
}

need_bench() {
  [ -x "$build/bench/$1" ] || fail 2 "$build/bench/$1 is not there: build first, or set BUILD"
}

need_root() {
  [ "$(id -u)" -eq 0 ] || fail 77 "skipped: a network namespace needs root"
}

cleanup() {
  local namespace
  for namespace in "$near" "$far"; do
    [ -e "/run/netns/$namespace" ] || continue
    ip netns pids "$namespace" | xargs -r kill 2> /dev/null || true
    ip netns del "$namespace" || true
  done
  [ -z "$scratch" ] || rm -rf "$scratch"
}

scratch_make() {
  trap cleanup EXIT
  trap 'exit 130' INT TERM HUP
  scratch=$(mktemp -d)
}

network_make() {
  local i
  ip netns add "$near"
  ip netns add "$far"
  for i in 0 1; do
    ip -n "$near" link add "port$i" type veth peer name "eth$i" netns "$far"
    ip -n "$near" link set "port$i" up
    ip -n "$far" link set "eth$i" up
    ip -n "$far" addr add "172.31.$i.2/30" dev "eth$i"
    ip netns exec "$far" ethtool -K "eth$i" tx off > /dev/null # checksums are real, as on a wire
  done
  ip -n "$near" link set lo up
  ip -n "$far" link set lo up
  ip -n "$far" route add local 10.88.0.0/16 dev lo
  ip -n "$near" addr add 172.31.1.1/30 dev port1
  ip -n "$near" route add 10.88.0.0/16 via 172.31.1.2
}

near() { ip netns exec "$near" "$@"; }
address_of() { ip netns exec "$1" cat "/sys/class/net/$2/address"; }

# ours_veth OPTION...: one line of JSON; what libraries say goes to a file, shown when it fails.
ours_veth_line() { echo "bench_veth --json --eal --vdev=$device --local 172.31.0.1 --gateway 172.31.0.2 --first 10.88.0.0 $*"; }
ours_veth() {
  if ! near "$build/bench/bench_veth" --json --eal "--vdev=$device" --local 172.31.0.1 --gateway 172.31.0.2 --first 10.88.0.0 "$@" \
    2> "$scratch/ours.err"; then
    cat "$scratch/ours.err" >&2
    return 1
  fi
}

# field NAME: a number out of one line of JSON on stdin.
field() { sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p"; }

# quantile Q: of numbers on stdin, one a line.
quantile() { sort -g | awk -v q="$1" '{ v[NR] = $1 } END { if (NR) print v[int((NR - 1) * q) + 1] }'; }

# commands LINE...: as a block of Markdown, without the names of scratch files' folder.
commands() {
  printf '%s\n' '```' "${@//$scratch\//}" '```' ''
}

highest() { sort -g | tail -n 1; }
lowest() { sort -g | head -n 1; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.2f", a / b; else printf "-" }'; }
millions() { awk -v n="$1" 'BEGIN { printf "%.2f M/s", n / 1e6 }'; }
thousands() { awk -v n="$1" 'BEGIN { printf "%.0f k/s", n / 1e3 }'; }
microseconds() { awk -v n="$1" 'BEGIN { printf "%.1f us", n / 1e3 }'; }
