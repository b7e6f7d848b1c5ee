// Which instructions this process may use to multiply bfloat16: asked by the kernels that have
// them.
#pragma once

#include <cstdint>

namespace pt {

enum class BFloat16Unit : uint8_t {
  kNone,   // computed in float32
  kDot,    // AVX512-BF16: dot products of pairs; by itself only where that is faster than float32
  kTiles,  // AMX-BF16: products of whole tiles
};

// The fastest unit of the CPU that the operating system grants and the active kernels know, or the
// one PYTENSOR_BF16 names
// ("none", "dot", "tiles"; one the machine lacks counts as the next lower). Asked once.
BFloat16Unit bfloat16_unit();
const char* bfloat16_unit_name(BFloat16Unit unit);  // as in PYTENSOR_BF16

}  // namespace pt
