// Convolutions of float32 rounded to tf32 on tensor cores.
#include "cuda/conv/tensor_core.h"

namespace pt::cuda {

template void tensor_core_product<float>(const Product& p, int64_t longest);

}  // namespace pt::cuda
