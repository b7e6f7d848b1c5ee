// The convolution and its gradient by the input on the bfloat16 units.
//
// Tiles of B are read straight from planes (unit_image.h) whose channels are interleaved by pairs:
// nothing is unfolded, each tap starts at another place. The weight is packed once per call, tap
// after tap. A task owns some images, or rows of one, for which it makes planes that stay in the L2
// cache while all rows of the weight pass by. Sums stay in registers for their whole depth.
#pragma once

#include "cpu/conv/unit_choice.h"
#include "cpu/conv/unit_pack.h"

#if defined(PT_ISA_IS_AVX512)

namespace pt::PT_ISA::conv {

inline constexpr Scratch scratch_planes{ScratchUse::kImagePlanes};

// The rows [q0, q0 + rows) of results of one image as planes of pairs: [pair][residue][plane][2].
// Low parts follow `low` numbers later.
template <int kParts, class T>
void make_pairs(const UnitImage<T>& m, const T* image, int64_t q0, int64_t rows, int64_t plane,
                uint16_t* to, int64_t low) {
  using N = Numbers<T, kParts>;
  const gemm::Interleave zip;
  const int64_t width = m.width(), height = m.height(rows), residues = m.residues();
  const int64_t planes = divide_up(m.lines(), kTileDepth) * kTileRows * residues;
  with_step(m.x.step, [&](auto step) {
    constexpr int kStep = decltype(step)::value;
    gemm::FiniteCheck check;
    for (int64_t p = 0; p < planes; p++) {
      const int64_t line = p / residues * 2, r = p % residues;
      const PlaneReader<T> first(m, image, line, r), second(m, image, line + 1, r);
      uint16_t* out = to + p * plane * 2;
      for (int64_t q = q0; q < q0 + height; q++, out += 2 * width) {
        const T* a = first.row(q);
        const T* b = second.row(q);
        for (int64_t i = 0; i < width; i += 32) {  // the next row overwrites what is too much
          const N x = first.template load<kStep, kParts>(a, i, check);
          const N y = second.template load<kStep, kParts>(b, i, check);
          N::put_pairs(zip, x, y, out + 2 * i, out + 2 * i + 32, low);
        }
      }
    }
  });
}

// Stores the sums of 32 pixels of a plane's run, from `begin` on, of rows [i, i + count).
template <class T>
void store_pixels(const UnitProduct<T>& p, const float* sums, int64_t i, int64_t count, T* out,
                  int64_t begin, int64_t rows) {
  const int64_t width = p.matrix.width(), grid = p.matrix.x.grid;
  out += i * p.out_row;
  int64_t y = begin / width, x = begin % width;
  for (int64_t column = 0; column < kBlock && y < rows; y++, x = 0) {
    const int64_t n = min_of(grid - x, kBlock - column);
    T* to = out + y * p.out_y + x * p.out_x;
    const float* from = sums + column;
    const uint32_t mask = gemm::mask_of(n);
    for (int64_t r = 0; n > 0 && r < count; r++, from += kBlock, to += p.out_row) {
      __m512 low = _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask & 0xffffu), from);
      __m512 high = _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask >> 16), from + 16);
      if (p.scale) {
        const __m512 scale = _mm512_set1_ps(static_cast<float>(p.scale[i + r]));
        low = low * scale, high = high * scale;
      }
      if (p.bias) {
        const __m512 bias = _mm512_set1_ps(static_cast<float>(p.bias[i + r]));
        low = low + bias, high = high + bias;
      }
      if (p.residual) {
        __m512 low_more, high_more;
        gemm::load_floats(p.residual + (to - p.out), n, &low_more, &high_more);
        low = low + low_more, high = high + high_more;
      }
      low = gemm::limited(low, p.least, p.most), high = gemm::limited(high, p.least, p.most);
      if (p.out_x == 1) {
        gemm::store_32(to, low, high, n);
      } else {
        T values[kBlock];
        gemm::store_32(values, low, high, kBlock);
        for (int64_t l = 0; l < n; l++) to[l * p.out_x] = values[l];
      }
    }
    column += width - x;
  }
}

// How the images are cut into tasks: `images` whole ones together, or `rows` rows of one.
struct UnitCut {
  int64_t images, rows, plane, image_size;  // planes and images of pairs, in numbers
  int64_t row_parts;                        // of the weight
};

template <int kParts, class T>
UnitCut cut_images(const UnitProduct<T>& p, int64_t batch, int64_t threads) {
  constexpr int64_t kBytes = 768 * 1024 / kParts;
  const UnitImage<T>& m = p.matrix;
  const int64_t planes = p.steps() * kTileRows * m.residues();
  // Rows of a tile are a plane apart: an odd number of cache lines, so that they do not collide.
  const auto plane_of = [&](int64_t rows) {
    return (divide_up(m.height(rows) * m.width() + m.width() + 64, 16) | 1) * 16;
  };
  UnitCut cut{1, m.y.grid, 0, 0, 1};
  if (batch < 2 * threads) {  // pieces for all threads, if they fill blocks
    const int64_t fair = divide_up(m.y.grid * batch, 2 * threads);
    cut.rows = min_of(m.y.grid, max_of(fair, divide_up(4 * kBlock, m.width())));
  }
  while (cut.rows > 1 && plane_of(cut.rows) * planes * 4 > kBytes &&
         cut.rows * m.width() > 4 * kBlock) {
    cut.rows = divide_up(cut.rows, 2);
  }
  cut.rows = divide_up(m.y.grid, divide_up(m.y.grid, cut.rows));
  cut.plane = plane_of(cut.rows);
  cut.image_size = planes * cut.plane * 2;
  if (cut.rows == m.y.grid) {
    cut.images = min_of(max_of(1, kBytes / (cut.image_size * 2)), divide_up(batch, 2 * threads));
  }
  const int64_t tasks = divide_up(batch, cut.images) * divide_up(m.y.grid, cut.rows);
  if (tasks < threads) cut.row_parts = min_of(threads, divide_up(p.rows, kBlock));
  return cut;
}

template <bool kTiles, int kParts, class T>
void run_unit_task(const UnitProduct<T>& p, const UnitCut& cut, const uint16_t* weight,
                   int64_t image0, int64_t images, int64_t q0, int64_t rows, int64_t i0,
                   int64_t i1) {
  const UnitImage<T>& m = p.matrix;
  const int64_t low = images * cut.image_size;  // from planes of high parts to those of low ones
  uint16_t* planes = scratch_planes.get<uint16_t>(kParts * low + 64);
  int64_t jumps[kMostUnitTaps];
  for (int64_t t = 0; t < p.jumps(); t++) jumps[t] = 2 * m.tap_start(t, cut.plane);
  for (int64_t n = 0; n < images; n++) {
    make_pairs<kParts>(m, m.image + (image0 + n) * m.image_step, q0, rows, cut.plane,
                       planes + n * cut.image_size, low);
  }
  alignas(64) float sums[kBlock * kBlock];
  const int64_t pixels = (rows - 1) * m.width() + m.x.grid;
  const int64_t row = m.residues() * cut.plane * 2;
  const gemm::TileWalk walk{p.steps(), jumps, p.jumps()};
  for (int64_t i = i0; i < i1; i += kBlock) {
    const int64_t count = min_of<int64_t>(kBlock, i1 - i);
    const gemm::TileOperand a{weight + i / kBlock * p.panel(), kTileDepth, kTileSize, 2 * kTileSize,
                              p.packed_size()};
    for (int64_t n = 0; n < images; n++) {
      T* out = p.out + (image0 + n) * p.out_image + q0 * p.out_y;
      for (int64_t j = 0; j < pixels; j += kBlock) {
        const gemm::TileOperand b{planes + n * cut.image_size + 2 * j, row, 2 * kTileRows,
                                  kTileRows * row, low};
        gemm::multiply_block<kTiles, kParts>(walk, a, count > kTileRows ? 2 : 1, b,
                                             pixels - j > kTileRows ? 2 : 1, sums, kBlock, false);
        store_pixels(p, sums, i, count, out, j, rows);
      }
    }
  }
}

template <bool kTiles, int kParts, class T>
void run_unit_product(const UnitProduct<T>& p, int64_t batch, const uint16_t* weight,
                      gemm::InfinityWatch& watch) {
  const UnitImage<T>& m = p.matrix;
  const int64_t work =
      2 * batch * m.y.grid * m.x.grid * p.rows * p.jumps() * p.steps() * kTileDepth;
  const int64_t threads = work < 4'000'000 ? 1 : get_num_threads();
  const UnitCut cut = cut_images<kParts>(p, batch, threads);
  const int64_t bands = divide_up(m.y.grid, cut.rows), parts = cut.row_parts;
  const int64_t part = round_up(divide_up(p.rows, parts), kBlock);
  const int64_t tasks = divide_up(batch, cut.images) * bands * parts;
  const auto run = [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; task++) {
      const int64_t i = task % parts * part, band = task / parts % bands;
      const int64_t image = task / parts / bands * cut.images, q = band * cut.rows;
      if (i >= p.rows) continue;
      run_unit_task<kTiles, kParts>(p, cut, weight, image, min_of(cut.images, batch - image), q,
                                    min_of(cut.rows, m.y.grid - q), i, min_of(p.rows, i + part));
    }
  };
  const auto chunk = [&](int64_t begin, int64_t end) {
    const gemm::InfinityWatch::Share share(watch);
    if constexpr (kTiles) {
      const gemm::TileSession session;
      run(begin, end);
    } else {
      run(begin, end);
    }
  };
  if (threads == 1) {
    chunk(0, tasks);
  } else {
    parallel_for(0, tasks, 1, chunk);
  }
}

// Packs the weight and computes; false where numbers in two parts are not finite.
template <class T>
bool multiply_images(const ConvArgs& p, const UnitProduct<T>& product) {
  gemm::InfinityWatch watch;
  const int64_t size = product.packed_size(), taps = volume(p.kernel), parts = p.two_parts ? 2 : 1;
  auto* weight = static_cast<uint16_t*>(p.allocate(p.owner, parts * size * 2));
  if (parts == 2) {
    if constexpr (std::is_same_v<T, float>) {
      pack_unit_weight<2>(product, taps, weight, watch);
      run_unit_product<true, 2>(product, p.batch, weight, watch);
    }
    return !watch.met();
  }
  pack_unit_weight<1>(product, taps, weight, watch);
  if (bfloat16_unit() == BFloat16Unit::kTiles) {
    run_unit_product<true, 1>(product, p.batch, weight, watch);
  } else {
    run_unit_product<false, 1>(product, p.batch, weight, watch);
  }
  return !watch.met();
}

template <class T>
bool unit_forward(const ConvArgs& p) {
  if (!units_fit(p) || !parts_fit_product(p, p.out_channels, p.in_channels)) return false;
  const int64_t in_plane = volume(p.in), out_plane = volume(p.out), taps = volume(p.kernel);
  for (int64_t g = 0; g < p.groups; g++) {
    UnitProduct<T> q;
    UnitImage<T>& m = q.matrix;
    m.image = static_cast<const T*>(p.input) + g * p.in_channels * in_plane;
    m.image_step = p.groups * p.in_channels * in_plane;
    m.channel_step = in_plane;
    m.channels = p.in_channels;
    m.y = {p.in[1], p.out[1], p.stride[1], p.kernel[1], -p.padding[1], p.dilation[1]};
    m.x = {p.in[2], p.out[2], p.stride[2], p.kernel[2], -p.padding[2], p.dilation[2]};
    q.w_row = p.in_channels * taps, q.w_channel = taps;
    q.weight = static_cast<const T*>(p.weight) + g * p.out_channels * q.w_row;
    for (int64_t t = 0; t < taps; t++) q.taps[t] = static_cast<int32_t>(t);
    q.rows = p.out_channels;
    q.out = static_cast<T*>(p.output) + g * p.out_channels * out_plane;
    q.out_image = p.groups * p.out_channels * out_plane;
    q.out_row = out_plane, q.out_y = p.out[2];
    if (p.bias) q.bias = static_cast<const T*>(p.bias) + g * p.out_channels;
    if (p.scale) q.scale = static_cast<const T*>(p.scale) + g * p.out_channels;
    if (p.residual) {
      q.residual = static_cast<const T*>(p.residual) + g * p.out_channels * out_plane;
    }
    q.least = static_cast<float>(p.least), q.most = static_cast<float>(p.most);
    if (join_rows(&m)) q.out_y = 0;
    if (!multiply_images(p, q)) return false;
  }
  return true;
}

// One residue of the input's positions in each dimension is a convolution of the output.
template <class T>
bool unit_gradient_phase(const ConvArgs& p, const Phase& fy, const Phase& fx) {
  const int64_t in_plane = volume(p.in), out_plane = volume(p.out), taps = volume(p.kernel);
  for (int64_t g = 0; g < p.groups; g++) {
    UnitProduct<T> q;
    UnitImage<T>& m = q.matrix;
    m.image = static_cast<const T*>(p.output) + g * p.out_channels * out_plane;
    m.image_step = p.groups * p.out_channels * out_plane;
    m.channel_step = out_plane;
    m.channels = p.out_channels;
    m.y = {p.out[1], fy.count, 1, fy.taps, fy.shift, fy.step};
    m.x = {p.out[2], fx.count, 1, fx.taps, fx.shift, fx.step};
    q.w_row = taps, q.w_channel = p.in_channels * taps;
    q.weight = static_cast<const T*>(p.weight) + g * p.out_channels * q.w_channel;
    for (int64_t ty = 0; ty < fy.taps; ty++) {
      for (int64_t tx = 0; tx < fx.taps; tx++) {
        q.taps[ty * fx.taps + tx] =
            static_cast<int32_t>((fy.first + ty * fy.next) * p.kernel[2] + fx.first + tx * fx.next);
      }
    }
    q.rows = p.in_channels;
    q.out = static_cast<T*>(p.input) + g * p.in_channels * in_plane + fy.begin * p.in[2] + fx.begin;
    q.out_image = p.groups * p.in_channels * in_plane;
    q.out_row = in_plane;
    q.out_y = fy.count == 1 ? 0 : p.stride[1] * p.in[2];
    q.out_x = fx.count == 1 ? 1 : p.stride[2];
    if (p.bias) q.bias = static_cast<const T*>(p.bias) + g * p.in_channels;
    if (q.out_x == 1 && q.out_y == fx.count && join_rows(&m)) q.out_y = 0;
    if (!multiply_images(p, q)) return false;
  }
  return true;
}

template <class T>
bool unit_input_gradient(const ConvArgs& p) {
  if (!units_fit(p) || !parts_fit_product(p, p.in_channels, p.out_channels)) return false;
  const int64_t phases_y = min_of(p.stride[1], p.in[1]), phases_x = min_of(p.stride[2], p.in[2]);
  bool gaps = false;
  for (int d = 1; d < 3; d++) {
    gaps = gaps || p.stride[d] > p.kernel[d] || greatest_divisor(p.stride[d], p.dilation[d]) > 1;
  }
  if (gaps) fill_with_bias<T>(p);
  for (int64_t y = 0; y < phases_y; y++) {
    const Phase fy = find_phase(p, 1, y);
    for (int64_t x = 0; x < (fy.taps ? phases_x : 0); x++) {
      const Phase fx = find_phase(p, 2, x);
      if (fx.taps && !unit_gradient_phase<T>(p, fy, fx)) return false;
    }
  }
  return true;
}

}  // namespace pt::PT_ISA::conv

#endif
