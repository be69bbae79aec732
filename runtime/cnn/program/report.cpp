// run.json, written before the first step and again with the result.
#include "report.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

#include "cnn/core/instructions.hpp"
#include "cnn/core/sgemm.hpp"
#include "formats/atomic_file.hpp"
#include "machine.hpp"

namespace cnn::program {

void write_report(const std::filesystem::path& file, const Network& network, const RunSettings& settings,
                  const std::filesystem::path& data, const std::optional<RunResult>& result) {
  const ModelDescription& model = network.description();
  nlohmann::ordered_json json = {{"model", model.name},
                                 {"program", model.program},
                                 {"spec", model.spec},
                                 {"spec_hash", model.spec_hash},
                                 {"version", model.version},
                                 {"cpu", cpu_name()},
                                 {"instruction_set", instruction_set()},
                                 {"blas", blas_description()},
                                 {"threads", network.threads()},
                                 {"seed", settings.seed},
                                 {"batch", settings.batch},
                                 {"epochs", settings.epochs},
                                 {"data", data.string()},
                                 {"data_fingerprint", settings.data_fingerprint},
                                 {"planned_memory_bytes", network.arena_bytes()}};
  if (result) {
    json["result"]["training_seconds"] = result->training_seconds;
    if (result->test) {
      json["result"]["test_loss"] = result->test->loss;
      json["result"]["test_accuracy"] = result->test->accuracy;
      json["result"]["test_top5"] = result->test->top5;
    }
  }
  json["rendered_spec"] = model.rendered;
  formats::write_file_atomically(file, json.dump(2) + "\n");
}

bool report_has_result(const std::filesystem::path& file) {
  std::ifstream stream(file);
  const nlohmann::json json = nlohmann::json::parse(stream, nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.contains("result");
}

}  // namespace cnn::program
