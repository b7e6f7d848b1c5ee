// The Tensor type: object life, number and sequence slots. Methods are in tensor_methods.cpp,
// properties in tensor_properties.cpp; most methods come from the registry (ops.cpp).
#include "python/tensor_type.h"

#include <structmember.h>  // after Python.h

#include "ops/core_ops.h"

namespace pt::python {

PyTypeObject* tensor_type = nullptr;

namespace {

// Freed objects of the exact type, kept for the next result.
constexpr int kFreeObjects = 64;
PyTensor* free_objects[kFreeObjects];
int num_free_objects = 0;

void tensor_dealloc(PyObject* o) {
  auto* self = reinterpret_cast<PyTensor*>(o);
  PyTypeObject* type = Py_TYPE(o);
  const bool exact = type == tensor_type;
  if (PyType_IS_GC(type)) PyObject_GC_UnTrack(o);
  if (self->weak_refs) PyObject_ClearWeakRefs(o);
  Py_CLEAR(self->dict);
  if (TensorImpl* impl = std::exchange(self->impl, nullptr)) {
    if (impl->python == self) impl->python = nullptr;
    release(impl);
  }
  if (exact && num_free_objects < kFreeObjects) {
    free_objects[num_free_objects++] = self;
  } else {
    type->tp_free(o);
  }
  Py_DECREF(type);
}

PyTensor* new_object() {
  if (num_free_objects > 0) {
    PyTensor* o = free_objects[--num_free_objects];
    PyObject_Init(reinterpret_cast<PyObject*>(o), tensor_type);
    return o;
  }
  auto* o = reinterpret_cast<PyTensor*>(tensor_type->tp_alloc(tensor_type, 0));
  if (!o) throw_python_error();
  return o;
}

}  // namespace

PyObject* wrap(Tensor&& t) {
  TensorImpl* impl = t.impl();
  if (!impl) Py_RETURN_NONE;
  if (impl->python) return Py_NewRef(static_cast<PyObject*>(impl->python));
  PyTensor* o = new_object();
  o->dict = nullptr;
  o->weak_refs = nullptr;
  o->impl = t.detach_impl();
  impl->python = o;
  return reinterpret_cast<PyObject*>(o);
}

PyObject* wrap(const Tensor& t) { return wrap(Tensor(t)); }

PyObject* wrap_as(PyTypeObject* type, const Tensor& t) {
  if (type == tensor_type) return wrap(t);
  Tensor own = t->python ? alias(t) : t;
  auto* o = reinterpret_cast<PyTensor*>(check(type->tp_alloc(type, 0)));
  o->impl = own.detach_impl();
  o->impl->python = o;
  return reinterpret_cast<PyObject*>(o);
}

namespace {

// --- arithmetic slots --------------------------------------------------------------------------

const OpInfo& op_named(const char* name) { return *Registry::get().find(name)->ops[0]; }

// Tensor, or a number wrapped into `number`; false if it is neither.
bool operand(PyObject* o, Value& v, Tensor& number) {
  if (is_tensor(o)) {
    v = Value::of(as_tensor(o));
    return true;
  }
  Scalar s;
  if (!to_scalar(o, s)) return false;
  number = wrapped_number(s);
  v = Value::of(number);
  return true;
}

// op(a, b) with the schema's remaining parameters at their defaults.
PyObject* binary(const OpInfo& op, PyObject* a, PyObject* b) {
  return guarded([&]() -> PyObject* {
    Value v[kMaxParams];
    Tensor number;
    if (!operand(a, v[0], number) || !operand(b, v[1], number)) Py_RETURN_NOTIMPLEMENTED;
    for (int i = 2; i < op.schema->num_params; ++i) v[i] = op.defaults[i];
    Result r;
    dispatch(op, v, r);
    return wrap(std::move(r.t[0]));
  });
}

PyObject* unary(const OpInfo& op, PyObject* a) {
  return guarded([&]() -> PyObject* {
    Value v[kMaxParams];
    v[0] = Value::of(as_tensor(a));
    for (int i = 1; i < op.schema->num_params; ++i) v[i] = op.defaults[i];
    Result r;
    dispatch(op, v, r);
    return wrap(std::move(r.t[0]));
  });
}

#define PT_BINARY_SLOT(slot, op_name)            \
  PyObject* slot(PyObject* a, PyObject* b) {     \
    static const OpInfo& op = op_named(op_name); \
    return binary(op, a, b);                     \
  }
#define PT_UNARY_SLOT(slot, op_name)             \
  PyObject* slot(PyObject* a) {                  \
    static const OpInfo& op = op_named(op_name); \
    return unary(op, a);                         \
  }
PT_BINARY_SLOT(slot_add, "add")
PT_BINARY_SLOT(slot_sub, "sub")
PT_BINARY_SLOT(slot_mul, "mul")
PT_BINARY_SLOT(slot_div, "div")
PT_BINARY_SLOT(slot_floor_divide, "floor_divide")
PT_BINARY_SLOT(slot_remainder, "remainder")
PT_BINARY_SLOT(slot_and, "bitwise_and")
PT_BINARY_SLOT(slot_or, "bitwise_or")
PT_BINARY_SLOT(slot_xor, "bitwise_xor")
PT_BINARY_SLOT(slot_lshift, "bitwise_left_shift")
PT_BINARY_SLOT(slot_rshift, "bitwise_right_shift")
PT_BINARY_SLOT(slot_iadd, "add_")
PT_BINARY_SLOT(slot_isub, "sub_")
PT_BINARY_SLOT(slot_imul, "mul_")
PT_BINARY_SLOT(slot_idiv, "div_")
PT_BINARY_SLOT(slot_ifloor_divide, "floor_divide_")
PT_BINARY_SLOT(slot_iremainder, "remainder_")
PT_BINARY_SLOT(slot_iand, "bitwise_and_")
PT_BINARY_SLOT(slot_ior, "bitwise_or_")
PT_BINARY_SLOT(slot_ixor, "bitwise_xor_")
PT_BINARY_SLOT(slot_ilshift, "bitwise_left_shift_")
PT_BINARY_SLOT(slot_irshift, "bitwise_right_shift_")
PT_UNARY_SLOT(slot_neg, "neg")
PT_UNARY_SLOT(slot_positive, "positive")
PT_UNARY_SLOT(slot_abs, "abs")

PyObject* slot_matmul(PyObject* a, PyObject* b) {
  static const OpInfo& op = op_named("matmul");
  if (!is_tensor(a) || !is_tensor(b)) Py_RETURN_NOTIMPLEMENTED;
  return binary(op, a, b);
}
PyObject* slot_invert(PyObject* a) {
  static const OpInfo& op = op_named("bitwise_not");
  if (!is_integral(as_tensor(a).dtype(), true)) {
    PyErr_SetString(PyExc_TypeError,
                    "~ (operator.invert) is only implemented on integer and Boolean-type tensors");
    return nullptr;
  }
  return unary(op, a);
}

PyObject* slot_pow(PyObject* a, PyObject* b, PyObject* mod) {
  if (mod != Py_None) Py_RETURN_NOTIMPLEMENTED;
  static const OpInfo& op = op_named("pow");
  return binary(op, a, b);
}
PyObject* slot_ipow(PyObject* a, PyObject* b, PyObject* mod) {
  if (mod != Py_None) Py_RETURN_NOTIMPLEMENTED;
  static const OpInfo& op = op_named("pow_");
  return binary(op, a, b);
}

PyObject* rich_compare(PyObject* a, PyObject* b, int which) {
  static const OpInfo* ops[] = {&op_named("lt"), &op_named("le"), &op_named("eq"),
                                &op_named("ne"), &op_named("gt"), &op_named("ge")};
  return binary(*ops[which], a, b);
}

Py_hash_t tensor_hash(PyObject* o) { return _Py_HashPointer(as_tensor(o).impl()); }

// --- conversion to Python numbers ---------------------------------------------------------------

int slot_bool(PyObject* o) {
  return guarded([&] {
    const Tensor& t = as_tensor(o);
    PT_CHECK(t.numel() != 0, "Boolean value of Tensor with no values is ambiguous");
    PT_CHECK(t.numel() == 1, "Boolean value of Tensor with more than one value is ambiguous");
    return static_cast<int>(t.item().to_bool());
  });
}
Scalar only_element(PyObject* o) {
  const Tensor& t = as_tensor(o);
  PT_CHECK_VALUE(t.numel() == 1, "only one element tensors can be converted to Python scalars");
  return t.item();
}
PyObject* slot_float(PyObject* o) {
  return guarded([&] { return PyFloat_FromDouble(only_element(o).to_double()); });
}
PyObject* slot_int(PyObject* o) {
  return guarded([&]() -> PyObject* {
    const Scalar s = only_element(o);
    return s.is_float() ? PyLong_FromDouble(s.to_double()) : PyLong_FromLongLong(s.to_int());
  });
}
PyObject* slot_index(PyObject* o) {
  return guarded([&]() -> PyObject* {
    const Tensor& t = as_tensor(o);
    PT_CHECK_TYPE(is_integral(t.dtype(), true) && t.numel() == 1,
                  "only integer tensors of a single element can be converted to an index");
    return PyLong_FromLongLong(t.item().to_int());
  });
}

// --- container protocol -------------------------------------------------------------------------

Py_ssize_t tensor_length(PyObject* o) {
  return guarded([&]() -> Py_ssize_t {
    const Tensor& t = as_tensor(o);
    PT_CHECK_TYPE(t.dim() > 0, "len() of a 0-d tensor");
    return t->sizes[0];
  });
}

PyObject* sequence_item(PyObject* o, Py_ssize_t i) {
  return guarded([&]() -> PyObject* {
    const Tensor& t = as_tensor(o);
    if (t.dim() > 0 && i >= t->sizes[0]) {
      PyErr_SetString(PyExc_IndexError, "index out of range");
      return nullptr;
    }
    return wrap(select(t, 0, static_cast<int64_t>(i)));
  });
}

PyObject* tensor_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  return guarded([&] { return legacy_constructor(type, args, kwargs, DType::kFloat32, false); });
}

PyMemberDef members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(PyTensor, dict), READONLY, nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(PyTensor, weak_refs), READONLY, nullptr},
    {}};

}  // namespace

void init_tensor_type(py::module_& m) {
#define PT_SLOT(id, fn) {id, reinterpret_cast<void*>(fn)}
  PyType_Slot slots[] = {
      PT_SLOT(Py_tp_dealloc, tensor_dealloc),
      PT_SLOT(Py_tp_new, tensor_new),
      PT_SLOT(Py_tp_hash, tensor_hash),
      PT_SLOT(Py_tp_richcompare, rich_compare),
      PT_SLOT(Py_tp_members, members),
      PT_SLOT(Py_tp_methods, tensor_methods()),
      PT_SLOT(Py_tp_getset, tensor_properties()),
      PT_SLOT(Py_tp_doc, const_cast<char*>("A multi-dimensional array of one dtype.")),
      PT_SLOT(Py_nb_add, slot_add),
      PT_SLOT(Py_nb_subtract, slot_sub),
      PT_SLOT(Py_nb_multiply, slot_mul),
      PT_SLOT(Py_nb_true_divide, slot_div),
      PT_SLOT(Py_nb_floor_divide, slot_floor_divide),
      PT_SLOT(Py_nb_remainder, slot_remainder),
      PT_SLOT(Py_nb_power, slot_pow),
      PT_SLOT(Py_nb_matrix_multiply, slot_matmul),
      PT_SLOT(Py_nb_and, slot_and),
      PT_SLOT(Py_nb_or, slot_or),
      PT_SLOT(Py_nb_xor, slot_xor),
      PT_SLOT(Py_nb_lshift, slot_lshift),
      PT_SLOT(Py_nb_rshift, slot_rshift),
      PT_SLOT(Py_nb_inplace_add, slot_iadd),
      PT_SLOT(Py_nb_inplace_subtract, slot_isub),
      PT_SLOT(Py_nb_inplace_multiply, slot_imul),
      PT_SLOT(Py_nb_inplace_true_divide, slot_idiv),
      PT_SLOT(Py_nb_inplace_floor_divide, slot_ifloor_divide),
      PT_SLOT(Py_nb_inplace_remainder, slot_iremainder),
      PT_SLOT(Py_nb_inplace_power, slot_ipow),
      PT_SLOT(Py_nb_inplace_and, slot_iand),
      PT_SLOT(Py_nb_inplace_or, slot_ior),
      PT_SLOT(Py_nb_inplace_xor, slot_ixor),
      PT_SLOT(Py_nb_inplace_lshift, slot_ilshift),
      PT_SLOT(Py_nb_inplace_rshift, slot_irshift),
      PT_SLOT(Py_nb_negative, slot_neg),
      PT_SLOT(Py_nb_positive, slot_positive),
      PT_SLOT(Py_nb_absolute, slot_abs),
      PT_SLOT(Py_nb_invert, slot_invert),
      PT_SLOT(Py_nb_bool, slot_bool),
      PT_SLOT(Py_nb_float, slot_float),
      PT_SLOT(Py_nb_int, slot_int),
      PT_SLOT(Py_nb_index, slot_index),
      PT_SLOT(Py_mp_length, tensor_length),
      PT_SLOT(Py_mp_subscript, index_get),
      PT_SLOT(Py_mp_ass_subscript, index_set),
      PT_SLOT(Py_sq_length, tensor_length),
      PT_SLOT(Py_sq_item, sequence_item),
      PT_SLOT(Py_bf_getbuffer, get_buffer),
      PT_SLOT(Py_bf_releasebuffer, release_buffer),
      {0, nullptr}};
#undef PT_SLOT
  PyType_Spec spec{"pytensor.Tensor", sizeof(PyTensor), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                   slots};
  tensor_type = reinterpret_cast<PyTypeObject*>(check(PyType_FromSpec(&spec)));
  m.attr("Tensor") = py::handle(reinterpret_cast<PyObject*>(tensor_type));
}

}  // namespace pt::python
