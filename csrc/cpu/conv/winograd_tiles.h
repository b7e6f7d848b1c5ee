// The transformed tiles of an image: the side of the input of winograd.h and winograd_weight.h.
#pragma once

#include "cpu/conv/forward.h"
#include "cpu/conv/winograd_transforms.h"

namespace pt::PT_ISA::conv {

// An image of which overlapping tiles of kTile + 2 elements a side are read, kTile apart.
struct TiledImage {
  const float* image;  // [batch][channels][size]
  int64_t batch, channels;
  int64_t size[2], out_size[2], padding[2];
  const BFloat16* half_image = nullptr;  // instead, if not null
};

// Where the elements of transformed tiles go: from matrix to matrix, channel to channel, and from a
// group of tiles to the next.
struct TileSteps {
  int64_t matrix, channel, group;
};

template <int kTile>
class WinogradTiles {
  static constexpr int kIn = Minimal<kTile>::kInputs, kMatrices = kIn * kIn;
  static constexpr int kL = kLanes<float>;
  using V = Vec<float>;

 public:
  explicit WinogradTiles(const TiledImage& p) : p_(p) {
    grid_.image_step = p.channels * p.size[0] * p.size[1];
    grid_.grid[1] = divide_up(p.out_size[0], kTile);
    grid_.grid[2] = divide_up(p.out_size[1], kTile);
  }

  int64_t count() const { return p_.batch * grid_.pixels(); }
  const ImageMatrix<float>& grid() const { return grid_; }

  // The runs of the tiles [t0, t0 + count) that do not cross a multiple of `group`, at most kLanes.
  int find_runs_by_group(int64_t t0, int64_t count, int64_t group, Run* runs) const {
    int n = 0;
    for (int64_t at = 0; at < count; at += group) {
      const int found = find_runs(grid_, t0 + at, min_of(group, count - at), runs + n);
      for (int i = n; i < n + found; i++) runs[i].column += static_cast<int32_t>(at);
      n += found;
    }
    return n;
  }

  // Transforms the channels [c0, c1) of the tiles [t0, t0 + count), `group` of them at a time.
  void transform(int64_t t0, int64_t count, int group, int64_t c0, int64_t c1, float* out,
                 const TileSteps& steps) const {
    if (p_.half_image) {
      transform_image(p_.half_image, t0, count, group, c0, c1, out, steps);
    } else {
      transform_image(p_.image, t0, count, group, c0, c1, out, steps);
    }
  }

 private:
  template <class T>
  void transform_image(const T* image, int64_t t0, int64_t count, int group, int64_t c0, int64_t c1,
                       float* out, const TileSteps& steps) const {
    Run* runs = scratch_runs.get<Run>(count);
    const int num_runs = find_runs_by_group(t0, count, group, runs);
    RunRead* reads = scratch_reads.get<RunRead>(num_runs);
    for (int r = 0; r < num_runs; r++) reads[r] = read_of(runs[r]);
    alignas(64) float tiles[kMatrices * kWidth] = {};
    for (int64_t c = c0; c < c1; c++) {
      const T* channel = image + c * p_.size[0] * p_.size[1];
      float* to = out + c * steps.channel;
      for (int r = 0, end = 0; r < num_runs; to += steps.group) {
        for (end += group; r < num_runs && runs[r].column < end; r++) {
          read_tiles(channel, reads[r], tiles, runs[r].column - (end - group));
        }
        V d[kMatrices], u[kMatrices];
        PT_GEMM_UNROLL for (int x = 0; x < kMatrices; x++) d[x] = load(tiles + x * kWidth);
        both_ways<kIn, kIn>(
            d, u, [](const V* from, int step, V* o, int o_step) __attribute__((always_inline)) {
              Minimal<kTile>::input(from, step, o, o_step);
            });
        PT_GEMM_UNROLL for (int x = 0; x < kMatrices; x++) {
          group == kL ? store(to + x * steps.matrix, u[x])
                      : store_n(to + x * steps.matrix, u[x], group);
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
    r.offset = run.image * grid_.image_step + row * p_.size[1] + column;
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
  template <class T>
  PT_GEMM_INLINE void read_tiles(const T* channel, const RunRead& r, float* tiles, int lane) const {
    for (int row = 0; row < kIn; row++) {
      float* to = tiles + row * kIn * kWidth + lane;
      if (row < r.first_row || row >= r.end_row) {
        PT_GEMM_UNROLL for (int c = 0; c < kIn; c++) store(to + c * kWidth, V{});
        continue;
      }
      const T* from = channel + r.offset + row * p_.size[1];
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

  static constexpr int kWidth = 2 * kL;  // room for whole vectors at any lane
  TiledImage p_;
  ImageMatrix<float> grid_;
};

}  // namespace pt::PT_ISA::conv
