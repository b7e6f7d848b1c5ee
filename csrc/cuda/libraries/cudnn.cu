// cuDNN's functions, looked up once.
#include "cuda/libraries/cudnn.h"

#include <string>

#include "cuda/libraries/loader.h"

namespace pt::cuda::dnn {

namespace {

bool find_way(const Library& l, Way& way, const char* name) {
  const std::string end = name;
  return l.find(way.algorithms, ("cudnnGetConvolution" + end + "Algorithm_v7").c_str()) &&
         l.find(way.measure, ("cudnnFindConvolution" + end + "AlgorithmEx").c_str()) &&
         l.find(way.workspace, ("cudnnGetConvolution" + end + "WorkspaceSize").c_str()) &&
         l.find(way.run, ("cudnnConvolution" + end).c_str());
}

bool find_all(const Library& l, Functions& f) {
  return l.find(f.create, "cudnnCreate") && l.find(f.set_stream, "cudnnSetStream") &&
         l.find(f.error_string, "cudnnGetErrorString") &&
         l.find(f.tensor_create, "cudnnCreateTensorDescriptor") &&
         l.find(f.tensor_set, "cudnnSetTensorNdDescriptor") &&
         l.find(f.tensor_destroy, "cudnnDestroyTensorDescriptor") &&
         l.find(f.filter_create, "cudnnCreateFilterDescriptor") &&
         l.find(f.filter_set, "cudnnSetFilterNdDescriptor") &&
         l.find(f.filter_destroy, "cudnnDestroyFilterDescriptor") &&
         l.find(f.convolution_create, "cudnnCreateConvolutionDescriptor") &&
         l.find(f.convolution_set, "cudnnSetConvolutionNdDescriptor") &&
         l.find(f.convolution_math, "cudnnSetConvolutionMathType") &&
         l.find(f.convolution_groups, "cudnnSetConvolutionGroupCount") &&
         l.find(f.convolution_destroy, "cudnnDestroyConvolutionDescriptor") &&
         l.find(f.add_tensor, "cudnnAddTensor") && find_way(l, f.ways[0], "Forward") &&
         find_way(l, f.ways[1], "BackwardData") && find_way(l, f.ways[2], "BackwardFilter");
}

}  // namespace

const Functions* functions() {
  static const Functions* all = []() -> const Functions* {
    static Functions f;
    return find_all(cudnn_library(), f) ? &f : nullptr;
  }();
  return all;
}

}  // namespace pt::cuda::dnn
