// `guard-test plant WHAT`: does on purpose what a sanitizer must report, so that its silence elsewhere means something.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <thread>

int run_plant(const char* what) {
  const std::string kind = what;
  if (kind == "overflow") {
    volatile size_t n = 8;
    char* bytes = static_cast<char*>(malloc(n));
    memset(bytes, 1, n);
    const int told = bytes[n];
    free(bytes);
    return told == 77;
  }
  if (kind == "undefined") {
    volatile int most = std::numeric_limits<int>::max();
    volatile int one = 1;
    return most + one == 77;
  }
  if (kind == "leak") {
    // Several: one might still be seen in a register.
    for (int i = 0; i < 16; i++) static_cast<volatile char*>(malloc(77))[0] = 1;
    return 0;
  }
  if (kind == "race") {
    int count = 0;
    const auto add = [&count] {
      for (int i = 0; i < 10000; i++) count++;
    };
    std::thread one(add), other(add);
    one.join();
    other.join();
    return count == 77;
  }
  fprintf(stderr, "plant overflow, undefined, leak or race\n");
  return 2;
}
