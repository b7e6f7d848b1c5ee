// Normalization of rows, for layer norm and RMS norm, and its gradients in one pass.
//
// A row is read for its moments, then again from the cache for the result. Backward adds up the
// gradients of weight and bias in the type computed in for a few rows, then in double, by chunks of
// rows of fixed size.
#include <new>

#include "core/parallel.h"
#include "cpu/norm_args.h"
#include "cpu/norm_sums.h"

namespace pt::PT_ISA {
namespace {

using namespace norm;

constexpr int64_t kTask = 16384;    // elements worth handing to a thread
constexpr int64_t kRowsAdded = 32;  // rows added up in the type computed in
constexpr int64_t kChunks = 64;     // most chunks of rows, to bound the room for their sums

template <class T, class L>
__attribute__((noinline)) void normalize(const T* __restrict x, int64_t n, L mean, L rstd,
                                         const L* __restrict weight, const L* __restrict bias,
                                         T* __restrict out) {
  if (weight && bias) {
    for (int64_t i = 0; i < n; ++i)
      out[i] = narrow<T>((widen<L>(x[i]) - mean) * rstd * weight[i] + bias[i]);
  } else if (weight) {
    for (int64_t i = 0; i < n; ++i) out[i] = narrow<T>((widen<L>(x[i]) - mean) * rstd * weight[i]);
  } else if (bias) {
    for (int64_t i = 0; i < n; ++i) out[i] = narrow<T>((widen<L>(x[i]) - mean) * rstd + bias[i]);
  } else {
    for (int64_t i = 0; i < n; ++i) out[i] = narrow<T>((widen<L>(x[i]) - mean) * rstd);
  }
}

template <class T>
void forward(const RowNormArgs& a) {
  using L = Compute<T>;
  parallel_for(0, a.rows, max64(1, kTask / max64(1, a.n)), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const T* x = static_cast<const T*>(a.x) + r * a.n;
      double mean = 0, var = 0;
      if (a.centred) {
        Moments m;
        append_moments<T, L>(x, a.n, m);
        mean = m.mean;
        var = m.m2 / static_cast<double>(a.n);
      } else {
        var = sum_squares<T, L>(x, a.n) / static_cast<double>(a.n);
      }
      const L m = static_cast<L>(mean), rstd = static_cast<L>(1 / __builtin_sqrt(var + a.eps));
      if (a.mean) static_cast<L*>(a.mean)[r] = m;
      static_cast<L*>(a.rstd)[r] = rstd;
      normalize<T, L>(x, a.n, m, rstd, static_cast<const L*>(a.weight),
                      static_cast<const L*>(a.bias), static_cast<T*>(a.out) + r * a.n);
    }
  });
}

// out = (g - first - (x - mean) * second) * rstd, where g is grad times weight.
template <class T, class L>
__attribute__((noinline)) void gradient(const T* __restrict grad, const T* __restrict x, int64_t n,
                                        const L* __restrict weight, L mean, L first, L second,
                                        L rstd, T* __restrict out) {
  if (weight) {
    for (int64_t i = 0; i < n; ++i) {
      const L g = widen<L>(grad[i]) * weight[i];
      out[i] = narrow<T>((g - first - (widen<L>(x[i]) - mean) * second) * rstd);
    }
  } else {
    for (int64_t i = 0; i < n; ++i) {
      const L g = widen<L>(grad[i]);
      out[i] = narrow<T>((g - first - (widen<L>(x[i]) - mean) * second) * rstd);
    }
  }
}

template <class T, class L>
__attribute__((noinline)) void add_parameter_row(const T* __restrict grad, const T* __restrict x,
                                                 int64_t n, L mean, L rstd, L* __restrict weight,
                                                 L* __restrict bias) {
  for (int64_t i = 0; i < n; ++i) {
    const L g = widen<L>(grad[i]);
    weight[i] += g * ((widen<L>(x[i]) - mean) * rstd);
    bias[i] += g;
  }
}

template <class L>
void flush(L* part, double* total, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    total[i] += static_cast<double>(part[i]);
    part[i] = 0;
  }
}

template <class T>
void backward(const RowNormArgs& a) {
  using L = Compute<T>;
  const bool parameters = a.weight_grad != nullptr;
  const int64_t height =
      max64(max64(1, kTask / max64(1, a.n)), ceil_div(max64(1, a.rows), kChunks));
  const int64_t chunks = ceil_div(a.rows, height);
  const auto bytes = static_cast<size_t>(parameters ? chunks * 2 * a.n : 0) * sizeof(double);
  double* totals = static_cast<double*>(::operator new(bytes));
  const L* weight = static_cast<const L*>(a.weight);
  parallel_for(0, a.rows, height, [&](int64_t begin, int64_t end) {
    double* total = totals + begin / height * 2 * a.n;
    L* part = nullptr;
    if (parameters) {
      part = static_cast<L*>(::operator new(static_cast<size_t>(2 * a.n) * sizeof(L)));
      for (int64_t i = 0; i < 2 * a.n; ++i) part[i] = 0, total[i] = 0;
    }
    for (int64_t r = begin; r < end; ++r) {
      const T* x = static_cast<const T*>(a.x) + r * a.n;
      const T* g = static_cast<const T*>(a.grad) + r * a.n;
      const L mean = a.centred ? static_cast<const L*>(a.mean)[r] : L(0);
      const L rstd = static_cast<const L*>(a.rstd)[r];
      if (a.out) {
        double first = 0, second = 0;
        append_sums<T, L>(g, x, weight, mean, a.n, first, second);
        const double n = static_cast<double>(a.n), s = static_cast<double>(rstd);
        gradient<T, L>(g, x, a.n, weight, mean, static_cast<L>(a.centred ? first / n : 0),
                       static_cast<L>(second / n * s * s), rstd, static_cast<T*>(a.out) + r * a.n);
      }
      if (!parameters) continue;
      add_parameter_row<T, L>(g, x, a.n, mean, rstd, part, part + a.n);
      if ((r - begin) % kRowsAdded == kRowsAdded - 1) flush(part, total, 2 * a.n);
    }
    if (parameters) flush(part, total, 2 * a.n);
    ::operator delete(part);
  });
  if (parameters) {
    parallel_for(0, a.n, max64(1, kTask / max64(1, chunks)), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        double w = 0, b = 0;
        for (int64_t c = 0; c < chunks; ++c) {
          w += totals[c * 2 * a.n + i];
          b += totals[c * 2 * a.n + a.n + i];
        }
        a.weight_grad[i] = w;
        if (a.bias_grad) a.bias_grad[i] = b;
      }
    });
  }
  ::operator delete(totals);
}

#define PT_ROW_NORM(f)                                                       \
  {nullptr,          nullptr,          nullptr,         nullptr,             \
   nullptr,          nullptr,          PT_FN(&f<Half>), PT_FN(&f<BFloat16>), \
   PT_FN(&f<float>), PT_FN(&f<double>)}

const KernelEntry kEntries[] = {
    {"row_norm", PT_ROW_NORM(forward)},
    {"row_norm_backward", PT_ROW_NORM(backward)},
};

}  // namespace
}  // namespace pt::PT_ISA

PT_REGISTER_KERNELS(pt::PT_ISA::kEntries)
