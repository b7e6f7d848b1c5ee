// Ops that make tensors from sizes and numbers.
#include "ops/creation/creation.h"

#include <algorithm>
#include <cmath>

#include "core/device_graph.h"
#include "core/device_runtime.h"
#include "core/parallel.h"
#include "op/copy.h"
#include "op/define.h"
#include "op/plan.h"

namespace pt {

Tensor empty_as(const Tensor& self, const std::optional<DType>& dtype,
                const std::optional<MemoryFormat>& format) {
  const DType t = dtype.value_or(self.dtype());
  if (format == MemoryFormat::kContiguous || self.is_contiguous())
    return empty_tensor(self.sizes(), t);
  if (is_non_overlapping_and_dense(self.impl()))
    return empty_strided_tensor(self.sizes(), self.strides(), t);
  // Dense strides in the order of self's strides.
  const int n = self.dim();
  int order[kMaxDims];
  for (int i = 0; i < n; ++i) order[i] = n - 1 - i;
  std::stable_sort(order, order + n, [&](int a, int b) {
    const int64_t sa = self->strides[a], sb = self->strides[b];
    return sa != 0 && sb != 0 && sa < sb;
  });
  Dims strides(n);
  int64_t step = 1;
  for (int i = 0; i < n; ++i) {
    strides[order[i]] = step;
    step *= std::max<int64_t>(1, self->sizes[order[i]]);
  }
  return empty_strided_tensor(self.sizes(), strides, t);
}

namespace {

using OptDType = std::optional<DType>;
using OptDevice = std::optional<Device>;
using OptBool = std::optional<bool>;
using OptFormat = std::optional<MemoryFormat>;

Tensor filled(Tensor t, const Scalar& value) {
  fill_with(t, value);
  return t;
}

DType fill_dtype(const Scalar& v, const OptDType& dtype) {
  if (dtype) return *dtype;
  if (v.is_float()) return default_dtype();
  return v.natural_dtype();
}

// Computes element i as f(i) in T, in parallel; for a device on the host, to be copied.
template <class F>
void generate(const Tensor& t, F f) {
  if (!t.device().is_cpu()) {
    const Tensor made = empty_tensor(t.sizes(), t.dtype(), Device());
    generate(made, f);
    // A graph keeps the elements; few of them are better off without a copy that waits, too.
    constexpr size_t kFew = 4000;
    if (t.is_contiguous() && (t.nbytes() <= kFew || stream_is_capturing())) {
      store_memory(t.raw(), made.raw(), t.nbytes());
    } else {
      copy_into(t, made);
    }
    return;
  }
  visit_dtype(t.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* out = t.data<T>();
    parallel_for(0, t.numel(), kGrain, [&](int64_t b, int64_t e) { f(out, b, e); });
  });
}

Tensor make_range(const Scalar& start, const Scalar& end, const Scalar& step, bool inclusive,
                  const OptDType& dtype, const char* op) {
  const bool integral = start.is_integral() && end.is_integral() && step.is_integral();
  const DType t = dtype.value_or(integral ? DType::kInt64 : default_dtype());
  const double s = start.to_double(), e = end.to_double(), d = step.to_double();
  PT_CHECK(d != 0, "step must be nonzero");
  PT_CHECK(std::isfinite(s) && std::isfinite(e), "unsupported range: ", s, " -> ", e);
  PT_CHECK((d > 0 && e >= s) || (d < 0 && e <= s),
           "upper bound and lower bound inconsistent with step sign (in ", op, ")");
  double count;
  if (integral && is_integral(t, true) && !inclusive) {
    const int64_t a = start.to_int(), b = end.to_int(), c = step.to_int();
    count = static_cast<double>((static_cast<__int128>(b) - a + c - (c > 0 ? 1 : -1)) / c);
  } else {
    count = inclusive ? std::floor((e - s) / d) + 1 : std::ceil((e - s) / d);
  }
  PT_CHECK(count >= 0 && count < 9e18, "invalid size, possible overflow?");
  Tensor out = empty_tensor(Dims{static_cast<int64_t>(count)}, t);
  generate(out, [&](auto* p, int64_t b, int64_t last) {
    using T = std::remove_reference_t<decltype(*p)>;
    if constexpr (std::is_floating_point_v<T>) {
      // The accumulation type is double for float32 as well, as in PyTorch.
      for (int64_t i = b; i < last; ++i)
        p[i] = static_cast<T>(static_cast<double>(s) + static_cast<double>(i) * d);
    } else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
      for (int64_t i = b; i < last; ++i)
        p[i] = T(static_cast<float>(s) + static_cast<float>(i) * static_cast<float>(d));
    } else {
      const int64_t from = start.to_int(), by = step.to_int();
      for (int64_t i = b; i < last; ++i) p[i] = static_cast<T>(from + i * by);
    }
  });
  return out;
}

}  // namespace

PT_OP(empty)
    .impl([](IntList size, OptDType dtype, auto, OptDevice, OptBool, OptFormat format) {
      Tensor t = empty_tensor(size, dtype.value_or(default_dtype()));
      if (format == MemoryFormat::kChannelsLast && size.size() == 4)
        return empty_strided_tensor(
            size, Dims{size[1] * size[2] * size[3], 1, size[3] * size[1], size[1]}, t.dtype());
      return t;
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .out()
    .doc("A tensor of the given sizes with undefined contents.")
    .sample("(3, 4)")
    .test("arbitrary");

PT_OP(empty_strided)
    .impl([](IntList size, IntList stride, OptDType dtype, auto, OptDevice, OptBool) {
      PT_CHECK(size.size() == stride.size(), "empty_strided: mismatch in length of size (",
               size.size(), ") and stride (", stride.size(), ")");
      return empty_strided_tensor(size, stride, dtype.value_or(default_dtype()));
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .doc("A tensor of the given sizes and strides with undefined contents.")
    .sample("(3, 4), (1, 3)")
    .test("arbitrary");

PT_OP(zeros)
    .impl([](IntList size, OptDType dtype, auto, OptDevice, OptBool) {
      return zeros_tensor(size, dtype.value_or(default_dtype()));
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .out()
    .doc("A tensor of zeros.\n\nExample:\n    >>> torch.zeros(2)\n    tensor([0., 0.])")
    .sample("(2, 3)")
    .sample("2, 3, dtype=torch.int64");

PT_OP(ones)
    .impl([](IntList size, OptDType dtype, auto, OptDevice, OptBool) {
      return filled(empty_tensor(size, dtype.value_or(default_dtype())), 1);
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .out()
    .doc("A tensor of ones.")
    .sample("(2, 3)");

PT_OP(full)
    .impl([](IntList size, Scalar value, OptDType dtype, auto, OptDevice, OptBool) {
      return filled(empty_tensor(size, fill_dtype(value, dtype)), value);
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .out()
    .doc("A tensor filled with one value, of the value's dtype unless told otherwise.")
    .sample("(2, 3), 2.5")
    .sample("(2,), 7");

PT_OP(arange_end)
    .impl([](Scalar end, OptDType dtype, auto, OptDevice, OptBool) {
      return make_range(0, end, 1, false, dtype, "arange");
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .out()
    .doc(
        "The numbers from start (0) up to but not including end, in steps of step.\n\n"
        "Example:\n    >>> torch.arange(1, 7, 2)\n    tensor([1, 3, 5])")
    .sample("5")
    .sample("4.5");

PT_OP(arange)
    .impl([](Scalar start, Scalar end, Scalar step, OptDType dtype, auto, OptDevice, OptBool) {
      return make_range(start, end, step, false, dtype, "arange");
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .out()
    .sample("1, 7, 2")
    .sample("1.0, 2.0, 0.3")
    .sample("5, 0, -2");

PT_OP(range)
    .impl([](Scalar start, Scalar end, Scalar step, OptDType dtype, auto, OptDevice, OptBool) {
      return make_range(start, end, step, true, dtype.value_or(default_dtype()), "range");
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .doc("The numbers from start up to and including end (deprecated: use arange).")
    .sample("1, 4");

PT_OP(linspace)
    .impl([](Scalar start, Scalar end, int64_t steps, OptDType dtype, auto, OptDevice, OptBool) {
      PT_CHECK(steps >= 0, "number of steps must be non-negative");
      Tensor out = empty_tensor(Dims{steps}, dtype.value_or(default_dtype()));
      if (steps == 1) return filled(out, start);
      generate(out, [&](auto* p, int64_t b, int64_t e) {
        using T = std::remove_reference_t<decltype(*p)>;
        using Step = std::conditional_t<std::is_same_v<T, double>, double, float>;
        const auto first = static_cast<Step>(start.to_double());
        const auto last = static_cast<Step>(end.to_double());
        const Step step = (last - first) / static_cast<Step>(steps - 1);
        // Both ends are exact: the second half counts back from the end.
        for (int64_t i = b; i < e; ++i) {
          const Step v = i < steps / 2 ? first + step * static_cast<Step>(i)
                                       : last - step * static_cast<Step>(steps - i - 1);
          p[i] = static_cast<T>(v);
        }
      });
      return out;
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .out()
    .doc("`steps` numbers from start to end, both included, evenly spaced.")
    .sample("0, 1, 5")
    .sample("-2.0, 3.0, 8");

PT_OP(logspace)
    .impl([](Scalar start, Scalar end, int64_t steps, double base, OptDType dtype, auto, OptDevice,
             OptBool) {
      PT_CHECK(steps >= 0, "number of steps must be non-negative");
      Tensor out = empty_tensor(Dims{steps}, dtype.value_or(default_dtype()));
      if (steps == 1) return filled(out, std::pow(base, start.to_double()));
      const double first = start.to_double(), last = end.to_double();
      const double step = (last - first) / static_cast<double>(steps - 1);
      generate(out, [&](auto* p, int64_t b, int64_t e) {
        using T = std::remove_reference_t<decltype(*p)>;
        for (int64_t i = b; i < e; ++i) {
          const double v = i < steps / 2 ? first + step * static_cast<double>(i)
                                         : last - step * static_cast<double>(steps - i - 1);
          p[i] = static_cast<T>(static_cast<float>(std::pow(base, v)));
          if constexpr (std::is_same_v<T, double>) p[i] = std::pow(base, v);
        }
      });
      return out;
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .out()
    .doc("`steps` numbers from base**start to base**end, evenly spaced in the exponent.")
    .sample("0, 2, 5");

namespace {
Tensor identity(int64_t n, int64_t m, const OptDType& dtype) {
  PT_CHECK(n >= 0, "n must be greater or equal to 0, got ", n);
  PT_CHECK(m >= 0, "m must be greater or equal to 0, got ", m);
  Tensor t = zeros_tensor(Dims{n, m}, dtype.value_or(default_dtype()));
  if (t.numel()) fill_with(make_view(t, Dims{std::min(n, m)}, Dims{m + 1}, 0), 1);
  return t;
}
}  // namespace

PT_OP(eye)
    .impl([](int64_t n, OptDType dtype, auto, OptDevice, OptBool) { return identity(n, n, dtype); })
    .on_device()
    .nondifferentiable()
    .function_only()
    .out()
    .doc("A matrix with ones on the diagonal and zeros elsewhere.")
    .sample("3");

PT_OP(eye_m)
    .impl([](int64_t n, int64_t m, OptDType dtype, auto, OptDevice, OptBool) {
      return identity(n, m, dtype);
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .out()
    .sample("3, 4")
    .sample("4, 2, dtype=torch.int64");

PT_OP(empty_like)
    .impl([](const Tensor& self, OptDType dtype, auto, OptDevice, OptBool, OptFormat format) {
      return empty_as(self, dtype, format);
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .doc("A tensor of self's sizes and dtype with undefined contents.")
    .sample("R(3, 4)")
    .test("arbitrary");

PT_OP(zeros_like)
    .impl([](const Tensor& self, OptDType dtype, auto, OptDevice, OptBool, OptFormat format) {
      return filled(empty_as(self, dtype, format), 0);
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .doc("Zeros of self's sizes and dtype.")
    .sample("R(3, 4)")
    .sample("R(3, 4), dtype=torch.int32");

PT_OP(ones_like)
    .impl([](const Tensor& self, OptDType dtype, auto, OptDevice, OptBool, OptFormat format) {
      return filled(empty_as(self, dtype, format), 1);
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .doc("Ones of self's sizes and dtype.")
    .sample("R(3, 4)");

PT_OP(full_like)
    .impl([](const Tensor& self, Scalar value, OptDType dtype, auto, OptDevice, OptBool,
             OptFormat format) { return filled(empty_as(self, dtype, format), value); })
    .on_device()
    .nondifferentiable()
    .function_only()
    .doc("A tensor of self's sizes and dtype filled with one value.")
    .sample("R(3, 4), 1.5");

PT_OP(new_empty)
    .impl([](const Tensor& self, IntList size, OptDType dtype, auto, OptDevice, OptBool) {
      return empty_tensor(size, dtype.value_or(self.dtype()));
    })
    .on_device()
    .nondifferentiable()
    .method_only()
    .doc("A tensor of self's dtype with undefined contents.")
    .sample("R(3, 4), (2, 3)")
    .test("arbitrary");

PT_OP(new_zeros)
    .impl([](const Tensor& self, IntList size, OptDType dtype, auto, OptDevice, OptBool) {
      return zeros_tensor(size, dtype.value_or(self.dtype()));
    })
    .on_device()
    .nondifferentiable()
    .method_only()
    .doc("Zeros of self's dtype.")
    .sample("R(3), (2, 2)");

PT_OP(new_ones)
    .impl([](const Tensor& self, IntList size, OptDType dtype, auto, OptDevice, OptBool) {
      return filled(empty_tensor(size, dtype.value_or(self.dtype())), 1);
    })
    .on_device()
    .nondifferentiable()
    .method_only()
    .doc("Ones of self's dtype.")
    .sample("R(3), (2, 2)");

PT_OP(new_full)
    .impl([](const Tensor& self, IntList size, Scalar value, OptDType dtype, auto, OptDevice,
             OptBool) { return filled(empty_tensor(size, dtype.value_or(self.dtype())), value); })
    .on_device()
    .nondifferentiable()
    .method_only()
    .doc("A tensor of self's dtype filled with one value.")
    .sample("R(3), (2, 2), 3");

PT_OP(new_empty_strided)
    .impl([](const Tensor& self, IntList size, IntList stride, OptDType dtype, auto, OptDevice,
             OptBool) {
      PT_CHECK(size.size() == stride.size(), "new_empty_strided: mismatch in length of size (",
               size.size(), ") and stride (", stride.size(), ")");
      return empty_strided_tensor(size, stride, dtype.value_or(self.dtype()));
    })
    .on_device()
    .nondifferentiable()
    .method_only()
    .doc("A tensor of self's dtype with the given strides and undefined contents.")
    .sample("R(3, 4), (3, 4), (1, 3)")
    .test("arbitrary");

}  // namespace pt
