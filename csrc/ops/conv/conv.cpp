// The public convolutions: arguments are checked and sizes worked out here; products.cpp computes.
#include "ops/conv/conv.h"

#include "op/define.h"
#include "ops/conv/geometry.h"
#include "ops/index/selection.h"
#include "ops/memory/memory.h"
#include "ops/shape/shape.h"
#include "ops/view/view.h"

namespace pt {

namespace {

// PyTorch has only the plain convolution for all integers.
void check_integers(DType t, const ConvSettings& s) {
  if (is_floating(t) || t == DType::kInt64) return;
  bool plain = !s.transposed;
  for (int64_t d : s.dilation) plain = plain && d == 1;
  PT_CHECK_KIND(ErrorKind::kNotImplemented, plain, "\"", s.transposed ? "transposed" : "dilated",
                " convolution\" not implemented for '", scalar_type_name(t), "'");
}

Tensor convolve(const Tensor& input, const Tensor& weight, const Tensor& bias,
                const ConvSettings& s) {
  check_conv_tensors(input, weight, bias, s);
  check_integers(input.dtype(), s);
  const Dims out = conv_output_size(input, weight, s);
  if (s.transposed) {
    return conv_input_gradient(input, weight, bias, IntList(s.stride), IntList(s.padding),
                               IntList(s.dilation), IntList(out), s.groups);
  }
  return conv_forward(input, weight, bias, IntList(s.stride), IntList(s.padding),
                      IntList(s.dilation), IntList(out), s.groups);
}

int spatial_dims(const Tensor& weight) {
  PT_CHECK(weight.dim() >= 3, "weight should have at least three dimensions");
  PT_CHECK(weight.dim() <= 2 + kMostSpatial, "weight should have at most ", 2 + kMostSpatial,
           " dimensions, but got weight of size ", to_text(weight.sizes()));
  return weight.dim() - 2;
}

// Calls f(batch) with the input as a batch; takes the batch dimension away again.
template <class F>
Tensor batched(const char* op, int n, const Tensor& input, F f) {
  PT_CHECK(input.dim() == n + 1 || input.dim() == n + 2, "Expected ", n + 1, "D (unbatched) or ",
           n + 2, "D (batched) input to ", op, ", but got input of size: ", to_text(input.sizes()));
  if (input.dim() == n + 2) return f(input);
  return squeeze_dim(f(unsqueeze(input, 0)), 0);
}

struct Strides {
  IntList stride, padding, dilation;
};

Tensor conv_n(const char* op, int n, const Tensor& input, const Tensor& weight, const Tensor& bias,
              const Strides& by, int64_t groups) {
  const int64_t zero[] = {0};
  return batched(op, n, input, [&](const Tensor& x) {
    const ConvSettings s = conv_settings(spatial_dims(weight), by.stride, by.padding, by.dilation,
                                         zero, groups, false);
    return convolve(x, weight, bias, s);
  });
}

Tensor conv_transpose_n(const char* op, int n, const Tensor& input, const Tensor& weight,
                        const Tensor& bias, const Strides& by, IntList output_padding,
                        int64_t groups) {
  return batched(op, n, input, [&](const Tensor& x) {
    const ConvSettings s = conv_settings(spatial_dims(weight), by.stride, by.padding, by.dilation,
                                         output_padding, groups, true);
    return convolve(x, weight, bias, s);
  });
}

// padding='same': as many zeros as keep the size; an odd one goes to the end.
Tensor conv_n(const char* op, int n, const Tensor& input, const Tensor& weight, const Tensor& bias,
              IntList stride, std::string_view padding, IntList dilation, int64_t groups) {
  const int64_t zero[] = {0};
  if (padding == "valid")
    return conv_n(op, n, input, weight, bias, {stride, zero, dilation}, groups);
  PT_CHECK(padding == "same", "Invalid padding string: '", padding, "'");
  return batched(op, n, input, [&](const Tensor& x) {
    ConvSettings s =
        conv_settings(spatial_dims(weight), stride, zero, dilation, zero, groups, false);
    for (int64_t step : s.stride) {
      PT_CHECK(step == 1, "padding='same' is not supported for strided convolutions");
    }
    check_conv_tensors(x, weight, bias, s);
    check_integers(x.dtype(), s);
    for (int d = 0; d < s.padding.size(); d++) {
      int64_t total;
      PT_CHECK(!__builtin_mul_overflow(s.dilation[d], weight->sizes[d + 2] - 1, &total), op,
               "(): the sizes overflow 64 bits");
      PT_CHECK(x->sizes[d + 2] > 0,
               "Only zero batch or zero channel inputs are supported, but got input shape: ",
               to_text(x.sizes()));
      s.padding[d] = total / 2;
    }
    return conv_forward(x, weight, bias, IntList(s.stride), IntList(s.padding), IntList(s.dilation),
                        spatial(x), s.groups);
  });
}

}  // namespace

PT_OP(convolution)
    .composite([](const Tensor& input, const Tensor& weight, const Tensor& bias, IntList stride,
                  IntList padding, IntList dilation, bool transposed, IntList output_padding,
                  int64_t groups) {
      const int n = spatial_dims(weight);
      return convolve(
          input, weight, bias,
          conv_settings(n, stride, padding, dilation, output_padding, groups, transposed));
    })
    .function_only()
    .doc(
        "A convolution or transposed convolution of a batch; conv1d() to conv_transpose3d() are "
        "special cases.\n\n"
        "Args:\n    input: (batch, channels, spatial...)\n"
        "    weight: (out, in / groups, spatial...), or (in, out / groups, ...) if transposed\n"
        "    bias: a number for each channel of the result, or None\n"
        "    stride, padding, dilation, output_padding: a number for each spatial dimension\n"
        "    transposed (bool): whether input and result change places\n"
        "    groups (int): groups of channels that do not see each other")
    .sample("R(2, 3, 6, 5), R(4, 3, 3, 2), R(4), [2, 1], [1, 0], [1, 2], False, [0, 0], 1")
    .sample("R(2, 4, 3, 5), R(4, 3, 3, 2), None, [2, 3], [1], [1], True, [1, 0], 2");

#define PT_CONV_DOC(n, spatial_text, example)                                                   \
  "Slides kernels over images of " n                                                            \
  " spatial dimension(s): a weighted sum of the channels "                                      \
  "under the kernel at each place, plus the bias.\n\n"                                          \
  "Args:\n    input: (batch, in, " spatial_text                                                 \
  ") or without batch\n"                                                                        \
  "    weight: (out, in / groups, kernel sizes)\n    bias: (out,) or None\n"                    \
  "    stride, padding, dilation: one int or a tuple: step of the kernel, zeros added on both " \
  "sides (or 'valid', 'same'), spacing of the kernel's elements\n"                              \
  "    groups (int): groups of channels that do not see each other\n\n"                         \
  "Raises:\n    RuntimeError: when sizes do not fit.\n\n"                                       \
  "Example:\n    " example

PT_OP(conv1d)
    .composite([](const Tensor& input, const Tensor& weight, const Tensor& bias, IntList stride,
                  IntList padding, IntList dilation, int64_t groups) {
      return conv_n("conv1d", 1, input, weight, bias, {stride, padding, dilation}, groups);
    })
    .function_only()
    .doc(PT_CONV_DOC("one", "length",
                     ">>> torch.conv1d(torch.ones(1, 1, 4), torch.ones(1, 1, 2))\n"
                     "    tensor([[[2., 2., 2.]]])"))
    .sample("R(2, 3, 7), R(4, 3, 3)")
    .sample("R(2, 4, 9), R(6, 2, 3), R(6), stride=2, padding=1, dilation=2, groups=2")
    .sample("R(1, 7), R(4, 1, 2), R(4)");

PT_OP(conv1d_padding)
    .composite([](const Tensor& input, const Tensor& weight, const Tensor& bias, IntList stride,
                  std::string_view padding, IntList dilation, int64_t groups) {
      return conv_n("conv1d", 1, input, weight, bias, stride, padding, dilation, groups);
    })
    .function_only()
    .sample("R(2, 3, 7), R(4, 3, 4), R(4), padding='same'")
    .sample("R(2, 3, 7), R(4, 3, 3), padding='valid', stride=2");

PT_OP(conv2d)
    .composite([](const Tensor& input, const Tensor& weight, const Tensor& bias, IntList stride,
                  IntList padding, IntList dilation, int64_t groups) {
      return conv_n("conv2d", 2, input, weight, bias, {stride, padding, dilation}, groups);
    })
    .function_only()
    .doc(PT_CONV_DOC("two", "height, width",
                     ">>> torch.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 2, 2))\n"
                     "    tensor([[[[4., 4.],\n              [4., 4.]]]])"))
    .sample("R(2, 3, 6, 5), R(4, 3, 3, 3), R(4)")
    .sample(
        "R(2, 4, 7, 9), R(6, 2, 3, 2), R(6), stride=(2, 1), padding=(1, 2), dilation=(1, 3), "
        "groups=2")
    .sample("R(2, 4, 6, 7), R(8, 1, 3, 3), R(8), padding=1, groups=4")
    .sample("R(2, 4, 6, 7), R(4, 1, 3, 3), stride=2, padding=1, groups=4")
    .sample("R(2, 5, 4, 3), R(4, 5, 1, 1), R(4)")
    .sample("R(2, 3, 9, 10), R(2, 3, 2, 3), stride=3")
    .sample("R(2, 3, 6, 9), R(2, 3, 3, 3), padding=1")
    .sample("R(1, 5, 6), R(4, 1, 2, 2), R(4)");

PT_OP(conv2d_padding)
    .composite([](const Tensor& input, const Tensor& weight, const Tensor& bias, IntList stride,
                  std::string_view padding, IntList dilation, int64_t groups) {
      return conv_n("conv2d", 2, input, weight, bias, stride, padding, dilation, groups);
    })
    .function_only()
    .sample("R(2, 3, 6, 5), R(4, 3, 2, 3), R(4), padding='same', dilation=(1, 2)")
    .sample("R(2, 3, 6, 5), R(4, 3, 2, 3), padding='valid'");

PT_OP(conv3d)
    .composite([](const Tensor& input, const Tensor& weight, const Tensor& bias, IntList stride,
                  IntList padding, IntList dilation, int64_t groups) {
      return conv_n("conv3d", 3, input, weight, bias, {stride, padding, dilation}, groups);
    })
    .function_only()
    .doc(PT_CONV_DOC("three", "depth, height, width",
                     ">>> torch.conv3d(torch.ones(1, 1, 2, 2, 2), torch.ones(1, 1, 2, 2, 2))\n"
                     "    tensor([[[[[8.]]]]])"))
    .sample("R(2, 3, 4, 5, 3), R(4, 3, 2, 3, 2), R(4)")
    .sample("R(1, 4, 5, 4, 6), R(2, 2, 3, 2, 2), stride=(2, 1, 2), padding=(1, 0, 1), groups=2")
    .sample("R(3, 4, 5, 3), R(2, 3, 2, 2, 2)");

PT_OP(conv3d_padding)
    .composite([](const Tensor& input, const Tensor& weight, const Tensor& bias, IntList stride,
                  std::string_view padding, IntList dilation, int64_t groups) {
      return conv_n("conv3d", 3, input, weight, bias, stride, padding, dilation, groups);
    })
    .function_only()
    .sample("R(2, 3, 4, 5, 3), R(4, 3, 2, 3, 2), R(4), padding='same'");

#define PT_CONV_TRANSPOSE_DOC(n)                                                               \
  "The transposed convolution of images of " n                                                 \
  " spatial dimension(s): each input pixel adds "                                              \
  "the kernel, scaled by it, to the result. It is the gradient of the convolution by its "     \
  "input.\n\n"                                                                                 \
  "Args:\n    input: (batch, in, spatial...) or without batch\n"                               \
  "    weight: (in, out / groups, kernel sizes)\n    bias: (out,) or None\n"                   \
  "    stride, padding, output_padding, dilation: one int or a tuple: step between places of " \
  "the kernel, rows cut off on both sides, rows added at the end, spacing of its elements\n"   \
  "    groups (int): groups of channels that do not see each other\n\n"                        \
  "Raises:\n    RuntimeError: when sizes do not fit."

PT_OP(conv_transpose1d)
    .composite([](const Tensor& input, const Tensor& weight, const Tensor& bias, IntList stride,
                  IntList padding, IntList output_padding, int64_t groups, IntList dilation) {
      return conv_transpose_n("conv_transpose1d", 1, input, weight, bias,
                              {stride, padding, dilation}, output_padding, groups);
    })
    .function_only()
    .doc(PT_CONV_TRANSPOSE_DOC("one"))
    .sample("R(2, 3, 5), R(3, 4, 3), R(4)")
    .sample(
        "R(2, 4, 5), R(4, 3, 3), R(6), stride=3, padding=1, output_padding=2, groups=2, "
        "dilation=2")
    .sample("R(3, 5), R(3, 4, 2)");

PT_OP(conv_transpose2d)
    .composite([](const Tensor& input, const Tensor& weight, const Tensor& bias, IntList stride,
                  IntList padding, IntList output_padding, int64_t groups, IntList dilation) {
      return conv_transpose_n("conv_transpose2d", 2, input, weight, bias,
                              {stride, padding, dilation}, output_padding, groups);
    })
    .function_only()
    .doc(PT_CONV_TRANSPOSE_DOC("two"))
    .sample("R(2, 3, 4, 5), R(3, 4, 3, 3), R(4)")
    .sample("R(2, 4, 3, 5), R(4, 3, 4, 4), R(6), stride=2, padding=1, groups=2")
    .sample(
        "R(2, 4, 3, 5), R(4, 2, 2, 3), stride=(3, 2), padding=(0, 1), output_padding=(2, 1), "
        "dilation=(2, 3)")
    .sample("R(2, 4, 3, 5), R(4, 1, 3, 3), R(4), stride=2, padding=1, output_padding=1, groups=4")
    .sample("R(3, 4, 5), R(3, 4, 2, 2), R(4)");

PT_OP(conv_transpose3d)
    .composite([](const Tensor& input, const Tensor& weight, const Tensor& bias, IntList stride,
                  IntList padding, IntList output_padding, int64_t groups, IntList dilation) {
      return conv_transpose_n("conv_transpose3d", 3, input, weight, bias,
                              {stride, padding, dilation}, output_padding, groups);
    })
    .function_only()
    .doc(PT_CONV_TRANSPOSE_DOC("three"))
    .sample("R(2, 3, 2, 3, 4), R(3, 4, 2, 3, 2), R(4)")
    .sample("R(1, 4, 2, 3, 2), R(4, 1, 3, 2, 2), stride=(2, 1, 2), padding=(1, 0, 0), groups=2");

PT_OP(conv_tbc)
    .composite([](const Tensor& self, const Tensor& weight, const Tensor& bias, int64_t pad) {
      PT_CHECK(self.dim() == 3, "Input must have 3 dims: time, batch, in_channel");
      PT_CHECK(weight.dim() == 3,
               "Weight tensor must have 3 dims: kernel_width, in_channels, out_channels.");
      PT_CHECK(bias.dim() == 1, "Bias must be 1-D");
      PT_CHECK(self->sizes[2] == weight->sizes[1],
               "Input dim 2 (input channels) is not == dim 1 in the weight tensor");
      PT_CHECK(bias->sizes[0] == weight->sizes[2],
               "Bias size must equal dim 2 in the weight tensor (output channels).");
      const int64_t order[] = {1, 2, 0}, back[] = {2, 0, 1}, turned[] = {2, 1, 0};
      const int64_t one[] = {1}, pads[] = {pad};
      return contiguous(permute(
          conv1d(permute(self, order), permute(weight, turned), bias, IntList(one), IntList(pads)),
          back));
    })
    .doc(
        "A one-dimensional convolution of a tensor (time, batch, channels).\n\n"
        "Args:\n    weight: (kernel width, in, out)\n    bias: (out,)\n"
        "    pad (int): zeros added on both sides of the time")
    .sample("R(5, 2, 3), R(2, 3, 4), R(4)")
    .test("contiguous");

}  // namespace pt
