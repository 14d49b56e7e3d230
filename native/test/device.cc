#include "device.h"

#include <unistd.h>

#include <cstdlib>

bool device_is_emulated() { return getenv("GUARD_TEST_DEVICE") == nullptr; }

std::string device_library() {
  if (const char* set = getenv("GUARD_TEST_DEVICE")) return set;
  char path[4096];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path);
  const std::string program(path, n < 0 ? 0 : static_cast<size_t>(n));
  const size_t slash = program.rfind('/');
  // guard-test-address goes with libguard_cuda_emulated-address.so.
  const size_t suffix = program.find('-', slash == program.npos ? 0 : slash + sizeof "guard-");
  return program.substr(0, slash) + "/libguard_cuda_emulated" + (suffix == program.npos ? "" : program.substr(suffix)) + ".so";
}
