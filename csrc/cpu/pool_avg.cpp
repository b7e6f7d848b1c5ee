// Averages of windows and their gradients.
//
// A window's rows are added element by element along the row, then windows along that one row;
// the gradient goes the same way back. Windows of differing sizes (adaptive pooling) go one by one
// along the added row. 16-bit floats add up in float.
#include "cpu/pool_rows.h"

namespace pt::PT_ISA {
namespace {

// row[x] = the sum of the window's rows at x. `room` elements follow the start of the last row in
// the tensor: as long as they do, the row's end is read as a whole vector, and the padding that
// follows is restored.
template <class T, class L>
__attribute__((noinline)) void add_rows(const T* in, const int64_t* offsets, int64_t count,
                                        int64_t n, int64_t room, L* row) {
  constexpr int lanes = kLanes<L>;
  int64_t x = 0;
  for (; x < n && x + lanes <= room; x += lanes) {
    Vec<L> v{};
    for (int64_t k = 0; k < count; ++k) v += load<L>(in + offsets[k] + x);
    store(row + x, v);
  }
  if (x > n) store(row + n, Vec<L>{});
  for (; x < n; ++x) {
    L v = 0;
    for (int64_t k = 0; k < count; ++k) v += widen<L>(in[offsets[k] + x]);
    row[x] = v;
  }
}

template <int Stride, class L>
__attribute__((noinline)) void sum_along(const L* row, const PoolArgs& a, const L* divisors,
                                         L* out) {
  const int64_t s = a.stride[2], taps = a.kernel[2];
  for (int64_t j = 0; j < a.out_size[2]; j += kLanes<L>) {
    Vec<L> v = load_strided<Stride>(row + j * s, s);
    for (int64_t k = 1; k < taps; ++k) v += load_strided<Stride>(row + j * s + k, s);
    store(out + j, v / load<L>(divisors + j));
  }
}

// divisors[j] = what the sums of an output row are divided by, never 0.
template <class L>
void fill_divisors(const PoolArgs& a, int64_t oz, int64_t oy, int64_t padded, L* divisors) {
  // In double: sizes with padding are numbers of the caller, whose product may be anything.
  const double rows = static_cast<double>(a.size[0][oz]) * static_cast<double>(a.size[1][oy]);
  for (int64_t j = 0; j < padded; ++j) {
    const double size = j < a.out_size[2] ? rows * static_cast<double>(a.size[2][j]) : 1;
    const double d = a.divisor ? static_cast<double>(a.divisor) : size;
    divisors[j] = static_cast<L>(d == 0 ? 1 : d < 9e18 ? d : 9e18);
  }
}

// Keeps the divisors of the last row: few rows differ.
template <class L>
class Divisors {
 public:
  explicit Divisors(const PoolArgs& a)
      : a_(a), padded_(pool_round_up(a.out_size[2], kLanes<L>)), values_(padded_) {}
  const L* of_row(int64_t oz, int64_t oy) {
    const int64_t z = a_.divisor ? 0 : a_.size[0][oz], y = a_.divisor ? 0 : a_.size[1][oy];
    if (z != z_ || y != y_) fill_divisors(a_, oz, oy, padded_, values_.get());
    z_ = z, y_ = y;
    return values_.get();
  }

 private:
  const PoolArgs& a_;
  int64_t padded_, z_ = -1, y_ = -1;
  PoolBuffer<L> values_;
};

// Windows of any size along the added row.
template <class T, class L>
void average_windows(const PoolArgs& a, int64_t rows_of_window) {
  const int64_t width = a.in_size[2], in_plane = a.in_size[0] * a.in_size[1] * width;
  each_output_row(a, rows_of_window * width, [&](auto&& rows) {
    PoolBuffer<L> row(width + kLanes<L>);
    PoolBuffer<int64_t> offsets(rows_of_window);
    Divisors<L> divisors(a);
    rows([&](int64_t plane, int64_t oz, int64_t oy) {
      const T* in = static_cast<const T*>(a.in) + plane * in_plane;
      const int64_t n = row_offsets(a, oz, oy, offsets.get());
      const int64_t room = (a.planes - plane) * in_plane - (n ? offsets.get()[n - 1] : 0);
      add_rows<T>(in, offsets.get(), n, width, room, row.get());
      const int64_t at = (plane * a.out_size[0] + oz) * a.out_size[1] + oy;
      T* out = static_cast<T*>(a.out) + at * a.out_size[2];
      const L* divisor = divisors.of_row(oz, oy);
      for (int64_t j = 0; j < a.out_size[2]; ++j) {
        const L* first = row.get() + a.start[2][j];
        L sum = 0;
        for (int64_t k = 0; k < a.count[2][j]; ++k) sum += first[k];
        out[j] = narrow<T>(static_cast<L>(sum / divisor[j]));
      }
    });
  });
}

template <class T, class L>
void average_regular(const PoolArgs& a, int64_t rows_of_window) {
  const int64_t length = row_length<L>(a), width = used_width(a, length);
  const int64_t in_plane = a.in_size[0] * a.in_size[1] * a.in_size[2];
  each_output_row(a, rows_of_window * width + length, [&](auto&& rows) {
    PoolBuffer<L> row(length + kLanes<L>), result(pool_round_up(a.out_size[2], kLanes<L>));
    PoolBuffer<T> narrowed(pool_round_up(a.out_size[2], kLanes<L>));
    PoolBuffer<int64_t> offsets(rows_of_window);
    Divisors<L> divisors(a);
    pad_row(row.get(), length, a.padding[2], width, L(0));
    rows([&](int64_t plane, int64_t oz, int64_t oy) {
      const T* in = static_cast<const T*>(a.in) + plane * in_plane;
      const int64_t n = row_offsets(a, oz, oy, offsets.get());
      const int64_t room = (a.planes - plane) * in_plane - (n ? offsets.get()[n - 1] : 0);
      add_rows<T>(in, offsets.get(), n, width, room, row.get() + a.padding[2]);
      const L* divisor = divisors.of_row(oz, oy);
      with_stride(a.stride[2],
                  [&]<int Stride>() { sum_along<Stride>(row.get(), a, divisor, result.get()); });
      const int64_t at = (plane * a.out_size[0] + oz) * a.out_size[1] + oy;
      store_row(result.get(), static_cast<T*>(a.out) + at * a.out_size[2], a.out_size[2],
                narrowed.get());
    });
  });
}

// The most rows that a window has.
int64_t most_rows(const PoolArgs& a) {
  int64_t most[2] = {1, 1};
  for (int d = 0; d < 2; ++d) {
    for (int64_t j = 0; j < a.out_size[d]; ++j)
      most[d] = a.count[d][j] > most[d] ? a.count[d][j] : most[d];
  }
  return most[0] * most[1];
}

template <class T>
void avg_pool(const PoolArgs& a) {
  using L = Compute<T>;
  const int64_t rows = most_rows(a);
  if (fits_rows<L>(a, 1)) return average_regular<T, L>(a, rows);
  average_windows<T, L>(a, rows);
}

// ---- gradient ----

// row[x] = the sum of the scaled gradients of the windows that read x.
template <class L>
__attribute__((noinline)) void spread_along(const L* grad, const PoolArgs& a, L* row) {
  for (int64_t x = 0; x < a.in_size[2]; ++x) row[x] = 0;
  for (int64_t j = 0; j < a.out_size[2]; ++j) {
    L* first = row + a.start[2][j];
    for (int64_t k = 0; k < a.count[2][j]; ++k) first[k] += grad[j];
  }
}

// The same for windows that lie side by side without padding.
template <int Size, class L>
__attribute__((noinline)) void spread_tiles(const L* grad, const PoolArgs& a, L* row) {
  const int64_t n = a.out_size[2];
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t k = 0; k < Size; ++k) row[j * Size + k] = grad[j];
  }
  for (int64_t x = n * Size; x < a.in_size[2]; ++x) row[x] = 0;
}

template <class L>
void spread(const L* grad, const PoolArgs& a, L* row) {
  const bool tiles = a.regular && a.padding[2] == 0 && a.stride[2] == a.kernel[2] &&
                     a.out_size[2] * a.kernel[2] <= a.in_size[2];
  if (tiles && a.kernel[2] == 2) return spread_tiles<2>(grad, a, row);
  if (tiles && a.kernel[2] == 3) return spread_tiles<3>(grad, a, row);
  if (tiles && a.kernel[2] == 4) return spread_tiles<4>(grad, a, row);
  spread_along(grad, a, row);
}

template <class L>
void add_to(const L* __restrict row, L* __restrict sum, int64_t n) {
  for (int64_t x = 0; x < n; ++x) sum[x] += row[x];
}

template <class T>
void avg_pool_backward(const PoolArgs& a) {
  using L = Compute<T>;
  const int64_t width = a.in_size[2], in_plane = a.in_size[0] * a.in_size[1] * width;
  const int64_t out_plane = a.out_size[0] * a.out_size[1] * a.out_size[2];
  const int64_t grain = kPoolUnit / (in_plane + 1) + 1, most = most_rows(a);
  parallel_for(0, a.planes, grain, [&](int64_t begin, int64_t end) {
    PoolBuffer<L> row(width), scaled(a.out_size[2]), sums(kIsHalf<T> ? in_plane : 1);
    PoolBuffer<int64_t> offsets(most);
    Divisors<L> divisors(a);
    for (int64_t plane = begin; plane < end; ++plane) {
      const T* grad = static_cast<const T*>(a.in) + plane * out_plane;
      T* out = static_cast<T*>(a.out) + plane * in_plane;
      L* sum;
      if constexpr (kIsHalf<T>) {
        sum = sums.get();
      } else {
        sum = out;
      }
      for (int64_t i = 0; i < in_plane; ++i) sum[i] = 0;
      for (int64_t oz = 0; oz < a.out_size[0]; ++oz) {
        for (int64_t oy = 0; oy < a.out_size[1]; ++oy, grad += a.out_size[2]) {
          const L* divisor = divisors.of_row(oz, oy);
          widen_block(grad, scaled.get(), a.out_size[2]);
          for (int64_t j = 0; j < a.out_size[2]; ++j) scaled.get()[j] /= divisor[j];
          spread(scaled.get(), a, row.get());
          const int64_t n = row_offsets(a, oz, oy, offsets.get());
          for (int64_t r = 0; r < n; ++r) add_to(row.get(), sum + offsets.get()[r], width);
        }
      }
      if constexpr (kIsHalf<T>) narrow_block(sum, out, in_plane);
    }
  });
}

const KernelEntry kEntries[] = {
    {"avg_pool",
     {nullptr, nullptr, nullptr, nullptr, nullptr, PT_FN(&avg_pool<int64_t>),
      PT_FN(&avg_pool<Half>), PT_FN(&avg_pool<BFloat16>), PT_FN(&avg_pool<float>),
      PT_FN(&avg_pool<double>)}},
    {"avg_pool_backward",
     {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, PT_FN(&avg_pool_backward<Half>),
      PT_FN(&avg_pool_backward<BFloat16>), PT_FN(&avg_pool_backward<float>),
      PT_FN(&avg_pool_backward<double>)}},
};

}  // namespace
PT_REGISTER_KERNELS(kEntries)
}  // namespace pt::PT_ISA
