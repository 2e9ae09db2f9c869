// node onnxruntime_bench.mjs MODEL.onnx SHAPE SECONDS: one run in ONNX Runtime on one thread, as JSON in milliseconds.
// onnxruntime-node is looked for in the current folder's node_modules.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const ort = createRequire(join(process.cwd(), 'package.json'))('onnxruntime-node');
const [model, shapeText, seconds] = process.argv.slice(2);
const shape = shapeText.split('x').map(Number);
const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => 2 * Math.random() - 1);
const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', values, shape) };
const start = performance.now();
await session.run(feeds);
const first = performance.now() - start;
await session.run(feeds);
const times = [];
while (times.length < 5 || performance.now() - start < 1000 * Number(seconds)) {
  const begin = performance.now();
  await session.run(feeds);
  times.push(performance.now() - begin);
}
times.sort((a, b) => a - b);
console.log(JSON.stringify({ median_ms: times[times.length >> 1], min_ms: times[0], first_ms: first, runs: times.length }));
