// Reading and writing of text files.
#pragma once

#include <filesystem>
#include <string>

namespace cnnc {

struct ReadResult {
  bool ok = false;
  std::string text;
  std::string error;  // "no such file", "is a directory", ...
};

/// The whole of a file; larger ones than 64 MiB are refused.
ReadResult read_text(const std::filesystem::path& path);

/// Writes a file in one piece (a temporary beside it, then renamed), and only where the text differs from what is there.
/// Missing folders are made. Empty where all went well, else what is wrong.
std::string write_text_if_changed(const std::filesystem::path& path, const std::string& text);

}  // namespace cnnc
