// What the files of the runtime share: the allocator's and the streams' sides of the table.
#pragma once

#include "core/device_api.h"
#include "cuda/pt_cuda.h"

namespace pt::cuda {

int current_device();
int status_of(cudaError_t e);  // notes a failure and gives it as a number

void* allocate(size_t bytes);
void release(void* p);
void record_stream(void* p, StreamHandle stream);
int memory(int index, DeviceMemory* out);
void reset_peak(int index);
void empty_cache();

StreamHandle stream_of(int index);
int set_stream(int index, StreamHandle s);

}  // namespace pt::cuda
