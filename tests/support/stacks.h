/* stacks.h - threads that cannot start: each wants a stack that no machine has room for.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEST_STACKS_H
#define RD_TEST_STACKS_H
#include "support/tensors.h"

#include <pthread.h>

/* From here on; returns what was, for pthread_setattr_default_np. */
static inline pthread_attr_t stacks_without_room(void)
{
    pthread_attr_t before, huge;
    assert_int_equal(pthread_getattr_default_np(&before), 0);
    assert_int_equal(pthread_attr_init(&huge), 0);
    assert_int_equal(pthread_attr_setstacksize(&huge, (size_t)1 << 52), 0);
    assert_int_equal(pthread_setattr_default_np(&huge), 0);
    assert_int_equal(pthread_attr_destroy(&huge), 0);
    return before;
}
#endif
