export { openListenersTls } from './listeners.ts';
