/** Text into HTML, so that it stays text. */
import { printable } from '../core/printable.ts';

/** For text and for attribute values in quotes. What would turn the direction of writing shows as a dot. */
export function escapeHtml(text: string): string {
  return printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
