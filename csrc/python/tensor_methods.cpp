// Methods of Tensor that are not ops: sizes, conversions, item access.
#include "core/pinned.h"
#include "op/copy.h"
#include "ops/core_ops.h"
#include "python/method_args.h"
#include "python/tensor_type.h"

namespace pt::python {

namespace {

#define PT_METHOD(name) \
  PyObject* name(PyObject* o, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames)

// 'torch.FloatTensor', 'torch.cuda.FloatTensor'
std::string type_name(const Tensor& t) {
  std::string name = legacy_type_name(t.dtype());
  if (!t.device().is_cpu()) name.insert(name.find('.') + 1, "cuda.");
  return name;
}

PT_METHOD(method_size) {
  return guarded([&]() -> PyObject* {
    const MethodArgs a("size", {"dim"}, 1, args, nargs, kwnames);
    const Tensor& t = as_tensor(o);
    if (!a.given(0)) return size_object(t.sizes());
    return PyLong_FromLongLong(t->sizes[wrap_dim(a.integer(0, 0), t.dim(), false)]);
  });
}
PT_METHOD(method_stride) {
  return guarded([&]() -> PyObject* {
    const MethodArgs a("stride", {"dim"}, 1, args, nargs, kwnames);
    const Tensor& t = as_tensor(o);
    if (!a.given(0)) return int_tuple(t.strides());
    return PyLong_FromLongLong(t->strides[wrap_dim(a.integer(0, 0), t.dim(), false)]);
  });
}
PyObject* method_dim(PyObject* o, PyObject*) { return PyLong_FromLong(as_tensor(o).dim()); }
PyObject* method_numel(PyObject* o, PyObject*) { return PyLong_FromLongLong(as_tensor(o).numel()); }
PyObject* method_storage_offset(PyObject* o, PyObject*) {
  return PyLong_FromLongLong(as_tensor(o).offset());
}
PyObject* method_element_size(PyObject* o, PyObject*) {
  return PyLong_FromSize_t(as_tensor(o).item_size());
}
PyObject* method_data_ptr(PyObject* o, PyObject*) {
  const Tensor& t = as_tensor(o);
  return PyLong_FromVoidPtr(t.numel() ? t.raw() : nullptr);
}
PyObject* method_is_floating_point(PyObject* o, PyObject*) {
  return PyBool_FromLong(is_floating(as_tensor(o).dtype()));
}
PyObject* method_is_complex(PyObject* o, PyObject*) {
  return PyBool_FromLong(is_complex(as_tensor(o).dtype()));
}
PyObject* method_is_signed(PyObject* o, PyObject*) {
  return PyBool_FromLong(is_signed(as_tensor(o).dtype()));
}
PyObject* method_get_device(PyObject* o, PyObject*) {
  return PyLong_FromLong(as_tensor(o).device().index);
}
PT_METHOD(method_is_pinned) {
  return guarded([&] {
    const MethodArgs a("is_pinned", {"device"}, 1, args, nargs, kwnames);
    return PyBool_FromLong(is_pinned(as_tensor(o)));
  });
}
PT_METHOD(method_pin_memory) {
  return guarded([&] {
    const MethodArgs a("pin_memory", {"device"}, 1, args, nargs, kwnames);
    const Tensor& t = as_tensor(o);
    PT_CHECK(t.device().is_cpu(), "cannot pin '", type_name(t),
             "' only dense CPU tensors can be pinned");
    PT_CHECK(device_count() > 0, "Cannot access accelerator device when none is available.");
    if (is_pinned(t)) return Py_NewRef(o);
    const bool dense = is_non_overlapping_and_dense(t.impl());
    Tensor out =
        empty_pinned(t.sizes(), dense ? t.strides() : contiguous_strides(t.sizes()), t.dtype());
    copy_into(out, t);
    return wrap(std::move(out));
  });
}
// record_stream(stream): of pytensor.cuda.
PyObject* method_record_stream(PyObject* o, PyObject* stream) {
  return guarded([&]() -> PyObject* {
    const Tensor& t = as_tensor(o);
    PT_CHECK_TYPE(PyObject_HasAttrString(stream, "cuda_stream"),
                  "record_stream(): argument 's' (position 1) must be Stream, not ",
                  Py_TYPE(stream)->tp_name);
    PT_CHECK(!t.device().is_cpu(),
             "record_stream(): memory of the cpu does not depend on streams; the tensor is on cpu");
    const auto handle = py::cast<uintptr_t>(py::handle(stream).attr("cuda_stream"));
    device_api().record_stream(t->storage->data, reinterpret_cast<StreamHandle>(handle));
    Py_RETURN_NONE;
  });
}
PyObject* method_is_set_to(PyObject* o, PyObject* other) {
  return guarded([&]() -> PyObject* {
    PT_CHECK_TYPE(is_tensor(other), "is_set_to(): argument 'tensor' must be Tensor, not ",
                  Py_TYPE(other)->tp_name);
    const Tensor &a = as_tensor(o), &b = as_tensor(other);
    return PyBool_FromLong(a->storage.get() == b->storage.get() && a.offset() == b.offset() &&
                           a.sizes() == b.sizes() && a.strides() == b.strides());
  });
}

PT_METHOD(method_is_contiguous) {
  return guarded([&]() -> PyObject* {
    const MethodArgs a("is_contiguous", {"memory_format"}, 1, args, nargs, kwnames);
    const Tensor& t = as_tensor(o);
    if (!a.given(0)) return PyBool_FromLong(t.is_contiguous());
    PT_CHECK_TYPE(Py_TYPE(a[0]) == memory_format_type,
                  "is_contiguous(): argument 'memory_format' must be torch.memory_format, not ",
                  Py_TYPE(a[0])->tp_name);
    if (reinterpret_cast<PyMemoryFormat*>(a[0])->value != MemoryFormat::kChannelsLast)
      return PyBool_FromLong(t.is_contiguous());
    if (t.dim() != 4) Py_RETURN_FALSE;
    const Dims &n = t.sizes(), &s = t.strides();
    const int64_t want[] = {n[1] * n[2] * n[3], 1, n[3] * n[1], n[1]};
    bool fits = true;
    for (int i = 0; i < 4; ++i) fits = fits && (n[i] == 1 || s[i] == want[i]);
    return PyBool_FromLong(fits);
  });
}

PyObject* method_item(PyObject* o, PyObject*) {
  return guarded([&] { return from_scalar(as_tensor(o).item()); });
}

PyObject* nested_list(const Tensor& t, int d, const char* data) {
  if (d == t.dim()) return from_scalar(Scalar::load(t.dtype(), data));
  const int64_t n = t->sizes[d], step = t->strides[d] * static_cast<int64_t>(t.item_size());
  PyObject* list = check(PyList_New(static_cast<Py_ssize_t>(n)));
  for (int64_t i = 0; i < n; ++i)
    PyList_SET_ITEM(list, static_cast<Py_ssize_t>(i), nested_list(t, d + 1, data + i * step));
  return list;
}
PyObject* method_tolist(PyObject* o, PyObject*) {
  return guarded([&] {
    Tensor t = as_tensor(o);
    if (!t.device().is_cpu()) t = copy_to(t, t.dtype(), {});
    return nested_list(t, 0, t.numel() ? static_cast<const char*>(t.raw()) : nullptr);
  });
}

// --- conversion --------------------------------------------------------------------------------

Tensor converted(const Tensor& t, DType dtype, const Device& device, bool copy) {
  if (t.device() != device) return to_copy(t, dtype, device);
  if (t.dtype() == dtype) return copy ? clone(t) : t;
  return to_copy(t, dtype);
}

// to(dtype), to(device[, dtype]), to(other), with non_blocking, copy and memory_format.
PT_METHOD(method_to) {
  return guarded([&]() -> PyObject* {
    Tensor t = as_tensor(o);
    DType dtype = t.dtype();
    Device device = t.device();
    bool copy = false, non_blocking = false;
    std::optional<MemoryFormat> format;
    int positional_flags = 0;
    auto take = [&](PyObject* v, const char* name) {
      DType d;
      Device dev;
      const std::string_view key = name ? name : "";
      if (v == Py_None && name) return;
      if ((key.empty() || key == "dtype") && to_dtype(v, d)) {
        refuse_complex(d, "to");
        dtype = d;
      } else if (key.empty() && is_tensor(v)) {
        dtype = as_tensor(v).dtype();
        device = as_tensor(v).device();
      } else if (key == "other" && is_tensor(v)) {
        dtype = as_tensor(v).dtype();
        device = as_tensor(v).device();
      } else if (PyBool_Check(v) && (key.empty() || key == "non_blocking" || key == "copy")) {
        const bool first = key.empty() && ++positional_flags == 1;
        (first || key == "non_blocking" ? non_blocking : copy) = v == Py_True;
      } else if (key == "memory_format" && Py_TYPE(v) == memory_format_type) {
        format = reinterpret_cast<PyMemoryFormat*>(v)->value;
      } else if ((key.empty() || key == "device") && to_device(v, dev)) {
        device = dev;
      } else if (v != Py_None || name) {
        raise(ErrorKind::kType,
              "to() received an invalid combination of arguments: ", name ? name : "argument",
              " of type ", Py_TYPE(v)->tp_name,
              "; expected a dtype, a device, a Tensor, non_blocking, copy, memory_format");
      }
    };
    for (Py_ssize_t i = 0; i < nargs; ++i) take(args[i], nullptr);
    const Py_ssize_t n = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    for (Py_ssize_t k = 0; k < n; ++k)
      take(args[nargs + k], PyUnicode_AsUTF8(PyTuple_GET_ITEM(kwnames, k)));
    const NonBlocking scope(non_blocking);
    Tensor out = converted(t, dtype, resolve_device(device), copy);
    if (format) out = contiguous(out, *format);
    if (out.same_as(t)) return Py_NewRef(o);
    return wrap(std::move(out));
  });
}

template <DType dtype>
PT_METHOD(method_cast) {
  return guarded([&]() -> PyObject* {
    const MethodArgs a("to", {"memory_format"}, 1, args, nargs, kwnames);
    const Tensor& t = as_tensor(o);
    if (t.dtype() == dtype) return Py_NewRef(o);
    return wrap(to_copy(t, dtype));
  });
}

PyObject* moved(PyObject* o, const Device& device) {
  const Tensor& t = as_tensor(o);
  return t.device() == device ? Py_NewRef(o) : wrap(to_copy(t, t.dtype(), device));
}
PT_METHOD(method_cpu) {
  return guarded([&] {
    const MethodArgs a("cpu", {"memory_format"}, 1, args, nargs, kwnames);
    return moved(o, {});
  });
}
PT_METHOD(method_cuda) {
  return guarded([&] {
    const MethodArgs a("cuda", {"device", "non_blocking", "memory_format"}, 2, args, nargs,
                       kwnames);
    const Device d = a.device(0).value_or(resolve_device({DeviceType::kCuda, -1}));
    PT_CHECK(!d.is_cpu(), "Invalid device, must be cuda device");
    const NonBlocking scope(a.flag(1));
    return moved(o, d);
  });
}

PT_METHOD(method_type) {
  return guarded([&]() -> PyObject* {
    const MethodArgs a("type", {"dtype", "non_blocking"}, 2, args, nargs, kwnames);
    const Tensor& t = as_tensor(o);
    if (!a.given(0)) return PyUnicode_FromString(type_name(t).c_str());
    DType dtype;
    Device device = t.device();
    if (!to_dtype(a[0], dtype)) {
      // 'torch.FloatTensor', or one of the legacy tensor types, whose name is the same.
      std::string name;
      if (PyUnicode_Check(a[0])) {
        Py_ssize_t n;
        const char* s = check_utf8(a[0], &n);
        name.assign(s, static_cast<size_t>(n));
      } else if (PyType_Check(a[0])) {
        name = reinterpret_cast<PyTypeObject*>(a[0])->tp_name;
      }
      if (name.starts_with("torch."))
        device = name.starts_with("torch.cuda.") ? Device{DeviceType::kCuda} : Device();
      const auto dot = name.rfind('.');
      const std::string last = dot == name.npos ? name : name.substr(dot + 1);
      int found = last == "Tensor" ? static_cast<int>(default_dtype()) : -1;
      for (int i = 0; i < kNumDTypes; ++i)
        if (legacy_type_name(static_cast<DType>(i)) == "torch." + last) found = i;
      PT_CHECK_VALUE(found >= 0, "invalid type: '", name, "'");
      dtype = static_cast<DType>(found);
    }
    refuse_complex(dtype, "type");
    device = resolve_device(device);
    if (t.dtype() == dtype && t.device() == device) return Py_NewRef(o);
    const NonBlocking scope(a.flag(1));
    return wrap(converted(t, dtype, device, false));
  });
}
PyObject* method_type_as(PyObject* o, PyObject* other) {
  return guarded([&]() -> PyObject* {
    PT_CHECK_TYPE(is_tensor(other), "type_as(): argument 'other' must be Tensor, not ",
                  Py_TYPE(other)->tp_name);
    const DType dtype = as_tensor(other).dtype();
    if (as_tensor(o).dtype() == dtype) return Py_NewRef(o);
    return wrap(to_copy(as_tensor(o), dtype));
  });
}

// Views whose size comes from another tensor.
PyObject* method_view_as(PyObject* o, PyObject* other) {
  return guarded([&]() -> PyObject* {
    PT_CHECK_TYPE(is_tensor(other), "view_as(): argument 'other' must be Tensor, not ",
                  Py_TYPE(other)->tp_name);
    return wrap(view(as_tensor(o), IntList(as_tensor(other).sizes())));
  });
}
PyObject* method_reshape_as(PyObject* o, PyObject* other) {
  return guarded([&]() -> PyObject* {
    PT_CHECK_TYPE(is_tensor(other), "reshape_as(): argument 'other' must be Tensor, not ",
                  Py_TYPE(other)->tp_name);
    return wrap(reshape(as_tensor(o), IntList(as_tensor(other).sizes())));
  });
}
PyObject* method_expand_as(PyObject* o, PyObject* other) {
  return guarded([&]() -> PyObject* {
    PT_CHECK_TYPE(is_tensor(other), "expand_as(): argument 'other' must be Tensor, not ",
                  Py_TYPE(other)->tp_name);
    return wrap(expand(as_tensor(o), IntList(as_tensor(other).sizes())));
  });
}

// A tensor subclass instance over the same memory (nn.Parameter is made this way).
PyObject* method_make_subclass(PyObject* cls, PyObject* const* args, Py_ssize_t nargs,
                               PyObject* kwnames) {
  return guarded([&]() -> PyObject* {
    const MethodArgs a("_make_subclass", {"cls", "data", "require_grad"}, 3, args, nargs, kwnames);
    (void)cls;
    PT_CHECK_TYPE(a[0] && PyType_Check(a[0]) &&
                      PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(a[0]), tensor_type),
                  "_make_subclass(): argument 'cls' must be a subclass of Tensor");
    PT_CHECK_TYPE(a[1] && is_tensor(a[1]), "_make_subclass(): argument 'data' must be Tensor");
    Tensor t = alias(as_tensor(a[1]));
    const bool requires_grad = a.flag(2);
    PT_CHECK(!requires_grad || is_floating(t.dtype()),
             "Only Tensors of floating point and complex dtype can require gradients");
    t->set(TensorImpl::kRequiresGrad, requires_grad);
    return wrap_as(reinterpret_cast<PyTypeObject*>(a[0]), t);
  });
}

template <class F>
PyCFunction fast(F* f) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(f));
}
constexpr int kFast = METH_FASTCALL | METH_KEYWORDS;

PyMethodDef method_table[] = {
    {"size", fast(method_size), kFast, "The sizes, or the size of one dimension."},
    {"stride", fast(method_stride), kFast, "The strides in elements, or one of them."},
    {"dim", method_dim, METH_NOARGS, "The number of dimensions."},
    {"ndimension", method_dim, METH_NOARGS, "The number of dimensions."},
    {"numel", method_numel, METH_NOARGS, "The number of elements."},
    {"nelement", method_numel, METH_NOARGS, "The number of elements."},
    {"storage_offset", method_storage_offset, METH_NOARGS, "First element, in the storage."},
    {"element_size", method_element_size, METH_NOARGS, "Bytes per element."},
    {"data_ptr", method_data_ptr, METH_NOARGS, "Address of the first element."},
    {"is_floating_point", method_is_floating_point, METH_NOARGS, nullptr},
    {"is_complex", method_is_complex, METH_NOARGS, nullptr},
    {"is_signed", method_is_signed, METH_NOARGS, nullptr},
    {"is_contiguous", fast(method_is_contiguous), kFast, "Row-major without gaps?"},
    {"is_set_to", method_is_set_to, METH_O, "Same memory and layout?"},
    fast_method("is_pinned", method_is_pinned, "Whether the tensor lies in page-locked memory."),
    fast_method("pin_memory", method_pin_memory, "A copy in page-locked memory, or self."),
    {"record_stream", method_record_stream, METH_O,
     "Notes that a stream uses the memory, which is then not given out before it is done."},
    {"get_device", method_get_device, METH_NOARGS, "Device index, -1 on the cpu."},
    {"item", method_item, METH_NOARGS, "The only element as a Python number."},
    {"tolist", method_tolist, METH_NOARGS, "The elements as nested lists."},
    {"to", fast(method_to), kFast, "Converted to a dtype and device; self if nothing changes."},
    {"bool", fast(method_cast<DType::kBool>), kFast, "to(torch.bool)"},
    {"byte", fast(method_cast<DType::kUInt8>), kFast, "to(torch.uint8)"},
    {"char", fast(method_cast<DType::kInt8>), kFast, "to(torch.int8)"},
    {"short", fast(method_cast<DType::kInt16>), kFast, "to(torch.int16)"},
    {"int", fast(method_cast<DType::kInt32>), kFast, "to(torch.int32)"},
    {"long", fast(method_cast<DType::kInt64>), kFast, "to(torch.int64)"},
    {"half", fast(method_cast<DType::kFloat16>), kFast, "to(torch.float16)"},
    {"bfloat16", fast(method_cast<DType::kBFloat16>), kFast, "to(torch.bfloat16)"},
    {"float", fast(method_cast<DType::kFloat32>), kFast, "to(torch.float32)"},
    {"double", fast(method_cast<DType::kFloat64>), kFast, "to(torch.float64)"},
    {"cpu", fast(method_cpu), kFast, "On the cpu; self if it is there."},
    {"cuda", fast(method_cuda), kFast, "On a cuda device."},
    {"type", fast(method_type), kFast, "The type's name, or a conversion to it."},
    {"type_as", method_type_as, METH_O, "Converted to the dtype of another tensor."},
    {"view_as", method_view_as, METH_O, "view(other.size())"},
    {"reshape_as", method_reshape_as, METH_O, "reshape(other.size())"},
    {"expand_as", method_expand_as, METH_O, "expand(other.size())"},
    {"_make_subclass", fast(method_make_subclass), kFast | METH_STATIC, nullptr},
    {}};

}  // namespace

PyMethodDef* tensor_methods() { return method_table; }

}  // namespace pt::python
