// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cnn/network/description.hpp"

namespace cnn::program {

/// "1,234,567"
std::string with_commas(std::int64_t number);
/// "3.2 MiB"
std::string bytes_text(double bytes);
/// "4.1 s", "2 min 05 s", "1 h 02 min"
std::string duration_text(double seconds);
/// The command that the binary's own name chooses: "train" where it is called PROGRAM_train, as cnn_add_model's executables
/// are; else empty.
std::string_view command_of_own_name(const ModelDescription& model);
/// `command` of this program as a command line begins with it: "lenet5 eval", or "lenet5_eval" where the names of binaries
/// choose.
std::string command_text(const ModelDescription& model, std::string_view command);
/// How the user runs `command` of this program: "lenet5 eval", or "cnnc eval specs/lenet5.cnn" where cnnc started it.
std::string invocation(const ModelDescription& model, std::string_view command);
/// A share as "88.12 %".
std::string percent_text(double share);

}  // namespace cnn::program
