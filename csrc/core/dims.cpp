// Arithmetic of shapes.
#include "core/dims.h"

#include <algorithm>

#include "core/error.h"

namespace pt {

std::string to_text(IntList v) {
  std::string s = "[";
  for (size_t i = 0; i < v.size(); ++i) {
    if (i) s += ", ";
    text::append(s, static_cast<long>(v[i]));
  }
  return s + "]";
}

Dims contiguous_strides(IntList sizes) {
  const int n = static_cast<int>(sizes.size());
  Dims strides(n);
  int64_t step = 1;
  for (int i = n - 1; i >= 0; --i) {
    strides[i] = step;
    step *= std::max<int64_t>(sizes[i], 1);
  }
  return strides;
}

int64_t checked_numel(IntList sizes) {
  int64_t n = 1;
  bool overflow = false, zero = false;
  for (int64_t s : sizes) {
    PT_CHECK(s >= 0, "Trying to create tensor with negative dimension ", s, ": ", to_text(sizes));
    if (s == 0) zero = true;
    overflow |= __builtin_mul_overflow(n, std::max<int64_t>(s, 1), &n);
  }
  PT_CHECK(!overflow, "numel: integer multiplication overflow for sizes ", to_text(sizes));
  return zero ? 0 : n;
}

bool same(IntList a, IntList b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

int wrap_dim(int64_t dim, int ndim, bool wrap_scalar) {
  if (dim >= 0 && dim < ndim) return static_cast<int>(dim);
  if (ndim == 0) {
    PT_CHECK_INDEX(wrap_scalar, "Dimension specified as ", dim, " but tensor has no dimensions");
    ndim = 1;
  }
  PT_CHECK_INDEX(dim >= -ndim && dim < ndim, "Dimension out of range (expected to be in range of [",
                 -ndim, ", ", ndim - 1, "], but got ", dim, ")");
  return static_cast<int>(dim < 0 ? dim + ndim : dim);
}

Dims broadcast_shapes(IntList a, IntList b) {
  const int na = static_cast<int>(a.size()), nb = static_cast<int>(b.size());
  const int n = std::max(na, nb);
  Dims out(n);
  for (int i = n - 1; i >= 0; --i) {
    const int ia = i - (n - na), ib = i - (n - nb);
    const int64_t sa = ia >= 0 ? a[ia] : 1, sb = ib >= 0 ? b[ib] : 1;
    PT_CHECK(sa == sb || sa == 1 || sb == 1, "The size of tensor a (", sa,
             ") must match the size of tensor b (", sb, ") at non-singleton dimension ", i);
    out[i] = sa == 1 ? sb : sa;
  }
  return out;
}

}  // namespace pt
