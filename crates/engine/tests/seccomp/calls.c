/* Makes system calls that a filter may refuse and prints what each one returns: 0, or its error number. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void report(const char *name, long result) {
  printf("%s %d\n", name, result < 0 ? errno : 0);
}

/* A call that makes a process, which has nothing to say. */
static long process(long result) {
  if (result == 0)
    _exit(0);
  return result;
}

#if defined(__x86_64__)
static sigjmp_buf without;

static void missing(int signal) { siglongjmp(without, signal); }

/* A call as 32-bit programs make it, by its number there. */
static void compatible(const char *name, int number, int first) {
  int result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(first), "c"(0), "d"(0) : "memory");
  printf("32-bit %s %d\n", name, result < 0 ? -result : 0);
}
#endif

int main(void) {
  char buffer[64];
  struct clone_args arguments;
  memset(&arguments, 0, sizeof arguments);
  setvbuf(stdout, NULL, _IONBF, 0);

  report("getpid", syscall(SYS_getpid));
  report("chmod", syscall(SYS_fchmodat, AT_FDCWD, "/", 0755));
  report("mount", syscall(SYS_mount, "none", "/nowhere", "tmpfs", 0, 0));
  report("umount", syscall(SYS_umount2, "/nowhere", 0));
  report("unshare", syscall(SYS_unshare, CLONE_NEWUTS));
  report("setns", syscall(SYS_setns, -1, 0));
  report("clone-namespace", process(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)));
  report("clone3", process(syscall(SYS_clone3, &arguments, sizeof arguments)));
  report("keyctl", syscall(SYS_keyctl, 0, -1, 0, 0, 0));
  report("add_key", syscall(SYS_add_key, "user", "x", "x", 1, -1));
  report("bpf", syscall(SYS_bpf, 99, 0, 0));
  report("perf_event_open", syscall(SYS_perf_event_open, 0, 0, 0, 0, 0));
  report("io_uring_setup", syscall(SYS_io_uring_setup, 0, 0));
  report("userfaultfd", syscall(SYS_userfaultfd, 0xffff));
  report("kexec_load", syscall(SYS_kexec_load, 0, 0, 0, 0xffff));
  report("init_module", syscall(SYS_init_module, 0, 0, 0));
  report("open_by_handle_at", syscall(SYS_open_by_handle_at, -1, 0, 0));
  report("settimeofday", syscall(SYS_settimeofday, 0, 0));
  report("seccomp", syscall(SYS_seccomp, 99, 0, 0));
  report("chroot", syscall(SYS_chroot, "/nowhere"));
  report("personality-query", syscall(SYS_personality, 0xffffffff));
  report("personality-random", syscall(SYS_personality, 0x0040000));
  report("socket-unix", syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0));
  report("socket-alg", syscall(SYS_socket, AF_ALG, SOCK_SEQPACKET, 0));
  report("socket-vsock", syscall(SYS_socket, 40, SOCK_STREAM, 0));
  /* The kernel reads 32 bits of these. */
  report("socket-alg-wide", syscall(SYS_socket, 1L << 32 | AF_ALG, SOCK_SEQPACKET, 0));
  report("socket-vsock-wide", syscall(SYS_socket, 1L << 32 | 40, SOCK_STREAM, 0));
  report("personality-random-wide", syscall(SYS_personality, 1L << 32 | 0x0040000));
  report("newer", syscall(9999));
#if defined(__x86_64__)
  report("x32", syscall(0x40000000 + SYS_getpid));
  signal(SIGSEGV, missing);
  if (sigsetjmp(without, 1) == 0) {
    compatible("getpid", 20, 0);
    compatible("umount2", 52, 0);
    compatible("unshare", 310, 0);
    compatible("clone3", 435, -1);
    compatible("newer", 9999, 0);
    compatible("socketcall-socket", 102, 1);
    compatible("socketcall-listen", 102, 4);
  } else {
    puts("32-bit none");
  }
#endif
  return syscall(SYS_getcwd, buffer, sizeof buffer) < 0;
}
