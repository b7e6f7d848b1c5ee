// The parts of autograd.Function: the ctx object (function_context.cpp), the graph node whose
// Python face it is (function_node.cpp) and apply() (function.cpp). For these files alone.
#pragma once

#include "python/autograd.h"

namespace pt::python {

struct PyCtx {
  PyNode base;        // node: borrowed, null outside of a graph
  PyObject* to_save;  // what the forward asked for; null: nothing
  PyObject* dirty;
  PyObject* non_differentiable;
  PyObject* needs_input_grad;
  char materialize;
};
inline PyCtx* as_ctx(PyObject* o) { return reinterpret_cast<PyCtx*>(o); }

// Attributes of Function classes, as interned strings.
struct FunctionNames {
  PyObject* backward_class = PyUnicode_InternFromString("_backward_cls");
  PyObject* function_class = PyUnicode_InternFromString("_forward_cls");
  PyObject* setup = PyUnicode_InternFromString("_splits_setup");
  PyObject* forward = PyUnicode_InternFromString("forward");
  PyObject* setup_context = PyUnicode_InternFromString("setup_context");
  PyObject* backward = PyUnicode_InternFromString("backward");
};
inline const FunctionNames& function_names() {
  static const FunctionNames& n = *new FunctionNames;
  return n;
}

inline py::object attribute(PyObject* o, PyObject* name) {
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

void init_function_context(py::module_& m);  // the class FunctionCtx

}  // namespace pt::python
