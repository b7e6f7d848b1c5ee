// The arithmetic of coordinates that sample an image along a grid. Used by grid_sample's kernels.
#pragma once

#include "ops/functors/math_base.h"

namespace PT_FUNCTOR_NAMESPACE::grid {

// Mirrors x at both ends of the axis. Returns the sign that its slope gets.
template <class L>
PT_INLINE L reflect(L& x, L low, L span) {
  const L y = x - low, away = math::abs(y), period = 2 * span;
  // A turn too many or too few, as rounding may have it, ends beside the same end of the axis.
  const L rest = away - math::floor(away * (1 / period)) * period;
  const L from_end = rest - span;
  x = span - math::abs(from_end) + low;
  return (y < 0) != (from_end > 0) ? L(-1) : L(1);
}

}  // namespace PT_FUNCTOR_NAMESPACE::grid
