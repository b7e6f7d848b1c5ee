// Places in sorted sequences and membership: searchsorted, bucketize, isin.
#include "op/copy.h"
#include "op/define.h"
#include "op/promote.h"
#include "ops/index/selection.h"
#include "ops/sort/algorithms/sorting.h"
#include "ops/sort/device.h"
#include "ops/sort/rows.h"
#include "ops/sort/sort.h"

namespace pt {

namespace {

DType common_dtype(const Tensor& a, const Tensor& b) {
  const Value operands[] = {Value::of(a), Value::of(b)};
  return result_type(operands);
}

void check_sorter(const Tensor& sequence, const Tensor& sorter) {
  PT_CHECK(same(sorter.sizes(), sequence.sizes()),
           "torch.searchsorted(): boundary and sorter must have the same size, but got boundary "
           "tensor ",
           to_text(sequence.sizes()), "and got sorter tensor ", to_text(sorter.sizes()));
  PT_CHECK(sorter.dtype() == DType::kInt64,
           "torch.searchsorted(): sorter must be a tensor of long dtype but got dtype ",
           scalar_type_name(sorter.dtype()));
  if (sorter.numel() == 0) return;
  const auto [low, high] = range_of(sorter);
  PT_CHECK(low >= 0 && high < sorter.sizes().back(),
           "torch.searchsorted(): sorter index out of range");
}

// `values` searched in the rows of `sequence`; 0-dim values are searched in a vector.
Tensor places(const char* op, const Tensor& sequence, const Tensor& values, bool out_int32,
              bool right, const Tensor& sorter) {
  const DType dtype = common_dtype(sequence, values);
  PT_CHECK_KIND(ErrorKind::kNotImplemented, dtype != DType::kBool, "\"", op,
                "_out_cpu\" not implemented for 'Bool'");
  const Tensor from = as_contiguous(cast_to(sequence, dtype));
  const Tensor what = device::at_call_device(as_contiguous(cast_to(values, dtype)));
  const Tensor out = empty_tensor(values.sizes(), out_int32 ? DType::kInt32 : DType::kInt64);
  PT_CHECK(!out_int32 || from.sizes().back() < INT32_MAX, "torch.", op,
           "(): the size of boundaries' last dimension should be less than 2147483647 when "
           "out_int32 is True");
  if (out.numel() == 0) return out;
  const bool shared = sequence.dim() == 1;
  const int64_t m = shared ? what.numel() : what.sizes().back();
  search_sorted({.dtype = dtype,
                 .rows = shared ? 1 : what.numel() / m,
                 .n = from.sizes().back(),
                 .m = m,
                 .boundaries = from.raw(),
                 .sorter = sorter.defined() ? sorter.data<int64_t>() : nullptr,
                 .values = what.raw(),
                 .shared = shared,
                 .right = right,
                 .out = out.raw(),
                 .out_int32 = out_int32});
  return out;
}

Tensor search(const Tensor& sequence, const Tensor& values, bool out_int32, bool right,
              std::optional<std::string_view> side, const Tensor& sorter) {
  if (side) {
    PT_CHECK(*side == "left" || *side == "right",
             "torch.searchsorted(): side can only be 'left' or 'right' but got ", *side);
    PT_CHECK(!right || *side == "right",
             "torch.searchsorted(): side and right can't be set to opposites, got side of ", *side,
             " while right was True");
  }
  PT_CHECK(
      values.dim() > 0 || sequence.dim() == 1,
      "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension "
      "is 1, but we got boundaries tensor dim(",
      sequence.dim(), ") and input value's dim(", values.dim(), ") numel(", values.numel(), ")");
  PT_CHECK(sequence.dim() > 0,
           "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 "
           "dimension");
  bool rows_match = sequence.dim() == values.dim();
  for (int d = 0; rows_match && d + 1 < values.dim(); ++d)
    rows_match = sequence->sizes[d] == values->sizes[d];
  PT_CHECK(sequence.dim() == 1 || rows_match,
           "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 "
           "dimensions of boundaries tensor and input value tensor must match, but we got "
           "boundaries tensor ",
           to_text(sequence.sizes()), " and input value tensor ", to_text(values.sizes()));
  Tensor order;
  if (sorter.defined()) {
    order = as_contiguous(sorter);
    check_sorter(sequence, order);
  }
  return places("searchsorted", sequence, values, out_int32, right || side == "right", order);
}

Tensor bucket(const Tensor& values, const Tensor& boundaries, bool out_int32, bool right) {
  PT_CHECK(boundaries.dim() == 1, "boundaries tensor must be 1 dimension, but got dim(",
           boundaries.dim(), ")");
  return places("searchsorted", boundaries, values, out_int32, right, Tensor());
}

Tensor membership(const Tensor& elements, const Tensor& tests, bool invert) {
  for (const Tensor& t : {elements, tests})
    PT_CHECK(t.dtype() != DType::kBool, "Unsupported input type encountered for isin(): Bool");
  const DType dtype = common_dtype(elements, tests);
  const Tensor what = as_contiguous(cast_to(elements, dtype));
  const Tensor among = as_contiguous(cast_to(tests, dtype));
  if (call_on_device) return device::is_in(what, among, invert);
  const Tensor out = empty_tensor(elements.sizes(), DType::kBool);
  is_in(dtype, what.raw(), what.numel(), among.raw(), among.numel(), invert, out.data<bool>());
  return out;
}

}  // namespace

PT_OP(searchsorted)
    .impl([](const Tensor& sorted_sequence, const Tensor& self, bool out_int32, bool right,
             std::optional<std::string_view> side, const Tensor& sorter) {
      return search(sorted_sequence, self, out_int32, right, side, sorter);
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .out()
    .doc(
        "The indices at which values would be inserted to keep sequences sorted.\n\n"
        "Args:\n    sorted_sequence (Tensor): sorted along its last dimension\n"
        "    input (Tensor or number): the values\n"
        "    out_int32 (bool): indices as int32 instead of int64\n"
        "    right (bool): after equal elements instead of before them\n"
        "    side (str): 'left' or 'right', the same in other words\n"
        "    sorter (Tensor): indices that sort an unsorted sequence\n\n"
        "Shape: of input; a sequence of several dimensions agrees with it in all but the last.\n\n"
        "Example:\n    >>> torch.searchsorted(torch.tensor([1, 3, 5]), torch.tensor([3, 6]))\n"
        "    tensor([1, 3])")
    .sample("torch.tensor([-1., 0., 1.]), R(3, 4)")
    .sample("torch.tensor([-1., 0., 0., 1.]), torch.tensor([0., 5.]), right=True, out_int32=True")
    .sample("torch.tensor([[1, 3, 5], [2, 4, 6]]), torch.tensor([[3, 6], [4, 0]]), side='right'")
    .sample("torch.tensor([5., 1., 3.]), R(4), sorter=torch.tensor([1, 2, 0])");

PT_OP(searchsorted_scalar)
    .impl([](const Tensor& sorted_sequence, Scalar self, bool out_int32, bool right,
             std::optional<std::string_view> side, const Tensor& sorter) {
      return search(sorted_sequence, wrapped_number(self), out_int32, right, side, sorter);
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .out()
    .doc("searchsorted for one number.")
    .sample("torch.tensor([-1., 0., 1.]), 0.5");

PT_OP(bucketize)
    .impl([](const Tensor& self, const Tensor& boundaries, bool out_int32, bool right) {
      return bucket(self, boundaries, out_int32, right);
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .out()
    .doc(
        "The number of the bucket, between sorted boundaries, that each value falls into.\n\n"
        "Args:\n    input (Tensor or number): the values\n"
        "    boundaries (Tensor): sorted vector\n    out_int32 (bool): int32 instead of int64\n"
        "    right (bool): a value equal to a boundary belongs to the bucket after it")
    .sample("R(3, 4), torch.tensor([-1., 0., 1.])")
    .sample("I(3, 4), torch.tensor([-3, 0, 3]), right=True, out_int32=True");

PT_OP(bucketize_scalar)
    .impl([](Scalar self, const Tensor& boundaries, bool out_int32, bool right) {
      return bucket(wrapped_number(self), boundaries, out_int32, right);
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .out()
    .doc("bucketize for one number.")
    .sample("0.5, torch.tensor([-1., 0., 1.])");

PT_OP(isin)
    .impl([](const Tensor& elements, const Tensor& test_elements, bool, bool invert) {
      return membership(elements, test_elements, invert);
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .out()
    .doc(
        "Whether each element is among the test elements.\n\n"
        "Args:\n    elements (Tensor or number): what to look for\n"
        "    test_elements (Tensor or number): where to look\n"
        "    assume_unique (bool): a hint that changes nothing\n"
        "    invert (bool): whether it is not among them")
    .sample("I(3, 4), torch.tensor([1, 3, -2])")
    .sample("I(3, 4), torch.tensor([[0], [5]]), invert=True");

PT_OP(isin_scalar)
    .impl([](const Tensor& elements, Scalar test_element, bool, bool invert) {
      return membership(elements, wrapped_number(test_element), invert);
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .out()
    .doc("Whether each element equals the number.")
    .sample("I(3, 4), 3");

PT_OP(scalar_isin)
    .impl([](Scalar element, const Tensor& test_elements, bool, bool invert) {
      return membership(wrapped_number(element), test_elements, invert);
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .out()
    .doc("Whether the number is among the test elements.")
    .sample("3, I(3, 4)");

}  // namespace pt
