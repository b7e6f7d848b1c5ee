// Page-locked memory of the host: locking pages takes milliseconds, so freed blocks are kept, by
// powers of two. Copies from and to it are not waited for; a freed block is given out again when
// the copies that were queued with it are done, which events tell.
#include <map>
#include <mutex>
#include <vector>

#include "cuda/runtime/runtime.h"

namespace pt::cuda {

namespace {

constexpr size_t kLeast = 512;

struct Block {
  char* data;
  size_t bytes;
  std::vector<cudaStream_t> users;
  std::vector<cudaEvent_t> waits;
  std::vector<int64_t> pools;  // of graphs that copy from or to it
};
std::mutex mutex;
std::map<char*, Block> blocks;                 // all
std::multimap<size_t, Block*> free_blocks;     // by size
std::vector<Block*> waiting, kept_for_graphs;  // freed

Block* holding(const void* p) {
  auto* c = static_cast<char*>(const_cast<void*>(p));
  auto it = blocks.upper_bound(c);
  if (it == blocks.begin()) return nullptr;
  --it;
  return c < it->first + it->second.bytes ? &it->second : nullptr;
}

template <class T>
void insert(std::vector<T>& all, T one) {
  for (const T& t : all)
    if (t == one) return;
  all.push_back(one);
}

void make_free(Block* b) { free_blocks.emplace(b->bytes, b); }

// Events cannot be asked while a capture is under way.
void collect() {
  if (captures.load(std::memory_order_relaxed) > 0) return;
  std::erase_if(waiting, [](Block* b) {
    for (cudaStream_t s : b->users) {
      cudaEvent_t e;
      if (cudaEventCreateWithFlags(&e, cudaEventDisableTiming) != cudaSuccess) return false;
      cudaEventRecord(e, s);
      b->waits.push_back(e);
    }
    b->users.clear();
    std::erase_if(b->waits, [](cudaEvent_t e) {
      if (const cudaError_t status = cudaEventQuery(e)) {
        ignore(status);  // an event that has not happened is no error
        return false;
      }
      cudaEventDestroy(e);
      return true;
    });
    if (!b->waits.empty()) return false;
    make_free(b);
    return true;
  });
}

}  // namespace

void* allocate_pinned(size_t bytes) {
  size_t size = kLeast;
  while (size < bytes) size *= 2;
  const std::lock_guard lock(mutex);
  if (!waiting.empty()) collect();
  // The one that was freed last.
  if (auto it = free_blocks.upper_bound(size); it != free_blocks.begin() && (--it)->first == size) {
    Block* b = it->second;
    free_blocks.erase(it);
    return b->data;
  }
  const Uncaptured scope;
  void* p = nullptr;
  if (status_of(cudaMallocHost(&p, size)) != 0) return nullptr;
  auto* c = static_cast<char*>(p);
  blocks[c] = {c, size, {}, {}, {}};
  return p;
}

void release_pinned(void* p) {
  const std::lock_guard lock(mutex);
  const auto it = blocks.find(static_cast<char*>(p));
  if (it == blocks.end()) return;
  Block* b = &it->second;
  if (!b->pools.empty()) {
    kept_for_graphs.push_back(b);
  } else if (!b->users.empty()) {
    waiting.push_back(b);
    collect();
  } else {
    make_free(b);
  }
}

int is_pinned(const void* p) {
  {
    const std::lock_guard lock(mutex);
    if (holding(p)) return 1;
  }
  cudaPointerAttributes a{};
  if (const cudaError_t e = cudaPointerGetAttributes(&a, p)) {
    ignore(e);
    return 0;
  }
  return a.type == cudaMemoryTypeHost ? 1 : 0;
}

void pinned_in_use(const void* p, cudaStream_t stream) {
  const int64_t pool = captured_pool(stream);
  const std::lock_guard lock(mutex);
  Block* b = holding(p);
  if (!b) return;
  if (pool) {
    insert(b->pools, pool);
  } else {
    insert(b->users, stream);
  }
}

void pinned_pool_released(int64_t pool) {
  const std::lock_guard lock(mutex);
  for (auto& [data, b] : blocks) std::erase(b.pools, pool);
  std::erase_if(kept_for_graphs, [](Block* b) {
    if (!b->pools.empty()) return false;
    waiting.push_back(b);
    return true;
  });
}

}  // namespace pt::cuda
