// Lifetimes, sizes of scratch and offsets of buffers.
#include "plan/place_buffers.hpp"

#include <algorithm>
#include <array>

#include "support/internal_error.hpp"

namespace cnnc::plan {

namespace {

constexpr std::int64_t kAlignment = 16;  // floats: a cache line

std::int64_t aligned(std::int64_t floats) {
  return (floats + kAlignment - 1) / kAlignment * kAlignment;
}

// What a repeated call makes was held until its last reader before. Where several calls make it, the first one counts.
void begin_again(Function& function, int now) {
  const int number = std::get<BufferOperand>(function.steps[static_cast<std::size_t>(now)].operands.front()).buffer;
  Buffer* buffer = &function.buffers[static_cast<std::size_t>(number)];
  if (buffer->slice_of >= 0) buffer = &function.buffers[static_cast<std::size_t>(buffer->slice_of)];
  if (buffer->gap_end >= 0) return;
  buffer->gap_begin = buffer->last;
  buffer->gap_end = now;
}

void find_lifetimes(Function& function) {
  for (Buffer& buffer : function.buffers) {
    buffer.first = static_cast<int>(function.steps.size());
    buffer.last = buffer.gap_begin = buffer.gap_end = -1;
  }
  for (std::size_t i = 0; i < function.steps.size(); ++i) {
    const int now = static_cast<int>(i);
    if (function.steps[i].repeated) begin_again(function, now);
    const MemoryVisitor visitor{.buffer = [&](int number) {
      Buffer* buffer = &function.buffers.at(static_cast<std::size_t>(number));
      for (;;) {
        buffer->first = std::min(buffer->first, now);
        buffer->last = std::max(buffer->last, now);
        if (buffer->slice_of < 0) break;
        buffer = &function.buffers.at(static_cast<std::size_t>(buffer->slice_of));
      }
    }};
    for (const Operand& operand : function.steps[i].operands) for_each_memory(operand, visitor);
  }
}

struct Steps { int first, last; };

// When a buffer holds something: at one time or at two.
std::array<Steps, 2> lives(const Buffer& buffer) {
  if (buffer.gap_end < 0) return {Steps{buffer.first, buffer.last}, Steps{buffer.first, buffer.last}};
  return {Steps{buffer.first, buffer.gap_begin}, Steps{buffer.gap_end, buffer.last}};
}

bool meet(const Buffer& a, const Buffer& b) {
  return std::ranges::any_of(lives(a), [&](const Steps& one) {
    return std::ranges::any_of(lives(b), [&](const Steps& other) { return one.first <= other.last && other.first <= one.last; });
  });
}

bool lives_at(const Buffer& buffer, int step) {
  return std::ranges::any_of(lives(buffer), [&](const Steps& steps) { return steps.first <= step && step <= steps.last; });
}

// The lowest offset at which the buffer overlaps none of those placed while both live.
std::int64_t lowest_offset(const Buffer& buffer, const std::vector<const Buffer*>& placed) {
  std::vector<const Buffer*> conflicting;
  std::ranges::copy_if(placed, std::back_inserter(conflicting), [&](const Buffer* other) { return meet(buffer, *other); });
  std::ranges::sort(conflicting, {}, &Buffer::offset);
  std::int64_t offset = 0;
  for (const Buffer* other : conflicting) {
    if (offset + aligned(buffer.floats()) <= other->offset) break;
    offset = std::max(offset, other->offset + aligned(other->floats()));
  }
  return offset;
}

std::int64_t live_floats(const Function& function, int step) {
  std::int64_t live = 0;
  for (const Buffer& buffer : function.buffers) {
    if (buffer.has_place() && lives_at(buffer, step)) live += aligned(buffer.floats());
  }
  return live;
}

std::int64_t lower_bound(const Function& function) {
  std::int64_t bound = 0;
  for (int step = 0; step < static_cast<int>(function.steps.size()); ++step) bound = std::max(bound, live_floats(function, step));
  return bound;
}

Buffer* scratch_of(Function& function, const Step& step) {
  for (const Operand& operand : step.operands) {
    if (const auto* scratch = std::get_if<ScratchOperand>(&operand)) return &function.buffers[static_cast<std::size_t>(scratch->buffer)];
  }
  return nullptr;
}

// Calls get all the scratch that they ask for, or the least that will do where that lowers the bound by a twentieth, since it costs time.
void size_scratch(Function& function) {
  for (Step& step : function.steps) {
    if (Buffer* scratch = scratch_of(function, step)) scratch->elements = step.scratch.least();
  }
  const std::int64_t least = lower_bound(function);
  for (Step& step : function.steps) {
    if (Buffer* scratch = scratch_of(function, step)) scratch->elements = step.scratch.shared;
  }
  if (least * 20 > lower_bound(function) * 19) return;
  for (std::size_t i = 0; i < function.steps.size(); ++i) {
    Buffer* scratch = scratch_of(function, function.steps[i]);
    if (scratch != nullptr && live_floats(function, static_cast<int>(i)) > least) scratch->elements = function.steps[i].scratch.least();
  }
}

// Each as low as it fits, in this order; returns where the highest ends.
std::int64_t place_in_order(Function& function, const std::vector<int>& order) {
  std::int64_t floats = 0;
  std::vector<const Buffer*> placed;
  for (const int number : order) {
    Buffer& buffer = function.buffers[static_cast<std::size_t>(number)];
    buffer.offset = lowest_offset(buffer, placed);
    floats = std::max(floats, buffer.offset + aligned(buffer.floats()));
    placed.push_back(&buffer);
  }
  return floats;
}

// Orders to begin with: the largest first, those that live longest, those that live longest for their size.
std::vector<std::vector<int>> orders_of(const Function& function) {
  std::vector<int> all;
  for (int i = 0; i < static_cast<int>(function.buffers.size()); ++i) {
    const Buffer& buffer = function.buffers[static_cast<std::size_t>(i)];
    if (buffer.has_place() && buffer.last >= 0) all.push_back(i);
  }
  std::vector<std::vector<int>> orders;
  const auto add = [&](auto&& measure) {
    std::vector<int>& order = orders.emplace_back(all);
    std::ranges::stable_sort(order, [&](int a, int b) {
      return measure(function.buffers[static_cast<std::size_t>(a)]) > measure(function.buffers[static_cast<std::size_t>(b)]);
    });
  };
  const auto steps = [](const Buffer& buffer) { return static_cast<std::int64_t>(buffer.last - buffer.first + 1); };
  add([](const Buffer& buffer) { return buffer.floats(); });
  add(steps);
  add([&](const Buffer& buffer) { return buffer.floats() * steps(buffer); });
  return orders;
}

// As long as more than a hundredth is lost, what ended highest comes before all others in the next attempt.
void find_places(Function& function) {
  constexpr std::int64_t kMostPairs = 1 << 22;  // of buffers, for each order: large networks take no longer than they are worth
  const auto is_good = [&](std::int64_t floats) { return floats * 100 <= function.bound_floats * 101; };
  const auto end_of = [&](int number) {
    const Buffer& buffer = function.buffers[static_cast<std::size_t>(number)];
    return buffer.offset + buffer.floats();
  };
  std::vector<std::vector<int>> orders = orders_of(function);
  std::vector<int> best = orders.front();
  function.arena_floats = place_in_order(function, best);
  for (std::vector<int>& order : orders) {
    const auto count = static_cast<std::int64_t>(order.size());
    for (std::int64_t pairs = 0; pairs <= kMostPairs && !is_good(function.arena_floats); pairs += count * count) {
      if (pairs > 0) {
        const auto highest = std::ranges::max_element(order, {}, end_of);
        std::rotate(order.begin(), highest, highest + 1);
      }
      const std::int64_t floats = place_in_order(function, order);
      if (floats >= function.arena_floats) continue;
      function.arena_floats = floats;
      best = order;
    }
  }
  place_in_order(function, best);
}

}  // namespace

void place_buffers(Function& function) {
  find_lifetimes(function);
  size_scratch(function);
  function.bound_floats = lower_bound(function);
  find_places(function);
  for (Buffer& buffer : function.buffers) {
    if (buffer.slice_of < 0) continue;
    const Buffer& whole = function.buffers[static_cast<std::size_t>(buffer.slice_of)];
    ensure(whole.slice_of < 0, "plan", "a slice of a slice");
    buffer.offset = whole.offset + buffer.slice_begin;
  }
}

std::int64_t place_prepared(Function& function, std::int64_t begin) {
  for (Buffer& buffer : function.buffers) {
    if (!buffer.prepared) continue;
    buffer.offset = begin;
    begin = aligned(begin + buffer.floats());
  }
  return begin;
}

}  // namespace cnnc::plan
