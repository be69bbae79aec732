// What computes: recorded with a run, since the same bits come from the same binary, instruction set
// (cnn/core/instructions.hpp) and BLAS.
#pragma once

#include <cstdint>
#include <string>

namespace cnn::program {

/// The processor's name as the system gives it: "AMD EPYC 7R13 Processor".
std::string cpu_name();
/// Bytes of memory this process has at most had, and has, as the system counts them (VmHWM, VmRSS); 0 where it does not say.
std::int64_t memory_peak();
std::int64_t memory_resident();
/// Of what it has, what are pages of files: its own code and that of libraries, which come as they are first used (RssFile).
std::int64_t memory_of_files();

}  // namespace cnn::program
