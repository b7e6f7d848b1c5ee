// Python objects of the extension and the bridge to C++: wrapping tensors, translating errors.
// Only files of this folder see Python.
#pragma once

#include <pybind11/pybind11.h>

#include "autograd/node.h"
#include "op/dispatch.h"

namespace pt::python {

namespace py = pybind11;

// --- Tensor ------------------------------------------------------------------------------------
struct PyTensor {
  PyObject_HEAD TensorImpl* impl;  // owned; null only in objects under construction
  PyObject* dict;
  PyObject* weak_refs;
};
extern PyTypeObject* tensor_type;

inline bool is_tensor(PyObject* o) {
  return Py_TYPE(o) == tensor_type || PyType_IsSubtype(Py_TYPE(o), tensor_type);
}
inline const Tensor& as_tensor(PyObject* o) {  // o must be a tensor
  return reinterpret_cast<const Tensor&>(reinterpret_cast<PyTensor*>(o)->impl);
}
// A new reference to the Python object of `t`: the live one if there is one. None if undefined.
PyObject* wrap(const Tensor& t);
PyObject* wrap(Tensor&& t);
// A new object of a subclass of Tensor.
PyObject* wrap_as(PyTypeObject* type, const Tensor& t);
void init_tensor_type(py::module_& m);

// --- dtype, device, Size, layout, memory_format, Generator --------------------------------------
struct PyDType {
  PyObject_HEAD DType value;
};
struct PyDevice {
  PyObject_HEAD Device value;
};
struct PyMemoryFormat {
  PyObject_HEAD MemoryFormat value;
};
extern PyTypeObject* dtype_type;
extern PyTypeObject* device_type;
extern PyTypeObject* layout_type;
extern PyTypeObject* memory_format_type;
extern PyTypeObject* size_type;
PyObject* dtype_object(DType t);         // new reference
PyObject* device_object(Device d);       // new reference
PyObject* size_object(IntList sizes);    // new reference: torch.Size
PyObject* int_tuple(IntList values);     // new reference
PyObject* strided_object();              // new reference
bool to_dtype(PyObject* o, DType& out);  // dtype objects and float, int, bool
// Complex dtypes have names and promotion rules, but no tensors: `function` cannot take one.
void refuse_complex(DType t, std::string_view function);
bool to_device(PyObject* o, Device& out);  // device objects, strings, indices; may raise
void init_value_types(py::module_& m);
Generator* to_generator(PyObject* o);  // null if it is none
void init_generator(py::module_& m);

// --- errors ------------------------------------------------------------------------------------
// Sets the Python exception that belongs to the C++ exception in flight.
void set_python_error();
extern PyObject *linalg_error, *out_of_memory_error;
// Runs f and turns exceptions into Python errors; f returns PyObject* or int.
template <class F>
auto guarded(F&& f) noexcept -> decltype(f()) {
  using R = decltype(f());
  try {
    return f();
  } catch (...) {
    set_python_error();
    if constexpr (std::is_pointer_v<R>) {
      return nullptr;
    } else {
      return R(-1);
    }
  }
}
// A Python error is set: leaves C++ by exception.
[[noreturn]] inline void throw_python_error() { throw py::error_already_set(); }
inline PyObject* check(PyObject* o) {
  if (!o) throw_python_error();
  return o;
}

// --- numbers -----------------------------------------------------------------------------------
// Python numbers (bool, int, float, numpy scalars). False, without a Python error, if it is none.
bool to_scalar(PyObject* o, Scalar& out);
bool to_int(PyObject* o, int64_t& out);  // ints, numpy ints, 0-dim integer tensors
PyObject* from_scalar(const Scalar& s);
inline const char* check_utf8(PyObject* o, Py_ssize_t* n) {
  const char* s = PyUnicode_AsUTF8AndSize(o, n);
  if (!s) throw_python_error();
  return s;
}

// --- parts of the module -----------------------------------------------------------------------
PyObject* wrap_result(const OpInfo& op, Result& result);
void init_ops(py::module_& m);  // parse.cpp: functions and methods of the registry
void init_autograd(py::module_& m);
PyObject* wrap_node(Node* node);  // new reference; None for null
PyObject* index_get(PyObject* self, PyObject* key);
int index_set(PyObject* self, PyObject* key, PyObject* value);
void init_construct(py::module_& m);
void init_device(py::module_& m);
void init_files(py::module_& m);
// torch.tensor(data): a new tensor with a copy of (nested) Python numbers, arrays or tensors.
Tensor tensor_from_data(PyObject* data, std::optional<DType> dtype);

}  // namespace pt::python
