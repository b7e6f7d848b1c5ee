// Products on tensor cores: four warps, each a quarter of the block's tile. A slice is 64 bytes of
// k (32 half numbers or 16 of tf32) of either operand, in chunks of 16 bytes, and lies as its
// matrix does:
//
//   along k      [row][4 chunks], for ldmatrix (the columns of B count as rows)
//   along rows   [k][chunks], for ldmatrix.trans; tf32 is read by number
//
// Chunks change places so that neither copies nor loads meet at a bank.
#pragma once

#include "cuda/tensor_core.h"

namespace pt::cuda {

// Where a chunk of an operand's slice lies, in chunks.
template <class T, int kTile, bool kAlongK>
PT_DEVICE int chunk_place(int line, int chunk) {
  if constexpr (kAlongK) {
    return line * 4 + (chunk ^ (line / 2 % 4));
  } else {
    constexpr int kAcross = kTile * static_cast<int>(sizeof(T)) / 16;
    const int turn = sizeof(T) == 2 ? line % 8 : line % 4 * 2 + line / 4 % 2;
    return line * kAcross + (chunk ^ turn);
  }
}

// kTile x kTile, of warps that make kTile / 2 x kTile / 2 each.
template <class TypeOf, int kTile, bool kAlongA, bool kAlongB, int kStagesOf = 3>
struct TensorCore {
  using T = TypeOf;
  using Sum = float;
  using Chunk = Pack<uint32_t, 4>;
  static constexpr int kRows = kTile, kColumns = kTile, kThreads = 128;
  static constexpr int kStages = kStagesOf;
  static constexpr int kPer = 16 / sizeof(T), kSlice = 4 * kPer;
  static constexpr int kSlot = kTile * 4;  // chunks of an operand's slice
  static constexpr int kOwn = kTile / 2, kDown = kOwn / 16, kAcross = kOwn / 8;
  static constexpr int kParts = kTile == 64 ? 1 : kStages == 2 ? 4 : 2, kPartRows = kTile / kParts;
  static constexpr int kPartStride = kColumns + 8;
  static constexpr int kShared = kStages * 2 * kSlot;  // chunks
  static_assert(kPartRows * kPartStride <= kShared * 4);

  const Chunk* shared;
  int row, column, lane;  // the warp's first in the tile
  float sums[kDown][kAcross][4];

  PT_DEVICE static Chunk* slot_a(Chunk* shared, int slot) { return shared + slot * kSlot; }
  PT_DEVICE static Chunk* slot_b(Chunk* shared, int slot) {
    return shared + (kStages + slot) * kSlot;
  }

  PT_DEVICE explicit TensorCore(const Chunk* memory) : shared(memory) {
    const int warp = static_cast<int>(threadIdx.x) / 32;
    lane = static_cast<int>(threadIdx.x) % 32;
    row = warp / 2 * kOwn, column = warp % 2 * kOwn;
    PT_UNROLL
    for (int i = 0; i < kDown; ++i) PT_UNROLL
    for (int j = 0; j < kAcross; ++j) PT_UNROLL
    for (int e = 0; e < 4; ++e) sums[i][j][e] = 0;
  }

  // The part of 16 rows of A in half a slice.
  PT_DEVICE void load_a(uint32_t (&out)[4], const Chunk* a, int first, int half) const {
    if constexpr (kAlongA) {
      load_matrices<false>(
          out, a + chunk_place<T, kTile, true>(first + lane % 16, half * 2 + lane / 16));
    } else if constexpr (sizeof(T) == 2) {
      load_matrices<true>(out,
                          a + chunk_place<T, kTile, false>(half * 16 + lane / 16 * 8 + lane % 8,
                                                           first / 8 + lane / 8 % 2));
    } else {
      PT_UNROLL
      for (int r = 0; r < 4; ++r)
        out[r] = number(a, half * 8 + lane % 4 + r / 2 * 4, first + lane / 4 + r % 2 * 8);
    }
    round(out);
  }
  // That of 16 columns of B: the registers of two products.
  PT_DEVICE void load_b(uint32_t (&out)[4], const Chunk* b, int first, int half) const {
    if constexpr (kAlongB) {
      load_matrices<false>(out, b + chunk_place<T, kTile, true>(first + lane / 16 * 8 + lane % 8,
                                                                half * 2 + lane / 8 % 2));
    } else if constexpr (sizeof(T) == 2) {
      load_matrices<true>(out,
                          b + chunk_place<T, kTile, false>(half * 16 + lane / 8 % 2 * 8 + lane % 8,
                                                           first / 8 + lane / 16));
    } else {
      PT_UNROLL
      for (int r = 0; r < 4; ++r)
        out[r] = number(b, half * 8 + lane % 4 + r % 2 * 4, first + lane / 4 + r / 2 * 8);
    }
    round(out);
  }
  PT_DEVICE static uint32_t number(const Chunk* slot, int k, int at) {
    return slot[chunk_place<T, kTile, false>(k, at / 4)].v[at % 4];
  }
  PT_DEVICE static void round(uint32_t (&numbers)[4]) {
    if constexpr (sizeof(T) == 4) {
      PT_UNROLL
      for (int r = 0; r < 4; ++r) numbers[r] = to_tf32(numbers[r]);
    }
  }

  PT_DEVICE void step(int slot) {
    const Chunk* a = shared + slot * kSlot;
    const Chunk* b = shared + (kStages + slot) * kSlot;
    PT_UNROLL
    for (int half = 0; half < 2; ++half) {
      uint32_t av[kDown][4];
      PT_UNROLL
      for (int i = 0; i < kDown; ++i) load_a(av[i], a, row + i * 16, half);
      PT_UNROLL
      for (int j = 0; j < kAcross; j += 2) {
        uint32_t bv[4];
        load_b(bv, b, column + j * 8, half);
        const uint32_t left[2] = {bv[0], bv[1]}, right[2] = {bv[2], bv[3]};
        PT_UNROLL
        for (int i = 0; i < kDown; ++i) {
          tensor_core_multiply<T>(sums[i][j], av[i], left);
          tensor_core_multiply<T>(sums[i][j + 1], av[i], right);
        }
      }
    }
  }

  // A part has kOwn / kParts rows of each warp.
  static constexpr int kPartOwn = kOwn / kParts, kPartDown = kDown / kParts;
  PT_DEVICE static int tile_row(int part, int r) {
    return r / kPartOwn * kOwn + part * kPartOwn + r % kPartOwn;
  }
  PT_DEVICE void put(float* part_tile, int part) const {
    PT_UNROLL
    for (int i = 0; i < kPartDown; ++i) PT_UNROLL
    for (int j = 0; j < kAcross; ++j) PT_UNROLL
    for (int h = 0; h < 2; ++h) {
      const int r = row / kParts + i * 16 + lane / 4 + h * 8;
      const float (&v)[4] = sums[part * kPartDown + i][j];
      *reinterpret_cast<Pack<float, 2>*>(part_tile + r * kPartStride + column + j * 8 +
                                         lane % 4 * 2) = Pack<float, 2>{{v[2 * h], v[2 * h + 1]}};
    }
  }
};

}  // namespace pt::cuda
