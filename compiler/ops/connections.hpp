// The connection table of a convolution: which input channels each output channel reads.
#pragma once

#include <optional>
#include <vector>

#include "ir/op_def.hpp"

namespace cnnc::ops {

/// For each output channel its input channels, ascending.
using ConnectionTable = std::vector<std::vector<std::int64_t>>;

/// Appends the argument `connect` to a card.
void add_connect_argument(ir::OpDef& card);

/// The table that was given; none for `all`.
std::optional<ConnectionTable> connections(const ir::ArgumentValues& arguments);

/// What is wrong with a table for a convolution from `in` to `out` channels; none: nothing.
std::optional<ir::Mistake> check_connections(const ConnectionTable& table, std::int64_t in, std::int64_t out);

/// How many maps of weights the table asks for.
std::int64_t count(const ConnectionTable& table);

/// Each output channel's inputs as bits, as cnn::ConnectedConvGeometry has them.
std::vector<std::int64_t> input_bits(const ConnectionTable& table);

}  // namespace cnnc::ops
