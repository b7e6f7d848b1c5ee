// Ref<T>: intrusive reference counting. T provides `std::atomic<int32_t> refs` (starting at 1) and
// `static void destroy(T*)`. Counts are atomic because C++ programs share tensors between threads;
// a sole owner releases without an atomic instruction.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace pt {

template <class T>
inline void retain(T* p) {
  p->refs.fetch_add(1, std::memory_order_relaxed);
}
template <class T>
inline void release(T* p) {
  if (p->refs.load(std::memory_order_acquire) == 1 ||
      p->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    T::destroy(p);
  }
}

template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(const Ref& o) : p_(o.p_) {
    if (p_) retain(p_);
  }
  Ref(Ref&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  Ref& operator=(Ref o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  ~Ref() {
    if (p_) release(p_);
  }
  static Ref adopt(T* p) {  // takes over one reference
    Ref r;
    r.p_ = p;
    return r;
  }
  static Ref share(T* p) {  // adds a reference
    if (p) retain(p);
    return adopt(p);
  }
  T* get() const { return p_; }
  T* operator->() const { return p_; }
  T& operator*() const { return *p_; }
  explicit operator bool() const { return p_ != nullptr; }
  T* detach() { return std::exchange(p_, nullptr); }
  friend bool operator==(const Ref& a, const Ref& b) { return a.p_ == b.p_; }

 private:
  T* p_ = nullptr;
};

}  // namespace pt
