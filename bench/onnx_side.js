// ONNX Runtime's side of a measurement: a process that answers orders, as a program's `bench --orders` does (README.md).
//   node onnx_side.js MODULES MODEL.onnx CxHxW IMAGES THREADS
// It only predicts.
const fs = require('fs');
const path = require('path');
const readline = require('readline');

const [modules, model, shape, images, threads] = process.argv.slice(2);
const ort = require(path.join(modules, 'onnxruntime-node'));

// Bytes, as the system counts them.
function status(name) {
  const line = fs.readFileSync('/proc/self/status', 'utf8').split('\n').find((each) => each.startsWith(name + ':'));
  return line ? 1024 * parseInt(line.split(/\s+/)[1], 10) : 0;
}

// Normal numbers, by Box and Muller.
function normal(count) {
  const numbers = new Float32Array(count);
  for (let i = 0; i < count; ++i) {
    numbers[i] = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  }
  return numbers;
}

function say(answer) {
  process.stdout.write(JSON.stringify(answer) + '\n');
}

async function main() {
  const bare = status('VmHWM');
  const extents = shape.split('x').map(Number);
  const floats = extents.reduce((product, extent) => product * extent, 1);
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: Number(threads), interOpNumThreads: 1, executionMode: 'sequential', graphOptimizationLevel: 'all',
    logSeverityLevel: 3, extra: {session: {set_denormal_as_zero: '1'}},
  });
  const numbers = normal(Number(images) * floats);
  const answer = async (order) => {
    const [word, runs, count] = order.trim().split(/\s+/);
    if (word === 'memory') return {peak: status('VmHWM'), resident: status('VmRSS'), bare};
    if (word !== 'predict') throw new Error(`unknown order '${word}'`);
    const batch = Number(count);
    const input = new ort.Tensor('float32', numbers.subarray(0, batch * floats), [batch, ...extents]);
    const begin = process.hrtime.bigint();
    for (let i = 0; i < Number(runs); ++i) await session.run({input});
    return {seconds: Number(process.hrtime.bigint() - begin) / 1e9};
  };
  say({ready: path.basename(model)});
  for await (const order of readline.createInterface({input: process.stdin})) {
    if (order.trim() === 'quit') break;
    try {
      say(await answer(order));
    } catch (error) {
      say({error: String(error)});
    }
  }
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
