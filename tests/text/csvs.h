/* csvs.h - small CSV files for the tests that read them.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEST_CSVS_H
#define RD_TEST_CSVS_H
#include "store/scratch.h"
#include "text/csv.h"

enum { SENTENCE_BYTES = 512 };

/* A file of the test's folder with these bytes, to be read by the rules. */
static inline rd_csv *csv_of(scratch *s, const char *text, const rd_csv_rules *rules)
{
    rd_error err = {0};
    rd_csv *c = NULL;
    const char *path = scratch_write(s, "a.csv", text, strlen(text));
    if (rd_csv_open(path, &(rd_csv_form){.quotes = true}, &c, &err) != RD_OK ||
        rd_csv_begin(c, rules, &err) != RD_OK)
        fail_msg("%s", err.text);
    return c;
}

/* The sentence is the path of the test's last file and `rest`. */
static inline void expect_of_file(const scratch *s, const rd_error *err, const char *rest)
{
    char expected[SENTENCE_BYTES + sizeof(s->path)];
    snprintf(expected, sizeof(expected), "%s: %s", s->path, rest);
    assert_string_equal(err->text, expected);
}
#endif
