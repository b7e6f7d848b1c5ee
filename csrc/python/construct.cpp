// Functions that make tensors from Python data: tensor(), as_tensor(), from_numpy() and their kin,
// the legacy constructors Tensor(2, 3) and FloatTensor([1, 2]), Tensor.new and new_tensor.
#include "core/pinned.h"
#include "op/copy.h"
#include "ops/core_ops.h"
#include "python/buffer.h"
#include "python/method_args.h"
#include "python/tensor_type.h"

namespace pt::python {

namespace {

#define PT_FUNCTION(name) \
  PyObject* name(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames)

// `t` itself when it is there already.
Tensor on_device(Tensor t, const std::optional<Device>& device) {
  if (!device || *device == t.device()) return t;
  return to_copy(t, t.dtype(), *device);
}

// Where new tensors go when the call does not say; none: where the data is.
std::optional<Device> device_for_new(const MethodArgs& a, size_t i) {
  const std::optional<Device> given = a.device(i);
  const Device otherwise = default_device();
  return given || otherwise.is_cpu() ? given : otherwise;
}

Tensor in_pinned_memory(Tensor t, bool on) {
  if (!on) return t;
  PT_CHECK(t.device().is_cpu(), "Only dense CPU tensors can be pinned");
  const Tensor pinned = empty_pinned(t.sizes(), t.strides(), t.dtype());
  copy_into(pinned, t);
  return pinned;
}

Tensor with_requires_grad(Tensor t, bool on) {
  if (on) {
    PT_CHECK(is_floating(t.dtype()),
             "Only Tensors of floating point and complex dtype can require gradients");
    t->set(TensorImpl::kRequiresGrad, true);
  }
  return t;
}

PT_FUNCTION(function_tensor) {
  (void)self;
  return guarded([&] {
    const MethodArgs a("tensor", {"data", "dtype", "device", "requires_grad", "pin_memory"}, 1,
                       args, nargs, kwnames);
    PyObject* data = a.required(0);
    const std::optional<DType> dtype = a.dtype(1);
    const std::optional<Device> device = device_for_new(a, 2);
    const bool requires_grad = a.flag(3);
    Tensor t = in_pinned_memory(on_device(tensor_from_data(data, dtype), device), a.flag(4));
    return wrap(with_requires_grad(std::move(t), requires_grad));
  });
}

PT_FUNCTION(function_as_tensor) {
  (void)self;
  return guarded([&]() -> PyObject* {
    const MethodArgs a("as_tensor", {"data", "dtype", "device"}, 3, args, nargs, kwnames);
    PyObject* data = a.required(0);
    const std::optional<DType> dtype = a.dtype(1);
    const std::optional<Device> device = device_for_new(a, 2);
    if (!is_tensor(data) && !is_numpy_array(data))
      return wrap(on_device(tensor_from_data(data, dtype), device));
    if (is_tensor(data)) {
      const Tensor& t = as_tensor(data);
      if ((!dtype || *dtype == t.dtype()) && (!device || *device == t.device()))
        return Py_NewRef(data);
      return wrap(to_copy(t, dtype.value_or(t.dtype()), device.value_or(t.device())));
    }
    const Tensor t = tensor_from_buffer(data);
    return wrap(on_device(dtype ? cast_to(t, *dtype) : t, device));
  });
}

Tensor asarray_of(PyObject* o, std::optional<DType> dtype, std::optional<bool> copy,
                  bool requires_grad) {
  Tensor t;
  bool own_memory = false;
  if (is_tensor(o)) {
    t = as_tensor(o);
  } else if (is_numpy_array(o)) {
    t = tensor_from_buffer(o);
  } else if (is_dlpack(o)) {
    t = tensor_from_dlpack(o, std::nullopt);
  } else if (PyObject_CheckBuffer(o) && !PyNumber_Check(o)) {  // NumPy scalars are buffers, too
    t = tensor_from_bytes(o, dtype.value_or(default_dtype()), -1, 0);
  } else {
    PT_CHECK_VALUE(copy.value_or(true), "can't alias arbitrary sequence into a tensor.");
    t = tensor_from_data(o, dtype);
    own_memory = true;
  }
  const bool converts = dtype && *dtype != t.dtype();
  if (copy.has_value() && !*copy) {
    PT_CHECK_VALUE(!converts, "can't alias tensor with dtype '", dtype_name(t.dtype()),
                   "' into dtype '", dtype_name(*dtype), "'.");
  }
  if (converts) {
    t = to_dtype(t, *dtype);
  } else if (copy.value_or(false) && !own_memory) {
    t = clone(t);
  }
  // Of a tensor in the graph a new leaf is made, unless it is returned as it is.
  if (requires_grad && !t.is_leaf()) t = alias(t);
  return with_requires_grad(std::move(t), requires_grad);
}

PT_FUNCTION(function_asarray) {
  (void)self;
  return guarded([&]() -> PyObject* {
    const MethodArgs a("asarray", {"obj", "dtype", "device", "copy", "requires_grad"}, 1, args,
                       nargs, kwnames);
    PyObject* o = a.required(0);
    const std::optional<DType> dtype = a.dtype(1);
    const std::optional<Device> device = device_for_new(a, 2);
    const std::optional<bool> copy = a.optional_flag(3);
    const bool requires_grad = a.flag(4);
    return wrap(on_device(asarray_of(o, dtype, copy, requires_grad), device));
  });
}

PyObject* function_from_numpy(PyObject*, PyObject* array) {
  return guarded([&] {
    PT_CHECK_TYPE(is_numpy_array(array), "expected np.ndarray (got ", Py_TYPE(array)->tp_name, ")");
    return wrap(tensor_from_buffer(array));
  });
}

PT_FUNCTION(function_frombuffer) {
  (void)self;
  return guarded([&] {
    const MethodArgs a("frombuffer", {"buffer", "dtype", "count", "offset", "requires_grad"}, 1,
                       args, nargs, kwnames);
    PyObject* buffer = a.required(0);
    a.required(1);
    const std::optional<DType> dtype = a.dtype(1);
    PT_CHECK_TYPE(dtype, "frombuffer(): argument 'dtype' must be torch.dtype, not NoneType");
    return wrap(with_requires_grad(
        tensor_from_bytes(buffer, *dtype, a.integer(2, -1), a.integer(3, 0)), a.flag(4)));
  });
}

PT_FUNCTION(function_scalar_tensor) {
  (void)self;
  return guarded([&] {
    const MethodArgs a("scalar_tensor",
                       {"s", "dtype", "layout", "device", "requires_grad", "pin_memory"}, 1, args,
                       nargs, kwnames);
    PyObject* number = a.required(0);
    Scalar s;
    PT_CHECK_TYPE(to_scalar(number, s),
                  "scalar_tensor(): argument 's' (position 1) must be Number, not ",
                  Py_TYPE(number)->tp_name);
    const std::optional<Device> device = device_for_new(a, 3);
    const DType dtype = a.dtype(1).value_or(default_dtype());
    Tensor t = in_pinned_memory(on_device(tensor_from_data(number, dtype), device), a.flag(5));
    return wrap(with_requires_grad(std::move(t), a.flag(4)));
  });
}

// --- legacy constructors -------------------------------------------------------------------------

Dims read_size(PyObject* const* items, Py_ssize_t n) {
  Dims sizes(static_cast<int>(n));
  for (Py_ssize_t i = 0; i < n; ++i) {
    PT_CHECK_TYPE(to_int(items[i], sizes[static_cast<int>(i)]),
                  "new(): argument 'size' failed to unpack the object at pos ", i + 1,
                  " with error \"type must be tuple of ints,but got ", Py_TYPE(items[i])->tp_name,
                  "\"");
  }
  for (int64_t s : sizes) {
    PT_CHECK(s >= 0, "Trying to create tensor with negative dimension ", s, ": ", to_text(sizes));
  }
  return sizes;
}

// Tensor(other): another view of its memory, within the graph.
Tensor same_memory(const Tensor& other, DType dtype, bool fixed_dtype) {
  PT_CHECK_TYPE(!fixed_dtype || other.dtype() == dtype, "expected a tensor of dtype ",
                dtype_name(dtype), " (got ", dtype_name(other.dtype()), ")");
  return alias_op(other);
}

Tensor from_one_argument(PyObject* o, DType dtype, bool fixed_dtype) {
  if (is_tensor(o)) return same_memory(as_tensor(o), dtype, fixed_dtype);
  if (Py_TYPE(o) == size_type)
    return empty_tensor(read_size(&PyTuple_GET_ITEM(o, 0), PyTuple_GET_SIZE(o)), dtype);
  int64_t n;
  if (!PyBool_Check(o) && to_int(o, n)) return empty_tensor(read_size(&o, 1), dtype);
  PT_CHECK_TYPE(PySequence_Check(o), "new(): data must be a sequence (got ", Py_TYPE(o)->tp_name,
                ")");
  return tensor_from_data(o, dtype);
}

Tensor construct(PyObject* args, PyObject* kwargs, DType dtype, bool fixed_dtype) {
  const Py_ssize_t n = PyTuple_GET_SIZE(args);
  Tensor from_keyword;
  PyObject *key, *value;
  Py_ssize_t pos = 0;
  while (kwargs && PyDict_Next(kwargs, &pos, &key, &value)) {
    Py_ssize_t length;
    const std::string name = check_utf8(key, &length);
    if (name == "device") {
      Device d;
      PT_CHECK(value == Py_None || (to_device(value, d) && d.is_cpu()),
               "legacy constructor expects device type: cpu");
      continue;
    }
    PT_CHECK_TYPE(
        (name == "data" || name == "other" || name == "size") && n == 0 && !from_keyword.defined(),
        "new() received an invalid combination of arguments: keyword '", name, "'");
    if (name == "size") {
      PT_CHECK_TYPE(PyTuple_Check(value) || PyList_Check(value),
                    "new(): argument 'size' must be tuple of ints, not ", Py_TYPE(value)->tp_name);
      from_keyword = empty_tensor(
          read_size(PySequence_Fast_ITEMS(value), PySequence_Fast_GET_SIZE(value)), dtype);
    } else {
      PT_CHECK_TYPE(name == "data" || is_tensor(value),
                    "new(): argument 'other' must be Tensor, not ", Py_TYPE(value)->tp_name);
      from_keyword = from_one_argument(value, dtype, fixed_dtype);
    }
  }
  if (from_keyword.defined()) return from_keyword;
  if (n == 0) return empty_tensor(Dims{0}, dtype);
  if (n == 1) return from_one_argument(PyTuple_GET_ITEM(args, 0), dtype, fixed_dtype);
  return empty_tensor(read_size(&PyTuple_GET_ITEM(args, 0), n), dtype);
}

// FloatTensor and its kin: callables and targets of isinstance(), never the type of an object.
PyObject* legacy_types[kNumDTypes];
PyTypeObject* legacy_metatype;

DType legacy_dtype(PyObject* type) {
  for (int i = 0; i < kNumDTypes; ++i)
    if (legacy_types[i] == type) return static_cast<DType>(i);
  return default_dtype();  // a class derived from one of them in Python
}
PyObject* legacy_call(PyObject* type, PyObject* args, PyObject* kwargs) {
  return guarded(
      [&] { return legacy_constructor(tensor_type, args, kwargs, legacy_dtype(type), true); });
}
PyObject* legacy_instance_check(PyObject* type, PyObject* o) {
  return PyBool_FromLong(is_tensor(o) && as_tensor(o).dtype() == legacy_dtype(type));
}
PyObject* legacy_get_dtype(PyObject* type, void*) { return dtype_object(legacy_dtype(type)); }

void init_legacy_types(py::module_& m) {
  static PyMethodDef methods[] = {{"__instancecheck__", legacy_instance_check, METH_O, nullptr},
                                  {}};
  static PyGetSetDef getset[] = {
      {"dtype", legacy_get_dtype, nullptr, "The dtype of these tensors.", nullptr}, {}};
  PyType_Slot slots[] = {{Py_tp_call, reinterpret_cast<void*>(legacy_call)},
                         {Py_tp_methods, methods},
                         {Py_tp_getset, getset},
                         {0, nullptr}};
  PyType_Spec spec{"pytensor.tensortype", 0, 0, Py_TPFLAGS_DEFAULT, slots};
  const auto base = py::reinterpret_steal<py::object>(
      check(PyTuple_Pack(1, reinterpret_cast<PyObject*>(&PyType_Type))));
  legacy_metatype =
      reinterpret_cast<PyTypeObject*>(check(PyType_FromSpecWithBases(&spec, base.ptr())));
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (is_complex(dtype)) continue;
    const std::string name = legacy_type_name(dtype).substr(std::string_view("torch.").size());
    py::dict attributes;
    attributes["__module__"] = "pytensor";
    legacy_types[i] = check(PyObject_CallFunction(reinterpret_cast<PyObject*>(legacy_metatype),
                                                  "s()O", name.c_str(), attributes.ptr()));
    m.attr(name.c_str()) = py::handle(legacy_types[i]);
  }
}

// --- methods -------------------------------------------------------------------------------------

PT_FUNCTION(method_new_tensor) {
  return guarded([&] {
    const MethodArgs a("new_tensor", {"data", "dtype", "device", "requires_grad", "pin_memory"}, 1,
                       args, nargs, kwnames);
    PyObject* data = a.required(0);
    const DType dtype = a.dtype(1).value_or(as_tensor(self).dtype());
    const Device device = a.device(2).value_or(as_tensor(self).device());
    Tensor t = in_pinned_memory(on_device(tensor_from_data(data, dtype), device), a.flag(4));
    return wrap(with_requires_grad(std::move(t), a.flag(3)));
  });
}

PyObject* method_new(PyObject* self, PyObject* args, PyObject* kwargs) {
  return guarded(
      [&] { return legacy_constructor(tensor_type, args, kwargs, as_tensor(self).dtype(), true); });
}

PyMethodDef construct_functions[] = {
    fast_method("tensor", function_tensor, "A new tensor with a copy of data."),
    fast_method("as_tensor", function_as_tensor,
                "data as a tensor; shares the memory of tensors and arrays."),
    fast_method("asarray", function_asarray,
                "obj as a tensor; shares memory where it can, unless copy=True."),
    {"from_numpy", function_from_numpy, METH_O, "A tensor over the memory of an array."},
    fast_method("frombuffer", function_frombuffer, "A 1-dim tensor over the bytes of a buffer."),
    fast_method("scalar_tensor", function_scalar_tensor, "A 0-dim tensor holding s."),
    {}};

PyMethodDef construct_methods[] = {
    fast_method("new_tensor", method_new_tensor, "A new tensor of this tensor's dtype."),
    {"new", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(method_new)),
     METH_VARARGS | METH_KEYWORDS, "The legacy constructor for this tensor's dtype."},
    {}};

}  // namespace

PyObject* legacy_constructor(PyTypeObject* type, PyObject* args, PyObject* kwargs, DType dtype,
                             bool fixed_dtype) {
  if (!fixed_dtype) dtype = default_dtype();
  return wrap_as(type, construct(args, kwargs, dtype, fixed_dtype));
}

void init_construct(py::module_& m) {
  add_functions(m, construct_functions);
  add_tensor_methods(construct_methods);
  init_legacy_types(m);
}

}  // namespace pt::python
