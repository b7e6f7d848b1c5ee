// The thread pool behind parallel_for.
//
// A job's chunks are dealt out as one contiguous range per participant, so that in a sequence of
// ops a thread meets the data it has in its cache. Who runs out takes chunks from the end of the
// others' ranges: the caller never waits for a worker that is asleep or preempted, only for
// chunks in progress. Workers spin for a while, soon yielding to whoever else wants the processor
// (a woken worker may have pushed the caller off its own), then park on a futex. A worker that
// notices it lost the processor while spinning spins less from then on.
//
// A worker is woken on another processor than the caller's: left to itself, Linux puts it beside
// the caller whenever no processor is idle, be the others busy with work of the lowest priority
// only, and there it waits until the caller has done everything alone.
//
// The pool is never destroyed and its workers are detached and run nothing but chunks, so the end
// of the process needs no handshake. After fork() the child forgets it and makes a new one.
#include "core/parallel.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "core/machine.h"

#ifdef __linux__
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace pt {
namespace {

constexpr int kMaxThreads = 256;
constexpr int64_t kMaxChunks = int64_t{1} << 30;  // chunk numbers are 32-bit in a range word

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;
constexpr auto kSpinMost = microseconds(1500);  // waking costs 10-40 us, ops come every few us
constexpr auto kSpinLeast = microseconds(20);
constexpr auto kSpinAlone = microseconds(20);  // from then on others may have the processor
constexpr auto kPreempted = microseconds(30);  // between two looks at the clock 1 us apart
constexpr int kPausesPerLook = 32;
constexpr int kAskedInVain = 32;  // short works that pay for waking a worker

using Word = std::atomic<uint32_t>;

inline void cpu_pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");  // "yield" does nothing on most cores
#endif
}

// Sleeps while `word` is `value` (or wakes for no reason); wake_all ends the sleep.
void sleep_while(Word& word, uint32_t value) {
#ifdef __linux__
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
#else
  word.wait(value);
#endif
}

void wake_all(Word& word) {
#ifdef __linux__
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, kMaxThreads, nullptr, nullptr, 0);
#else
  word.notify_all();
#endif
}

// The chunks a participant has yet to start: [next, end), packed into one atomic word. Whoever
// changes the word owns the chunk, and by it the job: it cannot end before the chunk does.
class ChunkRange {
 public:
  void set(uint32_t next, uint32_t end) { word_.store(pack(next, end)); }
  bool empty() const { return is_empty(word_.load(std::memory_order_acquire)); }
  bool empty_ordered() const { return is_empty(word_.load()); }

  bool take_first(uint32_t& chunk) {
    uint64_t w = word_.load(std::memory_order_relaxed);
    while (!is_empty(w)) {
      chunk = static_cast<uint32_t>(w);
      if (exchange(w, pack(chunk + 1, static_cast<uint32_t>(w >> 32)))) return true;
    }
    return false;
  }

  bool take_last(uint32_t& chunk) {
    uint64_t w = word_.load(std::memory_order_relaxed);
    while (!is_empty(w)) {
      chunk = static_cast<uint32_t>(w >> 32) - 1;
      if (exchange(w, pack(static_cast<uint32_t>(w), chunk))) return true;
    }
    return false;
  }

 private:
  static uint64_t pack(uint32_t next, uint32_t end) { return uint64_t{end} << 32 | next; }
  static bool is_empty(uint64_t w) { return static_cast<uint32_t>(w) >= (w >> 32); }
  bool exchange(uint64_t& expected, uint64_t desired) {
    return word_.compare_exchange_weak(expected, desired, std::memory_order_acquire,
                                       std::memory_order_relaxed);
  }
  std::atomic<uint64_t> word_{0};
};

// Written by the caller before it publishes the ranges, read only by owners of a chunk.
struct Job {
  RangeFn fn;
  void* context;
  int64_t begin, end, grain;
};

// Keeps a thread off one processor for a moment. The thread itself calls note() before it sleeps
// and restore() when it is up again, its waker keep_off() in between.
class Placement {
 public:
#ifdef __linux__
  void note() {
    thread_ = static_cast<pid_t>(syscall(SYS_gettid));
    known_ = sched_getaffinity(0, sizeof allowed_, &allowed_) == 0;
  }
  void keep_off_this_processor() {
    const int here = sched_getcpu();
    if (!known_ || here < 0 || here >= CPU_SETSIZE) return;
    cpu_set_t others = allowed_;
    CPU_CLR(static_cast<size_t>(here), &others);
    if (CPU_COUNT(&others) == 0 || CPU_EQUAL(&others, &allowed_)) return;
    narrowed_ = sched_setaffinity(thread_, sizeof others, &others) == 0;
  }
  void restore() {
    if (narrowed_) sched_setaffinity(0, sizeof allowed_, &allowed_);
    narrowed_ = false;
  }

 private:
  cpu_set_t allowed_;
  pid_t thread_ = 0;
  bool known_ = false, narrowed_ = false;
#else
  void note() {}
  void keep_off_this_processor() {}
  void restore() {}
#endif
};

constexpr uint32_t kRunning = 0, kParked = 1, kBeingWoken = 2;

// For worker_is_near(): whether the first worker runs or spins, and how often it did not.
constinit std::atomic<bool> first_worker_up{false};
constinit std::atomic<int> asked_in_vain{0};

struct alignas(64) Slot {
  ChunkRange chunks;
  Word state{kRunning};
  Placement placement;  // the worker's, but its waker's while kBeingWoken
};

thread_local int tls_index = 0;
thread_local bool tls_in_region = false;

class Pool {
 public:
  // Runs all chunks on up to `threads` threads. The caller holds the pool's lock.
  void run(const Job& job, uint32_t chunks, int threads) {
    threads = std::min(grow(threads), static_cast<int>(std::min<uint32_t>(chunks, kMaxThreads)));
    job_ = job;
    participants_.store(threads, std::memory_order_relaxed);
    failed_.store(false, std::memory_order_relaxed);
    unfinished_.store(chunks, std::memory_order_relaxed);
    for (int i = threads - 1; i >= 0; --i) {
      const auto cut = [&](int k) { return static_cast<uint32_t>(uint64_t{chunks} * k / threads); };
      slots_[i].chunks.set(cut(i), cut(i + 1));
      if (slots_[i].state.load() != kRunning) wake(slots_[i]);
    }
    tls_in_region = true;
    work(0);
    tls_in_region = false;
    wait_until_finished();
    if (failed_.load(std::memory_order_relaxed)) {
      std::exception_ptr error;
      std::swap(error, error_);
      std::rethrow_exception(error);
    }
  }

 private:
  // Starts workers up to `threads` in all; returns how many threads there are to use.
  int grow(int threads) {
    if (threads_ >= threads) return threads;
    sigset_t blocked, before;  // signals are for the threads of the program
    sigfillset(&blocked);
    for (int s : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) sigdelset(&blocked, s);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    try {
      for (; threads_ < threads; ++threads_) {
        std::thread([this, index = threads_] { serve(index); }).detach();
      }
    } catch (const std::system_error&) {  // no more threads to be had: use those there are
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return std::min(threads_, threads);
  }

  [[noreturn]] void serve(int index) {
    tls_index = index;
    tls_in_region = true;
    auto budget = std::chrono::duration_cast<Clock::duration>(kSpinMost);
    const auto set_up = [index](bool up) {
      if (index == 1) first_worker_up.store(up, std::memory_order_relaxed);
    };
    for (set_up(true);;) {
      if (!spin(slots_[index], budget)) {
        set_up(false);
        park(slots_[index]);
        set_up(true);
      }
      work(index);
    }
  }

  // True when work arrived while spinning.
  static bool spin(Slot& slot, Clock::duration& budget) {
    const auto start = Clock::now();
    for (auto last = start;;) {
      for (int i = 0; i < kPausesPerLook; ++i) {
        if (!slot.chunks.empty()) return true;
        cpu_pause();
      }
      const auto now = Clock::now();
      if (now - last > kPreempted) {
        budget = std::max<Clock::duration>(budget / 2, kSpinLeast);
        return false;
      }
      if (now - start > budget) {
        budget = std::min<Clock::duration>(budget + budget / 4, kSpinMost);
        return false;
      }
      if (now - start > kSpinAlone) std::this_thread::yield();
      last = now;
    }
  }

  // The store to `state` and the caller's store to `chunks` are sequentially consistent: either
  // the caller sees a parked worker or the worker sees the chunks.
  static void park(Slot& slot) {
    slot.placement.note();
    slot.state.store(kParked);
    for (uint32_t state; (state = slot.state.load()) != kRunning;) {
      if (state == kBeingWoken) {
        std::this_thread::yield();
      } else if (slot.chunks.empty_ordered()) {
        sleep_while(slot.state, kParked);
      } else if (slot.state.compare_exchange_strong(state, kRunning)) {
        break;
      }
    }
    slot.placement.restore();
  }

  static void wake(Slot& slot) {
    uint32_t state = kParked;
    if (!slot.state.compare_exchange_strong(state, kBeingWoken)) return;
    slot.placement.keep_off_this_processor();
    slot.state.store(kRunning);
    wake_all(slot.state);
  }

  void work(int index) {
    uint32_t finished = 0, chunk = 0;
    while (slots_[index].chunks.take_first(chunk)) {
      run_chunk(chunk);
      ++finished;
    }
    const int n = participants_.load(std::memory_order_relaxed);
    for (int i = 1; i < n; ++i) {
      Slot& other = slots_[(index + i) % n];
      while (other.chunks.take_last(chunk)) {
        run_chunk(chunk);
        ++finished;
      }
    }
    if (finished == 0) return;
    if (unfinished_.fetch_sub(finished) == finished && caller_waits_.load()) {
      wake_all(unfinished_);
    }
  }

  void run_chunk(uint32_t chunk) {
    if (failed_.load(std::memory_order_relaxed)) return;
    const int64_t begin = job_.begin + chunk * job_.grain;
    try {
      job_.fn(job_.context, begin, std::min(job_.end, begin + job_.grain));
    } catch (...) {
      // fetch_sub of unfinished_ publishes error_ to the caller.
      if (!failed_.exchange(true)) error_ = std::current_exception();
    }
  }

  void wait_until_finished() {
    for (int i = 0; i < 2048; ++i) {
      if (unfinished_.load(std::memory_order_acquire) == 0) return;
      i < 1024 ? cpu_pause() : std::this_thread::yield();
    }
    caller_waits_.store(1);
    while (const uint32_t left = unfinished_.load()) sleep_while(unfinished_, left);
    caller_waits_.store(0, std::memory_order_relaxed);
  }

  Slot slots_[kMaxThreads];
  alignas(64) Job job_{};
  std::atomic<int> participants_{1};
  std::atomic<bool> failed_{false};
  alignas(64) Word unfinished_{0};
  Word caller_waits_{0};
  alignas(64) std::exception_ptr error_;
  int threads_ = 1;
};

constinit Pool* pool = nullptr;  // made by the first holder of pool_lock
constinit std::atomic<bool> pool_lock{false};
constinit std::atomic<int> thread_count{0};  // 0: not asked for yet

// Runs in the child of fork(), where no worker exists: what they held is abandoned, not freed.
void forget_pool() {
  pool = nullptr;
  pool_lock.store(false);
  first_worker_up.store(false);
  tls_in_region = false;
  tls_index = 0;
}

Pool& get_pool() {
  static const int registered = pthread_atfork(nullptr, nullptr, forget_pool);
  (void)registered;
  if (!pool) pool = new Pool;
  return *pool;
}

struct PoolLock {
  const bool held = !pool_lock.load(std::memory_order_relaxed) &&
                    !pool_lock.exchange(true, std::memory_order_acquire);
  ~PoolLock() {
    if (held) pool_lock.store(false, std::memory_order_release);
  }
};

int threads_from_environment() {
  for (const char* name : {"PYTENSOR_NUM_THREADS", "OMP_NUM_THREADS"}) {
    const char* text = std::getenv(name);
    const long n = text ? std::strtol(text, nullptr, 10) : 0;  // of "4,2" the outer level counts
    if (n > 0) return static_cast<int>(std::min<long>(n, kMaxThreads));
  }
  return std::min(hardware_threads(), kMaxThreads);
}

}  // namespace

int hardware_threads() {
  static const int n = usable_processors();
  return n;
}

int get_num_threads() {
  int n = thread_count.load(std::memory_order_relaxed);
  if (n == 0) {
    static const int initial = threads_from_environment();
    thread_count.compare_exchange_strong(n, initial);
    n = thread_count.load(std::memory_order_relaxed);
  }
  return n;
}

void set_num_threads(int n) {
  if (n < 1) throw std::invalid_argument("set_num_threads expects a positive integer");
  thread_count.store(std::min(n, kMaxThreads), std::memory_order_relaxed);
}

bool in_parallel_region() { return tls_in_region; }
int thread_index() { return tls_index; }

bool worker_is_near() {
  if (tls_in_region || get_num_threads() < 2) return false;
  if (!first_worker_up.load(std::memory_order_relaxed) &&
      asked_in_vain.fetch_add(1, std::memory_order_relaxed) + 1 < kAskedInVain) {
    return false;
  }
  asked_in_vain.store(0, std::memory_order_relaxed);
  return true;
}

void parallel_for_raw(int64_t begin, int64_t end, int64_t grain, RangeFn fn, void* context) {
  if (end <= begin) return;
  grain = std::max<int64_t>(grain, 1);
  const int64_t chunks = (end - begin - 1) / grain + 1;
  const int threads = get_num_threads();
  if (threads > 1 && chunks > 1 && !tls_in_region) {
    const PoolLock lock;
    if (lock.held) {
      Pool& p = get_pool();
      for (int64_t first = 0; first < chunks; first += kMaxChunks) {
        const int64_t count = std::min(kMaxChunks, chunks - first);
        p.run({fn, context, begin + first * grain, end, grain}, static_cast<uint32_t>(count),
              threads);
      }
      return;
    }
  }
  // One thread, a nested call, or another thread has the pool: the same chunks in order.
  for (int64_t b = begin; b < end; b += std::min(grain, end - b)) {
    fn(context, b, b + std::min(grain, end - b));
  }
}

}  // namespace pt
