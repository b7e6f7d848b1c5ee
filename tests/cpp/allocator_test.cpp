// Tests of core/allocator and core/free_list: a program that aborts at the first failure. With
// --time it also prints the cost of a call.
#include "core/allocator.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "check.h"
#include "core/free_list.h"

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kCaching = false;
#else
constexpr bool kCaching = true;
#endif
constexpr size_t kMiB = size_t{1} << 20;

struct Block {
  unsigned char* data;
  size_t bytes;
  unsigned char mark;
};

Block make(size_t bytes, unsigned char mark) {
  auto* p = static_cast<unsigned char*>(pt::cpu_alloc(bytes));
  CHECK(p && reinterpret_cast<uintptr_t>(p) % pt::kCpuAlignment == 0);
  if (bytes) p[0] = p[bytes / 2] = p[bytes - 1] = mark;
  return {p, bytes, mark};
}

void drop(const Block& b) {
  if (b.bytes) {
    CHECK(b.data[0] == b.mark && b.data[b.bytes / 2] == b.mark && b.data[b.bytes - 1] == b.mark);
  }
  pt::cpu_free(b.data, b.bytes);
}

void test_sizes() {
  const auto before = pt::memory_stats();
  std::vector<Block> blocks;
  int64_t total = 0;
  for (size_t bytes :
       {0,    1,     63,    64,    65,    256,   257,     320,           321,     512,    513,
        4096, 65535, 65536, 65537, 81920, 81921, 1 << 20, (1 << 20) + 1, 2 << 20, 5000001}) {
    for (int i = 0; i < 3; ++i) {
      blocks.push_back(make(bytes, static_cast<unsigned char>(blocks.size())));
      total += static_cast<int64_t>(bytes);
    }
  }
  const auto during = pt::memory_stats();
  CHECK(during.live_bytes - before.live_bytes == total);
  CHECK(during.live_blocks - before.live_blocks == static_cast<int64_t>(blocks.size()));
  CHECK(during.allocations - before.allocations == static_cast<int64_t>(blocks.size()));
  CHECK(during.peak_bytes >= during.live_bytes);
  for (const Block& b : blocks) drop(b);
  const auto after = pt::memory_stats();
  CHECK(after.live_bytes == before.live_bytes && after.live_blocks == before.live_blocks);
  pt::cpu_free(nullptr, 10);
}

void test_peak() {
  pt::reset_peak();
  const int64_t base = pt::memory_stats().live_bytes;
  CHECK(pt::memory_stats().peak_bytes == base);
  const Block small = make(1000, 1);
  const Block large = make(3 * kMiB, 2);
  drop(large);
  drop(make(2000, 3));
  drop(small);
  CHECK(pt::memory_stats().peak_bytes == base + 1000 + 3 * static_cast<int64_t>(kMiB));
  pt::reset_peak();
  CHECK(pt::memory_stats().peak_bytes == base);
}

void test_reuse() {
  if (!kCaching) return;
  pt::empty_cache();
  for (size_t bytes : {size_t{100}, size_t{70000}, 3 * kMiB}) {
    const Block a = make(bytes, 1);
    drop(a);
    const Block b = make(bytes, 2);
    CHECK(a.data == b.data);
    drop(b);
  }
  const Block a = make(4 * kMiB, 1);
  drop(a);
  const Block near = make(3 * kMiB + 1, 2);  // within the bounded waste
  CHECK(near.data == a.data);
  drop(near);
  const Block far = make(kMiB, 3);
  CHECK(far.data != a.data);
  drop(far);
  CHECK(pt::memory_stats().cached_bytes > 0);
  pt::empty_cache();
  CHECK(pt::memory_stats().cached_bytes == 0);
}

// Shapes that never repeat must not pile up: at most twice the peak and some slack is held.
void test_varying_sizes_stay_bounded() {
  if (!kCaching) return;
  std::mt19937 random(1);
  pt::empty_cache();
  const int64_t base = pt::memory_stats().live_bytes;
  for (int i = 0; i < 3000; ++i) {
    const Block a = make(kMiB + random() % (40 * kMiB), 1);
    const Block b = make(kMiB + random() % (40 * kMiB), 2);
    drop(a);
    drop(b);
    const auto stats = pt::memory_stats();
    CHECK(stats.cached_bytes <= base + static_cast<int64_t>((2 * 110 + 80) * kMiB));
  }
  pt::empty_cache();
}

void test_impossible_sizes() {
  const auto before = pt::memory_stats();
  for (size_t bytes : {size_t{1} << 46, size_t{1} << 50, ~size_t{0}, ~size_t{0} / 2}) {
    bool refused = false;
    try {
      pt::cpu_alloc(bytes);
    } catch (const std::bad_alloc&) {
      refused = true;
    }
    CHECK(refused);
  }
  CHECK(pt::memory_stats().live_bytes == before.live_bytes);
}

void churn(unsigned seed, int steps, std::mutex& mutex, std::vector<Block>& exchange) {
  std::mt19937 random(seed);
  std::vector<Block> mine;
  for (int i = 0; i < steps; ++i) {
    if (mine.size() < 50 || random() % 2) {
      const size_t limit = random() % 20 ? 5000 : 400000;
      mine.push_back(make(random() % limit, static_cast<unsigned char>(random())));
    } else {
      std::swap(mine[random() % mine.size()], mine.back());
      const std::lock_guard lock(mutex);  // blocks change hands: freed by another thread
      exchange.push_back(mine.back());
      std::swap(exchange[random() % exchange.size()], exchange.back());
      mine.back() = exchange.back();
      exchange.pop_back();
      drop(mine.back());
      mine.pop_back();
    }
    if (i % 1000 == 0) pt::memory_stats();
  }
  for (const Block& b : mine) drop(b);
}

void test_threads() {
  const auto before = pt::memory_stats();
  for (int round = 0; round < 3; ++round) {
    std::mutex mutex;
    std::vector<Block> exchange;
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] { churn(t + 10 * round, 5000, mutex, exchange); });
    }
    for (auto& t : threads) t.join();
    for (const Block& b : exchange) drop(b);
  }
  const auto after = pt::memory_stats();
  CHECK(after.live_bytes == before.live_bytes && after.live_blocks == before.live_blocks);
  CHECK(after.allocations > before.allocations);
}

// A thread_local made before the thread's first allocation is destroyed after its cache.
struct FreesLate {
  void* p = nullptr;
  ~FreesLate() {
    pt::cpu_free(p, 100);
    pt::cpu_free(pt::cpu_alloc(3000), 3000);
  }
};

void test_use_at_the_end_of_a_thread() {
  const auto before = pt::memory_stats();
  std::thread([] {
    static thread_local FreesLate late;
    late.p = nullptr;
    late.p = pt::cpu_alloc(100);
  }).join();
  const auto after = pt::memory_stats();
  CHECK(after.live_bytes == before.live_bytes && after.live_blocks == before.live_blocks);
}

[[maybe_unused]] void test_fork() {
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) {
      drop(make(200000, 1));
      drop(make(100, 1));
    }
  });
  const Block b = make(100000, 7);
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      drop(b);
      for (int k = 0; k < 100; ++k) drop(make(static_cast<size_t>(k) * 3000, 5));
      pt::empty_cache();
      pt::memory_stats();
      _exit(0);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  stop = true;
  other.join();
  drop(b);
}

struct alignas(32) Object {
  char bytes[96];
};
using Objects = pt::FreeList<Object, 16>;

void test_free_list() {
  std::vector<void*> objects;
  for (int i = 0; i < 100; ++i) {
    objects.push_back(Objects::get());
    CHECK(reinterpret_cast<uintptr_t>(objects.back()) % alignof(Object) == 0);
    std::memset(objects.back(), i, sizeof(Object));
  }
  void* last = objects.front();
  for (size_t i = objects.size(); i-- > 90;) Objects::put(objects[i]);
  objects.resize(90);
  Objects::put(last);
  objects.front() = Objects::get();
  CHECK(!kCaching || objects.front() == last);
  std::thread([&] {  // freed elsewhere, and left behind at the end of that thread
    for (void* p : objects) Objects::put(p);
    for (int i = 0; i < 1000; ++i) Objects::put(Objects::get());
  })
      .join();
}

template <class F>
double nanoseconds(F f) {
  using Clock = std::chrono::steady_clock;
  constexpr int kCalls = 1000000;
  double best = 1e9;
  for (int repeat = 0; repeat < 5; ++repeat) {
    const auto start = Clock::now();
    for (int i = 0; i < kCalls; ++i) f();
    const std::chrono::duration<double, std::nano> time = Clock::now() - start;
    best = std::min(best, time.count() / kCalls);
  }
  return best;
}

void print_times() {
  for (size_t bytes : {size_t{32}, size_t{4096}, size_t{65536}, 4 * kMiB}) {
    std::printf("cpu_alloc + cpu_free of %zu bytes: %.1f ns\n", bytes, nanoseconds([=] {
                  void* p = pt::cpu_alloc(bytes);
                  asm volatile("" : : "r"(p) : "memory");
                  pt::cpu_free(p, bytes);
                }));
  }
  std::printf("FreeList get + put: %.1f ns\n", nanoseconds([] {
                void* p = Objects::get();
                asm volatile("" : : "r"(p) : "memory");
                Objects::put(p);
              }));
}

}  // namespace

int main(int argc, char** argv) {
  test_sizes();
  test_peak();
  test_reuse();
  test_varying_sizes_stay_bounded();
  test_impossible_sizes();
  test_threads();
  test_use_at_the_end_of_a_thread();
#ifndef __SANITIZE_THREAD__
  test_fork();
#endif
  test_free_list();
  if (argc > 1 && std::strcmp(argv[1], "--time") == 0) print_times();
  std::puts("allocator_test: ok");
}
