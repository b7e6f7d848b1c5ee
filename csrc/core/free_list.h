// FreeList<T>: a thread-local pool of raw memory for objects of one type that are made and
// destroyed all the time (tensors, storages, graph nodes). A get or put costs 2-3 ns.
//
// It never constructs or destroys: use placement new on get() and call the destructor before
// put(). An object may be put on another thread than it came from. Bounded: what exceeds Capacity
// objects a thread goes back to the heap, as does everything when the thread ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

namespace pt {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kFreeListReuses = false;  // so that use after free is found
#else
inline constexpr bool kFreeListReuses = true;
#endif

template <class T, uint32_t Capacity = 1024>
class FreeList {
 public:
  static void* get() {
    State& s = state_;
    Link* top = s.top;
    if (__builtin_expect(top == nullptr, 0)) return heap_get();
    s.top = top->next;
    --s.count;
    return top;
  }

  static void put(void* p) noexcept {
    State& s = state_;
    if (__builtin_expect(s.count >= s.limit, 0)) return put_slow(p);
    push(s, p);
  }

 private:
  struct Link {
    Link* next;
  };
  struct State {
    Link* top = nullptr;
    uint32_t count = 0;
    uint32_t limit = 0;  // 0 before the first put and after the thread's end
    bool ended = false;
  };
  struct AtThreadEnd {
    ~AtThreadEnd() {
      State& s = state_;
      s.limit = 0;
      s.ended = true;
      while (Link* top = s.top) {
        s.top = top->next;
        heap_put(top);
      }
      s.count = 0;
    }
  };

  static constexpr size_t kSize = sizeof(T) < sizeof(Link) ? sizeof(Link) : sizeof(T);
  static constexpr std::align_val_t kAlign{alignof(T) < alignof(Link) ? alignof(Link) : alignof(T)};

  static void push(State& s, void* p) {
    s.top = ::new (p) Link{s.top};
    ++s.count;
  }
  __attribute__((noinline)) static void* heap_get() { return ::operator new(kSize, kAlign); }
  static void heap_put(void* p) noexcept { ::operator delete(p, kSize, kAlign); }
  __attribute__((noinline)) static void put_slow(void* p) noexcept {
    State& s = state_;
    if (!kFreeListReuses || s.ended || s.limit != 0) return heap_put(p);
    static thread_local AtThreadEnd at_thread_end;
    static_cast<void>(&at_thread_end);
    s.limit = Capacity;
    push(s, p);
  }

  // The initial-exec model reads the thread pointer directly instead of calling a function.
  static inline constinit thread_local State state_ __attribute__((tls_model("initial-exec"))) = {};
};

}  // namespace pt
