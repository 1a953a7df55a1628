#!/bin/sh
# Runs a command as an ordinary user of this machine, who has further ids and may open /dev/net/tun. Root alone can do that.
#
# Nothing of it is left: the user's line in /etc/passwd, its ids in /etc/subuid and /etc/subgid and the device are in a mount
# namespace, its processes in a process namespace, and its files in a directory that is removed at the end.
#
# ORDINARY_USER_IDS=one: the user has no id but its own.
# ORDINARY_USER_NETWORK=none: the user may not open /dev/net/tun.
set -eu
[ "$(id -u)" = 0 ] || { echo "$0: only root can be another user" >&2; exit 125; }

own=$(mktemp -d /tmp/user.XXXXXX)
trap 'rm -rf "$own"' EXIT
mkdir "$own/etc" "$own/home" "$own/run" "$own/tmp"

# The kernel ends everything in the namespace when its first process, the inner shell, ends.
set +e
unshare --mount --propagation private --pid --fork --kill-child --mount-proc sh -eu -c '
    own=$1 ids=$2 network=$3
    shift 3
    user=54321

    cp /etc/passwd "$own/etc/passwd"
    echo "ordinary:x:$user:$user::$own/home:/bin/sh" >>"$own/etc/passwd"
    : >"$own/etc/ids"
    [ "$ids" = one ] || echo "ordinary:200000:65536" >"$own/etc/ids"
    mount --bind "$own/etc/passwd" /etc/passwd
    mount --bind "$own/etc/ids" /etc/subuid
    mount --bind "$own/etc/ids" /etc/subgid

    mount -t tmpfs -o mode=755 tmpfs /dev/net
    [ "$network" = none ] || mknod -m 666 /dev/net/tun c 10 200

    # As on most machines, something is mounted where only root gets.
    mkdir -m 700 "$own/closed"
    mkdir "$own/closed/mount"
    mount -t tmpfs tmpfs "$own/closed/mount"

    # What is to be run may lie where only root gets: such a directory shows as one with nothing else in it.
    for file in "$1" "$PWD/."; do
        case $file in /*) ;; *) continue ;; esac
        directory=${file%/*} closed=
        while [ -n "$directory" ]; do
            case $(stat -c %A "$directory") in *[xt]) ;; *) closed=$directory ;; esac
            directory=${directory%/*}
        done
        [ -n "$closed" ] || continue
        mkdir "$own/place"
        mount --rbind "${file%/*}" "$own/place"
        mount -t tmpfs -o mode=755 tmpfs "$closed"
        mkdir -p "${file%/*}"
        mount --move "$own/place" "${file%/*}"
        rmdir "$own/place"
    done

    chmod 755 "$own"
    chmod 700 "$own/run"
    chown -R "$user:$user" "$own/home" "$own/run" "$own/tmp"
    cd "$PWD" 2>/dev/null || cd "$own/home"
    export HOME="$own/home" XDG_RUNTIME_DIR="$own/run" TMPDIR="$own/tmp" USER=ordinary
    unset XDG_DATA_HOME
    setpriv --reuid "$user" --regid "$user" --clear-groups "$@"
' user "$own" "${ORDINARY_USER_IDS:-}" "${ORDINARY_USER_NETWORK:-}" "$@"
status=$?
exit "$status"
