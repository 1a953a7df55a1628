# Runs one `tool engine serve` of an ordinary user until standard input closes.
# Arguments: the engine's directory, then the command that runs the engine, its program first.
directory=$1 tool=$2
shift
{
    "$@" </dev/null &
    echo "$!" >"$directory/server"
    wait "$!"
    echo "$?" >"$directory/ended"
} &
read -r _
kill "$(cat "$directory/server")"
wait

# Files of further ids cannot be removed from outside of the namespace where these are: what is left is for whoever made this
# user, with the directory that everything is in.
for id in $(ls "$directory/root/containers" 2>/dev/null); do
    "$tool" -H "embedded://$directory/root" rm --force --volumes "$id"
done >/dev/null
rm -rf "$directory" 2>/dev/null || :
