// The CUDA library (libguard_cuda.so), with nvcc, and the same sources for the emulator, with the C++ compiler alone.
// Objects are cached by the hash of what they are made of.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { filesUnder } from './sources.mjs';

/** Ampere, Ada, Hopper, Blackwell; newer ones compile the last two for themselves, from PTX. */
const TARGETS = [
  'arch=compute_80,code=sm_80',
  'arch=compute_86,code=sm_86',
  'arch=compute_89,code=sm_89',
  'arch=compute_90,code=[sm_90,compute_90]',
  'arch=compute_120,code=[sm_120,compute_120]',
];

/** A failed build: `sentence` says what, `remedy` what to do, `output` what the compiler wrote. */
export class BuildFailure extends Error {
  constructor(sentence, remedy, output = '') {
    super(sentence);
    this.remedy = remedy;
    this.output = output;
  }
}

export function findNvcc() {
  const names = process.env.NVCC ? [process.env.NVCC] : ['nvcc', '/usr/local/cuda/bin/nvcc'];
  for (const name of names) if (spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0) return name;
  return null;
}

/** Whether the driver of an NVIDIA device is loaded on this machine. */
export function hasDriver() {
  return existsSync('/proc/driver/nvidia/version') || existsSync('/dev/nvidiactl');
}

/** Builds libguard_cuda.so; `only`: for one architecture (80, 90, ...), which is quicker and runs there alone. */
export async function buildCuda({ native, quiet, only }) {
  const nvcc = findNvcc();
  if (nvcc === null)
    throw new BuildFailure(
      'nvcc was not found.',
      'Install the CUDA toolkit 12.8 or newer (nvcc and its headers), or name nvcc in NVCC.',
    );
  const targets = only === undefined ? TARGETS : [`arch=compute_${only},code=sm_${only}`];
  const flags = [
    ...['-std=c++20', '-O3', '-fmad=false', '--expt-relaxed-constexpr', '-Xptxas', '-warn-spills'],
    ...targets.flatMap((target) => ['-gencode', target]),
    ...['--compiler-options', '-fPIC,-fvisibility=hidden,-Wall', '-diag-suppress', '177'],
  ];
  const name = only === undefined ? 'libguard_cuda.so' : `libguard_cuda-${only}.so`;
  return await build({
    native,
    quiet,
    compiler: nvcc,
    version: run(nvcc, ['--version']),
    flags: (source) => [...flags, '-x', 'cu', '-c', source],
    sources: filesUnder(join(native, 'cuda'), ['.cu']),
    target: join(native, 'build', name),
    link: ['-shared', '-cudart', 'static', '-Xcompiler', '-static-libstdc++,-static-libgcc'],
    // Each of nvcc's processes takes half a gigabyte.
    jobs: Math.min(availableParallelism(), 8),
  });
}

/** Builds the emulated device for the engine's tests. `mode`: of the program that will load it. */
export async function buildEmulated({ native, quiet, compiler, version, mode, suffix }) {
  const flags = [
    ...['-std=c++20', ...mode, '-fPIC', '-pthread', '-fvisibility=hidden', '-ffp-contract=off'],
    ...['-Wall', '-Wextra', '-Wno-missing-field-initializers', '-Wno-unknown-pragmas', '-DGUARD_EMULATE'],
  ];
  return await build({
    native,
    quiet,
    compiler,
    version,
    flags: (source) => [...flags, '-x', 'c++', '-c', source],
    sources: [
      ...filesUnder(join(native, 'cuda'), ['.cu']),
      ...filesUnder(join(native, 'cuda/emulate'), ['.cc']),
    ],
    target: join(native, 'build', `libguard_cuda_emulated${suffix}.so`),
    link: ['-shared', '-pthread', ...mode],
    jobs: Math.min(availableParallelism(), 8),
  });
}

function run(program, args) {
  return spawnSync(program, args, { encoding: 'utf8' }).stdout ?? '';
}

async function build({ native, quiet, compiler, version, flags, sources, target, link, jobs }) {
  const begun = Date.now();
  const objects = join(native, 'build/objects');
  mkdirSync(objects, { recursive: true });
  const includes = ['-I', join(native, 'cuda'), '-I', join(native, 'src')];
  const headers = createHash('sha256').update(version);
  for (const file of [...filesUnder(join(native, 'cuda'), ['.h']), join(native, 'src/cpu/kernels.h')])
    headers.update(readFileSync(file));
  const digest = headers.digest('hex');
  const all = sources.map((source) => {
    const name = relative(native, source);
    const hash = createHash('sha256')
      .update(digest)
      .update(flags(name).join(' '))
      .update(readFileSync(source));
    return { name, source, object: join(objects, `${hash.digest('hex').slice(0, 24)}.o`) };
  });
  const todo = all.filter((job) => !existsSync(job.object));
  const total = todo.length;
  const failures = [];
  const worker = async () => {
    for (let job = todo.shift(); job !== undefined && failures.length === 0; job = todo.shift()) {
      if (!quiet) process.stdout.write(`[${total - todo.length}/${total}] ${job.name}\n`);
      const draft = `${job.object}.${process.pid}`;
      const { code, text } = await spawned(compiler, [...flags(job.source), ...includes, '-o', draft]);
      if (code === 0) renameSync(draft, job.object);
      else failures.push(text);
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  if (failures.length > 0)
    throw new BuildFailure(
      'the compiler reported errors.',
      'Please report them with the output of the compiler.',
      failures.join('\n'),
    );
  const stamp = all.map((job) => job.object).join('\n');
  if (
    !existsSync(target) ||
    !existsSync(`${target}.stamp`) ||
    readFileSync(`${target}.stamp`, 'utf8') !== stamp
  ) {
    const draft = `${target}.${process.pid}`;
    const { code, text } = await spawned(compiler, [...link, ...all.map((job) => job.object), '-o', draft]);
    if (code !== 0)
      throw new BuildFailure('it could not be linked.', 'Please report the output of the linker.', text);
    renameSync(draft, target);
    writeFileSync(`${target}.stamp`, stamp);
  }
  return { target, compiled: total, of: all.length, seconds: (Date.now() - begun) / 1000 };
}

function spawned(program, args) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        text += chunk;
      });
    child.on('error', (error) => resolve({ code: 1, text: String(error) }));
    child.on('close', (code) => resolve({ code, text }));
  });
}
