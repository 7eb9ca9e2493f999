/** The MPS client limit, as the checks of a host ask for it. */
export { type ClientLimit, clientLimit } from '../core/client-limit.ts';
