/* loss.h - what the losses share: reductions, the scalar they end in.
 * SPDX-License-Identifier: MIT */
#ifndef RD_LOSS_H
#define RD_LOSS_H
#include "engine/tape.h"

/* What the sum of a loss is divided by; 0 where nothing counted. rows: its first dimension is the batch. */
double rdc_loss_divisor(rd_reduction reduction, double count, const rd_tensor *rows);
/* A 0-d result, sum / div; 0 where div is 0. */
rd_status rdc_loss_scalar(rd_core *core, double sum, double div, rd_tensor **out, rd_error *err);
/* t itself (retained) where it is packed and lies like `like`, else a copy on the tape. */
rd_status rdc_loss_operand(rd_tensor *t, const rd_tensor *like, rd_tensor **out, rd_error *err);
/* The weights spread over the shape and order of `like`, or NULL where none are given. `what` begins the
 * message about shapes that do not go together. */
rd_status rdc_loss_weights(rd_tensor *weight, const rd_tensor *like, const char *what,
                           rd_tensor **out, rd_error *err);
#endif
