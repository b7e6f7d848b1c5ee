#include "python/object.h"
#include "autograd/engine.h"
#include "ops/core_ops.h"
namespace pt::python {
PyObject* wrap_node(Node* n){ if(!n) Py_RETURN_NONE; return PyUnicode_FromString(n->name().c_str()); }
PyObject* index_get(PyObject* self, PyObject* key){ return guarded([&]{ int64_t i; to_int(key,i); return wrap(select(as_tensor(self),0,i)); }); }
int index_set(PyObject*, PyObject*, PyObject*){ return -1; }
void init_autograd(py::module_& m){
 m.def("backward",[](py::object o){ backward(as_tensor(o.ptr())); });
 m.def("grad_enabled",[]{return thread_modes.grad;});
 m.def("set_grad_enabled",[](bool b){ bool p=thread_modes.grad; thread_modes.grad=b; return p;});
 m.def("set_inference_mode",[](bool b){ return b;});
}
}
