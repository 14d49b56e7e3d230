// The parts of streaming by themselves: placement, memory that is left, reads, the simulated link, the ring.
#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "base/fail.h"
#include "check.h"
#include "stream/host-device.h"
#include "stream/host-memory.h"
#include "stream/pages.h"
#include "stream/ring-feed.h"
#include "stream/simulated-device.h"

using namespace guard::stream;

namespace {

constexpr size_t kFloats = 5000;

/// A file of `layers` vectors, each of which says which layer it is, and plans for them.
struct Sample {
  std::shared_ptr<guard::File> file;
  std::vector<LayerPlan> plans;
  std::string path;
};

Sample sample(size_t layers, const char* name) {
  std::string bytes(100, 'x');
  Sample out;
  for (size_t i = 0; i < layers; i++) {
    LayerPlan plan;
    // Vectors lie in the file in another order than in the blob.
    for (size_t part = 0; part < 2; part++) {
      std::vector<float> values(kFloats);
      for (size_t j = 0; j < kFloats; j++) values[j] = static_cast<float>(i * 1000 + (1 - part) * 500) + static_cast<float>(j % 97);
      const guard::TensorInfo info{guard::Dtype::F32, {kFloats}, bytes.size(), kFloats * 4};
      bytes.append(reinterpret_cast<const char*>(values.data()), kFloats * 4);
      plan.tensors.push_back({part == 0 ? "second" : "first", "tensor", info, true, guard::Int8::No, part == 0 ? 20224u : 0u, kFloats * 4});
    }
    plan.bytes = 40960;
    out.plans.push_back(plan);
    bytes.append(70 + i, 'y');
  }
  out.path = temporary_file(name, bytes);
  out.file = std::make_shared<guard::File>(out.path);
  return out;
}

bool is_layer(const uint8_t* blob, size_t layer) {
  const auto* first = reinterpret_cast<const float*>(blob);
  const auto* second = reinterpret_cast<const float*>(blob + 20224);
  for (size_t j = 0; j < kFloats; j++)
    if (first[j] != static_cast<float>(layer * 1000) + static_cast<float>(j % 97) || second[j] != first[j] + 500) return false;
  return true;
}

std::unique_ptr<LayerFeed> feed_of(Sample& s, std::unique_ptr<Device> device, Placement placement) {
  auto source = std::make_unique<LayerSource>(s.file, s.plans, device->layout());
  return std::make_unique<RingFeed>(std::move(device), std::move(source), FeedOptions{std::move(placement), nullptr, nullptr});
}

Placement placement_of(const std::string& tiers, size_t slots) {
  Placement p;
  for (const char c : tiers) p.tiers.push_back(c == 'D' ? Tier::Device : c == 'P' ? Tier::Pinned : Tier::Disk);
  p.slots = slots;
  p.slot_bytes = 40960;
  return p;
}

/// A pass that ends before layer `end`; false where a layer was not the one that was asked for.
bool pass(LayerFeed& feed, size_t end) {
  feed.begin();
  for (size_t i = 0; i < end; i++) {
    const HeldLayer held(feed, i);
    if (!is_layer(held.blob(), i)) return false;
  }
  return true;
}

std::unique_ptr<Device> simulated(uint64_t rate = 4000000000) { return std::make_unique<SimulatedDevice>(SimulatedOptions{0, rate}, std::make_shared<HostMemory>()); }

std::string tiers_of(const Placement& p) {
  std::string out;
  for (const Tier tier : p.tiers) out += tier == Tier::Device ? 'D' : tier == Tier::Pinned ? 'P' : 'F';
  return out;
}

guard_status refusal(const PlacementRequest& r) {
  try {
    place(r);
    return GUARD_OK;
  } catch (const guard::Fail& fail) {
    return fail.status();
  }
}

/// A device whose uploads fail while it is told so.
class Flaky final : public Device {
 public:
  explicit Flaky(std::atomic<bool>& broken) : broken_(broken) {}
  const char* name() const override { return "flaky"; }
  DeviceMemory memory() const override { return real_.memory(); }
  const Layout& layout() const override { return real_.layout(); }
  void* allocate(size_t bytes) override { return real_.allocate(bytes); }
  void free(void* slot, size_t bytes) noexcept override { real_.free(slot, bytes); }
  void* allocate_pinned(size_t bytes, bool& locked) override { return real_.allocate_pinned(bytes, locked); }
  void free_pinned(void* memory, size_t bytes) noexcept override { real_.free_pinned(memory, bytes); }
  void upload(void* slot, const void* host, size_t bytes) override {
    if (broken_) guard::fail(GUARD_IO, "The link is down.");
    real_.upload(slot, host, bytes);
  }
  Event transfer_mark() noexcept override { return real_.transfer_mark(); }
  void transfer_after(Event event) override { real_.transfer_after(event); }
  Event compute_mark() noexcept override { return real_.compute_mark(); }
  void compute_after(Event event) override { real_.compute_after(event); }
  bool done(Event event) override { return real_.done(event); }
  void wait(Event event) override { real_.wait(event); }
  LinkUse link() const override { return real_.link(); }

 private:
  std::atomic<bool>& broken_;
  SimulatedDevice real_{{0, 4000000000}, std::make_shared<HostMemory>()};
};

void write(const std::string& path, const std::string& content) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << content;
}

}  // namespace

TEST("layers are placed on the device, in host memory and on disk, as room allows") {
  PlacementRequest r;
  r.layer_bytes.assign(8, 100);
  r.device_bytes = 800;
  r.pinned_bytes = 10000;
  CHECK(tiers_of(place(r)) == "DDDDDDDD" && place(r).slots == 0);
  r.device_bytes = 600;
  // Two slots, four layers kept: every other one is streamed.
  CHECK_THAT(tiers_of(place(r)) == "DPDPDPDP", tiers_of(place(r)));
  CHECK(place(r).slots == 2 && place(r).slot_bytes == 100);
  r.device_bytes = 200;
  CHECK(tiers_of(place(r)) == "PPPPPPPP");
  r.pinned_bytes = 600;
  CHECK_THAT(tiers_of(place(r)) == "PFPFPFPF", tiers_of(place(r)));
  r.mode = GUARD_STREAMING_DISK;
  CHECK(tiers_of(place(r)) == "FFFFFFFF");
  r.mode = GUARD_STREAMING_PINNED;
  CHECK(refusal(r) == GUARD_NO_MEMORY);
  r.pinned_bytes = 800;
  CHECK(tiers_of(place(r)) == "PPPPPPPP");
  r.mode = GUARD_STREAMING_AUTO;
  r.device_is_host = true;
  CHECK(tiers_of(place(r)) == "FFFFFFFF");
  r.device_bytes = 199;
  CHECK(refusal(r) == GUARD_NO_MEMORY);
  r.device_bytes = 799;
  r.mode = GUARD_STREAMING_RESIDENT;
  CHECK(refusal(r) == GUARD_NO_MEMORY);
  r.mode = GUARD_STREAMING_AUTO;
  r.layer_bytes = {100, 300, 100, 100, 100, 100, 100, 100};
  r.device_bytes = 899;
  const Placement p = place(r);
  uint64_t used = p.slots * p.slot_bytes;
  for (size_t i = 0; i < 8; i++) used += p.tiers[i] == Tier::Device ? r.layer_bytes[i] : 0;
  CHECK(p.slot_bytes == 300 && used <= 899 && p.streamed() < 8);
}

TEST("the memory that cgroups of both versions leave is found, also above the own group") {
  const std::string root = temporary_folder() + "/cg";
  const auto left_of_cgroups = [](const std::string& at) { return HostMemory(at).available(); };
  CHECK(!left_of_cgroups(root));
  write(root + "/proc/self/cgroup", "0::/a/b\n");
  CHECK(!left_of_cgroups(root));
  write(root + "/sys/fs/cgroup/a/b/memory.max", "max\n");
  write(root + "/sys/fs/cgroup/a/b/memory.current", "100\n");
  CHECK(!left_of_cgroups(root));
  write(root + "/sys/fs/cgroup/a/memory.max", "1000\n");
  write(root + "/sys/fs/cgroup/a/memory.current", "700\n");
  CHECK(left_of_cgroups(root) == 300u);
  write(root + "/sys/fs/cgroup/a/memory.stat", "anon 5\ninactive_file 200\n");
  CHECK(left_of_cgroups(root) == 500u);
  // In a container the mount is the group, whatever path the host calls it by.
  write(root + "/sys/fs/cgroup/memory.max", "900\n");
  write(root + "/sys/fs/cgroup/memory.current", "800\n");
  CHECK(left_of_cgroups(root) == 100u);
  write(root + "/proc/self/cgroup", "4:cpu:/x\n7:memory,hugetlb:/job\n");
  write(root + "/sys/fs/cgroup/memory/job/memory.limit_in_bytes", "400\n");
  write(root + "/sys/fs/cgroup/memory/job/memory.usage_in_bytes", "500\n");
  CHECK(left_of_cgroups(root) == 0u);
  write(root + "/sys/fs/cgroup/memory/job/memory.limit_in_bytes", "9223372036854771712\n");
  CHECK(!left_of_cgroups(root));
  write(root + "/proc/self/cgroup", "0::/../../etc\n");
  CHECK(!left_of_cgroups(root));
  write(root + "/proc/meminfo", "MemTotal: 9 kB\nMemAvailable:    2 kB\n");
  CHECK(left_of_cgroups(root) == 2048u);
  // Read again and again, by what was opened at first.
  const HostMemory kept(root);
  std::ofstream(root + "/proc/meminfo") << "MemTotal: 9 kB\nMemAvailable:    3 kB\n";
  CHECK(kept.available() == 3072u);
  CHECK(HostMemory().available().value_or(1) > 0);
}

TEST("both ways of reading give the bytes of the file, up to its end") {
  std::string bytes(1000003, 0);
  for (size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<char>(i * 2654435761u >> 13);
  const guard::File file(temporary_file("reads", bytes));
  for (const bool ring : {true, false}) {
    auto reads = ring ? make_uring_reads(file, 4) : make_thread_reads(file, 4);
    if (!reads) {
      skip("io_uring is not to be had here");
      continue;
    }
    bool locked = false;
    auto* pages = static_cast<uint8_t*>(map_pages(4 * 65536, locked));
    for (int round = 0; round < 6; round++) {
      const uint64_t base = static_cast<uint64_t>(round) * 4 * 65536 % (bytes.size() / 4096 * 4096);
      for (unsigned id = 0; id < 4; id++) reads->submit(id, base + id * 65536, pages + id * 65536, 65536);
      for (unsigned id = 0; id < 4; id++) {
        const uint64_t at = base + id * 65536;
        if (at >= bytes.size()) {
          reads->wait(id);
          continue;
        }
        reads->wait(id);
        CHECK_THAT(memcmp(pages + id * 65536, bytes.data() + at, std::min<size_t>(65536, bytes.size() - at)) == 0, reads->name());
      }
    }
    std::filesystem::resize_file(temporary_folder() + "/reads", 500000);
    guard_status status = GUARD_OK;
    reads->submit(0, 458752, pages, 65536);
    try {
      reads->wait(0);
    } catch (const guard::Fail& fail) {
      status = fail.status();
    }
    CHECK_THAT(status == GUARD_MODEL_REJECTED, reads->name());
    std::ofstream(temporary_folder() + "/reads", std::ios::binary) << bytes;
    unmap_pages(pages, 4 * 65536);
  }
}

TEST("the simulated device bounds its memory, copies in order, and keeps to its rate") {
  SimulatedDevice device({100000, 50000000}, std::make_shared<HostMemory>());
  void* slot = device.allocate(60000);
  bool refused = false;
  try {
    device.allocate(60000);
  } catch (const guard::Fail& fail) {
    refused = fail.status() == GUARD_NO_MEMORY;
  }
  CHECK(refused && device.memory().free == 40000 && device.memory().total == 100000);
  std::vector<std::vector<uint8_t>> sources;
  for (uint8_t i = 0; i < 20; i++) sources.emplace_back(60000, i);
  Event last = 0;
  for (const auto& source : sources) {
    device.upload(slot, source.data(), source.size());
    const Event event = device.transfer_mark();
    CHECK(event > last);
    last = event;
  }
  device.wait(last);
  CHECK(device.done(last) && static_cast<uint8_t*>(slot)[0] == 19 && static_cast<uint8_t*>(slot)[59999] == 19);
  const LinkUse use = device.link();
  CHECK(use.bytes == 20 * 60000 && static_cast<double>(use.bytes) / use.seconds <= 50000000 * 1.02);
  device.free(slot, 60000);
  CHECK(device.memory().free == 100000);
}

TEST("every pass gets every layer, from every tier, at every depth of the ring, and after passes that ended early") {
  for (const char* tiers : {"FFFFFFF", "PPPPPPP", "DPDPDPD", "PFPFPFP", "DPFDPFD", "DDDDDDD", "DDDFDDD", "PDDDDDD"})
    for (size_t slots = 2; slots <= 5; slots++)
      for (const bool host : {true, false}) {
        if (host && strchr(tiers, 'P') != nullptr) continue;
        Sample s = sample(7, "feed");
        auto feed = feed_of(s, host ? std::unique_ptr<Device>(std::make_unique<HostDevice>(0, std::make_shared<HostMemory>())) : simulated(), placement_of(tiers, slots));
        bool right = true;
        for (const size_t end : {7u, 7u, 0u, 3u, 7u, 1u, 1u, 5u, 7u, 6u, 7u}) right &= pass(*feed, end);
        CHECK_THAT(right, std::string(tiers) + " with " + std::to_string(slots) + " slots");
      }
}

TEST("a pass that fails in the middle of a layer does not hold up the next") {
  Sample s = sample(5, "feed");
  auto feed = feed_of(s, simulated(), placement_of("PPPPP", 2));
  for (int round = 0; round < 20; round++) {
    feed->begin();
    for (size_t i = 0; i <= static_cast<size_t>(round) % 5; i++) {
      CHECK(is_layer(feed->acquire(i), i));
      if (i < static_cast<size_t>(round) % 5) feed->release(i);  // the last one is never given back
    }
  }
  CHECK(pass(*feed, 5));
}

TEST("an upload that fails is told to the pass that needs it, and the next pass tries again") {
  Sample s = sample(5, "feed");
  std::atomic<bool> broken{false};
  auto feed = feed_of(s, std::make_unique<Flaky>(broken), placement_of("PFPFP", 2));
  CHECK(pass(*feed, 5));
  broken = true;
  int failed = 0;
  for (int i = 0; i < 3; i++) {
    try {
      pass(*feed, 5);
    } catch (const guard::Fail& fail) {
      failed += fail.status() == GUARD_IO;
    }
  }
  CHECK(failed == 3);
  broken = false;
  CHECK(pass(*feed, 5) && pass(*feed, 5));
}

TEST("layers move up when memory becomes free, one at a time, and stay what they are") {
  Sample s = sample(6, "feed");
  std::atomic<uint64_t> device_spare{0}, host_spare{0};
  auto device = simulated();
  auto source = std::make_unique<LayerSource>(s.file, s.plans, device->layout());
  FeedOptions options{placement_of("FFFFFF", 2), [&](uint64_t) { return device_spare.load(); }, [&](uint64_t) { return host_spare.load(); }, 0};
  RingFeed feed(std::move(device), std::move(source), std::move(options));
  CHECK(pass(feed, 6) && feed.stats().promotions == 0 && feed.stats().on_disk == 6);
  host_spare = 1u << 20;
  while (feed.stats().pinned < 3) CHECK(pass(feed, 6));
  host_spare = 0;
  device_spare = 1u << 20;
  for (size_t had = feed.stats().on_device; had < 6; had = feed.stats().on_device) {
    CHECK(pass(feed, 6));
    CHECK(feed.stats().on_device == had + 1);
  }
  CHECK(feed.stats().slots == 0 && feed.stats().promotions >= 9);
  const uint64_t streamed = feed.stats().streamed;
  CHECK(pass(feed, 6) && feed.stats().streamed == streamed);
}

TEST("closing a feed in the middle of uploads and reads is safe") {
  for (int round = 0; round < 10; round++) {
    Sample s = sample(9, "feed");
    auto feed = feed_of(s, simulated(round % 2 ? 4000000000 : 20000000), placement_of(round % 3 ? "FFFFFFFFF" : "PPPPPPPPP", 3));
    pass(*feed, static_cast<size_t>(round) % 4);
  }
}

TEST("what is not finite is refused when the model is opened, wherever its layer would lie") {
  Sample s = sample(4, "feed");
  {
    std::fstream file(s.path, std::ios::in | std::ios::out | std::ios::binary);
    const uint32_t nan = 0x7FC00000;
    file.seekp(static_cast<std::streamoff>(s.plans[2].tensors[0].info.offset + 400));
    file.write(reinterpret_cast<const char*>(&nan), 4);
  }
  s.file = std::make_shared<guard::File>(s.path);
  for (const char* tiers : {"FFFF", "PPPP", "DDDD"}) {
    guard_status status = GUARD_OK;
    try {
      feed_of(s, simulated(), placement_of(tiers, 2));
    } catch (const guard::Fail& fail) {
      status = fail.status();
    }
    CHECK(status == GUARD_MODEL_REJECTED);
  }
}
