// The gradient of a convolution by its weight on the bfloat16 units.
//
// sums[tap][channel, co] = sum over pixels of plane[channel, pixel + tap] * output[co, pixel]. A
// tile of A is 16 channels of 32 pixels, read in place from planes (unit_image.h), of B 32 pixels
// of 16 channels of the output, packed once per chunk; between the rows of the result the output
// has zeros. Chunks of images that fit the L2 cache follow each other; threads share the sums.
#pragma once

#include "cpu/conv/unit_choice.h"
#include "cpu/conv/unit_pack.h"

#if defined(PT_ISA_IS_AVX512)

namespace pt::PT_ISA::conv {

template <class T>
struct UnitWeight {
  UnitImage<T> matrix;
  const T* output = nullptr;
  int64_t image_step = 0, channel_step = 0, channels = 0;  // of the output
  // Chunk: `images` images, or `rows` rows of one; sizes in numbers.
  int64_t images = 1, rows = 1, span = 0, pixels = 0, pitch = 0, b_panel = 0;

  int64_t lines() const { return round_up(matrix.lines(), kBlock); }
  int64_t columns() const { return round_up(channels, kBlock); }
  int64_t taps() const { return matrix.unfolded() ? 1 : matrix.num_taps(); }
  // Of all planes and panels of one part.
  int64_t planes_size() const { return lines() * matrix.residues() * pitch + 64; }
  int64_t panels_size() const { return columns() / kBlock * b_panel + 64; }
};

template <class T>
void cut_weight_chunks(UnitWeight<T>* w, int64_t batch, int64_t parts) {
  const int64_t kBytes = 1024 * 1024 / parts;
  const UnitImage<T>& m = w->matrix;
  const int64_t per_pixel = 2 * (w->lines() * m.residues() + w->columns());
  const int64_t row = m.width() * per_pixel;
  const int64_t image = m.height(m.y.grid) * row;
  w->rows = m.y.grid;
  if (image <= kBytes) {
    w->images = max_of(1, min_of(batch, kBytes / image));
  } else {
    const int64_t fits = max_of(divide_up(512, m.width()), kBytes / row - m.height(0));
    w->rows = divide_up(m.y.grid, divide_up(m.y.grid, max_of(1, fits)));
  }
  w->span = m.height(w->rows) * m.width();  // of one image in the chunk
  w->pixels = round_up((w->images - 1) * w->span + w->rows * m.width(), kTileDepth);
  // Planes end in zeros, so that the last tiles read numbers.
  const int64_t length = max_of(w->images * w->span, w->pixels) + m.height(0) * m.width() + 64;
  w->pitch = (divide_up(length, 32) | 1) * 32;
  w->b_panel = w->pixels * kBlock;
}

// Planes of the lines [begin, end) of a chunk: [line][residue][image][row].
template <int kParts, class T>
void make_planes(const UnitWeight<T>& w, int64_t image0, int64_t images, int64_t q0, int64_t rows,
                 int64_t begin, int64_t end, uint16_t* to) {
  const UnitImage<T>& m = w.matrix;
  const int64_t residues = m.residues(), width = m.width(), height = m.height(rows);
  const int64_t low = w.planes_size();
  with_step(m.x.step, [&](auto step) {
    constexpr int kStep = decltype(step)::value;
    gemm::FiniteCheck check;
    for (int64_t p = begin * residues; p < end * residues; p++) {
      uint16_t* plane = to + p * w.pitch;
      uint16_t* out = plane;
      for (int64_t n = 0; n < (p < m.lines() * residues ? images : 0); n++) {
        const PlaneReader<T> reader(m, m.image + (image0 + n) * m.image_step, p / residues,
                                    p % residues);
        out = plane + n * w.span;
        for (int64_t q = q0; q < q0 + height; q++, out += width) {
          const T* row = reader.row(q);
          for (int64_t i = 0; i < width; i += 32) {  // the next row overwrites what is too much
            reader.template load<kStep, kParts>(row, i, check).put(out + i, low);
          }
        }
      }
      for (; out + 32 <= plane + w.pitch; out += 32) Numbers<T, kParts>{}.put(out, low);
      const auto rest = gemm::mask_of(plane + w.pitch - out);
      Numbers<T, kParts>{}.put(out, low, rest);
    }
  });
}

// The output's channels [c0, c0 + 32) of a chunk as tiles of B.
template <int kParts, class T>
void make_output_panel(const UnitWeight<T>& w, int64_t image0, int64_t images, int64_t q0,
                       int64_t rows, int64_t c0, uint16_t* to) {
  const UnitImage<T>& m = w.matrix;
  const int64_t room = w.pixels + m.width() + 64;
  const int64_t low = kBlock * room;
  gemm::FiniteCheck check;
  auto* flat = gemm::scratch_tile_a.get<uint16_t>(kParts * low);
  const int64_t count = min_of<int64_t>(kBlock, w.channels - c0), grid = m.x.grid;
  for (int64_t c = 0; c < count; c++) {
    uint16_t* line = flat + c * room;
    for (int64_t i = 0; i < w.pixels; i += 32) Numbers<T, kParts>{}.put(line + i, low);
    for (int64_t n = 0; n < images; n++) {
      const T* from =
          w.output + (image0 + n) * w.image_step + (c0 + c) * w.channel_step + q0 * grid;
      for (int64_t q = 0; q < rows; q++) {
        uint16_t* row = line + n * w.span + q * m.width();
        for (int64_t i = 0; i < grid; i += 32) {
          const uint32_t mask = gemm::mask_of(grid - i);
          Numbers<T, kParts>::load(from + q * grid + i, mask, check).put(row + i, low, mask);
        }
      }
    }
  }
  for (int part = 0; part < kParts; part++) {
    const auto* numbers = reinterpret_cast<const BFloat16*>(flat + part * low);
    const gemm::Lines<BFloat16> lines{numbers, room, 1, count, w.pixels};
    gemm::pack_panels<true>(lines, 0, to + part * w.panels_size());
  }
}

// One chunk's share of the sums of 32 lines and 32 channels of the output, under all taps.
template <bool kTiles, int kParts, class T>
void add_chunk(const UnitWeight<T>& w, const uint16_t* planes, const uint16_t* panels, int64_t l,
               int64_t c, bool add, float* sums) {
  const UnitImage<T>& m = w.matrix;
  const int64_t row = m.residues() * w.pitch, steps = w.pixels / kTileDepth;
  const int a_tiles = m.lines() - l > kTileRows ? 2 : 1;
  const int b_tiles = w.channels - c > kTileRows ? 2 : 1;
  const gemm::TileOperand b{panels + c / kBlock * w.b_panel, kTileDepth, kTileSize, 2 * kTileSize,
                            w.panels_size()};
  for (int64_t t = 0; t < w.taps(); t++) {
    const gemm::TileOperand a{planes + l * row + m.tap_start(t, w.pitch), row, kTileRows * row,
                              kTileDepth, w.planes_size()};
    float* to = sums + (t * w.lines() + l) * w.columns() + c;
    gemm::multiply_block<kTiles, kParts>({steps, gemm::kNoJump, 1}, a, a_tiles, b, b_tiles, to,
                                         w.columns(), add);
  }
}

// Vectors of 32 lines of each tap of one channel of the output; `sums` is row 0 of the lines.
template <class T>
PT_GEMM_INLINE void turn_sums(const UnitWeight<T>& w, const float* sums, float* to) {
  for (int64_t l = 0; l < kBlock; l += kTileRows) {
    Vec<float> r[kTileRows];
    PT_GEMM_UNROLL for (int i = 0; i < kTileRows; i++) {
      r[i] = gemm::load(sums + (l + i) * w.columns());
    }
    gemm::transpose<float>(r);
    PT_GEMM_UNROLL for (int i = 0; i < kTileRows; i++) gemm::store(to + i * kBlock + l, r[i]);
  }
}

// The taps of n of 32 lines, tap t's at from + t * pitch, line after line.
PT_GEMM_INLINE void store_taps(const float* from, int64_t pitch, int64_t taps, int64_t n,
                               float* to) {
  if (taps == 1) {
    for (int64_t i = 0; i < n; i += kTileRows) {
      store_n(to + i, load(from + i), static_cast<int>(min_of<int64_t>(kTileRows, n - i)));
    }
    return;
  }
  for (int64_t i = 0; i < n; i += kTileRows) {
    Vec<float> square[kTileRows];
    PT_GEMM_UNROLL for (int t = 0; t < kTileRows; t++) {
      square[t] = t < taps ? load(from + t * pitch + i) : Vec<float>{};
    }
    gemm::transpose<float>(square);
    PT_GEMM_UNROLL for (int l = 0; l < kTileRows; l++) {
      if (i + l < n) store_n(to + (i + l) * taps, square[l], static_cast<int>(taps));
    }
  }
}

// weight[co][line or (channel, tap)] from the sums.
template <class T>
void store_weight(const UnitWeight<T>& w, const float* sums, T* weight) {
  constexpr bool kNarrow = std::is_same_v<T, BFloat16>;
  const int64_t lines = w.matrix.lines(), taps = w.taps(), row = lines * taps;
  const int64_t blocks = divide_up(w.channels, kTileRows);
  const bool shuffled = kNarrow && taps <= TapShuffle::kMostTaps;
  const TapShuffle shuffle(shuffled ? static_cast<int>(taps) : 0);
  parallel_for(0, blocks, max_of(1, 4096 / row), [&](int64_t begin, int64_t end) {
    constexpr int64_t kSquare = kTileRows * kBlock;
    float* turned = scratch_turned.get<float>(taps * kSquare);  // [tap][channel][line]
    __m512i of_taps[TapShuffle::kMostTaps];
    for (int64_t q = begin; q < end; q++) {
      const int64_t c0 = q * kTileRows, count = min_of<int64_t>(kTileRows, w.channels - c0);
      for (int64_t l = 0; l < lines; l += kBlock) {
        const int64_t n = min_of<int64_t>(kBlock, lines - l), length = n * taps;
        for (int64_t t = 0; t < taps; t++) {
          turn_sums(w, sums + (t * w.lines() + l) * w.columns() + c0, turned + t * kSquare);
        }
        for (int64_t c = 0; c < count; c++) {
          T* to = weight + (c0 + c) * row + l * taps;
          const float* from = turned + c * kBlock;
          if (shuffled) {
            for (int64_t t = 0; t < taps; t++) {
              const float* v = from + t * kSquare;
              of_taps[t] = gemm::narrow(_mm512_loadu_ps(v), _mm512_loadu_ps(v + 16));
            }
            for (int64_t i = 0; 32 * i < length; i++) {
              _mm512_mask_storeu_epi16(to + 32 * i, gemm::mask_of(length - 32 * i),
                                       shuffle.scatter(of_taps, i));
            }
          } else if (!kNarrow && taps <= kTileRows) {
            store_taps(from, kSquare, taps, n, reinterpret_cast<float*>(to));
          } else {
            for (int64_t i = 0; i < n; i++) {
              for (int64_t t = 0; t < taps; t++) {
                to[i * taps + t] = static_cast<T>(from[t * kSquare + i]);
              }
            }
          }
        }
      }
    }
  });
}

template <bool kTiles, int kParts, class T>
bool run_unit_weight(const ConvArgs& p, const UnitWeight<T>& w, T* weight) {
  const UnitImage<T>& m = w.matrix;
  auto* planes = static_cast<uint16_t*>(p.allocate(p.owner, 2 * kParts * w.planes_size()));
  auto* panels = static_cast<uint16_t*>(p.allocate(p.owner, 2 * kParts * w.panels_size()));
  auto* sums = static_cast<float*>(p.allocate(p.owner, 4 * w.taps() * w.lines() * w.columns()));
  const int64_t line_blocks = w.lines() / kBlock, column_blocks = w.columns() / kBlock;
  const int64_t cells = line_blocks * column_blocks;
  const auto compute = [&](bool add, int64_t begin, int64_t end) {
    for (int64_t cell = begin; cell < end; cell++) {
      add_chunk<kTiles, kParts>(w, planes, panels, cell / column_blocks * kBlock,
                                cell % column_blocks * kBlock, add, sums);
    }
  };
  gemm::InfinityWatch watch;
  for (int64_t n = 0; n < p.batch; n += w.images) {
    const int64_t images = min_of(w.images, p.batch - n);
    for (int64_t q = 0; q < m.y.grid; q += w.rows) {
      const int64_t rows = min_of(w.rows, m.y.grid - q);
      parallel_for(0, line_blocks + column_blocks, 1, [&](int64_t begin, int64_t end) {
        const gemm::InfinityWatch::Share share(watch);
        for (int64_t i = begin; i < end; i++) {
          if (i < line_blocks) {
            make_planes<kParts>(w, n, images, q, rows, i * kBlock, (i + 1) * kBlock, planes);
          } else {
            const int64_t c = i - line_blocks;
            make_output_panel<kParts>(w, n, images, q, rows, c * kBlock, panels + c * w.b_panel);
          }
        }
      });
      const bool add = n > 0 || q > 0;
      parallel_for(0, cells, max_of(1, cells / 16), [&](int64_t begin, int64_t end) {
        if constexpr (kTiles) {
          const gemm::TileSession session;
          compute(add, begin, end);
        } else {
          compute(add, begin, end);
        }
      });
    }
  }
  if (watch.met()) return false;  // numbers in two parts that are not finite
  store_weight(w, sums, weight);
  return true;
}

template <class T>
bool unit_weight_gradient(const ConvArgs& p) {
  if (!units_fit(p) || !parts_fit_weight(p)) return false;
  const int64_t in_plane = volume(p.in), out_plane = volume(p.out);
  for (int64_t g = 0; g < p.groups; g++) {
    UnitWeight<T> w;
    UnitImage<T>& m = w.matrix;
    m.image = static_cast<const T*>(p.input) + g * p.in_channels * in_plane;
    m.image_step = p.groups * p.in_channels * in_plane;
    m.channel_step = in_plane;
    m.channels = p.in_channels;
    m.y = {p.in[1], p.out[1], p.stride[1], p.kernel[1], -p.padding[1], p.dilation[1]};
    m.x = {p.in[2], p.out[2], p.stride[2], p.kernel[2], -p.padding[2], p.dilation[2]};
    w.output = static_cast<const T*>(p.output) + g * p.out_channels * out_plane;
    w.image_step = p.groups * p.out_channels * out_plane;
    w.channel_step = out_plane;
    w.channels = p.out_channels;
    join_rows(&m);
    cut_weight_chunks(&w, p.batch, p.two_parts ? 2 : 1);
    T* weight = static_cast<T*>(p.weight) + g * p.out_channels * p.in_channels * volume(p.kernel);
    bool done = true;
    if (p.two_parts) {
      if constexpr (std::is_same_v<T, float>) done = run_unit_weight<true, 2>(p, w, weight);
    } else if (bfloat16_unit() == BFloat16Unit::kTiles) {
      run_unit_weight<true, 1>(p, w, weight);
    } else {
      run_unit_weight<false, 1>(p, w, weight);
    }
    if (!done) return false;
  }
  return true;
}

}  // namespace pt::PT_ISA::conv

#endif
