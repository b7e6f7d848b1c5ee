// Indexing kernels: bounds checks with address computation, and gathers of single elements.
//
// Indices are checked in the same pass that turns them into offsets; the check is one comparison
// per element, gathered into a flag, so that the loop vectorises. Which index was wrong is found
// afterwards by the caller.
#include "cpu/index_args.h"
#include "cpu/kernel_table.h"

namespace pt::PT_ISA {
namespace {

bool index_offsets(const IndexOffsets& a) {
  int64_t bad = 0;
  for (int k = 0; k < a.count; ++k) {
    const int64_t* __restrict__ index = a.index[k];
    int64_t* __restrict__ out = a.offsets;
    const int64_t size = a.size[k], wrap = a.wrap[k], stride = a.stride[k];
    if (k == 0) {
      for (int64_t i = 0; i < a.n; ++i) {
        const int64_t v = index[i] + (index[i] >> 63 & wrap);
        bad |= v | (size - 1 - v);
        out[i] = v * stride;
      }
    } else {
      for (int64_t i = 0; i < a.n; ++i) {
        const int64_t v = index[i] + (index[i] >> 63 & wrap);
        bad |= v | (size - 1 - v);
        out[i] += v * stride;
      }
    }
  }
  return bad >= 0;
}

bool index_in_range(const int64_t* index, int64_t n, int64_t size) {
  int64_t bad = 0;
  for (int64_t i = 0; i < n; ++i) bad |= index[i] | (size - 1 - index[i]);
  return bad >= 0;
}

template <class T>
void gather(const void* src, const int64_t* offsets, void* dst, int64_t n) {
  const T* __restrict__ from = static_cast<const T*>(src);
  T* __restrict__ to = static_cast<T*>(dst);
  for (int64_t i = 0; i < n; ++i) to[i] = from[offsets[i]];
}

// Blocks are checked before they are read, while their indices are in the L1 cache.
template <class T>
bool gather_line(const GatherLine& a) {
  constexpr int64_t kBlock = 1024;
  const T* __restrict__ from = static_cast<const T*>(a.src);
  const int64_t* __restrict__ index = a.index;
  T* __restrict__ to = static_cast<T*>(a.dst);
  const int64_t step = a.step, stride = a.stride, last = a.size - 1;
  for (int64_t begin = 0; begin < a.n; begin += kBlock) {
    const int64_t end = begin + kBlock < a.n ? begin + kBlock : a.n;
    int64_t bad = 0;
    for (int64_t i = begin; i < end; ++i) bad |= index[i] | (last - index[i]);
    if (bad < 0) return false;
    if (stride == 0 && step == 1) {
      for (int64_t i = begin; i < end; ++i) to[i] = from[index[i]];
    } else {
      for (int64_t i = begin; i < end; ++i) to[i] = from[index[i] * step + i * stride];
    }
  }
  return true;
}

const KernelEntry kEntries[] = {
    {"index_offsets", {nullptr, nullptr, nullptr, nullptr, nullptr, PT_FN(&index_offsets)}},
    {"index_in_range", {nullptr, nullptr, nullptr, nullptr, nullptr, PT_FN(&index_in_range)}},
    {"index_gather",
     {nullptr, PT_FN(&gather<uint8_t>), nullptr, PT_FN(&gather<uint16_t>), PT_FN(&gather<uint32_t>),
      PT_FN(&gather<uint64_t>)}},
    {"gather_line",
     {nullptr, PT_FN(&gather_line<uint8_t>), nullptr, PT_FN(&gather_line<uint16_t>),
      PT_FN(&gather_line<uint32_t>), PT_FN(&gather_line<uint64_t>)}},
};

}  // namespace
PT_REGISTER_KERNELS(kEntries)
}  // namespace pt::PT_ISA
