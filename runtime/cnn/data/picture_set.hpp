// Which pictures a folder or a list names, and of which class each is.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cnn {

/// A picture that nobody has opened yet.
struct PictureFile {
  std::filesystem::path path;
  int label = 0;
  std::uint64_t bytes = 0;
};

/// Training, validation and test pictures; the last two are empty where the files have no such part.
struct PictureSet {
  std::vector<std::string> class_names;
  std::array<std::vector<PictureFile>, 3> parts;
};

/// A folder for each class, or a folder "train", perhaps with "val" and "test" beside it, of such folders.
/// Classes are sorted by name, or stand as in `class_names` where those are given; there must be `classes`.
/// Pictures are sorted by path. Throws FormatError where that is not what `directory` holds.
PictureSet read_picture_folder(const std::filesystem::path& directory,
                               std::span<const std::string_view> class_names, int classes);

/// A CSV file with a path, relative to the file's folder, and a class on each line. Pictures stand in the
/// list's order; classes are sorted by name, or by value where all are whole numbers. Throws FormatError with
/// the line.
PictureSet read_picture_list(const std::filesystem::path& file, std::span<const std::string_view> class_names,
                             int classes);

}  // namespace cnn
