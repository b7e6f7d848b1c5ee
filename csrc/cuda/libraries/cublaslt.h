// The functions of cuBLASLt that gemm.cu's products use, as its documentation describes them
// ("cuBLASLt API", docs.nvidia.com/cuda/cublas). Names in its style keep the correspondence plain.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pt::cuda::lt {

using Status = int;  // 0: success
using Handle = void*;
using MatmulDesc = void*;
using Layout = void*;
using Preference = void*;
struct Algorithm {
  uint64_t data[8];
};
struct Heuristic {
  Algorithm algorithm;
  size_t workspace;
  Status state;
  float waves;
  int reserved[4];
};

enum DataType : int { kReal32 = 0, kReal64 = 1, kReal16 = 2, kBrain16 = 14 };
enum ComputeType : int { kCompute32 = 68, kCompute64 = 70, kCompute32FastTf32 = 77 };
enum LayoutAttribute : int { kBatchCount = 5, kBatchOffset = 6 };
enum MatmulAttribute : int { kTransA = 3, kTransB = 4, kEpilogue = 7, kBiasPointer = 8 };
enum EpilogueKind : uint32_t { kEpilogueBias = 4 };
enum PreferenceAttribute : int {
  kMaxWorkspace = 1,
  kMinAlignmentA = 5,
  kMinAlignmentB = 6,
  kMinAlignmentC = 7,
  kMinAlignmentD = 8
};

struct Functions {
  Status (*create)(Handle*);
  Status (*layout_create)(Layout*, int type, uint64_t rows, uint64_t columns, int64_t ld);
  Status (*layout_destroy)(Layout);
  Status (*layout_set)(Layout, int attribute, const void* value, size_t bytes);
  Status (*desc_create)(MatmulDesc*, int compute_type, int scale_type);
  Status (*desc_destroy)(MatmulDesc);
  Status (*desc_set)(MatmulDesc, int attribute, const void* value, size_t bytes);
  Status (*preference_create)(Preference*);
  Status (*preference_destroy)(Preference);
  Status (*preference_set)(Preference, int attribute, const void* value, size_t bytes);
  Status (*heuristic)(Handle, MatmulDesc, Layout a, Layout b, Layout c, Layout d, Preference,
                      int wanted, Heuristic* results, int* found);
  Status (*matmul)(Handle, MatmulDesc, const void* alpha, const void* a, Layout, const void* b,
                   Layout, const void* beta, const void* c, Layout, void* d, Layout,
                   const Algorithm*, void* workspace, size_t workspace_bytes, void* stream);
};

}  // namespace pt::cuda::lt
