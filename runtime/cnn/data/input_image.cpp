// Checks shapes before anything is made of them.
#include "cnn/data/input_image.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "cnn/data/transforms.hpp"
#include "formats/format_error.hpp"
#include "formats/picture.hpp"

namespace cnn {

using formats::FormatError;

std::string shape_text(const ImageShape& shape) {
  return fmt::format("{}x{}x{}", shape[0], shape[1], shape[2]);
}

Preparation make_preparation(const DataDescription& description, const std::filesystem::path& place,
                             const ImageShape& input) {
  try {
    return Preparation(description.prepare, input);
  } catch (const std::invalid_argument& error) {
    throw FormatError(place, error.what());
  }
}

void require_input_shape(const std::filesystem::path& file, const ImageShape& shape,
                         const Preparation& preparation, const ImageShape& input) {
  ImageShape after;
  try {
    after = preparation.shape_after(shape);
  } catch (const std::invalid_argument& error) {
    throw FormatError(file, error.what());
  }
  if (after == input) return;
  std::string problem = fmt::format("its images are {}", shape_text(shape));
  if (preparation.changes_bytes()) problem += fmt::format(" and {} after prepare", shape_text(after));
  problem += fmt::format(", but the network takes {}", shape_text(input));
  if (input[0] == after[0])
    problem += fmt::format("; prepare {{ resize({}x{}) }} makes them fit", input[1], input[2]);
  throw FormatError(file, problem);
}

int source_channels(const DataDescription& description, const ImageShape& input) {
  switch (description.source) {
    case SourceKind::kNone:
      return input[0];
    case SourceKind::kIdx:
      return 1;
    case SourceKind::kCifar10:
    case SourceKind::kFolder:
    case SourceKind::kList:
      return 3;
  }
  return 3;
}

void read_input_picture(const std::filesystem::path& file, int channels, const Preparation& preparation,
                        const ImageShape& input, Workspace& workspace) {
  if (channels != 1 && channels != 3)
    throw FormatError(file,
                      fmt::format("is a picture, but the network takes images of {} channels", channels));
  const formats::Picture picture = formats::read_picture(file);
  require_input_shape(file, {channels, picture.height, picture.width}, preparation, input);
  workspace.image.assign({picture.channels, picture.height, picture.width}, picture.values());
  apply_transform({.kind = channels == 1 ? TransformKind::kGrayscale : TransformKind::kRgb}, {}, workspace);
  preparation.apply(workspace);
}

}  // namespace cnn
