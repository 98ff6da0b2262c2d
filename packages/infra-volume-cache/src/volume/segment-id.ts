import { randomBytes } from 'node:crypto';

const pattern = /^\d{15}-[0-9a-f]{12}$/;

/** An id that no other worker makes, and that sorts by time. */
export function newSegmentId(nowMs = Date.now()): string {
  return `${String(nowMs).padStart(15, '0')}-${randomBytes(6).toString('hex')}`;
}

export function isSegmentId(text: string): boolean {
  return pattern.test(text);
}
