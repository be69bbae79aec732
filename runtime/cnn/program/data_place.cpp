// Where a program's data is, and reading it.
#include "data_place.hpp"

#include <fmt/format.h>

#include "errors.hpp"

namespace cnn::program {

std::filesystem::path data_directory(const DataPlace& place, const ModelDescription& model) {
  if (model.data.source == SourceKind::kNone)
    throw UserError(
        fmt::format("{} names no data: its spec needs a 'data' and a 'train ... on' it", model.spec));
  return place.data ? *place.data : place.root / std::filesystem::path(model.data.directory);
}

Dataset load_data(const DataPlace& place, const ModelDescription& model, std::uint64_t seed) {
  const std::filesystem::path directory = data_directory(place, model);
  if (!std::filesystem::is_directory(directory))
    throw UserError(
        fmt::format("the data's folder {} does not exist; {}", directory.string(),
                    place.data ? "it was given with --data" : "name another one with --data DIR"));
  return Dataset::load(model.data, directory, model.input, model.outputs, seed);
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
