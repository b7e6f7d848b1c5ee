// Where the libraries are looked for: the folders that PYTENSOR_CUDA_LIBRARIES names; what the
// process has loaded; the loader's own paths; the folders of NVIDIA's wheels beside this package.
// PYTENSOR_CUDA_LIBRARIES=0 uses none.
#include "cuda/libraries/loader.h"

#include <dlfcn.h>
#include <glob.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "cuda/runtime/runtime.h"

namespace pt::cuda {

namespace {

std::atomic<bool> preferred{true};

const char* setting() {
  const char* v = std::getenv("PYTENSOR_CUDA_LIBRARIES");
  return v ? v : "";
}

std::vector<std::string> folders_of_setting() {
  std::vector<std::string> folders;
  std::string_view rest = setting();
  while (!rest.empty()) {
    const auto colon = rest.find(':');
    if (colon != 0) folders.emplace_back(rest.substr(0, colon));
    rest = colon == rest.npos ? "" : rest.substr(colon + 1);
  }
  return folders;
}

#ifndef PT_CUDA_EMULATION
// nvidia/cu13/lib, nvidia/cudnn/lib and the like, where pytensor/lib has this library.
std::vector<std::string> folders_of_wheels() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<const void*>(&folders_of_wheels), &info) || !info.dli_fname)
    return {};
  const std::string own = info.dli_fname;
  const std::string pattern = own.substr(0, own.rfind('/') + 1) + "../../nvidia/*/lib";
  std::vector<std::string> folders;
  glob_t found{};
  if (glob(pattern.c_str(), GLOB_ONLYDIR, nullptr, &found) == 0)
    for (size_t i = 0; i < found.gl_pathc; ++i) folders.emplace_back(found.gl_pathv[i]);
  globfree(&found);
  return folders;
}
#endif

void* open_one(std::initializer_list<const char*> names, const char* symbol) {
  for (const std::string& folder : folders_of_setting())
    for (const char* name : names)
      if (void* h = dlopen((folder + "/" + name).c_str(), RTLD_NOW | RTLD_LOCAL)) return h;
#ifdef PT_CUDA_EMULATION
  static_cast<void>(symbol);
  return nullptr;  // real ones know nothing of this device
#else
  if (dlsym(RTLD_DEFAULT, symbol)) return dlopen(nullptr, RTLD_NOW);
  for (const char* name : names)
    if (void* h = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return h;
  for (const std::string& folder : folders_of_wheels())
    for (const char* name : names)
      if (void* h = dlopen((folder + "/" + name).c_str(), RTLD_NOW | RTLD_LOCAL)) return h;
  return nullptr;
#endif
}

}  // namespace

bool libraries_wanted() {
  static const bool allowed = std::strcmp(setting(), "0") != 0;
  return allowed && preferred.load(std::memory_order_relaxed);
}

bool Library::find_address(void** function, const char* name) const {
  *function = handle ? dlsym(handle, name) : nullptr;
  return *function != nullptr;
}

const Library& cublaslt_library() {
  static const Library library = [] {
    Library l;
    if (std::strcmp(setting(), "0") == 0) return l;
    l.handle = open_one({"libcublasLt.so.13", "libcublasLt.so.12"}, "cublasLtGetVersion");
    size_t (*version)() = nullptr;
    if (l.find(version, "cublasLtGetVersion")) l.version = static_cast<int64_t>(version());
    const int64_t major = l.version / 10000;
    if (major != 12 && major != 13) l.handle = nullptr;
    return l;
  }();
  return library;
}

const Library& cudnn_library() {
  static const Library library = [] {
    Library l;
    if (std::strcmp(setting(), "0") == 0) return l;
    l.handle = open_one({"libcudnn.so.9"}, "cudnnGetVersion");
    size_t (*version)() = nullptr;
    if (l.find(version, "cudnnGetVersion")) l.version = static_cast<int64_t>(version());
    if (l.version / 10000 != 9) l.handle = nullptr;
    // It opens NVRTC by its name alone, for a part of its kernels.
    if (l.handle) open_one({"libnvrtc.so.13", "libnvrtc.so.12"}, "nvrtcVersion");
    return l;
  }();
  return library;
}

int64_t library_version(const char* name) {
  const bool is_cublaslt = std::strcmp(name, "cublasLt") == 0;
  if (!is_cublaslt && std::strcmp(name, "cudnn") != 0) return 0;
  const Library& l = is_cublaslt ? cublaslt_library() : cudnn_library();
  return l.handle ? l.version : 0;
}

void prefer_libraries(int on) { preferred = on != 0; }

}  // namespace pt::cuda
