// onnxruntime_peer.mjs - a case of `rondo bench` in ONNX Runtime: inference, or a symbol's step without the draw.
//
// usage: node onnxruntime_peer.mjs FOLDER MODEL.onnx task=infer shape=charnn cell=lstm threads=1 H=128 B=50 T=50
//        layers=2 in=65 seconds=1
// FOLDER: where `npm install onnxruntime-node` was done. MODEL: made by onnx_model.py of the same sizes.
// SPDX-License-Identifier: MIT
import { createRequire } from 'node:module';

const [folder, model, ...words] = process.argv.slice(2);
const given = Object.fromEntries(words.map(word => word.split(/=(.*)/s)));
const [threads, H, B, T, layers, width] = ['threads', 'H', 'B', 'T', 'layers', 'in'].map(name => Number(given[name]));
const LEAST_MS = 10, LEAST_TIMES = 3, MOST_TIMES = 50, SYMBOLS = 65;
const require = createRequire(folder + '/');
const ort = require('onnxruntime-node');
const version = require('onnxruntime-node/package.json').version;

const session = await ort.InferenceSession.create(model, {
  executionProviders: ['cpu'], intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: 'sequential',
  graphOptimizationLevel: 'all', extra: { session: { set_denormal_as_zero: '1' } },
});
const feeds = {};
for (const name of session.inputNames) {
  if (name !== 'x') {
    feeds[name] = new ort.Tensor('float32', new Float32Array(B * H), [1, B, H]);
  } else if (given.shape === 'series') {
    feeds.x = new ort.Tensor('float32', Float32Array.from({ length: T * B * width }, () => Math.random() - 0.5), [T, B, width]);
  } else {
    const ids = BigInt64Array.from({ length: T * B }, () => BigInt(Math.floor(Math.random() * SYMBOLS)));
    feeds.x = new ort.Tensor('int64', ids, [T, B]);
  }
}
const once = async () => {
  const made = await session.run(feeds);
  for (const name of session.inputNames) {
    if (name !== 'x') feeds[name] = made[name + '_next'];
  }
};

await once();
let start = performance.now();
await once();
const often = Math.floor(LEAST_MS / Math.max(performance.now() - start, 1e-6)) + 1;
const times = [], end = performance.now() + 1000 * Number(given.seconds);
while (times.length < LEAST_TIMES || (times.length < MOST_TIMES && performance.now() < end)) {
  start = performance.now();
  for (let i = 0; i < often; i++) await once();
  times.push((performance.now() - start) / often);
}
times.sort((a, b) => a - b);
const ms = 0.5 * (times[(times.length - 1) >> 1] + times[times.length >> 1]);
console.log(JSON.stringify({
  task: given.task, shape: given.shape, cell: given.cell, threads, H, B, T, layers, ms, ms_best: times[0],
  tok_s: B * T / ms * 1000, reps: times.length, lib: 'onnxruntime-' + version,
}));
