// The three products behind convolutions: the result, and the gradients by input and weight.
//
// With C(x, w), X(g, w) and W(g, x) for them, <g, C(x, w)> = <X(g, w), x> = <W(g, x), w>: each
// one's gradients are the other two, so gradients of any order are made of these kernels.
#include <cstdlib>
#include <string_view>

#include "core/precision.h"
#include "cpu/bfloat16_unit.h"
#include "cpu/conv_args.h"
#include "cpu/kernel_table.h"
#include "op/copy.h"
#include "op/define.h"
#include "ops/conv/algorithms/direct.h"
#include "ops/conv/conv.h"
#include "ops/conv/geometry.h"
#include "ops/index/selection.h"
#include "ops/reduce/sum.h"

namespace pt {

namespace {

const Kernel<ConvFn> kForward{"conv_forward"};
const Kernel<ConvMixedFn> kMixedForward{"conv_mixed_forward"};
const Kernel<ConvFn> kInputGradient{"conv_input_gradient"};
const Kernel<ConvFn> kWeightGradient{"conv_weight_gradient"};
const Kernel<ConvUnitsFn> kUnitsForward{"conv_units_forward"};
const Kernel<ConvUnitsFn> kUnitsInputGradient{"conv_units_input_gradient"};
const Kernel<ConvUnitsFn> kUnitsWeightGradient{"conv_units_weight_gradient"};

Dims full_size(int64_t first, int64_t second, IntList spatial_sizes) {
  Dims sizes{first, second};
  for (int64_t s : spatial_sizes) sizes.push_back(s);
  return sizes;
}

void* allocate(void* owner, int64_t bytes) {
  auto* kept = static_cast<std::vector<Tensor>*>(owner);
  kept->push_back(empty_tensor(Dims{bytes}, DType::kUInt8));
  return kept->back().raw();
}

// For tools/tune_conv.py alone: where PYTENSOR_TUNE_CONV was set at the start, each call looks for
// the way that PYTENSOR_CONV_WAY names.
ConvWay way_of_call() {
  static const bool tuning = std::getenv("PYTENSOR_TUNE_CONV") != nullptr;
  const char* name = tuning ? std::getenv("PYTENSOR_CONV_WAY") : nullptr;
  const std::string_view way = name ? name : "";
  return way == "product"     ? ConvWay::kProduct
         : way == "winograd"  ? ConvWay::kWinograd
         : way == "pointwise" ? ConvWay::kPointwise
         : way == "scatter"   ? ConvWay::kScatter
                              : ConvWay::kChosen;
}

// Runs a kernel; half precision types without one are computed in float32, integers by plain loops.
// `write` is the argument that is written.
struct ConvCall {
  const Kernel<ConvFn>& kernel;
  const Kernel<ConvUnitsFn>& units;
  void (*integers)(DType, const ConvArgs&);
  ConvArgs args;
  void* ConvArgs::* first;
  void* ConvArgs::* second;
  void* ConvArgs::* write;
  Tensor residual = {};  // of the result's dtype and sizes, or undefined

  Tensor run(const Tensor& a, const Tensor& b, const Tensor& bias, const Dims& sizes) {
    const DType t = a.dtype();
    PT_CHECK(a.dtype() == b.dtype(), "expected scalar type ", scalar_type_name(a.dtype()),
             " but found ", scalar_type_name(b.dtype()));
    PT_CHECK_KIND(ErrorKind::kNotImplemented, t != DType::kBool && !is_complex(t),
                  "\"convolution\" not implemented for '", scalar_type_name(t), "'");
    const DType compute = is_half(t) && !kernel.get(t) ? DType::kFloat32 : t;
    const bool empty = a.numel() == 0 || b.numel() == 0;
    const Tensor out = empty ? zeros_tensor(sizes, compute) : empty_tensor(sizes, compute);
    if (empty || out.numel() == 0) {
      if (bias.defined() && out.numel() != 0) add_bias(out, bias);
      return cast_to(out, t);
    }
    if (const Tensor z = run_units(a, b, bias, sizes); z.defined()) return z;
    args.winograd_tile = most_winograd_tile();
    if (call_on_device) {
      args.tf32 = convolution_tf32();
      args.library = cudnn_switch(CudnnSwitch::kEnabled);
      args.timed =
          cudnn_switch(CudnnSwitch::kBenchmark) && !cudnn_switch(CudnnSwitch::kDeterministic);
    }
    args.way = way_of_call();
    const Operands operands(*this, a, b, bias, out);
    if (ConvFn* fn = kernel.get(compute)) {
      fn(args);
    } else {
      integers(compute, args);
    }
    return cast_to(out, t);
  }

  // With `first` or the result of bfloat16 and the rest of float32, where the kernel converts as it
  // reads and writes; else from copies.
  Tensor run_mixed(const Tensor& a, const Tensor& b, const Tensor& bias, const Dims& sizes,
                   DType result) {
    const DType t = b.dtype();
    const auto fits = [](DType d) { return d == DType::kFloat32 || d == DType::kBFloat16; };
    if (t == DType::kFloat32 && fits(a.dtype()) && fits(result) && !call_on_device &&
        float32_precision() == Float32Precision::kHighest) {
      args.winograd_tile = most_winograd_tile();
      args.way = way_of_call();
      args.half_input = a.dtype() == DType::kBFloat16;
      args.half_output = result == DType::kBFloat16;
      const Tensor out = empty_tensor(sizes, result);
      const Operands operands(*this, a, b, bias, out, args.half_input ? a.dtype() : t, t);
      if (kMixedForward.get(t)(args)) return out;
      args.half_input = args.half_output = false;
    }
    return cast_to(run(cast_to(a, t), b, bias, sizes), result);
  }

 private:
  // Puts the tensors into the arguments, contiguous and of the result's dtype, and keeps them and
  // what the kernel allocates for the time of the call.
  struct Operands {
    Tensor a, b, bias, residual;
    std::vector<Tensor> memory;

    Operands(ConvCall& call, const Tensor& first, const Tensor& second, const Tensor& summand,
             const Tensor& out)
        : Operands(call, first, second, summand, out, out.dtype(), out.dtype()) {}
    Operands(ConvCall& call, const Tensor& first, const Tensor& second, const Tensor& summand,
             const Tensor& out, DType of_first, DType of_others)
        : a(ready(first, of_first)),
          b(ready(second, of_others)),
          bias(ready(summand, of_others)),
          residual(ready(call.residual, of_others)) {
      ConvArgs& args = call.args;
      args.*call.first = a.raw();
      args.*call.second = b.raw();
      args.*call.write = out.raw();
      args.bias = bias.defined() ? bias.raw() : nullptr;
      args.residual = residual.defined() ? residual.raw() : nullptr;
      args.allocate = allocate;
      args.owner = &memory;
    }
    Operands(const Operands&) = delete;
    static Tensor ready(const Tensor& t, DType dtype) {
      return t.defined() ? as_contiguous(cast_to(t, dtype)) : Tensor();
    }
  };

  // On the machine's bfloat16 units, where it has them and the numbers allow it; else undefined.
  Tensor run_units(const Tensor& a, const Tensor& b, const Tensor& bias, const Dims& sizes) {
    if (call_on_device) return {};
    const DType t = a.dtype();
    const Float32Precision precision = float32_precision();
    const bool rounded = t == DType::kFloat32 && precision != Float32Precision::kHighest;
    args.two_parts = t == DType::kFloat32 && precision == Float32Precision::kHigh;
    if ((t != DType::kBFloat16 && !rounded) || bfloat16_unit() == BFloat16Unit::kNone) return {};
    ConvUnitsFn* fn = units.get(t);
    if (!fn) return {};
    const Tensor out = empty_tensor(sizes, t);
    const Operands operands(*this, a, b, bias, out);
    return fn(args) ? out : Tensor();
  }

  static void add_bias(const Tensor& out, const Tensor& bias) {
    Dims strides(out.dim(), 0);
    strides[1] = bias->strides[0];
    copy_into(out, make_view(bias, out.sizes(), strides, bias.offset()));
  }
};

void check_bias(const char* op, const Tensor& bias, const Tensor& like, int64_t channels) {
  PT_CHECK(!bias.defined() ||
               (bias.dim() == 1 && bias->sizes[0] == channels && bias.dtype() == like.dtype()),
           op, "(): bias must be a vector of ", channels, " elements of the input's dtype");
}

void check_dims(const char* op, const Tensor& a, const Tensor& b, IntList stride) {
  const int n = static_cast<int>(stride.size()) + 2;
  PT_CHECK(a.dim() == n && b.dim() == n, op, "(): expected tensors of ", n, " dimensions, got ",
           a.dim(), " and ", b.dim());
}

Tensor sum_but_channels(const Tensor& grad) {
  Dims dims{0};
  for (int d = 2; d < grad.dim(); d++) dims.push_back(d);
  return sum_dim(grad, IntList(dims), false);
}

}  // namespace

PT_OP(conv_forward)
    .on_device()
    .impl([](const Tensor& input, const Tensor& weight, const Tensor& bias, IntList stride,
             IntList padding, IntList dilation, IntList output_size, int64_t groups) {
      check_dims("conv_forward", input, weight, stride);
      check_bias("conv_forward", bias, input, weight->sizes[0]);
      const Dims sizes = full_size(input->sizes[0], weight->sizes[0], output_size);
      ConvCall call{kForward,
                    kUnitsForward,
                    direct_forward,
                    conv_args("conv_forward", input.sizes(), weight.sizes(), sizes, stride, padding,
                              dilation, groups),
                    &ConvArgs::input,
                    &ConvArgs::weight,
                    &ConvArgs::output};
      return call.run(input, weight, bias, sizes);
    })
    .saves("input, weight")
    .backward([](BackwardCall& g, const Tensor& input, const Tensor& weight, const Tensor&,
                 IntList stride, IntList padding, IntList dilation, IntList, int64_t groups) {
      if (g.needs(0)) {
        g[0] = conv_input_gradient(g.grad(), weight, Tensor(), stride, padding, dilation,
                                   spatial(input), groups);
      }
      if (g.needs(1)) {
        g[1] = conv_weight_gradient(g.grad(), input, stride, padding, dilation, spatial(weight),
                                    groups);
      }
      if (g.needs(2)) g[2] = sum_but_channels(g.grad());
    })
    .internal()
    .node_name("ConvolutionBackward0")
    .doc("The convolution of a batch of images.")
    .sample("R(2, 3, 7), R(4, 3, 3), R(4), [1], [1], [1], [7], 1")
    .sample("R(2, 4, 5, 6), R(6, 2, 3, 2), None, [2, 1], [1, 0], [1, 2], [3, 4], 2")
    .sample(
        "R(1, 2, 4, 5, 3), R(2, 1, 2, 3, 2), R(2), [1, 2, 1], [1, 1, 0], [1, 1, 1], [5, 3, 2], 2");

PT_OP(conv_finished)
    .on_device()
    .impl([](const Tensor& input, const Tensor& weight, const Tensor& scale, const Tensor& shift,
             const Tensor& residual, IntList stride, IntList padding, IntList dilation,
             IntList output_size, int64_t groups, double least, double most,
             std::optional<DType> dtype) {
      const DType t = weight.dtype(), result = dtype.value_or(t);
      PT_CHECK_KIND(ErrorKind::kNotImplemented, t == DType::kFloat32 || t == DType::kFloat64,
                    "\"conv_finished\" not implemented for '", scalar_type_name(t), "'");
      check_dims("conv_finished", input, weight, stride);
      check_bias("conv_finished", shift, weight, weight->sizes[0]);
      check_bias("conv_finished", scale, weight, weight->sizes[0]);
      const Dims sizes = full_size(input->sizes[0], weight->sizes[0], output_size);
      const auto fits = [t](DType d) { return d == t || (t == DType::kFloat32 && is_half(d)); };
      PT_CHECK(fits(input.dtype()) && fits(result),
               "conv_finished(): input and result must be of the weight's dtype, or of half "
               "precision beside float32");
      PT_CHECK(!residual.defined() || (fits(residual.dtype()) && residual.sizes() == sizes),
               "conv_finished(): residual must have the dtype and sizes of the result, ",
               to_text(sizes));
      PT_CHECK(input.numel() > 0 && weight.numel() > 0,
               "conv_finished(): input or weight is empty");
      ConvCall call{kForward,
                    kUnitsForward,
                    direct_forward,
                    conv_args("conv_finished", input.sizes(), weight.sizes(), sizes, stride,
                              padding, dilation, groups),
                    &ConvArgs::input,
                    &ConvArgs::weight,
                    &ConvArgs::output,
                    residual.defined() ? cast_to(residual, t) : residual};
      const Tensor factor = scale.defined() ? as_contiguous(scale) : Tensor();
      call.args.scale = factor.defined() ? factor.raw() : nullptr;
      call.args.least = least, call.args.most = most;
      if (input.dtype() != t || result != t) {
        return call.run_mixed(input, weight, shift, sizes, result);
      }
      return call.run(input, weight, shift, sizes);
    })
    .nondifferentiable()
    .internal()
    .doc("conv_forward() with a scale and a shift of each channel, a residual and limits.")
    .sample("R(2, 3, 7), R(4, 3, 3), None, R(4), None, [1], [1], [1], [7], 1, 0.0, 6.0")
    .sample(
        "R(2, 4, 5, 6), R(6, 2, 3, 2), R(6), None, R(2, 6, 3, 4), [2, 1], [1, 0], [1, 2], [3, 4], "
        "2, -1.0, 1.0");

PT_OP(conv_input_gradient)
    .on_device()
    .impl([](const Tensor& grad, const Tensor& weight, const Tensor& bias, IntList stride,
             IntList padding, IntList dilation, IntList input_size, int64_t groups) {
      check_dims("conv_input_gradient", grad, weight, stride);
      PT_CHECK(groups > 0, "conv_input_gradient(): groups must be positive, got ", groups);
      const Dims channels = Dims{weight->sizes[1], groups};
      const int64_t outputs = checked_numel(channels);
      check_bias("conv_input_gradient", bias, grad, outputs);
      const Dims sizes = full_size(grad->sizes[0], outputs, input_size);
      ConvCall call{kInputGradient,
                    kUnitsInputGradient,
                    direct_input_gradient,
                    conv_args("conv_input_gradient", sizes, weight.sizes(), grad.sizes(), stride,
                              padding, dilation, groups),
                    &ConvArgs::output,
                    &ConvArgs::weight,
                    &ConvArgs::input};
      return call.run(grad, weight, bias, sizes);
    })
    .saves("grad, weight")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& weight, const Tensor&,
                 IntList stride, IntList padding, IntList dilation, IntList, int64_t groups) {
      if (g.needs(0)) {
        g[0] = conv_forward(g.grad(), weight, Tensor(), stride, padding, dilation, spatial(grad),
                            groups);
      }
      if (g.needs(1)) {
        g[1] = conv_weight_gradient(grad, g.grad(), stride, padding, dilation, spatial(weight),
                                    groups);
      }
      if (g.needs(2)) g[2] = sum_but_channels(g.grad());
    })
    .internal()
    .node_name("ConvolutionBackward0")
    .doc("The gradient of a convolution by its input; the transposed convolution.")
    .sample("R(2, 4, 7), R(4, 3, 3), R(3), [1], [1], [1], [7], 1")
    .sample("R(2, 6, 3, 4), R(6, 2, 3, 2), None, [2, 1], [1, 0], [1, 2], [5, 6], 2")
    .sample("R(1, 2, 3, 3), R(2, 2, 2, 2), R(2), [3, 4], [0, 1], [1, 2], [9, 10], 1")
    .sample(
        "R(1, 2, 3, 3, 2), R(2, 1, 2, 3, 2), R(2), [2, 2, 1], [1, 1, 0], [1, 1, 1], [5, 5, 3], 2");

PT_OP(conv_weight_gradient)
    .on_device()
    .impl([](const Tensor& grad, const Tensor& input, IntList stride, IntList padding,
             IntList dilation, IntList kernel_size, int64_t groups) {
      check_dims("conv_weight_gradient", grad, input, stride);
      PT_CHECK(groups > 0 && input->sizes[1] % groups == 0,
               "conv_weight_gradient(): groups must divide the channels of input");
      const Dims sizes = full_size(grad->sizes[1], input->sizes[1] / groups, kernel_size);
      ConvCall call{kWeightGradient,
                    kUnitsWeightGradient,
                    nullptr,
                    conv_args("conv_weight_gradient", input.sizes(), sizes, grad.sizes(), stride,
                              padding, dilation, groups),
                    &ConvArgs::output,
                    &ConvArgs::input,
                    &ConvArgs::weight};
      PT_CHECK_KIND(ErrorKind::kNotImplemented, is_floating(grad.dtype()),
                    "\"conv_weight_gradient\" not implemented for '",
                    scalar_type_name(grad.dtype()), "'");
      return call.run(grad, input, Tensor(), sizes);
    })
    .saves("grad, input")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& input, IntList stride,
                 IntList padding, IntList dilation, IntList, int64_t groups) {
      if (g.needs(0)) {
        g[0] = conv_forward(input, g.grad(), Tensor(), stride, padding, dilation, spatial(grad),
                            groups);
      }
      if (g.needs(1)) {
        g[1] = conv_input_gradient(grad, g.grad(), Tensor(), stride, padding, dilation,
                                   spatial(input), groups);
      }
    })
    .internal()
    .doc("The gradient of a convolution by its weight.")
    .sample("R(2, 4, 7), R(2, 3, 7), [1], [1], [1], [3], 1")
    .sample("R(2, 6, 3, 4), R(2, 4, 5, 6), [2, 1], [1, 0], [1, 2], [3, 2], 2")
    .sample("R(1, 2, 3, 3, 2), R(1, 2, 5, 5, 3), [2, 2, 1], [1, 1, 0], [1, 1, 1], [2, 3, 2], 2");

}  // namespace pt
