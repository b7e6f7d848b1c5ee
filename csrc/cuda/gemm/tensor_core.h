// Matrix products on tensor cores: half types, and float whose operands are rounded to tf32. Each
// operand may lie along k or along its rows; other strides are read element by element. Every
// architecture that is compiled for (8.0 and newer) has these instructions. Included by a file for
// each type, as each takes its time to compile.
#pragma once

#include "cuda/gemm/gemm.h"
#include "cuda/gemm/main_loop.h"
#include "cuda/gemm/plan.h"
#include "cuda/gemm/tensor_operands.h"

namespace pt::cuda {

template <class Math, bool kAlongA, bool kAlongB>
struct TensorLoader {
  using T = typename Math::T;
  using Chunk = typename Math::Chunk;
  static constexpr bool kPrepares = false;
  Chunk* shared;
  int terms;
  TensorOperand<T, Math::kRows, kAlongA, Math::kThreads> a;
  TensorOperand<T, Math::kColumns, kAlongB, Math::kThreads> b;

  PT_DEVICE void fetch(int slice, int slot) {
    const int left = terms - slice * Math::kSlice;
    a.fetch(Math::slot_a(shared, slot), left);
    b.fetch(Math::slot_b(shared, slot), left);
  }
  PT_DEVICE void put_down(int) {}
};

template <class T, int kTile, bool kAlongA, bool kAlongB>
__global__ void __launch_bounds__(128, kTile == 128 ? 2 : 4) gemm_tensor_core_kernel(GemmPlan p) {
  using Math = TensorCore<T, kTile, kAlongA, kAlongB>;
  using Chunk = typename Math::Chunk;
  PT_SHARED(Chunk, memory, [Math::kShared]);
  const int64_t units = p.tiles_m * p.tiles_n * p.g.batch * p.pieces;
  for (int64_t unit = blockIdx.x; unit < units; unit += gridDim.x) {
    const GemmUnit u = gemm_unit<Math>(p, unit);
    Math math(memory);
    TensorLoader<Math, kAlongA, kAlongB> loader{
        memory,
        u.terms,
        {static_cast<const T*>(p.g.a) + u.batch * p.g.a_batch, p.g.a_row, p.g.a_col, u.m0, p.g.m,
         u.begin, p.a_packs},
        {static_cast<const T*>(p.g.b) + u.batch * p.g.b_batch, p.g.b_col, p.g.b_row, u.n0, p.g.n,
         u.begin, p.b_packs}};
    multiply<Math::kStages>(loader, math, (u.terms + Math::kSlice - 1) / Math::kSlice);
    finish_tile(math, reinterpret_cast<float*>(memory), GemmFinish<T, float>{p, u});
  }
}

template <class T, int kTile, bool kAlongA, bool kAlongB>
void run_tensor_core(const GemmArgs& g) {
  using Math = TensorCore<T, kTile, kAlongA, kAlongB>;
  GemmPlan p = gemm_plan<Math>(g, Math::kSlice);
  p.a_packs = kAlongA ? operand_packs<T>(g.a, g.a_col, g.a_row, g.a_batch)
                      : operand_packs<T>(g.a, g.a_row, g.a_col, g.a_batch);
  p.b_packs = kAlongB ? operand_packs<T>(g.b, g.b_row, g.b_col, g.b_batch)
                      : operand_packs<T>(g.b, g.b_col, g.b_row, g.b_batch);
  run_gemm<T, float>(p, [](const GemmPlan& plan, unsigned blocks) {
    PT_LAUNCH((gemm_tensor_core_kernel<T, kTile, kAlongA, kAlongB>), blocks, Math::kThreads, 0,
              plan);
  });
}

template <class T, int kTile>
void run_layout(const GemmArgs& g) {
  // Along the rows if that is where neighbours are. A single row or column lies either way.
  const bool along_a = g.a_col == 1 || g.a_row != 1, along_b = g.b_row == 1 || g.b_col != 1;
  if (along_a && along_b) return run_tensor_core<T, kTile, true, true>(g);
  if (along_a) return run_tensor_core<T, kTile, true, false>(g);
  if (along_b) return run_tensor_core<T, kTile, false, true>(g);
  run_tensor_core<T, kTile, false, false>(g);
}

template <class T>
void tensor_core_gemm(const GemmArgs& g) {
  if (enough_large_tiles(g)) {
    run_layout<T, 128>(g);
  } else {
    run_layout<T, 64>(g);
  }
}

}  // namespace pt::cuda
