// The parts of the generated files, one function each.
#pragma once

#include "emit/emit.hpp"

namespace cnnc::emit {

/// The comment at the top of a file: where it comes from.
std::string heading(const Origin& origin);
/// constexpr geometry of every kernel, and assertions that plan and kernels agree.
std::string geometry_constants(const plan::Plan& plan);
/// The constant tables a program knows itself by, up to and including `kModel`.
std::string description_tables(const plan::Plan& plan, const Origin& origin);
/// What each layer costs in the step of each phase and in a prediction: kWorkInPhase0, ..., kWorkInPredict.
std::string work_tables(const plan::Plan& plan);
/// The tables of `prepare` and `augment` that `kModel` refers to.
std::string transform_tables(const ir::Data& data);
/// Whether any call of a function takes that operand.
bool mentions(const plan::Function& function, plan::Named named);
/// The declaration and the definition of one function.
std::string function_declaration(const plan::Plan& plan, const plan::Function& function);
std::string function_definition(const plan::Plan& plan, const plan::Function& function, const Origin& origin);

}  // namespace cnnc::emit
