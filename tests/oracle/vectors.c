/* vectors.c - see vectors.h. SPDX-License-Identifier: MIT */
#include "support/tensors.h"

#include "oracle/vectors.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "2x3" or "-" */
static void parse_shape(const char *text, golden_array *a)
{
    a->count = 1;
    for (const char *at = text; *at && *at != '-';) {
        char *end = NULL;
        a->shape[a->ndim] = strtoul(at, &end, 10);
        a->count *= a->shape[a->ndim++];
        at = *end == 'x' ? end + 1 : end;
    }
}

static golden_array parse_line(char *fields)
{
    golden_array a = {0};
    char *values = strchr(fields, '\t');
    assert_non_null(values);
    *values++ = 0;
    parse_shape(fields, &a);
    a.values = calloc(a.count, sizeof *a.values);
    assert_non_null(a.values);
    for (size_t i = 0; i < a.count; i++) a.values[i] = strtod(values, &values);
    return a;
}

bool vectors_find(const char *group, const char *name, golden_array *a)
{
    char key[128], line[8192];
    FILE *f = fopen(RD_TEST_SOURCE_DIR "/tests/oracle/golden.tsv", "r");
    bool found = false;
    assert_non_null(f);
    const size_t n = (size_t)snprintf(key, sizeof key, "%s\t%s\t", group, name);
    while (!found && fgets(line, sizeof line, f)) {
        found = strncmp(line, key, n) == 0;
        if (found) *a = parse_line(line + n);
    }
    fclose(f);
    return found;
}

golden_array vectors_need(const char *group, const char *name)
{
    golden_array a = {0};
    if (!vectors_find(group, name, &a))
        fail_msg("golden.tsv: there is no '%s' of '%s'", name, group);
    return a;
}

rd_tensor *vectors_tensor(rd_core *core, const char *group, const char *name, rd_order order)
{
    golden_array a = vectors_need(group, name);
    rd_tensor *t = golden_tensor_of(core, &a, order);
    golden_array_free(&a);
    return t;
}

rd_tensor *vectors_input(rd_core *core, const char *group, const char *name, rd_order order)
{
    rd_error err;
    rd_tensor *t = vectors_tensor(core, group, name, order);
    OK(rd_set_requires_grad(t, true, &err));
    return t;
}

void vectors_expect(const char *group, const char *name, const rd_tensor *t, rd_order order)
{
    char what[160];
    golden_array want = vectors_need(group, name);
    snprintf(what, sizeof what, "%s %s", group, name);
    golden_check_values(what, &want, t, order);
    golden_array_free(&want);
}
