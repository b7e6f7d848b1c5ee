// Copies with padding, and the gradient of padding that repeats elements. Elements are moved by
// size, so that one kernel serves all dtypes; the middle of a row is one copy of memory.
#include <new>

#include "core/parallel.h"
#include "cpu/image_args.h"
#include "cpu/reduce_lanes.h"

namespace pt::PT_ISA {
namespace {

constexpr int64_t kUnit = 32768;  // elements worth handing to a thread

// The rows begin .. end: an odometer counts the outer dimensions.
template <class T>
void pad_rows(const PadArgs& a, int64_t begin, int64_t end) {
  const int outer = a.ndim - 1;
  const int64_t width = a.out_size[outer];
  const int64_t* map = a.map[outer];
  const T fill = *static_cast<const T*>(a.fill);
  int64_t at[kMaxPadDims];
  int64_t rest = begin;
  for (int d = outer - 1; d >= 0; --d) at[d] = rest % a.out_size[d], rest /= a.out_size[d];
  for (int64_t r = begin; r < end; ++r) {
    T* __restrict out = static_cast<T*>(a.out) + r * width;
    int64_t offset = 0;
    bool outside = false;
    for (int d = 0; d < outer; ++d) {
      const int64_t place = a.map[d] ? a.map[d][at[d]] : at[d];
      outside |= place < 0;
      offset += place * a.in_stride[d];
    }
    if (outside) {
      for (int64_t x = 0; x < width; ++x) out[x] = fill;
    } else {
      const T* __restrict in = static_cast<const T*>(a.in) + offset;
      for (int64_t x = 0; x < a.first; ++x) out[x] = map[x] < 0 ? fill : in[map[x]];
      const T* middle = in + (map && a.first < a.last ? map[a.first] : 0);
      const int64_t n = a.last - a.first;
      if (n * static_cast<int64_t>(sizeof(T)) < 256) {
        for (int64_t x = 0; x < n; ++x) out[a.first + x] = middle[x];
      } else {
        __builtin_memcpy(out + a.first, middle, static_cast<size_t>(n) * sizeof(T));
      }
      for (int64_t x = a.last; x < width; ++x) out[x] = map[x] < 0 ? fill : in[map[x]];
    }
    for (int d = outer - 1; d >= 0 && ++at[d] == a.out_size[d]; --d) at[d] = 0;
  }
}

template <class T>
void pad_copy(const PadArgs& a) {
  const int64_t grain = kUnit / (a.out_size[a.ndim - 1] + 1) + 1;
  parallel_for(0, a.rows, grain, [&](int64_t begin, int64_t end) { pad_rows<T>(a, begin, end); });
}

template <class L, class T>
void add_row(const T* __restrict grad, const PadBackwardArgs& a, L* __restrict sum) {
  const int64_t* map = a.map[2];
  for (int64_t x = 0; x < a.first; ++x) sum[map[x]] += widen<L>(grad[x]);
  L* middle = sum + (a.first < a.last ? map[a.first] : 0);
  for (int64_t x = a.first; x < a.last; ++x) middle[x - a.first] += widen<L>(grad[x]);
  for (int64_t x = a.last; x < a.out_size[2]; ++x) sum[map[x]] += widen<L>(grad[x]);
}

template <class T>
void pad_backward(const PadBackwardArgs& a) {
  using L = Compute<T>;
  const int64_t height = a.in_size[1], width = a.in_size[2];
  const int64_t in_plane = a.in_size[0] * height * width;
  const int64_t out_plane = a.out_size[0] * a.out_size[1] * a.out_size[2];
  parallel_for(0, a.planes, kUnit / (in_plane + out_plane + 1) + 1, [&](int64_t b, int64_t e) {
    L* own = nullptr;
    if constexpr (kIsHalf<T>)
      own = static_cast<L*>(::operator new(static_cast<size_t>(in_plane) * sizeof(L)));
    for (int64_t plane = b; plane < e; ++plane) {
      const T* grad = static_cast<const T*>(a.grad) + plane * out_plane;
      T* out = static_cast<T*>(a.grad_in) + plane * in_plane;
      L* sum;
      if constexpr (kIsHalf<T>) {
        sum = own;
      } else {
        sum = out;
      }
      for (int64_t i = 0; i < in_plane; ++i) sum[i] = 0;
      for (int64_t z = 0; z < a.out_size[0]; ++z) {
        for (int64_t y = 0; y < a.out_size[1]; ++y, grad += a.out_size[2])
          add_row(grad, a, sum + (a.map[0][z] * height + a.map[1][y]) * width);
      }
      if constexpr (kIsHalf<T>) narrow_block(sum, out, in_plane);
    }
    ::operator delete(own);
  });
}

const KernelEntry kEntries[] = {
    {"pad_copy",
     {nullptr, PT_FN(&pad_copy<uint8_t>), nullptr, PT_FN(&pad_copy<uint16_t>),
      PT_FN(&pad_copy<uint32_t>), PT_FN(&pad_copy<uint64_t>)}},
    {"pad_backward",
     {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, PT_FN(&pad_backward<Half>),
      PT_FN(&pad_backward<BFloat16>), PT_FN(&pad_backward<float>), PT_FN(&pad_backward<double>)}},
};

}  // namespace
PT_REGISTER_KERNELS(kEntries)
}  // namespace pt::PT_ISA
