// The caching allocator: cudaMalloc and cudaFree wait for the device, so freed memory is kept.
//
// Memory comes in segments of 2 MiB for small blocks, of 20 MiB or of the rounded size for large
// ones. A segment is cut into blocks, a freed block joins its free neighbours, and the best fit of
// the stream's free blocks serves a request. Blocks belong to the stream on which they were asked
// for: freeing needs no waiting, because what reuses the memory is queued behind what used it.
// PYTENSOR_CUDA_CACHE=0 asks the driver each time, which is slow and finds errors.
//
// Work of a captured graph has memory from a pool of its own, whose segments stay while there is a
// graph that uses them: a launch writes there at any time.
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "cuda/runtime/runtime.h"

namespace pt::cuda {

namespace {

constexpr size_t kRound = 512;
constexpr size_t kSmallLimit = size_t{1} << 20;
constexpr size_t kSmallSegment = size_t{2} << 20;
constexpr size_t kMediumLimit = size_t{10} << 20;
constexpr size_t kMediumSegment = size_t{20} << 20;

struct Pool;
struct Block {
  char* data;
  size_t bytes;
  Pool* pool;
  StreamHandle stream;
  bool small;
  bool used = false;
  size_t requested = 0;
  Block *before = nullptr, *after = nullptr;  // neighbours in the segment
  std::vector<StreamHandle> users = {};       // other streams that used it
  std::vector<cudaEvent_t> waits = {};        // for them, since it was freed
};
struct BestFit {
  bool operator()(const Block* a, const Block* b) const {
    if (a->stream != b->stream) return a->stream < b->stream;
    if (a->bytes != b->bytes) return a->bytes < b->bytes;
    return a->data < b->data;
  }
};
using FreeBlocks = std::set<Block*, BestFit>;
struct Pool {
  int device;
  bool shared;              // by everything that is not captured
  int graphs = 0;           // that use it
  FreeBlocks small, large;  // without the cache: what the graphs keep
  FreeBlocks& blocks(bool is_small) { return is_small ? small : large; }
};
struct Device {
  std::map<int64_t, Pool> pools;  // 0: the shared one
  std::vector<Block*> waiting;    // freed, but other streams may still use them
  // Freed, and given up by graphs, while a capture is under way, which forbids the rest.
  std::vector<Block*> deferred;
  std::vector<int64_t> given_up;
  DeviceMemory stats{};
};

std::mutex mutex;
std::map<void*, Block*> live;
Device& device_of(int index) {
  static std::map<int, Device> devices;
  return devices[index];
}
Pool& pool_of(int index, int64_t id) {
  return device_of(index).pools.try_emplace(id, Pool{index, id == 0, 0, {}, {}}).first->second;
}
bool caching() {
  static const bool on = [] {
    const char* v = std::getenv("PYTENSOR_CUDA_CACHE");
    return !(v && v[0] == '0');
  }();
  return on;
}
bool capture_under_way() { return captures.load(std::memory_order_relaxed) > 0; }

void change(DeviceMemory::Stats& stats, bool small, int64_t n) {
  for (DeviceMemory::Stat* s : {&stats[0], &stats[small ? 1 : 2]}) {
    s->current += n;
    (n > 0 ? s->allocated : s->freed) += n > 0 ? n : -n;
    if (s->current > s->peak) s->peak = s->current;
  }
}
int64_t number(size_t n) { return static_cast<int64_t>(n); }

// A whole segment, free.
void give_back(Block* b) {
  const Uncaptured scope;
  DeviceMemory& m = device_of(b->pool->device).stats;
  cudaFree(b->data);
  change(m.reserved, b->small, -number(b->bytes));
  change(m.segments, b->small, -1);
  delete b;
}
void give_back(FreeBlocks& blocks) {
  std::erase_if(blocks, [](Block* b) {
    if (b->before || b->after) return false;
    give_back(b);
    return true;
  });
}
void give_back(Pool& pool) {
  give_back(pool.small);
  give_back(pool.large);
}

void make_free(Block* b) {
  Pool& pool = *b->pool;
  FreeBlocks& blocks = pool.blocks(b->small);
  const auto join = [&blocks](Block* first, Block* second) {
    first->bytes += second->bytes;
    first->after = second->after;
    if (first->after) first->after->before = first;
    delete second;
  };
  b->used = false;
  if (b->after && !b->after->used) {
    blocks.erase(b->after);
    join(b, b->after);
  }
  if (b->before && !b->before->used) {
    Block* before = b->before;
    blocks.erase(before);
    join(before, b);
    b = before;
  }
  const bool whole = !b->before && !b->after;
  const bool kept = pool.shared ? caching() : pool.graphs > 0;
  if (whole && !kept) {
    give_back(b);
  } else {
    blocks.insert(b);
  }
}

// Frees what other streams have finished with.
void collect(Device& device) {
  if (capture_under_way()) return;  // events may not be asked
  std::erase_if(device.waiting, [](Block* b) {
    for (cudaEvent_t e : b->waits)
      if (const cudaError_t status = cudaEventQuery(e)) {
        ignore(status);
        return false;
      }
    for (cudaEvent_t e : b->waits) cudaEventDestroy(e);
    b->waits.clear();
    make_free(b);
    return true;
  });
}

void free_or_wait(Device& device, Block* b) {
  for (StreamHandle s : b->users) {
    cudaEvent_t e;
    if (cudaEventCreateWithFlags(&e, cudaEventDisableTiming) != cudaSuccess) continue;
    cudaEventRecord(e, static_cast<cudaStream_t>(s));
    b->waits.push_back(e);
  }
  b->users.clear();
  if (b->waits.empty()) {
    make_free(b);
  } else {
    device.waiting.push_back(b);
  }
}

// A graph needs the pool no more.
void give_up(int index, int64_t id) {
  Pool& pool = pool_of(index, id);
  if (--pool.graphs > 0) return;
  pinned_pool_released(id);
  give_back(pool);
}

cudaError_t take_memory(Device& device, void** p, size_t bytes) {
  const DeviceMemory& m = device.stats;
  if (m.limit && static_cast<size_t>(m.reserved[0].current) + bytes > m.limit)
    return cudaErrorMemoryAllocation;
  const Uncaptured scope;
  const cudaError_t status = cudaMalloc(p, bytes);
  if (status != cudaSuccess) ignore(status);
  return status;
}

Block* new_segment(Pool& pool, size_t bytes, bool small, StreamHandle stream) {
  Device& device = device_of(pool.device);
  size_t size = bytes;
  if (caching())
    size = small                  ? kSmallSegment
           : bytes < kMediumLimit ? kMediumSegment
                                  : (bytes + kSmallSegment - 1) / kSmallSegment * kSmallSegment;
  void* p = nullptr;
  if (take_memory(device, &p, size) != cudaSuccess) {
    ++device.stats.retries;
    if (!capture_under_way()) {  // which forbids waiting
      cudaDeviceSynchronize();
      collect(device);
      for (auto& [id, each] : device.pools)
        if (each.shared || each.graphs == 0) give_back(each);
    }
    if (take_memory(device, &p, size) != cudaSuccess) {
      ++device.stats.out_of_memory;
      return nullptr;
    }
  }
  change(device.stats.reserved, small, number(size));
  change(device.stats.segments, small, 1);
  return new Block{static_cast<char*>(p), size, &pool, stream, small};
}

void cut(Block* b, size_t bytes) {
  const size_t rest = b->bytes - bytes;
  if (!caching() || rest < (b->small ? kRound : kSmallLimit)) return;
  auto* tail = new Block{b->data + bytes, rest, b->pool, b->stream, b->small};
  tail->before = b;
  tail->after = b->after;
  if (b->after) b->after->before = tail;
  b->after = tail;
  b->bytes = bytes;
  b->pool->blocks(b->small).insert(tail);
}

}  // namespace

void* allocate(size_t bytes) {
  const int index = current_device();
  const StreamHandle stream = stream_of(index);
  const int64_t id = captured_pool(static_cast<cudaStream_t>(stream));
  const std::lock_guard lock(mutex);
  Device& device = device_of(index);
  Pool& pool = pool_of(index, id);
  // Without the cache the exact size is asked for, so that the next byte is out of bounds.
  const size_t size = caching() ? (bytes + kRound - 1) / kRound * kRound : bytes;
  const bool small = size <= kSmallLimit;
  if (!device.waiting.empty()) collect(device);
  Block* b = nullptr;
  if (caching()) {
    FreeBlocks& blocks = pool.blocks(small);
    Block key{nullptr, size, &pool, stream, small};
    if (const auto it = blocks.lower_bound(&key); it != blocks.end() && (*it)->stream == stream) {
      b = *it;
      blocks.erase(it);
    }
  }
  if (!b) b = new_segment(pool, size, small, stream);
  if (!b) return nullptr;
  cut(b, size);
  b->used = true;
  b->requested = bytes;
  live[b->data] = b;
  change(device.stats.allocated, small, number(b->bytes));
  change(device.stats.requested, small, number(bytes));
  change(device.stats.blocks, small, 1);
  return b->data;
}

void release(void* p) {
  const std::lock_guard lock(mutex);
  const auto it = live.find(p);
  if (it == live.end()) return;
  Block* b = it->second;
  live.erase(it);
  Device& device = device_of(b->pool->device);
  change(device.stats.allocated, b->small, -number(b->bytes));
  change(device.stats.requested, b->small, -number(b->requested));
  change(device.stats.blocks, b->small, -1);
  if (capture_under_way() && (!b->users.empty() || (b->pool->shared && !caching()))) {
    device.deferred.push_back(b);
  } else {
    free_or_wait(device, b);
  }
}

void captures_ended() {
  const std::lock_guard lock(mutex);
  int count = 0;
  cudaGetDeviceCount(&count);
  for (int index = 0; index < count; ++index) {
    Device& device = device_of(index);
    for (Block* b : std::exchange(device.deferred, {})) free_or_wait(device, b);
    for (int64_t id : std::exchange(device.given_up, {})) give_up(index, id);
  }
}

void pool_retain(int index, int64_t id) {
  const std::lock_guard lock(mutex);
  ++pool_of(index, id).graphs;
}

void pool_release(int index, int64_t id) {
  const std::lock_guard lock(mutex);
  if (capture_under_way()) {
    device_of(index).given_up.push_back(id);
  } else {
    give_up(index, id);
  }
}

void record_stream(void* p, StreamHandle stream) {
  const std::lock_guard lock(mutex);
  const auto it = live.find(p);
  if (it == live.end() || it->second->stream == stream) return;
  auto& users = it->second->users;
  for (StreamHandle s : users)
    if (s == stream) return;
  users.push_back(stream);
}

int memory(int index, DeviceMemory* out) {
  const std::lock_guard lock(mutex);
  *out = device_of(index).stats;
  const int before = current_device();
  cudaSetDevice(index);
  const int status = status_of(cudaMemGetInfo(&out->free_on_device, &out->total_on_device));
  cudaSetDevice(before);
  return status;
}

void reset_stats(int index, int peaks) {
  const std::lock_guard lock(mutex);
  DeviceMemory& m = device_of(index).stats;
  for (auto* stats : {&m.allocated, &m.requested, &m.reserved, &m.blocks, &m.segments}) {
    for (DeviceMemory::Stat& s : *stats) {
      if (peaks) {
        s.peak = s.current;
      } else {
        s.allocated = s.freed = 0;
      }
    }
  }
  if (!peaks) m.retries = m.out_of_memory = 0;
}

void set_limit(int index, size_t bytes) {
  const std::lock_guard lock(mutex);
  device_of(index).stats.limit = bytes;
}

void empty_cache() {
  const std::lock_guard lock(mutex);
  if (capture_under_way()) return;
  Device& device = device_of(current_device());
  cudaDeviceSynchronize();
  collect(device);
  for (auto& [id, pool] : device.pools)
    if (pool.shared || pool.graphs == 0) give_back(pool);
}

}  // namespace pt::cuda
