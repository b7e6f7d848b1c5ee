// See pick.h.
#include "ops/loss/algorithms/pick.h"

#include "core/half.h"
#include "core/parallel.h"

namespace pt {

namespace {

constexpr int64_t kLinesPerTask = 8192;

template <class F>
void for_floating(DType dtype, F f) {
  switch (dtype) {
    case DType::kFloat16:
      return f(Half{});
    case DType::kBFloat16:
      return f(BFloat16{});
    case DType::kFloat64:
      return f(double{});
    default:
      return f(float{});
  }
}

template <class T>
T rounded(double x) {
  if constexpr (sizeof(T) == 2) {
    return T(static_cast<float>(x));
  } else {
    return static_cast<T>(x);
  }
}

// f(line, offset of its class, class) for the lines that are not ignored.
template <class F, class Skip>
void for_each_pick(const Picks& p, F f, Skip skip) {
  parallel_for(0, p.outer * p.inner, kLinesPerTask, [&](int64_t begin, int64_t end) {
    for (int64_t u = begin; u < end; ++u) {
      const int64_t c = p.classes[u];
      if (c == p.ignored) {
        skip(u);
        continue;
      }
      f(u, u / p.inner * p.strides.outer + u % p.inner * p.strides.inner + c * p.strides.n, c);
    }
  });
}

}  // namespace

void pick_classes(const Picks& p, DType dtype, const void* in, double* out) {
  for_floating(dtype, [&]<class T>(T) {
    const T* x = static_cast<const T*>(in);
    for_each_pick(
        p,
        [&](int64_t u, int64_t at, int64_t c) {
          out[u] = static_cast<double>(x[at]) * (p.weight ? p.weight[c] : 1);
        },
        [&](int64_t u) { out[u] = 0; });
  });
}

void place_classes(const Picks& p, DType dtype, const void* grad, bool single, double scale,
                   void* out) {
  for_floating(dtype, [&]<class T>(T) {
    const T* g = static_cast<const T*>(grad);
    T* y = static_cast<T*>(out);
    for_each_pick(
        p,
        [&](int64_t u, int64_t at, int64_t c) {
          const double factor = (p.weight ? p.weight[c] : 1) * scale;
          y[at] = rounded<T>(static_cast<double>(g[single ? 0 : u]) * factor);
        },
        [](int64_t) {});
  });
}

}  // namespace pt
