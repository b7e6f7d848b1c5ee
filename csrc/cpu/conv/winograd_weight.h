// The gradient by the weight of 3x3 convolutions of stride 1, with fewer multiplications (see
// winograd_transforms.h).
//
// The forward pass multiplies transformed tiles of the input with transformed weights; transposed,
// that is G^T [sum over tiles of (A e A^T) * (B^T d B)] G for tiles d of the input and e of the
// output's gradient: for each of the 16 elements a product of channels x tiles matrices. It is as
// exact as the direct sum.
#pragma once

#include "core/parallel.h"
#include "cpu/conv/winograd_tiles.h"

namespace pt::PT_ISA::conv {

class WinogradWeight {
  static constexpr int kTile = 2, kIn = 4, kMatrices = 16;
  static constexpr int kL = kLanes<float>;
  using V = Vec<float>;
  using B = Blocks<float>;

 public:
  explicit WinogradWeight(const ConvArgs& p)
      : p_(p), inputs_(inputs_of(p)), tiles_(inputs_.count()) {
    rows_ = p.out_channels, columns_ = p.in_channels;
    panels_ = divide_up(columns_, B::kColumns);
    // A block's matrices stay in the L2 cache if sums are long enough with that.
    constexpr int64_t kCache = 5 << 18;
    const int64_t fitting = kCache / (kMatrices * 4 * (rows_ + columns_)) / kL * kL;
    block_ = max_of(128, min_of<int64_t>(fitting, B::kDepth));
    if (block_ < B::kDepth / 2 && rows_ * columns_ > 128 * 128) block_ = B::kDepth / 2;
    // Sums over many tiles are cut into parts at fixed places, as far as memory allows.
    constexpr int64_t kMostParts = 16, kMostElements = int64_t{1} << 20;
    const int64_t blocks = divide_up(tiles_, block_);
    const int64_t most = min_of(kMostParts, kMostElements / (kMatrices * rows_ * columns_));
    const int64_t blocks_of_part = divide_up(blocks, max_of(1, min_of(most, blocks / 2)));
    part_ = blocks_of_part * block_;
    parts_ = divide_up(tiles_, part_);
  }

  void run() const {
    const int64_t size = kMatrices * rows_ * columns_;
    auto* sums = static_cast<float*>(p_.allocate(p_.owner, parts_ * size * 4));
    parallel_for(0, parts_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; part++) {
        const int64_t first = part * part_;
        add_tiles(first, min_of(first + part_, tiles_), sums + part * size);
      }
    });
    const int64_t grain = max_of(1, 2048 / columns_);
    parallel_for(0, rows_, grain, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) finish_row(row, sums);
    });
  }

 private:
  static TiledImage inputs_of(const ConvArgs& p) {
    TiledImage in{static_cast<const float*>(p.input), p.batch, p.in_channels, {}, {}, {}};
    for (int d = 0; d < 2; d++) {
      in.size[d] = p.in[d + 1], in.out_size[d] = p.out[d + 1], in.padding[d] = p.padding[d + 1];
    }
    return in;
  }

  // sums[x][output channel][input channel] of the tiles [begin, end).
  void add_tiles(int64_t begin, int64_t end, float* sums) const {
    const int64_t most = gemm::round_up(min_of(block_, end - begin), kL), pitch = most + 16;
    float* b = gemm::scratch_b.get<float>(kMatrices * panels_ * most * B::kColumns);
    float* a = gemm::scratch_c.get<float>(kMatrices * rows_ * pitch);
    for (int64_t t0 = begin; t0 < end; t0 += block_) {
      const int64_t count = min_of(block_, end - t0);
      const int64_t groups = divide_up(columns_, kL), grain = max_of(1, 4096 / (count * kL));
      parallel_for(0, groups, grain, [&](int64_t first, int64_t last) {
        for (int64_t g = first; g < last; g++) pack_inputs(t0, count, g * kL, b, most);
      });
      parallel_for(0, rows_, grain * kL, [&](int64_t first, int64_t last) {
        transform_outputs(t0, count, first, last, a, pitch);
      });
      constexpr int64_t kTaskRows = 8 * B::kRows;
      const int64_t tasks = divide_up(rows_, kTaskRows);
      parallel_for(0, kMatrices * tasks, 1, [&](int64_t first, int64_t last) {
        for (int64_t task = first; task < last; task++) {
          const int64_t x = task / tasks, i = task % tasks * kTaskRows;
          multiply(a + x * rows_ * pitch, pitch, b + x * panels_ * most * B::kColumns, most, count,
                   i, min_of(rows_, i + kTaskRows), sums + x * rows_ * columns_, t0 > begin);
        }
      });
    }
  }

  // The transformed tiles of kL input channels, as columns of B: [x][panel][tile][column].
  void pack_inputs(int64_t t0, int64_t count, int64_t channel, float* b, int64_t most) const {
    const int64_t pitch = most + 16, step = kL * pitch;
    float* tiles = gemm::scratch_a.get<float>(kMatrices * step);
    const int64_t end = min_of(columns_, channel + kL);
    inputs_.transform(t0, count, kL, channel, end, tiles - channel * pitch, {step, pitch, kL});
    float* to = b + channel / B::kColumns * most * B::kColumns + channel % B::kColumns;
    for (int64_t x = 0; x < kMatrices; x++) {
      for (int64_t t = 0; t < count; t += kL) {
        gemm::transpose_square(tiles + x * step + t, pitch,
                               to + (x * panels_ * most + t) * B::kColumns, B::kColumns, kL, kL);
      }
    }
  }

  // How a run of tiles reads the rows of the output.
  struct RunRead {
    int64_t offset;
    bool second_row;
    LaneMask mask[2];
  };

  RunRead read_of(const Run& run) const {
    const int64_t row = run.q1 * kTile, column = run.q2 * kTile;
    RunRead r;
    r.offset = run.image * rows_ * p_.out[1] * p_.out[2] + row * p_.out[2] + column;
    r.second_row = row + 1 < p_.out[1];
    for (int v = 0; v < 2; v++) {
      int lo, hi;
      const auto count = min_of<int64_t>(kL, max_of(0, run.count * kTile - v * kL));
      clip(column + v * kL, 1, p_.out[2], static_cast<int>(count), &lo, &hi);
      r.mask[v] = lanes_between(lo, hi);
    }
    return r;
  }

  // A e of one dimension.
  static PT_GEMM_INLINE void spread(V e0, V e1, V* o) {
    o[0] = e0, o[1] = e0 + e1, o[2] = e0 - e1, o[3] = -e1;
  }

  // a[x][output channel][tile] for the output channels [c0, c1).
  void transform_outputs(int64_t t0, int64_t count, int64_t c0, int64_t c1, float* a,
                         int64_t pitch) const {
    Run* runs = scratch_runs.get<Run>(count);
    const int num_runs = inputs_.find_runs_by_group(t0, count, kL, runs);
    RunRead* reads = scratch_reads.get<RunRead>(num_runs);
    for (int r = 0; r < num_runs; r++) reads[r] = read_of(runs[r]);
    const int64_t width = p_.out[2], plane = p_.out[1] * width;
    alignas(64) float tiles[4 * 2 * kL] = {};
    for (int64_t c = c0; c < c1; c++) {
      const float* channel = static_cast<const float*>(p_.output) + c * plane;
      for (int r = 0; r < num_runs;) {
        const int64_t group = runs[r].column / kL;
        for (; r < num_runs && runs[r].column / kL == group; r++) {
          for (int row = 0; row < 2; row++) {
            V v[2] = {}, parts[2];
            if (row == 0 || reads[r].second_row) {
              const float* from = channel + reads[r].offset + row * width;
              v[0] = load_lanes(from, reads[r].mask[0]);
              v[1] = load_lanes(from + kL, reads[r].mask[1]);
            }
            take_apart<2, float>(v, parts);
            float* to = tiles + row * 4 * kL + runs[r].column % kL;
            store(to, parts[0]);
            store(to + 2 * kL, parts[1]);
          }
        }
        V half[2][4], u[4];
        for (int column = 0; column < 2; column++) {
          spread(load(tiles + column * 2 * kL), load(tiles + (4 + column * 2) * kL), half[column]);
        }
        float* to = a + c * pitch + group * kL;
        PT_GEMM_UNROLL for (int i = 0; i < 4; i++) {
          spread(half[0][i], half[1][i], u);
          PT_GEMM_UNROLL for (int j = 0; j < 4; j++) store(to + (i * 4 + j) * rows_ * pitch, u[j]);
        }
      }
    }
  }

  // Rows [i, end) of one product.
  void multiply(const float* a, int64_t pitch, const float* b, int64_t most, int64_t depth,
                int64_t i, int64_t end, float* c, bool add) const {
    const gemm::KernelTable<float>& kernels = gemm::kernel_table<float>();
    for (int64_t rows; i < end; i += rows) {
      rows = end - i;
      if (rows > B::kRows) rows = rows >= 2 * B::kRows ? B::kRows : (rows + 1) / 2;
      for (int64_t q = 0; q < panels_; q++) {
        const int64_t j = q * B::kColumns;
        const int n = static_cast<int>(min_of<int64_t>(B::kColumns, columns_ - j));
        kernels.get(gemm::kByRow, static_cast<int>(rows), n)(
            depth, a + i * pitch, pitch, b + q * most * B::kColumns, B::kColumns, 8 * B::kColumns,
            c + i * columns_ + j, columns_, n, add);
      }
    }
  }

  // G^T u of one dimension.
  static PT_GEMM_INLINE void gather(const V* u, int step, V* o) {
    const V sum = 0.5f * (u[step] + u[2 * step]), difference = 0.5f * (u[step] - u[2 * step]);
    o[0] = u[0] + sum, o[1] = difference, o[2] = sum + u[3 * step];
  }

  // The weights of one output channel from the sums of all parts.
  void finish_row(int64_t row, const float* sums) const {
    const int64_t size = rows_ * columns_;
    float* to = static_cast<float*>(p_.weight) + row * columns_ * 9;
    for (int64_t c = 0; c < columns_; c += kL) {
      const int count = static_cast<int>(min_of<int64_t>(kL, columns_ - c));
      V u[kMatrices], half[4][3], w[3];
      PT_GEMM_UNROLL for (int x = 0; x < kMatrices; x++) {
        const float* from = sums + x * size + row * columns_ + c;
        u[x] = load_n(from, count);
        for (int64_t part = 1; part < parts_; part++) {
          u[x] += load_n(from + part * kMatrices * size, count);
        }
      }
      PT_GEMM_UNROLL for (int j = 0; j < 4; j++) gather(u + j, 4, half[j]);
      alignas(64) float taps[9 * kL];
      PT_GEMM_UNROLL for (int i = 0; i < 3; i++) {
        const V line[4] = {half[0][i], half[1][i], half[2][i], half[3][i]};
        gather(line, 1, w);
        PT_GEMM_UNROLL for (int j = 0; j < 3; j++) store(taps + (i * 3 + j) * kL, w[j]);
      }
      write_taps(taps, count, to + c * 9);
    }
  }

  static PT_GEMM_INLINE void write_taps(const float* taps, int count, float* to) {
    if constexpr (kL >= 9) {
      V square[kL];
      PT_GEMM_UNROLL for (int t = 0; t < kL; t++) square[t] = t < 9 ? load(taps + t * kL) : V{};
      gemm::transpose<float>(square);
      PT_GEMM_UNROLL for (int i = 0; i < kL; i++) {
        if (i < count) store_n(to + i * 9, square[i], 9);
      }
    } else {
      for (int i = 0; i < count; i++) {
        for (int t = 0; t < 9; t++) to[i * 9 + t] = taps[t * kL + i];
      }
    }
  }

  const ConvArgs& p_;
  WinogradTiles<2> inputs_;
  int64_t tiles_, rows_, columns_, panels_, block_, part_, parts_;
};

}  // namespace pt::PT_ISA::conv
