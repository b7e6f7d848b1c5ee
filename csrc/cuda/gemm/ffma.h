// Products on the ordinary units: each thread makes kOwnRows x kOwnColumns elements of the block's
// tile. Slices lie in shared memory as [k][row] and [k][column], so that a thread reads four
// neighbours at once; four elements behind each k keep stores across k off each other's banks.
#pragma once

#include "cuda/pt_cuda.h"

namespace pt::cuda {

template <class T, int kRowsOf, int kColumnsOf, int kSliceOf, int kOwnRows, int kOwnColumns,
          int kStagesOf>
struct Ffma {
  using Sum = T;
  static constexpr int kRows = kRowsOf, kColumns = kColumnsOf, kSlice = kSliceOf;
  static constexpr int kStages = kStagesOf;
  static constexpr int kDown = kRows / kOwnRows, kAcross = kColumns / kOwnColumns;
  static constexpr int kThreads = kDown * kAcross;
  static constexpr int kRowStride = kRows + 4, kColumnStride = kColumns + 4;
  static constexpr int kSlotA = kSlice * kRowStride, kSlotB = kSlice * kColumnStride;
  static constexpr int kParts = kOwnRows / 4, kPartRows = kRows / kParts;
  static constexpr int kPartStride = kColumns + 4;
  static constexpr int kLoop = kStages * (kSlotA + kSlotB), kLeave = kPartRows * kPartStride;
  static constexpr int kShared = kLoop > kLeave ? kLoop : kLeave;  // elements
  using Four = Pack<T, 4>;

  const T *a, *b;  // the first slots
  int row, column;
  T sums[kOwnRows][kOwnColumns];

  PT_DEVICE static T* slot_a(T* shared, int slot) { return shared + slot * kSlotA; }
  PT_DEVICE static T* slot_b(T* shared, int slot) {
    return shared + kStages * kSlotA + slot * kSlotB;
  }

  // A warp's threads lie 4 x 8: their reads are 4 and 8 packs.
  PT_DEVICE explicit Ffma(T* shared) : a(slot_a(shared, 0)), b(slot_b(shared, 0)) {
    const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
    row = (warp / (kAcross / 8) * 4 + lane / 8) * 4;
    column = (warp % (kAcross / 8) * 8 + lane % 8) * 4;
    PT_UNROLL
    for (int i = 0; i < kOwnRows; ++i) PT_UNROLL
    for (int j = 0; j < kOwnColumns; ++j) sums[i][j] = T(0);
  }

  PT_DEVICE static T fused(T x, T y, T z) {
    if constexpr (sizeof(T) == 4) {
      return fmaf(x, y, z);
    } else {
      return fma(x, y, z);
    }
  }

  PT_DEVICE void step(int slot) {
    const T* from_a = a + slot * kSlotA + row;
    const T* from_b = b + slot * kSlotB + column;
    PT_UNROLL
    for (int k = 0; k < kSlice; ++k) {
      Four av[kOwnRows / 4], bv[kOwnColumns / 4];
      PT_UNROLL
      for (int i = 0; i < kOwnRows / 4; ++i)
        av[i] = *reinterpret_cast<const Four*>(from_a + k * kRowStride + i * kPartRows);
      PT_UNROLL
      for (int j = 0; j < kOwnColumns / 4; ++j)
        bv[j] = *reinterpret_cast<const Four*>(from_b + k * kColumnStride +
                                               j * (kColumns / (kOwnColumns / 4)));
      PT_UNROLL
      for (int i = 0; i < kOwnRows; ++i) PT_UNROLL
      for (int j = 0; j < kOwnColumns; ++j)
        sums[i][j] = fused(av[i / 4].v[i % 4], bv[j / 4].v[j % 4], sums[i][j]);
    }
  }

  PT_DEVICE static int tile_row(int part, int r) { return part * kPartRows + r; }
  PT_DEVICE void put(T* part_tile, int part) const {
    PT_UNROLL
    for (int i = 0; i < 4; ++i) PT_UNROLL
    for (int j = 0; j < kOwnColumns / 4; ++j) {
      Four four;
      PT_UNROLL
      for (int e = 0; e < 4; ++e) four.v[e] = sums[part * 4 + i][j * 4 + e];
      *reinterpret_cast<Four*>(part_tile + (row + i) * kPartStride + column +
                               j * (kColumns / (kOwnColumns / 4))) = four;
    }
  }
};

// Large tiles where there are enough of them, else small ones.
using LargeFfma = Ffma<float, 128, 128, 8, 8, 8, 4>;
using SmallFfma = Ffma<float, 64, 64, 16, 8, 4, 3>;
using DoubleFfma = Ffma<double, 64, 64, 8, 8, 4, 3>;

}  // namespace pt::cuda
