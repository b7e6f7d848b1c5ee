// Copies between images and columns of blocks, a row of blocks at a time.
#include "ops/conv/algorithms/columns.h"

#include <algorithm>
#include <type_traits>

#include "core/error.h"
#include "core/parallel.h"

namespace pt {

namespace {

// The blocks [begin, end) along one dimension whose element under tap `k` lies in the image, and
// the position of the first one's.
struct Inside {
  int64_t begin, end, first;
};

Inside blocks_inside(const ColumnsArgs& a, int d, int64_t k) {
  const int64_t at = k * a.dilation[d] - a.padding[d], step = a.stride[d];
  Inside r;
  r.begin = at >= 0 ? 0 : std::min((-at - 1) / step + 1, a.blocks[d]);
  r.end = at >= a.size[d] ? 0 : std::min((a.size[d] - 1 - at) / step + 1, a.blocks[d]);
  r.end = std::max(r.end, r.begin);
  r.first = r.end > r.begin ? at + r.begin * step : 0;
  return r;
}

int64_t plane_grain(const ColumnsArgs& a) {
  const int64_t elements = a.kernel[0] * a.kernel[1] * a.blocks[0] * a.blocks[1];
  return std::max<int64_t>(1, 32768 / std::max<int64_t>(1, elements));
}

template <class T>
void unfold_plane(const ColumnsArgs& a, const T* image, T* to) {
  const int64_t width = a.blocks[1];
  for (int64_t k0 = 0; k0 < a.kernel[0]; k0++) {
    const Inside rows = blocks_inside(a, 0, k0);
    for (int64_t k1 = 0; k1 < a.kernel[1]; k1++) {
      const Inside in = blocks_inside(a, 1, k1);
      for (int64_t b0 = 0; b0 < a.blocks[0]; b0++, to += width) {
        if (b0 < rows.begin || b0 >= rows.end || in.begin == in.end) {
          std::fill_n(to, width, T(0));
          continue;
        }
        const T* from = image + (rows.first + (b0 - rows.begin) * a.stride[0]) * a.size[1];
        std::fill_n(to, in.begin, T(0));
        if (a.stride[1] == 1) {
          std::copy_n(from + in.first, in.end - in.begin, to + in.begin);
        } else {
          const T* p = from + in.first;
          for (int64_t b = in.begin; b < in.end; b++) to[b] = p[(b - in.begin) * a.stride[1]];
        }
        std::fill_n(to + in.end, width - in.end, T(0));
      }
    }
  }
}

template <class T>
void fold_plane(const ColumnsArgs& a, const T* from, T* image) {
  const int64_t width = a.blocks[1];
  std::fill_n(image, a.size[0] * a.size[1], T(0));
  for (int64_t k0 = 0; k0 < a.kernel[0]; k0++) {
    const Inside rows = blocks_inside(a, 0, k0);
    for (int64_t k1 = 0; k1 < a.kernel[1]; k1++) {
      const Inside in = blocks_inside(a, 1, k1);
      for (int64_t b0 = 0; b0 < a.blocks[0]; b0++, from += width) {
        if (b0 < rows.begin || b0 >= rows.end || in.begin == in.end) continue;
        T* to = image + (rows.first + (b0 - rows.begin) * a.stride[0]) * a.size[1] + in.first;
        for (int64_t b = in.begin; b < in.end; b++) {
          T& sum = to[(b - in.begin) * a.stride[1]];
          sum = static_cast<T>(sum + from[b]);
        }
      }
    }
  }
}

template <class F>
void visit_type(DType t, F f) {
  PT_CHECK(is_floating(t) || t == DType::kBool, "columns of ", dtype_name(t));
  visit_dtype(t, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (!std::is_integral_v<T> || std::is_same_v<T, bool>) f(zero);
  });
}

}  // namespace

void image_to_columns(DType dtype, const ColumnsArgs& a) {
  const int64_t image = a.size[0] * a.size[1];
  const int64_t columns = a.kernel[0] * a.kernel[1] * a.blocks[0] * a.blocks[1];
  visit_type(dtype, [&](auto zero) {
    using T = decltype(zero);
    parallel_for(0, a.planes, plane_grain(a), [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; p++) {
        unfold_plane(a, static_cast<const T*>(a.image) + p * image,
                     static_cast<T*>(a.columns) + p * columns);
      }
    });
  });
}

void columns_to_image(DType dtype, const ColumnsArgs& a) {
  const int64_t image = a.size[0] * a.size[1];
  const int64_t columns = a.kernel[0] * a.kernel[1] * a.blocks[0] * a.blocks[1];
  visit_type(dtype, [&](auto zero) {
    using T = decltype(zero);
    parallel_for(0, a.planes, plane_grain(a), [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; p++) {
        fold_plane(a, static_cast<const T*>(a.columns) + p * columns,
                   static_cast<T*>(a.image) + p * image);
      }
    });
  });
}

}  // namespace pt
