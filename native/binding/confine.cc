#include "confine.h"

#ifdef __linux__
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <vector>

namespace binding {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArch = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArch = AUDIT_ARCH_AARCH64;
#else
constexpr uint32_t kArch = 0;
#endif

/// What an idle Node, its collector and the engine's threads use once all files are open. Reading and writing
/// stay, since the only descriptors are the line to the gate, standard streams and the model.
constexpr long kAllowed[] = {
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_preadv, SYS_close, SYS_lseek, SYS_fstat, SYS_fcntl, SYS_dup, SYS_shutdown,
    SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_brk, SYS_membarrier, SYS_pkey_mprotect, SYS_pkey_alloc, SYS_pkey_free,
    SYS_futex, SYS_set_robust_list, SYS_get_robust_list, SYS_rseq, SYS_sched_yield, SYS_sched_getaffinity, SYS_sched_getparam, SYS_sched_getscheduler,
    SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_ppoll, SYS_eventfd2, SYS_timerfd_create, SYS_timerfd_settime, SYS_pipe2,
    SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday, SYS_times, SYS_getrusage, SYS_sysinfo, SYS_uname,
    SYS_getpid, SYS_gettid, SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getcpu, SYS_getrandom,
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigtimedwait, SYS_sigaltstack, SYS_tgkill,
    SYS_restart_syscall, SYS_exit, SYS_exit_group,
#if defined(__x86_64__)
    SYS_epoll_wait, SYS_poll, SYS_dup2, SYS_arch_prctl, SYS_time,
#endif
};

constexpr size_t at_low(size_t argument) { return offsetof(seccomp_data, args) + argument * 8; }

std::vector<sock_filter> program() {
  std::vector<sock_filter> p;
  const auto load = [&](size_t offset) { p.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset))); };
  const auto answer = [&](uint32_t action) { p.push_back(BPF_STMT(BPF_RET | BPF_K, action)); };
  /// The next instruction only where the loaded word is `value`.
  const auto unless = [&](uint32_t value, uint8_t skip) { p.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)); };
  constexpr uint32_t kNo = SECCOMP_RET_ERRNO | EPERM;

  load(offsetof(seccomp_data, arch));
  p.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArch, 1, 0));
  answer(SECCOMP_RET_KILL_PROCESS);
  load(offsetof(seccomp_data, nr));
#if defined(__x86_64__)
  // The x32 numbers are a second door to the same calls.
  p.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000u, 0, 1));
  answer(kNo);
#endif
  for (const long nr : kAllowed) {
    unless(static_cast<uint32_t>(nr), 1);
    answer(SECCOMP_RET_ALLOW);
  }
  // Threads, yes; processes, no. clone3 hides its flags in memory: "no such call" makes libc take clone.
  unless(SYS_clone3, 1);
  answer(SECCOMP_RET_ERRNO | ENOSYS);
  unless(SYS_clone, 4);
  load(at_low(0));
  p.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1));
  answer(SECCOMP_RET_ALLOW);
  answer(kNo);
  // Names of threads and of memory areas.
  unless(SYS_prctl, 6);
  load(at_low(0));
  unless(PR_SET_NAME, 1);
  answer(SECCOMP_RET_ALLOW);
  unless(0x53564d41, 1);
  answer(SECCOMP_RET_ALLOW);
  answer(kNo);
  // Whether a descriptor has something to read, and that it shall not block.
  unless(SYS_ioctl, 6);
  load(at_low(1));
  unless(0x541b, 1);
  answer(SECCOMP_RET_ALLOW);
  unless(0x5421, 1);
  answer(SECCOMP_RET_ALLOW);
  answer(kNo);
  answer(kNo);
  return p;
}

/// The filter is believed when it has been seen to bite.
std::string prove() {
  const int file = open("/", O_RDONLY | O_CLOEXEC);
  if (file >= 0) {
    close(file);
    return "a file could still be opened";
  }
  const int line = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (line >= 0) {
    close(line);
    return "a socket could still be made";
  }
  char* const nothing[] = {nullptr};
  if (execve("/", nothing, nothing) == -1 && errno != EPERM) return "a program could still be started";
  return "";
}

}  // namespace

std::string confine() {
  if (kArch == 0) return "this processor is not known to the filter";
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return std::string("new privileges could not be given up: ") + strerror(errno);
  // No other process of this user may look into the memory that held the texts.
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  auto filter = program();
  const sock_fprog given{static_cast<unsigned short>(filter.size()), filter.data()};
  // All threads at once: the engine's, and those of Node's collector.
  const long status = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &given);
  if (status != 0) return status > 0 ? "a thread could not be confined" : std::string("the kernel takes no filter: ") + strerror(errno);
  return prove();
}

}  // namespace binding

#else

namespace binding {
std::string confine() { return "this system has no filter for system calls"; }
}  // namespace binding

#endif
