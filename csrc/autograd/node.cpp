// Nodes, edges and the history of tensors. See node.h.
#include "autograd/node.h"

#include <algorithm>

#include "autograd/view_nodes.h"

namespace pt {

thread_local constinit ThreadModes thread_modes;
AnomalyMode anomaly_mode;

namespace {
std::atomic<int64_t> live{0};
thread_local uint64_t next_sequence = 0;
std::atomic<int64_t> next_hook_id{1};

// Nodes whose count reached zero inside another node's destruction wait here, so that releasing a
// chain of a million nodes needs no deep recursion.
thread_local std::vector<Node*>* pending_release = nullptr;
}  // namespace

int64_t live_nodes() { return live.load(std::memory_order_relaxed); }

void raise_freed_graph() {
  raise(ErrorKind::kRuntime,
        "Trying to backward through the graph a second time (or directly access saved tensors "
        "after they have already been freed). Saved intermediate values of the graph are freed "
        "when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to "
        "backward through the graph a second time or if you need to access saved tensors after "
        "calling backward.");
}

template <class F>
int64_t HookList<F>::add(F f, uint32_t nr) {
  const int64_t id = next_hook_id.fetch_add(1);
  entries.push_back({id, nr, std::move(f)});
  return id;
}
template <class F>
bool HookList<F>::remove(int64_t id) {
  for (auto it = entries.begin(); it != entries.end(); ++it) {
    if (it->id != id) continue;
    const Entry removed = std::move(*it);  // destroyed last: that may run code that comes back here
    entries.erase(it);
    return true;
  }
  return false;
}
template struct HookList<TensorHook>;
template struct HookList<PostAccumulateHook>;
template struct HookList<NodePreHook>;
template struct HookList<NodePostHook>;

Node::Node() : sequence(next_sequence++) {
  live.fetch_add(1, std::memory_order_relaxed);
  if (anomaly_mode.enabled && anomaly_mode.capture) [[unlikely]]
    get_extra().trace = anomaly_mode.capture();
}

Node::~Node() { live.fetch_sub(1, std::memory_order_relaxed); }

NodeExtra& Node::get_extra() {
  if (!extra) extra = std::make_unique<NodeExtra>();
  return *extra;
}

void Node::set_num_outputs(uint32_t n) {
  num_outputs = n;
  more_meta_.resize(n > 0 ? n - 1 : 0);
}

void Node::set_meta(uint32_t i, const Tensor& t) {
  OutputMeta& m = meta(i);
  m.sizes = t.sizes();
  m.dtype = t.dtype();
  m.device = t.device();
  m.defined = true;
}

void Node::destroy(Node* n) {
  if (pending_release) {
    pending_release->push_back(n);
    return;
  }
  std::vector<Node*> queue;
  pending_release = &queue;
  delete n;
  while (!queue.empty()) {
    Node* next = queue.back();
    queue.pop_back();
    delete next;
  }
  pending_release = nullptr;
}

void release_node(Node* node) { release(node); }
void destroy_extra(AutogradExtra* extra) { delete extra; }

AutogradExtra& get_extra(TensorImpl* t) {
  if (!t->extra) t->extra = new AutogradExtra;
  return *t->extra;
}

AccumulateGrad::AccumulateGrad(const Tensor& leaf) : variable_(leaf) {
  sequence = kSequence;
  set_meta(0, leaf);
  leaf->accumulator = this;
}

AccumulateGrad::~AccumulateGrad() {
  if (variable_->accumulator == this) variable_->accumulator = nullptr;
}

Node* grad_fn_of(const Tensor& t) {
  TensorImpl* p = t.impl();
  if (p->base && p->view_version != p->storage->version) {
    // The base (or another view of it) was changed in place since: if that gave the base a
    // history, this view's own is a fresh view of the new base.
    const Tensor base = Tensor::share(p->base);
    if (base.requires_grad() && base->grad_fn) {
      Ref<Node> node = make_view_node(base, t);
      set_history(p, std::move(node), 0);
    }
    p->view_version = p->storage->version;
  }
  return p->grad_fn;
}

Edge gradient_edge(const Tensor& t) {
  if (Node* fn = grad_fn_of(t)) return {Ref<Node>::share(fn), t->output_nr};
  if (!t->has(TensorImpl::kRequiresGrad)) return {};
  if (t->accumulator) return {Ref<Node>::share(t->accumulator), 0};
  return {Ref<Node>::adopt(new AccumulateGrad(t)), 0};
}

namespace {
// The node at which `t` retains its gradient forgets it.
void forget_retained(AutogradExtra& extra) {
  if (extra.retained_at) std::erase(extra.retained_at->extra->retained, extra.retained);
  extra.retained_at = {};
}
void follow_retained(TensorImpl* t) {
  AutogradExtra& extra = get_extra(t);
  forget_retained(extra);
  t->set(TensorImpl::kRetainGrad, t->grad_fn != nullptr);
  if (!t->grad_fn) return;
  extra.retained = t;
  extra.retained_at = Ref<Node>::share(t->grad_fn);
  t->grad_fn->get_extra().retained.push_back(t);
}
}  // namespace

AutogradExtra::~AutogradExtra() { forget_retained(*this); }

void retain_grad(const Tensor& t) {
  PT_CHECK(t.requires_grad(), "can't retain_grad on Tensor that has requires_grad=False");
  if (grad_fn_of(t) && !t->has(TensorImpl::kRetainGrad)) follow_retained(t.impl());
}

void set_history(TensorImpl* t, Ref<Node> node, uint32_t nr) {
  Node* old = std::exchange(t->grad_fn, node.detach());
  t->output_nr = nr;
  if (t->has(TensorImpl::kRetainGrad)) [[unlikely]]
    follow_retained(t);
  if (old) release_node(old);
}

void check_inplace(const Tensor& t, const char* op) {
  PT_CHECK(!t->storage->read_only, op,
           "(): the tensor is read-only (made from a non-writable array); clone() it first");
  if (t->has(TensorImpl::kInference)) {
    PT_CHECK(
        thread_modes.inference,
        "Inplace update to inference tensor outside InferenceMode is not allowed. You can make "
        "a clone to get a normal tensor before doing inplace update. (in ",
        op, ")");
  }
  if (!grad_enabled()) return;
  PT_CHECK(!t->has(TensorImpl::kRequiresGrad) || !t.is_leaf(),
           "a leaf Variable that requires grad is being used in an in-place operation. (in ", op,
           ")");
  if (t->base) {
    const Tensor base = Tensor::share(t->base);
    PT_CHECK(!base->has(TensorImpl::kRequiresGrad) || !base.is_leaf(),
             "a view of a leaf Variable that requires grad is being used in an in-place "
             "operation. (in ",
             op, ")");
  }
}

void rebase_history(const Tensor& t, Ref<Node> node) {
  if (!t->base) {
    set_history(t.impl(), std::move(node), 0);
    return;
  }
  const Tensor base = Tensor::share(t->base);
  Ref<Node> copy = make_copy_slices(base, t, std::move(node));
  set_history(base.impl(), std::move(copy), 0);
  set_history(t.impl(), make_view_node(base, t), 0);
  t->view_version = t->storage->version;
}

void SavedTensor::save(const Tensor& t, bool is_output, bool detach) {
  if (!t.defined()) return;
  PT_CHECK(!t->has(TensorImpl::kInference),
           "Inference tensors cannot be saved for backward. To work around you can make a clone to "
           "get a normal tensor and use it in autograd.");
  version_ = t.version();
  is_output_ = is_output;
  if (is_output) {
    tensor_ = alias(t);
    output_nr_ = t->output_nr;
  } else if (t->base || (detach && t.requires_grad())) {
    // A saved view must not keep its base: writing to that gives it a history that leads back here.
    tensor_ = alias(t);
    edge_ = gradient_edge(t);
  } else {
    tensor_ = t;
  }
}

void SavedTensor::save_shape(const Tensor& t) {
  if (t.defined()) tensor_ = shape_only(t);
}

// "Exp" for ExpBackward0: how PyTorch's message names the op.
static std::string op_of(const Node& n) {
  const std::string name = n.name();
  return name.substr(0, name.rfind("Backward"));
}

Tensor SavedTensor::unpack(Node* owner) const {
  if (!tensor_.defined() || !tensor_->has(TensorImpl::kHasStorage) || !tensor_->storage)
    return tensor_;
  if (tensor_.version() != version_) [[unlikely]] {
    std::string which;
    if (is_output_) {
      which = concat(", which is output ", output_nr_, " of ", op_of(*owner), ",");
    } else if (Node* fn = edge_.node ? edge_.node.get() : tensor_->grad_fn) {
      which = concat(", which is output ", edge_.node ? edge_.nr : tensor_->output_nr, " of ",
                     op_of(*fn), ",");
    }
    raise(ErrorKind::kRuntime,
          "one of the variables needed for gradient computation has been modified by an inplace "
          "operation: [",
          legacy_type_name(tensor_.dtype()), " ", to_text(tensor_.sizes()), "]", which,
          " is at version ", tensor_.version(), "; expected version ", version_, " instead. Hint: ",
          anomaly_mode.enabled
              ? "the backtrace further above shows the operation that failed to compute its "
                "gradient. The variable in question was changed in there or anywhere later. Good "
                "luck!"
              : "enable anomaly detection to find the operation that failed to compute its "
                "gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False).");
  }
  if (!is_output_ && !edge_.node) return tensor_;
  // Indices and masks are outputs without gradients: what is computed from them has no history.
  const DType kept = tensor_.dtype();
  if (is_output_ && !is_floating(kept) && !is_complex(kept)) return tensor_;
  if (!grad_enabled()) return tensor_;
  Tensor t = alias(tensor_);
  if (is_output_) {
    set_history(t.impl(), Ref<Node>::share(owner), output_nr_);
  } else if (AccumulateGrad* leaf = as_accumulator(edge_.node.get())) {
    return leaf->variable();
  } else {
    set_history(t.impl(), edge_.node, edge_.nr);
  }
  return t;
}

}  // namespace pt
