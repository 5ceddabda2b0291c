/* faulty_memory.h - an allocator that has nothing when a test wants it: the linker puts it in front.
 *
 * Everything that is linked into the program is counted (--wrap), in the process that began; its children
 * are not.
 * SPDX-License-Identifier: MIT */
#ifndef RD_FAULTS_FAULTY_MEMORY_H
#define RD_FAULTS_FAULTY_MEMORY_H
#include <stdbool.h>
#include <stddef.h>

typedef struct memory_fault {
    long call;   /* the call that gets nothing, from 1; 0: none */
    bool always; /* and all after it */
} memory_fault;

void memory_faults_begin(memory_fault fault);
/* Calls since begin; afterwards there is memory again. */
long memory_faults_end(void);
/* Whether the call has come. */
bool memory_faults_came(void);
/* Whether one of the last calls asked for so many bytes. */
bool memory_was_asked(size_t bytes);
/* Blocks that are in use, of all that were given out since the program began. */
size_t memory_blocks(void);
#endif
