// Comma-separated values as RFC 4180 has them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace cnn {

/// A record, and the line of the file that it begins on, from 1.
struct CsvRecord {
  std::size_t line = 0;
  std::vector<std::string> fields;
};

/// Reads a whole file: fields may stand in double quotes, lines end in LF or CRLF, a byte order mark and
/// empty lines are skipped. Throws FormatError for quotes that don't match.
std::vector<CsvRecord> read_csv(const std::filesystem::path& file);

}  // namespace cnn
