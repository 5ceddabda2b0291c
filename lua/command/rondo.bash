# rondo.bash - what bash completes after `rondo`. Made by scripts/generate_reference.lua. SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Files that end in $1 (a pattern), and folders on the way.
_rondo_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -d -- "$cur"; compgen -f -X "!$1" -- "$cur")
}

# Run folders: those with checkpoints; folders without are ways to them where there is no better.
_rondo_runs() {
    local folder
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(
        compgen -f -X '!*.h5' -- "$cur"
        compgen -d -- "$cur" | while IFS= read -r folder; do
            [ -d "$folder/checkpoints" ] && printf '%s\n' "$folder"
        done
    )
    [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -d -- "$cur")
}

_rondo_words() {
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

_rondo() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command='' place=0 options='' i
    COMPREPLY=()
    if [ "$cur" = = ]; then # --option=value is three words
        cur=
    elif [ "$prev" = = ]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -* | =) ;;
        *)
            if [ -z "$command" ]; then
                command=${COMP_WORDS[i]}
            elif [[ ${COMP_WORDS[i - 1]} != -* ]]; then
                place=$((place + 1))
            fi
            ;;
        esac
    done
    case $command in
    run)
        options='-h --help --traceback'
        case $cur$place in
        -*) ;;
        *0) _rondo_files '*.lua' ;;
        esac
        ;;
    train)
        options='-h --help --accumulate --alpha --batch-size --bias --carry-over --cell --cell-option --clip-norm --clip-value --data --dropout --ema --embedding-dim --epochs --hidden-size --init-scale --input --json --level --loss --lowercase --lr --lr-decay --lr-decay-after --min-count --ngrams --num-layers --optimizer --patience --prompt --punctuation --run-dir --sample-length --seq-len --tied --train-share --unit --valid --vocab-size --weight-decay --seed --threads --kernel --precision --resume --overwrite --init-from --plugin --max-steps --pause-at --bptt --memory --log-every --eval-every --save-every --on-nonfinite --diagnose-every --keep --keep-every --tensorboard --progress --color --quiet --config'
        case $prev in
        --bias) _rondo_words 'none one two'; return ;;
        --cell) _rondo_words 'gru indrnn lmu lstm mgu mingru minlstm mul_lstm rhn slstm sru vanilla'; return ;;
        --data) _rondo_files '*'; return ;;
        --input) _rondo_words 'auto onehot embedding'; return ;;
        --level) _rondo_words 'char byte word bpe'; return ;;
        --loss) _rondo_words 'mean sum batch'; return ;;
        --optimizer) _rondo_words 'sgd asgd rmsprop adam adamw nadam adagrad adadelta lion'; return ;;
        --run-dir) _rondo_runs; return ;;
        --unit) _rondo_words 'stream line document'; return ;;
        --precision) _rondo_words 'float32 bf16'; return ;;
        --init-from) _rondo_runs; return ;;
        --plugin) _rondo_files '*.so'; return ;;
        --on-nonfinite) _rondo_words 'stop rollback'; return ;;
        --progress) _rondo_words 'auto bar lines none'; return ;;
        --color) _rondo_words 'auto always never'; return ;;
        --config) _rondo_files '*.lua'; return ;;
        --accumulate | --alpha | --batch-size | --cell-option | --clip-norm | --clip-value | --dropout | --ema | --embedding-dim | --epochs | --hidden-size | --init-scale | --lr | --lr-decay | --lr-decay-after | --min-count | --ngrams | --num-layers | --patience | --prompt | --sample-length | --seq-len | --train-share | --valid | --vocab-size | --weight-decay | --seed | --threads | --kernel | --max-steps | --pause-at | --bptt | --memory | --log-every | --eval-every | --save-every | --diagnose-every | --keep | --keep-every) return ;;
        esac
        case $cur$place in
        -*) ;;
        *0) _rondo_files '*' ;;
        esac
        ;;
    plan)
        options='-h --help'
        case $cur$place in
        -*) ;;
        *0) _rondo_files '*.lua' ;;
        esac
        ;;
    sample)
        options='-h --help --prompt --prompts-from --length --stop --count --temperature --top-k --typical-p --top-p --min-p --greedy --repetition-penalty --repetition-window --logit-bias --allow --beam --length-penalty --seed --threads --precision --no-echo --json --quiet --plugin'
        case $prev in
        --precision) _rondo_words 'float32 bf16 int8'; return ;;
        --plugin) _rondo_files '*.so'; return ;;
        --prompt | --prompts-from | --length | --stop | --count | --temperature | --top-k | --typical-p | --top-p | --min-p | --repetition-penalty | --repetition-window | --logit-bias | --allow | --beam | --length-penalty | --seed | --threads) return ;;
        esac
        case $cur$place in
        -*) ;;
        *0) _rondo_runs ;;
        esac
        ;;
    forecast)
        options='-h --help --data --horizon -o --output --plot --quantiles --paths --seed --threads --json --plugin'
        case $prev in
        --data) _rondo_files '*'; return ;;
        -o | --output) _rondo_files '*'; return ;;
        --plugin) _rondo_files '*.so'; return ;;
        --horizon | --quantiles | --paths | --seed | --threads) return ;;
        esac
        case $cur$place in
        -*) ;;
        *) _rondo_runs ;;
        esac
        ;;
    evaluate)
        options='-h --help --per-line --unit --threads --precision --test --metric --paths --require-skill --json --plugin'
        case $prev in
        --unit) _rondo_words 'stream line document'; return ;;
        --precision) _rondo_words 'float32 bf16 int8'; return ;;
        --metric) _rondo_words 'rmse mae mase pinball'; return ;;
        --plugin) _rondo_files '*.so'; return ;;
        --threads | --test | --paths) return ;;
        esac
        case $cur$place in
        -*) ;;
        *0) _rondo_runs ;;
        *1) _rondo_files '*' ;;
        esac
        ;;
    plot)
        options='-h --help -o --output --metric --over --log-x --log-y --smooth --width --height'
        case $prev in
        -o | --output) _rondo_files '*'; return ;;
        --over) _rondo_words 'step epoch time'; return ;;
        --metric | --smooth | --width | --height) return ;;
        esac
        case $cur$place in
        -*) ;;
        *) _rondo_runs ;;
        esac
        ;;
    diagnose)
        options='-h --help --rows --steps --lags --exact -o --output --json --threads --plugin'
        case $prev in
        -o | --output) _rondo_files '*'; return ;;
        --plugin) _rondo_files '*.so'; return ;;
        --rows | --steps | --lags | --threads) return ;;
        esac
        case $cur$place in
        -*) ;;
        *0) _rondo_runs ;;
        *1) _rondo_files '*' ;;
        esac
        ;;
    bptt)
        options='-h --help --explain --dot --steps --activation'
        case $prev in
        --activation) _rondo_words 'sigmoid tanh identity'; return ;;
        --steps) return ;;
        esac
        ;;
    replay)
        options='-h --help --threads --json --plugin'
        case $prev in
        --plugin) _rondo_files '*.so'; return ;;
        --threads) return ;;
        esac
        case $cur$place in
        -*) ;;
        *0) _rondo_files '*' ;;
        esac
        ;;
    report)
        options='-h --help -o --output --title'
        case $prev in
        -o | --output) _rondo_files '*'; return ;;
        --title) return ;;
        esac
        case $cur$place in
        -*) ;;
        *) _rondo_runs ;;
        esac
        ;;
    watch)
        options='-h --help --interval --color'
        case $prev in
        --color) _rondo_words 'auto always never'; return ;;
        --interval) return ;;
        esac
        case $cur$place in
        -*) ;;
        *) _rondo_runs ;;
        esac
        ;;
    verify)
        options='-h --help --stretches --seed --threads'
        case $prev in
        --stretches | --seed | --threads) return ;;
        esac
        case $cur$place in
        -*) ;;
        *0) _rondo_runs ;;
        esac
        ;;
    info)
        options='-h --help --json --last --plugin'
        case $prev in
        --plugin) _rondo_files '*.so'; return ;;
        esac
        case $cur$place in
        -*) ;;
        *0) _rondo_runs ;;
        esac
        ;;
    data)
        options='-h --help --catalog --json'
        case $prev in
        --catalog) _rondo_files '*.lua'; return ;;
        esac
        case $cur$place in
        -*) ;;
        *0) _rondo_words 'list get' ;;
        *1) _rondo_words 'kjv tinyshakespeare names wikitext2_1m wikitext2_eval airline sunspots nottem co2 lynx temps weather_jfk weather_seattle eustockmarkets sp500 exchange_rate iris banknote uci_amazon uci_imdb uci_yelp wnut17 snips babi jsb basic_motions gunpoint pickup_gesture japanese_vowels pendigits optdigits mnist_1000' ;;
        *2) : ;;
        esac
        ;;
    bench)
        options='-h --help --task --cell --hidden-size --batch-size --seq-len --num-layers --threads --kernel --seconds --profile --json --plugin'
        case $prev in
        --task) _rondo_words 'train infer sample'; return ;;
        --plugin) _rondo_files '*.so'; return ;;
        --cell | --hidden-size | --batch-size | --seq-len | --num-layers | --threads | --kernel | --seconds) return ;;
        esac
        case $cur$place in
        -*) ;;
        *0) _rondo_words 'charnn char512 tftext series b1 gru indrnn lmu lstm mgu mingru minlstm mul_lstm rhn slstm sru vanilla' ;;
        esac
        ;;
    sweep)
        options='-h --help --search --trials --seeds --seed --jobs --threads --monitor --mode --factor --out --set --submit --sbatch --trial --progress --report --overwrite --json --quiet'
        case $prev in
        --search) _rondo_words 'grid random halving'; return ;;
        --mode) _rondo_words 'min max'; return ;;
        --submit) _rondo_words 'local slurm parallel'; return ;;
        --progress) _rondo_words 'auto bar lines none'; return ;;
        --trials | --seeds | --seed | --jobs | --threads | --monitor | --factor | --out | --set | --sbatch | --trial) return ;;
        esac
        case $cur$place in
        -*) ;;
        *0) _rondo_files '*.lua' ;;
        esac
        ;;
    runs)
        options='-h --help --where --sort --descending --limit --show --json --rescan'
        case $prev in
        --where | --sort | --limit | --show | --rescan) return ;;
        esac
        ;;
    race)
        options='-h --help --tasks --match --seeds --seed --budget --data --run-dir --overwrite --into --threads --json --quiet --plugin'
        case $prev in
        --match) _rondo_words 'params width'; return ;;
        --data) _rondo_files '*'; return ;;
        --run-dir) _rondo_runs; return ;;
        --into) _rondo_files '*'; return ;;
        --plugin) _rondo_files '*.so'; return ;;
        --tasks | --seeds | --seed | --budget | --threads) return ;;
        esac
        case $cur$place in
        -*) ;;
        *) _rondo_words 'gru indrnn lmu lstm mgu mingru minlstm mul_lstm rhn slstm sru vanilla' ;;
        esac
        ;;
    check)
        options='-h --help --double --only --time-limit --json'
        case $prev in
        --double | --only | --time-limit) return ;;
        esac
        case $cur$place in
        -*) ;;
        *) _rondo_files '*' ;;
        esac
        ;;
    plugins)
        options='-h --help --json'
        case $cur$place in
        -*) ;;
        *) _rondo_files '*.so'; COMPREPLY+=($(compgen -W 'install remove' -- "$cur")) ;;
        esac
        ;;
    new-cell)
        options='-h --help'
        case $cur$place in
        -*) ;;
        *0) _rondo_words 'kjv tinyshakespeare names wikitext2_1m wikitext2_eval airline sunspots nottem co2 lynx temps weather_jfk weather_seattle eustockmarkets sp500 exchange_rate iris banknote uci_amazon uci_imdb uci_yelp wnut17 snips babi jsb basic_motions gunpoint pickup_gesture japanese_vowels pendigits optdigits mnist_1000' ;;
        esac
        ;;
    new-kernel)
        options='-h --help'
        case $cur$place in
        -*) ;;
        *0) _rondo_words 'kjv tinyshakespeare names wikitext2_1m wikitext2_eval airline sunspots nottem co2 lynx temps weather_jfk weather_seattle eustockmarkets sp500 exchange_rate iris banknote uci_amazon uci_imdb uci_yelp wnut17 snips babi jsb basic_motions gunpoint pickup_gesture japanese_vowels pendigits optdigits mnist_1000' ;;
        esac
        ;;
    new-layer)
        options='-h --help'
        case $cur$place in
        -*) ;;
        *0) _rondo_words 'kjv tinyshakespeare names wikitext2_1m wikitext2_eval airline sunspots nottem co2 lynx temps weather_jfk weather_seattle eustockmarkets sp500 exchange_rate iris banknote uci_amazon uci_imdb uci_yelp wnut17 snips babi jsb basic_motions gunpoint pickup_gesture japanese_vowels pendigits optdigits mnist_1000' ;;
        esac
        ;;
    compile-cell)
        options='-h --help -o --output --no-check'
        case $prev in
        -o | --output) _rondo_files '*'; return ;;
        esac
        case $cur$place in
        -*) ;;
        *0) _rondo_files '*' ;;
        esac
        ;;
    env)
        options='-h --help'
        ;;
    help)
        options='-h --help --plugin'
        case $prev in
        --plugin) _rondo_files '*.so'; return ;;
        esac
        case $cur$place in
        -*) ;;
        *0) _rondo_words 'run train plan sample forecast evaluate plot diagnose bptt replay report watch verify info data bench sweep runs race check plugins new-cell new-kernel new-layer compile-cell env help ActivityRegularization Bidirectional Dropout Embedding Forecaster Highway Layer LayerNorm Linear OneHot Pool Repeat Residual TimeDistributed RNN VanillaRNN LSTM GRU cell Function gru indrnn lmu lstm mgu mingru minlstm mul_lstm rhn slstm sru vanilla BCEWithLogitsLoss CosineLoss CrossEntropyLoss GaussianLoss HuberLoss L1Loss MSELoss NegativeBinomialLoss QuantileLoss StudentTLoss ASGD Adadelta Adagrad Adam AdamW ConstantLR CosineLR ExponentialLR Lion NAdam OneCycleLR RMSprop SGD StepLR Checkpoint Diagnose EarlyStopping ReduceLROnPlateau Sample Trainer Sweep Sweep.run generate complete SpanF1 Text.open Tokenizer Batches Table.open Series.from_csv Series.from_hdf5 BoxCoxScaler ChainScaler ColumnScaler DifferenceScaler LogScaler MeanScaler MinMaxScaler RobustScaler StandardScaler windows Conll.open Vocab.from sequences Adding CopyMemory FirstSymbol Parity AR Drift FeedForward HoltWinters Persistence SeasonalNaive SeasonalNaiveGrowth all compare rolling_origin' ;;
        esac
        ;;
    '') _rondo_words 'run train plan sample forecast evaluate plot diagnose bptt replay report watch verify info data bench sweep runs race check plugins new-cell new-kernel new-layer compile-cell env help --help --version' ;;
    esac
    if [[ $cur = -* && -n $options ]]; then
        _rondo_words "$options"
    fi
}
complete -F _rondo rondo
