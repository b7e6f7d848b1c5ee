// The caching allocator: cudaMalloc and cudaFree wait for the device, so freed memory is kept.
//
// Memory comes in segments of 2 MiB for small blocks, of 20 MiB or of the rounded size for large
// ones. A segment is cut into blocks, a freed block joins its free neighbours, and the best fit of
// the stream's free blocks serves a request. Blocks belong to the stream on which they were asked
// for: freeing needs no waiting, because what reuses the memory is queued behind what used it.
// PYTENSOR_CUDA_CACHE=0 asks the driver each time, which is slow and finds errors.
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "cuda/runtime/runtime.h"

namespace pt::cuda {

namespace {

constexpr size_t kRound = 512;
constexpr size_t kSmallLimit = size_t{1} << 20;
constexpr size_t kSmallSegment = size_t{2} << 20;
constexpr size_t kMediumLimit = size_t{10} << 20;
constexpr size_t kMediumSegment = size_t{20} << 20;

struct Block {
  char* data;
  size_t bytes;
  int device;
  StreamHandle stream;
  bool used, small;
  Block *before, *after;           // neighbours in the segment
  std::vector<cudaEvent_t> waits;  // other streams that used it
  std::vector<StreamHandle> users;
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
  FreeBlocks small, large;
  std::vector<Block*> waiting;  // freed, but other streams may still use them
  DeviceMemory stats{};
};

std::mutex mutex;
std::map<void*, Block*> live;
Pool& pool_of(int device) {
  static std::map<int, Pool> pools;
  return pools[device];
}
bool caching() {
  static const bool on = [] {
    const char* v = std::getenv("PYTENSOR_CUDA_CACHE");
    return !(v && v[0] == '0');
  }();
  return on;
}

void grow(DeviceMemory::Stat& s, int64_t n) {
  s.current += n;
  s.allocated += n;
  if (s.current > s.peak) s.peak = s.current;
}
void shrink(DeviceMemory::Stat& s, int64_t n) {
  s.current -= n;
  s.freed += n;
}

void give_back(Pool& pool, FreeBlocks& blocks) {
  for (auto it = blocks.begin(); it != blocks.end();) {
    Block* b = *it;
    if (b->before || b->after) {
      ++it;
      continue;
    }
    it = blocks.erase(it);
    cudaFree(b->data);
    shrink(pool.stats.reserved, static_cast<int64_t>(b->bytes));
    shrink(pool.stats.segments, 1);
    ++pool.stats.frees_of_segments;
    delete b;
  }
}

void join(FreeBlocks& blocks, Block* b, Block* with) {  // with follows b
  blocks.erase(with);
  b->bytes += with->bytes;
  b->after = with->after;
  if (b->after) b->after->before = b;
  delete with;
}
void make_free(Pool& pool, Block* b) {
  FreeBlocks& blocks = b->small ? pool.small : pool.large;
  b->used = false;
  if (b->after && !b->after->used) join(blocks, b, b->after);
  if (b->before && !b->before->used) {
    Block* before = b->before;
    blocks.erase(before);
    before->bytes += b->bytes;
    before->after = b->after;
    if (b->after) b->after->before = before;
    delete b;
    b = before;
  }
  blocks.insert(b);
}

// Frees what other streams have finished with.
void collect(Pool& pool) {
  std::erase_if(pool.waiting, [&](Block* b) {
    for (cudaEvent_t e : b->waits)
      if (cudaEventQuery(e) != cudaSuccess) return false;
    for (cudaEvent_t e : b->waits) cudaEventDestroy(e);
    b->waits.clear();
    make_free(pool, b);
    return true;
  });
}

Block* new_segment(Pool& pool, size_t bytes, bool small, int device, StreamHandle stream) {
  size_t size = bytes;
  if (caching())
    size = small                  ? kSmallSegment
           : bytes < kMediumLimit ? kMediumSegment
                                  : (bytes + kSmallSegment - 1) / kSmallSegment * kSmallSegment;
  void* p = nullptr;
  if (cudaMalloc(&p, size) != cudaSuccess) {
    cudaGetLastError();
    ++pool.stats.retries;
    cudaDeviceSynchronize();
    collect(pool);
    give_back(pool, pool.small);
    give_back(pool, pool.large);
    if (cudaMalloc(&p, size) != cudaSuccess) {
      cudaGetLastError();
      ++pool.stats.out_of_memory;
      return nullptr;
    }
  }
  grow(pool.stats.reserved, static_cast<int64_t>(size));
  grow(pool.stats.segments, 1);
  return new Block{
      static_cast<char*>(p), size, device, stream, false, small, nullptr, nullptr, {}, {}};
}

void cut(Pool& pool, Block* b, size_t bytes) {
  const size_t rest = b->bytes - bytes;
  if (!caching() || rest < (b->small ? kRound : kSmallLimit)) return;
  auto* tail =
      new Block{b->data + bytes, rest, b->device, b->stream, false, b->small, b, b->after, {}, {}};
  if (b->after) b->after->before = tail;
  b->after = tail;
  b->bytes = bytes;
  (b->small ? pool.small : pool.large).insert(tail);
}

}  // namespace

void* allocate(size_t bytes) {
  const std::lock_guard lock(mutex);
  const int device = current_device();
  const StreamHandle stream = stream_of(device);
  Pool& pool = pool_of(device);
  // Without the cache the exact size is asked for, so that the next byte is out of bounds.
  const size_t size = caching() ? (bytes + kRound - 1) / kRound * kRound : bytes;
  const bool small = size <= kSmallLimit;
  FreeBlocks& blocks = small ? pool.small : pool.large;
  if (!pool.waiting.empty()) collect(pool);
  Block key{nullptr, size, device, stream, false, small, nullptr, nullptr, {}, {}};
  auto it = blocks.lower_bound(&key);
  Block* b;
  if (it != blocks.end() && (*it)->stream == stream) {
    b = *it;
    blocks.erase(it);
  } else {
    b = new_segment(pool, size, small, device, stream);
    if (!b) return nullptr;
  }
  cut(pool, b, size);
  b->used = true;
  live[b->data] = b;
  ++pool.stats.allocations;
  grow(pool.stats.allocated, static_cast<int64_t>(b->bytes));
  grow(pool.stats.active_blocks, 1);
  return b->data;
}

void release(void* p) {
  const std::lock_guard lock(mutex);
  const auto it = live.find(p);
  if (it == live.end()) return;
  Block* b = it->second;
  live.erase(it);
  Pool& pool = pool_of(b->device);
  shrink(pool.stats.allocated, static_cast<int64_t>(b->bytes));
  shrink(pool.stats.active_blocks, 1);
  for (StreamHandle s : b->users) {
    cudaEvent_t e;
    if (cudaEventCreateWithFlags(&e, cudaEventDisableTiming) != cudaSuccess) continue;
    cudaEventRecord(e, static_cast<cudaStream_t>(s));
    b->waits.push_back(e);
  }
  b->users.clear();
  if (!caching()) {
    cudaFree(b->data);
    shrink(pool.stats.reserved, static_cast<int64_t>(b->bytes));
    shrink(pool.stats.segments, 1);
    ++pool.stats.frees_of_segments;
    delete b;
  } else if (b->waits.empty()) {
    make_free(pool, b);
  } else {
    pool.waiting.push_back(b);
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
  *out = pool_of(index).stats;
  const int before = current_device();
  cudaSetDevice(index);
  const int status = status_of(cudaMemGetInfo(&out->free_on_device, &out->total_on_device));
  cudaSetDevice(before);
  return status;
}

void reset_peak(int index) {
  const std::lock_guard lock(mutex);
  DeviceMemory& m = pool_of(index).stats;
  for (DeviceMemory::Stat* s : {&m.allocated, &m.reserved, &m.active_blocks, &m.segments})
    s->peak = s->current;
}

void empty_cache() {
  const std::lock_guard lock(mutex);
  Pool& pool = pool_of(current_device());
  cudaDeviceSynchronize();
  collect(pool);
  give_back(pool, pool.small);
  give_back(pool, pool.large);
}

}  // namespace pt::cuda
