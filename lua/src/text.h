/* text.h - what the files of texts and vocabularies share.
 * SPDX-License-Identifier: MIT */
#ifndef RDL_TEXT_H
#define RDL_TEXT_H
#include "common.h"

#define RDL_FIT "rondo.VocabFit"
#define RDL_PIECES "rondo.Pieces"

rd_vocab *rdl_check_vocab(lua_State *L, int arg);
/* The name of a level, or a table of options; none or nil: level char. */
rd_vocab_options rdl_check_vocab_options(lua_State *L, int arg);
#endif
