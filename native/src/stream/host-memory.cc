#include "stream/host-memory.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace guard::stream {

KeptFile::KeptFile(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
KeptFile::~KeptFile() {
  if (fd_ >= 0) close(fd_);
}

std::string KeptFile::text() const {
  char buffer[16384];
  const ssize_t n = fd_ < 0 ? 0 : pread(fd_, buffer, sizeof buffer, 0);
  return n <= 0 ? "" : std::string(buffer, static_cast<size_t>(n));
}

std::optional<uint64_t> KeptFile::number() const {
  std::istringstream in(text());
  uint64_t value = 0;
  if (!(in >> value)) return std::nullopt;
  return value;
}

std::optional<uint64_t> KeptFile::number_of(const std::string& key) const {
  std::istringstream in(text());
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string name;
    uint64_t value = 0;
    if (words >> name >> value && name == key) return value;
  }
  return std::nullopt;
}

HostMemory::HostMemory(const std::string& root) : system_(root + "/proc/meminfo"), self_(root + "/proc/self/status") {
  std::ifstream list(root + "/proc/self/cgroup");
  for (std::string line; std::getline(list, line);) {  // "0::/a/b" (version 2), "4:memory:/a/b" (version 1)
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",", path = line.substr(second + 1);
    if (path.find("..") != path.npos) continue;
    if (controllers == ",,") add_groups(root + "/sys/fs/cgroup", path, true);
    if (controllers.find(",memory,") != controllers.npos) add_groups(root + "/sys/fs/cgroup/memory", path, false);
  }
}

/// The group and each above it, up to the mount's own: any of them may bind. In a container the path is one of the
/// host's, and the container's group is the mount itself.
void HostMemory::add_groups(const std::string& mount, std::string path, bool second) {
  for (;;) {
    const std::string folder = mount + (path == "/" ? "" : path) + "/";
    Group group{KeptFile(folder + (second ? "memory.max" : "memory.limit_in_bytes")), KeptFile(folder + (second ? "memory.current" : "memory.usage_in_bytes")),
                KeptFile(folder + "memory.stat"), second ? "inactive_file" : "total_inactive_file"};
    if (group.limit.is_there()) groups_.push_back(std::move(group));
    if (path.empty() || path == "/") return;
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
}

std::optional<uint64_t> HostMemory::Group::left() const {
  /// Version 1 writes "no limit" as a number near 2^63.
  constexpr uint64_t kNoLimit = 1ull << 60;
  const auto most = limit.number(), used = usage.number();
  if (!most || !used || *most >= kNoLimit) return std::nullopt;
  const uint64_t busy = *used - std::min(*used, details.number_of(idle_pages).value_or(0));
  return *most > busy ? *most - busy : 0;
}

std::optional<uint64_t> HostMemory::available() const {
  std::optional<uint64_t> least;
  const auto take = [&](const std::optional<uint64_t>& left) {
    if (left) least = least ? std::min(*least, *left) : *left;
  };
  if (const auto kilobytes = system_.number_of("MemAvailable:")) take(*kilobytes * 1024);
  for (const Group& group : groups_) take(group.left());
  rlimit data{};
  const auto used = self_.number_of("VmData:");
  if (used && getrlimit(RLIMIT_DATA, &data) == 0 && data.rlim_cur != RLIM_INFINITY) take(data.rlim_cur - std::min<uint64_t>(data.rlim_cur, *used * 1024));
  return least;
}

}  // namespace guard::stream
