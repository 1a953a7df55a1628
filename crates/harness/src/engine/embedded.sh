# Runs one `tool engine serve` in a process and mount namespace of its own until standard input closes.
# Arguments: the engine's directory, then the command that runs the engine, its program first.
directory=$1 tool=$2
shift

# As with dockerd: when the inner shell, process 1 of the namespace, leaves, the kernel kills the server, every monitor and
# every container.
unshare --mount --pid --fork --kill-child --mount-proc sh -c '
    directory=$1
    shift
    { "$@" </dev/null; echo "$?" >"$directory/ended"; } &
    read -r _
' engine "$directory" "$@"

# Containers that lost their monitors are removed as the engine itself removes them, with cgroups and leases. What belonged
# to an engine without a root is nobody's then.
run=$("$tool" -H "embedded://$directory/root" engine info --format '{{.Embedded.RuntimeDirectory}}')
for id in $(ls "$directory/root/containers" 2>/dev/null); do
    "$tool" -H "embedded://$directory/root" rm --force --volumes "$id"
done >/dev/null
rm -rf "$directory/root"
"$tool" -H "embedded://$directory/other" engine check --repair >/dev/null
other=$("$tool" -H "embedded://$directory/other" engine info --format '{{.Embedded.RuntimeDirectory}}')
[ -n "$run" ] && [ -n "$other" ] && rm -rf "$run" "$other"
rm -rf "$directory"
