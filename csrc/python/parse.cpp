// The argument parser: interprets a schema for one call. No exception is thrown on a mismatch, so
// that overloads can be tried one after the other.
#include "python/parse.h"

#include <cstring>

namespace pt::python {

Signature::Signature(const OpInfo* o) : op(o) {
  const Schema& s = *o->schema;
  bool has_dtype = false, has_layout = false;
  for (int i = 0; i < s.num_params; ++i) {
    names[i] = PyUnicode_InternFromString(std::string(s.params[i].name).c_str());
    has_dtype = has_dtype || s.params[i].type == Type::kDType;
    has_layout = has_layout || s.params[i].type == Type::kLayout;
  }
  factory = has_dtype && has_layout;
  const int first = s.num_params && s.params[0].name == "self" ? 1 : 0;
  varargs = s.num_positional == first + 1 && s.params[first].type == Type::kIntList;
}

namespace {

const char* expected_type(const Param& p) {
  switch (p.type) {
    case Type::kTensor:
      return "Tensor";
    case Type::kTensorList:
      return "tuple of Tensors";
    case Type::kScalar:
      return "Number";
    case Type::kInt:
      return "int";
    case Type::kFloat:
      return "float";
    case Type::kBool:
      return "bool";
    case Type::kIntList:
      return "tuple of ints";
    case Type::kFloatList:
      return "tuple of floats";
    case Type::kString:
      return "str";
    case Type::kDType:
      return "torch.dtype";
    case Type::kDevice:
      return "torch.device";
    case Type::kLayout:
      return "torch.layout";
    case Type::kMemoryFormat:
      return "torch.memory_format";
    case Type::kGenerator:
      return "torch.Generator";
  }
  return "?";
}

bool read_int_list(PyObject* o, Value& v, CallMemory& memory) {
  if (!PyTuple_Check(o) && !PyList_Check(o)) return false;
  const Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
  int64_t* out = memory.ints(static_cast<size_t>(n));
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* item = PySequence_Fast_GET_ITEM(o, i);
    if (PyLong_Check(item)) {
      int overflow = 0;
      PyLong_AsLongLongAndOverflow(item, &overflow);
      PT_CHECK_TYPE(!overflow, "argument of sizes: the int at pos ", i, " overflows 64 bits");
    }
    if (!to_int(item, out[i])) return false;
  }
  v = Value::of(IntList(out, static_cast<size_t>(n)));
  return true;
}

bool read_tensor_list(PyObject* o, Value& v, CallMemory& memory) {
  if (!PyTuple_Check(o) && !PyList_Check(o)) return false;
  const Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
  std::vector<Tensor>& list = memory.tensors();
  list.reserve(static_cast<size_t>(n));
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* item = PySequence_Fast_GET_ITEM(o, i);
    if (!is_tensor(item)) return false;
    list.push_back(as_tensor(item));
  }
  v = Value::of(TensorList(list));
  return true;
}

bool read_float(PyObject* o, double& out) {
  Scalar s;
  if (!to_scalar(o, s)) return false;
  out = s.to_double();
  return true;
}

bool read(const OpInfo& op, const Param& p, PyObject* o, Value& v, CallMemory& memory) {
  if (o == Py_None && p.optional) {
    v = Value();
    return true;
  }
  switch (p.type) {
    case Type::kTensor: {
      if (is_tensor(o)) {
        v = Value::of(as_tensor(o));
        return true;
      }
      Scalar s;
      if (!op.numbers_as_tensors || !to_scalar(o, s)) return false;
      v = Value::of(memory.keep(wrapped_number(s)));
      return true;
    }
    case Type::kTensorList:
      return read_tensor_list(o, v, memory);
    case Type::kScalar: {
      Scalar s;
      if (!to_scalar(o, s)) return false;
      v = Value::of(s);
      return true;
    }
    case Type::kInt: {
      int64_t i;
      if (!to_int(o, i)) return false;
      v = Value::of(i);
      return true;
    }
    case Type::kFloat: {
      double d;
      if (!read_float(o, d)) return false;
      v = Value::of(d);
      return true;
    }
    case Type::kBool: {
      if (PyBool_Check(o)) {
        v = Value::of(o == Py_True);
        return true;
      }
      Scalar s;
      if (PyLong_Check(o) || PyFloat_Check(o) || is_tensor(o) || !to_scalar(o, s) || !s.is_bool())
        return false;
      v = Value::of(s.to_bool());
      return true;
    }
    case Type::kIntList: {
      if (p.list_size > 0) {
        int64_t i;
        if (to_int(o, i)) {
          int64_t* out = memory.ints(static_cast<size_t>(p.list_size));
          for (int k = 0; k < p.list_size; ++k) out[k] = i;
          v = Value::of(IntList(out, static_cast<size_t>(p.list_size)));
          return true;
        }
      }
      return read_int_list(o, v, memory);
    }
    case Type::kFloatList: {
      if (!PyTuple_Check(o) && !PyList_Check(o)) return false;
      std::vector<double>& list = memory.floats();
      for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i) {
        double d;
        if (!read_float(PySequence_Fast_GET_ITEM(o, i), d)) return false;
        list.push_back(d);
      }
      v = Value::of(FloatList(list));
      return true;
    }
    case Type::kString: {
      if (!PyUnicode_Check(o)) return false;
      Py_ssize_t n;
      const char* s = check_utf8(o, &n);
      v = Value::of(std::string_view(s, static_cast<size_t>(n)));
      return true;
    }
    case Type::kDType: {
      DType t;
      if (!to_dtype(o, t)) return false;
      refuse_complex(t, op.name);
      v = Value::of(t);
      return true;
    }
    case Type::kDevice: {
      Device d;
      if (!to_device(o, d)) return false;
      v = Value::of(d);
      return true;
    }
    case Type::kLayout:
      v = Value();
      return Py_TYPE(o) == layout_type;
    case Type::kMemoryFormat:
      if (Py_TYPE(o) != memory_format_type) return false;
      v = Value::of(reinterpret_cast<PyMemoryFormat*>(o)->value);
      return true;
    case Type::kGenerator: {
      Generator* g = to_generator(o);
      v = Value::of(g);
      return g != nullptr;
    }
  }
  return false;
}

// The parameter that keyword `key` names; torch calls a function's first parameter `input`, and
// knows numpy's names for some others.
int find_param(const Signature& sig, PyObject* key, bool function) {
  const Schema& s = *sig.op->schema;
  for (int i = 0; i < s.num_params; ++i)
    if (sig.names[i] == key) return i;
  Py_ssize_t n;
  const char* c = PyUnicode_AsUTF8AndSize(key, &n);
  if (!c) {
    PyErr_Clear();
    return -1;
  }
  const std::string_view name(c, static_cast<size_t>(n));
  for (int i = 0; i < s.num_params; ++i) {
    const std::string_view p = s.params[i].name;
    if (p == name) return i;
    if (p == "self" && function && (name == "input" || name == "x" || name == "a" || name == "x1"))
      return i;
    if ((p == "dim" && name == "axis") || (p == "keepdim" && name == "keepdims") ||
        (p == "other" && name == "x2"))
      return i;
  }
  return -1;
}

std::string type_error(const Signature& sig, int p, bool function, int position, PyObject* given) {
  const Param& param = sig.op->schema->params[p];
  const std::string_view name =
      function && param.name == "self" ? std::string_view("input") : param.name;
  std::string got = Py_TYPE(given)->tp_name;
  if ((param.type == Type::kTensorList || param.type == Type::kIntList) &&
      (PyTuple_Check(given) || PyList_Check(given))) {
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(given); ++i) {
      PyObject* item = PySequence_Fast_GET_ITEM(given, i);
      int64_t unused;
      const bool fits = param.type == Type::kTensorList ? is_tensor(item) : to_int(item, unused);
      if (fits) continue;
      return concat(sig.op->name, "(): argument '", name, "' must be ", expected_type(param),
                    ", but found element of type ", Py_TYPE(item)->tp_name, " at pos ", i);
    }
  }
  if (position > 0)
    return concat(sig.op->name, "(): argument '", name, "' (position ", position, ") must be ",
                  expected_type(param), ", not ", got);
  return concat(sig.op->name, "(): argument '", name, "' must be ", expected_type(param), ", not ",
                got);
}

// out=, requires_grad=: keywords that many ops share and no schema lists. 1: taken, 0: not one,
// -1: wrong type.
int read_common_keyword(const Signature& sig, PyObject* key, PyObject* o, ParsedCall& parsed) {
  if (sig.op->has_out && PyUnicode_CompareWithASCIIString(key, "out") == 0) {
    if (o == Py_None) return 1;
    parsed.has_out = true;
    if (is_tensor(o)) {
      parsed.out.push_back(as_tensor(o));
      return 1;
    }
    if (!PyTuple_Check(o) && !PyList_Check(o)) return -1;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i) {
      if (!is_tensor(PySequence_Fast_GET_ITEM(o, i))) return -1;
      parsed.out.push_back(as_tensor(PySequence_Fast_GET_ITEM(o, i)));
    }
    return 1;
  }
  if (sig.factory && PyUnicode_CompareWithASCIIString(key, "requires_grad") == 0) {
    if (!PyBool_Check(o)) return -1;
    parsed.requires_grad = o == Py_True;
    return 1;
  }
  return 0;
}

}  // namespace

bool parse_call(const Signature& sig, const CallArgs& call, ParsedCall& parsed,
                std::string* error) {
  const Schema& s = *sig.op->schema;
  const bool function = call.self == nullptr;
  auto say = [error](auto&&... parts) {
    if (error) *error = concat(parts...);
    return false;
  };
  int p = 0;
  uint32_t seen = 0;
  if (call.self) {
    parsed.values[0] = Value::of(as_tensor(call.self));
    seen = 1;
    p = 1;
  }
  const int offset = p;
  Py_ssize_t i = 0;
  if (sig.varargs && call.nargs > (s.params[0].name == "self" && function ? 1 : 0)) {
    // x.view(2, 3): all remaining positional arguments are the list.
    const int list = s.num_positional - 1;
    const Py_ssize_t first = list - offset;
    if (call.nargs > first) {
      int64_t unused;
      if (to_int(call.args[first], unused)) {
        for (; i < first; ++i, ++p) {
          if (!read(*sig.op, s.params[p], call.args[i], parsed.values[p], parsed.memory))
            return error ? say(type_error(sig, p, function, static_cast<int>(i) + 1, call.args[i]))
                         : false;
          seen |= 1u << p;
        }
        const size_t n = static_cast<size_t>(call.nargs - first);
        int64_t* out = parsed.memory.ints(n);
        for (size_t k = 0; k < n; ++k)
          if (!to_int(call.args[first + static_cast<Py_ssize_t>(k)], out[k]))
            return say(sig.op->name, "(): argument '", s.params[list].name,
                       "' must be tuple of ints, but found element of type ",
                       Py_TYPE(call.args[first + static_cast<Py_ssize_t>(k)])->tp_name, " at pos ",
                       k);
        parsed.values[list] = Value::of(IntList(out, n));
        seen |= 1u << list;
        i = call.nargs;
        p = list + 1;
      }
    }
  }
  if (call.nargs - i > s.num_positional - p)
    return say(sig.op->name, "() takes ", s.num_positional - offset, " positional arguments but ",
               call.nargs, " were given");
  for (; i < call.nargs; ++i, ++p) {
    if (!read(*sig.op, s.params[p], call.args[i], parsed.values[p], parsed.memory))
      return error ? say(type_error(sig, p, function, static_cast<int>(i) + 1, call.args[i]))
                   : false;
    seen |= 1u << p;
  }
  if (call.kwnames) {
    const Py_ssize_t n = PyTuple_GET_SIZE(call.kwnames);
    for (Py_ssize_t k = 0; k < n; ++k) {
      PyObject* key = PyTuple_GET_ITEM(call.kwnames, k);
      PyObject* o = call.args[call.nargs + k];
      const int at = find_param(sig, key, function);
      if (at < 0) {
        const int common = read_common_keyword(sig, key, o, parsed);
        if (common > 0) continue;
        const char* text = PyUnicode_AsUTF8(key);
        if (common < 0)
          return say(sig.op->name, "(): argument '", text ? text : "?", "' has the wrong type ",
                     Py_TYPE(o)->tp_name);
        return say(sig.op->name, "() got an unexpected keyword argument '", text ? text : "?", "'");
      }
      if (seen >> at & 1)
        return say(sig.op->name, "() got multiple values for argument '", s.params[at].name, "'");
      if (!read(*sig.op, s.params[at], o, parsed.values[at], parsed.memory))
        return error ? say(type_error(sig, at, function, 0, o)) : false;
      seen |= 1u << at;
    }
  }
  for (int j = 0; j < s.num_params; ++j) {
    if (seen >> j & 1) continue;
    if (!s.params[j].has_default) {
      std::string missing;
      int count = 0;
      for (int k = j; k < s.num_params; ++k)
        if (!(seen >> k & 1) && !s.params[k].has_default) {
          if (count++) missing += ", ";
          const bool self = s.params[k].name == "self";
          missing += concat("\"", self ? std::string_view("input") : s.params[k].name, "\"");
        }
      return say(sig.op->name, "() missing ", count, " required positional arguments: ", missing);
    }
    parsed.values[j] = sig.op->defaults[j];
  }
  return true;
}

}  // namespace pt::python
