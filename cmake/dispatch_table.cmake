# The two steps of Dispatch.cmake that look at symbols; run while building.
#
# With LINKED: writes OBJECT, the kernels of one instruction set under names that end in .SUFFIX, all else local to it, and
# LIST, the kernels' own names.
# With NAMES, those lists: writes TABLE, assembly in a C++ source: each kernel under its own name, as a jump through the table of the
# instruction set that runs, and these tables.
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result ERROR_VARIABLE error OUTPUT_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${ARGN}: ${error}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

if(DEFINED LINKED)
  run("${NM}" --defined-only --format=posix "${LINKED}")
  string(REGEX MATCHALL "[^\n]+" symbols "${output}")
  set(kernels)
  set(variables)
  foreach(symbol IN LISTS symbols)
    # What only some sets have (namespace bf16x2) stays within their objects, whose other kernels call it.
    if(symbol MATCHES "6bf16x2")
      continue()
    elseif(symbol MATCHES "^([^ ]+) T ")
      list(APPEND kernels "${CMAKE_MATCH_1}")
    elseif(symbol MATCHES "^([^ ]+) [BCDSuv] ")
      list(APPEND variables "${CMAKE_MATCH_1}")
    endif()
  endforeach()
  # Each set would have its own.
  if(variables)
    list(JOIN variables " " variables)
    message(FATAL_ERROR "kernels may not own global variables, and these do: ${variables}. Define them in a source that is "
                        "compiled once.")
  endif()
  if(NOT kernels)
    message(FATAL_ERROR "${LINKED} has no kernels")
  endif()
  list(SORT kernels)
  list(TRANSFORM kernels APPEND ".${SUFFIX}" OUTPUT_VARIABLE renamed)
  set(pairs)
  foreach(kernel IN LISTS kernels)
    string(APPEND pairs "${kernel} ${kernel}.${SUFFIX}\n")
  endforeach()
  list(JOIN renamed "\n" keep)
  list(JOIN kernels "\n" names)
  file(WRITE "${OBJECT}.rename" "${pairs}")
  file(WRITE "${OBJECT}.keep" "${keep}\n")
  run("${OBJCOPY}" "--redefine-syms=${OBJECT}.rename" "--keep-global-symbols=${OBJECT}.keep" "${LINKED}" "${OBJECT}")
  file(WRITE "${LIST}" "${names}\n")
  return()
endif()

list(GET NAMES 0 first)
file(STRINGS "${first}" kernels)
foreach(list IN LISTS NAMES)
  file(STRINGS "${list}" others)
  if(NOT others STREQUAL kernels)
    message(FATAL_ERROR "${list} and ${first} list different kernels")
  endif()
endforeach()

set(text "// Made by dispatch_table.cmake: each kernel is a jump to that of the instruction set which runs.
asm(R\"(
.section .text.cnn_kernels,\"ax\",@progbits
.hidden cnn_kernel_table
")
set(offset 0)
foreach(kernel IN LISTS kernels)
  # r11 is neither an argument nor kept by calls.
  string(APPEND text "
.globl ${kernel}
.type ${kernel}, @function
.p2align 4
${kernel}:
  endbr64
  movq cnn_kernel_table(%rip), %r11
  jmp *${offset}(%r11)
.size ${kernel}, .-${kernel}
")
  math(EXPR offset "${offset} + 8")
endforeach()
string(APPEND text "
.section .data.rel.ro,\"aw\",@progbits
.p2align 3
")
foreach(list IN LISTS NAMES)
  get_filename_component(suffix "${list}" NAME_WE)
  list(TRANSFORM kernels REPLACE "(.+)" ".quad \\1.${suffix}" OUTPUT_VARIABLE places)
  list(JOIN places "\n" places)
  string(APPEND text "
.globl cnn_kernels_${suffix}
.hidden cnn_kernels_${suffix}
.type cnn_kernels_${suffix}, @object
cnn_kernels_${suffix}:
${places}
.size cnn_kernels_${suffix}, .-cnn_kernels_${suffix}
")
endforeach()
string(APPEND text ".text\n)\");\n")
file(WRITE "${TABLE}" "${text}")
