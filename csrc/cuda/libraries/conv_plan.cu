// How convolutions are described to cuDNN, and which of its algorithms are taken: deterministic
// ones alone, as two runs give the same bits here, in the order of the library's own guesses or,
// where that is wished for, of its measurements.
#include "cuda/libraries/conv_plan.h"

#include <algorithm>

#include "cuda/runtime/runtime.h"

namespace pt::cuda::dnn {

namespace {

constexpr size_t kMostWorkspace = size_t{256} << 20;
constexpr int kMostAlgorithms = 16;
constexpr int64_t kMostElements = INT32_MAX;

struct Numbers {
  int type, math;
};
std::optional<Numbers> numbers_of(DType dtype, bool tf32) {
  switch (dtype) {
    case DType::kFloat32:
      return Numbers{kFloat, tf32 ? kDefaultMath : kFmaMath};
    case DType::kFloat64:
      return Numbers{kDouble, kDefaultMath};
    case DType::kFloat16:
      return Numbers{kHalf, kTensorOpMath};
    case DType::kBFloat16:
      return Numbers{kBFloat16, kTensorOpMath};
    default:
      return std::nullopt;
  }
}

bool is_plain(const ConvArgs& a) {
  bool plain = !a.scale && !a.residual && a.least == -__builtin_inf() && a.most == __builtin_inf();
  for (const void* p : {static_cast<const void*>(a.input), static_cast<const void*>(a.weight),
                        static_cast<const void*>(a.output), a.bias})
    plain = plain && aligned(p, 16);
  return plain;
}

// A stride by which the output has its size, 0 if there is none. The arguments' own is 1 where no
// step is taken.
int64_t stride_of(const ConvArgs& a, int d) {
  const int64_t room = a.in[d] + 2 * a.padding[d] - a.dilation[d] * (a.kernel[d] - 1) - 1;
  if (room < 0) return 0;
  if (a.out[d] == 1) return room + 1;
  return room / a.stride[d] + 1 == a.out[d] ? a.stride[d] : 0;
}

// False if there are too many elements.
bool set_sizes(int* to, int64_t first, int64_t second, const int64_t* places, int dims) {
  double elements = static_cast<double>(first) * static_cast<double>(second);
  for (int d = 0; d < dims; ++d) elements *= static_cast<double>(places[d]);
  if (elements > static_cast<double>(kMostElements)) return false;
  *to++ = static_cast<int>(first);
  *to++ = static_cast<int>(second);
  for (int d = 0; d < dims; ++d) *to++ = static_cast<int>(places[d]);
  return true;
}

}  // namespace

std::optional<Key> key_of(ConvWork work, DType dtype, const ConvArgs& a) {
  const std::optional<Numbers> numbers = numbers_of(dtype, a.tf32);
  if (!numbers || !is_plain(a)) return std::nullopt;
  Key k{};
  k.device = current_device();
  k.way = static_cast<int>(work);
  k.type = numbers->type;
  k.math = numbers->math;
  k.timed = a.timed;
  k.bias = a.bias != nullptr;
  const bool flat = a.in[0] == 1 && a.kernel[0] == 1 && a.out[0] == 1 && a.padding[0] == 0;
  const int skipped = flat ? 1 : 0;
  k.dims = 3 - skipped;
  const bool fit =
      set_sizes(k.sizes[kImage], a.batch, a.groups * a.in_channels, a.in + skipped, k.dims) &&
      set_sizes(k.sizes[kFilter], a.groups * a.out_channels, a.in_channels, a.kernel + skipped,
                k.dims) &&
      set_sizes(k.sizes[kOutput], a.batch, a.groups * a.out_channels, a.out + skipped, k.dims);
  if (!fit || a.groups > kMostElements) return std::nullopt;
  k.groups = static_cast<int>(a.groups);
  for (int d = 0; d < k.dims; ++d) {
    const int64_t padding = a.padding[d + skipped], dilation = a.dilation[d + skipped],
                  stride = stride_of(a, d + skipped);
    if (stride == 0 || std::max({padding, stride, dilation}) > kMostElements) return std::nullopt;
    k.padding[d] = static_cast<int>(padding);
    k.stride[d] = static_cast<int>(stride);
    k.dilation[d] = static_cast<int>(dilation);
  }
  return k;
}

Plan::Plan(const Functions& f, const Key& k) : f_(f), key_(k) { possible_ = describe(); }

Plan::~Plan() {
  for (Tensor t : {tensors_[kImage], tensors_[kOutput], bias_})
    if (t) f_.tensor_destroy(t);
  if (tensors_[kFilter]) f_.filter_destroy(tensors_[kFilter]);
  if (convolution_) f_.convolution_destroy(convolution_);
}

bool Plan::describe() {
  const int dims = key_.dims + 2;
  const auto tensor = [&](Tensor* made, const int* sizes) {
    int strides[5];
    for (int d = dims - 1, step = 1; d >= 0; step *= sizes[d--]) strides[d] = step;
    return f_.tensor_create(made) == 0 &&
           f_.tensor_set(*made, key_.type, dims, sizes, strides) == 0;
  };
  const int result = kOperands[key_.way][2];
  const int channels[5] = {1, key_.sizes[result][1], 1, 1, 1};
  const int compute = key_.type == kDouble ? kDouble : kFloat;
  return tensor(&tensors_[kImage], key_.sizes[kImage]) &&
         tensor(&tensors_[kOutput], key_.sizes[kOutput]) &&
         (!key_.bias || tensor(&bias_, channels)) && f_.filter_create(&tensors_[kFilter]) == 0 &&
         f_.filter_set(tensors_[kFilter], key_.type, kNchw, dims, key_.sizes[kFilter]) == 0 &&
         f_.convolution_create(&convolution_) == 0 &&
         f_.convolution_set(convolution_, key_.dims, key_.padding, key_.stride, key_.dilation,
                            kCrossCorrelation, compute) == 0 &&
         f_.convolution_groups(convolution_, key_.groups) == 0 &&
         f_.convolution_math(convolution_, key_.math) == 0;
}

// Whether the algorithm is fit; then it is the plan's.
bool Plan::take(Handle handle, const Performance& p) {
  // Half types instead of float are never wished for, tf32 only where it is allowed.
  if (p.status != 0 || p.determinism != kDeterministic || p.math == kConversionMath ||
      (key_.math == kFmaMath && p.math == kTensorOpMath))
    return false;
  const Way& way = f_.ways[key_.way];
  const Role* role = kOperands[key_.way];
  algorithm_ = p.algorithm;
  return f_.convolution_math(convolution_, key_.math == kFmaMath ? kFmaMath : p.math) == 0 &&
         way.workspace(handle, tensors_[role[0]], tensors_[role[1]], convolution_,
                       tensors_[role[2]], algorithm_, &workspace_) == 0 &&
         workspace_ <= kMostWorkspace;
}

bool Plan::take_one_of(Handle handle, const Performance* all, int count) {
  return std::any_of(all, all + std::clamp(count, 0, kMostAlgorithms),
                     [&](const Performance& p) { return take(handle, p); });
}

void Plan::choose(Handle handle) {
  if (!possible()) return;
  const Role* role = kOperands[key_.way];
  Performance all[kMostAlgorithms] = {};
  int found = 0;
  const Status status =
      f_.ways[key_.way].algorithms(handle, tensors_[role[0]], tensors_[role[1]], convolution_,
                                   tensors_[role[2]], kMostAlgorithms, &found, all);
  possible_ = status == 0 && take_one_of(handle, all, found);
  for (const Performance& p : all)
    if (p.status == 0 && p.memory <= kMostWorkspace)
      most_workspace_ = std::max(most_workspace_, p.memory);
}

void Plan::measure(Handle handle, const Places& places, void* workspace, size_t bytes) {
  if (!possible()) return;
  const Role* role = kOperands[key_.way];
  Performance all[kMostAlgorithms] = {};
  int found = 0;
  const Status status = f_.ways[key_.way].measure(
      handle, tensors_[role[0]], places.role[role[0]], tensors_[role[1]], places.role[role[1]],
      convolution_, tensors_[role[2]], places.role[role[2]], kMostAlgorithms, &found, all,
      workspace, bytes);
  if (status == 0) possible_ = take_one_of(handle, all, found);
}

Status Plan::run(Handle handle, const Places& places, void* workspace) const {
  static constexpr float kOne = 1, kZero = 0;
  static constexpr double kOneDouble = 1, kZeroDouble = 0;
  const bool wide = key_.type == kDouble;
  const void* one = wide ? static_cast<const void*>(&kOneDouble) : &kOne;
  const void* zero = wide ? static_cast<const void*>(&kZeroDouble) : &kZero;
  const Role* role = kOperands[key_.way];
  Tensor result = tensors_[role[2]];
  void* to = places.role[role[2]];
  const Status status = f_.ways[key_.way].run(handle, one, tensors_[role[0]], places.role[role[0]],
                                              tensors_[role[1]], places.role[role[1]], convolution_,
                                              algorithm_, workspace, workspace_, zero, result, to);
  if (status != 0 || !places.bias) return status;
  return f_.add_tensor(handle, one, bias_, places.bias, one, result, to);
}

}  // namespace pt::cuda::dnn
