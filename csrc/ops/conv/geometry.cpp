// The geometry of a convolution: checks of its arguments, sizes of its results.
#include "ops/conv/geometry.h"

#include <algorithm>

#include "ops/index/selection.h"

namespace pt {

namespace {

// a * b + c, raising instead of wrapping around.
int64_t checked_multiply_add(int64_t a, int64_t b, int64_t c) {
  int64_t product, sum;
  PT_CHECK(!__builtin_mul_overflow(a, b, &product) && !__builtin_add_overflow(product, c, &sum),
           "convolution: the sizes overflow 64 bits");
  return sum;
}

Dims expanded(const char* name, IntList given, int n) {
  if (given.size() == 1) return Dims(n, given[0]);
  PT_CHECK(given.size() == static_cast<size_t>(n), "expected ", name,
           " to be a single integer value or a list of ", n,
           " values to match the convolution dimensions, but got ", name, "=", to_text(given));
  return Dims(given);
}

bool any_below(const Dims& values, int64_t limit) {
  return std::any_of(values.begin(), values.end(), [&](int64_t v) { return v < limit; });
}

std::string joined(const std::vector<int64_t>& values) {
  std::string text;
  for (int64_t v : values) text += (text.empty() ? "" : " x ") + std::to_string(v);
  return "(" + text + ")";
}

std::vector<int64_t> as_vector(IntList l) { return {l.begin(), l.end()}; }

}  // namespace

ConvSettings conv_settings(int n, IntList stride, IntList padding, IntList dilation,
                           IntList output_padding, int64_t groups, bool transposed) {
  ConvSettings s;
  s.stride = expanded("stride", stride, n);
  s.padding = expanded("padding", padding, n);
  s.dilation = expanded("dilation", dilation, n);
  s.output_padding = expanded("output_padding", output_padding, n);
  s.groups = groups;
  s.transposed = transposed;
  PT_CHECK(!any_below(s.padding, 0), "negative padding is not supported");
  PT_CHECK(!any_below(s.output_padding, 0), "negative output_padding is not supported");
  PT_CHECK(!any_below(s.stride, 1), "non-positive stride is not supported");
  PT_CHECK(!any_below(s.dilation, 1), "dilation should be greater than zero, but got ",
           to_text(s.dilation));
  PT_CHECK(groups > 0, "non-positive groups is not supported");
  return s;
}

void check_conv_tensors(const Tensor& input, const Tensor& weight, const Tensor& bias,
                        const ConvSettings& s, bool mixed) {
  PT_CHECK(input.dim() == weight.dim(), "Expected ", weight.dim(), "-dimensional input for ",
           weight.dim(), "-dimensional weight ", to_text(weight.sizes()), ", but got ", input.dim(),
           "-dimensional input of size ", to_text(input.sizes()), " instead");
  const bool low = mixed && is_half(input.dtype()) && weight.dtype() == DType::kFloat32;
  PT_CHECK(low || input.dtype() == weight.dtype(), "Input type (", scalar_type_name(input.dtype()),
           ") and weight type (", scalar_type_name(weight.dtype()), ") should be the same");
  PT_CHECK(!bias.defined() || bias.dtype() == weight.dtype(), "Input type (",
           scalar_type_name(input.dtype()), ") and bias type (",
           bias.defined() ? scalar_type_name(bias.dtype()) : "", ") should be the same");
  const int64_t first = weight->sizes[0], second = weight->sizes[1];
  PT_CHECK(first >= s.groups, "Given groups=", s.groups, ", expected weight to be at least ",
           s.groups, " at dimension 0, but got weight of size ", to_text(weight.sizes()),
           " instead");
  PT_CHECK(first % s.groups == 0, "Given groups=", s.groups,
           ", expected weight to be divisible by ", s.groups,
           " at dimension 0, but got weight of size [", to_text(weight.sizes()), "] instead");
  const int64_t channels = s.transposed ? first : checked_multiply_add(second, s.groups, 0);
  PT_CHECK(input->sizes[1] == channels, "Given ", s.transposed ? "transposed=1" : "groups=",
           s.transposed ? std::string() : std::to_string(s.groups), ", weight of size ",
           to_text(weight.sizes()), ", expected input", to_text(input.sizes()), " to have ",
           channels, " channels, but got ", input->sizes[1], " channels instead");
  if (bias.defined()) {
    const int64_t outputs = s.transposed ? checked_multiply_add(second, s.groups, 0) : first;
    PT_CHECK(bias.dim() == 1 && bias->sizes[0] == outputs, "Given ",
             s.transposed ? "transposed=1, " : "", "weight of size ", to_text(weight.sizes()),
             ", expected bias to be 1-dimensional with ", outputs,
             " elements, but got bias of size ", to_text(bias.sizes()), " instead");
  }
  for (int64_t k : spatial(weight)) {
    PT_CHECK(k > 0, "kernel size should be greater than zero, but got weight of size ",
             to_text(weight.sizes()));
  }
}

Dims conv_output_size(const Tensor& input, const Tensor& weight, const ConvSettings& s) {
  const IntList in = spatial(input), kernel = spatial(weight);
  const int n = static_cast<int>(in.size());
  Dims out(n);
  std::vector<int64_t> padded, covered;
  bool fits = true;
  for (int d = 0; d < n; d++) {
    const auto i = static_cast<size_t>(d);
    const int64_t extent = checked_multiply_add(s.dilation[d], kernel[i] - 1, 1);
    if (s.transposed) {
      PT_CHECK(s.output_padding[d] < std::max(s.stride[d], s.dilation[d]),
               "output padding must be smaller than either stride or dilation, but got "
               "output_padding: ",
               to_text(s.output_padding), ", stride: ", to_text(s.stride),
               ", dilation: ", to_text(s.dilation));
      const int64_t reach = checked_multiply_add(in[i] - 1, s.stride[d], extent);
      const int64_t whole = checked_multiply_add(1, reach, s.output_padding[d]);
      out[d] = checked_multiply_add(-2, s.padding[d], whole);
      fits = fits && out[d] > 0;
    } else {
      padded.push_back(checked_multiply_add(2, s.padding[d], in[i]));
      covered.push_back(extent);
      out[d] = (padded.back() - extent) / s.stride[d] + 1;
      fits = fits && extent <= padded.back();
    }
  }
  if (s.transposed) {
    PT_CHECK(fits, "Given input size per channel: ", joined(as_vector(in)),
             ". Calculated output size per channel: ", joined(as_vector(out)),
             ". Output size is too small");
  } else {
    PT_CHECK(fits, "Calculated padded input size per channel: ", joined(padded),
             ". Kernel size: ", joined(covered),
             ". Kernel size can't be greater than actual input size");
  }
  PT_CHECK(std::all_of(in.begin(), in.end(), [](int64_t v) { return v > 0; }),
           "Only zero batch or zero channel inputs are supported, but got input shape: ",
           to_text(input.sizes()));
  return out;
}

ConvArgs conv_args(const char* op, IntList input, IntList weight, IntList output, IntList stride,
                   IntList padding, IntList dilation, int64_t groups) {
  const size_t n = stride.size();
  PT_CHECK(n >= 1 && n <= kMostSpatial, op, "(): expected 1 to 3 spatial dimensions, got ",
           static_cast<int64_t>(n));
  PT_CHECK(padding.size() == n && dilation.size() == n && input.size() == n + 2 &&
               weight.size() == n + 2 && output.size() == n + 2,
           op, "(): stride, padding, dilation and all sizes must have ", static_cast<int64_t>(n),
           " spatial dimensions");
  PT_CHECK(groups > 0, op, "(): groups must be positive, got ", groups);
  ConvArgs a;
  a.batch = input[0];
  a.groups = groups;
  a.in_channels = input[1] / groups;
  a.out_channels = output[1] / groups;
  PT_CHECK(input[0] == output[0] && input[1] == a.in_channels * groups &&
               output[1] == a.out_channels * groups && weight[0] == output[1] &&
               weight[1] == a.in_channels,
           op, "(): sizes ", to_text(input), ", ", to_text(weight), " and ", to_text(output),
           " of input, weight and output do not fit ", groups, " groups");
  constexpr int64_t kMost = int64_t{1} << 60;
  for (size_t i = 0; i < n; i++) {
    const size_t d = 3 - n + i;
    a.in[d] = input[i + 2];
    a.kernel[d] = weight[i + 2];
    a.out[d] = output[i + 2];
    a.padding[d] = padding[i];
    PT_CHECK(stride[i] > 0 && dilation[i] > 0 && padding[i] >= 0 && a.in[d] >= 0 &&
                 a.kernel[d] >= 0 && a.out[d] >= 0,
             op, "(): stride and dilation must be positive, padding and sizes not negative");
    // A step that is never taken may have any size; no position that is computed overflows.
    a.stride[d] = a.out[d] <= 1 ? 1 : stride[i];
    a.dilation[d] = a.kernel[d] <= 1 ? 1 : dilation[i];
    const int64_t reach = checked_multiply_add(
        a.stride[d], std::max<int64_t>(a.out[d] - 1, 0),
        checked_multiply_add(a.dilation[d], std::max<int64_t>(a.kernel[d] - 1, 0), 0));
    PT_CHECK(reach < kMost && a.padding[d] < kMost && a.in[d] < kMost, op,
             "(): the sizes overflow 64 bits");
  }
  return a;
}

}  // namespace pt
