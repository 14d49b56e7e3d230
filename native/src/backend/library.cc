#include "backend/library.h"

#include <dlfcn.h>
#include <unistd.h>

#include "base/fail.h"

namespace guard::backend {
namespace {

/// The folder of the file that this code was loaded from: the addon's, or the program's.
std::string own_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&own_folder), &info) == 0 || info.dli_fname == nullptr) return ".";
  const std::string file(info.dli_fname);
  const size_t slash = file.rfind('/');
  return slash == file.npos ? "." : file.substr(0, slash);
}

}  // namespace

Library Library::load(const char* path) {
  const std::string file = path != nullptr && *path != 0 ? path : own_folder() + "/libguard_cuda.so";
  if (access(file.c_str(), R_OK) != 0) fail(GUARD_UNSUPPORTED, "There is no CUDA library (libguard_cuda.so) beside the engine: npm run build:cuda makes it.");
  // A path with a slash: the system's search for libraries, which the environment steers, is not asked.
  void* handle = dlopen(file.find('/') == file.npos ? ("./" + file).c_str() : file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = dlerror();
    fail(GUARD_UNSUPPORTED, "The CUDA library could not be loaded (%s).", why == nullptr ? "no reason was given" : why);
  }
  const auto entry = reinterpret_cast<guard_cuda_entry>(dlsym(handle, "guard_cuda"));
  const guard_cuda_api* api = entry == nullptr ? nullptr : entry(GUARD_CUDA_ABI);
  if (api == nullptr || api->abi != GUARD_CUDA_ABI) {
    dlclose(handle);
    fail(GUARD_UNSUPPORTED, "The CUDA library is not of this engine's version: build it anew with npm run build:cuda.");
  }
  return Library(api);
}

void Library::check(int answer) const {
  if (answer == GUARD_CUDA_OK) return;
  const char* why = api_->why();
  switch (answer) {
    case GUARD_CUDA_NO_DEVICE: fail(GUARD_UNSUPPORTED, "%s", why);
    case GUARD_CUDA_NO_MEMORY: fail(GUARD_NO_MEMORY, "%s", why);
    case GUARD_CUDA_BAD_CALL: fail(GUARD_UNSUPPORTED, "%s", why);
    default: fail(GUARD_IO, "%s", why);
  }
}

}  // namespace guard::backend
