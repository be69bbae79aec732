// Reading and checking connection tables.
#include "ops/connections.hpp"

#include <algorithm>

#include "support/messages.hpp"

namespace cnnc::ops {

namespace {

constexpr std::int64_t kMostInputs = 32;    // cnn::kMostConnectedInputs
constexpr std::int64_t kMostOutputs = 256;  // cnn::kMostConnectedOutputs

bool is_table(const ir::Value& value) {
  const auto* rows = value.as<ir::List>();
  if (rows == nullptr || rows->empty()) return false;
  return std::ranges::all_of(*rows, [](const ir::Value& row) {
    const auto* channels = row.as<ir::List>();
    return channels != nullptr && !channels->empty() &&
           std::ranges::all_of(*channels,
                               [](const ir::Value& one) { return one.as<std::int64_t>() != nullptr; });
  });
}

}  // namespace

void add_connect_argument(ir::OpDef& card) {
  card.arguments.push_back(
      {.name = "connect",
       .type = ir::ArgumentType::kWord,
       .default_value = ir::Value{ir::Word{"all"}},
       .summary = "Which input channels, from 0, each output channel reads: `all`, or a list for each, as "
                  "[[0, 1, 2], [1, 2, 3]].",
       .choices = {"all"},
       .also = is_table,
       .also_text = "a list of input channels for each output channel, as [[0, 1], [1, 2]]"});
}

std::optional<ConnectionTable> connections(const ir::ArgumentValues& arguments) {
  const auto* rows = arguments.at("connect").as<ir::List>();
  if (rows == nullptr) return std::nullopt;
  ConnectionTable table;
  for (const ir::Value& row : *rows) {
    std::vector<std::int64_t>& channels = table.emplace_back();
    for (const ir::Value& channel : *row.as<ir::List>()) channels.push_back(*channel.as<std::int64_t>());
    std::ranges::sort(channels);
  }
  return table;
}

std::optional<ir::Mistake> check_connections(const ConnectionTable& table, std::int64_t in,
                                             std::int64_t out) {
  if (in > kMostInputs || out > kMostOutputs) {
    ir::Mistake found =
        ir::mistake(messages::kConnectTooLarge, "connect", kMostInputs, kMostOutputs, in, out);
    found.help = "groups=N splits any number of channels into equal parts";
    return found;
  }
  if (static_cast<std::int64_t>(table.size()) != out) {
    return ir::mistake(messages::kConnectLength, "connect", static_cast<std::int64_t>(table.size()), out);
  }
  for (std::size_t row = 0; row < table.size(); ++row) {
    const auto output = static_cast<std::int64_t>(row);
    for (const std::int64_t channel : table[row]) {
      if (channel >= 0 && channel < in) continue;
      ir::Mistake found = ir::mistake(messages::kConnectChannel, "connect", output, channel, in);
      found.help = "channels count from 0";
      return found;
    }
    const auto twice = std::ranges::adjacent_find(table[row]);
    if (twice != table[row].end()) return ir::mistake(messages::kConnectTwice, "connect", output, *twice);
  }
  return std::nullopt;
}

std::int64_t count(const ConnectionTable& table) {
  std::int64_t connections = 0;
  for (const auto& row : table) connections += static_cast<std::int64_t>(row.size());
  return connections;
}

std::vector<std::int64_t> input_bits(const ConnectionTable& table) {
  std::vector<std::int64_t> bits;
  for (const auto& row : table) {
    std::int64_t word = 0;
    for (const std::int64_t channel : row) word |= std::int64_t{1} << channel;
    bits.push_back(word);
  }
  return bits;
}

}  // namespace cnnc::ops
