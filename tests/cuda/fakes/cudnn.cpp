// A cuDNN for tests: checks what it is told about tensors, filters, convolutions, workspaces and
// streams, and convolves on the host, where the emulator's memory is. Numbers of types, settings
// and statuses are those of cuDNN's documentation. test_cudnn.py builds it and reads the counters.
#include <algorithm>
#include <initializer_list>
#include <iterator>

#include "convolve.h"
#include "fake.h"

namespace {

constexpr int kBadParam = 2000, kNotSupported = 3000;
enum { kDefaultMath, kTensorOpMath, kConversionMath, kFmaMath };

int calls[3] = {}, plans = 0, measured = 0, handles = 0, descriptors = 0, additions = 0;
int math = -1, algorithm = -1, next_status = 0;  // of the last call, and of the next
int stream_status = 0;
void* stream = nullptr;  // of the last call

int complain(const char* what) { return complain(what, kBadParam); }

struct Handle {
  void* stream = nullptr;
};
struct Performance {
  int algorithm, status;
  float time;
  size_t memory;
  int determinism, math;
  int reserved[3];
};

// What there is: the first ones must not be taken. 5 comes first where they are measured.
constexpr size_t kTooMuch = size_t{1} << 30;
const Performance kAlgorithms[] = {
    {0, 0, 1, 0, 0, kDefaultMath, {}},        {2, kNotSupported, 2, 0, 1, kDefaultMath, {}},
    {4, 0, 3, kTooMuch, 1, kDefaultMath, {}}, {3, 0, 3, 0, 1, kConversionMath, {}},
    {6, 0, 4, 4096, 1, kTensorOpMath, {}},    {1, 0, 5, 512, 1, kDefaultMath, {}},
    {5, 0, 6, 0, 1, kDefaultMath, {}},
};

int check(const Handle* h, const Roles& r, const Convolution* c) {
  if (!h) return complain("no handle");
  if (r.image->is_filter || r.output->is_filter || !r.filter->is_filter)
    return complain("a tensor for a filter, or the other way round");
  const int type = r.image->type, dims = r.image->dims;
  if (type != 0 && type != 1 && type != 2 && type != 9) return complain("unknown type");
  for (const Tensor* t : {r.filter, r.output})
    if (t->type != type || t->dims != dims) return complain("types or dimensions differ");
  if (dims != c->dims + 2 || dims < 4 || dims > 5) return complain("number of dimensions");
  if (c->compute != (type == 1 ? 1 : 0)) return complain("compute type");
  if (c->math < 0 || c->math > kFmaMath) return complain("math type not set");
  if (type == 1 && c->math == kFmaMath) return complain("math type for double");
  if (c->math == kConversionMath) return complain("math type that converts");
  const int *image = r.image->sizes, *filter = r.filter->sizes, *output = r.output->sizes;
  if (c->groups < 1 || image[1] != filter[1] * c->groups || filter[0] % c->groups)
    return complain("groups");
  if (image[0] != output[0] || filter[0] != output[1]) return complain("batch or channels");
  for (int d = 0; d < c->dims; ++d) {
    const int room = image[d + 2] + 2 * c->padding[d] - c->dilation[d] * (filter[d + 2] - 1) - 1;
    if (room < 0 || room / c->stride[d] + 1 != output[d + 2]) return complain("sizes of output");
  }
  return filter[0] == 13 ? kNotSupported : 0;  // as happens
}

int suggest(bool by_time, int wanted, int* found, Performance* results) {
  if (wanted < static_cast<int>(std::size(kAlgorithms))) return complain("few algorithms wanted");
  *found = static_cast<int>(std::size(kAlgorithms));
  std::copy(std::begin(kAlgorithms), std::end(kAlgorithms), results);
  if (by_time) std::reverse(results, results + *found);
  return 0;
}

const Performance* known(int number) {
  for (const Performance& p : kAlgorithms)
    if (p.algorithm == number) return &p;
  return nullptr;
}

bool factors(int type, const void* alpha, double a, const void* beta, double b) {
  const Kind kind = type == 1 ? kDouble : kFloat;
  return read(alpha, 0, kind) == a && read(beta, 0, kind) == b;
}

int run(int way, Handle* h, const void* alpha, const Tensor* first, const void* p,
        const Tensor* second, const void* q, const Convolution* c, int number, void* workspace,
        size_t bytes, const void* beta, const Tensor* result, void* to) {
  const Roles r = roles(way, first, second, result);
  if (const int status = check(h, r, c)) return status;
  if (!factors(first->type, alpha, 1, beta, 0)) return complain("factors");
  const Performance* chosen = known(number);
  if (!chosen || chosen->status) return complain("algorithm");
  if (!chosen->determinism) return complain("algorithm that is not deterministic");
  if (bytes != chosen->memory || (bytes != 0) != (workspace != nullptr))
    return complain("workspace");
  for (const void* each : {p, q, static_cast<const void*>(to)})
    if (!each || reinterpret_cast<uintptr_t>(each) % 16) return complain("misaligned");
  algorithm = number;
  math = c->math;
  stream = h->stream;
  if (const int status = next_status) {
    next_status = 0;
    return status;
  }
  if (workspace) std::memset(workspace, 0xff, bytes);
  void *a = const_cast<void*>(p), *b = const_cast<void*>(q);
  convolve(way, r, *c,
           way == kForward        ? Data{a, b, to}
           : way == kBackwardData ? Data{to, a, b}
                                  : Data{a, to, b});
  ++calls[way];
  return 0;
}

int set_sizes(Tensor* t, int type, int dims, const int* sizes) {
  if (dims < 4 || dims > 5) return complain("descriptors have 4 or 5 dimensions");
  t->type = type;
  t->dims = dims;
  std::copy(sizes, sizes + dims, t->sizes);
  return *std::min_element(sizes, sizes + dims) < 1 ? complain("empty tensor") : 0;
}

}  // namespace

API int fake_calls() { return calls[0] + calls[1] + calls[2]; }
API int fake_calls_of(int way) { return calls[way]; }
API int fake_plans() { return plans; }
API int fake_measured() { return measured; }
API int fake_handles() { return handles; }
API int fake_descriptors() { return descriptors; }
API int fake_additions() { return additions; }
API int fake_math() { return math; }
API int fake_algorithm() { return algorithm; }
API void* fake_stream() { return stream; }
API void fake_fail(int status) { next_status = status; }
API void fake_fail_streams(int status) { stream_status = status; }

API size_t cudnnGetVersion() { return FAKE_VERSION; }
API const char* cudnnGetErrorString(int status) {
  return status == 5000            ? "CUDNN_STATUS_EXECUTION_FAILED"
         : status == kNotSupported ? "CUDNN_STATUS_NOT_SUPPORTED"
                                   : "another status";
}
API int cudnnCreate(Handle** h) {
  *h = new Handle;
  ++handles;
  return 0;
}
API int cudnnSetStream(Handle* h, void* s) {
  if (stream_status == 0) h->stream = s;
  return stream_status;
}
API int cudnnCreateTensorDescriptor(Tensor** t) {
  *t = new Tensor(false);
  ++descriptors;
  return 0;
}
API int cudnnCreateFilterDescriptor(Tensor** t) {
  *t = new Tensor(true);
  ++descriptors;
  return 0;
}
API int cudnnDestroyTensorDescriptor(Tensor* t) {
  if (t->is_filter) return complain("a filter is destroyed as a tensor");
  delete t;
  --descriptors;
  return 0;
}
API int cudnnDestroyFilterDescriptor(Tensor* t) {
  if (!t->is_filter) return complain("a tensor is destroyed as a filter");
  delete t;
  --descriptors;
  return 0;
}
API int cudnnSetTensorNdDescriptor(Tensor* t, int type, int dims, const int* sizes,
                                   const int* strides) {
  if (t->is_filter) return complain("a filter is described as a tensor");
  const int status = set_sizes(t, type, dims, sizes);
  for (int d = dims - 1, step = 1; status == 0 && d >= 0; step *= sizes[d--])
    if (strides[d] != step) return complain("strides of a contiguous tensor");
  return status;
}
API int cudnnSetFilterNdDescriptor(Tensor* t, int type, int format, int dims, const int* sizes) {
  if (!t->is_filter || format != 0) return complain("filter, or its format");
  return set_sizes(t, type, dims, sizes);
}
API int cudnnCreateConvolutionDescriptor(Convolution** c) {
  *c = new Convolution;
  ++descriptors;
  return 0;
}
API int cudnnDestroyConvolutionDescriptor(Convolution* c) {
  delete c;
  --descriptors;
  return 0;
}
API int cudnnSetConvolutionNdDescriptor(Convolution* c, int dims, const int* padding,
                                        const int* stride, const int* dilation, int mode,
                                        int compute) {
  if (dims < 2 || dims > 3 || mode != 1) return complain("convolution");
  c->dims = dims;
  c->compute = compute;
  for (int d = 0; d < dims; ++d) {
    if (padding[d] < 0 || stride[d] < 1 || dilation[d] < 1) return complain("steps");
    c->padding[d] = padding[d], c->stride[d] = stride[d], c->dilation[d] = dilation[d];
  }
  return 0;
}
API int cudnnSetConvolutionMathType(Convolution* c, int type) {
  c->math = type;
  return 0;
}
API int cudnnSetConvolutionGroupCount(Convolution* c, int groups) {
  c->groups = groups;
  return 0;
}
API int cudnnAddTensor(Handle* h, const void* alpha, Tensor* summand, const void* from,
                       const void* beta, Tensor* sum, void* to) {
  if (summand->type != sum->type || summand->dims != sum->dims) return complain("bias");
  for (int d = 0; d < sum->dims; ++d)
    if (summand->sizes[d] != (d == 1 ? sum->sizes[1] : 1)) return complain("sizes of the bias");
  if (!factors(sum->type, alpha, 1, beta, 1)) return complain("factors of the bias");
  if (h->stream != stream) return complain("the bias is added on another stream");
  const Kind kind = kind_of(sum->type);
  const int64_t places = sum->numel() / sum->sizes[0] / sum->sizes[1];
  for (int64_t i = 0; i < sum->numel(); ++i)
    write(to, i, kind, read(to, i, kind) + read(from, i / places % sum->sizes[1], kind));
  ++additions;
  return 0;
}

#define WAY(way, index)                                                                            \
  API int cudnnGetConvolution##way##Algorithm_v7(Handle* h, Tensor* a, Tensor* b, Convolution* c,  \
                                                 Tensor* r, int wanted, int* found,                \
                                                 Performance* results) {                           \
    ++plans;                                                                                       \
    if (const int status = check(h, roles(index, a, b, r), c)) return status;                      \
    return suggest(false, wanted, found, results);                                                 \
  }                                                                                                \
  API int cudnnFindConvolution##way##AlgorithmEx(                                                  \
      Handle* h, Tensor* a, void* p, Tensor* b, void* q, Convolution* c, Tensor* r, void* to,      \
      int wanted, int* found, Performance* results, void* workspace, size_t bytes) {               \
    ++measured;                                                                                    \
    if (const int status = check(h, roles(index, a, b, r), c)) return status;                      \
    if (!p || !q || !to || !workspace || bytes != 4096) return complain("a measurement");          \
    return suggest(true, wanted, found, results);                                                  \
  }                                                                                                \
  API int cudnnGetConvolution##way##WorkspaceSize(Handle* h, Tensor* a, Tensor* b, Convolution* c, \
                                                  Tensor* r, int number, size_t* bytes) {          \
    if (const int status = check(h, roles(index, a, b, r), c)) return status;                      \
    if (!known(number)) return complain("unknown algorithm");                                      \
    *bytes = known(number)->memory;                                                                \
    return 0;                                                                                      \
  }                                                                                                \
  API int cudnnConvolution##way(Handle* h, void* alpha, Tensor* a, void* p, Tensor* b, void* q,    \
                                Convolution* c, int number, void* workspace, size_t bytes,         \
                                void* beta, Tensor* r, void* to) {                                 \
    return run(index, h, alpha, a, p, b, q, c, number, workspace, bytes, beta, r, to);             \
  }
WAY(Forward, kForward)
WAY(BackwardData, kBackwardData)
WAY(BackwardFilter, kBackwardFilter)
