// Functions and methods of the registry as Python callables, and the conversion of results.

#include <unordered_map>

#include "python/parse.h"

#include <structmember.h>  // after Python.h

namespace pt::python {

namespace {

// A callable for one overload set: as a method descriptor it receives self as first argument.
struct OpFunction {
  PyObject_HEAD vectorcallfunc vectorcall;
  std::vector<Signature>* signatures;  // built at the first call
  const OverloadSet* set;
  PyObject* name;
  bool method;
};
PyTypeObject* op_function_type = nullptr;

const std::vector<Signature>& signatures_of(OpFunction* f) {
  if (!f->signatures) {
    f->signatures = new std::vector<Signature>;
    for (const OpInfo* op : f->set->ops)
      if (op->internal || (f->method ? op->as_method : op->as_function))
        f->signatures->emplace_back(op);
  }
  return *f->signatures;
}

PyObject* invoke(const Signature& sig, ParsedCall& parsed) {
  Result result;
  if (parsed.has_out) {
    dispatch_out(*sig.op, parsed.values, parsed.out, result);
  } else {
    dispatch(*sig.op, parsed.values, result);
  }
  if (parsed.requires_grad && result.t[0].defined()) {
    PT_CHECK(is_floating(result.t[0].dtype()),
             "Only Tensors of floating point and complex dtype can require gradients");
    result.t[0]->set(TensorImpl::kRequiresGrad, true);
  }
  return wrap_result(*sig.op, result);
}

std::string describe_arguments(const CallArgs& call) {
  std::string s = "(";
  const Py_ssize_t kw = call.kwnames ? PyTuple_GET_SIZE(call.kwnames) : 0;
  for (Py_ssize_t i = 0; i < call.nargs + kw; ++i) {
    if (i) s += ", ";
    if (i >= call.nargs) {
      const char* k = PyUnicode_AsUTF8(PyTuple_GET_ITEM(call.kwnames, i - call.nargs));
      s += concat(k ? k : "?", "=");
    }
    s += Py_TYPE(call.args[i])->tp_name;
  }
  return s + ")";
}

PyObject* call_signatures(const std::vector<Signature>& signatures, const std::string& name,
                          const CallArgs& call) {
  if (signatures.size() == 1) {
    ParsedCall parsed;
    if (parse_call(signatures[0], call, parsed, nullptr)) return invoke(signatures[0], parsed);
    ParsedCall again;
    std::string error;
    parse_call(signatures[0], call, again, &error);
    throw Error(ErrorKind::kType, error);
  }
  for (const Signature& sig : signatures) {
    ParsedCall parsed;
    if (parse_call(sig, call, parsed, nullptr)) return invoke(sig, parsed);
  }
  std::string error = concat(name, "() received an invalid combination of arguments - got ",
                             describe_arguments(call), ", but expected one of:");
  for (const Signature& sig : signatures) {
    ParsedCall parsed;
    std::string why;
    parse_call(sig, call, parsed, &why);
    error += concat("\n * ", sig.op->schema->text, "\n      ", why);
  }
  throw Error(ErrorKind::kType, error);
}

PyObject* op_vectorcall(PyObject* callable, PyObject* const* args, size_t nargsf,
                        PyObject* kwnames) {
  return guarded([&]() -> PyObject* {
    auto* f = reinterpret_cast<OpFunction*>(callable);
    CallArgs call{nullptr, args, PyVectorcall_NARGS(nargsf), kwnames};
    if (f->method) {
      PT_CHECK_TYPE(call.nargs > 0 && is_tensor(args[0]), "descriptor '", f->set->name,
                    "' requires a 'Tensor' object");
      call.self = args[0];
      call.args = args + 1;
      --call.nargs;
    }
    return call_signatures(signatures_of(f), f->set->name, call);
  });
}

PyObject* op_descr_get(PyObject* self, PyObject* object, PyObject*) {
  auto* f = reinterpret_cast<OpFunction*>(self);
  if (!f->method || !object || object == Py_None) return Py_NewRef(self);
  return PyMethod_New(self, object);
}
PyObject* op_name(PyObject* self, void*) {
  return Py_NewRef(reinterpret_cast<OpFunction*>(self)->name);
}
PyObject* op_doc(PyObject* self, void*) {
  auto* f = reinterpret_cast<OpFunction*>(self);
  std::string doc;
  for (const OpInfo* op : f->set->ops) doc += concat(op->schema->text, "\n");
  for (const OpInfo* op : f->set->ops)
    if (*op->doc) doc += concat("\n", op->doc, "\n");
  return PyUnicode_FromStringAndSize(doc.data(), static_cast<Py_ssize_t>(doc.size()));
}
PyObject* op_repr(PyObject* self) {
  return PyUnicode_FromFormat("<built-in method %U>", reinterpret_cast<OpFunction*>(self)->name);
}
PyObject* op_reduce(PyObject* self, PyObject*) {
  return Py_NewRef(reinterpret_cast<OpFunction*>(self)->name);
}
PyGetSetDef op_getset[] = {{"__name__", op_name, nullptr, nullptr, nullptr},
                           {"__qualname__", op_name, nullptr, nullptr, nullptr},
                           {"__doc__", op_doc, nullptr, nullptr, nullptr},
                           {}};
PyMethodDef op_methods[] = {{"__reduce__", op_reduce, METH_NOARGS, nullptr}, {}};

PyObject* make_op(const OverloadSet& set, bool method) {
  auto* f = PyObject_New(OpFunction, op_function_type);
  if (!f) throw_python_error();
  f->vectorcall = op_vectorcall;
  f->signatures = nullptr;
  f->set = &set;
  f->name = PyUnicode_InternFromString(set.name.c_str());
  f->method = method;
  return reinterpret_cast<PyObject*>(f);
}

// torch.return_types.max(values=..., indices=...): one struct sequence type per op with names.
PyTypeObject* return_type(const OpInfo& op) {
  static auto& types = *new std::unordered_map<const Schema*, PyTypeObject*>;
  auto it = types.find(op.schema);
  if (it != types.end()) return it->second;
  const Schema& s = *op.schema;
  auto* name = new std::string(concat("torch.return_types.", s.name));
  auto* fields = new std::vector<PyStructSequence_Field>;
  for (int i = 0; i < s.num_outputs; ++i)
    fields->push_back({(new std::string(s.output_names[i]))->c_str(), nullptr});
  fields->push_back({nullptr, nullptr});
  auto* desc = new PyStructSequence_Desc{name->c_str(), nullptr, fields->data(), s.num_outputs};
  PyTypeObject* type = PyStructSequence_NewType(desc);
  if (!type) throw_python_error();
  types[op.schema] = type;
  return type;
}

const char* type_name(Type t) {
  static constexpr const char* kNames[] = {
      "Tensor",  "Tensor[]", "Scalar",     "int",    "float",  "bool",         "int[]",
      "float[]", "str",      "ScalarType", "Device", "Layout", "MemoryFormat", "Generator"};
  return kNames[static_cast<int>(t)];
}

// The whole registry as data, for stubs, docs and tests.
py::list describe_registry() {
  py::list all;
  for (const OverloadSet* set : Registry::get().sets()) {
    for (const OpInfo* op : set->ops) {
      py::dict d;
      d["name"] = set->name;
      d["op"] = op->name;
      d["schema"] = py::str(std::string(op->schema->text));
      d["overload"] = py::str(std::string(op->schema->overload));
      d["doc"] = op->doc;
      d["method"] = op->as_method;
      d["function"] = op->as_function;
      d["internal"] = op->internal;
      d["inplace"] = op->variant == Variant::kInplace;
      d["numbers"] = op->numbers_as_tensors;
      d["has_inplace"] = op->has_inplace;
      d["inplace_only"] = op->inplace_only;
      d["has_out"] = op->has_out;
      d["composite"] = op->composite;
      d["view"] = op->view;
      d["differentiable"] = op->composite || (op->differentiable && op->backward);
      // "refused", "host" (by way of it) or "device"
      const bool here = op->composite || op->view || op->device_use != DeviceUse::kHost;
      d["device"] = !here                                       ? "refused"
                    : op->device_use == DeviceUse::kThroughHost ? "host"
                                                                : "device";
      d["test"] = op->test_options;
      py::list samples;
      for (const char* s : op->samples) samples.append(s);
      d["samples"] = samples;
      py::list params;
      for (int i = 0; i < op->schema->num_params; ++i) {
        const Param& p = op->schema->params[i];
        py::dict q;
        q["name"] = py::str(std::string(p.name));
        q["type"] = type_name(p.type);
        q["optional"] = p.optional;
        q["default"] =
            p.has_default ? py::object(py::str(std::string(p.default_text))) : py::none();
        q["keyword_only"] = p.keyword_only;
        q["list_size"] = p.list_size;
        params.append(q);
      }
      d["params"] = params;
      d["num_outputs"] = op->schema->num_outputs;
      d["returns"] = static_cast<int>(op->schema->return_type);
      all.append(d);
    }
  }
  return all;
}

}  // namespace

PyObject* wrap_result(const OpInfo& op, Result& result) {
  switch (op.schema->return_type) {
    case ReturnType::kTensor: {
      if (op.schema->num_outputs == 1) return wrap(std::move(result.t[0]));
      const bool named = !op.schema->output_names[0].empty();
      PyObject* tuple = check(named ? PyStructSequence_New(return_type(op))
                                    : PyTuple_New(op.schema->num_outputs));
      for (int i = 0; i < op.schema->num_outputs; ++i) {
        PyObject* item = wrap(std::move(result.t[i]));
        if (named) {
          PyStructSequence_SetItem(tuple, i, item);
        } else {
          PyTuple_SET_ITEM(tuple, i, item);
        }
      }
      return tuple;
    }
    case ReturnType::kTensorList: {
      PyObject* tuple = check(PyTuple_New(static_cast<Py_ssize_t>(result.list.size())));
      for (size_t i = 0; i < result.list.size(); ++i)
        PyTuple_SET_ITEM(tuple, static_cast<Py_ssize_t>(i), wrap(std::move(result.list[i])));
      return tuple;
    }
    case ReturnType::kNone:
      Py_RETURN_NONE;
    default:
      return from_scalar(result.scalar.as_scalar());
  }
}

void init_ops(py::module_& m) {
  PyMemberDef members[] = {
      {"__vectorcalloffset__", T_PYSSIZET, offsetof(OpFunction, vectorcall), READONLY, nullptr},
      {}};
  PyType_Slot slots[] = {{Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
                         {Py_tp_descr_get, reinterpret_cast<void*>(op_descr_get)},
                         {Py_tp_getset, op_getset},
                         {Py_tp_methods, op_methods},
                         {Py_tp_members, members},
                         {Py_tp_repr, reinterpret_cast<void*>(op_repr)},
                         {0, nullptr}};
  PyType_Spec spec{"pytensor.builtin_op", sizeof(OpFunction), 0,
                   Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR |
                       Py_TPFLAGS_DISALLOW_INSTANTIATION,
                   slots};
  op_function_type = reinterpret_cast<PyTypeObject*>(check(PyType_FromSpec(&spec)));
  py::dict functions, internal;
  for (const OverloadSet* set : Registry::get().sets()) {
    bool method = false, function = false, hidden = true;
    for (const OpInfo* op : set->ops) {
      method = method || op->as_method;
      function = function || op->as_function;
      hidden = hidden && op->internal;
    }
    if (method && !hidden) {
      PyObject* f = make_op(*set, true);
      if (PyObject_SetAttrString(reinterpret_cast<PyObject*>(tensor_type), set->name.c_str(), f) <
          0)
        throw_python_error();
      Py_DECREF(f);
    }
    if (function || hidden) {
      py::object f = py::reinterpret_steal<py::object>(make_op(*set, false));
      (hidden ? internal : functions)[py::str(set->name)] = f;
      m.attr(set->name.c_str()) = f;
    }
  }
  m.attr("functions") = functions;
  m.attr("internal") = internal;
  m.def("describe_registry", &describe_registry);
}

}  // namespace pt::python
