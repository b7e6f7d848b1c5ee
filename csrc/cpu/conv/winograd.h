// 3x3 convolutions of stride 1 with fewer multiplications (see winograd_transforms.h).
//
// Tiles of m x m results are taken in blocks: their inputs are transformed to (m + 2)^2 matrices
// [channels][tiles], each is multiplied with the matrix of transformed weights, and the products
// are transformed back into the image. A block's matrices stay in the L2 cache; where there are
// few tiles, the channels of the result are taken in blocks instead.
#pragma once

#include "core/parallel.h"
#include "cpu/conv/forward.h"
#include "cpu/conv/winograd_transforms.h"

namespace pt::PT_ISA::conv {

// One convolution: forward, or the gradient by the input with the weight turned around.
struct WinogradProblem {
  const float* image;  // [batch][channels][size]
  const float* weight;
  int64_t weight_out, weight_in;  // steps from result channel to channel, input channel to channel
  bool turned;                    // taps in reverse order
  float* out;                     // [batch][out_channels][out_size]
  RowFinish<float> finish;
  int64_t batch, channels, out_channels;
  int64_t size[2], out_size[2], padding[2];
};

template <int kTile>
class Winograd {
  friend class WinogradWeight;
  static constexpr int kIn = Minimal<kTile>::kInputs, kMatrices = kIn * kIn;
  static constexpr int kL = kLanes<float>;
  using V = Vec<float>;

 public:
  explicit Winograd(const WinogradProblem& p) : p_(p) {
    tiles_of_.image_step = p.channels * p.size[0] * p.size[1];
    tiles_of_.grid[1] = divide_up(p.out_size[0], kTile);
    tiles_of_.grid[2] = divide_up(p.out_size[1], kTile);
    tiles_ = p.batch * tiles_of_.pixels();
    weight_pitch_ = gemm::round_up(p.channels, kL) + kL;
  }

  void run(void* (*allocate)(void*, int64_t), void* owner) const {
    const int64_t threads = get_num_threads();
    constexpr int64_t kColumns = Blocks<float>::kColumns, kCache = 2 << 20;
    const int64_t tile_bytes = kMatrices * 4 * (p_.channels + p_.out_channels);
    int64_t block = kCache / tile_bytes / kColumns * kColumns;
    block = block < 128 ? 128 : min_of<int64_t>(block, 320);
    if (threads > 1 && divide_up(tiles_, block) < 2 * threads) {
      const int64_t fair = gemm::round_up(divide_up(tiles_, 2 * threads), kColumns);
      block = fair >= 64 ? min_of(block, fair) : tiles_;
    }
    if (block >= tiles_) {
      run_by_channels(allocate, owner);
    } else {
      run_by_tiles(block, allocate, owner);
    }
  }

 private:
  // Rows of tiles, so far apart that they do not share cache sets.
  static int64_t pitch_of(int64_t tiles) {
    return gemm::round_up(tiles, Blocks<float>::kColumns) + 16;
  }

  // The result channels [begin, end) of a matrix that holds only these.
  struct Rows {
    int64_t begin, end;
    int64_t count() const { return end - begin; }
  };

  // Many tiles: the weight is transformed once, blocks of tiles are shared out.
  void run_by_tiles(int64_t block, void* (*allocate)(void*, int64_t), void* owner) const {
    const Rows all{0, p_.out_channels};
    auto* weights =
        static_cast<float*>(allocate(owner, kMatrices * p_.out_channels * weight_pitch_ * 4));
    const int64_t grain = max_of(1, 4096 / p_.channels);
    parallel_for(0, p_.out_channels, grain,
                 [&](int64_t begin, int64_t end) { transform_weights(all, begin, end, weights); });
    parallel_for(0, divide_up(tiles_, block), 1, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; b++) {
        const int64_t t0 = b * block, count = min_of(block, tiles_ - t0);
        const int64_t pitch = pitch_of(count);
        float* in = gemm::scratch_b.get<float>(kMatrices * p_.channels * pitch);
        float* out = gemm::scratch_c.get<float>(kMatrices * p_.out_channels * pitch);
        transform_inputs(t0, count, 0, p_.channels, in, pitch, p_.channels * pitch);
        for (int64_t x = 0; x < kMatrices; x++) multiply(x, all, count, weights, in, out, pitch);
        transform_outputs(t0, count, all, out, pitch);
      }
    });
  }

  // Few tiles: result channels are shared out, and their weights never leave the cache.
  void run_by_channels(void* (*allocate)(void*, int64_t), void* owner) const {
    constexpr int64_t kPanel = Blocks<float>::kRows, kCache = 1 << 20;
    const int64_t pitch = pitch_of(tiles_);
    auto* in = static_cast<float*>(allocate(owner, kMatrices * p_.channels * pitch * 4));
    parallel_for(0, p_.channels, max_of(1, 2048 / tiles_), [&](int64_t begin, int64_t end) {
      transform_inputs(0, tiles_, begin, end, in, pitch, p_.channels * pitch);
    });
    const int64_t fair = divide_up(p_.out_channels, 2 * get_num_threads() * kPanel);
    const int64_t fitting = max_of(1, kCache / (kMatrices * 4 * weight_pitch_ * kPanel));
    const int64_t rows = kPanel * min_of(fair, fitting);
    parallel_for(0, p_.out_channels, rows, [&](int64_t begin, int64_t end) {
      const Rows some{begin, end};
      float* weights = gemm::scratch_b.get<float>(kMatrices * rows * weight_pitch_);
      float* out = gemm::scratch_c.get<float>(kMatrices * rows * pitch);
      transform_weights(some, begin, end, weights);
      for (int64_t x = 0; x < kMatrices; x++) multiply(x, some, tiles_, weights, in, out, pitch);
      transform_outputs(0, tiles_, some, out, pitch);
    });
  }

  // The nine taps of `count` channels.
  PT_GEMM_INLINE void read_taps(const float* from, int count, V* g) const {
    if constexpr (kL >= 9) {  // taps lie side by side: rows of a square, whose columns are wanted
      V square[kL];
      PT_GEMM_UNROLL for (int i = 0; i < kL; i++) {
        square[i] = i < count ? load_n(from + i * p_.weight_in, 9) : V{};
      }
      gemm::transpose<float>(square);
      PT_GEMM_UNROLL for (int t = 0; t < 9; t++) g[t] = square[p_.turned ? 8 - t : t];
    } else {
      PT_GEMM_UNROLL for (int t = 0; t < 9; t++) {
        g[t] = load_strided(from + (p_.turned ? 8 - t : t), 0, count, p_.weight_in);
      }
    }
  }

  // weights[x][result channel of `rows`][channel] for the result channels [begin, end).
  void transform_weights(const Rows& rows, int64_t begin, int64_t end, float* weights) const {
    for (int64_t o = begin; o < end; o++) {
      for (int64_t c = 0; c < p_.channels; c += kL) {
        const int count = static_cast<int>(min_of<int64_t>(kL, p_.channels - c));
        V g[9], u[kMatrices];
        read_taps(p_.weight + o * p_.weight_out + c * p_.weight_in, count, g);
        both_ways<3, kIn>(
            g, u, [](const V* d, int step, V* to, int to_step) __attribute__((always_inline)) {
              Minimal<kTile>::weight(d, step, to, to_step);
            });
        float* to = weights + (o - rows.begin) * weight_pitch_ + c;
        PT_GEMM_UNROLL for (int x = 0; x < kMatrices; x++) {
          store(to + x * rows.count() * weight_pitch_, u[x]);
        }
      }
    }
  }

  // How a run of tiles reads the rows of an image.
  struct RunRead {
    int64_t offset;              // of the first row's first element
    int32_t first_row, end_row;  // rows inside the image
    LaneMask mask[2][kTile];     // of the vectors from the first element on, and a tile later
  };

  RunRead read_of(const Run& run) const {
    RunRead r;
    const int64_t row = run.q1 * kTile - p_.padding[0], column = run.q2 * kTile - p_.padding[1];
    r.offset = run.image * tiles_of_.image_step + row * p_.size[1] + column;
    r.first_row = static_cast<int32_t>(max_of(0, -row));
    r.end_row = static_cast<int32_t>(min_of<int64_t>(kIn, p_.size[0] - row));
    for (int later = 0; later < 2; later++) {
      for (int v = 0; v < kTile; v++) {
        int lo, hi;
        clip(column + later * kTile + v * kL, 1, p_.size[1], kL, &lo, &hi);
        r.mask[later][v] = lanes_between(lo, hi);
      }
    }
    return r;
  }

  // Elements [row][column] of the tiles of a run, to tiles[row * kIn + column] at `lane`.
  PT_GEMM_INLINE void read_tiles(const float* channel, const RunRead& r, float* tiles,
                                 int lane) const {
    for (int row = 0; row < kIn; row++) {
      float* to = tiles + row * kIn * kWidth + lane;
      if (row < r.first_row || row >= r.end_row) {
        PT_GEMM_UNROLL for (int c = 0; c < kIn; c++) store(to + c * kWidth, V{});
        continue;
      }
      const float* from = channel + r.offset + row * p_.size[1];
      V v[kTile], column[2 * kTile];
      PT_GEMM_UNROLL for (int i = 0; i < kTile; i++) v[i] = load_lanes(from + i * kL, r.mask[0][i]);
      take_apart<kTile, float>(v, column);
      PT_GEMM_UNROLL for (int i = 0; i < kTile; i++) {
        v[i] = load_lanes(from + kTile + i * kL, r.mask[1][i]);
      }
      take_apart<kTile, float>(v, column + kTile);
      PT_GEMM_UNROLL for (int c = 0; c < kIn; c++) store(to + c * kWidth, column[c]);
    }
  }

  // in[x][channel][tile] for some channels of the tiles [t0, t0 + count); from one x to the next
  // there are `step` elements.
  void transform_inputs(int64_t t0, int64_t count, int64_t c0, int64_t c1, float* in, int64_t pitch,
                        int64_t step) const {
    Run* runs = scratch_runs.get<Run>(count);
    const int num_runs = find_runs_by_group(t0, count, runs);
    RunRead* reads = scratch_reads.get<RunRead>(num_runs);
    for (int r = 0; r < num_runs; r++) reads[r] = read_of(runs[r]);
    alignas(64) float tiles[kMatrices * kWidth];
    for (int64_t c = c0; c < c1; c++) {
      const float* channel = p_.image + c * p_.size[0] * p_.size[1];
      for (int r = 0; r < num_runs;) {
        const int64_t group = runs[r].column / kL;
        for (; r < num_runs && runs[r].column / kL == group; r++) {
          read_tiles(channel, reads[r], tiles, runs[r].column % kL);
        }
        V d[kMatrices], u[kMatrices];
        PT_GEMM_UNROLL for (int x = 0; x < kMatrices; x++) d[x] = load(tiles + x * kWidth);
        both_ways<kIn, kIn>(
            d, u, [](const V* from, int step, V* to, int to_step) __attribute__((always_inline)) {
              Minimal<kTile>::input(from, step, to, to_step);
            });
        float* to = in + c * pitch + group * kL;
        PT_GEMM_UNROLL for (int x = 0; x < kMatrices; x++) { store(to + x * step, u[x]); }
      }
    }
  }

  // out[x] = weights[x] * in[x]
  void multiply(int64_t x, const Rows& all, int64_t count, const float* weights, const float* in,
                float* out, int64_t pitch) const {
    using B = Blocks<float>;
    const gemm::KernelTable<float>& kernels = gemm::kernel_table<float>();
    const float* a = weights + x * all.count() * weight_pitch_;
    const float* b = in + x * p_.channels * pitch;
    float* c = out + x * all.count() * pitch;
    for (int64_t k0 = 0, depth; k0 < p_.channels; k0 += depth) {
      depth = gemm::next_block(p_.channels - k0, B::kDepth);
      for (int64_t i = 0, rows; i < all.count(); i += rows) {
        rows = all.count() - i;
        if (rows > B::kRows) rows = rows >= 2 * B::kRows ? B::kRows : (rows + 1) / 2;
        for (int64_t j = 0; j < count; j += B::kColumns) {
          const int n = static_cast<int>(min_of<int64_t>(B::kColumns, count - j));
          const auto kernel = kernels.get(gemm::kByRow, static_cast<int>(rows), n);
          kernel(depth, a + i * weight_pitch_ + k0, weight_pitch_, b + k0 * pitch + j, pitch,
                 8 * pitch, c + i * pitch + j, pitch, n, k0 > 0);
        }
      }
    }
  }

  void transform_outputs(int64_t t0, int64_t count, const Rows& rows, const float* out,
                         int64_t pitch) const {
    Run* runs = scratch_runs.get<Run>(count);
    const int num_runs = find_runs_by_group(t0, count, runs);
    const int64_t plane = p_.out_size[0] * p_.out_size[1];
    alignas(64) float line[kTile * kL];
    for (int64_t c = rows.begin; c < rows.end; c++) {
      const RowFinish<float>& f = p_.finish;
      const V bias = gemm::broadcast<float>(f.bias ? f.bias[c] : 0.f);
      const V scale = gemm::broadcast<float>(f.scale ? f.scale[c] : 1.f);
      for (int r = 0, end; r < num_runs; r = end) {
        const int64_t group = runs[r].column / kL;
        for (end = r; end < num_runs && runs[end].column / kL == group;) end++;
        V m[kMatrices], o[kTile * kTile];
        const float* from = out + (c - rows.begin) * pitch + group * kL;
        PT_GEMM_UNROLL for (int x = 0; x < kMatrices; x++) {
          m[x] = load(from + x * rows.count() * pitch);
        }
        both_ways<kIn, kTile>(
            m, o, [](const V* d, int step, V* to, int to_step) __attribute__((always_inline)) {
              Minimal<kTile>::output(d, step, to, to_step);
            });
        PT_GEMM_UNROLL for (int row = 0; row < kTile; row++) {
          V pixels[kTile];
          PT_GEMM_UNROLL for (int i = 0; i < kTile; i++) {
            const V v = o[row * kTile + i] * scale + bias;
            o[row * kTile + i] = f.residual ? v : f.limit(v);
          }
          put_together<kTile>(o + row * kTile, pixels);
          PT_GEMM_UNROLL for (int i = 0; i < kTile; i++) store(line + i * kL, pixels[i]);
          for (int q = r; q < end; q++) write_line(runs[q], row, line, plane, c);
        }
      }
    }
  }

  // One row of the pixels of a run of tiles, into the image as far as it reaches.
  PT_GEMM_INLINE void write_line(const Run& run, int row, const float* line, int64_t plane,
                                 int64_t channel) const {
    const int64_t y = run.q1 * kTile + row, x = run.q2 * kTile;
    if (y >= p_.out_size[0]) return;
    const int width = static_cast<int>(min_of<int64_t>(run.count * kTile, p_.out_size[1] - x));
    float* to = p_.out + (run.image * p_.out_channels + channel) * plane + y * p_.out_size[1] + x;
    const float* from = line + run.column % kL * kTile;
    int i = 0;
    if (p_.finish.residual) {
      const float* more = p_.finish.residual + (to - p_.out);
      for (; i + kL <= width; i += kL) {
        store(to + i, p_.finish.limit(load(from + i) + load(more + i)));
      }
      if (i == width) return;
      const V v = load_n(from + i, width - i) + load_n(more + i, width - i);
      store_n(to + i, p_.finish.limit(v), width - i);
      return;
    }
    for (; i + kL <= width; i += kL) store(to + i, load(from + i));
    if (i < width) store_n(to + i, load_n(from + i, width - i), width - i);
  }

  // Runs that do not cross a multiple of kLanes tiles.
  int find_runs_by_group(int64_t t0, int64_t count, Run* runs) const {
    int n = 0;
    for (int64_t at = 0; at < count; at += kL) {
      const int found = find_runs(tiles_of_, t0 + at, min_of<int64_t>(kL, count - at), runs + n);
      for (int i = n; i < n + found; i++) runs[i].column += static_cast<int32_t>(at);
      n += found;
    }
    return n;
  }

  static constexpr int kWidth = 2 * kL;  // room for whole vectors at any lane
  const WinogradProblem& p_;
  ImageMatrix<float> tiles_of_;
  int64_t tiles_, weight_pitch_;
};

// Whether it can be done, and may be.
inline bool winograd_fits(const ConvArgs& p, bool gradient) {
  if (p.winograd_tile == 0 || p.groups != 1 || !is_flat(p)) return false;
  for (int d = 1; d < 3; d++) {
    if (p.kernel[d] != 3 || p.stride[d] != 1 || p.dilation[d] != 1) return false;
    if (gradient && p.padding[d] > 2) return false;
  }
  return true;
}

template <int kTile>
void run_winograd(const ConvArgs& p, const WinogradProblem& problem) {
  Winograd<kTile>(problem).run(p.allocate, p.owner);
}

inline void winograd(const ConvArgs& p, bool gradient) {
  WinogradProblem q;
  const int64_t taps = 9;
  q.image = static_cast<const float*>(gradient ? p.output : p.input);
  q.out = static_cast<float*>(gradient ? p.input : p.output);
  q.weight = static_cast<const float*>(p.weight);
  q.weight_out = gradient ? taps : p.in_channels * taps;
  q.weight_in = gradient ? p.in_channels * taps : taps;
  q.turned = gradient;
  q.finish = finish_of<float>(p, 0, 0);
  q.batch = p.batch;
  q.channels = gradient ? p.out_channels : p.in_channels;
  q.out_channels = gradient ? p.in_channels : p.out_channels;
  for (int d = 0; d < 2; d++) {
    q.size[d] = gradient ? p.out[d + 1] : p.in[d + 1];
    q.out_size[d] = gradient ? p.in[d + 1] : p.out[d + 1];
    q.padding[d] = gradient ? 2 - p.padding[d + 1] : p.padding[d + 1];
  }
  // Large tiles only where they do not reach far over the edges.
  const auto products = [&](int64_t tile) {
    return (tile + 2) * (tile + 2) * divide_up(q.out_size[0], tile) *
           divide_up(q.out_size[1], tile);
  };
  // Nor where there are few of them, which leaves lanes empty, or where many channels meet few:
  // making 36 weights of each 9 takes the time then.
  const int64_t large = q.batch * divide_up(q.out_size[0], 4) * divide_up(q.out_size[1], 4);
  const bool few = large < 32 || (large < 64 && q.channels * q.out_channels > 384 * 384);
  if (p.winograd_tile >= 4 && !few && products(4) < products(2)) {
    run_winograd<4>(p, q);
  } else {
    run_winograd<2>(p, q);
  }
}

}  // namespace pt::PT_ISA::conv
