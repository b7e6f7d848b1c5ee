// How exact float32 products must be.
#include "core/precision.h"

#include <atomic>

namespace pt {

namespace {
std::atomic<Float32Precision> precision{Float32Precision::kHighest};
std::atomic<bool> tf32_in_convolutions{true};
}

Float32Precision float32_precision() { return precision.load(std::memory_order_relaxed); }
void set_float32_precision(Float32Precision p) { precision.store(p, std::memory_order_relaxed); }
bool convolution_tf32() { return tf32_in_convolutions.load(std::memory_order_relaxed); }
void set_convolution_tf32(bool allowed) {
  tf32_in_convolutions.store(allowed, std::memory_order_relaxed);
}

}  // namespace pt
