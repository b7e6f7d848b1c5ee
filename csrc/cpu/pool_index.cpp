// Elements of planes moved by their place: gradients of max pooling and max unpooling.
#include "cpu/pool_rows.h"

namespace pt::PT_ISA {
namespace {

// Calls chunk(begin, end) for the planes of each chunk.
template <class Chunk>
void each_chunk(const PlaneIndexArgs& a, Chunk chunk) {
  const int64_t grain = kPoolUnit / (a.in_size + a.out_size + 1) + 1;
  parallel_for(0, a.planes, grain, chunk);
}

template <class F>
void each_plane(const PlaneIndexArgs& a, F f) {
  each_chunk(a, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) f(plane);
  });
}

// Whether a place is in the plane; the caller of the kernel reports one that is not.
bool in_plane(const PlaneIndexArgs& a, int64_t place, int64_t size) {
  if (static_cast<uint64_t>(place) < static_cast<uint64_t>(size)) return true;
  __atomic_store_n(a.bad_index, place, __ATOMIC_RELAXED);
  return false;
}

template <class T>
void plane_gather(const PlaneIndexArgs& a) {
  each_plane(a, [&](int64_t plane) {
    const T* in = static_cast<const T*>(a.in) + plane * a.in_size;
    T* out = static_cast<T*>(a.out) + plane * a.out_size;
    const int64_t* places = a.indices + plane * a.out_size;
    for (int64_t i = 0; i < a.out_size; ++i) {
      if (in_plane(a, places[i], a.in_size)) out[i] = in[places[i]];
    }
  });
}

template <class T>
void plane_put(const PlaneIndexArgs& a) {
  each_plane(a, [&](int64_t plane) {
    const T* in = static_cast<const T*>(a.in) + plane * a.in_size;
    T* out = static_cast<T*>(a.out) + plane * a.out_size;
    const int64_t* places = a.indices + plane * a.in_size;
    __builtin_memset(static_cast<void*>(out), 0, static_cast<size_t>(a.out_size) * sizeof(T));
    for (int64_t i = 0; i < a.in_size; ++i) {
      if (in_plane(a, places[i], a.out_size)) out[places[i]] = in[i];
    }
  });
}

template <class T>
void plane_add(const PlaneIndexArgs& a) {
  using L = Compute<T>;
  each_chunk(a, [&](int64_t begin, int64_t end) {
    // Sums of half precision, zeros again after each plane.
    PoolBuffer<L> sums(kIsHalf<T> ? a.out_size : 1);
    if (kIsHalf<T>) {
      for (int64_t i = 0; i < a.out_size; ++i) sums.get()[i] = 0;
    }
    for (int64_t plane = begin; plane < end; ++plane) {
      const T* in = static_cast<const T*>(a.in) + plane * a.in_size;
      T* out = static_cast<T*>(a.out) + plane * a.out_size;
      const int64_t* places = a.indices + plane * a.in_size;
      L* sum;
      if constexpr (kIsHalf<T>) {
        sum = sums.get();
      } else {
        sum = out;
        for (int64_t i = 0; i < a.out_size; ++i) sum[i] = 0;
      }
      for (int64_t i = 0; i < a.in_size; ++i) {
        if (in_plane(a, places[i], a.out_size)) sum[places[i]] += widen<L>(in[i]);
      }
      if constexpr (kIsHalf<T>) {
        for (int64_t i = 0; i < a.out_size; ++i) {
          out[i] = narrow<T>(sum[i]);
          sum[i] = 0;
        }
      }
    }
  });
}

#define PT_FLOATS(fn)                                                            \
  {nullptr,           nullptr,           nullptr,          nullptr,              \
   nullptr,           nullptr,           PT_FN(&fn<Half>), PT_FN(&fn<BFloat16>), \
   PT_FN(&fn<float>), PT_FN(&fn<double>)}
const KernelEntry kEntries[] = {
    {"plane_gather", PT_FLOATS(plane_gather)},
    {"plane_put", PT_FLOATS(plane_put)},
    {"plane_add", PT_FLOATS(plane_add)},
};

}  // namespace
PT_REGISTER_KERNELS(kEntries)
}  // namespace pt::PT_ISA
