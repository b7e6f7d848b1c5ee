// The thread pool: parallel_for splits a range into chunks of a fixed size.
//
// Results must not depend on the number of threads, so `grain` (never the thread count) decides
// how a range is cut: chunk i is always [i*grain, min(end, (i+1)*grain)). Chunks are handed out
// dynamically. Safe after fork(); nested calls run serially on the calling thread.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

namespace pt {

int get_num_threads();
void set_num_threads(int n);  // Throws std::invalid_argument-like pt::Error for n < 1.
int hardware_threads();       // CPU affinity and cgroup quota, at least 1.
bool in_parallel_region();
int thread_index();  // 0 on the calling thread, 1.. on workers, inside a region.

// Whether two threads are worth it for work of a few microseconds: only if a worker is spinning
// already, for waking one costs as much. Asked often enough in vain it is true once, so that a
// program of nothing but short work gets its worker, too.
bool worker_is_near();

using RangeFn = void (*)(void* context, int64_t begin, int64_t end);
void parallel_for_raw(int64_t begin, int64_t end, int64_t grain, RangeFn fn, void* context);

// Calls f(begin, end) for each chunk. An exception thrown by f is rethrown on the caller.
template <class F>
inline void parallel_for(int64_t begin, int64_t end, int64_t grain, F&& f) {
  if (end <= begin) return;
  if (end - begin <= grain) {
    f(begin, end);
    return;
  }
  using Fn = std::remove_reference_t<F>;
  parallel_for_raw(
      begin, end, grain, [](void* c, int64_t b, int64_t e) { (*static_cast<Fn*>(c))(b, e); },
      const_cast<void*>(static_cast<const void*>(std::addressof(f))));
}

}  // namespace pt
