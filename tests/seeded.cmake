# Bugs put into a copy of a source file: one exact piece of text is replaced by another. A build fails when the text is not
# there any more, so that a mutant cannot quietly become the product.
#
# A file of such a bug (NAME.mutant):
#   # what was taken away, in lines like this one
#   file: src/worker/lane.c
#   --- text
#   exactly this
#   --- instead
#   that
#   --- end
# with one block after another where it takes more than one.
#
# include() it for seeded_sources(OUT MUTANT): OUT becomes the list of the changed copies, to be compiled in place of the originals.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(seeded_script ${CMAKE_CURRENT_LIST_FILE})

  function(seeded_sources out mutant)
    get_filename_component(name ${mutant} NAME_WE)
    file(STRINGS ${mutant} lines REGEX "^file: ")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${mutant})
    set(sources)
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "^file: " "" path "${line}")
      list(APPEND sources ${path})
    endforeach()
    list(REMOVE_DUPLICATES sources)
    set(copies)
    foreach(path IN LISTS sources)
      string(REPLACE "/" "_" flat ${path})
      set(copy ${CMAKE_CURRENT_BINARY_DIR}/${name}.seeded/${flat})
      add_custom_command(OUTPUT ${copy}
        COMMAND ${CMAKE_COMMAND} -DMUTANT=${mutant} -DROOT=${PROJECT_SOURCE_DIR} -DSOURCE=${path} -DCOPY=${copy} -P ${seeded_script}
        DEPENDS ${mutant} ${PROJECT_SOURCE_DIR}/${path} ${seeded_script}
        COMMENT "Seeding ${name} into ${path}" VERBATIM)
      # Its own folder's headers are found from the copy too.
      get_filename_component(folder ${PROJECT_SOURCE_DIR}/${path} DIRECTORY)
      set_source_files_properties(${copy} PROPERTIES INCLUDE_DIRECTORIES ${folder})
      list(APPEND copies ${copy})
    endforeach()
    set(${out} ${copies} PARENT_SCOPE)
  endfunction()
  return()
endif()

file(READ ${MUTANT} rest)
file(READ ${ROOT}/${SOURCE} content)
string(APPEND rest "\n")
string(FIND "${rest}" "\nfile: " at)
while(at GREATER_EQUAL 0)
  math(EXPR at "${at} + 7")
  string(SUBSTRING "${rest}" ${at} -1 rest)
  string(FIND "${rest}" "\n--- text\n" end)
  string(FIND "${rest}" "\n--- instead\n" middle)
  string(FIND "${rest}" "\n--- end\n" last)
  if(end LESS 0 OR middle LESS ${end} OR last LESS ${middle})
    message(FATAL_ERROR "${MUTANT}: a block is 'file: PATH', '--- text', '--- instead', '--- end'")
  endif()
  string(SUBSTRING "${rest}" 0 ${end} path)
  math(EXPR from "${end} + 10")
  math(EXPR length "${middle} - ${from}")
  string(SUBSTRING "${rest}" ${from} ${length} text)
  math(EXPR from "${middle} + 13")
  math(EXPR length "${last} - ${from}")
  if(length LESS 0)
    set(length 0)
  endif()
  string(SUBSTRING "${rest}" ${from} ${length} instead)
  if(path STREQUAL SOURCE)
    string(FIND "${content}" "${text}" first)
    string(FIND "${content}" "${text}" again REVERSE)
    if(first LESS 0)
      message(FATAL_ERROR "${MUTANT}: this is not in ${SOURCE} any more:\n${text}")
    elseif(NOT first EQUAL again)
      message(FATAL_ERROR "${MUTANT}: this is in ${SOURCE} more than once:\n${text}")
    endif()
    string(REPLACE "${text}" "${instead}" content "${content}")
  endif()
  string(SUBSTRING "${rest}" ${last} -1 rest)
  string(FIND "${rest}" "\nfile: " at)
endwhile()
file(WRITE ${COPY} "${content}")
