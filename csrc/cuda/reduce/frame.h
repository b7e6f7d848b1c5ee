// The frame of the reductions: out[o, i] = reduce over r of in[o, r, i], as cpu/reduce_args.h says.
//
// An operation gives two kinds of partial results: a Lane, which a thread fills with up to
// kFlush elements, and a Total, into which lanes and totals are merged (sums: float lanes, double
// totals). Groups of threads share an output; where there are few outputs, several blocks do, and
// a second kernel merges their totals. Neither depends on the machine, so that results do not.
//
//   struct Op {
//     using In, Lane, Total;
//     static Lane lane();                            static Total total();
//     static void take(Lane&, Compute<In> x, int64_t index);
//     static void absorb(Total&, const Lane&);
//     static void merge(Total&, const Total&);
//     static void finish(const Total&, const ReduceOut&, int64_t at);
//   };
#pragma once

#include "cpu/reduce_args.h"
#include "cuda/pt_cuda.h"
#include "cuda/registry.h"
#include "cuda/scratch.h"

namespace pt::cuda {

inline constexpr int kReduceThreads = 256;
inline constexpr int64_t kFlush = 32;

struct ReduceOut {
  void* out;
  void* out2;
  int64_t n;
  double p;
  DType dtype;  // of the input
};

struct ReduceShape {
  const void* in;
  int64_t outputs, n, inner;
  int64_t in_outer, in_n, in_inner, out_outer, out_inner;
  int group;      // outputs of a block: a power of two
  bool columns;   // neighbouring threads take neighbouring outputs, not elements
  int64_t piece;  // elements of n to a block
  int64_t pieces;
  DType dtype;
};

// The element type as it is computed with.
template <class T>
struct ComputeOf {
  using Type = T;
};
template <>
struct ComputeOf<Half> {
  using Type = float;
};
template <>
struct ComputeOf<BFloat16> {
  using Type = float;
};
template <class T>
using Compute = typename ComputeOf<T>::Type;

// Elements of several dtypes, told apart when the kernel runs: one kernel instead of nine.
// Stored<T> is the one that serves T.
struct AnyFloat {};    // float, Half, BFloat16
struct AnyInteger {};  // and bool
template <>
struct ComputeOf<AnyFloat> {
  using Type = float;
};
template <>
struct ComputeOf<AnyInteger> {
  using Type = int64_t;
};
template <class T>
inline constexpr bool kFloating = std::is_floating_point_v<Compute<T>>;
template <class T>
using Stored = std::conditional_t<std::is_same_v<T, double>, double,
                                  std::conditional_t<kFloating<T>, AnyFloat, AnyInteger>>;

template <class T, class V>
PT_DEVICE void put(void* out, int64_t at, V v) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    static_cast<T*>(out)[at] = T(static_cast<float>(v));
  } else {
    static_cast<T*>(out)[at] = static_cast<T>(v);
  }
}

template <class T>
PT_DEVICE Compute<T> get(const void* from, int64_t at, DType dtype) {
  if constexpr (std::is_same_v<T, AnyFloat>) {
    if (dtype == DType::kFloat32) return static_cast<const float*>(from)[at];
    if (dtype == DType::kFloat16) return static_cast<float>(static_cast<const Half*>(from)[at]);
    return static_cast<float>(static_cast<const BFloat16*>(from)[at]);
  } else if constexpr (std::is_same_v<T, AnyInteger>) {
    if (dtype == DType::kInt64) return static_cast<const int64_t*>(from)[at];
    if (dtype == DType::kInt32) return static_cast<const int32_t*>(from)[at];
    if (dtype == DType::kInt16) return static_cast<const int16_t*>(from)[at];
    if (dtype == DType::kInt8) return static_cast<const int8_t*>(from)[at];
    return static_cast<const uint8_t*>(from)[at];  // bool, too
  } else {
    return static_cast<Compute<T>>(static_cast<const T*>(from)[at]);
  }
}
template <class T>
PT_DEVICE void put(void* to, int64_t at, Compute<T> v, DType dtype) {
  if constexpr (std::is_same_v<T, AnyFloat>) {
    if (dtype == DType::kFloat32) {
      static_cast<float*>(to)[at] = v;
    } else if (dtype == DType::kFloat16) {
      static_cast<Half*>(to)[at] = Half(v);
    } else {
      static_cast<BFloat16*>(to)[at] = BFloat16(v);
    }
  } else if constexpr (std::is_same_v<T, AnyInteger>) {
    if (dtype == DType::kInt64) {
      static_cast<int64_t*>(to)[at] = v;
    } else if (dtype == DType::kInt32) {
      static_cast<int32_t*>(to)[at] = static_cast<int32_t>(v);
    } else if (dtype == DType::kInt16) {
      static_cast<int16_t*>(to)[at] = static_cast<int16_t>(v);
    } else {
      static_cast<int8_t*>(to)[at] = static_cast<int8_t>(v);
    }
  } else {
    put<T>(to, at, v);
  }
}

// Brings the totals of an output's threads together; every lane gets the result.
template <class Op>
PT_DEVICE typename Op::Total share(typename Op::Total own, int slot, int lane, int lanes) {
  using Total = typename Op::Total;
  PT_SHARED(Total, totals, [kReduceThreads]);
  Total* row = totals + slot * lanes;
  __syncthreads();  // of the outputs before
  row[lane] = own;
  __syncthreads();
  PT_UNROLL_BY(1)
  for (int s = lanes / 2; s > 0; s /= 2) {
    if (lane < s) Op::merge(row[lane], row[lane + s]);
    __syncthreads();
  }
  return row[0];
}

// Without `partial` the outputs are finished, otherwise totals go to partial[piece][output].
template <class Op>
__global__ void __launch_bounds__(kReduceThreads)
    reduce_kernel(ReduceShape s, ReduceOut out, typename Op::Total* partial) {
  const int thread = static_cast<int>(threadIdx.x), lanes = kReduceThreads / s.group;
  const int slot = s.columns ? thread % s.group : thread / lanes;
  const int lane = s.columns ? thread / s.group : thread % lanes;
  const int64_t groups = (s.outputs + s.group - 1) / s.group;
  PT_UNROLL_BY(1)
  for (int64_t unit = blockIdx.x; unit < groups * s.pieces; unit += gridDim.x) {
    const int64_t piece = unit / groups, output = unit % groups * s.group + slot;
    const bool valid = output < s.outputs;
    const int64_t o = output / s.inner, i = output % s.inner;
    typename Op::Total total = Op::total();
    if (valid) {
      const int64_t in = o * s.in_outer + i * s.in_inner;
      const int64_t begin = piece * s.piece;
      const int64_t end = begin + s.piece < s.n ? begin + s.piece : s.n;
      PT_UNROLL_BY(1)
      for (int64_t first = begin + lane; first < end; first += kFlush * lanes) {
        typename Op::Lane part = Op::lane();
        const int64_t last = first + kFlush * lanes < end ? first + kFlush * lanes : end;
        for (int64_t r = first; r < last; r += lanes)
          Op::take(part, get<typename Op::In>(s.in, in + r * s.in_n, s.dtype), r);
        Op::absorb(total, part);
      }
    }
    total = share<Op>(total, slot, lane, lanes);
    if (!valid || lane != 0) continue;
    if (partial) {
      partial[piece * s.outputs + output] = total;
    } else {
      Op::finish(total, out, o * s.out_outer + i * s.out_inner);
    }
  }
}

// The pieces of an output go to the 32 threads of a warp.
template <class Op>
__global__ void __launch_bounds__(kReduceThreads)
    merge_kernel(ReduceShape s, ReduceOut out, const typename Op::Total* partial) {
  constexpr int kLanes = 32, kOutputs = kReduceThreads / kLanes;
  const int thread = static_cast<int>(threadIdx.x), slot = thread / kLanes, lane = thread % kLanes;
  PT_UNROLL_BY(1)
  for (int64_t first = int64_t{blockIdx.x} * kOutputs; first < s.outputs;
       first += int64_t{gridDim.x} * kOutputs) {
    const int64_t k = first + slot;
    typename Op::Total total = Op::total();
    if (k < s.outputs) {
      PT_UNROLL_BY(1)
      for (int64_t piece = lane; piece < s.pieces; piece += kLanes)
        Op::merge(total, partial[piece * s.outputs + k]);
    }
    total = share<Op>(total, slot, lane, kLanes);
    if (k >= s.outputs || lane != 0) continue;
    Op::finish(total, out, k / s.inner * s.out_outer + k % s.inner * s.out_inner);
  }
}

// How the work is cut: about kBlocks blocks, each thread with a few elements at least.
inline ReduceShape shape_of(const ReduceArgs& a) {
  constexpr int64_t kBlocks = 512, kLeast = 16;
  ReduceShape s{a.in,        a.outer * a.inner, a.n, a.inner, a.in_outer, a.in_n, a.in_inner,
                a.out_outer, a.out_inner,       1,   false,   a.n,        1,      {}};
  s.columns = a.inner > 1 && (a.in_inner < a.in_n || a.in_n < 0);
  const int most = s.columns ? 32 : kReduceThreads / 32;
  // Short lines leave threads idle: then more outputs to a block.
  while (s.group < kReduceThreads && s.group < s.outputs &&
         (s.group < (s.columns ? most : 1) || kReduceThreads / s.group * 4 > s.n))
    s.group *= 2;
  const int64_t groups = (s.outputs + s.group - 1) / s.group;
  const int64_t smallest = kReduceThreads / s.group * kLeast;
  if (groups < kBlocks / 2 && s.n >= 2 * smallest) {
    const int64_t wanted = kBlocks / groups, possible = s.n / smallest;
    const int64_t pieces = wanted < possible ? wanted : possible;
    s.piece = (s.n + pieces - 1) / pieces;
    s.pieces = (s.n + s.piece - 1) / s.piece;
  }
  return s;
}

template <class Op, DType dtype>
void reduce(const ReduceArgs& a) {
  ReduceShape s = shape_of(a);
  if (s.outputs == 0) return;
  s.dtype = dtype;
  const ReduceOut out{a.out, a.out2, a.n, a.p, dtype};
  const int64_t units = (s.outputs + s.group - 1) / s.group * s.pieces;
  const unsigned blocks = blocks_for(units * kReduceThreads, kReduceThreads);
  using Total = typename Op::Total;
  if (s.pieces == 1) {
    PT_LAUNCH((reduce_kernel<Op>), blocks, kReduceThreads, 0, s, out, static_cast<Total*>(nullptr));
    return;
  }
  const Scratch partial(sizeof(Total) * static_cast<size_t>(s.outputs * s.pieces));
  if (!partial) return;
  PT_LAUNCH((reduce_kernel<Op>), blocks, kReduceThreads, 0, s, out, partial.as<Total>());
  PT_LAUNCH((merge_kernel<Op>), blocks_for(s.outputs * 32, kReduceThreads), kReduceThreads, 0, s,
            out, partial.as<Total>());
}

}  // namespace pt::cuda

// Rows of the table: all dtypes, or floating ones, of Op<T>.
#define PT_REDUCTION_SLOT(Op, T) \
  PT_FN((&::pt::cuda::reduce<Op<::pt::cuda::Stored<T>>, ::pt::dtype_of<T>>))
#define PT_FLOATING_REDUCTION(name, Op)                                        \
  {                                                                            \
    name, {                                                                    \
      PT_NO_INTEGER_SLOTS, PT_REDUCTION_SLOT(Op, ::pt::Half),                  \
          PT_REDUCTION_SLOT(Op, ::pt::BFloat16), PT_REDUCTION_SLOT(Op, float), \
          PT_REDUCTION_SLOT(Op, double)                                        \
    }                                                                          \
  }
#define PT_ANY_REDUCTION(name, Op)                                                                \
  {                                                                                               \
    name, {                                                                                       \
      PT_REDUCTION_SLOT(Op, bool), PT_REDUCTION_SLOT(Op, uint8_t), PT_REDUCTION_SLOT(Op, int8_t), \
          PT_REDUCTION_SLOT(Op, int16_t), PT_REDUCTION_SLOT(Op, int32_t),                         \
          PT_REDUCTION_SLOT(Op, int64_t), PT_REDUCTION_SLOT(Op, ::pt::Half),                      \
          PT_REDUCTION_SLOT(Op, ::pt::BFloat16), PT_REDUCTION_SLOT(Op, float),                    \
          PT_REDUCTION_SLOT(Op, double)                                                           \
    }                                                                                             \
  }
