// Where a program's data is, and reading it.
#include "data_place.hpp"

#include <fmt/format.h>

#include "errors.hpp"

namespace cnn::program {

std::filesystem::path data_directory(const DataPlace& place, const ModelDescription& model) {
  if (model.data.source == SourceKind::kNone)
    throw UserError(
        fmt::format("{} names no data: its spec needs a 'data' and a 'train ... on' it", model.spec));
  if (!place.data) return place.root / std::filesystem::path(model.data.directory);
  const bool holds_list =
      model.data.source == SourceKind::kList && std::filesystem::is_directory(*place.data);
  return holds_list ? *place.data / std::filesystem::path(model.data.directory).filename() : *place.data;
}

Dataset load_data(const DataPlace& place, const ModelDescription& model, std::uint64_t seed, int threads) {
  const std::filesystem::path directory = data_directory(place, model);
  const bool is_list = model.data.source == SourceKind::kList;
  if (is_list ? !std::filesystem::exists(directory) : !std::filesystem::is_directory(directory))
    throw UserError(
        fmt::format("the data's {} {} does not exist; {}", is_list ? "list" : "folder", directory.string(),
                    place.data ? "it was given with --data"
                               : fmt::format("name another one with --data {}", is_list ? "FILE" : "DIR")));
  return Dataset::load(model.data, directory, model.input, model.outputs, seed, {.threads = threads});
}

const char* part_name(Part part) {
  switch (part) {
    case Part::kTrain:
      return "train";
    case Part::kValidation:
      return "val";
    case Part::kTest:
      return "test";
  }
  return "";
}

}  // namespace cnn::program
