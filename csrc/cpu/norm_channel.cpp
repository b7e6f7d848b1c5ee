// Normalization by channels, for batch, instance and group norm: statistics of channels, and
// elementwise formulas with a few numbers for each channel.
//
// A channel is either planes of consecutive elements, or a column of rows that hold all channels;
// short planes are treated as several columns. Work is cut into blocks of fixed size whose results
// are combined in order.
#include <new>

#include "core/parallel.h"
#include "cpu/norm_args.h"
#include "cpu/norm_sums.h"

namespace pt::PT_ISA {
namespace {

using namespace norm;

constexpr int64_t kTask = 16384;     // elements worth handing to a thread
constexpr int64_t kColumns = 512;    // columns worked on side by side
constexpr int64_t kMostRows = 128;   // rows added up in the type computed in
constexpr int64_t kShortPlane = 16;  // shorter planes become columns

// Room for n values, freed at the end of the scope.
template <class V>
struct Room {
  V* data;
  explicit Room(int64_t n)
      : data(static_cast<V*>(::operator new(static_cast<size_t>(max64(1, n)) * sizeof(V)))) {}
  ~Room() { ::operator delete(data); }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
};

bool by_columns(const ChannelArgs& a) { return a.channels_last || a.spatial < kShortPlane; }

// A tensor as rows of columns: `group` columns in a row belong to one channel.
struct Columns {
  int64_t rows, columns, group;
  explicit Columns(const ChannelArgs& a)
      : rows(a.channels_last ? a.batch * a.spatial : a.batch),
        columns(a.channels_last ? a.channels : a.channels * a.spatial),
        group(a.channels_last ? 1 : a.spatial) {}
};

// A channel's numbers repeated for each of its columns.
template <class L>
struct Spread {
  Room<L> room;
  const L* data;
  Spread(const void* numbers, const Columns& c)
      : room(c.group == 1 || !numbers ? 0 : c.columns), data(static_cast<const L*>(numbers)) {
    if (c.group == 1 || !numbers) return;
    const L* each = data;
    for (int64_t j = 0; j < c.columns; ++j) room.data[j] = each[j / c.group];
    data = room.data;
  }
};

// Planes of a channel, cut into pieces: f(channel, plane, first, count) writes the piece's result;
// there are `pieces` of them for each plane.
constexpr int64_t kPiece = 8 * kRun;

template <class Part, class F, class Join>
void over_planes(const ChannelArgs& a, F piece_of, Join join) {
  const int64_t pieces = max64(1, ceil_div(a.spatial, kPiece));
  const int64_t planes = a.batch * a.channels;
  Room<Part> parts(planes * pieces);
  parallel_for(0, planes * pieces, max64(1, kTask / min64(kPiece, a.spatial)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t u = begin; u < end; ++u) {
                   const int64_t plane = u / pieces, first = u % pieces * kPiece;
                   parts.data[u] = piece_of(plane * a.spatial + first, plane % a.channels,
                                            min64(kPiece, a.spatial - first));
                 }
               });
  for (int64_t c = 0; c < a.channels; ++c) {
    Part total{};
    for (int64_t n = 0; n < a.batch; ++n) {
      const Part* p = parts.data + (n * a.channels + c) * pieces;
      for (int64_t i = 0; i < pieces; ++i) total.append(p[i]);
    }
    join(c, total);
  }
}

// Columns in blocks of rows: f(row, rows, column, width, out) fills a Part for each column.
template <class Part, class F, class Join>
void over_columns(const ChannelArgs& a, F block_of, Join join) {
  const Columns c(a);
  const int64_t tiles = max64(1, ceil_div(c.columns, kColumns));
  const int64_t height = min64(kMostRows, max64(16, kTask / min64(c.columns, kColumns)));
  const int64_t blocks = ceil_div(c.rows, height);
  Room<Part> parts(blocks * c.columns);
  parallel_for(0, blocks * tiles, 1, [&](int64_t begin, int64_t end) {
    for (int64_t u = begin; u < end; ++u) {
      const int64_t block = u / tiles, column = u % tiles * kColumns;
      block_of(block * height, min64(height, c.rows - block * height), column,
               min64(kColumns, c.columns - column), parts.data + block * c.columns + column);
    }
  });
  parallel_for(0, a.channels, max64(1, kTask / max64(1, blocks * c.group)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t channel = begin; channel < end; ++channel) {
                   Part total{};
                   for (int64_t b = 0; b < blocks; ++b) {
                     const Part* p = parts.data + b * c.columns + channel * c.group;
                     for (int64_t i = 0; i < c.group; ++i) total.append(p[i]);
                   }
                   join(channel, total);
                 }
               });
}

struct MomentsPart : Moments {
  using Moments::append;
  void append(const MomentsPart& p) { Moments::append(p.mean, p.m2, p.count); }
};
struct SumsPart {
  double first = 0, second = 0;
  void append(const SumsPart& p) { first += p.first, second += p.second; }
};

template <class T>
void moments(const ChannelArgs& a) {
  using L = Compute<T>;
  const T* x = static_cast<const T*>(a.x);
  const auto join = [&a](int64_t c, const MomentsPart& m) {
    a.first[c] = m.mean, a.second[c] = m.m2;
  };
  if (!by_columns(a)) {
    over_planes<MomentsPart>(
        a,
        [x](int64_t at, int64_t, int64_t n) {
          MomentsPart m;
          append_moments<T, L>(x + at, n, m);
          return m;
        },
        join);
    return;
  }
  const int64_t pitch = Columns(a).columns;
  over_columns<MomentsPart>(
      a,
      [x, pitch](int64_t row, int64_t rows, int64_t column, int64_t width, MomentsPart* out) {
        alignas(64) L mean[kColumns], m2[kColumns];
        const T* p = x + row * pitch + column;
        for (int64_t j = 0; j < width; ++j) mean[j] = m2[j] = 0;
        for (int64_t r = 1; r < rows; ++r) {
          const T* q = p + r * pitch;  // from the first row on: exact for columns of one value
          for (int64_t j = 0; j < width; ++j) mean[j] += widen<L>(q[j]) - widen<L>(p[j]);
        }
        const L share = 1 / static_cast<L>(rows);
        for (int64_t j = 0; j < width; ++j) mean[j] = widen<L>(p[j]) + mean[j] * share;
        for (int64_t r = 0; r < rows; ++r) {
          const T* q = p + r * pitch;
          for (int64_t j = 0; j < width; ++j) {
            const L d = widen<L>(q[j]) - mean[j];
            m2[j] += d * d;
          }
        }
        for (int64_t j = 0; j < width; ++j) {
          out[j].mean = static_cast<double>(mean[j]);
          out[j].m2 = static_cast<double>(m2[j]);
          out[j].count = static_cast<double>(rows);
        }
      },
      join);
}

template <class T>
void sums(const ChannelArgs& a) {
  using L = Compute<T>;
  const T *x = static_cast<const T*>(a.x), *grad = static_cast<const T*>(a.grad);
  const auto join = [&a](int64_t c, const SumsPart& s) {
    a.first[c] = s.first, a.second[c] = s.second;
  };
  if (!by_columns(a)) {
    const L* mean = static_cast<const L*>(a.mean);
    over_planes<SumsPart>(
        a,
        [x, grad, mean](int64_t at, int64_t channel, int64_t n) {
          SumsPart s;
          append_sums<T, L>(grad + at, x + at, nullptr, mean[channel], n, s.first, s.second);
          return s;
        },
        join);
    return;
  }
  const Columns c(a);
  const Spread<L> mean(a.mean, c);
  over_columns<SumsPart>(
      a,
      [&](int64_t row, int64_t rows, int64_t column, int64_t width, SumsPart* out) {
        alignas(64) L first[kColumns], second[kColumns];
        const L* m = mean.data + column;
        for (int64_t j = 0; j < width; ++j) first[j] = second[j] = 0;
        for (int64_t r = 0; r < rows; ++r) {
          const T *g = grad + (row + r) * c.columns + column,
                  *p = x + (row + r) * c.columns + column;
          for (int64_t j = 0; j < width; ++j) {
            const L d = widen<L>(g[j]);
            first[j] += d;
            second[j] += d * (widen<L>(p[j]) - m[j]);
          }
        }
        for (int64_t j = 0; j < width; ++j) {
          out[j].first = static_cast<double>(first[j]);
          out[j].second = static_cast<double>(second[j]);
        }
      },
      join);
}

// ---- elementwise formulas ----

// out = formula(grad or 0, x, mean, scale, shift, slope)
struct Affine {
  template <class L>
  static L apply(L, L x, L mean, L scale, L shift, L) {
    return (x - mean) * scale + shift;
  }
};
struct Slope {
  template <class L>
  static L apply(L grad, L x, L mean, L scale, L shift, L slope) {
    return grad * scale - shift - (x - mean) * slope;
  }
};

template <class F, bool Grad, class T, class L>
__attribute__((noinline)) void plane(const T* __restrict grad, const T* __restrict x, int64_t n,
                                     L mean, L scale, L shift, L slope, T* __restrict out) {
  for (int64_t i = 0; i < n; ++i) {
    const L g = Grad ? widen<L>(grad[i]) : L(0);
    out[i] = narrow<T>(F::apply(g, widen<L>(x[i]), mean, scale, shift, slope));
  }
}

template <class F, bool Grad, class T, class L>
__attribute__((noinline)) void row(const T* __restrict grad, const T* __restrict x, int64_t n,
                                   const L* __restrict mean, const L* __restrict scale,
                                   const L* __restrict shift, const L* __restrict slope,
                                   T* __restrict out) {
  for (int64_t i = 0; i < n; ++i) {
    const L g = Grad ? widen<L>(grad[i]) : L(0), k = Grad ? slope[i] : L(0);
    out[i] = narrow<T>(F::apply(g, widen<L>(x[i]), mean[i], scale[i], shift[i], k));
  }
}

template <class T, class F, bool Grad>
void elementwise(const ChannelArgs& a) {
  using L = Compute<T>;
  const T *x = static_cast<const T*>(a.x), *grad = static_cast<const T*>(a.grad);
  T* out = static_cast<T*>(a.out);
  if (!by_columns(a)) {
    const L *mean = static_cast<const L*>(a.mean), *scale = static_cast<const L*>(a.scale);
    const L *shift = static_cast<const L*>(a.shift), *slope = static_cast<const L*>(a.slope);
    const int64_t pieces = max64(1, ceil_div(a.spatial, kPiece));
    parallel_for(0, a.batch * a.channels * pieces, max64(1, kTask / min64(kPiece, a.spatial)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t u = begin; u < end; ++u) {
                     const int64_t first = u % pieces * kPiece, c = u / pieces % a.channels;
                     const int64_t at = u / pieces * a.spatial + first;
                     plane<F, Grad, T, L>(Grad ? grad + at : nullptr, x + at,
                                          min64(kPiece, a.spatial - first), mean[c], scale[c],
                                          shift[c], Grad ? slope[c] : L(0), out + at);
                   }
                 });
    return;
  }
  const Columns c(a);
  const Spread<L> mean(a.mean, c), scale(a.scale, c), shift(a.shift, c), slope(a.slope, c);
  const int64_t tiles = ceil_div(c.columns, kTask);
  parallel_for(0, c.rows * tiles, max64(1, kTask / min64(kTask, c.columns)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t u = begin; u < end; ++u) {
                   const int64_t j = u % tiles * kTask, at = u / tiles * c.columns + j;
                   row<F, Grad, T, L>(Grad ? grad + at : nullptr, x + at,
                                      min64(kTask, c.columns - j), mean.data + j, scale.data + j,
                                      shift.data + j, Grad ? slope.data + j : nullptr, out + at);
                 }
               });
}

template <class T>
void affine(const ChannelArgs& a) {
  elementwise<T, Affine, false>(a);
}
template <class T>
void slope(const ChannelArgs& a) {
  elementwise<T, Slope, true>(a);
}

#define PT_CHANNEL(f)                                                        \
  {nullptr,          nullptr,          nullptr,         nullptr,             \
   nullptr,          nullptr,          PT_FN(&f<Half>), PT_FN(&f<BFloat16>), \
   PT_FN(&f<float>), PT_FN(&f<double>)}

const KernelEntry kEntries[] = {
    {"channel_moments", PT_CHANNEL(moments)},
    {"channel_sums", PT_CHANNEL(sums)},
    {"channel_affine", PT_CHANNEL(affine)},
    {"channel_slope", PT_CHANNEL(slope)},
};

}  // namespace
}  // namespace pt::PT_ISA

PT_REGISTER_KERNELS(pt::PT_ISA::kEntries)
