# Runs one service of Podman's in a process and mount namespace of its own until standard input closes.
# Arguments: the engine's directory, its bridge, then the command that runs the service.
directory=$1 bridge=$2
shift 2

# As with dockerd: when the inner shell, process 1 of the namespace, leaves, the kernel kills the service, every monitor and
# every container, and their mounts and network namespaces go with the namespaces.
unshare --mount --pid --fork --kill-child --mount-proc sh -c '
    directory=$1
    shift
    # What the runtime, the network plug-ins and Podman keep under /run has the same path in each of them, and so has the
    # socket that containers are given: /run is another one, with links to all else that is in the real one.
    mkdir "$directory/real" && mount --rbind /run "$directory/real" && mount -t tmpfs run /run &&
        ln -s "$directory"/real/* /run && ln -sf "$directory/socket" /run/docker.sock &&
        rm -f /run/runc /run/netns /run/containers /run/libpod /run/cni &&
        mkdir -p /run/runc /run/netns /run/containers /run/libpod /run/cni
    # The addresses that are given to containers are noted here.
    mkdir -p /var/lib/cni && mount -t tmpfs cni /var/lib/cni
    { "$@" </dev/null; echo "$?" >"$directory/ended"; } &
    read -r _
' engine "$directory" "$@"

ip link delete "$bridge" 2>/dev/null
# The control groups that killed containers leave are empty directories. Those of all Podmans are in one of this name, so
# only what is of these containers goes, and what they have in common if nobody uses it.
for parent in /sys/fs/cgroup/libpod_parent /sys/fs/cgroup/*/libpod_parent; do
    [ -d "$parent" ] || continue
    for id in $(ls "$directory/root/overlay-containers" 2>/dev/null); do
        for group in "$parent/libpod-$id" "$parent/libpod-conmon-$id"; do
            [ -d "$group" ] && find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null
        done
    done
    rmdir "$parent/conmon" "$parent" 2>/dev/null
done
rm -rf "$directory"
