#pragma once
#include <memory>
#include <string>

#include "guard_cuda.h"

namespace guard::backend {

/// The library of devices, loaded. It stays loaded: CUDA's run-time library does not bear to be taken out of a process.
class Library {
 public:
  /// `path` null or empty: libguard_cuda.so beside this program or addon. Throws Fail(GUARD_UNSUPPORTED) with the
  /// reason where there is none, or one of another version.
  static Library load(const char* path);
  const guard_cuda_api* operator->() const { return api_; }
  /// Throws what a call's answer says, if it is a failure.
  void check(int answer) const;

 private:
  explicit Library(const guard_cuda_api* api) : api_(api) {}
  const guard_cuda_api* api_;
};

}  // namespace guard::backend
