-- char_rnn.lua - options of text_generation.lua that make it char-rnn's recipe (Karpathy 2015), to the letter.
-- SPDX-License-Identifier: MIT
return {
  input = "onehot", cell = "lstm", hidden_size = 128, num_layers = 2, bias = "two", init_scale = 0.08,
  seq_len = 50, batch_size = 50, carry_over = true, loss = "batch", optimizer = "rmsprop", alpha = 0.95, lr = 2e-3,
  lr_decay = 0.97, lr_decay_after = 10, clip_norm = 0, clip_value = 5, dropout = 0, ema = 0,
  epochs = 50, patience = 0,
}
