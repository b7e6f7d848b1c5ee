// The memory checks of checked builds: every access of a kernel comes here.
//
// A state for each byte of device and shared memory (not allocated, fresh, written, freed) finds
// accesses out of bounds, uses of freed memory and reads of what nobody wrote. For each byte the
// last write and the last two reads are kept, with operation, block, thread and how many barriers
// had opened; an access that no barrier, no order of streams and no atomic separates from one of
// them is a race. Accesses to memory that is neither the device's nor the thread's own are pointers
// to the host's memory, or wild.
#include "cuda/emu/checks.h"

#include <link.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "cuda/emu/emulator.h"

#ifdef PT_EMU_CHECKED

namespace pt::emu::checks {

bool in_kernel = false;

namespace {

enum State : uint8_t { kNowhere, kFresh, kWritten, kFreed };
struct Cell {
  uint64_t write, read, read_before;
};
struct Space {
  const char* base = nullptr;
  size_t bytes = 0;
  uint8_t* states = nullptr;
  Cell* cells = nullptr;
  const char* name;
  bool holds(const char* p) const { return p >= base && p < base + bytes; }
};
Space global{.name = "global"}, shared{.name = "shared"};
constexpr size_t kSharedBytes = 300 << 10;
constexpr unsigned char kGuard = 0x5a;
constexpr size_t kGuardBytes = 512;  // behind each allocation, which has more room (runtime.cpp)
constexpr uint32_t kOperations = 1 << 14;

struct Operation {
  int stream = 0;
  uint32_t number = 0;  // in its stream
  Clock follows;
};
std::vector<Operation> operations(kOperations);
std::vector<Clock> streams;
Clock host;
uint32_t last_operation, now;

struct Variable {
  size_t offset, bytes;
};
std::vector<Variable> variables;  // shared ones of the running launch
const char* context;
size_t context_bytes;
uint64_t block_index, epoch;
uint16_t warp_epochs[1024];
uintptr_t image_first, image_last;  // this library

template <class T>
T* reserve(size_t count) {
  void* p = mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) {
    std::perror("shadow memory of the checked emulator");
    std::abort();
  }
  return static_cast<T*>(p);
}

void find_image() {
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void*) {
        uintptr_t first = UINTPTR_MAX, last = 0;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          if (info->dlpi_phdr[i].p_type != PT_LOAD) continue;
          const uintptr_t at = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
          first = std::min(first, at);
          last = std::max(last, at + info->dlpi_phdr[i].p_memsz);
        }
        const auto own = reinterpret_cast<uintptr_t>(&find_image);
        if (own < first || own >= last) return 0;
        image_first = first;
        image_last = last;
        return 1;
      },
      nullptr);
}

void merge(Clock& into, const Clock& from) {
  if (into.size() < from.size()) into.resize(from.size());
  for (size_t i = 0; i < from.size(); ++i) into[i] = std::max(into[i], from[i]);
}
Clock& clock_at(int stream) {
  const auto i = static_cast<size_t>(stream);
  if (streams.size() <= i) streams.resize(i + 1);
  return streams[i];
}

// --- who accessed ----------------------------------------------------------------------------
// operation 14 bits, block 18, thread 10, barriers of the block 12, of the warp 9, atomic 1
constexpr int kOperationAt = 50, kBlockAt = 32, kThreadAt = 22, kEpochAt = 10, kWarpEpochAt = 1;

uint64_t tag(bool atomic) {
  const auto thread = static_cast<uint64_t>(current->linear);
  return uint64_t{now} << kOperationAt | (block_index & 0x3ffff) << kBlockAt | thread << kThreadAt |
         (epoch & 0xfff) << kEpochAt | uint64_t{warp_epochs[thread] & 0x1ffu} << kWarpEpochAt |
         (atomic ? 1 : 0);
}

bool ordered(uint32_t before) {
  const Operation &a = operations[before], &b = operations[now];
  const auto stream = static_cast<size_t>(a.stream);
  return a.stream == b.stream || (stream < b.follows.size() && b.follows[stream] >= a.number);
}

bool race(uint64_t before, uint64_t me) {
  if (before == 0) return false;
  const auto operation = static_cast<uint32_t>(before >> kOperationAt);
  if (operation != now) return !ordered(operation);
  if (before >> kThreadAt == me >> kThreadAt) return false;
  if (before & me & 1) return false;
  if (before >> kBlockAt != me >> kBlockAt) return true;
  if ((before >> kEpochAt & 0xfff) != (me >> kEpochAt & 0xfff)) return false;
  const bool same_warp = before >> (kThreadAt + 5) == me >> (kThreadAt + 5);
  return !same_warp || (before >> kWarpEpochAt & 0x1ff) == (me >> kWarpEpochAt & 0x1ff);
}

std::string place(const Space& space, const char* p) {
  if (&space == &global) return describe(p);
  const auto offset = static_cast<size_t>(p - space.base);
  const Variable* nearest = nullptr;
  for (const Variable& v : variables)
    if (offset + 1 > v.offset && (!nearest || v.offset > nearest->offset)) nearest = &v;
  if (!nearest) return "byte " + std::to_string(offset) + " of shared memory";
  return "byte " + std::to_string(offset - nearest->offset) + " of a shared variable of " +
         std::to_string(nearest->bytes) + " bytes";
}

void say(const char* check, const char* what, const Space* space, const char* p, size_t bytes,
         uintptr_t code, uint64_t other = 0) {
  const Pause pause;
  char with[96] = "";
  if (other) {
    const auto operation = static_cast<uint32_t>(other >> kOperationAt);
    const auto thread = static_cast<unsigned>(other >> kThreadAt & 0x3ff);
    if (operation != now) {
      std::snprintf(with, sizeof with, " by another stream, which nothing orders before this one");
    } else {
      std::snprintf(with, sizeof with, " by block %u thread %u",
                    static_cast<unsigned>(other >> kBlockAt & 0x3ffff), thread);
    }
  }
  report("%s: %s%s, %zu bytes at %p: %s; code at library+0x%zx", check, what, with, bytes,
         static_cast<const void*>(p), space ? place(*space, p).c_str() : describe(p),
         code - image_first);
}

void look(const Space& space, const char* p, size_t bytes, bool writes, bool atomically,
          uintptr_t code) {
  const auto at = static_cast<size_t>(p - space.base);
  uint8_t* states = space.states + at;
  // Fresh memory is filled with ones. What is no longer so has been written by a store that the
  // compiler did not show: one of what a call returns.
  const bool unseen = std::any_of(p, p + bytes, [](char c) { return c != '\xff'; });
  for (size_t i = 0; i < bytes; ++i) {
    if (states[i] == kWritten) continue;
    if (states[i] == kFresh) {
      if ((!writes || atomically) && !unseen)
        say("initcheck",
            &space == &global ? "read of device memory that nothing has written"
                              : "read of shared memory that nothing has written",
            &space, p, bytes, code);
      states[i] = kWritten;
      continue;
    }
    if (states[i] == kFreed) {
      say("memcheck", writes ? "write to freed memory" : "read of freed memory", &space, p, bytes,
          code);
    } else {
      say("memcheck", writes ? "write out of bounds" : "read out of bounds", &space, p, bytes,
          code);
    }
    abandon_launch();
  }
  const uint64_t me = tag(atomically);
  Cell* cells = space.cells + at;
  for (size_t i = 0; i < bytes; ++i) {
    Cell& c = cells[i];
    if (race(c.write, me)) {
      say("racecheck", writes ? "write after a write" : "read after a write", &space, p, bytes,
          code, c.write);
      c = {me, 0, 0};
      return;
    }
    if (writes) {
      for (const uint64_t reader : {c.read, c.read_before}) {
        if (!race(reader, me)) continue;
        say("racecheck", "write after a read", &space, p, bytes, code, reader);
        c = {me, 0, 0};
        return;
      }
      c.write = me;
    } else {
      if (c.read >> kThreadAt != me >> kThreadAt) c.read_before = c.read;
      c.read = me;
    }
  }
}

void access(const void* at, size_t bytes, bool writes, bool atomically, bool wants_alignment,
            uintptr_t code) {
  if (!in_kernel || is_local(at)) return;
  auto* p = static_cast<const char*>(at);
  const Space* space = global.holds(p) ? &global : shared.holds(p) ? &shared : nullptr;
  if (!space) {
    const auto address = reinterpret_cast<uintptr_t>(p);
    if (address >= image_first && address < image_last) return;
    if (p >= context && p < context + context_bytes) return;
    cudaPointerAttributes attributes;
    cudaPointerGetAttributes(&attributes, p);
    if (attributes.type == cudaMemoryTypeHost) return;  // page-locked: the device's, too
    say("memcheck",
        writes ? "write to memory that is not the device's"
               : "read of memory that is not the device's",
        nullptr, p, bytes, code);
    abandon_launch();
  }
  if (wants_alignment && reinterpret_cast<uintptr_t>(p) % bytes != 0) {
    say("memcheck", writes ? "misaligned write" : "misaligned read", space, p, bytes, code);
    abandon_launch();
  }
  look(*space, p, bytes, writes, atomically, code);
}

// A copy by the runtime: no thread, but an operation with its place among the streams.
void runtime_access(const void* at, size_t bytes, bool writes) {
  auto* p = static_cast<const char*>(at);
  if (!global.holds(p) || bytes == 0) return;
  const auto offset = static_cast<size_t>(p - global.base);
  const uint64_t me = uint64_t{now} << kOperationAt | uint64_t{0x3ffff} << kBlockAt;
  for (size_t i = 0; i < bytes; ++i) {
    Cell& c = global.cells[offset + i];
    for (const uint64_t other : {c.write, writes ? c.read : 0, writes ? c.read_before : 0}) {
      if (!race(other, me)) continue;
      say("racecheck", "copy after an access", &global, p, bytes, image_first, other);
      c = {me, 0, 0};
      return;
    }
    if (writes) {
      c.write = me;
    } else {
      c.read_before = c.read;
      c.read = me;
    }
  }
}

const bool cache_off = [] {
  // Tensors that share one allocation would hide accesses beyond the end of one.
  setenv("PYTENSOR_CUDA_CACHE", "0", 0);
  return true;
}();

}  // namespace

void heap_made(char* heap, size_t bytes) {
  find_image();
  global.base = heap;
  global.bytes = bytes;
  global.states = reserve<uint8_t>(bytes);
  global.cells = reserve<Cell>(bytes);
}
void allocated(char* p, size_t bytes) {
  std::memset(p + bytes, kGuard, kGuardBytes);
  std::memset(global.states + (p - global.base), kFresh, bytes);
  std::memset(static_cast<void*>(global.cells + (p - global.base)), 0, bytes * sizeof(Cell));
}
// Stores that the compiler did not show are found behind the end, once the memory is given back.
void guard_behind(const char* p, size_t bytes) {
  const char* end = p + bytes;
  const char* bad =
      std::find_if(end, end + kGuardBytes, [](char c) { return c != static_cast<char>(kGuard); });
  if (bad != end + kGuardBytes)
    report("memcheck: something has written out of bounds: %s", describe(bad));
}
void freed(char* p, size_t bytes) {
  std::memset(global.states + (p - global.base), kFreed, bytes);
  // Who used it is of no interest any more, and takes much memory.
  const auto first = reinterpret_cast<uintptr_t>(global.cells + (p - global.base));
  const uintptr_t start = (first + 4095) & ~uintptr_t{4095};
  const uintptr_t end = (first + bytes * sizeof(Cell)) & ~uintptr_t{4095};
  if (end > start) madvise(reinterpret_cast<void*>(start), end - start, MADV_DONTNEED);
}
void filled(const void* to, size_t bytes) {
  runtime_access(to, bytes, true);
  std::memset(global.states + (static_cast<const char*>(to) - global.base), kWritten, bytes);
}
void copied(const void* to, const void* from, size_t bytes) {
  runtime_access(from, bytes, false);
  runtime_access(to, bytes, true);
  std::memmove(global.states + (static_cast<const char*>(to) - global.base),
               global.states + (static_cast<const char*>(from) - global.base), bytes);
}
void copied_out(const void* from, size_t bytes) { runtime_access(from, bytes, false); }

uint32_t enqueued(int stream) {
  if (++last_operation == kOperations) {  // numbers start again: nothing old may be mistaken
    last_operation = 1;
    if (global.cells) madvise(global.cells, global.bytes * sizeof(Cell), MADV_DONTNEED);
  }
  Clock& clock = clock_at(stream);
  merge(clock, host);
  if (clock.size() <= static_cast<size_t>(stream)) clock.resize(static_cast<size_t>(stream) + 1);
  const uint32_t number = ++clock[static_cast<size_t>(stream)];
  operations[last_operation] = {stream, number, clock};
  return last_operation;
}
void running(uint32_t operation) { now = operation; }
const Clock& clock_of(int stream) { return clock_at(stream); }
void stream_follows(int stream, const Clock& clock) { merge(clock_at(stream), clock); }
void host_follows(const Clock& clock) { merge(host, clock); }

void launch_begins(char* arena, size_t dynamic_shared, const void* arguments, size_t bytes) {
  if (!shared.base) {
    shared.base = arena;
    shared.bytes = kSharedBytes;
    shared.states = reserve<uint8_t>(kSharedBytes);
    shared.cells = reserve<Cell>(kSharedBytes);
  }
  context = static_cast<const char*>(arguments);
  context_bytes = bytes;
  std::memset(shared.states, kNowhere, kSharedBytes);
  variables.clear();
  if (dynamic_shared) shared_declared(0, dynamic_shared);
}
void block_begins(size_t index) {
  block_index = index;
  epoch = 0;
  std::memset(warp_epochs, 0, sizeof warp_epochs);
  for (const Variable& v : variables) {
    std::memset(shared.states + v.offset, kFresh, v.bytes);
    std::memset(static_cast<void*>(shared.cells + v.offset), 0, v.bytes * sizeof(Cell));
  }
}
void barrier_opened() { ++epoch; }
void warp_synchronized(int thread) { ++warp_epochs[thread]; }
void shared_declared(size_t offset, size_t bytes) {
  variables.push_back({offset, bytes});
  std::memset(shared.states + offset, kFresh, bytes);
  std::memset(static_cast<void*>(shared.cells + offset), 0, bytes * sizeof(Cell));
}
void copy_pending(const void* to, size_t bytes) {
  auto* p = static_cast<const char*>(to);
  const auto code = image_first;
  if (!shared.holds(p)) return;
  look(shared, p, bytes, true, false, code);
  std::memset(shared.states + (p - shared.base), kFresh, bytes);
}
void copy_done(const void* to, size_t bytes, const void* from, size_t read) {
  in_kernel = true;  // as if the thread had done it
  if (read) access(from, read, false, false, false, image_first);
  access(to, bytes, true, false, true, image_first);
  in_kernel = false;
}
void atomic(const void* p, size_t bytes) {
  access(p, bytes, true, true, true, reinterpret_cast<uintptr_t>(__builtin_return_address(0)));
}

}  // namespace pt::emu::checks

#define PT_CODE reinterpret_cast<uintptr_t>(__builtin_return_address(0))
#define PT_TSAN(bytes)                                               \
  void __tsan_read##bytes(void* p) {                                 \
    pt::emu::checks::access(p, bytes, false, false, true, PT_CODE);  \
  }                                                                  \
  void __tsan_write##bytes(void* p) {                                \
    pt::emu::checks::access(p, bytes, true, false, true, PT_CODE);   \
  }                                                                  \
  void __tsan_unaligned_read##bytes(void* p) {                       \
    pt::emu::checks::access(p, bytes, false, false, false, PT_CODE); \
  }                                                                  \
  void __tsan_unaligned_write##bytes(void* p) {                      \
    pt::emu::checks::access(p, bytes, true, false, false, PT_CODE);  \
  }                                                                  \
  void __tsan_volatile_read##bytes(void* p) {                        \
    pt::emu::checks::access(p, bytes, false, false, true, PT_CODE);  \
  }                                                                  \
  void __tsan_volatile_write##bytes(void* p) {                       \
    pt::emu::checks::access(p, bytes, true, false, true, PT_CODE);   \
  }

// Host code's atomics, such as the guards of static variables: passed on.
#define PT_TSAN_ATOMIC(bits)                                                                \
  uint##bits##_t __tsan_atomic##bits##_load(const volatile void* p, int) {                  \
    return __atomic_load_n(static_cast<const volatile uint##bits##_t*>(p), 5);              \
  }                                                                                         \
  void __tsan_atomic##bits##_store(volatile void* p, uint##bits##_t v, int) {               \
    __atomic_store_n(static_cast<volatile uint##bits##_t*>(p), v, 5);                       \
  }                                                                                         \
  uint##bits##_t __tsan_atomic##bits##_exchange(volatile void* p, uint##bits##_t v, int) {  \
    return __atomic_exchange_n(static_cast<volatile uint##bits##_t*>(p), v, 5);             \
  }                                                                                         \
  uint##bits##_t __tsan_atomic##bits##_fetch_add(volatile void* p, uint##bits##_t v, int) { \
    return __atomic_fetch_add(static_cast<volatile uint##bits##_t*>(p), v, 5);              \
  }

#pragma GCC diagnostic ignored "-Wmissing-declarations"
extern "C" {
PT_TSAN_ATOMIC(8)
PT_TSAN_ATOMIC(32)
PT_TSAN_ATOMIC(64)
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
PT_TSAN(1)
PT_TSAN(2)
PT_TSAN(4)
PT_TSAN(8)
PT_TSAN(16)
void __tsan_read_range(void* p, size_t bytes) {
  pt::emu::checks::access(p, bytes, false, false, false, PT_CODE);
}
void __tsan_write_range(void* p, size_t bytes) {
  pt::emu::checks::access(p, bytes, true, false, false, PT_CODE);
}
}

#endif  // PT_EMU_CHECKED
