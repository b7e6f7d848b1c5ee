// C++ exceptions to Python exceptions of PyTorch's classes.
#include "python/object.h"

namespace pt::python {

PyObject* linalg_error = nullptr;
PyObject* out_of_memory_error = nullptr;

void set_python_error() {
  try {
    throw;
  } catch (py::error_already_set& e) {
    e.restore();
  } catch (const Error& e) {
    PyObject* type = PyExc_RuntimeError;
    switch (e.kind()) {
      case ErrorKind::kRuntime:
        break;
      case ErrorKind::kValue:
        type = PyExc_ValueError;
        break;
      case ErrorKind::kType:
        type = PyExc_TypeError;
        break;
      case ErrorKind::kIndex:
        type = PyExc_IndexError;
        break;
      case ErrorKind::kNotImplemented:
        type = PyExc_NotImplementedError;
        break;
      case ErrorKind::kZeroDivision:
        type = PyExc_ZeroDivisionError;
        break;
      case ErrorKind::kAssertion:
        type = PyExc_AssertionError;
        break;
      case ErrorKind::kLinAlg:
        type = linalg_error ? linalg_error : PyExc_RuntimeError;
        break;
      case ErrorKind::kBuffer:
        type = PyExc_BufferError;
        break;
      case ErrorKind::kOverflow:
        type = PyExc_OverflowError;
        break;
      case ErrorKind::kAttribute:
        type = PyExc_AttributeError;
        break;
      case ErrorKind::kOutOfMemory:
        type = out_of_memory_error ? out_of_memory_error : PyExc_RuntimeError;
        break;
    }
    PyErr_SetString(type, e.what());
  } catch (const std::bad_alloc&) {
    PyErr_SetString(PyExc_MemoryError, "out of memory");
  } catch (const std::exception& e) {
    PyErr_SetString(PyExc_RuntimeError, e.what());
  } catch (...) {
    PyErr_SetString(PyExc_RuntimeError, "unknown C++ exception");
  }
}

}  // namespace pt::python
