// node run_jobs.mjs JOBS.json RESULTS.json: many models through ONNX Runtime in one process.
// A job is {model, level, inputs: {name: {type, shape, file}}, folder}; every output of the model is written raw to
// folder/INDEX.raw. A result is {outputs: [{name, type, shape, file}]} or {error}. Tensors of int64 are raw too.
// onnxruntime-node is looked for in the current folder's node_modules.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const ort = createRequire(join(process.cwd(), 'package.json'))('onnxruntime-node');
const arrays = {
  float32: Float32Array, float64: Float64Array, int8: Int8Array, uint8: Uint8Array, int16: Int16Array,
  uint16: Uint16Array, int32: Int32Array, int64: BigInt64Array, uint32: Uint32Array, uint64: BigUint64Array,
  bool: Uint8Array,
};

function readTensor({ type, shape, file }) {
  const bytes = readFileSync(file);
  const copy = new Uint8Array(bytes).buffer;  // aligned
  return new ort.Tensor(type, new arrays[type](copy), shape);
}

function writeTensor(name, tensor, file) {
  const { buffer, byteOffset, byteLength } = tensor.data;
  writeFileSync(file, new Uint8Array(buffer, byteOffset, byteLength));
  return { name, type: tensor.type, shape: tensor.dims, file };
}

async function runJob({ model, level, inputs, folder }) {
  const options = { graphOptimizationLevel: level, intraOpNumThreads: 1, logSeverityLevel: 4 };
  const session = await ort.InferenceSession.create(model, options);
  const feeds = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, readTensor(input)]));
  const results = await session.run(feeds);
  mkdirSync(folder, { recursive: true });
  const outputs = session.outputNames.map((name, i) => writeTensor(name, results[name], join(folder, `${i}.raw`)));
  await session.release();
  return { outputs };
}

const [jobsFile, resultsFile] = process.argv.slice(2);
const results = [];
for (const job of JSON.parse(readFileSync(jobsFile, 'utf8'))) {
  try {
    results.push(await runJob(job));
  } catch (error) {
    results.push({ error: String(error.message ?? error) });
  }
}
writeFileSync(resultsFile, JSON.stringify(results));
