// Folders of pictures.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>

#include "cnn/data/picture_set.hpp"
#include "formats/format_error.hpp"

namespace cnn {
namespace {

namespace fs = std::filesystem;
using formats::FormatError;

/// What systems leave in folders without being asked.
bool is_litter(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with('.') || name == "Thumbs.db" || name == "desktop.ini";
}

std::vector<fs::path> subfolders(const fs::path& directory) {
  std::vector<fs::path> folders;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory))
    if (entry.is_directory() && !is_litter(entry.path())) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  return folders;
}

/// All files below a class's folder, at any depth.
std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && !is_litter(entry.path())) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::string> names_of(const std::vector<fs::path>& folders) {
  std::vector<std::string> names;
  for (const fs::path& folder : folders) names.push_back(folder.filename().string());
  return names;
}

/// The training part's folders decide what the classes are, and the spec in which order.
std::vector<std::string> classes_of(const fs::path& directory, std::span<const std::string_view> wanted,
                                    int classes) {
  const std::vector<std::string> found = names_of(subfolders(directory));
  if (found.empty())
    throw FormatError(directory, "has no folders; folder() reads a folder of pictures for each class");
  if (wanted.empty()) {
    if (found.size() != static_cast<std::size_t>(classes))
      throw FormatError(directory, fmt::format("has {} folders ({}), but the spec says {} classes",
                                               found.size(), fmt::join(found, ", "), classes));
    return found;
  }
  std::vector<std::string> names(wanted.begin(), wanted.end()), sorted = names;
  std::sort(sorted.begin(), sorted.end());
  if (sorted != found)
    throw FormatError(directory,
                      fmt::format("its folders are not the spec's classes\n  folders: {}\n  classes: {}",
                                  fmt::join(found, ", "), fmt::join(names, ", ")));
  return names;
}

std::vector<PictureFile> read_part(const fs::path& directory, const std::vector<std::string>& class_names,
                                   bool complete) {
  std::vector<PictureFile> pictures;
  const std::vector<fs::path> folders = subfolders(directory);
  for (const fs::path& folder : folders) {
    const auto found = std::find(class_names.begin(), class_names.end(), folder.filename().string());
    if (found == class_names.end())
      throw FormatError(folder, fmt::format("is no class of the training part, which has {}",
                                            fmt::join(class_names, ", ")));
    const std::vector<fs::path> files = files_below(folder);
    if (files.empty() && complete) throw FormatError(folder, "holds no pictures");
    for (const fs::path& file : files)
      pictures.push_back({file, static_cast<int>(found - class_names.begin()), fs::file_size(file)});
  }
  return pictures;
}

/// The first of several usual names that is a folder.
std::optional<fs::path> part_folder(const fs::path& directory, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (fs::is_directory(directory / name)) return directory / name;
  return std::nullopt;
}

}  // namespace

PictureSet read_picture_folder(const fs::path& directory, std::span<const std::string_view> class_names,
                               int classes) {
  try {
    if (!fs::is_directory(directory)) throw FormatError(directory, "is not a folder of pictures: not found");
    PictureSet set;
    const auto train = part_folder(directory, {"train"});
    const fs::path& training = train ? *train : directory;
    set.class_names = classes_of(training, class_names, classes);
    set.parts[0] = read_part(training, set.class_names, /*complete=*/true);
    if (!train) return set;
    const auto validation = part_folder(directory, {"val", "valid", "validation"});
    const auto test = part_folder(directory, {"test"});
    if (validation) set.parts[1] = read_part(*validation, set.class_names, /*complete=*/false);
    if (test) set.parts[2] = read_part(*test, set.class_names, /*complete=*/false);
    return set;
  } catch (const fs::filesystem_error& error) {
    throw FormatError(error.path1(), fmt::format("can't be read: {}", error.code().message()));
  }
}

}  // namespace cnn
