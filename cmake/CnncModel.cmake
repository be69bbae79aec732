# cnn_add_model(TARGET SPEC file [MODEL name] [SET name=value…] [TUNED file] [EXECUTABLES command…])
#
# A static library TARGET with the class that cnnc makes of a spec; <TARGET.hpp> is its header. Where the spec has several
# programs, MODEL chooses one. SET gives a model's parameters and train's settings other values, as `cnnc --set` does; TUNED is a
# tuning file, as `cnnc --tuned` takes it.
# EXECUTABLES adds TARGET_COMMAND for each command (train, eval, predict, info, bench, profile): the generated program, that command
# chosen. The spec and all that it imports are watched; what is generated is written only where it changes.
cmake_policy(PUSH)
cmake_policy(VERSION 3.20...3.25)

function(cnn_add_model target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SPEC;MODEL;TUNED" "SET;EXECUTABLES")
  if(NOT arg_SPEC OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "cnn_add_model(${target} …): write cnn_add_model(${target} SPEC file.cnn [MODEL name] "
                        "[SET name=value…] [TUNED file.tune] [EXECUTABLES train|eval|predict|info|bench|profile…])")
  endif()
  cmake_path(ABSOLUTE_PATH arg_SPEC BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE OUTPUT_VARIABLE spec)
  if(NOT EXISTS "${spec}")
    message(FATAL_ERROR "cnn_add_model(${target} …): there is no spec ${spec}")
  endif()

  set(options)
  if(arg_MODEL)
    list(APPEND options --model "${arg_MODEL}")
  endif()
  foreach(value IN LISTS arg_SET)
    list(APPEND options --set "${value}")
  endforeach()
  set(tuned)
  if(arg_TUNED)
    cmake_path(ABSOLUTE_PATH arg_TUNED BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE OUTPUT_VARIABLE tuned)
    list(APPEND options --tuned "${tuned}")
  endif()
  # Named after the target and not after the spec's programs, so that the files' names are known before the spec is read.
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/cnn_models/${target}")
  set(main "${folder}/${target}_main.cpp")
  set(library "${folder}/${target}.hpp" "${folder}/${target}.cpp")
  # The stamp is touched each time the command runs; the files beside it keep their age where they keep their text,
  # and so what was compiled of them stays.
  set(stamp "${folder}/${target}.stamp")
  add_custom_command(
    OUTPUT "${stamp}"
    BYPRODUCTS ${library} "${main}"
    COMMAND cnnc::cnnc generate "${spec}" --out "${folder}" --name ${target} --stamp "${stamp}" --depfile "${stamp}.d"
            ${options}
    DEPENDS "${spec}" ${tuned} cnnc::cnnc
    DEPFILE "${stamp}.d"
    COMMENT "Generating the C++ of ${target} from ${arg_SPEC}"
    VERBATIM)

  add_library(${target} STATIC ${library} "${stamp}")
  target_include_directories(${target} PUBLIC "$<BUILD_INTERFACE:${folder}>")
  target_link_libraries(${target} PUBLIC cnnc::cnn)

  foreach(command IN LISTS arg_EXECUTABLES)
    if(NOT command MATCHES "^(train|eval|predict|info|bench|profile)$")
      message(FATAL_ERROR "cnn_add_model(${target} … EXECUTABLES ${command}): the commands are train, eval, predict, "
                          "info, bench and profile")
    endif()
    add_executable(${target}_${command} "${main}")
    target_link_libraries(${target}_${command} PRIVATE ${target})
  endforeach()
endfunction()

cmake_policy(POP)
