// Properties of Tensor: shape, dtype, grad, data and the like.
#include "python/tensor_type.h"

#include "ops/core_ops.h"

namespace pt::python {

namespace {

PyObject* get_shape(PyObject* o, void*) {
  return guarded([&] { return size_object(as_tensor(o).sizes()); });
}
PyObject* get_dtype(PyObject* o, void*) { return dtype_object(as_tensor(o).dtype()); }
PyObject* get_device(PyObject* o, void*) {
  return guarded([&] { return device_object(as_tensor(o).device()); });
}
PyObject* get_layout(PyObject*, void*) { return strided_object(); }
PyObject* get_ndim(PyObject* o, void*) { return PyLong_FromLong(as_tensor(o).dim()); }
PyObject* get_itemsize(PyObject* o, void*) { return PyLong_FromSize_t(as_tensor(o).item_size()); }
PyObject* get_nbytes(PyObject* o, void*) { return PyLong_FromSize_t(as_tensor(o).nbytes()); }
PyObject* get_version(PyObject* o, void*) {
  return PyLong_FromUnsignedLong(as_tensor(o).version());
}
PyObject* get_is_leaf(PyObject* o, void*) { return PyBool_FromLong(as_tensor(o).is_leaf()); }
PyObject* get_output_nr(PyObject* o, void*) {
  return PyLong_FromUnsignedLong(as_tensor(o)->output_nr);
}
PyObject* get_is_cpu(PyObject* o, void*) { return PyBool_FromLong(as_tensor(o).device().is_cpu()); }
PyObject* get_is_cuda(PyObject* o, void*) {
  return PyBool_FromLong(!as_tensor(o).device().is_cpu());
}
PyObject* get_false(PyObject*, void*) { Py_RETURN_FALSE; }
PyObject* get_none(PyObject*, void*) { Py_RETURN_NONE; }

PyObject* get_requires_grad(PyObject* o, void*) {
  return PyBool_FromLong(as_tensor(o).requires_grad());
}
int set_requires_grad(PyObject* o, PyObject* value, void*) {
  return guarded([&] {
    PT_CHECK_TYPE(value && PyBool_Check(value), "requires_grad must be a bool");
    const Tensor& t = as_tensor(o);
    const bool on = value == Py_True;
    PT_CHECK(t.is_leaf() || on,
             "you can only change requires_grad flags of leaf variables. If you want to use a "
             "computed variable in a subgraph that doesn't require differentiation use var_no_grad "
             "= var.detach().");
    PT_CHECK(!on || is_floating(t.dtype()),
             "only Tensors of floating point and complex dtype can require gradients");
    if (t.is_leaf()) t->set(TensorImpl::kRequiresGrad, on);
    return 0;
  });
}
PyObject* get_retains_grad(PyObject* o, void*) {
  return PyBool_FromLong(as_tensor(o)->has(TensorImpl::kRetainGrad));
}

PyObject* get_grad(PyObject* o, void*) {
  return guarded([&] { return wrap(Tensor::share(as_tensor(o)->grad)); });
}
int set_grad(PyObject* o, PyObject* value, void*) {
  return guarded([&] {
    const Tensor& t = as_tensor(o);
    Tensor next;
    if (value && value != Py_None) {
      PT_CHECK_TYPE(is_tensor(value),
                    "assigned grad expected to be a Tensor or None but got grad of type",
                    Py_TYPE(value)->tp_name);
      next = as_tensor(value);
      PT_CHECK(!next.same_as(t), "can't assign Variable as its own grad");
      PT_CHECK(next.dtype() == t.dtype(), "attempting to assign a gradient with dtype '",
               dtype_name(next.dtype()), "' to a tensor with grad dtype '", dtype_name(t.dtype()),
               "'.");
      PT_CHECK(next.sizes() == t.sizes(), "attempting to assign a gradient of size '",
               to_text(next.sizes()), "' to a tensor of size '", to_text(t.sizes()),
               "'. Please ensure that the gradient and the tensor are the same size");
    }
    if (t->grad) release(t->grad);
    t->grad = next.detach_impl();
    return 0;
  });
}
PyObject* get_grad_fn(PyObject* o, void*) {
  return guarded([&] { return wrap_node(grad_fn_of(as_tensor(o))); });
}

PyObject* get_data(PyObject* o, void*) {
  return guarded([&] {
    Tensor t = alias(as_tensor(o));
    t->set(TensorImpl::kUntrackedVersion, true);
    return wrap(std::move(t));
  });
}
int set_data(PyObject* o, PyObject* value, void*) {
  return guarded([&] {
    PT_CHECK_TYPE(value && is_tensor(value), "Variable data has to be a tensor, but got ",
                  value ? Py_TYPE(value)->tp_name : "nothing");
    const Tensor &t = as_tensor(o), &from = as_tensor(value);
    PT_CHECK(!t.requires_grad() || is_floating(from.dtype()),
             "data set to a tensor that requires gradients must be floating point");
    t->storage = from->storage;
    t->sizes = from.sizes();
    t->strides = from.strides();
    t->numel = from.numel();
    t->offset = from.offset();
    t->dtype = from.dtype();
    t->device = from.device();
    t->update_contiguous();
    // The accumulator knows the old shape.
    if (t->accumulator) t->accumulator->set_meta(0, t);
    return 0;
  });
}

PyObject* get_transposed(PyObject* o, void*) {
  return guarded([&] {
    const Tensor& t = as_tensor(o);
    Dims order(t.dim());
    for (int i = 0; i < t.dim(); ++i) order[i] = t.dim() - 1 - i;
    return wrap(permute(t, IntList(order)));
  });
}
PyObject* get_matrix_transposed(PyObject* o, void* name) {
  return guarded([&] {
    const Tensor& t = as_tensor(o);
    PT_CHECK(t.dim() >= 2, "tensor.", static_cast<const char*>(name),
             " is only supported on matrices or batches of matrices. Got ", t.dim(), "-D tensor.");
    return wrap(transpose(t, -2, -1));
  });
}
PyObject* get_self(PyObject* o, void*) { return Py_NewRef(o); }
PyObject* get_base(PyObject* o, void*) {
  return guarded([&] { return wrap(Tensor::share(as_tensor(o)->base)); });
}
// The protocol of CUDA arrays, version 2: https://numba.readthedocs.io, "CUDA Array Interface".
PyObject* get_cuda_array_interface(PyObject* o, void*) {
  return guarded([&]() -> PyObject* {
    const Tensor& t = as_tensor(o);
    PT_CHECK_KIND(
        ErrorKind::kAttribute, !t.device().is_cpu(),
        "Can't get __cuda_array_interface__ on non-CUDA tensor type: ", legacy_type_name(t.dtype()),
        " If CUDA data is required use tensor.cuda() to copy tensor to device memory.");
    PT_CHECK(!t.requires_grad(),
             "Can't get __cuda_array_interface__ on Variable that requires grad. If gradients "
             "aren't required, use var.detach() to get Variable that doesn't require grad.");
    const DType type = t.dtype();
    const char kind = type == DType::kBool       ? 'b'
                      : type == DType::kUInt8    ? 'u'
                      : type == DType::kBFloat16 ? 'V'
                      : is_floating(type)        ? 'f'
                                                 : 'i';
    const size_t item = t.item_size();
    py::dict d;
    d["typestr"] = std::string(item > 1 ? "<" : "|") + kind + std::to_string(item);
    py::tuple shape(t.dim()), strides(t.dim());
    for (int i = 0; i < t.dim(); ++i) {
      shape[static_cast<size_t>(i)] = t->sizes[i];
      strides[static_cast<size_t>(i)] = t->strides[i] * static_cast<int64_t>(item);
    }
    d["shape"] = shape;
    d["strides"] = t.is_contiguous() ? py::object(py::none()) : py::object(strides);
    d["data"] = py::make_tuple(t.numel() ? reinterpret_cast<uintptr_t>(t.raw()) : 0, false);
    d["version"] = 2;
    return d.release().ptr();
  });
}
PyObject* is_view(PyObject* o, void*) { return PyBool_FromLong(as_tensor(o)->base != nullptr); }

PyGetSetDef properties[] = {
    {"shape", get_shape, nullptr, "The sizes, as a torch.Size.", nullptr},
    {"dtype", get_dtype, nullptr, "The type of the elements.", nullptr},
    {"device", get_device, nullptr, "Where the elements live.", nullptr},
    {"layout", get_layout, nullptr, "torch.strided", nullptr},
    {"ndim", get_ndim, nullptr, "The number of dimensions.", nullptr},
    {"itemsize", get_itemsize, nullptr, "Bytes per element.", nullptr},
    {"nbytes", get_nbytes, nullptr, "Bytes of all elements.", nullptr},
    {"requires_grad", get_requires_grad, set_requires_grad,
     "Whether operations on this tensor are recorded for backward().", nullptr},
    {"grad", get_grad, set_grad, "The accumulated gradient, or None.", nullptr},
    {"grad_fn", get_grad_fn, nullptr, "The graph node that made this tensor, or None.", nullptr},
    {"is_leaf", get_is_leaf, nullptr, "True when no recorded operation made this tensor.", nullptr},
    {"retains_grad", get_retains_grad, nullptr, "True after retain_grad().", nullptr},
    {"output_nr", get_output_nr, nullptr, "Which output of grad_fn this is.", nullptr},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
    {"data", get_data, set_data, "The same memory, outside autograd and its version check.",
     nullptr},
    {"_version", get_version, nullptr, "How often the memory was changed in place.", nullptr},
    {"_base", get_base, nullptr, "The tensor this one is a differentiable view of.", nullptr},
    {"T", get_transposed, nullptr, "Dimensions in reverse order.", nullptr},
    {"mT", get_matrix_transposed, nullptr, "The last two dimensions swapped.",
     const_cast<char*>("mT")},
    {"H", get_matrix_transposed, nullptr, "A matrix transposed (and conjugated).",
     const_cast<char*>("H")},
    {"mH", get_matrix_transposed, nullptr, "The last two dimensions swapped (and conjugated).",
     const_cast<char*>("mH")},
    {"real", get_self, nullptr, "The real part.", nullptr},
    {"is_cpu", get_is_cpu, nullptr, nullptr, nullptr},
    {"is_cuda", get_is_cuda, nullptr, nullptr, nullptr},
    {"is_sparse", get_false, nullptr, nullptr, nullptr},
    {"is_sparse_csr", get_false, nullptr, nullptr, nullptr},
    {"is_quantized", get_false, nullptr, nullptr, nullptr},
    {"is_meta", get_false, nullptr, nullptr, nullptr},
    {"is_mkldnn", get_false, nullptr, nullptr, nullptr},
    {"is_mps", get_false, nullptr, nullptr, nullptr},
    {"is_xpu", get_false, nullptr, nullptr, nullptr},
    {"is_nested", get_false, nullptr, nullptr, nullptr},
    {"__cuda_array_interface__", get_cuda_array_interface, nullptr,
     "Where the elements lie, for other libraries on the device.", nullptr},
    {"_is_view", is_view, nullptr, nullptr, nullptr},
    {"names", get_none, nullptr, nullptr, nullptr},
    {"name", get_none, nullptr, nullptr, nullptr},
    {}};

}  // namespace

PyGetSetDef* tensor_properties() { return properties; }

}  // namespace pt::python
