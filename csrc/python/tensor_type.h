// Parts of the Tensor type that live in different files of this folder.
#pragma once

#include "python/object.h"

namespace pt::python {

PyMethodDef* tensor_methods();     // tensor_methods.cpp
PyGetSetDef* tensor_properties();  // tensor_properties.cpp

// buffer.cpp: the buffer protocol, numpy and DLPack share memory with a tensor.
int get_buffer(PyObject* self, Py_buffer* view, int flags);
void release_buffer(PyObject* self, Py_buffer* view);
Tensor tensor_from_buffer(PyObject* array);  // from_numpy, memoryview...
void init_buffer(py::module_& m);

// construct.cpp: Tensor(2, 3), Tensor([1, 2]), FloatTensor(...).
PyObject* legacy_constructor(PyTypeObject* type, PyObject* args, PyObject* kwargs, DType dtype,
                             bool fixed_dtype);

}  // namespace pt::python
