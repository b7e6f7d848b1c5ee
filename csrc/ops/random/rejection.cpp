// Rejection samplers: poisson, binomial, gamma, dirichlet. Serial, since the number of draws
// varies.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"
#include "ops/functors/rejection.h"
#include "ops/random/distributions.h"
#include "ops/random/sampling.h"

namespace pt::random {

using namespace pt::device::rejection;  // NOLINT: the samplers

namespace {

// The stream of a generator, as ops/functors/rejection.h draws from it.
struct Stream {
  Generator& g;
  double uniform() { return g.next_double(); }
  double normal() {
    double value;
    random::normal(g, DType::kFloat64, &value, 1, 0.0, 1.0);
    return value;
  }
};

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
    Stream stream{g};
    for (int64_t i = 0; i < n; ++i) {
      const double r = static_cast<const T*>(rate)[i];
      PT_CHECK(r >= 0, "invalid Poisson rate, expected rate to be non-negative");
      static_cast<T*>(out)[i] = static_cast<T>(sample_poisson(stream, r));
    }
  });
}

void binomial(Generator& g, DType t, const void* count, const void* probability, void* out,
              int64_t n) {
  visit_real(t, [&](auto tag) {
    using T = decltype(tag);
    Stream stream{g};
    for (int64_t i = 0; i < n; ++i) {
      static_cast<T*>(out)[i] = sample_binomial(stream, static_cast<const T*>(count)[i],
                                                static_cast<const T*>(probability)[i]);
    }
  });
}

void standard_gamma(Generator& g, DType t, const void* shape, void* out, int64_t n) {
  visit_real(t, [&](auto tag) {
    using T = decltype(tag);
    Stream stream{g};
    for (int64_t i = 0; i < n; ++i) {
      const T sample = static_cast<T>(sample_gamma(stream, static_cast<const T*>(shape)[i]));
      constexpr T least = std::numeric_limits<T>::min();
      static_cast<T*>(out)[i] = sample < least ? least : sample;  // NaN stays
    }
  });
}

void dirichlet(Generator& g, DType t, const void* concentration, void* out, int64_t rows,
               int64_t k) {
  visit_real(t, [&](auto tag) {
    using T = decltype(tag);
    Stream stream{g};
    std::vector<double> gamma(static_cast<size_t>(rows * k));
    for (int64_t i = 0; i < rows * k; ++i) {
      const double shape = static_cast<const T*>(concentration)[i];
      gamma[i] = std::max(std::numeric_limits<double>::min(), sample_gamma(stream, shape));
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
