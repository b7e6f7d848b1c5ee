// backward(), hooks and flags of tensors, and the thread's modes. What users call is in
// pytensor/autograd/.
#include "autograd/engine.h"

#include "core/storage.h"
#include "python/autograd.h"
#include "python/method_args.h"

namespace pt::python {

namespace {

// A tensor, or a tuple or list of tensors and (where allowed) None.
std::vector<Tensor> tensors_of(PyObject* o, const char* what, bool allow_none) {
  std::vector<Tensor> all;
  auto take = [&](PyObject* item) {
    if (item == Py_None && allow_none) {
      all.emplace_back();
      return;
    }
    PT_CHECK_TYPE(is_tensor(item), what, " must be tensors", allow_none ? " or None" : "", ", got ",
                  Py_TYPE(item)->tp_name);
    all.push_back(as_tensor(item));
  };
  if (!o || o == Py_None) return all;
  if (is_tensor(o)) {
    take(o);
    return all;
  }
  const auto items = py::reinterpret_steal<py::object>(
      check(PySequence_Fast(o, "expected a tensor or a sequence of tensors")));
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items.ptr()); ++i)
    take(PySequence_Fast_GET_ITEM(items.ptr(), i));
  return all;
}

// run_backward(tensors, grad_tensors, keep_graph, create_graph, inputs, allow_unused, accumulate)
PyObject* backward_function(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  return guarded([&]() -> PyObject* {
    const MethodArgs a("run_backward",
                       {"tensors", "grad_tensors", "keep_graph", "create_graph", "inputs",
                        "allow_unused", "accumulate"},
                       7, args, nargs, kwnames);
    BackwardOptions options;
    options.keep_graph = a.flag(2);
    options.create_graph = a.flag(3);
    options.allow_unused = a.flag(5);
    options.accumulate = a.flag(6, true);
    const auto roots = tensors_of(a.required(0), "tensors", false);
    const auto gradients = tensors_of(a[1], "gradients", true);
    const auto inputs = tensors_of(a[4], "inputs", false);
    const auto found = run_backward(roots, gradients, inputs, options);
    if (options.accumulate) Py_RETURN_NONE;
    return wrap_all(found).release().ptr();
  });
}

PyObject* tensor_backward(PyObject* o, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  return guarded([&]() -> PyObject* {
    const MethodArgs a("backward", {"gradient", "retain_graph", "create_graph", "inputs"}, 4, args,
                       nargs, kwnames);
    BackwardOptions options;
    options.create_graph = a.flag(2);
    options.keep_graph = a.given(1) ? a.flag(1) : options.create_graph;
    PT_CHECK_TYPE(!a.given(0) || is_tensor(a[0]),
                  "gradients can be either Tensors or None, but got ", Py_TYPE(a[0])->tp_name);
    const Tensor gradient = a.given(0) ? as_tensor(a[0]) : Tensor();
    std::vector<Tensor> inputs;
    if (a.given(3)) {
      inputs = tensors_of(a[3], "inputs", false);
      PT_CHECK(!inputs.empty(), "`inputs` argument to `backward()` cannot be empty.");
    }
    const Tensor root = as_tensor(o);
    run_backward({&root, 1}, {&gradient, 1}, inputs, options);
    Py_RETURN_NONE;
  });
}

// --- hooks and flags of tensors ----------------------------------------------------------------

PyObject* register_hook(PyObject* o, PyObject* function) {
  return guarded([&]() -> PyObject* {
    const Tensor& t = as_tensor(o);
    PT_CHECK(t.requires_grad(), "cannot register a hook on a tensor that doesn't require gradient");
    if (Node* n = grad_fn_of(t))
      return add_tensor_hook(n->get_extra().tensor_hooks, function, t->output_nr);
    return add_tensor_hook(get_extra(t.impl()).leaf_hooks, function, 0);
  });
}

PyObject* register_post_accumulate_grad_hook(PyObject* o, PyObject* function) {
  return guarded([&]() -> PyObject* {
    const Tensor& t = as_tensor(o);
    PT_CHECK(t.requires_grad(), "cannot register a hook on a tensor that doesn't require gradient");
    PT_CHECK(t.is_leaf(), "post accumulate grad hooks cannot be registered on non-leaf tensors");
    return add_accumulate_hook(get_extra(t.impl()).post_accumulate, function);
  });
}

PyObject* tensor_retain_grad(PyObject* o, PyObject*) {
  return guarded([&]() -> PyObject* {
    retain_grad(as_tensor(o));
    Py_RETURN_NONE;
  });
}

PyObject* requires_grad_(PyObject* o, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  return guarded([&]() -> PyObject* {
    const MethodArgs a("requires_grad_", {"requires_grad"}, 1, args, nargs, kwnames);
    const Tensor& t = as_tensor(o);
    const bool on = a.flag(0, true);
    PT_CHECK(t.is_leaf() || on,
             "you can only change requires_grad flags of leaf variables. If you want to use a "
             "computed variable in a subgraph that doesn't require differentiation use var_no_grad "
             "= var.detach().");
    PT_CHECK(!on || is_floating(t.dtype()),
             "only Tensors of floating point dtype can require gradients");
    PT_CHECK(
        !on || !t->has(TensorImpl::kInference) || thread_modes.inference,
        "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.");
    if (t.is_leaf()) t->set(TensorImpl::kRequiresGrad, on);
    return Py_NewRef(o);
  });
}

PyObject* tensor_detach_(PyObject* o, PyObject*) {
  return guarded([&]() -> PyObject* {
    const Tensor& t = as_tensor(o);
    PT_CHECK(!t->base,
             "Can't detach views in-place. Use detach() instead. If you are using "
             "DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as "
             "True, gradients are views of DDP buckets, and hence detach_() cannot be called on "
             "these gradients. To fix this error, please refer to the Optimizer.zero_grad() "
             "function in torch/optim/optimizer.py as the solution.");
    t->set(TensorImpl::kRequiresGrad, false);
    set_history(t.impl(), {}, 0);
    return Py_NewRef(o);
  });
}

PyObject* is_inference(PyObject* o, PyObject*) {
  return PyBool_FromLong(as_tensor(o)->has(TensorImpl::kInference));
}

// --- modes -------------------------------------------------------------------------------------

PyObject* get_grad_enabled(PyObject*, PyObject*) { return PyBool_FromLong(thread_modes.grad); }
PyObject* get_inference_mode(PyObject*, PyObject*) {
  return PyBool_FromLong(thread_modes.inference);
}
PyObject* is_checkpoint_valid(PyObject*, PyObject*) {
  return PyBool_FromLong(reaches_all_leaves());
}
PyObject* get_anomaly(PyObject*, PyObject*) { return PyBool_FromLong(anomaly_mode.enabled); }
PyObject* get_anomaly_check_nan(PyObject*, PyObject*) {
  return PyBool_FromLong(anomaly_mode.check_nan);
}

// Sets a switch and returns what it was; null with a Python error unless `value` is a bool.
PyObject* exchange(bool& flag, PyObject* value, const char* function) {
  if (!PyBool_Check(value))
    return PyErr_Format(PyExc_TypeError, "%s(): argument must be bool, not %s", function,
                        Py_TYPE(value)->tp_name);
  return PyBool_FromLong(std::exchange(flag, value == Py_True));
}
PyObject* set_grad_enabled(PyObject*, PyObject* value) {
  return exchange(thread_modes.grad, value, "set_grad_enabled");
}
PyObject* set_inference_mode(PyObject*, PyObject* value) {
  return exchange(thread_modes.inference, value, "set_inference_mode");
}

// The Python stack, as traceback.format_stack() prints it.
std::string python_stack() {
  static PyObject* format_stack = imported("traceback", "format_stack");
  std::string text;
  for (py::handle line : py::list(py::handle(format_stack)())) text += py::cast<std::string>(line);
  return text;
}

void warn_of_failure(const std::string& node, const std::string& trace) {
  const std::string text =
      trace.empty()
          ? concat("Error detected in ", node,
                   ". No forward pass information available. Enable detect anomaly during forward "
                   "pass for more information.")
          : concat("Error detected in ", node,
                   ". Traceback of forward call that caused the error:\n", trace);
  // The error that is on its way matters more than a warning turned into one.
  if (PyErr_WarnEx(PyExc_UserWarning, text.c_str(), 1) < 0) PyErr_Clear();
}

// set_anomaly(enabled, check_nan) -> the pair before
PyObject* set_anomaly(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  return guarded([&]() -> PyObject* {
    const MethodArgs a("set_anomaly", {"enabled", "check_nan"}, 2, args, nargs, kwnames);
    a.required(0);
    const bool enabled = a.flag(0), check_nan = a.flag(1, true);
    const auto before = py::make_tuple(anomaly_mode.enabled, anomaly_mode.check_nan);
    anomaly_mode.enabled = enabled;
    anomaly_mode.check_nan = check_nan;
    return Py_NewRef(before.ptr());
  });
}

PyObject* live_objects(PyObject*, PyObject*) {
  return guarded([&] {
    py::dict d;
    d["tensors"] = live_tensors();
    d["storages"] = live_storages();
    d["nodes"] = live_nodes();
    return d.release().ptr();
  });
}

PyMethodDef autograd_methods[] = {
    fast_method("backward", tensor_backward,
                "Computes the gradients of this tensor and adds them to the leaves' .grad."),
    {"register_hook", register_hook, METH_O,
     "hook(grad) is called with this tensor's gradient and may return another in its place."},
    {"register_post_accumulate_grad_hook", register_post_accumulate_grad_hook, METH_O,
     "hook(tensor) is called after this leaf's .grad was accumulated."},
    {"retain_grad", tensor_retain_grad, METH_NOARGS, "Keeps .grad although this is no leaf."},
    fast_method("requires_grad_", requires_grad_, "Sets requires_grad; returns self."),
    {"detach_", tensor_detach_, METH_NOARGS, "Takes this tensor out of the graph; returns self."},
    {"is_inference", is_inference, METH_NOARGS, "Made under inference_mode?"},
    {}};

PyMethodDef autograd_functions[] = {
    fast_method("run_backward", backward_function, nullptr),
    {"grad_enabled", get_grad_enabled, METH_NOARGS, nullptr},
    {"set_grad_enabled", set_grad_enabled, METH_O, nullptr},
    {"is_inference_mode_enabled", get_inference_mode, METH_NOARGS, nullptr},
    {"set_inference_mode", set_inference_mode, METH_O, nullptr},
    {"is_checkpoint_valid", is_checkpoint_valid, METH_NOARGS, nullptr},
    {"is_anomaly_enabled", get_anomaly, METH_NOARGS, nullptr},
    {"is_anomaly_check_nan_enabled", get_anomaly_check_nan, METH_NOARGS, nullptr},
    fast_method("set_anomaly", set_anomaly, nullptr),
    {"_live", live_objects, METH_NOARGS, "How many tensors, storages and nodes are alive."},
    {}};

}  // namespace

void init_autograd(py::module_& m) {
  anomaly_mode.capture = python_stack;
  anomaly_mode.warn = warn_of_failure;
  add_tensor_methods(autograd_methods);
  add_functions(m, autograd_functions);
  init_hooks(m);
  init_autocast(m);
  init_nodes(m);
  init_function(m);
}

}  // namespace pt::python
