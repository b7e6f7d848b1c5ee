// The emulator's GPU threads: fibers that give way at barriers and warp operations alone.
//
// The threads of a block start in some order (forward, reverse or random: PYTENSOR_EMU_ORDER) and
// run until they wait or end, so that a missing barrier shows as a result that depends on the
// order. Divergent barriers, shuffles from lanes that are not there and deadlocks are reported;
// shared memory is filled with NaN before each block. Blocks run one after the other.
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "cuda/emu/checks.h"
#include "cuda/emu/emulator.h"
#include "cuda/emu/matrix.h"

#if !defined(__x86_64__)
#error "the emulator switches stacks with x86-64 instructions"
#endif

extern "C" void pt_emu_switch(void** save, void* to);
asm(R"(
.text
.type pt_emu_switch,@function
.hidden pt_emu_switch
.globl pt_emu_switch
pt_emu_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size pt_emu_switch,.-pt_emu_switch
)");

namespace pt::emu {

Thread* current = nullptr;
Block block;
uint64_t launches = 0;

namespace {

constexpr size_t kStackBytes = 128 << 10;
constexpr size_t kSharedBytes = 227 << 10;
constexpr size_t kStaticShared = 48 << 10;
enum State : uint8_t { kReady, kAtBarrier, kAtWarp, kDone };

struct Warp {
  uint32_t arrived, exited;
  uint32_t mask[32];
  WarpOp op[32];
  uint64_t value[32], result[32];
  int source[32], line[32];
};

struct AsyncCopy {
  void* to;
  const void* from;
  int bytes, valid, group;
};
struct AsyncQueue {
  int group = 0;
  std::vector<AsyncCopy> copies;
};

std::vector<Thread> threads;
std::vector<Warp> warps;
std::vector<int> order;     // in which the threads of a block start
std::vector<int> runnable;  // those that may go on
std::vector<void*> stacks;  // free ones
size_t next_runnable, next_thread;
int alive, at_barrier, barrier_sum, barrier_line;
bool aborted;
void* host_stack_pointer;
void* running_stack;  // of the fiber that runs; null for the host
void* leaving_stack;  // of a fiber that has ended, free once another one runs
void (*kernel_function)(void*);
void* kernel_context;
const char* kernel_name = "";
char* shared_arena;
size_t shared_used;
std::vector<AsyncQueue> async_queues;  // of the block's threads
std::mt19937_64 random_source;

void fiber();

void* fresh_stack() {
  if (!stacks.empty()) {
    void* s = stacks.back();
    stacks.pop_back();
    return s;
  }
  void* s = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (s == MAP_FAILED) std::abort();
  return s;
}
void* prepared(void* stack) {
  void** p = reinterpret_cast<void**>(static_cast<char*>(stack) + kStackBytes);
  *--p = nullptr;
  *--p = reinterpret_cast<void*>(fiber);
  for (int i = 0; i < 6; ++i) *--p = nullptr;
  return p;
}
void recycle() {
  if (leaving_stack) stacks.push_back(std::exchange(leaving_stack, nullptr));
}
void switch_to(void** save, void* stack_pointer, void* stack) {
  running_stack = stack;
  pt_emu_switch(save, stack_pointer);
  recycle();
}

Thread* take_runnable() {
  if (next_runnable == runnable.size()) return nullptr;
  if (settings().order == Order::kRandom) {
    const size_t rest = runnable.size() - next_runnable;
    std::swap(runnable[next_runnable], runnable[next_runnable + random_source() % rest]);
  }
  Thread* t = &threads[static_cast<size_t>(runnable[next_runnable++])];
  if (next_runnable == runnable.size()) runnable.clear(), next_runnable = 0;
  return t;
}

// Leaves the running context for the next one that can run: a waiting thread, a new one, the host.
void leave(void** save) {
  if (Thread* t = take_runnable()) {
    current = t;
    switch_to(save, t->stack_pointer, t->stack);
  } else if (next_thread < threads.size() && !aborted) {
    void* stack = fresh_stack();
    switch_to(save, prepared(stack), stack);
  } else {
    current = nullptr;
    switch_to(save, host_stack_pointer, nullptr);
  }
}
void wait_here() {
  Thread* me = current;
  me->stack = running_stack;
  leave(&me->stack_pointer);
  current = me;
}
void wake(Thread& t) {
  t.state = kReady;
  runnable.push_back(t.linear);
}

void open_barrier() {
  if constexpr (checks::kChecked) checks::barrier_opened();
  for (int i : order) {
    Thread& t = threads[static_cast<size_t>(i)];
    if (t.state != kAtBarrier) continue;
    t.result = barrier_sum;
    wake(t);
  }
  at_barrier = 0;
}

// All lanes of `mask` that are still there have arrived.
void finish_warp_operation(int w, uint32_t mask) {
  Warp& warp = warps[static_cast<size_t>(w)];
  const uint32_t active = mask & ~warp.exited;
  const int first = __builtin_ctz(active);
  uint64_t ballot = 0;
  for (uint32_t b = active; b; b &= b - 1) {
    const int l = __builtin_ctz(b);
    if (warp.op[l] != warp.op[first] || warp.mask[l] != mask)
      report("lanes %d and %d of a warp wait at different operations (lines %d and %d)", first, l,
             warp.line[first], warp.line[l]);
    ballot |= (warp.value[l] & 1) << l;
  }
  if (warp.op[first] == kMatrix) {
    if (active == 0xffffffffu) {
      matrix_operation(warp.value);
    } else {
      report("a matrix operation of a warp whose lanes are not all there (line %d)",
             warp.line[first]);
    }
  }
  for (uint32_t b = active; b; b &= b - 1) {
    const int l = __builtin_ctz(b);
    if (warp.op[first] == kShuffle) {
      const int s = warp.source[l];
      if (active >> s & 1) {
        warp.result[l] = warp.value[s];
      } else {
        report("lane %d shuffles from lane %d, which is not there (line %d)", l, s, warp.line[l]);
        warp.result[l] = ~uint64_t{0};
      }
    } else {
      warp.result[l] = ballot;
    }
  }
  warp.arrived &= ~active;
  for (uint32_t b = active; b; b &= b - 1) {
    Thread& t = threads[static_cast<size_t>(w * 32 + __builtin_ctz(b))];
    if constexpr (checks::kChecked)
      if (warp.op[first] == kWarpSync) checks::warp_synchronized(t.linear);
    if (t.state == kAtWarp) wake(t);
  }
}

void end_thread(Thread& t) {
  t.state = kDone;
  --alive;
  Warp& warp = warps[static_cast<size_t>(t.warp)];
  warp.exited |= 1u << t.lane;
  if (at_barrier && at_barrier == alive) open_barrier();
  for (uint32_t a = warp.arrived; a;) {
    const int l = __builtin_ctz(a);
    const uint32_t mask = warp.mask[l];
    if ((warp.arrived & mask) == (mask & ~warp.exited)) finish_warp_operation(t.warp, mask);
    a &= ~(mask | 1u << l);
  }
}

// Runs threads one after the other as long as none waits.
void fiber() {
  recycle();
  void* own = running_stack;
  while (next_thread < threads.size() && !aborted) {
    Thread& t = threads[static_cast<size_t>(order[next_thread++])];
    t.state = kReady;
    t.stack = own;
    current = &t;
    if constexpr (checks::kChecked) checks::in_kernel = true;
    kernel_function(kernel_context);
    if constexpr (checks::kChecked) checks::in_kernel = false;
    current = &t;
    end_thread(t);
    if (next_runnable < runnable.size()) break;
  }
  void* nowhere;
  leaving_stack = own;
  leave(&nowhere);
  __builtin_unreachable();
}

void report_deadlock() {
  std::string waiting;
  int shown = 0;
  for (const Thread& t : threads)
    if ((t.state == kAtBarrier || t.state == kAtWarp) && shown++ < 3)
      waiting += " thread " + std::to_string(t.linear) +
                 (t.state == kAtBarrier ? " at a barrier, line " : " at a warp operation, line ") +
                 std::to_string(t.line) + ";";
  current = nullptr;
  report("deadlock:%s", waiting.c_str());
  aborted = true;
}

void shuffle_order() {
  std::iota(order.begin(), order.end(), 0);
  if (settings().order == Order::kReverse) std::reverse(order.begin(), order.end());
  if (settings().order == Order::kRandom) std::shuffle(order.begin(), order.end(), random_source);
}

void run_block() {
  for (size_t w = 0; w < warps.size(); ++w) {
    const size_t n = threads.size() - w * 32;
    warps[w].arrived = 0;
    warps[w].exited = n >= 32 ? 0 : ~((1u << n) - 1);
  }
  shuffle_order();
  std::memset(shared_arena, 0xff, std::max(shared_used, size_t{1024}));
  alive = static_cast<int>(threads.size());
  at_barrier = 0;
  next_thread = next_runnable = 0;
  runnable.clear();
  while (alive > 0 && !aborted) {
    if (Thread* t = take_runnable()) {
      current = t;
      switch_to(&host_stack_pointer, t->stack_pointer, t->stack);
    } else if (next_thread < threads.size()) {
      void* stack = fresh_stack();
      switch_to(&host_stack_pointer, prepared(stack), stack);
    } else {
      report_deadlock();
    }
    current = nullptr;
  }
  if constexpr (checks::kChecked) checks::in_kernel = false;
  if (aborted)
    for (Thread& t : threads)
      if (t.state == kAtBarrier || t.state == kAtWarp) stacks.push_back(t.stack);
}

}  // namespace

namespace checks {

bool is_local(const void* p) {
  auto* c = static_cast<const char*>(p);
  auto* stack = static_cast<const char*>(running_stack);
  if (c >= stack && c < stack + kStackBytes) return true;
  auto* index = reinterpret_cast<const char*>(threads.data());
  return c >= index && c < index + threads.size() * sizeof(Thread);
}

// The running thread cannot go on: its next instruction would crash the process.
void abandon_launch() {
  aborted = true;
  current->state = kDone;
  current = nullptr;
  void* nowhere;
  leaving_stack = running_stack;
  switch_to(&nowhere, host_stack_pointer, nullptr);
  __builtin_unreachable();
}

}  // namespace checks

const char* where() {
  static std::string text;
  text = std::string("kernel ") + kernel_name;
  if (current)
    text +=
        " block " + std::to_string(block.index.x) + " thread " + std::to_string(current->linear);
  return text.c_str();
}

int barrier(int predicate, int line) {
  const checks::Pause pause;
  Thread* me = current;
  if (at_barrier == 0) {
    barrier_line = line;
    barrier_sum = 0;
  } else if (line != barrier_line) {
    report("divergent barrier: lines %d and %d", barrier_line, line);
  }
  me->line = line;
  barrier_sum += predicate;
  if (++at_barrier == alive) {  // the last one goes on
    const int sum = barrier_sum;
    open_barrier();
    return sum;
  }
  me->state = kAtBarrier;
  wait_here();
  return me->result;
}

uint64_t warp_operation(WarpOp op, unsigned mask, uint64_t value, int source, int line) {
  const checks::Pause pause;
  Thread* me = current;
  const int l = me->lane;
  Warp& warp = warps[static_cast<size_t>(me->warp)];
  if (!(mask >> l & 1)) {
    report("lane %d takes part in an operation whose mask lacks it (line %d)", l, line);
    mask |= 1u << l;
  }
  warp.mask[l] = mask;
  warp.op[l] = op;
  warp.value[l] = value;
  warp.source[l] = source;
  warp.line[l] = me->line = line;
  warp.arrived |= 1u << l;
  if ((warp.arrived & mask) == (mask & ~warp.exited)) {
    finish_warp_operation(me->warp, mask);
  } else {
    me->state = kAtWarp;
    wait_here();
  }
  return warp.result[l];
}

void* shared_variable(SharedSite& site, size_t bytes) {
  if (site.launch != launches) {
    const checks::Pause pause;
    site.launch = launches;
    site.offset = shared_used;
    shared_used = (shared_used + bytes + 127) & ~size_t{127};
    if (bytes > kStaticShared || shared_used > kSharedBytes)
      report("more shared memory than a block can have");
    shared_used += checks::kSharedGap;
    if constexpr (checks::kChecked) checks::shared_declared(site.offset, bytes);
  }
  return shared_arena + site.offset;
}
void* dynamic_shared() { return shared_arena; }

AsyncQueue& own_queue() {
  const auto i = static_cast<size_t>(current->linear);
  if (async_queues.size() <= i) async_queues.resize(i + 1);
  return async_queues[i];
}

// Copies happen as late as the program allows: when it waits for their group. Until then their
// destination is full of NaN.
void async_copy(void* to, const void* from, int bytes, int valid) {
  const checks::Pause pause;
  const auto n = static_cast<uintptr_t>(bytes);
  if ((reinterpret_cast<uintptr_t>(to) | reinterpret_cast<uintptr_t>(from)) & (n - 1))
    report("an asynchronous copy is not aligned to its %d bytes", bytes);
  if (valid < 0 || valid > bytes) report("an asynchronous copy of %d of %d bytes", valid, bytes);
  if constexpr (checks::kChecked) checks::copy_pending(to, static_cast<size_t>(bytes));
  std::memset(to, 0xff, static_cast<size_t>(bytes));
  AsyncQueue& q = own_queue();
  q.copies.push_back({to, from, bytes, valid, q.group});
}
void async_commit() {
  const checks::Pause pause;
  ++own_queue().group;
}
void async_wait(int groups_left) {
  const checks::Pause pause;
  AsyncQueue& q = own_queue();
  size_t done = 0;
  for (; done < q.copies.size() && q.copies[done].group < q.group - groups_left; ++done) {
    const AsyncCopy& c = q.copies[done];
    if constexpr (checks::kChecked)
      checks::copy_done(c.to, static_cast<size_t>(c.bytes), c.from, static_cast<size_t>(c.valid));
    if (c.bytes == 4 && c.valid == 4) {
      std::memcpy(c.to, c.from, 4);
    } else {
      std::memcpy(c.to, c.from, static_cast<size_t>(c.valid));
      std::memset(static_cast<char*>(c.to) + c.valid, 0, static_cast<size_t>(c.bytes - c.valid));
    }
  }
  q.copies.erase(q.copies.begin(), q.copies.begin() + static_cast<std::ptrdiff_t>(done));
}

void run_grid(void (*kernel)(void*), void* context, size_t context_bytes, dim3 blocks, dim3 size,
              size_t shared, const char* name) {
  kernel_name = name;
  const size_t count = size_t{size.x} * size.y * size.z;
  if (count == 0 || count > 1024 || size.z > 64 || blocks.x == 0 || blocks.y == 0 ||
      blocks.z == 0 || blocks.x > 0x7fffffffu || blocks.y > 65535 || blocks.z > 65535 ||
      shared > kSharedBytes) {
    report("invalid launch: blocks (%u, %u, %u), threads (%u, %u, %u), %zu bytes shared", blocks.x,
           blocks.y, blocks.z, size.x, size.y, size.z, shared);
    return;
  }
  if (!shared_arena) {
    shared_arena =
        static_cast<char*>(mmap(nullptr, kSharedBytes + kStaticShared, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (shared_arena == MAP_FAILED) std::abort();
  }
  ++launches;
  kernel_function = kernel;
  kernel_context = context;
  shared_used = ((shared + 127) & ~size_t{127}) + checks::kSharedGap;
  if constexpr (checks::kChecked)
    checks::launch_begins(shared_arena, shared, context, context_bytes);
  aborted = false;
  threads.resize(count);
  order.resize(count);
  warps.resize((count + 31) / 32);
  random_source.seed(settings().seed * 1000003 + launches);
  for (size_t i = 0; i < count; ++i) {
    Thread& t = threads[i];
    t.index = {static_cast<unsigned>(i % size.x), static_cast<unsigned>(i / size.x % size.y),
               static_cast<unsigned>(i / size.x / size.y)};
    t.linear = static_cast<int>(i);
    t.warp = static_cast<int>(i / 32);
    t.lane = static_cast<int>(i % 32);
    t.state = kDone;
  }
  block.threads = size;
  block.blocks = blocks;
  const size_t num_blocks = size_t{blocks.x} * blocks.y * blocks.z;
  const size_t shift = settings().order == Order::kRandom ? random_source() % num_blocks : 0;
  for (size_t k = 0; k < num_blocks && !aborted; ++k) {
    const size_t i =
        settings().order == Order::kReverse ? num_blocks - 1 - k : (k + shift) % num_blocks;
    block.index = {static_cast<unsigned>(i % blocks.x),
                   static_cast<unsigned>(i / blocks.x % blocks.y),
                   static_cast<unsigned>(i / blocks.x / blocks.y)};
    if constexpr (checks::kChecked) checks::block_begins(i);
    run_block();
  }
  for (AsyncQueue& q : async_queues) q.copies.clear(), q.group = 0;
}

}  // namespace pt::emu
