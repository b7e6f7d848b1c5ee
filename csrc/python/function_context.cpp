// The ctx object that forward and backward of an autograd.Function get. See function_node.h.
#include "python/function_node.h"

#include <structmember.h>  // after Python.h

namespace pt::python {

namespace {

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
PyCFunction as_method(PyObject* (*f)(PyObject*, PyObject* const*, Py_ssize_t)) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(f));
}
PyMethodDef ctx_methods[] = {
    {"save_for_backward", as_method(save_for_backward), METH_FASTCALL,
     "Keeps tensors (or None) for backward, checked against changes in place. Call it once."},
    {"mark_dirty", as_method(mark_dirty), METH_FASTCALL,
     "Names the inputs that forward changes in place; they must be returned."},
    {"mark_non_differentiable", as_method(mark_non_differentiable), METH_FASTCALL,
     "Names the outputs that no gradient flows through."},
    {"set_materialize_grads", set_materialize_grads, METH_O,
     "False: backward gets None, not zeros, for outputs without a gradient."},
    {}};

}  // namespace

void init_function_context(py::module_& m) {
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
#undef PT_SLOT
}

}  // namespace pt::python
