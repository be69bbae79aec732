// What people who come from PyTorch and Keras write, and how it is written here. A table, used only to help.
#pragma once

#include <string>
#include <string_view>

namespace cnnc::sema {

/// Help for a layer's name from another tool ("Conv2d"), or empty.
std::string_view foreign_layer(std::string_view name);

/// Help for an option of `owner` (a layer, an optimizer, `train`, `data`) that other tools have, or empty.
std::string_view foreign_option(std::string_view owner, std::string_view option);

/// Help where `owner` got more arguments without a name than it takes, or empty.
std::string_view foreign_extra(std::string_view owner);

/// Help for a word from another tool as the value of a setting or argument ("categorical_crossentropy"), or
/// empty.
std::string_view foreign_word(std::string_view setting, std::string_view word);

/// Whether `name` is a module that other tools write before a layer's name: nn.Conv2d, layers.Dense.
bool is_foreign_module(std::string_view name);

}  // namespace cnnc::sema
