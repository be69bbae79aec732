// Every message the compiler can give: id, severity and text, by stage. Each is covered by a test that compares the whole
// rendered text. Help and labels stand where the message is reported, since they depend on what was found there.
#pragma once

#include <cstdint>
#include <string_view>

#include "support/diagnostics.hpp"

namespace cnnc::messages {

using Text = std::string_view;

// ---------- driver ----------

inline constexpr Message<Text, Text> kCannotReadSpec{"cannot-read-spec", Severity::kError, "'{}' can't be read: {}"};
inline constexpr Message<Text, Text, Text> kNoSuchModel{
    "no-such-model", Severity::kError, "there is no model '{}' in {}; it has: {}"};

// ---------- syntax ----------

// ---------- sema ----------

// ---------- ops ----------

inline constexpr Message<Text, Text> kFlatInput{
    "flat-input", Severity::kError, "'{}' needs channels x height x width, but its input is flat: {}"};
inline constexpr Message<Text, Text> kNotFlat{"not-flat", Severity::kError, "'{}' needs a flat input, but gets {}"};
inline constexpr Message<Text, Text, Text> kBranchesDisagree{
    "branches-disagree", Severity::kError, "branches of '{}' disagree: {} and {}"};
inline constexpr Message<std::int64_t> kSameNeedsOddKernel{
    "same-needs-odd-kernel", Severity::kError, "pad=same needs an odd kernel, not {}"};
inline constexpr Message<Text, std::int64_t, std::int64_t, Text> kWindowTooLarge{
    "window-too-large", Severity::kError, "the window of '{}' is {}x{} and does not fit into its input {}"};
inline constexpr Message<Text> kPoolPadTooLarge{
    "pool-pad-too-large", Severity::kError, "the padding of '{}' is more than half of its window"};
inline constexpr Message<std::int64_t, std::int64_t, std::int64_t> kGroupsDoNotDivide{
    "groups-do-not-divide", Severity::kError, "groups={} does not divide {} input and {} output channels"};

}  // namespace cnnc::messages
