/* golden.c - reads the golden vectors (HDF5) for the tests that compare with PyTorch.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>
#include <hdf5.h>
#include "oracle/golden.h"

struct golden_file {
    hid_t id;
    char stem[64];
};

static void require(bool ok, const golden_file *f, const char *path, const char *name)
{
    if (!ok) fail_msg("golden file '%s': cannot read '%s' %s", f->stem, path, name);
}

golden_file *golden_open(const char *stem)
{
    char path[4096];
    const char *folder = getenv("RONDO_ORACLE");
    if (folder)
        snprintf(path, sizeof path, "%s/%s_f64.h5", folder, stem);
    else
        snprintf(path, sizeof path, RD_TEST_SOURCE_DIR "/../shared/oracle/golden/%s_f64.h5", stem);
    struct stat there;
    if (stat(path, &there) != 0) {
        print_message("skipped: %s is not there\n", path);
        skip();
    }
    golden_file *f = calloc(1, sizeof *f);
    assert_non_null(f);
    snprintf(f->stem, sizeof f->stem, "%s", stem);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    f->id = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    require(f->id >= 0, f, path, "");
    return f;
}

void golden_close(golden_file *f)
{
    if (!f) return;
    H5Fclose(f->id);
    free(f);
}

bool golden_has(const golden_file *f, const char *path)
{
    char part[1024];
    /* H5Lexists wants every group on the way to be there */
    for (size_t n = 1; path[n - 1]; n++) {
        if ((path[n] != '/' && path[n] != 0) || n >= sizeof part) continue;
        memcpy(part, path, n);
        part[n] = 0;
        if (H5Lexists(f->id, part, H5P_DEFAULT) <= 0) return false;
    }
    return true;
}

static herr_t add_name(hid_t group, const char *name, const H5L_info_t *link, void *user)
{
    (void)group;
    (void)link;
    golden_names *names = user;
    void *more = realloc(names->name, (names->count + 1) * sizeof *names->name);
    if (!more) return -1;
    names->name = more;
    snprintf(names->name[names->count++], sizeof *names->name, "%s", name);
    return 0;
}

golden_names golden_list(const golden_file *f, const char *group)
{
    golden_names names = {0};
    const hid_t id = H5Gopen2(f->id, group, H5P_DEFAULT);
    require(id >= 0, f, group, "");
    require(H5Literate(id, H5_INDEX_NAME, H5_ITER_INC, NULL, add_name, &names) >= 0, f, group, "");
    H5Gclose(id);
    return names;
}

void golden_names_free(golden_names *names)
{
    free(names->name);
    *names = (golden_names){0};
}

golden_array golden_read(const golden_file *f, const char *path)
{
    golden_array a = {.count = 1};
    const hid_t id = H5Dopen2(f->id, path, H5P_DEFAULT);
    require(id >= 0, f, path, "");
    const hid_t space = H5Dget_space(id);
    hsize_t shape[H5S_MAX_RANK];
    const int ndim = H5Sget_simple_extent_dims(space, shape, NULL);
    require(ndim >= 0 && ndim <= RD_MAX_DIMS, f, path, "");
    a.ndim = (uint32_t)ndim;
    for (uint32_t d = 0; d < a.ndim; d++) {
        a.shape[d] = (size_t)shape[d];
        a.count *= a.shape[d];
    }
    a.values = calloc(a.count ? a.count : 1, sizeof *a.values);
    assert_non_null(a.values);
    if (a.count)
        require(H5Dread(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, a.values) >= 0, f,
                path, "");
    H5Sclose(space);
    H5Dclose(id);
    return a;
}

void golden_array_free(golden_array *a)
{
    free(a->values);
    *a = (golden_array){0};
}

double golden_number(const golden_file *f, const char *group, const char *name, double fallback)
{
    if (H5Aexists_by_name(f->id, group, name, H5P_DEFAULT) <= 0) return fallback;
    double values[16] = {0};
    const hid_t id = H5Aopen_by_name(f->id, group, name, H5P_DEFAULT, H5P_DEFAULT);
    require(id >= 0 && H5Aget_storage_size(id) <= sizeof values, f, group, name);
    /* h5py stores a bool as an enumeration, which does not convert to double */
    const hid_t type = H5Aget_type(id);
    if (H5Tget_class(type) == H5T_ENUM) {
        int8_t flag = 0;
        require(H5Aread(id, type, &flag) >= 0, f, group, name);
        values[0] = flag;
    } else
        require(H5Aread(id, H5T_NATIVE_DOUBLE, values) >= 0, f, group, name);
    H5Tclose(type);
    H5Aclose(id);
    return values[0];
}

void golden_text(const golden_file *f, const char *group, const char *name, char text[64])
{
    text[0] = 0;
    if (H5Aexists_by_name(f->id, group, name, H5P_DEFAULT) <= 0) return;
    const hid_t id = H5Aopen_by_name(f->id, group, name, H5P_DEFAULT, H5P_DEFAULT);
    require(id >= 0, f, group, name);
    const hid_t stored = H5Aget_type(id);
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_cset(type, H5Tget_cset(stored));
    if (H5Tis_variable_str(stored) > 0) {
        char *value = NULL;
        H5Tset_size(type, H5T_VARIABLE);
        require(H5Aread(id, type, &value) >= 0 && value, f, group, name);
        snprintf(text, 64, "%s", value);
        H5free_memory(value);
    } else {
        H5Tset_size(type, 64);
        require(H5Aread(id, type, text) >= 0, f, group, name);
    }
    H5Tclose(type);
    H5Tclose(stored);
    H5Aclose(id);
}

/* Place of logical element `at` of a tensor (B, T, ...) in the dataset's (T, B, ...). */
static size_t swapped(const golden_array *a, size_t at)
{
    const size_t steps = a->shape[0], rows = a->shape[1];
    const size_t inner = a->count / (steps * rows);
    const size_t i = at % inner, t = at / inner % steps, b = at / inner / steps;
    return (t * rows + b) * inner + i;
}

rd_tensor *golden_tensor_of(rd_core *core, const golden_array *a, rd_order order)
{
    size_t shape[RD_MAX_DIMS];
    memcpy(shape, a->shape, sizeof shape);
    if (order == RD_SEQUENCE) {
        shape[0] = a->shape[1];
        shape[1] = a->shape[0];
    }
    rd_error err;
    rd_tensor *t = NULL;
    if (rd_tensor_new(core, a->ndim, shape, order, &t, &err) != RD_OK) fail_msg("%s", err.text);
    rd_real *values = calloc(a->count ? a->count : 1, sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < a->count; i++)
        values[i] = (rd_real)a->values[order == RD_SEQUENCE ? swapped(a, i) : i];
    if (rd_tensor_write(t, values, &err) != RD_OK) fail_msg("%s", err.text);
    free(values);
    return t;
}

rd_tensor *golden_tensor(rd_core *core, const golden_file *f, const char *path, rd_order order)
{
    golden_array a = golden_read(f, path);
    rd_tensor *t = golden_tensor_of(core, &a, order);
    golden_array_free(&a);
    return t;
}

double golden_check_values(const char *what, const golden_array *want, const rd_tensor *t,
                           rd_order order)
{
    if (!t) fail_msg("%s: no tensor", what);
    if (rd_tensor_numel(t) != want->count)
        fail_msg("%s: %zu elements instead of %zu", what, rd_tensor_numel(t), want->count);
    rd_real *values = calloc(want->count ? want->count : 1, sizeof *values);
    assert_non_null(values);
    rd_tensor_read(t, values);
    double scale = 1, worst = 0;
    size_t where = 0;
    for (size_t i = 0; i < want->count; i++) scale = fmax(scale, fabs(want->values[i]));
    for (size_t i = 0; i < want->count; i++) {
        const double ref = want->values[order == RD_SEQUENCE ? swapped(want, i) : i];
        const double gap = fabs((double)values[i] - ref) / scale;
        if (gap <= worst) continue;
        worst = gap;
        where = i;
        if (!(gap <= GOLDEN_TOLERANCE))
            fail_msg("%s: element %zu is %.17g instead of %.17g", what, where, (double)values[i],
                     ref);
    }
    free(values);
    return worst;
}

double golden_check(const golden_file *f, const char *path, const rd_tensor *t, rd_order order)
{
    golden_array want = golden_read(f, path);
    const double worst = golden_check_values(path, &want, t, order);
    golden_array_free(&want);
    return worst;
}
