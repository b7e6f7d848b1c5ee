// Python callables as hooks of tensors and nodes, and the link by which a RemovableHandle finds
// its hook again. A handle keeps neither the hook nor the graph alive.
#include "python/autograd.h"

namespace pt::python {

namespace {

// What a handle knows: where the hook is registered, until it is gone.
struct HookLink {
  void* list = nullptr;
  void (*erase)(void* list, int64_t id) = nullptr;
  int64_t id = 0;
  void remove() {
    if (list) erase(list, id);
  }
};

// The callable, owned by the hook's std::function and the copies of it in a running backward.
struct Callable {
  PyObject* function;
  std::shared_ptr<HookLink> link;
  Callable(PyObject* f, std::shared_ptr<HookLink> l) : function(Py_NewRef(f)), link(std::move(l)) {}
  ~Callable() {
    link->list = nullptr;
    drop(function);
  }
  Callable(const Callable&) = delete;
  Callable& operator=(const Callable&) = delete;

  py::object operator()(const py::object& a) const { return py::handle(function)(a); }
  py::object operator()(const py::object& a, const py::object& b) const {
    return py::handle(function)(a, b);
  }
  std::string name() const {
    py::object n = py::getattr(function, "__name__", py::none());
    return py::str(n.is_none() ? py::type::of(function).attr("__name__") : n);
  }
};
using Hook = std::shared_ptr<Callable>;

py::object object_of(const Tensor& t) { return py::reinterpret_steal<py::object>(wrap(t)); }

// A hook's answer in place of `was`: a tensor of the same shape.
Tensor replacement(const Callable& hook, const py::handle& answer, const Tensor& was) {
  PT_CHECK_TYPE(is_tensor(answer.ptr()), "expected Variable, but hook returned '",
                Py_TYPE(answer.ptr())->tp_name, "'");
  const Tensor& t = as_tensor(answer.ptr());
  if (was.defined()) {
    PT_CHECK(t.dtype() == was.dtype(), "hook '", hook.name(),
             "' has changed the type of value (was ", legacy_type_name(was.dtype()), " got ",
             legacy_type_name(t.dtype()), ")");
    PT_CHECK(t.sizes() == was.sizes(), "hook '", hook.name(), "' has changed the size of value");
  }
  return t;
}

// The same for hooks that see all gradients at once and may return a tuple of them.
void replace_all(const Callable& hook, const py::object& answer, GradVector& values) {
  if (answer.is_none()) return;
  py::tuple t;
  if (PyTuple_Check(answer.ptr())) {
    t = py::reinterpret_borrow<py::tuple>(answer);
  } else {
    PT_CHECK_TYPE(is_tensor(answer.ptr()), "expected Variable or tuple, but hook returned '",
                  Py_TYPE(answer.ptr())->tp_name, "'");
    t = py::make_tuple(answer);
  }
  PT_CHECK(t.size() == values.size(), "hook '", hook.name(),
           "' has returned an incorrect number of values (got ", t.size(), ", but expected ",
           values.size(), ")");
  for (size_t i = 0; i < values.size(); ++i) {
    const py::object item = t[i];
    values[i] = item.is_none() ? Tensor() : replacement(hook, item, values[i]);
  }
}

template <class F, class MakeCall>
PyObject* add(HookList<F>& list, PyObject* function, uint32_t nr, MakeCall make_call) {
  PT_CHECK_TYPE(PyCallable_Check(function), "a hook must be callable, got ",
                Py_TYPE(function)->tp_name);
  auto link = std::make_shared<HookLink>();
  link->id = list.add(make_call(std::make_shared<Callable>(function, link)), nr);
  link->list = &list;
  link->erase = [](void* l, int64_t id) { static_cast<HookList<F>*>(l)->remove(id); };
  static PyObject* make = imported("pytensor.utils.hooks", "handle_of");
  return py::handle(make)(link).release().ptr();
}

}  // namespace

void drop(PyObject* o) {
  if (!o || !Py_IsInitialized()) return;
  const PyGILState_STATE state = PyGILState_Ensure();
  Py_DECREF(o);
  PyGILState_Release(state);
}

PyObject* imported(const char* module, const char* attribute) {
  return py::object(py::module_::import(module).attr(attribute)).release().ptr();
}

py::object wrap_all(const GradVector& tensors) {
  PyObject* tuple = check(PyTuple_New(static_cast<Py_ssize_t>(tensors.size())));
  for (size_t i = 0; i < tensors.size(); ++i)
    PyTuple_SET_ITEM(tuple, static_cast<Py_ssize_t>(i), wrap(tensors[i]));
  return py::reinterpret_steal<py::object>(tuple);
}

PyObject* add_tensor_hook(HookList<TensorHook>& list, PyObject* function, uint32_t nr) {
  return add(list, function, nr, [](Hook hook) -> TensorHook {
    return [hook](const Tensor& g) -> Tensor {
      const py::object answer = (*hook)(object_of(g));
      return answer.is_none() ? Tensor() : replacement(*hook, answer, g);
    };
  });
}

PyObject* add_accumulate_hook(HookList<PostAccumulateHook>& list, PyObject* function) {
  return add(list, function, 0, [](Hook hook) -> PostAccumulateHook {
    return [hook](const Tensor& leaf) {
      PT_CHECK((*hook)(object_of(leaf)).is_none(),
               "Tensor post accumulate grad hooks should return None.");
    };
  });
}

PyObject* add_pre_hook(HookList<NodePreHook>& list, PyObject* function) {
  return add(list, function, 0, [](Hook hook) -> NodePreHook {
    return [hook](GradVector& grads) { replace_all(*hook, (*hook)(wrap_all(grads)), grads); };
  });
}

PyObject* add_post_hook(HookList<NodePostHook>& list, PyObject* function) {
  return add(list, function, 0, [](Hook hook) -> NodePostHook {
    return [hook](GradVector& inputs, const GradVector& outputs) {
      replace_all(*hook, (*hook)(wrap_all(inputs), wrap_all(outputs)), inputs);
    };
  });
}

void init_hooks(py::module_& m) {
  py::class_<HookLink, std::shared_ptr<HookLink>>(m, "HookLink",
                                                  "How a RemovableHandle finds its hook.")
      .def_readonly("id", &HookLink::id)
      .def("remove", &HookLink::remove);
}

}  // namespace pt::python
