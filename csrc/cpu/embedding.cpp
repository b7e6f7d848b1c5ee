// Sums and maxima of gathered rows: embedding bags, and the gradients of embeddings.
//
// Rows of the result are shared among the threads; the entries of a row are added in order, so the
// result does not depend on the number of threads. 16-bit floats compute in float.
#include "cpu/embedding_args.h"

#include "core/parallel.h"
#include "cpu/lines.h"

namespace pt::PT_ISA {
namespace {

using lines::max64;
using lines::min64;

constexpr int64_t kTask = 16384;    // elements worth handing to a thread
constexpr int64_t kColumns = 1024;  // worked on in a buffer

template <class T, class L, bool First>
__attribute__((noinline)) void take(const T* __restrict in, int64_t n, L factor,
                                    L* __restrict out) {
  for (int64_t i = 0; i < n; ++i) {
    const L v = widen<L>(in[i]) * factor;
    out[i] = First ? v : out[i] + v;
  }
}

template <class F>
void for_each_row(const GatherSumArgs& a, F row) {
  parallel_for(0, a.rows, max64(1, kTask / max64(1, a.width)), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      for (int64_t c = 0; c < a.width; c += kColumns) row(r, c, min64(kColumns, a.width - c));
    }
  });
}

template <class T>
void sum(const GatherSumArgs& a) {
  using L = Compute<T>;
  for_each_row(a, [&a](int64_t r, int64_t c, int64_t width) {
    alignas(64) L buffer[kSame<T, L> ? 1 : kColumns];
    T* out = static_cast<T*>(a.out) + r * a.width + c;
    L* total = buffer;
    if constexpr (kSame<T, L>) total = out;
    bool first = true;
    for (int64_t k = a.starts[r]; k < a.starts[r + 1]; ++k) {
      const int64_t e = a.order[k], at = a.from ? a.from[e] : e;
      const T* in = static_cast<const T*>(a.source) + at * a.width + c;
      const L factor = a.factors ? static_cast<L>(a.factors[e]) : L(1);
      if (first) {
        take<T, L, true>(in, width, factor, total);
      } else {
        take<T, L, false>(in, width, factor, total);
      }
      first = false;
    }
    if (first) {
      for (int64_t i = 0; i < width; ++i) total[i] = 0;
    }
    if constexpr (!kSame<T, L>) narrow_block(total, out, width);
  });
}

template <class T>
void max(const GatherMaxArgs& m) {
  using L = Compute<T>;
  const GatherSumArgs& a = m.rows;
  for_each_row(a, [&](int64_t r, int64_t c, int64_t width) {
    T* out = static_cast<T*>(a.out) + r * a.width + c;
    int64_t* chosen = m.chosen + r * a.width + c;
    for (int64_t i = 0; i < width; ++i) out[i] = narrow<T>(L(0)), chosen[i] = -1;
    for (int64_t k = a.starts[r]; k < a.starts[r + 1]; ++k) {
      const int64_t e = a.order[k], at = a.from ? a.from[e] : e;
      const T* in = static_cast<const T*>(a.source) + at * a.width + c;
      const bool first = k == a.starts[r];
      for (int64_t i = 0; i < width; ++i) {
        if (first || widen<L>(in[i]) > widen<L>(out[i])) out[i] = in[i], chosen[i] = at;
      }
    }
  });
}

#define PT_EMBEDDING(f)                                                      \
  {nullptr,          nullptr,          nullptr,         nullptr,             \
   nullptr,          nullptr,          PT_FN(&f<Half>), PT_FN(&f<BFloat16>), \
   PT_FN(&f<float>), PT_FN(&f<double>)}

const KernelEntry kEntries[] = {
    {"gather_sum", PT_EMBEDDING(sum)},
    {"gather_max", PT_EMBEDDING(max)},
};

}  // namespace
}  // namespace pt::PT_ISA

PT_REGISTER_KERNELS(pt::PT_ISA::kEntries)
