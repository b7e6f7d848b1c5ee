// CPU memory for tensors: a caching allocator with 64-byte aligned blocks that are never zeroed.
//
// Fresh pages cost far more than most kernels that fill them, so freed blocks are kept by size
// class: blocks up to 64 KiB in lists of the freeing thread, larger ones in a bounded shared
// cache. Used by storages and by kernels for large scratch; safe from any thread and over fork.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pt {

inline constexpr size_t kCpuAlignment = 64;

// Never null, not even for 0 bytes. Throws std::bad_alloc when the memory cannot be had even
// with an empty cache.
void* cpu_alloc(size_t bytes);

// `bytes` must be what was asked for; null is ignored. The thread may be another.
void cpu_free(void* p, size_t bytes) noexcept;

struct MemoryStats {
  int64_t live_bytes;  // asked for and not freed
  int64_t live_blocks;
  int64_t peak_bytes;    // most live bytes since the last reset_peak; exact to 1 MiB a thread
  int64_t cached_bytes;  // held for reuse
  int64_t allocations;   // since the start
};
MemoryStats memory_stats();
void reset_peak();

// Asks the system for huge pages where memory of somebody else, not yet touched, holds whole ones.
void prefer_huge_pages(void* p, size_t bytes) noexcept;

// Gives cached blocks back to the system; other threads keep their small ones.
void empty_cache();

}  // namespace pt
