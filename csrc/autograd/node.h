// The autograd graph: nodes (one per recorded op call), edges to the nodes of their inputs, saved
// tensors, and the thread's grad mode. The engine that walks the graph is engine.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace pt {

// --- grad mode ---------------------------------------------------------------------------------
struct ThreadModes {
  bool grad = true;
  bool inference = false;
};
extern thread_local constinit ThreadModes thread_modes;
inline bool grad_enabled() { return thread_modes.grad; }

class GradModeGuard {
 public:
  explicit GradModeGuard(bool on) : saved_(thread_modes.grad) { thread_modes.grad = on; }
  ~GradModeGuard() { thread_modes.grad = saved_; }
  GradModeGuard(const GradModeGuard&) = delete;
  GradModeGuard& operator=(const GradModeGuard&) = delete;

 private:
  bool saved_;
};

// --- graph -------------------------------------------------------------------------------------
struct Edge {
  Ref<Node> node;
  uint32_t nr = 0;
};

// What a node knows of one of its forward outputs, to check and reduce incoming gradients.
struct OutputMeta {
  Dims sizes;
  DType dtype = DType::kFloat32;
  Device device{};
  bool defined = false;
};

using TensorHook = std::function<Tensor(const Tensor&)>;  // returns undefined to keep the gradient
using PostAccumulateHook = std::function<void(const Tensor&)>;
using GradVector = std::vector<Tensor>;
// Node hooks see (and may replace) gradients of inputs (pre) or of both sides (post).
using NodePreHook = std::function<void(GradVector& grad_outputs)>;
using NodePostHook = std::function<void(GradVector& grad_inputs, const GradVector& grad_outputs)>;

template <class F>
struct HookList {
  struct Entry {
    int64_t id;
    uint32_t nr;
    F call;
  };
  std::vector<Entry> entries;
  int64_t add(F f, uint32_t nr = 0);
  bool remove(int64_t id);
};

struct NodeExtra {
  HookList<TensorHook> tensor_hooks;  // by output number
  std::vector<TensorImpl*> retained;  // outputs with retain_grad(), borrowed
  HookList<NodePreHook> pre_hooks;
  HookList<NodePostHook> post_hooks;
  std::string trace;  // anomaly mode: where the forward call was made
};

class Node;

// Rare per-tensor state.
struct AutogradExtra {
  HookList<TensorHook> leaf_hooks;
  HookList<PostAccumulateHook> post_accumulate;
  Ref<Node> retained_at;           // retain_grad(): the node that lists the tensor...
  TensorImpl* retained = nullptr;  // ...and the tensor
  ~AutogradExtra();
};

class Node {
 public:
  std::atomic<int32_t> refs{1};
  uint32_t num_outputs = 1;  // of the forward call: gradients that apply() receives
  uint64_t sequence;         // order of creation; the engine runs the newest first
  uint64_t skip = 0;         // bit i: nobody wants the gradient of edge i in this run
  std::vector<Edge> edges;   // one per differentiable input: where gradients go
  std::unique_ptr<NodeExtra> extra;
  void* python = nullptr;      // borrowed: live Python wrapper
  bool runs_on_zeros = false;  // apply() is called even when no gradient arrived

  Node();
  virtual ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // grads: num_outputs incoming gradients, undefined where none arrived. Fills `out`, one per
  // edge; undefined means zero.
  virtual void apply(GradVector& grads, GradVector& out) = 0;
  virtual void release_saved() {}
  virtual std::string name() const = 0;

  bool needs(size_t i) const {
    return i < edges.size() && edges[i].node && (i >= 64 || !(skip >> i & 1));
  }
  OutputMeta& meta(uint32_t i) { return i == 0 ? meta0_ : more_meta_[i - 1]; }
  void set_num_outputs(uint32_t n);
  void set_meta(uint32_t i, const Tensor& t);
  NodeExtra& get_extra();
  static void destroy(Node* n);

 private:
  OutputMeta meta0_;
  std::vector<OutputMeta> more_meta_;
};

int64_t live_nodes();
// What a node says that is asked to run, or to show its saved tensors, after release_saved().
[[noreturn]] void raise_freed_graph();

// Adds incoming gradients to a leaf's .grad.
class AccumulateGrad : public Node {
 public:
  explicit AccumulateGrad(const Tensor& leaf);
  ~AccumulateGrad() override;
  void apply(GradVector& grads, GradVector& out) override;
  std::string name() const override { return "AccumulateGrad"; }
  const Tensor& variable() const { return variable_; }
  static constexpr uint64_t kSequence = UINT64_MAX;  // runs as soon as its gradient is complete

 private:
  Tensor variable_;
};
// The node as an accumulator, null if it is none.
inline AccumulateGrad* as_accumulator(Node* n) {
  return n->sequence == AccumulateGrad::kSequence ? static_cast<AccumulateGrad*>(n) : nullptr;
}

// Where gradients of `t` go: its grad_fn (regenerated when an in-place op changed its base), its
// accumulator, or nothing.
Edge gradient_edge(const Tensor& t);
Node* grad_fn_of(const Tensor& t);  // borrowed; null for leaves
// Makes `t` the nr-th output of `node`.
void set_history(TensorImpl* t, Ref<Node> node, uint32_t nr);
// The same after an in-place op: also rewrites the history of the base of a view.
void rebase_history(const Tensor& t, Ref<Node> node);
// Raises when `t` may not be changed in place (leaf that requires grad, view of one...).
void check_inplace(const Tensor& t, const char* op);
inline void bump_version(TensorImpl* t) {
  if (!t->has(TensorImpl::kUntrackedVersion)) ++t->storage->version;
}
AutogradExtra& get_extra(TensorImpl* t);
// Backward passes keep the gradient of `t` in its .grad although it is no leaf.
void retain_grad(const Tensor& t);

// A tensor kept for backward. Raises on unpack when it was changed in place in between.
class SavedTensor {
 public:
  SavedTensor() = default;
  // is_output: t is (or will be) an output of the node that keeps it, so no cycle may arise.
  void save(const Tensor& t, bool is_output, bool detach = false);
  void save_shape(const Tensor& t);
  // `owner` is the node that keeps it; `op` names it in messages.
  Tensor unpack(Node* owner) const;
  void reset() {
    tensor_ = Tensor();
    edge_ = Edge();
  }
  bool defined() const { return tensor_.defined(); }

 private:
  Tensor tensor_;
  Edge edge_;  // of a detached non-leaf input
  uint32_t version_ = 0;
  uint32_t output_nr_ = 0;
  bool is_output_ = false;
};

// Anomaly mode: set by the Python layer; `capture` describes the current call site.
struct AnomalyMode {
  bool enabled = false;
  bool check_nan = true;
  std::string (*capture)() = nullptr;
  void (*warn)(const std::string& node, const std::string& trace) = nullptr;
};
extern AnomalyMode anomaly_mode;

}  // namespace pt
