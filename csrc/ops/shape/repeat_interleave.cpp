// repeat_interleave: elements repeated in a row, all as often or each its own number of times.
#include <algorithm>

#include "op/copy.h"
#include "op/define.h"
#include "ops/index/index.h"
#include "ops/shape/shape.h"
#include "ops/view/view.h"

namespace pt {

namespace {

// The index of the source element for each element of the result.
Tensor repeated_positions(const Tensor& repeats, std::optional<int64_t> output_size) {
  PT_CHECK(repeats.dim() == 1, "repeat_interleave only accept 1D vector as repeat");
  PT_CHECK(repeats.dtype() == DType::kInt64 || repeats.dtype() == DType::kInt32,
           "repeats has to be Long or Int tensor");
  // Their sum is the size of the result, so the host needs the counts in any case.
  const Tensor counts = as_contiguous(copy_to(repeats, DType::kInt64, {}));
  const int64_t* count = counts.data<int64_t>();
  int64_t total = 0;
  for (int64_t i = 0; i < counts.numel(); ++i) {
    PT_CHECK(count[i] >= 0, "repeats can not be negative");
    PT_CHECK(!__builtin_add_overflow(total, count[i], &total), "repeats add up to too many");
  }
  PT_CHECK(!output_size || *output_size == total, "allocated size does not match required size");
  Tensor out = empty_tensor(Dims{total}, DType::kInt64, Device());
  int64_t* p = out.data<int64_t>();
  for (int64_t i = 0; i < counts.numel(); ++i) p = std::fill_n(p, count[i], i);
  return call_on_device ? copy_to(out, out.dtype(), call_device()) : out;
}

}  // namespace

PT_OP(repeat_interleave_positions)
    .impl([](const Tensor& repeats, std::optional<int64_t> output_size) {
      return cast_to(repeated_positions(repeats, output_size), repeats.dtype());
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .sample("torch.tensor([2, 0, 1])");

PT_OP(repeat_interleave_each)
    .composite([](const Tensor& self, const Tensor& repeats, std::optional<int64_t> dim,
                  std::optional<int64_t> output_size) {
      const Tensor source = dim ? self : reshape(self, IntList(Dims{-1}));
      const int d = wrap_dim(dim.value_or(0), source.dim());
      const int64_t n = source.dim() ? source->sizes[d] : 1;
      Tensor counts = repeats;
      if (repeats.dim() == 0 || (repeats.dim() == 1 && repeats->sizes[0] == 1)) {
        counts = expand(reshape(repeats, IntList(Dims{1})), IntList(Dims{n}));
      } else {
        PT_CHECK(repeats.dim() == 1, "repeats must be 0-dim or 1-dim tensor");
        PT_CHECK(repeats->sizes[0] == n,
                 "repeats must have the same size as input along dim, but got repeats.size(0) = ",
                 repeats->sizes[0], " and input.size(", d, ") = ", n);
      }
      return index_select(source, d, repeated_positions(counts, output_size));
    })
    .doc("Each element (or slice along dim) repeated its own number of times.")
    .sample("R(3, 4), torch.tensor([2, 0, 1]), dim=0")
    .sample("R(3, 4), torch.tensor(2)");

PT_OP(repeat_interleave)
    .composite([](const Tensor& self, int64_t repeats, std::optional<int64_t> dim,
                  std::optional<int64_t> output_size) {
      PT_CHECK(repeats >= 0, "repeat_interleave: repeats can not be negative");
      const Tensor source = dim ? self : reshape(self, IntList(Dims{-1}));
      const int d = wrap_dim(dim.value_or(0), source.dim());
      const int64_t n = source.dim() ? source->sizes[d] : 1;
      int64_t total;
      PT_CHECK(!__builtin_mul_overflow(n, repeats, &total),
               "repeat_interleave: the size of the result overflows with repeats ", repeats);
      PT_CHECK(!output_size || *output_size == total,
               "repeat_interleave: output_size does not match repeats");
      Dims wide = source.sizes(), merged = source.sizes();
      wide.insert(d + 1, repeats);
      merged[d] = total;
      return reshape(expand(unsqueeze(source, d + 1), IntList(wide)), IntList(merged));
    })
    .doc(
        "Each element (or slice along dim) repeated `repeats` times in a row.\n\n"
        "Args:\n    repeats (int or Tensor): how often; a vector has a number for each\n"
        "    dim (int, optional): dimension; by default self is flattened\n\n"
        "Example:\n    >>> torch.tensor([1, 2]).repeat_interleave(torch.tensor([1, 2]))\n"
        "    tensor([1, 2, 2])")
    .sample("R(3, 4), 2")
    .sample("R(3, 4), 3, dim=1");

}  // namespace pt
