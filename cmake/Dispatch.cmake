# Kernels compiled once for each instruction set, in one library that picks when a program starts.
#
# dispatch_kernels(TARGET) makes a library one of this kind; its options, definitions and libraries count for the kernels too.
# add_kernels(TARGET file…) adds kernels' sources to a library: of this kind, or to any other as target_sources() does.
#
# Each set's objects are linked to one (`ld -r`), and of its symbols only those of kernels are kept global, under a name of
# their own: cnn::relu becomes cnn::relu [clone .x86_64_v3]. So an inline function compiled for AVX can never be the copy
# that the linker takes for the rest of a program, which would end there on a processor without.
set(CNN_INSTRUCTION_SETS x86-64 x86-64-v3 x86-64-v4)  # from the least; core/instructions.cpp knows the same
set(CNN_DISPATCH_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/dispatch_table.cmake")

# Why kernels can't be compiled for several instruction sets here; empty where they can.
function(why_no_dispatch result)
  set(${result} "" PARENT_SCOPE)
  execute_process(COMMAND "${CMAKE_LINKER}" --version OUTPUT_VARIABLE linker ERROR_QUIET)
  if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$" OR NOT CMAKE_SIZEOF_VOID_P EQUAL 8)
    set(${result} "the target is no x86-64" PARENT_SCOPE)
  elseif(NOT CMAKE_CXX_COMPILER_ID MATCHES "^(GNU|Clang)$" OR NOT CMAKE_EXECUTABLE_FORMAT STREQUAL "ELF")
    set(${result} "it takes GCC or Clang and ELF" PARENT_SCOPE)
  elseif(NOT linker MATCHES "^GNU ld" OR NOT CMAKE_OBJCOPY OR NOT CMAKE_NM)
    set(${result} "it takes GNU's ld, objcopy and nm" PARENT_SCOPE)
  endif()
endfunction()

# The options of a kernel's source for an instruction set.
function(instruction_set_options result set)
  set(options -march=${set})
  if(NOT set STREQUAL "x86-64")
    list(APPEND options -mprefer-vector-width=256)
  endif()
  set(${result} "${options}" PARENT_SCOPE)
endfunction()

function(add_kernels target)
  if(NOT TARGET ${target}_x86_64)
    target_sources(${target} PRIVATE ${ARGN})
    return()
  endif()
  foreach(set IN LISTS CNN_INSTRUCTION_SETS)
    string(REPLACE "-" "_" suffix "${set}")
    target_sources(${target}_${suffix} PRIVATE ${ARGN})
  endforeach()
endfunction()

function(dispatch_kernels target)
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/${target}_kernels")
  file(MAKE_DIRECTORY "${folder}")
  set(objects)
  set(lists)
  foreach(set IN LISTS CNN_INSTRUCTION_SETS)
    string(REPLACE "-" "_" suffix "${set}")
    set(library ${target}_${suffix})
    add_library(${library} OBJECT)
    instruction_set_options(options ${set})
    # These bring along what the libraries that the target links ask for.
    foreach(property COMPILE_OPTIONS COMPILE_DEFINITIONS INCLUDE_DIRECTORIES COMPILE_FEATURES)
      set_property(TARGET ${library} PROPERTY ${property} "$<TARGET_PROPERTY:${target},${property}>")
    endforeach()
    target_compile_options(${library} PRIVATE ${options} -fno-lto)
    set_target_properties(${library} PROPERTIES
      POSITION_INDEPENDENT_CODE "$<BOOL:$<TARGET_PROPERTY:${target},POSITION_INDEPENDENT_CODE>>"
      INTERPROCEDURAL_OPTIMIZATION OFF)
    set(linked "${folder}/${suffix}_linked.o")
    add_custom_command(
      OUTPUT "${linked}"
      COMMAND "${CMAKE_LINKER}" -r --force-group-allocation -o "${linked}" "$<TARGET_OBJECTS:${library}>"
      DEPENDS ${library} "$<TARGET_OBJECTS:${library}>"
      COMMENT "Linking the kernels for ${set}"
      COMMAND_EXPAND_LISTS VERBATIM)
    set(object "${folder}/${suffix}.o")
    add_custom_command(
      OUTPUT "${object}" "${folder}/${suffix}.txt"
      COMMAND "${CMAKE_COMMAND}" -D "NM=${CMAKE_NM}" -D "OBJCOPY=${CMAKE_OBJCOPY}" -D "SUFFIX=${suffix}"
              -D "LINKED=${linked}" -D "OBJECT=${object}" -D "LIST=${folder}/${suffix}.txt" -P "${CNN_DISPATCH_SCRIPT}"
      DEPENDS "${linked}" "${CNN_DISPATCH_SCRIPT}"
      COMMENT "Naming the kernels for ${set}"
      VERBATIM)
    list(APPEND objects "${object}")
    list(APPEND lists "${folder}/${suffix}.txt")
  endforeach()
  set(table "${folder}/table.cpp")
  add_custom_command(
    OUTPUT "${table}"
    COMMAND "${CMAKE_COMMAND}" -D "NAMES=${lists}" -D "TABLE=${table}" -P "${CNN_DISPATCH_SCRIPT}"
    DEPENDS ${lists} "${CNN_DISPATCH_SCRIPT}"
    COMMENT "Making the table of kernels"
    VERBATIM)
  set_source_files_properties(${objects} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  target_sources(${target} PRIVATE ${objects} "${table}")
  target_compile_definitions(${target} PRIVATE CNN_DISPATCH)
endfunction()
