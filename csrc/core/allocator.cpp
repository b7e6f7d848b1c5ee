// Size classes: four per power of two, so a block is at most a quarter larger than asked for.
//
// Small blocks (up to 64 KiB) come from malloc and wait in per-thread lists, a few ns a call.
// Large ones carry a header and wait in one mutex-protected cache, where a request takes the most
// recently freed block of its class or of the next two. The cache is bounded twice: by a share of
// memory (PYTENSOR_CPU_CACHE_MB overrides; 0 keeps no large block), and by live + cached bytes
// staying near twice the most that was ever live, so that programs with ever-changing shapes do
// not collect blocks they will not use again. The least recently used go first.
//
// Huge pages are asked for from 2 MiB: first touch then runs at 25-60 GB/s instead of 5 (2
// threads, 2-256 MiB), and unmapping is 10-20 times cheaper. Only whole huge pages are advised,
// so that the tail of a block costs no more than it needs.
#include "core/allocator.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <new>

#include "core/machine.h"

#ifdef __linux__
#include <malloc.h>
#include <sys/mman.h>
#endif

namespace pt {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kCaching = false;  // every block from the sanitizer's heap, so that misuse is found
#else
constexpr bool kCaching = true;
#endif

constexpr size_t kSmallMost = size_t{64} << 10;
constexpr size_t kMapFrom = size_t{1} << 20;  // smaller large blocks come from malloc
constexpr size_t kPage = 4096;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr int64_t kCacheSlack = int64_t{64} << 20;
constexpr int64_t kReportFrom = int64_t{1} << 20;
constexpr size_t kMostBytes = size_t{1} << 48;

// Class 0 is 64 bytes; classes 4(k-1)..4k-1 divide (64 * 2^k, 128 * 2^k] evenly, for k from 1.
constexpr int size_class(size_t bytes) {
  const size_t unit = bytes == 0 ? 0 : (bytes - 1) / kCpuAlignment;
  if (unit < 4) return static_cast<int>(unit);
  const int k = 63 - __builtin_clzll(unit);
  return 4 * (k - 1) + static_cast<int>((unit >> (k - 2)) & 3);
}
constexpr size_t class_bytes(int c) {
  if (c < 4) return static_cast<size_t>(c + 1) * kCpuAlignment;
  return (static_cast<size_t>(c % 4 + 5) << (c / 4 - 1)) * kCpuAlignment;
}
constexpr int kSmallClasses = size_class(kSmallMost) + 1;
constexpr int kClasses = size_class(kMostBytes) + 1;
static_assert(class_bytes(kSmallClasses - 1) == kSmallMost && size_class(65) == 1);
static_assert(size_class(257) == 4 && class_bytes(4) == 320 && size_class(513) == 8);

constexpr uint32_t small_limit(int c) {  // blocks of the class a thread keeps
  return static_cast<uint32_t>(std::max<size_t>(4, (size_t{256} << 10) / class_bytes(c)));
}

// --- Statistics -----------------------------------------------------------------------------

constinit std::atomic<int64_t> live_bytes{0};  // but for the threads' unreported changes
constinit std::atomic<int64_t> peak_bytes{0};
constinit std::atomic<int64_t> live_blocks{0};  // of ended threads, as is the next
constinit std::atomic<int64_t> allocations{0};

void raise_to(std::atomic<int64_t>& target, int64_t value) {
  int64_t seen = target.load(std::memory_order_relaxed);
  while (seen < value && !target.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
  }
}

// A counter that one thread writes and any may read: a plain add, not a locked one.
class Counter {
 public:
  int64_t get() const { return value_.load(std::memory_order_relaxed); }
  void set(int64_t v) { value_.store(v, std::memory_order_relaxed); }
  void add(int64_t v) { set(get() + v); }

 private:
  std::atomic<int64_t> value_{0};
};

// --- Small blocks: the lists of a thread ----------------------------------------------------

struct SmallBlock {
  SmallBlock* next;
};

struct ThreadCache {
  struct Bin {
    SmallBlock* top = nullptr;
    Counter count;
  };
  Bin bins[kSmallClasses];
  Counter unreported;       // change of live bytes not yet in live_bytes
  Counter unreported_peak;  // its highest value since the last report
  Counter blocks;
  Counter allocated;
  ThreadCache* previous = nullptr;  // in the registry of threads
  ThreadCache* next = nullptr;

  void count_alloc(int64_t bytes) {
    const int64_t now = unreported.get() + bytes;
    unreported.set(now);
    if (now > unreported_peak.get()) unreported_peak.set(now);
    blocks.add(1);
    allocated.add(1);
    if (now > kReportFrom) report();
  }
  void count_free(int64_t bytes) {
    unreported.add(-bytes);
    blocks.add(-1);
    if (unreported.get() < -kReportFrom) report();
  }
  void report() {
    const int64_t before = live_bytes.fetch_add(unreported.get(), std::memory_order_relaxed);
    raise_to(peak_bytes, before + unreported_peak.get());
    unreported.set(0);
    unreported_peak.set(0);
  }

  void release(Bin& bin, int64_t keep) {
    while (bin.count.get() > keep) {
      SmallBlock* block = bin.top;
      bin.top = block->next;
      bin.count.add(-1);
      std::free(block);
    }
  }
  void release_all() {
    for (Bin& bin : bins) release(bin, 0);
  }
};

// --- Large blocks ---------------------------------------------------------------------------

// In front of the data. A block in the cache is in the list of its class, last freed first, and
// in the list of all by age.
struct alignas(kCpuAlignment) LargeBlock {
  int size_class;
  LargeBlock* newer_in_class;
  LargeBlock* older_in_class;
  LargeBlock* newer;
  LargeBlock* older;

  void* data() { return this + 1; }
  static LargeBlock* of(void* data) { return static_cast<LargeBlock*>(data) - 1; }
};
static_assert(sizeof(LargeBlock) == kCpuAlignment);

constexpr size_t large_bytes(int c) {  // header included, whole pages
  return (class_bytes(c) + sizeof(LargeBlock) + kPage - 1) / kPage * kPage;
}

size_t to_huge_page(const void* p) {
  return (kHugePage - reinterpret_cast<uintptr_t>(p) % kHugePage) % kHugePage;
}

void* map_pages(size_t bytes) {
#ifdef __linux__
  const size_t slack = bytes >= kHugePage ? kHugePage : 0;
  void* mapped =
      mmap(nullptr, bytes + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  if (slack == 0) return mapped;
  char* const start = static_cast<char*>(mapped);
  const size_t before = to_huge_page(start);
  if (before) munmap(start, before);
  if (before < slack) munmap(start + before + bytes, slack - before);
  madvise(start + before, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
  return start + before;
#else
  return std::aligned_alloc(kPage, bytes);
#endif
}

LargeBlock* system_alloc(int c) {
  const size_t bytes = large_bytes(c);
  void* p = bytes >= kMapFrom ? map_pages(bytes) : std::aligned_alloc(kCpuAlignment, bytes);
  return p ? ::new (p) LargeBlock{c, nullptr, nullptr, nullptr, nullptr} : nullptr;
}

void system_free(LargeBlock* block) {
#ifdef __linux__
  const size_t bytes = large_bytes(block->size_class);
  if (bytes >= kMapFrom) {
    munmap(block, bytes);
    return;
  }
#endif
  std::free(block);
}

int64_t cache_limit() {
  const char* text = std::getenv("PYTENSOR_CPU_CACHE_MB");
  if (text && *text) return std::max<int64_t>(0, std::strtoll(text, nullptr, 10)) << 20;
  return static_cast<int64_t>(std::min<uint64_t>(usable_memory(), kMostBytes) / 4);
}

// The shared state: constant-initialised and never destroyed, as blocks are freed from static
// destructors too. Members but for the mutex are protected by it.
struct Shared {
  std::mutex mutex;
  ThreadCache* threads = nullptr;
  LargeBlock* newest_of_class[kClasses] = {};
  LargeBlock* newest = nullptr;
  LargeBlock* oldest = nullptr;
  int64_t cached = 0;  // the bytes here and below are those of large blocks' classes
  int64_t live = 0;
  int64_t most_live = 0;

  void insert(LargeBlock* b) {
    LargeBlock*& class_top = newest_of_class[b->size_class];
    b->newer = b->newer_in_class = nullptr;
    b->older = newest;
    b->older_in_class = class_top;
    if (newest) newest->newer = b;
    if (class_top) class_top->newer_in_class = b;
    newest = class_top = b;
    if (!oldest) oldest = b;
    cached += static_cast<int64_t>(class_bytes(b->size_class));
  }

  void remove(LargeBlock* b) {
    (b->newer ? b->newer->older : newest) = b->older;
    (b->older ? b->older->newer : oldest) = b->newer;
    LargeBlock*& newer_link =
        b->newer_in_class ? b->newer_in_class->older_in_class : newest_of_class[b->size_class];
    newer_link = b->older_in_class;
    if (b->older_in_class) b->older_in_class->newer_in_class = b->newer_in_class;
    cached -= static_cast<int64_t>(class_bytes(b->size_class));
  }

  LargeBlock* take(int c) {
    for (const int last = std::min(c + 2, kClasses - 1); c <= last; ++c) {
      if (LargeBlock* b = newest_of_class[c]) {
        remove(b);
        return b;
      }
    }
    return nullptr;
  }

  // Removes blocks until `within()` holds; returns them chained by `older`.
  template <class Within>
  LargeBlock* evict(Within within) {
    LargeBlock* evicted = nullptr;
    while (oldest && !within()) {
      LargeBlock* b = oldest;
      remove(b);
      b->older = evicted;
      evicted = b;
    }
    return evicted;
  }
};
constinit Shared shared;

void free_chain(LargeBlock* b) {
  while (b) {
    LargeBlock* next = b->older;
    system_free(b);
    b = next;
  }
}

// --- Threads --------------------------------------------------------------------------------

// Null before the first use and after the thread's thread_locals were destroyed.
constinit thread_local ThreadCache* thread_cache __attribute__((tls_model("initial-exec"))) =
    nullptr;
constinit thread_local bool thread_ended = false;

struct ThreadCacheOwner {
  ThreadCache* cache = nullptr;
  ~ThreadCacheOwner() {
    thread_cache = nullptr;
    thread_ended = true;
    if (!cache) return;
    cache->release_all();
    const std::lock_guard lock(shared.mutex);
    cache->report();
    live_blocks += cache->blocks.get();
    allocations += cache->allocated.get();
    (cache->previous ? cache->previous->next : shared.threads) = cache->next;
    if (cache->next) cache->next->previous = cache->previous;
    delete cache;
  }
};

// The calling thread's cache, or null at the thread's end.
ThreadCache* make_thread_cache() {
  if (thread_cache || thread_ended) return thread_cache;
  static const int registered = pthread_atfork(
      [] { shared.mutex.lock(); }, [] { shared.mutex.unlock(); }, [] { shared.mutex.unlock(); });
  static_cast<void>(registered);
  static thread_local ThreadCacheOwner owner;
  owner.cache = new ThreadCache;
  const std::lock_guard lock(shared.mutex);
  owner.cache->next = shared.threads;
  if (shared.threads) shared.threads->previous = owner.cache;
  shared.threads = owner.cache;
  return thread_cache = owner.cache;
}

void count_alloc(size_t bytes) {
  if (ThreadCache* cache = make_thread_cache()) {
    cache->count_alloc(static_cast<int64_t>(bytes));
  } else {
    const int64_t n = static_cast<int64_t>(bytes);
    raise_to(peak_bytes, live_bytes.fetch_add(n) + n);
    ++live_blocks;
    ++allocations;
  }
}

void count_free(size_t bytes) {
  if (ThreadCache* cache = make_thread_cache()) {
    cache->count_free(static_cast<int64_t>(bytes));
  } else {
    live_bytes -= static_cast<int64_t>(bytes);
    --live_blocks;
  }
}

// --- Slow paths -----------------------------------------------------------------------------

// `get()` returns null when there is no memory: then the cache is given up for it.
template <class Get>
auto get_or_throw(Get get) {
  auto* p = get();
  if (!p) {
    empty_cache();
    p = get();
    if (!p) throw std::bad_alloc();
  }
  return p;
}

void* heap_alloc(size_t bytes) {
  return get_or_throw([&]() -> void* {
    void* p = nullptr;
    return posix_memalign(&p, kCpuAlignment, bytes) == 0 ? p : nullptr;
  });
}

void* alloc_large(size_t bytes) {
  const int c = size_class(bytes);
  std::unique_lock lock(shared.mutex);
  LargeBlock* block = shared.take(c);
  if (!block) {
    lock.unlock();
    block = get_or_throw([&] { return system_alloc(c); });
    lock.lock();
  }
  shared.live += static_cast<int64_t>(class_bytes(block->size_class));
  shared.most_live = std::max(shared.most_live, shared.live);
  return block->data();
}

void free_large(void* p) {
  static const int64_t limit = cache_limit();
  LargeBlock* const block = LargeBlock::of(p);
  LargeBlock* evicted;
  {
    const std::lock_guard lock(shared.mutex);
    shared.live -= static_cast<int64_t>(class_bytes(block->size_class));
    shared.insert(block);
    evicted = shared.evict([] {
      return shared.cached <= limit &&
             shared.cached + shared.live <= 2 * shared.most_live + kCacheSlack;
    });
  }
  free_chain(evicted);
}

__attribute__((noinline)) void* alloc_slow(size_t bytes) {
  static const uint64_t most = std::min<uint64_t>(total_memory(), kMostBytes);
  if (bytes > most) throw std::bad_alloc();
  void* p;
  if (!kCaching) {
    p = heap_alloc(std::max<size_t>(bytes, 1));
  } else if (bytes <= kSmallMost) {
    p = heap_alloc(class_bytes(size_class(bytes)));
  } else {
    p = alloc_large(bytes);
  }
  count_alloc(bytes);
  return p;
}

__attribute__((noinline)) void free_slow(void* p, size_t bytes) noexcept {
  count_free(bytes);
  if (!kCaching) return std::free(p);
  if (bytes > kSmallMost) return free_large(p);
  ThreadCache* const cache = thread_cache;
  if (!cache) return std::free(p);
  const int c = size_class(bytes);
  ThreadCache::Bin& bin = cache->bins[c];
  if (bin.count.get() >= small_limit(c)) cache->release(bin, small_limit(c) / 2);
  bin.top = ::new (p) SmallBlock{bin.top};
  bin.count.add(1);
}

}  // namespace

void* cpu_alloc(size_t bytes) {
  ThreadCache* const cache = thread_cache;
  if (bytes <= kSmallMost && cache) {
    ThreadCache::Bin& bin = cache->bins[size_class(bytes)];
    if (SmallBlock* top = bin.top) {
      bin.top = top->next;
      bin.count.add(-1);
      cache->count_alloc(static_cast<int64_t>(bytes));
      return top;
    }
  }
  return alloc_slow(bytes);
}

void cpu_free(void* p, size_t bytes) noexcept {
  if (!p) return;
  ThreadCache* const cache = thread_cache;
  if (kCaching && bytes <= kSmallMost && cache) {
    const int c = size_class(bytes);
    ThreadCache::Bin& bin = cache->bins[c];
    if (bin.count.get() < small_limit(c)) {
      bin.top = ::new (p) SmallBlock{bin.top};
      bin.count.add(1);
      cache->count_free(static_cast<int64_t>(bytes));
      return;
    }
  }
  free_slow(p, bytes);
}

MemoryStats memory_stats() {
  const std::lock_guard lock(shared.mutex);
  MemoryStats stats{live_bytes.load(), live_blocks.load(), 0, shared.cached, allocations.load()};
  int64_t peak = stats.live_bytes;
  for (const ThreadCache* t = shared.threads; t; t = t->next) {
    stats.live_bytes += t->unreported.get();
    peak += t->unreported_peak.get();
    stats.live_blocks += t->blocks.get();
    stats.allocations += t->allocated.get();
    for (int c = 0; c < kSmallClasses; ++c) {
      stats.cached_bytes += t->bins[c].count.get() * static_cast<int64_t>(class_bytes(c));
    }
  }
  stats.peak_bytes = std::max(peak_bytes.load(), peak);
  return stats;
}

void reset_peak() {
  if (ThreadCache* cache = make_thread_cache()) cache->report();
  peak_bytes = memory_stats().live_bytes;
}

void prefer_huge_pages([[maybe_unused]] void* p, [[maybe_unused]] size_t bytes) noexcept {
#ifdef __linux__
  const size_t before = to_huge_page(p);
  if (bytes < before + kHugePage) return;
  madvise(static_cast<char*>(p) + before, (bytes - before) / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
}

void empty_cache() {
  if (thread_cache) thread_cache->release_all();
  LargeBlock* evicted;
  {
    const std::lock_guard lock(shared.mutex);
    evicted = shared.evict([] { return false; });
    shared.most_live = shared.live;
  }
  free_chain(evicted);
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace pt
