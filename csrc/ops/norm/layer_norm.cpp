// Layer and RMS normalization. See norm.h.
#include "cpu/kernel_table.h"
#include "cpu/norm_args.h"
#include "op/copy.h"
#include "ops/index/selection.h"
#include "ops/norm/formula.h"
#include "ops/norm/norm.h"
#include "ops/view/view.h"

namespace pt {

namespace {

const Kernel<RowNormFn> kForward{"row_norm"}, kBackward{"row_norm_backward"};

// The arguments that forward and backward share.
struct Rows {
  RowNormArgs a;
  Tensor x, weight, bias;
  DType accumulate;

  Rows(const Tensor& input, IntList shape, const Tensor& w, const Tensor& b)
      : x(as_contiguous(input)), accumulate(accumulate_type(input.dtype())) {
    a.n = checked_numel(shape);
    a.rows = 1;
    for (int i = 0; i < input.dim() - static_cast<int>(shape.size()); ++i)
      a.rows *= input->sizes[i];
    a.x = x.raw();
    if (w.defined()) weight = as_contiguous(cast_to(w, accumulate));
    if (b.defined()) bias = as_contiguous(cast_to(b, accumulate));
    a.weight = weight.defined() ? weight.raw() : nullptr;
    a.bias = bias.defined() ? bias.raw() : nullptr;
  }
};

void check_shapes(const char* op, const Tensor& input, IntList shape, const Tensor& weight,
                  const Tensor& bias) {
  PT_CHECK(!shape.empty(),
           "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one "
           "element, but got normalized_shape = ",
           to_text(shape));
  const auto check = [&shape](const char* name, const Tensor& t) {
    PT_CHECK(!t.defined() || same(t.sizes(), shape), "Expected ", name,
             " to be of same shape as normalized_shape, but got ", name, " of shape ",
             t.defined() ? t.sizes() : Dims(), " and normalized_shape = ", to_text(shape));
  };
  check("weight", weight);
  check("bias", bias);
  const int lead = input.dim() - static_cast<int>(shape.size());
  bool fits = lead >= 0;
  for (size_t i = 0; fits && i < shape.size(); ++i)
    fits = input->sizes[lead + static_cast<int>(i)] == shape[i];
  if (!fits) {
    std::string wanted;
    for (int64_t n : shape) wanted += ", " + std::to_string(n);
    raise(ErrorKind::kRuntime, "Given normalized_shape=", to_text(shape),
          ", expected input with shape [*", wanted, "], but got input of size", input.sizes());
  }
  PT_CHECK_KIND(ErrorKind::kNotImplemented, input.is_floating(), "\"", op,
                "\" not implemented for '", scalar_type_name(input.dtype()), "'");
}

// The shape of the statistics: the normalized dimensions have size 1.
Dims statistics_shape(const Tensor& input, IntList shape) {
  Dims s = input.sizes();
  for (int i = 0; i < static_cast<int>(shape.size()); ++i) s[s.size() - 1 - i] = 1;
  return s;
}

Dims last_dims(const Tensor& input, size_t count) {
  Dims dims;
  for (int i = input.dim() - static_cast<int>(count); i < input.dim(); ++i) dims.push_back(i);
  return dims;
}

}  // namespace

PT_OP(layer_norm)
    .composite([](const Tensor& input, IntList normalized_shape, const Tensor& weight,
                  const Tensor& bias, double eps, bool) {
      return std::get<0>(native_layer_norm(input, normalized_shape, weight, bias, eps));
    })
    .function_only()
    .doc(
        "(input - mean) / sqrt(var + eps) * weight + bias, with statistics over the last "
        "dimensions.\n\n"
        "Args:\n    normalized_shape (tuple of ints): the sizes of those dimensions, and the shape "
        "of weight and bias\n    cudnn_enable (bool): without effect")
    .sample("R(3, 4), (4,)")
    .sample("R(2, 3, 4), (3, 4), P(3, 4), R(3, 4)")
    .sample("R(2, 3, 4), (4,), None, R(4), 1e-3");

PT_OP(native_layer_norm)
    .on_device()
    .impl([](const Tensor& input, IntList normalized_shape, const Tensor& weight,
             const Tensor& bias, double eps) {
      check_shapes("LayerNormKernelImpl", input, normalized_shape, weight, bias);
      const DType parameters = check_parameters(input, {&weight, &bias});
      Rows rows(input, normalized_shape, weight, bias);
      const Tensor out = empty_tensor(input.sizes(), input.dtype());
      const Dims shape = statistics_shape(input, normalized_shape);
      const Tensor mean = empty_tensor(shape, rows.accumulate);
      const Tensor rstd = empty_tensor(shape, rows.accumulate);
      rows.a.eps = eps;
      rows.a.mean = mean.raw();
      rows.a.rstd = rstd.raw();
      rows.a.out = out.raw();
      kForward.get(input.dtype())(rows.a);
      return std::tuple(out, cast_to(mean, parameters), cast_to(rstd, parameters));
    })
    .saves("input, weight, shape:bias, result1, result2")
    .backward([](BackwardCall& g, const Tensor& input, IntList normalized_shape,
                 const Tensor& weight, const Tensor&, double eps) {
      auto [dx, dw, db] = layer_norm_backward(g.grad(), input, normalized_shape, g.result(1),
                                              g.result(2), weight, eps, g.needs(2) || g.needs(3));
      if (g.needs(0)) g[0] = dx;
      if (g.needs(2)) g[2] = dw;
      if (g.needs(3)) g[3] = db;
    })
    .nondifferentiable_output(1)
    .nondifferentiable_output(2)
    .function_only()
    .doc("layer_norm(), with mean and 1 / sqrt(var + eps).")
    .sample("R(3, 4), (4,), P(4), R(4), 1e-5")
    .sample("R(2, 3, 4), (3, 4), None, None, 1e-5");

PT_OP(rms_norm)
    .composite([](const Tensor& input, IntList normalized_shape, const Tensor& weight,
                  std::optional<double> eps) {
      const DType t = accumulate_type(input.dtype());
      const double least = t == DType::kFloat64 ? 0x1p-52 : 0x1p-23;
      return std::get<0>(rms_norm_statistics(input, normalized_shape, weight, eps.value_or(least)));
    })
    .function_only()
    .doc(
        "input / sqrt(mean(input^2) + eps) * weight, with means over the last dimensions.\n\n"
        "Args:\n    normalized_shape (tuple of ints): the sizes of those dimensions, and the shape "
        "of weight\n    eps (float, optional): the dtype's machine epsilon when None")
    .sample("R(3, 4), (4,)")
    .sample("R(2, 3, 4), (3, 4), P(3, 4), 1e-3");

PT_OP(rms_norm_statistics)
    .on_device()
    .impl([](const Tensor& input, IntList normalized_shape, const Tensor& weight, double eps) {
      check_shapes("rms_norm", input, normalized_shape, weight, Tensor());
      Rows rows(input, normalized_shape, weight, Tensor());
      const Tensor out = empty_tensor(input.sizes(), input.dtype());
      const Tensor rstd = empty_tensor(statistics_shape(input, normalized_shape), rows.accumulate);
      rows.a.centred = false;
      rows.a.eps = eps;
      rows.a.rstd = rstd.raw();
      rows.a.out = out.raw();
      kForward.get(input.dtype())(rows.a);
      return std::tuple(out, rstd);
    })
    .saves("input, weight, result1")
    .backward([](BackwardCall& g, const Tensor& input, IntList normalized_shape,
                 const Tensor& weight, double eps) {
      auto [dx, dw, db] = layer_norm_backward(g.grad(), input, normalized_shape, Tensor(),
                                              g.result(1), weight, eps, g.needs(2));
      if (g.needs(0)) g[0] = dx;
      if (g.needs(2)) g[2] = dw;
    })
    .nondifferentiable_output(1)
    .node_name("RmsNormBackward0")
    .internal();

PT_OP(layer_norm_backward)
    .on_device()
    .impl([](const Tensor& grad, const Tensor& input, IntList normalized_shape, const Tensor& mean,
             const Tensor& rstd, const Tensor& weight, double, bool parameters) {
      Rows rows(input, normalized_shape, weight, Tensor());
      const Tensor out = empty_tensor(input.sizes(), input.dtype());
      const Tensor g = as_contiguous(cast_to(grad, input.dtype()));
      const Tensor r = cast_to(rstd, rows.accumulate);
      const Tensor m = mean.defined() ? cast_to(mean, rows.accumulate) : mean;
      rows.a.centred = mean.defined();
      rows.a.mean = m.defined() ? m.raw() : nullptr;
      rows.a.rstd = r.raw();
      rows.a.grad = g.raw();
      rows.a.out = out.raw();
      Tensor dw, db;
      const DType t = weight.defined() ? weight.dtype() : rstd.dtype();
      if (parameters) {
        dw = empty_tensor(normalized_shape, DType::kFloat64);
        db = empty_tensor(normalized_shape, DType::kFloat64);
        rows.a.weight_grad = dw.data<double>();
        rows.a.bias_grad = db.data<double>();
      }
      kBackward.get(input.dtype())(rows.a);
      if (!parameters) return std::tuple(out, dw, db);
      return std::tuple(out, cast_to(dw, t), cast_to(db, t));
    })
    .saves("grad, input, mean, weight")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& input, IntList normalized_shape,
                 const Tensor& mean, const Tensor&, const Tensor& weight, double eps,
                 bool parameters) {
      const Dims dims = last_dims(input, normalized_shape.size());
      const Tensor none;
      const SecondGradient s =
          second_gradient({input, weight, dims, eps, mean.defined()}, grad, g.grad(0),
                          parameters ? g.grad(1) : none, parameters ? g.grad(2) : none);
      if (g.needs(0)) g[0] = s.grad.defined() ? expand(s.grad, input.sizes()) : s.grad;
      if (g.needs(1)) g[1] = s.x;
      if (g.needs(5)) g[5] = s.weight;
    })
    .internal();

}  // namespace pt
