// Lifetimes and offsets of buffers.
#include "plan/place_buffers.hpp"

#include <algorithm>
#include <numeric>

#include "support/internal_error.hpp"

namespace cnnc::plan {

namespace {

constexpr std::int64_t kAlignment = 16;  // floats: a cache line

std::int64_t aligned(std::int64_t floats) {
  return (floats + kAlignment - 1) / kAlignment * kAlignment;
}

void find_lifetimes(Function& function) {
  for (Buffer& buffer : function.buffers) {
    buffer.first = static_cast<int>(function.steps.size());
    buffer.last = -1;
  }
  for (std::size_t i = 0; i < function.steps.size(); ++i) {
    const int now = static_cast<int>(i);
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

bool meet(const Buffer& a, const Buffer& b) {
  return a.first <= b.last && b.first <= a.last;
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

std::int64_t lower_bound(const Function& function) {
  std::int64_t bound = 0;
  for (int step = 0; step < static_cast<int>(function.steps.size()); ++step) {
    std::int64_t live = 0;
    for (const Buffer& buffer : function.buffers) {
      if (buffer.slice_of < 0 && !buffer.prepared && buffer.first <= step && step <= buffer.last) live += aligned(buffer.floats());
    }
    bound = std::max(bound, live);
  }
  return bound;
}

}  // namespace

void place_buffers(Function& function) {
  find_lifetimes(function);
  std::vector<int> order;
  for (int i = 0; i < static_cast<int>(function.buffers.size()); ++i) {
    const Buffer& buffer = function.buffers[static_cast<std::size_t>(i)];
    if (buffer.slice_of < 0 && !buffer.prepared && buffer.last >= 0) order.push_back(i);
  }
  std::ranges::stable_sort(order, [&](int a, int b) {
    return function.buffers[static_cast<std::size_t>(a)].floats() > function.buffers[static_cast<std::size_t>(b)].floats();
  });
  std::vector<const Buffer*> placed;
  for (const int number : order) {
    Buffer& buffer = function.buffers[static_cast<std::size_t>(number)];
    buffer.offset = lowest_offset(buffer, placed);
    function.arena_floats = std::max(function.arena_floats, buffer.offset + aligned(buffer.floats()));
    placed.push_back(&buffer);
  }
  for (Buffer& buffer : function.buffers) {
    if (buffer.slice_of < 0) continue;
    const Buffer& whole = function.buffers[static_cast<std::size_t>(buffer.slice_of)];
    ensure(whole.slice_of < 0, "plan", "a slice of a slice");
    buffer.offset = whole.offset + buffer.slice_begin;
  }
  function.bound_floats = lower_bound(function);
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
