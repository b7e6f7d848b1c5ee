// Sums over the elements of channels, by partial results: those of [n, c, s] tensors (planes), or
// of columns of [rows, channels]. Used by the files of this folder.
//
// A thread reads a few elements at a time, whose part of the result is made in the type computed
// in; parts are merged in double, in an order that follows from the sizes.
//
//   struct Op {
//     using Total;
//     static constexpr int kTaken;  // elements of a part
//     struct Part;                  // starts as Part{}
//     static Total none();
//     static void merge(Total&, const Total&);
//     // kPack elements from `at` of a channel, in row `row` and the following, as the part's k-th.
//     template <int kPack> void take(Part&, int k, int64_t channel, int64_t at, int64_t row) const;
//     void close(Total&, const Part&, int count) const;  // `count` elements have come
//     void finish(const Total&, int64_t channel) const;
//   };
#pragma once

#include "cuda/divider.h"
#include "cuda/pt_cuda.h"
#include "cuda/reduce/frame.h"
#include "cuda/scratch.h"

namespace pt::cuda {

inline constexpr int kNormThreads = 256, kNormColumns = 32;

struct ChannelLines {
  int64_t n = 0;  // elements of a channel
  int64_t channels = 0, spatial = 1;
  bool small = false;  // an int counts n
  Divider by_spatial;
  int64_t piece = 0, pieces = 1;
};

// A call, because the code of a division of 64 bits is long.
template <class T>
PT_DEVICE_CALL T quotient(T n, T d) {
  return n / d;
}

template <class Op, bool kColumns, int kPack>
__global__ void __launch_bounds__(kNormThreads, Op::kTaken >= 16  ? 3
                                                : Op::kTaken >= 8 ? 2
                                                                  : 1)
    channel_kernel(Op op, ChannelLines s, typename Op::Total* partial) {
  using Total = typename Op::Total;
  constexpr int kLanes = kColumns ? kNormThreads / kNormColumns : kNormThreads;
  constexpr int kLoads = Op::kTaken / kPack;
  PT_SHARED(Total, totals, [kNormThreads]);
  const int thread = static_cast<int>(threadIdx.x);
  const int slot = kColumns ? thread % kNormColumns : 0;
  const int lane = kColumns ? thread / kNormColumns : thread;
  const int64_t wide = kColumns ? kNormColumns : 1;
  const int64_t groups = (s.channels + wide - 1) / wide;
  PT_UNROLL_BY(1)
  for (int64_t unit = blockIdx.x; unit < groups * s.pieces; unit += gridDim.x) {
    const int64_t channel = unit % groups * wide + slot, piece = unit / groups;
    const int64_t begin = piece * s.piece;
    const int64_t end = begin + s.piece < s.n ? begin + s.piece : s.n;
    Total total = Op::none();
    if (channel < s.channels) {
      PT_UNROLL_BY(1)
      for (int64_t first = begin + lane * kPack; first < end;
           first += int64_t{kLanes} * Op::kTaken) {
        typename Op::Part part{};
        int count = 0;
        PT_UNROLL
        for (int k = 0; k < kLoads; ++k) {
          const int64_t row = first + k * kLanes * kPack;
          if (row >= end) continue;
          int64_t at = row * s.channels + channel;
          if (!kColumns) {
            const int64_t plane = s.small ? s.by_spatial.divide(static_cast<unsigned>(row))
                                          : quotient(row, s.spatial);
            at = (plane * s.channels + channel) * s.spatial + row - plane * s.spatial;
          }
          op.template take<kPack>(part, k, channel, at, row);
          count = (k + 1) * kPack;
        }
        op.close(total, part, count);
      }
    }
    __syncthreads();  // of the unit before
    Total* own = totals + slot;
    own[lane * wide] = total;
    __syncthreads();
    PT_UNROLL_BY(1)
    for (int half = kLanes / 2; half > 0; half /= 2) {
      if (lane < half) Op::merge(own[lane * wide], own[(lane + half) * wide]);
      __syncthreads();
    }
    if (lane != 0 || channel >= s.channels) continue;
    if (partial) {
      partial[piece * s.channels + channel] = own[0];
    } else {
      op.finish(own[0], channel);
    }
  }
}

template <class Op>
__global__ void __launch_bounds__(kNormThreads)
    merge_channels_kernel(Op op, ChannelLines s, const typename Op::Total* partial) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t c = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; c < s.channels; c += step) {
    typename Op::Total total = Op::none();
    for (int64_t piece = 0; piece < s.pieces; ++piece)
      Op::merge(total, partial[piece * s.channels + c]);
    op.finish(total, c);
  }
}

template <class Op, bool kColumns, int kPack>
void launch_channels(const Op& op, ChannelLines s) {
  constexpr int64_t kBlocks = 1024, wide = kColumns ? kNormColumns : 1;
  constexpr int64_t kLeast = kNormThreads / wide * Op::kTaken;
  const int64_t groups = (s.channels + wide - 1) / wide;
  const int64_t wanted = kBlocks / (groups < kBlocks ? groups : kBlocks);
  const int64_t possible = s.n / kLeast;
  const int64_t pieces = wanted < possible ? wanted : possible > 1 ? possible : 1;
  s.piece = ((s.n + pieces - 1) / pieces + 3) / 4 * 4;
  s.pieces = (s.n + s.piece - 1) / s.piece;
  const unsigned blocks = blocks_for(groups * s.pieces * kNormThreads, kNormThreads);
  using Total = typename Op::Total;
  const Scratch partial(s.pieces > 1 ? sizeof(Total) * static_cast<size_t>(s.channels * s.pieces)
                                     : 0);
  if (s.pieces > 1 && !partial) return;
  PT_LAUNCH((channel_kernel<Op, kColumns, kPack>), blocks, kNormThreads, 0, op, s,
            partial.as<Total>());
  if (s.pieces > 1)
    PT_LAUNCH((merge_channels_kernel<Op>), blocks_for(s.channels, kNormThreads), kNormThreads, 0,
              op, s, partial.as<Total>());
}

// Over the channels of [batch, channels, spatial], or of [n, channels] if `columns`. `packs`: four
// elements of a plane may be loaded as one.
template <class Op>
void reduce_channels(const Op& op, int64_t batch, int64_t channels, int64_t spatial, bool columns,
                     bool packs) {
  ChannelLines s;
  s.n = batch * spatial;
  s.channels = channels;
  s.spatial = spatial;
  s.small = s.n < (int64_t{1} << 30);
  if (channels == 0 || s.n == 0) return;
  if (s.small) s.by_spatial = Divider(spatial);
  if (columns || spatial == 1) return launch_channels<Op, true, 1>(op, s);
  if (packs && spatial % 4 == 0) return launch_channels<Op, false, 4>(op, s);
  launch_channels<Op, false, 1>(op, s);
}

// Two sums in double.
struct TwoSums {
  double first, second;
};

PT_DEVICE void add_sums(TwoSums& t, const TwoSums& u) {
  t.first += u.first;
  t.second += u.second;
}

// kPack elements from `at` on, which are aligned as a whole. T is double or AnyFloat.
template <class V, class Memory, int kPack>
PT_DEVICE Pack<V, kPack> loaded(const void* from, int64_t at) {
  const auto in =
      *reinterpret_cast<const Pack<Memory, kPack>*>(static_cast<const Memory*>(from) + at);
  Pack<V, kPack> p;
  PT_UNROLL
  for (int k = 0; k < kPack; ++k) p.v[k] = static_cast<V>(in.v[k]);
  return p;
}
template <class Memory, class V, int kPack>
PT_DEVICE void stored(void* to, int64_t at, const Pack<V, kPack>& p) {
  Pack<Memory, kPack> out;
  PT_UNROLL
  for (int k = 0; k < kPack; ++k) put<Memory>(out.v, k, p.v[k]);
  *reinterpret_cast<Pack<Memory, kPack>*>(static_cast<Memory*>(to) + at) = out;
}
template <class T, int kPack>
PT_DEVICE Pack<Compute<T>, kPack> pack_at(const void* from, int64_t at, DType dtype) {
  using V = Compute<T>;
  if constexpr (std::is_same_v<T, AnyFloat>) {
    if (dtype == DType::kFloat16) return loaded<V, Half, kPack>(from, at);
    if (dtype == DType::kBFloat16) return loaded<V, BFloat16, kPack>(from, at);
  }
  return loaded<V, V, kPack>(from, at);
}
template <class T, int kPack>
PT_DEVICE void put_pack(void* to, int64_t at, const Pack<Compute<T>, kPack>& p, DType dtype) {
  if constexpr (std::is_same_v<T, AnyFloat>) {
    if (dtype == DType::kFloat16) return stored<Half>(to, at, p);
    if (dtype == DType::kBFloat16) return stored<BFloat16>(to, at, p);
  }
  stored<Compute<T>>(to, at, p);
}

}  // namespace pt::cuda
