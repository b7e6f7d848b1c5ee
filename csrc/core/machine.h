// What the operating system lets this process use of the machine: processors and memory.
// Asked once by the thread pool and the allocator; no policy lives here.
#pragma once

#include <cstdint>

namespace pt {

// Processors in the affinity mask, limited by the cgroup CPU quota (rounded up). At least 1.
int usable_processors();

// Bytes of physical memory, limited by the cgroup memory limit.
uint64_t usable_memory();

// Bytes of physical memory and swap: no single block can ever be larger.
uint64_t total_memory();

}  // namespace pt
