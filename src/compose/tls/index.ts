export { type ListenersTls, openListenersTls } from './listeners.ts';
