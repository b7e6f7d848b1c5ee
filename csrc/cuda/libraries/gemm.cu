// Products by cuBLASLt. Its matrices lie column by column: a row-major C of m x n is its matrix of
// n x m, so that C = A B is asked for as C' = B' A', where a row-major matrix counts as its own
// transpose. What the library's product has no place for (factors and residuals behind the product,
// limits, strides of other kinds, a bias along the rows) is left to the kernels here.
#include "cuda/libraries/gemm.h"

#include <compare>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "cuda/libraries/cublaslt.h"
#include "cuda/libraries/loader.h"
#include "cuda/runtime/runtime.h"
#include "cuda/scratch.h"

namespace pt::cuda {

namespace {

constexpr size_t kWorkspace = size_t{32} << 20;
constexpr size_t kMostPlans = 1024;

const lt::Functions* functions() {
  static const lt::Functions* all = []() -> const lt::Functions* {
    static lt::Functions f;
    const Library& l = cublaslt_library();
    const bool found = l.find(f.create, "cublasLtCreate") &&
                       l.find(f.layout_create, "cublasLtMatrixLayoutCreate") &&
                       l.find(f.layout_destroy, "cublasLtMatrixLayoutDestroy") &&
                       l.find(f.layout_set, "cublasLtMatrixLayoutSetAttribute") &&
                       l.find(f.desc_create, "cublasLtMatmulDescCreate") &&
                       l.find(f.desc_destroy, "cublasLtMatmulDescDestroy") &&
                       l.find(f.desc_set, "cublasLtMatmulDescSetAttribute") &&
                       l.find(f.preference_create, "cublasLtMatmulPreferenceCreate") &&
                       l.find(f.preference_destroy, "cublasLtMatmulPreferenceDestroy") &&
                       l.find(f.preference_set, "cublasLtMatmulPreferenceSetAttribute") &&
                       l.find(f.heuristic, "cublasLtMatmulAlgoGetHeuristic") &&
                       l.find(f.matmul, "cublasLtMatmul");
    return found ? &f : nullptr;
  }();
  return all;
}

// A matrix of rows x columns as the library sees it: its column-major matrix, perhaps to be
// transposed.
struct Place {
  int transposed;
  int64_t ld;
};
std::optional<Place> place(int64_t rows, int64_t columns, int64_t row_step, int64_t column_step) {
  if ((column_step == 1 || columns == 1) && (row_step >= columns || rows == 1))
    return Place{1, rows == 1 ? columns : row_step};
  if ((row_step == 1 || rows == 1) && (column_step >= rows || columns == 1))
    return Place{0, columns == 1 ? rows : column_step};
  return std::nullopt;
}

// All that decides which algorithm is fit.
struct Key {
  int device;
  int type, compute;
  int64_t m, n, k, batch;
  int trans_a, trans_b, bias;
  int64_t ld_a, ld_b, ld_c, batch_a, batch_b, batch_c;
  uint32_t aligned_a, aligned_b, aligned_c;
  auto operator<=>(const Key&) const = default;
};

uint32_t alignment(const void* p) {
  const auto address = reinterpret_cast<uintptr_t>(p);
  const uintptr_t lowest = address & (~address + 1);
  return static_cast<uint32_t>(lowest == 0 || lowest > 256 ? 256 : lowest);
}

// A product that the library has planned. Lives as long as the process: calls may be queued.
struct Plan {
  lt::MatmulDesc desc = nullptr;
  lt::Layout a = nullptr, b = nullptr, c = nullptr;
  lt::Heuristic choice{};
  bool possible = false;
};

lt::Layout layout(const lt::Functions& f, int type, int64_t rows, int64_t columns, int64_t ld,
                  int64_t batch, int64_t offset) {
  lt::Layout made = nullptr;
  if (f.layout_create(&made, type, static_cast<uint64_t>(rows), static_cast<uint64_t>(columns), ld))
    return nullptr;
  const auto count = static_cast<int32_t>(batch);
  if (batch > 1) {
    f.layout_set(made, lt::kBatchCount, &count, sizeof count);
    f.layout_set(made, lt::kBatchOffset, &offset, sizeof offset);
  }
  return made;
}

// The library's m, n and k; its C is m x n.
Plan make_plan(const lt::Functions& f, lt::Handle handle, const Key& k, const void* bias) {
  Plan p;
  const int scale = k.type == lt::kReal64 ? lt::kReal64 : lt::kReal32;
  if (f.desc_create(&p.desc, k.compute, scale)) return p;
  const int32_t trans_a = k.trans_a, trans_b = k.trans_b;
  f.desc_set(p.desc, lt::kTransA, &trans_a, sizeof trans_a);
  f.desc_set(p.desc, lt::kTransB, &trans_b, sizeof trans_b);
  if (k.bias) {
    const uint32_t epilogue = lt::kEpilogueBias;
    f.desc_set(p.desc, lt::kEpilogue, &epilogue, sizeof epilogue);
    f.desc_set(p.desc, lt::kBiasPointer, &bias, sizeof bias);
  }
  p.a = layout(f, k.type, k.trans_a ? k.k : k.m, k.trans_a ? k.m : k.k, k.ld_a, k.batch, k.batch_a);
  p.b = layout(f, k.type, k.trans_b ? k.n : k.k, k.trans_b ? k.k : k.n, k.ld_b, k.batch, k.batch_b);
  p.c = layout(f, k.type, k.m, k.n, k.ld_c, k.batch, k.batch_c);
  lt::Preference wish = nullptr;
  if (!p.a || !p.b || !p.c || f.preference_create(&wish)) return p;
  f.preference_set(wish, lt::kMaxWorkspace, &kWorkspace, sizeof kWorkspace);
  f.preference_set(wish, lt::kMinAlignmentA, &k.aligned_a, sizeof k.aligned_a);
  f.preference_set(wish, lt::kMinAlignmentB, &k.aligned_b, sizeof k.aligned_b);
  f.preference_set(wish, lt::kMinAlignmentC, &k.aligned_c, sizeof k.aligned_c);
  f.preference_set(wish, lt::kMinAlignmentD, &k.aligned_c, sizeof k.aligned_c);
  int found = 0;
  const lt::Status status =
      f.heuristic(handle, p.desc, p.a, p.b, p.c, p.c, wish, 1, &p.choice, &found);
  p.possible = status == 0 && found == 1 && p.choice.state == 0;
  f.preference_destroy(wish);
  return p;
}

std::mutex mutex;

lt::Handle handle_of(const lt::Functions& f, int device) {
  static std::map<int, lt::Handle> handles;
  lt::Handle& h = handles[device];
  if (!h && f.create(&h) != 0) h = nullptr;
  return h;
}

struct Call {
  lt::Handle handle;
  const Plan* plan;
  const void *a, *b, *bias;
  void* c;
  double alpha, beta;
  bool is_double;
  void* workspace;
  size_t workspace_bytes;
  cudaStream_t stream;
};

lt::Status run(const lt::Functions& f, const Call& call) {
  const float alpha = static_cast<float>(call.alpha), beta = static_cast<float>(call.beta);
  const Plan& p = *call.plan;
  const std::lock_guard lock(mutex);  // the description holds the bias
  if (call.bias) f.desc_set(p.desc, lt::kBiasPointer, &call.bias, sizeof call.bias);
  return f.matmul(
      call.handle, p.desc, call.is_double ? static_cast<const void*>(&call.alpha) : &alpha, call.a,
      p.a, call.b, p.b, call.is_double ? static_cast<const void*>(&call.beta) : &beta, call.c, p.c,
      call.c, p.c, &p.choice.algorithm, call.workspace, call.workspace_bytes, call.stream);
}

std::optional<Key> key_of(DType dtype, const GemmArgs& g) {
  const bool plain = !g.scale && !g.residual && g.least == -__builtin_inf() &&
                     g.most == __builtin_inf() && g.m > 0 && g.n > 0 && g.k > 0 && g.batch > 0 &&
                     g.batch <= INT32_MAX;
  if (!plain) return std::nullopt;
  Key k{};
  k.device = current_device();
  k.compute = lt::kCompute32;
  if (dtype == DType::kFloat32) {
    k.type = lt::kReal32;
    if (g.rounding != Rounding::kNone) k.compute = lt::kCompute32FastTf32;
  } else if (dtype == DType::kFloat64) {
    k.type = lt::kReal64;
    k.compute = lt::kCompute64;
  } else if (dtype == DType::kFloat16) {
    k.type = lt::kReal16;
  } else if (dtype == DType::kBFloat16) {
    k.type = lt::kBrain16;
  } else {
    return std::nullopt;
  }
  const auto a = place(g.m, g.k, g.a_row, g.a_col), b = place(g.k, g.n, g.b_row, g.b_col);
  const auto c = place(g.m, g.n, g.c_row, g.c_col);
  const bool batched = g.batch > 1;
  if (!a || !b || !c || (batched && (g.a_batch < 0 || g.b_batch < 0 || g.c_batch <= 0)))
    return std::nullopt;
  if (g.bias) {
    // One number for each row of the library's C.
    const int64_t along = c->transposed ? g.bias_col : g.bias_row;
    const int64_t across = c->transposed ? g.bias_row : g.bias_col;
    const int64_t rows = c->transposed ? g.n : g.m, columns = c->transposed ? g.m : g.n;
    if ((along != 1 && rows != 1) || (across != 0 && columns != 1)) return std::nullopt;
    k.bias = 1;
  }
  k.k = g.k;
  k.batch = g.batch;
  k.ld_c = c->ld;
  k.batch_c = batched ? g.c_batch : 0;
  k.aligned_c = alignment(g.c);
  // A row-major C is the transpose of the library's: C' = B' A'.
  const bool swap = c->transposed;
  k.m = swap ? g.n : g.m;
  k.n = swap ? g.m : g.n;
  const auto &left = swap ? b : a, &right = swap ? a : b;
  k.trans_a = left->transposed != swap;
  k.trans_b = right->transposed != swap;
  k.ld_a = left->ld;
  k.ld_b = right->ld;
  k.batch_a = batched ? (swap ? g.b_batch : g.a_batch) : 0;
  k.batch_b = batched ? (swap ? g.a_batch : g.b_batch) : 0;
  k.aligned_a = alignment(swap ? g.b : g.a);
  k.aligned_b = alignment(swap ? g.a : g.b);
  return k;
}

}  // namespace

bool library_gemm(DType dtype, const GemmArgs& g) {
  if (!libraries_wanted()) return false;
  const lt::Functions* f = functions();
  if (!f) return false;
  const std::optional<Key> key = key_of(dtype, g);
  if (!key) return false;
  Call call{};
  {
    const std::lock_guard lock(mutex);
    static std::map<Key, Plan> plans;
    auto it = plans.find(*key);
    if (it == plans.end()) {
      if (plans.size() >= kMostPlans) return false;
      call.handle = handle_of(*f, key->device);
      if (!call.handle) return false;
      it = plans.emplace(*key, make_plan(*f, call.handle, *key, g.bias)).first;
    }
    call.handle = handle_of(*f, key->device);
    call.plan = &it->second;
  }
  if (!call.plan->possible) return false;
  const bool row_major = place(g.m, g.n, g.c_row, g.c_col)->transposed != 0;
  call.a = row_major ? g.b : g.a;
  call.b = row_major ? g.a : g.b;
  call.bias = g.bias;
  call.c = g.c;
  call.alpha = g.alpha;
  call.beta = g.beta;
  call.is_double = dtype == DType::kFloat64;
  const Scratch workspace(call.plan->choice.workspace);
  if (call.plan->choice.workspace && !workspace) return false;
  call.workspace = workspace.as<void>();
  call.workspace_bytes = call.plan->choice.workspace;
  call.stream = current_stream();
#ifdef PT_CUDA_EMULATION
  // A library that a test has made computes on the host, when the stream gets there.
  emu::enqueue(call.stream, [f, call] {
    if (run(*f, call) != 0) emu::report("cublasLtMatmul failed");
  });
  return true;
#else
  return run(*f, call) == 0;
#endif
}

}  // namespace pt::cuda
