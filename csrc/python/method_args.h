// Arguments of fast calls (METH_FASTCALL | METH_KEYWORDS) by name, for the functions and methods
// that are no ops: the constructors, buffers and DLPack. Ops are read by schema (parse.h).
#pragma once

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>

#include "core/device_runtime.h"
#include "python/object.h"

namespace pt::python {

class MethodArgs {
 public:
  static constexpr size_t kMaxNames = 8;

  // The first `positional` names may be given by position; unknown, repeated or surplus arguments
  // raise TypeError.
  MethodArgs(const char* function, std::initializer_list<const char*> names, Py_ssize_t positional,
             PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames)
      : function_(function) {
    std::copy(names.begin(), names.end(), names_);
    PT_CHECK_TYPE(nargs <= positional, function_, "() takes ", positional, " positional argument",
                  positional == 1 ? "" : "s", " but ", nargs, nargs == 1 ? " was" : " were",
                  " given");
    std::copy(args, args + nargs, values_);
    const Py_ssize_t n = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    for (Py_ssize_t k = 0; k < n; ++k) {
      PyObject* key = PyTuple_GET_ITEM(kwnames, k);
      size_t i = 0;
      while (i < names.size() && PyUnicode_CompareWithASCIIString(key, names_[i]) != 0) ++i;
      PT_CHECK_TYPE(i < names.size(), function_, "() got an unexpected keyword argument '",
                    text(key), "'");
      PT_CHECK_TYPE(!values_[i], function_, "() got multiple values for argument '", names_[i],
                    "'");
      values_[i] = args[nargs + k];
    }
  }

  // Null when the argument was not given.
  PyObject* operator[](size_t i) const { return values_[i]; }
  bool given(size_t i) const { return values_[i] && values_[i] != Py_None; }
  PyObject* required(size_t i) const {
    PT_CHECK_TYPE(values_[i], function_, "() missing 1 required positional arguments: \"",
                  names_[i], "\"");
    return values_[i];
  }
  bool flag(size_t i, bool otherwise = false) const {
    if (!values_[i]) return otherwise;
    PT_CHECK_TYPE(PyBool_Check(values_[i]), function_, "(): argument '", names_[i],
                  "' must be bool, not ", Py_TYPE(values_[i])->tp_name);
    return values_[i] == Py_True;
  }
  std::optional<bool> optional_flag(size_t i) const {
    if (!given(i)) return std::nullopt;
    return flag(i);
  }
  int64_t integer(size_t i, int64_t otherwise) const {
    if (!values_[i]) return otherwise;
    int64_t v;
    PT_CHECK_TYPE(to_int(values_[i], v), function_, "(): argument '", names_[i],
                  "' must be int, not ", Py_TYPE(values_[i])->tp_name);
    return v;
  }
  std::optional<DType> dtype(size_t i) const {
    if (!given(i)) return std::nullopt;
    DType t;
    PT_CHECK_TYPE(to_dtype(values_[i], t), function_, "(): argument '", names_[i],
                  "' must be torch.dtype, not ", Py_TYPE(values_[i])->tp_name);
    refuse_complex(t, function_);
    return t;
  }
  // Resolved: with an index, of a device that there is.
  std::optional<Device> device(size_t i) const {
    if (!given(i)) return std::nullopt;
    Device d;
    PT_CHECK_TYPE(to_device(values_[i], d), function_, "(): argument '", names_[i],
                  "' must be torch.device, not ", Py_TYPE(values_[i])->tp_name);
    return resolve_device(d);
  }

 private:
  static std::string text(PyObject* o) {
    Py_ssize_t n;
    const char* s = check_utf8(o, &n);
    return {s, static_cast<size_t>(n)};
  }

  const char* function_;
  const char* names_[kMaxNames] = {};
  PyObject* values_[kMaxNames] = {};
};

using FastCall = PyObject* (*)(PyObject*, PyObject* const*, Py_ssize_t, PyObject*);

inline PyMethodDef fast_method(const char* name, FastCall f, const char* doc) {
  return {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(f)),
          METH_FASTCALL | METH_KEYWORDS, doc};
}

// `defs` ends with an empty entry and must live as long as the process.
inline void add_functions(py::module_& m, PyMethodDef* defs) {
  if (PyModule_AddFunctions(m.ptr(), defs) < 0) throw_python_error();
}
inline void add_tensor_methods(PyMethodDef* defs) {
  for (; defs->ml_name; ++defs) {
    auto method = py::reinterpret_steal<py::object>(check(PyDescr_NewMethod(tensor_type, defs)));
    if (PyObject_SetAttrString(reinterpret_cast<PyObject*>(tensor_type), defs->ml_name,
                               method.ptr()) < 0)
      throw_python_error();
  }
}

}  // namespace pt::python
