// "device_index_write" for the other files of this folder.
#pragma once

#include "cuda/args/index_args.h"

namespace pt::cuda {

template <class T>
void write_points(const DeviceIndexWrite& a);

}  // namespace pt::cuda
