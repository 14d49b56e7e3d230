/*
 * Starts the guard's child process with less than its parent has: guard-launch MEMORY_BYTES [PATH…] -- PROGRAM ARGS…
 *
 * Before the program runs: no new privileges; no core dumps, no growing files, bounded private memory; no sockets,
 * no io_uring (whose operations no filter sees), no looking into other processes; and, where the kernel has Landlock,
 * only the named paths and the system's libraries can be read; a path with a + before it, a device's, can be written
 * too. A model file is hostile input: this holds while it
 * is parsed. Once it is loaded the child gives up opening files as well (binding/confine.cc).
 */
#ifdef __linux__
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

#if defined(__x86_64__)
constexpr uint32_t kArch = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArch = AUDIT_ARCH_AARCH64;
#else
constexpr uint32_t kArch = 0;
#endif

constexpr long kForbidden[] = {
    SYS_socket, SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kill, SYS_mount, SYS_umount2, SYS_unshare, SYS_setns, SYS_bpf,
    SYS_perf_event_open, SYS_userfaultfd, SYS_keyctl, SYS_add_key, SYS_request_key, SYS_unlinkat, SYS_renameat2, SYS_linkat, SYS_symlinkat, SYS_mkdirat,
};

bool filter_calls() {
  if (kArch == 0) return false;
  std::vector<sock_filter> p;
  p.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)));
  p.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArch, 1, 0));
  p.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  p.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
#if defined(__x86_64__)
  p.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000u, 0, 1));
  p.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
#endif
  for (const long nr : kForbidden) {
    p.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(nr), 0, 1));
    p.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  }
  p.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog given{static_cast<unsigned short>(p.size()), p.data()};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &given) == 0;
}

// Landlock's interface, as linux/landlock.h has it; older headers know it not.
struct RulesetAttr {
  uint64_t handled_access_fs;
};
struct __attribute__((packed)) PathAttr {
  uint64_t allowed_access;
  int32_t parent_fd;
};
constexpr long kCreateRuleset = 444, kAddRule = 445, kRestrictSelf = 446;
constexpr uint64_t kExecute = 1, kWriteFile = 2, kReadFile = 4, kReadDir = 8, kAllFs = (1ull << 13) - 1;

void may_read(int ruleset, const char* path, uint64_t access) {
  const int fd = open(path, O_PATH | O_CLOEXEC);
  if (fd < 0) return;
  struct stat info;
  if (fstat(fd, &info) == 0 && !S_ISDIR(info.st_mode)) access &= ~kReadDir;
  const PathAttr rule{access, fd};
  syscall(kAddRule, ruleset, 1, &rule, 0);
  close(fd);
}

bool narrow_files(char** paths, int n, const char* program) {
  if (syscall(kCreateRuleset, nullptr, 0, 1u) < 1) return false;
  const RulesetAttr attributes{kAllFs};
  const int ruleset = static_cast<int>(syscall(kCreateRuleset, &attributes, sizeof attributes, 0u));
  if (ruleset < 0) return false;
  for (int i = 0; i < n; i++) paths[i][0] == '+' ? may_read(ruleset, paths[i] + 1, kReadFile | kReadDir | kWriteFile) : may_read(ruleset, paths[i], kReadFile | kReadDir);
  may_read(ruleset, program, kReadFile | kExecute);
  for (const char* system : {"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/etc/ssl", "/etc/alternatives", "/usr/local/cuda", "/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/proc/driver", "/sys/devices/system/cpu", "/sys/fs/cgroup", "/dev/urandom", "/dev/null"})
    may_read(ruleset, system, kReadFile | kReadDir | kExecute);
  const bool done = syscall(kRestrictSelf, ruleset, 0u) == 0;
  close(ruleset);
  return done;
}

}  // namespace

int main(int argc, char** argv) {
  int split = 2;
  while (split < argc && strcmp(argv[split], "--") != 0) split++;
  if (argc < 4 || split + 1 >= argc) {
    fprintf(stderr, "usage: guard-launch MEMORY_BYTES [PATH...] -- PROGRAM [ARGUMENT...]\n");
    return 2;
  }
  char* const* command = argv + split + 1;
  const uint64_t bytes = strtoull(argv[1], nullptr, 10);
  const rlimit none{0, 0}, data{bytes, bytes};
  setrlimit(RLIMIT_CORE, &none);
  setrlimit(RLIMIT_FSIZE, &none);
  if (bytes > 0 && setrlimit(RLIMIT_DATA, &data) != 0) {
    fprintf(stderr, "guard-launch: the memory can not be bounded: %s\n", strerror(errno));
    return 3;
  }
  // The child ends with its parent, whatever became of the line between them.
  prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
    narrow_files(argv + 2, split - 2, command[0]);
    filter_calls();
  }
  execv(command[0], command);
  fprintf(stderr, "guard-launch: %s can not be started: %s\n", command[0], strerror(errno));
  return 3;
}
#else
#include <unistd.h>
#include <cstring>
int main(int argc, char** argv) {
  for (int i = 1; i + 1 < argc; i++)
    if (strcmp(argv[i], "--") == 0) return execv(argv[i + 1], argv + i + 1);
  return 2;
}
#endif
