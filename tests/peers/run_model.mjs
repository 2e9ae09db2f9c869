// node run_model.mjs MODEL INPUT.f32 SHAPE OUTPUT.f32 disabled|all: one float32 input through ONNX Runtime, raw in and out.
// onnxruntime-node is looked for in the current folder's node_modules.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const ort = createRequire(join(process.cwd(), 'package.json'))('onnxruntime-node');
const [model, input, shape, output, level] = process.argv.slice(2);
const bytes = readFileSync(input);
const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
const session = await ort.InferenceSession.create(model, { graphOptimizationLevel: level, intraOpNumThreads: 1 });
const tensor = new ort.Tensor('float32', values, shape.split(',').map(Number));
const results = await session.run({ [session.inputNames[0]]: tensor });
const y = results[session.outputNames[0]];
writeFileSync(output, new Uint8Array(y.data.buffer, y.data.byteOffset, y.data.byteLength));
console.log(JSON.stringify({ dims: y.dims }));
