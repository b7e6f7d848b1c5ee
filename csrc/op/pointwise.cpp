// Elementwise calls. See pointwise.h.
#include "op/pointwise.h"

#include <algorithm>

#include "core/parallel.h"
#include "op/copy.h"
#include "op/device_plan.h"
#include "op/plan.h"

namespace pt {

namespace {

// The dtype whose kernel serves `t`: small integers are computed as int32, half types as float32 if
// `widened` or without a kernel of their own.
DType kernel_dtype(const KernelEntry& k, DType t, const char* op, bool widened = false) {
  const auto has = [&k](DType d) { return k.fn[static_cast<int>(d)] != nullptr; };
  if (has(t) && !widened) return t;
  if (is_half(t) && has(DType::kFloat32)) return DType::kFloat32;
  if (is_integral(t, true)) {
    if (t != DType::kInt64 && has(DType::kInt32)) return DType::kInt32;
    if (t == DType::kBool && has(DType::kUInt8)) return DType::kUInt8;
    if (has(DType::kInt64)) return DType::kInt64;
  }
  raise(ErrorKind::kNotImplemented, "\"", op, "\" not implemented for '", dtype_name(t), "'");
}

// Whether a call is one that a half precision kernel may serve: all operands and the result are of
// the dtype. Numbers are not rounded to it.
bool is_uniform(DType compute, DType result, const Out& out, const Value* v, int count) {
  if (result != compute || (out.dest[0] && out.dest[0]->dtype != compute)) return false;
  for (int k = 0; k < count; ++k)
    if (v[k].tag != Value::Tag::kTensor || v[k].tensor->dtype != compute) return false;
  return true;
}

struct Shape {
  Dims sizes;
  Dims strides;         // of the output
  bool all_contiguous;  // every full-size tensor is row-major
};

// Strides of a fresh output: those of the first dense full-size operand when all agree, as
// PyTorch's iterator gives; otherwise row-major in the operands' order of dimensions.
Dims output_strides(IntList sizes, const Value* v, int count) {
  const int n = static_cast<int>(sizes.size());
  const TensorImpl* first = nullptr;
  bool agree = true;
  for (int k = 0; k < count && agree; ++k) {
    if (v[k].tag != Value::Tag::kTensor) continue;
    const TensorImpl* t = v[k].tensor;
    if (t->sizes.size() == 0) continue;
    if (!first) {
      first = t;
      agree = same(t->sizes, sizes) && is_non_overlapping_and_dense(t);
    } else {
      agree = t->sizes == first->sizes && t->strides == first->strides;
    }
  }
  if (first && agree) return first->strides;
  // Order the dimensions as the operands do, innermost first; ambiguous pairs keep their order.
  int perm[kMaxDims];
  for (int i = 0; i < n; ++i) perm[i] = n - 1 - i;
  auto stride_of = [&](const TensorImpl* t, int d) -> int64_t {
    const int td = d - (n - t->sizes.size());
    return td < 0 || (t->sizes[td] == 1 && sizes[static_cast<size_t>(d)] != 1) ? 0 : t->strides[td];
  };
  auto compare = [&](int a, int b) {  // 1: a must be outside b, -1: inside, 0: unknown
    for (int k = 0; k < count; ++k) {
      if (v[k].tag != Value::Tag::kTensor || v[k].tensor->sizes.size() == 0) continue;
      const int64_t sa = stride_of(v[k].tensor, a), sb = stride_of(v[k].tensor, b);
      if (sa == 0 || sb == 0) continue;
      if (sa != sb) return sa < sb ? -1 : 1;
      const int64_t na = sizes[static_cast<size_t>(a)], nb = sizes[static_cast<size_t>(b)];
      if (na > nb) return 1;
    }
    return 0;
  };
  for (int i = 1; i < n; ++i) {
    int at = i;
    for (int j = i - 1; j >= 0; --j) {
      const int c = compare(perm[j], perm[at]);
      if (c > 0) {
        std::swap(perm[j], perm[at]);
        at = j;
      } else if (c < 0) {
        break;
      }
    }
  }
  Dims strides(n);
  int64_t step = 1;
  for (int i = 0; i < n; ++i) {
    strides[perm[i]] = step;
    step *= std::max<int64_t>(1, sizes[static_cast<size_t>(perm[i])]);
  }
  return strides;
}

DType common_dtype(const Value* v, int count) {
  // Most calls: tensors of one dtype, and numbers that fit it.
  DType t{};
  bool found = false, uniform = true;
  for (int k = 0; k < count && uniform; ++k) {
    if (v[k].tag != Value::Tag::kTensor || v[k].tensor->has(TensorImpl::kWrappedNumber)) continue;
    uniform = !found || v[k].tensor->dtype == t;
    t = v[k].tensor->dtype;
    found = true;
  }
  if (found && uniform && is_floating(t)) return t;
  return result_type({v, static_cast<size_t>(count)});
}

// A `where` or masked_fill kernel reads its condition as bytes whatever the compute dtype is.
DType operand_dtype(int k, const KernelEntry& kernel, DType compute) {
  return kernel.bool_inputs >> k & 1 ? DType::kBool : compute;
}

// True when all operands can be handed to the kernel as they are.
bool direct(const KernelEntry& kernel, const Value* v, int count, DType compute, IntList sizes) {
  for (int k = 0; k < count; ++k) {
    if (v[k].tag != Value::Tag::kTensor) continue;
    const TensorImpl* t = v[k].tensor;
    if (t->numel == 1) continue;
    if (t->dtype != operand_dtype(k, kernel, compute) || !t->has(TensorImpl::kContiguous) ||
        !same(t->sizes, sizes))
      return false;
  }
  return true;
}

struct ScalarSlot {
  alignas(8) char bytes[8];
};

// Stores operand v as one element of `compute` and returns its address.
const void* scalar_operand(const Value& v, DType compute, ScalarSlot& slot) {
  if (v.tag == Value::Tag::kTensor) {
    if (v.tensor->dtype == compute) return v.tensor->data();
    Scalar::load(v.tensor->dtype, v.tensor->data()).store(compute, slot.bytes);
  } else {
    v.as_scalar().store(compute, slot.bytes);
  }
  return slot.bytes;
}

// Pieces of at most kGrain of about one size, an even number of them: two threads have the same
// to do even where there are few.
int64_t even_grain(int64_t n) {
  constexpr int64_t kMultiple = 64;  // whole cache lines of every dtype
  const int64_t pieces = ((n - 1) / kGrain + 2) / 2 * 2;
  return ((n - 1) / pieces / kMultiple + 1) * kMultiple;
}

void execute(const KernelEntry& kernel, DType compute, const Tensor* outs, int num_outs,
             const DType* kernel_results, const Value* v, int count) {
  auto* fn = reinterpret_cast<PointwiseFn*>(kernel.fn[static_cast<int>(compute)]);
  const Tensor& first = outs[0];
  const int64_t n = first.numel();
  if (n == 0) return;
  ScalarSlot slots[kMaxOperands];
  if (call_on_device) [[unlikely]] {
    DevicePlan plan(first.sizes(), num_outs);
    for (int i = 0; i < num_outs; ++i) plan.add(outs[i]);
    for (int k = 0; k < count; ++k) {
      const DType want = operand_dtype(k, kernel, compute);
      if (v[k].tag == Value::Tag::kTensor && !v[k].tensor->device.is_cpu()) {
        plan.add(v[k].as_tensor());
      } else {
        plan.add_number(scalar_operand(v[k], want, slots[k]), want);
      }
    }
    plan.run(reinterpret_cast<DevicePointwiseFn*>(kernel.fn[static_cast<int>(compute)]));
    return;
  }
  bool plain = true;
  for (int i = 0; i < num_outs; ++i)
    plain = plain && outs[i].is_contiguous() && outs[i].dtype() == kernel_results[i];
  if (plain && direct(kernel, v, count, compute, first.sizes())) {
    const void* in[kMaxOperands];
    int64_t item[kMaxOperands];
    uint32_t scalars = 0;
    for (int k = 0; k < count; ++k) {
      const DType want = operand_dtype(k, kernel, compute);
      item[k] = static_cast<int64_t>(item_size(want));
      if (v[k].tag == Value::Tag::kTensor && v[k].tensor->numel != 1) {
        in[k] = v[k].tensor->data();
      } else {
        in[k] = scalar_operand(v[k], want, slots[k]);
        if (n != 1) scalars |= 1u << k;
      }
    }
    if (n <= kGrain) {
      void* out[2] = {outs[0].raw(), num_outs > 1 ? outs[1].raw() : nullptr};
      fn(out, in, scalars, n);
      return;
    }
    char* base[2] = {outs[0].data<char>(), num_outs > 1 ? outs[1].data<char>() : nullptr};
    const int64_t out_item[2] = {static_cast<int64_t>(outs[0].item_size()),
                                 num_outs > 1 ? static_cast<int64_t>(outs[1].item_size()) : 0};
    parallel_for(0, n, even_grain(n), [&](int64_t b, int64_t e) {
      void* out[2] = {base[0] + b * out_item[0],
                      num_outs > 1 ? base[1] + b * out_item[1] : nullptr};
      const void* at[kMaxOperands];
      for (int k = 0; k < count; ++k)
        at[k] = scalars >> k & 1 ? in[k] : static_cast<const char*>(in[k]) + b * item[k];
      fn(out, at, scalars, e - b);
    });
    return;
  }
  Plan plan(first.sizes());
  for (int i = 0; i < num_outs; ++i) plan.add(outs[i], kernel_results[i]);
  int64_t zeros[kMaxDims] = {};
  for (int k = 0; k < count; ++k) {
    const DType want = operand_dtype(k, kernel, compute);
    if (v[k].tag == Value::Tag::kTensor) {
      plan.add(Tensor::share(v[k].tensor), want);
    } else {
      const void* p = scalar_operand(v[k], want, slots[k]);
      plan.add(const_cast<void*>(p), want, want, zeros);
    }
  }
  plan.run(fn, num_outs);
}

Dims broadcast_all(const Value* v, int count) {
  Dims sizes;
  bool first = true;
  for (int k = 0; k < count; ++k) {
    if (v[k].tag != Value::Tag::kTensor) continue;
    const Dims& s = v[k].tensor->sizes;
    if (first) {
      sizes = s;
      first = false;
    } else if (!(s == sizes)) {
      sizes = broadcast_shapes(sizes, s);
    }
  }
  return sizes;
}

}  // namespace

const KernelEntry& PointwiseKernel::entry() const {
  if (call_on_device) [[unlikely]] {
    if (!device_entry_) device_entry_ = &device_kernel(name_);
    return *device_entry_;
  }
  if (!entry_) entry_ = find_kernel(name_);
  PT_CHECK(entry_, "kernel '", name_, "' is missing from this build");
  return *entry_;
}

void check_destination(const Out& out, DType from, IntList shape) {
  const TensorImpl* d = out.dest[0];
  PT_CHECK(can_cast(from, d->dtype), "result type ", dtype_name(from),
           " can't be cast to the desired output type ", dtype_name(d->dtype), " (in ",
           out.op ? out.op->name : "op", ")");
  if (out.inplace)
    PT_CHECK(same(d->sizes, shape), "output with shape ", to_text(d->sizes),
             " doesn't match the broadcast shape ", to_text(shape));
}

Tensor run_pointwise_as(const Out& out, const KernelEntry& kernel, DType compute, DType result,
                        const Value* v, int count) {
  const bool widened =
      is_half(compute) && !call_on_device && !is_uniform(compute, result, out, v, count);
  const DType kd =
      kernel_dtype(kernel, compute, out.op ? out.op->name.c_str() : kernel.name, widened);
  const DType kernel_result = kernel.bool_output ? DType::kBool : kd;
  if (!out.dest[0]) {
    const Dims sizes = broadcast_all(v, count);
    // Row-major operands (by far the most) give a row-major result.
    bool contiguous = true;
    for (int k = 0; k < count && contiguous; ++k)
      if (v[k].tag == Value::Tag::kTensor && v[k].tensor->numel != 1)
        contiguous = v[k].tensor->has(TensorImpl::kContiguous);
    Tensor t = contiguous ? empty_tensor(sizes, result)
                          : empty_strided_tensor(sizes, output_strides(sizes, v, count), result);
    execute(kernel, kd, &t, 1, &kernel_result, v, count);
    return t;
  }
  Tensor t = out.destination();
  const Dims sizes = broadcast_all(v, count);
  check_destination(out, result, sizes);
  if (!out.inplace) resize_output(t, sizes);
  check_no_internal_overlap(t);
  for (int k = 0; k < count; ++k)
    if (v[k].tag == Value::Tag::kTensor) check_no_partial_overlap(t, v[k].as_tensor());
  execute(kernel, kd, &t, 1, &kernel_result, v, count);
  return t;
}

Tensor run_pointwise(const Out& out, const KernelEntry& kernel, Promote promote, const Value* v,
                     int count) {
  DType compute = common_dtype(v, count);
  if (promote == Promote::kFloat && is_integral(compute, true)) compute = default_dtype();
  const bool to_bool = promote == Promote::kCompare || promote == Promote::kLogical ||
                       promote == Promote::kPredicate;
  return run_pointwise_as(out, kernel, compute, to_bool ? DType::kBool : compute, v, count);
}

std::pair<Tensor, Tensor> run_pointwise2(const KernelEntry& kernel, DType compute, DType result0,
                                         DType result1, const Value* v, int count) {
  const Dims sizes = broadcast_all(v, count);
  const Tensor outs[2] = {empty_tensor(sizes, result0), empty_tensor(sizes, result1)};
  const DType kd = kernel_dtype(kernel, compute, kernel.name);
  const DType results[2] = {kd, kd};
  execute(kernel, kd, outs, 2, results, v, count);
  return {outs[0], outs[1]};
}

namespace define_detail {

// The forward of `.pointwise(kernel)` ops: every tensor and number is an operand.
void pointwise_forward(const Out& out, const Value* args, Result& result) {
  const OpInfo& op = out.op->functional ? *out.op->functional : *out.op;
  result.count = 1;
  if (call_on_device) [[unlikely]] {
    if (!op.device_kernel) const_cast<OpInfo&>(op).device_kernel = &device_kernel(op.kernel_name);
    result.t[0] = run_pointwise(out, *op.device_kernel, op.promote, args, op.schema->num_params);
    return;
  }
  if (!op.kernel) {
    const KernelEntry* k = find_kernel(op.kernel_name);
    PT_CHECK(k, "kernel '", op.kernel_name, "' of op ", op.name, " is missing from this build");
    const_cast<OpInfo&>(op).kernel = k;
  }
  result.t[0] = run_pointwise(out, *op.kernel, op.promote, args, op.schema->num_params);
}

}  // namespace define_detail

}  // namespace pt
