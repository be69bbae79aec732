# What `cmake --install` puts where: bin/cnnc, the runtime's libraries and headers, share/cnnc/runtime.json, and the package
# that find_package(cnnc CONFIG) finds. The tree can be moved; to unlike machines where CNN_MARCH is `dispatch`.
include(CMakePackageConfigHelpers)

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/cnnc")
# cnnc finds share/cnnc from the place of its binary, so these two are not for the user to choose.
set(program_folder bin)
set(description_folder share/cnnc)

set_target_properties(cnn_formats PROPERTIES EXPORT_NAME formats)
install(TARGETS cnnc cnn cnn_formats EXPORT cnncTargets
        RUNTIME DESTINATION ${program_folder}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT cnncTargets NAMESPACE cnnc:: DESTINATION ${package_folder})

# What programs of others may include. The rest is the kernels' own, or would need headers of the runtime's libraries.
install(DIRECTORY "${PROJECT_SOURCE_DIR}/runtime/cnn" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.hpp"
        PATTERN "program" EXCLUDE
        REGEX "/core/(ahead|bf16_tiles|team|sgemm|elementary|vector|multiply_panels)\\.hpp$" EXCLUDE
        REGEX "/ops/(tiles|windows|windows_3x3|channel_map|depthwise_planes|dense/few_images|conv/bf16x2_(planes|weights|finish)|conv/column_rows|conv/column_strips|conv/direct_(planes|tiles)|conv/finish|conv/merge_slots|conv/pack_weights|conv/tile_columns|conv/winograd_transforms|conv/winograd_strips|conv/winograd_weights|lanes/lanes|lanes/pools|lanes/products)\\.hpp$" EXCLUDE
        REGEX "/data/byte_stream\\.hpp$" EXCLUDE)
install(FILES "${PROJECT_SOURCE_DIR}/runtime/cnn/program/program.hpp" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cnn/program)

function(from_description result path)
  cmake_path(ABSOLUTE_PATH path BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}" NORMALIZE)
  cmake_path(RELATIVE_PATH path BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}/${description_folder}")
  set(${result} "${path}" PARENT_SCOPE)
endfunction()
from_description(headers "${CMAKE_INSTALL_INCLUDEDIR}")
from_description(libraries "${CMAKE_INSTALL_LIBDIR}")
include(RuntimeDescription)
set(installed_description "${CMAKE_CURRENT_BINARY_DIR}/installed/runtime.json")
runtime_description("${installed_description}" INCLUDE "${headers}"
                    LIBRARIES "${libraries}/$<TARGET_FILE_NAME:cnn>" "${libraries}/$<TARGET_FILE_NAME:cnn_formats>")
install(FILES "${installed_description}" DESTINATION ${description_folder})

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/cnncConfig.cmake.in"
                              "${CMAKE_CURRENT_BINARY_DIR}/installed/cnncConfig.cmake"
                              INSTALL_DESTINATION ${package_folder}
                              NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the language and the generated code's interface.
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/installed/cnncConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/installed/cnncConfig.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/installed/cnncConfigVersion.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/CnncModel.cmake"
        DESTINATION ${package_folder})
