// Weights times an image matrix (image.h), written into the channels of images: the forward
// convolution and, with other taps, its gradient by the input.
//
// The blocked matrix product of gemm/block.h with B packed from the image: a block of columns x
// depth in the L2 cache, panels of weights in L1, sums in registers, written in place wherever the
// pixels of a panel lie side by side in the result.
#pragma once

#include "core/parallel.h"
#include "cpu/conv/finish.h"
#include "cpu/conv/image.h"
#include "cpu/gemm/driver.h"

namespace pt::PT_ISA::conv {

using gemm::Blocks;

inline constexpr Scratch scratch_reads{ScratchUse::kImageReads},
    scratch_runs{ScratchUse::kImageRuns}, scratch_places{ScratchUse::kImagePlaces};

template <class T>
struct Product {
  const T* a = nullptr;  // [rows][matrix.rows()]
  int64_t a_row = 0, a_col = 1, rows = 0;
  ImageMatrix<T> matrix;
  T* out = nullptr;
  int64_t out_image = 0, out_row = 0;  // from image to image, row to row (channel to channel)
  int64_t out_step[3] = {0, 0, 0};     // from pixel to pixel of the grid
  RowFinish<T> finish;                 // of the rows; the residual is laid out as the result

  int64_t columns(int64_t batch) const { return batch * matrix.pixels(); }
  bool dense() const {
    return out_step[2] == 1 && out_step[1] == matrix.grid[2] &&
           out_step[0] == matrix.grid[1] * matrix.grid[2];
  }
};

// Copies between a tile and the runs of the result it stands for.
template <class T>
class ScatteredTile {
 public:
  ScatteredTile(const Product<T>& p, const Run* runs, int num_runs)
      : p_(p), runs_(runs), num_runs_(num_runs) {}

  void read(const T* out, int rows, T* tile, int64_t pitch) const {
    for (int q = 0; q < num_runs_; q++) {
      const T* from = out + place(runs_[q]);
      T* to = tile + runs_[q].column;
      const int count = runs_[q].count;
      for (int i = 0; i < rows; i++, from += p_.out_row, to += pitch) {
        for (int l = 0; l < count; l++) to[l] = from[l * p_.out_step[2]];
      }
    }
  }
  void write(const T* tile, int64_t pitch, int rows, T* out) const {
    for (int q = 0; q < num_runs_; q++) {
      const T* from = tile + runs_[q].column;
      T* to = out + place(runs_[q]);
      const int count = runs_[q].count;
      for (int i = 0; i < rows; i++, from += pitch, to += p_.out_row) {
        if (p_.out_step[2] == 1) {
          store_n(to, load_n(from, count), count);
        } else {
          for (int l = 0; l < count; l++) to[l * p_.out_step[2]] = from[l];
        }
      }
    }
  }

 private:
  int64_t place(const Run& r) const {
    return r.image * p_.out_image + r.q0 * p_.out_step[0] + r.q1 * p_.out_step[1] +
           r.q2 * p_.out_step[2];
  }
  const Product<T>& p_;
  const Run* runs_;
  int num_runs_;
};

// The columns of a tile, in panels: their runs, where they are in the result, and how to pack them.
template <class T>
class TileColumns {
 public:
  static constexpr int kColumns = Blocks<T>::kColumns;

  TileColumns(const Product<T>& p, int64_t begin, int64_t columns)
      : p_(p), panels_(divide_up(columns, kColumns)) {
    const ImageMatrix<T>& m = p.matrix;
    const int64_t pixels = m.pixels();
    const bool dense = p.dense();
    places_ = scratch_places.get<Place>(panels_);
    runs_ = scratch_runs.get<Run>(panels_ * kColumns);
    int32_t num_runs = 0, most_runs = 1;
    for (int64_t q = 0; q < panels_; q++) {
      const int64_t j = begin + q * kColumns;
      const int64_t n = min_of<int64_t>(kColumns, columns - q * kColumns);
      const int count = find_runs(m, j, n, runs_ + num_runs);
      const int64_t image = j / pixels, at = j % pixels;
      const bool beside = at + n <= pixels || p.out_image == pixels;
      T* direct = dense && beside ? p.out + image * p.out_image + at : nullptr;
      places_[q] = {direct, num_runs, count};
      num_runs += count;
      if (count > most_runs) most_runs = count;
    }
    // So many panels are packed at once that their reads stay in the cache.
    constexpr int64_t kMostReads = 256 * 1024 / sizeof(Read);
    const int64_t reads = most_runs * m.reads_per_run();
    at_once_ = min_of(panels_, max_of(1, kMostReads / reads));
    reads_ = scratch_reads.get<Read>(at_once_ * reads);
    if (at_once_ == panels_) make_reads_of(0, panels_);
  }

  // Packs the rows [k0, k0 + depth) as B.
  void pack(int64_t k0, int64_t depth, T* to) {
    Panel<T> panels[kMostAtOnce];
    for (int64_t q = 0; q < panels_; q += at_once_) {
      const int64_t end = min_of(panels_, q + at_once_);
      if (at_once_ < panels_) make_reads_of(q, end);
      const Read* reads = reads_;
      for (int64_t i = q, n = 0; i < end; n = 0) {
        for (; i < end && n < kMostAtOnce; i++, n++) {
          panels[n] = {reads, places_[i].num_runs, to + i * kColumns * depth};
          reads += places_[i].num_runs * p_.matrix.reads_per_run();
        }
        copy_rows(p_.matrix, panels, n, k0, k0 + depth, kColumns);
      }
    }
  }

  int64_t size() const { return panels_; }
  // Where row 0 of panel q lies side by side in the result, or null.
  T* direct(int64_t q) const { return places_[q].direct; }
  ScatteredTile<T> scattered(int64_t q) const {
    return {p_, runs_ + places_[q].first_run, places_[q].num_runs};
  }

 private:
  struct Place {
    T* direct;
    int32_t first_run, num_runs;
  };
  static constexpr int kMostAtOnce = 64;

  void make_reads_of(int64_t begin, int64_t end) {
    Read* to = reads_;
    for (int64_t q = begin; q < end; q++) {
      to = make_reads(p_.matrix, runs_ + places_[q].first_run, places_[q].num_runs, kColumns, to);
    }
  }

  const Product<T>& p_;
  int64_t panels_, at_once_;
  Place* places_;
  Run* runs_;
  Read* reads_;
};

// Rows [i0, i0 + rows) and columns [j0, j0 + columns) of the result; the last `few` columns are
// those of gemm/few_columns.h.
template <class T>
void run_product_tile(const Product<T>& p, int64_t i0, int64_t rows, int64_t j0, int64_t columns,
                      int few) {
  using B = Blocks<T>;
  constexpr int kRows = B::kRows, kColumns = B::kColumns;
  const gemm::KernelTable<T>& kernels = gemm::kernel_table<T>();
  const int64_t depth_all = p.matrix.rows();
  TileColumns<T> tile_columns(p, j0, columns);

  GemmArgs of_a;
  of_a.m = rows, of_a.n = columns, of_a.k = depth_all;
  of_a.a = p.a + i0 * p.a_row, of_a.a_row = p.a_row, of_a.a_col = p.a_col;
  const gemm::Problem<T> problem(of_a);
  gemm::PanelsOfA<T> a_panels(problem);
  T* packed = gemm::scratch_b.get<T>(tile_columns.size() * kColumns *
                                     min_of<int64_t>(depth_all, B::kDepth));

  gemm::FewColumns<T> few_columns;
  alignas(64) T tile[kRows * kColumns], residual[kRows * kColumns];
  for (int64_t k0 = 0, depth; k0 < depth_all; k0 += depth) {
    depth = gemm::next_block(depth_all - k0, B::kDepth);
    const bool add = k0 > 0, last = k0 + depth == depth_all;
    const bool finish = last && p.finish.any();
    tile_columns.pack(k0, depth, packed);
    if (few) {
      const int64_t last_panel = tile_columns.size() - 1, at = columns - few;
      few_columns.pack(packed + last_panel * kColumns * depth + at % kColumns, kColumns, 1, depth,
                       few);
    }
    a_panels.begin(k0, depth);
    for (int64_t i = 0, count; i < rows; i += count) {
      count = gemm::next_panel<B>(rows - i);
      const auto panel = a_panels.get(i, count);
      const int r = static_cast<int>(count);
      for (int64_t q = 0; q < tile_columns.size(); q++) {
        const int n = static_cast<int>(min_of<int64_t>(kColumns, columns - q * kColumns));
        const gemm::Ahead ahead = a_panels.ahead(i + count, q, tile_columns.size());
        const T* b = packed + q * kColumns * depth;
        const auto multiply = [&](T* c, int64_t c_row) {
          const int wide = q + 1 < tile_columns.size() ? n : n - few;
          if (wide) {
            kernels.get(panel.layout, r, wide, ahead)(depth, panel.a, panel.stride, b, kColumns,
                                                      8 * kColumns, c, c_row, wide, add, ahead);
          }
          if (wide < n) {
            few_columns.multiply(panel.a, panel.stride, panel.layout, r, c + wide, c_row, add);
          }
        };
        if (T* direct = tile_columns.direct(q)) {
          T* c = direct + (i0 + i) * p.out_row;
          multiply(c, p.out_row);
          if (finish) {
            const T* more = p.finish.residual ? p.finish.residual + (c - p.out) : nullptr;
            finish_rows(p.finish, i0 + i, c, p.out_row, r, n, more, p.out_row);
          }
        } else {
          const ScatteredTile<T> place = tile_columns.scattered(q);
          T* c = p.out + (i0 + i) * p.out_row;
          if (add) place.read(c, r, tile, kColumns);
          multiply(tile, kColumns);
          if (finish) {
            const T* more = p.finish.residual;
            if (more) {
              place.read(more + (c - p.out), r, residual, kColumns);
              more = residual;
            }
            finish_rows(p.finish, i0 + i, tile, kColumns, r, n, more, kColumns);
          }
          place.write(tile, kColumns, r, c);
        }
      }
    }
  }
}

// The product for all groups: `of_group(g)` makes the Product of a group.
template <class T, class F>
void run_products(int64_t groups, int64_t batch, F&& of_group) {
  const Product<T> first = of_group(0);
  GemmArgs g;
  g.m = first.rows, g.n = first.columns(batch), g.k = first.matrix.rows();
  g.c_col = 1;
  const gemm::Problem<T> whole(g);
  const int64_t work = groups * gemm::work_of(g.m, g.n, g.k);
  const int64_t useful = max_of(1, 2 * work / gemm::kSerialWork);
  const int64_t threads = work < gemm::kSerialWork ? 1 : min_of<int64_t>(get_num_threads(), useful);
  gemm::Plan plan{};
  gemm::cut_blocked(whole, groups >= 2 * threads ? 1 : threads, &plan);
  const int64_t tiles_m = divide_up(g.m, plan.tile_m), tiles_n = divide_up(g.n, plan.tile_n);
  const int64_t tiles = tiles_m * tiles_n, tasks = groups * tiles;
  const int few = gemm::FewColumns<T>::count_of(g.m, g.n, g.k);
  const auto run = [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; task++) {
      const int64_t cell = task % tiles;
      const int64_t i = cell % tiles_m * plan.tile_m, j = cell / tiles_m * plan.tile_n;
      const int64_t columns = min_of(plan.tile_n, g.n - j);
      run_product_tile(of_group(task / tiles), i, min_of(plan.tile_m, g.m - i), j, columns,
                       j + columns == g.n ? few : 0);
    }
  };
  if (threads == 1) {
    run(0, tasks);
  } else {
    const int64_t fair = max_of(1, tasks / (4 * threads));
    parallel_for(0, tasks, min_of(fair, divide_up(gemm::kTaskWork * tasks, work)), run);
  }
}

}  // namespace pt::PT_ISA::conv
