// Shared by the files that show autograd to Python: nodes.cpp (grad_fn objects), hooks.cpp,
// function.cpp (autograd.Function) and autograd.cpp (backward and the modes).
#pragma once

#include <memory>

#include "python/object.h"

namespace pt::python {

// --- nodes.cpp ---------------------------------------------------------------------------------
// The Python face of a node. One of the library's own nodes is kept alive by its face; the face of
// a PyFunctionNode is its ctx object, which the node keeps alive and which forgets the node when
// that goes away.
struct PyNode {
  PyObject_HEAD Node* node;
};
extern PyTypeObject* node_type;
void init_nodes(py::module_& m);

// --- function.cpp ------------------------------------------------------------------------------
void init_function(py::module_& m);

// --- hooks.cpp ---------------------------------------------------------------------------------
// Drops a reference, whether or not this thread holds the GIL; nothing after the interpreter's end.
void drop(PyObject* o);
// Each takes a Python callable and returns a new reference to a RemovableHandle.
PyObject* add_tensor_hook(HookList<TensorHook>& list, PyObject* function, uint32_t nr);
PyObject* add_accumulate_hook(HookList<PostAccumulateHook>& list, PyObject* function);
PyObject* add_pre_hook(HookList<NodePreHook>& list, PyObject* function);
PyObject* add_post_hook(HookList<NodePostHook>& list, PyObject* function);
void init_hooks(py::module_& m);

// autocast.cpp: the thread's autocast state.
void init_autocast(py::module_& m);

// A tuple of the wrapped tensors, None for undefined ones.
py::object wrap_all(const GradVector& tensors);
// An attribute of a module, imported at first use and kept: static PyObject* x = imported(...).
PyObject* imported(const char* module, const char* attribute);

}  // namespace pt::python
