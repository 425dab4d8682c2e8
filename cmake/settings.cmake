# What every target of holdfast is compiled with. Warnings are errors in developer builds (the presets), never in a
# build that a user starts from a release, where a newer compiler may know warnings that we do not.
option(HOLDFAST_WERROR "treat warnings as errors" OFF)
option(HOLDFAST_FAILPOINTS "places where tests can kill, stop or fail the programs" OFF)
set(HOLDFAST_SANITIZE "" CACHE STRING "sanitizers, as -fsanitize= takes them: address,undefined or thread")

add_library(holdfast_settings INTERFACE)
target_compile_features(holdfast_settings INTERFACE cxx_std_20)
target_include_directories(holdfast_settings INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_options(holdfast_settings INTERFACE -Wall -Wextra -Wpedantic -Wshadow)
# GCC 12 takes the moved-from variant in a map's initialiser list, and std::regex under sanitizers, for uninitialised
# (GCC bugs 105593 and 105562).
target_compile_options(holdfast_settings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
if(HOLDFAST_WERROR)
  target_compile_options(holdfast_settings INTERFACE -Werror)
endif()
if(HOLDFAST_FAILPOINTS)
  target_compile_definitions(holdfast_settings INTERFACE HOLDFAST_FAILPOINTS)
endif()
if(HOLDFAST_SANITIZE)
  target_compile_options(holdfast_settings INTERFACE -fsanitize=${HOLDFAST_SANITIZE} -fno-omit-frame-pointer)
  # GCC says that the thread sanitizer does not see the fences of Boost.Asio; its locks, which matter here, it does.
  target_compile_options(holdfast_settings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  target_link_options(holdfast_settings INTERFACE -fsanitize=${HOLDFAST_SANITIZE})
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 12)
  target_link_options(holdfast_settings INTERFACE -fuse-ld=mold)
endif()
