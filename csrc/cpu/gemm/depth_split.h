// A product cut between the threads by depth rather than by rows or columns.
//
// For a small C with long sums: no operand is packed or read by two threads, and each thread reads
// the rows of B that it is likely to have in its cache, as elementwise ops cut a matrix by rows
// too. The cuts are those of run_block's own loop and the parts are added in its order, so every
// element gets the bits that one thread computes. Used by driver.h.
#pragma once

#include "core/parallel.h"
#include "cpu/gemm/block.h"

namespace pt::PT_ISA::gemm {

inline constexpr Scratch scratch_parts{ScratchUse::kProductParts};

PT_GEMM_INLINE int64_t count_blocks(int64_t k, int64_t most) {
  int64_t count = 0;
  for (; k > 0; count++) k -= next_block(k, most);
  return count;
}

// C must be in place for the kernels: of the type of the sums and with whole rows.
template <class T>
void run_depth_split(const Problem<T>& p, const BlockPlan& plan) {
  const int64_t count = count_blocks(p.k, plan.depth), results = p.m * p.n;
  T* parts = scratch_parts.get<T>((count - 1) * results);
  parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
    int64_t k0 = 0;
    for (int64_t i = 0; i < end; i++) {
      Problem<T> part = p.unfinished();
      part.k = next_block(p.k - k0, plan.depth);
      part.a += k0 * p.a_col;
      part.b += k0 * p.b_row;
      k0 += part.k;
      if (i < begin) continue;
      if (i > 0) {
        part.c = parts + (i - 1) * results;
        part.c_row = p.n;
        part.alpha = T(1);
        part.beta = T(0);
      }
      run_block(part, plan);
    }
  });
  for (int64_t i = 1; i < count; i++) {
    finish(p, parts + (i - 1) * results, p.n, T(1), i + 1 == count);
  }
}

}  // namespace pt::PT_ISA::gemm
