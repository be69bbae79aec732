// Counts what a program asks of the heap and of the kernel's memory, by standing in for malloc and mmap in
// its binary.
#pragma once

/// Calls of malloc, calloc, realloc, aligned_alloc, memalign, posix_memalign and mmap since the program
/// began, by any thread. Link allocation_counter.cpp into the test's executable: its definitions come before
/// the C library's.
long allocation_count();
