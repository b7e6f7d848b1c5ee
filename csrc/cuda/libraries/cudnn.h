// The functions of cuDNN 9 that conv.cu's convolutions use, as its documentation describes them
// ("cudnn_ops" and "cudnn_cnn", docs.nvidia.com/deeplearning/cudnn). Names in its style keep the
// correspondence plain. tests/cuda/test_cudnn_header.py compares the numbers and types with
// NVIDIA's headers, where they are installed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pt::cuda::dnn {

using Status = int;  // 0: success
using Handle = void*;
using Tensor = void*;  // descriptors: of a tensor or a filter, and of a convolution
using Convolution = void*;

enum DataType : int { kFloat = 0, kDouble = 1, kHalf = 2, kBFloat16 = 9 };
enum MathType : int { kDefaultMath = 0, kTensorOpMath = 1, kConversionMath = 2, kFmaMath = 3 };
enum TensorFormat : int { kNchw = 0 };
enum ConvolutionMode : int { kCrossCorrelation = 1 };
enum Determinism : int { kDeterministic = 1 };
// From here on nothing is known of the device any more: work may have failed there.
enum StatusRange : int { kExecutionFailed = 5000 };

// What is known of an algorithm; the same for all three ways.
struct Performance {
  int algorithm;
  Status status;
  float time;
  size_t memory;
  int determinism;
  int math;
  int reserved[3];
};

// A convolution, or the gradient of its input or of its weight: each makes a result of two
// operands, in this order.
//
//   way               first    second    result
//   Forward           image    filter    output
//   BackwardData      filter   output    image
//   BackwardFilter    image    output    filter
struct Way {
  Status (*algorithms)(Handle, Tensor first, Tensor second, Convolution, Tensor result, int wanted,
                       int* found, Performance*);
  Status (*measure)(Handle, Tensor first, const void*, Tensor second, const void*, Convolution,
                    Tensor result, void*, int wanted, int* found, Performance*, void* workspace,
                    size_t workspace_bytes);
  Status (*workspace)(Handle, Tensor first, Tensor second, Convolution, Tensor result,
                      int algorithm, size_t* bytes);
  Status (*run)(Handle, const void* alpha, Tensor first, const void*, Tensor second, const void*,
                Convolution, int algorithm, void* workspace, size_t workspace_bytes,
                const void* beta, Tensor result, void*);
};

struct Functions {
  Status (*create)(Handle*);
  Status (*set_stream)(Handle, void* stream);
  const char* (*error_string)(Status);
  Status (*tensor_create)(Tensor*);
  Status (*tensor_set)(Tensor, int type, int dims, const int* sizes, const int* strides);
  Status (*tensor_destroy)(Tensor);
  Status (*filter_create)(Tensor*);
  Status (*filter_set)(Tensor, int type, int format, int dims, const int* sizes);
  Status (*filter_destroy)(Tensor);
  Status (*convolution_create)(Convolution*);
  Status (*convolution_set)(Convolution, int dims, const int* padding, const int* stride,
                            const int* dilation, int mode, int compute_type);
  Status (*convolution_math)(Convolution, int math);
  Status (*convolution_groups)(Convolution, int groups);
  Status (*convolution_destroy)(Convolution);
  Status (*add_tensor)(Handle, const void* alpha, Tensor, const void* summand, const void* beta,
                       Tensor, void* sum);
  Way ways[3];
};

// Null where there is no cuDNN, or none with all of them.
const Functions* functions();

}  // namespace pt::cuda::dnn
