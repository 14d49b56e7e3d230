// Loaded into the service by --import: its clock runs beside the true one by what the file says (milliseconds),
// as after somebody has set the machine's time.
import { readFileSync } from 'node:fs';

const real = Date.now;
let offset = 0;
const look = () => {
  try {
    offset = Number(readFileSync(process.env.CLOCK_OFFSET_FILE ?? '', 'utf8')) || 0;
  } catch {
    offset = 0;
  }
};
look();
setInterval(look, 20).unref();
Date.now = () => real() + offset;
