// Loaded into the service by --import: a disk whose fdatasync takes its time, as on a busy or dying one.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const real = fs.fdatasync;
let turn = 0;
fs.fdatasync = (descriptor, done) => {
  turn += 1;
  const pauseMs = turn % 10 === 0 ? 1_500 : 150;
  setTimeout(() => real(descriptor, done), pauseMs);
};
syncBuiltinESMExports();
