// Moving strided elements: rows, transposed tiles and fills, by element size.
//
// A transposed tile is read along the source's contiguous direction in 16x16 (or 8x8) blocks held
// in registers' reach, so that every cache line is touched once.
#include "cpu/kernel_table.h"
#include "cpu/move_args.h"

namespace pt::PT_ISA {
namespace {

// Long copies by vectors: memcpy of glibc before 2.39 takes "rep movsb" for them on AMD Zen, which
// is up to twenty times slower where source and destination are not aligned alike (glibc bug
// 30994). The first and the last vectors may overlap their neighbours.
void copy_bytes(const void* src, void* dst, int64_t n) {
  using Vec __attribute__((vector_size(kVectorBytes), aligned(1), may_alias)) = char;
  constexpr int64_t kStep = 4 * kVectorBytes;
  const char* in = static_cast<const char*>(src);
  char* out = static_cast<char*>(dst);
  if (n < kVectorBytes) {
    __builtin_memcpy(out, in, static_cast<size_t>(n));
    return;
  }
  if (n < 2 * kStep) {  // here the compiler would put "rep movsq" for memcpy
    for (int64_t i = 0; i + kVectorBytes < n; i += kVectorBytes)
      *reinterpret_cast<Vec*>(out + i) = *reinterpret_cast<const Vec*>(in + i);
    const int64_t last = n - kVectorBytes;
    *reinterpret_cast<Vec*>(out + last) = *reinterpret_cast<const Vec*>(in + last);
    return;
  }
  auto step = [](const char* from, char* to) {
    const Vec* v = reinterpret_cast<const Vec*>(from);
    const Vec a = v[0], b = v[1], c = v[2], d = v[3];
    Vec* w = reinterpret_cast<Vec*>(to);
    w[0] = a, w[1] = b, w[2] = c, w[3] = d;
  };
  step(in, out);
  int64_t i = kVectorBytes - (reinterpret_cast<uintptr_t>(out) & (kVectorBytes - 1));
  for (; i + kStep <= n; i += kStep) step(in + i, out + i);
  step(in + n - kStep, out + n - kStep);
}

template <class T>
inline void copy_row(const char* src, char* dst, int64_t n, int64_t s, int64_t d) {
  constexpr int64_t item = sizeof(T);
  if (s == item && d == item) {
    copy_bytes(src, dst, n * item);
  } else if (s == 0 && d == item) {
    const T v = *reinterpret_cast<const T*>(src);
    T* out = reinterpret_cast<T*>(dst);
    for (int64_t i = 0; i < n; ++i) out[i] = v;
  } else if (d == item && s == -item) {
    const T* in = reinterpret_cast<const T*>(src);
    T* out = reinterpret_cast<T*>(dst);
    for (int64_t i = 0; i < n; ++i) out[i] = in[-i];
  } else if (d == item && s == 2 * item) {
    const T* in = reinterpret_cast<const T*>(src);
    T* out = reinterpret_cast<T*>(dst);
    for (int64_t i = 0; i < n; ++i) out[i] = in[2 * i];
  } else if (d == item) {
    T* out = reinterpret_cast<T*>(dst);
    for (int64_t i = 0; i < n; ++i) out[i] = *reinterpret_cast<const T*>(src + i * s);
  } else if (s == item) {
    const T* in = reinterpret_cast<const T*>(src);
    for (int64_t i = 0; i < n; ++i) *reinterpret_cast<T*>(dst + i * d) = in[i];
  } else {
    for (int64_t i = 0; i < n; ++i)
      *reinterpret_cast<T*>(dst + i * d) = *reinterpret_cast<const T*>(src + i * s);
  }
}

// dst rows are contiguous along 0, src is contiguous along 1.
template <class T, int B>
inline void transpose_block(const char* src, char* dst, int64_t src0, int64_t dst1) {
  T block[B][B];
#pragma GCC unroll 16
  for (int i = 0; i < B; ++i) {
    const T* row = reinterpret_cast<const T*>(src + i * src0);
    for (int j = 0; j < B; ++j) block[i][j] = row[j];
  }
#pragma GCC unroll 16
  for (int j = 0; j < B; ++j) {
    T* out = reinterpret_cast<T*>(dst + j * dst1);
    for (int i = 0; i < B; ++i) out[i] = block[i][j];
  }
}

template <class T>
void transpose(const Copy2d& c) {
  constexpr int B = sizeof(T) >= 8 ? 8 : 16;
  constexpr int64_t item = sizeof(T);
  int64_t j = 0;
  for (; j + B <= c.n1; j += B) {
    int64_t i = 0;
    for (; i + B <= c.n0; i += B)
      transpose_block<T, B>(c.src + i * c.src0 + j * item, c.dst + i * item + j * c.dst1, c.src0,
                            c.dst1);
    for (; i < c.n0; ++i)
      for (int64_t k = j; k < j + B; ++k)
        *reinterpret_cast<T*>(c.dst + i * item + k * c.dst1) =
            *reinterpret_cast<const T*>(c.src + i * c.src0 + k * item);
  }
  for (; j < c.n1; ++j) copy_row<T>(c.src + j * item, c.dst + j * c.dst1, c.n0, c.src0, item);
}

// dst[i][j] = src[j][i] for a small number of rows, the channels of an image: rows become columns
// (interleave) and back. The compiler makes register shuffles of the inner loop.
template <class T, int Rows>
void interleave(const Copy2d& c) {
  T* __restrict out = reinterpret_cast<T*>(c.dst);
  const char* __restrict rows = c.src;
  const int64_t pitch = c.src0;
  for (int64_t j = 0; j < c.n1; ++j)
    for (int i = 0; i < Rows; ++i)
      out[j * Rows + i] = reinterpret_cast<const T*>(rows + i * pitch)[j];
}
template <class T, int Rows>
void take_apart(const Copy2d& c) {
  const T* __restrict in = reinterpret_cast<const T*>(c.src);
  char* __restrict rows = c.dst;
  const int64_t pitch = c.dst1;
  for (int64_t i = 0; i < c.n0; ++i)
    for (int j = 0; j < Rows; ++j) reinterpret_cast<T*>(rows + j * pitch)[i] = in[i * Rows + j];
}
template <class T>
bool copy_channels(const Copy2d& c) {
  constexpr int64_t item = sizeof(T);
  if (c.src1 == item && c.dst0 == item && c.dst1 == c.n0 * item) {
    if (c.n0 == 2) return interleave<T, 2>(c), true;
    if (c.n0 == 3) return interleave<T, 3>(c), true;
    if (c.n0 == 4) return interleave<T, 4>(c), true;
    if (c.n0 == 8) return interleave<T, 8>(c), true;
  }
  if (c.src1 == item && c.dst0 == item && c.src0 == c.n1 * item) {
    if (c.n1 == 2) return take_apart<T, 2>(c), true;
    if (c.n1 == 3) return take_apart<T, 3>(c), true;
    if (c.n1 == 4) return take_apart<T, 4>(c), true;
    if (c.n1 == 8) return take_apart<T, 8>(c), true;
  }
  return false;
}

template <class T>
void copy2d(const Copy2d& c) {
  constexpr int64_t item = sizeof(T);
  if (copy_channels<T>(c) ||
      copy_channels<T>({c.src, c.dst, c.n1, c.n0, c.src1, c.src0, c.dst1, c.dst0}))
    return;
  if (c.src1 == item && c.dst0 == item && c.src0 != item && c.n1 >= 4 && c.n0 >= 4) {
    transpose<T>(c);
    return;
  }
  if (c.src0 == item && c.dst1 == item && c.dst0 != item && c.n1 >= 4 && c.n0 >= 4) {
    // The mirrored case: contiguous destination runs along 1.
    transpose<T>({c.src, c.dst, c.n1, c.n0, c.src1, c.src0, c.dst1, c.dst0});
    return;
  }
  for (int64_t j = 0; j < c.n1; ++j)
    copy_row<T>(c.src + j * c.src1, c.dst + j * c.dst1, c.n0, c.src0, c.dst0);
}

template <class T>
void fill(const void* element, void* dst, int64_t n) {
  const T v = *static_cast<const T*>(element);
  T* __restrict__ out = static_cast<T*>(dst);
  for (int64_t i = 0; i < n; ++i) out[i] = v;
}

#define PT_BY_SIZE(fn)   \
  {nullptr,              \
   PT_FN(&fn<uint8_t>),  \
   nullptr,              \
   PT_FN(&fn<uint16_t>), \
   PT_FN(&fn<uint32_t>), \
   PT_FN(&fn<uint64_t>)}
const KernelEntry kEntries[] = {
    {"copy_bytes", {nullptr, PT_FN(&copy_bytes)}},
    {"copy2d", PT_BY_SIZE(copy2d)},
    {"fill", PT_BY_SIZE(fill)},
};

}  // namespace
PT_REGISTER_KERNELS(kEntries)
}  // namespace pt::PT_ISA
