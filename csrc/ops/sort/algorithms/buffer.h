// Scratch arrays from the caching allocator. Internal to ops/sort/algorithms.
#pragma once

#include <cstdint>
#include <utility>

#include "core/allocator.h"

namespace pt::sorting {

// Uninitialised memory for n elements of a trivial type.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(int64_t n)
      : size_(n), data_(static_cast<T*>(cpu_alloc(static_cast<size_t>(n) * sizeof(T)))) {}
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Buffer() { cpu_free(data_, static_cast<size_t>(size_) * sizeof(T)); }

  T* get() const { return data_; }
  int64_t size() const { return size_; }
  T& operator[](int64_t i) const { return data_[i]; }

 private:
  void swap(Buffer& other) {
    std::swap(size_, other.size_);
    std::swap(data_, other.data_);
  }

  int64_t size_ = 0;
  T* data_ = nullptr;  // null only if default-constructed
};

}  // namespace pt::sorting
