// grad_fn objects: a Python object per live node, of a type named after the node.
#include <unordered_map>

#include "op/record.h"
#include "python/autograd.h"

namespace pt::python {

PyTypeObject* node_type = nullptr;

namespace {

// The node of a face; raises for the ctx of an autograd.Function whose graph is gone.
Node& node_of(PyObject* o) {
  Node* n = reinterpret_cast<PyNode*>(o)->node;
  PT_CHECK(n, "'", Py_TYPE(o)->tp_name,
           "' does not belong to a graph: its outputs are gone or do not require grad");
  return *n;
}

void node_dealloc(PyObject* o) {
  PyTypeObject* type = Py_TYPE(o);
  if (Node* n = std::exchange(reinterpret_cast<PyNode*>(o)->node, nullptr)) {
    n->python = nullptr;
    release(n);
  }
  type->tp_free(o);
  Py_DECREF(type);
}

PyObject* node_repr(PyObject* o) {
  return PyUnicode_FromFormat("<%s object at %p>", Py_TYPE(o)->tp_name, o);
}

PyObject* node_name(PyObject* o, PyObject*) {
  return guarded([&] { return PyUnicode_FromString(node_of(o).name().c_str()); });
}

PyObject* node_sequence(PyObject* o, PyObject*) {
  return guarded([&] { return PyLong_FromUnsignedLongLong(node_of(o).sequence); });
}

PyObject* get_next_functions(PyObject* o, void*) {
  return guarded([&] {
    const Node& n = node_of(o);
    py::tuple all(n.edges.size());
    for (size_t i = 0; i < n.edges.size(); ++i) {
      const Edge& e = n.edges[i];
      all[i] = py::make_tuple(py::reinterpret_steal<py::object>(wrap_node(e.node.get())), e.nr);
    }
    return all.release().ptr();
  });
}

PyObject* get_metadata(PyObject* o, void*) {
  return guarded([&] {
    const Node& n = node_of(o);
    py::dict d;
    if (n.extra && !n.extra->trace.empty()) {
      py::list lines;
      lines.append(n.extra->trace);
      d["traceback_"] = lines;
    }
    return d.release().ptr();
  });
}

PyObject* register_hook(PyObject* o, PyObject* f) {
  return guarded([&] { return add_post_hook(node_of(o).get_extra().post_hooks, f); });
}
PyObject* register_prehook(PyObject* o, PyObject* f) {
  return guarded([&] { return add_pre_hook(node_of(o).get_extra().pre_hooks, f); });
}

// Besides the type's attributes: `variable` of an accumulator, `_saved_self` and the like of ops.
PyObject* get_attribute(PyObject* o, PyObject* name) {
  PyObject* found = PyObject_GenericGetAttr(o, name);
  if (found || !PyErr_ExceptionMatches(PyExc_AttributeError)) return found;
  return guarded([&]() -> PyObject* {
    py::error_already_set missing;
    Py_ssize_t n;
    const std::string_view key = check_utf8(name, &n);
    Node* node = reinterpret_cast<PyNode*>(o)->node;
    if (auto* leaf = dynamic_cast<AccumulateGrad*>(node); leaf && key == "variable")
      return wrap(leaf->variable());
    constexpr std::string_view kSaved = "_saved_";
    if (auto* op = dynamic_cast<OpNode*>(node); op && key.starts_with(kSaved)) {
      for (auto& [saved, tensor] : op->saved_tensors())
        if (saved == key.substr(kSaved.size())) return wrap(tensor);
    }
    missing.restore();
    return nullptr;
  });
}

// The names that get_attribute knows too.
PyObject* node_dir(PyObject* o, PyObject*) {
  return guarded([&] {
    const auto object =
        py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(&PyBaseObject_Type));
    py::list names = object.attr("__dir__")(py::handle(o));
    Node* node = reinterpret_cast<PyNode*>(o)->node;
    if (dynamic_cast<AccumulateGrad*>(node)) names.append("variable");
    if (auto* op = dynamic_cast<OpNode*>(node); op && !op->released()) {
      for (auto& [name, tensor] : op->saved_tensors()) names.append("_saved_" + name);
    }
    return names.release().ptr();
  });
}

PyGetSetDef getset[] = {
    {"next_functions", get_next_functions, nullptr,
     "Where gradients go: a tuple of (node or None, output number).", nullptr},
    {"metadata", get_metadata, nullptr,
     "What is known of the call; with anomaly detection, where it was made.", nullptr},
    {}};
PyMethodDef node_methods[] = {
    {"__dir__", node_dir, METH_NOARGS, "Names of attributes."},
    {"name", node_name, METH_NOARGS, "The node's name, such as 'AddBackward0'."},
    {"_sequence_nr", node_sequence, METH_NOARGS, "Order of creation."},
    {"register_hook", register_hook, METH_O,
     "hook(grad_inputs, grad_outputs) is called after the node ran and may replace grad_inputs."},
    {"register_prehook", register_prehook, METH_O,
     "hook(grad_outputs) is called before the node runs and may replace grad_outputs."},
    {}};

PyTypeObject* make_type(const std::string& name, PyType_Slot* slots, unsigned flags) {
  // The module part makes the type print by its bare name. Python 3.10 keeps the pointer.
  const auto* full = new std::string("builtins." + name);
  PyType_Spec spec{
      full->c_str(), sizeof(PyNode), 0,
      static_cast<unsigned>(Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | flags), slots};
  PyObject* bases = nullptr;
  if (node_type) bases = check(PyTuple_Pack(1, node_type));
  PyObject* type = PyType_FromSpecWithBases(&spec, bases);
  Py_XDECREF(bases);
  auto* made = reinterpret_cast<PyTypeObject*>(check(type));
  made->tp_name = full->c_str() + full->rfind('.') + 1;
  return made;
}

PyTypeObject* type_of(const Node& n) {
  static auto& types = *new std::unordered_map<std::string, PyTypeObject*>;
  PyTypeObject*& type = types[n.name()];
  if (!type) {
    PyType_Slot none[] = {{0, nullptr}};
    type = make_type(n.name(), none, 0);
  }
  return type;
}

}  // namespace

PyObject* wrap_node(Node* node) {
  if (!node) Py_RETURN_NONE;
  if (node->python) return Py_NewRef(static_cast<PyObject*>(node->python));
  PyTypeObject* type = type_of(*node);
  auto* o = reinterpret_cast<PyNode*>(check(type->tp_alloc(type, 0)));
  retain(node);
  o->node = node;
  node->python = o;
  return reinterpret_cast<PyObject*>(o);
}

void init_nodes(py::module_& m) {
#define PT_SLOT(id, value) {id, reinterpret_cast<void*>(value)}
  PyType_Slot slots[] = {
      PT_SLOT(Py_tp_dealloc, node_dealloc),
      PT_SLOT(Py_tp_repr, node_repr),
      PT_SLOT(Py_tp_getattro, get_attribute),
      PT_SLOT(Py_tp_getset, getset),
      PT_SLOT(Py_tp_methods, node_methods),
      PT_SLOT(Py_tp_doc, const_cast<char*>("A node of the autograd graph: a grad_fn.")),
      {0, nullptr}};
#undef PT_SLOT
  node_type = make_type("Node", slots, Py_TPFLAGS_BASETYPE);
  m.attr("Node") = py::handle(reinterpret_cast<PyObject*>(node_type));
}

}  // namespace pt::python
