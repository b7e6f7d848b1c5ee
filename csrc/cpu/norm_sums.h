// Sums over runs of elements for the normalization kernels: moments, and sums of gradients.
//
// A run is cut into blocks that stay in the L1 cache; within a block lanes of the type computed in
// take part in at most 64 additions, blocks are combined in double, in order (Chan et al. 1979).
#pragma once

#include "cpu/lines.h"

namespace pt::PT_ISA::norm {

using lines::ceil_div;
using lines::max64;
using lines::min64;

inline constexpr int64_t kRun = 2048;  // elements of a block

struct Moments {
  double mean = 0, m2 = 0, count = 0;

  void append(double mean2, double m22, double count2) {
    const double total = count + count2, d = mean2 - mean;
    if (total == 0) return;
    mean += d * (count2 / total);
    m2 += m22 + d * d * (count * count2 / total);
    count = total;
  }
};

// The sum over 0 .. n of whole(i), a vector from i on, and of rest(i), the last vector padded with
// zeros.
template <class L, class Whole, class Rest>
inline double sum_run(int64_t n, Whole whole, Rest rest) {
  constexpr int lanes = kLanes<L>;
  Vec<L> a{}, b{}, c{}, d{};
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    a += whole(i), b += whole(i + lanes), c += whole(i + 2 * lanes), d += whole(i + 3 * lanes);
  }
  for (; i + lanes <= n; i += lanes) a += whole(i);
  if (i < n) b += rest(i);
  return across<L>((a + b) + (c + d), [](Vec<L> x, Vec<L> y) { return x + y; });
}

// The mean of a run and the sum of squared distances from it.
template <class T, class L>
__attribute__((noinline)) void append_moments(const T* x, int64_t n, Moments& total) {
  for (int64_t first = 0; first < n; first += kRun) {
    const int64_t count = min64(kRun, n - first);
    const T* p = x + first;
    const L start = widen<L>(p[0]);  // the mean of equal elements is exact
    const double rest = sum_run<L>(
        count, [p, start](int64_t i) { return load<L>(p + i) - start; },
        [p, count, start](int64_t i) { return load_tail<L>(p, i, count, start) - start; });
    const double mean = static_cast<double>(start) + rest / static_cast<double>(count);
    const L m = static_cast<L>(mean);
    const auto square = [m](Vec<L> v) { return (v - m) * (v - m); };
    double m2 = sum_run<L>(
        count, [p, square](int64_t i) { return square(load<L>(p + i)); },
        [p, count, m, square](int64_t i) { return square(load_tail<L>(p, i, count, m)); });
    const double off = mean - static_cast<double>(m);  // what rounding the mean moved it by
    m2 -= off * off * static_cast<double>(count);
    total.append(mean, m2 > 0 || m2 != m2 ? m2 : 0, static_cast<double>(count));
  }
}

// The sum of squares.
template <class T, class L>
__attribute__((noinline)) double sum_squares(const T* x, int64_t n) {
  double total = 0;
  for (int64_t first = 0; first < n; first += kRun) {
    const int64_t count = min64(kRun, n - first);
    const T* p = x + first;
    const auto square = [](Vec<L> v) { return v * v; };
    total += sum_run<L>(
        count, [p, square](int64_t i) { return square(load<L>(p + i)); },
        [p, count, square](int64_t i) { return square(load_tail<L>(p, i, count, L(0))); });
  }
  return total;
}

// The sums of g and of g * (x - mean), where g is grad times weight if there is one.
template <class T, class L>
__attribute__((noinline)) void append_sums(const T* grad, const T* x, const L* weight, L mean,
                                           int64_t n, double& first_sum, double& second_sum) {
  constexpr int lanes = kLanes<L>;
  for (int64_t first = 0; first < n; first += kRun) {
    const int64_t count = min64(kRun, n - first);
    const T *g = grad + first, *p = x + first;
    const L* w = weight ? weight + first : nullptr;
    Vec<L> a{}, b{}, c{}, d{};
    int64_t i = 0;
    const auto at = [&](int64_t k) { return w ? load<L>(g + k) * load<L>(w + k) : load<L>(g + k); };
    for (; i + 2 * lanes <= count; i += 2 * lanes) {
      const Vec<L> u = at(i), v = at(i + lanes);
      a += u, b += v;
      c += u * (load<L>(p + i) - mean), d += v * (load<L>(p + i + lanes) - mean);
    }
    for (; i + lanes <= count; i += lanes) {
      const Vec<L> u = at(i);
      a += u, c += u * (load<L>(p + i) - mean);
    }
    if (i < count) {
      Vec<L> u = load_tail<L>(g, i, count, L(0));
      if (w) u *= load_tail<L>(w, i, count, L(0));
      b += u, d += u * (load_tail<L>(p, i, count, mean) - mean);
    }
    const auto plus = [](Vec<L> s, Vec<L> t) { return s + t; };
    first_sum += across<L>(a + b, plus);
    second_sum += across<L>(c + d, plus);
  }
}

}  // namespace pt::PT_ISA::norm
