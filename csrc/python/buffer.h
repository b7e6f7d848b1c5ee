// Tensors over foreign memory: NumPy arrays, buffers and DLPack capsules. Internal to this folder.
#pragma once

#include <string>

#include "python/object.h"

namespace pt::python {

// False as long as nobody imported numpy.
bool is_numpy_array(PyObject* o);
// "can't convert np.ndarray of type numpy.uint16. The only supported types are: ..."
[[noreturn]] void raise_unsupported_array(const std::string& type_name);
// The bytes of any buffer as a 1-dim tensor; count < 0: all of them.
Tensor tensor_from_bytes(PyObject* buffer, DType dtype, int64_t count, int64_t offset);
// A tensor over memory that `storage` owns or keeps alive, starting at its first byte.
Tensor tensor_over(Ref<Storage> storage, Dims sizes, Dims strides, DType dtype);

// dlpack.cpp
bool is_dlpack(PyObject* o);  // a capsule or an object with __dlpack__
Tensor tensor_from_dlpack(PyObject* o, std::optional<bool> copy);
void init_dlpack(py::module_& m);

}  // namespace pt::python
