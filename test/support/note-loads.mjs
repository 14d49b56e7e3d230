// Preloaded with --import: notes in the file of NOTE_LOADS, a line each, what a process loads, and where Node keeps what
// it compiled.
import { writeFileSync } from 'node:fs';
import { getCompileCacheDir, registerHooks } from 'node:module';

const loaded = [];
registerHooks({
  load(url, context, next) {
    loaded.push(url);
    return next(url, context);
  },
});
process.on('exit', () => {
  writeFileSync(process.env.NOTE_LOADS, [`cache:${getCompileCacheDir() ?? ''}`, ...loaded].join('\n'));
});
