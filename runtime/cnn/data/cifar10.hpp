// CIFAR-10's binary version: records of a label and 3 x 32 x 32 bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace cnn {

/// Files of `directory` that are named `prefix`*.bin, sorted.
std::vector<std::filesystem::path> find_cifar10_files(const std::filesystem::path& directory,
                                                      std::string_view prefix);

/// Some records of a file of `count`: their labels, and their images as [labels.size()][3][32][32]. `first`
/// is the first one's place.
using TakeRecords =
    std::function<void(std::uint32_t count, std::uint32_t first, std::span<const std::uint8_t> labels,
                       std::span<const std::uint8_t> images)>;

/// Reads a file piece by piece. Throws FormatError where it is not a whole number of records, or a label is
/// not below `classes`.
void read_cifar10(const std::filesystem::path& file, int classes, const TakeRecords& take);

}  // namespace cnn
