// Linear recurrences. See recurrence.h. Lines that lie side by side are worked on together.
#include "ops/reduce/recurrence.h"

#include <algorithm>

#include "core/parallel.h"

namespace pt {

namespace {

constexpr int64_t kWidth = 64;     // lines side by side
constexpr int64_t kUnit = 32768;   // elements worth handing to a thread

// `width` lines whose elements are `inner` apart.
template <class T>
void recur(const T* factors, const T* terms, T* out, int64_t n, int64_t inner, int64_t width,
           bool reverse) {
  double y[kWidth] = {};
  for (int64_t step = 0; step < n; ++step) {
    const int64_t k = reverse ? n - 1 - step : step;
    if (step > 0) {
      const T* factor = factors + (reverse ? k + 1 : k) * inner;
      for (int64_t c = 0; c < width; ++c) y[c] *= static_cast<double>(factor[c]);
    }
    for (int64_t c = 0; c < width; ++c) {
      y[c] += static_cast<double>(terms[k * inner + c]);
      out[k * inner + c] = static_cast<T>(y[c]);
    }
  }
}

}  // namespace

void run_recurrence(DType dtype, const void* factors, const void* terms, void* out,
                    const LineShape& s, bool reverse) {
  const int64_t tiles = (s.inner + kWidth - 1) / kWidth;
  const int64_t cost = s.n * std::min(s.inner, kWidth);
  visit_dtype(dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (!std::is_integral_v<T>) {
      parallel_for(0, s.outer * tiles, std::max<int64_t>(1, kUnit / std::max<int64_t>(1, cost)),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t u = begin; u < end; ++u) {
                       const int64_t c = u % tiles * kWidth, at = u / tiles * s.n * s.inner + c;
                       recur(static_cast<const T*>(factors) + at, static_cast<const T*>(terms) + at,
                             static_cast<T*>(out) + at, s.n, s.inner,
                             std::min(kWidth, s.inner - c), reverse);
                     }
                   });
    }
  });
}

}  // namespace pt
