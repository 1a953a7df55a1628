//! Limits on a kernel that has cgroup v2 alone, as most machines do by now, in a virtual machine: other suites run where they
//! are run, which may be on version 1. Each case is what a user types and sees.

mod machine;

use machine::{Seen, Trouble};

/// A line of shell on that machine, and what comes of it.
struct Case {
    /// The user, and what it is about.
    name: &'static str,
    /// To be run by a shell that knows `run`, `detached`, `served`, `api` and `$BOX`, which `init.sh` defines.
    script: &'static str,
    code: i32,
    /// Standard output and error, together.
    text: &'static str,
}

/// Declares the cases of a user, and a test for each.
macro_rules! cases {
    ($user:ident: $($name:ident, $script:expr => $code:literal, $text:expr;)*) => {
        mod $user {
            use crate::{Case, assert_seen};

            pub(crate) const CASES: &[Case] = &[$(Case {
                name: concat!(stringify!($user), "/", stringify!($name)),
                script: $script,
                code: $code,
                text: $text,
            }),*];

            $(
                #[test]
                fn $name() {
                    assert_seen(concat!(stringify!($user), "/", stringify!($name)));
                }
            )*
        }
    };
}

fn cases() -> impl Iterator<Item = &'static Case> {
    root::CASES.iter().chain(ordinary::CASES)
}

#[track_caller]
fn assert_seen(name: &str) {
    let seen = match machine::seen() {
        Ok(seen) => seen,
        Err(Trouble::Lacks(missing)) => {
            harness::left_out::<()>(name, missing);
            return;
        }
        Err(Trouble::Stuck(written)) => panic!("the machine did not come to its end:\n{written}"),
    };
    let case = cases().find(|case| case.name == name).expect("a case");
    let expected = Seen {
        code: case.code,
        text: case.text.to_owned(),
    };
    assert_eq!(seen.get(name), Some(&expected), "{}", case.script);
}

cases! { root:
    the_engine_says_what_it_limits,
        "tool engine info | grep Limits" =>
        0, " Limits: yes, cgroup v2: cpuset, cpu, io, memory, hugetlb, pids, rdma, misc\n";

    memory_is_limited,
        "run --memory 32m $BOX cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory.swap.max" =>
        0, "33554432\n33554432\n";
    memory_and_swap_are_limited,
        "run --memory 32m --memory-swap 48m $BOX cat /sys/fs/cgroup/memory.swap.max" =>
        0, "16777216\n";
    swap_is_not_limited_where_that_is_asked_for,
        "run --memory 32m --memory-swap -1 $BOX cat /sys/fs/cgroup/memory.swap.max" =>
        0, "max\n";
    memory_is_reserved,
        "run --memory 64m --memory-reservation 16m $BOX cat /sys/fs/cgroup/memory.low" =>
        0, "16777216\n";
    what_exceeds_its_memory_is_killed,
        "tool run --name oom --network none --memory 16m --memory-swap 16m $BOX dd if=/dev/zero of=/dev/null bs=48M count=1
        echo $?; tool inspect --format '{{.State.OOMKilled}} {{.State.ExitCode}} {{.State.Status}}' oom; tool rm oom" =>
        0, "137\ntrue 137 exited\noom\n";
    swap_is_used_before_that,
        "run --memory 16m --memory-swap 96m $BOX dd if=/dev/zero of=/dev/null bs=48M count=1 2>/dev/null" =>
        0, "";
    what_runs_beside_is_killed_alone,
        "run --name beside --memory 16m --memory-swap 16m $BOX sh -c 'dd if=/dev/zero of=/dev/null bs=48M count=1; echo $?'" =>
        0, "Killed\n137\n";
    memory_counts_what_is_in_tmpfs,
        "run --memory 16m --memory-swap 16m --tmpfs /t $BOX dd if=/dev/zero of=/t/file bs=1M count=48; echo $?" =>
        0, "137\n";

    processors_are_limited,
        "run --cpus 1.5 $BOX cat /sys/fs/cgroup/cpu.max" =>
        0, "150000 100000\n";
    a_quota_and_a_period_are_written,
        "run --cpu-quota 20000 --cpu-period 50000 $BOX cat /sys/fs/cgroup/cpu.max" =>
        0, "20000 50000\n";
    shares_of_processors_become_a_weight,
        "run --cpu-shares 512 $BOX cat /sys/fs/cgroup/cpu.weight" =>
        0, "59\n";
    who_is_over_its_quota_waits,
        "run --cpu-quota 1000 --cpu-period 100000 $BOX sh -c 'i=0; while [ $i -lt 300 ]; do i=$((i+1)); done
            [ $(grep nr_throttled /sys/fs/cgroup/cpu.stat | cut -d \" \" -f 2) -gt 0 ] && echo throttled'" =>
        0, "throttled\n";
    processors_are_chosen,
        "run --cpuset-cpus 1 $BOX sh -c 'cat /sys/fs/cgroup/cpuset.cpus.effective; nproc'" =>
        0, "1\n1\n";
    memory_nodes_are_chosen,
        "run --cpuset-mems 0 $BOX cat /sys/fs/cgroup/cpuset.mems" =>
        0, "0\n";
    processors_that_there_are_not_are_refused,
        "run --cpuset-cpus 0-7 $BOX true" =>
        125, "tool: Error response from daemon: Requested CPUs are not available - requested 0-7, available: 0-1\n\nRun 'tool run --help' for more information\n";

    processes_are_limited,
        "run --pids-limit 4 $BOX sh -c 'cat /sys/fs/cgroup/pids.max; for i in 1 2 3 4; do sleep 3 & done; wait'" =>
        2, "4\nsh: can't fork: Resource temporarily unavailable\n";
    processes_are_not_limited_otherwise,
        "run $BOX cat /sys/fs/cgroup/pids.max" =>
        0, "max\n";

    a_disk_is_throttled,
        "run --device-write-bps /dev/zram0:1mb --device-read-iops /dev/zram0:50 $BOX sed 's/^[^ ]*//' /sys/fs/cgroup/io.max" =>
        0, " rbps=max wbps=1048576 riops=50 wiops=max\n";
    shares_of_disks_become_a_weight,
        "run --blkio-weight 500 $BOX cat /sys/fs/cgroup/io.weight" =>
        0, "default 4950\n";

    a_device_of_the_machine_is_closed,
        "run $BOX sh -c \"mknod /dev/disk b $DISK; head -c 1 /dev/disk\"" =>
        1, "head: /dev/disk: Operation not permitted\n";
    devices_that_everybody_has_are_open,
        "run $BOX sh -c 'echo x >/dev/null && head -c 2 /dev/zero | wc -c; : </dev/urandom; : </dev/full; : </dev/random; tty </dev/tty 2>&1 | head -c 0'" =>
        0, "2\nsh: can't open /dev/tty: No such device or address\n";
    a_device_is_given,
        "run --device /dev/zram0:/dev/disk $BOX sh -c 'head -c 2 /dev/disk | wc -c; echo x >/dev/disk'" =>
        0, "2\n";
    a_device_is_given_to_read_alone,
        "run --device /dev/zram0:/dev/disk:r $BOX sh -c 'head -c 2 /dev/disk | wc -c; echo x >/dev/disk'" =>
        1, "2\nsh: can't create /dev/disk: Operation not permitted\n";
    a_rule_opens_devices,
        "run --device-cgroup-rule \"b ${DISK% *}:* rm\" $BOX sh -c \
            \"mknod /dev/disk b $DISK; head -c 2 /dev/disk | wc -c; echo x >/dev/disk\"" =>
        1, "2\nsh: can't create /dev/disk: Operation not permitted\n";
    all_devices_are_open_to_the_privileged,
        "run --privileged $BOX sh -c 'head -c 2 /dev/zram0 | wc -c; echo x >/dev/zram0'" =>
        0, "2\n";
    what_exec_starts_has_the_same_devices,
        "detached --name devices $BOX sleep 100
        tool exec devices sh -c \"mknod /dev/disk b $DISK; head -c 1 /dev/disk\"
        tool exec --privileged devices head -c 1 /dev/disk; tool rm --force devices" =>
        0, "head: /dev/disk: Operation not permitted\nhead: /dev/disk: Operation not permitted\ndevices\n";

    what_exec_starts_counts,
        "detached --name limited --pids-limit 5 $BOX sleep 100
        tool exec limited sh -c 'for i in 1 2 3 4; do sleep 3 & done; wait'; echo $?; tool rm --force limited" =>
        0, "sh: can't fork: Resource temporarily unavailable\n2\nlimited\n";
    a_container_sees_its_own_tree_alone,
        "run $BOX sh -c 'cat /proc/self/cgroup; ls -d /sys/fs/cgroup/user.slice'" =>
        1, "0::/\nls: /sys/fs/cgroup/user.slice: No such file or directory\n";
    a_container_sees_the_machines_tree_where_that_is_asked_for,
        "run --cgroupns host $BOX sed 's,[0-9a-f]*$,ID,' /proc/self/cgroup" =>
        0, "0::/tool/ID\n";
    a_parent_is_chosen,
        "run --cgroup-parent /other/one --cgroupns host $BOX sed 's,[0-9a-f]*$,ID,' /proc/self/cgroup" =>
        0, "0::/other/one/ID\n";
    a_container_cannot_change_its_limits,
        "run --memory 32m $BOX sh -c 'echo max >/sys/fs/cgroup/memory.max'" =>
        1, "sh: can't create /sys/fs/cgroup/memory.max: Read-only file system\n";
    a_restarted_container_has_its_limits,
        "detached --name again --memory 32m --pids-limit 7 $BOX sleep 100; tool restart --time 0 again
        tool exec again cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max; tool rm --force again" =>
        0, "again\n33554432\n7\nagain\n";

    a_paused_container_stands_still,
        "served; detached --name paused $BOX sh -c 'while :; do echo x; usleep 10000; done'
        api POST /containers/paused/pause | head -n 1; tool ps --format '{{.State}}'
        before=$(tool logs paused | wc -l); usleep 300000; after=$(tool logs paused | wc -l); [ $before = $after ] && echo still
        tool exec paused true 2>&1 | sed 's/[0-9a-f]\\{64\\}/ID/'
        api POST /containers/paused/unpause | head -n 1; tool ps --format '{{.State}}'
        usleep 300000; [ $(tool logs paused | wc -l) -gt $after ] && echo on; tool rm --force paused; kill $server" =>
        0, "HTTP/1.1 204 No Content\r\npaused\nstill\nError response from daemon: container ID is paused, unpause the container before exec\nHTTP/1.1 204 No Content\r\nrunning\non\npaused\n";
    a_paused_container_is_killed,
        "served; detached --name paused $BOX sleep 100
        api POST /containers/paused/pause | head -n 1; tool kill paused; tool wait paused; tool rm paused; kill $server" =>
        0, "HTTP/1.1 204 No Content\r\npaused\n137\npaused\n";
    what_is_used_is_counted,
        "served; detached --name counted --memory 32m --pids-limit 9 $BOX sleep 100
        api GET '/containers/counted/stats?stream=0&one-shot=1' >stats; tr , '\\n' <stats | grep -o '\"limit\":.*[0-9]' | sort -u
        tr , '\\n' <stats | grep -o '\"current\":.*[0-9]'; tr , '\\n' <stats | grep -c '\"usage\":[1-9]'; tool rm --force counted; kill $server" =>
        0, "\"limit\":33554432\n\"limit\":9\n\"current\":1\n1\ncounted\n";

    nothing_is_left,
        "tool ps --all --quiet; ls -d /sys/fs/cgroup/tool/*/; tool engine check" =>
        0, "ls: /sys/fs/cgroup/tool/*/: No such file or directory\n";
}

cases! { ordinary:
    the_engine_says_what_it_limits,
        "tool engine info | grep Limits" =>
        0, " Limits: yes, cgroup v2, a tree delegated to this user: cpu, memory, pids\n";
    memory_is_limited,
        "run --memory 32m --memory-swap 48m $BOX cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory.swap.max" =>
        0, "33554432\n16777216\n";
    what_exceeds_its_memory_is_killed,
        "tool run --name oom --network none --memory 16m --memory-swap 16m $BOX dd if=/dev/zero of=/dev/null bs=48M count=1
        echo $?; tool inspect --format '{{.State.OOMKilled}} {{.State.ExitCode}} {{.State.Status}}' oom; tool rm oom" =>
        0, "137\ntrue 137 exited\noom\n";
    processors_are_limited,
        "run --cpus 1.5 --cpu-shares 512 $BOX cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu.weight" =>
        0, "150000 100000\n59\n";
    processes_are_limited,
        "run --pids-limit 4 $BOX sh -c 'cat /sys/fs/cgroup/pids.max; for i in 1 2 3 4; do sleep 3 & done; wait'" =>
        2, "4\nsh: can't fork: Resource temporarily unavailable\n";
    what_exec_starts_counts,
        "detached --name limited --pids-limit 5 $BOX sleep 100
        tool exec limited sh -c 'for i in 1 2 3 4; do sleep 3 & done; wait'; echo $?; tool rm --force limited" =>
        0, "sh: can't fork: Resource temporarily unavailable\n2\nlimited\n";
    what_was_not_delegated_is_not_limited,
        "run --cpuset-cpus 1 $BOX nproc; run --blkio-weight 500 $BOX true" =>
        0, "WARNING: Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.\n2\nWARNING: Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.\n";
    devices_are_the_users_own,
        "run $BOX sh -c \"head -c 1 /dev/zero | wc -c; mknod /dev/disk b $DISK\"; run --device-cgroup-rule 'c 1:3 rwm' $BOX true 2>&1 | head -n 1" =>
        0, "1\nmknod: /dev/disk: Operation not permitted\ntool: Error response from daemon: the embedded engine of an ordinary user does not do --device-cgroup-rule 'c 1:3 rwm': only root can have the kernel keep a container from a device\n";
    a_container_sees_its_own_tree_alone,
        "run $BOX cat /proc/self/cgroup" =>
        0, "0::/\n";
    a_paused_container_stands_still,
        "served; detached --name paused $BOX sleep 100
        api POST /containers/paused/pause | head -n 1; tool ps --format '{{.State}}'
        api POST /containers/paused/unpause | head -n 1; tool ps --format '{{.State}}'; tool rm --force paused; kill $server" =>
        0, "HTTP/1.1 204 No Content\r\npaused\nHTTP/1.1 204 No Content\r\nrunning\npaused\n";
    what_is_used_is_counted,
        "served; detached --name counted --memory 32m --pids-limit 9 $BOX sleep 100
        api GET '/containers/counted/stats?stream=0&one-shot=1' | tr , '\\n' | grep -o '\"limit\":.*[0-9]'; tool rm --force counted; kill $server" =>
        0, "\"limit\":9\n\"limit\":33554432\ncounted\n";
    nothing_is_left,
        "tool ps --all --quiet; ls -d /sys/fs/cgroup/user.slice/ordinary/tool/*/; tool engine check" =>
        0, "ls: /sys/fs/cgroup/user.slice/ordinary/tool/*/: No such file or directory\n";
}
