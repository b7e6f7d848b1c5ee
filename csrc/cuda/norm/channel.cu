// Normalization by channels: "channel_moments", "channel_sums", "channel_affine", "channel_slope"
// and the small sums between them, "norm_factors" and "norm_factors_backward" (cpu/norm_args.h).
#include "cpu/norm_args.h"
#include "cuda/norm/lines.h"

namespace pt::cuda {
namespace {

// Merged by the formula of Chan, Golub and LeVeque (1979).
template <class T>
struct MomentsOp {
  using L = Compute<T>;
  struct Total {
    double mean, m2, n;
  };
  const void* x;
  DType dtype;
  double *mean, *m2;
  PT_DEVICE static Total none() { return {0, 0, 0}; }
  PT_DEVICE static void merge(Total& t, const Total& u) {
    if (u.n == 0) return;
    const double n = t.n + u.n, d = u.mean - t.mean, part = u.n / n;
    t.mean += d * part;
    t.m2 += u.m2 + d * d * (t.n * part);
    t.n = n;
  }
  static constexpr int kTaken = std::is_same_v<T, double> ? 8 : 16;
  struct Part {
    L v[kTaken];
  };
  template <int kPack>
  PT_DEVICE void take(Part& p, int k, int64_t, int64_t at, int64_t) const {
    const auto pack = pack_at<T, kPack>(x, at, dtype);
    PT_UNROLL
    for (int j = 0; j < kPack; ++j) p.v[k * kPack + j] = pack.v[j];
  }
  PT_DEVICE void close(Total& t, const Part& p, int n) const {
    const L start = p.v[0];  // the mean of equal elements is exact
    L sum = 0;
    PT_UNROLL
    for (int k = 0; k < kTaken; ++k) sum += k < n ? p.v[k] - start : L(0);
    const L near = start + sum / static_cast<L>(n);
    L rest = 0, squares = 0;
    PT_UNROLL
    for (int k = 0; k < kTaken; ++k) {
      const L d = k < n ? p.v[k] - near : L(0);
      rest += d;
      squares += d * d;
    }
    const double off = static_cast<double>(rest) / n;  // what rounding the mean moved it by
    merge(t,
          {static_cast<double>(near) + off,
           static_cast<double>(squares) - off * static_cast<double>(rest), static_cast<double>(n)});
  }
  PT_DEVICE void finish(const Total& t, int64_t channel) const {
    mean[channel] = t.mean;
    m2[channel] = t.m2 < 0 ? 0 : t.m2;
  }
};

template <class T>
struct SumsOp {
  using L = Compute<T>;
  using Total = TwoSums;
  const void *grad, *x;
  DType dtype;
  const L* mean;
  double *first, *second;
  static constexpr int kTaken = 16;
  struct Part {
    L first, second;
  };
  PT_DEVICE static Total none() { return {0, 0}; }
  PT_DEVICE static void merge(Total& t, const Total& u) { add_sums(t, u); }
  template <int kPack>
  PT_DEVICE void take(Part& p, int, int64_t channel, int64_t at, int64_t) const {
    const auto g = pack_at<T, kPack>(grad, at, dtype), v = pack_at<T, kPack>(x, at, dtype);
    const L m = mean[channel];
    PT_UNROLL
    for (int j = 0; j < kPack; ++j) {
      p.first += g.v[j];
      p.second += g.v[j] * (v.v[j] - m);
    }
  }
  PT_DEVICE void close(Total& t, const Part& p, int) const {
    merge(t, {static_cast<double>(p.first), static_cast<double>(p.second)});
  }
  PT_DEVICE void finish(const Total& t, int64_t channel) const {
    first[channel] = t.first;
    second[channel] = t.second;
  }
};

// --- elementwise ---------------------------------------------------------------------------------

struct ChannelOf {
  int64_t spatial, channels;
  bool small, last;
  Divider by_spatial, by_channels;
};
PT_DEVICE int64_t channel_of(const ChannelOf& s, int64_t i) {
  if (s.small) {
    const unsigned plane =
        s.last ? static_cast<unsigned>(i) : s.by_spatial.divide(static_cast<unsigned>(i));
    return plane - s.by_channels.divide(plane) * s.by_channels.divisor;
  }
  const int64_t plane = s.last ? i : quotient(i, s.spatial);
  return plane - quotient(plane, s.channels) * s.channels;
}

// Four elements at a time, all of one channel, or one.
template <class T, int kPack, bool kSlope>
__global__ void __launch_bounds__(kNormThreads)
    elements_kernel(ChannelArgs a, ChannelOf s, int64_t all, DType dtype) {
  using L = Compute<T>;
  const int64_t step = int64_t{gridDim.x} * blockDim.x * kPack;
  PT_UNROLL_BY(1)
  for (int64_t i = (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) * kPack; i < all; i += step) {
    const int64_t c = channel_of(s, i);
    const L mean = static_cast<const L*>(a.mean)[c], scale = static_cast<const L*>(a.scale)[c];
    const L shift = static_cast<const L*>(a.shift)[c];
    const L slope = kSlope ? static_cast<const L*>(a.slope)[c] : L(0);
    const auto x = pack_at<T, kPack>(a.x, i, dtype);
    auto g = x, out = x;
    if (kSlope) g = pack_at<T, kPack>(a.grad, i, dtype);
    PT_UNROLL
    for (int k = 0; k < kPack; ++k) {
      const L d = x.v[k] - mean;
      out.v[k] = kSlope ? g.v[k] * scale - shift - d * slope : d * scale + shift;
    }
    put_pack<T>(a.out, i, out, dtype);
  }
}

template <class T>
bool packs(const void* p) {
  return aligned(p, sizeof(T) * 4);
}

template <class T, bool kSlope>
void elements(const ChannelArgs& a) {
  const int64_t all = a.batch * a.channels * a.spatial;
  if (all == 0) return;
  ChannelOf s{a.spatial, a.channels, all < (int64_t{1} << 30), a.channels_last, {}, {}};
  if (s.small) s.by_spatial = Divider(a.spatial), s.by_channels = Divider(a.channels);
  if (!a.channels_last && a.spatial % 4 == 0 && packs<T>(a.x) && packs<T>(a.out) &&
      (!kSlope || packs<T>(a.grad))) {
    PT_LAUNCH((elements_kernel<Stored<T>, 4, kSlope>), blocks_for(all / 4, kNormThreads),
              kNormThreads, 0, a, s, all, dtype_of<T>);
  } else {
    PT_LAUNCH((elements_kernel<Stored<T>, 1, kSlope>), blocks_for(all, kNormThreads), kNormThreads,
              0, a, s, all, dtype_of<T>);
  }
}

template <class T>
void channel_affine(const ChannelArgs& a) {
  elements<T, false>(a);
}
template <class T>
void channel_slope(const ChannelArgs& a) {
  elements<T, true>(a);
}
template <class T>
void channel_moments(const ChannelArgs& a) {
  const MomentsOp<Stored<T>> op{a.x, dtype_of<T>, a.first, a.second};
  reduce_channels(op, a.batch, a.channels, a.spatial, a.channels_last, packs<T>(a.x));
}
template <class T>
void channel_sums(const ChannelArgs& a) {
  const SumsOp<Stored<T>> op{a.grad,  a.x,     dtype_of<T>, static_cast<const Compute<T>*>(a.mean),
                             a.first, a.second};
  reduce_channels(op, a.batch, a.channels, a.spatial, a.channels_last,
                  packs<T>(a.x) && packs<T>(a.grad));
}

// --- the numbers of channels ---------------------------------------------------------------------

// P is the parameters' dtype.
template <class P>
PT_DEVICE double number(const void* p, int64_t i, double otherwise) {
  return p ? static_cast<double>(static_cast<Compute<P>>(static_cast<const P*>(p)[i])) : otherwise;
}

template <class P>
__global__ void __launch_bounds__(kNormThreads) factors_kernel(NormFactorArgs a, int64_t depth) {
  using L = Compute<P>;
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < a.batch * a.channels;
       i += step) {
    const int64_t c = i % a.channels, group = i / depth;
    const double mean = a.training ? a.first[group] : number<P>(a.running_mean, c, 0);
    const double var = a.training ? a.second[group] / a.count : number<P>(a.running_var, c, 1);
    const double rstd = 1 / ::sqrt(var + a.eps);
    static_cast<L*>(a.mean)[i] = static_cast<L>(mean);
    static_cast<L*>(a.scale)[i] = static_cast<L>(rstd * number<P>(a.weight, c, 1));
    static_cast<L*>(a.shift)[i] = static_cast<L>(number<P>(a.bias, c, 0));
    if (!a.training || i % depth != 0) continue;
    if (a.saved_mean) put<P>(a.saved_mean, group, mean);
    if (a.saved_rstd) put<P>(a.saved_rstd, group, rstd);
    const double old = 1 - a.momentum;
    if (a.running_mean)
      put<P>(a.running_mean, c, a.momentum * mean + old * number<P>(a.running_mean, c, 0));
    if (a.running_var)
      put<P>(a.running_var, c,
             a.momentum * (a.second[group] / (a.count - 1)) + old * number<P>(a.running_var, c, 0));
  }
}

// The first threads go over groups, then all over channels: neither needs the other.
template <class P>
__global__ void __launch_bounds__(kNormThreads)
    factors_backward_kernel(NormFactorArgs a, int64_t depth) {
  using L = Compute<P>;
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  const int64_t thread = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  PT_UNROLL_BY(1)
  for (int64_t group = thread; group < a.batch * a.groups; group += step) {
    const double rstd = number<P>(a.saved_rstd, group, 1);
    double first = 0, second = 0;
    PT_UNROLL_BY(1)
    for (int64_t i = group * depth; i < (group + 1) * depth; ++i) {
      const double w = number<P>(a.weight, i % a.channels, 1);
      first += w * a.first[i];
      second += w * a.second[i];
    }
    PT_UNROLL_BY(1)
    for (int64_t i = group * depth; i < (group + 1) * depth; ++i) {
      const double w = number<P>(a.weight, i % a.channels, 1);
      static_cast<L*>(a.scale)[i] = static_cast<L>(rstd * w);
      static_cast<L*>(a.shift)[i] = static_cast<L>(a.training ? rstd * first / a.count : 0);
      static_cast<L*>(a.slope)[i] =
          static_cast<L>(a.training ? rstd * rstd * rstd * second / a.count : 0);
    }
  }
  PT_UNROLL_BY(1)
  for (int64_t c = thread; c < a.channels; c += step) {
    double weight = 0, bias = 0;
    for (int64_t sample = 0; sample < a.batch; ++sample) {
      const int64_t i = sample * a.channels + c;
      weight += a.second[i] * number<P>(a.saved_rstd, i / depth, 1);
      bias += a.first[i];
    }
    put<P>(a.weight_grad, c, weight);
    put<P>(a.bias_grad, c, bias);
  }
}

template <class P>
void norm_factors(const NormFactorArgs& a) {
  const int64_t all = a.batch * a.channels;
  if (all > 0)
    PT_LAUNCH((factors_kernel<P>), blocks_for(all, kNormThreads), kNormThreads, 0, a,
              a.channels / a.groups);
}
template <class P>
void norm_factors_backward(const NormFactorArgs& a) {
  const int64_t all = a.batch * a.channels;
  if (all > 0)
    PT_LAUNCH((factors_backward_kernel<P>), blocks_for(all, kNormThreads), kNormThreads, 0, a,
              a.channels / a.groups);
}

const KernelEntry kEntries[] = {
    {"channel_moments", {PT_FLOAT_SLOTS(channel_moments)}},
    {"channel_sums", {PT_FLOAT_SLOTS(channel_sums)}},
    {"channel_affine", {PT_FLOAT_SLOTS(channel_affine)}},
    {"channel_slope", {PT_FLOAT_SLOTS(channel_slope)}},
    {"norm_factors", {PT_FLOAT_SLOTS(norm_factors)}},
    {"norm_factors_backward", {PT_FLOAT_SLOTS(norm_factors_backward)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
