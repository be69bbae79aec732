// Networks side by side, as a table, as Markdown and as JSON.
#include "driver/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "emit/text.hpp"

namespace cnnc::driver {

namespace {

using emit::with_commas;
using plan::Plan;

// What the layers of one kind have of a network.
struct Share {
  std::string type;
  std::int64_t layers = 0, parameters = 0, macs = 0;
};

// In bytes, for a batch.
struct Memory {
  std::int64_t weights = 0, activations = 0, predict = 0, train_activations = 0, train = 0;
};

struct Column {
  std::string model, input, output;
  std::int64_t parameters = 0, auxiliary = 0, statistics = 0, macs = 0, depth = 0, layers = 0;
  std::vector<Share> shares = {};  // in the order in which the kinds come
  Memory memory = {};
};

std::int64_t arena_bytes(const Plan& plan, plan::FunctionKind kind) {
  std::int64_t floats = 0;
  for (const plan::Function& function : plan.functions) {
    if (function.kind == kind) floats = std::max(floats, function.arena_floats);
  }
  return 4 * floats;
}

Share& share_of(std::vector<Share>& shares, std::string_view type) {
  const auto found = std::ranges::find(shares, type, &Share::type);
  if (found != shares.end()) return *found;
  return shares.emplace_back(Share{.type = std::string(type)});
}

Column column_of(const Plan& plan, int threads) {
  Column column{.model = plan.model,
                .input = to_text(plan.input),
                .output = to_text(plan.output),
                .parameters = plan.parameter_count(),
                .auxiliary = plan.auxiliary_count(),
                .statistics = plan.statistic_count(),
                .macs = plan.mac_count(),
                .depth = plan.depth};
  for (const plan::LayerRow& row : plan.layers) {
    if (row.auxiliary) continue;
    ++column.layers;
    Share& share = share_of(column.shares, row.type);
    ++share.layers;
    share.parameters += row.parameters;
    share.macs += row.macs;
  }
  const plan::Memory& memory = plan.memory;
  const std::int64_t scratch = 4 * memory.all_scratch(threads);
  Memory& bytes = column.memory;
  bytes.weights = 4 * memory.parameters;
  const int parts = plan.part > 0 ? threads : 1;  // at once
  bytes.activations = parts * arena_bytes(plan, plan::FunctionKind::kPredict);
  bytes.predict = bytes.weights + bytes.activations + scratch;
  bytes.train_activations = parts * arena_bytes(plan, plan::FunctionKind::kStep);
  bytes.train = bytes.weights + 4 * (memory.gradients + memory.optimizer) + bytes.train_activations + scratch;
  return column;
}

std::string mebibytes(std::int64_t bytes) {
  const double value = static_cast<double>(bytes) / (1 << 20);
  return fmt::format("{:.{}f} MiB", value, value < 10 ? 2 : 1);
}

std::string number(std::int64_t value) {
  return value == 0 ? "-" : with_commas(value);
}

std::string percent(std::int64_t part, std::int64_t whole) {
  return part == 0 ? "-"
                   : fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

using Row = std::vector<std::string>;  // its name, then a cell for each network

template <class Cell>
Row row_of(std::string name, const std::vector<Column>& columns, Cell&& cell) {
  Row row{std::move(name)};
  for (const Column& column : columns) row.push_back(cell(column));
  return row;
}

// The kinds of layers that have some of what is counted, in any network.
void add_shares(std::vector<Row>& rows, const std::vector<Column>& columns, std::int64_t Share::*part,
                std::int64_t Column::*whole) {
  std::vector<std::string> types;
  for (const Column& column : columns) {
    for (const Share& share : column.shares) {
      if (share.*part > 0 && std::ranges::find(types, share.type) == types.end()) types.push_back(share.type);
    }
  }
  for (const std::string& type : types) {
    rows.push_back(row_of("  in " + type, columns, [&](const Column& column) {
      const auto found = std::ranges::find(column.shares, type, &Share::type);
      return found == column.shares.end() ? "-" : percent((*found).*part, column.*whole);
    }));
  }
}

std::vector<Row> rows_of(const std::vector<Column>& columns, std::int64_t batch) {
  const auto counts = [&](std::string name, std::int64_t Column::*count) {
    return row_of(std::move(name), columns, [&](const Column& column) { return number(column.*count); });
  };
  const auto bytes = [&](std::string name, std::int64_t Memory::*part) {
    return row_of(std::move(name), columns,
                  [&](const Column& column) { return mebibytes(column.memory.*part); });
  };
  const auto any = [&](std::int64_t Column::*count) {
    return std::ranges::any_of(columns, [&](const Column& column) { return column.*count != 0; });
  };
  std::vector<Row> rows;
  rows.push_back(row_of("", columns, [](const Column& column) { return column.model; }));
  rows.push_back(row_of("input", columns, [](const Column& column) { return column.input; }));
  rows.push_back(row_of("output", columns, [](const Column& column) { return column.output; }));
  rows.push_back(counts("parameters", &Column::parameters));
  add_shares(rows, columns, &Share::parameters, &Column::parameters);
  if (any(&Column::auxiliary)) rows.push_back(counts("auxiliary heads", &Column::auxiliary));
  if (any(&Column::statistics)) rows.push_back(counts("statistics", &Column::statistics));
  rows.push_back(counts("MAC/image", &Column::macs));
  add_shares(rows, columns, &Share::macs, &Column::macs);
  rows.push_back(counts("depth", &Column::depth));
  rows.push_back(counts("layers", &Column::layers));
  rows.push_back(bytes("weights", &Memory::weights));
  rows.push_back(bytes(fmt::format("predict, batch {}", batch), &Memory::predict));
  rows.push_back(bytes("  activations", &Memory::activations));
  rows.push_back(bytes(fmt::format("train, batch {}", batch), &Memory::train));
  rows.push_back(bytes("  activations", &Memory::train_activations));
  return rows;
}

std::string text_table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    text += fmt::format("{:{}}", row.front(), widths.front());
    for (std::size_t i = 1; i < row.size(); ++i) text += fmt::format("  {:>{}}", row[i], widths[i]);
    text += "\n";
  }
  return text;
}

std::string markdown_table(const std::vector<Row>& rows) {
  std::string text;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    text += "|";
    for (const std::string& cell : rows[i]) text += fmt::format(" {} |", cell);
    text += "\n";
    if (i > 0) continue;
    text += "|---|";
    for (std::size_t column = 1; column < rows[i].size(); ++column) text += "---:|";
    text += "\n";
  }
  return text;
}

}  // namespace

std::string compare_text(const std::vector<Plan>& plans, int threads, TableForm form) {
  std::vector<Column> columns;
  for (const Plan& plan : plans) columns.push_back(column_of(plan, threads));
  const std::vector<Row> rows = rows_of(columns, plans.front().batch);
  if (form == TableForm::kMarkdown) return markdown_table(rows);
  return text_table(rows) +
         fmt::format(
             "\nDepth counts convolutions and dense layers on the longest way. Memory is for {} thread{};\n"
             "training is of the whole network, by SGD with momentum.\n",
             threads, threads == 1 ? "" : "s");
}

std::string compare_json(const std::vector<Plan>& plans, int threads) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Plan& plan : plans) {
    const Column column = column_of(plan, threads);
    nlohmann::ordered_json json = {{"model", column.model},         {"input", column.input},
                                   {"output", column.output},       {"parameters", column.parameters},
                                   {"auxiliary", column.auxiliary}, {"statistics", column.statistics},
                                   {"macs", column.macs},           {"depth", column.depth},
                                   {"layers", column.layers}};
    json["kinds"] = nlohmann::ordered_json::array();
    for (const Share& share : column.shares) {
      json["kinds"].push_back({{"type", share.type},
                               {"layers", share.layers},
                               {"parameters", share.parameters},
                               {"macs", share.macs}});
    }
    const Memory& memory = column.memory;
    json["memory"] = {{"batch", plan.batch},
                      {"threads", threads},
                      {"weights", memory.weights},
                      {"predict", memory.predict},
                      {"predict_activations", memory.activations},
                      {"train", memory.train},
                      {"train_activations", memory.train_activations}};
    list.push_back(std::move(json));
  }
  return list.dump(2) + "\n";
}

}  // namespace cnnc::driver
