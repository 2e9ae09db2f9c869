# One folder of halftone/ is one static library; docs/architecture.md says which folder may use which.

add_library(halftone_flags INTERFACE)
target_include_directories(halftone_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(halftone_flags INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough
  -Wno-missing-field-initializers  # designated initialisers name what differs from the defaults
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # GCC 12 warns of its own std::string (its bug 105651)
  -ffp-contract=off  # docs/arithmetic.md section 0: float steps are uncontracted
)
# GCC's flow warnings misfire on instrumented code; the plain build judges warnings.
if(HALFTONE_WERROR AND NOT HALFTONE_SANITIZE)
  target_compile_options(halftone_flags INTERFACE -Werror)
endif()
if(HALFTONE_SANITIZE)
  target_compile_options(halftone_flags INTERFACE
    -fsanitize=${HALFTONE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(halftone_flags INTERFACE -fsanitize=${HALFTONE_SANITIZE})
endif()

# halftone_folder(NAME [USES folder...] [LINKS library...]): every *.cc here becomes halftone_NAME.
# LINKS are private: no other folder sees their headers.
function(halftone_folder name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "USES;LINKS")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  add_library(halftone_${name} STATIC ${sources})
  target_link_libraries(halftone_${name} PUBLIC halftone_flags PRIVATE ${arg_LINKS})
  foreach(used ${arg_USES})
    target_link_libraries(halftone_${name} PUBLIC halftone_${used})
  endforeach()
endfunction()

# halftone_test(NAME [OPTIMISED] [LINKS library...] [LABELS label...]): every *_test.cc here becomes test_NAME.
# OPTIMISED: what it tests may compute something else when it is optimised. Continuous integration, which builds everything
# under sanitizers first, leaves the others out of its optimised build and suites with a label out of both, and runs a suite as one test:
# a process for each of a thousand cases costs minutes.
function(halftone_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "OPTIMISED" "" "LINKS;LABELS")
  if(HALFTONE_CI AND (arg_LABELS OR NOT (HALFTONE_SANITIZE OR arg_OPTIMISED)))
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cc)
  add_executable(test_${name} ${sources})
  target_compile_options(test_${name} PRIVATE -O0)  # half the time to compile; what is tested keeps its flags
  target_link_libraries(test_${name} PRIVATE ${arg_LINKS} GTest::gtest GTest::gmock GTest::gtest_main rapidcheck)
  if(HALFTONE_CI)
    add_test(NAME ${name} COMMAND test_${name} --gtest_brief=1)
    set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}")
  else()
    gtest_discover_tests(test_${name} TEST_PREFIX ${name}. DISCOVERY_TIMEOUT 60 PROPERTIES LABELS "${arg_LABELS}")
  endif()
endfunction()
