// Division of numbers below 2^31 by a constant, as a product (Granlund and Montgomery, 1994).
#pragma once

#include "cuda/pt_cuda.h"

namespace pt::cuda {

struct Divider {
  unsigned divisor = 1, magic = 1, shift = 0;
  Divider() = default;
  explicit Divider(int64_t d) : divisor(static_cast<unsigned>(d)) {
    while ((uint64_t{1} << shift) < divisor) ++shift;
    magic = static_cast<unsigned>(((uint64_t{1} << 32) * ((uint64_t{1} << shift) - divisor)) /
                                  divisor) +
            1;
  }
  PT_DEVICE unsigned divide(unsigned n) const { return (__umulhi(n, magic) + n) >> shift; }
};

}  // namespace pt::cuda
