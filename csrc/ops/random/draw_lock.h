// The lock around a generator: generators are shared between threads, and one op draws at a time.
// Taken by the random ops.
#pragma once

#include <mutex>

namespace pt {

inline std::mutex& draw_mutex() {
  static std::mutex m;
  return m;
}

}  // namespace pt
