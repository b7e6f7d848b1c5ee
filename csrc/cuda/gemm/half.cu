// Products of float16 on tensor cores.
#include "cuda/gemm/tensor_core.h"

namespace pt::cuda {

template void tensor_core_gemm<Half>(const GemmArgs& g);

}  // namespace pt::cuda
