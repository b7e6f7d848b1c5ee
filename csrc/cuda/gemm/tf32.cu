// Products of float32 rounded to tf32 on tensor cores.
#include "cuda/gemm/tensor_core.h"

namespace pt::cuda {

template void tensor_core_gemm<float>(const GemmArgs& g);

}  // namespace pt::cuda
