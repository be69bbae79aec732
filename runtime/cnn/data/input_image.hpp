// From an image of any size to one that the network takes, or an error that says why it can't be.
#pragma once

#include <filesystem>
#include <string>

#include "cnn/data/prepare.hpp"

namespace cnn {

/// "3x32x32"
std::string shape_text(const ImageShape& shape);

/// The preparation of images from `place` for a network that takes `input`. Throws FormatError where the
/// transforms can't be.
Preparation make_preparation(const DataDescription& description, const std::filesystem::path& place,
                             const ImageShape& input);

/// Throws FormatError where `preparation` makes something else than `input` of an image of `shape` in `file`.
void require_input_shape(const std::filesystem::path& file, const ImageShape& shape,
                         const Preparation& preparation, const ImageShape& input);

/// Channels of the images that a source gives: pictures have three, of which `prepare` may make one. Without
/// any data they are what the network takes.
int source_channels(const DataDescription& description, const ImageShape& input);

/// Puts the picture in `file`, with `channels` (1 or 3) and prepared, into workspace.image. Throws
/// FormatError.
void read_input_picture(const std::filesystem::path& file, int channels, const Preparation& preparation,
                        const ImageShape& input, Workspace& workspace);

}  // namespace cnn
