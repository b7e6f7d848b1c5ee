// The bfloat16 units as functions: tile registers (AMX) and dot products of pairs (AVX512-BF16).
//
// Both read the same packed operands (tile_pack.h). A tile of A is 16 rows of 32 numbers, one of B
// 16 rows of 16 pairs: row r holds the numbers 2r and 2r+1 of 16 columns. Instructions are written
// as assembler: kernel files are compiled without the flags of these units, and g++ 12's own
// functions lack the "memory" that keeps stores to packed operands before the loads of tiles.
// Only code that runs where cpu/bfloat16_unit.h grants a unit may come here.
#pragma once

#include <type_traits>

#include "cpu/gemm/vec.h"

#if defined(PT_ISA_IS_AVX512)

namespace pt::PT_ISA::gemm {

inline constexpr int kTileRows = 16;   // of A, of sums; pairs of B
inline constexpr int kTileDepth = 32;  // numbers of a row of A
inline constexpr int kTileSize = kTileRows * kTileDepth;
inline constexpr int kBlock = 2 * kTileRows;  // rows and columns of sums computed together

// Tile registers for the time of a block: other libraries in the process configure them too, and
// an unused configuration makes the system's thread switches slower.
class TileSession {
 public:
  TileSession() {
    struct alignas(64) Config {
      uint8_t palette = 1, start_row = 0, reserved[14] = {};
      uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    };
    static const Config config;
    asm volatile("ldtilecfg %0" ::"m"(config) : "memory");
  }
  ~TileSession() { asm volatile("tilerelease" ::: "memory"); }
  TileSession(const TileSession&) = delete;
  TileSession& operator=(const TileSession&) = delete;
};

#define PT_TILE_LOAD(tile, from, bytes)                                                      \
  asm volatile("tileloadd (%0,%1,1), %%tmm" #tile::"r"(reinterpret_cast<const char*>(from)), \
               "r"(static_cast<int64_t>(bytes))                                              \
               : "memory")
#define PT_TILE_STORE(tile, to, bytes)                                                    \
  asm volatile("tilestored %%tmm" #tile ", (%0,%1,1)" ::"r"(reinterpret_cast<char*>(to)), \
               "r"(static_cast<int64_t>(bytes))                                           \
               : "memory")
#define PT_TILE_ZERO(tile) asm volatile("tilezero %%tmm" #tile::)
// sums += a x b
#define PT_TILE_PRODUCT(sums, a, b) \
  asm volatile("tdpbf16ps %%tmm" #b ", %%tmm" #a ", %%tmm" #sums::)

// Operands of one block of sums. The two tiles of a step of A or B are `second` numbers apart, rows
// of a tile `row`, steps `step`. Of numbers in two parts (tile_pack.h) the low ones follow `low`
// numbers after the high ones.
struct TileOperand {
  const uint16_t* at;
  int64_t row, second, step;
  int64_t low = 0;
};

// The depth of a block: `steps` times kTileDepth, for each of `jumps` (numbers that B starts from,
// so that a convolution's taps are read from one image). A goes on from where it was.
struct TileWalk {
  int64_t steps;
  const int64_t* jumps;
  int64_t num_jumps;
};
inline constexpr int64_t kNoJump[1] = {0};

// One step of a block. It leaves A's tiles in registers 4 and 5, B's in 6 and 7.
template <int kA, int kB>
PT_GEMM_INLINE void multiply_step(const uint16_t* pa, int64_t a_second, int64_t a_row,
                                  const uint16_t* pb, int64_t b_second, int64_t b_row) {
  PT_TILE_LOAD(6, pb, b_row);
  PT_TILE_LOAD(4, pa, a_row);
  PT_TILE_PRODUCT(0, 4, 6);
  if (kB > 1) {
    PT_TILE_LOAD(7, pb + b_second, b_row);
    PT_TILE_PRODUCT(1, 4, 7);
  }
  if (kA > 1) {
    PT_TILE_LOAD(5, pa + a_second, a_row);
    PT_TILE_PRODUCT(2, 5, 6);
    if (kB > 1) PT_TILE_PRODUCT(3, 5, 7);
  }
}

// The same for operands in two parts: high x low, high x high and low x high. The product of the
// low parts is smaller than what is lost in them. Loads from the L2 cache keep up by themselves
// with three products for each pair of tiles.
template <int kA, int kB>
PT_GEMM_INLINE void multiply_parts(const uint16_t* pa, const TileOperand& a, const uint16_t* pb,
                                   const TileOperand& b) {
  const int64_t a_row = 2 * a.row, b_row = 2 * b.row;
  multiply_step<kA, kB>(pa, a.second, a_row, pb + b.low, b.second, b_row);
  PT_TILE_LOAD(6, pb, b_row);
  PT_TILE_PRODUCT(0, 4, 6);
  if (kA > 1) PT_TILE_PRODUCT(2, 5, 6);
  if (kB > 1) {
    PT_TILE_LOAD(7, pb + b.second, b_row);
    PT_TILE_PRODUCT(1, 4, 7);
    if (kA > 1) PT_TILE_PRODUCT(3, 5, 7);
  }
  PT_TILE_LOAD(4, pa + a.low, a_row);
  PT_TILE_PRODUCT(0, 4, 6);
  if (kB > 1) PT_TILE_PRODUCT(1, 4, 7);
  if (kA > 1) {
    PT_TILE_LOAD(5, pa + a.low + a.second, a_row);
    PT_TILE_PRODUCT(2, 5, 6);
    if (kB > 1) PT_TILE_PRODUCT(3, 5, 7);
  }
}

// sums[16 kA, 16 kB] (+)= A B, rows of sums `pitch` floats apart.
template <int kA, int kB, int kParts>
PT_GEMM_INLINE void multiply_tiles(const TileWalk& walk, const TileOperand& a, const TileOperand& b,
                                   float* sums, int64_t pitch, bool add) {
  const int64_t row = 4 * pitch;
  float* below = sums + kTileRows * pitch;
  if (add) {
    PT_TILE_LOAD(0, sums, row);
    if (kB > 1) PT_TILE_LOAD(1, sums + kTileRows, row);
    if (kA > 1) PT_TILE_LOAD(2, below, row);
    if (kA > 1 && kB > 1) PT_TILE_LOAD(3, below + kTileRows, row);
  } else {
    PT_TILE_ZERO(0);
    if (kB > 1) PT_TILE_ZERO(1);
    if (kA > 1) PT_TILE_ZERO(2);
    if (kA > 1 && kB > 1) PT_TILE_ZERO(3);
  }
  const uint16_t* pa = a.at;
  const int64_t a_row = 2 * a.row, b_row = 2 * b.row;
  // The packed operand that comes from the L2 cache: A is packed for a product's L1 cache, B where
  // a convolution reads it in place.
  const bool packed_b = b.row == kTileDepth;
  constexpr int64_t kAhead = 4 * kTileSize;
  for (int64_t j = 0; j < walk.num_jumps; j++) {
    const uint16_t* pb = b.at + walk.jumps[j];
    const uint16_t* ahead = (packed_b ? pb : pa) + kAhead;
    for (int64_t s = 0; s < walk.steps; s++, pa += a.step, pb += b.step, ahead += 2 * kTileSize) {
      if constexpr (kParts > 1) {
        multiply_parts<kA, kB>(pa, a, pb, b);
      } else {
        PT_GEMM_UNROLL for (int i = 0; i < kTileRows; i++) {
          __builtin_prefetch(ahead + i * kTileDepth);
          if (kB > 1) __builtin_prefetch(ahead + (kTileRows + i) * kTileDepth);
        }
        multiply_step<kA, kB>(pa, a.second, a_row, pb, b.second, b_row);
      }
    }
  }
  PT_TILE_STORE(0, sums, row);
  if (kB > 1) PT_TILE_STORE(1, sums + kTileRows, row);
  if (kA > 1) PT_TILE_STORE(2, below, row);
  if (kA > 1 && kB > 1) PT_TILE_STORE(3, below + kTileRows, row);
}

// acc + a0 b0 + a1 b1 of the pairs of each lane.
PT_GEMM_INLINE __m512 add_pairs(__m512 acc, __m512i a, __m512i b) {
  asm("vdpbf16ps %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
  return acc;
}

// The same product without tile registers: eight rows and two vectors of columns at a time.
template <int kA, int kB>
PT_GEMM_INLINE void multiply_pairs(const TileWalk& walk, const TileOperand& a, const TileOperand& b,
                                   float* sums, int64_t pitch, bool add) {
  constexpr int kRows = 8;
  for (int i = 0; i < kTileRows * kA; i += kRows) {
    float* c = sums + i * pitch;
    __m512 acc[kRows][kB];
    PT_GEMM_UNROLL for (int r = 0; r < kRows; r++) {
      PT_GEMM_UNROLL for (int j = 0; j < kB; j++) {
        acc[r][j] = add ? _mm512_loadu_ps(c + r * pitch + j * kTileRows) : _mm512_setzero_ps();
      }
    }
    const uint16_t* pa = a.at + i / kTileRows * a.second + i % kTileRows * a.row;
    int64_t jump = 0, left = 0;
    const uint16_t* pb = nullptr;
    for (int64_t s = walk.steps * walk.num_jumps; s > 0; s--, left--, pa += a.step, pb += b.step) {
      if (left == 0) {
        pb = b.at + walk.jumps[jump++];
        left = walk.steps;
      }
      for (int k = 0; k < kTileRows; k++) {
        __m512i columns[kB];
        PT_GEMM_UNROLL for (int j = 0; j < kB; j++) {
          columns[j] = _mm512_loadu_si512(pb + j * b.second + k * b.row);
        }
        PT_GEMM_UNROLL for (int r = 0; r < kRows; r++) {
          int32_t pair;
          __builtin_memcpy(&pair, pa + r * a.row + 2 * k, sizeof(pair));
          const __m512i row = _mm512_set1_epi32(pair);
          PT_GEMM_UNROLL for (int j = 0; j < kB; j++) {
            acc[r][j] = add_pairs(acc[r][j], row, columns[j]);
          }
        }
      }
    }
    PT_GEMM_UNROLL for (int r = 0; r < kRows; r++) {
      PT_GEMM_UNROLL for (int j = 0; j < kB; j++) {
        _mm512_storeu_ps(c + r * pitch + j * kTileRows, acc[r][j]);
      }
    }
  }
}

// sums[16 a_tiles, 16 b_tiles] (+)= A B with the unit at hand; one or two tiles of each. Operands
// in two parts are for tiles alone.
template <bool kTiles, int kParts = 1>
void multiply_block(const TileWalk& walk, const TileOperand& a, int a_tiles, const TileOperand& b,
                    int b_tiles, float* sums, int64_t pitch, bool add) {
  const auto run = [&](auto rows, auto columns) {
    constexpr int kA = decltype(rows)::value, kB = decltype(columns)::value;
    if constexpr (kTiles) {
      multiply_tiles<kA, kB, kParts>(walk, a, b, sums, pitch, add);
    } else {
      static_assert(kParts == 1);
      multiply_pairs<kA, kB>(walk, a, b, sums, pitch, add);
    }
  };
  using One = std::integral_constant<int, 1>;
  using Two = std::integral_constant<int, 2>;
  if (a_tiles == 2) {
    b_tiles == 2 ? run(Two{}, Two{}) : run(Two{}, One{});
  } else {
    b_tiles == 2 ? run(One{}, Two{}) : run(One{}, One{});
  }
}

}  // namespace pt::PT_ISA::gemm

#endif
