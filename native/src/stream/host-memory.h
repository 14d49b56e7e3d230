#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace guard::stream {

/// A small file of /proc or /sys that is opened once and read again and again: a process that may open nothing any more
/// still learns what the kernel says.
class KeptFile {
 public:
  explicit KeptFile(const std::string& path);
  ~KeptFile();
  KeptFile(KeptFile&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  KeptFile(const KeptFile&) = delete;
  bool is_there() const { return fd_ >= 0; }
  /// The number that the file begins with; "max" is none.
  std::optional<uint64_t> number() const;
  /// The number behind `key`, on a line of its own.
  std::optional<uint64_t> number_of(const std::string& key) const;

 private:
  std::string text() const;
  int fd_;
};

/// What this process may still use of the host's memory: the least of what the system has available, what its cgroups
/// (version 2 and 1) and those above them leave, where pages of files that the kernel gives up at once count as free,
/// and what RLIMIT_DATA leaves.
class HostMemory {
 public:
  /// `root` stands before /proc and /sys, for tests.
  explicit HostMemory(const std::string& root = "");
  /// Nothing where the system does not say.
  std::optional<uint64_t> available() const;

 private:
  struct Group {
    KeptFile limit, usage, details;
    const char* idle_pages;
    std::optional<uint64_t> left() const;
  };
  void add_groups(const std::string& mount, std::string path, bool second);

  KeptFile system_, self_;
  std::vector<Group> groups_;
};

}  // namespace guard::stream
