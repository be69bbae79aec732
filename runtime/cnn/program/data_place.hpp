// Where a program's data is, and reading it.
#pragma once

#include <filesystem>

#include "cnn/data/dataset.hpp"
#include "command_line.hpp"

namespace cnn::program {

/// --data, or the spec's folder below --root; a list itself where the data is one. Throws UserError where the
/// spec names no data.
std::filesystem::path data_directory(const DataPlace& place, const ModelDescription& model);

/// Reads the data and cuts its parts as `seed` decides; `threads` decode and augment.
Dataset load_data(const DataPlace& place, const ModelDescription& model, std::uint64_t seed, int threads);

/// "test", "val", "train"
const char* part_name(Part part);

}  // namespace cnn::program
