// The backward pass. Explained with micrograd in mind: count how many gradients each node will
// receive (one pass over the graph), then repeatedly take the newest node whose gradients are
// complete, apply it, and add what it returns to the nodes of its inputs.
#include "autograd/engine.h"

#include <algorithm>

#include "autograd/tasks.h"
#include "op/copy.h"
#include "ops/core_ops.h"
#include "ops/pointwise/compare.h"

namespace pt {

namespace {

// Where a requested input's gradient is caught: output nr of a node.
struct Capture {
  Node* node;
  uint32_t nr;
  size_t input;
};

bool any_nan(const Tensor& t) {
  // Counted, so that one pass and one read decide.
  return sum(to_dtype(isnan(t), DType::kInt64)).item().to_int() != 0;
}

class Run {
 public:
  Run(const BackwardOptions& options, bool exact)
      : options_(options),
        exact_(exact),
        memory_(Scratch::take()),
        tasks_(memory_->tasks),
        roots_(memory_->roots),
        ready_(memory_->ready) {}
  ~Run() { Scratch::give(std::move(memory_)); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  void add_root(const Edge& edge, const Tensor& gradient) {
    count_from(edge.node.get());
    add_gradient(edge, gradient);
    roots_.push_back(edge);
  }
  void capture(Node* node, uint32_t nr, size_t input) { captures_.push_back({node, nr, input}); }
  void select_needed();
  void execute(std::vector<Tensor>& captured);

 private:
  void count_from(Node* root);
  void add_gradient(const Edge& edge, Tensor g);
  void run_node(Node* node, GradVector& grads, std::vector<Tensor>& captured);
  void run_tensor_hooks(Node* node, GradVector& grads);
  void apply(Node* node, GradVector& grads, GradVector& out);
  void validate(Node* node, GradVector& out);
  void push(Node* n) {
    ready_.push_back(n);
    std::push_heap(ready_.begin(), ready_.end(), older);
  }
  static bool older(const Node* a, const Node* b) { return a->sequence < b->sequence; }

  BackwardOptions options_;
  bool exact_;  // only what leads to the captures runs
  std::unique_ptr<Scratch> memory_;
  TaskTable& tasks_;
  std::vector<Edge>& roots_;
  std::vector<Node*>& ready_;
  std::vector<Capture> captures_;
};

void Run::count_from(Node* root) {
  if (tasks_.find(root)) return;
  tasks_[root];
  std::vector<Node*>& stack = memory_->stack;
  stack.push_back(root);
  while (!stack.empty()) {
    Node* n = stack.back();
    stack.pop_back();
    for (const Edge& e : n->edges) {
      if (!e.node) continue;
      const size_t before = tasks_.size();
      Task& t = tasks_[e.node.get()];
      ++t.waiting;
      if (tasks_.size() != before) stack.push_back(e.node.get());
    }
  }
}

// Marks the nodes from which a captured one is reachable, children before parents.
void Run::select_needed() {
  for (const Capture& c : captures_) tasks_[c.node];  // even those that the roots do not reach
  for (Task& t : tasks_.all()) t.needed = false;
  for (const Capture& c : captures_) tasks_[c.node].needed = true;
  std::vector<std::pair<Task*, size_t>> stack;
  auto visit = [&](Node* n) {
    Task& t = tasks_[n];
    if (!std::exchange(t.visited, true)) stack.emplace_back(&t, 0);
  };
  for (const Edge& root : roots_) {
    visit(root.node.get());
    while (!stack.empty()) {
      auto& [task, next] = stack.back();
      const std::vector<Edge>& edges = task->node->edges;
      if (next < edges.size()) {
        if (Node* child = edges[next++].node.get()) visit(child);
        continue;
      }
      for (const Edge& e : edges)
        if (e.node && tasks_[e.node.get()].needed) task->needed = true;
      stack.pop_back();
    }
  }
}

void Run::add_gradient(const Edge& edge, Tensor g) {
  Task& t = tasks_[edge.node.get()];
  if (t.grads.size() < edge.node->num_outputs) {
    if (!memory_->lists.empty()) {
      t.grads = std::move(memory_->lists.back());
      memory_->lists.pop_back();
    }
    t.grads.resize(edge.node->num_outputs);
  }
  if (!g.defined()) return;
  Tensor& slot = t.grads[edge.nr];
  if (!slot.defined()) {
    slot = std::move(g);
  } else if (!grad_enabled() && slot->refs.load() == 1 && slot->storage->refs.load() == 1 &&
             slot->sizes == g->sizes && slot.dtype() == g.dtype() &&
             is_non_overlapping_and_dense(slot.impl())) {
    add_(slot, g);
  } else {
    slot = add(slot, g);
  }
}

// Hooks of the tensors whose gradients these are; then retain_grad(), which sees the final values.
void Run::run_tensor_hooks(Node* node, GradVector& grads) {
  auto call = [&](const HookList<TensorHook>& hooks) {
    for (auto& h : std::vector(hooks.entries)) {
      if (!grads[h.nr].defined()) continue;
      Tensor replaced = h.call(grads[h.nr]);
      if (replaced.defined()) grads[h.nr] = std::move(replaced);
    }
  };
  if (AccumulateGrad* leaf = as_accumulator(node)) {
    if (leaf->variable()->extra) call(leaf->variable()->extra->leaf_hooks);
  }
  if (!node->extra) return;
  call(node->extra->tensor_hooks);
  for (TensorImpl* t : node->extra->retained) {
    const Tensor& g = grads[t->output_nr];
    if (!g.defined()) continue;
    // A copy, since g may live on as another tensor's gradient.
    Tensor kept = t->grad ? add(Tensor::share(t->grad), g) : clone(g);
    if (t->grad) release(t->grad);
    t->grad = kept.detach_impl();
  }
}

// Brings gradients to the shape and dtype of what they are gradients of.
void Run::validate(Node* node, GradVector& out) {
  PT_CHECK(out.size() <= node->edges.size(), "Function ", node->name(), " returned ", out.size(),
           " gradients for ", node->edges.size(), " inputs");
  for (size_t i = 0; i < out.size(); ++i) {
    const Edge& e = node->edges[i];
    Tensor& g = out[i];
    if (!e.node || !g.defined()) continue;
    const OutputMeta& m = e.node->meta(e.nr);
    if (!m.defined) continue;
    if (!(g.sizes() == m.sizes)) {
      bool expandable = g.dim() >= m.sizes.size();
      for (int d = 0; expandable && d < m.sizes.size(); ++d) {
        const int64_t have = g->sizes[g.dim() - 1 - d], want = m.sizes[m.sizes.size() - 1 - d];
        expandable = want == have || want == 1;
      }
      PT_CHECK(expandable, "Function ", node->name(), " returned an invalid gradient at index ", i,
               " - got ", to_text(g.sizes()), " but expected shape compatible with ",
               to_text(m.sizes));
      g = sum_to_size(g, m.sizes);
    }
    if (g.dtype() != m.dtype) {
      PT_CHECK(is_floating(g.dtype()) == is_floating(m.dtype), "Function ", node->name(),
               " returned an invalid gradient at index ", i, " - expected type ",
               dtype_name(m.dtype), " but got ", dtype_name(g.dtype()));
      g = to_dtype(g, m.dtype);
    }
    if (g.device() != m.device && g.dim() == 0) g = to_copy(g, g.dtype(), m.device);
    PT_CHECK(g.device() == m.device, "Function ", node->name(),
             " returned an invalid gradient at index ", i, " - expected device ", to_text(m.device),
             " but got ", to_text(g.device()));
  }
}

// The node's own work, between its hooks.
void Run::apply(Node* node, GradVector& grads, GradVector& out) {
  if (node->extra)
    for (auto& h : std::vector(node->extra->pre_hooks.entries)) h.call(grads);
  const bool any = std::any_of(grads.begin(), grads.end(), [](auto& g) { return g.defined(); });
  if (!any && !node->runs_on_zeros) return;
  GradVector incoming;
  if (node->extra && !node->extra->post_hooks.entries.empty()) incoming = grads;
  if (exact_) {
    for (size_t i = 0; i < node->edges.size() && i < 64; ++i)
      if (node->edges[i].node && !tasks_[node->edges[i].node.get()].needed)
        node->skip |= uint64_t{1} << i;
  }
  struct Restore {
    Node* node;
    ~Restore() { node->skip = 0; }
  } restore{node};
  node->apply(grads, out);
  grads.clear();
  if (node->extra)
    for (auto& h : std::vector(node->extra->post_hooks.entries)) h.call(out, incoming);
  if (anomaly_mode.enabled && anomaly_mode.check_nan) {
    for (size_t i = 0; i < out.size(); ++i)
      PT_CHECK(
          !out[i].defined() || !node->needs(i) || !is_floating(out[i].dtype()) || !any_nan(out[i]),
          "Function '", node->name(), "' returned nan values in its ", i, "th output.");
  }
  if (!options_.keep_graph) node->release_saved();
}

void Run::run_node(Node* node, GradVector& grads, std::vector<Tensor>& captured) {
  grads.resize(node->num_outputs);
  run_tensor_hooks(node, grads);
  if (exact_) {
    bool wanted_itself = false;
    for (const Capture& c : captures_) {
      if (c.node != node) continue;
      captured[c.input] = grads[c.nr];
      wanted_itself = true;
    }
    // What was asked for ends here, unless other requested inputs lie behind it; a leaf's
    // accumulator runs for backward() and not for autograd.grad().
    bool leads_on = wanted_itself && options_.accumulate && as_accumulator(node);
    for (const Edge& e : node->edges)
      leads_on = leads_on || (e.node && tasks_[e.node.get()].needed);
    if (!leads_on) return;
  }
  GradVector& out = memory_->out;
  out.clear();
  out.resize(node->edges.size());
  apply(node, grads, out);
  validate(node, out);
  for (size_t i = 0; i < node->edges.size(); ++i) {
    const Edge& e = node->edges[i];
    if (!e.node) continue;
    Task& t = tasks_[e.node.get()];
    if (i < out.size() && t.needed) add_gradient(e, std::move(out[i]));
    if (--t.waiting == 0 && t.needed) push(e.node.get());
  }
}

void Run::execute(std::vector<Tensor>& captured) {
  if (exact_) select_needed();
  for (const Edge& r : roots_) {
    Task& t = tasks_[r.node.get()];
    if (t.waiting == 0 && t.needed &&
        std::find(ready_.begin(), ready_.end(), r.node.get()) == ready_.end())
      push(r.node.get());
  }
  while (!ready_.empty()) {
    std::pop_heap(ready_.begin(), ready_.end(), older);
    Node* node = ready_.back();
    ready_.pop_back();
    GradVector grads = std::move(tasks_[node].grads);
    try {
      run_node(node, grads, captured);
    } catch (...) {
      if (anomaly_mode.enabled && anomaly_mode.warn)
        anomaly_mode.warn(node->name(), node->extra ? node->extra->trace : std::string());
      throw;
    }
    if (memory_->lists.size() < Scratch::kKeptTasks) {
      grads.clear();
      memory_->lists.push_back(std::move(grads));
    }
  }
}

Tensor root_gradient(const Tensor& root, size_t i, const Tensor& given, bool create_graph) {
  if (given.defined()) {
    PT_CHECK(given.sizes() == root.sizes(), "Mismatch in shape: grad_output[", i,
             "] has a shape of ", torch_size_text(given.sizes()), " and output[", i,
             "] has a shape of ", torch_size_text(root.sizes()), ".");
    PT_CHECK(is_floating(given.dtype()),
             "backward(): the gradient must be a floating point tensor, got ",
             dtype_name(given.dtype()));
    if (given.dtype() != root.dtype()) return to_dtype(given, root.dtype());
    return given;
  }
  PT_CHECK(root.numel() == 1, "grad can be implicitly created only for scalar outputs");
  GradModeGuard mode(create_graph);
  Tensor ones = empty_tensor(root.sizes(), root.dtype(), root.device());
  fill_with(ones, Scalar(1.0));
  return ones;
}

thread_local bool all_leaves = true;

struct LeafScope {
  bool before = all_leaves;
  explicit LeafScope(bool all) { all_leaves = before && all; }
  ~LeafScope() { all_leaves = before; }
};

}  // namespace

bool reaches_all_leaves() { return all_leaves; }

std::vector<Tensor> run_backward(std::span<const Tensor> roots, std::span<const Tensor> gradients,
                                 std::span<const Tensor> inputs, const BackwardOptions& options) {
  Run run(options, !inputs.empty());
  for (size_t i = 0; i < roots.size(); ++i) {
    const Tensor& r = roots[i];
    PT_CHECK(r.requires_grad(), "element ", i,
             " of tensors does not require grad and does not have a grad_fn");
    const Tensor g =
        root_gradient(r, i, i < gradients.size() ? gradients[i] : Tensor(), options.create_graph);
    run.add_root(gradient_edge(r), g);
  }
  std::vector<Edge> input_edges;  // keeps accumulators alive during the run
  for (size_t i = 0; i < inputs.size(); ++i) {
    PT_CHECK(inputs[i].requires_grad(), "One of the differentiated Tensors does not require grad");
    if (options.accumulate) retain_grad(inputs[i]);
    input_edges.push_back(gradient_edge(inputs[i]));
    run.capture(input_edges.back().node.get(), input_edges.back().nr, i);
  }
  std::vector<Tensor> captured(inputs.size());
  {
    GradModeGuard mode(options.create_graph);
    LeafScope scope(inputs.empty());
    run.execute(captured);
  }
  if (!options.accumulate) {
    for (size_t i = 0; i < inputs.size(); ++i)
      PT_CHECK(captured[i].defined() || options.allow_unused, "The differentiated Tensor at index ",
               i,
               " appears to not have been used in the graph. Set allow_unused=True if this is the "
               "desired behavior.");
  }
  return captured;
}

void backward(const Tensor& root, const Tensor& gradient, bool keep_graph, bool create_graph) {
  BackwardOptions options;
  options.keep_graph = keep_graph || create_graph;
  options.create_graph = create_graph;
  run_backward({&root, 1}, {&gradient, 1}, {}, options);
}

}  // namespace pt
