# antlr_parser(TARGET GRAMMAR NAMESPACE): a static library of the lexer and parser that ANTLR makes of a grammar at build time.
# Tool 4.7.2 and runtime 4.9 work together where the generated files are compiled as C++17.
find_program(ANTLR4_TOOL antlr4 REQUIRED)
find_path(ANTLR4_INCLUDE antlr4-runtime.h PATH_SUFFIXES antlr4-runtime REQUIRED)
find_library(ANTLR4_LIBRARY antlr4-runtime REQUIRED)

function(antlr_parser target grammar namespace)
  get_filename_component(name "${grammar}" NAME_WE)
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/generated")
  set(sources "${folder}/${name}Lexer.cpp" "${folder}/${name}Parser.cpp")
  add_custom_command(
    OUTPUT ${sources} "${folder}/${name}Lexer.h" "${folder}/${name}Parser.h"
    COMMAND "${ANTLR4_TOOL}" -Dlanguage=Cpp -no-listener -no-visitor -package "${namespace}" -o "${folder}" "${grammar}"
    DEPENDS "${grammar}"
    COMMENT "Making the parser of ${name}"
    VERBATIM)
  add_library(${target} STATIC ${sources})
  target_compile_features(${target} PUBLIC cxx_std_17)
  set_target_properties(${target} PROPERTIES CXX_STANDARD 17)
  target_compile_options(${target} PRIVATE -w)
  target_include_directories(${target} SYSTEM PUBLIC "${folder}" "${ANTLR4_INCLUDE}")
  target_link_libraries(${target} PUBLIC "${ANTLR4_LIBRARY}")
endfunction()
