// Matrix product of float32 with operands or results of bfloat16, for autocast on processors
// without units (see gemm_mixed_args.h).
//
// Operands become float32 while they are packed, and rows of the result are rounded as soon as
// their sums are complete, out of the cache: neither passes through memory as float32. Kernels and
// the cut of the depth are those of gemm/block.h, and so is every sum's order.
#include "cpu/gemm/driver.h"
#include "cpu/gemm_mixed_args.h"

namespace pt::PT_ISA {
namespace gemm {
namespace {

// Adds the bias to sums and stores them as C.
template <class C>
void finish_sums(const float* sums, int64_t pitch, int64_t rows, int64_t n, const float* bias, C* c,
                 int64_t c_row) {
  constexpr int kL = kLanes<float>;
  for (int64_t i = 0; i < rows; i++, sums += pitch, c += c_row) {
    int64_t j = 0;
    for (; j + kL <= n; j += kL) {
      const Vec<float> v = load(sums + j);
      store(c + j, bias ? v + load(bias + j) : v);
    }
    if (j == n) continue;
    const int count = static_cast<int>(n - j);
    const Vec<float> v = load_n(sums + j, count);
    store_n(c + j, bias ? v + load_n(bias + j, count) : v, count);
  }
}

// One tile of C, or all of it; `plan` is of the whole product.
template <class A, class B, class C>
void run_mixed_tile(const GemmArgs& g, const BlockPlan& plan) {
  using Sizes = Blocks<float>;
  constexpr int kRows = Sizes::kRows, kColumns = Sizes::kColumns;
  constexpr bool kInPlace = std::is_same_v<C, float>;
  const KernelTable<float>& kernels = kernel_table<float>();
  const Problem<A> a(g);
  const Problem<B> b(g);
  const float* bias = static_cast<const float*>(g.bias);
  C* c = static_cast<C*>(g.c);
  const bool one_block = g.k <= Sizes::kDepth;
  // Sums that one block of depth completes are stored panel by panel.
  float* sums = nullptr;
  if constexpr (kInPlace) {
    sums = c;
  } else {
    sums = scratch_c.get<float>((one_block ? kRows : g.m) * g.n);
  }
  const int64_t pitch = kInPlace ? g.c_row : g.n;

  PanelsOfA<A> panels(a);
  const bool packs = pack_b_first(b, g.m);
  float* packed = nullptr;
  if (packs) packed = scratch_b.get<float>((g.n + kColumns) * min_of<int64_t>(g.k, Sizes::kDepth));
  const int64_t b_stride = packs ? kColumns : g.b_row;
  // Only the last of the tiles has such columns.
  const int few = g.n % kLanes<float> == 0 ? 0 : plan.few;
  const int64_t wide_n = g.n - few;
  FewColumns<float> few_columns;
  const int64_t parts = divide_up(wide_n, kColumns);

  for (int64_t k0 = 0, depth; k0 < g.k; k0 += depth) {
    depth = next_block(g.k - k0, Sizes::kDepth);
    const bool last = k0 + depth == g.k;
    const B* from = b.b + k0 * g.b_row;
    if (packs) pack_b(from, g.b_row, g.b_col, depth, g.n, packed);
    if (few) few_columns.pack(from + wide_n * g.b_col, g.b_row, g.b_col, depth, few);
    panels.begin(k0, depth);
    for (int64_t i = 0, rows; i < g.m; i += rows) {
      rows = next_panel<Sizes>(g.m - i);
      const auto panel = panels.get(i, rows);
      float* to = sums + (!kInPlace && one_block ? 0 : i * pitch);
      for (int64_t j = 0; j < wide_n; j += kColumns) {
        const int n = static_cast<int>(min_of<int64_t>(kColumns, wide_n - j));
        const Ahead ahead = panels.ahead(i + rows, j / kColumns, parts);
        const MicroKernel<float> kernel =
            kernels.get(panel.layout, static_cast<int>(rows), n, ahead);
        const float* columns =
            packs ? packed + j * depth : reinterpret_cast<const float*>(from) + j;
        kernel(depth, panel.a, panel.stride, columns, b_stride, 8 * b_stride, to + j, pitch, n,
               k0 > 0, ahead);
      }
      if (few) {
        few_columns.multiply(panel.a, panel.stride, panel.layout, static_cast<int>(rows),
                             to + wide_n, pitch, k0 > 0);
      }
      if (last && (!kInPlace || bias)) {
        finish_sums(to, pitch, rows, g.n, bias, c + i * g.c_row, g.c_row);
      }
    }
  }
}

template <class A, class B, class C>
void run_mixed(const GemmArgs& g) {
  const int64_t work = work_of(g.m, g.n, g.k), threads = threads_for(work);
  Problem<float> shape(g);
  // Sums of several blocks of depth wait in scratch memory, as for a C of columns that are apart:
  // such tiles have fewer rows.
  if (!std::is_same_v<C, float> && g.k > Blocks<float>::kDepth) shape.c_col = 2;
  const int few = FewColumns<float>::count_of(g.m, g.n, g.k);
  Plan plan{false, {Blocks<float>::kDepth, true, false, few}, g.m, g.n};
  cut_blocked(shape, threads, &plan);
  const int64_t tiles_m = divide_up(g.m, plan.tile_m), tiles_n = divide_up(g.n, plan.tile_n);
  const auto run_tiles = [&](int64_t begin, int64_t end) {
    for (int64_t cell = begin; cell < end; cell++) {
      const int64_t i = cell % tiles_m * plan.tile_m, j = cell / tiles_m * plan.tile_n;
      GemmArgs tile = g;
      tile.m = min_of(plan.tile_m, g.m - i);
      tile.n = min_of(plan.tile_n, g.n - j);
      tile.a = static_cast<const A*>(g.a) + i * g.a_row;
      tile.b = static_cast<const B*>(g.b) + j * g.b_col;
      tile.c = static_cast<C*>(g.c) + i * g.c_row + j;
      if (g.bias) tile.bias = static_cast<const float*>(g.bias) + j;
      run_mixed_tile<A, B, C>(tile, plan.block);
    }
  };
  const int64_t tiles = tiles_m * tiles_n;
  if (threads == 1) {
    run_tiles(0, tiles);
  } else {
    const int64_t fair = max_of(1, tiles / (4 * threads));
    parallel_for(0, tiles, min_of(fair, divide_up(kTaskWork * tiles, work)), run_tiles);
  }
}

template <class A, class B>
void run_mixed(const MixedGemmArgs& args) {
  if (args.half_c) {
    run_mixed<A, B, BFloat16>(args.product);
  } else if constexpr (!std::is_same_v<A, B> || !std::is_same_v<A, float>) {
    run_mixed<A, B, float>(args.product);
  }
}

bool gemm_mixed(const MixedGemmArgs& args) {
  const GemmArgs& g = args.product;
  // Few rows or columns have ways of their own, and little to convert.
  constexpr int64_t kFewResults = 16384, kFewColumns = 256, kLongSum = 4096;
  const bool long_sums =
      g.k >= kLongSum && g.m <= kFewColumns && g.n <= kFewColumns && g.m * g.n <= kFewResults;
  const bool mixed = args.half_a || args.half_b || args.half_c;
  if (!mixed || g.m <= kFewRows || g.n <= kFewRows || g.k <= 0 || long_sums) return false;
  if (args.half_a) {
    args.half_b ? run_mixed<BFloat16, BFloat16>(args) : run_mixed<BFloat16, float>(args);
  } else {
    args.half_b ? run_mixed<float, BFloat16>(args) : run_mixed<float, float>(args);
  }
  return true;
}

}  // namespace
}  // namespace gemm

namespace {

const KernelEntry entries[] = {{"gemm_mixed",
                                {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                                 nullptr, PT_FN(gemm::gemm_mixed)}}};

}  // namespace

PT_REGISTER_KERNELS(entries)

}  // namespace pt::PT_ISA
