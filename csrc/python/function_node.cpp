// The graph node of an autograd.Function: calls the class's backward. See function_node.h.
#include "python/function_node.h"

#include "op/copy.h"

namespace pt::python {

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
  // backward() may ask whether a saved view requires grad, without create_graph too.
  const GradModeGuard on(true);
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
      attribute(reinterpret_cast<PyObject*>(Py_TYPE(ctx_)), function_names().function_class);
  const py::object backward = attribute(cls.ptr(), function_names().backward);
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

}  // namespace pt::python
