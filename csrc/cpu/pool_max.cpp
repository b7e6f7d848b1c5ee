// Maxima of windows, with and without the places where they were found.
//
// Without places: the maximum of a window's rows is taken first, element by element along the row,
// then windows along that one row. With places: the window's elements in order, several windows
// side by side, the later element only where it is greater; NaN is greater than anything, so the
// last NaN of a window wins. Windows of differing sizes go one by one.
#include "cpu/pool_rows.h"

namespace pt::PT_ISA {
namespace {

template <class L>
static inline bool replaces(L v, L best) {
  return v > best || v != v;
}

template <class L>
static inline Vec<L> larger(Vec<L> v, Vec<L> best) {
  if constexpr (kFloating<L>) {
    return (v > best) | (v != v) ? v : best;
  } else {
    return v > best ? v : best;
  }
}

// Windows of any size, one at a time.
template <class T, class L>
void max_windows(const PoolArgs& a) {
  const int64_t height = a.in_size[1], width = a.in_size[2];
  const int64_t in_plane = a.in_size[0] * height * width;
  const int64_t out_rows = a.out_size[0] * a.out_size[1];
  const int64_t work = in_plane / (out_rows < 1 ? 1 : out_rows) + a.out_size[2];
  each_output_row(a, work, [&](auto&& rows) {
    rows([&](int64_t plane, int64_t oz, int64_t oy) {
      const T* in = static_cast<const T*>(a.in) + plane * in_plane;
      const int64_t at = (plane * out_rows + oz * a.out_size[1] + oy) * a.out_size[2];
      T* out = static_cast<T*>(a.out) + at;
      const int64_t* start = starts_of(a, 2, plane);
      const int64_t z0 = starts_of(a, 0, plane)[oz], y0 = starts_of(a, 1, plane)[oy];
      for (int64_t ox = 0; ox < a.out_size[2]; ++ox) {
        int64_t place = (z0 * height + y0) * width + start[ox];
        L best = Limits<L>::lowest;
        for (int64_t kz = 0; kz < a.count[0][oz]; ++kz) {
          for (int64_t ky = 0; ky < a.count[1][oy]; ++ky) {
            const int64_t z = z0 + kz * a.dilation[0], y = y0 + ky * a.dilation[1];
            const int64_t row = (z * height + y) * width + start[ox];
            for (int64_t kx = 0; kx < a.count[2][ox]; ++kx) {
              const L v = widen<L>(in[row + kx * a.dilation[2]]);
              if (replaces(v, best)) best = v, place = row + kx * a.dilation[2];
            }
          }
        }
        out[ox] = narrow<T>(best);
        if (a.indices) a.indices[at + ox] = place;
      }
    });
  });
}

// row[x] = the largest of the window's rows at x. `room` elements follow the start of the last row
// in the tensor: as long as they do, the row's end is read as a whole vector, and the padding that
// follows is restored.
template <class T, class L>
__attribute__((noinline)) void fold_rows(const T* in, const int64_t* offsets, int64_t count,
                                         int64_t n, int64_t room, L* row) {
  constexpr int lanes = kLanes<L>;
  int64_t x = 0;
  if (count == 0) {
    for (; x < n; ++x) row[x] = Limits<L>::lowest;
  }
  for (; x < n && x + lanes <= room; x += lanes) {
    Vec<L> v = load<L>(in + offsets[0] + x);
    for (int64_t k = 1; k < count; ++k) v = larger<L>(load<L>(in + offsets[k] + x), v);
    store(row + x, v);
  }
  if (x > n) store(row + n, splat(Limits<L>::lowest));
  for (; x < n; ++x) {
    L v = widen<L>(in[offsets[0] + x]);
    for (int64_t k = 1; k < count; ++k) {
      const L w = widen<L>(in[offsets[k] + x]);
      v = replaces(w, v) ? w : v;
    }
    row[x] = v;
  }
}

template <int Stride, class L>
__attribute__((noinline)) void max_along(const L* row, const PoolArgs& a, L* out) {
  const int64_t s = a.stride[2], step = a.dilation[2], taps = a.kernel[2];
  for (int64_t j = 0; j < a.out_size[2]; j += kLanes<L>) {
    Vec<L> v = load_strided<Stride>(row + j * s, s);
    for (int64_t k = 1; k < taps; ++k)
      v = larger<L>(load_strided<Stride>(row + j * s + k * step, s), v);
    store(out + j, v);
  }
}

template <class T, class L>
void max_values(const PoolArgs& a) {
  const int64_t length = row_length<L>(a), width = used_width(a, length);
  const int64_t in_plane = a.in_size[0] * a.in_size[1] * a.in_size[2];
  const int64_t rows_of_window = a.kernel[0] * a.kernel[1];
  each_output_row(a, rows_of_window * width + length, [&](auto&& rows) {
    PoolBuffer<L> row(length + kLanes<L>), result(a.out_size[2] + kLanes<L>);
    PoolBuffer<T> narrowed(a.out_size[2] + kLanes<L>);
    PoolBuffer<int64_t> offsets(rows_of_window);
    pad_row(row.get(), length, a.padding[2], width, Limits<L>::lowest);
    rows([&](int64_t plane, int64_t oz, int64_t oy) {
      const T* in = static_cast<const T*>(a.in) + plane * in_plane;
      const int64_t n = row_offsets(a, oz, oy, offsets.get());
      const int64_t room = (a.planes - plane) * in_plane - (n ? offsets.get()[n - 1] : 0);
      fold_rows<T>(in, offsets.get(), n, width, room, row.get() + a.padding[2]);
      with_stride(a.stride[2],
                  [&]<int Stride>() { max_along<Stride>(row.get(), a, result.get()); });
      const int64_t at = (plane * a.out_size[0] + oz) * a.out_size[1] + oy;
      store_row(result.get(), static_cast<T*>(a.out) + at * a.out_size[2], a.out_size[2],
                narrowed.get());
    });
  });
}

// Rows are short: their end is widened as a whole vector, too, of which a part was there already.
template <class T, class L>
static inline void widen_row(const T* in, L* out, int64_t n) {
  constexpr int lanes = kLanes<L>;
  if (!kIsHalf<T> || n < lanes) return widen_block(in, out, n);
  int64_t x = 0;
  for (; x + lanes <= n; x += lanes) store(out + x, load<L>(in + x));
  if (x < n) store(out + n - lanes, load<L>(in + n - lanes));
}

// out, places: the maxima of windows over `count` buffered rows and where they are.
template <int Stride, class L>
__attribute__((noinline)) void max_places(const L* rows, int64_t length, const int64_t* offsets,
                                          int64_t count, const IntOf<L>* first, const PoolArgs& a,
                                          L* out, IntOf<L>* places) {
  using I = IntOf<L>;
  constexpr int lanes = kLanes<L>;
  const int64_t s = a.stride[2], step = a.dilation[2], taps = a.kernel[2];
  Vec<I> ramp;
  for (int i = 0; i < lanes; ++i) ramp[i] = static_cast<I>(i * s);
  for (int64_t j = 0; j < a.out_size[2]; j += lanes) {
    Vec<L> best = splat(Limits<L>::lowest);
    Vec<I> place = load<I>(first + j) + static_cast<I>(count ? offsets[0] : 0);
    for (int64_t r = 0; r < count; ++r) {
      const L* row = rows + r * length + j * s;
      const Vec<I> base = ramp + static_cast<I>(offsets[r] + j * s - a.padding[2]);
      for (int64_t k = 0; k < taps; ++k) {
        const Vec<L> v = load_strided<Stride>(row + k * step, s);
        auto take = v > best;
        if constexpr (kFloating<L>) take |= v != v;
        best = take ? v : best;
        place = take ? base + static_cast<I>(k * step) : place;
      }
    }
    store(out + j, best);
    store(places + j, place);
  }
}

template <class T, class L>
void max_with_places(const PoolArgs& a) {
  using I = IntOf<L>;
  const int64_t length = row_length<L>(a), width = used_width(a, length);
  const int64_t in_plane = a.in_size[0] * a.in_size[1] * a.in_size[2];
  const int64_t rows_of_window = a.kernel[0] * a.kernel[1];
  const int64_t outputs = pool_round_up(a.out_size[2], kLanes<L>);
  each_output_row(a, rows_of_window * (width + length), [&](auto&& rows) {
    PoolBuffer<L> buffer(rows_of_window * length), result(outputs);
    PoolBuffer<T> narrowed(outputs);
    PoolBuffer<I> places(outputs), first(outputs);
    PoolBuffer<int64_t> offsets(rows_of_window);
    for (int64_t r = 0; r < rows_of_window; ++r)
      pad_row(buffer.get() + r * length, length, a.padding[2], width, Limits<L>::lowest);
    for (int64_t j = 0; j < outputs; ++j)
      first.get()[j] = static_cast<I>(j < a.out_size[2] ? a.start[2][j] : 0);
    rows([&](int64_t plane, int64_t oz, int64_t oy) {
      const T* in = static_cast<const T*>(a.in) + plane * in_plane;
      const int64_t n = row_offsets(a, oz, oy, offsets.get());
      for (int64_t r = 0; r < n; ++r)
        widen_row(in + offsets.get()[r], buffer.get() + r * length + a.padding[2], width);
      with_stride(a.stride[2], [&]<int Stride>() {
        max_places<Stride>(buffer.get(), length, offsets.get(), n, first.get(), a, result.get(),
                           places.get());
      });
      const int64_t row = (plane * a.out_size[0] + oz) * a.out_size[1] + oy;
      store_row(result.get(), static_cast<T*>(a.out) + row * a.out_size[2], a.out_size[2],
                narrowed.get());
      int64_t* indices = a.indices + row * a.out_size[2];
      for (int64_t j = 0; j < a.out_size[2]; ++j) indices[j] = places.get()[j];
    });
  });
}

template <class T>
void max_pool(const PoolArgs& a) {
  using L = Compute<T>;
  const bool few_rows = a.kernel[0] <= 64 && a.kernel[1] <= 64;
  // Places are counted in integers of L's size.
  const bool small = sizeof(L) == 8 || a.in_size[0] * a.in_size[1] * a.in_size[2] < (1LL << 31);
  const int64_t rows = !few_rows ? 1 : a.indices ? a.kernel[0] * a.kernel[1] : 1;
  if (!few_rows || !small || !fits_rows<L>(a, rows)) return max_windows<T, L>(a);
  return a.indices ? max_with_places<T, L>(a) : max_values<T, L>(a);
}

const KernelEntry kEntries[] = {
    {"max_pool",
     {nullptr, PT_FN(&max_pool<uint8_t>), PT_FN(&max_pool<int8_t>), PT_FN(&max_pool<int16_t>),
      PT_FN(&max_pool<int32_t>), PT_FN(&max_pool<int64_t>), PT_FN(&max_pool<Half>),
      PT_FN(&max_pool<BFloat16>), PT_FN(&max_pool<float>), PT_FN(&max_pool<double>)}},
};

}  // namespace
PT_REGISTER_KERNELS(kEntries)
}  // namespace pt::PT_ISA
