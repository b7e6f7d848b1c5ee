// What the pooling kernels share: a row of the input between its padding, strided reads of it, and
// how output rows are handed to threads. Included by cpu/pool*.cpp only.
#pragma once

#include <new>

#include "core/parallel.h"
#include "cpu/pool_args.h"
#include "cpu/reduce_lanes.h"

namespace pt::PT_ISA {

constexpr int64_t kPoolUnit = 32768;      // element reads worth handing to a thread
constexpr int64_t kLongestRow = 1 << 16;  // of a buffered row; longer ones go element by element
constexpr int64_t kMostBuffered = 1 << 18;

// Memory of one chunk of work.
template <class L>
class PoolBuffer {
 public:
  explicit PoolBuffer(int64_t n)
      : p_(static_cast<L*>(::operator new(static_cast<size_t>(n) * sizeof(L)))) {}
  ~PoolBuffer() { ::operator delete(p_); }
  PoolBuffer(const PoolBuffer&) = delete;
  PoolBuffer& operator=(const PoolBuffer&) = delete;
  L* get() const { return p_; }

 private:
  L* p_;
};

static inline int64_t pool_round_up(int64_t n, int64_t m) { return (n + m - 1) / m * m; }

// Elements between the first one the first window of a row reads and the last one of the last.
static inline int64_t row_reach(const PoolArgs& a) {
  return (a.out_size[2] - 1) * a.stride[2] + (a.kernel[2] - 1) * a.dilation[2] + 1;
}

// Length of a buffered row, to which come a vector's lanes of room: vectors that start inside the
// reach may be read whole.
template <class L>
int64_t row_length(const PoolArgs& a) {
  const int64_t outputs = pool_round_up(a.out_size[2], kLanes<L>);
  return (outputs - 1) * a.stride[2] + (a.kernel[2] - 1) * a.dilation[2] + 1 + 2 * kLanes<L>;
}

// Whether the loops over buffered rows apply; `rows` are buffered at once.
template <class L>
bool fits_rows(const PoolArgs& a, int64_t rows) {
  // The factors are checked one by one, so that the products cannot overflow.
  const int64_t factors[] = {a.out_size[2], a.stride[2], a.kernel[2], a.dilation[2]};
  for (const int64_t n : factors) {
    if (n > kLongestRow) return false;
  }
  return a.regular && row_reach(a) <= kLongestRow && rows * row_length<L>(a) <= kMostBuffered;
}

// Offsets of the rows of window (oz, oy) that exist; there may be none.
static inline int64_t row_offsets(const PoolArgs& a, int64_t oz, int64_t oy, int64_t* offsets) {
  int64_t n = 0;
  for (int64_t kz = 0; kz < a.count[0][oz]; ++kz) {
    for (int64_t ky = 0; ky < a.count[1][oy]; ++ky) {
      const int64_t z = a.start[0][oz] + kz * a.dilation[0];
      const int64_t y = a.start[1][oy] + ky * a.dilation[1];
      offsets[n++] = (z * a.in_size[1] + y) * a.in_size[2];
    }
  }
  return n;
}

// Elements of an input row that fit the buffer: the windows' reach may end before the row does.
static inline int64_t used_width(const PoolArgs& a, int64_t length) {
  const int64_t room = length - a.padding[2];
  return a.in_size[2] < room ? a.in_size[2] : room;
}

// Fills a buffered row outside [padding, padding + n).
template <class L>
void pad_row(L* row, int64_t length, int64_t padding, int64_t n, L value) {
  for (int64_t i = 0; i < padding; ++i) row[i] = value;
  for (int64_t i = padding + n; i < length; ++i) row[i] = value;
}

// Lanes of p[0], p[stride], p[2 * stride]...
template <int Stride, class L>
static inline Vec<L> load_strided(const L* p, int64_t stride) {
  constexpr int lanes = kLanes<L>;
  if constexpr (Stride == 1) {
    return load<L>(p);
  } else if constexpr (Stride == 2) {
    typename VecOf<IntOf<L>, lanes>::type even;
    for (int i = 0; i < lanes; ++i) even[i] = 2 * i;
    return __builtin_shuffle(load<L>(p), load<L>(p + lanes), even);
  } else {
    Vec<L> v;
    for (int i = 0; i < lanes; ++i) v[i] = p[i * stride];
    return v;
  }
}

// Stores n results of a row whose buffer has whole vectors. Half types are narrowed by whole
// vectors too, into `room`: rows are short, and the rest of one would take as long as all of the
// vectors.
template <class T, class L>
static inline void store_row(const L* row, T* out, int64_t n, T* room) {
  if constexpr (kIsHalf<T>) {
    narrow_block(row, room, pool_round_up(n, kLanes<L>));
    __builtin_memcpy(out, room, static_cast<size_t>(n) * sizeof(T));
  } else {
    narrow_block(row, out, n);
  }
}

// Calls f with the stride as a constant: 1, 2, or 0 for any.
template <class F>
static inline void with_stride(int64_t stride, F&& f) {
  if (stride == 1) return f.template operator()<1>();
  if (stride == 2) return f.template operator()<2>();
  f.template operator()<0>();
}

// Cuts the rows of the output into chunks; chunk(rows) is called for each, and rows(f) then calls
// f(plane, z, y) for the chunk's rows, so that buffers are made once a chunk.
template <class Chunk>
static inline void each_output_row(const PoolArgs& a, int64_t work_per_row, Chunk chunk) {
  const int64_t height = a.out_size[1], rows = a.out_size[0] * height;
  const int64_t grain = kPoolUnit / (work_per_row < 1 ? 1 : work_per_row);
  parallel_for(0, a.planes * rows, grain < 1 ? 1 : grain, [&](int64_t begin, int64_t end) {
    chunk([&](auto&& row) {
      for (int64_t r = begin; r < end; ++r) {
        const int64_t plane = r / rows, rest = r % rows;
        row(plane, rest / height, rest % height);
      }
    });
  });
}

// The table of dimension d for a plane.
static inline const int64_t* starts_of(const PoolArgs& a, int d, int64_t plane) {
  return a.start[d] + (a.own_starts ? plane * a.out_size[d] : 0);
}

}  // namespace pt::PT_ISA
