#!/bin/sh
# Installs the system programs that the sandbox and the task packs use, if any is missing.
# With root or password-less sudo it uses apt; otherwise it names the one command to type.
set -eu
packages=""
need() { command -v "$1" >/dev/null 2>&1 || packages="$packages $2"; }
need bwrap bubblewrap
need git git
need zip zip
need unzip unzip
need jq jq
need curl curl
need bc bc
need xz xz-utils
need pgrep procps
need file file
need make make
[ -x /usr/bin/python3 ] || packages="$packages python3"
ls /usr/lib/*/libseccomp.so.2 /lib/*/libseccomp.so.2 /usr/lib*/libseccomp.so.2 >/dev/null 2>&1 || [ -n "$(find /usr/lib /lib -name 'libseccomp.so.2' 2>/dev/null | head -n 1)" ] || packages="$packages libseccomp2"
[ -n "$packages" ] || exit 0
echo "setup: installing system packages:$packages"
echo "setup: (bubblewrap is the sandbox every tool call runs in; the rest are programs the agent may use inside it)"
if ! command -v apt-get >/dev/null 2>&1; then
    echo "setup: no apt-get here; install these with your package manager, then run make again:$packages" >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    sudo=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    sudo="sudo"
else
    echo "setup: type this once, then run make again:  sudo apt-get install -y$packages" >&2
    exit 1
fi
$sudo apt-get update -qq >/dev/null
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq $packages >/dev/null
