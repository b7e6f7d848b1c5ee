// Random numbers on devices. See device.h.
#include "ops/random/device.h"

#include <limits>

#include "cpu/kernel_table.h"
#include "op/copy.h"
#include "op/device_check.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/unary.h"
#include "ops/reduce/scan.h"
#include "ops/shape/shape.h"
#include "ops/sort/sort.h"
#include "ops/view/view.h"

namespace pt::random::device {

namespace {

uint64_t counters(int64_t n, bool two_words) {
  const int64_t each = two_words ? 2 : 4;
  return static_cast<uint64_t>((n + each - 1) / each);
}

DrawKey next_key(Generator& g, uint64_t count) {
  const uint64_t first = g.take_counters(count);
  return {g.initial_seed(), first, g.graph_words()};
}

Tensor drawn(Generator& g, const Dims& sizes, DType t, const DeviceRandom& how) {
  const Tensor out = empty_tensor(sizes, t);
  fill(g, t, out.raw(), out.numel(), how);
  return out;
}

// Finite, none negative, and no row of zeros.
void check_weights(const Tensor& rows, const Tensor& sums) {
  using Limits = std::numeric_limits<double>;
  check_interval_later(rows, 0, Limits::max(), OutOfBounds::kWeights);
  check_interval_later(sums, Limits::denorm_min(), Limits::infinity(), OutOfBounds::kWeightSum);
}

}  // namespace

void fill(Generator& g, DType t, void* out, int64_t n, DeviceRandom how) {
  static const Kernel<DeviceRandomFn> kernel{"device_random"};
  if (how.kind == RandomKind::kGeometric) how.two_words = true;
  const bool real = how.kind <= RandomKind::kCauchy;
  how.out = out;
  how.n = n;
  how.key = next_key(g, counters(n, how.two_words || (real && t == DType::kFloat64)));
  kernel.get(t)(how);
}

void dropout(Generator& g, DType t, const void* x, void* out, bool* mask, int64_t n, double keep) {
  static const Kernel<DeviceDropoutFn> kernel{"device_dropout"};
  kernel.get(t)({x, out, mask, n, next_key(g, counters(n, false)), keep});
}

void sample(Generator& g, RejectionKind kind, DType t, const void* a, const void* b, void* out,
            int64_t n) {
  static const Kernel<DeviceRejectionFn> kernel{"device_rejection"};
  kernel.get(t)({kind, a, b, out, n, next_key(g, static_cast<uint64_t>(n))});
}

Tensor permutation(Generator& g, int64_t n) {
  DeviceRandom how{.kind = RandomKind::kIntegers, .two_words = true};
  return argsort(drawn(g, Dims{n}, DType::kInt64, how), 0, false);
}

Tensor categories(Generator& g, const Tensor& weights, int64_t samples, bool replacement) {
  const bool vector = weights.dim() == 1;
  const int64_t rows = vector ? 1 : weights->sizes[0], n = weights.sizes().back();
  const Dims shape = vector ? Dims{samples} : Dims{rows, samples};
  if (rows == 0) return empty_tensor(shape, DType::kInt64);
  const Tensor w = reshape(as_contiguous(cast_to(weights, DType::kFloat64)), Dims{rows, n});
  const Tensor sums = cumsum(w, 1, std::nullopt);
  const Tensor totals = narrow(sums, 1, n - 1, 1);
  check_weights(w, totals);
  Tensor out;
  if (replacement && samples > 1) {
    const DeviceRandom unit{.kind = RandomKind::kUniform, .a = 0, .b = 1};
    const Tensor at = mul(drawn(g, Dims{rows, samples}, DType::kFloat64, unit), totals);
    out = clamp(searchsorted(sums, at, false, true, std::nullopt, Tensor()), std::nullopt, n - 1);
  } else {
    const DeviceRandom wait{.kind = RandomKind::kExponential, .a = 1};
    const Tensor ratios = div(w, drawn(g, Dims{rows, n}, DType::kFloat64, wait));
    out = std::get<1>(topk(ratios, samples, 1, true, true));
  }
  return reshape(out, shape);
}

}  // namespace pt::random::device
