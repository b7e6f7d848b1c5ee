// The products inside a recurrence: a few rows of states with a weight that is packed once for all
// steps, on the micro-kernels of the matrix product. Used by rnn_forward.cpp and rnn_backward.cpp.
#pragma once

#include "core/parallel.h"
#include "cpu/gemm/pack.h"
#include "cpu/gemm/problem.h"
#include "cpu/rnn_args.h"

namespace pt::PT_ISA::rnn {

using gemm::min_of;

template <class T>
inline constexpr int kColumns = gemm::Blocks<T>::kColumns;  // of a panel; 32 at most

template <class T>
inline int64_t panels(int64_t columns) {
  return gemm::divide_up(columns, kColumns<T>);
}

// Where the state before step t lies: rows [0, split) of `steps` from row `first` on, the others
// in the initial state.
struct Before {
  int64_t first = 0, split = 0;
};
inline Before before(const RnnShape& s, int64_t t) {
  if (s.reverse) {
    return t + 1 < s.steps ? Before{s.offsets[t + 1], s.batch_sizes[t + 1]} : Before{};
  }
  return t > 0 ? Before{s.offsets[t - 1], s.batch_sizes[t]} : Before{};
}
template <class T>
inline const T* row_before(Before b, const T* steps, const T* initial, int64_t size, int64_t row) {
  return row < b.split ? steps + (b.first + row) * size : initial + row * size;
}

// Rows of A side by side, far enough apart not to share cache sets.
template <class T>
struct Rows {
  const T* a;
  int64_t pitch;
};
template <class T>
inline int64_t pitch_of(int64_t depth) {
  const int64_t pitch = gemm::round_up(depth, 16) + 16;
  return pitch % 256 == 0 ? pitch + 16 : pitch;
}

// c[rows, n] = (or +=) rows of A @ one panel; the depth is cut as the matrix product cuts it.
template <class T>
inline void multiply(Rows<T> rows, int m, int64_t depth, const T* panel, T* c, int64_t c_row, int n,
                     bool add) {
  const auto kernel = gemm::kernel_table<T>().get(gemm::kByRow, m, n);
  constexpr int64_t most = gemm::Blocks<T>::kDepth;
  for (int64_t k = 0; k < depth; k += most) {
    const int64_t part = min_of<int64_t>(most, depth - k);
    kernel(part, rows.a + k, rows.pitch, panel + k * kColumns<T>, kColumns<T>, 8 * kColumns<T>, c,
           c_row, n, add || k > 0);
  }
}

// Calls f(first row, count) for groups of rows that a micro-kernel takes at once.
template <class T, class F>
inline void for_groups(int64_t begin, int64_t end, F f) {
  constexpr int64_t most = gemm::Blocks<T>::kRows;
  for (int64_t r = begin, m; r < end; r += m) {
    m = end - r;
    if (m > most) m = m >= 2 * most ? most : (m + 1) / 2;
    f(r, static_cast<int>(m));
  }
}

// A block of one row in a local array of full width, so that every loop is whole vectors.
template <class T>
using Block = T[kColumns<T>];
template <class T>
inline void read(const T* from, int64_t n, Block<T>& to) {
  constexpr int w = kColumns<T>;
  if (n == w) {
    for (int j = 0; j < w; j++) to[j] = from[j];
  } else {
    for (int j = 0; j < w; j++) to[j] = j < n ? from[j] : T(0);
  }
}
template <class T>
inline void write(const Block<T>& from, int64_t n, T* to) {
  constexpr int w = kColumns<T>;
  if (n == w) {
    for (int j = 0; j < w; j++) to[j] = from[j];
  } else {
    for (int64_t j = 0; j < n; j++) to[j] = from[j];
  }
}

// How the work of a step is shared. No sum depends on it.
enum class Cut { kNone, kRows, kColumns };
inline Cut choose_cut(int64_t batch, int64_t work_of_step, int64_t steps) {
  const int64_t threads = get_num_threads();
  if (threads == 1 || work_of_step * steps < 1'000'000) return Cut::kNone;
  if (batch >= 8 * threads) return Cut::kRows;
  return work_of_step >= 500'000 ? Cut::kColumns : Cut::kNone;
}

}  // namespace pt::PT_ISA::rnn
