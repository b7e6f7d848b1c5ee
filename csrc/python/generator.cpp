// torch.Generator over core/generator.h.
#include "core/generator.h"

#include "core/device_runtime.h"

#include "python/object.h"

namespace pt::python {

Generator* to_generator(PyObject* o) {
  if (!py::isinstance<Generator>(o)) return nullptr;
  return py::cast<Generator*>(py::handle(o));
}

namespace {

Tensor state_of(const Generator& g) {
  Tensor t = empty_tensor(Dims{g.state_bytes()}, DType::kUInt8);
  g.get_state(t.data<uint8_t>());
  return t;
}

void set_state(Generator& g, py::handle state) {
  PT_CHECK_TYPE(is_tensor(state.ptr()), "RNG state must be a torch.ByteTensor");
  const Tensor& t = as_tensor(state.ptr());
  PT_CHECK_TYPE(t.dtype() == DType::kUInt8 && t.is_contiguous(),
                "RNG state must be a torch.ByteTensor");
  PT_CHECK_TYPE(t.device().is_cpu(), "RNG state must be a torch.ByteTensor of the cpu, got one on ",
                t.device());
  g.set_state(t.data<uint8_t>(), t.numel());
}

// Seeds may be negative: they are taken modulo 2**64.
uint64_t seed_value(py::handle seed) {
  PT_CHECK(PyLong_Check(seed.ptr()), "manual_seed expected a long, but got ",
           Py_TYPE(seed.ptr())->tp_name);
  const unsigned long long v = PyLong_AsUnsignedLongLongMask(seed.ptr());
  int overflow = 0;
  PyLong_AsLongLongAndOverflow(seed.ptr(), &overflow);
  if (PyErr_Occurred()) throw_python_error();
  PT_CHECK(overflow >= 0, "Overflow when unpacking long");
  return v;
}

}  // namespace

void init_generator(py::module_& m) {
  py::class_<Generator>(m, "Generator", "A source of random numbers.")
      .def(py::init([](py::object device) {
             Device d;
             PT_CHECK_TYPE(device.is_none() || to_device(device.ptr(), d),
                           "Generator(): argument 'device' must be str or device");
             return d.is_cpu() ? new Generator() : new Generator(resolve_device(d));
           }),
           py::arg("device") = py::none())
      .def("manual_seed",
           [](py::object self, py::object seed) {
             self.cast<Generator&>().manual_seed(seed_value(seed));
             return self;
           })
      .def("seed", &Generator::seed)
      .def("initial_seed", &Generator::initial_seed)
      .def("get_state",
           [](const Generator& g) { return py::reinterpret_steal<py::object>(wrap(state_of(g))); })
      .def("set_state",
           [](py::object self, py::object state) {
             set_state(self.cast<Generator&>(), state);
             return self;
           })
      .def("clone_state", [](const Generator& g) { return new Generator(g); })
      .def_property_readonly("device", [](const Generator& g) {
        return py::reinterpret_steal<py::object>(device_object(g.device()));
      });
  m.def(
      "default_generator",
      [](int index) -> Generator& {
        if (index < 0) return default_generator();
        return default_generator(resolve_device({DeviceType::kCuda, static_cast<int8_t>(index)}));
      },
      py::arg("cuda_index") = -1, py::return_value_policy::reference);
}

}  // namespace pt::python
