// The arithmetic of coordinates that sample an image along a grid. Used by grid_sample's kernels.
#pragma once

#include "ops/functors/math_base.h"

namespace PT_FUNCTOR_NAMESPACE::grid {

// Mirrors x at both ends of the axis. Returns the sign that its slope gets.
template <class L>
PT_INLINE L reflect(L& x, L low, L span) {
  const L y = x - low;
  const L sign = y < 0 ? L(-1) : L(1), away = y < 0 ? -y : y;
  const L turns = math::floor(away / span), rest = away - turns * span;
  const bool odd = turns - 2 * math::floor(turns / 2) != 0;
  x = odd ? span - rest + low : rest + low;
  return odd ? -sign : sign;
}

}  // namespace PT_FUNCTOR_NAMESPACE::grid
