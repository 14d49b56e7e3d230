/** Loaded into the service by the soak (`--import`): tells its memory when it is asked over the channel. */
process.on('message', () => {
  globalThis.gc?.();
  process.send?.(process.memoryUsage());
});
// Listening must not keep the service alive once it wants to end.
process.channel?.unref();
