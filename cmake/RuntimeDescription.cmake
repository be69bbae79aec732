# runtime_description(FILE INCLUDE folders… LIBRARIES files…): the JSON that tells cnnc how to build a generated program.
# Relative paths in it count from the file itself, so that an installed tree can be moved.
find_package(BLAS REQUIRED)

function(runtime_description file)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "INCLUDE;LIBRARIES")
  # The build's own flags count: what is built with a sanitizer links only with it.
  separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS}")
  list(PREPEND flags -std=c++20 -O2 ${CNN_MARCH_OPTION})
  set(link ${BLAS_LIBRARIES} -lfmt -lboost_program_options -ljpeg -lpng -lz -fopenmp -pthread)
  foreach(list arg_INCLUDE flags arg_LIBRARIES link)
    list(TRANSFORM ${list} REPLACE "([\"\\\\])" "\\\\\\1")
    list(JOIN ${list} "\", \"" ${list})
  endforeach()
  file(GENERATE OUTPUT "${file}" CONTENT
"{
  \"include\": [\"${arg_INCLUDE}\"],
  \"flags\": [\"${flags}\"],
  \"libraries\": [\"${arg_LIBRARIES}\"],
  \"link\": [\"${link}\"]
}
")
endfunction()
