// Runs an ONNX model in ONNX Runtime: node run_onnx.js MODULES MODEL IMAGES SHAPE OUTPUT. Images and output are raw float32.
const fs = require('fs');
const path = require('path');

const [modules, model, images, shape, output] = process.argv.slice(2);
const ort = require(path.join(modules, 'onnxruntime-node'));

async function main() {
  const session = await ort.InferenceSession.create(model, {intraOpNumThreads: 2, logSeverityLevel: 3});
  const bytes = fs.readFileSync(images);
  const numbers = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const results = await session.run({input: new ort.Tensor('float32', numbers, shape.split('x').map(Number))});
  const {data} = results.output;
  fs.writeFileSync(output, Buffer.from(data.buffer, data.byteOffset, data.byteLength));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
