// Python numbers to Scalar and back.
#include <cstring>

#include "python/object.h"

namespace pt::python {

namespace {

bool is_numpy_scalar(PyObject* o) {
  const char* name = Py_TYPE(o)->tp_name;
  return std::strncmp(name, "numpy.", 6) == 0 && !PySequence_Check(o);
}

}  // namespace

bool to_scalar(PyObject* o, Scalar& out) {
  if (PyFloat_Check(o)) {
    out = Scalar(PyFloat_AS_DOUBLE(o));
    return true;
  }
  if (PyBool_Check(o)) {
    out = Scalar(o == Py_True);
    return true;
  }
  if (PyLong_Check(o)) {
    int overflow = 0;
    const long long v = PyLong_AsLongLongAndOverflow(o, &overflow);
    PT_CHECK_KIND(ErrorKind::kOverflow, !overflow, "int too big to convert");
    out = Scalar(v);
    return true;
  }
  if (is_tensor(o)) {
    const Tensor& t = as_tensor(o);
    if (t.dim() != 0 || t.requires_grad()) return false;
    out = t.item();
    return true;
  }
  if (!is_numpy_scalar(o)) return false;
  if (std::strncmp(Py_TYPE(o)->tp_name, "numpy.bool", 10) == 0) {
    out = Scalar(PyObject_IsTrue(o) == 1);
    return true;
  }
  if (PyIndex_Check(o)) {
    PyObject* i = check(PyNumber_Index(o));
    const bool ok = to_scalar(i, out);
    Py_DECREF(i);
    return ok;
  }
  if (Py_TYPE(o)->tp_as_number && Py_TYPE(o)->tp_as_number->nb_float) {
    PyObject* f = check(PyNumber_Float(o));
    out = Scalar(PyFloat_AS_DOUBLE(f));
    Py_DECREF(f);
    return true;
  }
  return false;
}

bool to_int(PyObject* o, int64_t& out) {
  if (PyLong_Check(o) && !PyBool_Check(o)) {
    int overflow = 0;
    out = PyLong_AsLongLongAndOverflow(o, &overflow);
    PT_CHECK_KIND(ErrorKind::kRuntime, !overflow, "Overflow when unpacking long long");
    return true;
  }
  if (is_tensor(o)) {
    const Tensor& t = as_tensor(o);
    if (t.numel() != 1 || !is_integral(t.dtype(), false) || t.dim() != 0) return false;
    out = t.item().to_int();
    return true;
  }
  if (!is_numpy_scalar(o) || !PyIndex_Check(o)) return false;
  PyObject* i = check(PyNumber_Index(o));
  const bool ok = to_int(i, out);
  Py_DECREF(i);
  return ok;
}

PyObject* from_scalar(const Scalar& s) {
  switch (s.kind()) {
    case Scalar::Kind::kBool:
      return PyBool_FromLong(s.to_bool());
    case Scalar::Kind::kInt:
      return PyLong_FromLongLong(s.to_int());
    default:
      return PyFloat_FromDouble(s.to_double());
  }
}

}  // namespace pt::python
