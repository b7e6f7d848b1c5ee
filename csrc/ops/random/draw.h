// How bulk draws run in parallel without changing the stream: chunks take their words from the
// generator one after the other under a lock, then turn them into values side by side.
//
// Extending the raw sequence costs a few operations a word, so the threads seldom wait. Chunks are
// numbered inside the lock: which thread runs one, and when, does not matter.
#pragma once

#include <atomic>
#include <cstring>
#include <thread>

#include "core/generator.h"
#include "core/parallel.h"
#include "cpu/kernel_table.h"
#include "cpu/random_args.h"

namespace pt::random {

inline constexpr int kBlock = Generator::kWords;
inline constexpr int kChunkWords = 32 * kBlock;  // 78 KB: a multiple of 64 words, too

class SpinLock {
 public:
  void lock() {
    for (int tries = 1; flag_.test_and_set(std::memory_order_acquire); ++tries) {
      if (tries % 256 == 0) std::this_thread::yield();
    }
  }
  void unlock() { flag_.clear(std::memory_order_release); }

 private:
  std::atomic_flag flag_ = ATOMIC_FLAG_INIT;
};

// Advances `g` by `words`, at most kChunkWords, and puts them, untempered, behind the returned
// pointer: into the generator's own block where they all are, else into `buffer`, which has room
// for kBlock + kChunkWords.
const uint32_t* take_words(Generator& g, int64_t words, uint32_t* buffer);

// Calls f(raw, first, count) for pieces of the elements [0, n), each element taking `words`
// words. Pieces start at multiples of kChunkWords / words; f runs on several threads.
template <class F>
void for_each_piece(Generator& g, int64_t n, int words, F&& f) {
  const int64_t per_chunk = kChunkWords / words;
  if (n <= per_chunk) {
    if (n == 0) return;
    alignas(64) uint32_t buffer[kBlock + kChunkWords];
    f(take_words(g, n * words, buffer), int64_t{0}, n);
    return;
  }
  SpinLock lock;
  int64_t next = 0;
  parallel_for(0, (n + per_chunk - 1) / per_chunk, 1, [&](int64_t begin, int64_t end) {
    alignas(64) uint32_t buffer[kBlock + kChunkWords];
    for (int64_t i = begin; i < end; ++i) {
      lock.lock();
      const int64_t first = next;
      const int64_t count = n - first < per_chunk ? n - first : per_chunk;
      next += count;
      const uint32_t* raw = take_words(g, count * words, buffer);
      lock.unlock();
      f(raw, first, count);
    }
  });
}

}  // namespace pt::random
