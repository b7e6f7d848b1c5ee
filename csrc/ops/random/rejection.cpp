// Rejection samplers: poisson, binomial, gamma, dirichlet. Serial, since the number of draws
// varies. The methods are those of the papers named below; constants and rounding are PyTorch's.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"
#include "ops/random/distributions.h"
#include "ops/random/sampling.h"

namespace pt::random {

namespace {

// W. Hoermann, "The transformed rejection method for generating Poisson random variables", 1993
// (algorithm PTRS); products of uniforms for small rates.
int64_t sample_poisson(Generator& g, double rate) {
  PT_CHECK(rate >= 0, "invalid Poisson rate, expected rate to be non-negative");
  if (rate == 0) return 0;
  if (rate < 10) {
    const double limit = std::exp(-rate);
    int64_t k = 0;
    for (double product = g.next_double(); product > limit; product *= g.next_double()) ++k;
    return k;
  }
  const double log_rate = std::log(rate);
  const double b = 0.931 + 2.53 * std::sqrt(rate);
  const double a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  const double v_r = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double u = g.next_double() - 0.5;
    const double v = g.next_double();
    const double us = 0.5 - std::fabs(u);
    const int64_t k = static_cast<int64_t>(std::floor((2 * a / us + b) * u + rate + 0.43));
    if (us >= 0.07 && v <= v_r) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (std::log(v) + std::log(inverse_alpha) - std::log(a / (us * us) + b) <=
        -rate + static_cast<double>(k) * log_rate - std::lgamma(static_cast<double>(k) + 1)) {
      return k;
    }
  }
}

double sample_normal(Generator& g) {
  double value;
  normal(g, DType::kFloat64, &value, 1, 0.0, 1.0);
  return value;
}

// G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", 2000. Constants
// in single precision, and the boost of shapes below one, as in PyTorch.
template <class T>
double sample_gamma(Generator& g, T shape) {
  double scale = 1;
  if (shape < 1.0f) {
    if (shape == 0.0f) return 0;
    scale *= std::pow(1 - g.next_double(), static_cast<double>(1.0f / shape));
    shape += 1.0f;
  }
  const double d = static_cast<double>(shape - 1.0f / 3.0f);
  const double c = 1.0f / std::sqrt(9.0f * d);
  for (;;) {
    double x, y;
    do {
      x = sample_normal(g);
      y = 1.0f + c * x;
    } while (y <= 0);
    const double v = y * y * y;
    const double u = 1 - g.next_double();
    const double xx = x * x;
    if (u < 1.0f - 0.0331f * xx * xx) return static_cast<T>(scale * d * v);
    if (std::log(u) < 0.5f * xx + d * (1.0f - v + std::log(v)))
      return static_cast<T>(scale * d * v);
  }
}

// The tail of Stirling's series for log k!.
double stirling_tail(double k) {
  static constexpr double kTail[] = {0.0810614667953272,  0.0413406959554092, 0.0276779256849983,
                                     0.02079067210376509, 0.0166446911898211, 0.0138761288230707,
                                     0.0118967099458917,  0.0104112652619720, 0.00925546218271273,
                                     0.00833056343336287};
  if (k < 10) return kTail[static_cast<int>(k)];
  const double square = (k + 1) * (k + 1);
  return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1);
}

// Sums of geometric variables until they pass `count`.
template <class T>
T binomial_by_inversion(Generator& g, T count, T p) {
  const double log_q = std::log1p(-p);
  double sum = 0;
  for (T k = 0;; k = k + 1) {
    sum += std::ceil(std::log(g.next_double()) / log_q);
    if (sum > count) return k;
  }
}

// W. Hoermann, "The generation of binomial random variates", 1993 (algorithm BTRS).
template <class T>
T binomial_by_rejection(Generator& g, T count, T p) {
  const double stddev = std::sqrt(count * p * (1 - p));
  const double b = 1.15 + 2.53 * stddev;
  const double a = -0.0873 + 0.0248 * b + 0.01 * p;
  const double c = count * p + 0.5;
  const double v_r = 0.92 - 4.2 / b;
  const double r = p / (1 - p);
  const double alpha = (2.83 + 5.1 / b) * stddev;
  const double m = std::floor((count + 1) * p);
  for (;;) {
    const double u = g.next_double() - 0.5;
    double v = g.next_double();
    const double us = 0.5 - std::fabs(u);
    const T k = static_cast<T>(std::floor((2 * a / us + b) * u + c));
    if (k < 0 || k > count) continue;
    if (us >= 0.07 && v <= v_r) return k;
    v = std::log(v * alpha / (a / (us * us) + b));
    const double bound = (m + 0.5) * std::log((m + 1) / (r * (count - m + 1))) +
                         (count + 1) * std::log((count - m + 1) / (count - k + 1)) +
                         (k + 0.5) * std::log(r * (count - k + 1) / (k + 1)) + stirling_tail(m) +
                         stirling_tail(count - m) - stirling_tail(k) - stirling_tail(count - k);
    if (v <= bound) return k;
  }
}

template <class T>
T sample_binomial(Generator& g, T count, T p) {
  if (count <= 0.0 || p <= 0.0) return 0;
  if (p >= 1.0) return count;
  if (std::isnan(p)) return p;
  if (std::isnan(count)) return count;  // inversion would never end
  const bool mirrored = p > 0.5;
  const T q = mirrored ? static_cast<T>(1.0 - p) : p;
  const T k =
      count * q >= 10.0 ? binomial_by_rejection(g, count, q) : binomial_by_inversion(g, count, q);
  return mirrored ? count - k : k;
}

// Four partial sums, as PyTorch adds short rows.
double sum_by_fours(const double* x, int64_t n) {
  double part[4] = {};
  const int64_t whole = n / 4 * 4;
  for (int64_t i = 0; i < whole; ++i) part[i % 4] += x[i];
  for (int64_t i = whole; i < n; ++i) part[0] += x[i];
  return ((part[0] + part[1]) + part[2]) + part[3];
}

template <class F>
void visit_real(DType t, F&& f) {
  if (t == DType::kFloat64)
    f(double{});
  else
    f(float{});
}

}  // namespace

void poisson(Generator& g, DType t, const void* rate, void* out, int64_t n) {
  visit_real(t, [&](auto tag) {
    using T = decltype(tag);
    for (int64_t i = 0; i < n; ++i) {
      const double r = static_cast<const T*>(rate)[i];
      static_cast<T*>(out)[i] = static_cast<T>(sample_poisson(g, r));
    }
  });
}

void binomial(Generator& g, DType t, const void* count, const void* probability, void* out,
              int64_t n) {
  visit_real(t, [&](auto tag) {
    using T = decltype(tag);
    for (int64_t i = 0; i < n; ++i) {
      static_cast<T*>(out)[i] = sample_binomial(g, static_cast<const T*>(count)[i],
                                                static_cast<const T*>(probability)[i]);
    }
  });
}

void standard_gamma(Generator& g, DType t, const void* shape, void* out, int64_t n) {
  visit_real(t, [&](auto tag) {
    using T = decltype(tag);
    for (int64_t i = 0; i < n; ++i) {
      const T sample = static_cast<T>(sample_gamma(g, static_cast<const T*>(shape)[i]));
      static_cast<T*>(out)[i] = std::max(std::numeric_limits<T>::min(), sample);
    }
  });
}

void dirichlet(Generator& g, DType t, const void* concentration, void* out, int64_t rows,
               int64_t k) {
  visit_real(t, [&](auto tag) {
    using T = decltype(tag);
    std::vector<double> gamma(static_cast<size_t>(rows * k));
    for (int64_t i = 0; i < rows * k; ++i) {
      const double shape = static_cast<const T*>(concentration)[i];
      gamma[i] = std::max(std::numeric_limits<double>::min(), sample_gamma(g, shape));
    }
    const T most = std::nexttoward(T(1), 0.0f);
    for (int64_t row = 0; row < rows; ++row) {
      const double sum = sum_by_fours(gamma.data() + row * k, k);
      for (int64_t j = 0; j < k; ++j) {
        const T share = static_cast<T>(gamma[row * k + j] / sum);
        static_cast<T*>(out)[row * k + j] =
            std::min(most, std::max(std::numeric_limits<T>::min(), share));
      }
    }
  });
}

}  // namespace pt::random
