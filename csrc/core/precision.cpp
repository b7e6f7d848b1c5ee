// How exact float32 products must be.
#include "core/precision.h"

#include <atomic>

namespace pt {

namespace {
std::atomic<Float32Precision> precision{Float32Precision::kHighest};
}

Float32Precision float32_precision() { return precision.load(std::memory_order_relaxed); }
void set_float32_precision(Float32Precision p) { precision.store(p, std::memory_order_relaxed); }

}  // namespace pt
