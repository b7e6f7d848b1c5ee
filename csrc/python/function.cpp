// autograd.Function: apply() runs forward outside the graph and makes its outputs the outputs of a
// PyFunctionNode, whose backward is the class's. The ctx object is the node's Python face; the
// Python classes are in pytensor/autograd/function.py.
#include "op/copy.h"
#include "python/autograd.h"

#include <structmember.h>  // after Python.h

namespace pt::python {

namespace {

struct PyCtx {
  PyNode base;        // node: borrowed, null outside of a graph
  PyObject* to_save;  // what the forward asked for; null: nothing
  PyObject* dirty;
  PyObject* non_differentiable;
  PyObject* needs_input_grad;
  char materialize;
};
PyCtx* as_ctx(PyObject* o) { return reinterpret_cast<PyCtx*>(o); }

// Attributes of Function classes, as interned strings.
struct Names {
  PyObject* backward_class = PyUnicode_InternFromString("_backward_cls");
  PyObject* function_class = PyUnicode_InternFromString("_forward_cls");
  PyObject* setup = PyUnicode_InternFromString("_splits_setup");
  PyObject* forward = PyUnicode_InternFromString("forward");
  PyObject* setup_context = PyUnicode_InternFromString("setup_context");
  PyObject* backward = PyUnicode_InternFromString("backward");
};
const Names& names() {
  static const Names& n = *new Names;
  return n;
}

py::object attribute(PyObject* o, PyObject* name) {
  return py::reinterpret_steal<py::object>(check(PyObject_GetAttr(o, name)));
}

class PyFunctionNode final : public Node {
 public:
  explicit PyFunctionNode(PyObject* ctx) : ctx_(Py_NewRef(ctx)) {
    python = ctx_;
    runs_on_zeros = true;
    as_ctx(ctx_)->base.node = this;
  }
  ~PyFunctionNode() override {
    as_ctx(ctx_)->base.node = nullptr;
    drop(ctx_);
  }
  std::string name() const override { return Py_TYPE(ctx_)->tp_name; }
  void apply(GradVector& grads, GradVector& out) override;
  void release_saved() override {
    released_ = true;
    for (SavedTensor& s : saved_) s.reset();
  }

  // The forward's inputs, in order: edges are those of the tensors among them.
  std::vector<bool> is_tensor_input;
  void save(PyObject* tensors);
  PyObject* unpack_saved();

 private:
  void read_answer(PyObject* answer, GradVector& out);

  PyObject* ctx_;
  std::vector<SavedTensor> saved_;
  bool released_ = false;
};

void PyFunctionNode::save(PyObject* tensors) {
  const Py_ssize_t n = PyTuple_GET_SIZE(tensors);
  saved_.resize(static_cast<size_t>(n));
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* o = PyTuple_GET_ITEM(tensors, i);
    if (o == Py_None) continue;
    const Tensor& t = as_tensor(o);
    saved_[static_cast<size_t>(i)].save(t, t->grad_fn == this);
  }
}

PyObject* PyFunctionNode::unpack_saved() {
  if (released_) raise_freed_graph();
  py::tuple all(saved_.size());
  for (size_t i = 0; i < saved_.size(); ++i)
    all[i] = py::reinterpret_steal<py::object>(wrap(saved_[i].unpack(this)));
  return all.release().ptr();
}

void PyFunctionNode::apply(GradVector& grads, GradVector& out) {
  // The graph may be dropped from within backward().
  const auto keep = Ref<Node>::share(this);
  std::vector<py::object> held;
  std::vector<PyObject*> args{ctx_};
  held.reserve(grads.size());
  args.reserve(grads.size() + 1);
  for (uint32_t i = 0; i < num_outputs; ++i) {
    Tensor& g = grads[i];
    const OutputMeta& m = meta(i);
    if (!g.defined() && m.defined && as_ctx(ctx_)->materialize)
      g = zeros_tensor(m.sizes, m.dtype, m.device);
    held.push_back(py::reinterpret_steal<py::object>(wrap(std::move(g))));
    args.push_back(held.back().ptr());
  }
  const py::object cls =
      attribute(reinterpret_cast<PyObject*>(Py_TYPE(ctx_)), names().function_class);
  const py::object backward = attribute(cls.ptr(), names().backward);
  const auto answer = py::reinterpret_steal<py::object>(
      check(PyObject_Vectorcall(backward.ptr(), args.data(), args.size(), nullptr)));
  held.clear();
  read_answer(answer.ptr(), out);
}

void PyFunctionNode::read_answer(PyObject* answer, GradVector& out) {
  PyObject* const* items = &answer;
  Py_ssize_t n = 1;
  if (PyTuple_Check(answer)) {
    items = reinterpret_cast<PyTupleObject*>(answer)->ob_item;
    n = PyTuple_GET_SIZE(answer);
  }
  const auto inputs = static_cast<Py_ssize_t>(is_tensor_input.size());
  while (n > inputs && items[n - 1] == Py_None) --n;  // surplus None are harmless
  PT_CHECK(n == inputs, "function ", name(),
           " returned an incorrect number of gradients (expected ", inputs, ", got ", n, ")");
  size_t edge = 0;
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* g = items[i];
    if (!is_tensor_input[static_cast<size_t>(i)]) {
      PT_CHECK(g == Py_None, "function ", name(),
               " returned a gradient different than None at position ", i + 1,
               ", but the corresponding forward input was not a Variable");
      continue;
    }
    if (g != Py_None) {
      PT_CHECK(is_tensor(g), "expected Variable or None (got ", Py_TYPE(g)->tp_name, ")");
      out[edge] = as_tensor(g);
    }
    ++edge;
  }
}

// --- apply -------------------------------------------------------------------------------------

bool contains(PyObject* tuple, const Tensor& t) {
  if (!tuple) return false;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); ++i) {
    PyObject* o = PyTuple_GET_ITEM(tuple, i);
    if (is_tensor(o) && as_tensor(o).same_as(t)) return true;
  }
  return false;
}

void check_tensors(PyObject* tuple, const char* message) {
  for (Py_ssize_t i = 0; tuple && i < PyTuple_GET_SIZE(tuple); ++i) {
    PyObject* o = PyTuple_GET_ITEM(tuple, i);
    PT_CHECK_TYPE(is_tensor(o) || o == Py_None, message, i, " is of type ", Py_TYPE(o)->tp_name);
  }
}

// One call of apply(): what is known of its arguments.
struct Call {
  PyCtx* ctx;
  PyObject* const* args;
  Py_ssize_t nargs;
  bool recorded;  // some input requires grad and grad mode is on
  bool is_input(const Tensor& t) const {
    for (Py_ssize_t i = 0; i < nargs; ++i)
      if (is_tensor(args[i]) && as_tensor(args[i]).same_as(t)) return true;
    return false;
  }
};

// A tensor changed in place by forward(): node takes its place in the history.
void record_dirty(const Call& call, const Tensor& t, const Ref<Node>& node, uint32_t nr) {
  PT_CHECK(!t.is_leaf() || !t->has(TensorImpl::kRequiresGrad),
           "a leaf Variable that requires grad has been used in an in-place operation.");
  if (!t->base) return set_history(t.impl(), node, nr);
  PT_CHECK(node->num_outputs == 1,
           "Functions which modify views in-place must return a single Variable");
  PT_CHECK(call.nargs > 0 && is_tensor(call.args[0]) && as_tensor(call.args[0]).same_as(t),
           "Functions which modify a view in-place must take it as their first argument");
  rebase_history(t, node);
}

// Output `nr` of forward() as the caller gets it (a new reference).
PyObject* finish_output(const Call& call, PyObject* o, const Ref<Node>& node, uint32_t nr) {
  if (!is_tensor(o)) return Py_NewRef(o);
  Tensor t = as_tensor(o);
  const bool input = call.is_input(t), dirty = contains(call.ctx->dirty, t);
  const bool differentiable =
      node && is_floating(t.dtype()) && !contains(call.ctx->non_differentiable, t);
  // An input that comes back as it was must not lose its own place in the graph.
  const bool fresh = input && !dirty;
  if (fresh) t = alias(t);
  if (node) node->set_meta(nr, t);
  if (!differentiable) {
    if (fresh) return wrap(std::move(t));
    return t.requires_grad() ? wrap(alias(t)) : Py_NewRef(o);
  }
  if (dirty) {
    record_dirty(call, t, node, nr);
  } else {
    set_history(t.impl(), node, nr);
  }
  return fresh ? wrap(std::move(t)) : Py_NewRef(o);
}

void check_dirty(const Call& call, PyObject* const* outputs, Py_ssize_t n) {
  PyObject* dirty = call.ctx->dirty;
  for (Py_ssize_t i = 0; dirty && i < PyTuple_GET_SIZE(dirty); ++i) {
    PyObject* o = PyTuple_GET_ITEM(dirty, i);
    if (!is_tensor(o)) continue;
    bool returned = false;
    for (Py_ssize_t k = 0; k < n; ++k)
      returned = returned || (is_tensor(outputs[k]) && as_tensor(outputs[k]).same_as(as_tensor(o)));
    PT_CHECK(returned,
             "Some elements marked as dirty during the forward method were not returned as output. "
             "The inputs that are modified inplace must all be outputs of the Function.");
  }
}

Ref<Node> make_node(const Call& call, Py_ssize_t num_outputs) {
  auto* node = new PyFunctionNode(reinterpret_cast<PyObject*>(call.ctx));
  auto owner = Ref<Node>::adopt(node);
  node->set_num_outputs(static_cast<uint32_t>(num_outputs));
  for (Py_ssize_t i = 0; i < call.nargs; ++i) {
    const bool tensor = is_tensor(call.args[i]);
    node->is_tensor_input.push_back(tensor);
    if (tensor) node->edges.push_back(gradient_edge(as_tensor(call.args[i])));
  }
  return owner;
}

py::object run_forward(PyObject* cls, const Call& call, bool splits_setup) {
  const GradModeGuard off(false);
  const py::object forward = attribute(cls, names().forward);
  std::vector<PyObject*> args;
  args.reserve(static_cast<size_t>(call.nargs) + 1);
  if (!splits_setup) args.push_back(reinterpret_cast<PyObject*>(call.ctx));
  args.insert(args.end(), call.args, call.args + call.nargs);
  auto result = py::reinterpret_steal<py::object>(
      check(PyObject_Vectorcall(forward.ptr(), args.data(), args.size(), nullptr)));
  if (splits_setup) {
    py::tuple inputs(static_cast<size_t>(call.nargs));
    for (Py_ssize_t i = 0; i < call.nargs; ++i)
      inputs[static_cast<size_t>(i)] = py::reinterpret_borrow<py::object>(call.args[i]);
    attribute(cls, names().setup_context)(py::handle(reinterpret_cast<PyObject*>(call.ctx)), inputs,
                                          result);
  }
  return result;
}

PyObject* finish(const Call& call, py::object result) {
  PyCtx* ctx = call.ctx;
  PyObject* single = result.ptr();
  const bool tuple = PyTuple_Check(single);
  PyObject* const* outputs = tuple ? reinterpret_cast<PyTupleObject*>(single)->ob_item : &single;
  const Py_ssize_t n = tuple ? PyTuple_GET_SIZE(single) : 1;
  check_tensors(ctx->to_save, "save_for_backward can only save variables, but argument ");
  check_tensors(ctx->non_differentiable,
                "mark_non_differentiable only accepts variable arguments, but got argument ");
  check_tensors(ctx->dirty, "mark_dirty only accepts variable arguments, but got argument ");
  check_dirty(call, outputs, n);
  for (Py_ssize_t i = 0; ctx->dirty && i < PyTuple_GET_SIZE(ctx->dirty); ++i)
    if (PyObject* o = PyTuple_GET_ITEM(ctx->dirty, i); is_tensor(o))
      bump_version(as_tensor(o).impl());

  Ref<Node> node;
  if (call.recorded) node = make_node(call, n);
  py::object answer;
  if (tuple) {
    py::tuple all(static_cast<size_t>(n));
    for (Py_ssize_t i = 0; i < n; ++i)
      all[static_cast<size_t>(i)] = py::reinterpret_steal<py::object>(
          check(finish_output(call, outputs[i], node, static_cast<uint32_t>(i))));
    answer = std::move(all);
  } else {
    answer = py::reinterpret_steal<py::object>(check(finish_output(call, single, node, 0)));
  }
  if (node && ctx->to_save) static_cast<PyFunctionNode*>(node.get())->save(ctx->to_save);
  Py_CLEAR(ctx->to_save);
  Py_CLEAR(ctx->dirty);
  Py_CLEAR(ctx->non_differentiable);
  return answer.release().ptr();
}

py::object bind_arguments(PyObject* cls, PyObject* const* args, Py_ssize_t nargs,
                          PyObject* kwnames) {
  static PyObject* bind = imported("pytensor.autograd.function", "_bind_arguments");
  std::vector<PyObject*> all{cls};
  all.insert(all.end(), args, args + nargs + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0));
  return py::reinterpret_steal<py::object>(
      check(PyObject_Vectorcall(bind, all.data(), static_cast<size_t>(nargs) + 1, kwnames)));
}

PyObject* function_apply(PyObject* cls, PyObject* const* args, Py_ssize_t nargs,
                         PyObject* kwnames) {
  return guarded([&]() -> PyObject* {
    const bool splits_setup = attribute(cls, names().setup).ptr() == Py_True;
    py::object bound;
    if (splits_setup || (kwnames && PyTuple_GET_SIZE(kwnames) > 0)) {
      // Keywords and, for setup_context, defaults take their places among the positions.
      bound = bind_arguments(cls, args, nargs, kwnames);
      args = reinterpret_cast<PyTupleObject*>(bound.ptr())->ob_item;
      nargs = PyTuple_GET_SIZE(bound.ptr());
    }
    const py::object type = attribute(cls, names().backward_class);
    auto* ctx_class = reinterpret_cast<PyTypeObject*>(type.ptr());
    const auto owner = py::reinterpret_steal<py::object>(check(ctx_class->tp_alloc(ctx_class, 0)));
    Call call{as_ctx(owner.ptr()), args, nargs, false};
    call.ctx->materialize = 1;
    call.ctx->needs_input_grad = check(PyTuple_New(nargs));
    for (Py_ssize_t i = 0; i < nargs; ++i) {
      const bool needs = is_tensor(args[i]) && as_tensor(args[i]).requires_grad();
      call.recorded = call.recorded || needs;
      PyTuple_SET_ITEM(call.ctx->needs_input_grad, i, Py_NewRef(needs ? Py_True : Py_False));
    }
    call.recorded = call.recorded && grad_enabled();
    return finish(call, run_forward(cls, call, splits_setup));
  });
}

// --- the ctx object ----------------------------------------------------------------------------

int ctx_traverse(PyObject* o, visitproc visit, void* arg) {
  PyCtx* c = as_ctx(o);
  Py_VISIT(Py_TYPE(o));
  Py_VISIT(c->to_save);
  Py_VISIT(c->dirty);
  Py_VISIT(c->non_differentiable);
  Py_VISIT(c->needs_input_grad);
  return 0;
}
int ctx_clear(PyObject* o) {
  PyCtx* c = as_ctx(o);
  Py_CLEAR(c->to_save);
  Py_CLEAR(c->dirty);
  Py_CLEAR(c->non_differentiable);
  Py_CLEAR(c->needs_input_grad);
  return 0;
}
void ctx_dealloc(PyObject* o) {
  PyTypeObject* type = Py_TYPE(o);
  PyObject_GC_UnTrack(o);
  ctx_clear(o);
  type->tp_free(o);
  Py_DECREF(type);
}

PyObject* keep_tuple(PyObject*& slot, PyObject* const* args, Py_ssize_t nargs) {
  PyObject* tuple = PyTuple_New(nargs);
  if (!tuple) return nullptr;
  for (Py_ssize_t i = 0; i < nargs; ++i) PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
  Py_XSETREF(slot, tuple);
  Py_RETURN_NONE;
}
PyObject* save_for_backward(PyObject* o, PyObject* const* args, Py_ssize_t nargs) {
  return keep_tuple(as_ctx(o)->to_save, args, nargs);
}
PyObject* mark_dirty(PyObject* o, PyObject* const* args, Py_ssize_t nargs) {
  return keep_tuple(as_ctx(o)->dirty, args, nargs);
}
PyObject* mark_non_differentiable(PyObject* o, PyObject* const* args, Py_ssize_t nargs) {
  return keep_tuple(as_ctx(o)->non_differentiable, args, nargs);
}
PyObject* set_materialize_grads(PyObject* o, PyObject* value) {
  const int on = PyObject_IsTrue(value);
  if (on < 0) return nullptr;
  as_ctx(o)->materialize = static_cast<char>(on);
  Py_RETURN_NONE;
}
PyObject* get_saved_tensors(PyObject* o, void*) {
  return guarded([&]() -> PyObject* {
    Node* n = as_ctx(o)->base.node;
    if (!n) return check(PyTuple_New(0));
    return static_cast<PyFunctionNode*>(n)->unpack_saved();
  });
}

PyGetSetDef ctx_getset[] = {
    {"saved_tensors", get_saved_tensors, nullptr,
     "What save_for_backward() kept. Raises when it was changed in place or freed since.", nullptr},
    {}};
PyMemberDef ctx_members[] = {
    {"needs_input_grad", T_OBJECT, offsetof(PyCtx, needs_input_grad), 0,
     "For each input of forward, whether it requires grad."},
    {"to_save", T_OBJECT, offsetof(PyCtx, to_save), READONLY, "What is going to be saved."},
    {"materialize_grads", T_BOOL, offsetof(PyCtx, materialize), 0,
     "Whether backward gets zeros instead of None."},
    {}};
PyCFunction fast(PyObject* (*f)(PyObject*, PyObject* const*, Py_ssize_t)) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(f));
}
PyMethodDef ctx_methods[] = {
    {"save_for_backward", fast(save_for_backward), METH_FASTCALL,
     "Keeps tensors (or None) for backward, checked against changes in place. Call it once."},
    {"mark_dirty", fast(mark_dirty), METH_FASTCALL,
     "Names the inputs that forward changes in place; they must be returned."},
    {"mark_non_differentiable", fast(mark_non_differentiable), METH_FASTCALL,
     "Names the outputs that no gradient flows through."},
    {"set_materialize_grads", set_materialize_grads, METH_O,
     "False: backward gets None, not zeros, for outputs without a gradient."},
    {}};
PyMethodDef function_methods[] = {
    {"apply", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function_apply)),
     METH_FASTCALL | METH_KEYWORDS | METH_CLASS,
     "Calls forward and records the call, so that backward is called for its gradients."},
    {}};

}  // namespace

void init_function(py::module_& m) {
#define PT_SLOT(id, value) {id, reinterpret_cast<void*>(value)}
  PyType_Slot ctx_slots[] = {PT_SLOT(Py_tp_dealloc, ctx_dealloc),
                             PT_SLOT(Py_tp_traverse, ctx_traverse),
                             PT_SLOT(Py_tp_clear, ctx_clear),
                             PT_SLOT(Py_tp_getset, ctx_getset),
                             PT_SLOT(Py_tp_members, ctx_members),
                             PT_SLOT(Py_tp_methods, ctx_methods),
                             PT_SLOT(Py_tp_repr, PyBaseObject_Type.tp_repr),
                             {0, nullptr}};
  PyType_Spec ctx_spec{"pytensor._C.FunctionCtx", sizeof(PyCtx), 0,
                       Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, ctx_slots};
  PyObject* bases = check(PyTuple_Pack(1, node_type));
  m.attr("FunctionCtx") =
      py::reinterpret_steal<py::object>(check(PyType_FromSpecWithBases(&ctx_spec, bases)));
  Py_DECREF(bases);

  PyType_Slot function_slots[] = {PT_SLOT(Py_tp_methods, function_methods), {0, nullptr}};
#undef PT_SLOT
  PyType_Spec function_spec{"pytensor._C.FunctionBase", sizeof(PyObject), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, function_slots};
  m.attr("FunctionBase") =
      py::reinterpret_steal<py::object>(check(PyType_FromSpec(&function_spec)));
}

}  // namespace pt::python
