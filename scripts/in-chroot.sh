#!/bin/sh
# Runs a command in a chroot as if it were on this machine: in-chroot.sh DIRECTORY COMMAND [ARGUMENTS]
#
# The command keeps its process id, descriptors, environment and working directory. It sees this checkout, /proc, /dev, /sys, the temporary
# directory, uv's cache, and how this machine reaches registries. The mounts are made in a mount namespace of the command's own, so that the
# kernel takes them away when the last process of the command has ended, however it ended.
set -eu
if [ "$1" != --mount ]; then
  exec unshare --mount --propagation private -- "$0" --mount "$@"
fi
shift
chroot=$1
shift
home=${HOME:-/root}
checkout=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)

# A mount point that is missing is made in the chroot, where it stays.
bind() {
  [ -e "$1" ] || return 0
  if [ -d "$1" ]; then
    mkdir -p "$chroot$1"
  elif [ ! -e "$chroot$1" ]; then
    mkdir -p "$chroot$(dirname -- "$1")"
    : >"$chroot$1"
  fi
  mount --rbind "$1" "$chroot$1"
}

for path in /proc /dev /sys /tmp "${TMPDIR:-/tmp}" "$checkout" "${UV_CACHE_DIR:-$home/.cache/uv}" \
  /etc/resolv.conf /etc/hosts /etc/ssl/certs /etc/pip.conf "$home/.config/pip" "$home/.config/uv" /etc/uv "${PIP_FIND_LINKS:-}"; do
  bind "$path"
done
mkdir -p "$chroot$home"
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# shellcheck disable=SC2016
exec chroot "$chroot" sh -c 'cd "$1" && shift && exec "$@"' - "$PWD" "$@"
