// A run's record as JSON, its monitored values, and its table of metrics.
#include "run_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace cnn::program {
namespace {

using Json = nlohmann::json;

/// JSON has no NaN and no infinity; they go as words.
Json number(double value) {
  if (std::isfinite(value)) return value;
  if (std::isnan(value)) return "nan";
  return value > 0 ? "inf" : "-inf";
}

double read_number(const Json& json) {
  if (!json.is_string()) return json.get<double>();
  if (json == "inf") return std::numeric_limits<double>::infinity();
  if (json == "-inf") return -std::numeric_limits<double>::infinity();
  return std::numeric_limits<double>::quiet_NaN();
}

Json settings_json(const RunSettings& settings) {
  return {{"spec_hash", settings.spec_hash},
          {"seed", settings.seed},
          {"batch", settings.batch},
          {"data_fingerprint", settings.data_fingerprint},
          {"version", settings.version},
          {"instruction_set", settings.instruction_set},
          {"blas", settings.blas},
          {"epochs", settings.epochs},
          {"spec_epochs", settings.spec_epochs}};
}

RunSettings read_settings(const Json& json) {
  RunSettings settings;
  json.at("spec_hash").get_to(settings.spec_hash);
  json.at("seed").get_to(settings.seed);
  json.at("batch").get_to(settings.batch);
  json.at("data_fingerprint").get_to(settings.data_fingerprint);
  json.at("version").get_to(settings.version);
  json.at("instruction_set").get_to(settings.instruction_set);
  json.at("blas").get_to(settings.blas);
  json.at("epochs").get_to(settings.epochs);
  json.at("spec_epochs").get_to(settings.spec_epochs);
  return settings;
}

Json row_json(const EpochRow& row) {
  Json json = {{"epoch", row.epoch},
               {"phase", row.phase},
               {"learning_rate", number(row.learning_rate)},
               {"train_loss", number(row.train_loss)},
               {"train_accuracy", number(row.train_accuracy)},
               {"seconds", number(row.seconds)}};
  if (row.validation)
    json["validation"] = {{"loss", number(row.validation->loss)},
                          {"accuracy", number(row.validation->accuracy)},
                          {"top5", number(row.validation->top5)}};
  return json;
}

EpochRow read_row(const Json& json) {
  EpochRow row{.epoch = json.at("epoch").get<int>(),
               .phase = json.at("phase").get<std::string>(),
               .learning_rate = read_number(json.at("learning_rate")),
               .train_loss = read_number(json.at("train_loss")),
               .train_accuracy = read_number(json.at("train_accuracy")),
               .validation = std::nullopt,
               .seconds = read_number(json.at("seconds"))};
  if (const auto found = json.find("validation"); found != json.end())
    row.validation = Evaluation{read_number(found->at("loss")), read_number(found->at("accuracy")),
                                read_number(found->at("top5"))};
  return row;
}

bool has_metric(const TrainingDescription& training, std::string_view name) {
  return std::find(training.metrics.begin(), training.metrics.end(), name) != training.metrics.end();
}

}  // namespace

bool RunRecord::complete() const {
  return static_cast<std::size_t>(phase) + 1 == settings.epochs.size() && epoch >= settings.epochs.back();
}

Json to_json(const RunRecord& record) {
  Json rows = Json::array();
  for (const EpochRow& row : record.rows) rows.push_back(row_json(row));
  Json best = Json::array();
  for (const auto& value : record.best)
    best.push_back(value ? Json{{"value", number(value->value)}, {"epoch", value->epoch}} : Json(nullptr));
  return {{"settings", settings_json(record.settings)},
          {"phase", record.phase},
          {"epoch", record.epoch},
          {"step", record.step},
          {"global_step", record.global_step},
          {"tally",
           {{"loss", number(record.tally.loss)},
            {"images", record.tally.images},
            {"correct", record.tally.correct},
            {"correct_top5", record.tally.correct_top5}}},
          {"seconds", number(record.seconds)},
          {"rows", rows},
          {"best", best},
          {"optimizer_steps", record.optimizer_steps}};
}

RunRecord record_from_json(const Json& json) {
  RunRecord record;
  record.settings = read_settings(json.at("settings"));
  json.at("phase").get_to(record.phase);
  json.at("epoch").get_to(record.epoch);
  json.at("step").get_to(record.step);
  json.at("global_step").get_to(record.global_step);
  const Json& tally = json.at("tally");
  record.tally.loss = read_number(tally.at("loss"));
  tally.at("images").get_to(record.tally.images);
  tally.at("correct").get_to(record.tally.correct);
  tally.at("correct_top5").get_to(record.tally.correct_top5);
  record.seconds = read_number(json.at("seconds"));
  for (const Json& row : json.at("rows")) record.rows.push_back(read_row(row));
  for (const Json& best : json.at("best")) {
    record.best.emplace_back();
    if (!best.is_null())
      record.best.back() = BestValue{read_number(best.at("value")), best.at("epoch").get<int>()};
  }
  json.at("optimizer_steps").get_to(record.optimizer_steps);
  return record;
}

std::optional<double> monitored_value(const EpochRow& row, const std::string& monitor) {
  if (monitor == "train_loss") return row.train_loss;
  if (monitor == "train_accuracy") return row.train_accuracy;
  if (!row.validation) return std::nullopt;
  if (monitor == "val_loss") return row.validation->loss;
  if (monitor == "val_accuracy") return row.validation->accuracy;
  if (monitor == "val_top5") return row.validation->top5;
  return std::nullopt;
}

bool is_better(const std::string& monitor, double value, const std::optional<BestValue>& best) {
  if (std::isnan(value)) return false;
  if (!best) return true;
  return monitor.ends_with("loss") ? value < best->value : value > best->value;
}

std::string metrics_csv(const RunRecord& record, const TrainingDescription& training) {
  const bool top5 = has_metric(training, "top5");
  std::string text = "epoch,phase,lr,train_loss,train_accuracy,val_loss,val_accuracy,seconds";
  text += top5 ? ",val_top5\n" : "\n";
  for (const EpochRow& row : record.rows) {
    text += fmt::format("{},{},{},{},{},", row.epoch, row.phase, static_cast<float>(row.learning_rate),
                        row.train_loss, row.train_accuracy);
    text += row.validation ? fmt::format("{},{}", row.validation->loss, row.validation->accuracy) : ",";
    text += fmt::format(",{:.3f}", row.seconds);
    if (top5) text += row.validation ? fmt::format(",{}", row.validation->top5) : ",";
    text += '\n';
  }
  return text;
}

}  // namespace cnn::program
