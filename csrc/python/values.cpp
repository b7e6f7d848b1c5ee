// The small value types of the Python API: dtype, device, layout, memory_format, Size.
#include <vector>

#include "core/device_runtime.h"
#include "python/object.h"

#include <structmember.h>  // after Python.h

namespace pt::python {

PyTypeObject* dtype_type = nullptr;
PyTypeObject* device_type = nullptr;
PyTypeObject* layout_type = nullptr;
PyTypeObject* memory_format_type = nullptr;
PyTypeObject* size_type = nullptr;

namespace {

PyObject* dtype_objects[kNumDTypes];
PyObject* strided;

PyTypeObject* make_type(const char* name, int size, PyType_Slot* slots,
                        unsigned long flags = Py_TPFLAGS_DEFAULT, PyObject* bases = nullptr) {
  PyType_Spec spec{name, size, 0, static_cast<unsigned>(flags), slots};
  return reinterpret_cast<PyTypeObject*>(check(PyType_FromSpecWithBases(&spec, bases)));
}

template <class T>
T* allocate(PyTypeObject* type) {
  return reinterpret_cast<T*>(check(type->tp_alloc(type, 0)));
}

DType value_of(PyObject* self) { return reinterpret_cast<PyDType*>(self)->value; }

// --- dtype ---
PyObject* dtype_repr(PyObject* self) {
  return PyUnicode_FromFormat("torch.%s", dtype_name(value_of(self)));
}
PyObject* dtype_reduce(PyObject* self, PyObject*) {
  return PyUnicode_FromString(dtype_name(value_of(self)));
}
PyObject* dtype_is_floating(PyObject* self, void*) {
  return PyBool_FromLong(is_floating(value_of(self)));
}
PyObject* dtype_is_complex(PyObject* self, void*) {
  return PyBool_FromLong(is_complex(value_of(self)));
}
PyObject* dtype_is_signed(PyObject* self, void*) {
  return PyBool_FromLong(is_signed(value_of(self)));
}
PyObject* dtype_itemsize(PyObject* self, void*) {
  return PyLong_FromSize_t(item_size(value_of(self)));
}
PyGetSetDef dtype_getset[] = {
    {"is_floating_point", dtype_is_floating, nullptr, "True for floating point dtypes.", nullptr},
    {"is_complex", dtype_is_complex, nullptr, "True for complex dtypes.", nullptr},
    {"is_signed", dtype_is_signed, nullptr, "True for dtypes with negative values.", nullptr},
    {"itemsize", dtype_itemsize, nullptr, "Bytes per element.", nullptr},
    {}};
PyMethodDef dtype_methods[] = {{"__reduce__", dtype_reduce, METH_NOARGS, nullptr}, {}};

// --- device ---
PyObject* device_new(PyTypeObject*, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"type", "index", nullptr};
  PyObject* type = nullptr;
  PyObject* index = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:device", const_cast<char**>(names), &type,
                                   &index))
    return nullptr;
  return guarded([&]() -> PyObject* {
    Device d;
    PT_CHECK_TYPE(to_device(type, d), "device(): argument 'type' (position 1) must be str, not ",
                  Py_TYPE(type)->tp_name);
    if (index && index != Py_None) {
      int64_t i;
      PT_CHECK_TYPE(to_int(index, i), "device(): argument 'index' (position 2) must be int, not ",
                    Py_TYPE(index)->tp_name);
      PT_CHECK(i >= 0 && i < 128, "Device index must be non-negative, got ", i);
      d.index = static_cast<int8_t>(i);
    }
    return device_object(d);
  });
}
Device device_value(PyObject* self) { return reinterpret_cast<PyDevice*>(self)->value; }
PyObject* device_repr(PyObject* self) {
  const Device d = device_value(self);
  const char* type = d.is_cpu() ? "cpu" : "cuda";
  if (d.index < 0) return PyUnicode_FromFormat("device(type='%s')", type);
  return PyUnicode_FromFormat("device(type='%s', index=%d)", type, static_cast<int>(d.index));
}
PyObject* device_str(PyObject* self) {
  return PyUnicode_FromString(to_text(device_value(self)).c_str());
}
PyObject* device_get_type(PyObject* self, void*) {
  return PyUnicode_FromString(device_value(self).is_cpu() ? "cpu" : "cuda");
}
PyObject* device_get_index(PyObject* self, void*) {
  const Device d = device_value(self);
  if (d.index < 0) Py_RETURN_NONE;
  return PyLong_FromLong(d.index);
}
Py_hash_t device_hash(PyObject* self) {
  const Device d = device_value(self);
  return static_cast<Py_hash_t>(d.type) * 256 + d.index + 1;
}
PyObject* device_compare(PyObject* a, PyObject* b, int op) {
  if (Py_TYPE(b) != device_type || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
  return PyBool_FromLong((device_value(a) == device_value(b)) == (op == Py_EQ));
}
PyObject* device_reduce(PyObject* self, PyObject*) {
  return Py_BuildValue("O(N)", device_type, device_str(self));
}
// `with device("cuda"):` new tensors go there.
thread_local std::vector<Device> default_devices;  // those before, of the contexts that are open
PyObject* device_enter(PyObject* self, PyObject*) {
  return guarded([&] {
    default_devices.push_back(default_device());
    try {
      set_default_device(device_value(self));
    } catch (...) {
      default_devices.pop_back();
      throw;
    }
    return Py_NewRef(self);
  });
}
PyObject* device_exit(PyObject*, PyObject*) {
  return guarded([&]() -> PyObject* {
    if (!default_devices.empty()) {
      set_default_device(default_devices.back());
      default_devices.pop_back();
    }
    Py_RETURN_NONE;
  });
}
PyGetSetDef device_getset[] = {{"type", device_get_type, nullptr, "'cpu' or 'cuda'.", nullptr},
                               {"index", device_get_index, nullptr, "Ordinal or None.", nullptr},
                               {}};
PyMethodDef device_methods[] = {{"__reduce__", device_reduce, METH_NOARGS, nullptr},
                                {"__enter__", device_enter, METH_NOARGS, nullptr},
                                {"__exit__", device_exit, METH_VARARGS, nullptr},
                                {}};

// --- layout and memory format: named constants ---
PyObject* layout_repr(PyObject*) { return PyUnicode_FromString("torch.strided"); }
const char* format_name(MemoryFormat f) {
  static constexpr const char* kNames[] = {"contiguous_format", "preserve_format", "channels_last",
                                           "channels_last_3d"};
  return kNames[static_cast<int>(f)];
}
PyObject* format_repr(PyObject* self) {
  return PyUnicode_FromFormat("torch.%s",
                              format_name(reinterpret_cast<PyMemoryFormat*>(self)->value));
}
PyObject* format_reduce(PyObject* self, PyObject*) {
  return PyUnicode_FromString(format_name(reinterpret_cast<PyMemoryFormat*>(self)->value));
}
PyObject* layout_reduce(PyObject*, PyObject*) { return PyUnicode_FromString("strided"); }
PyMethodDef format_methods[] = {{"__reduce__", format_reduce, METH_NOARGS, nullptr}, {}};
PyMethodDef layout_methods[] = {{"__reduce__", layout_reduce, METH_NOARGS, nullptr}, {}};

// --- Size: a tuple of ints ---
PyObject* size_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  PyObject* self = PyTuple_Type.tp_new(type, args, kwargs);
  if (!self) return nullptr;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self); ++i) {
    PyObject* item = PyTuple_GET_ITEM(self, i);
    if (PyLong_Check(item)) continue;
    PyObject* index = PyNumber_Index(item);
    if (!index) {
      PyErr_Format(PyExc_TypeError, "torch.Size() takes an iterable of 'int' (item %zd is '%s')", i,
                   Py_TYPE(item)->tp_name);
      Py_DECREF(self);
      return nullptr;
    }
    PyTuple_SET_ITEM(self, i, index);
    Py_DECREF(item);
  }
  return self;
}
PyObject* size_repr(PyObject* self) {
  PyObject* list = PySequence_List(self);
  if (!list) return nullptr;
  PyObject* text = PyUnicode_FromFormat("torch.Size(%R)", list);
  Py_DECREF(list);
  return text;
}
PyObject* size_numel(PyObject* self, PyObject*) {
  int64_t n = 1;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self); ++i)
    n *= PyLong_AsLongLong(PyTuple_GET_ITEM(self, i));
  return PyLong_FromLongLong(n);
}
PyObject* as_size(PyObject* tuple) {  // steals
  if (!tuple || !PyTuple_CheckExact(tuple)) return tuple;
  PyObject* out = PyObject_CallOneArg(reinterpret_cast<PyObject*>(size_type), tuple);
  Py_DECREF(tuple);
  return out;
}
PyObject* size_concat(PyObject* a, PyObject* b) {
  return as_size(PyTuple_Type.tp_as_sequence->sq_concat(a, b));
}
PyObject* size_repeat(PyObject* a, Py_ssize_t n) {
  return as_size(PyTuple_Type.tp_as_sequence->sq_repeat(a, n));
}
PyObject* size_subscript(PyObject* a, PyObject* key) {
  return as_size(PyTuple_Type.tp_as_mapping->mp_subscript(a, key));
}
PyObject* size_reduce(PyObject* self, PyObject*) {
  PyObject* tuple = PyTuple_GetSlice(self, 0, PyTuple_GET_SIZE(self));
  PyObject* plain = PySequence_List(self);
  Py_XDECREF(tuple);
  if (!plain) return nullptr;
  PyObject* items = PyList_AsTuple(plain);
  Py_DECREF(plain);
  return Py_BuildValue("O(N)", size_type, items);
}
PyMethodDef size_methods[] = {{"numel", size_numel, METH_NOARGS, "The product of the sizes."},
                              {"__reduce__", size_reduce, METH_NOARGS, nullptr},
                              {}};

}  // namespace

PyObject* dtype_object(DType t) { return Py_NewRef(dtype_objects[static_cast<int>(t)]); }
PyObject* strided_object() { return Py_NewRef(strided); }

PyObject* device_object(Device d) {
  static PyObject* cpu = nullptr;
  const bool plain_cpu = d.is_cpu() && d.index < 0;
  if (plain_cpu && cpu) return Py_NewRef(cpu);
  auto* o = allocate<PyDevice>(device_type);
  o->value = d;
  if (plain_cpu) cpu = Py_NewRef(reinterpret_cast<PyObject*>(o));
  return reinterpret_cast<PyObject*>(o);
}

PyObject* int_tuple(IntList values) {
  PyObject* t = check(PyTuple_New(static_cast<Py_ssize_t>(values.size())));
  for (size_t i = 0; i < values.size(); ++i)
    PyTuple_SET_ITEM(t, static_cast<Py_ssize_t>(i), PyLong_FromLongLong(values[i]));
  return t;
}

PyObject* size_object(IntList sizes) {
  auto* t = reinterpret_cast<PyTupleObject*>(
      check(size_type->tp_alloc(size_type, static_cast<Py_ssize_t>(sizes.size()))));
  for (size_t i = 0; i < sizes.size(); ++i) t->ob_item[i] = PyLong_FromLongLong(sizes[i]);
  return reinterpret_cast<PyObject*>(t);
}

bool to_dtype(PyObject* o, DType& out) {
  if (Py_TYPE(o) == dtype_type) {
    out = value_of(o);
    return true;
  }
  if (o == reinterpret_cast<PyObject*>(&PyFloat_Type)) {
    out = DType::kFloat64;
  } else if (o == reinterpret_cast<PyObject*>(&PyLong_Type)) {
    out = DType::kInt64;
  } else if (o == reinterpret_cast<PyObject*>(&PyBool_Type)) {
    out = DType::kBool;
  } else {
    return false;
  }
  return true;
}

void refuse_complex(DType t, std::string_view function) {
  PT_CHECK_KIND(ErrorKind::kNotImplemented, !is_complex(t), function,
                "(): complex dtypes are not supported, got torch.", dtype_name(t));
}

bool to_device(PyObject* o, Device& out) {
  if (Py_TYPE(o) == device_type) {
    out = device_value(o);
  } else if (PyUnicode_Check(o)) {
    Py_ssize_t n;
    const char* s = PyUnicode_AsUTF8AndSize(o, &n);
    if (!s) throw_python_error();
    out = parse_device({s, static_cast<size_t>(n)});
  } else if (PyLong_Check(o) && !PyBool_Check(o)) {
    const long i = PyLong_AsLong(o);
    PT_CHECK(i >= 0 && i < 128, "Device index must not be negative, got ", i);
    out = {DeviceType::kCuda, static_cast<int8_t>(i)};
  } else {
    return false;
  }
  return true;
}

void init_value_types(py::module_& m) {
  PyType_Slot dtype_slots[] = {{Py_tp_repr, reinterpret_cast<void*>(dtype_repr)},
                               {Py_tp_getset, dtype_getset},
                               {Py_tp_methods, dtype_methods},
                               {Py_tp_doc, const_cast<char*>("The type of a tensor's elements.")},
                               {0, nullptr}};
  dtype_type = make_type("pytensor.dtype", sizeof(PyDType), dtype_slots,
                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION);
  for (int i = 0; i < kNumDTypes; ++i) {
    auto* o = allocate<PyDType>(dtype_type);
    o->value = static_cast<DType>(i);
    dtype_objects[i] = reinterpret_cast<PyObject*>(o);
    m.attr(kDTypeNames[i]) = py::handle(dtype_objects[i]);
  }
  PyType_Slot device_slots[] = {{Py_tp_new, reinterpret_cast<void*>(device_new)},
                                {Py_tp_repr, reinterpret_cast<void*>(device_repr)},
                                {Py_tp_str, reinterpret_cast<void*>(device_str)},
                                {Py_tp_hash, reinterpret_cast<void*>(device_hash)},
                                {Py_tp_richcompare, reinterpret_cast<void*>(device_compare)},
                                {Py_tp_getset, device_getset},
                                {Py_tp_methods, device_methods},
                                {Py_tp_doc, const_cast<char*>("Where a tensor's data lives.")},
                                {0, nullptr}};
  device_type = make_type("pytensor.device", sizeof(PyDevice), device_slots);
  PyType_Slot layout_slots[] = {{Py_tp_repr, reinterpret_cast<void*>(layout_repr)},
                                {Py_tp_methods, layout_methods},
                                {0, nullptr}};
  layout_type = make_type("pytensor.layout", sizeof(PyObject), layout_slots,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION);
  strided = check(layout_type->tp_alloc(layout_type, 0));
  m.attr("strided") = py::handle(strided);
  PyType_Slot format_slots[] = {{Py_tp_repr, reinterpret_cast<void*>(format_repr)},
                                {Py_tp_methods, format_methods},
                                {0, nullptr}};
  memory_format_type = make_type("pytensor.memory_format", sizeof(PyMemoryFormat), format_slots,
                                 Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION);
  for (int i = 0; i < 4; ++i) {
    auto* o = allocate<PyMemoryFormat>(memory_format_type);
    o->value = static_cast<MemoryFormat>(i);
    m.attr(format_name(o->value)) =
        py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(o));
  }
  PyType_Slot size_slots[] = {
      {Py_tp_new, reinterpret_cast<void*>(size_new)},
      {Py_tp_repr, reinterpret_cast<void*>(size_repr)},
      {Py_sq_concat, reinterpret_cast<void*>(size_concat)},
      {Py_sq_repeat, reinterpret_cast<void*>(size_repeat)},
      {Py_mp_subscript, reinterpret_cast<void*>(size_subscript)},
      {Py_tp_methods, size_methods},
      {Py_tp_doc, const_cast<char*>("The sizes of a tensor: a tuple of ints.")},
      {0, nullptr}};
  size_type = make_type("pytensor.Size", 0, size_slots, Py_TPFLAGS_DEFAULT,
                        reinterpret_cast<PyObject*>(&PyTuple_Type));
  m.attr("dtype") = py::handle(reinterpret_cast<PyObject*>(dtype_type));
  m.attr("device") = py::handle(reinterpret_cast<PyObject*>(device_type));
  m.attr("layout") = py::handle(reinterpret_cast<PyObject*>(layout_type));
  m.attr("memory_format") = py::handle(reinterpret_cast<PyObject*>(memory_format_type));
  m.attr("Size") = py::handle(reinterpret_cast<PyObject*>(size_type));
}

}  // namespace pt::python
