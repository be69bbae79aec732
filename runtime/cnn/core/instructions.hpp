// Which instruction set the kernels run with. A library built for several picks the last that the processor has when the
// program starts, or the one that the environment's CNN_INSTRUCTIONS names.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace cnn {

/// What kernels run with, and of programs for one kind of processor what they were compiled for: "x86-64-v3", "x86-64 avx2 fma".
std::string instruction_set();

/// The sets that the kernels were compiled for and this processor has, from the least; none where there is no choice.
std::span<const std::string_view> instruction_sets();

/// Makes all kernels from now on run with one of these; not while one runs. What conv_prepare made is for the kernels of its time: networks
/// prepare their weights anew. False where `name` is none of them.
bool use_instruction_set(std::string_view name);

/// What is wrong with CNN_INSTRUCTIONS: it names a set that is not among these, and the best one is in use. Empty where all is
/// well.
std::string instruction_set_problem();

/// Whether kernels may multiply tiles of bf16 numbers (AMX): the processor has them, the operating system lets this process use them, and what
/// kernels run with includes them.
bool has_bf16_tiles();

}  // namespace cnn
