import { keepCompiledCode } from '../compile-cache.mjs';

keepCompiledCode();

const controller = new AbortController();
process.once('SIGINT', () => controller.abort());
process.once('SIGTERM', () => controller.abort());

// A reader that stops early (`sallyport audit export | head`) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const { runCli } = await import('./run.ts');
process.exitCode = await runCli({
  argv: process.argv.slice(2),
  environment: process.env,
  input: process.stdin,
  out: process.stdout,
  err: process.stderr,
  signal: controller.signal,
});
