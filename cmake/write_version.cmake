execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT commit)
  set(commit "unknown")
endif()
set(text "#pragma once\n// Written by cmake/write_version.cmake.\nnamespace holdfast {\ninline constexpr const char* version = \"${VERSION}\";\ninline constexpr const char* build_commit = \"${commit}\";\n}  // namespace holdfast\n")
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "${text}" @ONLY)
