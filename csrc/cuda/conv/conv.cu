// Convolutions and their gradients: conv_forward, conv_input_gradient and conv_weight_gradient of
// cpu/conv_args.h. Depthwise ones, and any whose sizes are too large for the product's indices, are
// done element by element.
#include "cuda/conv/direct.h"
#include "cuda/conv/product.h"

namespace pt::cuda {
namespace {

int64_t volume(const int64_t* size) { return size[0] * size[1] * size[2]; }

// Terms in a sum before it goes on in double.
constexpr int64_t kUnbounded = int64_t{1} << 40, kLongestSum = 8192;

Places places(const int64_t* box, int64_t image_step, int64_t result_step, const int64_t* step,
              int sign, const int64_t* shift) {
  Places p;
  p.size = Divider(volume(box));
  p.plane = Divider(box[1] * box[2]);
  p.row = Divider(box[2]);
  for (int d = 0; d < 3; ++d) {
    p.step[d] = step ? sign * static_cast<int>(step[d]) : 1;
    p.shift[d] = shift ? static_cast<int>(shift[d]) : 0;
  }
  p.image_step = image_step;
  p.result_step = result_step;
  return p;
}

// Whether all places are numbers of 31 bits, with room for sums of them.
bool small_sizes(const ConvArgs& a) {
  constexpr int64_t kMost = int64_t{1} << 28;
  const auto below = [](int64_t x, int64_t y) {
    return x < kMost && y < kMost && x * y < 4 * kMost;
  };
  for (int d = 0; d < 3; ++d) {
    const bool fits = a.in[d] < kMost && a.padding[d] < kMost &&
                      (a.kernel[d] - 1) * a.dilation[d] < kMost && a.dilation[d] < kMost &&
                      (a.out[d] - 1) * a.stride[d] < 2 * kMost && a.stride[d] < kMost;
    if (!fits) return false;
  }
  const auto small_box = [&](const int64_t* s) {
    return below(s[0], s[1]) && below(s[0] * s[1], s[2]);
  };
  if (!small_box(a.in) || !small_box(a.out) || !small_box(a.kernel)) return false;
  return a.groups < kMost && below(a.batch, volume(a.in)) && below(a.batch, volume(a.out)) &&
         below(a.in_channels, volume(a.kernel)) && below(a.out_channels, volume(a.kernel));
}

bool depthwise(const ConvArgs& a) {
  return a.in_channels == 1 && a.out_channels <= 4 && a.groups > 1;
}

template <class T>
bool packs(const void* p, int64_t a, int64_t b, int64_t c) {
  return aligned(p, sizeof(T) * 4) && a % 4 == 0 && b % 4 == 0 && c % 4 == 0;
}

void set_sizes(Product& p, const ConvArgs& a, int64_t m, int64_t n, int64_t k,
               const int64_t* size) {
  p.m = static_cast<unsigned>(m);
  p.n = static_cast<unsigned>(n);
  p.k = static_cast<unsigned>(k);
  p.groups = static_cast<int>(a.groups);
  p.bias = nullptr;
  p.dense = true;
  for (int d = 0; d < 3; ++d) {
    p.size[d] = static_cast<int>(size[d]);
    p.every[d] = Divider(1);
  }
}

void negate(const int64_t* from, int64_t* to) {
  for (int d = 0; d < 3; ++d) to[d] = -from[d];
}

template <class T>
void conv_forward(const ConvArgs& a) {
  const bool small = small_sizes(a);
  if (depthwise(a) || !small) return direct_forward<T>(a, small);
  const int64_t in = volume(a.in), out = volume(a.out), kernel = volume(a.kernel);
  const int64_t terms = a.in_channels * kernel;
  int64_t shift[3];
  negate(a.padding, shift);
  Product p{};
  set_sizes(p, a, a.out_channels, a.batch * out, terms, a.in);
  p.a = a.weight;
  p.image = a.input;
  p.c = a.output;
  p.bias = a.bias;
  p.a_row = terms;
  p.c_row = out;
  p.a_group = a.out_channels * terms;
  p.image_group = a.in_channels * in;
  p.c_group = a.out_channels * out;
  p.terms = places(a.kernel, in, kernel, a.dilation, 1, nullptr);
  p.columns = places(a.out, a.groups * p.image_group, a.groups * p.c_group, a.stride, 1, shift);
  p.a_packs = packs<T>(p.a, terms, 0, 0);
  p.c_packs = packs<T>(p.c, out, 0, 0);
  run_product<T>(p, kUnbounded);
}

template <class T>
void conv_input_gradient(const ConvArgs& a) {
  const bool small = small_sizes(a);
  if (depthwise(a) || !small) return direct_input_gradient<T>(a, small);
  const int64_t in = volume(a.in), out = volume(a.out), kernel = volume(a.kernel);
  Product p{};
  set_sizes(p, a, a.in_channels, a.batch * in, a.out_channels * kernel, a.out);
  p.a = a.weight;
  p.image = a.output;
  p.c = a.input;
  p.bias = a.bias;
  p.a_row = kernel;
  p.c_row = in;
  p.a_group = a.out_channels * a.in_channels * kernel;
  p.image_group = a.out_channels * out;
  p.c_group = a.in_channels * in;
  p.terms = places(a.kernel, out, a.in_channels * kernel, a.dilation, -1, nullptr);
  p.columns = places(a.in, a.groups * p.image_group, a.groups * p.c_group, nullptr, 1, a.padding);
  for (int d = 0; d < 3; ++d) {
    p.every[d] = Divider(a.stride[d]);
    p.dense = p.dense && a.stride[d] == 1;
  }
  p.a_packs = packs<T>(p.a, kernel, 0, 0);
  p.c_packs = packs<T>(p.c, in, 0, 0);
  run_product<T>(p, kUnbounded);
}

template <class T>
void conv_weight_gradient(const ConvArgs& a) {
  const bool small = small_sizes(a);
  if (depthwise(a) || !small) return direct_weight_gradient<T>(a, small);
  const int64_t in = volume(a.in), out = volume(a.out), kernel = volume(a.kernel);
  int64_t shift[3];
  negate(a.padding, shift);
  Product p{};
  set_sizes(p, a, a.out_channels, a.in_channels * kernel, a.batch * out, a.in);
  p.a = a.output;
  p.image = a.input;
  p.c = a.weight;
  p.a_row = out;
  p.c_row = a.in_channels * kernel;
  p.a_group = a.out_channels * out;
  p.image_group = a.in_channels * in;
  p.c_group = a.out_channels * p.c_row;
  p.terms = places(a.out, a.groups * p.image_group, a.groups * p.a_group, a.stride, 1, shift);
  p.columns = places(a.kernel, in, kernel, a.dilation, 1, nullptr);
  p.a_packs = packs<T>(p.a, out, 0, 0);
  p.c_packs = packs<T>(p.c, kernel, 0, 0);
  run_product<T>(p, kLongestSum);
}

template <class T>
void integer_forward(const ConvArgs& a) {
  direct_forward<T>(a, false);
}
template <class T>
void integer_input_gradient(const ConvArgs& a) {
  direct_input_gradient<T>(a, false);
}

// Half types are computed in float by the op.
#define PT_CONV_SLOTS(f, integers)                                               \
  nullptr, PT_INTEGER_SLOTS(integers), nullptr, nullptr, PT_DEVICE_FN(f<float>), \
      PT_DEVICE_FN(f<double>)
const KernelEntry kEntries[] = {
    {"conv_forward", {PT_CONV_SLOTS(conv_forward, integer_forward)}},
    {"conv_input_gradient", {PT_CONV_SLOTS(conv_input_gradient, integer_input_gradient)}},
    {"conv_weight_gradient",
     {PT_NO_INTEGER_SLOTS, nullptr, nullptr, PT_DEVICE_FN(conv_weight_gradient<float>),
      PT_DEVICE_FN(conv_weight_gradient<double>)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
