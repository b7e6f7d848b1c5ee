// Compositions for devices. See device.h.
#include "ops/sort/device.h"

#include "cpu/kernel_table.h"
#include "cuda/args/search_args.h"
#include "op/copy.h"
#include "ops/creation/creation.h"
#include "ops/index/algorithms/lines.h"
#include "ops/index/index.h"
#include "ops/memory/memory.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/reduce/logic.h"
#include "ops/reduce/scan.h"
#include "ops/shape/shape.h"
#include "ops/sort/sort.h"
#include "ops/view/view.h"

namespace pt::device {

namespace {

Tensor count(const char* name, const Tensor& source, int64_t bins, double low, double high) {
  const Kernel<DeviceBinsFn> kernel{name};
  const Tensor counts = zeros_tensor(Dims{bins}, DType::kInt64);
  kernel.get(source.dtype())(
      {source.raw(), source.numel(), bins, low, high, counts.data<int64_t>()});
  return counts;
}

// The order that sorts rows lexicographically: stable sorts by each column, the last one first.
Tensor row_order(const Tensor& rows) {
  Tensor order;
  for (int64_t c = rows->sizes[1] - 1; c >= 0; --c) {
    const Tensor column = as_contiguous(select(rows, 1, c));
    const Tensor keys = order.defined() ? index_select(column, 0, order) : column;
    const Tensor step = argsort_stable(keys, true, 0, false);
    order = order.defined() ? index_select(order, 0, step) : step;
  }
  return order;
}

}  // namespace

Tensor at_call_device(const Tensor& t) {
  return t.device() == call_device() ? t : copy_to(t, t.dtype(), call_device());
}

Tensor is_in(const Tensor& elements, const Tensor& tests, bool invert) {
  static const Kernel<DeviceIsInFn> kernel{"device_is_in"};
  const Tensor out = empty_tensor(elements.sizes(), DType::kBool);
  const Tensor flat = reshape(at_call_device(tests), Dims{tests.numel()});
  const Tensor among = at_call_device(elements);
  const Tensor sorted = std::get<0>(sort(flat, 0, false));
  kernel.get(elements.dtype())(
      {among.raw(), sorted.raw(), elements.numel(), sorted.numel(), invert, out.data<bool>()});
  return out;
}

Tensor histogram(const Tensor& flat, int64_t bins, double low, double high) {
  return cast_to(count("device_histogram", flat, bins, low, high), flat.dtype());
}

Tensor bin_count(const Tensor& values, int64_t bins) {
  return count("device_bin_count", values, bins, 0, 0);
}

Tensor bin_count(const Tensor& values, int64_t bins, const Tensor& weights) {
  const Tensor places = cast_to(values, DType::kInt64);
  return index_add(zeros_tensor(Dims{bins}, weights.dtype()), 0, places, weights, 1);
}

Groups unique(const Tensor& rows, bool consecutive) {
  const int64_t n = rows->sizes[0];
  const bool wide = rows.dim() == 2;
  if (n == 0)
    return {rows, zeros_tensor(Dims{0}, DType::kInt64), zeros_tensor(Dims{0}, DType::kInt64)};
  Tensor order, sorted = rows;
  if (!consecutive) {
    order = wide ? row_order(rows) : argsort_stable(rows, true, 0, false);
    if (order.defined()) sorted = index_select(rows, 0, order);
  }
  // Where a group begins: at the first element, and where one differs from the one before.
  Tensor starts = empty_tensor(Dims{n}, DType::kBool);
  fill_with(starts, true);
  if (n > 1) {
    Tensor differs = ne(narrow(sorted, 0, 1, n - 1), narrow(sorted, 0, 0, n - 1));
    if (wide) differs = any_dim(differs, 1, false);
    copy_into(narrow(starts, 0, 1, n - 1), differs);
  }
  const Tensor first = reshape(nonzero(starts), Dims{-1});
  const int64_t groups = first.numel();
  const Tensor ends = empty_tensor(Dims{groups}, DType::kInt64);
  fill_with(ends, n);
  if (groups > 1) copy_into(narrow(ends, 0, 0, groups - 1), narrow(first, 0, 1, groups - 1));
  const Tensor group = sub(cumsum(starts, 0, std::nullopt), scalar_tensor(1, DType::kInt64));
  Tensor inverse = group;
  if (order.defined()) {
    inverse = empty_tensor(Dims{n}, DType::kInt64);  // scatter() would copy it
    scatter_lines(inverse, 0, order, group, ScatterReduce::kAssign);
  }
  return {index_select(sorted, 0, first), inverse, sub(ends, first)};
}

}  // namespace pt::device
