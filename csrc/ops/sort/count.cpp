// Counting elements by value: histc and bincount.
#include <cmath>

#include "op/copy.h"
#include "op/define.h"
#include "ops/index/selection.h"
#include "ops/reduce/extremes.h"
#include "ops/sort/algorithms/sorting.h"
#include "ops/sort/device.h"
#include "ops/sort/rows.h"
#include "ops/sort/sort.h"

namespace pt {

PT_OP(histc)
    .impl([](const Tensor& self, int64_t bins, Scalar min, Scalar max) {
      PT_CHECK(bins > 0, "torch.histogram(): bins must be > 0, but got ", bins, " for dimension 0");
      double low = min.to_double(), high = max.to_double();
      if (low == high && self.numel() > 0) {
        const auto [smallest, largest] = aminmax(self, std::nullopt, false);
        low = smallest.item().to_double();
        high = largest.item().to_double();
      }
      if (low == high) {
        low -= 1;
        high += 1;
      }
      PT_CHECK(std::isfinite(low) && std::isfinite(high), "torch.histc: range of [", low, ", ",
               high, "] is not finite");
      PT_CHECK(low < high, "torch.histc: max must be larger than min");
      PT_CHECK_KIND(ErrorKind::kNotImplemented, self.is_floating(),
                    "\"histogram_cpu\" not implemented for '", scalar_type_name(self.dtype()), "'");
      const Tensor flat = as_contiguous(self);
      if (call_on_device) return device::histogram(flat, bins, low, high);
      const Tensor out = empty_tensor(Dims{bins}, self.dtype());
      histogram(self.dtype(), flat.raw(), flat.numel(), bins, low, high, out.raw());
      return out;
    })
    .on_device()
    .nondifferentiable()
    .out()
    .doc(
        "How many elements fall into each of `bins` bins of equal width between min and max, or "
        "between the smallest and the largest element where min equals max. Elements outside are "
        "not counted.\n\n"
        "Example:\n    >>> torch.tensor([1., 2., 1.]).histc(bins=4, min=0, max=3)\n"
        "    tensor([0., 2., 1., 0.])")
    .sample("R(3, 4)")
    .sample("R(5, 4), bins=7, min=-1, max=1");

PT_OP(bincount)
    .impl([](const Tensor& self, const Tensor& weights, int64_t minlength) {
      PT_CHECK(minlength >= 0, "minlength should be >= 0");
      PT_CHECK_KIND(ErrorKind::kNotImplemented, is_integral(self.dtype(), false),
                    "\"bincount_cpu\" not implemented for '", scalar_type_name(self.dtype()), "'");
      if (self.dim() == 1 && self.numel() == 0) return zeros_tensor(Dims{minlength}, DType::kInt64);
      PT_CHECK(self.dim() == 1 && self.numel() > 0,
               "bincount only supports 1-d non-negative integral inputs.");
      const Tensor values = as_contiguous(self);
      const auto [low, high] = range_of(values);
      PT_CHECK(low >= 0, "bincount only supports 1-d non-negative integral inputs.");
      PT_CHECK(high < INT64_MAX, "maximum value of input overflowed, it should be < ", INT64_MAX,
               " but got ", high);
      const int64_t bins = std::max(high + 1, minlength);
      if (!weights.defined()) {
        if (call_on_device) return device::bin_count(values, bins);
        const Tensor counts = empty_tensor(Dims{bins}, DType::kInt64);
        bin_count(values.dtype(), values.raw(), values.numel(), bins, counts.data<int64_t>());
        return counts;
      }
      PT_CHECK(weights.dim() == 1 && weights.numel() == values.numel(),
               "weights should be 1-d and have the same length as input");
      const bool narrow = weights.dtype() == DType::kFloat32;
      const Tensor w = as_contiguous(narrow ? weights : cast_to(weights, DType::kFloat64));
      if (call_on_device) return device::bin_count(values, bins, w);
      const Tensor sums = empty_tensor(Dims{bins}, w.dtype());
      if (narrow) {
        bin_count_weighted(values.dtype(), values.raw(), values.numel(), bins, w.data<float>(),
                           sums.data<float>());
      } else {
        bin_count_weighted(values.dtype(), values.raw(), values.numel(), bins, w.data<double>(),
                           sums.data<double>());
      }
      return sums;
    })
    .on_device()
    .nondifferentiable()
    .doc(
        "How often each number occurs in a vector of integers that are not negative.\n\n"
        "Args:\n    weights (Tensor): what each element adds instead of one\n"
        "    minlength (int): smallest length of the result\n\n"
        "Example:\n    >>> torch.tensor([0, 2, 2]).bincount()\n    tensor([1, 0, 2])")
    .sample("J(6, 20)")
    .sample("J(6, 20), R(20), minlength=9");

}  // namespace pt
