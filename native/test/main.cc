#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "check.h"

static int failures = 0;
static bool skipped = false;
static std::string folder;

std::vector<Test>& tests() {
  static std::vector<Test> list;
  return list;
}
void check_failed(const char* file, int line, const std::string& what) {
  failures++;
  printf("    %s:%d: not so: %s\n", file, line, what.c_str());
}
void skip(const std::string& why) {
  skipped = true;
  printf("    skipped: %s\n", why.c_str());
}

static std::string root() {
  // The program stands in native/build/.
  char path[4096];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  return n < 0 ? "." : std::filesystem::path(std::string(path, static_cast<size_t>(n))).parent_path().parent_path().parent_path().string();
}
std::string shared_folder() {
  const char* set = getenv("SALLYPORT_SHARED");
  const std::string place = set != nullptr ? set : root() + "/../shared";
  return std::filesystem::exists(place + "/vectors") ? place : "";
}
std::string golden_folder() { return root() + "/native/test/golden"; }
std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}
std::string temporary_folder() { return folder; }
std::string temporary_file(const std::string& name, const std::string& content) {
  const std::string path = folder + "/" + name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

int run_command(int argc, char** argv);

/// Without arguments: all tests. With `--only WORD`: those whose name has the word; with `--without WORD`: the others. The commands of commands.cc are
/// what the TypeScript tests and benchmarks call.
int main(int argc, char** argv) {
  char pattern[] = "/tmp/guard-test-XXXXXX";
  folder = mkdtemp(pattern);
  int status = 0;
  const char* only = argc > 2 && strcmp(argv[1], "--only") == 0 ? argv[2] : nullptr;
  const char* without = argc > 2 && strcmp(argv[1], "--without") == 0 ? argv[2] : nullptr;
  if (argc > 1 && only == nullptr && without == nullptr) {
    status = run_command(argc, argv);
  } else {
    int passed = 0, failed = 0, left_out = 0;
    for (const Test& test : tests()) {
      if (only != nullptr && strstr(test.name, only) == nullptr) continue;
      if (without != nullptr && strstr(test.name, without) != nullptr) continue;
      const int before = failures;
      skipped = false;
      test.run();
      const bool good = failures == before;
      printf("%s %s\n", !good ? "FAIL" : skipped ? "skip" : "ok  ", test.name);
      fflush(stdout);
      (!good ? failed : skipped ? left_out : passed)++;
    }
    printf("%d passed, %d failed, %d skipped\n", passed, failed, left_out);
    status = failed > 0;
  }
  std::filesystem::remove_all(folder);
  return status;
}
