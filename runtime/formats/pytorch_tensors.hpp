// From PyTorch's pickled objects to tensors: storages, views of them, and the state dictionary that names
// them. Inside of formats only.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/pickle.hpp"
#include "formats/strided_tensor.hpp"

namespace cnn::formats {

/// The globals that a pickle of tensors names.
std::span<const std::string_view> pytorch_globals();

/// What a pickle says of a storage; its bytes stand elsewhere in the file.
struct StorageClaim {
  std::string_view key;
  std::string_view type;    // of safetensors
  std::int64_t count = 0;   // numbers
  std::int64_t offset = 0;  // of the view that legacy files may name, numbers from the start
  std::int64_t view = 0;    // numbers of that view; count where there is none
};

/// Reads a persistent id. Throws PickleError where it is not a storage's.
StorageClaim read_storage_claim(const Pickle& pickle, const PickleValue& persistent);

/// Every storage that a pickle names, by key. Throws PickleError where one is named in two ways.
std::map<std::string_view, StorageClaim> storage_claims(const Pickle& pickle);

/// The bytes of each storage, by key.
using Storages = std::map<std::string_view, std::span<const std::byte>>;

/// Finds the state dictionary in the pickle's root and gives its tensors to `list`, in order, with notes of
/// what was unwrapped and left out. Throws PickleError.
void read_state_dictionary(const Pickle& pickle, const Storages& storages, TensorList& list);

}  // namespace cnn::formats
