/** The public API. */
export { MpsbenchError } from './core/errors.ts';
