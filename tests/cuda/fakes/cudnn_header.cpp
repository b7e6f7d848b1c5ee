// What csrc/cuda/libraries/cudnn.h declares, beside NVIDIA's headers: test_cudnn_header.py
// compiles it where they are installed. Nothing of it runs.
#include <cudnn_cnn.h>

#include <cstddef>
#include <type_traits>

#include "cuda/libraries/cudnn.h"

namespace {

using namespace pt::cuda;

// Whether arguments are passed alike: handles, descriptors and arrays as pointers, numbers and
// enumerations as integers of one size. What a pointer points to is compared where it is a number.
template <class T>
constexpr bool kInteger = std::is_integral_v<T> || std::is_enum_v<T>;
template <class A, class B>
constexpr bool alike() {
  if constexpr (std::is_pointer_v<A> && std::is_pointer_v<B>) {
    using To = std::remove_cv_t<std::remove_pointer_t<A>>;
    using Own = std::remove_cv_t<std::remove_pointer_t<B>>;
    if constexpr (std::is_void_v<Own>)
      return true;
    else if constexpr (std::is_class_v<Own>)
      return sizeof(To) == sizeof(Own);
    else
      return alike<To, Own>();
  } else {
    return kInteger<A> && kInteger<B> && sizeof(A) == sizeof(B);
  }
}
template <class R, class... A, class S, class... B>
constexpr bool same(R (*)(A...), S (*)(B...)) {
  if constexpr (sizeof...(A) == sizeof...(B)) return alike<R, S>() && (alike<A, B>() && ...);
  return false;
}

#define SAME(real, own) static_assert(same(&real, decltype(own){}), #real)

using F = dnn::Functions;
SAME(cudnnCreate, F::create);
SAME(cudnnSetStream, F::set_stream);
SAME(cudnnGetErrorString, F::error_string);
SAME(cudnnCreateTensorDescriptor, F::tensor_create);
SAME(cudnnSetTensorNdDescriptor, F::tensor_set);
SAME(cudnnDestroyTensorDescriptor, F::tensor_destroy);
SAME(cudnnCreateFilterDescriptor, F::filter_create);
SAME(cudnnSetFilterNdDescriptor, F::filter_set);
SAME(cudnnDestroyFilterDescriptor, F::filter_destroy);
SAME(cudnnCreateConvolutionDescriptor, F::convolution_create);
SAME(cudnnSetConvolutionNdDescriptor, F::convolution_set);
SAME(cudnnSetConvolutionMathType, F::convolution_math);
SAME(cudnnSetConvolutionGroupCount, F::convolution_groups);
SAME(cudnnDestroyConvolutionDescriptor, F::convolution_destroy);
SAME(cudnnAddTensor, F::add_tensor);

#define SAME_WAY(way)                                                 \
  SAME(cudnnGetConvolution##way##Algorithm_v7, dnn::Way::algorithms); \
  SAME(cudnnFindConvolution##way##AlgorithmEx, dnn::Way::measure);    \
  SAME(cudnnGetConvolution##way##WorkspaceSize, dnn::Way::workspace); \
  SAME(cudnnConvolution##way, dnn::Way::run)
SAME_WAY(Forward);
SAME_WAY(BackwardData);
SAME_WAY(BackwardFilter);

template <class Real>
constexpr bool same_performance() {
  using Own = dnn::Performance;
  return sizeof(Real) == sizeof(Own) && offsetof(Real, algo) == offsetof(Own, algorithm) &&
         offsetof(Real, status) == offsetof(Own, status) &&
         offsetof(Real, time) == offsetof(Own, time) &&
         offsetof(Real, memory) == offsetof(Own, memory) &&
         offsetof(Real, determinism) == offsetof(Own, determinism) &&
         offsetof(Real, mathType) == offsetof(Own, math);
}
static_assert(same_performance<cudnnConvolutionFwdAlgoPerf_t>());
static_assert(same_performance<cudnnConvolutionBwdDataAlgoPerf_t>());
static_assert(same_performance<cudnnConvolutionBwdFilterAlgoPerf_t>());

static_assert(int{CUDNN_DATA_FLOAT} == dnn::kFloat && int{CUDNN_DATA_DOUBLE} == dnn::kDouble);
static_assert(int{CUDNN_DATA_HALF} == dnn::kHalf && int{CUDNN_DATA_BFLOAT16} == dnn::kBFloat16);
static_assert(int{CUDNN_DEFAULT_MATH} == dnn::kDefaultMath);
static_assert(int{CUDNN_TENSOR_OP_MATH} == dnn::kTensorOpMath);
static_assert(int{CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION} == dnn::kConversionMath);
static_assert(int{CUDNN_FMA_MATH} == dnn::kFmaMath);
static_assert(int{CUDNN_TENSOR_NCHW} == dnn::kNchw);
static_assert(int{CUDNN_CROSS_CORRELATION} == dnn::kCrossCorrelation);
static_assert(int{CUDNN_DETERMINISTIC} == dnn::kDeterministic);
static_assert(int{CUDNN_STATUS_SUCCESS} == 0);
static_assert(int{CUDNN_STATUS_EXECUTION_FAILED} == dnn::kExecutionFailed);
static_assert(CUDNN_MAJOR == 9);

}  // namespace
