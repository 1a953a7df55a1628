/* Tries what a container must not do, and prints for each try what came of it: a name, and 0 or the error's number. What could
   hurt is asked for in a way that would be refused for another reason, should it not be refused for the right one. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static void report(const char *name, long result) {
  printf("%s %d\n", name, result < 0 ? errno : 0);
  fflush(stdout);
}

/* A call that could change this process for the tries that follow is made in another one. */
#define APART(name, call)                                                                          \
  do {                                                                                             \
    fflush(stdout);                                                                                \
    pid_t child = fork();                                                                          \
    if (child == 0) {                                                                              \
      report(name, (call));                                                                        \
      _exit(0);                                                                                    \
    }                                                                                              \
    waitpid(child, NULL, 0);                                                                       \
  } while (0)

static void open_for(const char *path, int flags) {
  char name[256];
  snprintf(name, sizeof name, "open %s %s", flags == O_RDONLY ? "to read" : "to write", path);
  int file = open(path, flags | O_CLOEXEC | O_NONBLOCK);
  report(name, file);
  if (file >= 0)
    close(file);
}

static void device(const char *name, mode_t type, int major, int minor) {
  char line[256];
  snprintf(line, sizeof line, "mknod %s", name);
  unlink("/tmp/device");
  long made = mknod("/tmp/device", type | 0600, makedev(major, minor));
  report(line, made);
  if (made == 0) {
    snprintf(line, sizeof line, "open %s", name);
    report(line, open("/tmp/device", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  }
}

/* What a file of /proc says, in one line. */
static void show(const char *path, const char *key) {
  char line[1024];
  FILE *file = fopen(path, "re");
  if (!file) {
    report(path, -1);
    return;
  }
  while (fgets(line, sizeof line, file))
    if (!strncmp(line, key, strlen(key)))
      printf("status %s", line);
  fclose(file);
}

/* The descriptors that this program was started with, but for its streams. */
static void descriptors(void) {
  int count = 0;
  for (int number = 3; number < 1024; number++)
    if (fcntl(number, F_GETFD) >= 0)
      count++;
  printf("inherited descriptors %d\n", count);
}

/* By what a file system says of its root a file can be had whose name leads nowhere. */
static long by_handle(void) {
  struct {
    struct file_handle head;
    unsigned char bytes[64];
  } handle;
  memset(&handle, 0, sizeof handle);
  handle.head.handle_bytes = 8;
  handle.head.handle_type = 1;
  handle.bytes[0] = 2;
  int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return syscall(SYS_open_by_handle_at, root, &handle, O_RDONLY);
}

static long clone_into(uint64_t flags) {
  struct clone_args arguments;
  memset(&arguments, 0, sizeof arguments);
  arguments.flags = flags;
  arguments.exit_signal = SIGCHLD;
  long result = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (result == 0)
    _exit(0);
  return result;
}

static void old_clone(const char *name, unsigned long flags) {
  long result = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
  if (result == 0)
    _exit(0);
  report(name, result);
}

#if defined(__x86_64__)
/* A socket as old 32-bit programs make it. The arguments lie in memory below 4 GiB, as all data of this program does. A kernel
   without such programs ends the process, and the try has no line then. */
static long socketcall(int family, int type) {
  static uint32_t arguments[3];
  arguments[0] = family;
  arguments[1] = type;
  int result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(102), "b"(1), "c"((uint32_t)(uintptr_t)arguments) : "memory");
  errno = result < 0 ? -result : 0;
  return result;
}
#endif

int main(int count, char **words) {
  char buffer[256];
  struct timeval now;
  int version = 0x20080522;

  if (count > 1 && !strcmp(words[1], "bomb"))
    for (;;)
      fork();
  descriptors();
  if (count > 1 && !strcmp(words[1], "exec")) {
    /* Where a process starts that joins, and what it sees of the way there. */
    printf("directory %s\n", getcwd(buffer, sizeof buffer) ? buffer : "none");
  }
  for (const char **key = (const char *[]){"CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:", "NoNewPrivs:", "Seccomp:", "Uid:", "Gid:", "Groups:", NULL}; *key; key++)
    show("/proc/self/status", *key);

  APART("mount tmpfs", mount("none", "/tmp", "tmpfs", 0, ""));
  APART("mount proc", mount("proc", "/tmp", "proc", 0, ""));
  APART("mount bind", mount("/", "/tmp", NULL, MS_BIND, ""));
  APART("remount /", mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, ""));
  APART("umount /proc/kcore", umount2("/proc/kcore", MNT_DETACH));
  APART("umount /proc", umount2("/proc", MNT_DETACH));
  APART("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", 1));
  APART("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
  APART("move_mount", syscall(SYS_move_mount, AT_FDCWD, "/proc", AT_FDCWD, "/tmp", 0));
  APART("mount_setattr", syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, buffer, 0));
  APART("pivot_root", syscall(SYS_pivot_root, "/", "/tmp"));
  APART("chroot", chroot("/tmp"));

  device("mem", S_IFCHR, 1, 1);
  device("kmsg", S_IFCHR, 1, 11);
  device("first disk", S_IFBLK, 254, 0);
  device("loop", S_IFBLK, 7, 0);
  device("serial port", S_IFCHR, 4, 64);
  device("fuse", S_IFCHR, 10, 229);
  device("tun", S_IFCHR, 10, 200);
  device("kvm", S_IFCHR, 10, 232);
  device("null", S_IFCHR, 1, 3);

  APART("ptrace 1", ptrace(PTRACE_SEIZE, 1, 0, 0));
  APART("process_vm_readv", syscall(SYS_process_vm_readv, 1, buffer, 0, buffer, 0, 0));
  APART("kcmp", syscall(SYS_kcmp, 1, 1, 0, 0, 0));
  APART("keyctl", syscall(SYS_keyctl, 0, -3, 0));
  APART("add_key", syscall(SYS_add_key, "user", "a", "b", 1, -1));
  APART("request_key", syscall(SYS_request_key, "user", "a", NULL, 0));
  APART("unshare user", unshare(CLONE_NEWUSER));
  APART("unshare mount", unshare(CLONE_NEWNS));
  APART("unshare net", unshare(CLONE_NEWNET));
  APART("unshare pid", unshare(CLONE_NEWPID));
  APART("unshare cgroup", unshare(CLONE_NEWCGROUP));
  APART("unshare files", unshare(CLONE_FILES));
  int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  APART("setns", setns(own, 0));
  APART("clone3 user", clone_into(CLONE_NEWUSER));
  APART("clone3", clone_into(0));
  old_clone("clone user", CLONE_NEWUSER);
  old_clone("clone mount", CLONE_NEWNS);
  old_clone("clone pid", CLONE_NEWPID);
  APART("bpf", syscall(SYS_bpf, BPF_MAP_CREATE, buffer, 0));
  APART("perf_event_open", syscall(SYS_perf_event_open, buffer, 0, -1, -1, 0));
  APART("userfaultfd", syscall(SYS_userfaultfd, 0));
  APART("userfaultfd user", syscall(SYS_userfaultfd, 1));
  APART("io_uring_setup", syscall(SYS_io_uring_setup, 1, NULL));
  APART("open_by_handle_at", by_handle());
  APART("name_to_handle_at", syscall(SYS_name_to_handle_at, AT_FDCWD, "/", NULL, NULL, 0));
  APART("init_module", syscall(SYS_init_module, buffer, 0, ""));
  APART("finit_module", syscall(SYS_finit_module, 0, "", 0));
  APART("delete_module", syscall(SYS_delete_module, "none", 0));
  APART("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0));
  /* With a magic number that is none it does nothing in any case. */
  APART("reboot", syscall(SYS_reboot, 1, 2, 3, NULL));
  APART("swapon", swapon("/tmp/none", 0));
  APART("swapoff", swapoff("/tmp/none"));
  gettimeofday(&now, NULL);
  now.tv_usec = 2000000;
  APART("settimeofday", settimeofday(&now, NULL));
  APART("clock_settime", syscall(SYS_clock_settime, 0, NULL));
  APART("adjtimex", syscall(SYS_adjtimex, NULL));
  APART("acct", acct("/tmp/none"));
  APART("quotactl", syscall(SYS_quotactl, 0, NULL, 0, NULL));
  APART("syslog", syscall(SYS_syslog, 10, NULL, 0));
  APART("sethostname", sethostname("a", 1));
  APART("setdomainname", setdomainname("a", 1));
  APART("lookup_dcookie", syscall(SYS_lookup_dcookie, 0, buffer, 0));
  APART("personality", syscall(SYS_personality, 0x0040000));
  APART("mbind", syscall(SYS_mbind, NULL, 0, 0, NULL, 0, 0));
  APART("vhangup", syscall(SYS_vhangup));
  APART("nice", setpriority(0, 0, -5));
  APART("real time", sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1}));
  APART("iopl", syscall(
#ifdef SYS_iopl
      SYS_iopl
#else
      -1
#endif
      , 3));
  APART("capset all", syscall(SYS_capset, (int[]){version, 0}, (uint32_t[]){~0u, ~0u, 0}));
  APART("raw socket", socket(AF_INET, SOCK_RAW, 1));
  APART("packet socket", socket(AF_PACKET, SOCK_RAW, 0));
  APART("vsock", socket(40, SOCK_STREAM, 0));
  APART("alg socket", socket(38, SOCK_SEQPACKET, 0));
  /* The kernel reads 32 bits of a family. */
  APART("vsock wide", syscall(SYS_socket, 1L << 32 | 40, SOCK_STREAM, 0));
  APART("alg socket wide", syscall(SYS_socket, 1L << 32 | 38, SOCK_SEQPACKET, 0));
  APART("vsock negative", syscall(SYS_socket, ~0L << 32 | 40, SOCK_STREAM, 0));
#if defined(__x86_64__)
  APART("vsock of i386", socketcall(40, SOCK_STREAM));
  APART("alg socket of i386", socketcall(38, SOCK_SEQPACKET));
  APART("unix socket of i386", socketcall(1, SOCK_STREAM));
#endif
  APART("low port", bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&(struct { uint16_t a, b; uint32_t c; char d[8]; }){AF_INET, 0x5000, 0, ""}, 16));
  APART("link that goes up", link("/proc/self/exe", "/tmp/exe"));

  static const char *written[] = {
      "/proc/sys/kernel/hostname", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/panic",
      "/proc/sys/vm/overcommit_memory", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/fs/file-max", "/proc/sysrq-trigger",
      "/proc/kcore", "/proc/kmsg", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/acpi", "/proc/keys", "/proc/timer_list",
      "/proc/sched_debug", "/proc/latency_stats", "/proc/scsi", "/proc/asound", "/proc/interrupts", "/proc/1/oom_score_adj",
      "/proc/self/uid_map", "/proc/1/mem", "/proc/self/attr/current",
      "/sys", "/sys/kernel", "/sys/firmware", "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/power/state",
      "/sys/kernel/uevent_helper", "/sys/module", "/sys/devices/virtual/powercap", "/sys/fs/cgroup", "/sys/kernel/debug",
      "/sys/kernel/security", "/sys/kernel/tracing", "/sys/block",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/release_agent", "/sys/fs/cgroup/memory/cgroup.procs",
      "/sys/fs/cgroup/devices/devices.allow", "/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/cgroup.procs",
      "/dev/kmsg", "/dev/mem", "/dev/kvm", "/dev/sda", "/dev/vda", "/dev/null", "/dev/full", "/dev/random", "/dev/tty",
      "/dev/console", "/dev/ptmx", "/dev/fuse", "/dev/net/tun", "/dev/stdin", "/dev/core", "/dev/mqueue", "/dev/shm",
      "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/proc/1/root", "/proc/1/cwd", "/proc/self/exe", "/proc/1/exe",
      "/.dockerenv", NULL};
  for (const char **path = written; *path; path++) {
    open_for(*path, O_RDONLY);
    open_for(*path, O_WRONLY);
  }
  APART("mkdir /sys/fs/cgroup/x", mkdir("/sys/fs/cgroup/x", 0700));
  APART("mkdir /sys/fs/cgroup/memory/x", mkdir("/sys/fs/cgroup/memory/x", 0700));
  APART("mkdir /proc/x", mkdir("/proc/x", 0700));
  APART("mkdir /dev/x", mkdir("/dev/x", 0700));
  APART("file in /dev/shm", open("/dev/shm/x", O_CREAT | O_WRONLY | O_CLOEXEC, 0700));
  APART("file in /dev/mqueue", open("/dev/mqueue/x", O_CREAT | O_WRONLY | O_CLOEXEC, 0700));
  APART("remove /etc/hosts", unlink("/etc/hosts"));
  APART("rename /etc/hosts", rename("/etc/hosts", "/etc/other"));
  APART("remove /dev/null", unlink("/dev/null"));
  APART("replace /proc/kcore", rename("/tmp/device", "/proc/kcore"));
  APART("cd /proc/1/root/..", chdir("/proc/1/root/.."));
  /* The machine's own root has other directories than an image of busybox. */
  APART("leave by /proc/1/root", access("/proc/1/root/boot", F_OK));
  APART("leave by /proc/1/cwd", access("/proc/1/cwd/../../../../boot", F_OK));
  APART("leave by a descriptor", access("/proc/self/fd/7/../../boot", F_OK));
  if (isatty(0))
    APART("type into the terminal", ioctl(0, TIOCSTI, "x"));
  return 0;
}
