#pragma once
#include <functional>
#include <string>
#include <vector>

#include "guard.h"

/// Named tests and plain checks: TEST registers, CHECK counts and names the place that failed.
struct Test {
  const char* name;
  void (*run)();
};
std::vector<Test>& tests();
struct Register {
  Register(const char* name, void (*run)()) { tests().push_back({name, run}); }
};
void check_failed(const char* file, int line, const std::string& what);
/// The running test could not be run here; the reason is printed and counted.
void skip(const std::string& why);

#define GUARD_JOIN2(a, b) a##b
#define GUARD_JOIN(a, b) GUARD_JOIN2(a, b)
#define TEST(name)                                                        \
  static void GUARD_JOIN(test_, __LINE__)();                              \
  static Register GUARD_JOIN(register_, __LINE__)(name, GUARD_JOIN(test_, __LINE__)); \
  static void GUARD_JOIN(test_, __LINE__)()
#define CHECK(condition) \
  do {                   \
    if (!(condition)) check_failed(__FILE__, __LINE__, #condition); \
  } while (0)
#define CHECK_THAT(condition, text) \
  do {                              \
    if (!(condition)) check_failed(__FILE__, __LINE__, text); \
  } while (0)

/// The folder of shared vectors, or "" (SALLYPORT_SHARED, default ../shared beside the repository).
std::string shared_folder();
/// native/test/golden.
std::string golden_folder();
std::string read_text(const std::string& path);
/// A file of the test run's own temporary folder, with that content.
std::string temporary_file(const std::string& name, const std::string& content);
std::string temporary_folder();
