// Bytes of files: checksums, and buffers joined to one. For pytensor/serialization.
#include <algorithm>
#include <cstring>
#include <vector>

#include "core/allocator.h"
#include "core/parallel.h"
#include "cpu/portable/crc32.h"
#include "python/object.h"

namespace pt::python {

namespace {

size_t bytes_of(const py::buffer_info& b) { return static_cast<size_t>(b.size * b.itemsize); }

uint32_t checksum(const py::buffer& data, uint32_t start) {
  const py::buffer_info bytes = data.request();
  const py::gil_scoped_release others_may_run;
  return crc32(start, bytes.ptr, bytes_of(bytes));
}

// What `b"".join` gives. New memory costs more than copying to it, so large results ask for
// huge pages, and threads fill them.
py::bytes join(const py::list& parts) {
  std::vector<py::buffer_info> buffers;
  std::vector<size_t> ends;
  size_t length = 0;
  for (const py::handle part : parts) {
    buffers.push_back(py::reinterpret_borrow<py::buffer>(part).request());
    ends.push_back(length += bytes_of(buffers.back()));
  }
  auto result = py::reinterpret_steal<py::bytes>(
      PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(length)));
  if (!result) throw py::error_already_set();
  char* const out = PyBytes_AS_STRING(result.ptr());
  const py::gil_scoped_release others_may_run;
  prefer_huge_pages(out, length);
  constexpr int64_t kSlice = 1 << 20;
  parallel_for(0, static_cast<int64_t>(length), kSlice, [&](int64_t begin, int64_t end) {
    auto at = static_cast<size_t>(begin);
    auto i = static_cast<size_t>(std::upper_bound(ends.begin(), ends.end(), at) - ends.begin());
    for (; at < static_cast<size_t>(end); at = ends[i++]) {
      const size_t before = ends[i] - bytes_of(buffers[i]);
      const size_t count = std::min(ends[i], static_cast<size_t>(end)) - at;
      if (count)
        std::memcpy(out + at, static_cast<const char*>(buffers[i].ptr) + (at - before), count);
    }
  });
  return result;
}

}  // namespace

void init_files(py::module_& m) {
  m.def("crc32", &checksum, py::arg("data"), py::arg("start") = 0);
  m.def("join", &join, py::arg("parts"));
}

}  // namespace pt::python
