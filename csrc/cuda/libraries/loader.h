// Libraries of CUDA's makers, opened when a kernel first asks for them. Never needed: where one is
// missing or of another version, the kernels here do the work.
#pragma once

#include <cstdint>

namespace pt::cuda {

// Whether they may be used: PYTENSOR_CUDA_LIBRARIES is not 0, and prefer_libraries(0) has not been
// called.
bool libraries_wanted();

struct Library {
  void* handle = nullptr;  // null: not to be had
  int64_t version = 0;
  // Sets `function` to a function of the library, false if it is missing.
  template <class F>
  bool find(F*& function, const char* name) const {
    return find_address(reinterpret_cast<void**>(&function), name);
  }

 private:
  bool find_address(void** function, const char* name) const;
};
const Library& cublaslt_library();
const Library& cudnn_library();

}  // namespace pt::cuda
