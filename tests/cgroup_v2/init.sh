#!/bin/sh
# The first process of the virtual machine: makes it a Linux machine with cgroup v2, an ordinary user with a tree of its own,
# and swap; and runs the cases. What they write goes out through the second serial line, and ends with the machine.

if [ "$1" != again ]; then
    /bin/busybox --install -s /bin
    mount -t devtmpfs devtmpfs /dev
    for module in $(cat /modules/list); do
        insmod "/modules/$module"
    done
    # The file system that the kernel unpacked cannot be left, as containers leave theirs, so there is another one.
    mkdir /new
    mount -t tmpfs -o mode=755 tmpfs /new
    mkdir /new/dev
    mount --move /dev /new/dev
    cp -a /cases /init /new
    mv /bin /new
    exec /new/bin/busybox switch_root /new /init again
fi

export PATH=/bin
exec </dev/null >/dev/ttyS0 2>&1
cd /
mkdir -p proc sys tmp run var/lib var/run etc root box home/ordinary
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
chmod 1777 tmp
ip link set lo up
printf 'root:x:0:0::/root:/bin/sh\nordinary:x:1000:1000::/home/ordinary:/bin/sh\n' >/etc/passwd
printf 'root:x:0:\nordinary:x:1000:\n' >/etc/group
chown 1000:1000 home/ordinary

# A disk, and swap on another one.
cat /sys/class/zram-control/hot_add
echo 16M >/sys/block/zram0/disksize
echo 128M >/sys/block/zram1/disksize
mkswap /dev/zram1
swapon /dev/zram1

# What the containers have.
mkdir -p box/bin box/etc box/tmp box/proc box/sys box/dev
cp bin/busybox box/bin/
for program in $(busybox --list); do
    ln -s busybox "box/bin/$program" 2>/dev/null
done

# As systemd does it for the sessions of ordinary users: processors, memory and processes, and nothing else.
delegate() {
    mkdir /sys/fs/cgroup/user.slice
    echo "+cpu +memory +pids" >/sys/fs/cgroup/cgroup.subtree_control
    echo "+cpu +memory +pids" >/sys/fs/cgroup/user.slice/cgroup.subtree_control
    tree=/sys/fs/cgroup/user.slice/ordinary
    mkdir -p "$tree/session"
    chown 1000:1000 "$tree" "$tree"/cgroup.procs "$tree"/cgroup.subtree_control "$tree"/cgroup.threads
    chown -R 1000:1000 "$tree/session"
}
delegate

# What a case may use: the program, and these.
cat >/etc/cases <<'END'
BOX="--rootfs /box"
DISK=$(sed 's/:/ /' /sys/block/zram0/dev)
export HOME XDG_RUNTIME_DIR
run() { tool run --rm --network none "$@"; }
detached() { tool run --detach --network none "$@" >/dev/null; }
api() { request "$XDG_RUNTIME_DIR/api.sock" "$@"; }
served() {
    tool engine serve --socket "$XDG_RUNTIME_DIR/api.sock" >/dev/null 2>&1 &
    server=$!
    while [ ! -S "$XDG_RUNTIME_DIR/api.sock" ]; do usleep 50000; done
}
END
mkdir -p /run/root /run/ordinary
chown 1000:1000 /run/ordinary

stty -F /dev/ttyS1 raw
for case in $(cat /cases/list); do
    name=${case#*/}
    user=${case%%/*}
    echo "case $case $(cut -d ' ' -f 1 /proc/uptime)"
    case $user in
    root)
        (HOME=/root XDG_RUNTIME_DIR=/run/root; . /etc/cases; . "/cases/$case") >/tmp/output 2>&1
        ;;
    ordinary)
        (
            echo 0 >/sys/fs/cgroup/user.slice/ordinary/session/cgroup.procs
            exec su -s /bin/sh ordinary -c "HOME=/home/ordinary XDG_RUNTIME_DIR=/run/ordinary; . /etc/cases; . /cases/$case"
        ) >/tmp/output 2>&1
        ;;
    esac
    code=$?
    {
        echo "case $case $code $(wc -c </tmp/output)"
        cat /tmp/output
    } >/dev/ttyS1
done
echo "the end" >/dev/ttyS1
reboot -f
