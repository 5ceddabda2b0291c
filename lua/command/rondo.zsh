#compdef rondo
# rondo.zsh - what zsh completes after `rondo`. Made by scripts/generate_reference.lua. SPDX-License-Identifier: MIT

# Checkpoints, run folders, and folders on the way to them.
_rondo_runs() {
    _files -g '*.h5' || _files -/
}

_rondo() {
    local curcontext=$curcontext state line
    local -a commands
    commands=(
        'run:run a Lua script with require "rondo"'
        'train:train the recipe for this kind of file'
        'plan:what memory a script'\''s training takes, and how little would do'
        'sample:write text from a trained model'
        'forecast:what comes behind the last row of a table'
        'evaluate:how likely a model finds a text, how good forecasts are'
        'plot:curves of runs, also of those being trained; in the terminal without -o'
        'diagnose:how far back the gradient of a model reaches'
        'bptt:backpropagation through time on three steps, with every number'
        'replay:the update that was not finite once more\: what came first'
        'report:one HTML file\: curves, options, samples, forecasts, a sweep'\''s table'
        'watch:a training as a screen in the terminal, drawn anew each second'
        'verify:stretches of a training once more\: the same bits, or what differs'
        'info:what is in a checkpoint'
        'data:data sets to train on\: what there is, and the path of one'
        'bench:how fast it is here, and what that is of the machine'
        'sweep:many settings of a script'\''s options, and which is best'
        'runs:the ledger of runs, asked by options and figures'
        'race:cells on the classic tasks, of equal size\: tables'
        'check:does a plugin keep the rules\: gradients, bits, memory and all'
        'plugins:what plugins were found and refused, and why'
        'new-cell:write a folder with a cell that works, to be edited'
        'new-kernel:the same with a backend of matrix products'
        'new-layer:the same with a layer that computes whole sequences'
        'compile-cell:the C source of a cell that is written as equations'
        'env:shell lines that make this rondo the one that is found'
        'help:this, or the options of a command, layer, cell, optimizer, loss'
    )
    _arguments -C '(-h --help)'{-h,--help}'[show this and end]' '--version[show which rondo this is]' \
        '1:command:->command' '*::argument:->argument' && return
    case $state in
    command) _describe command commands ;;
    argument)
        case $words[1] in
        run)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '--traceback[show where in the code an error was raised]' \
                '1:script:_files -g '\''*.lua'\''' \
                '*::argument:_files'
            ;;
        train)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '--accumulate=[batches of one update (default 1)]:n: ' \
                '--alpha=[decay of rmsprop (default 0.99)]:x: ' \
                '--batch-size=[stretches of the text side by side (default 32)]:n: ' \
                '--bias=[bias vectors of a line (default "one")]:text:(none one two)' \
                '--carry-over[keep the state from epoch to epoch]' \
                '--cell=[recurrent cell (default "lstm")]:text:(gru indrnn lmu lstm mgu mingru minlstm mul_lstm rhn slstm sru vanilla)' \
                '--cell-option=[option of the cell, as reset=before; `rondo help CELL` lists them (may be repeated)]:text: ' \
                '--clip-norm=[largest norm of all gradients; 0\: off (default 5)]:x: ' \
                '--clip-value=[largest size of one gradient; 0\: off (default 0)]:x: ' \
                '--data=[text file; without it the King James Bible]:text:_files' \
                '--dropout=[between layers and before the output (default 0.3)]:x: ' \
                '--ema=[decay of averaged weights, as 0.999; 0\: off (default 0.999)]:x: ' \
                '--embedding-dim=[with --input embedding (default 64)]:n: ' \
                '--epochs=[passes over the data (default 20)]:n: ' \
                '--hidden-size=[width of the state (default 256)]:n: ' \
                '--init-scale=[initial values uniform within +-this; 0\: each layer'\''s own (default 0)]:x: ' \
                '--input=[how a symbol enters; auto\: words and pieces by embedding, others one-hot (default "auto")]:text:(auto onehot embedding)' \
                '--json[end with one JSON object on stdout\: steps, best validation, n-grams, sample]' \
                '--level=[what a symbol is (default "char")]:text:(char byte word bpe)' \
                '--loss=[reduction; batch\: sum over time, mean over rows (default "mean")]:text:(mean sum batch)' \
                '--lowercase[read letters as small ones]' \
                '--lr=[learning rate (default 0.003)]:x: ' \
                '--lr-decay=[factor of lr for each epoch after --lr-decay-after (default 0.85)]:x: ' \
                '--lr-decay-after=[epochs at the full rate (default 8)]:n: ' \
                '--min-count=[rarer symbols have no id of their own (default 1)]:n: ' \
                '--ngrams=[largest n of the n-grams; 0\: none (default 5)]:n: ' \
                '--num-layers=[recurrent layers (default 2)]:n: ' \
                '--optimizer=[optimizer (default "adam")]:text:(sgd asgd rmsprop adam adamw nadam adagrad adadelta lion)' \
                '--patience=[epochs without a better validation before it stops; 0\: never (default 3)]:n: ' \
                '--prompt=[what the samples go on from (default "")]:text: ' \
                '--punctuation[level word\: punctuation marks are words of their own]' \
                '--run-dir=[run folder (default runs/<name of the text>); none\: keep nothing]:text:_rondo_runs' \
                '--sample-length=[symbols of the samples; 0\: none (default 300)]:n: ' \
                '--seq-len=[steps of truncated backpropagation (default 100)]:n: ' \
                '--tied[the output shares the embedding'\''s matrix; --embedding-dim must be --hidden-size]' \
                '--train-share=[first part of the text, to train on; the rest validates (default 0.9)]:x: ' \
                '--unit=[what is read from a fresh state; documents are parted by blank lines (default "stream")]:text:(stream line document)' \
                '--valid=[text file to validate on, in place of the last part of the text]:text: ' \
                '--vocab-size=[ids in all\: of bpe 256 bytes and what is merged (0\: 1000), of others the most frequent symbols (0\: all) (default 0)]:n: ' \
                '--weight-decay=[of all but biases; else the optimizer'\''s own]:x: ' \
                '--seed=[seed of initial values, dropout and shuffling (default 1)]:n: ' \
                '--threads=[worker threads; 0\: one per CPU]:n: ' \
                '--kernel=[use only this kernel backend (and scalar)]:text: ' \
                '--precision=[numbers that enter the products of layers (default "float32")]:text:(float32 bf16)' \
                '--resume[go on from the run folder'\''s last checkpoint]' \
                '--overwrite[start anew in a used run folder]' \
                '--init-from=[take the weights of a run folder or checkpoint]:text:_rondo_runs' \
                '--plugin=[load a plugin, or a Lua file of cells (may be repeated)]:text:_files -g '\''*.so'\''' \
                '--max-steps=[stop after so many updates]:n: ' \
                '--pause-at=[stop with a checkpoint after so many updates, as a signal does]:n: ' \
                '--bptt=[35 or 35,70\: steps between updates, and steps back; full\: whole batches]:text: ' \
                '--memory=[64MB\: what numbers may take; long sequences are cut into segments]:text: ' \
                '--log-every=[updates between two lines of figures (default 100)]:n: ' \
                '--eval-every=[updates between validations; 0\: each epoch (default 0)]:n: ' \
                '--save-every=[updates between checkpoints; 0\: each epoch (default 0)]:n: ' \
                '--on-nonfinite=[where a number is not finite\: end, or back to the last checkpoint with a lower rate (default "stop")]:text:(stop rollback)' \
                '--diagnose-every=[updates between two looks at the gradients, or auto]:text: ' \
                '--keep=[checkpoints that stay, the newest, beside the best (default 3)]:n: ' \
                '--keep-every=[updates between checkpoints that stay for ever, beside these; 0\: none (default 0)]:n: ' \
                '--tensorboard[figures for TensorBoard too, as event files in the run folder]' \
                '--progress=[how progress is shown (default "auto")]:text:(auto bar lines none)' \
                '--color=[colour on the terminal (default "auto")]:text:(auto always never)' \
                '--quiet[show nothing but results]' \
                '--config=[a Lua file that returns a table of options, or a run'\''s config.json]:text:_files -g '\''*.lua'\''' \
                '1:file:_files'
            ;;
        plan)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '1:subject:_files -g '\''*.lua'\''' \
                '*::argument:_files'
            ;;
        sample)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '--prompt=[text to go on from; - reads it from stdin]:text: ' \
                '--prompts-from=[a file with a prompt on each line; - is stdin]:file: ' \
                '--length=[symbols to write (default 400)]:n: ' \
                '--stop=[end before this text (may be repeated)]:text: ' \
                '--count=[texts to write for each prompt (default 1)]:n: ' \
                '--temperature=[below 1 safer, above 1 wilder; 0 is greedy (default 1)]:x: ' \
                '--top-k=[only the n likeliest symbols; 0\: all]:n: ' \
                '--typical-p=[only this share, the nearest to the expected surprise]:x: ' \
                '--top-p=[only the likeliest symbols that hold this share]:x: ' \
                '--min-p=[only what has this share of the likeliest'\''s probability]:x: ' \
                '--greedy[always the likeliest symbol]' \
                '--repetition-penalty=[above 1\: what has occurred is less likely]:x: ' \
                '--repetition-window=[symbols that the penalty looks back; 0\: all]:n: ' \
                '--logit-bias=[SYMBOL=NUMBER, added to its logit; =-inf\: never (may be repeated)]:s=x: ' \
                '--allow=[write these symbols only]:text: ' \
                '--beam=[search the likeliest text, n hypotheses wide; --count of them]:n: ' \
                '--length-penalty=[with --beam\: score is log p / length^x (default 1)]:x: ' \
                '--seed=[drawn and printed when not given]:n: ' \
                '--threads=[worker threads; 0\: one per CPU]:n: ' \
                '--precision=[numbers that enter the products of layers\: float32, bf16, or int8 in recurrent layers]:name:(float32 bf16 int8)' \
                '--no-echo[do not begin with the prompt]' \
                '--json[one JSON object a text\: prompt, text, seed, sample]' \
                '--quiet[print nothing but the text]' \
                '--plugin=[load a plugin, or a Lua file of cells, first (may be repeated)]:FILE:_files -g '\''*.so'\''' \
                '1:run:_rondo_runs'
            ;;
        forecast)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '--data=[CSV or HDF5 file with the columns that the run was trained on]:FILE:_files' \
                '--horizon=[steps ahead (default\: as trained; more needs form recursive or seq2seq)]:n: ' \
                '-o[a picture\: x.svg or x.png]:FILE:_files' \
                '--output=[a picture\: x.svg or x.png]:FILE:_files' \
                '--plot[a picture in the terminal, in place of the CSV]' \
                '--quantiles=[level that is taken of sampled paths (may be repeated; default 0.1, 0.5, 0.9)]:q: ' \
                '--paths=[futures that are sampled of distributions (default 200)]:n: ' \
                '--seed=[of the paths]:n: ' \
                '--threads=[worker threads; 0\: one per CPU]:n: ' \
                '--json[one JSON object for each series and target in place of the CSV]' \
                '--plugin=[load a plugin, or a Lua file of cells, first (may be repeated)]:FILE:_files -g '\''*.so'\''' \
                '*:run:_rondo_runs'
            ;;
        evaluate)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '--per-line[of a text also the figures of each line (of documents\: of each document)]' \
                '--unit=[of a text\: stream, line or document, what is read from a fresh state]:unit:(stream line document)' \
                '--threads=[worker threads; 0\: one per CPU]:n: ' \
                '--precision=[numbers that enter the products of layers\: float32, bf16, or int8 in recurrent layers]:name:(float32 bf16 int8)' \
                '--test=[of a series the rows at its end that are evaluated\: a share below 1, or so many; default\: as for the run'\''s own test]:x: ' \
                '--metric=[of a series, what decides\: rmse, mae, mase or pinball]:name:(rmse mae mase pinball)' \
                '--paths=[of a series\: futures that are sampled of distributions (default 200)]:n: ' \
                '--require-skill[of a series\: status 5 where the best baseline is not beaten by more than the spread]' \
                '--json[one JSON object; with --per-line one for each line before it]' \
                '--plugin=[load a plugin, or a Lua file of cells, first (may be repeated)]:FILE:_files -g '\''*.so'\''' \
                '1:run:_rondo_runs' \
                '2:file:_files'
            ;;
        plot)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '-o[the picture\: x.svg or x.png]:FILE:_files' \
                '--output=[the picture\: x.svg or x.png]:FILE:_files' \
                '--metric=[figures by name, separated by commas; default loss,val_loss]:names: ' \
                '--over=[what they are drawn over\: step, epoch or time]:what:(step epoch time)' \
                '--log-x[a logarithmic axis of steps]' \
                '--log-y[a logarithmic axis of figures]' \
                '--smooth=[running mean of training figures\: 0 as they are, 0.9 smooth]:x: ' \
                '--width=[of the picture, in pixels or in columns of the terminal]:n: ' \
                '--height=[of the picture, in pixels or in lines of the terminal]:n: ' \
                '*:run:_rondo_runs'
            ;;
        diagnose)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '--rows=[rows of the batch]:n: ' \
                '--steps=[steps of the batch]:n: ' \
                '--lags=[most loss times whose gradient is looked at by lag]:n: ' \
                '--exact[norms of ds(T)/ds(k) by all rows of the Jacobian, not by 8 random vectors]' \
                '-o[a picture, x.svg or x.png; - is the terminal]:FILE:_files' \
                '--output=[a picture, x.svg or x.png; - is the terminal]:FILE:_files' \
                '--json[one JSON object]' \
                '--threads=[worker threads; 0\: one per CPU]:n: ' \
                '--plugin=[load a plugin, or a Lua file of cells, first (may be repeated)]:FILE:_files -g '\''*.so'\''' \
                '1:run:_rondo_runs' \
                '2::data:_files'
            ;;
        bptt)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '--explain[the page of text]' \
                '--dot[the graph alone, for graphviz\: rondo bptt --dot | dot -Tsvg > bptt.svg]' \
                '--steps=[how many]:n: ' \
                '--activation=[what makes the state\: sigmoid, tanh or identity]:name:(sigmoid tanh identity)'
            ;;
        replay)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '--threads=[worker threads; 0\: one per CPU]:n: ' \
                '--json[one JSON object]' \
                '--plugin=[load a plugin, or a Lua file of cells, first (may be repeated)]:FILE:_files -g '\''*.so'\''' \
                '1:capsule:_files'
            ;;
        report)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '-o[the file; default report.html in the folder, of several runs here]:FILE:_files' \
                '--output=[the file; default report.html in the folder, of several runs here]:FILE:_files' \
                '--title=[above the page]:text: ' \
                '*:run:_rondo_runs'
            ;;
        watch)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '--interval=[seconds between two looks]:x: ' \
                '--color=[colour on the terminal\: auto, always or never]:text:(auto always never)' \
                '*:run:_rondo_runs'
            ;;
        verify)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '--stretches=[how many, at random (default 3)]:n: ' \
                '--seed=[of the choice (default 1)]:n: ' \
                '--threads=[for the runs; bits do not depend on it (default\: as the run had)]:n: ' \
                '1:run:_rondo_runs'
            ;;
        info)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '--json[one JSON object, with file_digest and state_digest]' \
                '--last[of a run folder the last checkpoint, not the best]' \
                '--plugin=[load a plugin, or a Lua file of cells, first (may be repeated)]:FILE:_files -g '\''*.so'\''' \
                '1:path:_rondo_runs'
            ;;
        data)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '--catalog=[another catalog file]:FILE:_files -g '\''*.lua'\''' \
                '--json[list\: everything that is known, as JSON; get\: a list of paths]' \
                '1:what:(list get)' \
                '2::name:(kjv tinyshakespeare names wikitext2_1m wikitext2_eval airline sunspots nottem co2 lynx temps weather_jfk weather_seattle eustockmarkets sp500 exchange_rate iris banknote uci_amazon uci_imdb uci_yelp wnut17 snips babi jsb basic_motions gunpoint pickup_gesture japanese_vowels pendigits optdigits mnist_1000)' \
                '3::part: '
            ;;
        bench)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '--task=[train, infer or sample (a symbol, drawn); b1 without it\: infer and sample]:task:(train infer sample)' \
                '--cell=[only this cell]:name: ' \
                '--hidden-size=[width of the state, in place of the shape'\''s]:n: ' \
                '--batch-size=[rows of a batch]:n: ' \
                '--seq-len=[steps of a sequence]:n: ' \
                '--num-layers=[recurrent layers]:n: ' \
                '--threads=[worker threads; 0\: one per CPU]:n: ' \
                '--kernel=[use only this kernel backend (and scalar)]:text: ' \
                '--seconds=[how long each case is measured (default 2)]:x: ' \
                '--profile[also what the time goes into, by kind of work]' \
                '--json[one JSON object for each case]' \
                '--plugin=[load a plugin, or a Lua file of cells, first (may be repeated)]:FILE:_files -g '\''*.so'\''' \
                '1::subject:(charnn char512 tftext series b1 gru indrnn lmu lstm mgu mingru minlstm mul_lstm rhn slstm sru vanilla)'
            ;;
        sweep)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '--search=[grid\: every setting; random\: draws; halving\: draws, the worst of which are paused at rungs, while the best go on to --max-steps]:how:(grid random halving)' \
                '--trials=[how many settings]:n: ' \
                '--seeds=[runs of each, with the script'\''s --seed 1, 2, ...; the table has mean and deviation]:n: ' \
                '--seed=[seed of the draws]:n: ' \
                '--jobs=[runs at a time, which share the threads]:n: ' \
                '--threads=[threads in all; one per CPU without it]:n: ' \
                '--monitor=[the figure to compare by]:name: ' \
                '--mode=[which way is better]:way:(min max)' \
                '--factor=[halving\: one of so many goes on]:n: ' \
                '--out=[folder of the sweep (default runs/sweep)]:folder: ' \
                '--set=[an option of the script that has the name of one of these (may be repeated)]:name=values: ' \
                '--submit=[slurm\: a job array, trial i is task i; parallel\: print the line for GNU parallel]:where:(local slurm parallel)' \
                '--sbatch=[an option for sbatch, as --sbatch=--time=2\:00\:00 (may be repeated)]:option: ' \
                '--trial=[run this trial alone\: what a task of a job array does]:i: ' \
                '--progress=[how progress is shown]:how:(auto bar lines none)' \
                '--report[run nothing; the table, and report.html, of what is there]' \
                '--overwrite[start anew in the folder of another sweep]' \
                '--json[a JSON object for each trial in place of the table]' \
                '--quiet[say nothing but what failed]' \
                '1:script:_files -g '\''*.lua'\'''
            ;;
        runs)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '--where=[the condition]:condition: ' \
                '--sort=[order by this column, the least first; runs without it come last]:column: ' \
                '--descending[the greatest first]' \
                '--limit=[so many at most]:n: ' \
                '--show=[columns to show besides, with commas between]:columns: ' \
                '--json[a JSON object for each run, with all that is known]' \
                '--rescan=[first enter all runs below a folder, and forget those that are gone (may be repeated)]:folder: '
            ;;
        race)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '--tasks=[of adding, copy, parity, jsb, text, with commas between]:list: ' \
                '--match=[params\: each cell as wide as brings its model'\''s trained parameters nearest to those of an LSTM of width 32; width\: 32 for every cell]:what:(params width)' \
                '--seeds=[runs of each cell on each task]:n: ' \
                '--seed=[seed of the first; the others follow]:n: ' \
                '--budget=[time of the whole race, as 90s, 10min, 2h, which its runs share equally; or updates of each run, as 2000updates]:text: ' \
                '--data=[the text of task text; without it the King James Bible, where it is]:file:_files' \
                '--run-dir=[folder of the race]:folder:_rondo_runs' \
                '--overwrite[start anew in the folder of another race]' \
                '--into=[also put the tables into a file, between its lines '\''race\: begin'\'' and '\''race\: end'\'']:file:_files' \
                '--threads=[worker threads; 0\: one per CPU]:n: ' \
                '--json[JSON lines in place of tables\: a run each, then a cell on a task each]' \
                '--quiet[say nothing while it runs]' \
                '--plugin=[load a plugin, or a Lua file of cells, first (may be repeated)]:FILE:_files -g '\''*.so'\''' \
                '*:cell:(gru indrnn lmu lstm mgu mingru minlstm mul_lstm rhn slstm sru vanilla)'
            ;;
        check)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '--double=[the plugin FILE.so as built with -DRD_REAL_DOUBLE]:file: ' \
                '--only=[only the rules of this number, as C4 (may be repeated)]:rule: ' \
                '--time-limit=[seconds that one rule may take]:x: ' \
                '--json[one JSON object\: files with their results, and counts]' \
                '*:file:_files'
            ;;
        plugins)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '--json[one JSON object\: plugins, kernels, searched]' \
                '*:file:{compadd install remove; _files -g '\''*.so'\''}'
            ;;
        new-cell)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '1:name:(kjv tinyshakespeare names wikitext2_1m wikitext2_eval airline sunspots nottem co2 lynx temps weather_jfk weather_seattle eustockmarkets sp500 exchange_rate iris banknote uci_amazon uci_imdb uci_yelp wnut17 snips babi jsb basic_motions gunpoint pickup_gesture japanese_vowels pendigits optdigits mnist_1000)'
            ;;
        new-kernel)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '1:name:(kjv tinyshakespeare names wikitext2_1m wikitext2_eval airline sunspots nottem co2 lynx temps weather_jfk weather_seattle eustockmarkets sp500 exchange_rate iris banknote uci_amazon uci_imdb uci_yelp wnut17 snips babi jsb basic_motions gunpoint pickup_gesture japanese_vowels pendigits optdigits mnist_1000)'
            ;;
        new-layer)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '1:name:(kjv tinyshakespeare names wikitext2_1m wikitext2_eval airline sunspots nottem co2 lynx temps weather_jfk weather_seattle eustockmarkets sp500 exchange_rate iris banknote uci_amazon uci_imdb uci_yelp wnut17 snips babi jsb basic_motions gunpoint pickup_gesture japanese_vowels pendigits optdigits mnist_1000)'
            ;;
        compile-cell)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '-o[the source to write, where the script has one cell]:FILE.c:_files' \
                '--output=[the source to write, where the script has one cell]:FILE.c:_files' \
                '--no-check[leave the rules of rondo check out]' \
                '1:file:_files'
            ;;
        env)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]'
            ;;
        help)
            _arguments \
                '-h[show this and end]' \
                '--help[show this and end]' \
                '--plugin=[load a plugin, or a Lua file of cells, first (may be repeated)]:FILE:_files -g '\''*.so'\''' \
                '1::topic:(run train plan sample forecast evaluate plot diagnose bptt replay report watch verify info data bench sweep runs race check plugins new-cell new-kernel new-layer compile-cell env help ActivityRegularization Bidirectional Dropout Embedding Forecaster Highway Layer LayerNorm Linear OneHot Pool Repeat Residual TimeDistributed RNN VanillaRNN LSTM GRU cell Function gru indrnn lmu lstm mgu mingru minlstm mul_lstm rhn slstm sru vanilla BCEWithLogitsLoss CosineLoss CrossEntropyLoss GaussianLoss HuberLoss L1Loss MSELoss NegativeBinomialLoss QuantileLoss StudentTLoss ASGD Adadelta Adagrad Adam AdamW ConstantLR CosineLR ExponentialLR Lion NAdam OneCycleLR RMSprop SGD StepLR Checkpoint Diagnose EarlyStopping ReduceLROnPlateau Sample Trainer Sweep Sweep.run generate complete SpanF1 Text.open Tokenizer Batches Table.open Series.from_csv Series.from_hdf5 BoxCoxScaler ChainScaler ColumnScaler DifferenceScaler LogScaler MeanScaler MinMaxScaler RobustScaler StandardScaler windows Conll.open Vocab.from sequences Adding CopyMemory FirstSymbol Parity AR Drift FeedForward HoltWinters Persistence SeasonalNaive SeasonalNaiveGrowth all compare rolling_origin)'
            ;;
        esac
        ;;
    esac
}

_rondo "$@"
