// Permutations and categorical sampling.
#include "ops/random/sampling.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "ops/random/distributions.h"

namespace pt::random {

namespace {

constexpr int64_t kLongPermutation = 0xffffffffu / 20;  // from here on 32 bits would be skewed
constexpr int64_t kSwapTile = 1024;

// a % m by a division in double precision, which is exact for 32-bit numbers (a quotient that is no
// integer is further from one than rounding moves it) and quicker than the integer division.
inline uint32_t remainder(uint32_t a, int64_t m) {
  const auto quotient = static_cast<int64_t>(static_cast<double>(a) / static_cast<double>(m));
  return static_cast<uint32_t>(a - quotient * m);
}

// Fisher-Yates from the front: element i changes places with one of [i, n). Targets are computed
// a tile ahead, so that their cache lines are on the way when the swaps come.
template <class T>
void shuffle(Generator& g, T* p, int64_t n) {
  uint32_t target[kSwapTile];
  for (int64_t i = 0; i < n - 1; i += kSwapTile) {
    const int64_t count = std::min(kSwapTile, n - 1 - i);
    g.fill_u32(target, count);
    for (int64_t j = 0; j < count; ++j) {
      target[j] = static_cast<uint32_t>(i + j) + remainder(target[j], n - i - j);
      __builtin_prefetch(p + target[j], 1);
    }
    for (int64_t j = 0; j < count; ++j) std::swap(p[i + j], p[target[j]]);
  }
}

template <class T>
T from_index(int64_t i) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    return static_cast<T>(static_cast<float>(i));
  } else {
    return static_cast<T>(i);
  }
}

}  // namespace

void randperm(Generator& g, DType t, void* out, int64_t n) {
  visit_dtype(t, [&](auto tag) {
    using T = decltype(tag);
    T* p = static_cast<T*>(out);
    if (n < kLongPermutation) {
      for (int64_t i = 0; i < n; ++i) p[i] = from_index<T>(i);
      shuffle(g, p, n);
      return;
    }
    for (int64_t i = 0; i < n; ++i) {  // Fisher-Yates inside out
      const int64_t z = static_cast<int64_t>(g.next64() % static_cast<uint64_t>(i + 1));
      p[i] = p[z];
      p[z] = from_index<T>(i);
    }
  });
}

namespace {

template <class T, class F>
void for_each_row(const Categories& c, F&& f) {
  for (int64_t row = 0; row < c.rows; ++row) {
    f(row, static_cast<const T*>(c.weights) + row * c.row_stride);
  }
}

template <class T>
void with_replacement(Generator& g, const Categories& c, int64_t* out, int64_t samples) {
  using Sum = std::conditional_t<sizeof(T) == 2, float, T>;
  std::vector<Sum> cumulative(static_cast<size_t>(c.categories));
  for_each_row<T>(c, [&](int64_t row, const T* weight) {
    Sum sum = 0;
    for (int64_t j = 0; j < c.categories; ++j) {
      sum += static_cast<Sum>(weight[j * c.column_stride]);
      cumulative[j] = sum;
    }
    PT_CHECK(sum > 0, "invalid multinomial distribution (sum of probabilities <= 0)");
    for (Sum& value : cumulative) value /= sum;
    cumulative.back() = 1;
    for (int64_t j = 0; j < samples; ++j) {
      const double u = g.next_double();
      const auto found = std::lower_bound(cumulative.begin(), cumulative.end(), u,
                                          [](Sum value, double x) { return value < x; });
      out[row * samples + j] = found - cumulative.begin();
    }
  });
}

// The first `k` of `keys` in falling order. Among equal keys the order is that of the standard
// algorithms used here, which PyTorch uses on the same sizes, too.
template <class T>
void top(std::vector<std::pair<T, int64_t>>& keys, int64_t k, int64_t* out) {
  const auto greater = [](const auto& x, const auto& y) {
    return (std::isnan(float(x.first)) && !std::isnan(float(y.first))) ||
           float(x.first) > float(y.first);
  };
  const int64_t n = static_cast<int64_t>(keys.size());
  if (k * 64 <= n) {
    std::partial_sort(keys.begin(), keys.begin() + k, keys.end(), greater);
  } else {
    std::nth_element(keys.begin(), keys.begin() + k - 1, keys.end(), greater);
    std::sort(keys.begin(), keys.begin() + k - 1, greater);
  }
  for (int64_t j = 0; j < k; ++j) out[j] = keys[j].second;
}

template <class T>
void without_replacement(Generator& g, const Categories& c, int64_t* out, int64_t samples,
                         bool column_major) {
  const int64_t q_row = column_major ? 1 : c.categories;
  const int64_t q_column = column_major ? c.rows : 1;
  std::vector<T> q(static_cast<size_t>(c.rows * c.categories));
  exponential(g, c.dtype, q.data(), c.rows * c.categories, 1.0);
  parallel_for(
      0, c.rows, std::max<int64_t>(1, 4096 / c.categories), [&](int64_t begin, int64_t end) {
        std::vector<std::pair<T, int64_t>> keys(static_cast<size_t>(c.categories));
        for (int64_t row = begin; row < end; ++row) {
          const T* weight = static_cast<const T*>(c.weights) + row * c.row_stride;
          for (int64_t j = 0; j < c.categories; ++j) {
            keys[j] = {static_cast<T>(weight[j * c.column_stride] / q[row * q_row + j * q_column]),
                       j};
          }
          if (samples == 1) {
            const auto best = std::max_element(keys.begin(), keys.end(), [](auto& x, auto& y) {
              return float(x.first) < float(y.first);
            });
            out[row] = best->second;
          } else {
            top(keys, samples, out + row * samples);
          }
        }
      });
}

template <class F>
void visit_floating(DType t, F&& f) {
  visit_dtype(t, [&](auto tag) {
    if constexpr (is_floating(dtype_of<decltype(tag)>)) f(tag);
  });
}

}  // namespace

void multinomial(Generator& g, const Categories& c, int64_t* out, int64_t samples, bool replacement,
                 bool column_major) {
  visit_floating(c.dtype, [&](auto tag) {
    using T = decltype(tag);
    if (replacement && samples > 1) {
      with_replacement<T>(g, c, out, samples);
    } else {
      without_replacement<T>(g, c, out, samples, column_major);
    }
  });
}

}  // namespace pt::random
