// What matrix.h says: the work of a warp whose lanes have all come to a matrix operation.
#include "cuda/emu/matrix.h"

#include "core/half.h"
#include "cuda/emu/emulator.h"

namespace pt::emu {

namespace {

uint16_t half_of(const uint32_t* row, int column) {
  return static_cast<uint16_t>(row[column / 2] >> (column % 2 * 16));
}

// Matrix j has its rows from lanes 8j to 8j + 7, each of eight elements of two bytes. Lane l gets
// elements 2 (l % 4) and the next of row l / 4, or, transposed, of column l / 4.
void load(MatrixStep* const* lanes, bool transposed) {
  for (int l = 0; l < 32; ++l) {
    for (int j = 0; j < 4; ++j) {
      const int line = l / 4, pair = l % 4 * 2;
      MatrixStep* const* rows = lanes + 8 * j;
      lanes[l]->out[j] = transposed ? half_of(rows[pair]->row, line) |
                                          uint32_t{half_of(rows[pair + 1]->row, line)} << 16
                                    : rows[line]->row[pair / 2];
    }
  }
}

// The elements of a register: two, or one of tf32.
template <class T>
void unpack(uint32_t bits, float* to, int step) {
  for (int i = 0; i < 2; ++i)
    to[i * step] =
        static_cast<float>(__builtin_bit_cast(T, static_cast<uint16_t>(bits >> (16 * i))));
}
template <>
void unpack<float>(uint32_t bits, float* to, int) {
  *to = __builtin_bit_cast(float, bits & ~0x1fffu);  // the lower bits are not looked at
}

// T: BFloat16 and Half with 16 terms, float (tf32) with 8.
template <class T>
void multiply(MatrixStep* const* lanes) {
  constexpr int kPer = sizeof(T) == 2 ? 2 : 1, kTerms = 8 * kPer;
  alignas(64) float a[16][kTerms], b[kTerms][8];
  for (int l = 0; l < 32; ++l) {
    const int group = l / 4, in_group = l % 4 * kPer;
    for (int r = 0; r < 4; ++r)
      unpack<T>(lanes[l]->a[r], &a[group + r % 2 * 8][in_group + r / 2 * 4 * kPer], 1);
    for (int r = 0; r < 2; ++r) unpack<T>(lanes[l]->b[r], &b[in_group + r * 4 * kPer][group], 8);
  }
  for (int m = 0; m < 16; ++m) {
    double sums[8] = {};
    for (int k = 0; k < kTerms; ++k)
      for (int n = 0; n < 8; ++n)
        sums[n] += static_cast<double>(a[m][k]) * static_cast<double>(b[k][n]);
    for (int n = 0; n < 8; ++n) {
      float& out = lanes[m % 8 * 4 + n / 2]->sums[m / 8 * 2 + n % 2];
      out = static_cast<float>(static_cast<double>(out) + sums[n]);
    }
  }
}

}  // namespace

void matrix_operation(const uint64_t* addresses) {
  MatrixStep* lanes[32];
  for (int l = 0; l < 32; ++l) lanes[l] = from_bits<MatrixStep*>(addresses[l]);
  const MatrixKind kind = lanes[0]->kind;
  for (const MatrixStep* s : lanes) {
    if (s->kind == kind) continue;
    report("lanes of a warp are at different matrix operations");
    return;
  }
  switch (kind) {
    case MatrixKind::kLoad:
    case MatrixKind::kLoadTransposed:
      return load(lanes, kind == MatrixKind::kLoadTransposed);
    case MatrixKind::kBFloat16:
      return multiply<BFloat16>(lanes);
    case MatrixKind::kHalf:
      return multiply<Half>(lanes);
    case MatrixKind::kTf32:
      return multiply<float>(lanes);
  }
}

}  // namespace pt::emu
