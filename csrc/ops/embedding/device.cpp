// Compositions for devices. See device.h.
#include "ops/embedding/device.h"

#include "op/copy.h"
#include "ops/creation/creation.h"
#include "ops/index/index.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/unary.h"
#include "ops/sort/device.h"
#include "ops/sort/sort.h"

namespace pt::device {

namespace {

Tensor numbers(int64_t count) {
  return arange_end(count, DType::kInt64, std::nullopt, call_device(), std::nullopt);
}

// 1 / counts[rows], 0 for rows below 0 and counts of 0.
Tensor inverse_at(const Tensor& counts, const Tensor& rows) {
  const Tensor of_row = index_select(counts, 0, clamp(rows, 0));
  const Tensor inverse = div(scalar_tensor(1.0, DType::kFloat64), of_row);
  return masked_fill(masked_fill(inverse, eq(of_row, 0), 0), lt(rows, 0), 0);
}

}  // namespace

Sorted::Sorted(const Tensor& from, const Tensor& to, int64_t entries, int64_t rows) {
  Tensor places = to.defined() ? to : numbers(entries);
  if (from.defined()) places = masked_fill(places, lt(from, 0), -1);
  const auto [sorted, indices] = sort_stable(places, true, 0, false);
  order = indices;
  starts = searchsorted(sorted, numbers(rows + 1), false, false, std::nullopt, Tensor());
}

void check_rows(const Tensor& rows, int64_t count, bool negative) {
  if (rows.numel() == 0) return;
  // Reading from as many rows, all of them one element, reports what is out of bounds.
  const Tensor one = zeros_tensor(Dims{1}, DType::kUInt8);
  index_select(make_view(one, Dims{count}, Dims{0}, 0), 0, negative ? clamp(rows, 0) : rows);
}

Tensor without(const Tensor& rows, int64_t padding) {
  return masked_fill(rows, eq(rows, padding), -1);
}

Tensor inverse_frequencies(const Tensor& rows, int64_t count) {
  return inverse_at(bin_count(rows, count), rows);
}

Tensor inverse_sizes(const Tensor& bag, const Tensor& sizes) { return inverse_at(sizes, bag); }

Tensor bags(const Tensor& offsets, int64_t count, int64_t entries) {
  const Tensor bag =
      sub(searchsorted(offsets, numbers(entries), false, true, std::nullopt, Tensor()),
          scalar_tensor(1, DType::kInt64));
  return masked_fill(bag, ge(bag, count), -1);
}

Tensor bag_sizes(const Tensor& bag, const Tensor& rows, int64_t count, int64_t padding) {
  return bin_count(masked_fill(bag, eq(rows, padding), -1), count);
}

}  // namespace pt::device
