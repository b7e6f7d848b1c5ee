// Generator: seeding, block regeneration and the saved state's layout.
// The two loops of next_block have no dependence shorter than 227 words, so they vectorise.
#include "core/generator.h"

#include <array>
#include <cstring>
#include <memory>
#include <mutex>
#include <random>

#include "core/device_graph.h"
#include "core/error.h"

namespace pt {

namespace {

constexpr int kGap = Generator::kWords - Generator::kLag;

uint32_t twist(uint32_t high, uint32_t low) {
  const uint32_t y = (high & 0x80000000u) | (low & 0x7fffffffu);
  return (y >> 1) ^ ((0u - (low & 1u)) & 0x9908b0dfu);
}

// What torch.get_rng_state() returns: the fields of a retired C layout with the words widened
// to 64 bits, then those added later.
struct SavedState {
  uint64_t seed;
  int32_t left;  // words left in the block, counting the next one
  int32_t seeded;
  uint64_t next;
  uint64_t words[Generator::kWords];
  double unused_x;
  double cached_normal;
  double unused_rho;
  int32_t has_cached_normal;
  int32_t padding;
  float cached_float_normal;
  uint8_t has_cached_float_normal;
  uint8_t more_padding[3];
};
static_assert(sizeof(SavedState) == Generator::kStateBytes);

}  // namespace

void Generator::manual_seed(uint64_t seed) {
  seed_ = seed;
  counter_ = 0;
  state_[0] = static_cast<uint32_t>(seed);
  for (uint32_t i = 1; i < kWords; ++i) {
    state_[i] = 1812433253u * (state_[i - 1] ^ (state_[i - 1] >> 30)) + i;
  }
  position_ = kWords;
  fresh_ = true;
  cached_normal_.reset();
  cached_float_normal_.reset();
}

uint64_t Generator::seed() {
  std::random_device entropy;
  // 53 bits, so that the seed survives a trip through a double.
  const uint64_t value = (uint64_t{entropy()} << 32 | entropy()) & ((1ull << 53) - 1);
  manual_seed(value);
  return value;
}

void Generator::next_block() {
  uint32_t* x = state_;
  for (int i = 0; i < kGap; ++i) x[i] = x[i + kLag] ^ twist(x[i], x[i + 1]);
  for (int i = kGap; i < kWords - 1; ++i) x[i] = x[i - kGap] ^ twist(x[i], x[i + 1]);
  x[kWords - 1] = x[kLag - 1] ^ twist(x[kWords - 1], x[0]);
  position_ = 0;
  fresh_ = false;
}

void Generator::fill_u32(uint32_t* out, int64_t n) {
  while (n > 0) {
    if (position_ == kWords) next_block();
    const int64_t available = kWords - position_;
    const int64_t count = n < available ? n : available;
    for (int64_t i = 0; i < count; ++i) out[i] = temper(state_[position_ + i]);
    position_ += static_cast<int>(count);
    out += count;
    n -= count;
  }
}

std::optional<double> Generator::take_cached_normal() {
  const std::optional<double> value = cached_normal_;
  cached_normal_.reset();
  return value;
}

void Generator::set_block(const uint32_t* words, int position) {
  std::memcpy(state_, words, sizeof(state_));
  position_ = position;
  fresh_ = false;
}

void Generator::get_state(uint8_t* out) const {
  if (!device_.is_cpu()) {
    std::memcpy(out, &seed_, sizeof seed_);
    std::memcpy(out + sizeof seed_, &counter_, sizeof counter_);
    return;
  }
  SavedState s = {};
  s.seed = seed_;
  s.left = kWords + 1 - position_;
  s.seeded = 1;
  s.next = fresh_ ? 0 : static_cast<uint64_t>(position_);
  for (int i = 0; i < kWords; ++i) s.words[i] = state_[i];
  s.has_cached_normal = cached_normal_.has_value();
  s.cached_normal = cached_normal_.value_or(0.0);
  s.has_cached_float_normal = cached_float_normal_.has_value();
  s.cached_float_normal = cached_float_normal_.value_or(0.0f);
  std::memcpy(out, &s, sizeof(s));
}

void Generator::set_state(const uint8_t* bytes, int64_t size) {
  if (!device_.is_cpu()) {
    PT_CHECK(size == kCounterStateBytes, "RNG state is wrong size");
    std::memcpy(&seed_, bytes, sizeof seed_);
    std::memcpy(&counter_, bytes + sizeof seed_, sizeof counter_);
    return;
  }
  PT_CHECK(size == kStateBytes, "Expected a CPUGeneratorImplState of size ", kStateBytes,
           " but found the input RNG state size to be ", size);
  SavedState s;
  std::memcpy(&s, bytes, sizeof(s));
  // Within a block both counters tell the position; left == 1 means that a new block comes next.
  PT_CHECK(s.seeded != 0 && s.left >= 1 && s.left <= kWords && s.next <= kWords &&
               (s.left == 1 || s.left + s.next == kWords + 1),
           "Invalid mt19937 state");
  for (int i = 0; i < kWords; ++i) state_[i] = static_cast<uint32_t>(s.words[i]);
  position_ = kWords + 1 - s.left;
  fresh_ = s.next == 0;
  seed_ = s.seed;
  cached_normal_.reset();
  cached_float_normal_.reset();
  if (s.has_cached_normal != 0) cached_normal_ = s.cached_normal;
  if (s.has_cached_float_normal != 0) cached_float_normal_ = s.cached_float_normal;
}

Generator& default_generator() {
  static Generator generator = [] {
    Generator g;
    g.seed();
    return g;
  }();
  return generator;
}

Generator& default_generator(Device device) {
  if (device.is_cpu()) return default_generator();
  static std::mutex mutex;
  static std::array<std::unique_ptr<Generator>, INT8_MAX + 1> generators;
  const std::lock_guard lock(mutex);
  auto& own = generators[static_cast<size_t>(device.index < 0 ? 0 : device.index)];
  if (!own) {
    own = std::make_unique<Generator>(device);
    own->manual_seed(default_generator().initial_seed());
  }
  return *own;
}

Generator& generator_of_call(Generator* given) {
  const Device device = call_device();
  Generator& g = given ? *given : default_generator(device);
  const auto type = [](Device d) { return d.is_cpu() ? "cpu" : "cuda"; };
  PT_CHECK(g.device().type == device.type, "Expected a '", type(device),
           "' device type for generator but found '", type(g.device()), "'");
  if (!device.is_cpu()) {
    const bool captured = stream_is_capturing();
    PT_CHECK(!captured || g.graph_words(),
             "a generator that the graph does not know draws during its capture: call the graph's "
             "register_generator_state() with it before the capture begins");
    PT_CHECK(captured || !g.graph_words(),
             "a generator that takes part in the capture of a graph draws outside of the stream "
             "that is being captured");
  }
  return g;
}

}  // namespace pt
