// Device memory for the time of a few launches on the current stream: it may be given back right
// after they are queued, because whatever gets it next is queued behind them.
#pragma once

#include "cuda/pt_cuda.h"

namespace pt::cuda {

void* allocate(size_t bytes);
void release(void* p);

class Scratch {
 public:
  explicit Scratch(size_t bytes) : data_(bytes ? allocate(bytes) : nullptr) {
    if (bytes && !data_) note(cudaErrorMemoryAllocation);
  }
  ~Scratch() {
    if (data_) release(data_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  explicit operator bool() const { return data_ != nullptr; }
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  void* data_;
};

}  // namespace pt::cuda
