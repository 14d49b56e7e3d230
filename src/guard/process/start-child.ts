import { spawn } from 'node:child_process';
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type ComputeSettings, computeOf } from '../compute.ts';
import type { AddonFiles } from '../engine/addon-file.ts';
import { encodeFrame } from './frames.ts';
import type { GuardRequest } from './messages.ts';

const ROOM = dirname(dirname(fileURLToPath(import.meta.url)));
const ROOT = dirname(dirname(ROOM));
/** What the driver of a CUDA device adds to the private memory of a process that uses one. */
const DEVICE_BYTES = 8 * 1024 ** 3;
/** Beside the weights: runtime, tokenizer, working memory and keys and values (1 GiB at most). */
const BASE_BYTES = 2 * 1024 ** 3;
const HEAP_MIB = 192;
const MOST_STDERR_CHARS = 4096;

export interface ChildOptions extends ComputeSettings {
  readonly files: AddonFiles;
  readonly model: string;
  readonly sha256: string | null;
  readonly preset: string | null;
  /** Private memory of the process; null: follows from the size of the file. */
  readonly memoryBytes: number | null;
  /** True: only to know what the file is, whether a preset drives it or not. */
  readonly examine?: boolean;
  /** The program in the child; for tests, which put others there. */
  readonly entry?: string;
}

/** A guard's process as its parent sees it. */
export interface ChildLine {
  readonly line: Duplex;
  readonly pid: number | undefined;
  /** How it ended, with its last words; resolves once. */
  readonly ended: Promise<string>;
  kill(): void;
}

/**
 * Starts the guard's process with an empty environment, a socket pair as its only line, Node's permission model and
 * the launcher's limits, and tells it what to open.
 */
export function startChild(o: ChildOptions): ChildLine {
  const readable = readablePaths(o);
  const devices = o.backend === 'cuda' ? deviceFiles() : [];
  const extra = o.backend === 'cuda' ? DEVICE_BYTES : 0;
  const memory = o.memoryBytes ?? BASE_BYTES + extra + 3 * sizeOf(o.model);
  const node = realpathSync(process.execPath);
  const flags = [
    '--permission',
    '--allow-addons',
    ...readable.map((path) => `--allow-fs-read=${path}`),
    '--no-warnings',
    // No path is resolved through links: looking at them would need more to be readable.
    '--preserve-symlinks',
    '--preserve-symlinks-main',
    `--max-old-space-size=${HEAP_MIB}`,
  ];
  const program = o.entry ?? join(ROOM, 'process/child.ts');
  const child = spawn(
    o.files.launcher,
    [
      String(memory),
      ...readable,
      ...devices.map((path) => `+${path}`),
      dirname(node),
      '--',
      node,
      ...flags,
      program,
    ],
    { env: {}, cwd: '/', stdio: ['ignore', 'ignore', 'pipe', 'pipe'], windowsHide: true },
  );
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (words.length < MOST_STDERR_CHARS) words += text.slice(0, MOST_STDERR_CHARS - words.length);
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`it can not be started: ${error.message}`));
    child.once('close', (code, signal) => {
      const how = signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`;
      const said = lastWords(words);
      resolve(said === '' ? how : `${how}: ${said}`);
    });
  });
  const line = child.stdio[3] as Duplex;
  line.on('error', () => line.destroy());
  const { model, sha256, preset } = o;
  const order: GuardRequest = {
    type: 'open',
    addon: o.files.addon,
    model,
    sha256,
    preset,
    compute: computeOf(o),
    examine: o.examine ?? false,
  };
  line.write(encodeFrame(order));
  return { line, pid: child.pid, ended, kill: () => void child.kill('SIGKILL') };
}

/** All that the process reads: its program, the schema library, the addon, the model. */
function readablePaths({ files, model, entry, backend }: ChildOptions): readonly string[] {
  const library = findLibrary(ROOT);
  const paths = [
    ROOM,
    join(ROOT, 'package.json'),
    library,
    files.addon,
    model,
    ...(entry === undefined ? [] : [entry]),
    ...(backend === 'cuda' ? [join(dirname(files.addon), 'libguard_cuda.so')] : []),
  ];
  return [...new Set(paths.flatMap((path) => (existsSync(path) ? [path, realpathSync(path)] : [path])))];
}

/** The files by which CUDA reaches its devices. */
function deviceFiles(): readonly string[] {
  if (!existsSync('/dev')) return [];
  return readdirSync('/dev')
    .filter((name) => name.startsWith('nvidia'))
    .map((name) => join('/dev', name));
}

/** Where the schema library lies: here, or, where this program is itself a package, further up. */
function findLibrary(folder: string): string {
  const place = join(folder, 'node_modules/zod');
  const up = dirname(folder);
  return existsSync(place) || up === folder ? place : findLibrary(up);
}

/** The line that says why, out of a stack or a message of the C++ runtime. */
function lastWords(words: string): string {
  const lines = words.split('\n').map((one) => one.trim());
  const why = lines.find((one) => /^[A-Z]\w*Error\b|^Error:|FATAL|terminate|guard-launch/.test(one));
  return why ?? lines.filter((one) => one !== '').at(-1) ?? '';
}

function sizeOf(model: string): number {
  const found = statSync(model, { throwIfNoEntry: false });
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.size;
  return statSync(join(model, 'model.safetensors'), { throwIfNoEntry: false })?.size ?? 0;
}
