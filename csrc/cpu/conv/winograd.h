// 3x3 convolutions of stride 1 with fewer multiplications (see winograd_transforms.h).
//
// Tiles of m x m results: their inputs are transformed to (m + 2)^2 matrices, each is multiplied
// with the matrix of transformed weights, and the products are transformed back into the image.
// Tiles are the rows of the products, which fit their number to within a few, and channels of the
// result the columns. A block of tiles and a panel of channels stay in the L2 cache.
#pragma once

#include "core/parallel.h"
#include "cpu/conv/winograd_tiles.h"

namespace pt::PT_ISA::conv {

// One convolution: forward, or the gradient by the input with the weight turned around.
struct WinogradProblem {
  TiledImage in;
  const float* weight;
  int64_t weight_out, weight_in;  // steps from result channel to channel, input channel to channel
  bool turned;                    // taps in reverse order
  float* out;                     // [batch][out_channels][out_size]
  RowFinish<float> finish;
  int64_t out_channels;
  BFloat16* half_out = nullptr;  // instead of out, if not null
};

template <int kTile>
class Winograd {
  static constexpr int kIn = Minimal<kTile>::kInputs, kMatrices = kIn * kIn;
  static constexpr int kL = kLanes<float>;
  using V = Vec<float>;
  using B = Blocks<float>;
  static constexpr int kRows = B::kRows < kL ? B::kRows : kL, kPanel = 32;
  static constexpr int64_t kDepth = B::kDepth / 2;  // a panel of weights so deep fits the L1 cache

 public:
  explicit Winograd(const WinogradProblem& p)
      : p_(p), inputs_(p.in), tiles_(inputs_.count()), channels_(p.in.channels) {
    panels_ = divide_up(p.out_channels, kPanel);
    panel_step_ = apart(channels_ * kPanel);
  }

  void run(void* (*allocate)(void*, int64_t), void* owner) const {
    constexpr int64_t kCache = 5 << 18, kFewTiles = 112, kManyTiles = 336;
    const int64_t threads = get_num_threads();
    const int64_t fitting = kCache / (kMatrices * 4 * (channels_ + kPanel));
    int64_t blocks = divide_up(tiles_, min_of(max_of(fitting, kFewTiles), kManyTiles));
    if (threads > 1) blocks = gemm::round_up(blocks, threads);
    const int64_t block = divide_up(tiles_, blocks);
    const bool more_weights = blocks == 1 || 2 * tiles_ <= p_.out_channels;
    if (more_weights || (block < kFewTiles / 2 && panels_ >= threads)) {
      run_by_channels(allocate, owner);
    } else {
      run_by_tiles(block, allocate, owner);
    }
  }

 private:
  // A distance between matrices of `size` elements at which they do not share cache sets.
  static int64_t apart(int64_t size) { return gemm::round_up(size, 1024) + 2 * kLanes<float>; }

  // The transformed inputs of a block of tiles: [matrix][group of rows][channel][row].
  struct Block {
    int64_t first, count;
    int group;  // rows of a group
    TileSteps steps;
    Block(int64_t t0, int64_t n, int64_t channels) : first(t0), count(n) {
      const int64_t groups = divide_up(n, kRows);
      group = static_cast<int>(divide_up(n, groups));
      steps = {apart(groups * channels * group), group, channels * group};
    }
    int64_t size() const { return kMatrices * steps.matrix; }
  };

  // Many tiles: the weight is transformed once, blocks of tiles are shared out.
  void run_by_tiles(int64_t block, void* (*allocate)(void*, int64_t), void* owner) const {
    const int64_t panel_size = kMatrices * panel_step_;
    auto* weights = static_cast<float*>(allocate(owner, panels_ * panel_size * 4));
    parallel_for(0, panels_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; p++) {
        transform_weights(p, 0, channels_, weights + p * panel_size);
      }
    });
    parallel_for(0, divide_up(tiles_, block), 1, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; b++) {
        const Block tiles(b * block, min_of(block, tiles_ - b * block), channels_);
        float* in = gemm::scratch_b.get<float>(tiles.size());
        inputs_.transform(tiles.first, tiles.count, tiles.group, 0, channels_, in, tiles.steps);
        for (int64_t p = 0; p < panels_; p++) {
          compute(tiles, p, in,
                  [&](int64_t k0, int64_t) { return weights + p * panel_size + k0 * kPanel; });
        }
      }
    });
  }

  // Few tiles: result channels are shared out, and their weights never leave the cache.
  void run_by_channels(void* (*allocate)(void*, int64_t), void* owner) const {
    const Block tiles(0, tiles_, channels_);
    auto* in = static_cast<float*>(allocate(owner, tiles.size() * 4));
    parallel_for(0, channels_, max_of(1, 2048 / tiles_), [&](int64_t begin, int64_t end) {
      inputs_.transform(0, tiles_, tiles.group, begin, end, in, tiles.steps);
    });
    parallel_for(0, panels_, 1, [&](int64_t begin, int64_t end) {
      float* weights = gemm::scratch_b.get<float>(kMatrices * panel_step_);
      for (int64_t p = begin; p < end; p++) {
        compute(tiles, p, in, [&](int64_t k0, int64_t depth) {
          transform_weights(p, k0, k0 + depth, weights);
          return weights;
        });
      }
    });
  }

  // The nine taps of `count` result channels.
  PT_GEMM_INLINE void read_taps(const float* from, int count, V* g) const {
    if constexpr (kL >= 9) {  // taps lie side by side: rows of a square, whose columns are wanted
      V square[kL];
      PT_GEMM_UNROLL for (int i = 0; i < kL; i++) {
        square[i] = i < count ? load_n(from + i * p_.weight_out, 9) : V{};
      }
      gemm::transpose<float>(square);
      PT_GEMM_UNROLL for (int t = 0; t < 9; t++) g[t] = square[p_.turned ? 8 - t : t];
    } else {
      PT_GEMM_UNROLL for (int t = 0; t < 9; t++) {
        g[t] = load_strided(from + (p_.turned ? 8 - t : t), 0, count, p_.weight_out);
      }
    }
  }

  // weights[matrix][channel - c0][column] of the channels [c0, c1) of a panel of result channels.
  void transform_weights(int64_t panel, int64_t c0, int64_t c1, float* weights) const {
    for (int64_t v = 0; v < kPanel; v += kL) {
      const int64_t o = panel * kPanel + v;
      const int count = static_cast<int>(min_of<int64_t>(kL, p_.out_channels - o));
      if (count <= 0) return;
      const float* from = p_.weight + o * p_.weight_out + c0 * p_.weight_in;
      float* to = weights + v;
      for (int64_t c = c0; c < c1; c++, from += p_.weight_in, to += kPanel) {
        V g[9], u[kMatrices];
        read_taps(from, count, g);
        both_ways<3, kIn>(
            g, u, [](const V* d, int step, V* out, int to_step) __attribute__((always_inline)) {
              Minimal<kTile>::weight(d, step, out, to_step);
            });
        PT_GEMM_UNROLL for (int x = 0; x < kMatrices; x++) store(to + x * panel_step_, u[x]);
      }
    }
  }

  // The results of a block of tiles in the channels of a panel; weights(k0, depth) are those of the
  // input channels [k0, k0 + depth).
  template <class F>
  void compute(const Block& tiles, int64_t panel, const float* in, F weights) const {
    const int64_t o = panel * kPanel, step = apart(tiles.count * kPanel);
    const int columns = static_cast<int>(min_of<int64_t>(kPanel, p_.out_channels - o));
    float* sums = gemm::scratch_c.get<float>(kMatrices * step);
    for (int64_t k0 = 0, depth; k0 < channels_; k0 += depth) {
      depth = gemm::next_block(channels_ - k0, kDepth);
      add_products(tiles, in, weights(k0, depth), k0, depth, columns, sums, step);
    }
    for (int v = 0; v < columns; v += kL) {
      transform_outputs(tiles, o + v, min_of(kL, columns - v), sums + v, step);
    }
  }

  // sums[matrix][tile][column] are begun at k0 = 0, and added to from there on.
  void add_products(const Block& tiles, const float* in, const float* weights, int64_t k0,
                    int64_t depth, int columns, float* sums, int64_t step) const {
    const gemm::KernelTable<float>& kernels = gemm::kernel_table<float>();
    for (int x = 0; x < kMatrices; x++) {
      const float* a = in + x * tiles.steps.matrix + k0 * tiles.steps.channel;
      const float* b = weights + x * panel_step_;
      float* out = sums + x * step;
      for (int64_t i = 0; i < tiles.count; i += tiles.group, a += tiles.steps.group) {
        const int rows = static_cast<int>(min_of<int64_t>(tiles.group, tiles.count - i));
        for (int j = 0; j < columns; j += B::kColumns) {
          const int n = min_of(B::kColumns, columns - j);
          kernels.get(gemm::kByColumn, rows, n)(depth, a, tiles.group, b + j, kPanel, 8 * kPanel,
                                                out + i * kPanel + j, kPanel, n, k0 > 0);
        }
      }
    }
  }

  // Tiles next to each other give rows of pixels, for `count` channels in the lanes at once.
  void transform_outputs(const Block& tiles, int64_t channel, int count, const float* out,
                         int64_t step) const {
    constexpr int kSide = kL / kTile;  // tiles that make a vector of pixels
    const RowFinish<float>& f = p_.finish;
    const V bias = f.bias ? load_n(f.bias + channel, count) : V{};
    const V scale = f.scale ? load_n(f.scale + channel, count) : V{} + 1.f;
    const ImageMatrix<float>& grid = inputs_.grid();
    V pixels[kTile][kL] = {};
    for (int64_t t = 0, side; t < tiles.count; t += side) {
      const int64_t tile = tiles.first + t, row = tile / grid.grid[2], q2 = tile % grid.grid[2];
      const int64_t q1 = row % grid.grid[1], image = row / grid.grid[1];
      side = min_of<int64_t>(min_of<int64_t>(kSide, grid.grid[2] - q2), tiles.count - t);
      for (int64_t i = 0; i < side; i++) {
        V m[kMatrices], o[kTile * kTile];
        const float* from = out + (t + i) * kPanel;
        PT_GEMM_UNROLL for (int x = 0; x < kMatrices; x++) m[x] = load(from + x * step);
        both_ways<kIn, kTile>(
            m, o, [](const V* d, int s, V* to, int to_step) __attribute__((always_inline)) {
              Minimal<kTile>::output(d, s, to, to_step);
            });
        PT_GEMM_UNROLL for (int y = 0; y < kTile; y++) {
          PT_GEMM_UNROLL for (int x = 0; x < kTile; x++) {
            const V v = o[y * kTile + x] * scale + bias;
            pixels[y][i * kTile + x] = f.residual ? v : f.limit(v);
          }
        }
      }
      const int64_t height = min_of<int64_t>(kTile, p_.in.out_size[0] - q1 * kTile);
      const int64_t width = min_of<int64_t>(side * kTile, p_.in.out_size[1] - q2 * kTile);
      const int64_t at = ((image * p_.out_channels + channel) * p_.in.out_size[0] + q1 * kTile) *
                             p_.in.out_size[1] +
                         q2 * kTile;
      for (int64_t y = 0; y < height; y++) {
        write_row(pixels[y], at + y * p_.in.out_size[1], static_cast<int>(width), count);
      }
    }
  }

  // A row of `width` pixels of `count` channels, to the image at `at` in the first channel.
  PT_GEMM_INLINE void write_row(const V* pixels, int64_t at, int width, int count) const {
    const int64_t plane = p_.in.out_size[0] * p_.in.out_size[1];
    V rows[kL];
    PT_GEMM_UNROLL for (int i = 0; i < kL; i++) rows[i] = pixels[i];
    gemm::transpose<float>(rows);
    if (p_.half_out) {
      write_channels(rows, p_.half_out, at, plane, width, count);
    } else {
      write_channels(rows, p_.out, at, plane, width, count);
    }
  }

  template <class T>
  PT_GEMM_INLINE void write_channels(V* rows, T* out, int64_t at, int64_t plane, int width,
                                     int count) const {
    const RowFinish<float>& f = p_.finish;
    PT_GEMM_UNROLL for (int i = 0; i < kL; i++) {
      if (i < count) {
        if (f.residual) rows[i] = f.limit(rows[i] + load_n(f.residual + at + i * plane, width));
        width == kL ? store(out + at + i * plane, rows[i])
                    : store_n(out + at + i * plane, rows[i], width);
      }
    }
  }

  const WinogradProblem& p_;
  WinogradTiles<kTile> inputs_;
  int64_t tiles_, channels_, panels_, panel_step_;
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
  TiledImage& in = q.in;
  in.image = static_cast<const float*>(gradient ? p.output : p.input);
  in.batch = p.batch;
  in.channels = gradient ? p.out_channels : p.in_channels;
  for (int d = 0; d < 2; d++) {
    in.size[d] = gradient ? p.out[d + 1] : p.in[d + 1];
    in.out_size[d] = gradient ? p.in[d + 1] : p.out[d + 1];
    in.padding[d] = gradient ? 2 - p.padding[d + 1] : p.padding[d + 1];
  }
  q.out = static_cast<float*>(gradient ? p.input : p.output);
  if (p.half_input) in.half_image = static_cast<const BFloat16*>(p.input);
  if (p.half_output) q.half_out = static_cast<BFloat16*>(p.output);
  q.out_channels = gradient ? p.in_channels : p.out_channels;
  q.weight = static_cast<const float*>(p.weight);
  q.weight_out = gradient ? taps : p.in_channels * taps;
  q.weight_in = gradient ? p.in_channels * taps : taps;
  q.turned = gradient;
  q.finish = finish_of<float>(p, 0, 0);
  // Large tiles only where they do not reach far over the edges.
  const auto products = [&](int64_t tile) {
    return (tile + 2) * (tile + 2) * divide_up(in.out_size[0], tile) *
           divide_up(in.out_size[1], tile);
  };
  // Nor where there are few of them, which leaves lanes empty, or where many channels meet few:
  // making 36 weights of each 9 takes the time then.
  const int64_t large = in.batch * divide_up(in.out_size[0], 4) * divide_up(in.out_size[1], 4);
  const bool few = large < 32 || (large < 64 && in.channels * q.out_channels > 384 * 384);
  if (p.winograd_tile >= 4 && !few && products(4) < products(2)) {
    run_winograd<4>(p, q);
  } else {
    run_winograd<2>(p, q);
  }
}

}  // namespace pt::PT_ISA::conv
