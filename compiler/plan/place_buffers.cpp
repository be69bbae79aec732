// Lifetimes and offsets of buffers.
#include "plan/place_buffers.hpp"

#include <algorithm>
#include <array>
#include <numeric>

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

std::int64_t lower_bound(const Function& function) {
  std::int64_t bound = 0;
  for (int step = 0; step < static_cast<int>(function.steps.size()); ++step) {
    std::int64_t live = 0;
    for (const Buffer& buffer : function.buffers) {
      if (buffer.has_place() && lives_at(buffer, step)) live += aligned(buffer.floats());
    }
    bound = std::max(bound, live);
  }
  return bound;
}

}  // namespace

void place_buffers(Function& function) {
  find_lifetimes(function);
  function.arena_floats = 0;
  std::vector<int> order;
  for (int i = 0; i < static_cast<int>(function.buffers.size()); ++i) {
    const Buffer& buffer = function.buffers[static_cast<std::size_t>(i)];
    if (buffer.has_place() && buffer.last >= 0) order.push_back(i);
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
