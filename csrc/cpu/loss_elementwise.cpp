// Elementwise losses: values, their sum, and slopes times the incoming gradient, in one pass.
//
// Elements go through buffers of whole vectors; a sum is made of blocks of fixed size that are
// added up in order. 16-bit floats compute in float.
#include "cpu/loss_args.h"

#include <new>

#include "core/parallel.h"
#include "cpu/lines.h"
#include "ops/functors/loss.h"

namespace pt::PT_ISA {
namespace {

using namespace lines;

constexpr int64_t kChunk = 512;    // elements in a buffer
constexpr int64_t kPiece = 16384;  // elements whose sum is one part of the total

// Elements first .. first + n of an input, padded to whole vectors.
template <class L, class T>
const L* padded_values(const void* in, int64_t first, int64_t n, L* buffer) {
  const T* p = static_cast<const T*>(in) + first;
  if (n % kLanes<L> == 0) return row_values(p, n, buffer);
  load_line(p, 1, n, L(1), buffer);
  return buffer;
}

// out = F(inputs, parameter) for n elements, a multiple of the vector's lanes. The one part that is
// compiled for each loss; the frames around it take it as a pointer.
template <class L>
using Apply = void (*)(L* out, int64_t n, L parameter, const L* const* in);

template <class F, int kInputs, class L>
void apply(L* __restrict out, int64_t n, L parameter, const L* const* in) {
  constexpr int lanes = kLanes<L>;
  const L *x = in[0], *y = in[1];
  if constexpr (kInputs == 2) {
    for (int64_t i = 0; i < n; i += lanes) {
      for (int j = 0; j < lanes; ++j) out[i + j] = F{}(x[i + j], y[i + j], parameter);
    }
  } else {
    const L* z = in[2];
    for (int64_t i = 0; i < n; i += lanes) {
      for (int j = 0; j < lanes; ++j) out[i + j] = F{}(x[i + j], y[i + j], z[i + j], parameter);
    }
  }
}

constexpr int kMostInputs = 3;

template <class T>
struct Chunk {
  using L = Compute<T>;
  const ElementLossArgs& a;
  const int inputs;
  const Apply<L> f;
  alignas(64) L buffer[kMostInputs + 1][kChunk];

  // e = the function of the elements first .. first + n, times their weights.
  void compute(int64_t first, int64_t n, L* e) {
    const int64_t whole = padded<L>(n);
    const L* in[kMostInputs];
    for (int i = 0; i < inputs; ++i) in[i] = padded_values<L, T>(a.in[i], first, n, buffer[i]);
    f(e, whole, static_cast<L>(a.parameter), in);
    if (a.weight) {
      const L* w = padded_values<L, T>(a.weight, first, n, buffer[kMostInputs]);
      for (int64_t i = 0; i < whole; ++i) e[i] *= w[i];
    }
  }
};

template <class T>
__attribute__((noinline)) void value_frame(const ElementLossArgs& a, int inputs,
                                           Apply<Compute<T>> f) {
  using L = Compute<T>;
  const int64_t pieces = ceil_div(a.n, kPiece);
  double single = 0;
  double* sums = &single;
  if (a.total && pieces > 1) {
    sums = static_cast<double*>(::operator new(static_cast<size_t>(pieces) * sizeof(double)));
  }
  parallel_for(0, a.n, kPiece, [&](int64_t begin, int64_t end) {
    Chunk<T> chunk{a, inputs, f, {}};
    alignas(64) L e[kChunk];
    double sum_of_piece = 0;
    for (int64_t i = begin; i < end; i += kChunk) {
      const int64_t n = min64(kChunk, end - i);
      chunk.compute(i, n, e);
      if (a.out) narrow_block(e, static_cast<T*>(a.out) + i, n);
      if (!a.total) continue;
      for (int64_t j = n; j < padded<L>(n); ++j) e[j] = 0;
      sum_of_piece += sum<L>(padded<L>(n), [&e](int64_t j) { return load<L>(e + j); });
    }
    if (a.total) sums[begin / kPiece] = sum_of_piece;
  });
  if (!a.total) return;
  double total = 0;
  for (int64_t p = 0; p < pieces; ++p) total += sums[p];
  if (sums != &single) ::operator delete(sums);
  *a.total = total;
}

template <class T>
__attribute__((noinline)) void slope_frame(const ElementLossArgs& a, int inputs,
                                           Apply<Compute<T>> f) {
  using L = Compute<T>;
  const T* grad = static_cast<const T*>(a.grad);
  const L factor = static_cast<L>(a.scale) * (a.single_grad && a.n > 0 ? widen<L>(grad[0]) : L(1));
  parallel_for(0, a.n, kPiece, [&](int64_t begin, int64_t end) {
    Chunk<T> chunk{a, inputs, f, {}};
    alignas(64) L e[kChunk], g[kChunk];
    for (int64_t i = begin; i < end; i += kChunk) {
      const int64_t n = min64(kChunk, end - i);
      chunk.compute(i, n, e);
      if (a.single_grad) {
        for (int64_t j = 0; j < padded<L>(n); ++j) e[j] *= factor;
      } else {
        const L* each = row_values(grad + i, n, g);
        for (int64_t j = 0; j < n; ++j) e[j] *= each[j] * factor;
      }
      narrow_block(e, static_cast<T*>(a.out) + i, n);
    }
  });
}

template <class F, int kInputs, class T>
void value(const ElementLossArgs& a) {
  value_frame<T>(a, kInputs, apply<F, kInputs, Compute<T>>);
}
template <class F, int kInputs, class T>
void slope(const ElementLossArgs& a) {
  slope_frame<T>(a, kInputs, apply<F, kInputs, Compute<T>>);
}

#define PT_LOSS(f, F, inputs)      \
  {nullptr,                        \
   nullptr,                        \
   nullptr,                        \
   nullptr,                        \
   nullptr,                        \
   nullptr,                        \
   PT_FN(&f<F, inputs, Half>),     \
   PT_FN(&f<F, inputs, BFloat16>), \
   PT_FN(&f<F, inputs, float>),    \
   PT_FN(&f<F, inputs, double>)}
#define PT_LOSS_PAIR(name, F, inputs)                  \
  {name "_value", PT_LOSS(value, F##Value, inputs)}, { \
    name "_slope", PT_LOSS(slope, F##Slope, inputs)    \
  }

const KernelEntry kEntries[] = {
    PT_LOSS_PAIR("mse", Mse, 2),
    PT_LOSS_PAIR("l1", L1, 2),
    PT_LOSS_PAIR("smooth_l1", SmoothL1, 2),
    PT_LOSS_PAIR("huber", Huber, 2),
    PT_LOSS_PAIR("bce", Bce, 2),
    PT_LOSS_PAIR("bce_logits", BceLogits, 2),
    PT_LOSS_PAIR("bce_logits_weighted", BceLogitsWeighted, 3),
    PT_LOSS_PAIR("hinge_embedding", HingeEmbedding, 2),
    PT_LOSS_PAIR("soft_margin", SoftMargin, 2),
    PT_LOSS_PAIR("kl_div", KlDiv, 2),
    PT_LOSS_PAIR("kl_div_log", KlDivLog, 2),
    PT_LOSS_PAIR("poisson", Poisson, 2),
    PT_LOSS_PAIR("poisson_log", PoissonLog, 2),
    {"poisson_full_value", PT_LOSS(value, PoissonFullValue, 2)},
    {"poisson_log_full_value", PT_LOSS(value, PoissonLogFullValue, 2)},
};

}  // namespace
}  // namespace pt::PT_ISA

PT_REGISTER_KERNELS(pt::PT_ISA::kEntries)
