// autograd.Function: apply() runs forward outside the graph and makes its outputs the outputs of a
// PyFunctionNode, whose backward is the class's. The ctx object is the node's Python face; the
// Python classes are in pytensor/autograd/function.py.
#include "python/function_node.h"

namespace pt::python {

namespace {

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
  const py::object forward = attribute(cls, function_names().forward);
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
    attribute(cls, function_names().setup_context)(
        py::handle(reinterpret_cast<PyObject*>(call.ctx)), inputs, result);
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
    const bool splits_setup = attribute(cls, function_names().setup).ptr() == Py_True;
    py::object bound;
    if (splits_setup || (kwnames && PyTuple_GET_SIZE(kwnames) > 0)) {
      // Keywords and, for setup_context, defaults take their places among the positions.
      bound = bind_arguments(cls, args, nargs, kwnames);
      args = reinterpret_cast<PyTupleObject*>(bound.ptr())->ob_item;
      nargs = PyTuple_GET_SIZE(bound.ptr());
    }
    const py::object type = attribute(cls, function_names().backward_class);
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

PyMethodDef function_methods[] = {
    {"apply", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function_apply)),
     METH_FASTCALL | METH_KEYWORDS | METH_CLASS,
     "Calls forward and records the call, so that backward is called for its gradients."},
    {}};

}  // namespace

void init_function(py::module_& m) {
  init_function_context(m);
  PyType_Slot function_slots[] = {{Py_tp_methods, reinterpret_cast<void*>(function_methods)},
                                  {0, nullptr}};
  PyType_Spec function_spec{"pytensor._C.FunctionBase", sizeof(PyObject), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, function_slots};
  m.attr("FunctionBase") =
      py::reinterpret_steal<py::object>(check(PyType_FromSpec(&function_spec)));
}

}  // namespace pt::python
