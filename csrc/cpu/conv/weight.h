// The gradient of a convolution by its weight: an image matrix times the output's gradient.
//
// weight^T[k, co] = sum over pixels of matrix[k, pixel] * output[co, pixel]. Rows of the image
// matrix are packed as A, as they lie; the output is transposed into blocks of B, which all rows
// share. Sums over many pixels for few weights are cut into parts at fixed places.
#pragma once

#include "cpu/conv/forward.h"

namespace pt::PT_ISA::conv {

// Packs the pixels [begin, begin + depth) of the channels [c0, c0 + columns) as B: panels of
// kColumns channels, each [depth][kColumns].
template <class T>
void pack_output(const ConvArgs& p, int64_t group, int64_t begin, int64_t depth, int64_t c0,
                 int64_t columns, T* to) {
  constexpr int kL = kLanes<T>, kColumns = Blocks<T>::kColumns;
  const int64_t plane = volume(p.out);
  for (int64_t j = 0; j < columns; j += kL) {
    const int width = static_cast<int>(min_of<int64_t>(kL, columns - j));
    T* panel = to + j / kColumns * kColumns * depth + j % kColumns;
    int64_t image = begin / plane, at = begin % plane;
    for (int64_t k = 0; k < depth; image++, at = 0) {
      const int64_t end = min_of(depth, k + plane - at);
      const int64_t channel = (image * p.groups + group) * p.out_channels + c0 + j;
      const T* from = static_cast<const T*>(p.output) + channel * plane + at;
      for (; k < end; k += kL, from += kL) {
        const int64_t left = end - k;
        if (width == kL && left >= kL) {
          gemm::transpose_square(from, plane, panel + k * kColumns, kColumns, kL, kL);
        } else {
          transpose_block(from, plane, static_cast<int>(min_of<int64_t>(kL, left)), width,
                          [&](int64_t i) { return panel + (k + i) * kColumns; });
        }
      }
      k = end;
    }
  }
}

// How the gradient is cut: the sums by `part_pixels`, whatever the number of threads; the rows and
// columns of weight^T by tiles.
struct WeightPlan {
  int64_t parts, part_pixels;
  int64_t tile_rows, tile_columns;
};

template <class T>
WeightPlan plan_weight(const ConvArgs& p, int64_t rows, int64_t threads) {
  using B = Blocks<T>;
  constexpr int64_t kParallel = 16, kMostElements = int64_t{1} << 20;
  const int64_t pixels = p.batch * volume(p.out), weights = p.groups * rows * p.out_channels;
  const int64_t whole = p.groups * divide_up(rows, 8 * B::kRows);
  WeightPlan plan;
  const int64_t wish = min_of(divide_up(kParallel, whole), max_of(1, kMostElements / weights));
  plan.part_pixels = gemm::round_up(divide_up(pixels, wish), B::kDepth);
  plan.parts = divide_up(pixels, plan.part_pixels);
  plan.tile_columns = min_of(p.out_channels, gemm::block_columns(2048, B::kColumns));
  const int64_t cuts = divide_up(2 * threads, plan.parts * p.groups);
  plan.tile_rows = gemm::round_up(divide_up(rows, cuts), B::kRows);
  return plan;
}

// Adds up one tile of weight^T over the pixels of one part; `sums` is [rows][out_channels].
template <class T>
void run_weight_tile(const ConvArgs& p, const ImageMatrix<T>& m, int64_t group, int64_t begin,
                     int64_t end, int64_t i0, int64_t rows, int64_t c0, int64_t columns, T* sums) {
  using B = Blocks<T>;
  constexpr int kRows = B::kRows, kColumns = B::kColumns, kDepth = B::kDepth;
  constexpr int64_t kPitch = B::kPanelPitch;
  const gemm::KernelTable<T>& kernels = gemm::kernel_table<T>();
  const int64_t panels = divide_up(columns, kColumns);
  T* b = gemm::scratch_b.get<T>(panels * kColumns * kDepth);
  T* a = gemm::scratch_a.get<T>(kRows * kPitch);
  Run* runs = scratch_runs.get<Run>(kDepth);
  for (int64_t k0 = begin, depth; k0 < end; k0 += depth) {
    depth = min_of<int64_t>(end - k0, kDepth);
    const bool add = k0 > begin;
    pack_output(p, group, k0, depth, c0, columns, b);
    const int num_runs = find_runs(m, k0, depth, runs);
    Read* reads = scratch_reads.get<Read>(m.reads_per_run() * num_runs);
    make_reads(m, runs, num_runs, static_cast<int>(kPitch), reads);
    const Panel<T> panel{reads, num_runs, a};
    for (int64_t i = 0, count; i < rows; i += count) {
      count = rows - i;
      if (count > kRows) count = count >= 2 * kRows ? kRows : (count + 1) / 2;
      copy_rows(m, &panel, 1, i0 + i, i0 + i + count, kPitch);
      for (int64_t j = 0; j < columns; j += kColumns) {
        const int n = static_cast<int>(min_of<int64_t>(kColumns, columns - j));
        const gemm::MicroKernel<T> kernel = kernels.get(gemm::kByRow, static_cast<int>(count), n);
        T* c = sums + (i0 + i) * p.out_channels + c0 + j;
        kernel(depth, a, kPitch, b + j * depth, kColumns, 8 * kColumns, c, p.out_channels, n, add);
      }
    }
  }
}

// `as_is` leaves out the transpose: the result is weight^T.
template <class T>
void product_weight_gradient(const ConvArgs& p, bool as_is) {
  const ImageMatrix<T> m = input_matrix<T>(p);
  const int64_t rows = m.rows(), pixels = p.batch * m.pixels(), group_size = rows * p.out_channels;
  const int64_t work = p.groups * gemm::work_of(rows, p.out_channels, pixels);
  const int64_t threads = work < gemm::kSerialWork ? 1 : get_num_threads();
  WeightPlan plan = plan_weight<T>(p, rows, threads);
  const int64_t all = p.groups * group_size;
  T* weight = static_cast<T*>(p.weight);
  // Sums that need no others are transposed while they are in the cache.
  const bool at_once = !as_is && plan.parts == 1 && plan.tile_columns == p.out_channels;
  if (at_once) {
    constexpr int64_t kKept = (int64_t{1} << 19) / static_cast<int64_t>(sizeof(T));
    constexpr int64_t kWhole = Blocks<T>::kRows * kLanes<T>;  // no vector across two tiles
    const int64_t most = gemm::round_up(divide_up(kKept, p.out_channels), kWhole);
    plan.tile_rows = min_of(plan.tile_rows, most);
  }
  T* sums = at_once ? nullptr
            : as_is && plan.parts == 1
                ? weight
                : static_cast<T*>(
                      p.allocate(p.owner, plan.parts * all * static_cast<int64_t>(sizeof(T))));
  const int64_t tiles_m = divide_up(rows, plan.tile_rows);
  const int64_t tiles_n = divide_up(p.out_channels, plan.tile_columns);
  const int64_t tiles = tiles_m * tiles_n, tasks = plan.parts * p.groups * tiles;
  const auto run = [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; task++) {
      const int64_t cell = task % tiles, part = task / tiles / p.groups;
      const int64_t group = task / tiles % p.groups;
      const int64_t i = cell % tiles_m * plan.tile_rows, j = cell / tiles_m * plan.tile_columns;
      const int64_t first = part * plan.part_pixels;
      ImageMatrix<T> of_group = m;
      of_group.image += group * p.in_channels * m.channel_step;
      const int64_t count = min_of(plan.tile_rows, rows - i);
      T* to = at_once ? gemm::scratch_c.get<T>(count * p.out_channels) - i * p.out_channels
                      : sums + (part * p.groups + group) * group_size;
      run_weight_tile(p, of_group, group, first, min_of(pixels, first + plan.part_pixels), i, count,
                      j, min_of(plan.tile_columns, p.out_channels - j), to);
      if (at_once) {
        transpose_rows<1>(to + i * p.out_channels, count, p.out_channels, [&](int64_t channel) {
          return weight + group * group_size + channel * rows + i;
        });
      }
    }
  };
  if (threads == 1) {
    run(0, tasks);
  } else {
    parallel_for(0, tasks, 1, run);
  }
  if (plan.parts > 1) {
    T* to = as_is ? weight : sums;
    parallel_for(0, all, 32768, [&](int64_t begin, int64_t end) {
      for (int64_t q = 1; q < plan.parts; q++) {
        const T* first = q == 1 ? sums : to;
        const T* from = sums + q * all;
        for (int64_t i = begin; i < end; i++) to[i] = first[i] + from[i];
      }
    });
  }
  if (as_is || at_once) return;
  for (int64_t g = 0; g < p.groups; g++) {
    transpose_matrix(sums + g * group_size, rows, p.out_channels, weight + g * group_size);
  }
}

// For one tap input and output can change places, so that the result is the weight as it lies.
template <class T>
void pointwise_weight_gradient(const ConvArgs& p) {
  ConvArgs q = p;
  q.input = p.output, q.output = p.input;
  q.in_channels = p.out_channels, q.out_channels = p.in_channels;
  product_weight_gradient<T>(q, true);
}

}  // namespace pt::PT_ISA::conv
