// Linear recurrences. See recurrence.h.
#include "ops/reduce/recurrence.h"

#include <algorithm>

#include "core/parallel.h"
#include "cpu/kernel_table.h"
#include "cuda/args/scan_args.h"

namespace pt {

namespace {

constexpr int64_t kWidth = 32;    // lines worked on together: each hides the others' latency
constexpr int64_t kUnit = 32768;  // elements worth handing to a thread

// Lines are `line` elements apart, the elements of one `step`.
struct Block {
  int64_t n, step, line, width;
};

template <class T>
void recur(const T* factors, const T* terms, T* out, const Block& b, bool reverse) {
  double y[kWidth] = {};
  for (int64_t i = 0; i < b.n; ++i) {
    const int64_t k = reverse ? b.n - 1 - i : i, at = k * b.step;
    if (i > 0) {
      const T* factor = factors + at + (reverse ? b.step : 0);
      for (int64_t c = 0; c < b.width; ++c) y[c] *= static_cast<double>(factor[c * b.line]);
    }
    for (int64_t c = 0; c < b.width; ++c) {
      y[c] += static_cast<double>(terms[at + c * b.line]);
      out[at + c * b.line] = static_cast<T>(y[c]);
    }
  }
}

}  // namespace

void run_recurrence(DType dtype, const void* factors, const void* terms, void* out,
                    const LineShape& s, bool reverse) {
  if (call_on_device) {
    static const Kernel<DeviceRecurrenceFn> kernel{"device_recurrence"};
    kernel.get(dtype)({factors, terms, out, s.outer, s.n, s.inner, reverse});
    return;
  }
  const bool side_by_side = s.inner > 1;
  const int64_t lines = side_by_side ? s.inner : s.outer, groups = side_by_side ? s.outer : 1;
  const int64_t tiles = (lines + kWidth - 1) / kWidth;
  const int64_t cost = std::max<int64_t>(1, s.n * std::min(lines, kWidth));
  visit_dtype(dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (!std::is_integral_v<T>) {
      parallel_for(0, groups * tiles, std::max<int64_t>(1, kUnit / cost),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t u = begin; u < end; ++u) {
                       const int64_t c = u % tiles * kWidth;
                       Block b{s.n, s.inner, side_by_side ? 1 : s.n, std::min(kWidth, lines - c)};
                       const int64_t at = u / tiles * s.n * s.inner + c * b.line;
                       recur(static_cast<const T*>(factors) + at, static_cast<const T*>(terms) + at,
                             static_cast<T*>(out) + at, b, reverse);
                     }
                   });
    }
  });
}

}  // namespace pt
