// Resampling of planes by separable weights: interpolation in all its modes, and its gradient.
//
// For each output row the weighted sum of input rows is made first, element by element; the
// output's elements are then weighted sums along that row. 16-bit floats and bytes compute in
// float.
#include <new>

#include "core/parallel.h"
#include "cpu/gather.h"
#include "cpu/image_args.h"

namespace pt::PT_ISA {
namespace {

constexpr int64_t kUnit = 16384;  // elements worth handing to a thread

template <class T>
using WeightOf = If<kSame<T, double>, double, float>;

template <class L>
struct WeightedRow {
  int64_t offset;
  L weight;
};

// row[x] = the weighted sum of rows at x.
template <class T, class L>
__attribute__((noinline)) void blend_rows(const T* in, const WeightedRow<L>* rows, int64_t count,
                                          int64_t n, L* row) {
  constexpr int lanes = kLanes<L>;
  int64_t x = 0;
  for (; x + lanes <= n; x += lanes) {
    Vec<L> v = load<L>(in + rows[0].offset + x) * rows[0].weight;
    for (int64_t k = 1; k < count; ++k) v += load<L>(in + rows[k].offset + x) * rows[k].weight;
    store(row + x, v);
  }
  for (; x < n; ++x) {
    L v = widen<L>(in[rows[0].offset + x]) * rows[0].weight;
    for (int64_t k = 1; k < count; ++k) v += widen<L>(in[rows[k].offset + x]) * rows[k].weight;
    row[x] = v;
  }
}

template <int Taps, class L>
__attribute__((noinline)) void sum_even(const L* __restrict row, const ResampleArgs& a,
                                        L* __restrict out) {
  constexpr int lanes = kLanes<L>;
  const int64_t n = a.out_size[2], stride = a.even_stride, taps = Taps ? Taps : a.even_taps;
  const int32_t* __restrict index = a.even_index;
  const L* __restrict weight = static_cast<const L*>(a.even_weight);
  for (int64_t j = 0; j < n; j += lanes) {
    Vec<L> v = {};
#pragma GCC unroll 4
    for (int64_t k = 0; k < taps; ++k) {
      const int64_t at = k * stride + j;
      v += gather<L>(row, load_places<L>(index + at)) * load<L>(weight + at);
    }
    if (j + lanes <= n) {
      store(out + j, v);
    } else {
      __builtin_memcpy(out + j, &v, static_cast<size_t>(n - j) * sizeof(L));
    }
  }
}

// out[j] = in[index[j]].
template <class T>
__attribute__((noinline)) void pick(const T* __restrict in, const ResampleArgs& a,
                                    T* __restrict out) {
  const int64_t n = a.out_size[2];
  const int32_t* __restrict index = a.taps[2].index;
  int64_t j = 0;
  if constexpr (sizeof(T) >= 4) {
    using L = If<sizeof(T) == 4, float, double>;
    const auto* from = reinterpret_cast<const L*>(in);
    for (; j + kLanes<L> <= n; j += kLanes<L>) {
      const Vec<L> v = gather<L>(from, load_places<L>(index + j));
      __builtin_memcpy(out + j, &v, sizeof v);
    }
  }
  for (; j < n; ++j) out[j] = in[index[j]];
}

template <class L>
__attribute__((noinline)) void sum_uneven(const L* row, const ResampleArgs& a, L* out) {
  const TapTable& t = a.taps[2];
  const L* weight = static_cast<const L*>(t.weight);
  for (int64_t j = 0; j < a.out_size[2]; ++j) {
    L v = 0;
    for (int64_t k = t.offset[j]; k < t.offset[j + 1]; ++k) v += row[t.index[k]] * weight[k];
    out[j] = v;
  }
}

template <class L>
void sum_along(const L* row, const ResampleArgs& a, L* out) {
  if (a.even_taps == 1) return sum_even<1>(row, a, out);
  if (a.even_taps == 2) return sum_even<2>(row, a, out);
  if (a.even_taps == 4) return sum_even<4>(row, a, out);
  if (a.even_taps > 0) return sum_even<0>(row, a, out);
  sum_uneven(row, a, out);
}

template <class T, class L>
void store_row(const L* row, T* out, int64_t n) {
  if constexpr (kSame<T, uint8_t>) {
    for (int64_t i = 0; i < n; ++i) {
      const L v = row[i] < 0 ? L(0) : row[i] > 255 ? L(255) : row[i];
      out[i] = static_cast<uint8_t>(v + L(0.5));
    }
  } else {
    narrow_block(row, out, n);
  }
}

// Rows that the taps of output row (z, y) name.
template <class L>
int64_t rows_of(const ResampleArgs& a, int64_t z, int64_t y, WeightedRow<L>* rows) {
  const TapTable &tz = a.taps[0], &ty = a.taps[1];
  const L *wz = static_cast<const L*>(tz.weight), *wy = static_cast<const L*>(ty.weight);
  int64_t n = 0;
  for (int64_t i = tz.offset[z]; i < tz.offset[z + 1]; ++i) {
    for (int64_t k = ty.offset[y]; k < ty.offset[y + 1]; ++k, ++n) {
      rows[n].offset = (tz.index[i] * a.in_size[1] + ty.index[k]) * a.in_size[2];
      rows[n].weight = wz[i] * wy[k];
    }
  }
  return n;
}

int64_t most_taps(const TapTable& t, int64_t n) {
  int64_t most = 1;
  for (int64_t j = 0; j < n; ++j) {
    const int64_t taps = t.offset[j + 1] - t.offset[j];
    most = taps > most ? taps : most;
  }
  return most;
}

template <class T>
void resample(const ResampleArgs& a) {
  using L = WeightOf<T>;
  const int64_t most = most_taps(a.taps[0], a.out_size[0]) * most_taps(a.taps[1], a.out_size[1]);
  const int64_t in_plane = a.in_size[0] * a.in_size[1] * a.in_size[2];
  const int64_t height = a.out_size[1], rows = a.out_size[0] * height;
  const int64_t width = a.in_size[2], n = a.out_size[2];
  const int64_t grain = kUnit / (width + n) + 1;
  parallel_for(0, a.planes * rows, grain, [&](int64_t begin, int64_t end) {
    char* memory =
        static_cast<char*>(::operator new(static_cast<size_t>(most) * sizeof(WeightedRow<L>) +
                                          static_cast<size_t>(width + n) * sizeof(L)));
    auto* taps = reinterpret_cast<WeightedRow<L>*>(memory);
    L* row = reinterpret_cast<L*>(taps + most);
    L* result = row + width;
    for (int64_t r = begin; r < end; ++r) {
      const int64_t plane = r / rows, rest = r % rows;
      const T* in = static_cast<const T*>(a.in) + plane * in_plane;
      T* out = static_cast<T*>(a.out) + r * n;
      const int64_t count = rows_of(a, rest / height, rest % height, taps);
      if (count == 0) {
        for (int64_t j = 0; j < n; ++j) result[j] = 0;
        store_row(result, out, n);
        continue;
      }
      const L* source = row;
      if constexpr (kSame<T, L>) {
        if (count == 1 && taps[0].weight == 1) source = in + taps[0].offset;
      }
      if (source == row) blend_rows(in, taps, count, width, row);
      if constexpr (kSame<T, L>) {
        sum_along(source, a, out);
      } else {
        sum_along(source, a, result);
        store_row(result, out, n);
      }
    }
    ::operator delete(memory);
  });
}

template <class T>
void resample_nearest(const ResampleArgs& a) {
  const int64_t in_plane = a.in_size[0] * a.in_size[1] * a.in_size[2];
  const int64_t height = a.out_size[1], rows = a.out_size[0] * height, n = a.out_size[2];
  parallel_for(0, a.planes * rows, kUnit / (n + 1) + 1, [&](int64_t begin, int64_t end) {
    const T* last = nullptr;
    for (int64_t r = begin; r < end; ++r) {
      const int64_t plane = r / rows, rest = r % rows;
      const int64_t z = a.taps[0].index[rest / height], y = a.taps[1].index[rest % height];
      const T* __restrict in =
          static_cast<const T*>(a.in) + plane * in_plane + (z * a.in_size[1] + y) * a.in_size[2];
      T* __restrict out = static_cast<T*>(a.out) + r * n;
      if (in == last) {  // the row above came from the same one
        __builtin_memcpy(out, out - n, static_cast<size_t>(n) * sizeof(T));
      } else if (a.doubles_rows) {
        for (int64_t x = 0; x < n / 2; ++x) out[2 * x] = in[x], out[2 * x + 1] = in[x];
      } else if (a.halves_rows) {
        for (int64_t x = 0; x < n; ++x) out[x] = in[2 * x];
      } else {
        pick(in, a, out);
      }
      last = in;
    }
  });
}

const KernelEntry kEntries[] = {
    {"resample",
     {nullptr, PT_FN(&resample<uint8_t>), nullptr, nullptr, nullptr, nullptr,
      PT_FN(&resample<Half>), PT_FN(&resample<BFloat16>), PT_FN(&resample<float>),
      PT_FN(&resample<double>)}},
    {"resample_nearest",
     {nullptr, PT_FN(&resample_nearest<uint8_t>), nullptr, PT_FN(&resample_nearest<uint16_t>),
      PT_FN(&resample_nearest<uint32_t>), PT_FN(&resample_nearest<uint64_t>)}},
};

}  // namespace
PT_REGISTER_KERNELS(kEntries)
}  // namespace pt::PT_ISA
