// Memory in which a kernel works during a call: a buffer for each thread and purpose that only
// grows. The buffers are kept by portable code, one set for all instruction sets, because a
// library has little room for variables of threads.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pt {

// Purposes that one call may have at the same time.
enum class ScratchUse : uint8_t {
  kProductA,
  kProductB,
  kProductC,
  kProductPartial,
  kProductParts,
  kTileA,
  kTileB,
  kTileC,
  kImageReads,
  kImageRuns,
  kImagePlaces,
  kImagePlanes,
  kTurned,
  kBlocks,
  kPlane,
  kPlaneSums,
  kCount,
};

// At least `bytes` bytes at a multiple of 4096. What they held is lost when they grow.
void* scratch_memory(ScratchUse use, size_t bytes);

class Scratch {
 public:
  constexpr explicit Scratch(ScratchUse use) : use_(use) {}
  template <class S>
  S* get(int64_t count) const {
    return static_cast<S*>(scratch_memory(use_, static_cast<size_t>(count) * sizeof(S)));
  }

 private:
  ScratchUse use_;
};

}  // namespace pt
