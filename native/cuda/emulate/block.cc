// Runs a block: every thread is a fiber with a stack of its own. A warp's fibers run until all of them wait for the
// same instruction, or at the block's barrier.
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "emulate/lanes.h"
#include "emulate/queue.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace lanes::emulated {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kStack = 256 * 1024;
#else
constexpr size_t kStack = 64 * 1024;
#endif
constexpr unsigned kMost = 1024;

enum class State { Ready, Warp, Block, Done };

struct Copy {
  void* to;
  const void* from;
  bool there;
};

#if defined(__x86_64__)
struct Context {
  void* stack = nullptr;
};
#else
using Context = ucontext_t;
#endif

struct Fiber {
  Context context;
  unsigned char* stack = nullptr;
  State state = State::Done;
  void (*perform)(void* const*) = nullptr;
  void* operand = nullptr;
  std::vector<std::vector<Copy>> groups;
  std::vector<Copy> open;
  void* tsan = nullptr;
};

struct Machine {
  std::vector<std::unique_ptr<Fiber>> fibers;
  Context main;
  Place place{};
  unsigned current = 0;
  const std::function<void()>* body = nullptr;
  std::string broken;
  void* main_tsan = nullptr;
  const void* main_bottom = nullptr;
  size_t main_size = 0;
  ~Machine() {
    for (auto& fiber : fibers) {
#if defined(__SANITIZE_ADDRESS__)
      // The frames that never returned stay marked, and whoever is given these addresses next would be blamed for them.
      __asan_unpoison_memory_region(fiber->stack, kStack);
#endif
      munmap(fiber->stack, kStack);
#if defined(__SANITIZE_THREAD__)
      __tsan_destroy_fiber(fiber->tsan);
#endif
    }
  }
};

Machine& machine() {
  static thread_local Machine one;
  return one;
}

#if defined(__x86_64__)
// Saves the registers that a call keeps, changes the stack, and loads them again.
asm(R"(
.text
.p2align 4
.type guard_emulated_switch, @function
guard_emulated_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size guard_emulated_switch, .-guard_emulated_switch
)");
extern "C" void guard_emulated_switch(void** save, void* load) __attribute__((visibility("hidden")));
void swap(Context& from, Context& to) { guard_emulated_switch(&from.stack, to.stack); }
#else
void swap(Context& from, Context& to) { swapcontext(&from, &to); }
#endif

/// Back to the one who runs the block. `last`: this fiber will not run again.
void leave(bool last) {
  Machine& m = machine();
  Fiber& fiber = *m.fibers[m.current];
#if defined(__SANITIZE_ADDRESS__)
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(last ? nullptr : &fake, m.main_bottom, m.main_size);
#endif
#if defined(__SANITIZE_THREAD__)
  __tsan_switch_to_fiber(m.main_tsan, 0);
#endif
  (void)last;
  swap(fiber.context, m.main);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake, &m.main_bottom, &m.main_size);
#endif
}

void enter(unsigned i) {
  Machine& m = machine();
  m.current = i;
  m.place.thread = i;
#if defined(__SANITIZE_ADDRESS__)
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(&fake, m.fibers[i]->stack, kStack);
#endif
#if defined(__SANITIZE_THREAD__)
  __tsan_switch_to_fiber(m.fibers[i]->tsan, 0);
#endif
  swap(m.main, m.fibers[i]->context);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
}

void begin() {
  Machine& m = machine();
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &m.main_bottom, &m.main_size);
#endif
  (*m.body)();
  m.fibers[m.current]->state = State::Done;
  leave(true);
}

void prepare(Fiber& fiber) {
  if (fiber.stack == nullptr) {
    fiber.stack = static_cast<unsigned char*>(mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    if (fiber.stack == MAP_FAILED) abort();
#if defined(__SANITIZE_THREAD__)
    fiber.tsan = __tsan_create_fiber(0);
#endif
  }
#if defined(__SANITIZE_ADDRESS__)
  // The last fiber on this stack never returned from its frames.
  __asan_unpoison_memory_region(fiber.stack, kStack);
#endif
  fiber.state = State::Ready;
  fiber.groups.clear();
  fiber.open.clear();
#if defined(__x86_64__)
  auto* top = reinterpret_cast<void**>(fiber.stack + kStack - 64);
  *--top = nullptr;  // the return address of begin, which never returns: the stack is aligned as after a call
  *--top = reinterpret_cast<void*>(begin);
  for (int i = 0; i < 6; i++) *--top = nullptr;
  fiber.context.stack = top;
#else
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack;
  fiber.context.uc_stack.ss_size = kStack;
  fiber.context.uc_link = nullptr;
  makecontext(&fiber.context, begin, 0);
#endif
}

void meet(State state) {
  Machine& m = machine();
  m.fibers[m.current]->state = state;
  leave(false);
}

void fail(Machine& m, const char* what) {
  if (m.broken.empty()) m.broken = what;
}

/// One warp, until all of its threads are done or at the barrier.
void run_warp(Machine& m, unsigned first, bool backwards) {
  for (;;) {
    unsigned ready = 0, waiting = 0;
    for (unsigned i = 0; i < 32; i++) {
      const unsigned lane = first + (backwards ? 31 - i : i);
      if (m.fibers[lane]->state == State::Ready) {
        enter(lane);
        if (!m.broken.empty()) return;
        ready++;
      }
      waiting += m.fibers[lane]->state == State::Warp;
    }
    if (waiting == 32) {
      void* operands[32];
      for (unsigned i = 0; i < 32; i++) {
        operands[i] = m.fibers[first + i]->operand;
        if (m.fibers[first + i]->perform != m.fibers[first]->perform) return fail(m, "lanes of a warp wait for different instructions");
      }
      m.fibers[first]->perform(operands);
      for (unsigned i = 0; i < 32; i++) m.fibers[first + i]->state = State::Ready;
    } else if (waiting > 0) {
      return fail(m, "some lanes of a warp wait for an instruction that others never reach");
    } else if (ready == 0) {
      return;
    }
  }
}

void run_block(Machine& m, bool backwards) {
  const unsigned n = m.place.threads;
  for (unsigned i = 0; i < n; i++) prepare(*m.fibers[i]);
  for (;;) {
    for (unsigned w = 0; w < n / 32; w++) {
      run_warp(m, 32 * (backwards ? n / 32 - 1 - w : w), backwards);
      if (!m.broken.empty()) return;
    }
    unsigned done = 0;
    for (unsigned i = 0; i < n; i++) done += m.fibers[i]->state == State::Done;
    if (done == n) return;
    if (done > 0) return fail(m, "some threads ended before a barrier that others wait at");
    for (unsigned i = 0; i < n; i++) m.fibers[i]->state = State::Ready;
  }
}

cudaError_t run_grid(const Shape& s, const std::function<void()>& body) {
  Machine& m = machine();
  if (s.threads == 0 || s.threads % 32 != 0 || s.threads > kMost || s.x == 0 || s.y == 0 || s.z == 0 || s.shared > kShared) return cudaErrorInvalidValue;
  while (m.fibers.size() < s.threads) m.fibers.push_back(std::make_unique<Fiber>());
#if defined(__SANITIZE_THREAD__)
  m.main_tsan = __tsan_get_current_fiber();
#endif
  m.body = &body;
  m.broken.clear();
  m.place.threads = s.threads;
  // Allocated anew for each block, with exactly its size: what reads before it writes gets NaN, what runs over is seen.
  for (unsigned z = 0; z < s.z; z++)
    for (unsigned y = 0; y < s.y; y++)
      for (unsigned x = 0; x < s.x; x++) {
        std::unique_ptr<unsigned char, void (*)(void*)> shared(static_cast<unsigned char*>(aligned_alloc(128, (s.shared + 127) / 128 * 128)), free);
        memset(shared.get(), 0xff, s.shared);
        m.place.block[0] = x;
        m.place.block[1] = y;
        m.place.block[2] = z;
        m.place.shared = shared.get();
        run_block(m, order_is_reversed());
        if (!m.broken.empty()) {
          fprintf(stderr, "emulated kernel: %s (block %u, %u, %u)\n", m.broken.c_str(), x, y, z);
          // Threads that are still inside are left where they are; their stacks are used anew.
          return cudaErrorLaunchFailure;
        }
      }
  return cudaSuccess;
}

}  // namespace

const Place& place() { return machine().place; }

void barrier() { meet(State::Block); }

void together(void (*perform)(void* const*), void* operand) {
  Machine& m = machine();
  m.fibers[m.current]->perform = perform;
  m.fibers[m.current]->operand = operand;
  meet(State::Warp);
}

void broken(const char* what) {
  Machine& m = machine();
  fail(m, what);
  m.fibers[m.current]->state = State::Done;
  leave(true);
  abort();
}

void copy_begin(void* to, const void* from, bool there) {
  Machine& m = machine();
  m.fibers[m.current]->open.push_back({to, from, there});
}
void copy_group() {
  Machine& m = machine();
  Fiber& fiber = *m.fibers[m.current];
  fiber.groups.push_back(std::move(fiber.open));
  fiber.open.clear();
}
void copy_wait(int groups) {
  Machine& m = machine();
  Fiber& fiber = *m.fibers[m.current];
  while (fiber.groups.size() > static_cast<size_t>(groups)) {
    for (const Copy& copy : fiber.groups.front()) {
      if (copy.there)
        memcpy(copy.to, copy.from, 16);
      else
        memset(copy.to, 0, 16);
    }
    fiber.groups.erase(fiber.groups.begin());
  }
}

cudaError_t run(const Shape& shape, cudaStream_t queue, std::function<void()> body) {
  return enqueue(queue, [shape, body = std::move(body)] { return run_grid(shape, body); });
}

}  // namespace lanes::emulated
