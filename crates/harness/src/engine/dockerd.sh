# Runs one dockerd in a process and mount namespace of its own until standard input closes.
# Arguments: the engine's directory, its name (of bridge and control group), then dockerd's own.
directory=$1 name=$2
shift 2

# The inner shell is process 1 of the namespace: when it leaves, the kernel kills dockerd, containerd, every shim and
# every container, and their mounts go with the namespace. Nothing has to be asked nicely, since nothing is kept.
unshare --mount --pid --fork --kill-child --mount-proc sh -c '
    directory=$1
    shift
    # Containers are given the socket by the path where every engine has one. Here that is the socket of this engine: /run is
    # another one, with links to all that is in the real one.
    mkdir "$directory/run" && mount --rbind /run "$directory/run" && mount -t tmpfs run /run &&
        ln -s "$directory"/run/* /run && ln -sf "$directory/socket" /run/docker.sock
    # It warns at each container where the machine forwards nothing. Its own bridge does (and the machine is left as it is).
    echo 1 >"$directory/forward" && mount --bind "$directory/forward" /proc/sys/net/ipv4/ip_forward
    { "$@" </dev/null; echo "$?" >"$directory/ended"; } &
    read -r _
' engine "$directory" "$@"

# Those of networks are listed.
for bridge in "$name" $(cat "$directory/bridges" 2>/dev/null); do
    ip link delete "$bridge" 2>/dev/null
done
# The control groups that killed containers leave are empty directories, of this engine's name in every hierarchy.
for group in "/sys/fs/cgroup/$name" /sys/fs/cgroup/*/"$name"; do
    [ -d "$group" ] && find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null
done
rm -rf "$directory"
