// A convolution as a product for the bfloat16 units, and its weight packed in their tiles, tap
// after tap. Used by unit_product.h.
#pragma once

#include "cpu/conv/unit_image.h"

#if defined(PT_ISA_IS_AVX512)

namespace pt::PT_ISA::conv {

inline constexpr Scratch scratch_turned{ScratchUse::kTurned};

template <class T>
struct UnitProduct {
  UnitImage<T> matrix;
  // The weight's element (row, channel, tap) is at row * w_row + channel * w_channel + taps[tap].
  const T* weight = nullptr;
  int64_t w_row = 0, w_channel = 0;
  int32_t taps[kMostUnitTaps];
  int64_t rows = 0;
  T* out = nullptr;
  int64_t out_image = 0, out_row = 0, out_y = 0, out_x = 1;
  const T* bias = nullptr;
  const T* scale = nullptr;     // of rows, as the bias
  const T* residual = nullptr;  // laid out as `out`
  float least = -__builtin_inff(), most = __builtin_inff();

  int64_t jumps() const { return matrix.unfolded() ? 1 : matrix.num_taps(); }
  int64_t steps() const { return divide_up(matrix.lines(), kTileDepth); }
  int64_t panel() const { return jumps() * steps() * 2 * kTileSize; }  // 32 rows of the weight
  int64_t packed_size() const { return divide_up(rows, kBlock) * panel(); }  // of all, one part
};

// Reads runs of the taps of up to 32 places, one place after the other, and hands out the 32 places
// of each tap.
template <class T, int kParts>
class TapRuns {
 public:
  explicit TapRuns(int64_t taps) : shuffle_(static_cast<int>(taps)) {}
  void read(const T* run, int64_t count, gemm::FiniteCheck&) { run_ = run, count_ = count; }
  PT_GEMM_INLINE Numbers<T, kParts> get(int64_t tap, gemm::FiniteCheck&) const {
    return {shuffle_.gather(run_, tap, count_)};
  }

 private:
  TapShuffle shuffle_;
  const T* run_ = nullptr;
  int64_t count_ = 0;
};

// Of floats, by transposing squares of places and taps.
template <int kParts>
class TapRuns<float, kParts> {
 public:
  explicit TapRuns(int64_t taps) : taps_(taps) {}
  void read(const float* run, int64_t count, gemm::FiniteCheck&) {
    for (int64_t t0 = 0; t0 < taps_; t0 += kTileRows) {
      const int taps = static_cast<int>(min_of<int64_t>(kTileRows, taps_ - t0));
      for (int64_t i0 = 0; i0 < kBlock; i0 += kTileRows) {
        Vec<float> square[kTileRows];
        PT_GEMM_UNROLL for (int i = 0; i < kTileRows; i++) {
          square[i] = i0 + i < count ? load_n(run + (i0 + i) * taps_ + t0, taps) : Vec<float>{};
        }
        gemm::transpose<float>(square);
        PT_GEMM_UNROLL for (int t = 0; t < kTileRows; t++) store(places_[t0 + t] + i0, square[t]);
      }
    }
  }
  PT_GEMM_INLINE Numbers<float, kParts> get(int64_t tap, gemm::FiniteCheck& check) const {
    const float* from = places_[tap];
    return Numbers<float, kParts>::of(_mm512_load_ps(from), _mm512_load_ps(from + kTileRows),
                                      check);
  }

 private:
  int64_t taps_;
  alignas(64) float places_[TapShuffle::kMostTaps][kBlock];
};

// Tiles of 32 rows and the 32 channels from c0 on, under each tap. Rows or channels are one block
// of taps after the other in the weight. Low parts follow p.packed_size() later.
template <int kParts, class T>
void pack_taps(const UnitProduct<T>& p, const T* from, int64_t rows, int64_t c0, int64_t all_taps,
               TapRuns<T, kParts>& runs, uint16_t* to) {
  using N = Numbers<T, kParts>;
  const int64_t channels = min_of<int64_t>(kTileDepth, p.matrix.channels - c0);
  const int64_t jump = p.steps() * 2 * kTileSize, low = p.packed_size();
  gemm::FiniteCheck check;
  if (p.w_channel == all_taps) {
    for (int64_t r = 0; r < kBlock; r++) {
      uint16_t* row = to + r / kTileRows * kTileSize + r % kTileRows * kTileDepth;
      if (r < rows) runs.read(from + r * p.w_row + c0 * all_taps, channels, check);
      for (int64_t t = 0; t < p.jumps(); t++, row += jump) {
        (r < rows ? runs.get(p.taps[t], check) : N{}).put(row, low);
      }
    }
    return;
  }
  // [part][tap][channel][row]
  constexpr int64_t kTap = kTileDepth * kBlock;
  auto* block = scratch_turned.get<uint16_t>(kParts * p.jumps() * kTap);
  for (int64_t c = 0; c < channels; c++) {
    runs.read(from + (c0 + c) * p.w_channel, rows, check);
    for (int64_t t = 0; t < p.jumps(); t++) {
      runs.get(p.taps[t], check).put(block + t * kTap + c * kBlock, p.jumps() * kTap);
    }
  }
  for (int64_t t = 0; t < kParts * p.jumps(); t++) {
    const auto* tap = reinterpret_cast<const BFloat16*>(block + t * kTap);
    const int64_t at = t / p.jumps() * low + t % p.jumps() * jump;
    gemm::pack_panels<false>(gemm::Lines<BFloat16>{tap, 1, kBlock, rows, channels}, 0, to + at);
  }
}

// The same for many taps, and for unfolded ones in another order than the weight's.
template <int kParts, class T>
void pack_one_by_one(const UnitProduct<T>& p, const T* from, int64_t rows, uint16_t* to) {
  const UnitImage<T>& m = p.matrix;
  const int64_t low = p.packed_size();
  gemm::FiniteCheck check;
  for (int64_t i = 0; i < p.panel(); i += 32) Numbers<T, kParts>{}.put(to + i, low);
  for (int64_t r = 0; r < rows; r++) {
    uint16_t* row = to + r / kTileRows * kTileSize + r % kTileRows * kTileDepth;
    for (int64_t c = 0; c < m.channels; c++) {
      const T* element = from + r * p.w_row + c * p.w_channel;
      for (int64_t t = 0; t < m.num_taps(); t++) {
        const int64_t k = m.unfolded() ? c * m.num_taps() + t : c;
        const int64_t step = k / kTileDepth + (m.unfolded() ? 0 : t * p.steps());
        Numbers<T, kParts>::load(element + p.taps[t], 1u, check)
            .put(row + step * 2 * kTileSize + k % kTileDepth, low, 1u);
      }
    }
  }
}

// Packs the weight: [32 rows][jump][step][2 tiles][16 rows][32 channels].
template <int kParts, class T>
void pack_unit_weight(const UnitProduct<T>& p, int64_t all_taps, uint16_t* to,
                      gemm::InfinityWatch& watch) {
  const int64_t panels = divide_up(p.rows, kBlock), lines = p.matrix.lines();
  const int64_t grain = max_of(1, 65536 / p.panel());
  // Unfolded, tap t of channel c is number c * taps + t.
  const bool unfolded = p.matrix.unfolded();
  const bool dense =
      unfolded && p.w_channel == all_taps && p.matrix.num_taps() == all_taps && p.taps[0] == 0;
  const bool shuffled = !unfolded && all_taps > 1 && all_taps <= TapShuffle::kMostTaps;
  parallel_for(0, panels, grain, [&](int64_t begin, int64_t end) {
    TapRuns<T, kParts> runs(shuffled ? all_taps : 0);
    const gemm::InfinityWatch::Share share(watch);
    for (int64_t q = begin; q < end; q++) {
      const int64_t rows = min_of<int64_t>(kBlock, p.rows - q * kBlock);
      const T* from = p.weight + q * kBlock * p.w_row;
      uint16_t* panel = to + q * p.panel();
      if (all_taps == 1 || dense) {
        const int64_t k = all_taps == 1 ? p.w_channel : 1;
        gemm::pack_panels<false, kParts>(gemm::Lines<T>{from, p.w_row, k, rows, lines}, 0, panel,
                                         p.packed_size());
      } else if (shuffled) {
        for (int64_t c = 0; c < lines; c += kTileDepth) {
          pack_taps<kParts>(p, from, rows, c, all_taps, runs,
                            panel + c / kTileDepth * 2 * kTileSize);
        }
      } else {
        pack_one_by_one<kParts>(p, from, rows, panel);
      }
    }
  });
}

}  // namespace pt::PT_ISA::conv

#endif
