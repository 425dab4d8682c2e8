# format: rewrites the sources; check-format: says what would change; tidy: the short list of .clang-tidy, all errors.
find_program(CLANG_FORMAT NAMES clang-format-19 clang-format)
find_program(RUN_CLANG_TIDY NAMES run-clang-tidy-19 run-clang-tidy)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(list_sources git -C ${PROJECT_SOURCE_DIR} ls-files "*.cpp" "*.hpp")
if(CLANG_FORMAT)
  add_custom_target(format COMMAND ${list_sources} | xargs ${CLANG_FORMAT} -i
                    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} VERBATIM)
  add_custom_target(check-format COMMAND ${list_sources} | xargs ${CLANG_FORMAT} --dry-run --Werror
                    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} VERBATIM)
endif()
if(RUN_CLANG_TIDY)
  add_custom_target(tidy COMMAND ${RUN_CLANG_TIDY} -quiet -p ${PROJECT_BINARY_DIR}
                    "${PROJECT_SOURCE_DIR}/(manifests|reconcilers|controller)/.*\\.cpp$" DEPENDS holdfast_version_header)
endif()
