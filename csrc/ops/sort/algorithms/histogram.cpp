// Counting into bins. Every thread counts into a table of its own; whole numbers add up to the
// same totals in any order, so the result does not depend on who counted what. Weighted sums are
// added one by one in the order of the input.
#include <algorithm>

#include "core/parallel.h"
#include "ops/sort/algorithms/sorting.h"

namespace pt {
namespace {

constexpr int64_t kElementsPerTask = 1 << 15;

// Calls count(begin, end, table) over [0, n) and adds the tables into totals[bins].
template <class Count>
void count_in_parallel(int64_t n, int64_t bins, int64_t* totals, Count&& count) {
  std::fill(totals, totals + bins, 0);
  // With more bins than elements, clearing and adding tables would be most of the work.
  if (n <= kElementsPerTask || bins > n / 4 || in_parallel_region()) return count(0, n, totals);
  const int64_t tables = std::max(get_num_threads(), 1);
  std::vector<int64_t> counts(static_cast<size_t>(tables * bins), 0);
  parallel_for(0, n, kElementsPerTask, [&](int64_t begin, int64_t end) {
    count(begin, end, counts.data() + thread_index() * bins);
  });
  for (int64_t t = 0; t < tables; ++t) {
    for (int64_t b = 0; b < bins; ++b) totals[b] += counts[static_cast<size_t>(t * bins + b)];
  }
}

template <class F>
void visit_integer(DType dtype, F&& f) {
  visit_dtype(dtype, [&]<class T>(T zero) {
    if constexpr (!is_floating(dtype_of<T>)) f(zero);
  });
}

template <class W>
void add_weights(DType dtype, const void* source, int64_t n, int64_t bins, const W* weights,
                 W* sums) {
  std::fill(sums, sums + bins, W(0));
  visit_integer(dtype, [&]<class T>(T) {
    const T* data = static_cast<const T*>(source);
    for (int64_t i = 0; i < n; ++i) sums[static_cast<int64_t>(data[i])] += weights[i];
  });
}

}  // namespace

void histogram(DType dtype, const void* source, int64_t n, int64_t bins, double low, double high,
               void* out) {
  visit_dtype(dtype, [&]<class T>(T) {
    if constexpr (is_floating(dtype_of<T>)) {
      // For two-byte types every step is rounded to the type, as it would be in its arithmetic.
      using Wide = std::conditional_t<is_half(dtype_of<T>), float, T>;
      const auto rounded = [](Wide v) { return static_cast<Wide>(static_cast<T>(v)); };
      const T* data = static_cast<const T*>(source);
      const Wide left = static_cast<T>(static_cast<Wide>(low));
      const Wide right = static_cast<T>(static_cast<Wide>(high));
      const Wide width = rounded(right - left);
      const Wide count = rounded(static_cast<Wide>(bins));
      std::vector<int64_t> totals(static_cast<size_t>(bins));
      count_in_parallel(n, bins, totals.data(), [&](int64_t begin, int64_t end, int64_t* table) {
        for (int64_t i = begin; i < end; ++i) {
          const Wide v = data[i];
          if (!(v >= left && v <= right)) continue;
          const Wide scaled = rounded(rounded(rounded(v - left) * count) / width);
          ++table[std::min(static_cast<int64_t>(scaled), bins - 1)];
        }
      });
      T* result = static_cast<T*>(out);
      for (int64_t b = 0; b < bins; ++b) {
        result[b] = static_cast<T>(static_cast<Wide>(totals[static_cast<size_t>(b)]));
      }
    }
  });
}

void integer_range(DType dtype, const void* source, int64_t n, int64_t* low, int64_t* high) {
  visit_integer(dtype, [&]<class T>(T) {
    const T* data = static_cast<const T*>(source);
    T smallest = data[0], largest = data[0];
    for (int64_t i = 1; i < n; ++i) {
      smallest = std::min(smallest, data[i]);
      largest = std::max(largest, data[i]);
    }
    *low = static_cast<int64_t>(smallest);
    *high = static_cast<int64_t>(largest);
  });
}

void bin_count(DType dtype, const void* source, int64_t n, int64_t bins, int64_t* counts) {
  visit_integer(dtype, [&]<class T>(T) {
    const T* data = static_cast<const T*>(source);
    count_in_parallel(n, bins, counts, [&](int64_t begin, int64_t end, int64_t* table) {
      for (int64_t i = begin; i < end; ++i) ++table[static_cast<int64_t>(data[i])];
    });
  });
}

void bin_count_weighted(DType dtype, const void* source, int64_t n, int64_t bins,
                        const double* weights, double* sums) {
  add_weights(dtype, source, n, bins, weights, sums);
}

void bin_count_weighted(DType dtype, const void* source, int64_t n, int64_t bins,
                        const float* weights, float* sums) {
  add_weights(dtype, source, n, bins, weights, sums);
}

}  // namespace pt
