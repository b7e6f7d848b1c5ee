// The frame of every reduction: how the three levels of ReduceArgs are walked, cut into units
// for the threads and combined (reduce_frame.cpp), and kernels made of a map and a merge.
//
// A reduction is a kernel K with
//   K::In, K::Total          element, and one output's state (a trivial type)
//   K::kRows, K::kWidth      the largest slab
//   K::init(args)            the state before any element
//   K::leaf(p, n, first, t)  takes n <= kLeaf consecutive elements, numbers first.. of their line
//   K::slab(p, stride, rows, first, width, t)
//                            takes `rows` rows of `width` columns, column c into t[c]
//   K::merge(t, u)           appends u, the state of later elements
//   K::finish(t, args, at)   writes the output at offset `at`
//   K::done(t)               optional: no further element can change the result
//   K::unfold(t, k, q)       optional: element number e of t stands for number e * k + q
//
// The walk sees these through function pointers (ReduceOps), so it is compiled once and not for
// each kernel and type.
#pragma once

#include "cpu/reduce_args.h"
#include "cpu/reduce_lanes.h"

namespace pt::PT_ISA {

inline constexpr int64_t kLeaf = 2048;
inline constexpr int64_t kMaxWidth = 1024;     // of a slab
inline constexpr int64_t kMaxTotalBytes = 24;  // sizeof(K::Total)

struct ReduceOps {
  int64_t item_bytes, total_bytes, lanes, rows, width;
  void (*init)(void* t, int64_t n, const ReduceArgs& a);
  // `count` lines, `stride` elements apart, into states side by side.
  void (*leaves)(const void* p, int64_t stride, int64_t count, int64_t n, int64_t first, void* t);
  void (*slab)(const void* p, int64_t stride, int64_t rows, int64_t first, int64_t width, void* t);
  void (*merge)(void* t, const void* u, int64_t n);
  void (*finish)(const void* t, int64_t n, const ReduceArgs& a, int64_t at, int64_t step);
  bool (*done)(const void* t);                               // null: never
  void (*unfold)(void* t, int64_t n, int64_t k, int64_t q);  // null: element numbers unused
};

// reduce_frame.cpp
void run_reduction(const ReduceOps& ops, const ReduceArgs& args);

template <class K>
struct ErasedKernel {
  using In = typename K::In;
  using Total = typename K::Total;
  static_assert(sizeof(Total) <= kMaxTotalBytes && K::kWidth <= kMaxWidth);

  static void init(void* t, int64_t n, const ReduceArgs& a) {
    for (int64_t i = 0; i < n; ++i) static_cast<Total*>(t)[i] = K::init(a);
  }
  static void leaves(const void* p, int64_t stride, int64_t count, int64_t n, int64_t first,
                     void* t) {
    for (int64_t i = 0; i < count; ++i) {
      K::leaf(static_cast<const In*>(p) + i * stride, n, first, static_cast<Total*>(t)[i]);
    }
  }
  static void slab(const void* p, int64_t stride, int64_t rows, int64_t first, int64_t width,
                   void* t) {
    K::slab(static_cast<const In*>(p), stride, rows, first, width, static_cast<Total*>(t));
  }
  static void merge(void* t, const void* u, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
      K::merge(static_cast<Total*>(t)[i], static_cast<const Total*>(u)[i]);
    }
  }
  static void finish(const void* t, int64_t n, const ReduceArgs& a, int64_t at, int64_t step) {
    for (int64_t i = 0; i < n; ++i) {
      K::finish(static_cast<const Total*>(t)[i], a, at + i * step);
    }
  }
  static bool done(const void* t)
    requires requires(const Total& x) { K::done(x); }
  {
    return K::done(*static_cast<const Total*>(t));
  }
  static void unfold(void* t, int64_t n, int64_t k, int64_t q)
    requires requires(Total& x) { K::unfold(x, k, q); }
  {
    for (int64_t i = 0; i < n; ++i) K::unfold(static_cast<Total*>(t)[i], k, q);
  }

  static constexpr ReduceOps table() {
    ReduceOps ops{sizeof(In), sizeof(Total), kLanes<Compute<In>>,
                  K::kRows,   K::kWidth,     &init,
                  &leaves,    &slab,         &merge,
                  &finish,    nullptr,       nullptr};
    if constexpr (requires(const Total& t) { K::done(t); }) ops.done = &done;
    if constexpr (requires(Total& t) { K::unfold(t, 1, 0); }) ops.unfold = &unfold;
    return ops;
  }
  static constexpr ReduceOps kOps = table();
};

template <class K>
void run_kernel(const ReduceArgs& args) {
  run_reduction(ErasedKernel<K>::kOps, args);
}
// ---- kernels made of a map and a merge ----
//
// Op: In, Load (map's argument), Lane (map's result, as wide as Load), Total; kPad with
// map(kPad) == kInit, neutral in merge; map and merge for scalars and for vectors;
// absorb(Total&, Lane) and, for merging states, append(Total&, const Total&).
template <class Op>
struct MapReduce {
  using In = typename Op::In;
  using Load = typename Op::Load;
  using Lane = typename Op::Lane;
  using Total = typename Op::Total;
  static_assert(sizeof(Load) == sizeof(Lane));
  static constexpr int64_t kRows = 64;
  static constexpr int64_t kWidth = kMaxWidth;

  static Total init(const ReduceArgs&) { return Op::kStart; }
  static void merge(Total& t, const Total& u) { Op::append(t, u); }

  static Lane leaf_value(const In* p, int64_t n) {
    constexpr int L = kLanes<Load>;
    using V = Vec<Lane>;
    V v0 = splat<Lane>(Op::kInit), v1 = v0, v2 = v0, v3 = v0;
    int64_t i = 0;
    for (; i + 4 * L <= n; i += 4 * L) {
      v0 = Op::merge(v0, Op::map(load<Load>(p + i)));
      v1 = Op::merge(v1, Op::map(load<Load>(p + i + L)));
      v2 = Op::merge(v2, Op::map(load<Load>(p + i + 2 * L)));
      v3 = Op::merge(v3, Op::map(load<Load>(p + i + 3 * L)));
    }
    for (; i + L <= n; i += L) v0 = Op::merge(v0, Op::map(load<Load>(p + i)));
    if (i < n) v1 = Op::merge(v1, Op::map(load_tail<Load>(p, i, n, Op::kPad)));
    return across<Lane>(Op::merge(Op::merge(v0, v1), Op::merge(v2, v3)),
                        [](V a, V b) { return Op::merge(a, b); });
  }

  static void leaf(const In* p, int64_t n, int64_t, Total& t) {
    constexpr int64_t run = 128 * kLanes<Load>;  // 32 additions to a lane
    for (int64_t i = 0; i < n; i += run) {
      Op::absorb(t, leaf_value(p + i, n - i < run ? n - i : run));
    }
  }

  __attribute__((noinline)) static void slab(const In* p, int64_t stride, int64_t rows, int64_t,
                                             int64_t width, Total* t) {
    alignas(64) Lane acc[kWidth];
    for (int64_t c = 0; c < width; ++c) acc[c] = Op::kInit;
    int64_t r = 0;
    for (; r + 4 <= rows; r += 4) {
      const In* q = p + r * stride;
      if constexpr (kSame<In, Half>) {
        alignas(64) Load row[4][kWidth];
        for (int j = 0; j < 4; ++j) widen_block(q + j * stride, row[j], width);
        add_rows(acc, row[0], row[1], row[2], row[3], width);
      } else {
        add_rows(acc, q, q + stride, q + 2 * stride, q + 3 * stride, width);
      }
    }
    for (; r < rows; ++r) {
      const In* q = p + r * stride;
      for (int64_t c = 0; c < width; ++c) {
        acc[c] = Op::merge(acc[c], Op::map(widen<Load>(q[c])));
      }
    }
    for (int64_t c = 0; c < width; ++c) Op::absorb(t[c], acc[c]);
  }

 private:
  template <class T>
  static void add_rows(Lane* __restrict acc, const T* p0, const T* p1, const T* p2, const T* p3,
                       int64_t width) {
    for (int64_t c = 0; c < width; ++c) {
      const Lane a = Op::merge(Op::map(widen<Load>(p0[c])), Op::map(widen<Load>(p1[c])));
      const Lane b = Op::merge(Op::map(widen<Load>(p2[c])), Op::map(widen<Load>(p3[c])));
      acc[c] = Op::merge(acc[c], Op::merge(a, b));
    }
  }
};

// Stores `value` as element `at` of the first result.
template <class Out, class V>
static inline void put(const ReduceArgs& a, int64_t at, V value) {
  static_cast<Out*>(a.out)[at] = narrow<Out>(value);
}

// 1 where the comparison held, else 0, in the lanes of L: a vector comparison gives -1.
template <class L, class M>
static inline auto one_where(M mask) {
  if constexpr (kSame<M, bool>) {
    return static_cast<L>(mask);
  } else {
    return -mask;
  }
}

}  // namespace pt::PT_ISA

// A table entry with the kernel K<T> for each floating type, or for each type at all. Constant
// expressions in DType's order: a table built at load time would run this ISA's code on any CPU.
#define PT_REDUCE(K, T) PT_FN(&::pt::PT_ISA::run_kernel<K<T>>)
#define PT_REDUCE_FLOATS(K) \
  PT_REDUCE(K, ::pt::Half), PT_REDUCE(K, ::pt::BFloat16), PT_REDUCE(K, float), PT_REDUCE(K, double)
#define PT_FLOATING_REDUCTION(name, K)                                                  \
  {                                                                                     \
    name, { nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, PT_REDUCE_FLOATS(K) } \
  }
#define PT_ANY_REDUCTION(name, K)                                                             \
  {                                                                                           \
    name, {                                                                                   \
      PT_REDUCE(K, bool), PT_REDUCE(K, uint8_t), PT_REDUCE(K, int8_t), PT_REDUCE(K, int16_t), \
          PT_REDUCE(K, int32_t), PT_REDUCE(K, int64_t), PT_REDUCE_FLOATS(K)                   \
    }                                                                                         \
  }
