// What pytensor/cuda is made of: devices, streams, events and memory figures of the device's
// library. Names start with `cuda_`; handles are integers.
#include "core/device_graph.h"
#include "core/device_runtime.h"
#include "python/object.h"

namespace pt::python {

namespace {

StreamHandle handle(uintptr_t p) { return reinterpret_cast<StreamHandle>(p); }
uintptr_t number(const void* p) { return reinterpret_cast<uintptr_t>(p); }

py::dict properties(int index) {
  DeviceProperties p{};
  check_device(device_api().properties(index, &p), "get_device_properties");
  py::dict d;
  d["name"] = p.name;
  d["major"] = p.major;
  d["minor"] = p.minor;
  d["total_memory"] = p.total_memory;
  d["multi_processor_count"] = p.multi_processor_count;
  d["max_threads_per_multi_processor"] = p.max_threads_per_multi_processor;
  d["max_threads_per_block"] = p.max_threads_per_block;
  d["warp_size"] = p.warp_size;
  d["regs_per_multiprocessor"] = p.regs_per_multiprocessor;
  d["is_integrated"] = p.integrated;
  d["is_multi_gpu_board"] = p.is_multi_gpu_board;
  d["shared_memory_per_block"] = p.shared_memory_per_block;
  d["shared_memory_per_block_optin"] = p.shared_memory_per_block_optin;
  d["shared_memory_per_multiprocessor"] = p.shared_memory_per_multiprocessor;
  d["L2_cache_size"] = p.l2_cache_size;
  d["uuid"] = py::bytes(reinterpret_cast<const char*>(p.uuid), sizeof p.uuid);
  d["emulated"] = p.emulated != 0;
  return d;
}

py::dict memory(int index) {
  DeviceMemory m{};
  check_device(device_api().memory(index, &m), "memory_stats");
  py::dict d;
  static constexpr const char* kPools[] = {".all.", ".small_pool.", ".large_pool."};
  const auto stat = [&d](const char* name, const DeviceMemory::Stats& stats) {
    for (int i = 0; i < 3; ++i) {
      const std::string prefix = std::string(name) + kPools[i];
      d[py::str(prefix + "current")] = stats[i].current;
      d[py::str(prefix + "peak")] = stats[i].peak;
      d[py::str(prefix + "allocated")] = stats[i].allocated;
      d[py::str(prefix + "freed")] = stats[i].freed;
    }
  };
  stat("allocated_bytes", m.allocated);
  stat("requested_bytes", m.requested);
  stat("reserved_bytes", m.reserved);
  stat("active_bytes", m.allocated);
  stat("active", m.blocks);
  stat("allocation", m.blocks);
  stat("segment", m.segments);
  d["num_alloc_retries"] = m.retries;
  d["num_ooms"] = m.out_of_memory;
  d["num_device_alloc"] = m.segments[0].allocated;
  d["num_device_free"] = m.segments[0].freed;
  d["free"] = m.free_on_device;
  d["total"] = m.total_on_device;
  return d;
}

bool answer(int status, const char* what) {
  if (status < 0) check_device(-status, what);
  return status == 1;
}

CaptureMode capture_mode(const std::string& name) {
  if (name == "global") return CaptureMode::kGlobal;
  if (name == "thread_local") return CaptureMode::kThreadLocal;
  PT_CHECK(name == "relaxed",
           "Unknown capture error mode. Expected `global`, `thread_local`, or `relaxed`, got ",
           name);
  return CaptureMode::kRelaxed;
}

void init_graphs(py::module_& m) {
  m.def("cuda_stream_is_capturing", [] { return stream_is_capturing(); });
  m.def("cuda_new_graph_pool", [] { return DeviceGraph::new_pool(); });
  py::class_<DeviceGraph>(m, "DeviceGraph")
      .def(py::init<>())
      .def(
          "register_generator",
          [](DeviceGraph& g, Generator& generator) { g.register_generator(&generator); },
          py::keep_alive<1, 2>())
      .def("begin", [](DeviceGraph& g, int64_t pool,
                       const std::string& mode) { g.begin(pool, capture_mode(mode)); })
      .def("end", &DeviceGraph::end)
      .def("replay", &DeviceGraph::replay, py::call_guard<py::gil_scoped_release>())
      .def("reset", &DeviceGraph::reset)
      .def_property_readonly("pool", &DeviceGraph::pool)
      .def_property_readonly("capturing", &DeviceGraph::capturing)
      .def_property_readonly("captured", &DeviceGraph::captured);
}

void init_streams(py::module_& m) {
  using gil = py::call_guard<py::gil_scoped_release>;
  m.def("cuda_stream_create", [](int priority) {
    StreamHandle s = nullptr;
    check_device(device_api().stream_create(&s, priority), "Stream");
    return number(s);
  });
  m.def(
      "cuda_stream_synchronize",
      [](uintptr_t s) {
        check_device(device_api().stream_synchronize(handle(s)), "synchronize");
        check_launches("synchronize");
      },
      gil());
  m.def("cuda_stream_query",
        [](uintptr_t s) { return answer(device_api().stream_query(handle(s)), "query"); });
  m.def("cuda_stream_wait", [](uintptr_t s, uintptr_t e) {
    check_device(device_api().stream_wait(handle(s), handle(e)), "wait_event");
  });
  m.def("cuda_current_stream",
        [](int index) { return number(device_api().current_stream(index)); });
  m.def("cuda_set_stream", [](int index, uintptr_t s) {
    check_device(device_api().set_stream(index, handle(s)), "set_stream");
  });
  m.def("cuda_event_create", [](bool timing) {
    EventHandle e = nullptr;
    check_device(device_api().event_create(&e, timing), "Event");
    return number(e);
  });
  m.def("cuda_event_destroy", [](uintptr_t e) { device_api().event_destroy(handle(e)); });
  m.def("cuda_event_record", [](uintptr_t e, uintptr_t s) {
    check_device(device_api().event_record(handle(e), handle(s)), "record");
  });
  m.def(
      "cuda_event_synchronize",
      [](uintptr_t e) { check_device(device_api().event_synchronize(handle(e)), "synchronize"); },
      gil());
  m.def("cuda_event_query",
        [](uintptr_t e) { return answer(device_api().event_query(handle(e)), "query"); });
  m.def("cuda_event_elapsed", [](uintptr_t start, uintptr_t end) {
    float ms = 0;
    check_device(device_api().event_elapsed(handle(start), handle(end), &ms), "elapsed_time");
    return ms;
  });
}

}  // namespace

void init_device(py::module_& m) {
  m.def("cuda_built", [] { return find_device_api() != nullptr; });
  m.def("default_device",
        [] { return py::reinterpret_steal<py::object>(device_object(default_device())); });
  m.def("set_default_device", [](py::object o) {
    Device d;
    PT_CHECK_TYPE(o.is_none() || to_device(o.ptr(), d),
                  "set_default_device(): argument 'device' must be torch.device, not ",
                  Py_TYPE(o.ptr())->tp_name);
    set_default_device(d);
  });
  m.def("cuda_device_count", [] { return device_count(); });
  m.def("cuda_current_device", [] { return current_device_index(); });
  m.def("cuda_set_device", [](int index) { set_current_device(index); });
  m.def("cuda_properties", &properties);
  m.def("cuda_memory", &memory);
  m.def("cuda_reset_stats", [](int index, bool peaks) { device_api().reset_stats(index, peaks); });
  m.def("cuda_set_limit", [](int index, size_t bytes) { device_api().set_limit(index, bytes); });
  m.def("cuda_library_version",
        [](const char* name) { return device_api().library_version(name); });
  m.def("cuda_prefer_libraries", [](bool on) { device_api().prefer_libraries(on); });
  m.def("cuda_empty_cache", [] { device_api().empty_cache(); });
  m.def("cuda_architectures", [] { return device_api().architectures(); });
  m.def("cuda_can_access_peer",
        [](int a, int b) { return device_api().can_access_peer(a, b) != 0; });
  m.def(
      "cuda_synchronize",
      [](int index) {
        const CallDeviceGuard guard(Device{DeviceType::kCuda, static_cast<int8_t>(index)});
        check_device(device_api().synchronize(), "synchronize");
        check_launches("synchronize");
      },
      py::call_guard<py::gil_scoped_release>());
  init_streams(m);
  init_graphs(m);
}

}  // namespace pt::python
