// Weighted sums of elements named by place, for sampling images along a grid, and their gradients.
// Each is linear in both operands, so that the three are each other's gradients. 16-bit floats add
// up in float.
#include <new>

#include "core/parallel.h"
#include "cpu/image_args.h"
#include "cpu/reduce_lanes.h"

namespace pt::PT_ISA {
namespace {

constexpr int64_t kUnit = 16384;   // products worth handing to a thread
constexpr int64_t kPoints = 1024;  // points worked on at once, so that sums stay in the cache

int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }

// sum[p] += weight[p] * in[place[p]] for the places that exist.
template <class L, class T, class W>
__attribute__((noinline)) void add_tap(const T* __restrict in, int64_t in_size,
                                       const W* __restrict weight, const int32_t* __restrict place,
                                       int64_t n, L* __restrict sum) {
  const auto size = static_cast<uint32_t>(in_size);
  for (int64_t p = 0; p < n; ++p) {
    const bool inside = static_cast<uint32_t>(place[p]) < size;
    const int32_t at = inside ? place[p] : 0;
    const L product = widen<L>(weight[p]) * widen<L>(in[at]);
    sum[p] += inside ? product : L(0);
  }
}

template <class T>
void sample(const SampleArgs& a) {
  using L = Compute<T>;
  const int64_t blocks = (a.points + kPoints - 1) / kPoints;
  const int64_t grain = kUnit / (a.taps * min64(kPoints, a.points) + 1) + 1;
  parallel_for(0, a.batch * a.channels * blocks, grain, [&](int64_t begin, int64_t end) {
    L sum[kPoints];
    for (int64_t u = begin; u < end; ++u) {
      const int64_t plane = u / blocks, first = u % blocks * kPoints;
      const int64_t n = min64(kPoints, a.points - first), batch = plane / a.channels;
      for (int64_t p = 0; p < n; ++p) sum[p] = 0;
      for (int64_t k = 0; k < a.taps; ++k) {
        const int64_t at = (batch * a.taps + k) * a.points + first;
        add_tap(static_cast<const T*>(a.in) + plane * a.in_size, a.in_size,
                static_cast<const L*>(a.weights) + at, a.places + at, n, sum);
      }
      narrow_block(sum, static_cast<T*>(a.out) + plane * a.points + first, n);
    }
  });
}

template <class T>
void sample_add(const SampleArgs& a) {
  using L = Compute<T>;
  const int64_t grain = kUnit / (a.taps * a.points + a.in_size + 1) + 1;
  parallel_for(0, a.batch * a.channels, grain, [&](int64_t begin, int64_t end) {
    L* own = nullptr;
    if constexpr (kIsHalf<T>)
      own = static_cast<L*>(::operator new(static_cast<size_t>(a.in_size) * sizeof(L)));
    for (int64_t plane = begin; plane < end; ++plane) {
      T* out = static_cast<T*>(a.in) + plane * a.in_size;
      const T* grad = static_cast<const T*>(a.out) + plane * a.points;
      L* sum;
      if constexpr (kIsHalf<T>) {
        sum = own;
      } else {
        sum = out;
      }
      for (int64_t i = 0; i < a.in_size; ++i) sum[i] = 0;
      for (int64_t k = 0; k < a.taps; ++k) {
        const int64_t at = (plane / a.channels * a.taps + k) * a.points;
        const L* weight = static_cast<const L*>(a.weights) + at;
        const int32_t* place = a.places + at;
        for (int64_t p = 0; p < a.points; ++p) {
          if (static_cast<uint32_t>(place[p]) < static_cast<uint32_t>(a.in_size))
            sum[place[p]] += weight[p] * widen<L>(grad[p]);
        }
      }
      if constexpr (kIsHalf<T>) narrow_block(sum, out, a.in_size);
    }
    ::operator delete(own);
  });
}

template <class T>
void sample_dot(const SampleArgs& a) {
  using L = Compute<T>;
  const int64_t blocks = (a.points + kPoints - 1) / kPoints;
  const int64_t grain = kUnit / (a.channels * min64(kPoints, a.points) + 1) + 1;
  parallel_for(0, a.batch * a.taps * blocks, grain, [&](int64_t begin, int64_t end) {
    L sum[kPoints];
    for (int64_t u = begin; u < end; ++u) {
      const int64_t line = u / blocks, first = u % blocks * kPoints;
      const int64_t n = min64(kPoints, a.points - first), batch = line / a.taps;
      for (int64_t p = 0; p < n; ++p) sum[p] = 0;
      for (int64_t c = 0; c < a.channels; ++c) {
        const int64_t plane = batch * a.channels + c;
        add_tap(static_cast<const T*>(a.in) + plane * a.in_size, a.in_size,
                static_cast<const T*>(a.out) + plane * a.points + first,
                a.places + line * a.points + first, n, sum);
      }
      narrow_block(sum, static_cast<L*>(a.weights) + line * a.points + first, n);
    }
  });
}

#define PT_FLOATS(fn)                                                            \
  {nullptr,           nullptr,           nullptr,          nullptr,              \
   nullptr,           nullptr,           PT_FN(&fn<Half>), PT_FN(&fn<BFloat16>), \
   PT_FN(&fn<float>), PT_FN(&fn<double>)}
const KernelEntry kEntries[] = {
    {"sample", PT_FLOATS(sample)},
    {"sample_add", PT_FLOATS(sample_add)},
    {"sample_dot", PT_FLOATS(sample_dot)},
};

}  // namespace
PT_REGISTER_KERNELS(kEntries)
}  // namespace pt::PT_ISA
