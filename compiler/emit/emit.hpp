// The stage from Plan to C++ text. The only code that contains C++ text; it decides nothing but how things look.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.hpp"

namespace cnnc::emit {

/// What the generated text says of its origin.
struct Origin {
  std::string spec;                     // file name without a folder
  std::vector<std::string> spec_lines;  // its text, to quote
  std::string version;                  // of the compiler
  std::string spec_hash;                // 16 hexadecimal digits
  std::string rendered;                 // the spec, fully expanded
};

struct GeneratedFile {
  std::string name;
  std::string text;
};

/// PROGRAM.hpp, PROGRAM.cpp and PROGRAM_main.cpp. The same plan and origin give the same bytes.
std::vector<GeneratedFile> emit(const plan::Plan& plan, const Origin& origin);

/// The name of the generated class: the model's, escaped where C++ does not take it.
std::string class_name(const plan::Plan& plan);

}  // namespace cnnc::emit
